//! Output of a plan: text as snapshots, JSON against its schema.

mod hostile;
pub(crate) mod runners;

use domain::AccessState::{Approved, Denied, Requested};
use serde_json::Value;

use crate::world::{DIGDIR, KART, SKATT, World};

/// A world in which a plan has a bit of everything.
fn world() -> World {
    let world = World::new();
    world.put("etat:arbeid:aareg.read", true, &[(SKATT, Approved), (KART, Requested)]);
    world.put("etat:helse:journal.read", false, &[(SKATT, Approved), (DIGDIR, Approved)]);
    world.put("etat:gammel.read", true, &[(KART, Approved)]);
    world.put("etat:vern.read", true, &[]);
    world.put("etat:alle.read", true, &[(DIGDIR, Denied)]);
    world.put("etat:fremmed.read", true, &[]);
    world.settings("guards: { max_revocations: 2, protect: [\"etat:vern*\"] }\n");
    world.declare(
        "consumers:\n  \
           skatteetaten: { orgno: \"974761076\", name: Skatteetaten }\n\
         scopes:\n  \
           - name: etat:arbeid:aareg.read\n    \
             description: Les arbeidsforhold\n    \
             at_max_age: 120\n    \
             allowed_integration_types: [maskinporten]\n    \
             consumers:\n      \
               - { consumer: skatteetaten, until: 2020-01-31 }\n      \
               - { consumer: \"991825827\", reason: SAK-1234 }\n  \
           - name: etat:helse:journal.read\n    \
             description: Les\n    \
             consumers: [skatteetaten]\n  \
           - name: etat:ny.read\n    \
             description: Ny\n    \
             delegation_source: altinn\n    \
             consumers: [skatteetaten]\n  \
           - { name: etat:vern.read, description: Les, active: false }\n  \
           - { name: etat:alle.read, description: Les, accessible_for_all: true }\n\
         removed:\n  \
           - { scope: etat:gammel.read, action: deactivate, reason: avviklet }\n",
    );
    world
}

#[test]
fn a_plan_as_text() {
    insta::assert_snapshot!(world().run(&["plan"]).stdout);
}

#[test]
fn a_plan_as_json() {
    let plan = world().plan();
    let schema = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/plan.schema.json"));
    let schema: Value = serde_json::from_slice(&schema.unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(&plan).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    insta::with_settings!({ filters => [(r#""created": "[^"]+""#, r#""created": "<time>""#)] }, {
        insta::assert_snapshot!(format!("{plan:#}"));
    });
}

#[test]
fn a_report_of_a_partial_failure() {
    let world = world();
    world.sandbox.edit(|state| {
        state.unknown_organizations.insert(crate::world::orgno(DIGDIR));
    });
    let ran = world.run(&["apply", "--auto-approve", "--override-guards", "avviklet"]);
    assert_eq!(ran.code, 6);
    let report = ran.stdout.split("\nApplied").nth(1).unwrap();
    insta::with_settings!({ filters => [(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<correlation id>")] }, {
        insta::assert_snapshot!(format!("Applied{report}"));
    });
}

#[test]
fn mistakes_in_the_declarations() {
    let world = World::new();
    world.write("a.yaml", "consumers:\n  skatteetaten: { orgno: \"974761077\" }\n");
    world.declare(
        "scopes:\n  \
           - name: nav:a\n    \
             description: Les\n    \
             at_max_aeg: 120\n    \
             visibility: public\n    \
             consumers: [skattetaten, 991825827, { group: alle }]\n  \
           - { name: etat:b, description: Les }\n  \
           - { name: etat:b, description: Les }\n",
    );
    insta::assert_snapshot!(world.run(&["plan"]).stderr);
}

#[test]
fn nothing_to_do() {
    let world = World::new();
    insta::assert_snapshot!(world.run(&["plan"]).stdout, @"
    What was applied before is not known: this is not a git repository
    Plan for test, Etaten (889640782)
    No changes.

    Worth knowing
      PV409 git: this is not a git repository: what is not declared any more is left alone, and what is drift is not shown
    ");
}

#[test]
fn more_than_ten_notices_are_counted() {
    let world = World::new();
    for number in 10..20 {
        world.put(&format!("etat:s{number}"), true, &[]);
    }
    let text = world.run(&["plan"]).stdout;
    insta::assert_snapshot!(text.split("\n\n").last().unwrap(), @r"
    Worth knowing: 11 notices; -v lists them
      PV401 10 x A scope or a client is live and declared nowhere.
      PV409 1 x What was declared before is not known.
    ");
    let listed = world.run(&["plan", "-v"]).stdout;
    let listed = listed.split("\n\n").last().unwrap();
    assert_eq!(listed.lines().count(), 12, "{listed}");
    assert!(listed.starts_with("Worth knowing\n  PV401 etat:s10: "), "{listed}");
}

#[test]
fn the_question_for_approval_repeats_what_takes_and_gives_access() {
    let world = world();
    world.settings("");
    for number in 1..=9 {
        let consumers = format!("[\"{SKATT}\"]");
        let scope =
            format!("{{ name: \"etat:s{number}\", description: Les, consumers: {consumers} }}");
        world.write(&format!("s{number}.yaml"), format!("scopes: [{scope}]\n"));
    }
    let plan = world.run(&["plan", "--format", "json"]).stdout;
    let plan = plan::document::PlanDocument::read(&plan).unwrap();
    insta::assert_snapshot!(anstream::adapter::strip_str(&portvakt::render::approval(&plan)), @r"

    To approve: 3 to revoke, 1 to reactivate, 10 to create, 2 to update, 11 to grant, 2 to deactivate.
    Takes access away or opens up: 8
      - revoke     etat:arbeid:aareg.read  974761076 Skatteetaten  declarations.yaml:9
      - revoke     etat:gammel.read  971040238 STATENS KARTVERK  declarations.yaml:21
      - revoke     etat:helse:journal.read  991825827 DIGITALISERINGSDIREKTORATET  declarations.yaml:11
      ! reactivate etat:helse:journal.read  declarations.yaml:11
      + create     etat:ny.read  declarations.yaml:14
      ~ update     etat:alle.read  declarations.yaml:19
      - deactivate etat:gammel.read  declarations.yaml:21
      - deactivate etat:vern.read  declarations.yaml:18
    Gives access: 11
      + grant      etat:arbeid:aareg.read  991825827 DIGITALISERINGSDIREKTORATET  declarations.yaml:10
      + grant      etat:ny.read  974761076 Skatteetaten  declarations.yaml:17
      + grant      etat:s1  974761076 Skatteetaten  s1.yaml:1
      + grant      etat:s2  974761076 Skatteetaten  s2.yaml:1
      + grant      etat:s3  974761076 Skatteetaten  s3.yaml:1
      + grant      etat:s4  974761076 Skatteetaten  s4.yaml:1
      + grant      etat:s5  974761076 Skatteetaten  s5.yaml:1
      + grant      etat:s6  974761076 Skatteetaten  s6.yaml:1
      + grant      etat:s7  974761076 Skatteetaten  s7.yaml:1
      + grant      etat:s8  974761076 Skatteetaten  s8.yaml:1
      and 1 more, listed above
    ");
}
