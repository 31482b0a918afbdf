//! What is dangerous in a plan, in a sentence.

use std::collections::BTreeSet;

use crate::plan::{Kind, Verb};
use crate::render::document::{ActionDocument, PlanDocument};
use crate::text::counted;

/// `2 consumers lose access, 1 scope is opened again and 3 consumers have access again by that`;
/// nothing where nobody loses anything and nothing is opened.
pub(super) fn told(plan: &PlanDocument) -> Option<String> {
    let of = |verb: Verb, is_scope: bool| {
        let actions = plan.actions.iter().filter(move |action| action.action == verb);
        actions.filter(|action| (action.kind == Kind::Scope) == is_scope).count()
    };
    let changed = plan.actions.iter().filter(|action| {
        matches!(action.action, Verb::Create | Verb::Update) && action.is_delicate()
    });
    let keys = plan
        .actions
        .iter()
        .filter(|action| matches!(action.action, Verb::Keys) && action.is_delicate());
    let parts = [
        losing(plan),
        number(of(Verb::Deactivate, true), "scope is closed", "scopes are closed"),
        number(of(Verb::Reactivate, true), "scope is opened again", "scopes are opened again"),
        number(
            distinct(plan.actions.iter().flat_map(regaining)),
            "consumer has access again by that",
            "consumers have access again by that",
        ),
        number(
            changed.count(),
            "scope changes whom it is open to",
            "scopes change whom they are open to",
        ),
        number(of(Verb::Deactivate, false), "client is closed", "clients are closed"),
        number(of(Verb::Reactivate, false), "client is opened again", "clients are opened again"),
        number(
            plan.actions.iter().map(|action| action.regains_keys.len()).sum(),
            "key counts again by that",
            "keys count again by that",
        ),
        number(keys.count(), "client loses keys", "clients lose keys"),
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

/// How many consumers lose access, and how many accesses if some lose several.
fn losing(plan: &PlanDocument) -> Option<String> {
    let accesses = || plan.actions.iter().flat_map(losers);
    let (consumers, accesses) = (distinct(accesses()), accesses().count());
    let told = number(consumers, "consumer loses access", "consumers lose access")?;
    let several = format!(" ({})", counted(accesses as u64, "access", "es"));
    Some(if accesses == consumers { told } else { told + &several })
}

fn losers(action: &ActionDocument) -> impl Iterator<Item = &str> {
    let revoked = action.consumer.as_deref().filter(|_| action.action == Verb::Revoke);
    revoked.into_iter().chain(action.loses.iter().map(|who| who.consumer.as_str()))
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
