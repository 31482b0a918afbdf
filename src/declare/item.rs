//! One item of a file — a scope, an alias, an environment — read into its type, with everything
//! that is wrong with it.

use std::collections::{BTreeSet, HashMap};

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use serde_yaml::{Mapping, Value};

use super::diagnostic::Diagnostic;
use super::document::{Findings, Located, kind};
use super::fix::Fix;
use super::instead;
use super::places::Span;
use super::rules::Rule;
use super::settings::SETTINGS_FILE;
use super::source::SECRET_IN_YAML;
use super::suggest::{did_you_mean, list, nearest, only_near};
use domain::Orgno;

/// How many errors of one item are told at most; unknown keys of one mapping count as one.
const MOST_ERRORS: usize = 50;

/// Reads an item. Each error is reported at its place. What is given back then lacks the keys that
/// are wrong, so that the rest can be checked too, and what must be there is empty; `None` if that
/// is no item.
///
/// Where all that is wrong is about keys that are not known, or that say nothing of who or what it is,
/// the findings hide nothing.
pub(super) fn read<T: DeserializeOwned>(at: Located<'_>, findings: &mut Findings) -> Option<T> {
    // Keeping track of the route costs more than reading, and is rarely needed.
    if let Ok(item) = T::deserialize(at.value) {
        return Some(item);
    }
    let first = findings.list.len();
    let (item, is_identified) = read_rest(at, findings)?;
    if is_identified {
        findings.hide_nothing(first);
    }
    Some(item)
}

/// The keys that say who or what is declared, where, and what protects it.
const IDENTIFYING: [&str; 26] = [
    "action",
    "active",
    "client",
    "client_id",
    "cluster",
    "consumer",
    "consumers",
    "environments",
    "exclude",
    "group",
    "guards",
    "include",
    "integration_type",
    "nais",
    "name",
    "namespace",
    "organization",
    "orgno",
    "per_environment",
    "prefix",
    "prefixes",
    "prevent_deactivation",
    "previous_name",
    "protect",
    "scope",
    "target",
];

/// Whether keys say who or what is declared, among others.
fn are_identifying<'k>(keys: impl IntoIterator<Item = &'k str>) -> bool {
    keys.into_iter().any(|key| IDENTIFYING.contains(&key))
}

/// Reads an item, and tells whether nothing is wrong with what says who or what it is.
///
/// A type's reader stops at the first error, so what is wrong is mended in a copy, which is read
/// again until nothing is wrong with the rest.
fn read_rest<T: DeserializeOwned>(at: Located<'_>, findings: &mut Findings) -> Option<(T, bool)> {
    let mut is_identified = true;
    let mut rest = at.value.clone();
    // Keys about which something was said: taken out, missing, or meant by a misspelt one.
    let mut seen: BTreeSet<String> = BTreeSet::new();
    // Keys of which nothing is known, by their mapping, and what was said of them.
    let mut strange: Vec<(String, usize)> = Vec::new();
    for _ in 0..MOST_ERRORS {
        let error = match serde_path_to_error::deserialize::<_, T>(&rest) {
            Ok(item) => return Some((item, is_identified)),
            Err(error) => error,
        };
        let route: Vec<&Segment> = error.path().iter().collect();
        let text = error.inner().to_string();
        let outermost = route.first().map(ToString::to_string);
        match (missing_key(&text), unknown_field(&text)) {
            (Some(key), _) => {
                is_identified &= !are_identifying([outermost.as_deref().unwrap_or(key)]);
                let is_new = !is_replaced(&route, &seen) && seen.insert(key_in(&route, key));
                if is_new && !meant(key, &route, &strange, findings) {
                    missing(key, follow(at, &route).1, findings);
                }
                let inside = at_route(&mut rest, &route)?.as_mapping_mut()?;
                inside.insert(key.into(), "".into());
            }
            (None, Some((key, known))) => {
                let around = &route[..route.len().saturating_sub(1)];
                let inside = at_route(&mut rest, around).and_then(Value::as_mapping_mut);
                let Some(inside) = inside.filter(|inside| inside.contains_key(key)) else {
                    unknown_key(key, &known, follow(at, &route).0, findings);
                    return None;
                };
                let first = findings.list.len();
                let strange_keys = inside.keys().filter_map(Value::as_str);
                is_identified &= !are_identifying(outermost.as_deref())
                    && !are_identifying(strange_keys.filter(|key| !known.contains(key)));
                let meant = take_out_unknown(inside, &known, follow(at, around).0, findings);
                is_identified &= !are_identifying(meant.iter().copied());
                seen.extend(meant.iter().map(|key| key_in(around, key)));
                let told = instead::known(&known);
                let is_strange = |index: &usize| findings.list[*index].help.as_ref() == Some(&told);
                let indices = (first..findings.list.len()).filter(is_strange);
                strange.extend(indices.map(|index| (key_in(around, ""), index)));
            }
            (None, None) => {
                is_identified &= outermost.is_some_and(|key| !are_identifying([&*key]));
                let Some(key) = last_key(&route) else {
                    report(at, &route, &text, findings);
                    return None;
                };
                let to_key = &route[..=key];
                if !seen.insert(key_in(&route[..key], &route[key].to_string())) {
                    next_kind_of_nothing(at_route(&mut rest, to_key)?)?;
                    continue;
                }
                report(at, &route, &text, findings);
                if let Some(Segment::Seq { index }) = route.get(key + 1) {
                    report_other_items::<T>(at, &rest, to_key, *index, findings);
                }
                take_out(&mut rest, to_key)?;
            }
        }
    }
    None
}

/// Makes of an empty text an empty list, and of that an empty mapping: one of them may be what is
/// read in the place of what must be there.
fn next_kind_of_nothing(value: &mut Value) -> Option<()> {
    *value = match value {
        Value::String(text) if text.is_empty() => Value::Sequence(Vec::new()),
        Value::Sequence(items) if items.is_empty() => Value::Mapping(Mapping::new()),
        _ => return None,
    };
    Some(())
}

/// Whether a route leads through a key about which something was said: what stands there is not
/// what was written.
fn is_replaced(route: &[&Segment], seen: &BTreeSet<String>) -> bool {
    (0..route.len()).any(|index| seen.contains(&key_in(&route[..index], &route[index].to_string())))
}

/// Reports what is wrong with the items of a list behind the first one that is wrong: each is read
/// as if it were the only one.
fn report_other_items<T: DeserializeOwned>(
    at: Located<'_>,
    rest: &Value,
    list: &[&Segment],
    first_wrong: usize,
    findings: &mut Findings,
) {
    let mut alone = rest.clone();
    let Some(Value::Sequence(items)) = at_route(&mut alone, list).cloned() else {
        return;
    };
    for (index, item) in items.into_iter().enumerate().skip(first_wrong + 1).take(MOST_ERRORS) {
        if let Some(place) = at_route(&mut alone, list) {
            *place = Value::Sequence(vec![item]);
        }
        let Err(error) = serde_path_to_error::deserialize::<_, T>(&alone) else {
            continue;
        };
        let route: Vec<&Segment> = error.path().iter().collect();
        if key_in(&route[..list.len().min(route.len())], "") == key_in(list, "")
            && route.len() == list.len() + 1
        {
            let item = Segment::Seq { index };
            let route: Vec<&Segment> = list.iter().copied().chain([&item]).collect();
            report(at, &route, &error.inner().to_string(), findings);
        }
    }
}

/// Whether the one key of a mapping of which nothing is known was probably meant to be one that is
/// missing; then it is said of that.
fn meant(
    missing: &str,
    route: &[&Segment],
    strange: &[(String, usize)],
    findings: &mut Findings,
) -> bool {
    let mapping = key_in(route, "");
    let mut here = strange.iter().filter(|(other, _)| *other == mapping);
    let (Some((_, index)), None) = (here.next(), here.next()) else {
        return false;
    };
    findings.list[*index].help = Some(format!("did you mean `{missing}`? That is missing here"));
    true
}

/// A key of the mapping at the end of a route.
fn key_in(route: &[&Segment], key: &str) -> String {
    let route: Vec<_> = route.iter().map(|segment| segment.to_string()).collect();
    format!("{}\n{key}", route.join("\n"))
}

/// Reads an item that is of no use with anything wrong in it.
pub(super) fn read_whole<T: DeserializeOwned>(
    at: Located<'_>,
    findings: &mut Findings,
) -> Option<T> {
    let before = findings.list.len();
    read(at, findings).filter(|_| findings.list.len() == before)
}

/// Takes all keys that are not known out of a mapping at once, and reports them. Gives the keys that
/// they were probably meant to be.
fn take_out_unknown<'k>(
    inside: &mut Mapping,
    known: &[&'k str],
    mapping: Located<'_>,
    findings: &mut Findings,
) -> Vec<&'k str> {
    let is_known = |key: &Value| key.as_str().is_none_or(|key| known.contains(&key));
    let unknown: Vec<_> = inside.keys().filter(|key| !is_known(key)).cloned().collect();
    inside.retain(|key, _| is_known(key));
    let mut meant = Vec::new();
    let first = findings.list.len();
    for key in unknown.iter().filter_map(Value::as_str) {
        meant.extend(instead::head(key, known).or_else(|| nearest(key, known.iter().copied())));
        unknown_key(key, known, mapping, findings);
    }
    mend_no_two_alike(&mut findings.list[first..]);
    meant
}

/// Of two keys that were probably meant to be the same one, neither can be mended.
pub(super) fn mend_no_two_alike(found: &mut [Diagnostic]) {
    let mut helps: HashMap<Option<String>, usize> = HashMap::new();
    for one in found.iter() {
        *helps.entry(one.help.clone()).or_default() += 1;
    }
    for one in found.iter_mut().filter(|one| helps.get(&one.help).is_some_and(|n| *n > 1)) {
        one.fix = None;
    }
}

/// Where in a route the innermost key stands.
fn last_key(route: &[&Segment]) -> Option<usize> {
    route.iter().rposition(|segment| matches!(segment, Segment::Map { .. }))
}

/// Takes the key at the end of the route out of the value.
fn take_out(value: &mut Value, route: &[&Segment]) -> Option<Value> {
    let (Segment::Map { key }, around) = route.split_last()? else {
        return None;
    };
    at_route(value, around)?.as_mapping_mut()?.shift_remove(key.as_str())
}

/// The value that a route leads to.
fn at_route<'v>(value: &'v mut Value, route: &[&Segment]) -> Option<&'v mut Value> {
    route.iter().try_fold(value, |at, segment| match segment {
        Segment::Map { key } => at.as_mapping_mut()?.get_mut(key.as_str()),
        Segment::Seq { index } => at.as_sequence_mut()?.get_mut(*index),
        Segment::Enum { .. } | Segment::Unknown => None,
    })
}

fn missing_key(text: &str) -> Option<&str> {
    text.strip_prefix("missing field `")?.strip_suffix('`')
}

/// The key that is not known, and those that are.
fn unknown_field(text: &str) -> Option<(&str, Vec<&str>)> {
    let (key, known) = text.strip_prefix("unknown field `")?.rsplit_once("`, expected ")?;
    Some((key, known_names(known)))
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
    let (found, _) = follow(at, route);
    if text == SECRET_IN_YAML {
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
        let other_case = known.iter().find(|known| known.eq_ignore_ascii_case(word)).copied();
        let help = did_you_mean(word, known.iter().copied());
        let help = format!("{help}one of {}", list(known));
        findings.report(Rule::WrongValue, found.span(), &message, &help).fix =
            other_case.map(|other| Fix::replace(found.span(), word, other));
    } else if let Some((_, expected)) = text.rsplit_once(", expected ") {
        let raw = expected;
        let expected = in_words(raw);
        if near_secrets(route) {
            let message = format!("expected {expected}");
            findings.report(Rule::WrongValue, found.span(), &message, "");
        } else {
            let example = instead::mapping(found.value, raw);
            let help = example.unwrap_or_else(|| instead::value(found.value, expected));
            report_kind(found, expected, &help, findings);
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

/// Reports a key that must be there; the span is that of what should have it.
pub(super) fn missing(key: &str, span: Span, findings: &mut Findings) {
    let message = format!("the key `{key}` is missing");
    findings.report(Rule::MissingKey, span, &message, &format!("add `{key}: …`"));
}

/// Reports a key of a mapping that is none of those that are known.
pub(super) fn unknown_key(key: &str, known: &[&str], at: Located<'_>, findings: &mut Findings) {
    let help = unknown_key_help(key, known, at, &findings.file);
    let (message, help) = match may_be_secret(key, known) {
        true => ("a key here is not known".to_owned(), instead::known(known)),
        false => {
            let shown = super::diagnostic::quoted(key);
            (format!("the key {shown} is not known here"), help)
        }
    };
    let meant = only_near(key, known.iter().copied()).filter(|meant| at.get(meant).is_none());
    let span = at.key_span(key);
    findings.report(Rule::UnknownKey, span, &message, &help).fix =
        meant.map(|meant| Fix::replace(span, key, meant));
}

/// Whether a key may be a secret that was written in braces: it stands where one is named, and is no
/// misspelt key.
fn may_be_secret(key: &str, known: &[&str]) -> bool {
    let names_secrets = ["env", "client_id", "password"].iter().any(|name| known.contains(name));
    names_secrets && nearest(key, known.iter().copied()).is_none()
}

fn unknown_key_help(key: &str, known: &[&str], at: Located<'_>, file: &str) -> String {
    if key == "<<" {
        return "merge keys are not read: write out what is meant".to_owned();
    }
    if let Some(meant) = nearest(key, known.iter().copied()) {
        return format!("did you mean `{meant}`?");
    }
    if let Some(head) = instead::head(key, known) {
        return match file == SETTINGS_FILE {
            true => format!("write a colon and a space behind `{head}`"),
            false => instead::parted(key, head),
        };
    }
    let value = at.get(key).map(|at| at.value);
    let all = instead::known(known);
    match instead::place(key, value, known, file == SETTINGS_FILE) {
        Some(place) => place,
        None if value.is_some_and(Value::is_null) => {
            format!("{all}; if it belongs to the text before it, put all of that in quotes")
        }
        None => all,
    }
}

/// Reports a value that should be something else.
pub(super) fn wrong_kind(found: Located<'_>, expected: &str, findings: &mut Findings) {
    report_kind(found, expected, &instead::value(found.value, expected), findings);
}

fn report_kind(found: Located<'_>, expected: &str, help: &str, findings: &mut Findings) {
    let message = format!("expected {expected}, found {}", kind(found.value));
    let orgno = found.value.as_u64().filter(|_| expected == TEXT).map(|number| number.to_string());
    let orgno = orgno.filter(|number| number.parse::<Orgno>().is_ok());
    findings.report(Rule::WrongValue, found.span(), &message, help).fix =
        orgno.map(|orgno| Fix::replace(found.span(), &orgno, &format!("\"{orgno}\"")));
}

/// What a text is called in messages.
pub(super) const TEXT: &str = "a text";
/// What `true` and `false` are called.
pub(super) const BOOL: &str = "true or false";
/// What a list is called.
pub(super) const LIST: &str = "a list";
/// What a mapping is called.
pub(super) const MAPPING: &str = "a mapping";
/// What a number is called.
pub(super) const NUMBER: &str = "a whole number, 0 or more";

/// What a type's reader expects, in the words of a person who writes YAML.
fn in_words(expected: &str) -> &str {
    match expected {
        "a string" => TEXT,
        "a boolean" => BOOL,
        "a sequence" => LIST,
        "a map" => MAPPING,
        "u8" | "u32" | "u64" => NUMBER,
        "a Value::Tagged enum" => TEXT,
        other if other.starts_with("struct ") => MAPPING,
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
        | Value::Tagged(_) => wrong_kind(at, MAPPING, findings),
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
        let help = match (at.value, key) {
            (Value::Mapping(_), "scopes") => "write each scope as `- name: …`, and the rest below",
            (Value::Mapping(_), "removed") => "write each entry as `- { scope: …, action: … }`",
            (value, _) => &instead::value(value, LIST),
        };
        report_kind(at, LIST, help, findings);
    }
    at.into_iter().flat_map(Located::items)
}
