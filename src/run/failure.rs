//! Why a use case could not do its work.

use std::path::PathBuf;

use crate::declare::Diagnostic;
use crate::history;

/// Why a use case could not do its work. Who runs it chooses the words for what is not a text yet, and the
/// exit code.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What is wrong with the declarations of the repository in this folder.
    Invalid(PathBuf, Vec<Diagnostic>),
    /// Wrong usage.
    Usage(String),
    /// It may not be done.
    Refused(String),
    /// It could not be done.
    Failed(String),
    /// A call of the API or of Maskinporten failed.
    Call(digdir::Error),
    /// Git failed.
    Git(history::Error),
    /// The lock was not taken.
    NotLocked(history::Error),
    /// Somebody has the lock of the place that is taken over.
    FormerLocked(history::Error),
    /// A failure, and what else there is to say of it.
    With(Box<Failure>, String),
    /// A signal came.
    Interrupted,
}

impl Failure {
    /// The same with a line more.
    #[must_use]
    pub(crate) fn and(self, line: &str) -> Self {
        Self::With(Box::new(self), line.to_owned())
    }

    /// It could not be done, as another error says.
    pub(crate) fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<digdir::Error> for Failure {
    fn from(error: digdir::Error) -> Self {
        Self::Call(error)
    }
}

impl From<history::Error> for Failure {
    fn from(error: history::Error) -> Self {
        Self::Git(error)
    }
}
