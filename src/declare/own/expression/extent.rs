//! Size of values.

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
    /// Bounds of its attributes by name, and of everything else in it as [`ITEM`]. There are few, so they
    /// are searched one by one.
    pub(super) parts: Option<Arc<Vec<(String, Extent)>>>,
}

impl Extent {
    pub(super) fn of(value: &Value) -> Self {
        let mut extent = Self::scalar();
        extent.include(value);
        extent
    }

    /// Widens the bound to include a value. Returns the number of steps to copy that value.
    fn include(&mut self, value: &Value) -> u64 {
        let (weight, entries) = match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => (1, 0),
            Value::String(text) => (weight(text.len()), 0),
            Value::Array(items) => {
                let weights = items.iter().map(|item| self.part(ITEM).include(item));
                (1 + weights.sum::<u64>(), items.len())
            }
            Value::Object(fields) => {
                self.is_map = true;
                let weights = fields
                    .iter()
                    .map(|(name, value)| weight(name.len()) + self.part(name).include(value));
                (1 + weights.sum::<u64>(), fields.len())
            }
        };
        self.weight = self.weight.max(weight);
        self.entries = self.entries.max(entries as u64);
        weight
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
    pub(super) fn with_item(mut self, item: &Self) -> Self {
        self.weight = self.weight.saturating_add(item.weight);
        self.entries = self.entries.saturating_add(1);
        self.part(ITEM).widen(item);
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
        match &self.parts {
            None => self.parts.clone_from(&other.parts),
            Some(_) => other.parts().for_each(|(name, part)| self.part(name).widen(part)),
        }
    }

    fn parts(&self) -> impl Iterator<Item = &(String, Self)> {
        self.parts.iter().flat_map(|parts| parts.iter())
    }

    fn part(&mut self, name: &str) -> &mut Self {
        let parts = Arc::make_mut(self.parts.get_or_insert_default());
        let at = parts.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            parts.push((name.to_owned(), Self::scalar()));
            parts.len() - 1
        });
        &mut parts[at].1
    }

    /// The attribute of that name. A missing one is an error and costs nothing.
    pub(super) fn attribute(&self, name: &str) -> Self {
        let parts = self.parts().filter(|(part, _)| [name, ITEM].contains(&part.as_str()));
        parts.fold(Self::scalar(), |all, (_, part)| all.or(part))
    }

    /// Any of its items or entries.
    pub(super) fn any(&self) -> Self {
        self.parts().fold(Self::scalar(), |all, (_, part)| all.or(part))
    }
}

fn weight(bytes: usize) -> u64 {
    1 + (bytes / BYTES_A_STEP) as u64
}
