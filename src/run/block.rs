//! Entries of `blocked`, written into the YAML.

use super::checkout;
use super::clock::today;
use super::failure::Failure;
use super::files::WrittenFiles;
use super::options::RunOptions;
use crate::declare::{
    self, BlockEntry, Diagnostic, Edited, NamedConsumer, Repository, did_you_mean,
};
use domain::text::printable;

/// An organisation that was blocked, or is no longer.
pub(crate) struct ChangedBlock {
    /// Its alias, or else its number.
    pub(crate) consumer: String,
    /// The files that were written.
    pub(crate) files: Vec<String>,
    /// The entries of `blocked` that concerned it before, by their places.
    pub(crate) before: Vec<String>,
}

/// Adds an entry, in which the organisation is named as a person names it. The declarations need not be valid.
///
/// # Errors
/// There is no such organisation, or the YAML cannot be edited.
pub(crate) fn block(options: &RunOptions, entry: BlockEntry) -> Result<ChangedBlock, Failure> {
    let repository = load(options)?;
    let consumer = named(&repository, &entry.consumer)?;
    let environment = options.environment.as_deref();
    let environment = environment.map(|name| repository.environment_name(Some(name)));
    let environment = environment.transpose().map_err(|error| Failure::Usage(error.to_string()))?;
    let entry = BlockEntry {
        consumer: consumer.written.clone(),
        environments: environment.into_iter().map(str::to_owned).collect(),
        ..entry
    };
    let before = repository.blocks_of(&consumer);
    let (edited, is_new) = repository.with_block(&entry).map_err(refused)?;
    if !is_new {
        check(&repository, &edited)?;
    }
    let files = write(&repository, &[edited], is_new)?;
    Ok(ChangedBlock { consumer: consumer.written, files, before })
}

/// Removes all entries of an organisation.
///
/// # Errors
/// There is no such organisation, or the YAML cannot be edited.
pub(crate) fn unblock(options: &RunOptions, asked: &str) -> Result<ChangedBlock, Failure> {
    let repository = load(options)?;
    let consumer = named(&repository, asked)?;
    let before = repository.blocks_of(&consumer);
    let edited = repository.without_blocks(&consumer).map_err(refused)?;
    for edited in &edited {
        check(&repository, edited)?;
    }
    let files = write(&repository, &edited, false)?;
    Ok(ChangedBlock { consumer: consumer.written, files, before })
}

fn load(options: &RunOptions) -> Result<Repository, Failure> {
    let root = checkout::root(options)?;
    let index = checkout::git_index(&root)?;
    declare::load_tracked(&root, index).map_err(|found| Failure::Invalid(root, found))
}

fn named(repository: &Repository, asked: &str) -> Result<NamedConsumer, Failure> {
    repository.named_consumer(asked).ok_or_else(|| {
        let hint = did_you_mean(asked, repository.consumer_names());
        Failure::Usage(format!(
            "no organisation is called '{}'; {hint}name it by its number, its alias or its name",
            printable(asked)
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
