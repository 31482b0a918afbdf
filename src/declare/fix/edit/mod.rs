//! Edits of the YAML that commands ask for. What is declared besides, and every comment, stays.

#[cfg(test)]
mod added;
mod consumers;
#[cfg(test)]
mod generated;
mod keys;
mod nais;
#[cfg(test)]
mod tests;

pub use consumers::{ConsumerEntry, ScopeDeclaration};

use crate::declare::diagnostic::Place;
use crate::declare::repository::Repository;
use yaml::{Behind, CHANGED, Editor, Hindrance, Route};

/// A file with another text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The file, relative to the repository.
    pub file: String,
    /// What it holds then.
    pub after: String,
}

/// Why a file cannot be edited, and what to do by hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} cannot be edited: {why}. {wanted}")]
pub struct CannotEdit {
    file: String,
    why: &'static str,
    wanted: String,
}

impl CannotEdit {
    fn new(file: &str, why: Hindrance, wanted: String) -> Self {
        Self { file: file.to_owned(), why, wanted }
    }
}

/// What is set for the first time comes behind the name.
const NAME: Behind<'_> = Behind::Key("name");
/// What differs between environments is told last.
const LAST: Behind<'_> = Behind::AllBut("per_environment");

impl Repository {
    /// The file with an item whose name stands at a place, edited; `wanted` is what to do by hand where
    /// that is not possible.
    fn edit_item(
        &self,
        name: &Place,
        wanted: String,
        edit: impl FnOnce(&Route, &str) -> Result<String, Hindrance>,
    ) -> Result<Edited, CannotEdit> {
        let after = || {
            let before = self.source(&name.file).ok_or("it cannot be read any more")?;
            let item = Editor::new(&before)?.holder(name.span).ok_or(CHANGED)?;
            edit(&item, &before)
        };
        match after() {
            Ok(after) => Ok(Edited { file: name.file.to_string(), after }),
            Err(why) => Err(CannotEdit::new(&name.file, why, wanted)),
        }
    }
}
