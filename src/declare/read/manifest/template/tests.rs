//! Templates by themselves, against what nais/deploy makes of them.

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
        "key": "a", "odds": { "a": "a & b" }, "map": {}, "zero": 0, "text": "", "half": 1.5, "whole": 2.0, "large": 1e20,
        "len": 5, "not": "no", "and": true,
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
        ("{{#equal team \"annet\"}}1{{else}}2{{/equal}}", ""),
        ("{{#equal n \"3\"}}1{{/equal}}{{#equal half 1.5}}2{{/equal}}", "12"),
        ("{{!-- {{team}} --}}{{! no }}a", "a"),
        ("{{!-- a --~}}  b{{~! c ~}}  d", "bd"),
        // What is empty or zero is false.
        ("{{#if map}}1{{else}}2{{/if}}{{#with map}}3{{else}}4{{/with}}", "24"),
        (
            "{{#if none}}1{{/if}}{{#if zero}}2{{/if}}{{#if text}}3{{/if}}{{#unless map}}4{{/unless}}",
            "4",
        ),
        ("{{#each map}}1{{else}}2{{/each}}{{#each team}}3{{else}}4{{/each}}", "2"),
        // Lists have nothing between their items, and numbers no exponent.
        ("{{urls}} {{half}} {{whole}} {{large}}", "https://ahttps://b 1.5 2 100000000000000000000"),
        ("{{lookup env \"a\"}}{{lookup urls 1}}{{#if (lookup env \"b\")}}1{{/if}}", "xhttps://b1"),
        (
            "{{lookup env key}}{{{lookup odds \"a\"}}}{{lookup odds \"a\"}}{{log \"x\"}}",
            "xa & ba &amp; b",
        ),
        ("{{#if (off)}}1{{else}}2{{/if}}{{#if (on)}}3{{/if}}", "23"),
        // What an item does not have is that of what is around it.
        ("{{#each consumers}}{{name}}:{{team}}:{{env.a}};{{/each}}", "Skatt:plattform:x;"),
        (
            "{{#each consumers}}{{#each @root.urls}}{{team}}{{orgno}};{{/each}}{{/each}}",
            "plattform974761076;plattform974761076;",
        ),
        (
            "{{#each consumers}}{{#if on}}1{{/if}}{{#equal team \"plattform\"}}2{{/equal}}{{/each}}",
            "12",
        ),
        // Values may have the names of helpers of other dialects.
        ("{{len}}{{not}}{{#if and}}1{{/if}}", "5no1"),
    ] {
        assert_eq!(text_of(template, &values), Ok(expected.to_owned()), "{template}");
    }
}

#[test]
fn what_nais_deploy_does_not_know_is_refused_wherever_it_is() {
    let values = json!({ "a": 1, "b": 1, "m": {}, "off": false });
    for tag in [
        "{{#if (eq a b)}}x{{/if}}",
        "{{#if (not a)}}x{{/if}}",
        "{{#if (and a b)}}x{{/if}}",
        "{{#if (or a b)}}x{{/if}}",
        "{{#if (gt a b)}}x{{/if}}",
        "{{#if (len a)}}x{{/if}}",
        "{{#if (equal a b)}}x{{/if}}",
        "{{#if (log a)}}x{{/if}}",
        "{{#eq a b}}x{{/eq}}",
        "{{#not a}}x{{/not}}",
        "{{#a}}x{{/a}}",
        "{{#lookup m a}}x{{/lookup}}",
        "{{#log a}}x{{/log}}",
        "{{eq a b}}",
        "{{len a}}",
        "{{raw a}}",
        "{{if a}}",
        "{{each}}",
        "{{log}}",
        "{{log a b}}",
        "{{lookup m}}",
        "{{#if}}x{{/if}}",
        "{{#if a b}}x{{/if}}",
        "{{#equal a}}x{{/equal}}",
        "{{#equal a b off}}x{{/equal}}",
        "{{#each a b}}x{{/each}}",
        "{{#if a includeZero=true}}x{{/if}}",
        "{{#if a}}x{{else not b}}y{{/if}}",
        "{{true}}",
        "{{12}}",
        "{{^a}}x{{/a}}",
        "{{m.[a]}}",
        "{{/if a}}",
        "{{../a}}",
        "{{#if ../a}}x{{/if}}",
        "{{#each m}}{{../../a}}{{/each}}",
        "{{#each m}}x{{else}}{{../a}}{{/each}}",
        "{{m.0}}",
    ] {
        for template in [tag.to_owned(), format!("{{{{#if off}}}}\nx: {tag}{{{{/if}}}}")] {
            let problem = text_of(&template, &values).unwrap_err();
            let line = if template == tag { 1 } else { 2 };
            assert_eq!(problem.line, Some(line), "{template}: {}", problem.message);
        }
    }
    assert!(text_of("{{else}}", &values).is_err());
    let problem = text_of("a: {{m}}", &json!({ "m": { "a": 1 } })).unwrap_err();
    assert!(problem.message.contains("a mapping cannot be written"), "{}", problem.message);
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
            whole.replace("kind: Application", "kind: {{#if on}}Naisjob{{else}}Application{{/if}}"),
            2,
        ),
        (whole.replace("  maskinporten:", "  {{#if on}}maskinporten{{else}}x{{/if}}:"), 6),
        (format!("{{{{#if on}}}}\n{whole}{{{{/if}}}}\n"), 1),
        (whole.clone() + "{{#if on}}\n---\n" + &whole + "{{/if}}\n", 13),
        // Of two blocks, the one that decides.
        (
            manifest("", "  {{#if on}}image: x{{/if}}") + "---\n{{#if on}}\n" + &whole + "{{/if}}",
            14,
        ),
    ] {
        assert_eq!(decision(&template, &json!({})), Some(("on".to_owned(), line)), "{template}");
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
