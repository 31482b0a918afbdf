//! `portvakt unmanaged` and `portvakt coverage`: live entities that are not declared.

use domain::AccessState::{Approved, Denied, Requested};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::git::remote::Remote;
use crate::world::{DIGDIR, KART, Ran, SKATT, World, name};

fn listed(world: &World) -> Value {
    let ran = done(world.run(&["unmanaged", "--format", "json"]));
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/unmanaged.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<_> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
    assert_eq!(wrong, [""; 0], "{document:#}");
    document
}

fn done(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    ran
}

/// The creation time of something that many days old.
fn days_ago(now: Timestamp, days: i64) -> Timestamp {
    now - SignedDuration::from_hours(24 * days + 1)
}

fn describe(world: &World, scope: &str, description: &str, created: Timestamp) {
    world.sandbox.edit(|state| {
        let record = state.scopes.get_mut(&name(scope)).unwrap();
        record.fields.insert("description".to_owned(), description.into());
        record.created = created;
    });
}

/// Five scopes and three clients beside portvakt's own, one of each declared.
fn grown(now: Timestamp) -> World {
    let world = World::new();
    world.put("etat:a:declared", true, &[(SKATT, Approved)]);
    world.put("etat:a:inactive", false, &[(SKATT, Approved)]);
    world.put(
        "etat:arbeid:aareg.read",
        true,
        &[(SKATT, Approved), (KART, Approved), (DIGDIR, Requested)],
    );
    describe(
        &world,
        "etat:arbeid:aareg.read",
        "arbeid - prod-gcp:plattform:aareg-api",
        days_ago(now, 1000),
    );
    world.put("etat:b:handed", true, &[(SKATT, Denied)]);
    describe(&world, "etat:b:handed", "prodgcp:teama:appb.b:handed", days_ago(now, 100));
    world.put("etat:c:by-hand", true, &[]);
    describe(&world, "etat:c:by-hand", "Les \u{1b}[31mting\n::error::x", days_ago(now, 3));
    world.put_client("1", "declared", true, &[]);
    world.put_client("2", "ARBEIDS- OG VELFERDSETATEN", true, &["etat:a:declared"]);
    world.put_client("3", "gone", false, &[]);
    world.put_client("4", "gammel", true, &[]);
    world.sandbox.edit(|state| {
        for (id, days) in [("2", 800), ("4", 70)] {
            let record = state.clients.get_mut(id).unwrap();
            record.created = days_ago(now, days);
        }
        let nais = state.clients.get_mut("2").unwrap();
        nais.fields.insert("description".to_owned(), "prod-gcp:plattform:aareg-api".into());
        let gammel = state.clients.get_mut("4").unwrap();
        gammel.fields.insert("description".to_owned(), "".into());
    });
    world.declare(
        "scopes: [{ name: etat:a:declared, description: Les, consumers: [\"974761076\"] }]\n\
         clients: [{ name: declared }]\n",
    );
    world
}

#[test]
fn what_is_declared_nowhere_is_listed_with_hints() {
    let now = Timestamp::now();
    let world = grown(now);
    let ran = done(world.run(&["unmanaged"]));
    let day = |days: i64| domain::norwegian_date(days_ago(now, days));
    let expected = format!(
        "Declared nowhere in test, Etaten (889640782)

Scopes
  etat:arbeid:aareg.read
      2 consumers, 1 ask for access, made {} (2 years ago); NAIS prod-gcp:plattform:aareg-api
  etat:b:handed
      nobody has access, made {} (3 months ago); NAIS prodgcp:teama:appb
  etat:c:by-hand
      nobody has access, made {} (3 days ago); \"Les \u{fffd}[31mting ::error::x\"

Clients
  ARBEIDS- OG VELFERDSETATEN  2
      maskinporten, 1 scope, made {} (2 years ago); NAIS prod-gcp:plattform:aareg-api
  gammel  4
      maskinporten, 0 scopes, made {} (2 months ago); no description

coverage 37.5 %  (3 of 8 active scopes and clients are managed)
",
        day(1000),
        day(100),
        day(3),
        day(800),
        day(70),
    );
    assert_eq!(ran.stdout, expected);
    assert_eq!(world.sent(), [""; 0]);

    let document = listed(&world);
    let coverage = json!({ "managed": 3, "live": 8, "percent": 37.5 });
    assert_eq!(document["coverage"], coverage);
    let scope = &document["scopes"][0];
    assert_eq!(scope["name"], "etat:arbeid:aareg.read");
    assert_eq!((&scope["consumers"], &scope["requests"]), (&json!(2), &json!(1)));
    assert_eq!(scope["age_days"], 1000);
    let owner = json!({ "cluster": "prod-gcp", "namespace": "plattform", "name": "aareg-api" });
    assert_eq!(scope["owner"], owner);
    let client = &document["clients"][0];
    assert_eq!((&client["client_id"], &client["owner"]), (&json!("2"), &owner));
    assert_eq!(client["scopes"], json!(["etat:a:declared"]));
    assert_eq!(document["clients"][1]["owner"], Value::Null);
}

#[test]
fn a_scope_that_is_open_without_a_grant_is_listed_as_open() {
    let world = World::new();
    for (scope, all, european, shown) in [
        ("etat:a", true, false, "open to all organisations, made"),
        ("etat:e", false, true, "open to European businesses, made"),
        (
            "etat:ae",
            true,
            true,
            "open to all organisations and European businesses, 1 consumer, made",
        ),
    ] {
        let has_access = [(SKATT, Approved)];
        world.put(scope, true, if scope == "etat:ae" { &has_access } else { &[] });
        world.sandbox.edit(|state| {
            let fields = &mut state.scopes.get_mut(&name(scope)).unwrap().fields;
            fields.insert("accessible_for_all".to_owned(), all.into());
            fields.insert("supports_european_businesses".to_owned(), european.into());
        });
        let ran = done(world.run(&["unmanaged"]));
        assert!(ran.stdout.contains(&format!("  {scope}\n      {shown} ")), "{}", ran.stdout);
        let document = listed(&world);
        let mut scopes = document["scopes"].as_array().unwrap().iter();
        let scope = scopes.find(|it| it["name"] == scope).unwrap();
        assert_eq!(scope["supports_european_businesses"], european);
    }
}

#[test]
fn coverage_is_one_figure() {
    let world = grown(Timestamp::now());
    let figure = |world: &World| done(world.run(&["coverage"])).stdout;
    let share = "37.5 %  (3 of 8 active scopes and clients are managed)\n";
    assert_eq!(figure(&world), share);
    let read_accesses =
        world.sandbox.exchanges().iter().any(|exchange| exchange.path.ends_with("/scopes/access"));
    assert!(!read_accesses, "one figure needs no accesses");

    // A released entity belongs to somebody else, which is known.
    world.declare(
        "scopes: [{ name: etat:a:declared, description: Les, consumers: [\"974761076\"] }]\n\
         clients: [{ name: declared }]\n\
         removed:\n\
         - { scope: etat:arbeid:aareg.read, action: release }\n\
         - { scope: etat:b:handed, action: release }\n\
         - { client: ARBEIDS- OG VELFERDSETATEN, action: release }\n\
         - { client: gammel, action: release }\n",
    );
    assert_eq!(figure(&world), "87.5 %  (7 of 8 active scopes and clients are managed)\n");

    let empty = World::new();
    empty.declare("scopes: []\n");
    assert_eq!(figure(&empty), "100.0 %  (1 of 1 active scopes and clients are managed)\n");
    assert_eq!(done(empty.run(&["unmanaged"])).stdout.lines().nth(1), Some("Nothing."));
}

#[test]
fn what_was_applied_before_is_not_declared_nowhere() {
    let remote = Remote::new();
    let clone = remote.first();
    remote.world.declare("scopes: [{ name: etat:a:x, description: Les }]\n");
    clone.merge("Declare x");
    done(remote.world.apply());
    remote.world.declare("scopes: []\n");
    clone.merge("Take x out");
    assert_eq!(listed(&remote.world)["scopes"], json!([]));
}
