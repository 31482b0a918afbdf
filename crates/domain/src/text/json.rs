//! JSON as it is printed and saved: no text in it controls a terminal, or is a command to a CI runner that
//! prints the file later.
#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use serde::Serialize;
use serde_json::Value;

use super::{escaped_json, printable};

/// A value as JSON, indented, with a line break at the end.
pub fn pretty(value: &(impl Serialize + ?Sized)) -> String {
    // Serialising plain data with string keys does not fail.
    escaped_json(&serde_json::to_string_pretty(value).unwrap_or_default()) + "\n"
}

/// A value as JSON on one line, without a line break.
pub fn line(value: &(impl Serialize + ?Sized)) -> String {
    // Serialising plain data with string keys does not fail.
    escaped_json(&serde_json::to_string(value).unwrap_or_default())
}

/// A value as it would be written in YAML; `none` where there is none.
pub fn value(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        other => printable(&other.to_string()).into_owned(),
    }
}
