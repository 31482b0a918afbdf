//! Errors of posting a comment, worded for the person who maintains the CI job.

use std::fmt;
use std::time::Duration;

use super::comment::Forge;
use domain::secret;

/// Longest part of a text from outside that an error keeps, in characters.
const MAX_TEXT: usize = 500;

/// The longest wait that a host may ask for; a longer one is reported as a failure.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(60);

/// Reason why a comment was not posted. Its display says what happened and where; [`Error::help`] says what
/// to do. All its texts are free of control characters, and of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{details}")]
pub struct Error {
    details: Box<ForgeErrorDetails>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ForgeErrorDetails {
    kind: ForgeErrorKind,
    what: String,
    call: Option<String>,
    status: Option<u16>,
    help: String,
    asked_to_wait: Option<Duration>,
}

/// What to do about a refusal, where it depends on the host.
#[derive(Debug)]
pub(super) struct Advice {
    pub(super) auth: &'static str,
    pub(super) forbidden: &'static str,
    pub(super) not_found: &'static str,
}

/// Kind of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ForgeErrorKind {
    /// An environment variable is not set, or its value cannot be used.
    Environment,
    /// The job does not run for a pull request.
    NoPullRequest,
    /// The comment exceeds the host's limit, or has no marker.
    Comment,
    /// The host does not accept the token (401).
    Auth,
    /// The token may not do that (403).
    Forbidden,
    /// The host does not know the pull request, or hides it from this token (404).
    NotFound,
    /// The host rejects the content (400, 413, 422).
    Invalid,
    /// Too many requests (429, or 403 with a time to wait).
    Throttled,
    /// The host failed (5xx).
    Server,
    /// No connection or no answer.
    Connection,
    /// A comment may or may not have been created.
    AnswerLost,
    /// An answer that does not come from the host's API: HTML, a redirect, broken JSON.
    Malformed,
    /// Another refusal.
    Refused,
}

impl Error {
    fn new(kind: ForgeErrorKind, what: &str, help: &str) -> Self {
        let details = ForgeErrorDetails {
            kind,
            what: clean(what),
            call: None,
            status: None,
            help: clean(help),
            asked_to_wait: None,
        };
        Self { details: Box::new(details) }
    }

    /// A variable that is not set.
    pub(super) fn missing(variable: &str, help: &str) -> Self {
        Self::new(ForgeErrorKind::Environment, &format!("{variable} is not set"), help)
    }

    /// A variable whose value cannot be used.
    pub(super) fn unusable(why: &str, help: &str) -> Self {
        Self::new(ForgeErrorKind::Environment, why, help)
    }

    pub(super) fn no_pull_request(why: &str, help: &str) -> Self {
        Self::new(
            ForgeErrorKind::NoPullRequest,
            &format!("this job is about no pull request: {why}"),
            help,
        )
    }

    pub(super) fn marker(marker: &str) -> Self {
        Self::new(
            ForgeErrorKind::Comment,
            &format!("{marker:?} is not a marker of a comment"),
            "A marker is an HTML comment of one line, such as <!-- portvakt plan test -->.",
        )
    }

    pub(super) fn too_long(forge: Forge, length: usize) -> Self {
        let limit = forge.limit();
        Self::new(
            ForgeErrorKind::Comment,
            &format!("the comment has {length} characters, and {forge} takes {limit}"),
            "Post a shorter one.",
        )
    }

    /// An error of a call: the operation, and its result.
    pub(super) fn of_call(
        kind: ForgeErrorKind,
        doing: &str,
        call: &str,
        why: &str,
        advice: &Advice,
    ) -> Self {
        let cause = match why {
            "" => String::new(),
            why => format!(": {why}"),
        };
        let what = format!("{doing}: {}{cause}", kind.words());
        let mut error = Self::new(kind, &what, kind.help(advice));
        error.details.call = Some(clean(call));
        error
    }

    pub(super) fn status_is(mut self, status: u16) -> Self {
        self.details.status = Some(status);
        self
    }

    pub(super) fn asked_to_wait(mut self, wait: Option<Duration>) -> Self {
        self.details.asked_to_wait = wait;
        if let Some(wait) = wait.filter(|wait| *wait > MAX_WAIT) {
            self.details.what.push_str(&format!(
                "; the host asks to wait {} s, more than the {} s that portvakt waits",
                wait.as_secs(),
                MAX_WAIT.as_secs()
            ));
        }
        self
    }

    /// The wait before another attempt, at least this long; `None` if there must be no other.
    pub(super) fn wait_at_least(&self, least: Duration) -> Option<Duration> {
        let asked = self.details.asked_to_wait.unwrap_or_default();
        (self.details.kind.is_passing() && asked <= MAX_WAIT).then(|| asked.max(least))
    }

    /// Its kind.
    pub fn kind(&self) -> ForgeErrorKind {
        self.details.kind
    }

    /// The HTTP status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.details.status
    }

    /// The remedy.
    pub fn help(&self) -> &str {
        &self.details.help
    }

    /// The error and, on a line of its own, the remedy.
    pub fn advised(&self) -> String {
        format!("{self}\n{}", self.help())
    }
}

impl ForgeErrorKind {
    fn is_passing(self) -> bool {
        match self {
            Self::Throttled | Self::Server | Self::Connection | Self::AnswerLost => true,
            Self::Environment
            | Self::NoPullRequest
            | Self::Comment
            | Self::Auth
            | Self::Forbidden
            | Self::NotFound
            | Self::Invalid
            | Self::Malformed
            | Self::Refused => false,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Environment => "not named by the environment",
            Self::NoPullRequest => "no pull request",
            Self::Comment => "not a comment that can be posted",
            Self::Auth => "the token is not accepted",
            Self::Forbidden => "the token may not do that",
            Self::NotFound => "not found",
            Self::Invalid => "refused as invalid",
            Self::Throttled => "too many requests",
            Self::Server => "the host failed",
            Self::Connection => "no answer",
            Self::AnswerLost => "the answer was lost",
            Self::Malformed => "an answer that the API does not give",
            Self::Refused => "refused",
        }
    }

    fn help(self, advice: &Advice) -> &'static str {
        match self {
            Self::Environment | Self::NoPullRequest => {
                "Run this in a CI job of a pull request, or set the host's variables."
            }
            Self::Comment => "Post another text.",
            Self::Auth => advice.auth,
            Self::Forbidden => advice.forbidden,
            Self::NotFound => advice.not_found,
            Self::Invalid => "See what the host says about it.",
            Self::Throttled | Self::Server => "Run the job again later.",
            Self::Connection => {
                "Check that this machine reaches the host (network, firewall, HTTPS_PROXY), then \
                 run the job again."
            }
            Self::AnswerLost => "Run the job again: it updates the comment if there is one.",
            Self::Malformed => {
                "Check that the variable with the API's address names the API itself, and that no \
                 gateway or proxy answers in its place."
            }
            Self::Refused => "See what the host says about it, then run the job again.",
        }
    }
}

impl fmt::Display for ForgeErrorDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind: _, what, call, status, help: _, asked_to_wait: _ } = self;
        f.write_str(what)?;
        match (call, status) {
            (Some(call), Some(status)) => write!(f, " ({call}, HTTP {status})"),
            (Some(call), None) => write!(f, " ({call})"),
            (None, _) => Ok(()),
        }
    }
}

/// A text from outside, safe to show.
fn clean(text: &str) -> String {
    secret::excerpt(text, MAX_TEXT)
}
