//! Where a credential is to be had: an environment variable, a file, or — for what is no secret —
//! the YAML itself.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_yaml::Value;

/// The whole of the error about a secret that stands in the YAML; the value is never repeated.
pub(super) const SECRET_IN_YAML: &str = "a secret must not stand in the YAML: whoever reads the \
                                         repository, now or from its history, would have it";

/// Where a secret is to be had. It is only named here; nothing is read before it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The name of an environment variable.
    Env(String),
    /// A file, relative to the repository unless absolute.
    File(String),
}

/// Where something that is no secret is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextSource {
    /// It stands in the YAML.
    Literal(String),
    /// The name of an environment variable.
    Env(String),
    /// A file, relative to the repository unless absolute.
    File(String),
}

impl<'de> Deserialize<'de> for TextSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = TextSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or { env: NAME }, or { file: PATH }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TextSource, E> {
        if text.trim().is_empty() {
            return Err(E::custom("an empty text identifies nothing"));
        }
        if text.starts_with('$') {
            return Err(E::custom(
                "`$` has no meaning here: an environment variable is named as in `{ env: NAME }`",
            ));
        }
        Ok(TextSource::Literal(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TextSource, A::Error> {
        Ok(match env_or_file(map)? {
            SecretSource::Env(name) => TextSource::Env(name),
            SecretSource::File(path) => TextSource::File(path),
        })
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

/// Refuses every literal in the same words: serde's own would repeat the value.
struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = SecretSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{ env: NAME } or { file: PATH }")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<SecretSource, E> {
        Err(E::custom(SECRET_IN_YAML))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<SecretSource, E> {
        Err(E::custom(SECRET_IN_YAML))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<SecretSource, E> {
        Err(E::custom(SECRET_IN_YAML))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<SecretSource, E> {
        Err(E::custom(SECRET_IN_YAML))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<SecretSource, E> {
        Err(E::custom(SECRET_IN_YAML))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<SecretSource, A::Error> {
        Err(A::Error::custom(SECRET_IN_YAML))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SecretSource, A::Error> {
        env_or_file(map)
    }
}

/// Reads `{ env: NAME }` or `{ file: PATH }`. What looks like the secret itself is refused without
/// being repeated.
fn env_or_file<'de, A: MapAccess<'de>>(mut map: A) -> Result<SecretSource, A::Error> {
    const ONE: &str = "exactly one of `env` and `file` says where it is";
    let mut source = None;
    while let Some(key) = map.next_key::<String>()? {
        let read = match key.as_str() {
            "env" => environment_variable,
            "file" => path,
            // An inline JWK is a mapping too.
            "kty" | "d" | "n" | "e" => return Err(A::Error::custom(SECRET_IN_YAML)),
            other => return Err(A::Error::unknown_field(other, &["env", "file"])),
        };
        let named = read(map.next_value()?).map_err(A::Error::custom)?;
        if source.replace(named).is_some() {
            return Err(A::Error::custom(ONE));
        }
    }
    source.ok_or_else(|| A::Error::custom(ONE))
}

fn environment_variable(value: Value) -> Result<SecretSource, &'static str> {
    match value {
        Value::String(name) if is_variable_name(&name) => Ok(SecretSource::Env(name)),
        // A key or a password that was pasted in would be repeated by any other message.
        _ => Err(
            "`env` takes the name of an environment variable, such as `{ env: PORTVAKT_KEY }`: \
                  letters, digits and `_`, without `$` and braces",
        ),
    }
}

pub(super) fn is_variable_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty() && name.chars().all(word)
}

fn path(value: Value) -> Result<SecretSource, &'static str> {
    match value {
        Value::String(path) if path.starts_with(['{', '-']) || path.contains(char::is_control) => {
            Err(SECRET_IN_YAML)
        }
        Value::String(path) if !path.is_empty() => Ok(SecretSource::File(path)),
        _ => Err("`file` takes the path of a file"),
    }
}

fn sources() -> [Schema; 2] {
    let name = "^[A-Za-z_][A-Za-z0-9_]*$";
    [
        json_schema!({
            "type": "object", "additionalProperties": false, "required": ["env"],
            "properties": {"env": {
                "type": "string", "pattern": name,
                "description": "The name of an environment variable.",
            }},
        }),
        json_schema!({
            "type": "object", "additionalProperties": false, "required": ["file"],
            "properties": {"file": {
                "type": "string", "minLength": 1,
                "description": "A file, relative to the repository unless absolute.",
            }},
        }),
    ]
}

impl JsonSchema for SecretSource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SecretSource".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let [env, file] = sources();
        json_schema!({
            "description": "Where a secret is to be had; it never stands in the YAML.",
            "oneOf": [env, file],
        })
    }
}

impl JsonSchema for TextSource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TextSource".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let [env, file] = sources();
        let literal = json_schema!({"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"});
        json_schema!({
            "description": "The id itself, or where it is to be had.",
            "oneOf": [literal, env, file],
        })
    }
}
