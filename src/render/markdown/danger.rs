//! Summary of what a plan opens and closes, as a sentence.

use std::collections::BTreeSet;

use domain::text::counted;
use plan::document::{ActionDocument, PlanDocument};
use plan::{Danger, Kind, Verb};

/// `2 consumers lose access, 1 scope is opened again and 3 consumers have access again by that`; `None` where
/// the plan opens and closes nothing.
pub(super) fn sentence(plan: &PlanDocument) -> Option<String> {
    let is = |verb: Verb, is_scope: bool| {
        count(plan, |action| action.action == verb && (action.kind == Kind::Scope) == is_scope)
    };
    let has = |danger: Danger, kind: Kind| {
        count(plan, |action| action.kind == kind && action.has(danger))
    };
    let regaining = distinct(plan.actions.iter().flat_map(regaining));
    let keys_again = plan.actions.iter().map(|action| action.regains_keys.len()).sum();
    let reaching =
        count(plan, |action| action.danger == Some(Danger::Reaches) || action.has(Danger::Reaches));
    let closed_to_all = has(Danger::Closes, Kind::Scope);
    let parts = [
        accesses(plan, losers, "consumer loses access", "consumers lose access"),
        number(
            closed_to_all,
            "scope is open to fewer than before",
            "scopes are open to fewer than before",
        ),
        number(is(Verb::Deactivate, true), "scope is closed", "scopes are closed"),
        number(is(Verb::Reactivate, true), "scope is opened again", "scopes are opened again"),
        number(
            regaining,
            "consumer has access again by that",
            "consumers have access again by that",
        ),
        number(has(Danger::Opens, Kind::Scope), "scope opens up", "scopes open up"),
        number(is(Verb::Deactivate, false), "client is closed", "clients are closed"),
        number(is(Verb::Reactivate, false), "client is opened again", "clients are opened again"),
        number(keys_again, "key counts again by that", "keys count again by that"),
        number(has(Danger::Opens, Kind::Client), "client opens up", "clients open up"),
        number(has(Danger::Closes, Kind::Keys), "client loses keys", "clients lose keys"),
        number(has(Danger::Keys, Kind::Keys), "client gets keys", "clients get keys"),
        number(reaching, "client can consume more", "clients can consume more"),
        accesses(plan, gainers, "consumer gets access", "consumers get access"),
        number(later(plan, true), "consumer gets access later", "consumers get access later"),
        number(later(plan, false), "consumer loses access later", "consumers lose access later"),
        number(
            plan.count(Verb::Release),
            "scope or client is released",
            "scopes or clients are released",
        ),
    ];
    let mut parts: Vec<String> = parts.into_iter().flatten().collect();
    let last = parts.pop()?;
    Some(if parts.is_empty() { last } else { format!("{} and {last}", parts.join(", ")) })
}

/// Number of consumers that have access on a later day by the plan, or no longer have it.
fn later(plan: &PlanDocument, gives: bool) -> usize {
    let changes = plan.scheduled.iter().filter(|change| change.effect.gives() == gives);
    distinct(changes.map(|change| change.consumer.as_str()))
}

fn count(plan: &PlanDocument, is: impl Fn(&ActionDocument) -> bool) -> usize {
    plan.actions.iter().filter(|action| is(action)).count()
}

/// Number of consumers that lose or get access, and of accesses if some lose or get several.
fn accesses<'p, C: Iterator<Item = &'p str>>(
    plan: &'p PlanDocument,
    of: impl Fn(&'p ActionDocument) -> C,
    one: &str,
    several: &str,
) -> Option<String> {
    let accesses = || plan.actions.iter().flat_map(&of);
    let (consumers, accesses) = (distinct(accesses()), accesses().count());
    let sum = number(consumers, one, several)?;
    let each = format!(" ({})", counted(accesses as u64, "access", "es"));
    Some(if accesses == consumers { sum } else { sum + &each })
}

fn losers(action: &ActionDocument) -> impl Iterator<Item = &str> {
    let revoked = action.consumer.as_deref().filter(|_| action.action == Verb::Revoke);
    revoked.into_iter().chain(action.loses.iter().map(|who| who.consumer.as_str()))
}

fn gainers(action: &ActionDocument) -> impl Iterator<Item = &str> {
    action.consumer.as_deref().filter(|_| action.danger == Some(Danger::Grants)).into_iter()
}

fn regaining(action: &ActionDocument) -> impl Iterator<Item = &str> {
    action.regains.iter().map(|who| who.consumer.as_str())
}

fn distinct<'a>(all: impl Iterator<Item = &'a str>) -> usize {
    all.collect::<BTreeSet<_>>().len()
}

fn number(count: usize, one: &str, several: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {several}")),
    }
}
