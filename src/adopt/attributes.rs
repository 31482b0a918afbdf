//! Which attributes a declaration must give so that it says what is live: an update, in reverse.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::yaml::YamlEntries;
use domain::{Attribute, CLIENT, Change, Field, Representation, ValueType, changes};

/// What a declaration gives, and what is different in some of its sides.
#[derive(Default)]
pub(super) struct GivenAttributes {
    pub(super) base: Representation,
    pub(super) own: BTreeMap<usize, Representation>,
}

/// The attributes of what is declared, and those from which the defaults of others follow.
pub(super) struct Attributes<'t> {
    pub(super) table: &'t [&'static Attribute],
    pub(super) drivers: &'t [&'static Attribute],
}

/// How layers of given attributes, what decides first, become wanted fields; `None` where one cannot
/// be declared.
pub(super) type Resolve<'r> = &'r dyn Fn(&[&Representation]) -> Option<Vec<Field>>;

/// The attributes that differ between what is live and what a declaration says that gives those
/// `above` it. The drivers come first: the defaults of others follow from them.
pub(super) fn differing(
    live: &Representation,
    above: &[&Representation],
    attributes: &Attributes<'_>,
    resolve: Resolve<'_>,
) -> Representation {
    let is_driver = |field| attributes.drivers.iter().any(|driver| driver.name == field);
    let mut own = Representation::new();
    for is_first in [true, false] {
        let layers: Vec<_> = [&own].into_iter().chain(above.iter().copied()).collect();
        let Some(wanted) = resolve(&layers) else { break };
        let differs = changes(live, wanted).into_iter();
        let kept: Vec<_> = differs
            .filter(|change| change.field != CLIENT.integration_type.name)
            .filter(|change| !is_first || is_driver(change.field))
            .filter_map(|change| {
                let attribute = attributes.table.iter().find(|it| it.name == change.field)?;
                Some((change.field.to_owned(), writable(attribute, change)?))
            })
            .collect();
        own.extend(kept);
    }
    own
}

/// What of the attributes that `is_default` names a declaration says by default alone, to be said in it.
pub(super) fn explicit(
    given: &Representation,
    is_default: impl Fn(&str) -> bool,
    resolve: Resolve<'_>,
) -> Representation {
    let wanted = resolve(&[given]).unwrap_or_default();
    let silent = wanted
        .into_iter()
        .filter(|field| is_default(field.name) && !given.contains_key(field.name));
    silent
        .map(|Field { name, wanted, default: _ }| {
            let value = if wanted.is_null() { "".into() } else { wanted };
            (name.to_owned(), value)
        })
        .collect()
}

/// What a declaration writes for it; `None` where none can say that it is not set.
fn writable(attribute: &Attribute, Change { before, .. }: Change) -> Option<Value> {
    match (before, attribute.value_type) {
        (Value::Null, ValueType::Text) => Some("".into()),
        (Value::Null, ValueType::List(_)) => Some(Value::Array(Vec::new())),
        (Value::Null, _) => None,
        (before, _) => Some(before),
    }
}

/// Attributes as the entries of a mapping, in the order of `names`; others behind those.
pub(super) fn entries(given: &Representation, names: &[&str]) -> YamlEntries {
    let known = names.iter().filter_map(|name| given.get_key_value(*name));
    let others = given.iter().filter(|(name, _)| !names.contains(&name.as_str()));
    known.chain(others).map(|(name, value)| (name.clone(), value.into())).collect()
}

/// What is the same in all sides, and what some have of their own.
pub(super) struct Differing<T> {
    pub(super) base: Option<T>,
    pub(super) own: BTreeMap<usize, T>,
}

impl<T: PartialEq + Clone> Differing<T> {
    /// `values` are those of the sides that are to be told, of so many in all; what is `nothing`
    /// needs not be said where no other is.
    pub(super) fn new(
        values: impl IntoIterator<Item = (usize, T)>,
        sides: usize,
        nothing: T,
    ) -> Self {
        let mut values: BTreeMap<usize, T> = values.into_iter().collect();
        if values.values().all(|value| *value == nothing) {
            return Self { base: None, own: BTreeMap::new() };
        }
        // A value above the sides would hold in those that are to stay as they are.
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
