//! What is wrong with keys and values, whatever they are of.

use std::collections::HashMap;

use super::document::{Findings, kind};
use super::optional::{Items, Members, Raw};
use super::suggestions::{self, LIST, MAPPING, TEXT};
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::{did_you_mean, list, nearest, only_near};
use crate::declare::diagnostic::{Diagnostic, Fix, quoted};
use crate::declare::files::index::SETTINGS_FILE;
use domain::Orgno;
use yaml::{Node, Span, Value};

/// Of two keys that were probably meant to be the same one, neither can be mended.
pub(crate) fn mend_no_two_alike(found: &mut [Diagnostic]) {
    let mut helps: HashMap<Option<String>, usize> = HashMap::new();
    for one in found.iter() {
        *helps.entry(one.help.clone()).or_default() += 1;
    }
    for one in found.iter_mut().filter(|one| helps.get(&one.help).is_some_and(|n| *n > 1)) {
        one.fix = None;
    }
}

/// Reports a key that must be there; the span is that of what should have it.
pub(crate) fn missing(key: &str, span: Span, findings: &mut Findings) {
    let message = format!("the key `{key}` is missing");
    findings.report(Rule::MissingKey, span, &message, &format!("add `{key}: …`"));
}

/// Reports a key of a mapping that is none of those that are known.
pub(crate) fn unknown_key(key: &str, known: &[&str], at: &Node<'_>, findings: &mut Findings) {
    let help = unknown_key_help(key, known, at, &findings.file);
    let (message, help) = match may_be_secret(key, known) {
        true => ("a key here is not known".to_owned(), suggestions::known(known)),
        false => (format!("the key {} is not known here", quoted(key)), help),
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

fn unknown_key_help(key: &str, known: &[&str], at: &Node<'_>, file: &str) -> String {
    if key == "<<" {
        return "merge keys are not read: write out what is meant".to_owned();
    }
    if let Some(meant) = nearest(key, known.iter().copied()) {
        return format!("did you mean `{meant}`?");
    }
    if let Some(head) = suggestions::head(key, known) {
        return match file == SETTINGS_FILE {
            true => format!("write a colon and a space behind `{head}`"),
            false => suggestions::parted(key, head),
        };
    }
    let value = at.get(key);
    let all = suggestions::known(known);
    match suggestions::place(key, value, known, file == SETTINGS_FILE) {
        Some(place) => place,
        None if value.is_some_and(|value| value.value.is_null()) => {
            format!("{all}; if it belongs to the text before it, put all of that in quotes")
        }
        None => all,
    }
}

/// Reports a word that is none of those that are allowed.
pub(crate) fn unknown_word(word: &str, span: Span, known: &[&str], findings: &mut Findings) {
    let message = format!("{} is not an allowed value", quoted(word));
    let other_case = known.iter().find(|known| known.eq_ignore_ascii_case(word));
    let hint = did_you_mean(word, known.iter().copied());
    let help = format!("{hint}one of {}", list(known.iter().copied()));
    findings.report(Rule::WrongValue, span, &message, &help).fix =
        other_case.map(|other| Fix::replace(span, word, other));
}

/// Reports a value that should be something else.
pub(crate) fn wrong_kind(found: &Node<'_>, expected: &str, findings: &mut Findings) {
    report_kind(found, expected, &suggestions::value(&found.value, expected), findings);
}

/// The same with what to do.
pub(crate) fn report_kind(found: &Node<'_>, expected: &str, help: &str, findings: &mut Findings) {
    let message = format!("expected {expected}, found {}", kind(&found.value));
    let orgno = found.value.as_u64().filter(|_| expected == TEXT).map(|number| number.to_string());
    let orgno = orgno.filter(|number| number.parse::<Orgno>().is_ok());
    findings.report(Rule::WrongValue, found.span(), &message, help).fix =
        orgno.map(|orgno| Fix::replace(found.span(), &orgno, &format!("\"{orgno}\"")));
}

/// The entries of the mapping under a key; nothing if there is none. Anything else there is
/// reported, as is a key that is no text.
pub(crate) fn entries_of<'d, T>(
    mapping: Option<Members<'d, T>>,
    findings: &mut Findings,
) -> Vec<(&'d str, Raw<'d, T>)> {
    let Some(Raw { at, key, .. }) = mapping else {
        return Vec::new();
    };
    match &at.value {
        Value::Null => {}
        Value::Mapping(mapping) => {
            for other in mapping.keys().filter(|key| !key.value.is_string()) {
                let message = format!("a name is a text, found {}", kind(&other.value));
                let help = "put it in quotes";
                findings.report(Rule::WrongValue, key, &message, help);
            }
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Sequence(_) => {
            wrong_kind(at, MAPPING, findings)
        }
    }
    at.entries().map(|(name, value)| (name, Raw::new(value, at.key_span(name)))).collect()
}

/// The items of the list under a key; nothing if there is none. Anything else there is reported, a
/// mapping with how to write each item.
pub(crate) fn items_of<'d, T>(
    list: Option<Items<'d, T>>,
    for_mapping: Option<&str>,
    findings: &mut Findings,
) -> impl Iterator<Item = Raw<'d, T>> + use<'d, T> {
    if let Some(Raw { at, .. }) = list
        && !at.value.is_null()
        && !at.value.is_sequence()
    {
        let help = for_mapping.filter(|_| at.value.is_mapping());
        let help = help.map_or_else(|| suggestions::value(&at.value, LIST), str::to_owned);
        report_kind(at, LIST, &help, findings);
    }
    let list = list.map(|list| (list.at, list.key));
    list.into_iter().flat_map(|(at, key)| at.items().map(move |item| Raw::new(item, key)))
}
