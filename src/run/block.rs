//! Entries of `blocked`, written into the YAML.

use std::collections::BTreeMap;

use super::checkout;
use super::clock::today;
use super::edits;
use super::failure::Failure;
use super::options::RunOptions;
use super::organizations::KnownOrganizations;
use crate::declare::{self, BlockEntry, Edited, NamedConsumer, Repository};
use domain::text::printable;
use domain::{Desired, Orgno, ScopeName};

/// The access that organisations lose or get back by an edit.
#[derive(Default)]
pub(crate) struct ChangedAccess {
    /// The scopes, each with the environments.
    pub(crate) scopes: BTreeMap<ScopeName, Vec<String>>,
    /// The environments in which it is not known, as errors may hide who has access.
    pub(crate) unknown: Vec<String>,
}

/// An organisation that is to be blocked, or no longer. The edit is checked, and nothing is written.
pub(crate) struct ChangedBlock {
    /// Its alias, or else its number.
    pub(crate) consumer: String,
    /// The environment in which that counts; `None` for all.
    pub(crate) environment: Option<String>,
    /// The entries of `blocked` that concern it there before, by their places.
    pub(crate) before: Vec<String>,
    /// The declared access that it loses or gets back.
    pub(crate) access: ChangedAccess,
    /// The declarations with the edit; `None` if there is nothing to edit.
    after: Option<Repository>,
}

impl ChangedBlock {
    fn new(
        repository: &Repository,
        (consumer, environment): (String, Option<String>),
        before: Vec<String>,
        edited: &[Edited],
    ) -> Result<Self, Failure> {
        let after = match edited {
            [] => None,
            edited => Some(edits::checked(repository, edited)?),
        };
        let access = after.as_ref().map(|after| changed(repository, after, environment.as_deref()));
        Ok(Self { consumer, environment, before, access: access.unwrap_or_default(), after })
    }

    /// Whether there is anything to write.
    pub(crate) fn is_edited(&self) -> bool {
        self.after.is_some()
    }

    /// Writes the files, all of them or none, and returns their names.
    ///
    /// # Errors
    /// One cannot be written.
    pub(crate) fn write(&self) -> Result<String, Failure> {
        let Some(after) = &self.after else { return Ok(String::new()) };
        edits::write(&|_| {}, after)?;
        let files: Vec<_> = after.edited().keys().map(String::as_str).collect();
        Ok(files.join(", "))
    }
}

/// Adds an entry, in which the organisation is named as a person names it. The declarations need not be valid.
///
/// # Errors
/// There is no such organisation, or the YAML cannot be edited.
pub(crate) fn block(options: &RunOptions, entry: BlockEntry) -> Result<ChangedBlock, Failure> {
    let repository = checkout::open_tracked(options)?;
    let consumer = named(&repository, &entry.consumer)?;
    let environment = environment(&repository, options)?;
    let entry = BlockEntry {
        consumer: repository.in_entry(&consumer, environment.as_deref()),
        environments: environment.iter().cloned().collect(),
        ..entry
    };
    let before = repository.blocks_of(&consumer, environment.as_deref());
    let edited = match repository.has_block(&consumer, &entry, environment.as_deref()) {
        true => Vec::new(),
        false => vec![repository.with_block(&entry).map_err(refused)?],
    };
    ChangedBlock::new(&repository, (entry.consumer, environment), before, &edited)
}

/// Removes all entries of an organisation, or those of one environment.
///
/// # Errors
/// There is no such organisation, an entry counts in other environments too, or the YAML cannot be edited.
pub(crate) fn unblock(options: &RunOptions, asked: &str) -> Result<ChangedBlock, Failure> {
    let repository = checkout::open_tracked(options)?;
    let consumer = named(&repository, asked)?;
    let environment = environment(&repository, options)?;
    let before = repository.blocks_of(&consumer, environment.as_deref());
    let beyond = repository.blocks_beyond(&consumer, environment.as_deref());
    if let (Some(environment), false) = (&environment, beyond.is_empty()) {
        return Err(Failure::Refused(format!(
            "{} is blocked in other environments than {environment} too, by {}. Nothing was changed\nWithout -e \
             and PORTVAKT_ENV, `unblock` lifts it in all of them; to keep it in some, name those under \
             `environments` there",
            printable(&consumer.written),
            printable(&beyond.join(", "))
        )));
    }
    let edited = repository.without_blocks(&consumer, environment.as_deref()).map_err(refused)?;
    ChangedBlock::new(&repository, (consumer.written, environment), before, &edited)
}

/// The environment that is asked for; `None` for all.
fn environment(repository: &Repository, options: &RunOptions) -> Result<Option<String>, Failure> {
    let asked = options.environment.as_deref();
    let found = asked.map(|name| repository.environment_name(Some(name))).transpose();
    let found = found.map_err(Failure::usage)?;
    Ok(found.map(str::to_owned))
}

fn named(repository: &Repository, asked: &str) -> Result<NamedConsumer, Failure> {
    let mut known = KnownOrganizations::default();
    for environment in repository.environments() {
        known.declared(repository, environment);
        if let Ok(desired) = repository.desired_before(environment) {
            known.of_manifests(&desired);
        }
    }
    let numbers = known.find(asked)?;
    let listed: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    repository.named_consumer(asked, numbers).ok_or_else(|| {
        Failure::Usage(format!(
            "several organisations are called '{}': {}; name one by its number or its alias",
            printable(asked),
            listed.join(", ")
        ))
    })
}

fn refused(error: declare::CannotEdit) -> Failure {
    Failure::Refused(format!("{error}. Nothing was changed"))
}

/// The access that organisations have by the declarations, today or later, and that is blocked only before or only
/// after an edit, in one environment or in all. A block neither opens nor closes a scope that is open to all.
fn changed(before: &Repository, after: &Repository, environment: Option<&str>) -> ChangedAccess {
    let today = today();
    let mut changed = ChangedAccess::default();
    for name in before.environments().filter(|name| environment.is_none_or(|only| only == *name)) {
        let (Ok(before), Ok(after)) = (before.desired_before(name), after.desired_before(name))
        else {
            changed.unknown.push(name.to_owned());
            continue;
        };
        for (scope_name, scope) in before.scopes.iter().filter(|(_, scope)| scope.is_granted()) {
            let differs = |orgno: &Orgno| {
                let is_blocked = |desired: &Desired| desired.block(scope_name, *orgno).is_some();
                is_blocked(&before) != is_blocked(&after)
            };
            let mut accesses = scope.consumers.iter();
            if accesses.any(|(orgno, access)| {
                let is_declared = access.on(today).or_else(|| access.next_after(today)).is_some();
                is_declared && differs(orgno)
            }) {
                changed.scopes.entry(scope_name.clone()).or_default().push(name.to_owned());
            }
        }
    }
    changed
}
