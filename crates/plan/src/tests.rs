//! The tables of the design's section 3 on two models: the declared and the live state.

mod applied;
mod blocks;
mod clients;
mod consumed;
mod dates;
mod named;
mod nights;
mod owned;
mod renamed;

use std::collections::{BTreeMap, BTreeSet};

use globset::{Glob, GlobSetBuilder};
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{Plan, plan};
use domain::{
    AccessState, Applied, Days, DelegationSource, Desired, DesiredAccess, DesiredEntry,
    DesiredScope, Guards, Live, LiveAccess, LiveScope, Orgno, Past, Protected, Protection, Removal,
    RemovalAction, ScopeAttributes, ScopeName, Source, Undone, Vocabulary,
};

const NOW: &str = "2026-11-22T10:00:00Z";
const SKATT: &str = "974761076";
const KART: &str = "971040238";
const DIGDIR: &str = "991825827";

fn orgno(text: &str) -> Orgno {
    text.parse().unwrap()
}

fn name(text: &str) -> ScopeName {
    text.parse().unwrap()
}

fn source(line: usize) -> Source {
    Source { file: "a.yaml".into(), line, at: None }
}

/// Declared state.
fn declared(scopes: impl IntoIterator<Item = (&'static str, DesiredScope)>) -> Desired {
    Desired {
        environment: "test".to_owned(),
        organization: orgno("889640782"),
        scopes: scopes.into_iter().map(|(scope, declared)| (name(scope), declared)).collect(),
        clients: BTreeMap::new(),
        removed_clients: BTreeMap::new(),
        warn_before: jiff::SignedDuration::from_hours(720),
        warn_of_access: jiff::SignedDuration::from_hours(14 * 24),
        blocks: Vec::new(),
        removed: BTreeMap::new(),
        names: [(orgno(SKATT), "Skatteetaten".to_owned())].into(),
        labels: BTreeMap::new(),
        vocabulary: Vocabulary::default(),
        guards: Guards::default(),
    }
}

fn scope(consumers: &[&str]) -> DesiredScope {
    let access = DesiredAccess::from(entry(Days::default()));
    DesiredScope {
        attributes: ScopeAttributes { description: "Les".to_owned(), ..Default::default() },
        active: true,
        prevent_deactivation: false,
        in_manifest: false,
        consumers: consumers.iter().map(|consumer| (orgno(consumer), access.clone())).collect(),
        names: BTreeSet::new(),
        source: source(3),
    }
}

fn entry(days: Days) -> DesiredEntry {
    DesiredEntry { days, reason: None, group: None, source: source(7) }
}

/// A scope to which Skatteetaten has access on these days.
fn scope_on(all: &[Days]) -> DesiredScope {
    let [first, others @ ..] = all else { panic!("no days") };
    let mut access = DesiredAccess::from(entry(*first));
    others.iter().for_each(|days| access.add(entry(*days)));
    DesiredScope { consumers: [(orgno(SKATT), access)].into(), ..scope(&[]) }
}

fn days(from: &str, until: &str) -> Days {
    Days { from: from.parse().ok(), until: until.parse().ok() }
}

fn removal(action: RemovalAction) -> Removal {
    Removal { action, reason: Some("avviklet".to_owned()), source: source(9) }
}

/// Nothing that dates asked for is left.
static NOTHING: Undone = Undone { left: BTreeSet::new(), begun: BTreeSet::new() };

/// Live state.
fn live(scopes: impl IntoIterator<Item = (&'static str, LiveScope)>) -> Live {
    Live {
        scopes: scopes.into_iter().map(|(scope, live)| (name(scope), live)).collect(),
        prefixes: ["etat".to_owned()].into(),
        delegation_sources: vec![DelegationSource {
            name: "altinn".to_owned(),
            issuer: "https://tt02.altinn.no/".to_owned(),
        }],
        oddities: Vec::new(),
        snapshot: None,
        ..Live::default()
    }
}

fn live_scope(active: bool, accesses: &[(&str, &str)]) -> LiveScope {
    with_fields(active, accesses, json!({ "description": "Les", "protected": false }))
}

fn with_fields(active: bool, accesses: &[(&str, &str)], fields: Value) -> LiveScope {
    let access = |state: &str| LiveAccess {
        state: AccessState::from(state.to_owned()),
        name: Some("DigDirs navn".to_owned()),
        requested: None,
    };
    LiveScope {
        active,
        representation: fields.as_object().unwrap().clone(),
        accesses: Some(accesses.iter().map(|(who, state)| (orgno(who), access(state))).collect()),
        unclear: false,
    }
}

fn planned(desired: &Desired, live: &Live) -> Plan {
    planned_after(desired, None, live)
}

fn planned_after(desired: &Desired, applied: Option<&Applied>, live: &Live) -> Plan {
    let past = applied.cloned().map(Past::of).unwrap_or_default();
    plan(desired, &past, live, NOW.parse().unwrap())
}

/// The plan in lines: actions with what they depend on, then all other findings.
fn summary(desired: &Desired, live: &Live) -> String {
    in_lines(&planned(desired, live))
}

fn in_lines(plan: &Plan) -> String {
    let actions = plan.actions.iter().map(|action| {
        let mut line = action.id().to_string();
        for change in action.changes() {
            line += &format!(" {}:{}->{}", change.field, change.before, change.after);
        }
        for consumer in action.regains() {
            line += &format!(" regains:{}", consumer.orgno);
        }
        for consumer in action.loses() {
            line += &format!(" loses:{}", consumer.orgno);
        }
        for id in &action.after {
            line += &format!(" after:[{id}]");
        }
        line
    });
    let blocked = plan
        .blocked
        .iter()
        .map(|blocked| format!("blocked {} {}", blocked.subject(), blocked.code));
    let notices = plan.exceeded_limits.iter().chain(&plan.notices);
    let notices = notices.map(|notice| format!("{} {}", notice.code, notice.target));
    actions.chain(blocked).chain(notices).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_absent_scope_is_created_and_then_granted() {
    assert_snapshot!(summary(&declared([("etat:a", scope(&[SKATT]))]), &live([])), @r#"
    create scope etat:a description:null->"Les"
    grant etat:a 974761076 after:[create scope etat:a]
    "#);
}

#[test]
fn an_active_scope_is_updated_only_where_it_differs() {
    let desired = declared([("etat:a", scope(&[]))]);
    assert_snapshot!(summary(&desired, &live([("etat:a", live_scope(true, &[]))])), @"");
    let other = with_fields(true, &[], json!({ "description": "Skriv", "at_max_age": 30 }));
    assert_snapshot!(summary(&desired, &live([("etat:a", other)])), @r#"update scope etat:a description:"Skriv"->"Les" at_max_age:30->0"#);
}

#[test]
fn an_inactive_scope_is_reactivated_after_the_undeclared_are_revoked() {
    let desired = declared([("etat:a", scope(&[SKATT, KART]))]);
    let accesses = [(SKATT, "APPROVED"), (KART, "DENIED"), (DIGDIR, "APPROVED")];
    assert_snapshot!(summary(&desired, &live([("etat:a", live_scope(false, &accesses))])), @"
    revoke etat:a 991825827
    reactivate scope etat:a regains:974761076 after:[revoke etat:a 991825827]
    grant etat:a 971040238 state:\"DENIED\"->\"APPROVED\" after:[reactivate scope etat:a]
    ");
}

#[test]
fn a_paused_scope_keeps_its_accesses() {
    let paused = DesiredScope { active: false, ..scope(&[KART]) };
    let desired = declared([("etat:a", paused)]);
    let accesses = [(SKATT, "APPROVED")];
    assert_snapshot!(summary(&desired, &live([("etat:a", live_scope(true, &accesses))])), @"deactivate scope etat:a loses:974761076");
    assert_snapshot!(summary(&desired, &live([("etat:a", live_scope(false, &accesses))])), @"");
    assert_snapshot!(summary(&desired, &live([])), @"");
}

#[test]
fn a_removed_scope_is_emptied_and_then_deactivated() {
    let mut desired = declared([]);
    desired.removed.insert(name("etat:a"), removal(RemovalAction::Deactivate));
    let accesses = [(SKATT, "APPROVED"), (KART, "REQUESTED"), (DIGDIR, "DENIED")];
    assert_snapshot!(summary(&desired, &live([("etat:a", live_scope(true, &accesses))])), @"
    revoke etat:a 974761076
    deactivate scope etat:a after:[revoke etat:a 974761076]
    ");
    assert_snapshot!(summary(&desired, &live([("etat:a", live_scope(false, &accesses))])), @"");
    assert_snapshot!(summary(&desired, &live([])), @"");
}

#[test]
fn a_released_scope_is_left_alone_and_not_reported() {
    let mut desired = declared([]);
    desired.removed.insert(name("etat:a"), removal(RemovalAction::Release));
    assert_snapshot!(summary(&desired, &live([("etat:a", live_scope(true, &[(SKATT, "APPROVED")]))])), @"");
}

#[test]
fn an_undeclared_scope_is_reported_and_left_alone() {
    let live = live([
        ("etat:a", live_scope(true, &[(SKATT, "APPROVED")])),
        ("etat:b", live_scope(false, &[(SKATT, "APPROVED")])),
    ]);
    assert_snapshot!(summary(&declared([]), &live), @"PV401 etat:a");
    let past = Past { unread: Some("folder x cannot be read".to_owned()), ..Past::default() };
    let plan = plan(&declared([]), &past, &live, NOW.parse().unwrap());
    assert!(plan.notices[0].message.contains("declared nowhere that can be read"));
}

#[test]
fn accesses_follow_their_table() {
    let (nav, altinn, other) = ("889640782", "310000000", "310000019");
    let desired = declared([("etat:a", scope(&[SKATT, KART, DIGDIR, nav]))]);
    let accesses = [
        (KART, "DENIED"),
        (DIGDIR, "REQUESTED"),
        (nav, "APPROVED"),
        ("310000027", "APPROVED"),
        (altinn, "REQUESTED"),
        (other, "DENIED"),
        ("310000035", "SUSPENDED"),
    ];
    assert_snapshot!(summary(&desired, &live([("etat:a", live_scope(true, &accesses))])), @r#"
    revoke etat:a 310000027
    grant etat:a 971040238 state:"DENIED"->"APPROVED"
    grant etat:a 974761076
    grant etat:a 991825827 state:"REQUESTED"->"APPROVED"
    PV402 etat:a 310000000
    PV403 etat:a 310000035
    "#);
}

#[test]
fn until_is_the_last_day_with_access() {
    let with_end = |until: &str| declared([("etat:a", scope_on(&[days("", until)]))]);
    let live = live([("etat:a", live_scope(true, &[(SKATT, "APPROVED")]))]);
    assert_snapshot!(summary(&with_end("2026-11-22"), &live), @"PV420 etat:a 974761076");
    let ended = planned(&with_end("2026-11-21"), &live);
    let [action] = ended.actions.as_slice() else { panic!("{ended:?}") };
    assert_eq!(action.id().to_string(), "revoke etat:a 974761076");
    assert_eq!(action.reason.as_deref(), Some("expired: the last day was 2026-11-21"));
    assert_eq!(action.source, source(7));
}

#[test]
fn an_ended_access_does_not_come_back_with_its_scope() {
    let scope = scope_on(&[days("", "2026-11-21")]);
    let live = live([("etat:a", live_scope(false, &[(SKATT, "APPROVED")]))]);
    assert_snapshot!(summary(&declared([("etat:a", scope)]), &live), @"
    revoke etat:a 974761076
    reactivate scope etat:a after:[revoke etat:a 974761076]
    ");
}

#[test]
fn a_scope_is_not_reactivated_where_it_is_not_known_who_would_have_access() {
    let desired = declared([("etat:a", scope(&[KART]))]);
    let clear = live_scope(false, &[(KART, "APPROVED")]);
    let unclear = [
        LiveScope { unclear: true, ..clear.clone() },
        LiveScope { accesses: None, ..clear },
        live_scope(false, &[(SKATT, "approved")]),
    ];
    for scope in unclear {
        let summary = summary(&desired, &live([("etat:a", scope)]));
        assert_eq!(summary, "blocked reactivate scope etat:a PV305");
    }
}

#[test]
fn protection_blocks_a_deactivation_and_the_revocations_for_it() {
    let mut desired = declared([
        ("etat:a", DesiredScope { active: false, prevent_deactivation: true, ..scope(&[]) }),
        ("etat:folkereg.b", DesiredScope { active: false, ..scope(&[]) }),
        ("etat:d", scope(&[])),
    ]);
    desired.removed.insert(name("etat:folkereg.c"), removal(RemovalAction::Deactivate));
    let protect = GlobSetBuilder::new().add(Glob::new("etat:folkereg*").unwrap()).build().unwrap();
    desired.guards = Guards { protect, ..Guards::default() };
    let accesses = [(SKATT, "APPROVED")];
    let live = live(
        ["etat:a", "etat:folkereg.b", "etat:folkereg.c"]
            .map(|name| (name, live_scope(true, &accesses))),
    );
    assert_snapshot!(summary(&desired, &live), @r#"
    create scope etat:d description:null->"Les"
    blocked deactivate scope etat:a PV301
    blocked deactivate scope etat:folkereg.b PV302
    blocked deactivate scope etat:folkereg.c PV302
    "#);
}

#[test]
fn a_scope_under_a_foreign_prefix_is_blocked() {
    let desired = declared([("fremmed:a", scope(&[SKATT]))]);
    assert_snapshot!(summary(&desired, &live([])), @"blocked create scope fremmed:a PV303");
}

#[test]
fn a_delegation_source_is_known_by_name_or_issuer() {
    let with_source = |source: &str| {
        let mut scope = scope(&[SKATT]);
        scope.attributes.delegation_source = Some(source.to_owned());
        declared([("etat:a", scope)])
    };
    let live = live([("etat:a", live_scope(true, &[]))]);
    let by_name = planned(&with_source("altinn"), &live);
    let by_issuer = planned(&with_source("https://tt02.altinn.no/"), &live);
    assert_eq!(by_name.digest(), by_issuer.digest());
    assert_snapshot!(summary(&with_source("altinn"), &live), @r#"
    update scope etat:a delegation_source:null->"https://tt02.altinn.no/"
    grant etat:a 974761076
    "#);
    assert_snapshot!(summary(&with_source("altin"), &live), @"
    grant etat:a 974761076
    blocked update scope etat:a PV304
    ");
}

#[test]
fn limits_count_what_takes_away() {
    let mut desired = declared([("etat:a", scope(&[]))]);
    desired.removed.insert(name("etat:b"), removal(RemovalAction::Deactivate));
    desired.guards = Guards {
        max_deactivations: 0,
        max_revocations: 1,
        max_changed_percent: Some(75),
        ..Guards::default()
    };
    let two = [(SKATT, "APPROVED"), (KART, "DENIED"), (DIGDIR, "APPROVED")];
    let live = live([("etat:a", live_scope(true, &two[..1])), ("etat:b", live_scope(true, &two))]);
    let passed: Vec<_> =
        planned(&desired, &live).exceeded_limits.into_iter().map(|limit| limit.message).collect();
    assert_snapshot!(passed.join("\n"), @r#"
    1 scope would be deactivated; guards.max_deactivations in portvakt.yaml allows 0. Split the change, raise the limit in a change of its own, or apply with --override-guards "why"
    3 accesses would be revoked; guards.max_revocations in portvakt.yaml allows 1. Split the change, raise the limit in a change of its own, or apply with --override-guards "why"
    4 of 5 live scopes and accesses (80 %) would be changed; guards.max_changed_percent in portvakt.yaml allows 75 %. Split the change, raise the limit in a change of its own, or apply with --override-guards "why"
    "#);
}

/// Valid organisation numbers.
fn orgnos() -> impl Iterator<Item = Orgno> {
    (310_000_000..).filter_map(|number: u32| number.to_string().parse().ok())
}

/// The messages of the limits that are exceeded by a plan that grants that many accesses to a live scope, and
/// many to one that it creates.
fn limits_of_grants(count: usize, allowed: Option<u64>) -> Vec<String> {
    let mut existing = scope(&[]);
    let access = DesiredAccess::from(entry(Days::default()));
    existing.consumers = orgnos().take(count).map(|who| (who, access.clone())).collect();
    let new = DesiredScope { consumers: existing.consumers.clone(), ..scope(&[]) };
    let mut desired = declared([("etat:a", existing), ("etat:new", new)]);
    if let Some(max_grants) = allowed {
        desired.guards = Guards { max_grants, ..Guards::default() };
    }
    let live = live([("etat:a", live_scope(true, &[]))]);
    planned(&desired, &live).exceeded_limits.into_iter().map(|limit| limit.message).collect()
}

#[test]
fn grants_on_scopes_that_exist_count() {
    for (count, max_grants, exceeded) in [
        (50, None, None),
        (
            51,
            None,
            Some("51 accesses would be granted; guards.max_grants in portvakt.yaml allows 50"),
        ),
        (
            10_000,
            None,
            Some("10000 accesses would be granted; guards.max_grants in portvakt.yaml allows 50"),
        ),
        (
            1,
            Some(0),
            Some("1 access would be granted; guards.max_grants in portvakt.yaml allows 0"),
        ),
        (10_000, Some(10_000), None),
    ] {
        let remedy = "Split the change, raise the limit in a change of its own, or apply with \
                       --override-guards \"why\"";
        let expected: Vec<_> =
            exceeded.map(|what| format!("{what}. {remedy}")).into_iter().collect();
        assert_eq!(limits_of_grants(count, max_grants), expected, "{count}");
    }
}

#[test]
fn what_replaces_a_scope_keeps_what_is_not_known_and_leaves_out_what_is_the_servers() {
    let fields = json!({
        "name": "etat:a", "description": "Skriv", "long_description": "bort", "protected": true,
        "created": "2020-01-01T00:00:00Z", "last_updated": null, "owner_orgno": "889640782",
    });
    let live = live([("etat:a", with_fields(true, &[], fields))]);
    let plan = planned(&declared([("etat:a", scope(&[]))]), &live);
    let super::Work::Scope(_, super::ScopeWork::Update(write)) = &plan.actions[0].work else {
        panic!("{plan:?}")
    };
    assert_eq!(
        Value::Object(write.replacement(&live.scopes[&name("etat:a")].representation)),
        json!({ "name": "etat:a", "description": "Les", "protected": true, "active": true })
    );
}

#[test]
fn the_digest_is_of_the_work_alone() {
    let one = declared([("etat:a", scope(&[SKATT]))]);
    let mut moved = one.clone();
    for scope in moved.scopes.values_mut() {
        scope.source = source(99);
    }
    moved.names.clear();
    let digest = |desired: &Desired| planned(desired, &live([])).digest();
    assert_eq!(digest(&one), digest(&moved));
    assert_ne!(digest(&one), digest(&declared([("etat:a", scope(&[KART]))])));
    assert!(digest(&one).starts_with("sha256:"));
    assert_eq!(digest(&one).len(), 7 + 64);
}
