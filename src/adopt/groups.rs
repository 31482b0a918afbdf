//! Recurring sets of consumers, as groups.

use std::collections::{BTreeMap, BTreeSet};

use super::found::{Found, shared};
use super::slug;
use super::{AdoptedEntity, Input, Lessons};
use domain::{Orgno, ScopeName};

/// Smallest number of members of a group.
const FEWEST: usize = 3;

/// A group that scopes use.
pub(super) struct GroupDraft {
    pub(super) name: String,
    pub(super) members: BTreeSet<Orgno>,
    /// Whether it is to be declared.
    pub(super) is_new: bool,
    /// The sides of the scopes that use it.
    pub(super) sides: BTreeSet<usize>,
}

/// The groups, and the groups of each scope, as indices.
#[derive(Default)]
pub(super) struct Groups {
    pub(super) groups: Vec<GroupDraft>,
    pub(super) of_scope: BTreeMap<ScopeName, Vec<usize>>,
}

/// A set that occurs in several scopes.
struct Candidate<'f> {
    members: BTreeSet<Orgno>,
    scopes: Vec<&'f ScopeName>,
    sides: BTreeSet<usize>,
}

impl Groups {
    /// Finds the sets that are exactly the consumers of two scopes or more. Each scope repeatedly gets the
    /// largest of them that is contained in the rest of its consumers.
    pub(super) fn new(found: &Found<'_>, input: &Input<'_>, lessons: &Lessons) -> Self {
        let mut candidates = candidates(found);
        candidates
            .retain(|it| !lessons.refused.contains(&AdoptedEntity::Group(it.members.clone())));
        // The largest first; those of equal size in the order of their members.
        candidates
            .sort_by(|a, b| (b.members.len(), &a.members).cmp(&(a.members.len(), &b.members)));
        let mut names = GroupNames::new(input);
        let mut groups = Self::default();
        for Candidate { members, scopes, sides } in candidates {
            let existing = existing(&members, &sides, input);
            let is_new = existing.is_none();
            let name = existing.unwrap_or_else(|| names.make(&scopes));
            groups.groups.push(GroupDraft { name, members, is_new, sides });
        }
        for (name, on) in &found.scopes {
            let mut left = shared(on).0;
            let sides: BTreeSet<usize> = on.keys().copied().collect();
            let mut used = Vec::new();
            for (index, group) in groups.groups.iter_mut().enumerate() {
                let fits = group.members.is_subset(&left)
                    && (group.is_new || holds(&group.name, &group.members, &sides, input));
                if fits {
                    left.retain(|orgno| !group.members.contains(orgno));
                    group.sides.extend(&sides);
                    used.push(index);
                }
            }
            if !used.is_empty() {
                groups.of_scope.insert(name.clone(), used);
            }
        }
        groups
    }
}

fn candidates<'f>(found: &'f Found<'_>) -> Vec<Candidate<'f>> {
    let mut by_members: BTreeMap<BTreeSet<Orgno>, Candidate<'f>> = BTreeMap::new();
    for (name, on) in &found.scopes {
        let (members, others) = shared(on);
        if members.len() < FEWEST || !others.is_empty() {
            continue;
        }
        let new =
            || Candidate { members: members.clone(), scopes: Vec::new(), sides: BTreeSet::new() };
        let candidate = by_members.entry(members.clone()).or_insert_with(new);
        candidate.scopes.push(name);
        candidate.sides.extend(on.keys());
    }
    by_members.into_values().filter(|candidate| candidate.scopes.len() > 1).collect()
}

/// A group of the repository that has exactly these members in these sides.
fn existing(
    members: &BTreeSet<Orgno>,
    sides: &BTreeSet<usize>,
    input: &Input<'_>,
) -> Option<String> {
    let first = input.name(*sides.first()?)?;
    let groups = input.repository.groups(first);
    let mut names = groups.into_iter().map(|(name, _)| name);
    names.find(|name| holds(name, members, sides, input)).map(str::to_owned)
}

/// Whether a group of the repository has exactly these members in these sides.
fn holds(
    group: &str,
    members: &BTreeSet<Orgno>,
    sides: &BTreeSet<usize>,
    input: &Input<'_>,
) -> bool {
    let mut environments = sides.iter().filter_map(|side| input.name(*side));
    environments.all(|environment| {
        let groups = input.repository.groups(environment);
        groups.iter().any(|(name, has)| *name == group && has == members)
    })
}

/// Names for groups.
struct GroupNames {
    taken: BTreeSet<String>,
}

impl GroupNames {
    fn new(input: &Input<'_>) -> Self {
        let taken = input.repository.consumer_names().into_iter().map(str::to_owned);
        Self { taken: taken.collect() }
    }

    /// A name from the common words of the scopes.
    fn make(&mut self, scopes: &[&ScopeName]) -> String {
        let common = common(scopes);
        let prefix = || scopes.first().map_or("", |scope| scope.prefix());
        let fallback = || slug::word(&format!("{} group", prefix()));
        let base = slug::word(&common.join(" ")).or_else(fallback);
        let base = base.unwrap_or_else(|| "group".to_owned());
        let numbered = (2..=u32::MAX).map(|number| format!("{base}-{number}"));
        let fits = |name: &String| !self.taken.contains(name) && crate::declare::is_alias(name);
        let name = std::iter::once(base.clone()).chain(numbered).find(fits).unwrap_or(base.clone());
        self.taken.insert(name.clone());
        name
    }
}

/// The words with which all subscopes begin.
fn common<'s>(scopes: &[&'s ScopeName]) -> Vec<&'s str> {
    let mut scopes = scopes.iter().map(|scope| words(scope));
    let first = scopes.next().unwrap_or_default();
    scopes.fold(first, |common, words| {
        let alike = common.iter().zip(&words).take_while(|(a, b)| a == b).count();
        common.into_iter().take(alike).collect()
    })
}

fn words(scope: &ScopeName) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric();
    scope.subscope().split(|c| !is_word(c)).filter(|word| !word.is_empty()).collect()
}
