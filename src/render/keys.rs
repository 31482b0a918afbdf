//! A list of keys as text and as JSON: format version 1, described by `schema/keys.schema.json`.

use std::fmt::Write as _;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::text::{BAD, CAREFUL, HEADING, QUIET};
use domain::text::{json, printable};

/// How a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It is registered, and declared or left as it is live.
    Live,
    /// It is registered and not declared: the next apply takes it away.
    Undeclared,
    /// It is declared and not registered: the next apply registers it.
    Missing,
}

/// A key of a client.
#[derive(Debug, Clone)]
pub struct ListedKey {
    /// The client's name.
    pub client: String,
    /// The id that DigDir has given it, if it exists.
    pub client_id: Option<String>,
    /// The key's id.
    pub kid: String,
    /// Its thumbprint (RFC 7638).
    pub thumbprint: Option<String>,
    /// How it stands.
    pub state: KeyState,
    /// When it was registered.
    pub created: Option<Timestamp>,
    /// When it ends.
    pub ends: Option<Timestamp>,
    /// How many whole days are left; less than 0 where it has ended.
    pub days: Option<i64>,
}

/// The keys of clients.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "portvakt keys")]
struct KeysDocument<'a> {
    /// The version of this format.
    format_version: u8,
    /// The environment's name in `portvakt.yaml`.
    environment: &'a str,
    /// The keys, by client and then by their end.
    keys: Vec<KeyDocument<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct KeyDocument<'a> {
    /// The client's name.
    client: &'a str,
    /// The id that DigDir has given the client; `null` where it does not exist yet.
    client_id: Option<&'a str>,
    kid: &'a str,
    /// RFC 7638, SHA-256; `null` for what is no RSA key.
    thumbprint: Option<&'a str>,
    state: KeyState,
    /// When it was registered (RFC 3339); `null` where that is not known.
    created: Option<String>,
    /// When it ends (RFC 3339); `null` where that is not known.
    expires: Option<String>,
    /// How many whole days are left; less than 0 where it has ended.
    expires_in_days: Option<i64>,
}

/// The list as JSON, indented, with a line break at the end.
pub fn json(environment: &str, keys: &[ListedKey]) -> String {
    let keys = keys.iter().map(|key| KeyDocument {
        client: &key.client,
        client_id: key.client_id.as_deref(),
        kid: &key.kid,
        thumbprint: key.thumbprint.as_deref(),
        state: key.state,
        created: key.created.map(|created| created.to_string()),
        expires: key.ends.map(|ends| ends.to_string()),
        expires_in_days: key.days,
    });
    let document = KeysDocument { format_version: 1, environment, keys: keys.collect() };
    json::pretty(&document)
}

/// The JSON Schema of [`json`]'s result.
pub fn schema() -> Value {
    schemars::schema_for!(KeysDocument<'_>).to_value()
}

/// The list as text with ANSI colours, a paragraph for each client. `some` tells that only keys that
/// end soon are listed.
pub fn text(environment: &str, keys: &[ListedKey], some: bool) -> String {
    let mut out = String::new();
    // Writing into a String does not fail.
    let _ = writeln!(out, "{HEADING}Keys in {}{HEADING:#}", printable(environment));
    if keys.is_empty() {
        let none = if some { "None of them ends within that time." } else { "There are none." };
        let _ = writeln!(out, "{none}");
    }
    for of_client in keys.chunk_by(|a, b| a.client == b.client) {
        let Some(first) = of_client.first() else { continue };
        let id = first.client_id.as_deref().unwrap_or("not live yet");
        let client = printable(&first.client);
        let _ = writeln!(out, "\n{client}  {QUIET}{}{QUIET:#}", printable(id));
        for key in of_client {
            let _ = writeln!(out, "  {}  {}", printable(&key.kid), end(key));
        }
    }
    out
}

fn end(key: &ListedKey) -> String {
    let state = match key.state {
        KeyState::Live => "",
        KeyState::Undeclared => "; not declared: the next apply takes it away",
        KeyState::Missing => return "declared, and registered by the next apply".to_owned(),
    };
    let Some((ends, days)) = key.ends.zip(key.days) else {
        return format!("has no end that is known{state}");
    };
    let day = ends.strftime("%F");
    match days {
        days if days < 0 => format!("{BAD}ended on {day}{BAD:#}{state}"),
        days if days <= 30 => format!("{CAREFUL}ends on {day}, in {days} days{CAREFUL:#}{state}"),
        days => format!("ends on {day}, in {days} days{state}"),
    }
}
