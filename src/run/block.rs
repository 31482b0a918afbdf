//! Entries of `blocked`, written into the YAML.

use super::checkout;
use super::clock::today;
use super::failure::Failure;
use super::files::WrittenFiles;
use super::options::RunOptions;
use super::organizations::KnownOrganizations;
use crate::declare::{self, BlockEntry, Diagnostic, Edited, NamedConsumer, Repository};
use domain::text::printable;

/// An organisation that was blocked, or is no longer.
pub(crate) struct ChangedBlock {
    /// Its alias, or else its number.
    pub(crate) consumer: String,
    /// The environment in which that counts; `None` for all.
    pub(crate) environment: Option<String>,
    /// The files that were written.
    pub(crate) files: Vec<String>,
    /// The entries of `blocked` that concerned it there before, by their places.
    pub(crate) before: Vec<String>,
}

/// Adds an entry, in which the organisation is named as a person names it. The declarations need not be valid.
///
/// # Errors
/// There is no such organisation, or the YAML cannot be edited.
pub(crate) fn block(options: &RunOptions, entry: BlockEntry) -> Result<ChangedBlock, Failure> {
    let repository = load(options)?;
    let consumer = named(&repository, &entry.consumer)?;
    let environment = environment(&repository, options)?;
    let entry = BlockEntry {
        consumer: repository.in_entry(&consumer, environment.as_deref()),
        environments: environment.iter().cloned().collect(),
        ..entry
    };
    let before = repository.blocks_of(&consumer, environment.as_deref());
    let (edited, is_new) = repository.with_block(&entry).map_err(refused)?;
    if !is_new {
        check(&repository, &edited)?;
    }
    let files = write(&repository, &[edited], is_new)?;
    Ok(ChangedBlock { consumer: entry.consumer, environment, files, before })
}

/// Removes all entries of an organisation, or those of one environment.
///
/// # Errors
/// There is no such organisation, an entry counts in other environments too, or the YAML cannot be edited.
pub(crate) fn unblock(options: &RunOptions, asked: &str) -> Result<ChangedBlock, Failure> {
    let repository = load(options)?;
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
    for edited in &edited {
        check(&repository, edited)?;
    }
    let files = write(&repository, &edited, false)?;
    Ok(ChangedBlock { consumer: consumer.written, environment, files, before })
}

fn load(options: &RunOptions) -> Result<Repository, Failure> {
    let root = checkout::root(options)?;
    let index = checkout::git_index(&root)?;
    declare::load_tracked(&root, index).map_err(|found| Failure::Invalid(root, found))
}

/// The environment that is asked for; `None` for all.
fn environment(repository: &Repository, options: &RunOptions) -> Result<Option<String>, Failure> {
    let asked = options.environment.as_deref();
    let found = asked.map(|name| repository.environment_name(Some(name))).transpose();
    let found = found.map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(found.map(str::to_owned))
}

fn named(repository: &Repository, asked: &str) -> Result<NamedConsumer, Failure> {
    let mut known = KnownOrganizations::default();
    for environment in repository.environments() {
        known.declared(repository, environment);
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

/// Refuses an edit after which there would be further errors.
fn check(repository: &Repository, edited: &Edited) -> Result<(), Failure> {
    let errors = |repository: &Repository| {
        let found = repository.check(today()).into_iter();
        found.filter(Diagnostic::is_error).collect::<Vec<_>>()
    };
    let invalid = |found| Failure::Invalid(repository.root().to_owned(), found);
    let after = errors(&repository.with(edited).map_err(invalid)?);
    match after.len() > errors(repository).len() {
        true => Err(invalid(after).and("Nothing was changed")),
        false => Ok(()),
    }
}

fn write(repository: &Repository, edited: &[Edited], is_new: bool) -> Result<Vec<String>, Failure> {
    let mut written = WrittenFiles::default();
    for Edited { file, after } in edited {
        let path = repository.root().join(file);
        let result = match is_new {
            true => written.create(&path, after),
            false => written.replace(&path, after),
        };
        if let Err(failure) = result {
            return Err(written.undo(failure));
        }
    }
    Ok(edited.iter().map(|edited| edited.file.clone()).collect())
}
