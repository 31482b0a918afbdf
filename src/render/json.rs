//! A plan as JSON.

use serde_json::Value;

use super::document::{ActionDocument, FORMAT_VERSION, PlanDocument};
use domain::text::json::pretty;

/// A plan as JSON, indented, with a line break at the end.
pub fn plan(plan: &PlanDocument) -> String {
    pretty(plan)
}

/// Reads what [`plan`] has written.
///
/// # Errors
/// Why it cannot be read, as a sentence.
pub fn read(json: &str) -> Result<PlanDocument, String> {
    let value: Value =
        serde_json::from_str(json).map_err(|error| format!("it is no JSON: {error}"))?;
    match value.get("format_version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(FORMAT_VERSION) => {
            let mut plan: PlanDocument = serde_path_to_error::deserialize(value)
                .map_err(|error| format!("it is no plan: {error}"))?;
            // A saved plan shows the danger that it has, not the one that was written into it.
            plan.actions = plan.actions.into_iter().map(ActionDocument::judged).collect();
            Ok(plan)
        }
        Some(version) => Err(format!(
            "it is a plan of format version {version}, and this program reads version {FORMAT_VERSION}"
        )),
        None => Err("it is no plan: it has no format_version".to_owned()),
    }
}

/// The JSON Schema of [`plan`]'s result.
pub fn schema() -> Value {
    schemars::schema_for!(PlanDocument).to_value()
}
