//! Consumers as aliases and groups.

use std::collections::{BTreeMap, BTreeSet};

use super::found::{Found, OnSides, shared};
use super::groups::Groups;
use super::{AdoptedEntity, Input, Lessons, slug};
use crate::declare::{self, EnvironmentTarget};
use domain::{LiveScope, Orgno, ScopeName};
use yaml::is_plain;
use yaml::{Yaml, YamlEntries};

/// An alias that is to be declared.
struct AliasDraft {
    alias: String,
    name: Option<String>,
    environments: Option<Vec<String>>,
}

/// The aliases and groups that scopes use.
pub(super) struct Consumers<'a> {
    input: Input<'a>,
    aliases: BTreeMap<Orgno, AliasDraft>,
    groups: Groups,
}

impl<'a> Consumers<'a> {
    pub(super) fn new(found: &Found<'_>, input: &Input<'a>, lessons: &Lessons) -> Self {
        let groups = Groups::new(found, input, lessons);
        let aliases = aliases(found, &groups, input, lessons);
        Self { input: *input, aliases, groups }
    }

    /// The entries of a scope's `consumers`, sorted by their text.
    pub(super) fn entries(&self, name: &ScopeName, on: &OnSides<&LiveScope>) -> Vec<Yaml> {
        let (mut left, others) = shared(on);
        let sides: BTreeSet<usize> = on.keys().copied().collect();
        let mut entries: Vec<(String, Yaml)> = Vec::new();
        for index in self.groups.of_scope.get(name).into_iter().flatten() {
            let Some(group) = self.groups.groups.get(*index) else { continue };
            left.retain(|orgno| !group.members.contains(orgno));
            let entry = Yaml::Map(vec![("group".to_owned(), Yaml::text(&group.name))]);
            entries.push((group.name.clone(), entry));
        }
        for orgno in left {
            let (written, word) = self.word(orgno, &sides);
            entries.push((written, word));
        }
        for (orgno, of) in others {
            let (written, word) = self.word(orgno, &of);
            let environments = of.iter().filter_map(|side| self.input.name(*side));
            let environments = Yaml::List(environments.map(Yaml::text).collect());
            let entry =
                vec![("consumer".to_owned(), word), ("environments".to_owned(), environments)];
            entries.push((written, Yaml::Map(entry)));
        }
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.into_iter().map(|(_, entry)| entry).map(one_line_group).collect()
    }

    /// The aliases to declare, each with its value, sorted.
    pub(super) fn aliases(&self) -> Vec<(AdoptedEntity, String, Yaml)> {
        let mut aliases: Vec<_> = self
            .aliases
            .iter()
            .map(|(orgno, AliasDraft { alias, name, environments })| {
                let mut entry: YamlEntries =
                    vec![("orgno".to_owned(), Yaml::Quoted(orgno.to_string()))];
                entry.extend(name.iter().map(|name| ("name".to_owned(), Yaml::text(name))));
                entry.extend(environments.iter().map(|names| {
                    let names = names.iter().map(Yaml::text).collect();
                    ("environments".to_owned(), Yaml::List(names))
                }));
                (AdoptedEntity::Alias(*orgno), alias.clone(), Yaml::Map(entry))
            })
            .collect();
        aliases.sort_by(|(_, a, _), (_, b, _)| a.cmp(b));
        aliases
    }

    /// The groups to declare, each with its members, sorted.
    pub(super) fn groups(&self) -> Vec<(AdoptedEntity, String, Yaml)> {
        let new = self.groups.groups.iter().filter(|group| group.is_new);
        let mut groups: Vec<_> = new
            .map(|group| {
                let members = group.members.iter().map(|orgno| self.word(*orgno, &group.sides));
                let mut members: Vec<_> = members.collect();
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
                let members = members.into_iter().map(|(_, member)| member).collect();
                (
                    AdoptedEntity::Group(group.members.clone()),
                    group.name.clone(),
                    Yaml::List(members),
                )
            })
            .collect();
        groups.sort_by(|(_, a, _), (_, b, _)| a.cmp(b));
        groups
    }

    /// The word for an organisation in these sides: an alias, or its number.
    fn word(&self, orgno: Orgno, sides: &BTreeSet<usize>) -> (String, Yaml) {
        let existing = existing(orgno, sides, &self.input);
        let alias = existing.or_else(|| self.aliases.get(&orgno).map(|alias| alias.alias.clone()));
        match alias {
            Some(alias) => (alias.clone(), Yaml::Text(alias)),
            None => (orgno.to_string(), Yaml::Quoted(orgno.to_string())),
        }
    }
}

/// Writes `group: x` without braces, as a person does.
fn one_line_group(entry: Yaml) -> Yaml {
    match entry {
        Yaml::Map(entries) if entries.len() == 1 => Yaml::Block(entries),
        other => other,
    }
}

/// The alias of the repository for a number in all of these sides.
pub(super) fn existing(orgno: Orgno, sides: &BTreeSet<usize>, input: &Input<'_>) -> Option<String> {
    let mut environments = sides.iter().filter_map(|side| input.name(*side));
    let of = |environment| {
        let aliases = input.repository.aliases(environment).filter(|(_, _, of)| *of == orgno);
        aliases.map(|(alias, ..)| alias).collect::<BTreeSet<&str>>()
    };
    let first = of(environments.next()?);
    let common = environments.fold(first, |common, environment| {
        common.intersection(&of(environment)).copied().collect()
    });
    common.first().map(|alias| (*alias).to_owned())
}

/// An alias for each number that several scopes name, if DigDir has a readable name for it, or that has a label,
/// and the repository has no alias.
fn aliases(
    found: &Found<'_>,
    groups: &Groups,
    input: &Input<'_>,
    lessons: &Lessons,
) -> BTreeMap<Orgno, AliasDraft> {
    let mut uses: BTreeMap<Orgno, NumberUses> = BTreeMap::new();
    for on in found.scopes.values() {
        let (everywhere, others) = shared(on);
        let sides: BTreeSet<usize> = on.keys().copied().collect();
        let everywhere = everywhere.into_iter().map(|orgno| (orgno, sides.clone()));
        for (orgno, sides) in everywhere.chain(others) {
            let uses = uses.entry(orgno).or_default();
            uses.scopes += 1;
            uses.lacks |= existing(orgno, &sides, input).is_none();
            uses.sides.extend(sides);
        }
        for (orgno, access) in on.values().flat_map(|scope| scope.accesses.iter().flatten()) {
            if let (Some(uses), Some(name)) = (uses.get_mut(orgno), &access.name) {
                *uses.names.entry(name).or_default() += 1;
            }
        }
    }
    uses.retain(|orgno, uses| {
        (uses.scopes > 1 || input.labels.contains_key(orgno))
            && uses.lacks
            && !lessons.refused.contains(&AdoptedEntity::Alias(*orgno))
    });
    let words: BTreeMap<Orgno, (String, String)> = uses
        .iter()
        .filter_map(|(orgno, uses)| {
            let name = input.labels.get(orgno).map(String::as_str).or_else(|| uses.name())?;
            Some((*orgno, (slug::word(name)?, name.to_owned())))
        })
        .collect();
    let groups = groups.groups.iter().map(|group| group.name.as_str());
    let taken: BTreeSet<&str> =
        input.repository.consumer_names().into_iter().chain(groups).collect();
    let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
    words.values().for_each(|(word, _)| *owners.entry(word).or_default() += 1);
    let named = words.iter().map(|(orgno, (word, name))| {
        let is_free = owners.get(word.as_str()) == Some(&1) && !taken.contains(word.as_str());
        let is_sound = is_plain(word, true) && !is_nothing(word) && declare::is_alias(word);
        let alias = match is_free && is_sound {
            true => word.clone(),
            false => format!("{word}-{orgno}"),
        };
        let sides = uses.get(orgno).map(|uses| uses.sides.clone()).unwrap_or_default();
        let environments = environments(*orgno, &sides, input);
        let name = (*name != alias).then(|| name.clone());
        (*orgno, AliasDraft { alias, name, environments })
    });
    let named: BTreeMap<Orgno, AliasDraft> = named.collect();
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    named.values().for_each(|alias| *used.entry(alias.alias.clone()).or_default() += 1);
    let is_sound = |alias: &AliasDraft| {
        declare::is_alias(&alias.alias)
            && !taken.contains(alias.alias.as_str())
            && used.get(&alias.alias) == Some(&1)
    };
    named.into_iter().filter(|(_, alias)| is_sound(alias)).collect()
}

/// Whether a word may be read as an empty value.
fn is_nothing(word: &str) -> bool {
    matches!(word, "none" | "nil" | "undefined" | "ingen")
}

/// Uses of a number.
#[derive(Default)]
struct NumberUses<'f> {
    scopes: usize,
    /// Whether the repository has no alias for it in some environment.
    lacks: bool,
    sides: BTreeSet<usize>,
    names: BTreeMap<&'f str, usize>,
}

impl<'f> NumberUses<'f> {
    /// Its most frequent name.
    fn name(&self) -> Option<&'f str> {
        let most =
            self.names.iter().max_by_key(|(name, count)| (**count, std::cmp::Reverse(**name)));
        most.map(|(name, _)| *name)
    }
}

/// The environments of an alias, where DigDir knows the number in some of them only: synthetic numbers in
/// test, real ones in production. `None` for all.
fn environments(orgno: Orgno, sides: &BTreeSet<usize>, input: &Input<'_>) -> Option<Vec<String>> {
    let used: BTreeSet<&str> = sides.iter().filter_map(|side| input.name(*side)).collect();
    let declared = &input.repository.settings().environments;
    let is_strange = |target: &EnvironmentTarget| match target {
        EnvironmentTarget::Prod => orgno.is_synthetic(),
        EnvironmentTarget::Test => !orgno.is_synthetic(),
        EnvironmentTarget::Sandbox | EnvironmentTarget::Custom(_) => false,
    };
    let counts = |(name, environment): &(&String, &declare::Environment)| {
        used.contains(name.as_str()) || !is_strange(&environment.target)
    };
    let names: Vec<String> = declared.iter().filter(counts).map(|(name, _)| name.clone()).collect();
    (names.len() < declared.len()).then_some(names)
}
