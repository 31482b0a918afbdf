//! One item of a file — a scope, an alias, an environment — read into its type, with everything
//! that is wrong with it.

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use serde_yaml::Value;

use super::document::{Findings, Located, kind};
use super::places::Span;
use super::rules::Rule;
use super::source::SECRET_IN_YAML;
use super::suggest::{did_you_mean, list};

/// How many errors of one item are told at most.
const MOST_ERRORS: usize = 20;

/// Reads an item. Each error is reported at its place; `None` if there was any.
///
/// A type's reader stops at the first error, so what is wrong is taken out of a copy, which is read
/// again until nothing is wrong with the rest.
pub(super) fn read<T: DeserializeOwned>(at: Located<'_>, findings: &mut Findings) -> Option<T> {
    // Keeping track of the route costs more than reading, and is rarely needed.
    if let Ok(item) = T::deserialize(at.value) {
        return Some(item);
    }
    let mut rest = at.value.clone();
    let mut taken_out: Vec<String> = Vec::new();
    for _ in 0..MOST_ERRORS {
        let Err(error) = serde_path_to_error::deserialize::<_, T>(&rest) else {
            break;
        };
        let route: Vec<&Segment> = error.path().iter().collect();
        let text = error.inner().to_string();
        if let Some(key) = missing_key(&text)
            && taken_out.iter().any(|taken| taken == key)
        {
            break;
        }
        report(at, &route, &text, findings);
        match take_out(&mut rest, &route) {
            Some(key) => taken_out.push(key),
            None => break,
        }
    }
    None
}

/// Takes the innermost key that the route leads through out of the value.
fn take_out(value: &mut Value, route: &[&Segment]) -> Option<String> {
    let is_key = |segment: &&&Segment| matches!(segment, Segment::Map { .. });
    let last = route.iter().rposition(|segment| is_key(&segment))?;
    let mut at = value;
    for segment in &route[..last] {
        at = match segment {
            Segment::Map { key } => at.as_mapping_mut()?.get_mut(key.as_str())?,
            Segment::Seq { index } => at.as_sequence_mut()?.get_mut(*index)?,
            Segment::Enum { .. } | Segment::Unknown => return None,
        };
    }
    let Segment::Map { key } = route[last] else {
        return None;
    };
    at.as_mapping_mut()?.shift_remove(key.as_str())?;
    Some(key.clone())
}

fn missing_key(text: &str) -> Option<&str> {
    text.strip_prefix("missing field `")?.strip_suffix('`')
}

/// The value at the end of the route, and the span of the key that it stands under.
fn follow<'d>(at: Located<'d>, route: &[&Segment]) -> (Located<'d>, Span) {
    let mut found = at;
    let mut key_span = at.span();
    for segment in route {
        let next = match segment {
            Segment::Map { key } => {
                key_span = found.key_span(key);
                found.get(key)
            }
            Segment::Seq { index } => found.item(*index),
            Segment::Enum { .. } | Segment::Unknown => None,
        };
        match next {
            Some(next) => found = next,
            None => break,
        }
    }
    (found, key_span)
}

fn report(at: Located<'_>, route: &[&Segment], text: &str, findings: &mut Findings) {
    let (found, key_span) = follow(at, route);
    if let Some(rest) = text.strip_prefix("unknown field `")
        && let Some((key, known)) = rest.rsplit_once("`, expected ")
    {
        unknown_key(key, &known_names(known), key_span, findings);
    } else if let Some(key) = missing_key(text) {
        let message = format!("the key `{key}` is missing");
        let help = format!("add `{key}: …`");
        findings.report(Rule::MissingKey, key_span, &message, &help);
    } else if text == SECRET_IN_YAML {
        let help = "put it into an environment variable, `{ env: NAME }`, or into a file that is \
                    not in the repository, `{ file: PATH }`, and consider the value that stood \
                    here as known to others";
        findings.report(Rule::Secret, found.span(), text, help);
    } else if let Some(rest) = text.strip_prefix("unknown variant `")
        && let Some((word, known)) = rest.rsplit_once("`, expected ")
    {
        let known = known_names(known);
        let word_shown = super::diagnostic::quoted(word);
        let message = format!("{word_shown} is none of the values that can stand here");
        let help = did_you_mean(word, known.iter().copied());
        let help = format!("{help}one of {}", list(known));
        findings.report(Rule::WrongValue, found.span(), &message, &help);
    } else if let Some((_, expected)) = text.rsplit_once(", expected ") {
        let expected = in_words(expected);
        if near_secrets(route) {
            let message = format!("expected {expected}");
            findings.report(Rule::WrongValue, found.span(), &message, "");
        } else {
            wrong_kind(found, expected, findings);
        }
    } else {
        findings.report(Rule::WrongValue, found.span(), text, "");
    }
}

/// Whether a value at the end of the route may be a secret in the wrong place, not to be repeated.
fn near_secrets(route: &[&Segment]) -> bool {
    let credentials =
        |segment: &&Segment| matches!(segment, Segment::Map { key } if key == "credentials");
    route.iter().any(credentials)
}

/// Reports a key that no type has.
pub(super) fn unknown_key(key: &str, known: &[&str], span: Span, findings: &mut Findings) {
    let help = did_you_mean(key, known.iter().copied());
    let help = format!("{help}known here: {}", list(known.iter().copied()));
    let shown = super::diagnostic::quoted(key);
    let message = format!("the key {shown} is not known here");
    findings.report(Rule::UnknownKey, span, &message, &help);
}

/// Reports a value that should be something else.
pub(super) fn wrong_kind(found: Located<'_>, expected: &str, findings: &mut Findings) {
    let message = format!("expected {expected}, found {}", kind(found.value));
    let help = match found.value {
        Value::Number(number) if expected == TEXT => {
            format!("put it in quotes: \"{number}\"")
        }
        Value::Bool(value) if expected == TEXT => format!("put it in quotes: \"{value}\""),
        Value::Null => "write the value, or leave the key out".into(),
        Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Sequence(_)
        | Value::Mapping(_)
        | Value::Tagged(_) => String::new(),
    };
    findings.report(Rule::WrongValue, found.span(), &message, &help);
}

/// What a text is called in messages.
pub(super) const TEXT: &str = "a text";

/// What a type's reader expects, in the words of a person who writes YAML.
fn in_words(expected: &str) -> &str {
    match expected {
        "a string" => TEXT,
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a mapping",
        "u8" | "u32" | "u64" => "a whole number, 0 or more",
        "a Value::Tagged enum" => TEXT,
        other if other.starts_with("struct ") => "a mapping",
        other => other,
    }
}

/// The names in backticks of serde's "one of `a`, `b`".
fn known_names(expected: &str) -> Vec<&str> {
    expected.split('`').skip(1).step_by(2).collect()
}

/// The entries of the mapping under a key; nothing if there is none. Anything else there is
/// reported, as is a key that is no text.
pub(super) fn entries_of<'d>(
    parent: Located<'d>,
    key: &str,
    findings: &mut Findings,
) -> Vec<(&'d str, Located<'d>)> {
    let Some(at) = parent.get(key) else {
        return Vec::new();
    };
    match at.value {
        Value::Null => {}
        Value::Mapping(mapping) => {
            for other in mapping.keys().filter(|key| !key.is_string()) {
                let message = format!("a name is a text, found {}", kind(other));
                let help = "put it in quotes";
                findings.report(Rule::WrongValue, parent.key_span(key), &message, help);
            }
        }
        Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Sequence(_)
        | Value::Tagged(_) => wrong_kind(at, "a mapping", findings),
    }
    at.entries().collect()
}

/// The items of the list under a key; nothing if there is none. Anything else there is reported.
pub(super) fn items_of<'d>(
    parent: Located<'d>,
    key: &str,
    findings: &mut Findings,
) -> impl Iterator<Item = Located<'d>> + use<'d> {
    let at = parent.get(key);
    if let Some(at) = at
        && !at.value.is_null()
        && !at.value.is_sequence()
    {
        wrong_kind(at, "a list", findings);
    }
    at.into_iter().flat_map(Located::items)
}
