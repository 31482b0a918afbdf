//! Output of `--check` at each step, and entities that cannot be handed over.

use serde_json::Value;

use super::digdirator::Digdirator;
use super::{APPLICATION, CLIENT, SCOPE, applied, both, changes_nothing, declarations, merge};
use crate::git::remote::{Clone, Remote};
use crate::world::{KART, SKATT, World};

/// The JSON output of `--check`, checked against its schema.
fn checked(clone: &Clone<'_>, world: &World, more: &[&str]) -> Vec<Value> {
    let args = [&["migrate", "to-nais", "--check", "--format", "json"], more].concat();
    let ran = changes_nothing(clone, world, 0, &args);
    let message: Value = serde_json::from_str(&ran.stdout).expect(&ran.stderr);
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/migration.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(&message).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    message["entities"].as_array().unwrap().clone()
}

/// Name, step and number of each.
fn steps(message: &[Value]) -> Vec<(String, String, Option<u64>)> {
    let text = |of: &Value| of.as_str().unwrap().to_owned();
    message.iter().map(|it| (text(&it["name"]), text(&it["step"]), it["number"].as_u64())).collect()
}

fn all(step: &str, number: Option<u64>) -> Vec<(String, String, Option<u64>)> {
    [SCOPE, CLIENT].map(|name| (name.to_owned(), step.to_owned(), number)).into()
}

#[test]
fn each_step_is_reported_and_nothing_is_changed() {
    let remote = Remote::new();
    let world = &remote.world;
    let one = applied(&remote);
    let named = ["--scope", SCOPE, "--client", CLIENT];
    let message = || checked(&one, world, &[]);
    assert_eq!(message(), [""; 0]);
    let text = one.ends(0, &["migrate", "to-nais", "--check"]).stdout;
    assert!(text.contains("no description names an application"), "{text}");
    let first = checked(&one, world, &named);
    assert_eq!(steps(&first), all("describe", Some(1)));
    assert_eq!(first[0]["application"], Value::Null);
    let described = checked(&one, world, &[&named[..], &APPLICATION].concat());
    let pending = |message: &[Value]| -> Vec<String> {
        let problems = message.iter().flat_map(|it| it["problems"].as_array().unwrap());
        let pending = problems.filter(|problem| problem["severity"] == "pending");
        pending.map(|problem| problem["message"].as_str().unwrap().to_owned()).collect()
    };
    let handed_over = "prodgcp:plattform:aaregapi.arbeid:aareg.read";
    let reported_first = pending(&described);
    let first_of_all =
        format!("its declared description is 'Les arbeidsforhold', and has to be '{handed_over}'");
    assert_eq!(reported_first[0], first_of_all);
    assert!(
        reported_first[2].contains("has to be 'prod-gcp:plattform:aareg-api'"),
        "{reported_first:?}"
    );
    assert!(reported_first[1].contains("declares `jwks`"), "{reported_first:?}");

    one.ends(0, &both(&[]));
    let second = message();
    assert_eq!(steps(&second), all("apply", Some(2)));
    let reported_second = pending(&second);
    assert!(
        reported_second[0].contains(&format!("'Les arbeidsforhold' still, not '{handed_over}'"))
    );
    assert!(reported_second[1].contains("'Henter' still"), "{reported_second:?}");
    assert_eq!(second[0]["application"], "prodgcp:plattform:aaregapi");
    assert_eq!(second[1]["application"], "prod-gcp:plattform:aareg-api");
    assert_eq!(steps(&checked(&one, world, &[&named[..], &APPLICATION].concat())), steps(&second));

    merge(&one);
    one.apply();
    assert_eq!(steps(&message()), all("deploy", Some(3)));
    assert_eq!(pending(&message()), [""; 0]);
    let text = one.ends(0, &["migrate", "to-nais", "--check"]).stdout;
    assert!(text.contains(&format!("scope {SCOPE}  prodgcp:")), "{text}");
    assert!(text.contains("step 3 of 4: deploy the application"), "{text}");

    let manifest = one.ends(0, &both(&[])).stdout;
    Digdirator::new(world, "prod-gcp").deploy(&manifest);
    let fourth = message();
    assert_eq!(steps(&fourth), all("release", Some(4)));
    assert_eq!(fourth[0]["application"], "prod-gcp:plattform:aareg-api");
    assert!(fourth[0]["next"].as_str().unwrap().contains("--release"));

    one.ends(0, &both(&["--release"]));
    let released = message();
    assert_eq!(steps(&released), all("release", Some(4)));
    assert!(released[1]["next"].as_str().unwrap().contains("apply its release"));
    merge(&one);
    one.apply();
    let done = message();
    assert_eq!(steps(&done), all("done", None));
    assert_eq!(done[0]["problems"].as_array().unwrap().len(), 0);

    // A deactivation by another hand is reported here.
    world.sandbox.edit(|state| {
        state.scopes.get_mut(&crate::world::name(SCOPE)).unwrap().active = false;
    });
    let problems = message()[0]["problems"].to_string();
    assert!(problems.contains("not active at DigDir"), "{problems}");
}

/// Declares something, hands it over, and checks the exit code and the output.
#[track_caller]
fn ends(yaml: &str, code: i32, message: &str) {
    let world = World::new();
    world.declare(yaml);
    let named = match yaml.contains("clients:") {
        true => ["--client", "x"],
        false => ["--scope", "etat:arbeid:xx"],
    };
    let named = match yaml.contains("etat:utenprodukt") {
        true => ["--scope", "etat:utenprodukt"],
        false => named,
    };
    let ran = world.run(&[&["migrate", "to-nais"], &named[..], &APPLICATION].concat());
    assert_eq!(ran.code, code, "{yaml}: {}", ran.stderr);
    assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
    let after = std::fs::read_to_string(world.folder().join("declarations.yaml")).unwrap();
    assert_eq!(after == yaml, code != 0, "{after}");
    assert_eq!(world.sent(), [""; 0]);
    let check = [&["migrate", "to-nais", "--check"], &named[..], &APPLICATION].concat();
    let check = world.run(&check);
    assert_eq!(check.code, 0, "{}", check.stderr);
    let lines = check.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    // An entity that was handed over in the meantime still has its notes.
    assert!(lines.contains(message), "{message}: {lines}");
}

#[test]
fn what_nais_cannot_carry_of_a_scope_is_refused() {
    for (line, message) in [
        ("long_description: Mer", "`long_description` cannot be in a manifest"),
        ("visibility: INTERNAL", "`visibility: INTERNAL` cannot"),
        ("token_type: OPAQUE", "`token_type: OPAQUE` cannot"),
        ("enforced_aud_for_access_token: \"https://x.example\"", "be for https://x.example"),
        ("requires_user_consent: true", "`requires_user_consent` cannot"),
        ("requires_user_authentication: true", "`requires_user_authentication` cannot"),
        ("requires_pseudonymous_tokens: true", "`requires_pseudonymous_tokens` cannot"),
        ("delegation_source: \"https://annen.example/\"", "https://annen.example/ would be lost"),
        ("at_max_age: 29", "takes 30 to 680"),
        ("at_max_age: 681", "takes 30 to 680"),
        ("active: false", "declared inactive"),
        (
            "consumers: [{ consumer: \"974761076\", until: 2999-12-31 }]",
            "974761076 ends with 2999-12-31",
        ),
        (
            "consumers: [{ consumer: \"974761076\", from: 2999-12-31 }]",
            "974761076 begins on 2999-12-31",
        ),
    ] {
        let yaml = format!("scopes:\n  - name: etat:arbeid:xx\n    description: Les\n    {line}\n");
        ends(&yaml, 4, message);
    }
    ends("scopes:\n  - { name: etat:utenprodukt, description: Les }\n", 4, "has no product");
    let other = "scopes:\n  - { name: etat:arbeid:xx, description: \"a:b:c.arbeid:xx\" }\n";
    ends(other, 4, "application a:b:c's");
}

#[test]
fn what_nais_cannot_carry_of_a_client_is_refused() {
    for (line, message) in [
        ("integration_type: krr", "client of krr"),
        (
            "integration_type: idporten\n    redirect_uris: [https://x.example/]",
            "client of idporten",
        ),
        ("active: false", "declared inactive"),
        ("client_orgno: \"974761076\"", "for another organisation"),
        ("previous_name: y", "`previous_name`"),
        ("description: a:b:c", "application a:b:c's"),
        ("description: Henter", "it consumes nothing"),
    ] {
        ends(&format!("clients:\n  - name: x\n    {line}\n"), 4, message);
    }
}

#[test]
fn what_nais_sets_to_its_own_default_is_a_note() {
    for (line, message) in [
        ("at_max_age: 0", "NAIS sets 30 seconds"),
        ("at_max_age: 30", "maskinporten alone"),
        ("authorization_max_lifetime: 7", "is 7, and NAIS sets 0"),
        ("prevent_deactivation: true", "ends with the release"),
        ("consumers: [{ consumer: \"974761076\", until: 2020-01-31 }]", "maskinporten alone"),
    ] {
        let yaml = format!("scopes:\n  - name: etat:arbeid:xx\n    description: Les\n    {line}\n");
        ends(&yaml, 0, message);
    }
    ends(
        "clients:\n  - { name: x, access_token_lifetime: 9, scopes: [\"etat:arbeid:xx\"] }\n",
        0,
        "its own lifetimes",
    );
}

#[test]
fn what_the_repositorys_own_rules_forbid_is_not_written() {
    let rule = "naming:\n  - rule: norsk\n    applies_to: scope\n    field: description\n    \
                pattern: '^[A-ZÆØÅ].*'\n    message: begynn med stor bokstav\n";
    let yaml = "scopes:\n  - { name: etat:arbeid:xx, description: Les, at_max_age: 30 }\n";
    let world = World::new();
    world.settings(rule);
    world.declare(yaml);
    let args = [&["migrate", "to-nais", "--scope", "etat:arbeid:xx"][..], &APPLICATION].concat();
    let ran = world.run(&args);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("norsk") && ran.stderr.contains("Nothing was changed"));
    let after = std::fs::read_to_string(world.folder().join("declarations.yaml")).unwrap();
    assert_eq!(after, yaml);
}

#[test]
fn a_release_in_one_environment_is_none_in_another() {
    let remote = Remote::new();
    let world = &remote.world;
    let one = remote.first();
    let first = one.git(&["show", "HEAD:portvakt.yaml"]);
    let (_, target) = first.split_once("  test:\n").unwrap();
    one.write("portvakt.yaml", &format!("{first}\n  annet:\n{target}\n"));
    one.declare(
        "scopes:\n  - name: etat:arbeid:xx\n    description: Les\n    at_max_age: 30\n    \
         allowed_integration_types: [maskinporten]\n    consumers: [\"974761076\", \"971040238\"]\n",
    );
    let test = |args: &[&str]| [&["-e", "test"], args].concat().join(" ");
    let run = |code: i32, args: &[&str]| {
        let args = test(args);
        one.ends(code, &args.split(' ').collect::<Vec<_>>())
    };
    let planned = |environment: &str| {
        let ran = one.ends(0, &["-e", environment, "plan", "--format", "json"]);
        crate::world::ids(&serde_json::from_str(&ran.stdout).unwrap())
    };
    run(0, &["apply", "--auto-approve"]);
    one.ends(0, &["-e", "annet", "apply", "--auto-approve"]);
    let migrate = [&["migrate", "to-nais", "--scope", "etat:arbeid:xx"][..], &APPLICATION].concat();
    run(0, &migrate);
    assert!(declarations(&one).contains("description: Les\n"), "{}", declarations(&one));
    merge(&one);
    assert_eq!(planned("annet"), [""; 0], "the other environment keeps its description");
    run(0, &["apply", "--auto-approve"]);
    run(0, &[&migrate[..], &["--release"]].concat());
    assert!(declarations(&one).contains("environments: [annet]"), "{}", declarations(&one));
    merge(&one);
    assert_eq!(planned("test"), ["release scope etat:arbeid:xx"]);
    // The two share the sandbox here: the second one sees the applies of the first.
    assert_eq!(planned("annet"), ["update scope etat:arbeid:xx"]);
    run(0, &["apply", "--auto-approve"]);
    assert_eq!(planned("test"), [""; 0]);
    assert_eq!(world.open_to("etat:arbeid:xx").unwrap(), [KART, SKATT]);
}
