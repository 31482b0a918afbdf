//! A connection to one host's API: a call, its answer as JSON, and when it is sent again.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, Method, Request, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::Options;
use super::answer::{asked_to_wait, is_json, words};
use super::error::{Error, ErrorKind};
use crate::digdir::budget::{BUDGET, Body, Limit, SMALL};
use crate::digdir::http::{self, NoAnswer};
use domain::secret;

/// More than a page of the longest comments that are of any use to people.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// How many pages of comments are read, of a hundred each: GitHub takes no more than 2,500 comments.
pub(super) const MAX_PAGES: u64 = 100;

/// How often a call is sent at most, the first time included.
const TRIES: usize = 4;

/// A host's API, the headers that open it, and its words about refusals.
pub(super) struct Connection {
    client: Client,
    base: Url,
    headers: HeaderMap,
    advice: fn(ErrorKind) -> Option<&'static str>,
    options: Options,
}

/// One call.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Option<&'a Value>,
    /// What it is for, as an error says it: `the comments cannot be read`.
    pub(super) failing: &'static str,
    /// Whether twice is as good as once. Only a POST that makes something is not.
    pub(super) repeatable: bool,
}

/// A successful answer.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    body: Body,
}

impl<'a> Call<'a> {
    pub(super) fn get(url: Url, failing: &'static str) -> Self {
        Self { method: Method::GET, url, body: None, failing, repeatable: true }
    }

    /// A comment gets a text: PATCH or PUT.
    pub(super) fn update(method: Method, url: Url, body: &'a Value) -> Self {
        let failing = "the comment cannot be updated";
        Self { method, url, body: Some(body), failing, repeatable: true }
    }

    /// A comment is made: POST.
    pub(super) fn create(url: Url, body: &'a Value) -> Self {
        let failing = "the comment cannot be posted";
        Self { method: Method::POST, url, body: Some(body), failing, repeatable: false }
    }

    /// Without the query, which says nothing to a person.
    fn name(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        format!("{} {url}", self.method)
    }
}

impl Connection {
    pub(super) fn new(
        base: Url,
        token: &SecretString,
        headers: HeaderMap,
        advice: fn(ErrorKind) -> Option<&'static str>,
        options: &Options,
    ) -> Result<Self, Error> {
        let client = http::client(&base, options.timeout).map_err(|error| {
            let call = format!("connect to {base}");
            Error::of_call(ErrorKind::Connection, "no connection", &call, &http::reason(error))
        })?;
        // An answer can repeat it.
        secret::note(token);
        Ok(Self { client, base, headers, advice, options: *options })
    }

    /// The address of a part of the API, each segment encoded.
    pub(super) fn url<'s>(&self, segments: impl IntoIterator<Item = &'s str>) -> Url {
        below(&self.base, segments)
    }

    /// Sends a call, again where it failed in passing and twice is as good as once.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let mut waits = waits(&self.options);
        loop {
            let error = match self.once(call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let next = waits.next().filter(|_| call.repeatable);
            let Some(wait) = next.and_then(|wait| error.wait_at_least(wait)) else {
                return Err(error);
            };
            tracing::debug!(ms = wait.as_millis(), "waiting to try again");
            tokio::time::sleep(wait).await;
        }
    }

    /// The same, read as JSON.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
    ) -> Result<(T, HeaderMap), Error> {
        let Answer { headers, body } = self.send(call).await?;
        match serde_json::from_slice(&body) {
            Ok(value) => Ok((value, headers)),
            Err(error) => {
                Err(self.error(ErrorKind::Malformed, call, &format!("it cannot be read: {error}")))
            }
        }
    }

    /// An error of a call, with this host's advice.
    pub(super) fn error(&self, kind: ErrorKind, call: &Call<'_>, why: &str) -> Error {
        Error::of_call(kind, call.failing, &call.name(), why).advise((self.advice)(kind))
    }

    /// There are more comments than anybody reads: ours may be among them, so none is posted.
    pub(super) fn too_many(&self, call: &Call<'_>) -> Error {
        let why = format!("there are more than {MAX_PAGES} pages of them");
        self.error(ErrorKind::Refused, call, &why)
    }

    async fn once(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let request = self
            .request(call)
            .map_err(|error| self.error(ErrorKind::Refused, call, &http::reason(error)))?;
        let started = Instant::now();
        let result = self.exchange(call, request).await;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = match &result {
            Ok(_) => Some(StatusCode::OK.as_u16()),
            Err(error) => error.status(),
        };
        tracing::debug!(method = %call.method, path = call.url.path(), status, ms, "called");
        result
    }

    fn request(&self, call: &Call<'_>) -> Result<Request, reqwest::Error> {
        let request = self.client.request(call.method.clone(), call.url.clone());
        let request = request.headers(self.headers.clone());
        match call.body {
            Some(body) => request.json(body),
            None => request,
        }
        .build()
    }

    async fn exchange(&self, call: &Call<'_>, request: Request) -> Result<Answer, Error> {
        let no_answer = |reason| self.no_answer(call, reason);
        let sent = self.client.execute(request).await;
        let mut response = sent.map_err(|error| no_answer(http::no_answer(error)))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let limit = match status.is_success() {
            true => Limit::Whole(MAX_BODY),
            false => Limit::Beginning(SMALL),
        };
        let body = BUDGET.read(&mut response, limit).await.map_err(no_answer)?;
        if !matches!(status, StatusCode::OK | StatusCode::CREATED) {
            return Err(self.refusal(call, status, &headers, &body));
        }
        if !is_json(&headers) {
            // Whoever answers in the host's place may have handed the call on.
            let kind = match call.repeatable {
                true => ErrorKind::Malformed,
                false => ErrorKind::AnswerLost,
            };
            return Err(self.error(kind, call, "it is no JSON").status_is(status.as_u16()));
        }
        Ok(Answer { headers, body })
    }

    fn no_answer(&self, call: &Call<'_>, reason: NoAnswer) -> Error {
        let lost = match call.repeatable {
            true => ErrorKind::Connection,
            false => ErrorKind::AnswerLost,
        };
        match reason {
            NoAnswer::NotSent(why) => self.error(ErrorKind::Connection, call, &why),
            NoAnswer::Lost(why) => self.error(lost, call, &why),
            NoAnswer::TooLarge(most) => {
                let kind = match call.repeatable {
                    true => ErrorKind::Malformed,
                    false => ErrorKind::AnswerLost,
                };
                self.error(kind, call, &http::too_large(most))
            }
        }
    }

    fn refusal(
        &self,
        call: &Call<'_>,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Error {
        let asked = asked_to_wait(headers, Timestamp::now());
        let kind = match status.as_u16() {
            // Azure DevOps answers a token that it does not accept with a page to sign in on.
            203 | 401 => ErrorKind::Auth,
            // GitHub tells a limit on the rate so too (its "Rate limits for the REST API").
            403 if asked.is_some() => ErrorKind::Throttled,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            400 | 413 | 422 => ErrorKind::Invalid,
            429 => ErrorKind::Throttled,
            500.. => ErrorKind::Server,
            ..400 => ErrorKind::Malformed,
            _ => ErrorKind::Refused,
        };
        let why = match status.is_redirection() {
            true => Some("it redirects elsewhere, which is not followed".to_owned()),
            false => is_json(headers).then(|| words(body)).flatten(),
        };
        self.error(kind, call, &why.unwrap_or_default())
            .status_is(status.as_u16())
            .asked_to_wait(asked)
    }
}

impl Answer {
    /// What an answer says, as far as it says it.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// An `Authorization` of a token.
pub(super) fn bearer(token: &SecretString) -> Result<HeaderValue, Error> {
    secret(&SecretString::from(format!("Bearer {}", token.expose_secret())))
}

/// A header that is never logged. That one can hold the token is seen where it is read.
pub(super) fn secret(token: &SecretString) -> Result<HeaderValue, Error> {
    secret::note(token);
    let value = HeaderValue::from_str(token.expose_secret());
    let mut value =
        value.map_err(|_| Error::unusable("the token is none", "Set its variable anew."))?;
    value.set_sensitive(true);
    Ok(value)
}

/// An address below another, each segment encoded.
pub(super) fn below<'s>(base: &Url, segments: impl IntoIterator<Item = &'s str>) -> Url {
    let mut url = base.clone();
    // Only an address without a host has no path, and http addresses have one.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// How long to wait before each further try.
pub(super) fn waits(options: &Options) -> impl Iterator<Item = Duration> + use<> {
    ExponentialBuilder::default()
        .with_min_delay(options.base_delay)
        .with_factor(2.0)
        .with_max_times(TRIES - 1)
        .with_jitter()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_cannot_leave_their_place() {
        let base = Url::parse("https://host.example/api/v4/").unwrap();
        let url = below(&base, ["projects", "a/../b c?d#e", "notes"]);
        assert_eq!(
            url.as_str(),
            "https://host.example/api/v4/projects/a%2F..%2Fb%20c%3Fd%23e/notes"
        );
    }
}
