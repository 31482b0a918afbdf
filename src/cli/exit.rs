//! How a command ends.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{log, sink};
use crate::declare::Diagnostic;
use crate::render::diagnostics::{Sources, text};
use domain::text::json;

/// The exit codes: relied on from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// All was done.
    Done = 0,
    /// Something failed before anything was changed.
    Failed = 1,
    /// There are changes to apply.
    Pending = 2,
    /// The declarations are invalid.
    Invalid = 3,
    /// A guard's limit, or no approval: nothing was changed.
    Refused = 4,
    /// Somebody else has the lock: nothing was changed.
    Locked = 5,
    /// An action failed or is blocked.
    Partial = 6,
    /// Wrong usage.
    Usage = 64,
    /// A signal came.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(super) enum Failure {
    /// What is wrong with the declarations of the repository in this folder.
    Invalid(PathBuf, Vec<Diagnostic>),
    /// Wrong usage.
    Usage(String),
    /// It may not be done.
    Refused(String),
    /// Somebody else has the lock.
    Locked(String),
    /// It could not be done.
    Failed(String),
    /// A signal came.
    Interrupted,
}

impl Failure {
    /// Tells it on stderr; gives the exit code.
    pub(super) fn tell(&self, format: log::Format) -> Exit {
        match self {
            Self::Invalid(root, diagnostics) => {
                tell_diagnostics(format, root, diagnostics);
                Exit::Invalid
            }
            Self::Usage(why) => tell_error(format, why, Exit::Usage),
            Self::Refused(why) => tell_error(format, why, Exit::Refused),
            Self::Locked(why) => tell_error(format, why, Exit::Locked),
            Self::Failed(why) => tell_error(format, why, Exit::Failed),
            Self::Interrupted => {
                tell_error(format, "interrupted; nothing was changed", Exit::Interrupted)
            }
        }
    }
}

impl Failure {
    /// Whether a text is part of why.
    pub(super) fn says(&self, text: &str) -> bool {
        match self {
            Self::Usage(why) | Self::Refused(why) | Self::Locked(why) | Self::Failed(why) => {
                why.contains(text)
            }
            Self::Invalid(..) | Self::Interrupted => false,
        }
    }

    /// The same with a line more.
    pub(super) fn and(self, line: &str) -> Self {
        let more = |why: String| format!("{why}\n{line}");
        match self {
            Self::Usage(why) => Self::Usage(more(why)),
            Self::Refused(why) => Self::Refused(more(why)),
            Self::Locked(why) => Self::Locked(more(why)),
            Self::Failed(why) => Self::Failed(more(why)),
            Self::Invalid(..) | Self::Interrupted => self,
        }
    }
}

fn tell_error(format: log::Format, why: &str, exit: Exit) -> Exit {
    if format == log::Format::Json {
        let error = serde_json::json!({ "level": "ERROR", "message": why, "exit": exit as u8 });
        sink::tell(&(json::line(&error) + "\n"));
    } else {
        sink::tell_error(why);
    }
    exit
}

/// Tells diagnostics on stderr, if there are any.
pub(super) fn tell_diagnostics(format: log::Format, root: &Path, diagnostics: &[Diagnostic]) {
    if diagnostics.is_empty() {
        return;
    }
    match format {
        log::Format::Text => {
            sink::tell(&text(diagnostics, &mut Sources::new(root)));
        }
        log::Format::Json => {
            for diagnostic in diagnostics {
                sink::tell(&(json::line(diagnostic) + "\n"));
            }
        }
    }
}
