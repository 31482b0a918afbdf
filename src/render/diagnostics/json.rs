//! Diagnostics as JSON, as [`Diagnostic`] itself is serialised. Its schema stands in
//! `schema/diagnostics.schema.json`; fields are added, never taken away or given another meaning.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::word;
use crate::declare::{Diagnostic, Related};
use crate::text::escaped_json;

/// Diagnostics as a JSON array, indented, with a line break at the end.
pub fn json(diagnostics: &[Diagnostic]) -> String {
    let documents: Vec<_> = diagnostics.iter().map(DiagnosticDocument::new).collect();
    // Serialising plain data with string keys does not fail.
    escaped_json(&serde_json::to_string_pretty(&documents).unwrap_or_default()) + "\n"
}

/// The JSON Schema of [`json`]'s result.
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(Vec<DiagnosticDocument<'_>>);
    schema.insert("title".into(), "portvakt diagnostics".into());
    schema.insert("description".into(), "What `portvakt validate` finds, sorted by place.".into());
    schema.to_value()
}

/// One finding. Lines and columns start at 1, columns count characters.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Diagnostic")]
struct DiagnosticDocument<'a> {
    /// The kind of finding; `portvakt explain` tells what it means.
    #[schemars(pattern(r"^PV[0-9]{3}$"))]
    code: &'a str,
    /// An error keeps everything from being planned or applied.
    #[schemars(extend("enum" = ["error", "warning", "note"]))]
    severity: &'a str,
    /// What is wrong.
    message: &'a str,
    /// The file, relative to the repository, with `/` between its parts.
    file: &'a str,
    /// Where it begins.
    #[schemars(range(min = 1))]
    line: usize,
    /// Where it begins.
    #[schemars(range(min = 1))]
    column: usize,
    /// Where it ends.
    #[schemars(range(min = 1))]
    end_line: usize,
    /// The first column behind its end.
    #[schemars(range(min = 1))]
    end_column: usize,
    /// What to do now.
    help: Option<&'a str>,
    /// Other places that have to do with it.
    related: Vec<RelatedDocument<'a>>,
}

/// Another place that has to do with a finding.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Related")]
struct RelatedDocument<'a> {
    /// What is there.
    message: &'a str,
    /// The file, relative to the repository.
    file: &'a str,
    #[schemars(range(min = 1))]
    line: usize,
    #[schemars(range(min = 1))]
    column: usize,
}

impl<'a> DiagnosticDocument<'a> {
    fn new(diagnostic: &'a Diagnostic) -> Self {
        let Diagnostic {
            code,
            severity,
            message,
            file,
            line,
            column,
            end_line,
            end_column,
            help,
            related,
            own_rule: _,
            fix: _,
        } = diagnostic;
        Self {
            code: code.code(),
            severity: word(*severity),
            message,
            file,
            line: *line,
            column: *column,
            end_line: *end_line,
            end_column: *end_column,
            help: help.as_deref(),
            related: related.iter().map(RelatedDocument::new).collect(),
        }
    }
}

impl<'a> RelatedDocument<'a> {
    fn new(Related { message, file, line, column }: &'a Related) -> Self {
        Self { message, file, line: *line, column: *column }
    }
}
