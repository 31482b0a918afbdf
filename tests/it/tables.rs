//! The tables of the design's section 3, one test per row, from the YAML to the API and back.

use domain::AccessState::{Approved, Denied, Requested};
use sandbox::Switches;

use crate::world::{DIGDIR, KART, SKATT, World, name, orgno};

/// A scope as most tests declare it.
fn scope(consumers: &[&str]) -> String {
    let consumers: Vec<_> = consumers.iter().map(|orgno| format!("\"{orgno}\"")).collect();
    let consumers = consumers.join(", ");
    format!("scopes:\n  - name: etat:a\n    description: Les\n    consumers: [{consumers}]\n")
}

#[test]
fn absent_and_declared_is_created_then_granted() {
    let world = World::new();
    world.declare(&scope(&[SKATT, KART]));
    world.converges(&["create scope etat:a", "grant etat:a 971040238", "grant etat:a 974761076"]);
    assert_eq!(world.open_to("etat:a").unwrap(), [KART, SKATT]);
}

#[test]
fn active_and_the_same_is_left_alone() {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Approved)]);
    world.declare(&scope(&[SKATT]));
    world.converges(&[]);
}

#[test]
fn active_and_different_is_updated_with_only_what_differs_shown() {
    let world = World::new();
    world.put("etat:a", true, &[]);
    world.sandbox.edit(|state| {
        let scope = state.scopes.values_mut().next().unwrap();
        scope.fields.insert("at_max_age".to_owned(), 30.into());
        scope.fields.insert("heard_of_by_nobody".to_owned(), "kept".into());
    });
    world.declare(&scope(&[]));
    let changes = &world.plan()["actions"][0]["changes"];
    assert_eq!(changes, &serde_json::json!([{ "field": "at_max_age", "before": 30, "after": 0 }]));
    world.converges(&["update scope etat:a"]);
    assert_eq!(world.field("etat:a", "at_max_age"), 0);
    assert_eq!(world.field("etat:a", "heard_of_by_nobody"), "kept");
    assert_eq!(world.field("etat:a", "protected"), false);
}

#[test]
fn what_is_unset_is_gone_whether_or_not_a_put_resets_what_it_leaves_out() {
    for put_keeps_omitted in [false, true] {
        let world = World::with(Switches { put_keeps_omitted, ..Switches::default() });
        world.put("etat:a", true, &[]);
        world.sandbox.edit(|state| {
            let scope = state.scopes.values_mut().next().unwrap();
            let altinn = "https://tt02.altinn.no/".into();
            scope.fields.insert("delegation_source".to_owned(), altinn);
        });
        world.declare(&scope(&[]));
        world.converges(&["update scope etat:a"]);
        assert_eq!(world.field("etat:a", "delegation_source"), serde_json::Value::Null);
    }
}

#[test]
fn inactive_and_declared_is_reactivated_after_the_undeclared_are_revoked() {
    let world = World::new();
    world.put("etat:a", false, &[(SKATT, Approved), (KART, Denied), (DIGDIR, Approved)]);
    world.declare(&scope(&[SKATT, KART]));
    let regains = &world.plan()["actions"][1]["regains"];
    assert_eq!(
        regains,
        &serde_json::json!([{ "consumer": SKATT, "consumer_name": "SKATTEETATEN" }])
    );
    let text = world.run(&["plan"]).stdout;
    assert!(text.contains("1 consumer with access again: 974761076 SKATTEETATEN"), "{text}");
    world.sandbox.clear_exchanges();
    world.converges(&[
        "revoke etat:a 991825827",
        "reactivate scope etat:a",
        "grant etat:a 971040238",
    ]);
    assert_eq!(world.open_to("etat:a").unwrap(), [KART, SKATT]);
}

#[test]
fn a_refused_revocation_follows_at_once_after_the_reactivation() {
    let world = World::with(Switches { inactive_access_refused: true, ..Switches::default() });
    world.put("etat:a", false, &[(SKATT, Approved), (DIGDIR, Approved)]);
    world.declare(&scope(&[SKATT, KART]));
    world.planned();
    world.apply();
    let revoke = "revoke etat:a 991825827";
    assert_eq!(world.sent(), [revoke, "put scope etat:a", revoke, "grant etat:a 971040238"]);
    assert_eq!(world.open_to("etat:a").unwrap(), [KART, SKATT]);
    world.is_settled();
}

#[test]
fn active_and_declared_inactive_is_paused_with_its_accesses() {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Approved)]);
    world.declare(&scope(&[KART]).replace("description", "active: false\n    description"));
    world.converges(&["deactivate scope etat:a"]);
    let accesses = &world.sandbox.state().accesses[&name("etat:a")];
    assert_eq!(accesses[&orgno(SKATT)].state, Approved);
}

#[test]
fn active_and_removed_is_emptied_then_deactivated() {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Approved), (KART, Requested)]);
    world.declare("removed:\n  - { scope: etat:a, action: deactivate, reason: avviklet }\n");
    world.converges(&["revoke etat:a 974761076", "deactivate scope etat:a"]);
    // A later reactivation restores no access.
    world.declare(&scope(&[]));
    world.converges(&["reactivate scope etat:a"]);
    assert_eq!(world.open_to("etat:a").unwrap(), [""; 0]);
}

#[test]
fn active_and_released_is_left_alone() {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Approved)]);
    world.declare("removed:\n  - { scope: etat:a, action: release }\n");
    let plan = world.plan();
    let notices = plan["notices"].as_array().unwrap();
    assert!(notices.iter().all(|notice| notice["code"] == "PV409"), "{plan:#}");
    world.converges(&[]);
    assert_eq!(world.open_to("etat:a").unwrap(), [SKATT]);
}

#[test]
fn active_and_never_declared_is_reported_and_left_alone() {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Approved)]);
    let notice = &world.plan()["notices"][0];
    assert_eq!((&notice["code"], &notice["target"]), (&"PV401".into(), &"etat:a".into()));
    world.converges(&[]);
    assert_eq!(world.open_to("etat:a").unwrap(), [SKATT]);
}

#[test]
fn inactive_and_undeclared_or_declared_inactive_is_left_alone() {
    let world = World::new();
    world.put("etat:a", false, &[(SKATT, Approved)]);
    world.converges(&[]);
    world.declare(&scope(&[SKATT]).replace("description", "active: false\n    description"));
    world.converges(&[]);
    world.declare("removed:\n  - { scope: etat:a, action: deactivate }\n");
    world.converges(&[]);
}

#[test]
fn an_absent_or_denied_access_that_is_declared_is_granted() {
    for switches in
        [false, true].map(|denied_hidden| Switches { denied_hidden, ..Switches::default() })
    {
        let world = World::with(switches);
        world.put("etat:a", true, &[(KART, Denied)]);
        world.declare(&scope(&[SKATT, KART]));
        world.converges(&["grant etat:a 971040238", "grant etat:a 974761076"]);
        assert_eq!(world.open_to("etat:a").unwrap(), [KART, SKATT]);
    }
}

#[test]
fn a_requested_access_that_is_declared_is_approved() {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Requested)]);
    world.declare(&scope(&[SKATT]));
    let changes = &world.plan()["actions"][0]["changes"][0];
    assert_eq!(changes["before"], "REQUESTED");
    world.converges(&["grant etat:a 974761076"]);
}

#[test]
fn a_requested_access_that_is_not_declared_is_reported() {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Requested)]);
    world.declare(&scope(&[]));
    let notice = &world.plan()["notices"][0];
    assert_eq!(notice["code"], "PV402");
    assert_eq!(
        notice["message"],
        "SKATTEETATEN (974761076) asks for access; declare it among the scope's consumers to approve"
    );
    world.converges(&[]);
}

#[test]
fn an_approved_access_that_is_not_declared_is_revoked() {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Approved), (KART, Approved)]);
    world.declare(&scope(&[SKATT]));
    world.converges(&["revoke etat:a 971040238"]);
    assert_eq!(world.open_to("etat:a").unwrap(), [SKATT]);
}

#[test]
fn a_denied_access_that_is_not_declared_is_left_alone() {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Denied)]);
    world.declare(&scope(&[]));
    world.converges(&[]);
}

#[test]
fn an_access_whose_last_day_is_past_is_revoked() {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Approved), (KART, Approved)]);
    world.declare(&format!(
        "scopes:\n  - name: etat:a\n    description: Les\n    consumers:\n      \
           - {{ consumer: \"{SKATT}\", until: 2020-06-30 }}\n      \
           - {{ consumer: \"{KART}\", until: 2099-06-30 }}\n"
    ));
    let action = &world.plan()["actions"][0];
    assert_eq!(action["reason"], "expired: the last day was 2020-06-30");
    assert_eq!(action["source"], serde_json::json!({ "file": "declarations.yaml", "line": 5 }));
    world.converges(&["revoke etat:a 974761076"]);
}
