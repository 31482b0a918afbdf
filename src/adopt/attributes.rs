//! Attributes that a declaration must set to equal the live state: the reverse of an update.

use std::collections::BTreeMap;

use serde_json::Value;

use domain::{Attribute, CLIENT, Change, Field, Representation, ValueType, changes};
use yaml::YamlEntries;

/// Attributes that a declaration sets, and those that differ in some of its sides.
#[derive(Default)]
pub(super) struct ExplicitAttributes {
    pub(super) base: Representation,
    pub(super) own: BTreeMap<usize, Representation>,
}

/// The attributes of the declared kind.
pub(super) struct Attributes<'t> {
    pub(super) table: &'t [&'static Attribute],
    /// Those from which the defaults of others follow.
    pub(super) drivers: &'t [&'static Attribute],
    /// Resolves layers of set attributes, the decisive one first, into wanted fields; `None` where one cannot
    /// be declared.
    pub(super) resolve: &'t dyn Fn(&[&Representation]) -> Option<Vec<Field>>,
}

impl Attributes<'_> {
    /// The attributes that differ between the live state and a declaration that sets those `above` it. The
    /// drivers come first: the defaults of others follow from them.
    pub(super) fn differing(
        &self,
        live: &Representation,
        above: &[&Representation],
    ) -> Representation {
        let is_driver = |field| self.drivers.iter().any(|driver| driver.name == field);
        let mut own = Representation::new();
        for is_first in [true, false] {
            let layers: Vec<_> = [&own].into_iter().chain(above.iter().copied()).collect();
            let Some(wanted) = (self.resolve)(&layers) else { break };
            let differs = changes(live, wanted).into_iter();
            let kept: Vec<_> = differs
                .filter(|change| change.field != CLIENT.integration_type.name)
                .filter(|change| !is_first || is_driver(change.field))
                .filter_map(|change| {
                    let attribute = self.table.iter().find(|it| it.name == change.field)?;
                    Some((change.field.to_owned(), writable(attribute, change)?))
                })
                .collect();
            own.extend(kept);
        }
        own
    }

    /// The attributes that a declaration has only by the defaults that `is_default` selects, to be set in it
    /// explicitly.
    pub(super) fn explicit(
        &self,
        declared: &Representation,
        is_default: impl Fn(&str) -> bool,
    ) -> Representation {
        let wanted = (self.resolve)(&[declared]).unwrap_or_default().into_iter();
        let silent = wanted.filter(|it| is_default(it.name) && !declared.contains_key(it.name));
        silent
            .map(|Field { name, wanted, default: _ }| {
                let value = if wanted.is_null() { "".into() } else { wanted };
                (name.to_owned(), value)
            })
            .collect()
    }
}

/// The value to declare for an attribute; `None` where no declaration can unset it.
fn writable(attribute: &Attribute, Change { before, .. }: Change) -> Option<Value> {
    match (before, attribute.value_type) {
        (Value::Null, ValueType::Text) => Some("".into()),
        (Value::Null, ValueType::List(_)) => Some(Value::Array(Vec::new())),
        (Value::Null, _) => None,
        (before, _) => Some(before),
    }
}

/// Attributes as the entries of a mapping, in the order of `names`; others after those.
pub(super) fn entries(explicit_attributes: &Representation, names: &[&str]) -> YamlEntries {
    let known = names.iter().filter_map(|name| explicit_attributes.get_key_value(*name));
    let others = explicit_attributes.iter().filter(|(name, _)| !names.contains(&name.as_str()));
    known.chain(others).map(|(name, value)| (name.clone(), value.into())).collect()
}

/// The common value of all sides, and the differing values of some.
pub(super) struct Differing<T> {
    pub(super) base: Option<T>,
    pub(super) own: BTreeMap<usize, T>,
}

impl<T: PartialEq + Clone> Differing<T> {
    /// `values` are those of the sides to describe, of that many in all; a value that equals `nothing` is
    /// left out unless another side differs.
    pub(super) fn new(
        values: impl IntoIterator<Item = (usize, T)>,
        sides: usize,
        nothing: T,
    ) -> Self {
        let mut values: BTreeMap<usize, T> = values.into_iter().collect();
        if values.values().all(|value| *value == nothing) {
            return Self { base: None, own: BTreeMap::new() };
        }
        // A value above the sides would also apply to the sides that are to stay as they are.
        let first = values.values().next().cloned().filter(|_| values.len() == sides);
        let base = first.filter(|first| *first != nothing);
        match &base {
            Some(base) => values.retain(|_, value| value != base),
            None => values.retain(|_, value| *value != nothing),
        }
        Self { base, own: values }
    }

    pub(super) fn map<U>(&self, change: impl Fn(&T) -> U) -> Differing<U> {
        Differing {
            base: self.base.as_ref().map(&change),
            own: self.own.iter().map(|(side, value)| (*side, change(value))).collect(),
        }
    }
}
