//! Failures of use cases.

use std::path::PathBuf;

use crate::declare::Diagnostic;
use crate::history;

/// Failure of a use case. The caller words it where it is not a text, and chooses the exit code.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The declarations of the repository in this folder are invalid.
    Invalid(PathBuf, Vec<Diagnostic>),
    /// Wrong usage.
    Usage(String),
    /// It is not allowed.
    Refused(String),
    /// It could not be done.
    Failed(String),
    /// A call of the API or of Maskinporten failed.
    Call(digdir::Error),
    /// Git failed.
    Git(history::Error),
    /// The lock was not taken.
    NotLocked(history::Error),
    /// Somebody has the lock of the place that is to be taken over.
    FormerLocked(history::Error),
    /// A failure with an additional line.
    With(Box<Failure>, String),
    /// A signal came before anything was changed.
    Interrupted,
    /// A signal came, and the changes before it.
    InterruptedAfter(String),
}

impl Failure {
    /// The same with one more line.
    #[must_use]
    pub(crate) fn and(self, line: &str) -> Self {
        Self::With(Box::new(self), line.to_owned())
    }

    /// A failure with the message of another error.
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
