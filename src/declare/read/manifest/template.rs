//! Templates of manifests, rendered as nais/deploy renders them: handlebars, with the values of one environment
//! (<https://github.com/nais/deploy>). Where a value is missing there is a mark, which is reported where it is
//! read: most of a manifest is not.
//!
//! A pull request can change a template. So there is a small grammar of what may be between braces, whatever the
//! library would take, and the number of rendered elements and the size of the result are bounded.

mod assumptions;
mod braces;
mod decisions;
mod helpers;
mod lines;

use std::io;

use handlebars::{Handlebars, Template};
use serde_json::{Map, Value};

use self::assumptions::{Assumptions, BlockQuestion, RenderTrial};
use self::braces::{CheckedTemplate, check};
pub(crate) use self::decisions::check_missing;
use self::helpers::register;
pub(crate) use self::lines::TemplateLines;

/// Before and behind the name of a value that is missing: a character that no text has.
const MISSING: char = '\u{E000}';
/// Before and behind the number of a template's line.
const LINE: char = '\u{E001}';
/// The largest template, and the largest result, in bytes.
const LARGEST: usize = 256 * 1024;

/// A template with its values.
#[derive(Debug)]
pub(crate) struct RenderedTemplate {
    /// The result.
    pub(crate) text: String,
    /// The lines of the template that its lines come from.
    pub(crate) lines: TemplateLines,
    /// The lines of `else` that are never rendered.
    pub(crate) unrendered: Vec<u32>,
}

/// Reason why a template is not rendered, and the line, from 1, if it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TemplateProblem {
    pub(crate) line: Option<u32>,
    pub(crate) message: String,
    /// The name of the missing value that is the reason.
    pub(crate) missing: Option<String>,
}

impl TemplateProblem {
    fn new(line: Option<u32>, message: impl Into<String>) -> Self {
        Self { line, message: message.into(), missing: None }
    }
}

/// Whether a text is a template of manifests.
pub(crate) fn is_template(text: &str) -> bool {
    let is_resource = |line: &str| line.trim_start().starts_with("apiVersion:");
    text.contains("{{") && text.contains("}}") && text.lines().any(is_resource)
}

/// The name of the value that is missing in a line which has nothing else: that is no YAML in most places.
pub(crate) fn missing_line(text: &str, line: usize) -> Option<&str> {
    let line = text.lines().nth(line.checked_sub(1)?)?.trim();
    missing_name(line.strip_prefix(MISSING)?.strip_suffix(MISSING).and(Some(line))?)
}

/// Remedy for a value that is missing in some environments.
pub(crate) fn value_help(name: &str, environments: &str) -> String {
    match name.starts_with('@') {
        true => format!(
            "`{name}` has a value between `{{{{#each …}}}}` and `{{{{/each}}}}` alone: move it there"
        ),
        false => format!("give `{name}` a value in a file that `nais.vars` has for {environments}"),
    }
}

/// The name of the value that is missing in a text.
pub(super) fn missing_name(text: &str) -> Option<&str> {
    text.split(MISSING).nth(1)
}

/// The mark of a value that is missing. It is a plain text of YAML.
fn missing(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "._-@/".contains(c);
    let name: String = name.chars().filter(|c| is_plain(*c)).take(80).collect();
    format!("{MISSING}{name}{MISSING}")
}

/// Renders a template with values.
pub(crate) fn render(
    template: &str,
    values: &Map<String, Value>,
) -> Result<RenderedTemplate, TemplateProblem> {
    if template.len() > LARGEST {
        let message = format!("a template is at most {} KiB", LARGEST / 1024);
        return Err(TemplateProblem::new(None, message));
    }
    if template.contains([MISSING, LINE]) {
        return Err(TemplateProblem::new(None, "a template cannot have characters of private use"));
    }
    let CheckedTemplate { text: checked, unrendered } = check(template)?;
    let rendered = |checked: &str, largest| {
        let renderer = TemplateRenderer::new(checked, values)?;
        renderer.render(RenderTrial::default(), largest).0
    };
    let text = rendered(&checked, LARGEST)?;
    let marked = rendered(&lines::marked(&checked), 4 * LARGEST).unwrap_or_default();
    let lines = TemplateLines::new(template, &text, &marked);
    Ok(RenderedTemplate { text, lines, unrendered })
}

/// A compiled template with its values.
struct TemplateRenderer {
    registry: Handlebars<'static>,
    context: handlebars::Context,
    assumptions: Assumptions,
}

impl TemplateRenderer {
    /// `checked` is the text of a [`CheckedTemplate`].
    fn new(checked: &str, values: &Map<String, Value>) -> Result<Self, TemplateProblem> {
        let compiled = Template::compile(checked).map_err(|error| {
            let (at, message) = (error.pos().map(|(at, _)| line(at)), error.reason().to_string());
            TemplateProblem::new(at, message)
        })?;
        let assumptions = Assumptions::default();
        let mut registry = Handlebars::new();
        registry.register_escape_fn(escaped);
        register(&mut registry, &assumptions);
        registry.register_template("manifest", compiled);
        let context = handlebars::Context::wraps(values)
            .map_err(|error| TemplateProblem::new(None, error.to_string()))?;
        Ok(Self { registry, context, assumptions })
    }

    /// The result under some assumptions, and what its blocks asked for.
    fn render(
        &self,
        trial: RenderTrial,
        largest: usize,
    ) -> (Result<String, TemplateProblem>, Vec<BlockQuestion>) {
        self.assumptions.begin(trial);
        let mut out = Bounded { bytes: Vec::new(), largest };
        let done = self.registry.render_with_context_to_write("manifest", &self.context, &mut out);
        let RenderTrial { asked, .. } = self.assumptions.begin(RenderTrial::default());
        let text = done.map(|()| String::from_utf8_lossy(&out.bytes).into_owned());
        let text = text.map_err(|error| {
            let message = match error.reason() {
                handlebars::RenderErrorReason::IOError(_) => {
                    format!("it becomes larger than {} KiB", largest / 1024)
                }
                reason => reason.to_string(),
            };
            TemplateProblem::new(error.line_no.map(line), message)
        });
        (text, asked)
    }
}

fn line(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

/// The result so far.
struct Bounded {
    bytes: Vec<u8>,
    largest: usize,
}

impl io::Write for &mut Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + part.len() > self.largest {
            return Err(io::Error::other("too large"));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A value as nais/deploy writes it between two braces
/// (<https://github.com/aymerick/raymond/blob/master/escape.go>).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&apos;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests;
