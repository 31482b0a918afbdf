//! Differences between live and wanted values, field by field.

use serde::Serialize;
use serde_json::{Map, Value};

use super::plain::kept_value;

/// An entity's representation as the API sends it, fields that this program does not know included.
pub type Representation = Map<String, Value>;

/// A field and its wanted value.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// DigDir's name for it.
    pub name: &'static str,
    /// The value; `null` for none.
    pub wanted: Value,
    /// The value that DigDir assumes for an absent field.
    pub default: Value,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// DigDir's name for the attribute.
    pub field: &'static str,
    /// Live value; `null` where it is not set.
    pub before: Value,
    /// Declared value.
    pub after: Value,
}

/// Fields in which a live representation differs from the wanted values. A field that is absent or `null`
/// live counts as its default. The order of a list is ignored, as are white space at the ends of a text and
/// the Unicode composition of its letters.
pub fn changes(live: &Representation, wanted: impl IntoIterator<Item = Field>) -> Vec<Change> {
    wanted
        .into_iter()
        .filter_map(|Field { name, wanted, default }| {
            let before = normalised(live.get(name), default);
            (before != sorted(&wanted)).then_some(Change { field: name, before, after: wanted })
        })
        .collect()
}

fn normalised(live: Option<&Value>, default: Value) -> Value {
    match live {
        None | Some(Value::Null) => default,
        Some(other) => match kept_value(other) {
            Value::String(text) if text.is_empty() => default,
            kept => sorted(&kept),
        },
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items = items.clone();
            items.sort_by_key(ToString::to_string);
            items.dedup();
            Value::Array(items)
        }
        other => other.clone(),
    }
}
