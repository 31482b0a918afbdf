//! Rules about consumers and the end of their access.

use std::collections::HashMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::list;
use crate::declare::diagnostic::{Diagnostic, Place, quoted};
use crate::declare::read::declared::{Day, DeclaredAccess, DeclaredGroup, Scope, Who};
use crate::declare::read::environment::EnvironmentTarget;
use crate::declare::resolve::here::Here;
use domain::Orgno;
use yaml::Span;

pub(super) fn find(here: &Here<'_>, all: &[Here<'_>], today: Date, found: &mut Vec<Diagnostic>) {
    numbers(here, found);
    for group in &here.declared.groups {
        members_twice(group, here, all, found);
    }
    let far = today.checked_add(2.years()).unwrap_or(Date::MAX);
    for scope in here.scopes() {
        own_organization(scope, here, found);
        let direct = direct(scope, here);
        twice(scope, &direct, all, found);
        through_groups(scope, &direct, here, all, found);
        blocked(scope, here, found);
        for until in here.entries(scope).filter_map(|entry| entry.until) {
            found.extend(when(until, today, far).map(|(rule, message, help)| {
                Diagnostic::new(rule, &scope.at(until.span), &message, help)
            }));
        }
    }
}

/// Numbers of organisations that do not exist in this environment.
fn numbers(here: &Here<'_>, found: &mut Vec<Diagnostic>) {
    let (rule, message) = match here.target() {
        Some(EnvironmentTarget::Prod) => {
            (Rule::SyntheticInProduction, "is a synthetic number, unknown in production")
        }
        Some(EnvironmentTarget::Test) => (
            Rule::RealInTest,
            "is a real organisation, and this counts in DigDir's test environment",
        ),
        Some(EnvironmentTarget::Sandbox | EnvironmentTarget::Custom(_)) | None => return,
    };
    let strange = |orgno: Orgno| {
        let wanted = rule == Rule::SyntheticInProduction;
        orgno.is_synthetic() == wanted && Some(orgno) != here.settings.organization
    };
    let mut warn = |orgno: Orgno, place: &Place, help| {
        if strange(orgno) {
            found.push(Diagnostic::new(rule, place, &format!("{orgno} {message}"), help));
        }
    };
    for alias in here.aliases() {
        let help = "restrict the alias with `environments`; an alias of the same name can stand \
                    for another number in the others";
        warn(alias.orgno, &alias.at("orgno"), help);
    }
    for group in &here.declared.groups {
        for (who, span) in &group.members {
            if let Who::Orgno(orgno) = who {
                let help = "give the number an alias, and restrict that with `environments`";
                warn(*orgno, &group.at(*span), help);
            }
        }
    }
    for scope in here.scopes() {
        for entry in here.entries(scope) {
            if let Who::Orgno(orgno) = entry.who {
                let help = match scope.in_manifest {
                    true => {
                        "write a manifest with the right numbers for this environment, and say by \
                         `nais.manifests` in portvakt.yaml which file counts where: what this manifest \
                         declares is closed where it no longer counts"
                    }
                    false => "write `{ consumer: …, environments: […] }`, without this environment",
                };
                warn(orgno, &scope.at(entry.who_span), help);
            }
        }
    }
}

fn own_organization(scope: &Scope, here: &Here<'_>, found: &mut Vec<Diagnostic>) {
    // Whether an application at NAIS needs the access of its own organisation is not known.
    for entry in here.entries(scope).filter(|_| !scope.in_manifest) {
        if here.named(&entry.who).iter().any(|orgno| Some(*orgno) == here.settings.organization) {
            let message = "the organisation is a consumer of its own scope";
            let help = "remove it: the owner of a scope needs no access to it";
            let place = scope.at(entry.who_span);
            found.push(Diagnostic::new(Rule::OwnOrganization, &place, message, help));
        }
    }
}

/// The entries that name one organisation, by number and then in written order.
fn direct<'s>(scope: &'s Scope, here: &Here<'_>) -> Vec<(Orgno, &'s DeclaredAccess)> {
    let named = here.entries(scope).filter(|entry| entry.who.group().is_none());
    let mut direct: Vec<_> =
        named.filter_map(|entry| Some((*here.named(&entry.who).first()?, entry))).collect();
    direct.sort_by_key(|(orgno, _)| *orgno);
    direct
}

/// The environments in which an entry gives somebody access that none of the others gives on all of its days.
fn alone<'h>(
    scope: &Scope,
    entry: &DeclaredAccess,
    others: &[&DeclaredAccess],
    all: &'h [Here<'_>],
) -> Vec<&'h str> {
    let environments = scope.environments.and(entry.environments);
    let gives_alone = |here: &&Here<'_>| {
        let is_covered = |orgno: &Orgno| {
            others.iter().any(|other| {
                other.environments.overlaps(here.set)
                    && other.days().cover(entry.days())
                    && here.named(&other.who).contains(orgno)
            })
        };
        environments.overlaps(here.set) && !here.named(&entry.who).iter().all(is_covered)
    };
    all.iter().filter(gives_alone).map(|here| here.name).collect()
}

/// Remedy for two entries for one consumer: the entry that gives nothing which the other does not give can go.
fn keep_one(
    scope: &Scope,
    first: &DeclaredAccess,
    second: &DeclaredAccess,
    all: &[Here<'_>],
) -> String {
    let by_first = alone(scope, first, &[second], all);
    let by_second = alone(scope, second, &[first], all);
    match (by_first.is_empty(), by_second.is_empty()) {
        (true, true) => "keep one entry: both give the same access".to_owned(),
        (false, true) => {
            "keep one entry, the first: it gives this access wherever the second counts".to_owned()
        }
        (true, false) => {
            "keep one entry, this one: it gives this access wherever the first counts".to_owned()
        }
        (false, false) => format!(
            "write one entry for the environments and days of both, or two that do not overlap: removing the first \
             alone would revoke access in {}, removing this one in {}",
            list(by_first),
            list(by_second)
        ),
    }
}

fn twice(
    scope: &Scope,
    direct: &[(Orgno, &DeclaredAccess)],
    all: &[Here<'_>],
    found: &mut Vec<Diagnostic>,
) {
    for same in direct.chunk_by(|a, b| a.0 == b.0) {
        for (index, (orgno, other)) in same.iter().enumerate() {
            let before = same.iter().take(index).map(|(_, entry)| *entry);
            let Some(first) = same_days(before, other) else { continue };
            let message = format!("{orgno} is a consumer of the scope twice");
            found.push(is_duplicate(
                &scope.at(other.who_span),
                &scope.at(first.who_span),
                &message,
                &keep_one(scope, first, other, all),
            ));
        }
    }
}

/// The first entry that counts on one of the days of another.
fn same_days<'s>(
    mut entries: impl Iterator<Item = &'s DeclaredAccess>,
    other: &DeclaredAccess,
) -> Option<&'s DeclaredAccess> {
    entries.find(|entry| entry.days().overlaps(other.days()))
}

/// Reports entries that give an organisation no access because it is blocked.
fn blocked(scope: &Scope, here: &Here<'_>, found: &mut Vec<Diagnostic>) {
    for (block, consumers) in here.blocks() {
        if !block.concerns(&scope.name) {
            continue;
        }
        for entry in here.entries(scope) {
            let silenced = here.named(&entry.who).iter().filter(|orgno| consumers.contains(orgno));
            found.extend(silenced.map(|orgno| {
                let reason = quoted(&block.reason);
                let message =
                    format!("{orgno} has no access by this entry: it is blocked, {reason}");
                let help = "`portvakt unblock` lifts the block";
                let place = scope.at(entry.who_span);
                let related = block.place.related("blocked here");
                Diagnostic::new(Rule::BlockedEntry, &place, &message, help).with_related(related)
            }));
        }
    }
}

fn members_twice(
    group: &DeclaredGroup,
    here: &Here<'_>,
    all: &[Here<'_>],
    found: &mut Vec<Diagnostic>,
) {
    let mut first: HashMap<Orgno, (&Who, Span)> = HashMap::new();
    for (who, span) in &group.members {
        for orgno in here.named(who) {
            let (other, before) = *first.entry(*orgno).or_insert((who, *span));
            if before != *span {
                let message = format!("{orgno} is a member of the group twice");
                let means_all = |one: &Who, other: &Who| {
                    all.iter().all(|here| {
                        here.named(other).iter().all(|orgno| here.named(one).contains(orgno))
                    })
                };
                let help = match (means_all(other, who), means_all(who, other)) {
                    (true, true) => "keep one of them",
                    (true, false) => "keep the first: it counts wherever the second does",
                    (false, true) => "keep this one: it counts wherever the first does",
                    (false, false) => {
                        "name an alias that counts in the environments of both, in place of the two: removing \
                         either would revoke access where the other does not count"
                    }
                };
                found.push(is_duplicate(&group.at(*span), &group.at(before), &message, help));
            }
        }
    }
}

fn is_duplicate(place: &Place, first: &Place, message: &str, help: &str) -> Diagnostic {
    let related = first.related("first here");
    Diagnostic::new(Rule::ConsumerTwice, place, message, help).with_related(related)
}

/// Reports a group that is listed twice, and entries that a group makes superfluous.
fn through_groups(
    scope: &Scope,
    direct: &[(Orgno, &DeclaredAccess)],
    here: &Here<'_>,
    all: &[Here<'_>],
    found: &mut Vec<Diagnostic>,
) {
    let mut groups: HashMap<&str, Vec<&DeclaredAccess>> = HashMap::new();
    let mut members: HashMap<Orgno, Vec<&DeclaredAccess>> = HashMap::new();
    for entry in here.entries(scope) {
        let Some(name) = entry.who.group() else { continue };
        let before = groups.entry(name).or_default();
        if let Some(first) = same_days(before.iter().copied(), entry) {
            let message = "the group has access to the scope twice";
            let help = keep_one(scope, first, entry, all);
            let (place, first) = (scope.at(entry.who_span), scope.at(first.who_span));
            found.push(is_duplicate(&place, &first, message, &help));
        }
        before.push(entry);
        for orgno in here.named(&entry.who) {
            members.entry(*orgno).or_default().push(entry);
        }
    }
    for (orgno, entry) in direct {
        let mut of_groups = members.get(orgno).into_iter().flatten();
        if let Some(group) = of_groups.find(|group| group.days().cover(entry.days())) {
            let end = match group.until {
                Some(_) => "on all of these days",
                None => "without an end",
            };
            let message = format!("{orgno} has this access through a group as well, {end}");
            let groups = scope.consumers.iter().filter(|it| it.who.group().is_some());
            let needed = alone(scope, entry, &groups.collect::<Vec<_>>(), all);
            let help = match needed.as_slice() {
                [] => "remove this entry: wherever it counts, the group gives the same access, and an `until` \
                       of the entry ends nothing"
                    .to_owned(),
                needed => format!(
                    "restrict this entry to `environments: [{}]`: that revokes nothing, and removing the entry would \
                     revoke this access there",
                    needed.join(", ")
                ),
            };
            let place = scope.at(entry.until.map_or(entry.who_span, |until| until.span));
            let related = scope.at(group.who_span).related("through this group");
            let diagnostic = Diagnostic::new(Rule::Redundant, &place, &message, &help);
            found.push(diagnostic.with_related(related));
        }
    }
}

fn when(until: Day, today: Date, far: Date) -> Option<(Rule, String, &'static str)> {
    let date = until.date;
    if date < today {
        let help = "remove the entry, or write a later day";
        return Some((Rule::UntilPast, format!("this access ended on {date}"), help));
    }
    if date > far {
        let message = format!("this access lasts until {date}, more than two years from now");
        return Some((Rule::UntilFar, message, "nobody may remember then why; is the year right?"));
    }
    None
}
