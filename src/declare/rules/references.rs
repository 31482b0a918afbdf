//! Rules about the names of aliases and groups in groups, blocks and scopes: they must be declared.

use std::collections::HashSet;

use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::Suggester;
use crate::declare::diagnostic::{Diagnostic, Place, quoted};
use crate::declare::read::declared::{Declared, DeclaredGroup, Scope, Stray, Who};
use crate::declare::yaml::suggestions;
use domain::Orgno;

pub(super) fn find(declared: &Declared, found: &mut Vec<Diagnostic>) {
    if declared.incomplete {
        // A missing name may be in the file that could not be read.
        return;
    }
    let known = Known {
        aliases: declared.aliases.iter().map(|a| a.alias.as_str()).collect(),
        groups: declared.groups.iter().map(|g| g.name.as_str()).collect(),
        broken: declared.broken.iter().map(String::as_str).collect(),
        alias_names: declared
            .aliases
            .iter()
            .map(|alias| &alias.alias)
            .chain(&declared.broken)
            .map(String::as_str)
            .collect(),
        suggester: Suggester::new(),
    };
    for DeclaredGroup { members, place, .. } in &declared.groups {
        for (who, span) in members {
            found.extend(known.check(who, &place.with(*span), true));
        }
    }
    for block in &declared.blocks {
        let is_group = block.who.alias().is_some_and(|name| known.groups.contains(name));
        found.extend(known.check(&block.who, &block.place, false).map(|mut unknown| {
            if is_group {
                unknown.help = Some("it is a group: block each of its organisations".to_owned());
            }
            unknown
        }));
    }
    let of_scopes = declared.scopes.iter().map(|Scope { consumers, place, .. }| (consumers, place));
    let of_strays = declared.strays.iter().map(|Stray { consumers, place }| (consumers, place));
    for (consumers, place) in of_scopes.chain(of_strays) {
        for consumer in &**consumers {
            found.extend(known.check(&consumer.who, &place.with(consumer.who_span), false));
        }
    }
}

/// The names that can be referred to.
struct Known<'d> {
    aliases: HashSet<&'d str>,
    groups: HashSet<&'d str>,
    broken: HashSet<&'d str>,
    /// The names of aliases, including those with errors.
    alias_names: Vec<&'d str>,
    suggester: Suggester,
}

impl Known<'_> {
    /// The usual spelling of a known name that is written differently.
    fn other_writing(&self, name: &str) -> Option<String> {
        let is_known = |name: &str| self.aliases.contains(name) || name.parse::<Orgno>().is_ok();
        if let Some((key @ ("group" | "consumer"), rest)) = name.split_once(':') {
            return Some(format!("write a space behind the colon: `{key}: {rest}`"));
        }
        let names = suggestions::names(name);
        if names.len() > 1 && names.iter().all(|name| is_known(name)) {
            let list = names.join(", ");
            return Some(format!("write `[{list}]`, or each on a line of its own behind a dash"));
        }
        let core = name.trim_matches(|c: char| !c.is_alphanumeric());
        let alone = (core != name && is_known(core)).then_some(core)?;
        Some(format!("write `{alone}` and nothing before or behind it"))
    }

    fn check(&self, who: &Who, place: &Place, in_group: bool) -> Option<Diagnostic> {
        match who {
            Who::Orgno(_) => None,
            Who::Alias(name) => {
                let name: &str = name;
                if self.aliases.contains(name) || self.broken.contains(name) {
                    return None;
                }
                let message = format!("there is no alias {}", quoted(name));
                let help = if self.groups.contains(name) && in_group {
                    "it is a group, and a group holds only aliases and organisation numbers".into()
                } else if self.groups.contains(name) {
                    format!("it is a group: write `group: {name}`")
                } else {
                    let names = self.alias_names.iter().copied();
                    self.other_writing(name).unwrap_or_else(|| {
                        let hint = self.suggester.did_you_mean(name, names);
                        format!(
                            "{hint}declare it under `consumers`, or write the organisation number"
                        )
                    })
                };
                Some(Diagnostic::new(Rule::UnknownAlias, place, &message, &help))
            }
            Who::Group(name) => {
                let name: &str = name;
                if self.groups.contains(name) || self.broken.contains(name) {
                    return None;
                }
                let message = format!("there is no group {}", quoted(name));
                let help = if self.aliases.contains(name) {
                    "it is an alias: write it without `group:`".into()
                } else {
                    let names = self.groups.iter().copied();
                    let hint = self.suggester.did_you_mean(name, names);
                    format!("{hint}declare it under `groups`")
                };
                Some(Diagnostic::new(Rule::UnknownGroup, place, &message, &help))
            }
        }
    }
}
