//! What a failed call comes down to.

use std::time::Duration;

use http::{
    Answer, Client, Failure as Failed, NextAttempt, NoAnswer, REPEATABLE, RefusedAnswer, Retries,
    RetryPolicy, SMALL, too_large,
};
use reqwest::{Method, Request, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

use super::error::{CallPlace, Error, ErrorKind};
use super::wire::ApiErrorResponse;

/// How often a call is sent at most, the first time included.
const TRIES: usize = 5;

/// The longest wait that the server may ask for; a longer one is told instead of sat out.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// One attempt that failed.
pub(super) type Failure = Failed<Unsent>;

/// Why a call was not sent.
#[derive(Debug)]
pub(super) enum Unsent {
    /// The token that it needs could not be had; already tried as often as is useful.
    Token(Error),
    /// Nothing may be written any more, and why. An earlier try may have been carried out if it is
    /// `unclear`.
    Stopped { why: &'static str, unclear: bool },
}

/// How persistently a program calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Persistence {
    program: &'static str,
    pub(super) retries: Retries,
}

impl Persistence {
    pub(super) fn new(program: &'static str, base_delay: Duration) -> Self {
        Self { program, retries: Retries { tries: TRIES, base_delay, longest_wait: MAX_WAIT } }
    }

    /// Reads JSON that is open to everybody.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        client: &Client,
        url: &Url,
        place: &CallPlace,
    ) -> Result<T, Error> {
        let attempt = || {
            let request = Request::new(Method::GET, url.clone());
            async move { readable(client.exchange(request, SMALL).await?) }
        };
        let answer = self.retries.repeat(&REPEATABLE, attempt).await;
        let answer = answer.map_err(|failure| self.error(failure, &REPEATABLE, place))?;
        serde_json::from_slice(&answer.body)
            .map_err(|reason| Error::new(ErrorKind::Malformed, place, reason.to_string()))
    }

    /// The error that a failure, the last one, comes down to.
    pub(super) fn error(&self, failure: Failure, policy: &RetryPolicy, place: &CallPlace) -> Error {
        let lost = policy.after(&failure) == NextAttempt::Lost;
        let kind = |kind| if lost { ErrorKind::AnswerLost } else { kind };
        match failure {
            Failure::Unsent(Unsent::Token(error)) => error,
            Failure::Unsent(Unsent::Stopped { why, unclear }) => {
                let kind = if unclear { ErrorKind::AnswerLost } else { ErrorKind::Stopped };
                Error::new(kind, place, why)
            }
            Failure::Unanswered(NoAnswer::NotSent(reason) | NoAnswer::Lost(reason)) => {
                Error::new(kind(ErrorKind::Connection), place, reason)
            }
            Failure::Unanswered(NoAnswer::TooLarge(most)) => {
                let reason = format!("the answer cannot be read: {}", too_large(most));
                Error::new(kind(ErrorKind::Malformed), place, reason)
            }
            Failure::Malformed(status, reason) => {
                Error::new(kind(ErrorKind::Malformed), place, reason).status_is(status)
            }
            Failure::Refused(refusal) => {
                let status = refusal.answer.status;
                self.refusal(*refusal, place, kind(status_kind(status)))
            }
        }
    }

    fn refusal(&self, refusal: RefusedAnswer, place: &CallPlace, kind: ErrorKind) -> Error {
        let RefusedAnswer { answer, is_throttled: _, wait } = refusal;
        let error = match ApiErrorResponse::of(&answer) {
            Some(body) => Error::answered(kind, place, answer.status, body),
            None => {
                // 404 and 409 are facts about an entity, and acted upon: only the API can tell them.
                let kind = match kind {
                    ErrorKind::NotFound | ErrorKind::Conflict => ErrorKind::Malformed,
                    other => other,
                };
                Error::new(kind, place, what_came(&answer)).status_is(answer.status)
            }
        };
        let error = error.wait_before_next(wait);
        match wait.filter(|wait| *wait > self.retries.longest_wait) {
            None => error,
            Some(wait) => error.with_cause(format!(
                "the server asks to wait {} s, more than the {} s that {} waits",
                wait.as_secs(),
                self.retries.longest_wait.as_secs(),
                self.program
            )),
        }
    }
}

/// What must hold of any answer that is going to be read: 200 and JSON.
pub(super) fn readable(answer: Answer) -> Result<Answer, Failure> {
    if answer.status.is_client_error() || answer.status.is_server_error() {
        return Err(answer.into());
    }
    let what = match (answer.location(), answer.status, answer.is_json()) {
        (_, StatusCode::OK, true) => return Ok(answer),
        (Some(location), status, _) if status.is_redirection() => {
            format!("it redirects to {location}; redirects are not followed")
        }
        (_, StatusCode::OK, false) => what_came(&answer),
        (_, status, _) => format!("the status is {status} instead of 200"),
    };
    Err(Failure::Malformed(answer.status, what))
}

/// Words for an answer that is not the API's; never the answer itself, which can be a whole page.
pub(super) fn what_came(answer: &Answer) -> String {
    match (answer.content_type().as_str(), answer.body.is_empty()) {
        (_, true) => "the answer is empty".to_owned(),
        ("", false) => "the answer does not name its content type".to_owned(),
        (other, false) if answer.is_json() => format!("the answer ({other}) is not the API's JSON"),
        (other, false) => format!("the answer is {other} instead of JSON"),
    }
}

fn status_kind(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        400 | 422 => ErrorKind::Invalid,
        401 => ErrorKind::Auth,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        428 => ErrorKind::Terms,
        429 => ErrorKind::Throttled,
        500.. => ErrorKind::Server,
        _ => ErrorKind::Refused,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use http::ONCE;

    pub(in super::super) fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        let body = body.as_bytes().to_vec().into();
        let mut answer = Answer { status, body, ..Answer::default() };
        if !content_type.is_empty() {
            answer.headers.insert("content-type", content_type.parse().unwrap());
        }
        answer
    }

    pub(in super::super) fn persistence() -> Persistence {
        Persistence::new("the test", Duration::from_millis(1))
    }

    fn kind(policy: &RetryPolicy, failure: Failure) -> ErrorKind {
        let place = CallPlace { call: "GET /scopes".to_owned(), entity: "scopes".to_owned() };
        persistence().error(failure, policy, &place).kind()
    }

    #[test]
    fn a_lost_answer_is_reported_as_such() {
        for status in [500, 502, 503, 504] {
            let failure = || answer(status, "text/html", "<html>").into();
            assert_eq!(kind(&ONCE, failure()), ErrorKind::AnswerLost);
            assert_eq!(kind(&REPEATABLE, failure()), ErrorKind::Server);
        }
        let unsent = NoAnswer::NotSent("refused".to_owned());
        assert_eq!(kind(&ONCE, unsent.into()), ErrorKind::Connection);
    }

    #[test]
    fn a_gateways_404_is_no_fact_about_an_entity() {
        for (content_type, body, expected) in [
            ("application/json", r#"{"correlation_id": "x"}"#, ErrorKind::NotFound),
            ("application/json", "nothing", ErrorKind::Malformed),
            ("text/html", "<html>", ErrorKind::Malformed),
            ("", "", ErrorKind::Malformed),
        ] {
            let failure = answer(404, content_type, body).into();
            assert_eq!(kind(&REPEATABLE, failure), expected, "{content_type} {body}");
        }
    }

    #[test]
    fn a_wait_that_is_too_long_is_reported() {
        let mut throttled = answer(429, "application/json", "{}");
        throttled.headers.insert("retry-after", "3600".parse().unwrap());
        let place = CallPlace { call: "GET /scopes".to_owned(), entity: "scopes".to_owned() };
        let error = persistence().error(throttled.into(), &REPEATABLE, &place);
        assert_eq!(error.kind(), ErrorKind::Throttled);
        let reported = error.to_string();
        assert!(
            reported.contains("wait 3600 s, more than the 120 s that the test waits"),
            "{reported}"
        );
    }
}
