//! The program itself, over HTTP.

use domain::AccessState::{Approved, Denied, Requested};
use domain::{IntegrationType, ScopeAttributes};
use serde_json::json;

use crate::world::{DIGDIR, KART, OWNER, SKATT, World, name, orgno};

const TEAMS: &str =
    "teams:\n  arbeid: { path: teams/arbeid, scopes: ['etat:arbeid*'], clients: ['*:arbeid:*'] }\n";

/// A few scopes and clients that are not declared.
pub(super) fn world() -> World {
    let world = World::new();
    let three = [(SKATT, Approved), (KART, Approved), (DIGDIR, Approved)];
    world.put("etat:arbeid:a.read", true, &three);
    world.put("etat:arbeid:a.write", true, &three);
    world.put("etat:helse/b", true, &[(SKATT, Approved), (KART, Denied)]);
    world.put("etat:borte", false, &[(SKATT, Approved)]);
    world.put_client("id-1", "prod:arbeid:sync", true, &["etat:helse/b"]);
    world.put_client("id-2", "gammel", false, &[]);
    world
}

pub(super) fn read(world: &World, file: &str) -> String {
    std::fs::read_to_string(world.folder().join(file))
        .unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The YAML files, in order.
pub(super) fn files(world: &World) -> Vec<String> {
    fn walk(folder: &std::path::Path, above: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{above}{}", entry.file_name().to_str().unwrap());
            match entry.file_type().unwrap().is_dir() {
                true => walk(&entry.path(), &format!("{name}/"), found),
                false => found.push(name),
            }
        }
    }
    let mut found = Vec::new();
    walk(world.folder(), "", &mut found);
    found.sort();
    found
}

#[test]
fn every_layout_is_followed_by_an_empty_plan() {
    for (layout, wanted) in [
        ("single", &["maskinporten.yaml", "portvakt.yaml"][..]),
        ("by-prefix", &["clients.yaml", "consumers.yaml", "etat.yaml", "portvakt.yaml"]),
        ("by-product", &["consumers.yaml", "etat/arbeid.yaml", "etat/helse.yaml", "portvakt.yaml"]),
        (
            "by-team",
            &[
                "consumers.yaml",
                "etat/helse.yaml",
                "portvakt.yaml",
                "teams/arbeid/clients.yaml",
                "teams/arbeid/scopes.yaml",
            ],
        ),
    ] {
        let world = world();
        if layout == "by-team" {
            world.settings(TEAMS);
        }
        let ran = world.run(&["import", "--layout", layout]);
        assert_eq!(ran.code, 0, "{layout}: {}", ran.stderr);
        assert_eq!(files(&world), wanted, "{layout}");
        world.is_settled();
        assert_eq!(world.run(&["validate"]).code, 0);
    }
}

#[test]
fn what_was_written_and_what_is_next_is_reported() {
    let world = world();
    let ran = world.run(&["import"]);
    insta::assert_snapshot!(ran.stdout, @r"
    consumers.yaml: 3 aliases, 1 group
    etat/arbeid.yaml: 2 scopes with 6 accesses, 1 client
    etat/helse.yaml: 1 scope with 1 access
    Imported from test: 3 scopes with 7 accesses, 1 client, 3 aliases, 1 group
    ");
    insta::assert_snapshot!(ran.stderr, @r"
    left out: client portvakt (portvakt) in test: it is the client that portvakt itself works with here: a change to it could lock it out
    One thing was left out, see above. Next: look through the files, see that `portvakt plan -e test` is empty, and commit them
    ");
    // With teams the layout is theirs.
    let world = self::world();
    world.settings(TEAMS);
    assert!(world.run(&["import"]).stdout.contains("teams/arbeid/scopes.yaml: 2 scopes"));
    // The second time there is nothing left.
    let again = world.run(&["import"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""));
    insta::assert_snapshot!(again.stderr, @r"
    left out: client portvakt (portvakt) in test: it is the client that portvakt itself works with here: a change to it could lock it out
    nothing to import: 4 that match are declared or named by `removed` already
    ");
}

#[test]
fn nothing_is_overwritten_and_nothing_written_beside_what_is_there() {
    let world = world();
    world.write("consumers.yaml", "# ours\nconsumers:\n  x: { orgno: \"974761076\" }\n");
    world.write("etat/helse.yaml", "scopes: []\n");
    let before = files(&world);
    let ran = world.run(&["import", "--layout", "by-product"]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stderr, @r"error: consumers.yaml, etat/helse.yaml are there already, and nothing is overwritten: add to what is there with --merge, or write elsewhere with --into DIR or another --layout. Nothing was written");
    assert_eq!(files(&world), before);
    // Another folder is free; the existing alias is used.
    let ran = world.run(&["import", "--into", "live/now"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(read(&world, "live/now/etat/helse.yaml").contains("consumers:\n      - x\n"));
    assert!(
        read(&world, "live/now/consumers.yaml")
            .contains("[digitaliseringsdirektoratet, statens-kartverk, x]")
    );
    world.is_settled();
}

#[test]
fn a_folder_outside_the_repository_is_refused() {
    let world = world();
    for into in ["../x", "/x", "a/../../b", ".github", "a/.x"] {
        let ran = world.run(&["import", "--into", into]);
        assert_eq!(ran.code, 64, "{into}: {}", ran.stderr);
    }
    let elsewhere = tempfile::TempDir::new().unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(elsewhere.path(), world.folder().join("out")).unwrap();
        let ran = world.run(&["import", "--into", "out"]);
        assert_ne!(ran.code, 0);
        assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }
    world.check_and_forget();
    assert!(files(&world).iter().all(|file| matches!(file.as_str(), "portvakt.yaml" | "out")));
}

#[test]
fn requests_are_reported_and_not_granted() {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Requested), (KART, Approved), (DIGDIR, Denied)]);
    let ran = world.run(&["import"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stderr, @r"
    left out: access of 974761076 to etat:a in test: SKATTEETATEN (974761076) asks for access: it was not imported, as declaring it would approve it
    left out: client portvakt (portvakt) in test: it is the client that portvakt itself works with here: a change to it could lock it out
    2 things were left out, see above. Next: look through the files, see that `portvakt plan -e test` is empty, and commit them
    ");
    world.is_settled();
    assert_eq!(world.open_to("etat:a").unwrap(), [KART]);
}

#[test]
fn clients_of_one_name() {
    let world = World::new();
    // An active client beside inactive ones is pinned.
    world.put_client("aa-1", "en", false, &[]);
    world.put_client("aa-2", "en", true, &[]);
    // Two active ones are ambiguous.
    world.put_client("bb-1", "to", true, &[]);
    world.put_client("bb-2", "to", true, &[]);
    world.put_client_of("idporten", "cc-1", "tre", true, &["openid", "profile"]);
    world.put_client("cc-2", "tre", true, &[]);
    let ran = world.run(&["import"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stderr, @r"
    left out: client portvakt (portvakt) in test: it is the client that portvakt itself works with here: a change to it could lock it out
    left out: client to in test: several active clients are called so (bb-1, bb-2), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web
    left out: client tre in test: several active clients are called so (cc-1, cc-2), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web
    3 things were left out, see above. Next: look through the files, see that `portvakt plan -e test` is empty, and commit them
    ");
    insta::assert_snapshot!(read(&world, "clients.yaml"), @r#"
    # yaml-language-server: $schema=.schema/declarations.json

    clients:
      - name: en
        client_id: "aa-2"
    "#);
    world.is_settled();
}

#[test]
fn rules_that_are_younger_than_the_scopes_are_silenced() {
    let world = world();
    world.settings(
        "naming:\n  \
           - { rule: lower, applies_to: scope, field: description, pattern: '^[a-z]+$', message: lower case }\n  \
           - { rule: alias-short, applies_to: consumer, field: alias, pattern: '^[a-z]{1,12}$', message: short }\n\
         policies:\n  \
           - { rule: few, applies_to: scope, expression: 'scope.consumers.size() < 3', message: few consumers }\n",
    );
    let ran = world.run(&["import", "--layout", "single"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(read(&world, "maskinporten.yaml"), @r#"
    # yaml-language-server: $schema=.schema/declarations.json

    consumers:
      # portvakt: allow alias-short -- live before the rule
      digitaliseringsdirektoratet: { orgno: "991825827", name: DIGITALISERINGSDIREKTORATET }
      skatteetaten: { orgno: "974761076", name: SKATTEETATEN }
      # portvakt: allow alias-short -- live before the rule
      statens-kartverk: { orgno: "971040238", name: STATENS KARTVERK }

    groups:
      arbeid-a: [digitaliseringsdirektoratet, skatteetaten, statens-kartverk]

    scopes:
      # portvakt: allow few -- live before the rule
      # portvakt: allow lower -- live before the rule
      - name: etat:arbeid:a.read
        description: Les
        consumers:
          - group: arbeid-a

      # portvakt: allow few -- live before the rule
      # portvakt: allow lower -- live before the rule
      - name: etat:arbeid:a.write
        description: Les
        consumers:
          - group: arbeid-a

      # portvakt: allow lower -- live before the rule
      - name: etat:helse/b
        description: Les
        consumers:
          - skatteetaten

    clients:
      - name: prod:arbeid:sync
        scopes: [etat:helse/b]
    "#);
    world.is_settled();
}

#[test]
fn what_cannot_be_declared_is_reported() {
    let world = world();
    world.settings("defaults: { client: { refresh_token_lifetime: 600 } }\n");
    world.sandbox.edit(|state| {
        let attributes = ScopeAttributes {
            description: "Les".to_owned(),
            delegation_source: Some("https://borte.no/".to_owned()),
            ..Default::default()
        };
        state.put_scope(orgno(OWNER), name("etat:delegert"), true, &attributes);
        let empty = ScopeAttributes::default();
        state.put_scope(orgno(OWNER), name("etat:tom"), true, &empty);
        state.add_prefixes(orgno(OWNER), &["ny".to_owned()]).unwrap();
        state.put_scope(orgno(OWNER), name("ny:a"), true, &attributes);
    });
    world.put_client("dd-1", "Ev\u{202e}il", true, &[]);
    let ran = world.run(&["import"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stderr, @r"
    left out: scope etat:delegert in test: declaring it would change it: DigDir has no delegation source 'https://borte.no/'; it has: altinn
    left out: scope etat:tom: PV113: the description is empty
    left out: scope ny:a: PV103: `ny:a` lies outside the organisation's prefixes
    left out: client Ev�il (dd-1) in test: a client cannot be declared under this name: it holds '\u{202e}'. Rename it in DigDir's web
    left out: client portvakt (portvakt) in test: it is the client that portvakt itself works with here: a change to it could lock it out
    left out: client prod:arbeid:sync in test: declaring it would change it: refresh_token_lifetime from null to 600
    6 things were left out, see above. Next: look through the files, see that `portvakt plan -e test` is empty, and commit them
    ");
    world.check_and_forget();
    assert_eq!(world.planned(), [""; 0]);
}

#[test]
fn attributes_and_keys_of_every_kind_come_back() {
    let world = World::new();
    let all = ScopeAttributes {
        description: "Les: alt # mulig".to_owned(),
        long_description: Some("Linje en\nLinje to".to_owned()),
        visibility: domain::Visibility::Private,
        token_type: domain::TokenType::Opaque,
        allowed_integration_types: [IntegrationType::Krr, IntegrationType::Maskinporten].into(),
        at_max_age: 30,
        authorization_max_lifetime: 99,
        accessible_for_all: true,
        supports_european_businesses: true,
        delegation_source: Some("https://tt02.altinn.no/".to_owned()),
        enforced_aud_for_access_token: Some("https://etat.no/".to_owned()),
        requires_user_consent: true,
        requires_user_authentication: true,
        requires_pseudonymous_tokens: true,
    };
    world.sandbox.edit(|state| {
        state.put_scope(orgno(OWNER), name("etat:alt"), true, &all);
        let mut client = state.clients["portvakt"].clone();
        client.scopes = ["openid".to_owned()].into();
        client.fields = json!({
            "client_name": "innlogging", "integration_type": "idporten", "description": "Logg inn",
            "application_type": "native", "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code"], "access_token_lifetime": 60,
            "refresh_token_lifetime": 90, "authorization_lifetime": 100,
            "refresh_token_usage": "REUSE", "logo_uri": "https://etat.no/l.png",
            "redirect_uris": ["https://etat.no/a"], "post_logout_redirect_uris": ["https://etat.no/b"],
            "frontchannel_logout_session_required": true, "frontchannel_logout_uri": "https://etat.no/c",
            "sso_disabled": true, "code_challenge_method": "none", "client_orgno": DIGDIR,
            "supplier_orgno": SKATT,
        })
        .as_object()
        .unwrap()
        .clone();
        state.clients.insert("ee-1".to_owned(), client);
    });
    let ran = world.run(&["import", "--layout", "single"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(read(&world, "maskinporten.yaml"), @r#"
    # yaml-language-server: $schema=.schema/declarations.json

    scopes:
      - name: etat:alt
        description: "Les: alt # mulig"
        long_description: "Linje en\nLinje to"
        visibility: PRIVATE
        token_type: OPAQUE
        allowed_integration_types: [krr, maskinporten]
        at_max_age: 30
        authorization_max_lifetime: 99
        accessible_for_all: true
        supports_european_businesses: true
        delegation_source: altinn
        enforced_aud_for_access_token: https://etat.no/
        requires_user_consent: true
        requires_user_authentication: true
        requires_pseudonymous_tokens: true

    clients:
      - name: innlogging
        integration_type: idporten
        description: Logg inn
        supplier_orgno: "974761076"
        application_type: native
        grant_types: [authorization_code]
        access_token_lifetime: 60
        refresh_token_lifetime: 90
        authorization_lifetime: 100
        refresh_token_usage: REUSE
        logo_uri: https://etat.no/l.png
        redirect_uris: [https://etat.no/a]
        post_logout_redirect_uris: [https://etat.no/b]
        frontchannel_logout_session_required: true
        frontchannel_logout_uri: https://etat.no/c
        sso_disabled: true
        code_challenge_method: none
        scopes: [openid]
        jwks: keys/innlogging.jwks.json
    "#);
    assert!(world.folder().join("keys/innlogging.jwks.json").is_file());
    world.check_and_forget();
    assert_eq!(world.planned(), [""; 0]);
}
