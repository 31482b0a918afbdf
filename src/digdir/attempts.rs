//! Which call is repeated after what, as a table, and the loop that reads it.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use reqwest::StatusCode;

use super::error::{Error, ErrorKind, Place};
use super::http::{Answer, NoAnswer, too_large};

/// How often a call is sent at most, the first time included.
const TRIES: usize = 5;

/// The longest wait that the server may ask for; a longer one is told instead of sat out.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Wait and send the call again.
    Repeat,
    /// Report it.
    Fail,
    /// Report that the call may have been carried out.
    Lost,
}

/// One row of the table: what to do after each way to fail.
#[derive(Debug)]
pub(super) struct Policy {
    /// No connection was made.
    not_sent: Then,
    /// 429: the server says that it did not carry it out.
    throttled: Then,
    /// 5xx.
    server: Then,
    /// Cut or timed out after the connection was made.
    no_answer: Then,
    /// An answer that nobody from the API wrote: HTML, a redirect, broken JSON, too large.
    malformed: Then,
    /// Any other 4xx.
    refused: Then,
}

/// GET, DELETE and the PUT of an access: twice is as good as once (RFC 9110 section 9.2.2). Also
/// the token request, because each is signed anew.
pub(super) const REPEATABLE: Policy = Policy {
    not_sent: Then::Repeat,
    throttled: Then::Repeat,
    server: Then::Repeat,
    no_answer: Then::Repeat,
    malformed: Then::Fail,
    refused: Then::Fail,
};

/// POST and PUT of a whole scope: never repeated here. A second POST would make a second entity,
/// and a second PUT would overwrite what came in between (there is no If-Match): whoever sends
/// one looks at what is live first. A 503 can come from a gateway behind which the call went
/// through.
pub(super) const ONCE: Policy = Policy {
    not_sent: Then::Fail,
    throttled: Then::Fail,
    server: Then::Lost,
    no_answer: Then::Lost,
    malformed: Then::Lost,
    refused: Then::Fail,
};

/// One attempt that failed.
pub(super) enum Failure {
    /// No connection was made.
    NotSent(String),
    /// Cut or timed out.
    NoAnswer(String),
    /// An answer that cannot be the API's, and what it is instead.
    Malformed(Option<StatusCode>, String),
    /// 4xx or 5xx.
    Answered(Answer),
    /// The token that the call needs could not be had; already tried as often as is useful.
    Token(Error),
    /// It was not sent, as nothing may be written any more, and why. An earlier try may have been carried
    /// out if it is `unclear`.
    Stopped { why: &'static str, unclear: bool },
}

impl From<NoAnswer> for Failure {
    fn from(reason: NoAnswer) -> Self {
        match reason {
            NoAnswer::NotSent(reason) => Self::NotSent(reason),
            NoAnswer::Lost(reason) => Self::NoAnswer(reason),
            NoAnswer::TooLarge(most) => {
                Self::Malformed(None, format!("the answer cannot be read: {}", too_large(most)))
            }
        }
    }
}

impl Policy {
    fn after(&self, failure: &Failure) -> Then {
        match failure {
            Failure::NotSent(_) => self.not_sent,
            Failure::NoAnswer(_) => self.no_answer,
            Failure::Malformed(..) => self.malformed,
            Failure::Answered(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS => {
                self.throttled
            }
            Failure::Answered(answer) if answer.status.is_server_error() => self.server,
            Failure::Answered(_) => self.refused,
            Failure::Token(_) | Failure::Stopped { .. } => Then::Fail,
        }
    }
}

/// Makes attempts until one succeeds, one fails for good, or there were enough.
pub(super) async fn repeat<F, Fut>(
    policy: &Policy,
    base_delay: Duration,
    attempt: F,
) -> Result<Answer, Failure>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Answer, Failure>>,
{
    let delays = ExponentialBuilder::default()
        .with_min_delay(base_delay)
        .with_factor(2.0)
        .with_max_times(TRIES - 1)
        .with_jitter();
    attempt
        .retry(delays)
        .sleep(tokio::time::sleep)
        .when(|failure| {
            policy.after(failure) == Then::Repeat
                && failure.asked_to_wait().is_none_or(|wait| wait <= MAX_WAIT)
        })
        .adjust(|failure, delay| delay.max(failure.asked_to_wait()).filter(|_| delay.is_some()))
        .notify(|_, delay| tracing::debug!(ms = delay.as_millis(), "waiting to try again"))
        .await
}

impl Failure {
    /// `Retry-After`, which counts with 429 and 503 (RFC 9110 section 10.2.3, RFC 6585 section 4).
    fn asked_to_wait(&self) -> Option<Duration> {
        match self {
            Self::Answered(answer) => match answer.status {
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                    answer.retry_after
                }
                _ => None,
            },
            Self::NotSent(_)
            | Self::NoAnswer(_)
            | Self::Malformed(..)
            | Self::Token(_)
            | Self::Stopped { .. } => None,
        }
    }

    /// Whether the call may have been carried out all the same.
    pub(super) fn is_unclear(&self) -> bool {
        match self {
            Self::NoAnswer(_) | Self::Malformed(..) => true,
            Self::Answered(answer) => answer.status.is_server_error(),
            Self::NotSent(_) | Self::Token(_) => false,
            Self::Stopped { unclear, .. } => *unclear,
        }
    }

    /// The error that this failure, the last one, comes down to.
    pub(super) fn into_error(self, policy: &Policy, place: &Place) -> Error {
        let lost = policy.after(&self) == Then::Lost;
        let kind = |kind| if lost { ErrorKind::AnswerLost } else { kind };
        let asked = self.asked_to_wait();
        let wait = asked.filter(|wait| *wait > MAX_WAIT);
        match self {
            Self::Token(error) => error,
            Self::Stopped { why, unclear: false } => Error::new(ErrorKind::Stopped, place, why),
            Self::Stopped { why, unclear: true } => {
                Error::new(ErrorKind::Stopped, place, why).after_unclear()
            }
            Self::NotSent(reason) | Self::NoAnswer(reason) => {
                Error::new(kind(ErrorKind::Connection), place, reason)
            }
            Self::Malformed(status, reason) => {
                let error = Error::new(kind(ErrorKind::Malformed), place, reason);
                match status {
                    Some(status) => error.status_is(status),
                    None => error,
                }
            }
            Self::Answered(answer) => {
                let error = refusal(&answer, place, kind(status_kind(answer.status)));
                let error = error.wait_before_next(asked);
                match wait {
                    None => error,
                    Some(wait) => error.because(format!(
                        "the server asks to wait {} s, more than the {} s that portvakt waits",
                        wait.as_secs(),
                        MAX_WAIT.as_secs()
                    )),
                }
            }
        }
    }
}

fn refusal(answer: &Answer, place: &Place, kind: ErrorKind) -> Error {
    match answer.api_error() {
        Some(body) => Error::answered(kind, place, answer.status, body),
        None => {
            // 404 and 409 are facts about an entity, and acted upon: only the API can tell them.
            let kind = match kind {
                ErrorKind::NotFound | ErrorKind::Conflict => ErrorKind::Malformed,
                other => other,
            };
            Error::new(kind, place, what_came(answer)).status_is(answer.status)
        }
    }
}

/// Words for an answer that is not the API's; never the answer itself, which can be a whole page.
pub(super) fn what_came(answer: &Answer) -> String {
    match (answer.content_type.as_str(), answer.body.is_empty()) {
        (_, true) => "the answer is empty".to_owned(),
        ("", false) => "the answer does not tell its content type".to_owned(),
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
mod tests {
    use super::*;

    fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            content_type: content_type.to_owned(),
            body: body.as_bytes().to_vec().into(),
            retry_after: None,
            location: None,
            date: None,
        }
    }

    fn kind(policy: &Policy, failure: Failure) -> ErrorKind {
        let place = Place { call: "GET /scopes".to_owned(), entity: "scopes".to_owned() };
        failure.into_error(policy, &place).kind()
    }

    #[test]
    fn a_scope_is_never_written_twice_blindly() {
        use Then::*;
        let failures = || {
            [
                Failure::NotSent(String::new()),
                Failure::Answered(answer(429, "", "")),
                Failure::Answered(answer(500, "", "")),
                Failure::Answered(answer(503, "", "")),
                Failure::NoAnswer(String::new()),
                Failure::Malformed(None, String::new()),
                Failure::Answered(answer(409, "", "")),
            ]
        };
        let after = |policy: &Policy| failures().map(|failure| policy.after(&failure));
        assert_eq!(after(&REPEATABLE), [Repeat, Repeat, Repeat, Repeat, Repeat, Fail, Fail]);
        assert_eq!(after(&ONCE), [Fail, Fail, Lost, Lost, Lost, Lost, Fail]);
    }

    #[test]
    fn a_lost_answer_is_told_as_such() {
        for status in [500, 502, 503, 504] {
            let failure = || Failure::Answered(answer(status, "text/html", "<html>"));
            assert_eq!(kind(&ONCE, failure()), ErrorKind::AnswerLost);
            assert_eq!(kind(&REPEATABLE, failure()), ErrorKind::Server);
        }
        let unsent = || Failure::NotSent("refused".to_owned());
        assert_eq!(kind(&ONCE, unsent()), ErrorKind::Connection);
    }

    #[test]
    fn a_gateways_404_is_no_fact_about_an_entity() {
        for (content_type, body, expected) in [
            ("application/json", r#"{"correlation_id": "x"}"#, ErrorKind::NotFound),
            ("application/json", "nothing", ErrorKind::Malformed),
            ("text/html", "<html>", ErrorKind::Malformed),
            ("", "", ErrorKind::Malformed),
        ] {
            let failure = Failure::Answered(answer(404, content_type, body));
            assert_eq!(kind(&REPEATABLE, failure), expected, "{content_type} {body}");
        }
    }

    #[test]
    fn a_wait_that_is_too_long_is_told() {
        let mut throttled = answer(429, "application/json", "{}");
        throttled.retry_after = Some(Duration::from_secs(3600));
        let place = Place { call: "GET /scopes".to_owned(), entity: "scopes".to_owned() };
        let error = Failure::Answered(throttled).into_error(&REPEATABLE, &place);
        assert_eq!(error.kind(), ErrorKind::Throttled);
        assert!(error.to_string().contains("wait 3600 s"), "{error}");
    }
}
