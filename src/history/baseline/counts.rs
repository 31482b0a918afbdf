//! The entities for which a commit counts as applied in part.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use domain::Entity;

/// The entities for which a commit counts, of those that it declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub enum Counts {
    /// All but those that its apply left to other places, as they have applied them: so far nothing was applied of
    /// them here.
    AllBut(BTreeSet<Entity>),
    /// Only those that its apply may have activated and that DigDir did not show yet: a later apply has settled the
    /// rest.
    Only(BTreeSet<Entity>),
}

/// Form of it in a record.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    left: BTreeSet<Entity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    awaited: Option<BTreeSet<Entity>>,
}

impl From<Stored> for Counts {
    fn from(Stored { left, awaited }: Stored) -> Self {
        match awaited {
            None => Self::AllBut(left),
            Some(awaited) => Self::Only(&awaited - &left),
        }
    }
}

impl From<Counts> for Stored {
    fn from(counts: Counts) -> Self {
        match counts {
            Counts::AllBut(left) => Self { left, awaited: None },
            Counts::Only(awaited) => Self { left: BTreeSet::new(), awaited: Some(awaited) },
        }
    }
}

impl Counts {
    /// For all.
    pub const ALL: Self = Self::AllBut(BTreeSet::new());

    /// Whether it counts for an entity.
    pub fn contains(&self, entity: &Entity) -> bool {
        match self {
            Self::AllBut(left) => !left.contains(entity),
            Self::Only(awaited) => awaited.contains(entity),
        }
    }

    /// For what either counts for.
    pub(super) fn or(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::AllBut(one), Self::AllBut(two)) => Self::AllBut(one & two),
            (Self::AllBut(left), Self::Only(awaited))
            | (Self::Only(awaited), Self::AllBut(left)) => Self::AllBut(left - awaited),
            (Self::Only(one), Self::Only(two)) => Self::Only(one | two),
        }
    }

    /// Only for these of what it counts for; `None` where that is nothing.
    pub(super) fn only(&self, entities: &BTreeSet<Entity>) -> Option<Self> {
        let entities: BTreeSet<_> =
            entities.iter().filter(|entity| self.contains(entity)).cloned().collect();
        (!entities.is_empty()).then_some(Self::Only(entities))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<Entity> {
        names.iter().map(|name| Entity::Scope(name.parse().unwrap())).collect()
    }

    #[test]
    fn either_and_only_are_of_each_entity() {
        let all = ["etat:a", "etat:b", "etat:c"];
        let sets = [&[][..], &["etat:a"], &["etat:a", "etat:b"], &["etat:b", "etat:c"]].map(set);
        let counts = || {
            let of_each =
                sets.iter().map(|set| [Counts::AllBut(set.clone()), Counts::Only(set.clone())]);
            of_each.flatten()
        };
        for (one, two) in counts().flat_map(|one| counts().map(move |two| (one.clone(), two))) {
            let either = one.or(&two);
            for entity in set(&all) {
                let expected = one.contains(&entity) || two.contains(&entity);
                assert_eq!(either.contains(&entity), expected, "{one:?} {two:?} {entity}");
            }
            let stored = serde_json::to_string(&one).unwrap();
            assert_eq!(serde_json::from_str::<Counts>(&stored).unwrap(), one, "{stored}");
            for awaited in &sets {
                let only = one.only(awaited);
                for entity in set(&all) {
                    let expected = one.contains(&entity) && awaited.contains(&entity);
                    let is_in = only.as_ref().is_some_and(|only| only.contains(&entity));
                    assert_eq!(is_in, expected, "{one:?} {awaited:?} {entity}");
                }
            }
        }
    }

    #[test]
    fn it_is_stored_as_what_is_left_or_awaited() {
        let json = |counts: Counts| serde_json::to_string(&counts).unwrap();
        assert_eq!(json(Counts::ALL), "{}");
        assert_eq!(json(Counts::AllBut(set(&["etat:a"]))), r#"{"left":[{"scope":"etat:a"}]}"#);
        assert_eq!(json(Counts::Only(set(&["etat:a"]))), r#"{"awaited":[{"scope":"etat:a"}]}"#);
    }
}
