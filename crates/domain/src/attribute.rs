//! Static description of each attribute, beside its value: the tables of the attributes of scopes, of clients
//! and of `onbehalfof` entries are made of it.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::{
    ApplicationType, AuthMethod, CodeChallengeMethod, ConsumedScope, GrantType, IntegrationType,
    Orgno, RefreshTokenUsage, Representation, TokenType, Visibility,
};

/// Description of an attribute of a scope or a client, independent of its value.
#[derive(Debug)]
pub struct Attribute {
    /// DigDir's name for it, which is also its key in YAML.
    pub name: &'static str,
    /// Its meaning and, after `Default:`, its value if left out.
    pub documentation: &'static str,
    /// Type of its values.
    pub value_type: ValueType,
    /// Effect of a change on who has access; `None` where no value opens or closes more than another.
    pub widening: Option<Widening>,
    /// Whether NAIS can carry it.
    pub at_nais: AtNais,
}

impl Attribute {
    /// Value of this attribute in a representation.
    pub fn of<'r>(&self, representation: &'r Representation) -> Option<&'r Value> {
        representation.get(self.name)
    }

    /// Whether this flag is set in a representation.
    pub fn is_set(&self, representation: &Representation) -> bool {
        self.of(representation) == Some(&Value::Bool(true))
    }
}

/// Type of an attribute's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// Text; DigDir does not distinguish an empty text from an absent one.
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

/// Order of an attribute's values by how far they open the scope or client.
#[derive(Debug, Clone, Copy)]
pub struct Widening {
    /// Which of two values is the wider one.
    pub direction: Direction,
    /// Consequence of the wider value.
    pub remark: &'static str,
}

/// Comparison of the values of an attribute. A live value that is not understood counts as the narrowest, so
/// that a change of it is marked as widening rather than missed.
#[derive(Debug, Clone, Copy)]
pub enum Direction {
    /// Words from the narrowest to the widest, words of one step being equal, and the step of an absent
    /// value.
    Steps(&'static [&'static [&'static str]], usize),
    /// Flag that requires something, and the value that an absent one counts as.
    Demands(bool),
    /// Flag that gives access to organisations that were not granted it. Setting it back takes their access
    /// away; the text says whose.
    Ungranted(&'static str),
    /// Upper bound in seconds, where 0 is none, and the value that an absent one counts as.
    Seconds(u64),
    /// List in which each further member widens, and the members that an absent one has. With `None`, the
    /// first list makes the entity usable and widens nothing.
    Members(Option<&'static [&'static str]>),
    /// Scopes that a client consumes: each further one widens what it can reach.
    Reaches,
    /// List of allowed values, where an empty or absent list allows everything.
    Allowed,
    /// Text that gives access to whatever it names.
    LetsIn,
    /// Text that restricts all who use the scope.
    Binds,
    /// Description, by which an application at NAIS takes over an existing entity.
    HandsOver,
}

/// Effect on an attribute if a NAIS manifest declares the scope or the client. `{}` in a text is the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtNais {
    /// A manifest can declare it.
    Carried,
    /// It would be lost, so the entity is not handed over. The text names the consequence.
    Lost(&'static str),
    /// It prevents the entity from being handed over. The text gives the reason.
    Refused(&'static str),
    /// NAIS sets its own fixed value. The text describes it.
    Replaced(&'static str),
}

/// The type of an attribute's value.
pub(super) trait Typed {
    const TYPE: ValueType;
}

macro_rules! typed {
    ($($name:ty: $type:expr,)+) => {
        $(impl Typed for $name {
            const TYPE: ValueType = $type;
        })+
    };
}
typed! {
    String: ValueType::Text,
    Option<String>: ValueType::Text,
    ConsumedScope: ValueType::Text,
    bool: ValueType::Flag,
    u64: ValueType::Seconds,
    Orgno: ValueType::Orgno,
    Visibility: ValueType::Word(Visibility::WORDS),
    TokenType: ValueType::Word(TokenType::WORDS),
    IntegrationType: ValueType::Word(IntegrationType::WORDS),
    ApplicationType: ValueType::Word(ApplicationType::WORDS),
    AuthMethod: ValueType::Word(AuthMethod::WORDS),
    GrantType: ValueType::Word(GrantType::WORDS),
    RefreshTokenUsage: ValueType::Word(RefreshTokenUsage::WORDS),
    CodeChallengeMethod: ValueType::Word(CodeChallengeMethod::WORDS),
}

impl<T: Typed> Typed for BTreeSet<T> {
    const TYPE: ValueType = ValueType::List(&T::TYPE);
}

/// A value as JSON: `null` for an absent and for an empty text.
pub(super) fn json(value: &impl Serialize) -> Value {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) if text.is_empty() => Value::Null,
        value => value.unwrap_or_default(),
    }
}

pub(super) const fn opens(direction: Direction, remark: &'static str) -> Option<Widening> {
    Some(Widening { direction, remark })
}

/// Defines enums whose values are words, in JSON and as text.
#[macro_export]
macro_rules! words {
    ($(
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }
    )+) => {
        $(
            #[derive(
                Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize,
                serde::Deserialize, schemars::JsonSchema,
            )]
            $(#[$meta])*
            pub enum $name {
                $($(#[$variant_meta])* #[serde(rename = $word)] $variant,)+
            }

            impl $name {
                /// The words, in the same order as [`Self::ALL`].
                pub const WORDS: &'static [&'static str] = &[$($word),+];

                /// All of them, in order.
                pub const ALL: [Self; Self::WORDS.len()] = [$(Self::$variant),+];

                /// The word for it.
                pub fn as_str(self) -> &'static str {
                    match self {
                        $(Self::$variant => $word,)+
                    }
                }
            }
        )+
    };
}

/// Defines a type that holds the values of attributes, and the table of these attributes. A value that
/// belongs to the layers of defaults is a `Layered` of its type, and `said` returns the declared part of it:
/// both are defined where this macro is used. The expression that computes a missing value follows in the
/// entry after `AtNais`; it is not read here.
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

            /// All attributes, in the order of DigDir's description.
            pub fn all(&self) -> [&$crate::Attribute; Self::COUNT] {
                [$(&self.$own,)* $(&self.$name,)*]
            }

            /// The attribute with that name, as found in a stored document or as a key in YAML.
            pub fn named(&self, name: &str) -> Option<&$crate::Attribute> {
                self.all().into_iter().find(|attribute| attribute.name == name)
            }
        }

        impl $values {
            /// Each attribute with its value, if it is set.
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
