//! How large a value can be.

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::common::ast::LiteralValue;
use serde_json::Value;

/// How many bytes of a text are copied or compared in one step.
pub(super) const BYTES_A_STEP: usize = 16;

/// An upper bound of a value's size.
#[derive(Debug, Clone, Default)]
pub(super) struct Extent {
    /// The steps it takes to copy it.
    pub(super) weight: u64,
    /// The number of its items or entries.
    pub(super) entries: u64,
    pub(super) is_map: bool,
    /// Its attributes that are known by name.
    pub(super) named: Option<Arc<BTreeMap<String, Extent>>>,
    /// Any other of its items or entries.
    pub(super) item: Option<Arc<Extent>>,
}

impl Extent {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::scalar(),
            Value::String(text) => Self::text(text.len()),
            Value::Array(items) => Self::list(items.iter().map(Self::of)),
            Value::Object(entries) => {
                let entries = entries.iter();
                let named: BTreeMap<_, _> =
                    entries.map(|(name, value)| (name.clone(), Self::of(value))).collect();
                let weights = named.iter().map(|(name, value)| weight(name.len()) + value.weight);
                Self {
                    weight: 1 + weights.sum::<u64>(),
                    entries: named.len() as u64,
                    is_map: true,
                    named: Some(Arc::new(named)),
                    item: None,
                }
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
        Self { weight: 1, ..Self::default() }
    }

    fn text(bytes: usize) -> Self {
        Self { weight: weight(bytes), ..Self::default() }
    }

    pub(super) fn list(items: impl Iterator<Item = Self>) -> Self {
        let mut list = Self::scalar();
        let mut any: Option<Self> = None;
        for item in items {
            list.weight = list.weight.saturating_add(item.weight);
            list.entries += 1;
            any = Some(match any {
                None => item,
                Some(any) => any.or(&item),
            });
        }
        Self { item: any.map(Arc::new), ..list }
    }

    /// Bounds what either bounds.
    pub(super) fn or(mut self, other: &Self) -> Self {
        self.weight = self.weight.max(other.weight);
        self.entries = self.entries.max(other.entries);
        self.is_map |= other.is_map;
        self.named = match (self.named, &other.named) {
            (Some(mut ours), Some(theirs)) => {
                let all = Arc::make_mut(&mut ours);
                for (name, theirs) in theirs.iter() {
                    match all.get_mut(name) {
                        Some(ours) => *ours = std::mem::take(ours).or(theirs),
                        None => drop(all.insert(name.clone(), theirs.clone())),
                    }
                }
                Some(ours)
            }
            (ours, theirs) => ours.or_else(|| theirs.clone()),
        };
        self.item = either(self.item, other.item.clone());
        self
    }

    /// The attribute of that name. One that is not there is an error and takes nothing.
    pub(super) fn attribute(&self, name: &str) -> Self {
        let named = self.named.as_ref().and_then(|named| named.get(name)).cloned();
        let other = self.item.as_deref();
        match (named, other) {
            (Some(named), Some(other)) => named.or(other),
            (Some(only), None) => only,
            (None, other) => other.cloned().unwrap_or_else(Self::scalar),
        }
    }

    /// Any of its items or entries.
    pub(super) fn any(&self) -> Self {
        let named = self.named.iter().flat_map(|named| named.values());
        named.chain(self.item.as_deref()).fold(Self::scalar(), Self::or)
    }
}

pub(super) fn either(one: Option<Arc<Extent>>, other: Option<Arc<Extent>>) -> Option<Arc<Extent>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Arc::new(Arc::unwrap_or_clone(one).or(&other))),
        (one, other) => one.or(other),
    }
}

fn weight(bytes: usize) -> u64 {
    1 + (bytes / BYTES_A_STEP) as u64
}
