//! Differences between live and wanted values, field by field.

use std::borrow::{Borrow, Cow};

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
pub fn changes(
    live: &Representation,
    wanted: impl IntoIterator<Item = impl Borrow<Field>>,
) -> Vec<Change> {
    let change = |field: &Field| {
        let before = normalised(live.get(field.name), &field.default);
        (before != sorted(Cow::Borrowed(&field.wanted))).then(|| Change {
            field: field.name,
            before: before.into_owned(),
            after: field.wanted.clone(),
        })
    };
    wanted.into_iter().filter_map(|field| change(field.borrow())).collect()
}

fn normalised<'v>(live: Option<&'v Value>, default: &'v Value) -> Cow<'v, Value> {
    match live {
        None | Some(Value::Null) => Cow::Borrowed(default),
        Some(plain @ (Value::Bool(_) | Value::Number(_))) => Cow::Borrowed(plain),
        Some(other) => match kept_value(other) {
            Value::String(text) if text.is_empty() => Cow::Borrowed(default),
            kept => sorted(Cow::Owned(kept)),
        },
    }
}

fn sorted(mut value: Cow<'_, Value>) -> Cow<'_, Value> {
    if value.is_array()
        && let Value::Array(items) = value.to_mut()
    {
        items.sort_by_cached_key(ToString::to_string);
        items.dedup();
    }
    value
}
