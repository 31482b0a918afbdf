//! Diagnostics as JSON, as [`Diagnostic`] itself is serialised. Its schema is in
//! `schema/diagnostics.schema.json`; fields are added; none is removed or changes its meaning.

use serde_json::Value;

use crate::declare::Diagnostic;
use domain::text::json::pretty;

/// Diagnostics as a JSON array, indented, with a line break at the end.
pub fn json(diagnostics: &[Diagnostic]) -> String {
    pretty(diagnostics)
}

/// The JSON Schema of [`json`]'s result.
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(Vec<Diagnostic>);
    schema.insert("title".into(), "portvakt diagnostics".into());
    schema.insert("description".into(), "What `portvakt validate` finds, sorted by place.".into());
    schema.to_value()
}
