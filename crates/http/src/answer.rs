//! Answer of a server, and the reasons why there is none.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use serde::de::DeserializeOwned;

use crate::budget::BudgetedBody;

/// An answer, read to its end.
#[derive(Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; of a refusal only the beginning.
    pub body: BudgetedBody,
}

/// Reason why there is no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// No connection: the server has not received the request.
    NotSent(String),
    /// The server may have received the request.
    Lost(String),
    /// The answer is larger than this, in bytes.
    TooLarge(usize),
}

impl Answer {
    /// A header as text; `None` where it is absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The content type without parameters, in lower case; empty where there is none.
    pub fn content_type(&self) -> String {
        let value = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default();
        essence.trim().to_ascii_lowercase()
    }

    /// Whether the content type is JSON (RFC 8259; RFC 6839 for `+json`).
    pub fn is_json(&self) -> bool {
        let content_type = self.content_type();
        content_type == "application/json"
            || (content_type.starts_with("application/") && content_type.ends_with("+json"))
    }

    /// The body as JSON, if it is valid.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The target of a redirect, which is not followed.
    pub fn location(&self) -> Option<&str> {
        self.header(LOCATION.as_str())
    }

    /// The server's clock.
    pub fn date(&self) -> Option<Timestamp> {
        self.header(DATE.as_str()).and_then(http_date)
    }

    /// The wait that the server asks for: `Retry-After` (RFC 9110 section 10.2.3), seconds or a date.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let value = self.header(RETRY_AFTER.as_str())?.trim();
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
        }
        let until = http_date(value)?;
        Some(Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO))
    }
}

/// Message that an answer exceeds that many bytes.
pub fn too_large(most: usize) -> String {
    match most >> 20 {
        0 => format!("it is larger than {} KiB", most >> 10),
        mib => format!("it is larger than {mib} MiB"),
    }
}

/// The date of an HTTP header in its only current form (RFC 9110 section 5.6.7).
fn http_date(value: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &str) -> Answer {
        let mut answer = Answer::default();
        answer.headers.insert(name, value.parse().unwrap());
        answer
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let wait = |value| with("retry-after", value).retry_after(now);
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(wait("0"), seconds(0));
        assert_eq!(wait(" 7 "), seconds(7));
        assert_eq!(wait("99999999999999999999999"), seconds(u64::MAX));
        assert_eq!(wait("Sun, 22 Nov 2026 10:01:30 GMT"), seconds(90));
        assert_eq!(wait("Sun, 22 Nov 2026 09:00:00 GMT"), seconds(0));
        for nonsense in ["", "-1", "soon", "1.5", "Sun, 99 Nov 2026 10:00:00 GMT"] {
            assert_eq!(wait(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn json_is_recognised_by_its_content_type() {
        let json = |value| with("content-type", value).is_json();
        assert!(json("application/json"));
        assert!(json("Application/JSON; charset=utf-8"));
        assert!(json("application/problem+json"));
        assert!(!json("text/html; application/json"));
        assert!(!json("application/jsonx"));
        assert!(!json(""));
    }
}
