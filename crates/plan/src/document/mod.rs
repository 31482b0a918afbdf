//! Plans, reports and lists as documents: what is printed and saved as JSON, and what text and markdown are
//! made of. Format version 1; the schemas are in `schema/`. Fields are added, never taken away or given
//! another meaning, without a new version.

mod action;
mod digest;
mod plan;
mod report;

use schemars::JsonSchema;
use serde_json::Value;

pub use action::{ActionDocument, BlameDocument, ChangeDocument, ConsumerDocument, SourceDocument};
pub use plan::{
    AppliedDocument, BlockedDocument, CommitDocument, NoticeDocument, PlanDocument,
    RepositoryDocument, Summary,
};
pub use report::{ActionOutcome, Ending, ReportDocument, ReportedAction};

/// The version of the format.
pub const FORMAT_VERSION: u8 = 1;

/// The JSON Schema of a document.
pub fn schema<D: JsonSchema>() -> Value {
    schemars::schema_for!(D).to_value()
}

/// Whether a saved text is rather a report than a plan.
pub fn is_report(json: &str) -> bool {
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    value.get("report").is_some()
}

/// Refuses what is of another version of the format; `what` is the word for its kind.
fn check_version(what: &str, version: u64) -> Result<(), String> {
    if version == u64::from(FORMAT_VERSION) {
        return Ok(());
    }
    Err(format!(
        "it is a {what} of format version {version}, and this program reads version {FORMAT_VERSION}"
    ))
}
