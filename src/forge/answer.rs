//! Parts of an answer.

use std::time::Duration;

use http::Answer;
use jiff::Timestamp;
use reqwest::header::RETRY_AFTER;
use serde_json::Value;
use url::Url;

/// An address in an answer of the host, if it is one for a browser.
pub(super) fn for_browser(address: &str) -> Option<Url> {
    Url::parse(address).ok().filter(|url| matches!(url.scheme(), "https" | "http"))
}

pub(super) fn is_json(answer: &Answer) -> bool {
    answer.content_type() == "application/json"
}

/// The wait that the host asks for: `Retry-After`; where GitHub's rate limit is used up, the time until it is
/// reset.
pub(super) fn asked_to_wait(answer: &Answer, now: Timestamp) -> Option<Duration> {
    if answer.header(RETRY_AFTER.as_str()).is_some() {
        return answer.retry_after(now);
    }
    if answer.header("x-ratelimit-remaining")? != "0" {
        return None;
    }
    let reset: i64 = answer.header("x-ratelimit-reset")?.parse().ok()?;
    let seconds = reset.saturating_sub(now.as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// The host's message about a refusal, in the formats of the three hosts.
pub(super) fn words(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let part = |name: &str| match body.get(name)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let parts = ["message", "error", "error_description", "errors"];
    let message: Vec<String> = parts.into_iter().filter_map(part).collect();
    (!message.is_empty()).then(|| message.join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&'static str, &str)]) -> Answer {
        let pairs = pairs.iter();
        let headers = pairs.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Answer { headers: headers.collect(), ..Answer::default() }
    }

    #[test]
    fn a_host_says_how_long_to_wait() {
        let now = Timestamp::from_second(1_000).unwrap();
        let wait = |pairs: &[_]| asked_to_wait(&with(pairs), now).map(|wait| wait.as_secs());
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
        let message = |body: &str| words(body.as_bytes()).unwrap_or_default();
        assert_eq!(message(r#"{"message": "403 Forbidden"}"#), "403 Forbidden");
        assert_eq!(message(r#"{"message": {"note": ["is bad"]}}"#), r#"{"note":["is bad"]}"#);
        let scope = r#"{"error": "insufficient_scope", "error_description": "more needed"}"#;
        assert_eq!(message(scope), "insufficient_scope: more needed");
        assert_eq!(message("<html>"), "");
        assert_eq!(message("[]"), "");
    }
}
