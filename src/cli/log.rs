//! Messages on stderr other than errors.

use std::path::Path;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::global::Global;
use super::sink;
use crate::history;
use crate::run::files::shown;
use domain::text::json;

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Writes a line that is neither an error nor an event.
pub(super) fn line(format: Format, text: &str) {
    match format {
        Format::Text => sink::report(&format!("{text}\n")),
        Format::Json => {
            let line = json::line(&serde_json::json!({ "level": "INFO", "message": text }));
            sink::report(&(line + "\n"));
        }
    }
}

/// Reports the result of a command, unless `--quiet` is set.
pub(super) fn report(global: &Global, text: &str) {
    if !global.quiet {
        line(global.log_format, text);
    }
}

/// Reports that a file was written.
pub(super) fn wrote(global: &Global, path: &Path) {
    report(global, &format!("wrote {}", shown(path)));
}

/// Warns where a private file could be committed.
pub(super) fn warn_of_git(global: &Global, path: &Path) {
    if history::would_be_committed(path) {
        let path = shown(path);
        report(
            global,
            &format!(
                "warning: {path} lies in a git work tree and is not ignored: see that it is never \
                 committed"
            ),
        );
    }
}

/// The targets of this program's own events: a target is matched by its beginning, and foreign ones also
/// begin with `http`.
const OWN: [&str; 4] = ["portvakt", "digdir", "http::", "sandbox"];

/// Sends this program's own events to stderr. Those of libraries are dropped: some would show headers, and
/// with them the token.
pub(super) fn start(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, 2) => "debug",
        (false, _) => "trace",
    };
    let own = OWN.map(|target| format!("{target}={level}")).join(",");
    let format = global.log_format;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("off,{own}")))
        .with_writer(move || sink::Event(format))
        .with_target(false)
        .with_ansi(false);
    match format {
        Format::Text => subscriber.without_time().init(),
        Format::Json => subscriber.json().init(),
    }
}
