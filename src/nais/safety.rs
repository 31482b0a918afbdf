//! Whether an edit of the declarations does what it is for and nothing else.

use std::collections::BTreeMap;

use crate::domain::nais::Entity;
use crate::domain::{
    ClientName, ClientRemoval, Desired, DesiredAccess, DesiredClient, DesiredScope, Orgno, Removal,
    ScopeName,
};
use crate::plan::{ActionId, Plan, Target, Verb};

/// What is declared otherwise after an edit than before, in one environment, beside what the edit is
/// about; what is declared alike, wherever it stands, is the same.
pub fn declared_otherwise(before: &Desired, after: &Desired, named: &[Entity]) -> Vec<Entity> {
    let scope = |name: &ScopeName| Entity::Scope(name.clone());
    let client = |name: &ClientName| Entity::Client(name.clone());
    let mut found = differing(&before.scopes, &after.scopes, same_scope, scope);
    found.extend(differing(&before.removed, &after.removed, same_removal, scope));
    found.extend(differing(&before.clients, &after.clients, same_client, client));
    let same =
        |a: &ClientRemoval, b: &ClientRemoval| a.id == b.id && same_removal(&a.removal, &b.removal);
    found.extend(differing(&before.removed_clients, &after.removed_clients, same, client));
    found.retain(|entity| !named.contains(entity));
    found.sort();
    found.dedup();
    found
}

fn differing<N: Ord, T>(
    before: &BTreeMap<N, T>,
    after: &BTreeMap<N, T>,
    same: impl Fn(&T, &T) -> bool,
    entity: impl Fn(&N) -> Entity,
) -> Vec<Entity> {
    let is_same =
        |(name, thing): &(&N, &T)| after.get(*name).is_some_and(|other| same(thing, other));
    let gone = before.iter().filter(|entry| !is_same(entry)).map(|(name, _)| name);
    let new = after.keys().filter(|name| !before.contains_key(*name));
    gone.chain(new).map(entity).collect()
}

fn same_scope(a: &DesiredScope, b: &DesiredScope) -> bool {
    let DesiredScope { attributes, active, prevent_deactivation, consumers, source: _ } = a;
    let access = |consumers: &BTreeMap<Orgno, DesiredAccess>| {
        let access = |(orgno, access): (&Orgno, &DesiredAccess)| {
            let DesiredAccess { until, reason, source: _ } = access;
            (*orgno, *until, reason.clone())
        };
        consumers.iter().map(access).collect::<Vec<_>>()
    };
    *attributes == b.attributes
        && *active == b.active
        && *prevent_deactivation == b.prevent_deactivation
        && access(consumers) == access(&b.consumers)
}

fn same_client(a: &DesiredClient, b: &DesiredClient) -> bool {
    let DesiredClient {
        identity,
        attributes,
        keys,
        on_behalf_of,
        active,
        prevent_deactivation,
        source: _,
        keys_source: _,
    } = a;
    *identity == b.identity
        && *attributes == b.attributes
        && *keys == b.keys
        && *on_behalf_of == b.on_behalf_of
        && *active == b.active
        && *prevent_deactivation == b.prevent_deactivation
}

fn same_removal(a: &Removal, b: &Removal) -> bool {
    let Removal { action, reason, source: _ } = a;
    *action == b.action && *reason == b.reason
}

/// What the plan after an edit would do that it must not: take something of what the edit is about
/// away, or anything else to others than the plan before it.
pub fn harm(before: &Plan, after: &Plan, named: &[Entity]) -> Vec<ActionId> {
    let is_named = |id: &ActionId| named.contains(&entity(&id.target));
    let takes_away = |id: &ActionId| matches!(id.verb, Verb::Deactivate | Verb::Revoke);
    let blocked = |plan: &Plan| {
        let all = plan.blocked.iter().map(|blocked| (blocked.target.clone(), blocked.code));
        all.collect::<Vec<_>>()
    };
    // What is blocked now is not blocked for ever.
    let all = after.actions.iter().map(crate::plan::Action::id);
    let all = all.chain(after.blocked.iter().map(|blocked| blocked.target.clone()));
    let mut found: Vec<ActionId> = all.filter(|id| is_named(id) && takes_away(id)).collect();
    for (one, other) in [(before, after), (after, before)] {
        let missing = one.actions.iter().filter(|action| {
            !is_named(&action.id()) && !other.actions.iter().any(|there| there.is_same_work(action))
        });
        found.extend(missing.map(crate::plan::Action::id));
        let there = blocked(other);
        let missing =
            blocked(one).into_iter().filter(|own| !is_named(&own.0) && !there.contains(own));
        found.extend(missing.map(|(target, _)| target));
    }
    found.sort();
    found.dedup();
    found
}

fn entity(target: &Target) -> Entity {
    match target {
        Target::Scope(name) | Target::Access(name, _) => Entity::Scope(name.clone()),
        Target::Client(name) | Target::Keys(name) => Entity::Client(name.clone()),
    }
}
