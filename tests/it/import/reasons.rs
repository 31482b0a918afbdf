//! Each reason for leaving something out, and that the rest is still declared.

use domain::{Live, Oddity, OddityOf, OwnClient};
use portvakt::adopt::Layout;
use serde_json::json;

use super::live::{Repo, jwk, left_out, live, shown};

const SETTINGS: &str = r#"
organization: { orgno: "889640782", name: Etaten }
prefixes: [etat]
environments:
  test: { target: test, credentials: { client_id: x, key: { env: K } } }
"#;

/// The report of left-out entities; the plan of the rest is empty.
fn message(settings: &str, live: &Live) -> String {
    let repo = Repo::new(settings, &[]);
    let made = repo.import(&[("test", live)], Layout::ByProduct).unwrap();
    let plan = repo.with(&made).plan("test", live);
    assert!(plan.actions.is_empty() && plan.blocked.is_empty(), "{plan:#?}\n{}", shown(&made));
    assert!(shown(&made).contains("etat:god"), "{}", shown(&made));
    left_out(&made).join("\n")
}

#[test]
fn scopes() {
    let mut live = live(
        json!({
            "etat:god": { "description": "God" },
            "etat:tom": { "description": " " },
            "etat:stum": {},
            "etat:klokke": { "description": "a\u{7}b" },
            "etat:hemmelig": { "description": "x", "visibility": "SECRET" },
            "etat:evig": { "description": "x", "at_max_age": -1 },
            "etat:tall": { "description": 7 },
            "etat:lang": { "description": "x", "long_description": "100 %" },
            "etat:ukjent-type": { "description": "x", "allowed_integration_types": ["altinn4"] },
            "etat:delegert": { "description": "x", "delegation_source": "https://borte.no/" },
            "ny:prefiks": { "description": "x" },
            "etat:uklar": { "description": "x", "unclear": true },
            "etat:ulest": { "description": "x" },
            "etat:to": { "description": "x" },
            "etat:tilstand": { "description": "x", "access": { "974761076": ["PENDING", "Skatt"] } },
            "etat:spurt": { "description": "x", "access": { "974761076": ["REQUESTED", null] } },
        }),
        json!({}),
    );
    live.scopes.get_mut(&"etat:ulest".parse().unwrap()).unwrap().accesses = None;
    let of = OddityOf::TwoScopes("etat:to".parse().unwrap());
    live.oddities.push(Oddity { of, entity: "etat:to".to_owned(), what: "to".to_owned() });
    insta::assert_snapshot!(message(SETTINGS, &live), @r"
    scope etat:delegert in test: declaring it would change it: DigDir has no delegation source 'https://borte.no/'; it has: altinn
    scope etat:evig: PV012: expected a whole number, 0 or more, found the number `-1`
    scope etat:hemmelig: PV012: `SECRET` is not an allowed value
    scope etat:klokke: PV113: the description holds a character that cannot be seen
    scope etat:lang: PV113: DigDir refuses a long description that holds `%`
    scope etat:stum: PV113: the description is empty
    scope etat:tall: PV113: the description is empty
    scope etat:to in test: DigDir lists two different scopes of this name
    scope etat:tom: PV113: the description is empty
    scope etat:ukjent-type: PV012: `altinn4` is not an allowed value
    scope etat:uklar in test: DigDir lists accesses to it that cannot be understood: declaring the others would not say who has access. Have them cleared up at DigDir
    scope etat:ulest in test: its accesses were not read
    scope ny:prefiks: PV103: `ny:prefiks` lies outside the organisation's prefixes
    access of 974761076 to etat:spurt in test: 974761076 asks for access: it was not imported, as declaring it would approve it
    access of 974761076 to etat:tilstand in test: the access is in the state PENDING, which DigDir does not document: it was not imported, as declaring it would give access
    ");
}

#[test]
fn what_a_manifest_declares_is_declared() {
    let settings = format!("{SETTINGS}nais: {{ cluster: prod-gcp }}\n");
    let manifest = "apiVersion: nais.io/v1\n\
                    kind: MaskinportenClient\n\
                    metadata: { name: aareg, namespace: arbeid }\n\
                    spec: { secretName: x, scopes: { consumes: [{ name: etat:god }] } }\n";
    let live = live(
        json!({ "etat:god": { "description": "God" } }),
        json!({
            "a-1": { "client_name": "ETATEN", "description": "prod-gcp:arbeid:aareg" },
            "a-2": { "client_name": "ETATEN", "description": "Laget for hånd" },
        }),
    );
    let repo = Repo::new(&settings, &[("nais.yaml", manifest)]);
    let made = repo.import(&[("test", &live)], Layout::Single).unwrap();
    assert_eq!((left_out(&made).as_slice(), made.declared), (&[][..], 1));
    insta::assert_snapshot!(shown(&made), @r#"
    === maskinporten.yaml
    # yaml-language-server: $schema=.schema/declarations.json

    scopes:
      - name: etat:god
        description: God

    clients:
      - name: ETATEN
        client_id: "a-2"
        description: Laget for hånd
    "#);
    let plan = repo.with(&made).plan("test", &live);
    assert!(
        plan.actions.iter().all(|action| action.client_id().map(|id| id.as_str()) == Some("a-1")),
        "{plan:#?}"
    );
    assert!(plan.blocked.is_empty(), "{plan:#?}");
}

#[test]
fn clients() {
    let mut live = live(
        json!({ "etat:god": { "description": "God" } }),
        json!({
            "a-1": { "client_name": "god" },
            "a-3": { "client_name": "skjult\u{202e}" },
            "a-4": { "client_name": "" },
            "a-5": { "client_name": "x".repeat(300) },
            "a-6": { "client_name": "ny", "integration_type": "altinn4" },
            "a-7": { "client_name": "oss" },
            "b-1": { "client_name": "tvilling" },
            "b-2": { "client_name": "tvilling" },
            "c-1": { "client_name": "krr", "integration_type": "krr", "scopes": ["etat:god"] },
            "c-2": { "client_name": "native", "application_type": "native" },
            "c-3": { "client_name": "evig", "access_token_lifetime": 1.5 },
            "d-1": { "client_name": "uten-kid", "keys": [{ "kty": "RSA", "e": "AQAB", "n": jwk("x", 3)["n"] }] },
            "d-2": { "client_name": "kort", "keys": [{ "kty": "RSA", "e": "AQAB", "n": "AQAB", "kid": "k" }] },
            "d-3": { "client_name": "dobbel", "keys": [jwk("a", 5), jwk("b", 5)] },
            "d-4": { "client_name": "mange", "keys": [
                jwk("1", 11), jwk("2", 13), jwk("3", 17), jwk("4", 19), jwk("5", 23), jwk("6", 29),
            ] },
            "e-1": { "client_name": "rart", "integration_type": "idporten", "scopes": ["openid", "profile"],
                "onbehalfof": { "a": {} } },
        }),
    );
    live.own_client = Some(OwnClient {
        id: "a-7".parse().unwrap(),
        kid: None,
        key_expires: None,
        certificate_expires: None,
    });
    let of = OddityOf::OnBehalfOf("e-1".parse().unwrap());
    live.oddities.push(Oddity { of, entity: "e-1".to_owned(), what: "rart".to_owned() });
    insta::assert_snapshot!(message(SETTINGS, &live), @r"
    client  (a-4) in test: a client cannot be declared under this name: it is empty. Rename it in DigDir's web
    client evig: PV012: expected a whole number, 0 or more, found the number `1.5`
    client krr: PV134: a client of krr cannot have the scope `etat:god`
    client native: PV134: a client of maskinporten has no `application_type: native`
    client ny (a-6) in test: it is of the integration_type altinn4, which portvakt does not know
    client oss (a-7) in test: it is the client that portvakt itself works with here: a change to it could lock it out
    client skjult� (a-3) in test: a client cannot be declared under this name: it holds '\u{202e}'. Rename it in DigDir's web
    client tvilling in test: several active clients are called so (b-1, b-2), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web
    client xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… (a-5) in test: a client cannot be declared under this name: it has more than 255 characters. Rename it in DigDir's web
    client dobbel in test: its keys were not imported, and stay as they are live: one of them is registered twice
    client kort in test: its keys were not imported, and stay as they are live: the key k: it has 17 bits; DigDir takes 2048 or more
    client mange in test: its keys were not imported, and stay as they are live: there are 6, and 5 at most can be declared
    client uten-kid in test: its keys were not imported, and stay as they are live: one of them has no kid
    client rart in test: on whose behalf it acts was not imported, and stays as it is live: DigDir lists entries that cannot be named
    ");
}

#[test]
fn a_default_that_cannot_be_undone() {
    let live = live(
        json!({ "etat:god": { "description": "God" } }),
        json!({
            "a-1": { "client_name": "maskin" },
            "a-2": { "client_name": "innlogging", "integration_type": "idporten",
                "scopes": ["openid", "profile"], "supplier_orgno": "974761076" },
        }),
    );
    let settings = format!(
        "{SETTINGS}defaults: {{ client: {{ refresh_token_lifetime: 900, supplier_orgno: \"974761076\" }} }}\n"
    );
    insta::assert_snapshot!(message(&settings, &live), @r#"client maskin in test: declaring it would change it: supplier_orgno from null to "974761076", refresh_token_lifetime from null to 900"#);
}

#[test]
fn names_that_hide_something_are_no_aliases() {
    let both =
        |name: &str| json!({ "974761076": name, "971040238": "KARTVERKET", "991825827": name });
    for hostile in ["", " ", "Ev\u{202e}il", "a\u{0}b", "!!!", "12345"] {
        let live = live(
            json!({
                "etat:god:a": { "description": "x", "access": both(hostile) },
                "etat:god:b": { "description": "x", "access": both(hostile) },
            }),
            json!({}),
        );
        let repo = Repo::new(SETTINGS, &[]);
        let made = repo.import(&[("test", &live)], Layout::Single).unwrap();
        assert!(
            shown(&made).contains(r#"god: ["974761076", "991825827", kartverket]"#),
            "{}",
            shown(&made)
        );
    }
    // Two with the same name get different aliases, and words that YAML does not read as text are avoided.
    for (name, alias) in [("Oslo", "oslo"), ("YES", "yes"), ("Null", "null"), ("1E3", "1e3")] {
        let live = live(
            json!({
                "etat:god:a": { "description": "x", "access": both(name) },
                "etat:god:b": { "description": "x", "access": both(name) },
            }),
            json!({}),
        );
        let repo = Repo::new(SETTINGS, &[]);
        let made = repo.import(&[("test", &live)], Layout::Single).unwrap();
        let text = shown(&made);
        assert!(text.contains(&format!("{alias}-974761076")), "{text}");
        assert!(text.contains(&format!("{alias}-991825827")), "{text}");
    }
}

#[test]
fn a_rule_that_a_default_breaks_is_silenced_where_it_is_broken() {
    let settings = format!(
        "{SETTINGS}defaults:\n  scope: {{ visibility: PUBLIC, token_type: OPAQUE }}\n  \
           client: {{ token_endpoint_auth_method: client_secret_basic }}\n\
         naming:\n  \
           - {{ rule: closed, applies_to: scope, field: visibility, pattern: '^PRIVATE$', message: closed }}\n"
    );
    let live = live(
        json!({
            "etat:god": { "description": "God", "visibility": "PRIVATE", "token_type": "OPAQUE" },
            "etat:open": { "description": "Åpen", "token_type": "OPAQUE" },
        }),
        json!({
            "a-1": { "client_name": "gal", "token_endpoint_auth_method": "client_secret_basic" },
            "a-2": { "client_name": "god" },
        }),
    );
    let repo = Repo::new(&settings, &[]);
    let made = repo.import(&[("test", &live)], Layout::Single).unwrap();
    insta::assert_snapshot!(shown(&made), @r"
    === maskinporten.yaml
    # yaml-language-server: $schema=.schema/declarations.json

    scopes:
      - name: etat:god
        description: God
        visibility: PRIVATE

      # portvakt: allow closed -- live before the rule
      - name: etat:open
        description: Åpen
        visibility: PUBLIC
        token_type: OPAQUE

    clients:
      - name: god
        token_endpoint_auth_method: private_key_jwt
    ");
    insta::assert_snapshot!(message(&settings, &live), @r"client gal: PV134: a client of maskinporten cannot prove itself by `client_secret_basic`");
}

#[test]
fn what_would_take_more_comments_than_a_file_may_have_is_reported() {
    let settings = format!(
        "{SETTINGS}naming:\n  \
           - {{ rule: long, applies_to: scope, field: description, pattern: '^.{{9,}}$', message: long }}\n"
    );
    let scopes: serde_json::Map<_, _> =
        (0..230).map(|n| (format!("etat:god{n:03}"), json!({ "description": "kort" }))).collect();
    let live = live(scopes.into(), json!({}));
    let message = message(&settings, &live);
    assert_eq!(message.lines().count(), 30, "{message}");
    insta::assert_snapshot!(message.lines().next().unwrap(), @r"scope etat:god200: PV150: more comments to this program than are heeded in one file");
}

#[test]
fn a_file_that_would_not_be_read_is_not_made() {
    let text = "lang ".repeat(20_000);
    let scopes: serde_json::Map<_, _> =
        (0..12).map(|n| (format!("etat:p{n}:a"), json!({ "description": text }))).collect();
    let live = live(scopes.into(), json!({}));
    let repo = Repo::new(SETTINGS, &[]);
    let import = |layout| repo.import(&[("test", &live)], layout);
    let error = import(Layout::Single).unwrap_err().to_string();
    assert_eq!(
        error,
        "maskinporten.yaml would be larger than 1 MiB, and not be read: choose another --layout"
    );
    assert_eq!(import(Layout::ByProduct).unwrap().counts.scopes, 12);
    let excluding = Repo::new(&format!("{SETTINGS}exclude: ['etat/**']\n"), &[]);
    let error = excluding.import(&[("test", &live)], Layout::ByProduct).unwrap_err().to_string();
    assert!(error.starts_with("etat/p0.yaml would not be read"), "{error}");
}

#[test]
fn what_a_policy_does_not_know_is_left_out() {
    let settings = format!(
        "{SETTINGS}policies:\n  \
           - {{ rule: first, applies_to: scope, expression: 'scope.consumers[0] != \"\"', message: first }}\n"
    );
    let access = json!({ "974761076": "SKATTEETATEN" });
    let mut scopes: serde_json::Map<_, _> =
        (0..60).map(|n| (format!("etat:tom{n:02}"), json!({ "description": "Tom" }))).collect();
    scopes.insert("etat:god".to_owned(), json!({ "description": "God", "access": access }));
    let live = live(scopes.into(), json!({}));
    let message = message(&settings, &live);
    assert_eq!(message.lines().count(), 60, "{message}");
    insta::assert_snapshot!(message.lines().next().unwrap(), @r"scope etat:tom00: PV118: the policy cannot be evaluated for `etat:tom00`: no such item: 0");
}
