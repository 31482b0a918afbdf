//! What real servers answer and the sandbox does not: sets of keys without keys, and writes without a body.

use axum::http::Method;
use domain::AccessState;
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
