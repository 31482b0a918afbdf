//! Edits of the declarations: made in memory, checked, and then written.

use std::path::Path;

use super::clock::today;
use super::failure::Failure;
use super::files::WrittenFiles;
use crate::declare::{Diagnostic, Edited, Repository};
use domain::text::printable;

/// The declarations after some edits.
///
/// # Errors
/// They have errors that they did not have before.
pub(crate) fn checked(before: &Repository, edits: &[Edited]) -> Result<Repository, Failure> {
    let [first, rest @ ..] = edits else {
        return Err(Failure::Failed("there is nothing to edit".to_owned()));
    };
    let mut after = before.with(first).map_err(|found| refused(&found))?;
    for edited in rest {
        after = after.with(edited).map_err(|found| refused(&found))?;
    }
    let errors = |repository: &Repository| {
        let found = repository.check(today()).into_iter();
        found.filter(Diagnostic::is_error).collect::<Vec<_>>()
    };
    let (old, mut new) = (errors(before), errors(&after));
    if new.len() > old.len() {
        // Lines may have moved.
        let is_same = |a: &Diagnostic, b: &Diagnostic| {
            (a.code, &a.message, &a.file) == (b.code, &b.message, &b.file)
        };
        new.retain(|error| !old.iter().any(|old| is_same(old, error)));
        return Err(refused(&new));
    }
    Ok(after)
}

/// The refusal of an edit after which the declarations have errors.
pub(crate) fn refused(found: &[Diagnostic]) -> Failure {
    let first = found.iter().find(|found| found.is_error());
    let why = first.map(|found| {
        let name = found.own_rule.as_deref().unwrap_or(found.code.code());
        format!("{}:{}: {name}: {}", found.file, found.line, found.message)
    });
    Failure::Refused(format!(
        "the edited declarations would not be valid: {}. Nothing was changed",
        why.unwrap_or_default()
    ))
}

/// Writes the edited files, all of them or none, and reports each.
///
/// # Errors
/// One cannot be written.
pub(crate) fn write(notify: &dyn Fn(&str), after: &Repository) -> Result<(), Failure> {
    let files = after.edited().iter().map(|(file, text)| (file.as_str(), text.as_str()));
    write_all(after.root(), files, |file| !after.has_file(file))?;
    for file in after.edited().keys() {
        notify(&format!("wrote {}", printable(file)));
    }
    Ok(())
}

/// Writes files, all of them or none: each by its path in the folder, with its text.
///
/// # Errors
/// One cannot be written.
pub(crate) fn write_all<'f>(
    root: &Path,
    files: impl IntoIterator<Item = (&'f str, &'f str)>,
    is_new: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    let mut written = WrittenFiles::default();
    for (file, text) in files {
        let path = root.join(file);
        let result = match is_new(file) {
            true => written.create(&path, text),
            false => written.replace(&path, text),
        };
        if let Err(failure) = result {
            return Err(written.undo(failure));
        }
    }
    Ok(())
}
