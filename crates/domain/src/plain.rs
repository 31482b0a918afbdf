//! What names and ids have in common that are texts of a checked form.

use std::borrow::Cow;

use serde_json::Value;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::secret;

/// The longest id, in characters: DigDir's are UUIDs.
const LONGEST: usize = 128;

/// A text as DigDir keeps it, and as texts are compared and sent: without white space at its ends, and
/// its letters composed (Unicode NFC).
pub fn kept(text: &str) -> Cow<'_, str> {
    composed(text.trim())
}

/// A text with its letters composed (Unicode NFC).
pub fn composed(text: &str) -> Cow<'_, str> {
    match is_nfc(text) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfc().collect()),
    }
}

/// A value with all texts in it as DigDir keeps them; the names of fields stay.
pub fn kept_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(kept(text).into_owned()),
        Value::Array(items) => items.iter().map(kept_value).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(field, value)| (field.clone(), kept_value(value)));
            Value::Object(fields.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Whether a text has the form of an id: letters, digits and `._-`, and more than dots, so that it is
/// safe in a URL's path. What looks like a secret has it not, whatever it consists of: ids are shown,
/// and keys of some kinds have no other characters.
pub(super) fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let has_form = text.chars().all(plain) && !is_dots(text) && text.len() <= LONGEST;
    has_form && secret::likeness(text).is_none()
}

/// Whether a text is empty or nothing but dots: then a URL's path would lead elsewhere.
pub(super) fn is_dots(text: &str) -> bool {
    text.chars().all(|c| c == '.')
}

/// Shows, and serialises, a newtype of a text as that text; read, it is checked as any other.
macro_rules! plain_text {
    ($($name:ident)+) => {
        $(
            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.pad(&self.0)
                }
            }

            impl std::fmt::Debug for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    write!(f, concat!(stringify!($name), "({:?})"), &*self.0)
                }
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(&self.0)
                }
            }

            $crate::plain::read_by_check! { $name }
        )+
    };
}
pub(super) use plain_text;

/// Reads a newtype through its own check, so that no file brings in what it would refuse.
macro_rules! read_by_check {
    ($name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(|error| {
                    serde::de::Error::custom(match $crate::secret::likeness(&text) {
                        Some(likeness) => format!("a text that looks like {likeness}: {error}"),
                        None => format!("{text:?}: {error}"),
                    })
                })
            }
        }
    };
}
pub(super) use read_by_check;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_is_kept_trimmed_and_composed() {
        for (text, expected) in [
            ("Les\n", "Les"),
            (" \u{a0}Les  mer\r\n", "Les  mer"),
            ("bla\u{30a}bær", "blåbær"),
            ("O\u{338}", "O\u{338}"),
            ("\n", ""),
        ] {
            assert_eq!(kept(text), expected, "{text:?}");
            assert!(matches!(kept(expected), Cow::Borrowed(_)), "{text:?}");
        }
        let value = json!({ "a ": [" b", { "c": "d\n" }], "e": 1, "f": null });
        let expected = json!({ "a ": ["b", { "c": "d" }], "e": 1, "f": null });
        assert_eq!(kept_value(&value), expected);
    }
}
