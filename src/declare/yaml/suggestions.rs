//! What to type in the place of what is wrong.

use crate::declare::diagnostic::suggest::list;
use domain::Orgno;
use yaml::{Node, Value, scalar};

/// What a text is called in messages.
pub(crate) const TEXT: &str = "a text";
/// What `true` and `false` are called.
pub(crate) const BOOL: &str = "true or false";
/// What a list is called.
pub(crate) const LIST: &str = "a list";
/// What a mapping is called.
pub(crate) const MAPPING: &str = "a mapping";
/// What a number is called.
pub(crate) const NUMBER: &str = "a whole number, 0 or more";

/// The longest text that is repeated.
const LONGEST: usize = 60;

/// What to type in the place of a value that is of the wrong kind.
pub(crate) fn value(value: &Value<'_>, expected: &str) -> String {
    match (expected, value) {
        (_, Value::Null) => "write the value, or leave the key out; a text that begins with `#` \
                             goes in quotes"
            .into(),
        (TEXT, Value::Number(number)) => format!("put it in quotes: \"{number}\""),
        (TEXT, Value::Bool(value)) => format!("put it in quotes: \"{value}\""),
        (TEXT, Value::Sequence(_)) => "write one text, without brackets and dashes".into(),
        (TEXT, Value::Mapping(_)) => "write one text, without a key".into(),
        (BOOL, Value::String(text)) => truth(text),
        (BOOL, Value::Number(number)) => truth(&number.to_string()),
        (NUMBER, Value::String(text)) => number(text),
        (NUMBER, _) => "write a whole number, such as `120`".into(),
        (LIST, Value::String(text)) => in_brackets(text),
        (LIST, Value::Mapping(_)) => "write `- ` before each entry: a list is wanted here".into(),
        (LIST, _) => "put it in brackets: `[…]`".into(),
        (MAPPING, Value::Sequence(_)) => {
            "remove the dashes or brackets: keys and values belong here".into()
        }
        (MAPPING, _) => "write names and what belongs to them, such as `{ name: … }`".into(),
        _ => String::new(),
    }
}

fn truth(text: &str) -> String {
    if text.contains('#') {
        return "write `true` or `false`, and a space before the `#` of a comment".into();
    }
    let word = text.to_lowercase();
    match word.trim() {
        "true" | "yes" | "ja" | "y" | "on" | "på" | "sann" | "1" => "write `true`, without quotes",
        "false" | "no" | "nei" | "n" | "off" | "av" | "usann" | "0" => {
            "write `false`, without quotes"
        }
        _ => "write `true` or `false`",
    }
    .into()
}

fn number(text: &str) -> String {
    let lower = text.to_lowercase();
    let units = ["seconds", "second", "sekunder", "sekund", "sek", "sec", "s", "%"];
    let bare = lower.trim();
    let bare = units.iter().find_map(|unit| bare.strip_suffix(unit)).unwrap_or(bare);
    let digits: String = bare.chars().filter(|c| !c.is_whitespace() && *c != '_').collect();
    match digits.parse::<u64>() {
        Ok(number) => format!("write `{number}`, without quotes, spaces or a unit"),
        Err(_) => "write a whole number, such as `120`, without quotes or a unit".into(),
    }
}

fn in_brackets(text: &str) -> String {
    let bare = |name: &str| name.trim_start_matches('-').trim_matches(['"', '\'']).to_owned();
    let names = names(text).into_iter().map(bare).filter(|name| !name.is_empty());
    let names: Vec<_> = names.map(|name| scalar(&name, true)).collect();
    match names.is_empty() || text.len() > LONGEST {
        true => "put it in brackets: `[…]`".into(),
        false => format!("put it in brackets: `[{}]`", names.join(", ")),
    }
}

/// The names that a text lists with commas, or with nothing but white space.
pub(crate) fn names(text: &str) -> Vec<&str> {
    let between = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '[' | ']' | '(' | ')');
    text.split(between).filter(|name| !name.is_empty()).collect()
}

/// What to type where a mapping is wanted: `like` is one, with `{}` for what was given in its place.
pub(crate) fn mapping(value: &Value<'_>, like: &str) -> Option<String> {
    let declared = match value {
        Value::String(text) if text.len() <= LONGEST => scalar(text, true),
        Value::Number(number) => scalar(&number.to_string(), true),
        Value::String(_) | Value::Bool(_) => "…".into(),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => return None,
    };
    (!like.is_empty()).then(|| format!("write `{}`", like.replacen("{}", &declared, 1)))
}

/// The organisation number that a text holds beside spaces and the like, in quotes.
pub(crate) fn orgno(text: &str) -> Option<String> {
    let text = text.trim_start_matches("0192:");
    let text = text.strip_prefix("NO").unwrap_or(text);
    let text = text.strip_suffix("MVA").unwrap_or(text);
    if text.contains(char::is_alphabetic) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse::<Orgno>().is_ok().then(|| format!("write \"{digits}\""))
}

/// A known key at the beginning of what became a key as a whole, as the space behind the colon is
/// missing, or the colon.
pub(crate) fn head<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let end = key.find([':', ' ', '='])?;
    known.iter().find(|known| **known == &key[..end]).copied()
}

/// How a key is written that became a key with its value.
pub(crate) fn parted(key: &str, head: &str) -> String {
    let rest = key[head.len()..].trim_start_matches([':', '=', ' ']);
    let rest = if rest.len() > LONGEST { "…" } else { rest };
    format!("write a colon and a space between the key and its value: `{head}: {rest}`")
}

/// Where a key belongs that is not known where it stands.
pub(crate) fn place(
    key: &str,
    value: Option<&Node<'_>>,
    known: &[&str],
    settings: bool,
) -> Option<String> {
    const ATTRIBUTES: [&str; 3] = ["visibility", "at_max_age", "allowed_integration_types"];
    let is_attribute = |key: &str| domain::SCOPE.named(key).is_some();
    let is_scope = known.contains(&"per_environment");
    let text = match key {
        "from" | "until" | "reason" | "consumer" if is_scope => {
            "it belongs to an entry of `consumers`: `- { consumer: …, until: … }`"
        }
        "group" if is_scope => "it belongs to `consumers`, behind a dash: `- group: …`",
        "orgno" if !known.contains(&"consumer") => {
            "it belongs to an alias below `consumers` at the top of a file: `alias: { orgno: … }`"
        }
        "scopes" | "groups" | "removed" | "consumers" | "blocked" if settings => {
            "it belongs into another YAML file beside portvakt.yaml"
        }
        "scopes" | "groups" | "removed" | "consumers" | "blocked" => {
            "it belongs at the top of a file, without spaces before it"
        }
        "max_deactivations"
        | "max_revocations"
        | "max_grants"
        | "max_changed_percent"
        | "protect" => "it belongs below `guards` in portvakt.yaml, further in",
        "target" | "credentials" => "it belongs to an environment, below its name",
        _ if is_attribute(key) && known.contains(&"scope") && settings => {
            "it belongs below `scope`, further in"
        }
        _ if is_attribute(key) && settings => "it belongs below `defaults` and `scope`, further in",
        "name" | "active" | "per_environment" if !known.contains(&"scope") && !settings => {
            "it belongs to a scope, in an entry of `scopes`"
        }
        _ if is_attribute(key) => "it belongs to a scope, in an entry of `scopes`",
        _ => {
            let mut keys = value.into_iter().flat_map(Node::entries).map(|(key, _)| key);
            let holds = keys.any(|key| ATTRIBUTES.contains(&key) || is_attribute(key));
            return (is_scope && holds).then(|| {
                format!("for an environment, write it below `per_environment`: `per_environment: {{ {key}: … }}`")
            });
        }
    };
    Some(text.into())
}

/// What to do about a document that is for another tool.
pub(crate) fn exclude(file: &str) -> String {
    format!("if this file is for another tool, write `exclude: [\"{file}\"]` in portvakt.yaml")
}

/// The keys that are known here.
pub(crate) fn known(known: &[&str]) -> String {
    format!("known here: {}", list(known.iter().copied()))
}
