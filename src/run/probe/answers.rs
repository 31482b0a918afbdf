//! The answers that exchanges give to the open questions; `None` where one gives none.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use digdir::ProbedExchange;
use domain::{NoKeys, Orgno, ScopeName, WriteAnswer, kept};

/// Whether an empty list is a refusal, as told by a list that is empty.
pub(super) fn empty_list_is_404(list: &ProbedExchange) -> Option<bool> {
    match (&list.body, list.is_success()) {
        (Some(Value::Array(entries)), true) if entries.is_empty() => Some(false),
        (Some(body), false) if text(body, "error_description")?.contains("does not have any") => {
            Some(true)
        }
        _ => None,
    }
}

/// Whether the prefixes in a list end with a colon.
pub(super) fn prefix_with_colon(list: &ProbedExchange) -> Option<bool> {
    let prefixes: Vec<&str> = entries(list)?.iter().filter_map(|it| text(it, "prefix")).collect();
    let with_colon = prefixes.iter().filter(|prefix| prefix.ends_with(':')).count();
    match with_colon {
        0 if prefixes.is_empty() => None,
        0 => Some(false),
        all if all == prefixes.len() => Some(true),
        _ => None,
    }
}

/// Whether a member without a value is null, of an object that has no value for any of `members`.
pub(super) fn nulls_for_absent(object: &ProbedExchange, members: &[&str]) -> Option<bool> {
    let object = success(object)?.as_object()?;
    let are = |wanted: Option<&Value>| members.iter().all(|member| object.get(*member) == wanted);
    match (are(Some(&Value::Null)), are(None)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        (false, false) => None,
    }
}

/// Whether a text was trimmed and composed on the way.
pub(super) fn trims_text(object: &ProbedExchange, member: &str, sent: &str) -> Option<bool> {
    let read = text(success(object)?, member)?;
    if read == sent { Some(false) } else { (read == kept(sent)).then_some(true) }
}

/// Whether a member that a PUT has left out is still there.
pub(super) fn put_keeps_omitted(object: &ProbedExchange, member: &str) -> Option<bool> {
    let object: &Map<String, Value> = success(object)?.as_object()?;
    Some(object.get(member).and_then(Value::as_str).is_some_and(|text| !text.is_empty()))
}

/// Whether a list of accesses may be read, as told by the answer to a token that may perhaps not.
pub(super) fn may_list(list: &ProbedExchange) -> Option<bool> {
    match list.status {
        403 => Some(false),
        _ if list.is_success() || empty_list_is_404(list) == Some(true) => Some(true),
        _ => None,
    }
}

/// Whether a scope is in the list of what the organisation has access to.
pub(super) fn is_listed(list: &ProbedExchange, scope: &ScopeName) -> Option<bool> {
    if empty_list_is_404(list) == Some(true) {
        return Some(false);
    }
    Some(entries(list)?.iter().any(|entry| text(entry, "scope") == Some(scope.as_str())))
}

/// Whether an access that was taken away is missing from the list of a scope's accesses.
pub(super) fn denied_hidden(list: &ProbedExchange, consumer: Orgno) -> Option<bool> {
    if empty_list_is_404(list) == Some(true) {
        return Some(true);
    }
    let of_consumer = |entry: &&Value| text(entry, "consumer_orgno") == Some(consumer.as_str());
    match entries(list)?.iter().find(of_consumer) {
        None => Some(true),
        Some(entry) if text(entry, "state") == Some("DENIED") => Some(false),
        Some(_) => None,
    }
}

/// Whether a call was refused because of the state of what it is about.
pub(super) fn is_refused(exchange: &ProbedExchange) -> Option<bool> {
    match exchange.status {
        400 | 409 => Some(true),
        _ if exchange.is_success() => Some(false),
        _ => None,
    }
}

/// The answer for a client without keys.
pub(super) fn no_keys(keys: &ProbedExchange) -> Option<NoKeys> {
    if keys.status == 404 {
        return Some(NoKeys::NotFound);
    }
    let set = success(keys)?.as_object()?;
    match set.get("keys") {
        None if set.is_empty() => Some(NoKeys::EmptyObject),
        Some(Value::Null) => Some(NoKeys::Null),
        Some(Value::Array(keys)) if keys.is_empty() => Some(NoKeys::EmptySet),
        _ => None,
    }
}

/// The answer to a write that was carried out.
pub(super) fn write_answer(written: &ProbedExchange) -> Option<WriteAnswer> {
    match (written.status, &written.body) {
        (200, Some(_)) => Some(WriteAnswer::Described),
        (200, None) => Some(WriteAnswer::Empty),
        (201, Some(_)) => Some(WriteAnswer::Created),
        (204, None) => Some(WriteAnswer::NoContent),
        _ => None,
    }
}

/// Whether the first key of a set expires when it was first to expire, although it was registered again
/// without a time.
pub(super) fn keys_keep_exp(set: &ProbedExchange, first: Timestamp) -> Option<bool> {
    let keys = success(set)?.get("keys")?.as_array()?;
    let exp = keys.first()?.get("exp")?.as_i64()?;
    Some(exp.abs_diff(first.as_second()) < Duration::from_hours(24).as_secs())
}

fn success(exchange: &ProbedExchange) -> Option<&Value> {
    exchange.body.as_ref().filter(|_| exchange.is_success())
}

fn entries(list: &ProbedExchange) -> Option<&Vec<Value>> {
    success(list)?.as_array()
}

fn text<'v>(value: &'v Value, member: &str) -> Option<&'v str> {
    value.get(member)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn exchange(status: u16, body: Value) -> ProbedExchange {
        ProbedExchange { call: "GET /".to_owned(), status, body: Some(body) }
    }

    fn empty_refusal() -> ProbedExchange {
        exchange(404, json!({"error_description": "Scope does not have any accesses"}))
    }

    #[test]
    fn an_answer_is_given_only_where_the_exchange_settles_it() {
        assert_eq!(empty_list_is_404(&exchange(200, json!([]))), Some(false));
        assert_eq!(empty_list_is_404(&empty_refusal()), Some(true));
        assert_eq!(empty_list_is_404(&exchange(200, json!([{}]))), None);
        assert_eq!(empty_list_is_404(&exchange(404, json!({"error_description": "no"}))), None);

        let prefixes = |list: &[&str]| {
            let list: Vec<_> = list.iter().map(|prefix| json!({"prefix": prefix})).collect();
            prefix_with_colon(&exchange(200, Value::Array(list)))
        };
        assert_eq!(prefixes(&["a", "b"]), Some(false));
        assert_eq!(prefixes(&["a:"]), Some(true));
        assert_eq!(prefixes(&["a:", "b"]), None);
        assert_eq!(prefixes(&[]), None);

        let nulls = |body| nulls_for_absent(&exchange(200, body), &["a", "b"]);
        assert_eq!(nulls(json!({"a": null, "b": null})), Some(true));
        assert_eq!(nulls(json!({"c": 1})), Some(false));
        assert_eq!(nulls(json!({"a": null})), None);
        assert_eq!(nulls(json!({"a": "", "b": ""})), None);

        let trims = |read| trims_text(&exchange(200, json!({"d": read})), "d", " e\u{301}");
        assert_eq!(trims(" e\u{301}"), Some(false));
        assert_eq!(trims("\u{e9}"), Some(true));
        assert_eq!(trims("e\u{301}"), None);

        let keeps = |body| put_keeps_omitted(&exchange(200, body), "a");
        assert_eq!(keeps(json!({"a": "x"})), Some(true));
        assert_eq!(keeps(json!({"a": null})), Some(false));
        assert_eq!(keeps(json!({})), Some(false));
        assert_eq!(put_keeps_omitted(&exchange(404, json!({})), "a"), None);
    }

    #[test]
    fn lists_of_accesses_answer_by_what_is_in_them() {
        let us: Orgno = "889640782".parse().unwrap();
        let hidden = |state| {
            let entry = json!({"consumer_orgno": us.as_str(), "state": state});
            denied_hidden(&exchange(200, json!([entry])), us)
        };
        assert_eq!(hidden("DENIED"), Some(false));
        assert_eq!(hidden("APPROVED"), None);
        assert_eq!(denied_hidden(&exchange(200, json!([])), us), Some(true));
        assert_eq!(denied_hidden(&empty_refusal(), us), Some(true));
        assert_eq!(denied_hidden(&exchange(500, json!({})), us), None);

        let scope: ScopeName = "etat:a".parse().unwrap();
        assert_eq!(is_listed(&exchange(200, json!([{"scope": "etat:a"}])), &scope), Some(true));
        assert_eq!(is_listed(&exchange(200, json!([{"scope": "etat:ab"}])), &scope), Some(false));
        assert_eq!(is_listed(&empty_refusal(), &scope), Some(false));
        assert_eq!(is_listed(&exchange(403, json!({})), &scope), None);

        assert_eq!(may_list(&exchange(403, json!({}))), Some(false));
        assert_eq!(may_list(&exchange(200, json!([]))), Some(true));
        assert_eq!(may_list(&empty_refusal()), Some(true));
        assert_eq!(may_list(&exchange(404, json!({}))), None);
    }

    #[test]
    fn keys_and_refusals_answer_too() {
        let first = Timestamp::from_second(1_800_000_000).unwrap();
        let keeps =
            |exp: i64| keys_keep_exp(&exchange(200, json!({"keys": [{"exp": exp}]})), first);
        assert_eq!(keeps(1_800_000_000), Some(true));
        assert_eq!(keeps(1_831_536_000), Some(false));
        assert_eq!(keys_keep_exp(&exchange(200, json!({})), first), None);

        let no_keys = |status, body| no_keys(&exchange(status, body));
        assert_eq!(no_keys(200, json!({"keys": []})), Some(NoKeys::EmptySet));
        assert_eq!(no_keys(200, json!({"keys": null})), Some(NoKeys::Null));
        assert_eq!(no_keys(200, json!({})), Some(NoKeys::EmptyObject));
        assert_eq!(no_keys(404, json!({})), Some(NoKeys::NotFound));
        assert_eq!(no_keys(200, json!({"keys": [{}]})), None);

        let empty = |status| ProbedExchange { body: None, ..exchange(status, Value::Null) };
        assert_eq!(write_answer(&exchange(200, json!({}))), Some(WriteAnswer::Described));
        assert_eq!(write_answer(&exchange(201, json!({}))), Some(WriteAnswer::Created));
        assert_eq!(write_answer(&empty(200)), Some(WriteAnswer::Empty));
        assert_eq!(write_answer(&empty(204)), Some(WriteAnswer::NoContent));
        assert_eq!(write_answer(&empty(201)), None);

        assert_eq!(is_refused(&exchange(409, json!({}))), Some(true));
        assert_eq!(is_refused(&exchange(204, json!({}))), Some(false));
        assert_eq!(is_refused(&exchange(404, json!({}))), None);
    }
}
