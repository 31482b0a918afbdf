//! Blocked organisations.

use insta::assert_snapshot;

use super::super::RevocationCause;
use super::*;
use domain::ConsumerBlock;

/// Declarations that block an organisation from scopes of these names; `None` for all.
pub(super) fn blocking(mut desired: Desired, consumer: &str, scopes: Option<&str>) -> Desired {
    let scopes = scopes.map(|glob| {
        let mut globs = GlobSetBuilder::new();
        globs.add(Glob::new(glob).unwrap());
        globs.build().unwrap()
    });
    let (consumer, reason) = (orgno(consumer), "SAK-99".to_owned());
    desired.blocks.push(ConsumerBlock { consumer, scopes, reason, source: source(2) });
    desired
}

#[test]
fn a_blocked_organisation_has_no_access_whatever_is_declared() {
    let desired = blocking(
        declared([("etat:a", scope(&[SKATT, KART])), ("etat:b", scope(&[SKATT]))]),
        SKATT,
        Some("etat:a*"),
    );
    let has = [(SKATT, "APPROVED"), (KART, "APPROVED")];
    let live = live([("etat:a", live_scope(true, &has)), ("etat:b", live_scope(true, &[]))]);
    assert_snapshot!(summary(&desired, &live), @"
    revoke etat:a 974761076
    grant etat:b 974761076
    ");
    let action = &planned(&desired, &live).actions[0];
    assert_eq!(action.reason.as_deref(), Some("blocked: SAK-99"));
    assert_eq!((action.revocation(), &action.source), (Some(RevocationCause::Block), &source(2)));
}

#[test]
fn nobody_regains_access_by_a_reactivation_who_is_blocked() {
    let desired = blocking(declared([("etat:a", scope(&[SKATT]))]), SKATT, None);
    let live = live([("etat:a", live_scope(false, &[(SKATT, "APPROVED")]))]);
    assert_snapshot!(summary(&desired, &live), @"
    revoke etat:a 974761076
    reactivate scope etat:a after:[revoke etat:a 974761076]
    ");
}

#[test]
fn revocations_of_a_block_count_in_no_guard_and_others_do() {
    let names = ["etat:a", "etat:b", "etat:c"];
    let mut desired = declared(names.map(|name| (name, scope(&[SKATT, KART]))));
    (desired.guards.max_revocations, desired.guards.max_changed_percent) = (1, Some(10));
    let has = [(SKATT, "APPROVED"), (KART, "APPROVED")];
    let live = live(names.map(|name| (name, live_scope(true, &has))));
    let one = blocking(desired.clone(), SKATT, None);
    assert_snapshot!(summary(&one, &live), @"
    revoke etat:a 974761076
    revoke etat:b 974761076
    revoke etat:c 974761076
    ");
    let mut more = one;
    for scope in more.scopes.values_mut() {
        scope.consumers.remove(&orgno(KART));
    }
    assert_snapshot!(summary(&more, &live), @"
    revoke etat:a 971040238
    revoke etat:a 974761076
    revoke etat:b 971040238
    revoke etat:b 974761076
    revoke etat:c 971040238
    revoke etat:c 974761076
    PV502 guards.max_revocations
    PV503 guards.max_changed_percent
    ");
}

#[test]
fn a_block_is_carried_out_where_the_past_is_not_known_and_takes_over_nothing() {
    let desired = blocking(declared([("etat:a", scope(&[SKATT]))]), SKATT, None);
    let live = live([("etat:a", live_scope(true, &[(SKATT, "APPROVED")]))]);
    let unknown = Past { unknown: Some("no".to_owned()), is_recorded: true, ..Past::default() };
    let plan = plan(&desired, &unknown, &live, NOW.parse().unwrap());
    assert_snapshot!(in_lines(&plan), @"revoke etat:a 974761076");
}

#[test]
fn a_scope_that_is_open_to_all_cannot_be_closed_to_one() {
    let attributes = ScopeAttributes { accessible_for_all: true, ..scope(&[]).attributes };
    let open = DesiredScope { attributes, ..scope(&[]) };
    let desired = blocking(declared([("etat:a", open)]), SKATT, None);
    let fields = json!({ "description": "Les", "accessible_for_all": true });
    let live = live([("etat:a", with_fields(true, &[], fields))]);
    assert_snapshot!(summary(&desired, &live), @"PV422 etat:a 974761076");
}

#[test]
fn a_blocked_organisation_keeps_access_to_a_scope_that_is_not_declared() {
    let mut desired = blocking(declared([]), SKATT, Some("etat:*"));
    let has = [(SKATT, "APPROVED"), (KART, "APPROVED")];
    let live = live([
        ("etat:a", live_scope(true, &has)),
        ("etat:b", live_scope(true, &[(SKATT, "DENIED")])),
        ("etat:c", live_scope(false, &has)),
        ("etat:d", live_scope(true, &has)),
        ("annet:e", live_scope(true, &has)),
    ]);
    let released = |action| Removal { action, reason: None, source: source(9) };
    desired.removed.insert(name("etat:d"), released(RemovalAction::Release));
    let plan = planned(&desired, &live);
    let vain = plan.notices.iter().filter(|notice| notice.code.as_str() == "PV422");
    let vain: Vec<_> =
        vain.map(|notice| format!("{}: {}", notice.target, notice.message)).collect();
    assert_snapshot!(vain.join("\n"), @"
    etat:a 974761076: Skatteetaten (974761076) is blocked and keeps access, as the scope is not declared: once it is, the block revokes the access
    etat:d 974761076: Skatteetaten (974761076) is blocked and keeps access, as the scope is not declared: once it is, the block revokes the access
    ");
}

#[test]
fn a_block_counts_more_than_days_and_reports_none() {
    let ends = scope_on(&[days("2026-11-22", "2026-11-30")]);
    let desired = blocking(declared([("etat:a", ends)]), SKATT, None);
    let requested = live([("etat:a", live_scope(true, &[(SKATT, "REQUESTED")]))]);
    assert_snapshot!(summary(&desired, &requested), @"");
}

#[test]
fn access_after_a_block_names_the_block_that_was_lifted_and_counts_as_a_grant() {
    let mut desired = declared([("etat:a", scope(&[SKATT, KART])), ("etat:b", scope(&[SKATT]))]);
    desired.guards.max_grants = 1;
    let blocked = blocking(blocking(desired.clone(), SKATT, Some("etat:a")), KART, Some("etat:b"));
    let applied = Applied { commit: "abc".into(), desired: blocked };
    let live = live([("etat:a", live_scope(true, &[])), ("etat:b", live_scope(true, &[]))]);
    let plan = planned_after(&desired, Some(&applied), &live);
    assert_snapshot!(in_lines(&plan), @"
    grant etat:a 971040238
    grant etat:a 974761076
    grant etat:b 974761076
    PV505 guards.max_grants
    ");
    let reasons: Vec<_> = plan.actions.iter().map(|action| action.reason.as_deref()).collect();
    assert_eq!(reasons, [None, Some("block of Skatteetaten lifted (SAK-99)"), None]);
    let lifted = &plan.actions[1];
    let line = Source { at: Some("abc".into()), ..source(2) };
    assert_eq!((&lifted.source, &lifted.entry), (&line, &Some(source(7))));
    assert_eq!(lifted.danger(), Some(crate::Danger::Grants));
}
