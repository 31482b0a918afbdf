//! What names and ids have in common that are texts of a checked form.

use crate::secret;

/// The longest id, in characters: DigDir's are UUIDs.
const LONGEST: usize = 128;

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

            $crate::domain::plain::read_by_check! { $name }
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
