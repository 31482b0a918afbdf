//! End of a command.

use std::path::Path;
use std::process::ExitCode;

use super::{log, sink};
use crate::advice::advised;
use crate::declare::{Diagnostic, joined};
use crate::history::{self, Holder};
use crate::render::diagnostics::{Sources, text};
pub(super) use crate::run::Failure;
use domain::text::json;

/// The exit codes, a public interface.
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

/// Reports on stderr why a command failed; returns the exit code.
pub(super) fn report(failure: &Failure, format: log::Format) -> Exit {
    match failure {
        Failure::Invalid(root, found) => report_diagnostics(format, root, found),
        Failure::With(failure, line) if matches!(**failure, Failure::Invalid(..)) => {
            report(failure, format);
            report_error(format, line, exit(failure));
        }
        failure => report_error(format, &words(failure), exit(failure)),
    }
    exit(failure)
}

fn exit(failure: &Failure) -> Exit {
    match failure {
        Failure::Invalid(..) => Exit::Invalid,
        Failure::Usage(_) => Exit::Usage,
        Failure::Refused(_) => Exit::Refused,
        Failure::NotLocked(history::Error::Locked(_)) | Failure::FormerLocked(_) => Exit::Locked,
        Failure::Failed(_) | Failure::Call(_) | Failure::Git(_) | Failure::NotLocked(_) => {
            Exit::Failed
        }
        Failure::With(failure, _) => exit(failure),
        Failure::Interrupted | Failure::InterruptedAfter(_) => Exit::Interrupted,
    }
}

/// The text of a failure, except diagnostics.
pub(super) fn words(failure: &Failure) -> String {
    match failure {
        // Diagnostics are reported one by one.
        Failure::Invalid(..) => String::new(),
        Failure::Usage(why) | Failure::Refused(why) | Failure::Failed(why) => why.clone(),
        Failure::Call(error) => advised(error),
        Failure::Git(error) => error.to_string(),
        Failure::NotLocked(error) => match error {
            history::Error::Locked(holder) => match **holder {
                Holder::Named(_) => format!(
                    "{error}\nWait until it ends. If that apply is surely dead, `portvakt unlock` breaks \
                     the lock"
                ),
                Holder::Unknown(_) => format!(
                    "{error}\nIt does not end by itself. If no apply is under way, `portvakt unlock` breaks \
                     the lock"
                ),
            },
            history::Error::Program { .. } => format!(
                "{error}\nThe lock is a ref on the remote, so an apply must be able to push there; \
                 nothing was changed"
            ),
            other => other.to_string(),
        },
        Failure::FormerLocked(error) => format!(
            "{error}\nThat is the lock of what is to be taken over: wait until it ends. Nothing was changed"
        ),
        Failure::With(failure, line) => format!("{}\n{line}", words(failure)),
        Failure::Interrupted => "interrupted; nothing was changed".to_owned(),
        Failure::InterruptedAfter(changed) => format!("interrupted; {changed}"),
    }
}

fn report_error(format: log::Format, why: &str, exit: Exit) {
    if format == log::Format::Json {
        let error = serde_json::json!({ "level": "ERROR", "message": why, "exit": exit as u8 });
        sink::report(&(json::line(&error) + "\n"));
    } else {
        sink::report_error(why);
    }
}

/// Reports diagnostics on stderr, if there are any.
pub(super) fn report_diagnostics(format: log::Format, root: &Path, diagnostics: &[Diagnostic]) {
    if diagnostics.is_empty() {
        return;
    }
    let diagnostics = &joined(diagnostics);
    match format {
        log::Format::Text => {
            sink::report(&text(diagnostics, &mut Sources::new(root)));
        }
        log::Format::Json => {
            for diagnostic in diagnostics {
                sink::report(&(json::line(diagnostic) + "\n"));
            }
        }
    }
}
