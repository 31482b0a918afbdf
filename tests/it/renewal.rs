//! `portvakt keys renew`: the same keys for another year, and old keys without `use`.

use axum::http::Method;
use jiff::{Timestamp, ToSpan as _};
use sandbox::{ClientKey, KeyRecord};
use serde_json::json;

use crate::front::{Answer, Reply, front};
use crate::world::{KEY, Ran, World};

/// A live client with two keys, of which the old one expires in so many days.
fn world(days: i64) -> World {
    let world = World::new();
    give_keys(&world, days);
    world
}

pub(crate) fn give_keys(world: &World, days: i64) {
    world.put_client("1f0a", "x", true, &[]);
    let record = |key: &ClientKey, kid: &str, days: i64| {
        let mut record = KeyRecord::new(key.public.clone());
        record.public.common.key_id = Some(kid.to_owned());
        record.exp = (Timestamp::now() + (days * 24).hours()).as_second();
        record
    };
    let old = record(&KEY, "gammel", days);
    let new = record(&ClientKey::generate().unwrap(), "ny", 200);
    let keys = [("gammel".to_owned(), old), ("ny".to_owned(), new)];
    world.sandbox.edit(|state| state.clients.get_mut("1f0a").unwrap().keys = keys.into());
    world.declare("clients:\n  - { name: x }\n");
}

/// In how many days a key expires.
pub(crate) fn days(world: &World, kid: &str) -> i64 {
    let exp = world.client("x").1.keys[kid].exp;
    (exp - Timestamp::now().as_second()).div_euclid(86_400)
}

fn renew(world: &World, more: &[&str]) -> Ran {
    world.run(&[&["keys", "renew", "x"], more].concat())
}

fn posts(world: &World) -> usize {
    let exchanges = world.sandbox.exchanges();
    exchanges.iter().filter(|it| it.method == Method::POST && it.path.ends_with("/jwks")).count()
}

#[test]
fn keys_that_expire_soon_are_registered_again_with_use_filled_in() {
    for days_left in [10, -3] {
        let world = world(days_left);
        world.sandbox.edit(|state| {
            let keys = &mut state.clients.get_mut("1f0a").unwrap().keys;
            keys.get_mut("gammel").unwrap().public.common.public_key_use = None;
        });
        let ran = renew(&world, &[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
        assert!(days(&world, "gammel") > 360 && posts(&world) == 1);
        assert_eq!(world.client("x").1.keys.len(), 2);
        let day = (Timestamp::now() + (365 * 24).hours()).strftime("%Y").to_string();
        for said in ["renewed the key gammel of the client 'x': it expires on ", &day] {
            assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
        }
        assert!(!ran.stderr.contains("the key ny"), "{}", ran.stderr);
        assert_eq!(world.planned(), [""; 0]);
        // The description requires `use` of an answer, and old keys lack it.
        world.sandbox.clear_exchanges();
    }
}

#[test]
fn nothing_is_sent_where_no_key_expires_soon() {
    let world = world(100);
    let ran = renew(&world, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("there is nothing to renew: the first key"), "{}", ran.stderr);
    assert!(posts(&world) == 0 && days(&world, "gammel") <= 100);
    assert_eq!(renew(&world, &["--within", "120d"]).code, 0);
    assert_eq!(posts(&world), 1);
    world.sandbox.edit(|state| state.clients.get_mut("1f0a").unwrap().keys.clear());
    let ran = renew(&world, &[]);
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains("has no key of which it is known"), "{}", ran.stderr);
    assert_eq!(world.run(&["keys", "renew", "y"]).code, 64);
}

#[test]
fn a_key_that_is_declared_to_expire_does() {
    let world = world(10);
    let exp = world.client("x").1.keys["gammel"].exp;
    let mut jwk = json!(KEY.public);
    jwk["kid"] = "gammel".into();
    jwk["exp"] = exp.into();
    world.declare(&format!("clients:\n  - {{ name: x, jwks: {jwk} }}\n"));
    assert_eq!(renew(&world, &[]).code, 0);
    assert_eq!(posts(&world), 0, "that is the only one that expires soon");
    assert_eq!(renew(&world, &["--within", "300d"]).code, 0);
    assert_eq!(posts(&world), 1);
    assert_eq!(world.client("x").1.keys["gammel"].exp, exp);
    assert!(days(&world, "ny") > 360);
}

#[test]
fn a_lost_answer_is_looked_after_and_keys_that_changed_meanwhile_are_left() {
    for fault in ["cut-after", "503-after", "cut-before"] {
        let world = world(10);
        let rule = format!("POST /clients 0 1 {fault}").parse().unwrap();
        world.sandbox.inject(rule);
        assert_eq!(renew(&world, &[]).code, 0, "{fault}");
        assert!(days(&world, "gammel") > 360, "{fault}");
    }
    let world = world(10);
    let reads = std::sync::atomic::AtomicUsize::new(0);
    front(&world, move |asked| {
        let is_keys = asked.path.ends_with("/clients/1f0a/jwks") && asked.method == Method::GET;
        match is_keys && reads.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 0 {
            true => Reply::Instead(Answer::new(200, json!({ "keys": [] }))),
            false => Reply::Pass,
        }
    });
    let ran = renew(&world, &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("has other keys than before"), "{}", ran.stderr);
    assert_eq!(posts(&world), 0);
}
