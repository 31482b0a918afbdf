//! Access tokens: fetched once, shared by all calls, renewed in time (RFC 7523).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{REPEATABLE, SMALL};
use jiff::Timestamp;
use reqwest::{Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::credentials::{Credentials, Wanted};
use super::error::{CallPlace, Error, ErrorKind};
use super::failure::{Failure, Unsent, readable};
use super::issuer::Issuer;
use super::token_error;
use domain::GrantType;
use domain::secret::{self, SecretText};

/// A token is renewed this long before it ends, or when a tenth of its life is left if that is less.
const MARGIN: Duration = Duration::from_secs(10);

/// No token is kept longer than this, whatever the server says of its life.
const MAX_LIFE: u64 = 86_400;

/// An access token, and when it is to be renewed.
pub(super) struct Token {
    pub(super) bearer: SecretString,
    number: u64,
    renew_at: Instant,
}

/// What hands out the token for all calls.
pub(super) struct TokenCache {
    issuer: Issuer,
    wanted: Wanted,
    credentials: Credentials,
    state: Mutex<TokenState>,
    /// How many requests for a token have ended.
    ended: AtomicU64,
}

#[derive(Default)]
struct TokenState {
    token: Option<Arc<Token>>,
    /// How the last request failed, for those who were waiting for it.
    failed: Option<Error>,
}

/// Lifetime of a token whose answer names none, in seconds: Maskinporten's default.
const DEFAULT_LIFE: u64 = 120;

/// RFC 6749 section 5.1, where only the token itself and its type are required.
#[derive(Deserialize)]
struct TokenResponse {
    access_token: SecretText,
    token_type: Option<String>,
    expires_in: Option<u64>,
    scope: Option<String>,
}

impl TokenCache {
    pub(super) fn new(issuer: Issuer, scopes: &str, credentials: Credentials) -> Self {
        let scopes = scopes.split(' ').map(str::to_owned).collect();
        let wanted = Wanted { scopes, resource: Vec::new(), consumer_org: None };
        let (state, ended) = Default::default();
        Self { issuer, wanted, credentials, state, ended }
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The token, renewed if it is about to end.
    pub(super) async fn current(&self) -> Result<Arc<Token>, Error> {
        self.token_that(|_| true).await
    }

    /// Another token than one that the API has refused.
    pub(super) async fn replacement_for(&self, refused: &Token) -> Result<Arc<Token>, Error> {
        self.token_that(|token| token.number != refused.number).await
    }

    /// One request serves all who wait for it, whether it succeeds or fails.
    async fn token_that(&self, will_do: impl Fn(&Token) -> bool) -> Result<Arc<Token>, Error> {
        let ended = self.ended.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        let fresh = |token: &Token| Instant::now() < token.renew_at && will_do(token);
        if let Some(token) = state.token.as_ref().filter(|token| fresh(token)) {
            return Ok(Arc::clone(token));
        }
        if let Some(error) = &state.failed
            && self.ended.load(Ordering::Acquire) > ended
        {
            return Err(error.clone());
        }
        let result = self.fetch().await;
        let number = self.ended.fetch_add(1, Ordering::AcqRel);
        match result {
            Ok(token) => {
                let token = Arc::new(Token { number, ..token });
                *state = TokenState { token: Some(Arc::clone(&token)), failed: None };
                Ok(token)
            }
            Err(error) => {
                *state = TokenState { token: None, failed: Some(error.clone()) };
                Err(error)
            }
        }
    }

    async fn fetch(&self) -> Result<Token, Error> {
        let asked = Instant::now();
        let (bearer, expires_in) = self.issuer.ask(&self.credentials, &self.wanted).await?;
        let life = Duration::from_secs(expires_in.min(MAX_LIFE));
        Ok(Token {
            bearer,
            number: 0,
            renew_at: asked + life.saturating_sub(MARGIN.min(life / 10)),
        })
    }
}

impl Issuer {
    /// Asks for a token; returns it and its lifetime in seconds. Errors where it comes without a scope that was
    /// asked for.
    pub(super) async fn ask(
        &self,
        credentials: &Credentials,
        wanted: &Wanted,
    ) -> Result<(SecretString, u64), Error> {
        let scopes = wanted.scopes.join(" ");
        let place = CallPlace {
            call: format!("POST {}", self.endpoints.token),
            entity: format!("token with {scopes}"),
        };
        let attempt = || async {
            let request = self.request(credentials, wanted, &place);
            let request = request.map_err(|error| Failure::Unsent(Unsent::Token(error)))?;
            readable(self.client.exchange(request, SMALL).await?)
        };
        let answer = self.persistence.retries.repeat(&REPEATABLE, attempt).await;
        let answer = answer.map_err(|failure| {
            let ids = (credentials.client_id(), credentials.kid());
            let error = token_error::explain(failure, self.persistence, &place, ids);
            let expired = credentials.certificate_expires().filter(|at| *at <= Timestamp::now());
            match expired.filter(|_| error.kind() == ErrorKind::Auth) {
                Some(at) => {
                    error.with_cause(format!("the certificate expired on {}", at.strftime("%F")))
                }
                None => error,
            }
        })?;
        // What the parser says is not passed on: it can quote the answer, which holds the token.
        let malformed = |reason: &str| Error::new(ErrorKind::Malformed, &place, reason);
        let answer: TokenResponse = serde_json::from_slice(&answer.body)
            .map_err(|_| malformed("the answer has no access_token, or an odd expires_in"))?;
        let bearer = answer.token_type.as_deref().unwrap_or("Bearer");
        if !bearer.eq_ignore_ascii_case("Bearer") {
            return Err(malformed("the token is not of type Bearer"));
        }
        if let Some(missing) = missing_scope(&scopes, answer.scope.as_deref()) {
            return Err(Error::new(
                ErrorKind::Auth,
                &place,
                format!("the token came without {missing}"),
            ));
        }
        secret::note(&answer.access_token.0);
        Ok((answer.access_token.0, answer.expires_in.unwrap_or(DEFAULT_LIFE)))
    }

    /// A fresh request: a grant is good for one use.
    fn request(
        &self,
        credentials: &Credentials,
        wanted: &Wanted,
        place: &CallPlace,
    ) -> Result<Request, Error> {
        let grant = credentials
            .grant(&self.issuer, wanted, Timestamp::now())
            .map_err(|reason| Error::new(ErrorKind::Auth, place, reason.to_string()))?;
        // An answer can repeat it.
        secret::note(&grant);
        self.client
            .request(Method::POST, self.endpoints.token.clone())
            .form(&[
                ("grant_type", GrantType::JwtBearer.as_str()),
                ("assertion", grant.expose_secret()),
            ])
            .build()
            .map_err(|reason| Error::new(ErrorKind::Auth, place, http::reason(reason)))
    }
}

/// The first scope that was asked for and not given. No `scope` in the answer means all of them
/// (RFC 6749 section 5.1).
fn missing_scope<'a>(asked: &'a str, granted: Option<&str>) -> Option<&'a str> {
    let granted = granted?;
    asked.split(' ').find(|scope| !granted.split(' ').any(|other| other == *scope))
}

#[cfg(test)]
mod tests {
    use super::missing_scope;

    #[test]
    fn a_token_must_hold_every_scope_asked_for() {
        assert_eq!(missing_scope("a b", None), None);
        assert_eq!(missing_scope("a b", Some("b c a")), None);
        assert_eq!(missing_scope("a b", Some("ab a")), Some("b"));
        assert_eq!(missing_scope("a b", Some("")), Some("a"));
    }
}
