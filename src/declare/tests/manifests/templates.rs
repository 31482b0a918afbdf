//! Templates of manifests, and their values.

use insta::assert_snapshot;

use super::{desired, exposing, one_scope, read, repository};
use crate::declare::tests::{check, said};

const NAIS: &str = "nais: { cluster: { test: dev-gcp, sandbox: dev-gcp, prod: prod-gcp }, vars: { test: \
                    ['**/dev-vars.yaml'], prod: [vars.json, '**/prod-vars.yaml'] } }";

fn template() -> String {
    let manifest = exposing("X").replace("image: example", "image: {{image}}:{{ tag }}");
    let list = "- name: aareg\n          product: {{product}}\n          enabled: true\n          consumers:\n          \
                {{#each consumers as |c|}}\n          - orgno: \"{{c.orgno}}\"\n            name: {{c.name}}\n          {{/each}}";
    manifest
        .replace("- { X }", list)
        .replace("  labels: { team: arbeid }\n", "  annotations: { x: \"{{x}}\" }\n")
}

const DEV: &str = "product: arbeid\nconsumers: [{ orgno: '974761076', name: Skatt }]\n";
const PROD: &str =
    "consumers: [{ orgno: '971040238', name: Kart }, { orgno: '974761076', name: Skatt }]\n";
const JSON: &str = "{ \"product\": \"arbeid\", \"consumers\": [] }";

#[test]
fn a_template_is_rendered_with_the_values_of_each_environment() {
    let template = template();
    let files = [
        (".nais/app.yaml", &*template),
        (".nais/dev-vars.yaml", DEV),
        (".nais/prod-vars.yaml", PROD),
        // That of another application is further away.
        ("other/.nais/dev-vars.yaml", "product: annet"),
        ("vars.json", JSON),
    ];
    let settings = NAIS.replace("test: dev-gcp, sandbox: dev-gcp", "test: dev-gcp");
    let repository = read(&settings, &files);
    let consumers = |environment| -> Vec<String> {
        let (name, scope) = one_scope(desired(&repository, environment));
        assert_eq!(name, "etat:arbeid:aareg");
        scope.consumers.keys().map(ToString::to_string).collect()
    };
    assert_eq!(consumers("test"), ["974761076"]);
    assert_eq!(consumers("prod"), ["971040238", "974761076"]);
    let line = |environment| {
        let (_, scope) = one_scope(desired(&repository, environment));
        (
            scope.source.line,
            scope.consumers.values().next().unwrap().entries().next().unwrap().source.line,
        )
    };
    let expected = template.lines().position(|line| line.contains("c.orgno")).unwrap() + 1;
    assert_eq!(line("test"), (14, expected));
    assert_eq!(line("prod"), (14, expected));
    assert!(desired(&repository, "sandbox").scopes.is_empty());
}

#[test]
fn braces_that_are_wrong_are_explained_where_they_are() {
    let found = |old: &str, new: &str| {
        let template = template();
        assert!(template.contains(old), "{template}");
        let template = template.replace(old, new);
        let files = [
            ("app.yaml", &*template),
            ("dev-vars.yaml", DEV),
            ("prod-vars.yaml", PROD),
            ("vars.json", JSON),
        ];
        let settings = NAIS.replace("sandbox: dev-gcp, ", "");
        said(&check(repository(&settings, &files).path()))
    };
    let alone = found("          enabled: true\n", "          enabled: true\n          {{more}}\n");
    assert!(
        alone.contains("PV014: `{{ more }}` has no value in") && !alone.contains("PV006"),
        "{alone}"
    );
    let index = found("product: {{product}}", "product: {{@index}}");
    assert!(
        index.contains("`@index` has a value between `{{#each …}}` and `{{/each}}`"),
        "{index}"
    );
    let open = found("product: {{product}}", "product: {{product");
    assert!(open.contains("the braces are not closed"), "{open}");
    let text =
        exposing("product: x, name: y, enabled: true").replace("image: example", "image: {{tag");
    let open = said(&check(repository(NAIS, &[("app.yaml", &text)]).path()));
    assert!(open.contains("the braces `{{` in line 8 are not closed"), "{open}");
}

#[test]
fn values_in_a_dot_folder_make_no_declarations_of_what_is_beside_them() {
    let template = template();
    let settings =
        "nais: { cluster: { test: dev-gcp }, vars: { test: ['.github/dev-vars.yaml'] } }";
    let files = [
        ("app.yaml", &*template),
        (".github/dev-vars.yaml", DEV),
        (".github/workflows/deploy.yaml", "on: push\n"),
    ];
    let repository = read(settings, &files);
    assert_eq!(one_scope(desired(&repository, "test")).1.consumers.len(), 1);
}

#[test]
fn what_is_missing_is_asked_for_where_it_is_read() {
    let template = template();
    let files = [
        ("app.yaml", &*template),
        ("dev-vars.yaml", "consumers: [{ name: Skatt }]"),
        ("vars.json", "{ \"product\": \"Arbeid\" }"),
        ("prod-vars.yaml", ""),
    ];
    assert_snapshot!(said(&check(repository(NAIS, &files).path())), @r#"
    app.yaml:8:3: PV006: this is not YAML: `{{ … }}` of a template is not read
      help: `{{ … }}` are placeholders of a template: name the files with the values of each environment in portvakt.yaml, such as `nais: { vars: { test: [".nais/dev-vars.yaml"] } }`
    app.yaml:15:11: PV014: `{{ product }}` has no value in test
      help: give `product` a value in a file that `nais.vars` has for test
    app.yaml:18:1: PV014: `consumers` has no value in prod, and it decides about something that portvakt reads
      help: give `consumers` a value in a file that `nais.vars` has for prod
    app.yaml:19:11: PV014: `{{ c.orgno }}` has no value in test
      help: give `c.orgno` a value in a file that `nais.vars` has for test
    "#);
}

#[test]
fn wrong_values_and_templates_are_reported() {
    let template = template();
    let found = |template: &str, dev: &str| {
        let files = [
            ("app.yaml", template),
            ("dev-vars.yaml", dev),
            ("vars.json", JSON),
            ("prod-vars.yaml", PROD),
        ];
        let settings = NAIS.replace("test: dev-gcp, sandbox: dev-gcp", "test: dev-gcp");
        said(&check(repository(&settings, &files).path()))
    };
    assert_eq!(found(&template, DEV), "");
    let reported = found(&template, "[1]");
    assert!(reported.contains("dev-vars.yaml:1:1: PV012"), "{reported}");
    let reported = found(&template, &exposing("product: a, name: aa, enabled: true"));
    assert!(reported.contains("names a manifest"), "{reported}");
    let reported = found(&template.replace("{{image}}", "{{> image}}"), DEV);
    assert!(
        reported.contains("app.yaml:8:1: PV014") && reported.contains("cannot be rendered"),
        "{reported}"
    );
    let reported = found(&template.replace("kind: Application", "kind: {{kind}}"), DEV);
    assert!(reported.contains("`{{ kind }}` has no value in test"), "{reported}");
    let reported = found(&format!("{template}---\nscopes: []\n"), DEV);
    assert!(reported.contains("a template has manifests alone"), "{reported}");
    let outside = NAIS.replace("vars.json", "../vars.json");
    let files = [("dev-vars.yaml", DEV), ("prod-vars.yaml", PROD)];
    let reported = said(&check(repository(&outside, &files).path()));
    assert!(reported.contains("not in the repository"), "{reported}");
}

#[test]
fn a_key_without_a_value_is_refused_where_it_could_be_one_that_is_read() {
    for (from, to) in [
        ("accessibleForAll: false", "{{key}}: false"),
        ("maskinporten:", "{{key}}:"),
        ("namespace: arbeid", "{{key}}: arbeid"),
        ("spec:", "{{key}}:"),
    ] {
        let manifest = exposing("name: aareg, product: a, enabled: true, accessibleForAll: false");
        let files = [("app.yaml", &*manifest.replace(from, to)), ("dev-vars.yaml", "a: b")];
        let settings = "nais: { cluster: { test: dev-gcp }, namespace: arbeid, prefix: etat, vars: { test: \
                        ['dev-vars.yaml'] } }";
        let reported = said(&check(repository(settings, &files).path()));
        assert!(reported.contains("`{{ key }}` has no value in test"), "{to}: {reported}");
    }
}

#[test]
fn a_glob_takes_no_values_of_another_application() {
    let template = template().replace("{{x}}", "");
    let settings = "nais: { cluster: { test: dev-gcp }, vars: { test: ['**/dev-vars.yaml'] } }";
    let reported = |files: &[(&str, &str)]| said(&check(repository(settings, files).path()));
    let values = format!("{DEV}image: x\ntag: x\n");
    for (template_at, values_at) in [
        ("apps/helse/.nais/app.yaml", "apps/skatt/.nais/dev-vars.yaml"),
        ("apps/helse/.nais/app.yaml", ".nais/dev-vars.yaml"),
        ("apps/dev/app.yaml", "apps/test/dev-vars.yaml"),
        ("apps/helse/app.yaml", "apps/skatt/dev-vars.yaml"),
        ("nais/app.yaml", "nais/skatt/dev-vars.yaml"),
    ] {
        let found = reported(&[(template_at, &template), (values_at, &values)]);
        assert!(found.contains("` has no value in test"), "{values_at}: {found}");
    }
    for (template_at, values_at) in [
        ("apps/helse/.nais/app.yaml", "apps/helse/.nais/dev-vars.yaml"),
        ("apps/helse/.nais/app.yaml", "apps/helse/nais/dev-vars.yaml"),
        ("apps/helse/app.yaml", "apps/helse/.nais/dev-vars.yaml"),
        ("apps/helse/.nais/app.yaml", "apps/helse/.nais/vars/dev-vars.yaml"),
        ("apps/helse/.nais/app.yaml", "apps/helse/nais/dev/dev-vars.yaml"),
        ("apps/helse/.nais/app.yaml", "apps/dev-vars.yaml"),
        ("apps/helse/.nais/app.yaml", "dev-vars.yaml"),
    ] {
        assert_eq!(reported(&[(template_at, &template), (values_at, &values)]), "", "{values_at}");
    }
}

#[test]
fn values_are_read_as_yaml_1_1() {
    let template = exposing(
        "product: arbeid, name: aareg, enabled: true, consumers: [{{#if partner}}{ orgno: '974761076' }{{/if}}]",
    );
    let settings = "nais: { cluster: { test: dev-gcp }, vars: { test: [dev-vars.yaml] } }";
    for (partner, expected) in [
        ("partner: no", 0),
        ("partner: off", 0),
        ("partner: 'no'", 1),
        ("partner: yes", 1),
        ("common: &c { partner: no }\n<<: *c", 0),
    ] {
        let values = format!("{DEV}{partner}\n");
        let repository = read(settings, &[("app.yaml", &template), ("dev-vars.yaml", &values)]);
        let (_, scope) = one_scope(desired(&repository, "test"));
        assert_eq!(scope.consumers.len(), expected, "{partner}");
    }
}

#[test]
fn a_file_of_values_has_no_declarations() {
    let template = template();
    let settings =
        "nais: { cluster: { test: dev-gcp }, vars: { test: [dev-vars.yaml, consumers.yaml] } }";
    let found = |declarations: &str| {
        let files =
            [("app.yaml", &*template), ("dev-vars.yaml", DEV), ("consumers.yaml", declarations)];
        said(&check(repository(settings, &files).path()))
    };
    for declarations in [
        "blocked: [{ consumer: '974761076', reason: x }]",
        "consumers: { skatt: { orgno: '974761076' } }",
        "groups: { alle: ['974761076'] }",
        "scopes: [{ name: 'etat:a', description: A }]",
        "clients: [{ name: a }]",
        "removed: [{ scope: 'etat:a', action: release }]",
    ] {
        let reported = found(declarations);
        assert!(
            reported
                .contains("consumers.yaml:1:1: PV014: `nais.vars` names a file with declarations"),
            "{declarations}: {reported}"
        );
    }
    for values in [
        "consumers: [{ orgno: '974761076', name: Skatt }]",
        "scopes: [{ name: 'skatt:a' }]",
        "groups: { alle: ['x'] }\nimage: x",
    ] {
        assert_eq!(found(values), "", "{values}");
    }
}
