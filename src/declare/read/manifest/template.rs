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
use self::braces::check;
pub(crate) use self::decisions::check_missing;
use self::helpers::{RenderBudget, register};
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
    check(template)?;
    let rendered = |template: &str, largest| {
        let renderer = TemplateRenderer::new(template, values)?;
        renderer.render(RenderTrial::default(), largest).0
    };
    let text = rendered(template, LARGEST)?;
    let marked = rendered(&lines::marked(template), 4 * LARGEST).unwrap_or_default();
    let lines = TemplateLines::new(template, &text, &marked);
    Ok(RenderedTemplate { text, lines })
}

/// A compiled template with its values.
struct TemplateRenderer {
    registry: Handlebars<'static>,
    context: handlebars::Context,
    assumptions: Assumptions,
}

impl TemplateRenderer {
    fn new(template: &str, values: &Map<String, Value>) -> Result<Self, TemplateProblem> {
        let compiled = Template::compile(template).map_err(|error| {
            let (at, message) = (error.pos().map(|(at, _)| line(at)), error.reason().to_string());
            TemplateProblem::new(at, message)
        })?;
        let assumptions = Assumptions::default();
        let mut registry = Handlebars::new();
        registry.register_escape_fn(escaped);
        register(&mut registry, &RenderBudget::default(), &assumptions);
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
mod tests {
    use serde_json::{Value, json};

    use super::{TemplateProblem, check_missing, missing_name, render};
    use yaml::{Position, Span};

    fn text_of(template: &str, values: &Value) -> Result<String, TemplateProblem> {
        render(template, values.as_object().unwrap()).map(|rendered| rendered.text)
    }

    #[test]
    fn templates_are_rendered_as_nais_deploy_does() {
        let values = json!({
            "team": "plattform", "on": true, "off": false, "n": 3, "odd": "a & 'b'",
            "urls": ["https://a", "https://b"], "none": [],
            "consumers": [{ "orgno": "974761076", "name": "Skatt" }],
            "env": { "a": "x", "b": "y" },
        });
        for (template, expected) in [
            ("a: {{team}}{{ n }}", "a: plattform3"),
            ("a: {{odd}} {{{odd}}} {{&odd}}", "a: a &amp; &apos;b&apos; a & 'b' a & 'b'"),
            ("{{#each urls}}\n- {{this}}\n{{/each}}\n", "- https://a\n- https://b\n"),
            ("{{#each urls as |url|}}[{{url}}]{{/each}}", "[https://a][https://b]"),
            ("{{#each urls}}{{@index}}{{#unless @last}},{{/unless}}{{/each}}", "0,1"),
            ("{{#each env}}{{@key}}={{this}};{{/each}}", "a=x;b=y;"),
            ("{{#each none}}x{{else}}y{{/each}}", "y"),
            (
                "{{#each consumers}}{{orgno}}:{{this.name}}:{{../team}}{{/each}}",
                "974761076:Skatt:plattform",
            ),
            (
                "{{#if on}}1{{/if}}{{#if off}}2{{else}}3{{/if}}{{#unless off}}4{{/unless}}{{#if no}}5{{/if}}",
                "134",
            ),
            ("{{#with env}}{{a}}{{/with}}", "x"),
            ("{{#equal team \"plattform\"}}1{{else}}2{{/equal}}", "1"),
            ("{{!-- {{team}} --}}{{! no }}a", "a"),
        ] {
            assert_eq!(text_of(template, &values), Ok(expected.to_owned()), "{template}");
        }
    }

    #[test]
    fn a_missing_value_is_marked() {
        for (template, name) in [
            ("a: {{image}}", "image"),
            ("a: x/{{ image.tag }}", "image.tag"),
            ("{{#each list}}{{orgno}}{{/each}}", "orgno"),
        ] {
            let text = text_of(template, &json!({ "list": [{}] })).unwrap();
            assert_eq!(missing_name(&text), Some(name), "{template}: {text}");
        }
        assert_eq!(text_of("{{a}}", &json!({ "a": null })), Ok(String::new()));
    }

    /// The name and the line of the missing value that decides about what is read.
    fn decision(template: &str, values: &Value) -> Option<(String, u32)> {
        let problem = check_missing(template, values.as_object().unwrap()).err()?;
        Some((problem.missing.unwrap_or(problem.message), problem.line.unwrap_or_default()))
    }

    /// A manifest with these lines below its scope, and those below `spec`.
    fn manifest(scope: &str, spec: &str) -> String {
        format!(
            "apiVersion: nais.io/v1\nkind: Application\nmetadata:\n  name: a\nspec:\n  maskinporten:\n    \
             enabled: true\n    scopes:\n      exposes:\n      - name: les\n{scope}\n{spec}\n"
        )
    }

    #[test]
    fn a_missing_value_that_decides_about_what_is_read_is_an_error() {
        for line in [
            "enabled: {{#if on}}true{{else}}false{{/if}}",
            "enabled: {{#unless on}}true{{else}}false{{/unless}}",
            "enabled: {{#if (on)}}true{{else}}false{{/if}}",
            "{{#equal on \"prod\"}}enabled: true{{/equal}}",
            "{{#equal \"prod\" on}}enabled: true{{else}}enabled: false{{/equal}}",
            "{{#equal on other}}enabled: true{{/equal}}",
            "{{#each on}}enabled: true{{/each}}",
            "{{#with on}}enabled: true{{/with}}",
            "accessibleForAll: {{#if on}}true{{else}}false{{/if}}",
            "visibility: {{#if on}}private{{else}}public{{/if}}",
            "atMaxAge: {{#if on}}30{{else}}60{{/if}}",
            "separator: {{#if on}}'/'{{else}}':'{{/if}}",
            "allowedIntegrations: [{{#if on}}krr{{/if}}]",
            "{{#if on}}consumers: []{{/if}}",
            "consumers: [{{#each on}}{ orgno: \"{{this}}\" }{{/each}}]",
        ] {
            let template = manifest(&format!("        {line}"), "");
            assert_eq!(decision(&template, &json!({})), Some(("on".to_owned(), 11)), "{line}");
        }
        let whole = manifest("", "");
        for (template, line) in [
            (whole.replace("name: a\n", "name: {{#if on}}a{{else}}b{{/if}}\n"), 4),
            (
                whole.replace(
                    "kind: Application",
                    "kind: {{#if on}}Naisjob{{else}}Application{{/if}}",
                ),
                2,
            ),
            (whole.replace("  maskinporten:", "  {{#if on}}maskinporten{{else}}x{{/if}}:"), 6),
            (format!("{{{{#if on}}}}\n{whole}{{{{/if}}}}\n"), 1),
            (whole.clone() + "{{#if on}}\n---\n" + &whole + "{{/if}}\n", 13),
            // Of two blocks, the one that decides.
            (
                manifest("", "  {{#if on}}image: x{{/if}}")
                    + "---\n{{#if on}}\n"
                    + &whole
                    + "{{/if}}",
                14,
            ),
        ] {
            assert_eq!(
                decision(&template, &json!({})),
                Some(("on".to_owned(), line)),
                "{template}"
            );
        }
        let nested = manifest("", "  {{#if first}}{{#if on}}\n---\nscopes: []\n{{/if}}{{/if}}");
        assert_eq!(decision(&nested, &json!({})).map(|(name, _)| name), Some("on".to_owned()));
        let either = manifest(
            "        {{#if image}}{{#equal env \"prod\"}}enabled: true{{/equal}}{{/if}}",
            "  {{#equal env \"prod\"}}image: x{{/equal}}",
        );
        assert!(decision(&either, &json!({})).is_some());
        // A value of null is one.
        let known = manifest("        enabled: {{#if on}}true{{else}}false{{/if}}", "");
        assert_eq!(decision(&known, &json!({ "on": null })), None);
    }

    #[test]
    fn a_missing_value_that_decides_about_nothing_that_is_read_is_accepted() {
        let many: String =
            (0..40).map(|n| format!("  {{{{#if f{n}}}}}f{n}: {{{{f{n}}}}}{{{{/if}}}}\n")).collect();
        for spec in [
            "  image: {{image}}:{{#if tag}}{{tag}}{{else}}latest{{/if}}",
            "  ingresses:\n  {{#each ingresses as |url|}}\n  - {{url}}\n  {{/each}}",
            "  ingresses: [{{#each urls}}{{this}}{{#unless @last}},{{/unless}}{{/each}}]",
            "  env:\n  {{#each env}}\n  - name: {{@key}}\n    value: \"{{this}}\"\n  {{/each}}",
            "  replicas: {{#equal env \"prod\"}}2{{else}}1{{/equal}}",
            "  {{#equal env \"prod\"}}replicas: 2{{/equal}}\n  {{#equal env \"dev\"}}replicas: 1{{/equal}}",
            "  {{#if debug}}\n  env: [{ name: scopes, value: maskinporten }]\n  {{/if}}",
            "  {{#if a}}image: x{{/if}}\n  {{#unless a}}image: y{{/unless}}",
            "  {{#with redis}}\n  redis: [{ instance: {{name}} }]\n  {{/with}}",
            "{{#if alerts}}\n---\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\n{{/if}}",
            &many,
        ] {
            let template = manifest("        enabled: true", spec);
            assert_eq!(decision(&template, &json!({})), None, "{spec}");
        }
    }

    #[test]
    fn hostile_templates_are_refused() {
        let values = json!({ "l": vec![1; 1000], "x": "x".repeat(1000) });
        let nested = "{{#each @root.l}}".repeat(4) + &"{{/each}}".repeat(4);
        let wide = "{{#each @root.l}}".repeat(2) + "{{@root.x}}" + &"{{/each}}".repeat(2);
        let deep = "{{#if l}}".repeat(100_000) + &"{{/if}}".repeat(100_000);
        let calls = "{{a ".to_owned() + &"(b ".repeat(50_000);
        let lists = "{{a ".to_owned() + &"[\"]\",".repeat(50_000);
        for template in [
            &*nested,
            &*wide,
            &*deep,
            &*calls,
            &*lists,
            "{{#*inline \"a\"}}{{> a}}{{/inline}}{{> a}}",
            "{{> a}}",
            "{{{{raw}}}}{{{{/raw}}}}",
            "{{#each l}}",
            "{{/each}}",
            "{{a",
            "{{a \"}}\" }}",
            "{{upper x}}",
            "{{#upper x}}a{{/upper}}",
            "\u{E000}",
        ] {
            let rendered = text_of(template, &values);
            assert!(rendered.is_err(), "{}", &template[..template.len().min(80)]);
        }
    }

    #[test]
    fn places_are_those_of_the_template() {
        let template = "a: 1\n{{#each l}}\n- x: {{this}}\n{{/each}}\nb: 2\n";
        let rendered = render(template, json!({ "l": [7, 8] }).as_object().unwrap()).unwrap();
        assert_eq!(rendered.text, "a: 1\n- x: 7\n- x: 8\nb: 2\n");
        let at = |line, column| Position { line, column };
        let place = |start, end| rendered.lines.place(Span { start, end });
        let span = |start, end| Span { start, end };
        assert_eq!(place(at(1, 4), at(1, 5)), span(at(1, 4), at(1, 5)));
        assert_eq!(place(at(3, 6), at(3, 7)), span(at(3, 1), at(3, 14)));
        assert_eq!(place(at(4, 1), at(4, 2)), span(at(5, 1), at(5, 2)));
    }
}
