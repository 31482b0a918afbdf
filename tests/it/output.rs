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
    What was applied before is not known: this is no git repository
    Plan for test, Etaten (889640782)
    No changes.

    Worth knowing
      PV409 git: this is no git repository: what is not declared any more is left alone, and what is drift is not shown
    ");
}
