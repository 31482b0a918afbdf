//! One request, one answer: the only place that touches the network.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{Client, Request, StatusCode, redirect, retry};
use url::Url;

use super::budget::{BUDGET, Body, Limit, SMALL};
use super::target::is_loopback;
use super::wire::ApiErrorResponse;

/// The most that an answer of the API is, in bytes: more than any list of DigDir's.
pub(super) const LIST: usize = 64 << 20;

/// How much of one answer the other side may send before it is read, where several share a connection
/// (RFC 9113 section 5.2): as much as an answer takes without room of its own.
const STREAM_WINDOW: u32 = 256 << 10;

/// The same of all answers on a connection: never the narrower bound, as those that wait to be read
/// would keep the one that is being read from coming.
const CONNECTION_WINDOW: u32 = 1 << 30;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Without parameters, in lower case; empty where there is none.
    pub(super) content_type: String,
    pub(super) body: Body,
    /// How long the server asks to wait.
    pub(super) retry_after: Option<Duration>,
    /// Where a redirect, which is not followed, would lead.
    pub(super) location: Option<String>,
    /// The server's clock.
    pub(super) date: Option<Timestamp>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// No connection: the server has seen nothing.
    NotSent(String),
    /// The server may have seen the request.
    Lost(String),
    /// The answer is larger than this, in bytes.
    TooLarge(usize),
}

impl Answer {
    /// Whether the content type says JSON (RFC 8259; RFC 6839 for `+json`).
    pub(super) fn is_json(&self) -> bool {
        self.content_type == "application/json"
            || (self.content_type.starts_with("application/")
                && self.content_type.ends_with("+json"))
    }

    /// The API's own words about a refusal; `None` where something else answered.
    pub(super) fn api_error(&self) -> Option<ApiErrorResponse> {
        self.is_json().then(|| ApiErrorResponse::read(&self.body)).flatten()
    }
}

/// A client for one host. Plain http is for this machine alone, which no proxy is asked for, and
/// needs no certificates. For other hosts the usual variables (`HTTPS_PROXY`, `NO_PROXY`) count:
/// they belong to the machine, not to the repository, and TLS goes through such a proxy unopened.
/// Nothing is repeated or redirected here.
pub(crate) fn client(url: &Url, timeout: Duration) -> Result<Client, reqwest::Error> {
    let builder = Client::builder()
        .user_agent(concat!("portvakt/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .referer(false);
    let builder = match is_loopback(url) {
        true => builder.no_proxy(),
        false => builder,
    };
    match url.scheme() {
        "http" => builder.tls_certs_only([]),
        _ => builder.https_only(true),
    }
    .build()
}

/// Sends a request and reads the answer, of at most so many bytes; one that is no success is an error's,
/// and only its beginning counts. Neither headers nor bodies are logged: they hold tokens.
pub(super) async fn exchange(
    client: &Client,
    request: Request,
    most: usize,
) -> Result<Answer, NoAnswer> {
    let method = request.method().clone();
    let path = request.url().path().to_owned();
    let started = Instant::now();
    let result = receive(client, request, most).await;
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match &result {
        Ok(answer) => {
            let correlation_id = match answer.status.is_success() {
                true => None,
                false => answer.api_error().and_then(|error| error.correlation_id),
            };
            let status = answer.status.as_u16();
            tracing::debug!(%method, path, status, ms, correlation_id, "answered");
        }
        Err(reason) => tracing::debug!(%method, path, ms, ?reason, "not answered"),
    }
    result
}

async fn receive(client: &Client, request: Request, most: usize) -> Result<Answer, NoAnswer> {
    let mut response = client.execute(request).await.map_err(no_answer)?;
    let headers = response.headers();
    let now = Timestamp::now();
    let mut answer = Answer {
        status: response.status(),
        content_type: content_type(headers),
        body: Body::default(),
        retry_after: text(headers, RETRY_AFTER).and_then(|value| retry_after(value, now)),
        location: text(headers, LOCATION).map(str::to_owned),
        date: text(headers, DATE).and_then(http_date),
    };
    let limit = match answer.status.is_success() {
        true => Limit::Whole(most),
        false => Limit::Beginning(SMALL),
    };
    answer.body = BUDGET.read(&mut response, limit).await?;
    Ok(answer)
}

/// That an answer is larger than so many bytes.
pub(crate) fn too_large(most: usize) -> String {
    match most >> 20 {
        0 => format!("it is larger than {} KiB", most >> 10),
        mib => format!("it is larger than {mib} MiB"),
    }
}

pub(crate) fn no_answer(error: reqwest::Error) -> NoAnswer {
    let not_sent = error.is_connect();
    let reason = reason(error);
    match not_sent {
        true => NoAnswer::NotSent(reason),
        false => NoAnswer::Lost(reason),
    }
}

/// What went wrong, down to the system's own words; without the address, which stands elsewhere.
pub(crate) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        let text = cause.to_string();
        if !reason.contains(&text) {
            reason = format!("{reason}: {text}");
        }
        source = cause.source();
    }
    reason
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn content_type(headers: &HeaderMap) -> String {
    let value = text(headers, CONTENT_TYPE).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date. `None` where it is neither.
pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = http_date(value)?;
    Some(Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// The date of an HTTP header in its one current form (RFC 9110 section 5.6.7).
fn http_date(value: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let wait = |value| retry_after(value, now);
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
    fn json_is_told_by_its_content_type() {
        let json = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, value.parse().unwrap());
            Answer {
                status: StatusCode::OK,
                content_type: content_type(&headers),
                body: Body::default(),
                retry_after: None,
                location: None,
                date: None,
            }
            .is_json()
        };
        assert!(json("application/json"));
        assert!(json("Application/JSON; charset=utf-8"));
        assert!(json("application/problem+json"));
        assert!(!json("text/html; application/json"));
        assert!(!json("application/jsonx"));
        assert!(!json(""));
    }
}
