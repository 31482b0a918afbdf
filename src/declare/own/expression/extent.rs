//! Size of values.

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::common::ast::LiteralValue;
use serde_json::Value;

/// Number of bytes of a text that are copied or compared in one step.
pub(super) const BYTES_A_STEP: usize = 16;

/// The name of all parts without a name: the items of a list, and the entries of a map that an expression
/// creates.
const ITEM: &str = "";

/// An upper bound of a value's size.
#[derive(Debug, Clone)]
pub(super) struct Extent {
    /// The number of steps to copy it.
    pub(super) weight: u64,
    /// The number of its items or entries.
    pub(super) entries: u64,
    pub(super) is_map: bool,
    /// Bounds of its attributes by name, and of everything else in it as [`ITEM`].
    pub(super) parts: Option<Arc<BTreeMap<String, Extent>>>,
}

impl Extent {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::scalar(),
            Value::String(text) => Self::text(text.len()),
            Value::Array(items) => {
                items.iter().fold(Self::scalar(), |list, item| list.with_item(Self::of(item)))
            }
            Value::Object(entries) => {
                let map = Self { is_map: true, ..Self::scalar() };
                entries.iter().fold(map, |mut map, (name, value)| {
                    map.weight += weight(name.len());
                    map.with(name, Self::of(value))
                })
            }
        }
    }

    pub(super) fn of_literal(literal: &LiteralValue) -> Self {
        match literal {
            LiteralValue::String(text) => Self::text(text.inner().len()),
            LiteralValue::Bytes(bytes) => Self::text(bytes.inner().len()),
            LiteralValue::Boolean(_)
            | LiteralValue::Double(_)
            | LiteralValue::Int(_)
            | LiteralValue::Null
            | LiteralValue::UInt(_) => Self::scalar(),
        }
    }

    pub(super) fn scalar() -> Self {
        Self { weight: 1, entries: 0, is_map: false, parts: None }
    }

    fn text(bytes: usize) -> Self {
        Self { weight: weight(bytes), ..Self::scalar() }
    }

    /// A list or map with one more item.
    pub(super) fn with_item(self, item: Self) -> Self {
        self.with(ITEM, item)
    }

    fn with(mut self, name: &str, part: Self) -> Self {
        self.weight = self.weight.saturating_add(part.weight);
        self.entries = self.entries.saturating_add(1);
        self.widen_part(name, &part);
        self
    }

    /// A list of that many values, each with the items of this one: the result of a macro.
    pub(super) fn repeated(self, times: u64) -> Self {
        let weight = self.weight.saturating_mul(times).saturating_add(1);
        Self { weight, entries: times, is_map: false, parts: self.parts }
    }

    /// Both together: the result of `+` on two texts or lists.
    pub(super) fn joined(self, other: &Self) -> Self {
        let weight = self.weight.saturating_add(other.weight);
        let entries = self.entries.saturating_add(other.entries);
        Self { weight, entries, is_map: false, ..self.or(other) }
    }

    /// A bound for both.
    pub(super) fn or(mut self, other: &Self) -> Self {
        self.widen(other);
        self
    }

    fn widen(&mut self, other: &Self) {
        self.weight = self.weight.max(other.weight);
        self.entries = self.entries.max(other.entries);
        self.is_map |= other.is_map;
        for (name, part) in other.parts.iter().flat_map(|parts| parts.iter()) {
            self.widen_part(name, part);
        }
    }

    fn widen_part(&mut self, name: &str, part: &Self) {
        let parts = Arc::make_mut(self.parts.get_or_insert_default());
        match parts.get_mut(name) {
            Some(known) => known.widen(part),
            None => drop(parts.insert(name.to_owned(), part.clone())),
        }
    }

    /// The attribute of that name. A missing one is an error and costs nothing.
    pub(super) fn attribute(&self, name: &str) -> Self {
        let part = |name| self.parts.as_ref()?.get(name);
        [name, ITEM].into_iter().filter_map(part).fold(Self::scalar(), Self::or)
    }

    /// Any of its items or entries.
    pub(super) fn any(&self) -> Self {
        self.parts.iter().flat_map(|parts| parts.values()).fold(Self::scalar(), Self::or)
    }
}

fn weight(bytes: usize) -> u64 {
    1 + (bytes / BYTES_A_STEP) as u64
}
