//! Where a credential is to be had: an environment variable, a file, or — for what is no secret —
//! the YAML itself.

use crate::declare::diagnostic::rule::Rule;
use crate::declare::yaml::item::unknown_key;
use crate::declare::yaml::table::{Read, TableReader};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use yaml::Span;
use yaml::{Node, Value};

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
    /// It is in the YAML.
    Literal(String),
    /// It is where a secret can be.
    Elsewhere(SecretSource),
}

impl Read<'_> for TextSource {
    fn read(at: &Node<'_>, _: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        match &at.value {
            Value::String(text) if text.trim().is_empty() => {
                reader.says(at, "an empty text identifies nothing")
            }
            Value::String(text) if text.starts_with('$') => {
                let message = "`$` has no meaning here: an environment variable is named as in \
                               `{ env: NAME }`";
                reader.says(at, message)
            }
            Value::String(text) => Some(Self::Literal(text.to_string())),
            Value::Mapping(_) => env_or_file(at, reader).map(Self::Elsewhere),
            _ => reader.wrong(at, "a text, or { env: NAME }, or { file: PATH }"),
        }
    }
}

impl Read<'_> for SecretSource {
    fn read(at: &Node<'_>, _: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        match &at.value {
            Value::Mapping(_) => env_or_file(at, reader),
            Value::Null => reader.wrong(at, "{ env: NAME } or { file: PATH }"),
            _ => refuse_secret(at, reader),
        }
    }
}

/// Refuses a secret in the YAML. It is never repeated.
fn refuse_secret<T>(at: &Node<'_>, reader: &mut TableReader<'_>) -> Option<T> {
    const SECRET_IN_YAML: &str = "a secret must not be in the YAML: whoever reads the repository, now or \
                                  from its history, would have it";
    let help = "put it into an environment variable, `{ env: NAME }`, or into a file that is \
                not in the repository, `{ file: PATH }`, and consider the value that stood \
                here as known to others";
    reader.findings.report(Rule::Secret, at.span(), SECRET_IN_YAML, help);
    None
}

/// Reads `{ env: NAME }` or `{ file: PATH }`. What looks like the secret itself is refused without
/// being repeated.
fn env_or_file(at: &Node<'_>, reader: &mut TableReader<'_>) -> Option<SecretSource> {
    if reader.refuses_keys(at) {
        return None;
    }
    let mut source = None;
    let mut is_one = true;
    for (key, value) in at.entries() {
        let named = match (key, &value.value) {
            ("env", Value::String(name)) if is_variable_name(name) => {
                SecretSource::Env(name.to_string())
            }
            // A key or a password that was pasted in would be repeated by any other message.
            ("env", _) => {
                let message = "`env` takes the name of an environment variable, such as \
                               `{ env: PORTVAKT_KEY }`: letters, digits and `_`, without `$` and braces";
                return reader.says(at, message);
            }
            ("file", Value::String(path))
                if path.starts_with(['{', '-']) || path.contains(char::is_control) =>
            {
                return refuse_secret(at, reader);
            }
            ("file", Value::String(path)) if !path.is_empty() => {
                SecretSource::File(path.to_string())
            }
            ("file", _) => {
                return reader.says(at, "`file` takes the path of a file");
            }
            // An inline JWK is a mapping too.
            ("kty" | "d" | "n" | "e", _) => {
                return refuse_secret(at, reader);
            }
            (other, _) => {
                unknown_key(other, &["env", "file"], at, reader.findings);
                return None;
            }
        };
        is_one &= source.replace(named).is_none();
    }
    if source.is_none() || !is_one {
        return reader.says(at, "exactly one of `env` and `file` says where it is");
    }
    source
}

pub(crate) fn is_variable_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty() && name.chars().all(word)
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
            "description": "Where a secret is read from; it is never in the YAML.",
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
