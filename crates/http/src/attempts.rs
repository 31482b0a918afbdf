//! Table of which calls are repeated after which failures, and the loop that applies it.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use jiff::Timestamp;
use reqwest::StatusCode;

use crate::answer::{Answer, NoAnswer};

/// Reaction to a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextAttempt {
    /// Wait and send the call again.
    Repeat,
    /// Report it.
    Fail,
    /// Report that the call may have been carried out.
    Lost,
}

/// One row of the table: the reaction to each kind of failure.
#[derive(Debug)]
pub struct RetryPolicy {
    /// No connection was made.
    not_sent: NextAttempt,
    /// 429: the server states that it did not carry the call out.
    throttled: NextAttempt,
    /// 5xx.
    server: NextAttempt,
    /// Cut off or timed out after the connection was made.
    no_answer: NextAttempt,
    /// An answer that does not come from the API: HTML, a redirect, broken JSON, too large.
    malformed: NextAttempt,
    /// Any other 4xx.
    refused: NextAttempt,
}

/// GET, DELETE, and all other calls that are safe to send twice (RFC 9110 section 9.2.2).
pub const REPEATABLE: RetryPolicy = RetryPolicy {
    not_sent: NextAttempt::Repeat,
    throttled: NextAttempt::Repeat,
    server: NextAttempt::Repeat,
    no_answer: NextAttempt::Repeat,
    malformed: NextAttempt::Fail,
    refused: NextAttempt::Fail,
};

/// POST of a new entity and PUT of a whole one: never repeated here. A second POST would create a second
/// entity, and a second PUT would overwrite changes made in between (there is no If-Match): the caller reads
/// the live state first. A 503 can come from a gateway although the call went through.
pub const ONCE: RetryPolicy = RetryPolicy {
    not_sent: NextAttempt::Fail,
    throttled: NextAttempt::Fail,
    server: NextAttempt::Lost,
    no_answer: NextAttempt::Lost,
    malformed: NextAttempt::Lost,
    refused: NextAttempt::Fail,
};

/// A failed attempt.
#[derive(Debug)]
pub enum Failure<E> {
    /// No answer, or none that can be read.
    Unanswered(NoAnswer),
    /// An answer that cannot come from the API, and a description of it.
    Malformed(StatusCode, String),
    /// A status other than the wanted one.
    Refused(Box<RefusedAnswer>),
    /// The caller's own reason not to send the call, which is not repeated.
    Unsent(E),
}

/// An answer with a status other than the wanted one.
#[derive(Debug)]
pub struct RefusedAnswer {
    /// The answer.
    pub answer: Answer,
    /// Whether the server did not carry the call out because of a rate limit.
    pub is_throttled: bool,
    /// The wait that the server asks for.
    pub wait: Option<Duration>,
}

/// How often and with which waits a call is repeated.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// Largest number of attempts, the first one included.
    pub tries: usize,
    /// The wait before the first repetition. It is doubled for each further one, and a random part of up to
    /// the same length is added.
    pub base_delay: Duration,
    /// The longest wait that a server may ask for; a longer one is reported as a failure.
    pub longest_wait: Duration,
}

impl From<Answer> for RefusedAnswer {
    /// `Retry-After` is honoured with 429 and 503 (RFC 9110 section 10.2.3, RFC 6585 section 4).
    fn from(answer: Answer) -> Self {
        let is_throttled = answer.status == StatusCode::TOO_MANY_REQUESTS;
        let wait = match is_throttled || answer.status == StatusCode::SERVICE_UNAVAILABLE {
            true => answer.retry_after(Timestamp::now()),
            false => None,
        };
        Self { answer, is_throttled, wait }
    }
}

impl<E> From<NoAnswer> for Failure<E> {
    fn from(reason: NoAnswer) -> Self {
        Self::Unanswered(reason)
    }
}

impl<E> From<Answer> for Failure<E> {
    fn from(answer: Answer) -> Self {
        Self::Refused(Box::new(answer.into()))
    }
}

impl<E> Failure<E> {
    /// The wait that the server asks for.
    pub fn asked_to_wait(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.wait,
            Self::Unanswered(_) | Self::Malformed(..) | Self::Unsent(_) => None,
        }
    }

    /// Whether the call may have been carried out in spite of the failure.
    pub fn is_unclear(&self) -> bool {
        match self {
            Self::Unanswered(NoAnswer::Lost(_) | NoAnswer::TooLarge(_)) | Self::Malformed(..) => {
                true
            }
            Self::Refused(refusal) => refusal.answer.status.is_server_error(),
            Self::Unanswered(NoAnswer::NotSent(_)) | Self::Unsent(_) => false,
        }
    }
}

impl RetryPolicy {
    /// The reaction to this failure.
    pub fn after<E>(&self, failure: &Failure<E>) -> NextAttempt {
        match failure {
            Failure::Unanswered(NoAnswer::NotSent(_)) => self.not_sent,
            Failure::Unanswered(NoAnswer::Lost(_)) => self.no_answer,
            Failure::Unanswered(NoAnswer::TooLarge(_)) | Failure::Malformed(..) => self.malformed,
            Failure::Refused(refusal) if refusal.is_throttled => self.throttled,
            Failure::Refused(refusal) if refusal.answer.status.is_server_error() => self.server,
            Failure::Refused(_) => self.refused,
            Failure::Unsent(_) => NextAttempt::Fail,
        }
    }
}

impl Retries {
    /// The wait before each further attempt.
    pub fn waits(&self) -> impl Iterator<Item = Duration> + use<> {
        ExponentialBuilder::default()
            .with_min_delay(self.base_delay)
            .with_factor(2.0)
            .with_max_times(self.tries.saturating_sub(1))
            .with_jitter()
            .build()
    }

    /// Makes attempts until one succeeds, one fails for good, or the number of attempts is used up.
    ///
    /// # Errors
    /// The last failure.
    pub async fn repeat<E, F, Fut>(
        &self,
        policy: &RetryPolicy,
        mut attempt: F,
    ) -> Result<Answer, Failure<E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Answer, Failure<E>>>,
    {
        let mut waits = self.waits();
        loop {
            let failure = match attempt().await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let asked = failure.asked_to_wait().unwrap_or_default();
            let is_passing =
                policy.after(&failure) == NextAttempt::Repeat && asked <= self.longest_wait;
            let Some(wait) = waits.next().filter(|_| is_passing) else { return Err(failure) };
            let wait = wait.max(asked);
            tracing::debug!(ms = wait.as_millis(), "waiting to try again");
            tokio::time::sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> Failure<()> {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, ..Answer::default() }.into()
    }

    #[test]
    fn an_entity_is_never_written_twice_blindly() {
        use NextAttempt::*;
        let failures = || {
            [
                NoAnswer::NotSent(String::new()).into(),
                refused(429),
                refused(500),
                refused(503),
                NoAnswer::Lost(String::new()).into(),
                NoAnswer::TooLarge(1).into(),
                Failure::Malformed(StatusCode::OK, String::new()),
                refused(409),
                Failure::Unsent(()),
            ]
        };
        let after = |policy: &RetryPolicy| failures().map(|failure| policy.after(&failure));
        let repeatable = after(&REPEATABLE);
        assert_eq!(repeatable, [Repeat, Repeat, Repeat, Repeat, Repeat, Fail, Fail, Fail, Fail]);
        assert_eq!(after(&ONCE), [Fail, Fail, Lost, Lost, Lost, Lost, Lost, Fail, Fail]);
    }

    #[tokio::test]
    async fn a_server_is_waited_for_as_long_as_it_asks_and_no_longer_than_is_worth_it() {
        let ms = Duration::from_millis;
        let retries = Retries { tries: 3, base_delay: ms(1), longest_wait: ms(50) };
        for (asked, tries, waited) in [(0, 3, 2), (30, 3, 60), (50, 3, 100), (51, 1, 0)] {
            let (start, mut sent) = (std::time::Instant::now(), 0);
            let failure = retries
                .repeat(&REPEATABLE, || {
                    sent += 1;
                    let answer = Answer::default();
                    let refusal =
                        RefusedAnswer { answer, is_throttled: true, wait: Some(ms(asked)) };
                    std::future::ready(Err::<Answer, Failure<()>>(Failure::Refused(refusal.into())))
                })
                .await
                .unwrap_err();
            assert_eq!((failure.asked_to_wait(), sent), (Some(ms(asked)), tries));
            assert!(start.elapsed() >= ms(waited), "{asked}: {:?}", start.elapsed());
        }
    }

    #[test]
    fn retry_after_counts_with_the_statuses_that_it_is_for() {
        for (status, wait) in [(429, Some(7)), (503, Some(7)), (500, None), (403, None)] {
            let mut answer =
                Answer { status: StatusCode::from_u16(status).unwrap(), ..Answer::default() };
            answer.headers.insert("retry-after", "7".parse().unwrap());
            let failure: Failure<()> = answer.into();
            assert_eq!(failure.asked_to_wait(), wait.map(Duration::from_secs), "{status}");
        }
    }
}
