//! Documents that declare nothing, and parts of scopes in the wrong place.

use super::declarations_file::{Declarations, Scope};
use super::manifest;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::nearest;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::item::unknown_key;
use crate::declare::yaml::optional::Raw;
use crate::declare::yaml::suggestions;
use crate::declare::yaml::table::Read as _;
use yaml::{Mapping, Node};

/// Reports a document that is no mapping.
pub(super) fn report_no_mapping(at: &Node<'_>, findings: &mut Findings) {
    let message = "this document is not a mapping, so it declares nothing";
    let is_scope = |item: &Node<'_>| item.get("name").is_some();
    let help = match at.items().next().is_some_and(is_scope) {
        true => "write `scopes:` on a line above the list".to_owned(),
        false => foreign_help(&findings.file),
    };
    findings.report(Rule::ForeignDocument, at.span(), message, &help);
}

/// Whether a document is a scope that does not stand under `scopes`; reported.
pub(super) fn is_bare_scope(at: &Node<'_>, findings: &mut Findings) -> bool {
    let has = |key| at.get(key).is_some();
    if has("scopes") || !(has("name") && has("description")) {
        return false;
    }
    let message = "a scope belongs in the list `scopes`";
    let help = "write `scopes:` on a line above it, and `  - ` before `name`; indent the rest with 4 \
                spaces";
    findings.report(Rule::UnknownKey, at.key_span("name"), message, help);
    true
}

/// Whether a document has none of our keys; reported.
pub(super) fn is_foreign(at: &Node<'_>, mapping: &Mapping<'_>, findings: &mut Findings) -> bool {
    let keys = || mapping.keys().filter_map(|key| key.value.as_str());
    if mapping.is_empty() || manifest::is_declaration(at) {
        return false;
    }
    let known = || Declarations::KEYS.iter().copied();
    let mut near = keys().filter(|key| nearest(key, known()).is_some());
    if let Some(first) = near.next() {
        unknown_key(first, Declarations::KEYS, at, findings);
        if let (Some(_), Some(reported)) = (near.next(), findings.list.last_mut()) {
            reported.fix = None;
        }
    } else {
        let message = "this document has none of the keys that declare something";
        let is_resource = at.get("metadata").is_some() && at.get("spec").is_some();
        let help = match is_resource {
            true => "if it is a manifest, write its group and kind above it, such as `apiVersion: \
                     nais.io/v1alpha1` and `kind: Application`"
                .to_owned(),
            false => foreign_help(&findings.file),
        };
        findings.report(Rule::ForeignDocument, at.span(), message, &help);
    }
    true
}

fn foreign_help(file: &str) -> String {
    let words = ["var", "vars", "variables", "values"];
    let mut named = file.split(|c: char| !c.is_alphanumeric());
    if named.any(|word| words.contains(&word)) {
        return "if it has the values of templates, name it in `nais.vars` of portvakt.yaml"
            .to_owned();
    }
    let exclude = suggestions::exclude(file);
    format!(
        "a declaration has `consumers`, `groups`, `blocked`, `scopes`, `clients`, `removed` or \
         `skyporten` at its top; {exclude}"
    )
}

/// The items that are whole scopes. One without a name mostly comes of a dash too many, and was part
/// of the one above; that is reported, and both are left out.
pub(super) fn whole<'d>(
    items: &[Raw<'d, Scope<'d>>],
    findings: &mut Findings,
) -> Vec<Raw<'d, Scope<'d>>> {
    let is_torn = |item: &Node<'_>| {
        let names = |(key, _): (&str, _)| nearest(key, ["name"]).is_some() || key == "scope";
        item.value.is_mapping() && item.entries().next().is_some() && !item.entries().any(names)
    };
    let mut kept = Vec::new();
    let mut in_torn = false;
    for (index, raw) in items.iter().enumerate() {
        let item = raw.at;
        let above = index.checked_sub(1).and_then(|above| items.get(above));
        let is_part = |above: &Raw<'_, _>| {
            let above = above.at;
            above.value.is_mapping() && item.entries().all(|(key, _)| above.get(key).is_none())
        };
        if !(is_torn(item) && above.is_some_and(is_part)) {
            in_torn = false;
            kept.push(*raw);
            continue;
        }
        if !in_torn {
            kept.pop();
            let message = "this begins another scope, and has no `name`";
            let help = "remove the dash, and put two spaces in its place, if it belongs to the \
                        scope above; else add `name: …`";
            findings.report(Rule::MissingKey, item.span(), message, help);
        }
        in_torn = true;
    }
    kept
}
