//! Clients that have access to some of the scopes that they consume.

use insta::assert_snapshot;

use super::clients::{client, desired, foreign, live_client, with};
use super::*;
use domain::{Beside, ForeignScope, LiveClient};

const ID: &str = "1f0a";

/// A live state in which the organisation has access to `skatt:a` alone.
fn with_access(client: Option<LiveClient>) -> Live {
    let access = Some(AccessState::Approved);
    let clients = client.map(|client| (ID.parse().unwrap(), client));
    Live {
        clients: clients.into_iter().collect(),
        ..foreign("skatt:a", ForeignScope { access, ..ForeignScope::default() })
    }
}

#[test]
fn a_client_is_made_with_the_scopes_that_it_may_have() {
    let declared = desired([client("x", &["skatt:a", "skatt:b", "skatt:c"])]);
    assert_snapshot!(summary(&declared, &with_access(None)), @r#"
    create client x integration_type:null->"maskinporten" scopes:null->["skatt:a"]
    blocked create client x with skatt:b PV310
    blocked create client x with skatt:c PV310
    "#);
    // Once it exists, nothing but the missing scopes is left.
    let made = live_client("x", true, &["skatt:a"], &[]);
    let plan = planned(&declared, &with_access(Some(made)));
    assert_snapshot!(in_lines(&plan), @r"
    blocked update client x with skatt:b PV310
    blocked update client x with skatt:c PV310
    ");
    let whole = live_client("x", false, &["skatt:a"], &[]);
    assert_snapshot!(summary(&declared, &with_access(Some(whole))), @r"
    reactivate client x
    blocked reactivate client x with skatt:b PV310
    blocked reactivate client x with skatt:c PV310
    ");
    assert_snapshot!(plan.blocked[0].message, @"there is no access to skatt:b, and no public scope of that name: look for a typing error, or ask whoever has the prefix 'skatt' for access; the client goes without it until then");
}

#[test]
fn a_live_client_keeps_what_it_has_and_loses_only_what_the_plan_shows() {
    // skatt:b is on the client without access, skatt:c is new, skatt:d is no longer declared.
    let live = || with_access(Some(live_client("x", true, &["skatt:b", "skatt:d"], &[])));
    let declared = desired([client("x", &["skatt:a", "skatt:b", "skatt:c"])]);
    assert_snapshot!(summary(&declared, &live()), @r#"
    update client x scopes:["skatt:b","skatt:d"]->["skatt:a","skatt:b"]
    blocked update client x with skatt:c PV310
    PV406 client x
    "#);
    // With none of the declared scopes left, it keeps those that it has.
    assert_snapshot!(summary(&desired([client("x", &["skatt:c"])]), &live()), @"blocked update client x PV310");
}

#[test]
fn a_scope_of_our_own_that_does_not_exist_is_blocked_with_a_suggestion() {
    let message = |mut desired: Desired, consumed: &str, live: &Live| {
        desired.clients = clients::desired([client("x", &[consumed])]).clients;
        let plan = planned(&desired, live);
        assert_eq!(plan.blocked.len(), 1, "{plan:?}");
        format!("{} {}", plan.blocked[0].code, plan.blocked[0].message)
    };
    let known = declared([("etat:aareg.read", scope(&[]))]);
    assert_snapshot!(message(known.clone(), "etat:aareg.raed", &with([])), @"PV319 etat:aareg.raed would be our own, is not declared, and does not exist. Did you mean etat:aareg.read? Correct the name, or declare the scope");
    assert_snapshot!(message(known, "etat:helse", &with([])), @"PV319 etat:helse would be our own, is not declared, and does not exist. Correct the name, or declare the scope");
    let live_only =
        Live { scopes: live([("etat:gammel", live_scope(true, &[]))]).scopes, ..with([]) };
    let none = declared([]);
    assert!(message(none, "etat:gamel", &live_only).contains("Did you mean etat:gammel?"));
    let paused = DesiredScope { active: false, ..scope(&[]) };
    assert_snapshot!(message(declared([("etat:a", paused)]), "etat:a", &with([])), @"PV319 etat:a is our own, is declared with `active: false`, and does not exist");
}

#[test]
fn a_scope_that_another_place_declares_is_applied_there_first() {
    let other = declared([("etat:felles", scope(&[]))]);
    let beside = Beside {
        place: "the folder felles".to_owned(),
        is_applied: true,
        applied: None,
        desired: other,
    };
    let past = Past { beside: vec![beside], ..Past::default() };
    let consumes = desired([client("x", &["etat:felles"])]);
    let plan = plan(&consumes, &past, &with([]), NOW.parse().unwrap());
    assert_snapshot!(plan.blocked[0].message, @"etat:felles does not exist yet: the folder felles declares it, and must be applied first");
}
