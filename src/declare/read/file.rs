//! Reading of a file with declarations.

use std::sync::Arc;

use super::clients;
use super::consumers;
use super::declarations_file::{Declarations, RemovedItem};
use super::declared::Declared;
use super::environments::EnvironmentSet;
use super::foreign::{is_bare_scope, is_foreign, report_no_mapping, whole};
use super::manifest;
use super::manifest::template::is_template;
use super::manifest::values::TemplateValues;
use super::scopes;
use super::settings::Settings;
use super::silences;
use super::skyporten;
use super::templates::report_template;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::{Diagnostic, quoted};
use crate::declare::files::key_files::KeyFiles;
use crate::declare::yaml::document::{Findings, decode, merge, parse_with_anchors};
use crate::declare::yaml::item::items_of;
use crate::declare::yaml::table::{self, Read, TableReader};
use yaml::{Node, Span, Value};

/// What a file is read with.
pub(crate) struct FileContext<'r> {
    pub(crate) settings: &'r Settings,
    pub(crate) key_files: &'r KeyFiles<'r>,
    pub(crate) values: &'r TemplateValues,
}

/// A file that is being read.
pub(super) struct FileReader<'r> {
    pub(super) context: &'r FileContext<'r>,
    pub(super) declared: Declared,
    pub(super) findings: Findings,
}

/// What the bytes of a file declare.
pub(crate) fn declarations(file: Arc<str>, bytes: &[u8], context: &FileContext<'_>) -> Declared {
    let findings = Findings::new(file);
    let mut reader = FileReader { context, declared: Declared::default(), findings };
    match decode(bytes, &mut reader.findings) {
        Some(text) if is_template(text) && !context.values.is_empty() => reader.read_template(text),
        Some(text) => {
            let counting = context.settings.nais.counting(&reader.findings.file);
            reader.read_text(text, counting);
        }
        None => reader.declared.incomplete = true,
    }
    let FileReader { context: _, mut declared, findings } = reader;
    declared.diagnostics = findings.into_list();
    if declared.diagnostics.iter().any(names_exclude) && bytes_have_manifest(bytes) {
        for found in declared.diagnostics.iter_mut().filter(|found| names_exclude(found)) {
            // Without the file, what its manifest declares would be closed.
            let help = "put it into a file of its own, as the manifest beside it is a declaration";
            found.help = Some(help.to_owned());
        }
    }
    declared
}

/// Whether a finding advises to leave the file out.
fn names_exclude(found: &Diagnostic) -> bool {
    found.help.as_ref().is_some_and(|help| help.contains("`exclude"))
}

/// Whether a file has a manifest, even if it cannot be read.
pub(crate) fn bytes_have_manifest(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.lines().any(|line| {
        let version = line.trim_start().strip_prefix("apiVersion:");
        version.is_some_and(|it| manifest::is_version(it.trim().trim_matches(['"', '\''])))
    })
}

impl FileReader<'_> {
    /// Reads a text.
    pub(super) fn read_text(&mut self, text: &str, counting: EnvironmentSet) {
        match documents(text, &mut self.findings) {
            Some(documents) => {
                let silences = silences::read(text, &documents, entities, &mut self.findings);
                self.declared.silences.extend(silences);
                for document in &documents {
                    self.read_document(document, counting);
                }
            }
            None => self.declared.incomplete = true,
        }
        report_template(text, &mut self.findings);
    }

    pub(super) fn read_document(&mut self, at: &Node<'_>, counting: EnvironmentSet) {
        let Self { context, declared, findings } = self;
        let FileContext { settings, key_files, values: _ } = **context;
        let mapping = match &at.value {
            Value::Null => return,
            Value::Mapping(mapping) => mapping,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Sequence(_) => {
                return report_no_mapping(at, findings);
            }
        };
        if let Some(kind) = manifest::kind(at) {
            return manifest::read(kind, at, counting, settings, declared, findings);
        }
        if manifest::is_resource(at) {
            return self.skip_resource(at, counting);
        }
        if is_bare_scope(at, findings) || is_foreign(at, mapping, findings) {
            return;
        }
        let Some(document) = table::read_document(at, findings) else { return };
        let Declarations { consumers, groups, blocked, scopes, clients, removed, skyporten } =
            document;
        let names = &settings.environment_names;
        consumers::aliases(consumers, names, declared, findings);
        consumers::groups(groups, declared, findings);
        consumers::blocks(blocked, names, declared, findings);
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
        skyporten::shares(skyporten, names, declared, findings);
    }

    /// A resource of a kind that declares nothing, or a list of resources.
    fn skip_resource(&mut self, at: &Node<'_>, counting: EnvironmentSet) {
        let findings = &mut self.findings;
        if let Some(unclear) = manifest::unclear_kind(at) {
            return manifest::refuse_placeholder(unclear, findings);
        }
        if let Some(meant) = manifest::meant(at) {
            let (kind, span) = at.text("kind").unwrap_or(("", at.span()));
            let message = format!("{} is no kind of NAIS", quoted(kind));
            let help = format!("did you mean `{meant}`?");
            findings.report(Rule::ForeignDocument, span, &message, &help);
        }
        if manifest::is_misplaced(at) {
            let (version, span) = at.text("apiVersion").unwrap_or(("", at.span()));
            let message = format!(
                "{} is no group of NAIS or Skiperator, and this is a manifest",
                quoted(version)
            );
            let help = "write the group of the kind, such as `nais.io/v1`";
            findings.report(Rule::ForeignDocument, span, &message, help);
        }
        if at.text("kind").is_some_and(|(kind, _)| kind == "List") {
            for item in manifest::list_items(at, findings) {
                self.read_document(item, counting);
            }
        }
    }
}

/// The documents of a text, those of Kubernetes with their mappings merged.
pub(super) fn documents<'t>(text: &'t str, findings: &mut Findings) -> Option<Vec<Node<'t>>> {
    let (mut documents, anchors) = parse_with_anchors(text, findings)?;
    for document in &mut documents {
        if !(manifest::is_resource(document) && document.has_merges()) {
            continue;
        }
        merge(document, &anchors, findings);
    }
    Some(documents)
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

/// What can have silences: scopes and their consumers' entries, clients, removals, blocks, shares of cloud resources,
/// aliases and groups, and manifests.
pub(super) fn entities(document: &Node<'_>) -> Vec<Span> {
    fn items<'d>(at: &'d Node<'d>, key: &str) -> impl Iterator<Item = &'d Node<'d>> + use<'d> {
        at.get(key).into_iter().flat_map(Node::items)
    }
    let mut spans = manifest::entities(document);
    for scope in items(document, "scopes") {
        spans.push(scope.span());
        spans.extend(items(scope, "consumers").map(Node::span));
    }
    for key in ["clients", "removed", "blocked", "skyporten"] {
        spans.extend(items(document, key).map(Node::span));
    }
    for section in ["consumers", "groups"].iter().filter_map(|key| document.get(key)) {
        for (name, at) in section.entries() {
            spans.push(Span { start: section.key_span(name).start, end: at.span().end });
        }
    }
    spans
}
