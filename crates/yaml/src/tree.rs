//! What a text holds: a tree of values, each with its place.
//!
//! [`parse`](crate::parse) makes it.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_yaml::Number;

use crate::span::{Position, Span};

/// A value and its place. Equal values are equal wherever they are.
#[derive(Debug, Clone)]
pub struct Node<'s> {
    pub(super) span: Span,
    pub(super) is_plain: bool,
    /// What it is.
    pub value: Value<'s>,
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// The value of a [`Node`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'s> {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(Cow<'s, str>),
    /// A list.
    Sequence(Vec<Node<'s>>),
    /// Keys and what is under them.
    Mapping(Mapping<'s>),
}

/// A mapping, in the order of the text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mapping<'s> {
    pub(super) entries: Vec<(Node<'s>, Node<'s>)>,
    /// The numbers of the entries whose keys are texts, sorted by key: a wide mapping is searched in no time.
    sorted: Vec<usize>,
}

impl<'s> Mapping<'s> {
    pub(super) fn new(entries: Vec<(Node<'s>, Node<'s>)>) -> Self {
        let mut mapping = Self { entries, sorted: Vec::new() };
        mapping.sort();
        mapping
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The keys, those too that are no texts.
    pub fn keys(&self) -> impl Iterator<Item = &Node<'s>> {
        self.entries.iter().map(|(key, _)| key)
    }

    fn name(&self, number: usize) -> Option<&str> {
        self.entries.get(number)?.0.value.as_str()
    }

    fn get(&self, key: &str) -> Option<&(Node<'s>, Node<'s>)> {
        let found = self.sorted.binary_search_by(|number| self.name(*number).cmp(&Some(key)));
        self.entries.get(*self.sorted.get(found.ok()?)?)
    }

    fn sort(&mut self) {
        let mut sorted: Vec<_> = (0..self.entries.len()).collect();
        sorted.retain(|number| self.name(*number).is_some());
        // Stable: of equal keys the first stays the first.
        sorted.sort_by(|a, b| self.name(*a).cmp(&self.name(*b)));
        self.sorted = sorted;
    }
}

impl<'s> Value<'s> {
    /// Whether it is nothing.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is a text.
    pub fn is_string(&self) -> bool {
        matches!(self, Self::String(_))
    }

    /// Whether it is a list.
    pub fn is_sequence(&self) -> bool {
        matches!(self, Self::Sequence(_))
    }

    /// Whether it is a mapping.
    pub fn is_mapping(&self) -> bool {
        matches!(self, Self::Mapping(_))
    }

    /// Whether it has no parts.
    pub fn is_scalar(&self) -> bool {
        !self.is_sequence() && !self.is_mapping()
    }

    /// It as true or false.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// It as a whole number.
    pub fn as_u64(&self) -> Option<u64> {
        if let Self::Number(number) = self { number.as_u64() } else { None }
    }

    /// It as a text.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// It as a list.
    pub fn as_sequence(&self) -> Option<&[Node<'s>]> {
        if let Self::Sequence(items) = self { Some(items) } else { None }
    }

    /// It as a mapping.
    pub fn as_mapping(&self) -> Option<&Mapping<'s>> {
        if let Self::Mapping(mapping) = self { Some(mapping) } else { None }
    }
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(number) => number.serialize(serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::Sequence(items) => serializer.collect_seq(items),
            Value::Mapping(mapping) => {
                serializer.collect_map(mapping.entries.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}

impl<'d> Node<'d> {
    /// The place of the value.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Whether it is a text without quotes.
    pub fn is_plain(&self) -> bool {
        self.is_plain && self.value.is_string()
    }

    /// Moves it, its keys and its parts to other places.
    pub fn relocate(&mut self, place: &impl Fn(Span) -> Span) {
        self.span = place(self.span);
        match &mut self.value {
            Value::Sequence(items) => items.iter_mut().for_each(|item| item.relocate(place)),
            Value::Mapping(mapping) => {
                for (key, value) in &mut mapping.entries {
                    key.relocate(place);
                    value.relocate(place);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Whether a place lies in a key or a value that has no parts.
    pub fn is_in_scalar(&self, at: Position) -> bool {
        let is_inside = (self.span.start..self.span.end).contains(&at);
        is_inside && (self.value.is_scalar() || self.parts().any(|part| part.is_in_scalar(at)))
    }

    /// The items of a list, or the keys and the values of a mapping.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Self> {
        let entries = self.value.as_mapping().into_iter().flat_map(|mapping| &mapping.entries);
        self.items().chain(entries.flat_map(|(key, value)| [key, value]))
    }

    /// The value of a key; `None` too if this is no mapping.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.value.as_mapping()?.get(key).map(|(_, value)| value)
    }

    /// The text under a key and its place; `None` if there is none or anything else.
    pub fn text(&self, key: &str) -> Option<(&str, Span)> {
        let at = self.get(key)?;
        Some((at.value.as_str()?, at.span))
    }

    /// The place of a key, or else of the mapping.
    pub fn key_span(&self, key: &str) -> Span {
        let entry = self.value.as_mapping().and_then(|mapping| mapping.get(key));
        entry.map_or(self.span, |(key, _)| key.span)
    }

    /// The items of a list; nothing if this is none.
    pub fn items(&self) -> std::slice::Iter<'_, Self> {
        self.value.as_sequence().unwrap_or_default().iter()
    }

    /// The item of a list with this number, from 0.
    pub fn item(&self, index: usize) -> Option<&Self> {
        self.items().nth(index)
    }

    /// The entries of a mapping whose keys are texts, in the order of the text; nothing if this is none.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        let entries = self.value.as_mapping().into_iter().flat_map(|mapping| &mapping.entries);
        entries.filter_map(|(key, value)| Some((key.value.as_str()?, value)))
    }

    /// A value whose parts have no places of their own.
    pub(super) fn whole(span: Span, value: serde_yaml::Value) -> Self {
        let part = |value| Self::whole(span, value);
        let value = match value {
            serde_yaml::Value::Bool(value) => Value::Bool(value),
            serde_yaml::Value::Number(number) => Value::Number(number),
            serde_yaml::Value::String(text) => Value::String(text.into()),
            serde_yaml::Value::Sequence(items) => {
                Value::Sequence(items.into_iter().map(part).collect())
            }
            serde_yaml::Value::Mapping(entries) => {
                let entries = entries.into_iter().map(|(key, value)| (part(key), part(value)));
                Value::Mapping(Mapping::new(entries.collect()))
            }
            // Tags are refused.
            serde_yaml::Value::Null | serde_yaml::Value::Tagged(_) => Value::Null,
        };
        Self { span, is_plain: false, value }
    }

    /// Gives its scalars and aliases the values of the second reader. The error is the place of what the
    /// two read differently.
    pub(super) fn settle(&mut self, read: serde_yaml::Value) -> Result<(), Span> {
        use serde_yaml::Value as Read;
        match (&mut self.value, read) {
            // So far, only an alias is nothing.
            (Value::Null, read) => *self = Self::whole(self.span, read),
            (Value::String(text), Read::String(read)) if **text == *read => {}
            (Value::String(text), Read::String(read)) if is_but_for_space(text, &read) => {
                *text = read.into();
            }
            (Value::String(text), read @ (Read::Null | Read::Bool(_) | Read::Number(_)))
                if is_of(text, &read) =>
            {
                *self = Self::whole(self.span, read);
            }
            (Value::Sequence(items), Read::Sequence(read)) if items.len() == read.len() => {
                for (item, read) in items.iter_mut().zip(read) {
                    item.settle(read)?;
                }
            }
            (Value::Mapping(mapping), Read::Mapping(read))
                if mapping.entries.len() == read.len() =>
            {
                for ((key, value), (key_read, value_read)) in mapping.entries.iter_mut().zip(read) {
                    key.settle(key_read)?;
                    value.settle(value_read)?;
                }
                mapping.sort();
            }
            (Value::String(_) | Value::Sequence(_) | Value::Mapping(_), _)
            | (Value::Bool(_) | Value::Number(_), _) => return Err(self.span),
        }
        Ok(())
    }
}

/// Whether texts differ in white space alone: YAML 1.1 breaks lines at more characters than YAML 1.2, and a
/// block at the end of a text ends with a line break for one reader only.
fn is_but_for_space(a: &str, b: &str) -> bool {
    let visible = |c: &char| !c.is_whitespace();
    a.chars().filter(visible).eq(b.chars().filter(visible))
}

/// Whether a scalar's text is that of a value.
fn is_of(text: &str, value: &serde_yaml::Value) -> bool {
    let number = |value: &serde_yaml::Value| value.as_f64();
    let is_it = |plain: serde_yaml::Value| {
        // `!!float 1` is 1.0.
        plain == *value || number(&plain).is_some() && number(&plain) == number(value)
    };
    text.is_empty() && value.is_null() || serde_yaml::from_str(text).is_ok_and(is_it)
}
