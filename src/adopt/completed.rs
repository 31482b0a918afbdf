//! Accesses to scopes that are declared already, added to their declarations.

use std::collections::{BTreeMap, BTreeSet};

use super::consumers::existing;
use super::counts::Counts;
use super::draft::DraftLines;
use super::found::Found;
use super::left_out::{LeftOutFault, Reason};
use super::{AdoptedEntity, Input};
use crate::declare::{ConsumerEntry, Edited, Files, Repository, ScopeDeclaration};
use domain::{DesiredAccess, Orgno, ScopeName};

/// The files to which accesses were added.
#[derive(Debug, Default)]
pub(super) struct Completed {
    /// Their texts, by their paths.
    pub(super) texts: BTreeMap<String, String>,
    /// The number of additions to each.
    pub(super) counts: BTreeMap<String, Counts>,
}

/// Adds to declarations the accesses that they lack; also returns those that cannot be edited.
pub(super) fn completed(
    found: &Found<'_>,
    input: &Input<'_>,
    files: &Files,
) -> (Completed, Vec<LeftOutFault>) {
    let mut added: BTreeMap<ScopeDeclaration<'_>, Vec<ConsumerEntry>> = BTreeMap::new();
    for (name, missing) in &found.accesses {
        for (orgno, sides) in missing {
            for (declaration, sides) in by_declaration(name, sides, input) {
                let entry = entry(*orgno, &sides, &declaration, input);
                added.entry(declaration).or_default().push(entry);
            }
        }
    }
    added.values_mut().for_each(|entries| entries.sort());
    let (edited, refused) = input.repository.with_consumers(files, &added);
    let faults = refused.into_iter().flat_map(|(declaration, error)| {
        let sides = input.sides.iter().enumerate();
        let here = sides.filter(|(_, it)| declaration.environments.contains(&it.environment));
        let here: Vec<usize> = here.map(|(side, _)| side).collect();
        let (name, why) = (declaration.scope.clone(), error.to_string());
        here.into_iter().map(move |side| {
            let reason = Reason::CannotEdit(why.clone());
            LeftOutFault::Refuse(AdoptedEntity::Accesses(name.clone()), Some(side), reason)
        })
    });
    let faults = faults.collect();
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    for (declaration, entries) in &added {
        let of_file = counts.entry(declaration.file.to_owned()).or_default();
        *of_file += Counts { completed: 1, added: entries.len(), ..Counts::default() };
    }
    let texts = edited.into_iter().map(|Edited { file, after }| (file, after)).collect();
    (Completed { texts, counts }, faults)
}

/// The declarations of a scope in some sides, each with its sides.
fn by_declaration<'a>(
    name: &ScopeName,
    sides: &BTreeSet<usize>,
    input: &Input<'a>,
) -> BTreeMap<ScopeDeclaration<'a>, BTreeSet<usize>> {
    let mut declarations: BTreeMap<_, BTreeSet<usize>> = BTreeMap::new();
    for side in sides {
        let declaration =
            input.name(*side).and_then(|it| input.repository.scope_declaration(it, name));
        if let Some(declaration) = declaration {
            declarations.entry(declaration).or_default().insert(*side);
        }
    }
    declarations
}

/// An entry restricted to these sides. Embedded sandboxes are ignored: an entry for all other environments of
/// the declaration has no restriction.
fn entry(
    orgno: Orgno,
    sides: &BTreeSet<usize>,
    declaration: &ScopeDeclaration<'_>,
    input: &Input<'_>,
) -> ConsumerEntry {
    let names: BTreeSet<&str> = sides.iter().filter_map(|side| input.name(*side)).collect();
    let mut relevant = input.relevant().filter(|name| declaration.environments.contains(name));
    let environments = match relevant.all(|name| names.contains(name)) {
        true => Vec::new(),
        false => names.into_iter().map(str::to_owned).collect(),
    };
    let consumer = existing(orgno, sides, input).unwrap_or_else(|| orgno.to_string());
    ConsumerEntry { consumer, environments }
}

/// The lines of the scopes to which accesses were added, and the lines of those accesses.
pub(super) fn lines(
    again: &Repository,
    found: &Found<'_>,
    input: &Input<'_>,
) -> BTreeMap<String, DraftLines> {
    let mut lines: BTreeMap<String, DraftLines> = BTreeMap::new();
    for (side, it) in input.sides.iter().enumerate() {
        let Ok(desired) = again.desired_before(it.environment) else { continue };
        for (name, missing) in &found.accesses {
            let Some(scope) = desired.scopes.get(name) else { continue };
            let here = missing.iter().filter(|(_, sides)| sides.contains(&side));
            let accesses = here.flat_map(|(orgno, _)| {
                let entries =
                    scope.consumers.get(orgno).into_iter().flat_map(DesiredAccess::entries);
                entries.map(|it| (&it.source, AdoptedEntity::Access(name.clone(), *orgno)))
            });
            let of_scope = [(&scope.source, AdoptedEntity::Accesses(name.clone()))];
            for (source, entity) in of_scope.into_iter().chain(accesses) {
                let of_file = lines.entry(source.file.to_string()).or_default();
                of_file.push((source.line..source.line + 1, entity));
            }
        }
    }
    lines
}
