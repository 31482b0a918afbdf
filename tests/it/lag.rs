//! Applies where reads lag behind writes.

use std::time::Instant;

use domain::AccessState::Approved;
use sandbox::{Fault, KeyRecord, OnBehalfOfRecord, Switches};
use serde_json::{Value, json};

use crate::faults::rule;
use crate::world::{DIGDIR, KART, KEY, SKATT, World, name};

/// One of each kind of action on scopes, accesses, clients and keys, in a world that lags from then on.
pub(crate) fn one_of_each(switches: Switches) -> World {
    let world = World::new();
    world.put("etat:b", true, &[(KART, Approved)]);
    world.put("etat:c", false, &[(SKATT, Approved), (DIGDIR, Approved)]);
    world.put("etat:d", true, &[(SKATT, Approved)]);
    world.put_client_of("idporten", "b", "b", true, &["openid", "profile"]);
    world.put_client("c", "c", false, &[]);
    world.put_client("d", "d", true, &[]);
    world.sandbox.edit(|state| {
        let scope = state.scopes.get_mut(&name("etat:b")).unwrap();
        scope.fields.insert("long_description".to_owned(), "Mer".into());
        let mut old = KeyRecord::new(KEY.public.clone());
        old.public.common.key_id = Some("old".to_owned());
        for id in ["b", "c"] {
            let client = state.clients.get_mut(id).unwrap();
            client.keys = [("old".to_owned(), old.clone())].into();
        }
        let fields = json!({ "name": "Gammel", "description": "Mer" });
        let now = jiff::Timestamp::now();
        let entry = OnBehalfOfRecord {
            created: now,
            last_updated: now,
            fields: fields.as_object().unwrap().clone(),
        };
        let client = state.clients.get_mut("b").unwrap();
        client.on_behalf_of.insert("x".to_owned(), entry);
    });
    let jwk = serde_json::to_value(&KEY.public).unwrap();
    let key = json!({ "kty": "RSA", "kid": KEY.kid, "n": jwk["n"], "e": jwk["e"] });
    world.write("x.json", json!({ "keys": [key] }).to_string());
    world.declare(&format!(
        "scopes:\n  \
           - {{ name: etat:a, description: Les, consumers: [\"{SKATT}\"] }}\n  \
           - {{ name: etat:b, description: Skriv, consumers: [\"{SKATT}\"] }}\n  \
           - {{ name: etat:c, description: Les, consumers: [\"{SKATT}\"] }}\n\
         clients:\n  \
           - name: a\n    integration_type: idporten\n    jwks: x.json\n    \
             onbehalfof: [{{ onbehalfof: z, name: Z }}]\n  \
           - name: b\n    integration_type: idporten\n    description: Endret\n    jwks: x.json\n    \
             onbehalfof: [{{ onbehalfof: x, name: Ny }}]\n  \
           - {{ name: c, jwks: x.json }}\n\
         removed:\n  \
           - {{ scope: etat:d, action: deactivate }}\n  - {{ client: d, action: deactivate }}\n"
    ));
    world.sandbox.set_switches(switches);
    world
}

/// Checks the final state; fails if there are two clients with the same name.
pub(crate) fn is_as_declared(world: &World) {
    for scope in ["etat:a", "etat:b", "etat:c"] {
        assert_eq!(world.open_to(scope).unwrap(), [SKATT], "{scope}");
    }
    assert_eq!(world.open_to("etat:d"), None);
    assert_eq!(world.field("etat:b", "description"), "Skriv");
    assert_eq!(world.field("etat:b", "long_description"), Value::Null);
    for client in ["a", "b", "c"] {
        let (_, record) = world.client(client);
        assert!(record.active, "{client}");
        assert_eq!(record.keys.keys().collect::<Vec<_>>(), [&KEY.kid], "{client}");
    }
    assert_eq!(world.client("a").1.on_behalf_of["z"].fields["name"], "Z");
    assert_eq!(world.client("b").1.on_behalf_of["x"].fields, json_object(json!({ "name": "Ny" })));
    assert!(!world.client("d").1.active);
}

fn json_object(value: Value) -> domain::Representation {
    value.as_object().unwrap().clone()
}

fn lagging(seconds: u64) -> Switches {
    Switches { read_lag: seconds * 1000, ..Switches::default() }
}

#[test]
fn an_apply_waits_until_all_that_it_did_is_shown() {
    let refusing = Switches {
        inactive_access_refused: true,
        inactive_client_refused: true,
        denied_hidden: true,
        ..lagging(1)
    };
    for switches in [lagging(1), refusing, Switches { put_keeps_omitted: true, ..lagging(2) }] {
        let world = one_of_each(switches);
        let ran = world.apply();
        assert_eq!(ran.code, 0, "{switches:?}\n{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("Applied to test: 16 of 16 done."), "{}", ran.stdout);
        is_as_declared(&world);
        world.is_settled();
    }
}

#[test]
fn what_an_impatient_apply_did_is_no_failure() {
    let world = one_of_each(lagging(5));
    let ran = world.run(&["apply", "--auto-approve", "--patience", "0", "--report", "report.json"]);
    // A removal does not count as done before it is visible.
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    let message = "Applied to test: 16 of 16 done (16 not visible yet).";
    assert!(ran.stdout.contains(message), "{}", ran.stdout);
    assert!(ran.stdout.contains("done, not visible yet create client a"), "{}", ran.stdout);
    let report = std::fs::read_to_string(world.folder().join("report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let actions = report["actions"].as_array().unwrap();
    for action in actions {
        assert_eq!(action["outcome"], "done_not_visible_yet", "{action}");
        assert_eq!(action["action"] == "keys", action["id"].as_str().unwrap().starts_with("keys"));
    }
    let made = actions.iter().find(|action| action["id"] == "create client a").unwrap();
    assert_eq!(made["client_id"], world.client("a").0);
    let shown = world.run(&["show", "report.json"]);
    assert!(shown.stdout.contains(message), "{}", shown.stdout);
    let shown = world.run(&["show", "report.json", "--format", "markdown"]);
    assert!(shown.stdout.contains("done, not visible yet"), "{}", shown.stdout);
    is_as_declared(&world);
}

#[test]
fn what_only_opens_counts_as_done_before_it_is_shown() {
    let world = World::new();
    world.sandbox.set_switches(lagging(5));
    world.declare(&format!(
        "scopes:\n  - {{ name: etat:a, description: Les, consumers: [\"{SKATT}\"] }}\nclients:\n  - name: a\n"
    ));
    let ran = world.apply_without_patience();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("3 of 3 done (3 not visible yet)"), "{}", ran.stdout);
}

#[test]
fn a_creation_whose_answer_was_lost_is_waited_for() {
    for fault in [Fault::CutAfter, Fault::StatusAfter { status: 503, retry_after: None }] {
        let world = World::new();
        world.sandbox.set_switches(lagging(1));
        world.declare("scopes:\n  - { name: etat:a, description: Les }\nclients:\n  - name: a\n");
        world.sandbox.inject(rule(("POST", "/clients"), 1, fault));
        world.sandbox.inject(rule(("POST", "/scopes"), 1, fault));
        let ran = world.apply();
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("2 of 2 done."), "{}", ran.stdout);
        let made = world.sent().iter().filter(|id| *id == "create client a").count();
        assert_eq!(made, 1, "{fault:?}");
        world.client("a");
        world.is_settled();
    }
}

#[test]
fn all_waits_of_an_apply_have_one_patience() {
    let world = World::new();
    world.sandbox.set_switches(lagging(60));
    let names = ["a", "b", "c", "d"];
    let clients: String = names.iter().map(|name| format!("  - name: {name}\n")).collect();
    world.declare(&format!("clients:\n{clients}"));
    world.sandbox.inject(rule(("POST", "/clients"), 4, Fault::CutAfter));
    let began = Instant::now();
    // One after the other, and none of them ever becomes visible.
    let ran = world.run(&["apply", "--auto-approve", "--concurrency", "1", "--patience", "4"]);
    let took = began.elapsed();
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(world.sent().len(), 4, "{:?}", world.sent());
    assert!((4..10).contains(&took.as_secs()), "{took:?}");
}

#[test]
fn a_revocation_whose_answer_was_lost_is_waited_for() {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Approved)]);
    world.put("etat:b", true, &[]);
    world.sandbox.set_switches(lagging(1));
    world.declare(
        "scopes:\n  - { name: etat:a, description: Les }\n\
         removed:\n  - { scope: etat:b, action: deactivate }\n",
    );
    // When repeated, each is refused, as it was carried out before.
    world.sandbox.inject(rule(("DELETE", "/scopes"), 2, Fault::CutAfter));
    let ran = world.apply();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("2 of 2 done."), "{}", ran.stdout);
    world.is_settled();
}
