//! Reading of templates: as the manifests that the values of each environment make of them.

use super::environments::EnvironmentSet;
use super::file::{FileReader, documents, entities};
use super::manifest;
use super::manifest::template::{
    self, RenderedTemplate, TemplateProblem, check_missing, missing_line, value_help,
};
use super::silences;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::yaml::document::Findings;
use yaml::{Node, Parsed, Position, Span};

/// A result, and the environments that have it.
struct Rendering {
    environments: EnvironmentSet,
    /// Their names.
    names: String,
    result: RenderedTemplate,
}

impl FileReader<'_> {
    /// Reads a template with the values of each environment that has some. In the others it is a manifest as it is.
    pub(super) fn read_template(&mut self, text: &str) {
        let settings = self.context.settings;
        let counting = settings.nais.counting(&self.findings.file);
        if has_only_other_kinds(text) {
            return self.read_text(text, counting);
        }
        let renderings = self.renderings(text, counting);
        for line in renderings.first().map_or(&[][..], |first| &first.result.unrendered) {
            let message = "nais/deploy never renders the `else` of `equal`";
            let help =
                "write a second block with the other value, such as `{{#equal env \"dev\"}}`";
            self.findings.report(Rule::UnrenderedElse, beginning(*line), message, help);
        }
        for rendering in &renderings {
            self.read_rendering(text, rendering);
        }
        self.findings.rendered_for = None;
        let all = settings.environment_names.all().and(counting).and(settings.nais.environments());
        let with_values = self.context.values.iter().filter(|it| it.set.overlaps(counting));
        let rest = with_values.fold(all, |rest, it| rest.without(it.set));
        if !rest.is_empty() {
            self.read_text(text, rest);
        }
    }

    /// The different results for the environments that have values; reports where there is none.
    fn renderings(&mut self, text: &str, counting: EnvironmentSet) -> Vec<Rendering> {
        let mut renderings: Vec<Rendering> = Vec::new();
        for environment in self.context.values.iter().filter(|it| it.set.overlaps(counting)) {
            let values = environment.of(&self.findings.file);
            let rendered = template::render(text, &values);
            match rendered.and_then(|new| check_missing(text, &values).map(|()| new)) {
                Ok(new) => match renderings.iter_mut().find(|old| old.result.text == new.text) {
                    Some(Rendering { environments, names, result: _ }) => {
                        *environments = environments.or(environment.set);
                        *names = format!("{names}, {}", environment.name);
                    }
                    None => renderings.push(Rendering {
                        environments: environment.set,
                        names: environment.name.clone(),
                        result: new,
                    }),
                },
                Err(problem) => report_problem(problem, &environment.name, &mut self.findings),
            }
        }
        renderings
    }

    /// Reads a result: its findings are about the template.
    fn read_rendering(&mut self, text: &str, rendering: &Rendering) {
        let Rendering { environments, names, result } = rendering;
        let RenderedTemplate { text: result, lines, unrendered: _ } = result;
        self.findings.rendered_for = Some(names.clone());
        let first = self.findings.list.len();
        let documents = documents(result, &mut self.findings);
        let place = |span| lines.place(span);
        for found in &mut self.findings.list[first..] {
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
            self.declared.incomplete = true;
            return;
        };
        documents.iter_mut().for_each(|document| document.relocate(&place));
        if self.declared.silences.is_empty() {
            self.declared.silences = silences::read(text, &documents, entities, &mut self.findings);
        }
        for document in &documents {
            self.read_rendered(document, *environments);
        }
    }

    /// Reads a document of a template, which has manifests alone.
    fn read_rendered(&mut self, at: &Node<'_>, counting: EnvironmentSet) {
        if at.value.is_null() || manifest::kind(at).is_some() || manifest::is_resource(at) {
            return self.read_document(at, counting);
        }
        let message = "a template has manifests alone, and this is none";
        let help = "write declarations of portvakt into a file without `{{ … }}`";
        self.findings.report(Rule::ForeignDocument, at.span(), message, help);
    }
}

/// The place of a line's beginning.
fn beginning(line: u32) -> Span {
    Span::at(Position { line, column: 1 })
}

fn report_problem(problem: TemplateProblem, environment: &str, findings: &mut Findings) {
    let TemplateProblem { line, message, missing } = problem;
    let (message, help) = match missing {
        Some(missing) => (
            format!("`{missing}` has no value in {environment}, and {message}"),
            value_help(&missing, environment),
        ),
        None => (
            format!("the template cannot be rendered with the values of {environment}: {message}"),
            "templates are those of nais/deploy: handlebars with the values of `nais.vars`"
                .to_owned(),
        ),
    };
    findings.report(Rule::NaisManifest, beginning(line.unwrap_or(1)), &message, &help);
}

/// Whether a text is resources of kinds that declare nothing, whatever their own braces are for.
fn has_only_other_kinds(text: &str) -> bool {
    let Parsed { documents, problems, aliases: _, anchors: _ } = ::yaml::parse(text);
    let is_other = |at: &Node<'_>| {
        at.value.is_null() || manifest::is_resource(at) && manifest::kind(at).is_none()
    };
    problems.is_empty() && documents.iter().all(is_other)
}

/// What cannot be parsed and has placeholders is probably a template of a manifest.
pub(super) fn report_template(text: &str, findings: &mut Findings) {
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
