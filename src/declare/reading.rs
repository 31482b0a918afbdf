//! Reading a file with declarations.

use std::sync::Arc;

use serde_yaml::{Mapping, Value};

use super::consumers;
use super::declarations_file::DOCUMENT_KEYS;
use super::declared::Declared;
use super::document::{Findings, Located, decode, parse};
use super::item::{items_of, unknown_key, wrong_kind};
use super::rules::Rule;
use super::scopes;
use super::settings::Settings;
use super::silences;
use super::suggest::nearest;

/// What the bytes of a file declare.
pub(super) fn declarations(file: Arc<str>, bytes: &[u8], settings: &Settings) -> Declared {
    let mut declared = Declared::default();
    let mut findings = Findings::new(file);
    let text = decode(bytes, &mut findings);
    match text.and_then(|text| Some((text, parse(text, &mut findings)?))) {
        Some((text, documents)) => {
            declared.silences = silences::read(text, &documents, &mut findings);
            for document in &documents {
                read_document(document.root(), settings, &mut declared, &mut findings);
            }
        }
        None => declared.incomplete = true,
    }
    declared.diagnostics = findings.list;
    declared
}

fn read_document(
    at: Located<'_>,
    settings: &Settings,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let mapping = match at.value {
        Value::Null => return,
        Value::Mapping(mapping) => mapping,
        Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Sequence(_)
        | Value::Tagged(_) => {
            let message = "this document is no mapping, so it declares nothing";
            findings.report(Rule::ForeignDocument, at.span(), message, EXCLUDE);
            return;
        }
    };
    if is_foreign(at, mapping, findings) {
        return;
    }
    for key in mapping.keys() {
        match key.as_str() {
            Some(key) if DOCUMENT_KEYS.contains(&key) => {}
            Some(key) => unknown_key(key, &DOCUMENT_KEYS, at, findings),
            None => wrong_kind(at, "keys that are texts", findings),
        }
    }
    consumers::aliases(at, &settings.environment_names, declared, findings);
    consumers::groups(at, declared, findings);
    for item in items_of(at, "scopes", findings) {
        declared.scopes.extend(scopes::scope(item, settings, findings));
    }
    for item in items_of(at, "removed", findings) {
        declared.removed.extend(scopes::removed(item, settings, findings));
    }
}

const EXCLUDE: &str = "a declaration has `consumers`, `groups`, `scopes` or `removed` at its top; \
                       if this file is for another tool, add it to `exclude` in portvakt.yaml";

/// Whether a document has none of our keys; reported.
fn is_foreign(at: Located<'_>, mapping: &Mapping, findings: &mut Findings) -> bool {
    let keys = || mapping.keys().filter_map(Value::as_str);
    if mapping.is_empty() || keys().any(|key| DOCUMENT_KEYS.contains(&key)) {
        return false;
    }
    if is_nais_manifest(at) {
        let message = "this is a NAIS manifest; those are not read yet";
        let help = "add it to `exclude` in portvakt.yaml";
        findings.report(Rule::NaisManifest, at.span(), message, help);
    } else if let Some(key) = keys().find(|key| nearest(key, DOCUMENT_KEYS).is_some()) {
        unknown_key(key, &DOCUMENT_KEYS, at, findings);
    } else {
        let message = "this document has none of the keys that declare something";
        findings.report(Rule::ForeignDocument, at.span(), message, EXCLUDE);
    }
    true
}

fn is_nais_manifest(at: Located<'_>) -> bool {
    const KINDS: [&str; 4] = ["Application", "Naisjob", "MaskinportenClient", "IDPortenClient"];
    let text = |key| at.get(key).and_then(|at| at.value.as_str()).unwrap_or_default();
    KINDS.contains(&text("kind")) && text("apiVersion").starts_with("nais.io/")
}
