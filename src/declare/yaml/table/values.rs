//! Values that are no mapping with keys of its own: texts, flags, numbers, lists, and the words of enums.

use std::collections::BTreeMap;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, IntoDeserializer as _};

use super::{MOST_WRONG_ITEMS, Read, TableReader};
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::optional::{Checked, Keyed, Raw, Readable, Spanned};
use crate::declare::yaml::suggestions::{BOOL, LIST, MAPPING, NUMBER, TEXT};
use yaml::{Node, Span};

impl Read<'_> for String {
    fn read(at: &Node<'_>, _: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        let text = at.value.as_str().map(str::to_owned);
        text.or_else(|| reader.wrong(at, TEXT))
    }
}

impl<'d, T: Read<'d>> Read<'d> for Spanned<T> {
    fn read(at: &'d Node<'d>, key: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        Some(Self { value: T::read(at, key, reader)?, span: at.span() })
    }
}

impl Read<'_> for bool {
    fn read(at: &Node<'_>, _: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        at.value.as_bool().or_else(|| reader.wrong(at, BOOL))
    }
}

impl Read<'_> for u64 {
    fn read(at: &Node<'_>, _: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        at.value.as_u64().or_else(|| reader.wrong(at, NUMBER))
    }
}

impl<'d, T: Read<'d>> Read<'d> for Vec<T> {
    fn read(at: &'d Node<'d>, key: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        if !at.value.is_sequence() && !at.value.is_null() {
            return reader.wrong(at, LIST);
        }
        let (items, is_whole) = readable(at, key, reader);
        is_whole.then_some(items)
    }
}

impl<'d, T: Read<'d>> Read<'d> for Readable<T> {
    fn read(at: &'d Node<'d>, key: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        if at.value.is_null() {
            return None;
        }
        if !at.value.is_sequence() {
            return reader.wrong(at, LIST);
        }
        let (items, is_whole) = readable(at, key, reader);
        Some(Self { items, is_whole, span: at.span() })
    }
}

/// The items of a list that can be read, and whether they are all.
fn readable<'d, T: Read<'d>>(
    at: &'d Node<'d>,
    key: Span,
    reader: &mut TableReader<'_>,
) -> (Vec<T>, bool) {
    let mut wrong = 0;
    let mut items = Vec::new();
    for item in at.items() {
        match T::read(item, key, reader) {
            Some(item) => items.push(item),
            None => wrong += 1,
        }
        if wrong > MOST_WRONG_ITEMS {
            break;
        }
    }
    (items, wrong == 0)
}

impl<'d, T: Read<'d>> Read<'d> for Keyed<T> {
    fn read(at: &'d Node<'d>, key: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        Some(Self { key, at: Spanned::read(at, key, reader)? })
    }
}

impl<'d, T: Read<'d>> Read<'d> for Checked<'d, T> {
    fn read(at: &'d Node<'d>, key: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        Some(Self { at, value: T::read(at, key, reader) })
    }
}

impl<'d, T: Read<'d>> Read<'d> for BTreeMap<String, T> {
    fn read(at: &'d Node<'d>, _: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        if !at.value.is_mapping() && !at.value.is_null() {
            return reader.wrong(at, MAPPING);
        }
        reader.refuses_keys(at);
        let mut all = Self::new();
        for (key, value) in at.entries() {
            if let Some(value) = T::read(value, at.key_span(key), reader) {
                all.insert(key.to_owned(), value);
            }
        }
        Some(all)
    }
}

impl<'d, T> Read<'d> for Raw<'d, T> {
    const TAKES_NOTHING: bool = true;

    fn read(at: &'d Node<'d>, key: Span, _: &mut TableReader<'_>) -> Option<Self> {
        Some(Self::new(at, key))
    }
}

/// Reads one of the words of an enum.
pub(crate) fn word<T: DeserializeOwned>(at: &Node<'_>, reader: &mut TableReader<'_>) -> Option<T> {
    let Some(text) = at.value.as_str() else { return reader.wrong(at, TEXT) };
    word_of(text, at.span(), reader)
}

fn word_of<T: DeserializeOwned>(text: &str, span: Span, reader: &mut TableReader<'_>) -> Option<T> {
    let found: StrDeserializer<'_, NotAWord> = text.into_deserializer();
    match T::deserialize(found) {
        Ok(word) => Some(word),
        Err(NotAWord(known)) => reader.unknown_word(span, text, known),
    }
}

/// Reads a text as one of the words of an enum that depends on what else was read.
pub(crate) fn read_word<T: DeserializeOwned>(
    text: &Spanned<String>,
    findings: &mut Findings,
) -> Option<T> {
    let first = findings.list.len();
    let word = word_of(&text.value, text.span, &mut TableReader::new(findings));
    findings.hide_nothing(first);
    word
}

/// That a text is none of the words of an enum, which are these.
#[derive(Debug)]
struct NotAWord(&'static [&'static str]);

impl std::fmt::Display for NotAWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not an allowed value")
    }
}

impl std::error::Error for NotAWord {}

impl de::Error for NotAWord {
    fn custom<M: std::fmt::Display>(_: M) -> Self {
        Self(&[])
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(expected)
    }
}

/// Makes enums values of the YAML: their words are those of their serde representation.
macro_rules! words {
    ($($name:ty),* $(,)?) => {
        $(impl $crate::declare::yaml::table::Read<'_> for $name {
            fn read(
                at: &::yaml::Node<'_>,
                _: ::yaml::Span,
                reader: &mut $crate::declare::yaml::table::TableReader<'_>,
            ) -> Option<Self> {
                $crate::declare::yaml::table::values::word(at, reader)
            }
        })*
    };
}
pub(crate) use words;
