//! One request, one answer: the only place that touches the network.

use std::time::{Duration, Instant};

use reqwest::{Method, Request, RequestBuilder, redirect, retry};
use url::Url;

use crate::address::is_loopback;
use crate::answer::{Answer, NoAnswer};
use crate::budget::{BUDGET, Limit, SMALL};

/// How much of one answer the other side may send before it is read, where several share a connection
/// (RFC 9113 section 5.2): as much as an answer takes without room of its own.
const STREAM_WINDOW: u32 = 256 << 10;

/// The same of all answers on a connection: never the narrower bound, as those that wait to be read
/// would keep the one that is being read from coming.
const CONNECTION_WINDOW: u32 = 1 << 30;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// The header `User-Agent`.
    pub user_agent: String,
    /// How long one request may take, from connecting to the last byte.
    pub timeout: Duration,
    /// The id that the API gives a refusal, for the log.
    pub correlation_id: fn(&Answer) -> Option<String>,
}

/// A client for one host. Plain http is for this machine alone, which no proxy is asked for, and
/// needs no certificates. For other hosts the usual variables (`HTTPS_PROXY`, `NO_PROXY`) count:
/// they belong to the machine, not to what names the host, and TLS goes through such a proxy unopened.
/// Nothing is repeated or redirected here.
#[derive(Debug)]
pub struct Client {
    client: reqwest::Client,
    correlation_id: fn(&Answer) -> Option<String>,
}

impl Client {
    /// A client for the host of this address.
    ///
    /// # Errors
    /// The system gives no TLS.
    pub fn new(url: &Url, settings: ClientSettings) -> Result<Self, reqwest::Error> {
        let ClientSettings { user_agent, timeout, correlation_id } = settings;
        let builder = reqwest::Client::builder()
            .user_agent(user_agent)
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
        let client = match url.scheme() {
            "http" => builder.tls_certs_only([]),
            _ => builder.https_only(true),
        }
        .build()?;
        Ok(Self { client, correlation_id })
    }

    /// A request that is not sent yet.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends a request and reads the answer, of at most so many bytes; one that is no success is an
    /// error's, and only its beginning counts. Neither headers nor bodies are logged: they hold tokens.
    ///
    /// # Errors
    /// There is no answer, or a larger one.
    pub async fn exchange(&self, request: Request, most: usize) -> Result<Answer, NoAnswer> {
        let method = request.method().clone();
        let path = request.url().path().to_owned();
        let started = Instant::now();
        let result = self.receive(request, most).await;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &result {
            Ok(answer) => {
                let correlation_id = match answer.status.is_success() {
                    true => None,
                    false => (self.correlation_id)(answer),
                };
                let status = answer.status.as_u16();
                tracing::debug!(%method, path, status, ms, correlation_id, "answered");
            }
            Err(reason) => tracing::debug!(%method, path, ms, ?reason, "not answered"),
        }
        result
    }

    async fn receive(&self, request: Request, most: usize) -> Result<Answer, NoAnswer> {
        let mut response = self.client.execute(request).await.map_err(no_answer)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let limit = match status.is_success() {
            true => Limit::Whole(most),
            false => Limit::Beginning(SMALL),
        };
        let body = BUDGET.read(&mut response, limit).await?;
        Ok(Answer { status, headers, body })
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
pub fn reason(error: reqwest::Error) -> String {
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
