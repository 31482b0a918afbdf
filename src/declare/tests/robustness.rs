//! No input makes the reader panic or take long.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::{Diagnostic, SETTINGS, TODAY};
use crate::declare::files::key_files::KeyFiles;
use crate::declare::read::file::{self, FileContext};
use crate::declare::read::manifest::values::TemplateValues;
use crate::declare::read::settings::{Settings, settings};
use crate::declare::resolve::here::Here;
use crate::declare::rules::{advice, check};
use crate::declare::{Rule, resolve};

fn known_settings() -> Settings {
    let settings_of_manifests =
        format!("{SETTINGS}{}\n", crate::declare::tests::manifests::CLUSTERS);
    settings(settings_of_manifests.as_bytes()).0.unwrap()
}

/// Takes any bytes all the way.
fn read(bytes: &[u8]) {
    let settings = known_settings();
    let (key_files, values) = (&no_keys(), &TemplateValues::default());
    let context = FileContext { settings: &settings, key_files, values };
    let declared = file::declarations(Arc::from("a.yaml"), bytes, &context);
    let found = check::check(&declared, &settings);
    for diagnostic in declared.diagnostics.iter().chain(&found) {
        assert!(diagnostic.line >= 1 && diagnostic.column >= 1, "{diagnostic}");
        assert!(
            (diagnostic.line, diagnostic.column) <= (diagnostic.end_line, diagnostic.end_column),
            "{diagnostic:?}"
        );
    }
    if let Some(set) = settings.environment_names.set("prod") {
        let here = Here::new("prod", set, &settings, &declared);
        advice::find(&here, std::slice::from_ref(&here), TODAY);
        resolve::desired(&here, settings.organization.unwrap());
    }
    crate::declare::read::settings::settings(bytes);
}

const YAML: &str = include_str!("../../../examples/etat/teams/arbeid/aareg.yaml");
const MANIFEST: &str = "\
apiVersion: nais.io/v1
kind: MaskinportenClient
metadata: { name: aareg, namespace: arbeid, clusterName: prod-gcp }
spec:
  secretName: aareg
  clientName: Aareg
  scopes:
    consumes: [{ name: skatteetaten:skattekort.read }]
    exposes:
      - name: aareg.read
        product: arbeid
        enabled: true
        separator: '/'
        allowedIntegrations: [maskinporten, krr]
        atMaxAge: 120
        accessibleForAll: false
        delegationSource: altinn
        visibility: private
        consumers:
          - { orgno: '974761076', name: Skatteetaten }
---
apiVersion: nais.io/v1
kind: IDPortenClient
metadata: { name: login, namespace: arbeid }
spec:
  secretName: login
  integrationType: idporten
  accessTokenLifetime: 60
  sessionLifetime: 3600
  redirectURI: https://a.example/x
  redirectURIs: [https://a.example/y]
  scopes: [openid]
  ssoDisabled: true
";
const CONSUMERS: &str = include_str!("../../../examples/etat/consumers.yaml");

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes);
    }

    #[test]
    fn any_text_of_yaml_characters(text in r#"[-\[\]{}:,&*!|>'"%@#?a-b0-1 \n\t\u{feff}æ]{0,60}"#) {
        read(text.as_bytes());
    }

    #[test]
    fn changed_yaml(
        file in prop_oneof![Just(YAML), Just(CONSUMERS), Just(SETTINGS), Just(MANIFEST)],
        from in 0_usize..2000,
        length in 0_usize..30,
        insert in r#"([-\[\]{}:,&*!|>'"%@#?~ \n\t]|null|true|-1|1e9|\.nan|<<|&a|\*a|!!int|---){0,3}"#,
    ) {
        let mut bytes = file.as_bytes().to_vec();
        let from = from.min(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, insert.bytes());
        read(&bytes);
    }
}

#[test]
fn a_megabyte_made_to_be_slow_comes_to_an_end() {
    let fill = |part: &str| part.repeat((1 << 20) / part.len());
    let alias_bomb = format!("a: &a [{}]\nb: [{}]", "1,".repeat(100_000), "*a,".repeat(100_000));
    let layers: String =
        (1..40).map(|n| format!("a{n}: &a{n} [*a{m}, *a{m}, *a{m}]\n", m = n - 1)).collect();
    let keys: String = (0..100_000).map(|n| format!("k{n}: 1\n")).collect();
    let entries: String = (0..50_000).map(|n| format!("  - x{n}\n")).collect();
    let inputs = [
        fill("["),
        fill("{"),
        fill("- "),
        fill("? "),
        fill("[\n"),
        fill("a: {"),
        fill("&a "),
        fill("*a "),
        fill("!"),
        fill("%TAG ! a\n"),
        fill("---\n"),
        fill("\""),
        fill("'a\n"),
        fill("a:\n"),
        fill("\t"),
        fill("#"),
        fill("a b "),
        fill("[a]: "),
        format!("scopes: [{}]", "{},".repeat(100_000)),
        format!("scopes: [{}]", "1,".repeat(300_000)),
        format!("scopes:\n- name: etat:a\n  description: d\n  consumers:\n{entries}"),
        format!("scopes:\n- name: etat:a\n  at_max_age: x\n  consumers:\n{entries}"),
        format!(
            "{}\n        - {{}}{}",
            &MANIFEST[..MANIFEST.find("      - name").unwrap()].trim_end(),
            "\n        - {}".repeat(60_000)
        ),
        format!("a0: &a0 [1]\n{layers}"),
        alias_bomb,
        keys.clone(),
        format!("{keys}{keys}"),
    ];
    for input in inputs {
        // A quadratic reader would not come back within a person's patience.
        read(input.as_bytes());
    }
}

#[test]
fn no_place_lies_behind_the_end_of_a_file() {
    for text in ["scopes:\n- { a: b", "a: |\n  b\n  c", "\u{feff}a: \"b\r c", "a:\r\n  - b\r\n  -"]
    {
        let (settings, key_files, values) =
            (&known_settings(), &no_keys(), &TemplateValues::default());
        let context = FileContext { settings, key_files, values };
        let declared = file::declarations("a.yaml".into(), text.as_bytes(), &context);
        let lines = text.replace("\r\n", "\n").replace('\r', "\n");
        assert!(!declared.diagnostics.is_empty(), "{text:?}");
        for found in declared.diagnostics {
            assert!(found.end_line <= lines.lines().count(), "{found:?}");
        }
    }
}

/// Checks declarations beside these sections of portvakt.yaml.
fn check_beside(sections: &str, declarations: String) -> Vec<Diagnostic> {
    let settings = format!("organization: {{ orgno: '889640782' }}\n{sections}");
    let files = vec![("a/a.yaml".into(), declarations.into_bytes())];
    super::super::read(Path::new("."), settings.as_bytes(), files, &|_| None).unwrap().check(TODAY)
}

fn scopes(count: usize) -> String {
    let scope = |n| format!("- {{ name: 'etat:a{n}', description: d }}\n");
    format!("scopes:\n{}", (0..count).map(scope).collect::<String>())
}

#[test]
fn rules_that_everything_breaks_everywhere_are_not_reported_without_end() {
    let environments: String =
        (0..64).map(|n| format!("  e{n}: {{ target: sandbox }}\n")).collect();
    let rule = |n| format!("- {{ rule: n{n}, applies_to: scope, pattern: '^b', message: m }}\n");
    let policy = |n| {
        format!(
            "- {{ rule: p{n}, applies_to: scope, expression: 'scope.name == \"\"', message: m }}\n"
        )
    };
    let naming: String = (0..200).map(rule).collect();
    let policies: String = (0..200).map(policy).collect();
    for own in [format!("naming:\n{naming}"), format!("policies:\n{policies}")] {
        let sections = format!("prefixes: [etat]\nenvironments:\n{environments}{own}");
        let found = check_beside(&sections, scopes(260));
        assert!(found.iter().any(|found| found.code == Rule::TooMuch && found.is_error()));
        assert!(found.len() < 100_000, "{}", found.len());
    }
}

#[test]
fn what_is_written_once_is_not_said_a_thousand_times_at_length() {
    let many =
        |form: &str| (0..10_000).map(|n| form.replace('N', &n.to_string())).collect::<String>();
    let head = "environments: { sandbox: { target: sandbox } }\n";
    let sections = [
        format!("prefixes: [{}]", many("pN, ")),
        format!("prefixes: [etat]\nteams: {{ a: {{ path: {}, scopes: ['*'] }} }}", many("b")),
        format!("prefixes: [etat]\nteams: {{ a: {{ path: a, scopes: [{}] }} }}", many("etat:bN, ")),
        format!(
            "prefixes: [etat]\nnaming: [{{ rule: a, applies_to: scope, pattern: ^b, message: {} }}]",
            many("m")
        ),
        format!(
            "prefixes: [etat]\nnaming: [{{ rule: a, applies_to: scope, pattern: (?<p>.*), message: \
             m, values: {{ p: [{}] }} }}]",
            many("vN, ")
        ),
    ];
    for section in sections {
        let found = check_beside(&format!("{head}{section}\n"), scopes(500));
        assert!(found.len() >= 500, "{}", found.len());
        let said =
            |found: &Diagnostic| found.message.len() + found.help.as_ref().map_or(0, String::len);
        assert!(found.iter().map(said).sum::<usize>() < 2_100_000);
    }
}

fn no_keys() -> KeyFiles<'static> {
    KeyFiles::Provided(&|_| None)
}
