//! What was asked and answered, for whoever wants to know afterwards.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use serde_json::Value;

use super::{Fault, Switches};
use domain::PRIVATE_MEMBERS;

/// One request and what became of it. Bearer tokens are left out; `***` stands for tokens, client
/// secrets and private keys in the bodies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The request's method.
    pub method: Method,
    /// The path as it was sent, percent-encoded.
    pub path: String,
    /// The query's pairs, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// The request's headers by lower-case name, without `authorization`.
    pub headers: BTreeMap<String, String>,
    /// The request's body.
    pub body: String,
    /// The switches at that time.
    pub switches: Switches,
    /// The fault that struck it.
    pub fault: Option<Fault>,
    /// The status that was answered; `None` if the connection was cut.
    pub status: Option<u16>,
    /// The answer's content type.
    pub response_type: Option<String>,
    /// The answer's body.
    pub response: String,
}

impl Exchange {
    pub(super) fn of_request(
        parts: &Parts,
        body: &Bytes,
        switches: Switches,
        fault: Option<Fault>,
    ) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        Self {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: shown(&parts.headers),
            body: recorded(parts.uri.path(), body),
            switches,
            fault,
            status: None,
            response_type: None,
            response: String::new(),
        }
    }

    pub(super) fn answered(mut self, status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        self.status = Some(status);
        self.response_type = shown(headers).remove(header::CONTENT_TYPE.as_str());
        self.response = recorded(&self.path, body);
        self
    }
}

fn shown(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .filter(|(name, _)| **name != header::AUTHORIZATION)
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), value)
        })
        .collect()
}

/// A body without what nobody but its reader may know: access tokens, client secrets, and the
/// private members of keys that should not have been sent.
fn recorded(path: &str, body: &[u8]) -> String {
    let about_clients = path.starts_with("/api/") && path.contains("/clients");
    match serde_json::from_slice(body) {
        Ok(mut json) => match hide(&mut json, about_clients) {
            true => json.to_string(),
            false => String::from_utf8_lossy(body).into_owned(),
        },
        Err(_) if about_clients && !body.is_empty() => HIDDEN.to_owned(),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    }
}

const HIDDEN: &str = "***";

/// Whether anything had to be hidden.
fn hide(json: &mut Value, about_clients: bool) -> bool {
    let is_secret = |name: &str| match about_clients {
        true => name == "client_secret" || PRIVATE_MEMBERS.contains(&name),
        false => name == "access_token",
    };
    let mut hidden = false;
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_secret(name) {
                    *value = HIDDEN.into();
                    hidden = true;
                } else {
                    hidden |= hide(value, about_clients);
                }
            }
        }
        Value::Array(entries) => {
            for entry in entries {
                hidden |= hide(entry, about_clients);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    hidden
}
