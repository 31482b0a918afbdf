//! The line that gives or takes an access: the entry of the scope, a member of a group, or an alias.

use std::sync::Arc;

use insta::assert_snapshot;

use super::super::DayEffect;
use super::*;
use domain::{AliasLine, EntryName, GroupLines};

/// A scope whose entry names a group or an alias, and the meaning of both.
struct Model {
    aliases: &'static [(&'static str, &'static str)],
    members: &'static [&'static str],
    entry: EntryName,
}

fn by_group(members: &'static [&'static str]) -> Model {
    let aliases: &[_] = &[("skatt", SKATT), ("kart", KART)];
    Model { aliases, members, entry: EntryName::Group("samarbeid".into()) }
}

fn in_aliases(line: usize) -> Source {
    Source { file: "consumers.yaml".into(), line, at: None }
}

fn desired(Model { aliases, members, entry }: &Model) -> Desired {
    let lines = aliases.iter().zip(2..).map(|((alias, number), line)| {
        (Arc::from(*alias), AliasLine { orgno: orgno(number), source: in_aliases(line) })
    });
    let mut vocabulary = Vocabulary { aliases: lines.collect(), ..Vocabulary::default() };
    let mut group = GroupLines::default();
    for (member, line) in members.iter().zip(12..) {
        group.written.insert(Arc::from(*member), in_aliases(line));
        if let Some(alias) = vocabulary.aliases.get(*member) {
            group.members.insert(alias.orgno, Arc::from(*member));
        }
    }
    let consumers: Vec<_> = match entry {
        EntryName::Group(_) => group.members.keys().copied().collect(),
        EntryName::Alias(alias) => vec![vocabulary.aliases[alias].orgno],
    };
    vocabulary.groups.insert("samarbeid".into(), group);
    let name_of_group = match entry {
        EntryName::Group(group) => Some(Arc::clone(group)),
        EntryName::Alias(_) => None,
    };
    let access = DesiredAccess::from(DesiredEntry {
        days: Days::default(),
        reason: None,
        group: name_of_group,
        source: source(7),
    });
    let declared = DesiredScope {
        consumers: consumers.into_iter().map(|consumer| (consumer, access.clone())).collect(),
        names: [entry.clone()].into(),
        ..scope(&[])
    };
    Desired { vocabulary, ..declared_scope(declared) }
}

fn declared_scope(scope: DesiredScope) -> Desired {
    declared([("etat:a", scope)])
}

/// The actions with their group and lines, after the change of one model to the other.
fn change(before: &Desired, now: &Desired) -> String {
    let accesses: Vec<_> = before.scopes[&name("etat:a")].consumers.keys().collect();
    let accesses: Vec<_> = accesses.iter().map(|it| (it.as_str(), "APPROVED")).collect();
    let applied = Applied { commit: "abc".into(), desired: before.clone() };
    let live = live([("etat:a", live_scope(true, &accesses))]);
    let plan = planned_after(now, Some(&applied), &live);
    let place = |source: &Source| {
        let at = source.at.as_ref().map(|at| format!("@{at}")).unwrap_or_default();
        format!("{}:{}{at}", source.file, source.line)
    };
    let lines = plan.actions.iter().map(|action| {
        let entry = action.entry.as_ref().map(|entry| format!(" for {}", place(entry)));
        let group = action.group.as_deref().unwrap_or("-");
        format!("{} {group} {}{}", action.id(), place(&action.source), entry.unwrap_or_default())
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_member_of_a_group_makes_the_difference_where_the_entry_was_there_before() {
    let (one, two) = (desired(&by_group(&["skatt"])), desired(&by_group(&["skatt", "kart"])));
    assert_snapshot!(change(&one, &two), @"grant etat:a 971040238 samarbeid consumers.yaml:13 for a.yaml:7");
    assert_snapshot!(change(&two, &one), @"revoke etat:a 971040238 samarbeid consumers.yaml:13@abc for a.yaml:3");
    // An empty group that gets its first member.
    let none = desired(&by_group(&[]));
    assert_snapshot!(change(&none, &one), @"grant etat:a 974761076 samarbeid consumers.yaml:12 for a.yaml:7");
}

#[test]
fn an_entry_that_is_new_makes_the_difference_itself() {
    let two = desired(&by_group(&["skatt", "kart"]));
    let no_entry = declared_scope(scope(&[]));
    assert_snapshot!(change(&no_entry, &two), @r"
    grant etat:a 971040238 samarbeid a.yaml:7
    grant etat:a 974761076 samarbeid a.yaml:7
    ");
    assert_snapshot!(change(&two, &no_entry), @r"
    revoke etat:a 971040238 - a.yaml:3
    revoke etat:a 974761076 - a.yaml:3
    ");
}

#[test]
fn an_alias_makes_the_difference_where_it_gets_another_number() {
    let with = |number| Model {
        aliases: if number == SKATT { &[("felles", SKATT)] } else { &[("felles", KART)] },
        members: &["felles"],
        entry: EntryName::Group("samarbeid".into()),
    };
    let (one, other) = (desired(&with(SKATT)), desired(&with(KART)));
    assert_snapshot!(change(&one, &other), @r"
    revoke etat:a 974761076 samarbeid consumers.yaml:2@abc for a.yaml:3
    grant etat:a 971040238 samarbeid consumers.yaml:2 for a.yaml:7
    ");
    let direct = |number| Model { entry: EntryName::Alias("felles".into()), ..with(number) };
    let (one, other) = (desired(&direct(SKATT)), desired(&direct(KART)));
    assert_snapshot!(change(&one, &other), @r"
    revoke etat:a 974761076 - consumers.yaml:2@abc for a.yaml:3
    grant etat:a 971040238 - consumers.yaml:2 for a.yaml:7
    ");
}

#[test]
fn what_was_declared_before_too_is_asked_for_by_its_entry() {
    let two = desired(&by_group(&["skatt", "kart"]));
    let applied = Applied { commit: "abc".into(), desired: two.clone() };
    let live = live([("etat:a", live_scope(true, &[(SKATT, "APPROVED")]))]);
    let plan = planned_after(&two, Some(&applied), &live);
    assert_eq!(plan.actions.len(), 1);
    assert_eq!((plan.actions[0].source.line, &plan.actions[0].entry), (7, &None));
}

#[test]
fn an_entry_that_ended_before_is_not_the_cause_where_another_was_dropped() {
    let mut two = desired(&by_group(&["skatt", "kart"]));
    let mut one = desired(&by_group(&["skatt"]));
    let over = DesiredEntry { source: source(8), ..entry(days("", "2026-11-01")) };
    let with_over = |desired: &mut Desired| {
        let consumers = &mut desired.scopes.get_mut(&name("etat:a")).unwrap().consumers;
        match consumers.get_mut(&orgno(KART)) {
            Some(access) => access.add(over.clone()),
            None => drop(consumers.insert(orgno(KART), over.clone().into())),
        }
    };
    with_over(&mut two);
    with_over(&mut one);
    // The member was taken out, and that is what takes the access away; it is what gives it, too.
    assert_snapshot!(change(&two, &one), @"revoke etat:a 971040238 samarbeid consumers.yaml:13@abc for a.yaml:3");
    let applied = Applied { commit: "abc".into(), desired: two };
    let live = live([("etat:a", live_scope(true, &[(SKATT, "APPROVED"), (KART, "APPROVED")]))]);
    let plan = planned_after(&one, Some(&applied), &live);
    assert_eq!(plan.actions[0].reason, None);
    let applied = Applied { commit: "abc".into(), desired: one };
    let plan = planned_after(&applied.desired, Some(&applied), &live);
    assert_eq!(plan.actions[0].reason.as_deref(), Some("expired: the last day was 2026-11-01"));
    assert_eq!(plan.actions[0].source, source(8));
}

#[test]
fn a_later_day_has_the_line_that_makes_the_difference() {
    let later = |members| {
        let mut desired = desired(&by_group(members));
        let scopes = desired.scopes.values_mut();
        let accesses = scopes.flat_map(|scope| scope.consumers.values_mut());
        for entry in accesses.flat_map(DesiredAccess::entries_mut) {
            entry.days = days("2026-12-01", "");
        }
        desired.names.insert(orgno(KART), "Kartverket".to_owned());
        desired
    };
    let line = |before: &Desired, now: &Desired| {
        let applied = Applied { commit: "abc".into(), desired: before.clone() };
        let live = live([("etat:a", live_scope(true, &[]))]);
        let plan = planned_after(now, Some(&applied), &live);
        let [change] = plan.scheduled.as_slice() else { panic!("{plan:?}") };
        let Source { file, line, at } = &change.source;
        let name = change.consumer.name.clone();
        (change.effect, format!("{file}:{line}"), at.is_some(), change.group.clone(), name)
    };
    let (one, two) = (later(&["skatt"]), later(&["skatt", "kart"]));
    let (group, name) = (Some(Arc::from("samarbeid")), Some("Kartverket".to_owned()));
    let member = "consumers.yaml:13".to_owned();
    let begins = (DayEffect::Begins, member.clone(), false, group.clone(), name.clone());
    assert_eq!(line(&one, &two), begins);
    let mut nameless = one;
    nameless.names.clear();
    assert_eq!(line(&two, &nameless), (DayEffect::NoLongerBegins, member, true, group, name));
}
