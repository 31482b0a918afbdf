//! Failures of use cases.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use crate::declare::{Diagnostic, Invalid};
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

    /// Wrong usage, by a text or another error.
    pub(crate) fn usage(why: impl Display) -> Self {
        Self::Usage(why.to_string())
    }

    /// A refusal, by a text.
    pub(crate) fn refused(why: impl Display) -> Self {
        Self::Refused(why.to_string())
    }

    /// A failure, by a text or another error.
    pub(crate) fn failed(why: impl Display) -> Self {
        Self::Failed(why.to_string())
    }

    /// The reason why the declarations of the repository in a folder cannot be used.
    pub(crate) fn invalid(root: &Path, why: Invalid) -> Self {
        match why {
            Invalid::Environment(error) => Self::usage(error),
            Invalid::Declarations(found) => Self::Invalid(root.to_owned(), found),
        }
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
