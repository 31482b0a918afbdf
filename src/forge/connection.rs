//! Connection to the API of one host: calls, JSON answers, and repetition.

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
use super::error::{Advice, Error, ForgeErrorKind};
use domain::secret;

/// More than a page of the longest useful comments.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// Largest number of pages of comments to read, with a hundred each: GitHub accepts no more than 2,500
/// comments.
const MAX_PAGES: u64 = 100;

/// A host's API, and the headers that authenticate.
pub(super) struct Connection {
    client: Client,
    base: Url,
    headers: HeaderMap,
    host: &'static HostApi,
    options: ForgeOptions,
}

/// Peculiarities of a host's API.
pub(super) struct HostApi {
    /// Whether a list goes on on another page.
    pub(super) has_next: fn(&Answer) -> bool,
    pub(super) advice: Advice,
}

/// One call.
pub(super) struct ForgeCall<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Option<&'a Value>,
    /// Its purpose, as an error describes its failure: `the comments cannot be read`.
    pub(super) failing: &'static str,
    /// Whether it is safe to send it twice. Only a POST that creates something is not.
    pub(super) repeatable: bool,
}

impl<'a> ForgeCall<'a> {
    pub(super) fn get(url: Url, failing: &'static str) -> Self {
        Self { method: Method::GET, url, body: None, failing, repeatable: true }
    }

    /// Replaces the text of a comment: PATCH or PUT.
    pub(super) fn update(method: Method, url: Url, body: &'a Value) -> Self {
        let failing = "the comment cannot be updated";
        Self { method, url, body: Some(body), failing, repeatable: true }
    }

    /// Reads by a POST.
    pub(super) fn query(url: Url, body: &'a Value, failing: &'static str) -> Self {
        Self { method: Method::POST, url, body: Some(body), failing, repeatable: true }
    }

    /// Creates a comment: POST.
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

    /// Without the query, which is of no use to people.
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
        host: &'static HostApi,
        options: &ForgeOptions,
    ) -> Result<Self, Error> {
        let settings = ClientSettings {
            user_agent: concat!("portvakt/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeout: options.timeout,
            correlation_id: |_| None,
        };
        let client = Client::new(&base, settings).map_err(|error| {
            let (kind, call) = (ForgeErrorKind::Connection, format!("connect to {base}"));
            Error::of_call(kind, "no connection", &call, &http::reason(error), &host.advice)
        })?;
        // An answer may repeat it.
        secret::note(token);
        Ok(Self { client, base, headers, host, options: *options })
    }

    /// The address of a part of the API, each segment encoded.
    pub(super) fn url<'s>(&self, segments: impl IntoIterator<Item = &'s str>) -> Url {
        below(&self.base, segments)
    }

    /// Sends a call, again after a temporary failure if that is safe.
    pub(super) async fn send(&self, call: &ForgeCall<'_>) -> Result<Answer, Error> {
        let retries = self.options.retries();
        let answer = retries.repeat(call.policy(), || self.once(call)).await;
        answer.map_err(|failure| self.failed(call, failure))
    }

    /// The same, read as JSON.
    pub(super) async fn read<T: DeserializeOwned>(&self, call: &ForgeCall<'_>) -> Result<T, Error> {
        Ok(self.read_page(call).await?.0)
    }

    /// The same, and whether there is another page.
    async fn read_page<T: DeserializeOwned>(
        &self,
        call: &ForgeCall<'_>,
    ) -> Result<(T, bool), Error> {
        let answer = self.send(call).await?;
        let value = serde_json::from_slice(&answer.body).map_err(|error| {
            self.error(ForgeErrorKind::Malformed, call, &format!("it cannot be read: {error}"))
        })?;
        Ok((value, (self.host.has_next)(&answer)))
    }

    /// A list that may have one page.
    pub(super) async fn read_short<T: DeserializeOwned>(
        &self,
        mut url: Url,
        failing: &'static str,
    ) -> Result<Vec<T>, Error> {
        url.query_pairs_mut().append_pair("per_page", "100");
        let call = ForgeCall::get(url, failing);
        match self.read_page(&call).await? {
            (all, false) => Ok(all),
            (_, true) => Err(self.error(ForgeErrorKind::Refused, &call, "there are more than 100")),
        }
    }

    /// Selected entries of all pages of a list, in order, up to a number. Too many pages are an error: a comment
    /// of ours may be among those that are not read, so none is posted.
    pub(super) async fn read_pages<T: DeserializeOwned, U>(
        &self,
        list: Url,
        failing: &'static str,
        most: usize,
        mut choose: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, Error> {
        let mut chosen = Vec::new();
        for page in 1..=MAX_PAGES {
            let mut url = list.clone();
            url.query_pairs_mut()
                .append_pair("per_page", "100")
                .append_pair("page", &page.to_string());
            let (all, has_next): (Vec<T>, _) =
                self.read_page(&ForgeCall::get(url, failing)).await?;
            chosen.extend(all.into_iter().filter_map(&mut choose).take(most - chosen.len()));
            if chosen.len() == most || !has_next {
                return Ok(chosen);
            }
        }
        let why = format!("there are more than {MAX_PAGES} pages of them");
        Err(self.error(ForgeErrorKind::Refused, &ForgeCall::get(list, failing), &why))
    }

    /// An error of a call, with this host's advice.
    pub(super) fn error(&self, kind: ForgeErrorKind, call: &ForgeCall<'_>, why: &str) -> Error {
        Error::of_call(kind, call.failing, &call.name(), why, &self.host.advice)
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

    /// The error for a failure after the last attempt. A gateway that answers for the host may have passed
    /// the call on.
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

/// The kind of error for a status other than the wanted one.
fn refused(status: StatusCode, asks_to_wait: bool) -> ForgeErrorKind {
    match status.as_u16() {
        // Azure DevOps answers a token that it does not accept with a sign-in page.
        203 | 401 => ForgeErrorKind::Auth,
        // GitHub reports a rate limit with this status as well (its "Rate limits for the REST API").
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

/// A header that is never logged. Whether it can hold the token is checked where the token is read.
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
    // Only an address without a host has no path, and http addresses have a host.
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
