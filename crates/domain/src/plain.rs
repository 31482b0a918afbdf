//! Common code of names and ids: texts of a checked form.

use std::borrow::Cow;

use serde_json::Value;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::secret;

/// The longest id, in characters: DigDir's are UUIDs.
const LONGEST: usize = 128;

/// A text as DigDir stores it, and as texts are compared and sent: without white space at its ends, in
/// Unicode NFC.
pub fn kept(text: &str) -> Cow<'_, str> {
    composed(text.trim())
}

/// A text in Unicode NFC.
pub fn composed(text: &str) -> Cow<'_, str> {
    match is_nfc(text) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfc().collect()),
    }
}

/// A value with all texts in it as DigDir stores them; field names are unchanged.
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

/// Whether a text has the form of an id: letters, digits and `._-`, and not only dots, so that it is safe in
/// the path of a URL. A text that looks like a secret is refused even then: ids are shown, and some kinds of
/// keys consist of the same characters.
pub(super) fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let has_form = text.chars().all(plain) && !is_dots(text) && text.len() <= LONGEST;
    has_form && secret::likeness(text).is_none()
}

/// Whether a text is empty or only dots: the path of a URL would then lead elsewhere.
pub(super) fn is_dots(text: &str) -> bool {
    text.chars().all(|c| c == '.')
}

/// Displays and serialises a newtype of a text as that text. It is deserialised through its own check, so that a file
/// holds only valid values.
macro_rules! plain_text {
    ($($name:ident)+) => {
        $(
            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.pad(self.as_str())
                }
            }

            impl std::fmt::Debug for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    write!(f, concat!(stringify!($name), "({:?})"), self.as_str())
                }
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(self.as_str())
                }
            }

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
        )+
    };
}
pub(super) use plain_text;

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
