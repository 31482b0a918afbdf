//! Check that an edit of the declarations changes only what it is meant to change.

use std::collections::BTreeSet;

use domain::{Desired, DesiredAccess, Entity, Source};
use plan::{ActionId, Plan, Verb};

/// The entities whose declarations differ after an edit, in one environment, other than the edited ones; the
/// place of a declaration does not matter.
pub fn changed_entities(before: &Desired, after: &Desired, named: &[Entity]) -> Vec<Entity> {
    let all: BTreeSet<Entity> = entities(before).chain(entities(after)).collect();
    let (before, after) = (without_places(before), without_places(after));
    let is_same = |entity: &Entity| match entity {
        Entity::Scope(name) => {
            before.scopes.get(name) == after.scopes.get(name)
                && before.removed.get(name) == after.removed.get(name)
        }
        Entity::Client(name) => {
            before.clients.get(name) == after.clients.get(name)
                && before.removed_clients.get(name) == after.removed_clients.get(name)
        }
    };
    all.into_iter().filter(|entity| !named.contains(entity) && !is_same(entity)).collect()
}

/// The declared and the removed entities.
fn entities(desired: &Desired) -> impl Iterator<Item = Entity> {
    let scopes = desired.scopes.keys().chain(desired.removed.keys());
    let clients = desired.clients.keys().chain(desired.removed_clients.keys());
    scopes.cloned().map(Entity::Scope).chain(clients.cloned().map(Entity::Client))
}

/// The same declarations, all at one place.
fn without_places(desired: &Desired) -> Desired {
    let nowhere = || Source { file: "".into(), line: 0, at: None };
    let mut desired = desired.clone();
    for scope in desired.scopes.values_mut() {
        scope.source = nowhere();
        let entries = scope.consumers.values_mut().flat_map(DesiredAccess::entries_mut);
        entries.for_each(|entry| entry.source = nowhere());
    }
    for client in desired.clients.values_mut() {
        (client.source, client.keys_source) = (nowhere(), nowhere());
    }
    let of_clients = desired.removed_clients.values_mut().map(|gone| &mut gone.removal);
    for removal in desired.removed.values_mut().chain(of_clients) {
        removal.source = nowhere();
    }
    desired
}

/// The harmful actions in the plan after an edit: those that remove something from the edited entities, and
/// those on other entities that the plan before it did not have.
pub fn harm(before: &Plan, after: &Plan, named: &[Entity]) -> Vec<ActionId> {
    let is_named = |id: &ActionId| named.contains(&id.target.entity());
    let takes_away = |id: &ActionId| matches!(id.verb, Verb::Deactivate | Verb::Revoke);
    let blocked = |plan: &Plan| {
        let all = plan.blocked.iter();
        all.map(|it| (it.target.clone(), it.consumed.clone(), it.code)).collect::<Vec<_>>()
    };
    // A blocked action may be possible later.
    let all = after.actions.iter().map(plan::Action::id);
    let all = all.chain(after.blocked.iter().map(|blocked| blocked.target.clone()));
    let mut found: Vec<ActionId> = all.filter(|id| is_named(id) && takes_away(id)).collect();
    for (one, other) in [(before, after), (after, before)] {
        let missing = one.actions.iter().filter(|action| {
            !is_named(&action.id()) && !other.actions.iter().any(|there| there.is_same_work(action))
        });
        found.extend(missing.map(plan::Action::id));
        let there = blocked(other);
        let missing =
            blocked(one).into_iter().filter(|own| !is_named(&own.0) && !there.contains(own));
        found.extend(missing.map(|(target, ..)| target));
    }
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::declare::read;
    use domain::{Applied, Live, LiveScope, Past};
    use plan::plan;

    const SETTINGS: &str = "organization: { orgno: \"889640782\", name: Etaten }\nprefixes: [etat]\n\
                            environments: { test: { target: sandbox } }\n";

    fn desired(yaml: &str) -> Desired {
        let files = vec![("a.yaml".into(), yaml.as_bytes().to_vec())];
        let repository = read(Path::new("/"), SETTINGS.as_bytes(), files, &|_| None).unwrap();
        repository.desired("test", jiff::civil::date(2026, 11, 25)).unwrap().0
    }

    fn scope(name: &str) -> Entity {
        Entity::Scope(name.parse().unwrap())
    }

    const BEFORE: &str = "scopes:\n  - { name: etat:a, description: A, consumers: [\"974761076\"] }\n  \
                          - { name: etat:b, description: B }\nclients: [{ name: x }, { name: y }]\n\
                          removed: [{ scope: etat:c, action: release }, { client: z, action: release }]\n";

    #[test]
    fn what_is_declared_differently_is_reported_wherever_it_is() {
        let before = desired(BEFORE);
        let moved = BEFORE.replace("scopes:\n", "scopes:\n# en linje mer\n\n");
        assert_eq!(changed_entities(&before, &desired(&moved), &[]), []);
        for (old, new, ownership) in [
            ("description: A", "description: Å", scope("etat:a")),
            ("974761076", "971040238", scope("etat:a")),
            (
                "[\"974761076\"]",
                "[{ consumer: \"974761076\", until: 2030-01-01 }]",
                scope("etat:a"),
            ),
            ("description: B", "description: B, active: false", scope("etat:b")),
            ("description: B", "description: B, prevent_deactivation: true", scope("etat:b")),
            ("  - { name: etat:b, description: B }\n", "", scope("etat:b")),
            ("{ name: x }", "{ name: x, jwks: [] }", Entity::Client("x".parse().unwrap())),
            ("{ name: x }", "{ name: x, client_id: i }", Entity::Client("x".parse().unwrap())),
            (", { name: y }", "", Entity::Client("y".parse().unwrap())),
            ("{ scope: etat:c, action: release }, ", "", scope("etat:c")),
            ("etat:c, action: release", "etat:c, action: deactivate", scope("etat:c")),
            (
                "client: z, action: release",
                "client: z, action: deactivate",
                Entity::Client("z".parse().unwrap()),
            ),
        ] {
            assert!(BEFORE.contains(old), "{old}");
            let after = desired(&BEFORE.replacen(old, new, 1));
            let ownership = [ownership];
            assert_eq!(changed_entities(&before, &after, &[]), ownership, "{new}");
            assert_eq!(changed_entities(&after, &before, &[]), ownership, "{new}");
            assert_eq!(changed_entities(&before, &after, &ownership), [], "{new}");
        }
    }

    #[test]
    fn what_takes_something_away_or_touches_others_is_harm() {
        let before = desired(BEFORE);
        let live_scope = |description: &str| LiveScope {
            active: true,
            representation: [("description".to_owned(), description.into())].into_iter().collect(),
            accesses: Some(std::collections::BTreeMap::new()),
            unclear: false,
        };
        let live = Live {
            scopes: [("etat:a", "A"), ("etat:b", "B")]
                .map(|(name, description)| (name.parse().unwrap(), live_scope(description)))
                .into(),
            prefixes: ["etat".to_owned()].into(),
            ..Live::default()
        };
        let applied = Applied { commit: "c0ffee".into(), desired: before.clone() };
        let plan_of = |desired: &Desired| {
            plan(desired, &Past::of(applied.clone()), &live, jiff::Timestamp::now())
        };
        let harm_of = |after: &str| {
            let found = harm(&plan_of(&before), &plan_of(&desired(after)), &[scope("etat:b")]);
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(harm_of(BEFORE), [""; 0]);
        assert_eq!(harm_of(&BEFORE.replace("description: B", "description: Ny")), [""; 0]);
        let released = BEFORE
            .replace("  - { name: etat:b, description: B }\n", "")
            .replace("removed: [", "removed: [{ scope: etat:b, action: release }, ");
        assert_eq!(harm_of(&released), [""; 0]);
        for (old, new, ownership) in [
            ("  - { name: etat:b, description: B }\n", "", "deactivate scope etat:b"),
            ("description: B", "description: B, active: false", "deactivate scope etat:b"),
            ("description: A", "description: Å", "update scope etat:a"),
            ("974761076", "971040238", "grant etat:a 971040238"),
            (", { name: y }", "", "create client y"),
        ] {
            let reported_harm = harm_of(&BEFORE.replacen(old, new, 1));
            assert!(reported_harm.contains(&ownership.to_owned()), "{new}: {reported_harm:?}");
        }
    }
}
