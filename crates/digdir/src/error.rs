//! What can go wrong between a program and DigDir.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;

use super::owner::OwnerMismatch;
use super::token_error::TokenRefusal;
use super::wire::ApiErrorResponse;
use domain::secret;

/// How much of a text from outside an error keeps, in characters.
const MAX_TEXT: usize = 1_000;

/// How many of DigDir's `errors[]` an error keeps.
const MAX_ENTRIES: usize = 50;

/// A call that did not do what it should. Displayed, it says what happened and where. What to do now is
/// for the program to say: [`Error::kind`], [`Error::token_refusal`] and [`Error::owner_mismatch`] are what
/// to go by. All its texts are free of control characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{details}")]
pub struct Error {
    details: Box<Details>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Details {
    kind: ErrorKind,
    call: String,
    entity: String,
    status: Option<u16>,
    code: Option<String>,
    description: Option<String>,
    entries: Vec<String>,
    correlation_id: Option<String>,
    cause: Option<String>,
    token_refusal: Option<TokenRefusal>,
    clock_offset: Option<i64>,
    owner_mismatch: Option<OwnerMismatch>,
    retry_after: Option<Duration>,
}

/// What an error comes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The other side is not one that credentials may go to: its host is neither DigDir's nor
    /// allowed, or its metadata names another issuer or a token endpoint elsewhere.
    Untrusted,
    /// The client is another organisation's than the one whose declarations these are.
    OtherOrganization,
    /// No token, or one that the API does not accept (401).
    Auth,
    /// Not this organisation's, or beyond what the client may do (403).
    Forbidden,
    /// The entity does not exist (404, told by the API itself and not by something before it).
    NotFound,
    /// The entity is not in the state that the call expects (409).
    Conflict,
    /// The API refuses what was sent (400, 422).
    Invalid,
    /// The organisation has not signed DigDir's terms (428).
    Terms,
    /// Too many requests, after all tries or for longer than is worth waiting (429).
    Throttled,
    /// The API failed, after all tries (5xx).
    Server,
    /// No connection or no answer, after all tries.
    Connection,
    /// A call that must not be sent twice may or may not have been carried out.
    AnswerLost,
    /// A write that was not sent, as nothing may be written any more.
    Stopped,
    /// An answer that is not what the API's description says: an HTML page, a redirect, broken JSON.
    Malformed,
    /// Another refusal (4xx).
    Refused,
}

/// The call that an error is about.
#[derive(Debug, Clone)]
pub(super) struct CallPlace {
    /// Method, path and query as a person reads them.
    pub call: String,
    /// What the call is about, such as `scope etat:x.read`.
    pub entity: String,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, place: &CallPlace, cause: impl Into<String>) -> Self {
        Self {
            details: Box::new(Details {
                kind,
                call: clean(&place.call),
                entity: clean(&place.entity),
                status: None,
                code: None,
                description: None,
                entries: Vec::new(),
                correlation_id: None,
                cause: Some(clean(&cause.into())),
                token_refusal: None,
                clock_offset: None,
                owner_mismatch: None,
                retry_after: None,
            }),
        }
    }

    /// An error from an answer of the API.
    pub(super) fn answered(
        kind: ErrorKind,
        place: &CallPlace,
        status: StatusCode,
        body: ApiErrorResponse,
    ) -> Self {
        let entries = body.errors.iter().flatten().take(MAX_ENTRIES);
        let mut error = Self::new(kind, place, "").status_is(status);
        error.details.cause = None;
        error.details.code = body.error.as_deref().map(clean);
        error.details.description = body.error_description.as_deref().map(clean);
        error.details.entries = entries.map(|entry| clean(&entry.to_string())).collect();
        error.details.correlation_id = body.correlation_id.as_deref().map(clean);
        error
    }

    pub(super) fn status_is(mut self, status: StatusCode) -> Self {
        self.details.status = Some(status.as_u16());
        self
    }

    /// Without a text that Maskinporten repeats: whoever names where the client's id and the kid come from
    /// could name a secret.
    pub(super) fn hiding(mut self, text: &str, name: &str) -> Self {
        let hide = |shown: &mut String| *shown = shown.replace(text, name);
        let Details { code, description, entries, correlation_id, .. } = &mut *self.details;
        let texts = [code, description, correlation_id].into_iter().flatten();
        texts.chain(entries).for_each(hide);
        self
    }

    pub(super) fn wait_before_next(mut self, wait: Option<Duration>) -> Self {
        self.details.retry_after = wait;
        self
    }

    pub(super) fn with_cause(mut self, cause: impl Into<String>) -> Self {
        self.details.cause = Some(clean(&cause.into()));
        self
    }

    /// The same where an earlier try may have been carried out.
    #[must_use]
    pub fn after_unclear(mut self) -> Self {
        self.details.kind = ErrorKind::AnswerLost;
        self
    }

    /// The same refusal where a token was asked for: there, 400 and 403 are about the client.
    pub(super) fn of_tokens(mut self) -> Self {
        self.details.kind = match self.details.kind {
            ErrorKind::Invalid | ErrorKind::Forbidden => ErrorKind::Auth,
            other => other,
        };
        self
    }

    /// An error of a token request.
    pub(super) fn about_token(
        mut self,
        refusal: Option<TokenRefusal>,
        offset: Option<i64>,
    ) -> Self {
        self.details.token_refusal = refusal;
        self.details.clock_offset = offset;
        self
    }

    pub(super) fn with_owner(mut self, mismatch: OwnerMismatch) -> Self {
        self.details.owner_mismatch = Some(mismatch);
        self
    }

    /// What it comes down to.
    pub fn kind(&self) -> ErrorKind {
        self.details.kind
    }

    /// Method, path and query, unencoded and without `/api/v1`: `PUT /scopes?scope=etat:x`.
    pub fn call(&self) -> &str {
        &self.details.call
    }

    /// The HTTP status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.details.status
    }

    /// DigDir's `error_description`, or else its `error`.
    pub fn description(&self) -> Option<&str> {
        let Details { description, code, .. } = &*self.details;
        description.as_deref().or(code.as_deref())
    }

    /// DigDir's `error`.
    pub(super) fn code(&self) -> Option<&str> {
        self.details.code.as_deref()
    }

    /// What DigDir's support asks for.
    pub fn correlation_id(&self) -> Option<&str> {
        self.details.correlation_id.as_deref()
    }

    /// How long the server asks to wait before the next try (`Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        self.details.retry_after
    }

    /// Why Maskinporten refused a token, if it did.
    pub fn token_refusal(&self) -> Option<TokenRefusal> {
        self.details.token_refusal
    }

    /// Seconds by which this machine's clock is ahead of the server's, less than 0 if it is behind, where a
    /// token was refused and they differ by more than 5 s.
    pub fn clock_offset(&self) -> Option<i64> {
        self.details.clock_offset
    }

    /// Whether Maskinporten refused a token because the client does not have this scope, or its organisation
    /// no access to it.
    pub fn refuses(&self, scope: &str) -> bool {
        let refusals = [TokenRefusal::ScopeNotOnClient, TokenRefusal::NoAccess];
        self.token_refusal().is_some_and(|refusal| refusals.contains(&refusal))
            && self.description().is_some_and(|description| description.contains(scope))
    }

    /// Whose something is, where it is not whose it should be.
    pub fn owner_mismatch(&self) -> Option<&OwnerMismatch> {
        self.details.owner_mismatch.as_ref()
    }
}

impl ErrorKind {
    fn words(self) -> &'static str {
        match self {
            Self::Untrusted => "not a place that credentials may go to",
            Self::OtherOrganization => "another organisation's",
            Self::Auth => "not authenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not found",
            Self::Conflict => "not in the expected state",
            Self::Invalid => "refused as invalid",
            Self::Terms => "the organisation has not signed the terms",
            Self::Throttled => "too many requests",
            Self::Server => "the server failed",
            Self::Connection => "no answer",
            Self::AnswerLost => "the answer was lost: it is unknown whether this was carried out",
            Self::Stopped => "not sent",
            Self::Malformed => "an answer that the API does not give",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            call,
            entity,
            status,
            code,
            description,
            entries,
            correlation_id,
            cause,
            token_refusal: _,
            clock_offset,
            owner_mismatch: _,
            retry_after: _,
        } = self;
        write!(f, "{entity}: {}", kind.words())?;
        if let Some(description) = description.as_ref().or(code.as_ref()) {
            write!(f, ": {description}")?;
        }
        for entry in entries {
            write!(f, "; {entry}")?;
        }
        if let Some(cause) = cause {
            write!(f, ": {cause}")?;
        }
        if let Some(seconds) = clock_offset {
            let side = if *seconds > 0 { "ahead of" } else { "behind" };
            let seconds = seconds.unsigned_abs();
            write!(f, ": this machine's clock is {seconds} s {side} the server's")?;
        }
        write!(f, " ({call}")?;
        if let Some(status) = status {
            write!(f, ", HTTP {status}")?;
        }
        if let Some(id) = correlation_id {
            write!(f, ", correlation id {id}")?;
        }
        write!(f, ")")
    }
}

/// A text from outside as it is shown.
fn clean(text: &str) -> String {
    secret::excerpt(text, MAX_TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn place() -> CallPlace {
        CallPlace {
            call: "PUT /scopes/access/974761076?scope=etat:x".to_owned(),
            entity: "access of 974761076 to etat:x".to_owned(),
        }
    }

    fn answered(body: serde_json::Value) -> Error {
        let body = serde_json::from_value(body).unwrap();
        Error::answered(ErrorKind::Invalid, &place(), StatusCode::BAD_REQUEST, body)
    }

    #[test]
    fn everything_that_digdir_reports_is_shown() {
        let error = answered(json!({
            "status": 400, "correlation_id": "c-1", "error": "invalid_request",
            "error_description": "Ugyldig\u{1b}[31m konsument",
            "errors": [
                {"errorMessage": "finnes ikke", "isFieldError": true,
                 "objectName": "access", "fieldIdentifier": "consumer_orgno"},
                {"errorMessage": "prøv igjen", "isFieldError": false},
            ],
        }));
        assert_eq!(
            error.to_string(),
            "access of 974761076 to etat:x: refused as invalid: Ugyldig\u{FFFD}[31m konsument; \
             consumer_orgno: finnes ikke; prøv igjen \
             (PUT /scopes/access/974761076?scope=etat:x, HTTP 400, correlation id c-1)"
        );
        assert_eq!(error.status(), Some(400));
        assert_eq!(error.correlation_id(), Some("c-1"));
    }

    #[test]
    fn an_answer_without_a_body_still_says_what_happened() {
        let error = answered(json!({}));
        assert_eq!(
            error.to_string(),
            "access of 974761076 to etat:x: refused as invalid \
             (PUT /scopes/access/974761076?scope=etat:x, HTTP 400)"
        );
    }

    #[test]
    fn a_flood_of_text_is_cut() {
        let error = answered(json!({"error_description": "æ".repeat(100_000)}));
        assert!(error.to_string().len() < 3_000);
    }
}
