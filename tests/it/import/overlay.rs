//! Several environments in one import: their common parts, and differences in some.

use domain::Live;
use portvakt::adopt::Layout;
use serde_json::json;

use super::live::{Repo, jwk, left_out, live, shown};

const SETTINGS: &str = r#"
organization: { orgno: "889640782", name: Etaten }
prefixes: [etat]
environments:
  test: { target: test, credentials: { client_id: x, key: { env: K } } }
  prod: { target: prod, credentials: { client_id: x, key: { env: K } } }
  sandbox: { target: sandbox }
"#;

/// The declarations, after which the plan of each side is empty.
fn made(repo: &Repo, sides: &[(&str, &Live)]) -> String {
    let made = repo.import(sides, Layout::Single).unwrap();
    let with = repo.with(&made);
    for (environment, live) in sides {
        let plan = with.plan(environment, live);
        assert!(plan.actions.is_empty() && plan.blocked.is_empty(), "{plan:#?}\n{}", shown(&made));
    }
    let text = made.files.iter().find(|file| file.path == "maskinporten.yaml");
    let message: String = left_out(&made).iter().map(|line| format!("# {line}\n")).collect();
    text.map(|file| file.text.clone()).unwrap_or_default() + &message
}

#[test]
fn what_differs_is_reported_where_it_differs() {
    let prod = live(
        json!({
            "etat:lik": { "description": "Lik", "access": { "974761076": "SKATTEETATEN" } },
            "etat:ulik": {
                "description": "Ulik", "at_max_age": 30, "long_description": "Mer",
                "delegation_source": "https://www.altinn.no/",
                "access": { "974761076": "SKATTEETATEN", "971040238": "KARTVERKET" },
            },
            "etat:prod": { "description": "Bare i prod" },
        }),
        json!({
            "p-1": { "client_name": "sync", "scopes": ["etat:lik"], "keys": [jwk("prod", 3)] },
            "p-2": { "client_name": "gammel", "active": false },
            "p-3": { "client_name": "gammel", "supplier_orgno": "991825827" },
        }),
    );
    let mut test = live(
        json!({
            "etat:lik": { "description": "Lik", "access": { "974761076": "SKATTEETATEN" } },
            "etat:ulik": {
                "description": "Ulik i test", "at_max_age": 600,
                "delegation_source": "https://tt02.altinn.no/",
                "access": { "313367002": "SYNTETISK ETAT", "974761076": "SKATTEETATEN" },
            },
            "etat:test": { "description": "Bare i test", "access": { "313367002": "SYNTETISK ETAT" } },
        }),
        json!({
            "t-1": { "client_name": "sync", "scopes": ["etat:lik", "etat:test"], "keys": [jwk("test", 5)] },
            "t-2": { "client_name": "gammel" },
        }),
    );
    test.delegation_sources[0].issuer = "https://tt02.altinn.no/".to_owned();
    let repo = Repo::new(SETTINGS, &[]);
    insta::assert_snapshot!(made(&repo, &[("prod", &prod), ("test", &test)]), @r#"
    # yaml-language-server: $schema=.schema/declarations.json

    consumers:
      skatteetaten: { orgno: "974761076", name: SKATTEETATEN }
      syntetisk-etat: { orgno: "313367002", name: SYNTETISK ETAT, environments: [sandbox, test] }

    scopes:
      - name: etat:lik
        description: Lik
        consumers:
          - skatteetaten

      - name: etat:prod
        description: Bare i prod
        environments: [prod]

      - name: etat:test
        description: Bare i test
        environments: [test]
        consumers:
          - syntetisk-etat

      - name: etat:ulik
        description: Ulik
        long_description: Mer
        at_max_age: 30
        delegation_source: altinn
        consumers:
          - { consumer: "971040238", environments: [prod] }
          - skatteetaten
          - { consumer: syntetisk-etat, environments: [test] }
        per_environment:
          test: { description: Ulik i test, long_description: "", at_max_age: 600 }

    clients:
      - name: gammel
        per_environment:
          prod: { client_id: "p-3", supplier_orgno: "991825827" }

      - name: sync
        scopes: [etat:lik]
        jwks: keys/sync.jwks.json
        per_environment:
          test: { scopes: [etat:lik, etat:test], jwks: keys/sync-test.jwks.json }
    "#);
}

#[test]
fn keys_that_cannot_be_declared_in_one_stay_there_as_they_are() {
    let of = |keys| live(json!({}), json!({ "c": { "client_name": "sync", "keys": keys } }));
    let unusable = json!({ "kty": "RSA", "e": "AQAB", "n": "AQAB", "kid": "kort" });
    let (prod, test) = (of(json!([jwk("a", 3)])), of(json!([unusable])));
    let repo = Repo::new(SETTINGS, &[]);
    insta::assert_snapshot!(made(&repo, &[("prod", &prod), ("test", &test)]), @r"
    # yaml-language-server: $schema=.schema/declarations.json

    clients:
      - name: sync
        per_environment:
          prod: { jwks: keys/sync-prod.jwks.json }
    # client sync in test: its keys were not imported, and stay as they are live: the key kort: it has 17 bits; DigDir takes 2048 or more
    ");
    let none = of(json!([]));
    insta::assert_snapshot!(made(&repo, &[("prod", &prod), ("test", &none)]), @r"
    # yaml-language-server: $schema=.schema/declarations.json

    clients:
      - name: sync
        jwks: keys/sync.jwks.json
        per_environment:
          test: { jwks: [] }
    ");
}

#[test]
fn nothing_comes_to_life_where_it_was_not_read() {
    let live = live(
        json!({ "etat:a": { "description": "A" } }),
        json!({ "c": { "client_name": "sync" } }),
    );
    let repo = Repo::new(SETTINGS, &[]);
    let text = made(&repo, &[("prod", &live)]);
    assert_eq!(text.matches("environments: [prod]").count(), 2, "{text}");
    // A declaration of another environment is not declared twice there.
    let settings = r#"
organization: { orgno: "889640782", name: Etaten }
prefixes: [etat]
environments:
  prod: { target: prod, credentials: { client_id: x, key: { env: K } } }
  sandbox: { target: sandbox }
"#;
    let declared = "scopes:\n  - { name: etat:a, description: B, environments: [sandbox] }\n\
                    clients:\n  - { name: sync, environments: [sandbox] }\n";
    let repo = Repo::new(settings, &[("ours.yaml", declared)]);
    let text = made(&repo, &[("prod", &live)]);
    assert_eq!(text.matches("environments: [prod]").count(), 2, "{text}");
    // The only environment beside the embedded sandbox is not named.
    let text = made(&Repo::new(settings, &[]), &[("prod", &live)]);
    assert!(!text.contains("environments"), "{text}");
}

#[test]
fn clients_of_one_name_and_two_kinds_are_two() {
    let of = |kind| {
        let scopes = if kind == "idporten" { json!(["openid", "profile"]) } else { json!([]) };
        live(
            json!({}),
            json!({ "c": { "client_name": "sync", "integration_type": kind, "scopes": scopes } }),
        )
    };
    let (prod, test) = (of("maskinporten"), of("idporten"));
    let repo = Repo::new(SETTINGS, &[]);
    insta::assert_snapshot!(made(&repo, &[("prod", &prod), ("test", &test)]), @r"
    # yaml-language-server: $schema=.schema/declarations.json

    clients:
      - name: sync
        integration_type: idporten
        environments: [test]

      - name: sync
        environments: [prod]
    ");
}

#[test]
fn a_scope_that_cannot_be_declared_in_one_is_declared_in_the_other() {
    let of = |source| {
        live(json!({ "etat:a": { "description": "A", "delegation_source": source } }), json!({}))
    };
    let (prod, test) = (of("https://www.altinn.no/"), of("https://borte.no/"));
    let repo = Repo::new(SETTINGS, &[]);
    insta::assert_snapshot!(made(&repo, &[("prod", &prod), ("test", &test)]), @r"
    # yaml-language-server: $schema=.schema/declarations.json

    scopes:
      - name: etat:a
        description: A
        delegation_source: altinn
        environments: [prod]
    # scope etat:a in test: declaring it would change it: DigDir has no delegation source 'https://borte.no/'; it has: altinn
    ");
}

#[test]
fn aliases_and_groups_of_the_repository_are_used_where_they_count() {
    let declared = r#"consumers:
  skatt: { orgno: "974761076", environments: [prod] }
  kart: { orgno: "971040238" }
  digdir: { orgno: "991825827" }
groups:
  alle: [skatt, kart, digdir]
"#;
    let access =
        json!({ "974761076": "SKATTEETATEN", "971040238": "KARTVERKET", "991825827": "DIGDIR" });
    let state = live(
        json!({
            "etat:a": { "description": "A", "access": access },
            "etat:b": { "description": "B", "access": access },
        }),
        json!({}),
    );
    let repo = Repo::new(SETTINGS, &[("consumers.yaml", declared)]);
    let prod = made(&repo, &[("prod", &state)]);
    assert!(
        prod.contains("- group: alle") && !prod.contains("consumers:\n  skatteetaten"),
        "{prod}"
    );
    // In test, the group has no skatt.
    insta::assert_snapshot!(made(&repo, &[("prod", &state), ("test", &state)]), @r#"
    # yaml-language-server: $schema=.schema/declarations.json

    consumers:
      skatteetaten: { orgno: "974761076", name: SKATTEETATEN }

    groups:
      etat-group: [digdir, kart, skatteetaten]

    scopes:
      - name: etat:a
        description: A
        consumers:
          - group: etat-group

      - name: etat:b
        description: B
        consumers:
          - group: etat-group
    "#);
}
