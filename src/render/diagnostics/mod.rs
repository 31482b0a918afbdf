//! Diagnostics about the YAML: as text with the lines they are about, as JSON, as SARIF, and as
//! commands to GitHub's runner.

mod excerpt;
mod github;
mod json;
mod sarif;
mod secrets;
mod sources;
#[cfg(test)]
mod tests;
mod text;

pub use github::github;
pub use json::{json, json_schema};
pub use sarif::sarif;
pub(super) use sources::SourceLines;
pub use sources::Sources;
pub(super) use text::sum;
pub use text::text;

use crate::declare::Severity;

/// The word for a severity, in every format.
pub(super) fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}
