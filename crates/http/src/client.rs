//! One request, one answer: the only place that touches the network.

use std::time::{Duration, Instant};

use reqwest::{Method, Request, RequestBuilder, redirect, retry};
use url::Url;

use crate::address::is_loopback;
use crate::answer::{Answer, NoAnswer};
use crate::budget::{BUDGET, Limit, SMALL};

/// How much of one answer the other side may send before it is read, where several share a connection (RFC
/// 9113 section 5.2): as much as an answer may have without room of its own.
const STREAM_WINDOW: u32 = 256 << 10;

/// The same for all answers on a connection. It must never be the narrower bound: answers that wait to be
/// read would otherwise block the one that is being read.
const CONNECTION_WINDOW: u32 = 1 << 30;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Settings of a client.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// The header `User-Agent`.
    pub user_agent: String,
    /// Longest duration of one request, from connecting to the last byte.
    pub timeout: Duration,
    /// Reads the correlation id of a refusal, for the log.
    pub correlation_id: fn(&Answer) -> Option<String>,
}

/// A client for one host. Plain http is for this machine alone, and uses neither a proxy nor certificates.
/// For other hosts the usual variables (`HTTPS_PROXY`, `NO_PROXY`) apply: they belong to the machine, not to
/// the source of the address, and such a proxy passes TLS through unopened. Nothing is repeated or redirected
/// here.
#[derive(Debug)]
pub struct Client {
    client: reqwest::Client,
    correlation_id: fn(&Answer) -> Option<String>,
}

impl Client {
    /// A client for the host of this address.
    ///
    /// # Errors
    /// TLS cannot be initialised on this system.
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

    /// A request that has not been sent.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends a request and reads the answer, up to that many bytes; of an unsuccessful one only the beginning
    /// is read, for the error. Neither headers nor bodies are logged: they hold tokens.
    ///
    /// # Errors
    /// There is no answer, or it is larger.
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

/// The cause of an error, down to the system's own message; without the address, which the caller shows.
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
