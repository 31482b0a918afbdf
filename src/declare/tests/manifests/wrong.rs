//! What is wrong with a manifest, told with its place.

use insta::assert_snapshot;

use super::{CLUSTERS, exposing, repository};
use crate::declare::tests::{SETTINGS, check, folder, said};
use crate::declare::{Diagnostic, Index, apply_fixes};

fn found(settings: &str, manifest: &str) -> Vec<Diagnostic> {
    check(repository(settings, &[("a.yaml", manifest)]).path())
}

/// A manifest of a client, with these lines in its `spec`; the first of them is line 5.
fn manifest(kind: &str, lines: &str) -> String {
    let lines = lines.replace('\n', "\n  ");
    let secret = if kind.ends_with("Client") { "  secretName: x\n" } else { "" };
    format!(
        "apiVersion: nais.io/v1\nkind: {kind}\nmetadata: {{ name: app, namespace: arbeid }}\nspec:\n  {lines}\n{secret}"
    )
}

/// What is wrong with what is exposed: the fields, with `~` before the place where it is not the whole
/// of them, the code, and a part of what is said.
const EXPOSED: [(&str, &str, &str); 29] = [
    (
        "product: a, name: aa, enabled: true, consumers: [{ orgno: '974761076', name: ~7 }]",
        "PV012",
        "expected a text",
    ),
    ("name: aa, enabled: true", "PV011", "`product` is missing"),
    ("product: a, enabled: true", "PV011", "`name` is missing"),
    ("product: a, name: aa", "PV011", "`enabled` is missing"),
    ("product: a, name: aa, enabled: ~'true'", "PV012", "write `true`, without quotes"),
    ("product: ~7, name: aa, enabled: true", "PV012", "put it in quotes: \"7\""),
    ("product: ~Arbeid, name: aa, enabled: true", "PV145", "is not a product name at NAIS"),
    ("product: ~økonomi, name: aa, enabled: true", "PV145", "is not a product name at NAIS"),
    ("product: a, name: ~a.Read, enabled: true", "PV145", "`a.Read` is not formed"),
    ("product: a, name: ~a, enabled: true", "PV145", "`a` is not formed"),
    ("product: a, name: aa, separator: ~'-', enabled: true", "PV012", "one of `/`, `:`, `.`"),
    (
        "product: a, name: aa, enabled: true, ~delegationSource: altinn",
        "PV145",
        "`delegationSource` needs",
    ),
    (
        "product: a, name: aa, enabled: true, separator: ~':', delegationSource: altinn",
        "PV145",
        "`delegationSource` needs",
    ),
    (
        "product: a, name: les/a2, enabled: true, ~delegationSource: altinn",
        "PV145",
        "stays the same",
    ),
    ("product: a, name: aa, enabled: true, atMaxAge: ~29", "PV012", "between 30 and 680"),
    ("product: a, name: aa, enabled: true, atMaxAge: ~681", "PV012", "between 30 and 680"),
    ("product: a, name: aa, enabled: true, atMaxAge: ~30s", "PV012", "write `30`"),
    ("product: a, name: aa, enabled: true, visibility: ~PRIVATE", "PV012", "mean `private`"),
    ("product: a, name: aa, enabled: true, allowedIntegrations: ~krr", "PV012", "in brackets"),
    ("product: a, name: aa, enabled: true, allowedIntegrations: [~kr]", "PV012", "mean `krr`"),
    ("product: a, name: aa, enabled: true, accessibleForAll: ~ja", "PV012", "write `true`"),
    (
        "product: a, name: aa, separator: /, enabled: true, delegationSource: ~[altinn]",
        "PV012",
        "expected a text",
    ),
    (
        "product: a, name: aa, separator: /, enabled: true, delegationSource: ~altin",
        "PV131",
        "mean `altinn`",
    ),
    ("product: a, name: aa, enabled: true, consumers: [~'974761076']", "PV012", "a mapping"),
    (
        "product: a, name: aa, enabled: true, consumers: [~{ name: x }]",
        "PV011",
        "`orgno` is missing",
    ),
    (
        "product: a, name: aa, enabled: true, consumers: [{ orgno: ~974761076 }]",
        "PV012",
        "in quotes",
    ),
    (
        "product: a, name: aa, enabled: true, consumers: [{ orgno: ~'974761077' }]",
        "PV101",
        "is not an organisation number",
    ),
    (
        "product: a, name: aa, enabled: true, accessibleForAll: true, consumers: [~{ orgno: '974761076' }]",
        "PV121",
        "Without `accessibleForAll` an apply closes",
    ),
    ("product: a, name: aa, enabled: true, consumers~:", "PV012", "revoke everybody's access"),
];

#[test]
fn what_is_wrong_with_a_scope_is_reported_with_its_place() {
    for (fields, code, part) in EXPOSED {
        let before = fields.split_once('~').map(|(before, _)| before.chars().count());
        let column = before.map_or(9, |before| 11 + before);
        let lines = format!("scopes:\n  exposes:\n    - {{ {} }}", fields.replace('~', ""));
        expect(&manifest("MaskinportenClient", &lines), code, (7, column), part);
    }
}

fn expect(manifest: &str, code: &str, place: (usize, usize), part: &str) {
    let found = found(CLUSTERS, manifest);
    let reported = said(&found);
    let [one] = found.as_slice() else { panic!("{manifest}\n{reported}") };
    assert_eq!((one.code.code(), (one.line, one.column)), (code, place), "{manifest}\n{reported}");
    assert!(reported.contains(part), "{manifest}\n{reported}");
}

#[test]
fn what_is_wrong_with_a_client_is_reported_with_its_place() {
    for (kind, lines, code, place, part) in [
        ("MaskinportenClient", "scopes: [{ name: 'a:b' }]", "PV012", (5, 11), "below `consumes`"),
        (
            "MaskinportenClient",
            "scopes: { consumes: { name: 'a:b' } }",
            "PV012",
            (5, 23),
            "a list is wanted",
        ),
        (
            "MaskinportenClient",
            "scopes: { consumes: ['a:b'] }",
            "PV012",
            (5, 24),
            "expected a mapping",
        ),
        (
            "MaskinportenClient",
            "scopes: { consumes: [{ name: 'a b' }] }",
            "PV133",
            (5, 32),
            "no scope",
        ),
        ("MaskinportenClient", "scopes: { consumes: [{}] }", "PV011", (5, 24), "`name` is missing"),
        (
            "MaskinportenClient",
            "clientName: ' '\nscopes: { consumes: [{ name: 'a:b' }] }",
            "PV132",
            (5, 15),
            "it is empty",
        ),
        (
            "IDPortenClient",
            "integrationType: maskinporten",
            "PV012",
            (5, 20),
            "one of `idporten`, `krr`, `api_klient`",
        ),
        ("AnsattportenClient", "integrationType: idporten", "PV012", (5, 20), "`ansattporten`"),
        ("IDPortenClient", "accessTokenLifetime: 3601", "PV012", (5, 24), "between 1 and 3600"),
        ("IDPortenClient", "sessionLifetime: 3599", "PV012", (5, 20), "between 3600 and 28800"),
        (
            "IDPortenClient",
            "redirectURI: http://a.example",
            "PV012",
            (5, 16),
            "begin with `https://`",
        ),
        ("IDPortenClient", "redirectURIs: ['https://']", "PV012", (5, 18), "begin with `https://`"),
        (
            "IDPortenClient",
            "postLogoutRedirectURIs: [http://localhost.example]",
            "PV012",
            (5, 28),
            "begin with `https://`",
        ),
        ("IDPortenClient", "accessTokenLifetime: 1h", "PV012", (5, 24), "whole number"),
        (
            "IDPortenClient",
            "redirectURIs: https://a.example",
            "PV012",
            (5, 17),
            "put it in brackets",
        ),
        (
            "IDPortenClient",
            "redirectURIs: [https://a.example, 7]",
            "PV012",
            (5, 37),
            "put it in quotes",
        ),
        ("IDPortenClient", "ssoDisabled: nei", "PV012", (5, 16), "write `false`"),
        ("IDPortenClient", "scopes: ['skatt:a']", "PV134", (5, 11), "cannot have the scope"),
        (
            "IDPortenClient",
            "accessTokenLifetime: 3600\nsessionLifetime: 3600",
            "PV135",
            (6, 20),
            "not more than",
        ),
        ("Application", "maskinporten: { scopes: {} }", "PV011", (5, 17), "`enabled` is missing"),
        ("Application", "maskinporten: { enabled: ja }", "PV012", (5, 28), "write `true`"),
        ("Application", "maskinporten: true", "PV012", (5, 17), "expected a mapping"),
        (
            "Naisjob",
            "maskinporten: { enabled: true, scopes: x }",
            "PV012",
            (5, 42),
            "expected a mapping",
        ),
    ] {
        expect(&manifest(kind, lines), code, place, part);
    }
}

#[test]
fn a_key_with_nothing_behind_it_closes_nothing() {
    for (kind, lines, key) in [
        ("MaskinportenClient", "scopes:\n  exposes:", "exposes"),
        ("MaskinportenClient", "scopes:\n  consumes:", "consumes"),
        ("MaskinportenClient", "scopes:", "scopes"),
        ("Application", "maskinporten:", "maskinporten"),
        ("Naisjob", "maskinporten:\n  enabled: true\n  scopes: ~", "scopes"),
        ("IDPortenClient", "redirectURIs:", "redirectURIs"),
        ("IDPortenClient", "scopes: null", "scopes"),
    ] {
        let found = found(CLUSTERS, &manifest(kind, lines));
        let reported = said(&found);
        let [one] = found.as_slice() else { panic!("{lines}\n{reported}") };
        assert_eq!(one.code.code(), "PV012", "{reported}");
        assert!(reported.contains(&format!("there is nothing behind `{key}`")), "{reported}");
    }
    let bare = "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: a }\nspec:\n";
    let reported = said(&found(CLUSTERS, bare));
    assert!(reported.contains("there is nothing behind `spec`"), "{reported}");
}

#[test]
fn keys_that_nais_does_not_have_are_warned_of() {
    for (kind, lines, place, part) in [
        (
            "Naisjob",
            "image: x\nmaskinportne: { enabled: true }",
            (6, 3),
            "did you mean `maskinporten`",
        ),
        (
            "Application",
            "maskinporten: { enabled: true, scope: {} }",
            (5, 34),
            "did you mean `scopes`",
        ),
        (
            "Application",
            "maskinporten: { enabled: true, scopes: { expose: [] } }",
            (5, 44),
            "did you mean `exposes`",
        ),
        (
            "MaskinportenClient",
            "scopes: { consumes: [{ name: 'a:b', x: 1 }] }",
            (5, 39),
            "known here: `name`",
        ),
        ("MaskinportenClient", "scopes: {}\nredirectURI: x", (6, 3), "is ignored"),
        (
            "MaskinportenClient",
            "scopes: { exposes: [{ product: a, name: aa, enabled: true, atAgeMax: 9 }] }",
            (5, 62),
            "`atMaxAge`",
        ),
        (
            "MaskinportenClient",
            "scopes: { exposes: [{ product: a, name: aa, enabled: true, consumers: [{ orgno: '974761076', until: x }] }] }",
            (5, 96),
            "known here: `orgno`, `name`",
        ),
        ("IDPortenClient", "redirectUri: https://a.example", (5, 3), "did you mean `redirectURI`"),
        ("IDPortenClient", "applicationType: browser", (5, 3), "is ignored"),
        ("IDPortenClient", "secretProtected: true", (5, 3), "is ignored"),
        ("MaskinportenClient", "secretKeyPrefix: x", (5, 3), "is ignored"),
    ] {
        expect(&manifest(kind, lines), "PV018", place, part);
    }
    assert!(
        found(CLUSTERS, &manifest("Application", "x: 1\nmaskinporten: { enabled: true }"))
            .is_empty()
    );
}

#[test]
fn what_no_manifest_and_no_setting_says_is_asked_for() {
    let plain = manifest("MaskinportenClient", "scopes: { consumes: [{ name: 'a:b' }] }");
    let bare = plain.replace(", namespace: arbeid", "");
    assert_snapshot!(said(&found("", &bare)), @r"
    a.yaml:3:19: PV014: the manifest does not say in which cluster this is
      help: say it in portvakt.yaml: `nais: { cluster: prod-gcp }`, or for each environment `nais: { cluster: { prod: …, sandbox: …, test: … } }`
    a.yaml:3:19: PV014: the manifest does not say in which namespace this is
      help: add `namespace: …` below `metadata`, or say it in portvakt.yaml for all: `nais: { namespace: plattform }`
    ");
    assert_snapshot!(said(&found(CLUSTERS, &plain.replace("app", "App"))), @r#"
    a.yaml:3:19: PV014: "App" is not a valid Kubernetes name: it has 1 to 253 of a to z, digits, dashes and dots, the first and the last a letter or a digit
      help: write it as it is at NAIS
    "#);
    assert_snapshot!(said(&found(CLUSTERS, &plain.replace("app", "app, clusterName: prod-gpc"))), @r"
    a.yaml:3:37: PV120: warning: no environment has the cluster `prod-gpc`, so this manifest counts nowhere
      help: did you mean `prod-gcp`? `nais.cluster` in portvakt.yaml has `dev-gcp`, `prod-gcp`
    ");
    assert_snapshot!(said(&found(CLUSTERS, &plain.replace("{ name: app, namespace: arbeid }", "{}"))), @r"
    a.yaml:3:11: PV011: the key `name` is missing
      help: add `name: …`
    ");
    let exposing = manifest(
        "MaskinportenClient",
        "scopes: { exposes: [{ product: a, name: aa, enabled: true }] }",
    );
    let settings = SETTINGS.replace("prefixes: [etat]", "prefixes: [etat, nav]");
    let settings = format!("{settings}nais: {{ cluster: prod-gcp }}\n");
    let files = [("portvakt.yaml", settings.as_bytes()), ("a.yaml", exposing.as_bytes())];
    assert_snapshot!(said(&check(folder(&files).path())), @r"
    a.yaml:5:22: PV014: a manifest does not say which of the organisation's prefixes its scopes have
      help: say it in portvakt.yaml: `nais: { prefix: etat }`
    ");
}

#[test]
fn wrong_settings_for_manifests_are_reported_once() {
    let plain = manifest("MaskinportenClient", "scopes: { consumes: [{ name: 'a:b' }] }");
    let plain = plain.replace(", namespace: arbeid", "");
    for (nais, code, column, part) in [
        ("cluster: Prod, namespace: a", "PV014", 18, "is not a valid Kubernetes name"),
        ("cluster: { prd: a }, namespace: a", "PV106", 20, "did you mean `prod`"),
        ("cluster: { prod: 7 }, namespace: a", "PV012", 26, "a cluster's name"),
        ("cluster: [a], namespace: a", "PV012", 18, "one for each environment"),
        ("cluster: , namespace: a", "PV012", 16, "nothing behind this key"),
        ("cluster: a, namespace: A", "PV014", 32, "is not a valid Kubernetes name"),
        ("cluster: a, namespace: a, prefix: nav", "PV103", 43, "is not one of the `prefixes`"),
        ("cluster: a, namespace: a, prefx: etat", "PV010", 35, "did you mean `prefix`"),
    ] {
        let found = found(&format!("nais: {{ {nais} }}"), &plain);
        let reported = said(&found);
        let codes: Vec<_> = found.iter().filter(|one| &*one.file == "portvakt.yaml").collect();
        let [one] = codes.as_slice() else { panic!("{nais}\n{reported}") };
        assert_eq!(
            (one.code.code(), one.line, one.column),
            (code, 12, column),
            "{nais}\n{reported}"
        );
        assert!(reported.contains(part), "{nais}\n{reported}");
    }
}

#[test]
fn a_repository_has_a_bounded_number_of_clusters() {
    let check = |clusters: usize| {
        let names = 0..clusters;
        let environments: String =
            names.clone().map(|n| format!("  e{n}: {{ target: sandbox }}\n")).collect();
        let each: Vec<_> = names.map(|n| format!("e{n}: c{n}")).collect();
        let settings = format!(
            "organization: {{ orgno: '889640782' }}\nprefixes: [etat]\nenvironments:\n{environments}\
             nais: {{ cluster: {{ {} }} }}\n",
            each.join(", ")
        );
        said(&check(folder(&[("portvakt.yaml", settings.as_bytes())]).path()))
    };
    assert_eq!(check(8), "");
    assert!(check(9).contains("more than 8 clusters"), "{}", check(9));
}

#[test]
fn resources_of_other_kinds_are_skipped() {
    for text in [
        "apiVersion: nais.io/v1\nkind: AzureAdApplication\n",
        "apiVersion: kafka.nais.io/v1\nkind: Topic\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: { source: x }\n",
        "apiVersion: v1\nkind: ConfigMap\ndata: { a: &b { c: d }, e: { <<: *b } }\n",
        "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec: { groups: [] }\n",
    ] {
        assert_eq!(said(&found("", text)), "", "{text}");
        let beside = format!("{text}---\n{}", exposing("product: a, name: aa, enabled: true"));
        let repository = super::read(CLUSTERS, &[("a.yaml", &beside)]);
        assert_eq!(super::desired(&repository, "prod").scopes.len(), 1, "{text}");
    }
    for text in ["kind: Application\nspec: { image: x }\n", "apiVersion: 7\nkind: Naisjob\n"] {
        let reported = said(&found(CLUSTERS, text));
        assert!(reported.contains("PV013"), "{reported}");
    }
    let headless = exposing("product: a, name: aa, enabled: true");
    let (_, headless) = headless.split_once("kind: Application\n").unwrap();
    let reported = said(&found(CLUSTERS, headless));
    assert!(reported.contains("PV013") && reported.contains("`kind: Application`"), "{reported}");
    assert!(!reported.contains("exclude"), "{reported}");
    // Kubernetes would refuse a misspelt kind; skipped, it would close what it declared.
    let reported = said(&found(CLUSTERS, "apiVersion: nais.io/v1\nkind: MaskinportenCient\n"));
    assert!(reported.contains("did you mean `MaskinportenClient`?"), "{reported}");
    for text in [
        "apiVersion: nias.io/v1\nkind: MaskinportenClient\n",
        "apiVersion: nias.io/v1\nkind: Application\nspec: { maskinporten: { enabled: true } }\n",
    ] {
        let reported = said(&found(CLUSTERS, text));
        assert!(reported.contains("PV013") && reported.contains("no group of NAIS"), "{reported}");
    }
    assert!(!reported.contains("exclude"), "{reported}");
    // With keys of declarations it is no manifest.
    let reported = said(&found(CLUSTERS, "kind: MaskinportenClient\nscopes: []\n"));
    assert!(reported.contains("PV010"), "{reported}");
}

#[test]
fn a_template_without_values_is_reported_to_be_one() {
    let templates = [
        manifest("MaskinportenClient", "scopes: { consumes: [{ name: {{ scope }} }] }"),
        manifest("MaskinportenClient", "scopes: { consumes: [{ name: '{{ scope }}' }] }"),
        manifest("MaskinportenClient", "scopes: {{ scopes }}"),
        manifest("MaskinportenClient", "scopes: {}").replace("name: app", "name: {{ app }}"),
        manifest("Application", "maskinporten: { enabled: {{ enabled }} }"),
        manifest("Application", "{{#if x}}\nmaskinporten: { enabled: true }\n{{/if}}"),
        manifest(
            "Application",
            "maskinporten:\n  {{#each scopes as |scope|}}\n  - {{scope}}\n  {{/each}}",
        ),
    ];
    for template in templates {
        let found = found(CLUSTERS, &template);
        let reported = said(&found);
        assert!(
            reported.contains("template")
                && reported.contains("nais: { vars:")
                && !reported.contains("exclude"),
            "{template}\n{reported}"
        );
        assert_eq!(found.len(), 1, "{reported}");
    }
    // What is not looked at may be anything that YAML reads.
    let beside = manifest("Application", "image: {{ image }}\nmaskinporten: { enabled: true }");
    assert_eq!(said(&found(CLUSTERS, &beside)), "");
}

#[test]
fn a_scope_in_a_manifest_and_in_yaml_is_declared_twice() {
    let manifest = manifest(
        "MaskinportenClient",
        "scopes: { exposes: [{ product: a, name: aa, enabled: true }], consumes: [{ name: 'a:b' }] }",
    );
    let yaml = "scopes:\n  - { name: etat:a:aa, description: A, environments: [prod] }\nclients:\n  - name: dev-gcp:arbeid:app\n";
    let folder = repository(CLUSTERS, &[("a.yaml", &manifest), ("b.yaml", yaml)]);
    assert_snapshot!(said(&check(folder.path())), @r"
    b.yaml:2:13: PV108: the scope `etat:a:aa` is declared twice
      a.yaml:5:43: first declared here
      help: keep one of them, or give the two `environments` that do not overlap
    b.yaml:4:11: PV138: the client `dev-gcp:arbeid:app` is declared twice
      a.yaml:3:19: first declared here
      help: keep one of them, or give the two `environments` that do not overlap
    ");
    let elsewhere = yaml.replace("[prod]", "[prod, test]").replace("dev-gcp", "fss");
    let other = manifest
        .replace("arbeid }", "arbeid, clusterName: dev-gcp }")
        .replace("consumes", "consume");
    let folder =
        repository(CLUSTERS, &[("a.yaml", &other), ("b.yaml", &yaml.replace("dev-gcp", "fss"))]);
    let found = check(folder.path());
    assert!(found.iter().all(|found| !found.is_error()), "{}", said(&found));
    let folder = repository(CLUSTERS, &[("a.yaml", &other), ("b.yaml", &elsewhere)]);
    assert!(check(folder.path()).iter().any(|found| found.code.code() == "PV108"));
}

#[test]
fn a_manifest_is_never_fixed() {
    let wrong = manifest(
        "MaskinportenClient",
        "scopes:\n  exposes:\n    - { product: a, name: aa, enabled: true, visibility: Public, \
         consumers: [{ orgno: 974761076 }, { orgno: '971040238' }] }",
    );
    let sorted = format!("{CLUSTERS}\nnaming: [{{ preset: sorted-consumers }}]");
    let right = wrong.replace("Public", "public").replace("974761076", "'974761076'");
    for text in [wrong, right] {
        let folder = repository(&sorted, &[("a.yaml", &text)]);
        let found = check(folder.path());
        assert!(!found.is_empty());
        assert!(
            apply_fixes(folder.path(), &Index::default(), &found).is_empty(),
            "{}",
            said(&found)
        );
        // What stands beside it in its file is.
        let beside = |key: &str| format!("{text}---\nscopes: [{{ name: etat:b, {key}: B }}]\n");
        let folder = repository(&sorted, &[("a.yaml", &beside("descripton"))]);
        let [fixed] = &apply_fixes(folder.path(), &Index::default(), &check(folder.path()))[..]
        else {
            panic!("{text}")
        };
        assert_eq!(fixed.after, beside("description"));
    }
}

#[test]
fn keys_are_not_put_into_a_manifest() {
    let plain = manifest("MaskinportenClient", "scopes: { consumes: [{ name: 'a:b' }] }");
    let folder = repository(CLUSTERS, &[("a.yaml", &plain)]);
    let repository = crate::declare::load(folder.path()).unwrap();
    let name = "prod-gcp:arbeid:app".parse().unwrap();
    let error = repository.with_key_file("prod", &name, "x.json").unwrap_err().to_string();
    assert!(error.contains("a manifest of NAIS, which holds no keys"), "{error}");
}
