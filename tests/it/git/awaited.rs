//! A killed apply whose commit still counts for what may show, once another is applied.

use sandbox::Fault;

use super::lag::lag;
use super::life::scopes;
use super::remote::{Clone, Remote};
use super::reverted::{PATIENT, killed};
use crate::faults::rule;
use crate::world::SKATT;

/// Declarations of the client that is not shown yet.
const HIDDEN: &str = "clients:\n  - name: app\n";

/// Applies these declarations and the client, which DigDir refuses, and the ledger lacks the end.
fn killed_and_refused(remote: &Remote, one: &Clone<'_>, declarations: &str) {
    one.declare(&format!("{declarations}{HIDDEN}"));
    let refused = Fault::Status { status: 400, retry_after: None };
    remote.world.sandbox.inject(rule(("POST", "/clients"), 1, refused));
    killed(remote, one);
}

#[test]
fn what_was_tried_counts_only_for_what_is_not_shown_once_the_rest_is_applied() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare("");
    one.apply();
    killed_and_refused(&remote, &one, &scopes(&[("etat:c", &[SKATT])]));
    one.declare("removed:\n  - { scope: etat:c, action: release, reason: ferdig }\n");
    let ran = one.ends(0, &PATIENT);
    assert!(ran.stdout.contains("release    etat:c"), "{}", ran.stdout);
    assert!(ran.stderr.contains("is still not shown, so it was hardly done"), "{}", ran.stderr);
    // The apply of the client is still unclear, and that of the scope is not.
    assert_eq!(remote.tried().len(), 1);
    assert_eq!(one.planned(), [""; 0]);
    one.declare("");
    assert_eq!(one.planned(), [""; 0]);
    one.ends(0, &PATIENT);
    assert_eq!(remote.world.open_to("etat:c").unwrap(), [SKATT]);
}

#[test]
fn what_was_tried_protects_and_limits_nothing_else_once_the_rest_is_applied() {
    for protection in ["    prevent_deactivation: true\n", ""] {
        let remote = Remote::new();
        let one = remote.first();
        one.declare("");
        one.apply();
        let settings = std::fs::read_to_string(one.path.join("portvakt.yaml")).unwrap();
        if protection.is_empty() {
            let guards = "guards: { protect: [\"etat:*\"], max_deactivations: 0 }\n";
            one.write("portvakt.yaml", &format!("{settings}{guards}"));
        }
        let scope = |protection: &str| {
            format!("scopes:\n  - name: etat:c\n    description: Les\n{protection}")
        };
        killed_and_refused(&remote, &one, &scope(protection));
        one.write("portvakt.yaml", &settings);
        one.declare(&scope(""));
        one.ends(0, &PATIENT);
        let shown = one.ends(0, &["baseline"]).stdout;
        let only = "only for the client app, which DigDir may not show yet";
        assert!(shown.contains(only), "{shown}");
        one.declare("");
        assert_eq!(one.planned(), ["deactivate scope etat:c"], "{protection}");
        one.ends(0, &PATIENT);
        assert_eq!(remote.world.open_to("etat:c"), None);
    }
}

/// A client that a killed apply made, and that is not shown for a minute. Returns the commit that was applied
/// before.
fn killed_in_lag(remote: &Remote, one: &Clone<'_>) -> String {
    let before = one.declare("");
    one.apply();
    one.declare(HIDDEN);
    lag(remote, 60);
    killed(remote, one);
    before
}

/// Checks that the client is closed by an apply that it is shown to.
fn is_closed(remote: &Remote, one: &Clone<'_>, how: &str) {
    assert_eq!(remote.tried().len(), 1, "{how}");
    assert!(remote.world.client("app").1.active, "{how}");
    lag(remote, 0);
    one.apply();
    assert!(!remote.world.client("app").1.active, "{how}");
    assert_eq!(remote.tried(), [""; 0], "{how}");
}

#[test]
fn what_is_shown_late_is_closed_also_after_an_apply_in_part() {
    let remote = Remote::new();
    let one = remote.first();
    killed_in_lag(&remote, &one);
    one.declare(&scopes(&[("etat:a", &[])]));
    let refused = Fault::Status { status: 400, retry_after: None };
    remote.world.sandbox.inject(rule(("POST", "/scopes"), 1, refused));
    let ran = one.ends(6, &PATIENT);
    assert!(ran.stderr.contains("is still not shown, so it was hardly done"), "{}", ran.stderr);
    // That of the new scope was tried too.
    assert_eq!(remote.tried().len(), 2);
    one.ends(0, &PATIENT);
    is_closed(&remote, &one, "in part");
}

#[test]
fn what_is_shown_late_is_closed_also_after_a_rollback() {
    let remote = Remote::new();
    let one = remote.first();
    let before = killed_in_lag(&remote, &one);
    let plan = remote.beside("rollback.json").to_string_lossy().into_owned();
    one.ends(0, &["rollback", &before, "--out", &plan]);
    let ran = one.ends(0, &[&PATIENT[..], &[&plan]].concat());
    assert!(ran.stderr.contains("is still not shown, so it was hardly done"), "{}", ran.stderr);
    one.declare("");
    is_closed(&remote, &one, "rolled back");
}
