//! Reading a file with declarations.

use std::sync::Arc;

use super::clients;
use super::consumers;
use super::declarations_file::{Declarations, RemovedItem, Scope};
use super::declared::Declared;
use super::manifest;
use super::scopes;
use super::settings::Settings;
use super::silences;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::nearest;
use crate::declare::files::key_files::KeyFiles;
use crate::declare::yaml::document::{Findings, decode, parse};
use crate::declare::yaml::item::{items_of, unknown_key};
use crate::declare::yaml::optional::Raw;
use crate::declare::yaml::suggestions;
use crate::declare::yaml::table::{self, Read, TableReader};
use yaml::Span;
use yaml::{Mapping, Node, Value};

/// What the bytes of a file declare.
pub(crate) fn declarations(
    file: Arc<str>,
    bytes: &[u8],
    settings: &Settings,
    key_files: &KeyFiles<'_>,
) -> Declared {
    let mut declared = Declared::default();
    let mut findings = Findings::new(file);
    let text = decode(bytes, &mut findings);
    match text.and_then(|text| Some((text, parse(text, &mut findings)?))) {
        Some((text, documents)) => {
            declared.silences = silences::read(text, &documents, entities, &mut findings);
            for document in &documents {
                read_document(document, settings, key_files, &mut declared, &mut findings);
            }
        }
        None => declared.incomplete = true,
    }
    if let Some(text) = text {
        report_template(text, &mut findings);
    }
    declared.diagnostics = findings.into_list();
    declared
}

fn read_document(
    at: &Node<'_>,
    settings: &Settings,
    key_files: &KeyFiles<'_>,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let mapping = match &at.value {
        Value::Null => return,
        Value::Mapping(mapping) => mapping,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Sequence(_) => {
            let message = "this document is no mapping, so it declares nothing";
            let is_scope = |item: &Node<'_>| item.get("name").is_some();
            let help = match at.items().next().is_some_and(is_scope) {
                true => "write `scopes:` on a line above the list".to_owned(),
                false => foreign_help(&findings.file),
            };
            findings.report(Rule::ForeignDocument, at.span(), message, &help);
            return;
        }
    };
    if let Some(kind) = manifest::kind(at) {
        return manifest::read(kind, at, settings, declared, findings);
    }
    if is_bare_scope(at, findings) || is_foreign(at, mapping, findings) {
        return;
    }
    let Some(document) = table::read_document::<Declarations<'_>>(at, findings) else { return };
    let Declarations { consumers, groups, blocked, scopes, clients, removed } = document;
    consumers::aliases(consumers, &settings.environment_names, declared, findings);
    consumers::groups(groups, declared, findings);
    consumers::blocks(blocked, &settings.environment_names, declared, findings);
    let for_mapping = "write each scope as `- name: …`, and the rest below";
    let items: Vec<_> = items_of(scopes, Some(for_mapping), findings).collect();
    for item in whole(&items, findings) {
        scopes::scope(item, settings, declared, findings);
    }
    for item in items_of(clients, None, findings) {
        clients::client(item, settings, key_files, declared, findings);
    }
    let for_mapping = "write each entry as `- { scope: …, action: … }`";
    for item in items_of(removed, Some(for_mapping), findings) {
        match item.read(findings) {
            Some(RemovedItem::Scope(input)) => {
                declared.removed.extend(scopes::removed(input, settings, findings));
            }
            Some(RemovedItem::Client(input)) => {
                let removed = clients::removed(input, settings, findings);
                declared.removed_clients.extend(removed);
            }
            None => {}
        }
    }
}

impl<'d> Read<'d> for RemovedItem {
    fn read(at: &'d Node<'d>, key: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        match (at.get("client"), at.get("scope")) {
            (Some(_), None) => Read::read(at, key, reader).map(Self::Client),
            (Some(client), Some(_)) => {
                let message = "`scope` and `client` exclude each other";
                let help = "write an entry of its own for each";
                reader.findings.report(Rule::WrongValue, client.span(), message, help);
                None
            }
            (None, Some(_) | None) => Read::read(at, key, reader).map(Self::Scope),
        }
    }
}

/// What can have silences: scopes and their consumers' entries, clients, removals, aliases and groups,
/// and manifests.
fn entities(document: &Node<'_>) -> Vec<Span> {
    fn items<'d>(at: &'d Node<'d>, key: &str) -> impl Iterator<Item = &'d Node<'d>> + use<'d> {
        at.get(key).into_iter().flat_map(Node::items)
    }
    let mut spans = manifest::entities(document);
    for scope in items(document, "scopes") {
        spans.push(scope.span());
        spans.extend(items(scope, "consumers").map(Node::span));
    }
    for key in ["clients", "removed", "blocked"] {
        spans.extend(items(document, key).map(Node::span));
    }
    for section in ["consumers", "groups"].iter().filter_map(|key| document.get(key)) {
        for (name, at) in section.entries() {
            spans.push(Span { start: section.key_span(name).start, end: at.span().end });
        }
    }
    spans
}

fn foreign_help(file: &str) -> String {
    let exclude = suggestions::exclude(file);
    format!(
        "a declaration has `consumers`, `groups`, `blocked`, `scopes`, `clients` or `removed` at its top; {exclude}"
    )
}

/// Whether a document is a scope that does not stand under `scopes`; reported.
fn is_bare_scope(at: &Node<'_>, findings: &mut Findings) -> bool {
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

/// The items that are whole scopes. One without a name mostly comes of a dash too many, and was part
/// of the one above; that is reported, and both are left out.
fn whole<'d>(items: &[Raw<'d, Scope<'d>>], findings: &mut Findings) -> Vec<Raw<'d, Scope<'d>>> {
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

/// What cannot be parsed and has placeholders is probably a template of a manifest.
fn report_template(text: &str, findings: &mut Findings) {
    let is_template = text.contains("{{") && text.contains("}}") && text.contains("kind:");
    let help = manifest::template_help(&findings.file);
    let syntax = findings.list.iter_mut().filter(|found| found.code == Rule::Syntax);
    for found in syntax.filter(|_| is_template) {
        found.help = Some(format!("`{{{{ … }}}}` are placeholders of a template: {help}"));
        found.fix = None;
    }
}

/// Whether a document has none of our keys; reported.
fn is_foreign(at: &Node<'_>, mapping: &Mapping<'_>, findings: &mut Findings) -> bool {
    let keys = || mapping.keys().filter_map(|key| key.value.as_str());
    if mapping.is_empty() || keys().any(|key| Declarations::KEYS.contains(&key)) {
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
        let help = format!("{}{}", manifest::meant(at), foreign_help(&findings.file));
        findings.report(Rule::ForeignDocument, at.span(), message, &help);
    }
    true
}
