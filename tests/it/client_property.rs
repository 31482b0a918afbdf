//! For all declared and live clients: apply does exactly what the plan showed, and afterwards there is
//! nothing left to do.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use proptest::prelude::*;
use sandbox::{ClientKey, ClientRecord, Exchange, Fault, FaultRule, KeyRecord, Method, Switches};
use serde_json::{Map, Value, json};

use crate::world::{KEY, OWNER, World, as_sent, ids, name, orgno};

const NAMES: [&str; 3] = ["x", "prod:a b/c #1", "æøå: \"q\""];
const SCOPES: [&str; 2] = ["etat:a", "etat:b&c=%2e"];

static OTHER: LazyLock<ClientKey> = LazyLock::new(|| ClientKey::generate().unwrap());

fn keys() -> [&'static ClientKey; 2] {
    [&KEY, &OTHER]
}

#[derive(Debug, Clone)]
struct Attributes {
    description: &'static str,
    lifetime: u64,
    scopes: Vec<bool>,
}

#[derive(Debug, Clone)]
enum Declared {
    Not,
    Removed(&'static str),
    RefLocation { active: bool, attributes: Attributes, keys: Option<[bool; 2]> },
}

#[derive(Debug, Clone)]
struct LiveOne {
    active: bool,
    attributes: Attributes,
    keys: [bool; 2],
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let description = prop::sample::select(vec!["", "Henter", "Skriv: \"alt\" # ikke"]);
    let lifetime = prop::sample::select(vec![60, 120]);
    (description, lifetime, prop::collection::vec(any::<bool>(), SCOPES.len()))
        .prop_map(|(description, lifetime, scopes)| Attributes { description, lifetime, scopes })
}

fn declared() -> impl Strategy<Value = Declared> {
    prop_oneof![
        1 => Just(Declared::Not),
        1 => prop::sample::select(vec!["deactivate", "release"]).prop_map(Declared::Removed),
        4 => (prop::bool::weighted(0.8), attributes(), prop::option::of(any::<[bool; 2]>())).prop_map(
            |(active, attributes, keys)| Declared::RefLocation { active, attributes, keys }
        ),
    ]
}

fn live() -> impl Strategy<Value = Option<LiveOne>> {
    prop::option::weighted(
        0.75,
        (any::<bool>(), attributes(), any::<[bool; 2]>())
            .prop_map(|(active, attributes, keys)| LiveOne { active, attributes, keys }),
    )
}

fn switches() -> impl Strategy<Value = Switches> {
    any::<[bool; 5]>().prop_map(|[a, b, c, d, e]| Switches {
        empty_list_is_404: a,
        nulls_for_absent: b,
        put_keeps_omitted: c,
        keys_keep_exp: d,
        inactive_client_refused: e,
        ..Switches::default()
    })
}

fn fault() -> impl Strategy<Value = Option<FaultRule>> {
    let faults = vec![
        Fault::Status { status: 429, retry_after: Some(0) },
        Fault::StatusAfter { status: 503, retry_after: None },
        Fault::CutBefore,
        Fault::CutAfter,
    ];
    let rule = |(skip, fault)| FaultRule { skip, ..FaultRule::any(1, fault) };
    prop::option::of((0..20_u32, prop::sample::select(faults)).prop_map(rule))
}

fn chosen<'t, T>(all: &'t [T], which: &'t [bool]) -> impl Iterator<Item = &'t T> {
    all.iter().zip(which).filter(|(_, which)| **which).map(|(one, _)| one)
}

fn yaml(declared: &[Declared]) -> String {
    let (mut clients, mut removed) = (String::new(), String::new());
    for (name, declared) in NAMES.iter().zip(declared) {
        match declared {
            Declared::Not => {}
            Declared::Removed(action) => {
                let _ = writeln!(removed, "  - {{ client: {}, action: {action} }}", json!(name));
            }
            Declared::RefLocation { active, attributes, keys: which } => {
                let Attributes { description, lifetime, scopes } = attributes;
                let scopes: Vec<_> = chosen(&SCOPES, scopes).collect();
                let _ = writeln!(
                    clients,
                    "  - name: {}\n    active: {active}\n    description: {}\n    \
                     access_token_lifetime: {lifetime}\n    scopes: {}",
                    json!(name),
                    json!(description),
                    json!(scopes),
                );
                if let Some(which) = which {
                    let set: Vec<Value> = chosen(&keys(), which).map(|key| public(key)).collect();
                    let _ = writeln!(clients, "    jwks: {}", json!(set));
                }
            }
        }
    }
    let mut yaml = "scopes:\n".to_owned();
    for scope in SCOPES {
        let _ = writeln!(yaml, "  - {{ name: \"{scope}\", description: Les }}");
    }
    let section = |key: &str, items: String| {
        if items.is_empty() { items } else { format!("{key}:\n{items}") }
    };
    yaml + &section("clients", clients) + &section("removed", removed)
}

fn public(key: &ClientKey) -> Value {
    let jwk = serde_json::to_value(&key.public).unwrap();
    json!({ "kty": "RSA", "kid": key.kid, "n": jwk["n"], "e": jwk["e"] })
}

fn make_live(world: &World, live: &[Option<LiveOne>]) {
    for scope in SCOPES {
        world.put(scope, true, &[]);
    }
    for (index, (name, live)) in NAMES.iter().zip(live).enumerate() {
        let Some(LiveOne { active, attributes, keys: which }) = live else { continue };
        let Attributes { description, lifetime, scopes } = attributes;
        let id = format!("id-{index}");
        let scopes: Vec<&str> = chosen(&SCOPES, scopes).copied().collect();
        world.put_client(&id, name, *active, &scopes);
        world.sandbox.edit(|state| {
            let client = state.clients.get_mut(&id).unwrap();
            client.fields.insert("unknown".to_owned(), "kept".into());
            for (field, seconds) in [
                ("access_token_lifetime", *lifetime),
                ("refresh_token_lifetime", 600),
                ("authorization_lifetime", 7200),
            ] {
                client.fields.insert(field.to_owned(), seconds.into());
            }
            if !description.is_empty() {
                client.fields.insert("description".to_owned(), (*description).into());
            }
            client.keys = chosen(&keys(), which)
                .map(|key| (key.kid.clone(), KeyRecord::new(key.public.clone())))
                .collect();
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn apply_does_what_the_plan_showed_and_then_nothing_is_left(
        declared in prop::collection::vec(declared(), NAMES.len()),
        live in prop::collection::vec(live(), NAMES.len()),
        switches in switches(),
        fault in fault(),
    ) {
        let world = World::with(switches);
        world.declare(&yaml(&declared));
        make_live(&world, &live);
        let unmanaged = untouched(&world, &declared);
        let plan = world.plan();
        prop_assert_eq!(world.sent(), Vec::<String>::new(), "a plan changed something");
        let before = world.sandbox.state().clients;
        let is_doubled = switches.inactive_client_refused || switches.put_keeps_omitted;
        let is_undisturbed = fault.is_none() && !is_doubled;
        fault.into_iter().for_each(|rule| world.sandbox.inject(rule));
        let mut ran = world.apply();
        if ran.code == 6 && ran.stdout.contains("the client does not exist") {
            // The creation of a client that DigDir has not received is reported and not repeated.
            ran = world.apply();
        }
        prop_assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let mut sent = world.sent();
        let mut shown: Vec<_> = ids(&plan).iter().map(|id| as_sent(id)).collect();
        sent.sort();
        shown.sort();
        if !is_undisturbed {
            sent.dedup();
        }
        prop_assert_eq!(sent, shown);
        for exchange in world.sandbox.exchanges() {
            let id = exchange.path.strip_prefix("/api/v1/clients/").unwrap_or_default();
            if exchange.method == Method::PUT
                && let Some(before) = before.get(id)
            {
                prop_assert_eq!(changed(&exchange, before), shown_changes(id, &plan));
            }
        }
        world.is_settled();
        prop_assert_eq!(untouched(&world, &declared), unmanaged);
        for (name, declared) in NAMES.iter().zip(&declared) {
            let Declared::RefLocation { active, keys: which, .. } = declared else { continue };
            if !active {
                continue;
            }
            let (_, client) = world.client(name);
            prop_assert!(client.active);
            if let Some(which) = which {
                let kids: BTreeSet<_> = chosen(&keys(), which).map(|key| key.kid.clone()).collect();
                prop_assert_eq!(client.keys.into_keys().collect::<BTreeSet<_>>(), kids);
            }
        }
    }
}

/// The fields that a PUT changes, unset ones included.
fn changed(exchange: &Exchange, before: &ClientRecord) -> BTreeSet<String> {
    let body: Map<String, Value> = serde_json::from_str(&exchange.body).unwrap();
    let own = ["client_id", "client_orgno", "active"];
    let mut old = before.fields.clone();
    old.insert("scopes".to_owned(), json!(before.scopes));
    let keys = old.keys().chain(body.keys()).filter(|key| !own.contains(&key.as_str()));
    let sent = |key: &String| body.get(key).filter(|value| value.as_str() != Some(""));
    keys.filter(|key| old.get(*key) != sent(key)).cloned().collect()
}

/// The fields whose changes the plan showed.
fn shown_changes(id: &str, plan: &Value) -> BTreeSet<String> {
    let is_meant = |action: &&Value| action["client_id"] == id && action["kind"] == "client";
    let action = plan["actions"].as_array().unwrap().iter().find(is_meant).unwrap();
    let changes = action["changes"].as_array().unwrap();
    changes.iter().map(|change| change["field"].as_str().unwrap().to_owned()).collect()
}

/// The clients that the declarations leave alone.
fn untouched(world: &World, declared: &[Declared]) -> Vec<ClientRecord> {
    let alone =
        |declared: &&Declared| matches!(declared, Declared::Not | Declared::Removed("release"));
    let names = NAMES.iter().zip(declared).filter(|(_, declared)| alone(declared));
    let clients = world.sandbox.state().clients;
    let of =
        |name: &str| clients.values().find(|client| client.fields["client_name"] == name).cloned();
    assert!(world.sandbox.state().scopes[&name(SCOPES[0])].owner_orgno == orgno(OWNER));
    names.filter_map(|(name, _)| of(name)).collect()
}
