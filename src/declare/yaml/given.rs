//! Building blocks of the types that read the YAML.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};

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

/// The JSON Schema of a type around another one is that of the other one.
macro_rules! schema_of_inner {
    ($($name:ident),*) => {
        $(impl<T: JsonSchema> JsonSchema for $name<T> {
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
schema_of_inner!(Given, Needed, Spanned);

/// A list whose items are read one by one elsewhere, so that an error in one does not hide those in
/// the others. Nothing behind the key means an empty list.
#[derive(Debug, Clone)]
pub(crate) struct Items<T>(PhantomData<T>);

/// A mapping whose values are read one by one elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Entries<T>(PhantomData<T>);

/// The same of a mapping that must be there.
#[derive(Debug, Clone)]
pub(crate) struct RequiredEntries<T>(PhantomData<T>);

impl<T> Default for RequiredEntries<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: JsonSchema> JsonSchema for RequiredEntries<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Entries::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Entries::<T>::json_schema(generator)
    }
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: JsonSchema> JsonSchema for Items<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        <Option<Vec<T>>>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        <Option<Vec<T>>>::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        <Option<BTreeMap<String, T>>>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        <Option<BTreeMap<String, T>>>::json_schema(generator)
    }
}
