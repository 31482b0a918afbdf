//! Reading the fields of a manifest: what is of the wrong kind is an error, what is not known is none.
//! A field with nothing behind it is one that is left out, as Kubernetes has it, but where that takes
//! something away: there it is refused, as somebody has forgotten what was to follow.

use std::ops::RangeInclusive;

use super::template::{missing_name, value_help};
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::nearest;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::item::{missing, unknown_word, wrong_kind};
use crate::declare::yaml::suggestions::{self, BOOL, LIST, MAPPING, NUMBER, TEXT};
use yaml::{Node, Span, Value};

/// A value, and where it stands.
pub(super) type PlacedOption<T> = Option<(T, Span)>;

/// What stands behind a key, if something does.
fn field<'d>(at: &'d Node<'d>, key: &str) -> Option<&'d Node<'d>> {
    at.get(key).filter(|at| !at.value.is_null())
}

/// The keys of lists that take access away where nothing is behind them.
const LISTS: [&str; 2] = ["consumers", "exposes"];

/// Refuses a key with nothing behind it where that would take something away.
pub(super) fn refuse_nothing(
    at: &Node<'_>,
    key: &str,
    loss: &str,
    help: &str,
    findings: &mut Findings,
) {
    let Some(empty) = at.get(key).filter(|at| at.value.is_null()) else { return };
    let span = empty.span();
    let Some(environments) = &findings.rendered_for else {
        let message = format!("there is nothing behind `{key}`, and that would {loss}");
        findings.report(Rule::WrongValue, span, &message, help);
        return;
    };
    let message =
        format!("there is nothing behind `{key}` in {environments}, and that would {loss}");
    // What is written into the template for one environment would count in all.
    let help = match LISTS.contains(&key) {
        true => format!(
            "give the list a value in a file that `nais.vars` has for {environments}; if it is empty there on \
             purpose, write `{{{{else}}}}` and, further in than the key, `[]` before the `{{{{/each}}}}`: it is empty in \
             {environments} alone then"
        ),
        false => {
            format!("give what is to follow, in a file that `nais.vars` has for {environments}")
        }
    };
    findings.report(Rule::WrongValue, span, &message, &help);
}

/// A mapping.
pub(super) fn mapping<'d>(
    at: &'d Node<'d>,
    key: &str,
    findings: &mut Findings,
) -> Option<&'d Node<'d>> {
    let at = field(at, key)?;
    is_mapping(at, findings).then_some(at)
}

/// Whether it is one; reported if not.
pub(super) fn is_mapping(at: &Node<'_>, findings: &mut Findings) -> bool {
    let is_mapping = at.value.is_mapping() && !is_placeholder(&at.value);
    if !is_mapping {
        wrong(at, MAPPING, findings);
    }
    is_mapping
}

/// The `scopes` of a client of Maskinporten. They were a list of what is consumed once.
pub(super) fn scopes<'d>(at: &'d Node<'d>, findings: &mut Findings) -> Option<&'d Node<'d>> {
    let loss = "close all that is exposed, and the client";
    let help = "write `scopes: {}` if nothing is to be exposed or consumed";
    refuse_nothing(at, "scopes", loss, help, findings);
    let scopes = field(at, "scopes")?;
    if scopes.value.is_sequence() {
        let message = "this is a list, as MaskinportenClient had it once";
        let help = "write it below `consumes`: `scopes: { consumes: [{ name: … }] }`";
        findings.report(Rule::WrongValue, scopes.span(), message, help);
        return None;
    }
    is_mapping(scopes, findings).then_some(scopes)
}

/// A text.
pub(super) fn text<'d>(
    at: &'d Node<'d>,
    key: &str,
    findings: &mut Findings,
) -> PlacedOption<&'d str> {
    plain_text(field(at, key)?, findings)
}

/// Reports a text that Kubernetes requires, and that says nothing here, if it is not there.
pub(super) fn require_text(at: &Node<'_>, key: &str, findings: &mut Findings) {
    let first = findings.list.len();
    match field(at, key) {
        None => missing(key, at.span(), findings),
        Some(at) if !at.value.is_string() => wrong(at, TEXT, findings),
        Some(_) => {}
    }
    findings.hide_nothing(first);
}

/// Reports a number that Kubernetes refuses.
pub(super) fn check_bounds(
    input: PlacedOption<u64>,
    bounds: RangeInclusive<u64>,
    findings: &mut Findings,
) {
    if let Some((seconds, span)) = input.filter(|(seconds, _)| !bounds.contains(seconds)) {
        let (least, most) = (bounds.start(), bounds.end());
        let message = format!("{seconds} is not between {least} and {most}, as NAIS asks of it");
        let help = "write a number of seconds between these, or leave the key out for the default";
        findings.report(Rule::WrongValue, span, &message, help).hides = false;
    }
}

/// Reports an address that Kubernetes refuses.
pub(super) fn check_address((text, span): (&str, Span), findings: &mut Findings) {
    const SECURE: &str = "https://";
    const LOCAL: &str = "http://localhost";
    let behind_host = text.strip_prefix(LOCAL);
    let is_local = behind_host.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']));
    let is_secure = text.strip_prefix(SECURE).is_some_and(|rest| !rest.is_empty());
    if !is_secure && !is_local {
        let message =
            format!("{} does not begin with `https://`, as NAIS asks of it", quoted(text));
        let help = "write an address that begins with `https://`; `http://` is for localhost alone";
        findings.report(Rule::WrongValue, span, &message, help).hides = false;
    }
}

/// A text for those who read the manifest, whatever it says.
pub(super) fn check_label(at: &Node<'_>, key: &str, findings: &mut Findings) {
    if let Some(at) = field(at, key).filter(|at| !at.value.is_string()) {
        wrong(at, TEXT, findings);
    }
}

fn plain_text<'d>(at: &'d Node<'d>, findings: &mut Findings) -> PlacedOption<&'d str> {
    read_as(at, at.value.as_str().filter(|text| !is_placeholder_text(text)), TEXT, findings)
}

/// What a value was read as, with its place; reported if it is something else.
fn read_as<T>(
    at: &Node<'_>,
    value: Option<T>,
    expected: &str,
    findings: &mut Findings,
) -> PlacedOption<T> {
    if value.is_none() {
        wrong(at, expected, findings);
    }
    Some((value?, at.span()))
}

/// True or false, as YAML 1.1 has it: Kubernetes reads that.
pub(super) fn flag(at: &Node<'_>, key: &str, findings: &mut Findings) -> PlacedOption<bool> {
    let at = field(at, key)?;
    read_as(at, at.value.as_bool().or_else(|| bool_of(at)), BOOL, findings)
}

/// What a plain word stands for in YAML 1.1, if that is true or false.
pub(super) fn bool_of(at: &Node<'_>) -> Option<bool> {
    const TRUE: [&str; 8] = ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON"];
    const FALSE: [&str; 8] = ["n", "N", "no", "No", "NO", "off", "Off", "OFF"];
    let word = at.value.as_str().filter(|_| at.is_plain())?;
    match (TRUE.contains(&word), FALSE.contains(&word)) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

/// A number.
pub(super) fn number(at: &Node<'_>, key: &str, findings: &mut Findings) -> PlacedOption<u64> {
    let at = field(at, key)?;
    read_as(at, at.value.as_u64(), NUMBER, findings)
}

/// The items of a list, and where that stands.
pub(super) fn items<'d>(
    at: &'d Node<'d>,
    key: &str,
    findings: &mut Findings,
) -> PlacedOption<Vec<&'d Node<'d>>> {
    let at = field(at, key)?;
    let items = at.value.as_sequence().map(|items| items.iter().collect());
    read_as(at, items, LIST, findings)
}

/// The texts of a list, and where that stands.
pub(super) fn texts<'d>(
    at: &'d Node<'d>,
    key: &str,
    findings: &mut Findings,
) -> PlacedOption<Vec<(&'d str, Span)>> {
    let (items, span) = items(at, key, findings)?;
    Some((items.into_iter().filter_map(|at| plain_text(at, findings)).collect(), span))
}

/// What must be there.
pub(super) fn required<'d, T>(
    at: &'d Node<'d>,
    key: &str,
    findings: &mut Findings,
    read: impl Fn(&'d Node<'d>, &str, &mut Findings) -> PlacedOption<T>,
) -> PlacedOption<T> {
    if field(at, key).is_none() {
        missing(key, at.span(), findings);
        return None;
    }
    read(at, key, findings)
}

/// One of some words.
pub(super) fn one_of<T: Copy>(
    (text, span): (&str, Span),
    words: &[(&'static str, T)],
    findings: &mut Findings,
) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == text);
    if found.is_none() {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        unknown_word(text, span, &known, findings);
    }
    found.map(|(_, value)| *value)
}

/// Warns of keys that NAIS does not know there.
pub(super) fn warn_unknown(at: &Node<'_>, known: &[&str], findings: &mut Findings) {
    refuse_unknown_keys(at, findings);
    let is_unknown = |key: &str| !known.contains(&key) && missing_name(key).is_none();
    for (key, _) in at.entries().filter(|(key, _)| is_unknown(key)) {
        report_unknown(key, known, at, findings);
    }
}

fn report_unknown(key: &str, known: &[&str], at: &Node<'_>, findings: &mut Findings) {
    let message =
        format!("the key {} is not a key that NAIS has here, and is ignored", quoted(key));
    let help = match nearest(key, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => suggestions::known(known),
    };
    findings.report(Rule::UnknownManifestKey, at.key_span(key), &message, &help);
}

/// Refuses keys that a template has no value for: they could be any key.
pub(super) fn refuse_unknown_keys(at: &Node<'_>, findings: &mut Findings) {
    for (key, _) in at.entries().filter(|(key, _)| missing_name(key).is_some()) {
        report_placeholder(missing_name(key), at.key_span(key), findings);
    }
}

/// Warns of keys that were probably meant to be one that is not there, among many that are not known
/// here and are right.
pub(super) fn warn_misspelt(at: &Node<'_>, meant: &str, findings: &mut Findings) {
    if at.get(meant).is_some() {
        return;
    }
    let misspelt = at.entries().filter(|(key, _)| nearest(key, [meant]).is_some());
    for (key, _) in misspelt {
        report_unknown(key, &[meant], at, findings);
    }
}

/// Reports a value of the wrong kind.
pub(super) fn wrong(at: &Node<'_>, expected: &str, findings: &mut Findings) {
    match is_placeholder(&at.value) {
        true => refuse_placeholder(at, findings),
        false => wrong_kind(at, expected, findings),
    }
}

/// Whether it is what YAML makes of `{{ name }}`: a mapping with a mapping for its key.
fn is_placeholder(value: &Value<'_>) -> bool {
    let mut keys = value.as_mapping().into_iter().flat_map(|mapping| mapping.keys());
    keys.any(|key| key.value.is_mapping()) || value.as_str().is_some_and(is_placeholder_text)
}

/// Whether a text has a placeholder, of a template or of what a template has no value for.
pub(super) fn is_placeholder_text(text: &str) -> bool {
    let has_mustache = text.split_once("{{").is_some_and(|(_, rest)| rest.contains("}}"));
    has_mustache || missing_name(text).is_some()
}

/// Reports a value with a placeholder.
pub(crate) fn refuse_placeholder(at: &Node<'_>, findings: &mut Findings) {
    report_placeholder(at.value.as_str().and_then(missing_name), at.span(), findings);
}

fn report_placeholder(name: Option<&str>, span: Span, findings: &mut Findings) {
    let (message, help) = match (&findings.rendered_for, name) {
        (Some(environments), Some(name)) => (
            format!("`{{{{ {name} }}}}` has no value in {environments}"),
            value_help(name, environments),
        ),
        _ => (
            "`{{ … }}` is a placeholder: this is a template, and its values are not known"
                .to_owned(),
            template_help(),
        ),
    };
    findings.report(Rule::NaisManifest, span, &message, &help);
}

/// What to do about a template.
pub(crate) fn template_help() -> String {
    "name the files with the values of each environment in portvakt.yaml, such as `nais: { vars: { test: \
     [\".nais/dev-vars.yaml\"] } }`"
        .to_owned()
}
