//! What was asked and answered, for whoever wants to know afterwards.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use serde_json::Value;

use super::{Fault, Switches};

/// One request and what became of it. Bearer tokens are left out.
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
    /// The answer's body; an access token in it is replaced by `***`.
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
            body: String::from_utf8_lossy(body).into_owned(),
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
        self.response = without_token(body);
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

fn without_token(body: &[u8]) -> String {
    if let Ok(Value::Object(mut answer)) = serde_json::from_slice(body)
        && answer.contains_key("access_token")
    {
        answer.insert("access_token".to_owned(), "***".into());
        return Value::Object(answer).to_string();
    }
    String::from_utf8_lossy(body).into_owned()
}
