//! Plans, reports and lists as documents: the JSON that is printed and saved, and the source of text and
//! markdown. Format version 1; the schemas are in `schema/`. Fields are added; none is removed or changes its
//! meaning without a new version.

mod access;
mod action;
mod digest;
mod keys;
mod plan;
mod report;
mod requests;
mod review;
mod scheduled;
mod stale;
mod unmanaged;

use schemars::JsonSchema;
use serde_json::Value;

pub use access::{
    Access, AccessDocument, AccessSide, AccessSource, ClientKeyDocument, ConsumedAccess,
    ConsumedBy, ConsumingClient, EntityState, GrantState, OpenTo, ReachableScope,
};
pub use action::{ActionDocument, BlameDocument, ChangeDocument, ConsumerDocument, SourceDocument};
pub use keys::{KeyDocument, KeyState, KeysDocument};
pub use plan::{
    AppliedDocument, BlockedDocument, CommitDocument, NoticeDocument, PlanDocument,
    RepositoryDocument, Summary,
};
pub use report::{ActionOutcome, Ending, ReportDocument, ReportedAction};
pub use requests::{AccessRequest, LaterEntry, RequestBlock, RequestsDocument};
pub use review::ReviewDocument;
pub use scheduled::ScheduledDocument;
pub use stale::moved;
pub use unmanaged::{Age, Coverage, Owner, UnmanagedClient, UnmanagedDocument, UnmanagedScope};

/// The version of the format.
pub const FORMAT_VERSION: u8 = 1;

/// The JSON Schema of a document.
pub fn schema<D: JsonSchema>() -> Value {
    schemars::schema_for!(D).to_value()
}

/// Whether a saved text is a report, and not a plan.
pub fn is_report(json: &str) -> bool {
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    value.get("report").is_some()
}

/// Refuses another version of the format; `what` is the word for the kind of document.
fn check_version(what: &str, version: u64) -> Result<(), String> {
    if version == u64::from(FORMAT_VERSION) {
        return Ok(());
    }
    Err(format!(
        "it is a {what} of format version {version}, and this program reads version {FORMAT_VERSION}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_reported_alike_for_plans_and_reports() {
        let unreadable = |json: &str| PlanDocument::read(json).unwrap_err();
        assert_eq!(
            unreadable("{"),
            "it is no JSON: EOF while parsing an object at line 1 column 1"
        );
        assert_eq!(unreadable("[1]"), "it is not a plan: it has no format_version");
        let wrong = "{ \"format_version\": 1, \"environment\": 7 }";
        let why = "it is not a plan: environment: invalid type: integer `7`, expected a string";
        assert_eq!(unreadable(wrong), why);
        let other = "of format version 2, and this program reads version 1";
        assert_eq!(unreadable("{ \"format_version\": 2 }"), format!("it is a plan {other}"));
        let saved = include_str!("../../../../tests/documents/done-report.json");
        let later = saved.replace("\"format_version\": 1", "\"format_version\": 2");
        let why = ReportDocument::read(&later).unwrap_err();
        assert_eq!(why, format!("it is a report {other}"));
        assert!(
            ReportDocument::read("{}")
                .unwrap_err()
                .starts_with("it is not a report: missing field")
        );
    }
}
