//! What the parts of an answer say.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde_json::Value;
use url::Url;

use crate::digdir::http;

/// An address that a host tells, if it is one for a browser.
pub(super) fn for_browser(address: &str) -> Option<Url> {
    Url::parse(address).ok().filter(|url| matches!(url.scheme(), "https" | "http"))
}

/// A header as text.
pub(super) fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let value = header(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// `Retry-After`; or where GitHub leaves no request over, the time until it does.
pub(super) fn asked_to_wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if let Some(value) = header(headers, RETRY_AFTER.as_str()) {
        return http::retry_after(value, now);
    }
    if header(headers, "x-ratelimit-remaining")? != "0" {
        return None;
    }
    let reset: i64 = header(headers, "x-ratelimit-reset")?.parse().ok()?;
    let seconds = reset.saturating_sub(now.as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// The host's own words about a refusal, in the forms that the three have for them.
pub(super) fn words(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let part = |name: &str| match body.get(name)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let parts = ["message", "error", "error_description", "errors"];
    let told: Vec<String> = parts.into_iter().filter_map(part).collect();
    (!told.is_empty()).then(|| told.join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_host_says_how_long_to_wait() {
        let now = Timestamp::from_second(1_000).unwrap();
        let wait = |pairs: &[_]| asked_to_wait(&headers(pairs), now).map(|wait| wait.as_secs());
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[("retry-after", "7")]), Some(7));
        let reset = ("x-ratelimit-reset", "1090");
        assert_eq!(wait(&[("x-ratelimit-remaining", "0"), reset]), Some(90));
        assert_eq!(wait(&[("x-ratelimit-remaining", "12"), reset]), None);
        let past = ("x-ratelimit-reset", "10");
        assert_eq!(wait(&[("x-ratelimit-remaining", "0"), past]), Some(0));
    }

    #[test]
    fn a_hosts_words_are_found() {
        let told = |body: &str| words(body.as_bytes()).unwrap_or_default();
        assert_eq!(told(r#"{"message": "403 Forbidden"}"#), "403 Forbidden");
        assert_eq!(told(r#"{"message": {"note": ["is bad"]}}"#), r#"{"note":["is bad"]}"#);
        let scope = r#"{"error": "insufficient_scope", "error_description": "more needed"}"#;
        assert_eq!(told(scope), "insufficient_scope: more needed");
        assert_eq!(told("<html>"), "");
        assert_eq!(told("[]"), "");
    }
}
