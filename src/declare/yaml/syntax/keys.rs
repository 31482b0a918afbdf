//! Keys without a colon, and colons that make keys of texts.

use super::line::Line;
use super::quoting::put_in_quotes;
use super::{Broken, Explanation};
use domain::{Attribute, CLIENT, SCOPE, ValueType};

/// The keys that portvakt knows anywhere, but for those of attributes.
const OTHERS: [&str; 92] = [
    "access_policy",
    "account",
    "action",
    "active",
    "alias",
    "api",
    "applies_to",
    "apply_from",
    "audience",
    "aws",
    "azure",
    "base64",
    "blocked",
    "bucket",
    "certificate",
    "chain",
    "client",
    "client_id",
    "clients",
    "cluster",
    "consumer",
    "consumers",
    "credentials",
    "databricks",
    "defaults",
    "env",
    "environments",
    "exclude",
    "expression",
    "field",
    "file",
    "from",
    "gcp",
    "group",
    "groups",
    "guards",
    "identity",
    "include",
    "jwks",
    "key",
    "keys_policy",
    "kid",
    "manifests",
    "maskinporten",
    "max_changed_percent",
    "max_deactivations",
    "max_grants",
    "max_revocations",
    "message",
    "nais",
    "name",
    "namespace",
    "naming",
    "onbehalfof",
    "organization",
    "organization_name",
    "orgno",
    "password",
    "path",
    "pattern",
    "per_environment",
    "policies",
    "pool",
    "prefix",
    "prefixes",
    "preset",
    "prevent_deactivation",
    "previous_name",
    "profile",
    "project",
    "project_number",
    "protect",
    "provider",
    "reason",
    "recipient",
    "removed",
    "resource_group",
    "role",
    "rule",
    "scope",
    "service_account",
    "severity",
    "skyporten",
    "subscription",
    "target",
    "teams",
    "until",
    "uri",
    "values",
    "vars",
    "warn_before",
    "workspace",
];

/// Those of them that have lists.
const LISTS: [&str; 11] = [
    "blocked",
    "consumers",
    "environments",
    "exclude",
    "include",
    "naming",
    "policies",
    "prefixes",
    "protect",
    "removed",
    "skyporten",
];

fn attribute(key: &str) -> Option<&'static Attribute> {
    SCOPE.named(key).or_else(|| CLIENT.named(key))
}

pub(super) fn is_known(key: &str) -> bool {
    attribute(key).is_some() || OTHERS.binary_search(&key).is_ok()
}

pub(super) fn is_list(key: &str) -> bool {
    let is_list = |attribute: &Attribute| matches!(attribute.value_type, ValueType::List(_));
    attribute(key).is_some_and(is_list) || LISTS.contains(&key)
}

/// Something behind the bracket that ends a value: a comma, or the rest of a text.
pub(super) fn behind_a_bracket(broken: &Broken<'_>) -> Option<Explanation> {
    let line = broken.get(broken.line());
    let value = line.key().map_or(line.content, |(_, value)| value);
    let close = match value.chars().next()? {
        '[' => ']',
        '{' => '}',
        _ => return None,
    };
    let before: String = line.text.chars().take(broken.column()).collect();
    if !before.trim_end().ends_with(close) {
        return None;
    }
    let length = line.text.chars().skip(broken.column()).take(1).count();
    let (reason, help) = match (line.content.ends_with(','), line.key()) {
        (true, _) => ("a line does not end with a comma", "remove the comma".to_owned()),
        (false, key) => (
            "the text continues after the bracket",
            put_in_quotes(broken, key.map(|(key, _)| key), value),
        ),
    };
    Some(broken.explain(line.number, broken.column(), length, reason, help))
}

/// A colon and a space in a text without quotes.
pub(super) fn colon_in_a_text(broken: &Broken<'_>) -> Option<Explanation> {
    if !broken.says(&["mapping values are not allowed", "illegal placement of ':'"]) {
        return None;
    }
    let line = broken.get(broken.line());
    let (key, value) = line.key()?;
    let key_end = line.content_column + key.chars().count();
    if broken.column() <= key_end {
        let (before, _) = key.split_once([' ', '{', '['])?;
        let opened = key.trim_start_matches(before).trim_start();
        let help = format!("write a colon and a space behind it: `{}: {{ …`", broken.name(before));
        let reported = broken.explain(
            line.number,
            line.content_column,
            before.chars().count(),
            "a colon is missing",
            help,
        );
        return opened.starts_with('{').then_some(reported);
    }
    let reason = "a text without quotes cannot hold a colon and a space";
    let (inner, rest) = value.split_once(": ").unwrap_or((value.trim_end_matches(':'), ""));
    let joined = value.replace(": ", ":");
    let help = if matches!(key, "name" | "scope") && !joined.contains(char::is_whitespace) {
        let shown = broken.shown(&joined);
        format!("write it without the space: `{key}: {shown}`")
    } else if is_known(inner) {
        let (key, rest) = (broken.name(key), broken.shown(rest));
        format!(
            "write `{inner}` on a line of its own, further in, or in braces: `{key}: {{ {inner}: {rest} }}`"
        )
    } else {
        put_in_quotes(broken, Some(key), value)
    };
    Some(broken.explain(line.number, broken.column(), 1, reason, help))
}

/// A line that should have a colon and a space.
pub(super) fn missing_colon(broken: &Broken<'_>) -> Option<Explanation> {
    const SAID: [&str; 5] = [
        "simple key expect",
        "mapping values are not allowed",
        "comment intercepting",
        "expected ':'",
        "expected '-' indicator",
    ];
    if !broken.says(&SAID) {
        return None;
    }
    let run = run(broken);
    if let Some(reported) = run.iter().find_map(|line| without_colon(broken, line)) {
        return Some(reported);
    }
    let first = run.first()?;
    let above = broken.above(first.number)?;
    let (key, value) = above.key()?;
    let shown = broken.name(key);
    if first.has_dash {
        return None;
    }
    if value.is_empty() && is_list(key) {
        let content = broken.shown(first.content);
        let help =
            format!("write a dash before each entry, further in than `{shown}`: `- {content}`");
        return Some(broken.explain_line(first, "a dash is missing", help));
    }
    if first.indent > above.content_column {
        return None;
    }
    let help = format!(
        "indent it further than `{shown}` above if it goes on with its text; else write a key, a \
         colon and a space before it"
    );
    Some(broken.explain_line(first, "this line has no key", help))
}

/// The lines without a key, from above, at which the parser stopped or just below which it did.
fn run<'t>(broken: &Broken<'t>) -> Vec<Line<'t>> {
    /// So many lines are looked at.
    const MOST: usize = 20;
    let here = broken.get(broken.line());
    let starts_above = broken.says(&["comment intercepting"]) || here.key().is_none();
    let own = (starts_above && !here.content.is_empty()).then_some(here);
    let lines = own.into_iter().chain(broken.all_above(broken.line()));
    let mut run: Vec<Line<'t>> = lines.take_while(|line| line.key().is_none()).take(MOST).collect();
    run.reverse();
    run
}

/// What a line without a key was probably meant to be.
fn without_colon(broken: &Broken<'_>, line: &Line<'_>) -> Option<Explanation> {
    let content = line.content;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let reported = |reason: &str, help: String| Some(broken.explain_line(line, reason, help));
    if content.starts_with("//") {
        return reported("a comment begins with `#`", "write `#` in the place of `//`".into());
    }
    if let Some(rest) = content.strip_prefix('-')
        && rest.starts_with(is_word)
    {
        let help = format!("write a space behind the dash: `- {}`", broken.shown(rest));
        return reported("a dash without a space begins no entry of a list", help);
    }
    let end = content.find(|c| !is_word(c)).unwrap_or(content.len());
    let (word, rest) = content.split_at(end);
    let shown = broken.name(word);
    let value = rest.trim_start_matches([':', '=', ' ']);
    let value = broken.shown(value);
    if word.is_empty() || !(is_known(word) || rest.starts_with([':'])) {
        return None;
    }
    if rest.is_empty() {
        return reported("a colon is missing", format!("write `{shown}:`"));
    }
    let (reason, how) = match rest.starts_with(':') {
        true => ("a space is missing behind the colon", "write a space behind it"),
        false => ("a colon is missing", "write a colon and a space behind the key"),
    };
    if !rest.starts_with([':', '=', ' ']) {
        return None;
    }
    reported(reason, format!("{how}: `{shown}: {value}`"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    fn properties(schema: &Value, found: &mut BTreeSet<String>) {
        match schema {
            Value::Object(fields) => {
                let of_these = fields.get("properties").and_then(Value::as_object);
                found.extend(of_these.into_iter().flat_map(|these| these.keys().cloned()));
                fields.values().for_each(|value| properties(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| properties(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn the_keys_are_those_of_the_schemas() {
        use crate::declare::schema;
        let mut found = BTreeSet::new();
        properties(&schema::declarations(), &mut found);
        properties(&schema::settings(), &mut found);
        found.retain(|key| attribute(key).is_none());
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), OTHERS);
        assert!(LISTS.iter().all(|key| is_known(key)));
    }
}
