//! For all declared and live states: apply does exactly what the plan showed, and afterwards there is nothing
//! left to do.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use domain::{AccessState, IntegrationType, ScopeAttributes, Visibility};
use proptest::prelude::*;
use sandbox::{Exchange, Fault, FaultRule, Method, State, Switches};
use serde_json::{Map, Value};

use crate::world::{OWNER, World, as_sent, ids, name, orgno};

const SCOPES: [&str; 4] = ["etat:a", "etat:a/b.les", "etat:æøå&c=d%2e", "etat:x:y+z"];
const CONSUMERS: [&str; 4] = ["974761076", "971040238", "991825827", "313367002"];

/// The days of an entry: without limits, over, to end, begun, to begin, and within both.
const DAYS: [&str; 7] = [
    "",
    ", until: 2020-01-31",
    ", until: 2099-01-31",
    ", from: 2020-01-31",
    ", from: 2099-01-31",
    ", from: 2020-01-31, until: 2099-01-31",
    ", from: 2020-01-31, until: 2020-02-29",
];

/// The consumer that is blocked from the scopes below `etat:a`, where one is.
const BLOCKED: usize = 2;

/// The consumer that is named by its group.
const IN_GROUP: usize = 3;

#[derive(Debug, Clone)]
enum Declared {
    Not,
    Removed(&'static str),
    RefLocation { active: bool, attributes: Attributes, consumers: Vec<(usize, &'static str)> },
}

#[derive(Debug, Clone)]
struct Attributes {
    description: &'static str,
    at_max_age: u64,
    for_all: bool,
    private: bool,
    types: Vec<IntegrationType>,
    audience: Option<&'static str>,
    delegation: bool,
}

#[derive(Debug, Clone)]
struct LiveOne {
    active: bool,
    attributes: Attributes,
    accesses: Vec<(usize, AccessState)>,
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let types = prop::collection::vec(
        prop::sample::select(vec![IntegrationType::Krr, IntegrationType::Maskinporten]),
        0..3,
    );
    (
        prop::sample::select(vec!["Les", "Skriv: \"alt\" # ikke"]),
        prop::sample::select(vec![0, 30, 120]),
        any::<bool>(),
        any::<bool>(),
        types,
        prop::option::of(Just("https://etat.example/api")),
        any::<bool>(),
    )
        .prop_map(
            |(description, at_max_age, for_all, private, types, audience, delegation)| Attributes {
                description,
                at_max_age,
                for_all,
                private,
                types,
                audience,
                delegation,
            },
        )
}

fn declared() -> impl Strategy<Value = Declared> {
    let days = prop::sample::select(DAYS.to_vec());
    let consumers = prop::collection::btree_map(0..CONSUMERS.len(), days, 0..5)
        .prop_map(|each| each.into_iter().collect());
    prop_oneof![
        1 => Just(Declared::Not),
        1 => prop::sample::select(vec!["deactivate", "release"]).prop_map(Declared::Removed),
        4 => (prop::bool::weighted(0.8), attributes(), consumers).prop_map(
            |(active, attributes, consumers)| Declared::RefLocation { active, attributes, consumers }
        ),
    ]
}

fn live() -> impl Strategy<Value = Option<LiveOne>> {
    use AccessState::{Approved, Denied, Requested};
    let state = prop::sample::select(vec![Approved, Denied, Requested]);
    let accesses = prop::collection::vec((0..CONSUMERS.len(), state), 0..5);
    prop::option::weighted(
        0.75,
        (any::<bool>(), attributes(), accesses)
            .prop_map(|(active, attributes, accesses)| LiveOne { active, attributes, accesses }),
    )
}

fn switches() -> impl Strategy<Value = Switches> {
    any::<[bool; 6]>().prop_map(|[a, b, c, d, e, f]| Switches {
        empty_list_is_404: a,
        denied_hidden: b,
        prefix_with_colon: c,
        nulls_for_absent: d,
        inactive_access_refused: e,
        put_keeps_omitted: f,
        ..Switches::default()
    })
}

fn yaml(declared: &[Declared], is_blocked: bool) -> String {
    let (mut scopes, mut removed) = (String::new(), String::new());
    for (name, declared) in SCOPES.iter().zip(declared) {
        match declared {
            Declared::Not => {}
            Declared::Removed(action) => {
                let _ = writeln!(removed, "  - {{ scope: \"{name}\", action: {action} }}");
            }
            Declared::RefLocation { active, attributes, consumers } => {
                let _ = writeln!(scopes, "  - name: \"{name}\"\n    active: {active}");
                scopes += &attributes.yaml();
                let entry = |(consumer, until): &(usize, &str)| match *consumer {
                    IN_GROUP => format!("{{ group: etater{until} }}"),
                    other => format!("{{ consumer: \"{}\"{until} }}", CONSUMERS[other]),
                };
                let entries: Vec<_> = consumers.iter().map(entry).collect();
                let _ = writeln!(scopes, "    consumers: [{}]", entries.join(", "));
            }
        }
    }
    let section = |key: &str, items: String| {
        if items.is_empty() { items } else { format!("{key}:\n{items}") }
    };
    let block = format!(
        "  - {{ consumer: \"{}\", scopes: [\"etat:a*\"], reason: nei }}\n",
        CONSUMERS[BLOCKED]
    );
    let block = if is_blocked { block } else { String::new() };
    let group = format!("  etater: [\"{}\"]\n", CONSUMERS[IN_GROUP]);
    section("groups", group)
        + &section("blocked", block)
        + &section("scopes", scopes)
        + &section("removed", removed)
}

impl Attributes {
    fn yaml(&self) -> String {
        let mut yaml = format!("    description: {}\n", serde_json::json!(self.description));
        let types: BTreeSet<_> = self.types.iter().collect();
        let _ = writeln!(yaml, "    at_max_age: {}", self.at_max_age);
        let _ = writeln!(yaml, "    accessible_for_all: {}", self.for_all);
        let _ =
            writeln!(yaml, "    visibility: {}", if self.private { "PRIVATE" } else { "PUBLIC" });
        let _ = writeln!(yaml, "    allowed_integration_types: {}", serde_json::json!(types));
        if let Some(audience) = self.audience {
            let _ = writeln!(yaml, "    enforced_aud_for_access_token: {audience}");
        }
        if self.delegation {
            let _ = writeln!(yaml, "    delegation_source: altinn");
        }
        yaml
    }

    fn live(&self) -> ScopeAttributes {
        ScopeAttributes {
            description: self.description.to_owned(),
            at_max_age: self.at_max_age,
            accessible_for_all: self.for_all,
            visibility: if self.private { Visibility::Private } else { Visibility::Public },
            allowed_integration_types: self.types.iter().copied().collect(),
            enforced_aud_for_access_token: self.audience.map(str::to_owned),
            delegation_source: self.delegation.then(|| "https://tt02.altinn.no/".to_owned()),
            ..ScopeAttributes::default()
        }
    }
}

fn make_live(world: &World, live: &[Option<LiveOne>]) {
    world.sandbox.edit(|state| {
        for (scope, live) in SCOPES.iter().zip(live) {
            let Some(LiveOne { active, attributes, accesses }) = live else { continue };
            state.put_scope(orgno(OWNER), name(scope), *active, &attributes.live());
            for (consumer, access) in accesses {
                state.put_access(name(scope), orgno(CONSUMERS[*consumer]), access.clone());
            }
        }
    });
}

/// A fault that must leave no trace, after some requests of the apply.
fn fault() -> impl Strategy<Value = Option<FaultRule>> {
    let faults = vec![
        Fault::Status { status: 429, retry_after: Some(0) },
        Fault::Status { status: 503, retry_after: None },
        Fault::StatusAfter { status: 503, retry_after: None },
        Fault::CutBefore,
        Fault::CutAfter,
    ];
    let rule = |(skip, fault)| FaultRule { skip, ..FaultRule::any(1, fault) };
    prop::option::of((0..20_u32, prop::sample::select(faults)).prop_map(rule))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn apply_does_what_the_plan_showed_and_then_nothing_is_left(
        declared in prop::collection::vec(declared(), SCOPES.len()),
        live in prop::collection::vec(live(), SCOPES.len()),
        is_blocked in any::<bool>(),
        switches in switches(),
        fault in fault(),
    ) {
        let world = World::with(switches);
        world.settings("guards: { max_deactivations: 1000, max_revocations: 1000 }\n");
        world.declare(&yaml(&declared, is_blocked));
        make_live(&world, &live);
        let unmanaged = untouched(&world, &declared);
        let plan = world.plan();
        prop_assert_eq!(world.sent(), Vec::<String>::new(), "a plan changed something");
        let before = world.sandbox.state();
        let is_doubled = switches.inactive_access_refused || switches.put_keeps_omitted;
        let is_undisturbed = fault.is_none() && !is_doubled;
        fault.into_iter().for_each(|rule| world.sandbox.inject(rule));
        let ran = world.apply();
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
            if exchange.method == Method::PUT && exchange.path.ends_with("/scopes") {
                prop_assert_eq!(changed(&exchange, &before), shown_changes(&exchange, &plan));
            }
        }
        world.is_settled();
        prop_assert_eq!(untouched(&world, &declared), unmanaged);
        for (scope, declared) in SCOPES.iter().zip(&declared) {
            if let Declared::RefLocation { active: true, consumers, .. } = declared {
                let mut entitled = entitled(consumers);
                let blocked = CONSUMERS[BLOCKED];
                entitled.retain(|it| !(is_blocked && scope.starts_with("etat:a") && it == blocked));
                prop_assert_eq!(world.open_to(scope), Some(entitled));
            }
        }
    }
}

fn scope_of(exchange: &Exchange) -> &str {
    &exchange.query.iter().find(|(key, _)| key == "scope").unwrap().1
}

/// The fields that a PUT changes, unset ones included.
fn changed(exchange: &Exchange, before: &State) -> BTreeSet<String> {
    let body: Map<String, Value> = serde_json::from_str(&exchange.body).unwrap();
    let own = ["name", "prefix", "subscope", "active"];
    let fields = &before.scopes[&name(scope_of(exchange))].fields;
    let keys = fields.keys().chain(body.keys()).filter(|key| !own.contains(&key.as_str()));
    // A null, an empty text and no member are the same to DigDir.
    let is_value = |value: &&Value| !value.is_null() && value.as_str() != Some("");
    let (before, sent) = (
        |key: &String| fields.get(key).filter(is_value),
        |key: &String| body.get(key).filter(is_value),
    );
    keys.filter(|key| before(key) != sent(key)).cloned().collect()
}

/// The fields whose changes the plan showed.
fn shown_changes(exchange: &Exchange, plan: &Value) -> BTreeSet<String> {
    let is_meant = |action: &&Value| {
        action["scope"] == scope_of(exchange)
            && ["update", "reactivate"].map(Value::from).contains(&action["action"])
    };
    let action = plan["actions"].as_array().unwrap().iter().find(is_meant).unwrap();
    let changes = action["changes"].as_array().unwrap();
    changes.iter().map(|change| change["field"].as_str().unwrap().to_owned()).collect()
}

/// The declared consumers whose access has begun and not expired.
fn entitled(consumers: &[(usize, &str)]) -> Vec<String> {
    let in_force = consumers
        .iter()
        .filter(|(_, days)| !days.contains("until: 2020") && !days.contains("from: 2099"));
    let numbers: BTreeSet<_> =
        in_force.map(|(consumer, _)| CONSUMERS[*consumer].to_owned()).collect();
    numbers.into_iter().collect()
}

/// The scopes that the declarations leave alone, with their consumers.
fn untouched(world: &World, declared: &[Declared]) -> Vec<Option<Vec<String>>> {
    let alone =
        |declared: &&Declared| matches!(declared, Declared::Not | Declared::Removed("release"));
    let scopes = SCOPES.iter().zip(declared).filter(|(_, declared)| alone(declared));
    scopes.map(|(scope, _)| world.open_to(scope)).collect()
}
