//! Names and files that nothing uses, and globs that match nothing, in whatever environment.

use std::collections::{BTreeSet, HashSet};

use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::nearest;
use crate::declare::diagnostic::{Diagnostic, quoted};
use crate::declare::files::about;
use crate::declare::files::index::in_settings;
use crate::declare::own::teams::Teams;
use crate::declare::read::declared::{Alias, Declared, DeclaredGroup, Who};
use crate::declare::yaml::optional::Spanned;
use domain::Orgno;

/// Names that the declarations use.
#[derive(Default)]
struct Uses<'d> {
    aliases: HashSet<&'d str>,
    groups: HashSet<&'d str>,
    numbers: HashSet<Orgno>,
}

impl<'d> Uses<'d> {
    fn of(declared: &'d Declared) -> Self {
        let Declared {
            aliases: _,
            groups,
            blocks,
            scopes,
            strays,
            removed: _,
            clients: _,
            removed_clients: _,
            shares: _,
            silences: _,
            resources: _,
            labels: _,
            broken: _,
            incomplete: _,
            diagnostics: _,
        } = declared;
        let members = groups.iter().flat_map(|group| &group.members).map(|(who, _)| who);
        let entries = scopes.iter().flat_map(|scope| &*scope.consumers);
        let entries = entries.chain(strays.iter().flat_map(|stray| &*stray.consumers));
        let mut uses = Self::default();
        let blocked = blocks.iter().map(|block| &block.who);
        for who in members.chain(entries.map(|entry| &entry.who)).chain(blocked) {
            match who {
                Who::Orgno(orgno) => drop(uses.numbers.insert(*orgno)),
                Who::Alias(name) => drop(uses.aliases.insert(name)),
                Who::Group(name) => drop(uses.groups.insert(name)),
            }
        }
        uses
    }

    /// Whether an alias is named, or gives its name to a number that is.
    fn has_alias(&self, alias: &Alias) -> bool {
        self.aliases.contains(alias.alias.as_str()) || self.numbers.contains(&alias.orgno)
    }
}

/// Warnings of aliases and groups that nothing names, of teams whose folder declares nothing, of these key
/// files, which no client names, and of globs in `blocked` that match no scope.
pub(crate) fn find(declared: &Declared, teams: &Teams, key_files: &[String]) -> Vec<Diagnostic> {
    let uses = Uses::of(declared);
    let mut found = Vec::new();
    for alias in declared.aliases.iter().filter(|alias| !uses.has_alias(alias)) {
        let message = format!("nothing uses the alias {}", quoted(&alias.alias));
        let help = "remove it; `portvakt validate --fix-unused` removes all that are unused";
        found.push(Diagnostic::new(Rule::UnusedAlias, &alias.place, &message, help));
    }
    for DeclaredGroup { name, members: _, place } in &declared.groups {
        if !uses.groups.contains(name.as_str()) {
            let message = format!("nothing uses the group {}", quoted(name));
            let help = "remove it, or name it in the `consumers` of a scope";
            found.push(Diagnostic::new(Rule::UnusedGroup, place, &message, help));
        }
    }
    for file in key_files {
        let help = "remove it, or name it in the `jwks` of a client";
        found.push(about(file, Rule::UnusedKeyFile, "no client uses this file with keys", help));
    }
    let entities = declared.entities().chain(declared.removals());
    let files: HashSet<&str> = entities.map(|placed| &*placed.place.file).collect();
    for (team, path, span) in teams.without(&files) {
        let message = format!("no scope or client is declared in {path}, the folder of {team}");
        let help = "remove the team, or correct its `path`";
        let place = in_settings(span);
        found.push(Diagnostic::new(Rule::UnusedTeam, &place, &message, help));
    }
    unmatched_blocks(declared, &mut found);
    found
}

/// A block of an organisation without access is prevention, but one from scopes that nobody declares is
/// probably misspelt: whom it was to keep out keeps access.
fn unmatched_blocks(declared: &Declared, found: &mut Vec<Diagnostic>) {
    for block in &declared.blocks {
        let Some(globs) = &block.scopes else { continue };
        let scopes = declared.scopes.iter();
        let here = scopes.filter(|scope| scope.environments.overlaps(block.environments));
        let names: BTreeSet<&str> = here.map(|scope| scope.name.as_str()).collect();
        let matched: HashSet<usize> =
            names.iter().flat_map(|name| globs.set.matches(name)).collect();
        for (index, Spanned { value: glob, span }) in globs.written.iter().enumerate() {
            if matched.contains(&index) {
                continue;
            }
            let message =
                format!("{} matches no scope that is declared where this counts", quoted(glob));
            let hint = match nearest(glob, names.iter().copied()) {
                Some(name) => {
                    format!(
                        "did you mean `{name}`? That blocks the organisation from it, and revokes its access; "
                    )
                }
                None => String::new(),
            };
            let help = match matched.is_empty() {
                true => format!(
                    "{hint}correct it, or remove this entry of `blocked`: it keeps nobody out. Without `scopes` the \
                     entry would block from all scopes, and revoke the access to them"
                ),
                false => format!("{hint}correct it, or remove it: it keeps nobody out"),
            };
            let place = block.place.with(*span);
            found.push(Diagnostic::new(Rule::UnmatchedBlock, &place, &message, &help));
        }
    }
}
