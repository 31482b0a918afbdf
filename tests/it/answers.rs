//! What real servers answer and the sandbox does not: sets of keys without keys, writes without a body, and
//! refusals of tokens in all their words.

use axum::http::Method;
use domain::AccessState;
use jiff::{SignedDuration, ToSpan as _};
use serde_json::{Value, json};

use crate::front::{Answer, Reply, front};
use crate::world::{KEY, OWNER, Ran, SKATT, World};
use secrecy::ExposeSecret as _;

const CLIENT: &str = "1f0a";

fn with_client() -> World {
    let world = World::new();
    world.put("etat:a", true, &[(OWNER, AccessState::Approved)]);
    world.put_client(CLIENT, "x", true, &["etat:a"]);
    world.write("key.pem", KEY.private_key_pem.expose_secret());
    world.declare("clients:\n  - { name: x, scopes: ['etat:a'] }\n");
    world
}

fn done(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    ran
}

#[test]
fn a_client_without_keys_is_answered_in_many_forms() {
    let not_found = json!({ "correlation_id": "c", "error_description": "nothing" });
    for (status, body) in [
        (200, json!({})),
        (200, json!({ "keys": null })),
        (200, json!({ "keys": [] })),
        (200, json!({ "keys": [], "created": "2026-01-01T00:00:00Z", "last_updated": null })),
        (404, not_found),
    ] {
        let world = with_client();
        let answer = Answer::new(status, &body);
        front(&world, move |asked| match asked.path.ends_with("/jwks") {
            true => Reply::Instead(answer.clone()),
            false => Reply::Pass,
        });
        let plan = done(world.run(&["plan", "--format", "json"]));
        let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
        assert_eq!(plan["actions"], json!([]), "{body}");
        let listed = done(world.run(&["keys", "list"]));
        assert!(listed.stdout.contains("There are none"), "{body}: {}", listed.stdout);
        for command in [&["token", "--client", "x"][..], &["credentials", "x"]] {
            let ran = world.run(&[command, &["--key", "key.pem"]].concat());
            assert_eq!(ran.code, 1);
            assert!(ran.stderr.contains("(it has none)"), "{body}: {}", ran.stderr);
        }
    }
}

#[test]
fn a_write_may_be_answered_by_any_success_and_nothing_or_little() {
    for (status, body) in [(200, ""), (201, ""), (204, ""), (202, "\n"), (201, "{}")] {
        let world = World::new();
        let answer = Answer::new(status, body);
        front(&world, move |asked| match asked.path.starts_with("/api/") {
            true if asked.method != Method::GET => Reply::After(answer.clone()),
            _ => Reply::Pass,
        });
        let jwk = json!(KEY.public);
        world.declare(&format!(
            "scopes:\n  - {{ name: 'etat:a', description: Les, consumers: ['{SKATT}'] }}\n\
             clients:\n  - {{ name: x, description: Henter, scopes: ['etat:a'], jwks: {jwk} }}\n"
        ));
        let ran = done(world.apply());
        assert!(!ran.stderr.contains("warning"), "{status} {body:?}: {}", ran.stderr);
        let (_, client) = world.client("x");
        assert_eq!(client.keys.len(), 1, "{status} {body:?}");
        let sent = world.sent();
        let created = sent.iter().filter(|id| id.starts_with("create client")).count();
        assert_eq!(created, 1, "{status} {body:?}: {sent:?}");
        assert_eq!(world.planned(), [""; 0], "{status} {body:?}");
        world.declare("removed:\n  - { client: x, action: deactivate, reason: slutt }\n");
        done(world.apply());
        assert!(!world.client("x").1.active);
    }
}

/// The program's answer where Maskinporten refuses the token of a client with these words.
fn refused(client: &'static str, answer: Answer, args: &[&str]) -> String {
    let world = with_client();
    crate::credentials::register(&world, CLIENT, &KEY, "den-nye.1");
    world.sandbox.edit(|state| {
        let keys = &mut state.clients.get_mut(CLIENT).unwrap().keys;
        keys.get_mut("den-nye.1").unwrap().created -= 1.hour();
    });
    front(&world, move |asked| match asked.claims["iss"] == client {
        true => Reply::Instead(answer.clone()),
        false => Reply::Pass,
    });
    let ran = world.run(args);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    ran.stderr
}

const TOKEN: [&str; 5] = ["token", "--client", "x", "--key", "key.pem"];

#[test]
fn each_refusal_of_an_applications_token_says_what_to_do() {
    for (description, advice) in [
        ("MP-011: malformed", "something between here and there has changed it"),
        ("MP-012: used", "repeats requests"),
        ("MP-100: Unknown client", "does not know client x"),
        ("Unknown client", "does not know client x"),
        ("MP-110: aud", "lacks the slash at its end"),
        ("Invalid JWT claim aud", "lacks the slash at its end"),
        ("MP-120: no key", "does not know the key den-nye.1"),
        ("Unknown key identifier (kid) for client", "does not know the key den-nye.1"),
        ("MP-121: expired", "`portvakt keys renew 'x'`"),
        ("MP-124: signature", "see in `portvakt keys list`"),
        ("Invalid JWT signature", "see in `portvakt keys list`"),
        ("MP-130: expired", "set this machine's clock, e.g. by NTP"),
        ("Invalid assertion: issue time is after now", "set this machine's clock, e.g. by NTP"),
        ("MP-200: scope", "wait and run again"),
        ("MP-201: type", "`allowed_integration_types`"),
        ("MP-250: no", "name the consumer under its `consumers`"),
        ("forbidden", "name the consumer under its `consumers`"),
        (
            "Consumer has not been granted access to the scope etat:a",
            "name the consumer under its `consumers`",
        ),
        ("MP-251: no", "has not delegated etat:a"),
        (
            "Consumer 1 has not delegated access to the scope etat:a to supplier 2",
            "has not delegated etat:a",
        ),
        ("MP-302: system user", "DigDir's documentation"),
        ("something new", "DigDir's documentation"),
    ] {
        let shown = refused(CLIENT, Answer::refusal(description), &TOKEN);
        assert!(shown.contains(advice), "{description}: {shown}");
        assert!(shown.contains(description), "{description}: {shown}");
        assert!(!shown.contains("idporten:"), "that is about another client: {shown}");
    }
    let own = [&TOKEN[..], &["--consumer-org", OWNER]].concat();
    let shown = refused(CLIENT, Answer::refusal("Invalid consumer_org"), &own);
    assert!(shown.contains("leave --consumer-org out"), "{shown}");
}

#[test]
fn each_refusal_of_our_own_token_says_what_to_do() {
    for (description, advice) in [
        ("MP-100: no client", "a kid in the place of the client's id"),
        ("MP-110: aud", "mixes test and production"),
        ("MP-120: no key", "has no key of this kid"),
        ("MP-121: expired", "Registering the same key again renews it"),
        ("MP-122: other", "another organisation than the client"),
        ("MP-123: x5c", "has not expired"),
        ("MP-124: signature", "are not of the same key"),
        ("MP-200: scope", "idporten:scopes.read"),
        ("MP-201: type", "`integration_type` is maskinporten"),
        ("MP-250: no", "granted to the organisation"),
    ] {
        let shown = refused("portvakt", Answer::refusal(description), &["plan"]);
        assert!(shown.contains(advice), "{description}: {shown}");
    }
}

#[test]
fn a_clock_that_is_wrong_is_named_and_not_the_client_or_the_key() {
    for (seconds, side) in [(600, "behind"), (-600, "ahead")] {
        for description in ["MP-130: expired", "MP-124: signature", "Unknown client", "new"] {
            for (client, args) in [("portvakt", &["plan"][..]), (CLIENT, &TOKEN)] {
                let clock = SignedDuration::from_secs(seconds);
                let answer = Answer { clock, ..Answer::refusal(description) };
                let shown = refused(client, answer, args);
                let (_, advice) = shown.split_once('\n').unwrap();
                let is_named = [599, 600, 601].into_iter().any(|seconds| {
                    advice.contains(&format!("This machine's clock is {seconds} s {side}: set it"))
                });
                assert!(is_named && advice.contains("NTP"), "{description}: {shown}");
                assert!(!advice.contains("Probably"), "{description}: {shown}");
            }
        }
    }
    // Not so far that a grant would be refused for it.
    let clock = SignedDuration::from_secs(8);
    let answer = Answer { clock, ..Answer::refusal("MP-100: no client") };
    let shown = refused("portvakt", answer, &["plan"]);
    assert!(shown.contains("Probably") && shown.contains("s behind: set it"), "{shown}");
    let clock = SignedDuration::from_secs(2);
    let answer = Answer { clock, ..Answer::refusal("MP-100: no client") };
    let shown = refused("portvakt", answer, &["plan"]);
    assert!(!shown.contains("clock"), "{shown}");
}
