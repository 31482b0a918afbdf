//! Building blocks of the types that read the YAML.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::document::Findings;
use super::table::{Read, Reader, read};
use super::tree::Node;
use crate::declare::diagnostic::span::Span;
use domain::kept;

/// A value that may be left out. Unlike with an `Option`, `null` is an error: a key with nothing
/// behind it is more likely forgotten than meant, and what is left out has a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given<T>(pub(crate) Option<T>);

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl Given<String> {
    /// The text as DigDir keeps it.
    pub(crate) fn kept(&self) -> Option<String> {
        Some(kept(self.0.as_ref()?).into_owned())
    }
}

/// What must be there; nothing where it is missing or wrong, and that was reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needed<T>(pub(crate) Option<T>);

/// A value, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
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

/// Texts, and where each is.
pub(crate) type TextList = Spanned<Vec<Spanned<String>>>;

/// What is under a key, and has been read as `T`: kept even if something is wrong with it.
#[derive(Debug, Clone)]
pub(crate) struct Checked<'d, T> {
    pub(crate) at: &'d Node<'d>,
    read_as: PhantomData<T>,
}

impl<'d, T: Read<'d>> Read<'d> for Checked<'d, T> {
    fn read(at: &'d Node<'d>, key: Span, reader: &mut Reader<'_>) -> Option<Self> {
        let _: Option<T> = T::read(at, key, reader);
        Some(Self { at, read_as: PhantomData })
    }
}

/// The JSON Schema of a type around another one is that of the other one.
macro_rules! schema_of_inner {
    ($($name:ty),*) => {
        $(impl<T: JsonSchema> JsonSchema for $name {
            fn inline_schema() -> bool {
                T::inline_schema()
            }

            fn schema_name() -> Cow<'static, str> {
                T::schema_name()
            }

            fn schema_id() -> Cow<'static, str> {
                T::schema_id()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                T::json_schema(generator)
            }
        })*
    };
}
schema_of_inner!(Given<T>, Needed<T>, Spanned<T>, Raw<'_, T>, Checked<'_, T>);
