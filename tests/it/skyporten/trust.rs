//! Tokens of the sandbox's Skyporten against what is rendered for each cloud.

use serde_json::Value;

use super::clouds::{aws, azure, commands, databricks, gcp};
use super::provider::{
    AUDIENCE, ENDED, LATER, OTHER, SCOPE, claims, declaration, rendered, resources, world,
};
use crate::world::{DIGDIR, KART, SKATT, World};

/// The clouds that trust a token.
fn trusted_by(world: &World, token: &Value) -> Vec<&'static str> {
    let resources = resources(&rendered(world, &[]));
    let scripts = rendered(world, &["--format", "cli", "--cloud", "databricks"]);
    let scripts = scripts.into_iter().filter(|(path, _)| path.ends_with(".sh"));
    let policies: Vec<Value> = scripts
        .flat_map(|(_, script)| commands(&script))
        .map(|words| serde_json::from_str(words.last().unwrap()).unwrap())
        .collect();
    let decisions = [
        ("aws", aws(&resources, token)),
        ("azure", azure(&resources, token)),
        ("databricks", databricks(&policies, token)),
        ("gcp", gcp(&resources, token)),
    ];
    decisions.into_iter().filter(|(_, trusts)| *trusts).map(|(cloud, _)| cloud).collect()
}

const ALL: [&str; 4] = ["aws", "azure", "databricks", "gcp"];

#[test]
fn a_token_is_trusted_as_the_declaration_says() {
    let world = world();
    for (what, consumer, scope, audience, is_trusted) in [
        ("a declared consumer", SKATT, SCOPE, AUDIENCE, true),
        ("a consumer that is not declared", KART, SCOPE, AUDIENCE, false),
        ("another scope", SKATT, OTHER, AUDIENCE, false),
        ("another audience", SKATT, SCOPE, "https://annen.example", false),
        ("a longer audience", SKATT, SCOPE, "https://skyporten.etat.example/", false),
        ("a blocked consumer", DIGDIR, SCOPE, AUDIENCE, false),
        ("an access that has ended", ENDED, SCOPE, AUDIENCE, false),
        ("an access that has not begun", LATER, SCOPE, AUDIENCE, false),
    ] {
        let token = claims(&world, consumer, scope, audience);
        let expected: &[&str] = if is_trusted { &ALL } else { &[] };
        assert_eq!(trusted_by(&world, &token), expected, "{what}: {token}");
    }
    let mut token = claims(&world, SKATT, SCOPE, AUDIENCE);
    token["iss"] = "https://sky.maskinporten.no".into();
    assert_eq!(trusted_by(&world, &token), [""; 0], "another issuer");
}

#[test]
fn an_environment_has_its_own_consumers_and_resources() {
    let world = world();
    world.settings("  sandbox: { target: sandbox }\n");
    let restricted = declaration().replace(
        "      - skatteetaten\n",
        "      - { consumer: skatteetaten, environments: [sandbox] }\n",
    );
    world.declare(&restricted);
    let token = claims(&world, SKATT, SCOPE, AUDIENCE);
    let args = ["-e", "test", "render", "skyporten"];
    assert_eq!(world.run(&[&args[..], &["--out", "clouds"]].concat()).code, 0);
    let text =
        std::fs::read_to_string(world.folder().join("clouds/aws-123456789012/lager-les.tf.json"));
    let text = text.unwrap();
    assert!(!text.contains(SKATT) && text.contains("\"Deny\""), "{text}");
    let files = [("a/lager-les.tf.json".to_owned(), text)].into();
    assert!(!aws(&resources(&files), &token));
    // Overrides replace the audience and a cloud.
    world.declare(
        &(declaration()
            + "    per_environment:\n      test:\n        audience: https://test.etat.example\n        \
               aws: { account: \"210987654321\", role: lager-test }\n"),
    );
    let ran = world.run(&[&args[..], &["--cloud", "aws"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("arn:aws:iam::210987654321:oidc-provider/"), "{}", ran.stdout);
    assert!(ran.stdout.contains("https://test.etat.example"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("123456789012"), "{}", ran.stdout);
}

#[test]
fn a_scope_that_is_open_to_all_is_shared_with_the_declared_consumers_alone() {
    let world = world();
    let open = declaration()
        .replace("description: Les\n", "description: Les\n    accessible_for_all: true\n");
    world.declare(&open);
    assert_eq!(trusted_by(&world, &claims(&world, KART, SCOPE, AUDIENCE)), [""; 0]);
    assert_eq!(trusted_by(&world, &claims(&world, SKATT, SCOPE, AUDIENCE)), ALL);
}

#[test]
fn nobody_is_trusted_with_an_inactive_scope() {
    let world = world();
    let token = claims(&world, SKATT, SCOPE, AUDIENCE);
    assert_eq!(trusted_by(&world, &token), ALL);
    let inactive =
        declaration().replace("description: Les\n", "description: Les\n    active: false\n");
    world.declare(&inactive);
    assert_eq!(trusted_by(&world, &token), [""; 0]);
    let ran = world.run(&["render", "skyporten"]);
    let note = format!("note: {SCOPE} is declared with `active: false`, and left out\n");
    assert_eq!((ran.code, ran.stderr.matches(&note).count()), (0, 1), "{}", ran.stderr);
}
