//! Reading of a file with declarations.

use std::sync::Arc;

use super::clients;
use super::consumers;
use super::declarations_file::{Declarations, RemovedItem, Scope};
use super::declared::Declared;
use super::environments::EnvironmentSet;
use super::manifest;
use super::manifest::template::{
    self, RenderedTemplate, TemplateProblem, check_missing, is_template, missing_line, value_help,
};
use super::manifest::values::TemplateValues;
use super::scopes;
use super::settings::Settings;
use super::silences;
use super::skyporten;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::nearest;
use crate::declare::diagnostic::{Diagnostic, quoted};
use crate::declare::files::key_files::KeyFiles;
use crate::declare::yaml::document::{Findings, decode, merge, parse_with_anchors};
use crate::declare::yaml::item::{items_of, unknown_key};
use crate::declare::yaml::optional::Raw;
use crate::declare::yaml::suggestions;
use crate::declare::yaml::table::{self, Read, TableReader};
use yaml::{Mapping, Node, Parsed, Position, Span, Value};

/// What a file is read with.
pub(crate) struct FileContext<'r> {
    pub(crate) settings: &'r Settings,
    pub(crate) key_files: &'r KeyFiles<'r>,
    pub(crate) values: &'r TemplateValues,
}

/// What the bytes of a file declare.
pub(crate) fn declarations(file: Arc<str>, bytes: &[u8], context: &FileContext<'_>) -> Declared {
    let mut declared = Declared::default();
    let mut findings = Findings::new(file);
    match decode(bytes, &mut findings) {
        Some(text) if is_template(text) && !context.values.is_empty() => {
            read_template(text, context, &mut declared, &mut findings);
        }
        Some(text) => {
            let counting = context.settings.nais.counting(&findings.file);
            read_text(text, counting, context, &mut declared, &mut findings);
        }
        None => declared.incomplete = true,
    }
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

/// Reads a template with the values of each environment that has some. In the others it is a manifest as it is.
fn read_template(
    text: &str,
    context: &FileContext<'_>,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let counting = context.settings.nais.counting(&findings.file);
    if has_only_other_kinds(text) {
        return read_text(text, counting, context, declared, findings);
    }
    let settings = context.settings;
    let mut rest = settings.environment_names.all().and(counting).and(settings.nais.environments());
    let mut results: Vec<(EnvironmentSet, String, RenderedTemplate)> = Vec::new();
    for environment in context.values.iter().filter(|it| it.set.overlaps(counting)) {
        rest = rest.without(environment.set);
        let values = environment.of(&findings.file);
        let rendered = template::render(text, &values);
        match rendered.and_then(|new| check_missing(text, &values).map(|()| new)) {
            Ok(new) => match results.iter_mut().find(|(_, _, old)| old.text == new.text) {
                Some((set, names, _)) => {
                    *set = set.or(environment.set);
                    *names = format!("{names}, {}", environment.name);
                }
                None => results.push((environment.set, environment.name.clone(), new)),
            },
            Err(TemplateProblem { line, message, missing }) => {
                let start = Position { line: line.unwrap_or(1), column: 1 };
                let name = &environment.name;
                let (message, help) = match missing {
                    Some(missing) => (
                        format!("`{missing}` has no value in {name}, and {message}"),
                        value_help(&missing, name),
                    ),
                    None => (
                        format!("the template cannot be rendered with the values of {name}: {message}"),
                        "templates are those of nais/deploy: handlebars with the values of `nais.vars`"
                            .to_owned(),
                    ),
                };
                findings.report(Rule::NaisManifest, Span { start, end: start }, &message, &help);
            }
        }
    }
    for line in results.first().map_or(&[][..], |(_, _, first)| &first.unrendered) {
        let start = Position { line: *line, column: 1 };
        let message = "nais/deploy never renders the `else` of `equal`";
        let help = "write a second block with the other value, such as `{{#equal env \"dev\"}}`";
        findings.report(Rule::UnrenderedElse, Span { start, end: start }, message, help);
    }
    for (set, names, RenderedTemplate { text: result, lines, unrendered: _ }) in &results {
        findings.rendered_for = Some(names.clone());
        let first = findings.list.len();
        let documents = documents(result, findings);
        let place = |span| lines.place(span);
        for found in &mut findings.list[first..] {
            if found.code == Rule::Syntax
                && let Some(name) = missing_line(result, found.line)
            {
                found.code = Rule::NaisManifest;
                found.message = format!("`{{{{ {name} }}}}` has no value in {names}");
                found.help = Some(value_help(name, names));
                found.fix = None;
            }
            found.relocate(&place);
        }
        let Some(mut documents) = documents else {
            declared.incomplete = true;
            continue;
        };
        documents.iter_mut().for_each(|document| document.relocate(&place));
        if declared.silences.is_empty() {
            declared.silences = silences::read(text, &documents, entities, findings);
        }
        for document in &documents {
            read_rendered(document, *set, context, declared, findings);
        }
    }
    findings.rendered_for = None;
    if !rest.is_empty() {
        read_text(text, rest, context, declared, findings);
    }
}

/// Whether a text is resources of kinds that declare nothing, whatever their own braces are for.
fn has_only_other_kinds(text: &str) -> bool {
    let Parsed { documents, problems, aliases: _, anchors: _ } = ::yaml::parse(text);
    let is_other = |at: &Node<'_>| {
        at.value.is_null() || manifest::is_resource(at) && manifest::kind(at).is_none()
    };
    problems.is_empty() && documents.iter().all(is_other)
}

/// Reads a document of a template, which has manifests alone.
fn read_rendered(
    at: &Node<'_>,
    counting: EnvironmentSet,
    context: &FileContext<'_>,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    if at.value.is_null() || manifest::kind(at).is_some() || manifest::is_resource(at) {
        return read_document(at, counting, context, declared, findings);
    }
    let message = "a template has manifests alone, and this is none";
    let help = "write declarations of portvakt into a file without `{{ … }}`";
    findings.report(Rule::ForeignDocument, at.span(), message, help);
}

/// Reads a text.
fn read_text(
    text: &str,
    counting: EnvironmentSet,
    context: &FileContext<'_>,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    match documents(text, findings) {
        Some(documents) => {
            declared.silences.extend(silences::read(text, &documents, entities, findings));
            for document in &documents {
                read_document(document, counting, context, declared, findings);
            }
        }
        None => declared.incomplete = true,
    }
    report_template(text, findings);
}

/// The documents of a text, those of Kubernetes with their mappings merged.
fn documents<'t>(text: &'t str, findings: &mut Findings) -> Option<Vec<Node<'t>>> {
    let (mut documents, anchors) = parse_with_anchors(text, findings)?;
    for document in &mut documents {
        if !(manifest::is_resource(document) && document.has_merges()) {
            continue;
        }
        merge(document, &anchors, findings);
    }
    Some(documents)
}

fn read_document(
    at: &Node<'_>,
    counting: EnvironmentSet,
    context: &FileContext<'_>,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let FileContext { settings, key_files, values: _ } = *context;
    let mapping = match &at.value {
        Value::Null => return,
        Value::Mapping(mapping) => mapping,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Sequence(_) => {
            let message = "this document is not a mapping, so it declares nothing";
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
        return manifest::read(kind, at, counting, settings, declared, findings);
    }
    if manifest::is_resource(at) {
        return skip_resource(at, counting, context, declared, findings);
    }
    if is_bare_scope(at, findings) || is_foreign(at, mapping, findings) {
        return;
    }
    let Some(document) = table::read_document::<Declarations<'_>>(at, findings) else { return };
    let Declarations { consumers, groups, blocked, scopes, clients, removed, skyporten } = document;
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
    skyporten::shares(skyporten, &settings.environment_names, declared, findings);
}

/// A resource of a kind that declares nothing, or a list of resources.
fn skip_resource(
    at: &Node<'_>,
    counting: EnvironmentSet,
    context: &FileContext<'_>,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    if manifest::is_unclear(at, findings) {
        return;
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
        let items = manifest::list_items(at, findings);
        items.for_each(|item| read_document(item, counting, context, declared, findings));
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

/// What can have silences: scopes and their consumers' entries, clients, removals, blocks, shares of cloud resources,
/// aliases and groups, and manifests.
fn entities(document: &Node<'_>) -> Vec<Span> {
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
    let help = manifest::template_help();
    let syntax = findings.list.iter_mut().filter(|found| found.code == Rule::Syntax);
    for found in syntax.filter(|_| is_template) {
        found.help = Some(format!("`{{{{ … }}}}` are placeholders of a template: {help}"));
        found.fix = None;
    }
    let is_manifest = text.contains("apiVersion:") && text.contains("kind:");
    let Some(line) = unclosed(text).filter(|_| is_manifest) else { return };
    for found in findings.list.iter_mut().filter(|found| found.code == Rule::Syntax) {
        found.help = Some(format!(
            "the braces `{{{{` in line {line} are not closed: write `}}}}` behind the name"
        ));
        found.fix = None;
    }
}

/// The line of the first braces of a template that are not closed before the next.
fn unclosed(text: &str) -> Option<usize> {
    let mut line = 1;
    let mut parts = text.split("{{");
    line += parts.next()?.matches('\n').count();
    for part in parts {
        if !part.is_empty() && !part.contains("}}") {
            return Some(line);
        }
        line += part.matches('\n').count();
    }
    None
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
