//! `from` and `until`: accesses that begin and end, their origins, and the plan of what is due.

use insta::assert_snapshot;
use jiff::civil::Date;

use super::super::{DatesPassed, DayEffect, Origin, Outcome};
use super::*;
use domain::{Beside, DueAccess};

const HAS: [(&str, &str); 1] = [(SKATT, "APPROVED")];

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn today() -> Date {
    date("2026-11-22")
}

fn with(all: &[Days]) -> Desired {
    declared([("etat:a", scope_on(all))])
}

fn open(accesses: &[(&str, &str)]) -> Live {
    live([("etat:a", live_scope(true, accesses))])
}

#[test]
fn from_is_the_first_day_with_access() {
    let from = |day: &str| with(&[days(day, "")]);
    assert_snapshot!(summary(&from("2026-11-22"), &open(&[])), @"grant etat:a 974761076");
    assert_snapshot!(summary(&from("2026-11-23"), &open(&[])), @"PV421 etat:a 974761076");
    let early = planned(&from("2026-11-23"), &open(&HAS));
    assert_eq!(early.actions[0].id().to_string(), "revoke etat:a 974761076");
    assert_eq!(early.actions[0].reason.as_deref(), Some("not yet: the first day is 2026-11-23"));
    assert_eq!(
        early.notices[0].message,
        "the first day with access of Skatteetaten (974761076) is 2026-11-23, and it has access now"
    );
}

#[test]
fn a_day_is_one_in_norway() {
    let until = with(&[days("", "2026-11-22")]);
    let from = with(&[days("2026-11-23", "")]);
    for (now, is_over) in [("2026-11-22T22:59:59Z", false), ("2026-11-22T23:00:00Z", true)] {
        let now = now.parse().unwrap();
        let ended = plan(&until, &Past::default(), &open(&HAS), now);
        assert_eq!(ended.actions.len(), usize::from(is_over), "{now}");
        let begun = plan(&from, &Past::default(), &open(&[]), now);
        assert_eq!(begun.actions.len(), usize::from(is_over), "{now}");
    }
}

#[test]
fn of_several_entries_any_gives_access_on_its_days() {
    let over = days("", "2026-11-01");
    for others in [days("2026-11-02", "2026-12-31"), days("", ""), days("2026-11-22", "2026-12-31")]
    {
        for both in [[over, others], [others, over]] {
            assert_eq!(summary(&with(&both), &open(&HAS)), "");
            assert_eq!(summary(&with(&both), &open(&[])), "grant etat:a 974761076");
        }
    }
    let gap = with(&[over, days("2026-12-01", "")]);
    assert_snapshot!(summary(&gap, &open(&HAS)), @"
    revoke etat:a 974761076
    PV421 etat:a 974761076
    ");
}

#[test]
fn an_access_ends_when_no_entry_goes_on_with_it() {
    let message = |all: &[Days]| {
        let plan = planned(&with(all), &open(&HAS));
        plan.notices.first().map(|notice| notice.message.clone())
    };
    let ends = |day: &str| days("", day);
    assert_eq!(message(&[ends("2026-12-07")]), None, "it is more than 14 days until then");
    let last = "the last day with access of Skatteetaten (974761076) is 2026-12-06";
    let advice = format!("{last}; a later `until` makes it last longer");
    assert_eq!(message(&[ends("2026-12-06")]), Some(advice));
    assert_eq!(message(&[ends("2026-12-06"), days("2026-12-07", "")]), None);
    assert_eq!(message(&[days("2026-12-05", "2027-06-30"), ends("2026-12-06")]), None);
    let again = message(&[ends("2026-12-06"), days("2026-12-08", "")]);
    assert_eq!(again, Some(format!("{last}; it begins again on 2026-12-08")));
}

/// The origins of the actions of the applied declarations, the last apply being on a day.
fn origins(desired: &Desired, live: &Live, since: &str) -> Vec<Option<Origin>> {
    due_since(desired, live, since).actions.iter().map(|action| action.origin).collect()
}

fn due_since(desired: &Desired, live: &Live, since: &str) -> Plan {
    let mut planned = planned(desired, live);
    planned.set_origins(&planned.clone(), dates_since(desired, since, &NOTHING));
    planned
}

fn dates_since<'a>(desired: &'a Desired, since: &str, undone: &'a Undone) -> DatesPassed<'a> {
    DatesPassed { desired, since: date(since), undone, today: today() }
}

#[test]
fn a_date_is_the_cause_once_and_what_happens_later_is_drift() {
    let until = with(&[days("", "2026-11-20")]);
    assert_eq!(origins(&until, &open(&HAS), "2026-11-20"), [Some(Origin::Expired)]);
    // It was revoked on the 21st, and somebody has granted it since.
    assert_eq!(origins(&until, &open(&HAS), "2026-11-21"), [Some(Origin::Drift)]);
    let from = with(&[days("2026-11-21", "")]);
    assert_eq!(origins(&from, &open(&[]), "2026-11-20"), [Some(Origin::Due)]);
    // It was granted on the 21st, and somebody has revoked it since.
    assert_eq!(origins(&from, &open(&[]), "2026-11-21"), [Some(Origin::Drift)]);
    // It began and ended since, and nobody ever had it.
    let week = with(&[days("2026-11-10", "2026-11-16")]);
    assert_eq!(origins(&week, &open(&[]), "2026-11-01"), []);
    assert_eq!(origins(&week, &open(&HAS), "2026-11-01"), [Some(Origin::Drift)]);
}

#[test]
fn what_only_the_new_declarations_ask_for_is_a_change() {
    let (before, now) = (with(&[days("", "")]), with(&[days("", "2026-11-20")]));
    let mut plan = planned(&now, &open(&HAS));
    let dates = dates_since(&before, "2026-11-01", &NOTHING);
    plan.set_origins(&planned(&before, &open(&HAS)), dates);
    assert_eq!(plan.actions[0].origin, Some(Origin::Change));
}

#[test]
fn a_scope_that_is_handed_over_is_compared_with_what_the_other_place_has_applied() {
    let (until, without_end) = (with(&[days("", "2026-12-09")]), with(&[days("", "")]));
    let past = Past {
        is_first_apply: true,
        beside: vec![Beside {
            place: "x".to_owned(),
            is_applied: true,
            applied: Some(until.clone()),
            desired: declared([]),
        }],
        ..Past::default()
    };
    let later = |desired: &Desired| {
        let plan = plan(desired, &past, &open(&HAS), NOW.parse().unwrap());
        plan.scheduled.iter().map(|it| (it.effect, it.day)).collect::<Vec<_>>()
    };
    assert_eq!(later(&without_end), [(DayEffect::NoLongerEnds, date("2026-12-09"))]);
    // What that place has applied hides nothing here.
    assert_eq!(later(&until), [(DayEffect::Ends, date("2026-12-09"))]);
}

/// The plan of what is due, in lines.
fn due(applied: &Desired, current: &Desired, live: &Live) -> String {
    due_beside(applied, current, &Past::default(), live)
}

fn due_beside(applied: &Desired, current: &Desired, past: &Past, live: &Live) -> String {
    let whole = due_since(applied, live, "2026-11-01");
    in_lines(&whole.only_due(dates_since(applied, "2026-11-01", &NOTHING), current, past, live))
}

#[test]
fn what_another_place_has_taken_over_is_left_to_it() {
    let (until, without_end) = (with(&[days("", "2026-11-20")]), with(&[days("", "")]));
    let beside = |desired: &Desired| Past {
        beside: vec![Beside {
            place: "y".to_owned(),
            is_applied: true,
            applied: None,
            desired: desired.clone(),
        }],
        ..Past::default()
    };
    let (none, live) = (declared([]), open(&HAS));
    let left = "PV423 revoke etat:a 974761076";
    assert_eq!(due_beside(&until, &none, &beside(&without_end), &live), left);
    // There it is over too, and here it is declared still.
    for (current, other) in [(&none, &until), (&until, &without_end)] {
        let due = due_beside(&until, current, &beside(other), &live);
        assert_eq!(due, "revoke etat:a 974761076");
    }
    let unread = Past { unread: Some("y cannot be read".to_owned()), ..Past::default() };
    assert_eq!(due_beside(&until, &none, &unread, &live), left);
    assert_eq!(due_beside(&until, &none, &Past::default(), &live), "revoke etat:a 974761076");
}

#[test]
fn only_what_a_date_asks_for_is_due() {
    let mut applied = declared([
        ("etat:a", scope_on(&[days("", "2026-11-20")])),
        ("etat:b", scope_on(&[days("2026-11-20", "")])),
        ("etat:c", scope(&[KART])),
        ("etat:d", scope_on(&[days("2026-11-20", "")])),
        ("etat:e", scope_on(&[days("", "2026-11-20")])),
    ]);
    applied.scopes.get_mut(&name("etat:a")).unwrap().attributes.at_max_age = 99;
    let live = live([
        ("etat:a", live_scope(true, &[(SKATT, "APPROVED"), (DIGDIR, "APPROVED")])),
        ("etat:b", live_scope(true, &[])),
        ("etat:c", live_scope(true, &[])),
        // etat:d does not exist, and nobody has access to an inactive scope.
        ("etat:e", live_scope(false, &HAS)),
    ]);
    assert_snapshot!(due(&applied, &applied, &live), @"
    revoke etat:a 974761076
    grant etat:b 974761076
    PV423 revoke etat:e 974761076
    PV423 grant etat:d 974761076
    ");
}

#[test]
fn what_the_current_declarations_say_otherwise_is_left_alone() {
    let applied = declared([
        ("etat:a", scope_on(&[days("", "2026-11-20")])),
        ("etat:b", scope_on(&[days("2026-11-20", "")])),
    ]);
    let live = live([("etat:a", live_scope(true, &HAS)), ("etat:b", live_scope(true, &[]))]);
    let longer = declared([
        ("etat:a", scope_on(&[days("", "2027-11-20")])),
        ("etat:b", scope_on(&[days("2027-11-20", "")])),
    ]);
    assert_snapshot!(due(&applied, &longer, &live), @"
    PV423 revoke etat:a 974761076
    PV423 grant etat:b 974761076
    ");
    let blocked = super::blocks::blocking(applied.clone(), SKATT, None);
    assert_snapshot!(due(&applied, &blocked, &live), @"
    revoke etat:a 974761076
    PV423 grant etat:b 974761076
    ");
}

#[test]
fn a_night_has_no_limits_as_what_it_does_was_counted_before() {
    let names = ["etat:a", "etat:b"];
    let mut applied = declared(names.map(|name| (name, scope_on(&[days("", "2026-11-20")]))));
    applied.scopes.insert(name("etat:c"), scope_on(&[days("2026-11-20", "")]));
    (applied.guards.max_revocations, applied.guards.max_grants) = (1, 0);
    applied.guards.max_changed_percent = Some(1);
    let names = names.map(|name| (name, live_scope(true, &HAS)));
    let live = live(names.into_iter().chain([("etat:c", live_scope(true, &[]))]));
    assert_snapshot!(due(&applied, &applied, &live), @"
    revoke etat:a 974761076
    revoke etat:b 974761076
    grant etat:c 974761076
    ");
}

#[test]
fn a_night_leaves_a_scope_alone_that_has_no_days() {
    let closed = declared([
        ("etat:a", scope_on(&[days("2026-11-20", "")])),
        ("etat:b", scope_on(&[days("", "2026-11-20")])),
    ]);
    let live = live([("etat:a", live_scope(true, &[])), ("etat:b", live_scope(true, &HAS))]);
    let other = |change: fn(&mut DesiredScope)| {
        let mut desired = closed.clone();
        desired.scopes.values_mut().for_each(change);
        desired
    };
    let open = other(|scope| scope.attributes.accessible_for_all = true);
    for current in [&open, &closed] {
        let left = due(&open, current, &live);
        let left: std::collections::BTreeSet<_> = left.lines().collect();
        let both = ["PV423 grant etat:a 974761076", "PV423 revoke etat:b 974761076"];
        assert_eq!(left, both.into());
    }
    // An access is over, whatever the scope becomes.
    assert_snapshot!(due(&closed, &open, &live), @"
    revoke etat:b 974761076
    PV423 grant etat:a 974761076
    ");
}

#[test]
fn a_record_makes_no_date_of_what_has_none() {
    let forged = |all: &[Days], accesses: &[(&str, &str)]| {
        let (applied, live) = (with(all), open(accesses));
        let access = DueAccess::of((&name("etat:a"), orgno(SKATT)));
        let undone = Undone { left: [access].into(), ..Undone::default() };
        let dates = dates_since(&applied, "2026-11-22", &undone);
        let mut plan = planned(&applied, &live);
        plan.set_origins(&plan.clone(), dates);
        in_lines(&plan.only_due(dates, &applied, &Past::default(), &live))
    };
    let (early, late) = (days("", "2026-11-09"), days("2026-11-10", ""));
    assert_eq!(forged(&[late], &[]), "grant etat:a 974761076");
    for all in [vec![days("", "")], vec![days("", "2026-12-31")], vec![early, late]] {
        assert_eq!(forged(&all, &[]), "", "{all:?}");
    }
    assert_eq!(forged(&[days("2026-12-01", "")], &HAS), "");
}

#[test]
fn a_scope_that_is_closed_names_who_keeps_access() {
    let closed = declared([("etat:a", scope(&[SKATT, KART]))]);
    let mut open = live_scope(true, &[(SKATT, "APPROVED")]);
    open.representation.insert("accessible_for_all".to_owned(), true.into());
    let plan = planned(&closed, &live([("etat:a", open)]));
    assert_snapshot!(in_lines(&plan), @"
    update scope etat:a accessible_for_all:true->false
    grant etat:a 971040238
    PV425 etat:a
    ");
    assert_snapshot!(plan.notices[0].message, @"once it is closed, it keeps these consumers: Skatteetaten (974761076)");
}

/// The changes on later days, where the one side was applied and the other is declared, and nothing is to be done
/// today.
fn later(before: &[Days], now: &[Days], live: &[(&str, &str)]) -> Vec<String> {
    let applied = Applied { commit: "abc".into(), desired: with(before) };
    let plan = planned_after(&with(now), Some(&applied), &open(live));
    let again = planned_after(&with(before), Some(&applied), &open(live));
    assert_eq!(again.scheduled, [], "what was applied asks for nothing new");
    let shown = plan.scheduled.iter().map(|it| format!("{} {}", it.effect.words(), it.day));
    assert_eq!(plan.is_empty(), plan.actions.is_empty() && plan.scheduled.is_empty());
    shown.collect()
}

#[test]
fn what_a_later_day_brings_is_part_of_the_plan() {
    let always = [days("", "")];
    let until = |day: &str| [days("", day)];
    let from = |day: &str| [days(day, "")];
    let none: [&str; 0] = [];
    assert_eq!(later(&always, &always, &HAS), none);
    assert_eq!(later(&always, &until("2026-12-20"), &HAS), ["ends after 2026-12-20"]);
    assert_eq!(later(&until("2026-12-05"), &always, &HAS), ["no longer ends after 2026-12-05"]);
    assert_eq!(
        later(&until("2026-12-05"), &until("2026-12-20"), &HAS),
        ["no longer ends after 2026-12-05", "ends after 2026-12-20"]
    );
    assert_eq!(later(&until("2026-12-20"), &until("2026-12-05"), &HAS), ["ends after 2026-12-05"]);
    assert_eq!(later(&until("2026-11-01"), &from("2026-12-01"), &[]), ["begins on 2026-12-01"]);
    assert_eq!(
        later(&from("2026-12-01"), &until("2026-11-01"), &[]),
        ["no longer begins on 2026-12-01"]
    );
    assert_eq!(later(&from("2026-12-01"), &from("2026-12-08"), &[]).len(), 2);
    // The same days by other entries.
    let halves = [days("", "2026-12-05"), days("2026-12-06", "2026-12-20")];
    assert_eq!(later(&until("2026-12-20"), &halves, &HAS), none);
}

#[test]
fn the_digest_covers_later_days() {
    let applied = Applied { commit: "abc".into(), desired: with(&[days("", "2026-11-01")]) };
    let digest =
        |day: &str| planned_after(&with(&[days(day, "")]), Some(&applied), &open(&[])).digest();
    let nothing = planned_after(&applied.desired, Some(&applied), &open(&[])).digest();
    assert_ne!(digest("2026-12-01"), nothing);
    assert_ne!(digest("2026-12-01"), digest("2026-12-02"));
}

#[test]
fn a_block_ends_what_later_days_would_bring() {
    let applied = Applied { commit: "abc".into(), desired: with(&[days("2026-12-01", "")]) };
    let block = domain::ConsumerBlock {
        consumer: orgno(SKATT),
        scopes: None,
        reason: "SAK-1".to_owned(),
        source: source(1),
    };
    let blocked = Desired { blocks: vec![block], ..applied.desired.clone() };
    let plan = planned_after(&blocked, Some(&applied), &open(&[]));
    assert_eq!(plan.scheduled.len(), 1);
    assert_eq!(plan.scheduled[0].effect, DayEffect::NoLongerBegins);
    assert_eq!(plan.scheduled[0].source, source(1));
    // The block is lifted: the day counts again.
    let lifted = Applied { commit: "abc".into(), desired: blocked };
    let plan = planned_after(&applied.desired, Some(&lifted), &open(&[]));
    assert_eq!(plan.scheduled[0].effect, DayEffect::Begins);
}

/// The plan of a first apply.
fn first(desired: &Desired, live: &Live) -> Plan {
    let past = Past { is_recorded: true, is_first_apply: true, ..Past::default() };
    plan(desired, &past, live, NOW.parse().unwrap())
}

/// The changes on later days, in lines.
fn on_later_days(plan: &Plan) -> Vec<String> {
    let lines = plan.scheduled.iter();
    lines.map(|it| format!("{} {} {}", it.scope, it.effect.words(), it.day)).collect()
}

#[test]
fn the_later_days_of_a_first_plan_are_part_of_it() {
    let week = with(&[days("2026-12-01", "2026-12-07")]);
    let all = ["etat:a begins on 2026-12-01", "etat:a ends after 2026-12-07"];
    assert_eq!(on_later_days(&first(&week, &open(&[]))), all);
    let always = first(&with(&[days("2026-11-01", "")]), &open(&HAS));
    assert!(always.is_empty(), "{always:?}");
    // Where the past is not known, nobody knows what is new.
    for is_recorded in [false, true] {
        let unknown = is_recorded.then(|| "no".to_owned());
        let past = Past { unknown, is_recorded, ..Past::default() };
        assert_eq!(plan(&week, &past, &open(&[]), NOW.parse().unwrap()).scheduled, []);
    }
}

#[test]
fn a_scope_has_later_days_only_while_grants_decide_who_has_access() {
    let active = with(&[days("2026-11-01", "2026-12-31")]);
    let other = |change: fn(&mut DesiredScope)| {
        let mut desired = active.clone();
        desired.scopes.values_mut().for_each(change);
        desired
    };
    let paused = other(|scope| scope.active = false);
    let is_open = other(|scope| scope.attributes.accessible_for_all = true);
    for closed in [paused, is_open] {
        let after = |before: &Desired, now: &Desired| {
            let applied = Applied { commit: "abc".into(), desired: before.clone() };
            on_later_days(&planned_after(now, Some(&applied), &open(&HAS)))
        };
        assert_eq!(after(&closed, &active), ["etat:a ends after 2026-12-31"]);
        assert_eq!(after(&active, &closed), [""; 0]);
        assert_eq!(on_later_days(&first(&closed, &open(&[]))), [""; 0]);
    }
}

#[test]
fn a_later_day_is_reported_once() {
    let now = [days("", "2026-11-30"), days("2026-12-05", "2026-12-07")];
    assert_snapshot!(in_lines(&first(&with(&now), &open(&HAS))), @"");
    let applied = Applied { commit: "abc".into(), desired: with(&now) };
    let again = planned_after(&with(&now), Some(&applied), &open(&HAS));
    assert_snapshot!(in_lines(&again), @"PV420 etat:a 974761076");
    let later = [days("2026-12-01", "")];
    assert_snapshot!(in_lines(&first(&with(&later), &open(&HAS))), @"revoke etat:a 974761076");
}

#[test]
fn what_was_not_done_stays_due_and_what_was_done_is_drift() {
    let applied = declared([
        ("etat:a", scope_on(&[days("", "2026-11-20")])),
        ("etat:b", scope_on(&[days("2026-11-20", "")])),
        ("etat:c", scope_on(&[days("2026-11-20", "")])),
    ]);
    let past = Past::of(Applied { commit: "4b3fd65893".into(), desired: applied.clone() });
    let live = |c: &[(&str, &str)]| {
        live([
            ("etat:a", live_scope(true, &HAS)),
            ("etat:b", live_scope(true, &[])),
            ("etat:c", live_scope(true, c)),
        ])
    };
    let night = |since: &str, undone: &Undone, live: &Live| {
        let mut whole = planned_after(&applied, past.applied.as_ref(), live);
        whole.set_origins(&whole.clone(), dates_since(&applied, since, undone));
        whole.only_due(dates_since(&applied, since, undone), &applied, &past, live)
    };
    let first = night("2026-11-19", &Undone::default(), &live(&[]));
    assert_snapshot!(in_lines(&first), @"
    revoke etat:a 974761076
    grant etat:b 974761076
    grant etat:c 974761076
    ");
    // The revocation fails, the first grant is done, and a signal keeps the other from starting.
    let outcomes = [Outcome::Failed("500".to_owned()), Outcome::Done, Outcome::NotStarted];
    let left = first.undone(&outcomes);
    let left: Vec<_> = left.iter().map(|it| it.scope.to_string()).collect();
    assert_eq!(left, ["etat:a", "etat:c"]);
    // Somebody revokes what was granted: that is drift, however the rest went.
    let undone = Undone { left: first.undone(&outcomes), ..Undone::default() };
    assert_snapshot!(in_lines(&night("2026-11-21", &undone, &live(&[]))), @"
    revoke etat:a 974761076
    grant etat:c 974761076
    ");
    // The job was killed: it may have granted what is denied now.
    let begun = first.begun();
    assert!(begun.left.is_empty(), "{begun:?}");
    assert_snapshot!(in_lines(&night("2026-11-21", &begun, &live(&[(SKATT, "DENIED")]))), @"
    revoke etat:a 974761076
    grant etat:b 974761076
    PV424 grant etat:c 974761076
    ");
    // And before it could begin, a denial has nothing to do with it.
    let left = Undone { left: begun.begun.clone(), ..Undone::default() };
    let again = night("2026-11-21", &left, &live(&[(SKATT, "DENIED")]));
    assert_eq!(again.actions.len(), 3);
    assert!(again.due.contains(&DueAccess::of((&name("etat:c"), orgno(SKATT)))));
}

#[test]
fn a_day_after_one_that_was_not_done_asks_for_its_own_change() {
    let gap = with(&[days("", "2026-11-10"), days("2026-11-20", "")]);
    let left = [DueAccess::of((&name("etat:a"), orgno(SKATT)))].into();
    let undone = Undone { left, ..Undone::default() };
    for (undone, origin) in [(&NOTHING, Origin::Due), (&undone, Origin::Drift)] {
        let mut plan = planned(&gap, &open(&[]));
        plan.set_origins(&plan.clone(), dates_since(&gap, "2026-11-11", undone));
        // Where the revocation was left, the access went on, and somebody has revoked it since.
        assert_eq!(plan.actions[0].origin, Some(origin));
    }
}

/// The reason and the line of the only action.
fn reason(plan: &Plan) -> (Option<&str>, &Source) {
    assert_eq!(plan.actions.len(), 1, "{plan:?}");
    (plan.actions[0].reason.as_deref(), &plan.actions[0].source)
}

#[test]
fn the_reason_is_that_of_the_entry_that_decides() {
    let entry = |days: Days, line: usize, reason: Option<&str>| DesiredEntry {
        days,
        reason: reason.map(str::to_owned),
        group: None,
        source: source(line),
    };
    let of = |entries: &[DesiredEntry]| {
        let [first, others @ ..] = entries else { panic!("no entries") };
        let mut access = DesiredAccess::from(first.clone());
        others.iter().for_each(|entry| access.add(entry.clone()));
        declared([(
            "etat:a",
            DesiredScope { consumers: [(orgno(SKATT), access)].into(), ..scope(&[]) },
        )])
    };
    let short = entry(days("", "2026-11-30"), 8, Some("SAK-1"));
    let long = entry(days("", ""), 9, None);
    let plan = planned(&of(&[short.clone(), long]), &open(&[]));
    assert_eq!(reason(&plan), (None, &source(9)));
    // What ended last is the cause, not what ended before or begins again.
    let over = |day: &str, line| entry(days("", day), line, None);
    let again = entry(days("2026-12-01", ""), 12, None);
    let plan = planned(&of(&[again, over("2026-11-20", 10), over("2026-11-01", 11)]), &open(&HAS));
    assert_eq!(reason(&plan), (Some("expired: the last day was 2026-11-20"), &source(10)));
}

#[test]
fn later_days_count_in_the_limit_on_grants() {
    let names = ["etat:a", "etat:b", "etat:c", "etat:ny"];
    let mut desired = declared(names.map(|name| (name, scope_on(&[days("2026-12-01", "")]))));
    desired.scopes.insert(name("etat:c"), scope(&[SKATT]));
    desired.guards.max_grants = 3;
    // A scope that the plan creates does not count.
    let live = live(names[..3].iter().map(|name| (*name, live_scope(true, &[]))));
    assert_eq!(first(&desired, &live).exceeded_limits, []);
    desired.guards.max_grants = 2;
    let limit = first(&desired, &live).exceeded_limits.remove(0);
    assert_snapshot!(limit.message, @r#"3 accesses would be granted: 1 now and 2 on later days; guards.max_grants in portvakt.yaml allows 2. Split the change, raise the limit in a change of its own, or apply with --override-guards "why""#);
    // Days that take access away count nothing.
    let ends = declared(names.map(|name| (name, scope_on(&[days("", "2026-12-01")]))));
    let has = names.map(|name| (name, live_scope(true, &HAS)));
    let mut ends = Desired { guards: desired.guards.clone(), ..ends };
    ends.guards.max_grants = 0;
    assert_eq!(first(&ends, &super::live(has)).exceeded_limits, []);
}
