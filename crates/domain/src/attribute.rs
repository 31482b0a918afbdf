//! What is known of each attribute beside its value: the tables of scopes, of clients and of those on
//! whose behalf clients act are made of it.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::{ConsumedScope, Orgno, Representation};

/// An attribute of a scope or a client, whatever its value.
#[derive(Debug)]
pub struct Attribute {
    /// DigDir's name of it, which is its key in YAML too.
    pub name: &'static str,
    /// What it is, and behind `Default:` what it is where nothing is said.
    pub documentation: &'static str,
    /// What a value of it is.
    pub value_type: ValueType,
    /// What a change of it opens; `None` where no value opens or closes more than another.
    pub widening: Option<Widening>,
    /// What becomes of it at NAIS.
    pub at_nais: AtNais,
}

impl Attribute {
    /// Its value in a representation.
    pub fn of<'r>(&self, representation: &'r Representation) -> Option<&'r Value> {
        representation.get(self.name)
    }
}

/// What a value of an attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// A text; DigDir does not tell an empty one from none.
    Text,
    /// `true` or `false`.
    Flag,
    /// A number of seconds.
    Seconds,
    /// The number of an organisation.
    Orgno,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Several of these, each once.
    List(&'static ValueType),
}

/// How a change of an attribute opens what has it.
#[derive(Debug, Clone, Copy)]
pub struct Widening {
    /// Which of two values is the wider one.
    pub direction: Direction,
    /// What that means.
    pub remark: &'static str,
}

/// How the values of an attribute compare. A live value that is not understood counts as the
/// narrowest, so that a change of it is rather marked once too often.
#[derive(Debug, Clone, Copy)]
pub enum Direction {
    /// Words from the narrowest to the widest, those of one step being equals, and the step of an
    /// absent one.
    Steps(&'static [&'static [&'static str]], usize),
    /// A flag that demands something, and what an absent one counts as.
    Demands(bool),
    /// A flag that lets in whoever is not granted access; taken back, it takes access away, and the
    /// text says whose.
    Ungranted(&'static str),
    /// An upper bound in seconds, where 0 is none, and what an absent one counts as.
    Seconds(u64),
    /// A list of which each further member widens, and what an absent one has. Without that, the first
    /// list is what makes the thing usable and widens nothing.
    Members(Option<&'static [&'static str]>),
    /// The scopes that a client consumes: with each further one it reaches more.
    Reaches,
    /// A list of what is allowed, where an empty or absent one allows everything.
    Allowed,
    /// A text that lets in whom it names.
    LetsIn,
    /// A text that binds whoever uses it.
    Binds,
    /// A description, by which an application at NAIS takes over what exists.
    HandsOver,
}

/// What becomes of an attribute where a manifest of NAIS declares the scope or the client. `{}` in a
/// text is the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtNais {
    /// A manifest can say it.
    Carried,
    /// It would be lost, and so is not handed over. The text says what follows.
    Lost(&'static str),
    /// It keeps the whole from being handed over. The text says why.
    Refused(&'static str),
    /// NAIS sets what it always sets. The text says so.
    Replaced(&'static str),
}

/// The type of an attribute's value.
pub(super) trait Typed {
    const TYPE: ValueType;
}

macro_rules! typed {
    ($($name:ty: $type:ident)+) => {
        $(impl Typed for $name {
            const TYPE: ValueType = ValueType::$type;
        })+
    };
}
typed! { String: Text Option<String>: Text ConsumedScope: Text bool: Flag u64: Seconds Orgno: Orgno }

impl<T: Typed> Typed for BTreeSet<T> {
    const TYPE: ValueType = ValueType::List(&T::TYPE);
}

/// A value as JSON: `null` for none and for an empty text.
pub(super) fn json(value: &impl Serialize) -> Value {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) if text.is_empty() => Value::Null,
        value => value.unwrap_or_default(),
    }
}

pub(super) const fn opens(direction: Direction, remark: &'static str) -> Option<Widening> {
    Some(Widening { direction, remark })
}

/// Defines enums of DigDir's words.
macro_rules! words {
    ($(
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }
    )+) => {
        $(
            $(#[$meta])*
            #[derive(
                Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize,
                serde::Deserialize, schemars::JsonSchema,
            )]
            pub enum $name {
                $($(#[$variant_meta])* #[serde(rename = $word)] $variant,)+
            }

            impl $name {
                const WORDS: &'static [&'static str] = &[$($word),+];

                /// Every one, in the order of DigDir's description.
                pub const ALL: [Self; Self::WORDS.len()] = [$(Self::$variant),+];

                /// DigDir's word for it.
                pub fn as_str(self) -> &'static str {
                    match self {
                        $(Self::$variant => $word,)+
                    }
                }
            }

            impl $crate::attribute::Typed for $name {
                const TYPE: $crate::ValueType = $crate::ValueType::Word(Self::WORDS);
            }
        )+
    };
}
pub(super) use words;

/// Defines a type that holds the values of attributes, and the table of these attributes. A value that
/// belongs to the layers of defaults is a `Layered` of its type, and what is said of it is `said`: both
/// are defined where this macro is used. What decides how a missing one is filled in follows in a row
/// behind what becomes of it at NAIS; it is not read here.
macro_rules! attributes {
    (
        {
            $(#[$meta:meta])* $values:ident
            $(#[$table_meta:meta])* $table:ident: $static:ident
        }
        own { $($(#[doc = $own_doc:literal])+ $own:ident: $own_type:ty {
            $own_widening:expr, $own_nais:expr
        })* }
        layered { $($(#[doc = $doc:literal])+ $(#[schemars $schemars:tt])? $name:ident: $type:ty {
            $widening:expr, $nais:expr $(, $usual:expr)?
        })* }
    ) => {
        $(#[$meta])*
        pub struct $values {
            $($(#[doc = $own_doc])+ pub $own: $own_type,)*
            $($(#[doc = $doc])+ pub $name: Layered<$type>,)*
        }

        $(#[$table_meta])*
        #[derive(Debug)]
        pub struct $table {
            $($(#[doc = $own_doc])+ pub $own: $crate::Attribute,)*
            $($(#[doc = $doc])+ pub $name: $crate::Attribute,)*
        }

        $(#[$table_meta])*
        pub static $static: $table = $table {
            $($own: $crate::Attribute {
                name: stringify!($own),
                documentation: concat!($($own_doc, "\n"),+),
                value_type: <$own_type as $crate::attribute::Typed>::TYPE,
                widening: $own_widening,
                at_nais: $own_nais,
            },)*
            $($name: $crate::Attribute {
                name: stringify!($name),
                documentation: concat!($($doc, "\n"),+),
                value_type: <$type as $crate::attribute::Typed>::TYPE,
                widening: $widening,
                at_nais: $nais,
            },)*
        };

        impl $table {
            const COUNT: usize = [$(stringify!($own),)* $(stringify!($name),)*].len();

            /// Every attribute, in the order of DigDir's description.
            pub fn all(&self) -> [&$crate::Attribute; Self::COUNT] {
                [$(&self.$own,)* $(&self.$name,)*]
            }

            /// The attribute of that name: a stored document has it, or a key of the YAML.
            pub fn named(&self, name: &str) -> Option<&$crate::Attribute> {
                self.all().into_iter().find(|attribute| attribute.name == name)
            }
        }

        impl $values {
            /// Each attribute and its value, if something is said of it.
            pub fn values(
                &self,
            ) -> [(&'static $crate::Attribute, Option<serde_json::Value>); $table::COUNT] {
                [
                    $((&$static.$own, Some($crate::attribute::json(&self.$own))),)*
                    $((&$static.$name, said(&self.$name)),)*
                ]
            }
        }
    };
}
pub(super) use attributes;
