//! Building blocks of the types that read the YAML.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::document::Findings;
use super::table::{Read, read};
use domain::kept;
use yaml::Node;
use yaml::Span;

/// A value that may be left out. Unlike with an `Option`, `null` is an error: a key with nothing
/// behind it is more likely forgotten than meant, and what is left out has a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Optional<T>(pub(crate) Option<T>);

impl<T> Default for Optional<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl Optional<String> {
    /// The text as DigDir keeps it.
    pub(crate) fn kept(&self) -> Option<String> {
        Some(kept(self.0.as_ref()?).into_owned())
    }
}

impl Optional<Spanned<String>> {
    /// The text as DigDir keeps it.
    pub(crate) fn kept(&self) -> Option<String> {
        Some(kept(&self.0.as_ref()?.value).into_owned())
    }
}

/// What must be there; nothing where it is missing or wrong, and that was reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needed<T>(pub(crate) Option<T>);

/// What may be left out. One that is misspelt or wrong is not the same as none.
#[derive(Debug, Clone)]
pub(crate) enum Restriction<T> {
    /// Nothing is said.
    None,
    /// Something is said, and it is not known what; that was reported.
    Unclear,
    /// What is said.
    To(T),
}

/// A value and its place. Equal values are equal wherever they are.
#[derive(Debug, Clone)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    pub(crate) span: Span,
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Spanned<T> {}

/// A value under a key that is chosen freely, with the places of both.
#[derive(Debug, Clone)]
pub(crate) struct Keyed<T> {
    pub(crate) key: Span,
    pub(crate) at: Spanned<T>,
}

/// What is under a key, even nothing: what it is read as is read by itself, so that an error in it
/// hides none in what is beside it.
#[derive(Debug)]
pub(crate) struct Raw<'d, T> {
    pub(crate) at: &'d Node<'d>,
    /// Where the key stands.
    pub(crate) key: Span,
    read_as: PhantomData<T>,
}

impl<T> Clone for Raw<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Raw<'_, T> {}

/// A list that is read item by item. Nothing behind its key is an empty one.
pub(crate) type Items<'d, T> = Raw<'d, Vec<T>>;
/// A mapping that is read entry by entry. Nothing behind its key is an empty one.
pub(crate) type Members<'d, T> = Raw<'d, BTreeMap<String, T>>;

impl<'d, T> Raw<'d, T> {
    pub(super) fn new(at: &'d Node<'d>, key: Span) -> Self {
        Self { at, key, read_as: PhantomData }
    }
}

impl<'d, T: Read<'d>> Raw<'d, T> {
    /// Reads it; what is wrong with it is reported.
    pub(crate) fn read(self, findings: &mut Findings) -> Option<T> {
        read(self.at, findings)
    }
}

/// Texts and their places.
pub(crate) type TextList = Spanned<Vec<Spanned<String>>>;

/// The items of a list that can be read.
#[derive(Debug, Clone)]
pub(crate) struct Readable<T> {
    pub(crate) items: Vec<T>,
    /// Whether they are all.
    pub(crate) is_whole: bool,
    pub(crate) span: Span,
}

/// The texts of a list that can be read, and their places.
pub(crate) type ReadableTexts = Readable<Spanned<String>>;

/// What is under a key, kept even if nothing can be made of it.
#[derive(Debug, Clone)]
pub(crate) struct Checked<'d, T> {
    pub(crate) at: &'d Node<'d>,
    pub(crate) value: Option<T>,
}

/// The JSON Schema of a type around another one is that of the other one.
macro_rules! schema_of_inner {
    ($($name:ty: $inner:ty),* $(,)?) => {
        $(impl<T: JsonSchema> JsonSchema for $name {
            fn inline_schema() -> bool {
                <$inner>::inline_schema()
            }

            fn schema_name() -> Cow<'static, str> {
                <$inner>::schema_name()
            }

            fn schema_id() -> Cow<'static, str> {
                <$inner>::schema_id()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                <$inner>::json_schema(generator)
            }
        })*
    };
}
schema_of_inner!(
    Optional<T>: T, Needed<T>: T, Restriction<T>: T, Spanned<T>: T, Keyed<T>: T, Raw<'_, T>: T,
    Checked<'_, T>: T, Readable<T>: Vec<T>,
);
