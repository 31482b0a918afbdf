//! A connection to one host's API: a call, its answer as JSON, and when it is sent again.

use http::{
    Answer, Client, ClientSettings, Failure, NextAttempt, NoAnswer, ONCE, REPEATABLE,
    RefusedAnswer, RetryPolicy, too_large,
};
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Request, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::answer::{asked_to_wait, is_json, words};
use super::comment::ForgeOptions;
use super::error::{Error, ForgeErrorKind};
use domain::secret;

/// More than a page of the longest comments that are of any use to people.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// How many pages of comments are read, of a hundred each: GitHub takes no more than 2,500 comments.
pub(super) const MAX_PAGES: u64 = 100;

/// A host's API, the headers that open it, and its words about refusals.
pub(super) struct Connection {
    client: Client,
    base: Url,
    headers: HeaderMap,
    advice: fn(ForgeErrorKind) -> Option<&'static str>,
    options: ForgeOptions,
}

/// One call.
pub(super) struct ForgeCall<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Option<&'a Value>,
    /// What it is for, as an error says it: `the comments cannot be read`.
    pub(super) failing: &'static str,
    /// Whether twice is as good as once. Only a POST that makes something is not.
    pub(super) repeatable: bool,
}

impl<'a> ForgeCall<'a> {
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

    fn policy(&self) -> &'static RetryPolicy {
        match self.repeatable {
            true => &REPEATABLE,
            false => &ONCE,
        }
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
        advice: fn(ForgeErrorKind) -> Option<&'static str>,
        options: &ForgeOptions,
    ) -> Result<Self, Error> {
        let settings = ClientSettings {
            user_agent: concat!("portvakt/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeout: options.timeout,
            correlation_id: |_| None,
        };
        let client = Client::new(&base, settings).map_err(|error| {
            let call = format!("connect to {base}");
            Error::of_call(ForgeErrorKind::Connection, "no connection", &call, &http::reason(error))
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
    pub(super) async fn send(&self, call: &ForgeCall<'_>) -> Result<Answer, Error> {
        let retries = self.options.retries();
        let answer = retries.repeat(call.policy(), || self.once(call)).await;
        answer.map_err(|failure| self.failed(call, failure))
    }

    /// The same, read as JSON.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        call: &ForgeCall<'_>,
    ) -> Result<(T, Answer), Error> {
        let answer = self.send(call).await?;
        match serde_json::from_slice(&answer.body) {
            Ok(value) => Ok((value, answer)),
            Err(error) => Err(self.error(
                ForgeErrorKind::Malformed,
                call,
                &format!("it cannot be read: {error}"),
            )),
        }
    }

    /// An error of a call, with this host's advice.
    pub(super) fn error(&self, kind: ForgeErrorKind, call: &ForgeCall<'_>, why: &str) -> Error {
        Error::of_call(kind, call.failing, &call.name(), why).advise((self.advice)(kind))
    }

    /// There are more comments than anybody reads: ours may be among them, so none is posted.
    pub(super) fn too_many(&self, call: &ForgeCall<'_>) -> Error {
        let why = format!("there are more than {MAX_PAGES} pages of them");
        self.error(ForgeErrorKind::Refused, call, &why)
    }

    async fn once(&self, call: &ForgeCall<'_>) -> Result<Answer, Failure<Error>> {
        let request = self.request(call).map_err(|error| {
            Failure::Unsent(self.error(ForgeErrorKind::Refused, call, &http::reason(error)))
        })?;
        let answer = self.client.exchange(request, MAX_BODY).await?;
        match answer.status {
            StatusCode::OK | StatusCode::CREATED if is_json(&answer) => Ok(answer),
            status @ (StatusCode::OK | StatusCode::CREATED) => {
                Err(Failure::Malformed(status, "it is no JSON".to_owned()))
            }
            status => {
                let wait = asked_to_wait(&answer, Timestamp::now());
                let is_throttled = refused(status, wait.is_some()) == ForgeErrorKind::Throttled;
                Err(Failure::Refused(Box::new(RefusedAnswer { answer, is_throttled, wait })))
            }
        }
    }

    fn request(&self, call: &ForgeCall<'_>) -> Result<Request, reqwest::Error> {
        let request = self.client.request(call.method.clone(), call.url.clone());
        let request = request.headers(self.headers.clone());
        match call.body {
            Some(body) => request.json(body),
            None => request,
        }
        .build()
    }

    /// The error that a failure, the last one, comes down to. Whoever answers in the host's place may have
    /// handed the call on.
    fn failed(&self, call: &ForgeCall<'_>, failure: Failure<Error>) -> Error {
        let lost = call.policy().after(&failure) == NextAttempt::Lost;
        let kind = |kind| if lost { ForgeErrorKind::AnswerLost } else { kind };
        match failure {
            Failure::Unsent(error) => error,
            Failure::Unanswered(NoAnswer::NotSent(why) | NoAnswer::Lost(why)) => {
                self.error(kind(ForgeErrorKind::Connection), call, &why)
            }
            Failure::Unanswered(NoAnswer::TooLarge(most)) => {
                self.error(kind(ForgeErrorKind::Malformed), call, &too_large(most))
            }
            Failure::Malformed(status, why) => {
                self.error(kind(ForgeErrorKind::Malformed), call, &why).status_is(status.as_u16())
            }
            Failure::Refused(refusal) => self.refusal(call, &refusal),
        }
    }

    fn refusal(&self, call: &ForgeCall<'_>, refusal: &RefusedAnswer) -> Error {
        let RefusedAnswer { answer, is_throttled: _, wait } = refusal;
        let status = answer.status;
        let why = match status.is_redirection() {
            true => Some("it redirects elsewhere, which is not followed".to_owned()),
            false => is_json(answer).then(|| words(&answer.body)).flatten(),
        };
        self.error(refused(status, wait.is_some()), call, &why.unwrap_or_default())
            .status_is(status.as_u16())
            .asked_to_wait(*wait)
    }
}

/// What a status comes down to that is not the wanted one.
fn refused(status: StatusCode, asks_to_wait: bool) -> ForgeErrorKind {
    match status.as_u16() {
        // Azure DevOps answers a token that it does not accept with a page to sign in on.
        203 | 401 => ForgeErrorKind::Auth,
        // GitHub tells a limit on the rate so too (its "Rate limits for the REST API").
        403 if asks_to_wait => ForgeErrorKind::Throttled,
        403 => ForgeErrorKind::Forbidden,
        404 => ForgeErrorKind::NotFound,
        400 | 413 | 422 => ForgeErrorKind::Invalid,
        429 => ForgeErrorKind::Throttled,
        500.. => ForgeErrorKind::Server,
        ..400 => ForgeErrorKind::Malformed,
        _ => ForgeErrorKind::Refused,
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
