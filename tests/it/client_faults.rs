//! Faults of the network, a gateway and other users during an apply of clients and keys.

use sandbox::{ClientKey, Fault, KeyRecord, Switches};
use serde_json::{Value, json};

use crate::faults::{self, failing_once_active, rule};
use crate::world::{KEY, World};

/// The calls of an apply of clients that write, by method and a part of the path.
const CALLS: [(&str, &str); 8] = [
    ("PUT", "/clients/b"),
    ("PUT", "/clients/c"),
    ("DELETE", "/clients/d"),
    ("POST", "/clients/b/jwks"),
    ("POST", "/clients/c/jwks"),
    ("POST", "/clients/b/onbehalfof"),
    ("PUT", "/clients/b/onbehalfof/x"),
    ("DELETE", "/clients/b/onbehalfof/y"),
];

fn public(key: &ClientKey) -> Value {
    let jwk = serde_json::to_value(&key.public).unwrap();
    json!({ "kty": "RSA", "kid": key.kid, "n": jwk["n"], "e": jwk["e"] })
}

/// One client to create, one to change with its keys and entries, one to reactivate, one to deactivate.
fn world() -> World {
    let world = World::new();
    world.put_client_of("idporten", "b", "b", true, &["openid", "profile"]);
    world.put_client("c", "c", false, &[]);
    world.put_client("d", "d", true, &[]);
    let old = ClientKey { kid: "old".to_owned(), ..KEY.clone() };
    world.sandbox.edit(|state| {
        for id in ["b", "c"] {
            let client = state.clients.get_mut(id).unwrap();
            let mut record = KeyRecord::new(old.public.clone());
            record.public.common.key_id = Some("old".to_owned());
            client.keys = [("old".to_owned(), record)].into();
        }
        let client = state.clients.get_mut("b").unwrap();
        for id in ["x", "y"] {
            let fields = json!({ "name": "Gammel" }).as_object().unwrap().clone();
            let now = jiff::Timestamp::now();
            let record = sandbox::OnBehalfOfRecord { created: now, last_updated: now, fields };
            client.on_behalf_of.insert(id.to_owned(), record);
        }
    });
    world.write("x.json", json!({ "keys": [public(&KEY)] }).to_string());
    world.declare(
        "clients:\n  \
           - { name: a, description: Ny, jwks: x.json }\n  \
           - name: b\n    integration_type: idporten\n    description: Endret\n    jwks: x.json\n    \
             onbehalfof: [{ onbehalfof: x, name: Ny }, { onbehalfof: z, name: Z }]\n  \
           - { name: c, jwks: x.json }\n\
         removed:\n  - { client: d, action: deactivate }\n",
    );
    world
}

fn is_as_declared(world: &World) {
    for name in ["a", "b", "c"] {
        let (_, client) = world.client(name);
        assert!(client.active, "{name}");
        assert_eq!(client.keys.keys().collect::<Vec<_>>(), [&KEY.kid], "{name}");
    }
    let (_, b) = world.client("b");
    assert_eq!(b.fields["description"], "Endret");
    assert_eq!(b.on_behalf_of.keys().collect::<Vec<_>>(), ["x", "z"]);
    assert_eq!(b.on_behalf_of["x"].fields["name"], "Ny");
    assert!(!world.client("d").1.active);
    assert_eq!(world.client("c").0, "c");
    world.is_settled();
}

#[test]
fn passing_faults_leave_no_trace() {
    faults::pass(&CALLS, world, is_as_declared);
}

/// A world with one client to create.
fn to_be_made() -> World {
    let world = world();
    world.declare("clients:\n  - { name: a, description: Ny, jwks: x.json }\n");
    world
}

#[test]
fn a_client_whose_creation_was_lost_is_not_made_twice() {
    for fault in [
        Fault::CutAfter,
        Fault::StatusAfter { status: 500, retry_after: None },
        Fault::StatusAfter { status: 503, retry_after: Some(0) },
        Fault::Status { status: 429, retry_after: Some(0) },
        Fault::ExpireTokens,
    ] {
        let world = to_be_made();
        world.sandbox.inject(rule(("POST", "/clients"), 1, fault));
        let ran = world.apply();
        let sent = world.sent().iter().filter(|id| *id == "create client a").count();
        assert_eq!(ran.code, 0, "{fault:?} {}", ran.stdout);
        let is_seen = !matches!(fault, Fault::Status { .. } | Fault::ExpireTokens);
        assert!(sent == 1 || !is_seen, "{fault:?}");
        // Fails if there are two.
        world.client("a");
        world.is_settled();
    }
}

#[test]
fn a_creation_of_which_nothing_comes_is_reported_and_not_sent_again() {
    for fault in [Fault::CutBefore, Fault::Status { status: 503, retry_after: None }] {
        let world = to_be_made();
        world.sandbox.inject(rule(("POST", "/clients"), 1, fault));
        let ran = world.apply_without_patience();
        assert_eq!(ran.code, 6, "{}", ran.stdout);
        assert!(ran.stdout.contains("the client does not exist"), "{}", ran.stdout);
        let sent = world.sent().iter().filter(|id| *id == "create client a").count();
        assert_eq!(sent, 1, "{fault:?}");
        assert_eq!(world.apply().code, 0);
        world.client("a");
        world.is_settled();
    }
}

#[test]
fn what_a_client_needs_is_not_tried_where_its_creation_failed() {
    let world = world();
    world.declare(
        "clients:\n  - { name: a, jwks: x.json }\nremoved:\n  - { client: d, action: deactivate }\n",
    );
    let refused = Fault::Status { status: 400, retry_after: None };
    world.sandbox.inject(rule(("POST", "/clients"), 1, refused));
    let ran = world.apply();
    assert_eq!(ran.code, 6);
    let report = ran.stdout.split("Applied to").nth(1).unwrap();
    assert!(
        report.contains("skipped     keys client a\n      waits for: create client a"),
        "{report}"
    );
    assert!(!world.client("d").1.active);
}

#[test]
fn a_client_does_not_come_back_with_keys_that_are_not_declared() {
    // Its keys cannot be changed, not even once it would be active: so it stays inactive.
    let world = world();
    world.sandbox.inject(rule(("POST", "/clients/c/jwks"), 99, Fault::CutBefore));
    let ran = world.apply_without_patience();
    assert_eq!(ran.code, 6, "{}", ran.stdout);
    assert!(ran.stdout.contains("skipped     reactivate client c"), "{}", ran.stdout);
    assert!(!world.client("c").1.active);
}

#[test]
fn keys_that_cannot_be_changed_before_are_changed_at_once_after() {
    let world = world();
    let switches = Switches { inactive_client_refused: true, ..Switches::default() };
    world.sandbox.set_switches(switches);
    let ran = world.apply();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    is_as_declared(&world);
}

#[test]
fn a_client_is_closed_again_where_its_keys_cannot_be_changed() {
    let world = world();
    let switches = Switches { inactive_client_refused: true, ..Switches::default() };
    world.sandbox.set_switches(switches);
    world.sandbox.inject(failing_once_active(("POST", "/clients/c/jwks")));
    let ran = world.apply_without_patience();
    assert_eq!(ran.code, 6, "{}", ran.stdout);
    assert!(!world.client("c").1.active, "{}", ran.stdout);
    assert!(ran.stdout.contains("failed      reactivate client c"), "{}", ran.stdout);
    assert_eq!(world.apply().code, 0);
    is_as_declared(&world);
}

#[test]
fn a_client_whose_reactivation_failed_in_part_is_closed_again() {
    let switches = Switches { inactive_client_refused: true, ..Switches::default() };
    let world = World::with(switches);
    world.put_client_of("idporten", "c", "c", false, &["openid"]);
    world.sandbox.edit(|state| {
        let mut record = KeyRecord::new(KEY.public.clone());
        record.public.common.key_id = Some("old".to_owned());
        state.clients.get_mut("c").unwrap().keys = [("old".to_owned(), record)].into();
    });
    world.write("x.json", json!({ "keys": [public(&KEY)] }).to_string());
    world.declare(
        "clients:\n  - name: c\n    integration_type: idporten\n    jwks: x.json\n    \
         onbehalfof: [{ onbehalfof: z, name: Z }]\n",
    );
    world.sandbox.inject(failing_once_active(("POST", "/clients/c/jwks")));
    let refused = Fault::Status { status: 400, retry_after: None };
    world.sandbox.inject(rule(("POST", "/clients/c/onbehalfof"), 1, refused));
    let ran = world.apply_without_patience();
    assert_eq!(ran.code, 6, "{}", ran.stdout);
    assert!(!world.client("c").1.active, "{}", ran.stdout);
    assert!(ran.stdout.contains("deactivated again"), "{}", ran.stdout);
}

#[test]
fn what_somebody_changes_after_the_plan_is_not_overwritten() {
    let put_off = Fault::Status { status: 429, retry_after: Some(1) };
    type Intervention = fn(&mut sandbox::ClientRecord);
    let hands: [(&str, Intervention); 3] = [
        ("PUT", |client| client.active = false),
        ("PUT", |client| drop(client.fields.insert("description".to_owned(), "Annet".into()))),
        ("POST", |client| client.keys.clear()),
    ];
    for (method, hand) in hands {
        let world = world();
        let path = if method == "PUT" { "/clients/b" } else { "/clients/b/jwks" };
        world.sandbox.inject(rule((method, path), 1, put_off));
        let mut apply = world.process(&["apply", "--auto-approve"]).spawn().unwrap();
        let struck = || world.sandbox.exchanges().iter().any(|exchange| exchange.fault.is_some());
        while !struck() && apply.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        world.sandbox.edit(|state| hand(state.clients.get_mut("b").unwrap()));
        let there = world.sandbox.state().clients["b"].clone();
        assert_eq!(apply.wait().unwrap().code(), Some(6));
        let now = &world.sandbox.state().clients["b"];
        assert_eq!(now.active, there.active);
        match method {
            "PUT" => assert_eq!(now.fields, there.fields),
            _ => assert_eq!(now.keys, there.keys),
        }
    }
}

#[test]
fn what_was_taken_but_is_not_so_is_reported() {
    let world = world();
    // The API confirms the keys, but does not store them.
    let taken = Fault::Status { status: 200, retry_after: None };
    world.sandbox.inject(rule(("POST", "/clients/b/jwks"), 1, taken));
    let ran = world.apply_without_patience();
    // The removal of a key counts only once it is visible.
    assert_eq!(ran.code, 6, "{}", ran.stdout);
    let message = "done, not visible yet keys client b";
    assert!(ran.stdout.contains(message), "{}", ran.stdout);
    assert!(ran.stdout.contains("keys that are missing"), "{}", ran.stdout);
}

#[test]
fn what_was_taken_and_is_something_else_is_an_error() {
    let world = world();
    // The API confirms a set of keys, and then has neither the old nor the new one.
    let put_off = Fault::StatusAfter { status: 503, retry_after: None };
    world.sandbox.inject(rule(("DELETE", "/clients/d"), 9, put_off));
    let mut apply = world.process(&["apply", "--auto-approve", "--patience", "0"]).spawn().unwrap();
    let has_new = || world.sandbox.state().clients["b"].keys.contains_key(&KEY.kid);
    while !has_new() && apply.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    world.sandbox.edit(|state| state.clients.get_mut("b").unwrap().keys.clear());
    let ran = apply.wait_with_output().unwrap();
    let shown = String::from_utf8(ran.stdout).unwrap();
    assert!(shown.contains("failed      keys client b"), "{shown}");
}
