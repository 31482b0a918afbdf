//! Declarations at the applied commit: removals by history, protection that outlives its declaration,
//! releases, and the origin of actions.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::super::{DatesPassed, Origin, Verb, count};
use super::clients::{client, desired, live_client, named, removed, with};
use super::*;
use domain::{Beside, Entity};

const SKATT_HAS: [(&str, &str); 1] = [(SKATT, "APPROVED")];

fn applied(desired: Desired) -> Applied {
    Applied { commit: "4b3fd65893".into(), desired }
}

fn after(desired: &Desired, before: Desired, live: &Live) -> String {
    in_lines(&planned_after(desired, Some(&applied(before)), live))
}

/// No day has passed since the last apply.
fn no_dates(desired: &Desired) -> DatesPassed<'_> {
    let today = "2026-11-22".parse().unwrap();
    DatesPassed { desired, since: today, undone: &NOTHING, today }
}

fn nothing() -> Desired {
    declared([])
}

#[test]
fn what_is_not_declared_any_more_is_emptied_and_closed() {
    let live = live([
        ("etat:a", live_scope(true, &SKATT_HAS)),
        ("etat:fremmed", live_scope(true, &SKATT_HAS)),
        ("etat:lukket", live_scope(false, &SKATT_HAS)),
    ]);
    let before = declared(["etat:a", "etat:lukket", "etat:borte"].map(|name| (name, scope(&[]))));
    assert_snapshot!(after(&nothing(), before.clone(), &live), @"
    revoke etat:a 974761076
    deactivate scope etat:a after:[revoke etat:a 974761076]
    PV401 etat:fremmed
    ");
    let plan = planned_after(&nothing(), Some(&applied(before)), &live);
    for action in &plan.actions {
        assert_eq!(action.source.at.as_deref(), Some("4b3fd65893"));
        assert_eq!((&*action.source.file, action.source.line), ("a.yaml", 3));
        assert_eq!(action.reason.as_deref(), Some("no longer declared"));
    }
}

#[test]
fn a_release_is_an_action_where_it_was_ours_and_nothing_else() {
    let live = live([("etat:a", live_scope(true, &SKATT_HAS))]);
    let mut released = nothing();
    released.removed.insert(name("etat:a"), removal(RemovalAction::Release));
    let before = declared([("etat:a", scope(&[SKATT]))]);
    assert_snapshot!(after(&released, before, &live), @"release scope etat:a");
    assert_snapshot!(after(&released, released.clone(), &live), @"");
}

#[test]
fn protection_outlives_its_declaration() {
    let live =
        live(["etat:a", "etat:b", "etat:c"].map(|name| (name, live_scope(true, &SKATT_HAS))));
    let prevented = DesiredScope { prevent_deactivation: true, ..scope(&[SKATT]) };
    let mut before = declared([
        ("etat:a", prevented.clone()),
        ("etat:b", scope(&[SKATT])),
        ("etat:c", prevented),
    ]);
    let protect = GlobSetBuilder::new().add(Glob::new("etat:b").unwrap()).build().unwrap();
    before.guards = Guards { protect, ..Guards::default() };
    let paused = DesiredScope { active: false, ..scope(&[SKATT]) };
    let mut now = declared([("etat:c", paused)]);
    now.removed.insert(name("etat:b"), removal(RemovalAction::Deactivate));
    assert_snapshot!(after(&now, before, &live), @"
    blocked deactivate scope etat:a PV301
    blocked deactivate scope etat:b PV302
    blocked deactivate scope etat:c PV301
    ");
}

#[test]
fn a_client_that_is_not_declared_any_more_is_closed_before_the_scope_that_it_consumes() {
    let mut live = with([("1f0a", live_client("app", true, &["etat:a"], &[]))]);
    live.scopes.insert(name("etat:a"), live_scope(true, &[]));
    let mut before = desired([client("app", &["etat:a"])]);
    before.scopes.insert(name("etat:a"), scope(&[]));
    assert_snapshot!(after(&nothing(), before.clone(), &live), @"
    deactivate client app
    deactivate scope etat:a after:[deactivate client app]
    ");
    let kept = Desired { clients: before.clients.clone(), ..nothing() };
    assert_snapshot!(after(&kept, before, &live), @"
    deactivate scope etat:a
    PV406 client app
    ");
}

#[test]
fn a_client_that_another_declaration_is_now_stays() {
    let live = with([("1f0a", live_client("app", true, &[], &[]))]);
    let before = desired([client("app", &[])]);
    let mut renamed = client("application", &[]);
    renamed.identity = named("application", None, Some("app"));
    assert_snapshot!(after(&desired([renamed]), before.clone(), &live), @r#"update client application client_name:"app"->"application""#);
    let mut pinned = client("application", &[]);
    pinned.identity = named("application", Some("1f0a"), None);
    assert_snapshot!(after(&desired([pinned]), before, &live), @"blocked update client application PV312");
}

#[test]
fn clients_are_released_and_protected_too() {
    let live = with([("1f0a", live_client("app", true, &[], &[]))]);
    let before = desired([client("app", &[])]);
    let released = removed("app", None, RemovalAction::Release);
    assert_snapshot!(after(&released, before.clone(), &live), @"release client app");
    assert_snapshot!(after(&released, released.clone(), &live), @"");
    let mut prevented = before;
    for client in prevented.clients.values_mut() {
        client.prevent_deactivation = true;
    }
    assert_snapshot!(after(&nothing(), prevented, &live), @"blocked deactivate client app PV301");
}

#[test]
fn what_was_needed_before_too_is_drift() {
    let live = live([("etat:a", live_scope(true, &[(KART, "APPROVED")]))]);
    let before = declared([("etat:a", scope(&[SKATT]))]);
    let now = declared([("etat:a", scope(&[SKATT, DIGDIR])), ("etat:b", scope(&[]))]);
    let mut plan = planned_after(&now, Some(&applied(before.clone())), &live);
    assert!(plan.actions.iter().all(|action| action.origin.is_none()));
    plan.set_origins(
        &planned_after(&before, Some(&applied(before.clone())), &live),
        no_dates(&before),
    );
    let origins = plan
        .actions
        .iter()
        .map(|action| format!("{} {:?}", action.id(), action.origin.unwrap_or(Origin::Change)));
    assert_snapshot!(origins.collect::<Vec<_>>().join("\n"), @"
    revoke etat:a 971040238 Drift
    create scope etat:b Change
    grant etat:a 974761076 Drift
    grant etat:a 991825827 Change
    ");
}

#[test]
fn what_differs_in_another_way_is_change() {
    let drifted = with_fields(true, &[], json!({ "description": "Skriv", "at_max_age": 30 }));
    let live = live([("etat:a", drifted)]);
    let before = declared([("etat:a", scope(&[]))]);
    let mut now = before.clone();
    for scope in now.scopes.values_mut() {
        scope.attributes.at_max_age = 60;
    }
    let mut plan = planned(&now, &live);
    plan.set_origins(&planned(&before, &live), no_dates(&before));
    assert_eq!(plan.actions[0].origin, Some(Origin::Change));
    plan.set_origins(&planned(&now, &live), no_dates(&now));
    assert_eq!(plan.actions[0].origin, Some(Origin::Drift));
}

#[test]
fn what_was_applied_in_part_is_ours_too() {
    let live = live(["etat:a", "etat:b"].map(|name| (name, live_scope(true, &[]))));
    let applied = applied(declared([("etat:a", scope(&[]))]));
    let tried = declared([("etat:a", scope(&[])), ("etat:b", scope(&[]))]);
    let before = applied.and(Applied { commit: "77aa".into(), desired: tried });
    let plan = planned_after(&nothing(), Some(&before), &live);
    let summary = plan.actions.iter().map(|action| {
        format!("{} at {}", action.id(), action.source.at.as_deref().unwrap_or("here"))
    });
    assert_snapshot!(summary.collect::<Vec<_>>().join("\n"), @"
    deactivate scope etat:a at 4b3fd65893
    deactivate scope etat:b at 77aa
    ");
}

#[test]
fn a_rename_takes_no_protection_off() {
    let live = with([("1f0a", live_client("app", true, &[], &[]))]);
    let mut before = desired([client("app", &[])]);
    for client in before.clients.values_mut() {
        client.prevent_deactivation = true;
    }
    let mut renamed = client("application", &[]);
    renamed.identity = named("application", None, Some("app"));
    renamed.active = false;
    assert_snapshot!(after(&desired([renamed]), before, &live), @r"
    blocked deactivate client application PV301
    PV413 client app
    ");
}

#[test]
fn what_was_released_in_part_is_in_other_hands() {
    let before = applied(declared([("etat:a", scope(&[])), ("etat:b", scope(&[]))]));
    let mut tried =
        declared([("etat:b", DesiredScope { prevent_deactivation: true, ..scope(&[]) })]);
    tried.removed.insert(name("etat:a"), removal(RemovalAction::Release));
    let tried = Applied { commit: "77aa".into(), desired: tried };
    let protected = [&before, &tried].map(|it| Protected::at(None, it)).to_vec();
    let past = Past { protected, ..Past::of(before.and(tried)) };
    let live = live(["etat:a", "etat:b"].map(|name| (name, live_scope(true, &[]))));
    let summary = in_lines(&plan(&nothing(), &past, &live, NOW.parse().unwrap()));
    assert_snapshot!(summary, @"
    blocked deactivate scope etat:b PV301
    PV401 etat:a
    ");
}

#[test]
fn what_is_protected_is_not_released_either() {
    let live = live([("etat:a", live_scope(true, &SKATT_HAS))]);
    let prevented = DesiredScope { prevent_deactivation: true, ..scope(&[SKATT]) };
    let mut released = nothing();
    released.removed.insert(name("etat:a"), removal(RemovalAction::Release));
    let before = declared([("etat:a", prevented)]);
    assert_snapshot!(after(&released, before, &live), @"blocked release scope etat:a PV301");
}

#[test]
fn no_scope_is_emptied_by_the_change_that_drops_its_protection() {
    let accesses = [(SKATT, "APPROVED"), (KART, "APPROVED")];
    let live = live(
        ["etat:a", "etat:b", "etat:sover"]
            .map(|name| (name, live_scope(name != "etat:sover", &accesses))),
    );
    let prevented =
        |consumers: &[&str]| DesiredScope { prevent_deactivation: true, ..scope(consumers) };
    let names = ["etat:a", "etat:b", "etat:sover"];
    let before = declared(names.map(|name| (name, prevented(&[SKATT, KART]))));
    let now = declared([
        ("etat:a", scope(&[KART])),
        ("etat:b", prevented(&[KART])),
        ("etat:sover", scope(&[KART])),
    ]);
    assert_snapshot!(after(&now, before, &live), @r"
    revoke etat:b 974761076
    revoke etat:sover 974761076
    reactivate scope etat:sover regains:971040238 after:[revoke etat:sover 974761076]
    blocked revoke etat:a 974761076 PV301
    ");
}

#[test]
fn what_narrows_waits_for_a_change_of_its_own_too() {
    let open = |accessible_for_all: bool| DesiredScope {
        attributes: ScopeAttributes { accessible_for_all, ..scope(&[]).attributes },
        ..scope(&[])
    };
    let mut before = declared([
        ("etat:a", DesiredScope { prevent_deactivation: true, ..open(true) }),
        ("etat:b", open(true)),
    ]);
    let is_open = |_: &str| with_fields(true, &[], json!({ "accessible_for_all": true }));
    let mut live = live(["etat:a", "etat:b"].map(|name| (name, is_open(name))));
    live.clients.insert("1f0a".parse().unwrap(), live_client("app", true, &[], &[]));
    before.clients = desired([client("app", &[])]).clients;
    let protect = GlobSetBuilder::new().add(Glob::new("app").unwrap()).build().unwrap();
    before.guards = Guards { protect, ..Guards::default() };
    let mut now = declared([("etat:a", open(false)), ("etat:b", open(false))]);
    let mut renamed = client("application", &[]);
    renamed.identity = named("application", None, Some("app"));
    now.clients = desired([renamed]).clients;
    now.guards = before.guards.clone();
    assert_snapshot!(after(&now, before, &live), @r#"
    update scope etat:b description:null->"Les" accessible_for_all:true->false
    blocked update scope etat:a PV301
    blocked update client application PV302
    "#);
}

#[test]
fn nothing_is_closed_as_long_as_the_past_is_not_known() {
    let scopes = ["etat:pause", "etat:ut", "etat:felles"];
    let mut live = live(scopes.map(|name| (name, live_scope(true, &SKATT_HAS))));
    live.clients.insert("1f0a".parse().unwrap(), live_client("app", true, &[], &[]));
    let paused = DesiredScope { active: false, ..scope(&[SKATT]) };
    let mut now = declared([("etat:pause", paused), ("etat:felles", scope(&[KART]))]);
    now.removed.insert(name("etat:ut"), removal(RemovalAction::Deactivate));
    now.removed_clients = removed("app", None, RemovalAction::Deactivate).removed_clients;
    let past = Past { unknown: Some("borte".to_owned()), ..Past::default() };
    let planned = plan(&now, &past, &live, NOW.parse().unwrap());
    assert_snapshot!(in_lines(&planned), @"
    grant etat:felles 971040238
    blocked revoke etat:felles 974761076 PV315
    blocked deactivate client app PV315
    blocked deactivate scope etat:pause PV315
    blocked deactivate scope etat:ut PV315
    ");
    assert!(planned.blocked.iter().all(|it| it.message.contains("portvakt baseline set")));
}

#[test]
fn the_stricter_limit_counts_until_another_was_applied() {
    let live = live([("etat:a", live_scope(true, &[(SKATT, "APPROVED"), (KART, "APPROVED")]))]);
    let limited = |max_revocations, max_changed_percent| Desired {
        guards: Guards { max_revocations, max_changed_percent, ..Guards::default() },
        ..declared([("etat:a", scope(&[]))])
    };
    let passed = |before: &Desired, now: &Desired| {
        let plan = planned_after(now, Some(&applied(before.clone())), &live);
        plan.exceeded_limits.iter().map(|limit| limit.message.clone()).collect::<Vec<_>>()
    };
    let (low, high) = (limited(1, Some(10)), limited(100, None));
    assert_eq!(passed(&high, &high), [""; 0]);
    assert_eq!(passed(&high, &low).len(), 2, "lowered limits count at once");
    let raised = passed(&low, &high);
    assert!(raised[0].contains("allowed 1 when it was last applied, and 100"), "{raised:?}");
    assert!(
        raised[1].contains("allowed 10 % when it was last applied, and no limit"),
        "{raised:?}"
    );
}

#[test]
fn what_nais_holds_is_not_closed_by_being_left_out() {
    let held = |description: &str| {
        let mut scope = live_scope(true, &SKATT_HAS);
        scope.representation.insert("description".to_owned(), description.into());
        scope
    };
    let mut app = live_client("app", true, &[], &[]);
    app.representation.insert("description".to_owned(), "prod-gcp:team:app".into());
    let mut live = with([("1f0a", app)]);
    live.scopes.insert(name("etat:a:bb"), held("prodgcp:team:app.a:bb"));
    live.scopes.insert(name("etat:a:cc"), held("a - prod-gcp:team:app"));
    live.scopes.insert(name("etat:a:dd"), held("a - prod-gcp:team:app"));
    let mut before = desired([client("app", &[])]);
    for own in ["etat:a:bb", "etat:a:cc"] {
        before.scopes.insert(name(own), scope(&[SKATT]));
    }
    // The scope of a manifest is removed with it.
    before.scopes.insert(name("etat:a:dd"), DesiredScope { in_manifest: true, ..scope(&[SKATT]) });
    assert_snapshot!(after(&nothing(), before.clone(), &live), @r"
    revoke etat:a:dd 974761076
    deactivate scope etat:a:dd after:[revoke etat:a:dd 974761076]
    blocked deactivate client app PV314
    blocked deactivate scope etat:a:bb PV314
    blocked deactivate scope etat:a:cc PV314
    ");
    // An entry in `removed` is enough.
    let mut now = nothing();
    now.removed.insert(name("etat:a:bb"), removal(RemovalAction::Deactivate));
    now.removed.insert(name("etat:a:cc"), removal(RemovalAction::Release));
    assert_snapshot!(after(&now, before, &live), @r"
    revoke etat:a:bb 974761076
    revoke etat:a:dd 974761076
    deactivate scope etat:a:bb after:[revoke etat:a:bb 974761076]
    deactivate scope etat:a:dd after:[revoke etat:a:dd 974761076]
    release scope etat:a:cc
    blocked deactivate client app PV314
    ");
}

/// A scope as a commit declares it.
#[derive(Debug, Clone, Copy)]
enum ScopeVariant {
    Nothing,
    Declared { active: bool, prevents: bool },
    Removed(RemovalAction),
}

const SCOPES: [&str; 4] = ["etat:a", "etat:b", "etat:vern:a", "etat:vern:b"];

fn said() -> impl Strategy<Value = ScopeVariant> {
    prop_oneof![
        Just(ScopeVariant::Nothing),
        any::<(bool, bool)>()
            .prop_map(|(active, prevents)| ScopeVariant::Declared { active, prevents }),
        Just(ScopeVariant::Removed(RemovalAction::Deactivate)),
        Just(ScopeVariant::Removed(RemovalAction::Release)),
    ]
}

/// The declarations of a commit; `guarded` is whether `guards.protect` matches names that begin with
/// `etat:vern`.
fn commit() -> impl Strategy<Value = Desired> {
    (prop::array::uniform4((said(), any::<bool>())), any::<bool>()).prop_map(|(scopes, guarded)| {
        let mut desired = nothing();
        for (scope_name, (said, consumer)) in SCOPES.into_iter().zip(scopes) {
            match said {
                ScopeVariant::Nothing => {}
                ScopeVariant::Declared { active, prevents } => {
                    let consumers: &[&str] = if consumer { &[SKATT] } else { &[] };
                    let prevent_deactivation = prevents;
                    let declared =
                        DesiredScope { active, prevent_deactivation, ..scope(consumers) };
                    desired.scopes.insert(name(scope_name), declared);
                }
                ScopeVariant::Removed(action) => {
                    desired.removed.insert(name(scope_name), removal(action));
                }
            }
        }
        let globs: &[&str] = if guarded { &["etat:vern*"] } else { &[] };
        let mut protect = GlobSetBuilder::new();
        for glob in globs {
            protect.add(Glob::new(glob).unwrap());
        }
        desired.guards = Guards { protect: protect.build().unwrap(), ..Guards::default() };
        desired
    })
}

proptest! {
    /// One change never removes protection and more: whatever the second commit declares, with or without
    /// attempts in between, nothing that the first protects is deactivated or released, and no declared
    /// consumer loses access by a change that removes the protection.
    #[test]
    fn no_second_commit_closes_what_the_first_protects(
        first in commit(),
        tried in prop::option::of(commit()),
        second in commit(),
        open in prop::array::uniform4(any::<bool>()),
    ) {
        let protection = Protection::of(&first);
        let scopes = SCOPES.into_iter().zip(open);
        let live = live(scopes.map(|(name, active)| (name, live_scope(active, &SKATT_HAS))));
        let first = applied(first);
        let tried = tried.map(|desired| Applied { commit: "77aa".into(), desired });
        let protected = [Some(&first), tried.as_ref()].into_iter().flatten();
        let protected = protected.map(|it| Protected::at(None, it)).collect();
        let before = tried.into_iter().fold(first, Applied::and);
        let entitled = before.desired.scopes.iter().filter(|(_, scope)| !scope.consumers.is_empty());
        let entitled: Vec<_> = entitled.map(|(name, _)| name.clone()).collect();
        let past = Past { protected, ..Past::of(before) };
        let plan = plan(&second, &past, &live, NOW.parse().unwrap());
        for action in &plan.actions {
            let Some(scope) = action.scope().filter(|scope| protection.of_scope(scope).is_some())
            else {
                continue;
            };
            let is_open = live.scopes.get(scope).is_some_and(|scope| scope.active);
            let stays = second.scopes.get(scope).is_some_and(|scope| scope.active)
                && (!is_open || Protection::of(&second).of_scope(scope).is_some());
            let is_closing = matches!(action.verb(), Verb::Deactivate | Verb::Release)
                || (action.verb() == Verb::Revoke && !stays && entitled.contains(scope));
            prop_assert!(!is_closing, "{}", action.id());
        }
    }

    /// As long as the past is not known, nothing is deactivated.
    #[test]
    fn nothing_is_ever_closed_by_an_unknown_past(
        second in commit(),
        open in prop::array::uniform4(any::<bool>()),
    ) {
        let scopes = SCOPES.into_iter().zip(open);
        let live = live(scopes.map(|(name, active)| (name, live_scope(active, &SKATT_HAS))));
        let past = Past { unknown: Some("borte".to_owned()), ..Past::default() };
        let plan = plan(&second, &past, &live, NOW.parse().unwrap());
        prop_assert_eq!(count(&plan.actions, Verb::Deactivate), 0);
    }
}

#[test]
fn what_is_blocked_whole_for_another_place_is_left_to_it() {
    let both = |consumers: &[&str], names: [&'static str; 2]| Desired {
        clients: desired([client("app", &[])]).clients,
        ..declared(names.map(|name| (name, scope(consumers))))
    };
    let live = Live {
        scopes: live(["etat:a", "etat:b"].map(|it| (it, live_scope(true, &SKATT_HAS)))).scopes,
        ..with([("1f0a", live_client("app", true, &["etat:a"], &[]))])
    };
    let beside = vec![Beside {
        place: "folder p".to_owned(),
        is_applied: true,
        applied: None,
        desired: both(&[SKATT], ["etat:a", "etat:b"]),
    }];
    let now = both(&[], ["etat:a", "etat:ny"]);
    let left = |past: &Past| {
        let plan = plan(&now, past, &live, NOW.parse().unwrap());
        plan.left_to_others(&now, past).iter().map(Entity::to_string).collect::<Vec<_>>()
    };
    let first = Past { beside: beside.clone(), ..Past::default() };
    assert_eq!(left(&first), ["the scope etat:a", "the client app"]);
    let ours = Past { beside, ..Past::of(applied(both(&[], ["etat:a", "etat:a"]))) };
    assert_eq!(left(&ours), Vec::<String>::new());
}
