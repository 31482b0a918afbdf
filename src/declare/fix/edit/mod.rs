//! Edits of the YAML by commands. All other declarations and all comments are unchanged.

mod blocks;
mod consumers;
mod copied;
mod keys;
mod nais;
#[cfg(test)]
mod tests;
mod unused;

pub use blocks::{BlockEntry, NamedConsumer};
pub use consumers::{ConsumerEntry, ScopeDeclaration};

use crate::declare::diagnostic::Place;
use crate::declare::repository::Repository;
use yaml::{Behind, CHANGED, Editor, Hindrance, Route};

/// A file with another text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The file, relative to the repository.
    pub file: String,
    /// Its new content.
    pub after: String,
}

/// Reason why a file cannot be edited, and the manual edit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} cannot be edited: {why}. {wanted}")]
pub struct CannotEdit {
    file: String,
    why: &'static str,
    wanted: String,
}

impl CannotEdit {
    pub(crate) fn new(file: &str, why: Hindrance, wanted: String) -> Self {
        Self { file: file.to_owned(), why, wanted }
    }
}

/// A new key comes after the name.
const NAME: Behind<'_> = Behind::Key("name");
/// Differences between environments come last.
const LAST: Behind<'_> = Behind::AllBut("per_environment");

impl Repository {
    /// A file with an edit; `wanted` is the manual edit, for the case that it is not possible.
    fn edit_file(
        &self,
        file: &str,
        wanted: String,
        edit: impl FnOnce(&str) -> Result<String, Hindrance>,
    ) -> Result<Edited, CannotEdit> {
        let before = self.source(file).ok_or("it cannot be read any more");
        match before.and_then(|before| edit(&before)) {
            Ok(after) => Ok(Edited { file: file.to_owned(), after }),
            Err(why) => Err(CannotEdit::new(file, why, wanted)),
        }
    }

    /// The same for the item whose name is at a place.
    fn edit_item(
        &self,
        name: &Place,
        wanted: String,
        edit: impl FnOnce(&Route, &str) -> Result<String, Hindrance>,
    ) -> Result<Edited, CannotEdit> {
        self.edit_file(&name.file, wanted, |before| {
            let item = Editor::new(before)?.holder(name.span).ok_or(CHANGED)?;
            edit(&item, before)
        })
    }
}
