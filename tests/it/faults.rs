//! Faults of the network, a gateway and DigDir itself during an apply.

use std::time::Duration;

use domain::AccessState::{Approved, Denied};
use sandbox::{Fault, FaultRule, Switches};

use crate::world::{DIGDIR, KART, SKATT, World, name, orgno};

/// Faults after which the work must still be done, without a trace.
const PASSING: [Fault; 8] = [
    Fault::Status { status: 429, retry_after: Some(0) },
    Fault::Status { status: 503, retry_after: None },
    Fault::Status { status: 503, retry_after: Some(0) },
    Fault::StatusAfter { status: 503, retry_after: None },
    Fault::CutBefore,
    Fault::CutAfter,
    Fault::ExpireTokens,
    Fault::StatusAfter { status: 500, retry_after: None },
];

/// The calls of an apply, by method and the beginning of the path.
const CALLS: [(&str, &str); 6] = [
    ("GET", "/scopes/access?"),
    ("POST", "/scopes"),
    ("PUT", "/scopes?"),
    ("DELETE", "/scopes?"),
    ("PUT", "/scopes/access/"),
    ("DELETE", "/scopes/access/"),
];

pub(crate) fn rule((method, path): (&str, &str), times: u32, fault: Fault) -> FaultRule {
    let method = Some(method.parse().unwrap());
    FaultRule { method, path: Some(path.to_owned()), skip: 0, times, fault }
}

/// Strikes each of the calls with each passing fault once, in a world of its own; everything must be done.
pub(crate) fn pass(calls: &[(&str, &str)], world: fn() -> World, is_as_declared: fn(&World)) {
    for call in calls {
        for fault in PASSING {
            let world = world();
            world.sandbox.inject(rule(*call, 1, fault));
            let ran = world.apply();
            assert_eq!(ran.code, 0, "{call:?} {fault:?}\n{}{}", ran.stdout, ran.stderr);
            let struck = world.sandbox.exchanges().iter().filter(|e| e.fault.is_some()).count();
            assert_eq!(struck, 1, "{call:?} {fault:?} struck nothing");
            is_as_declared(&world);
        }
    }
}

/// One scope to create and grant, one to update, one to reactivate, one to empty and deactivate.
fn world() -> World {
    let world = World::new();
    world.put("etat:b", true, &[(KART, Approved)]);
    world.put("etat:c", false, &[(SKATT, Approved), (KART, Approved), (DIGDIR, Denied)]);
    world.put("etat:d", true, &[(SKATT, Approved)]);
    world.declare(&format!(
        "scopes:\n  \
           - {{ name: etat:a, description: Les, consumers: [\"{SKATT}\"] }}\n  \
           - {{ name: etat:b, description: Skriv, consumers: [\"{SKATT}\"] }}\n  \
           - {{ name: etat:c, description: Les, consumers: [\"{SKATT}\"] }}\n\
         removed:\n  - {{ scope: etat:d, action: deactivate }}\n"
    ));
    world
}

fn is_as_declared(world: &World) {
    for scope in ["etat:a", "etat:b", "etat:c"] {
        assert_eq!(world.open_to(scope).unwrap(), [SKATT], "{scope}");
    }
    assert_eq!(world.open_to("etat:d"), None);
    assert_eq!(world.field("etat:b", "description"), "Skriv");
    world.is_settled();
}

#[test]
fn passing_faults_leave_no_trace() {
    pass(&CALLS, world, is_as_declared);
}

#[test]
fn a_creation_whose_answer_was_lost_is_looked_up_and_not_sent_again() {
    for fault in [Fault::CutAfter, Fault::StatusAfter { status: 500, retry_after: None }] {
        let world = world();
        world.sandbox.inject(rule(("POST", "/scopes"), 1, fault));
        assert_eq!(world.apply().code, 0);
        let posts = world.sent().iter().filter(|id| id.starts_with("create")).count();
        assert_eq!(posts, 1, "{fault:?}");
        is_as_declared(&world);
    }
}

#[test]
fn one_refused_consumer_does_not_stop_the_others() {
    let world = world();
    world.sandbox.edit(|state| {
        state.unknown_organizations.insert(orgno(DIGDIR));
    });
    world.declare(&format!(
        "scopes:\n  - {{ name: etat:a, description: Les, consumers: [\"{SKATT}\", \"{DIGDIR}\", \"{KART}\"] }}\n"
    ));
    let ran = world.apply();
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(world.open_to("etat:a").unwrap(), [KART, SKATT]);
    let report = ran.stdout.split("Applied to").nth(1).unwrap();
    assert!(report.contains("3 of 4 done, 1 failed"), "{report}");
    assert!(report.contains("failed      grant etat:a 991825827"), "{report}");
    assert!(report.contains("400") && report.contains("correlation"), "{report}");
}

#[test]
fn what_waits_for_a_failed_action_is_not_tried() {
    let world = world();
    world.sandbox.inject(rule(
        ("POST", "/scopes"),
        9,
        Fault::Status { status: 400, retry_after: None },
    ));
    let ran = world.apply();
    assert_eq!(ran.code, 6);
    let report = ran.stdout.split("Applied to").nth(1).unwrap();
    assert!(report.contains("failed      create scope etat:a"), "{report}");
    assert!(
        report.contains("skipped     grant etat:a 974761076\n      waits for: create scope etat:a"),
        "{report}"
    );
    assert!(!world.sent().contains(&"grant etat:a 974761076".to_owned()));
    assert_eq!(world.open_to("etat:b").unwrap(), [SKATT]);
}

#[test]
fn a_scope_is_not_opened_again_while_an_undeclared_access_may_be_inactive() {
    let world = world();
    world.sandbox.inject(rule(
        ("DELETE", "/scopes/access/971040238?scope=etat%3Ac"),
        99,
        Fault::CutBefore,
    ));
    let ran = world.apply_without_patience();
    assert_eq!(ran.code, 6, "{}", ran.stdout);
    assert!(ran.stdout.contains("skipped     reactivate scope etat:c"), "{}", ran.stdout);
    assert_eq!(world.open_to("etat:c"), None);
}

/// An inactive scope with two kept accesses, one of which is declared.
fn sleeping_world() -> World {
    let switches = Switches { inactive_access_refused: true, ..Switches::default() };
    let world = World::with(switches);
    world.put("etat:c", false, &[(SKATT, Approved), (KART, Approved), (DIGDIR, Approved)]);
    world.declare(&format!(
        "scopes:\n  - {{ name: etat:c, description: Les, consumers: [\"{SKATT}\"] }}\n"
    ));
    world
}

#[test]
fn a_reactivation_whose_answer_is_lost_lets_nobody_else_in() {
    let lost = Fault::StatusAfter { status: 503, retry_after: None };
    for (fault, times) in [(Fault::CutAfter, 1), (lost, 1), (lost, 9), (Fault::Html, 1)] {
        let world = sleeping_world();
        world.sandbox.inject(rule(("PUT", "/scopes?"), times, fault));
        let ran = world.apply();
        assert_eq!(ran.code, 0, "{fault:?} {times}\n{}", ran.stdout);
        assert_eq!(world.open_to("etat:c").unwrap(), [SKATT], "{fault:?} {times}");
        world.is_settled();
    }
}

/// The failure of a call's second attempt, which is made once the scope or client is active.
pub(crate) fn failing_once_active(call: (&str, &str)) -> FaultRule {
    FaultRule { skip: 1, ..rule(call, 1, Fault::Status { status: 428, retry_after: None }) }
}

#[test]
fn a_scope_is_closed_again_where_an_access_cannot_be_revoked() {
    let world = sleeping_world();
    world.sandbox.inject(failing_once_active(("DELETE", "/scopes/access/971040238")));
    let ran = world.apply_without_patience();
    assert_eq!(ran.code, 6, "{}", ran.stdout);
    assert_eq!(world.open_to("etat:c"), None, "{}", ran.stdout);
    assert!(ran.stdout.contains("failed      reactivate scope etat:c"), "{}", ran.stdout);
    assert!(ran.stdout.contains("It may have been active for a short time"), "{}", ran.stdout);
    // The other access was revoked, and nothing is left to do but that one.
    assert_eq!(world.apply().code, 0);
    assert_eq!(world.open_to("etat:c").unwrap(), [SKATT]);
    world.is_settled();
}

#[test]
fn a_scope_is_closed_again_whatever_became_of_the_answer() {
    let answers = [
        ("PUT", "/scopes?", Fault::CutAfter),
        ("PUT", "/scopes?", Fault::StatusAfter { status: 503, retry_after: None }),
        ("DELETE", "/scopes?", Fault::CutAfter),
        ("DELETE", "/scopes?", Fault::CutBefore),
        ("DELETE", "/scopes?", Fault::StatusAfter { status: 500, retry_after: None }),
    ];
    for ((method, path, fault), delete_inactive_refused) in
        answers.into_iter().flat_map(|answer| [(answer, false), (answer, true)])
    {
        let world = sleeping_world();
        world.sandbox.set_switches(Switches {
            inactive_access_refused: true,
            delete_inactive_refused,
            ..Switches::default()
        });
        world.sandbox.inject(failing_once_active(("DELETE", "/scopes/access/971040238")));
        world.sandbox.inject(rule((method, path), 1, fault));
        let ran = world.apply_without_patience();
        assert_eq!(ran.code, 6, "{method} {fault:?} {}", ran.stdout);
        assert_eq!(world.open_to("etat:c"), None, "{method} {fault:?} {}", ran.stdout);
        assert!(ran.stdout.contains("deactivated again"), "{method} {fault:?} {}", ran.stdout);
    }
}

#[test]
fn a_scope_that_was_never_active_is_not_said_to_have_been() {
    let world = sleeping_world();
    world.sandbox.inject(failing_once_active(("DELETE", "/scopes/access/971040238")));
    let refused = Fault::Status { status: 400, retry_after: None };
    world.sandbox.inject(rule(("PUT", "/scopes?"), 1, refused));
    let ran = world.apply_without_patience();
    assert_eq!(ran.code, 6, "{}", ran.stdout);
    assert!(!ran.stdout.contains("deactivated again"), "{}", ran.stdout);
    assert!(!world.sent().iter().any(|id| id.starts_with("deactivate")), "{:?}", world.sent());
}

#[test]
fn a_scope_that_cannot_be_closed_again_is_reported_as_open() {
    let world = sleeping_world();
    world.sandbox.inject(failing_once_active(("DELETE", "/scopes/access/971040238")));
    let failed = Fault::Status { status: 428, retry_after: None };
    world.sandbox.inject(rule(("DELETE", "/scopes?"), 1, failed));
    let ran = world.apply_without_patience();
    assert_eq!(ran.code, 6, "{}", ran.stdout);
    assert_eq!(world.open_to("etat:c").unwrap().len(), 2, "{}", ran.stdout);
    assert!(ran.stdout.contains("could not be deactivated again"), "{}", ran.stdout);
    assert_eq!(world.apply().code, 0);
    assert_eq!(world.open_to("etat:c").unwrap(), [SKATT]);
}

#[test]
fn what_somebody_else_has_activated_is_not_closed_again() {
    let world = sleeping_world();
    world.sandbox.inject(failing_once_active(("DELETE", "/scopes/access/971040238")));
    // Somebody changes and activates it while the write is put off.
    let put_off = Fault::Status { status: 429, retry_after: Some(1) };
    world.sandbox.inject(rule(("PUT", "/scopes?"), 1, put_off));
    let mut apply = world.process(&["apply", "--auto-approve", "--patience", "0"]).spawn().unwrap();
    let is_put_off = || {
        let exchanges = world.sandbox.exchanges();
        exchanges.iter().any(|it| it.method == sandbox::Method::PUT && it.fault.is_some())
    };
    while !is_put_off() && apply.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    world.sandbox.edit(|state| {
        let scope = state.scopes.get_mut(&name("etat:c")).unwrap();
        scope.active = true;
        scope.fields.insert("description".to_owned(), "Annet".into());
    });
    assert_eq!(apply.wait().unwrap().code(), Some(6));
    assert!(world.open_to("etat:c").is_some());
    assert!(!world.sent().iter().any(|id| id.starts_with("deactivate")), "{:?}", world.sent());
}

#[test]
fn an_access_that_is_refused_late_is_reported_as_skipped() {
    let world = sleeping_world();
    let terms = Fault::Status { status: 428, retry_after: None };
    world.sandbox.inject(rule(("DELETE", "/scopes/access/971040238"), 1, terms));
    let busy = Fault::Status { status: 503, retry_after: None };
    world.sandbox.inject(rule(("DELETE", "/scopes/access/991825827"), 1, busy));
    let ran = world.apply();
    assert_eq!(ran.code, 6, "{}", ran.stdout);
    assert!(ran.stdout.contains("0 of 3 done, 1 failed, 2 skipped"), "{}", ran.stdout);
    assert_eq!(world.open_to("etat:c"), None);
}

#[test]
fn what_somebody_changes_after_the_plan_is_not_overwritten() {
    // The write is postponed long enough for somebody to intervene.
    let put_off = Fault::Status { status: 429, retry_after: Some(1) };
    type Intervention = fn(&mut sandbox::ScopeRecord);
    let hands: [(Intervention, i32); 3] = [
        (|scope| scope.active = false, 6),
        (|scope| drop(scope.fields.insert("description".to_owned(), "Annet".into())), 6),
        (|scope| drop(scope.fields.insert("protected".to_owned(), true.into())), 0),
    ];
    for (hand, code) in hands {
        let world = world();
        world.sandbox.inject(rule(("PUT", "/scopes?scope=etat%3Ab"), 1, put_off));
        let mut apply = world.process(&["apply", "--auto-approve"]).spawn().unwrap();
        let struck = || world.sandbox.exchanges().iter().any(|exchange| exchange.fault.is_some());
        while !struck() && apply.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        world.sandbox.edit(|state| hand(state.scopes.get_mut(&name("etat:b")).unwrap()));
        let there = world.sandbox.state().scopes[&name("etat:b")].clone();
        assert_eq!(apply.wait().unwrap().code(), Some(code));
        let now = &world.sandbox.state().scopes[&name("etat:b")];
        assert_eq!(
            (now.active, &now.fields["protected"]),
            (there.active, &there.fields["protected"])
        );
        assert_eq!(now.fields == there.fields, code == 6);
    }
}

#[test]
fn an_access_that_nobody_declared_is_seen_after_a_reactivation() {
    let world = World::new();
    world.put("etat:c", false, &[]);
    world.declare("scopes:\n  - { name: etat:c, description: Les }\n");
    world.sandbox.inject(rule(
        ("PUT", "/scopes?"),
        1,
        Fault::Status { status: 429, retry_after: Some(1) },
    ));
    let mut apply = world.process(&["apply", "--auto-approve", "--patience", "0"]).spawn().unwrap();
    let struck = || world.sandbox.exchanges().iter().any(|exchange| exchange.fault.is_some());
    while !struck() && apply.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    world.sandbox.edit(|state| state.put_access(name("etat:c"), orgno(KART), Approved));
    let output = apply.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.contains("have access and are not declared: 971040238"), "{report}");
}

#[test]
fn a_conflict_is_settled_by_reading_again() {
    let world = world();
    let refused = Fault::StatusAfter { status: 409, retry_after: None };
    for call in CALLS.into_iter().skip(1) {
        world.sandbox.inject(rule(call, 1, refused));
    }
    let ran = world.apply();
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    is_as_declared(&world);
}

#[test]
fn a_conflict_that_is_not_as_wanted_shows_what_was_found() {
    let world = world();
    let refused = Fault::Status { status: 409, retry_after: None };
    world.sandbox.inject(rule(("PUT", "/scopes?scope=etat%3Ab"), 1, refused));
    let ran = world.apply();
    assert_eq!(ran.code, 6);
    assert!(ran.stdout.contains(r#"description is "Les", not "Skriv""#), "{}", ran.stdout);
}

#[test]
fn a_gateways_page_is_an_error_and_never_an_empty_list() {
    for path in ["/scopes?", "/scopes/access?", "/prefix"] {
        let world = world();
        world.sandbox.inject(rule(("GET", path), 99, Fault::Html));
        let ran = world.apply();
        assert_eq!(ran.code, 1, "{path}: {}", ran.stdout);
        assert!(ran.stderr.contains("html"), "{path}: {}", ran.stderr);
        assert_eq!(world.sent(), [""; 0], "{path}");
    }
}

#[test]
fn what_was_taken_away_and_is_not_seen_to_be_does_not_count_as_done() {
    let world = world();
    // The API confirms the revocation, but does not carry it out.
    world.sandbox.inject(rule(
        ("DELETE", "/scopes/access/974761076"),
        1,
        Fault::Status { status: 200, retry_after: None },
    ));
    let ran = world.apply_without_patience();
    assert_eq!(ran.code, 6, "{}", ran.stdout);
    assert!(ran.stdout.contains("still has access"), "{}", ran.stdout);
}
