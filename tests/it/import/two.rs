//! Two environments with different live states, over HTTP.

use domain::AccessState::{Approved, Requested};

use super::command::read;
use crate::world::{DIGDIR, KART, OWNER, SKATT, World};

/// A repository with two environments, each with its own sandbox.
pub(super) fn two() -> (World, World) {
    let (test, prod) = (World::new(), World::new());
    let environment = |name: &str, world: &World| {
        let (api, issuer) = (world.sandbox.api(), world.sandbox.issuer());
        format!(
            "  {name}:\n    target: {{ api: \"{}\", maskinporten: \"{issuer}\" }}\n    credentials:\n      \
             client_id: {{ env: PORTVAKT_CLIENT_ID }}\n      key: {{ env: PORTVAKT_KEY }}\n      \
             kid: {{ env: PORTVAKT_KID }}\n",
            api.as_str().trim_end_matches('/')
        )
    };
    let settings = format!(
        "organization: {{ orgno: \"{OWNER}\", name: Etaten }}\nprefixes: [etat]\nenvironments:\n{}{}",
        environment("test", &test),
        environment("prod", &prod)
    );
    test.write("portvakt.yaml", settings + "  lokal: { target: sandbox }\n");
    (test, prod)
}

#[test]
fn two_environments_become_one_declaration() {
    let (test, prod) = two();
    for world in [&test, &prod] {
        world.put("etat:a", true, &[(SKATT, Approved)]);
        world.put_client("c-1", "prod:arbeid:sync", true, &[]);
    }
    test.put("etat:b", true, &[(SKATT, Approved), (DIGDIR, Requested)]);
    prod.put("etat:b", true, &[(SKATT, Approved), (KART, Approved)]);
    prod.put("etat:c", true, &[]);
    let wrong = test.run(&["import", "--environment-overlay", "-e", "test"]);
    assert_eq!(wrong.code, 64, "{}", wrong.stderr);
    let ran = test.run(&["import", "--environment-overlay", "--layout", "single"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stdout, @r"
    maskinporten.yaml: 3 scopes with 3 accesses, 1 client, 1 alias
    Imported from test, prod: 3 scopes with 3 accesses, 1 client, 1 alias
    ");
    insta::assert_snapshot!(ran.stderr, @r"
    left out: access of 991825827 to etat:b in test: DIGITALISERINGSDIREKTORATET (991825827) asks for access: it was not imported, as declaring it would approve it
    left out: client portvakt (portvakt) in prod: it is the client that portvakt itself works with here: a change to it could lock it out
    left out: client portvakt (portvakt) in test: it is the client that portvakt itself works with here: a change to it could lock it out
    3 things were left out, see above. Next: look through the files, see that `portvakt plan -e test` and `portvakt plan -e prod` are empty, and commit them
    ");
    insta::assert_snapshot!(read(&test, "maskinporten.yaml"), @r#"
    # yaml-language-server: $schema=.schema/declarations.json

    consumers:
      skatteetaten: { orgno: "974761076", name: SKATTEETATEN }

    scopes:
      - name: etat:a
        description: Les
        consumers:
          - skatteetaten

      - name: etat:b
        description: Les
        consumers:
          - { consumer: "971040238", environments: [prod] }
          - skatteetaten

      - name: etat:c
        description: Les
        environments: [prod]

    clients:
      - name: prod:arbeid:sync
    "#);
    for environment in ["test", "prod"] {
        let ran = test.run(&["plan", "-e", environment]);
        assert!(ran.stdout.contains("No changes."), "{environment}: {}{}", ran.stdout, ran.stderr);
    }
}
