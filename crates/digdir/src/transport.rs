//! Sends a call: limits, token, repetition.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Answer, Client, Limits, NoAnswer};
use reqwest::{Method, Request, StatusCode};
use secrecy::ExposeSecret;
use serde::de::IgnoredAny;
use url::Url;

use super::call::Call;
use super::credentials::Credentials;
use super::error::{CallPlace, Error};
use super::failure::{Failure, Persistence, Unsent, readable, what_came};
use super::issuer::{Issuer, MetadataPath};
use super::options::Options;
use super::owner::ExpectedOwner;
use super::target::ApiTarget;
use super::token::{Token, TokenCache};

/// The most that an answer of the API is, in bytes: more than any list of DigDir's.
const LIST: usize = 64 << 20;

/// Says why nothing may be sent any more, if so.
pub(super) type Gate = dyn Fn() -> Result<(), &'static str> + Send + Sync;

/// A connection to the API of one environment.
pub(super) struct Transport {
    client: Client,
    api: Url,
    tokens: TokenCache,
    limits: Limits,
    persistence: Persistence,
    owner: Option<ExpectedOwner>,
}

impl Transport {
    /// Checks the hosts, finds the token endpoint and fetches the first token.
    pub(super) async fn connect(
        target: ApiTarget,
        credentials: Credentials,
        options: Options,
        scopes: &str,
    ) -> Result<Arc<Self>, Error> {
        let place =
            CallPlace { call: format!("connect to {}", target.api), entity: "target".to_owned() };
        let maskinporten = Ok(target.issuer.as_str());
        let issuer =
            Issuer::find(&target, maskinporten, MetadataPath::OAuth, &options, &place).await?;
        let transport = Self {
            client: options.client(&target.api, &place)?,
            api: target.api,
            persistence: issuer.persistence,
            tokens: TokenCache::new(issuer, scopes, credentials),
            limits: Limits::new(options.concurrency, options.rate),
            owner: options.owner,
        };
        transport.tokens.current().await?;
        Ok(Arc::new(transport))
    }

    /// Whose what the API lists as the organisation's own must be.
    pub(super) fn owner(&self) -> Option<&ExpectedOwner> {
        self.owner.as_ref()
    }

    pub(super) fn credentials(&self) -> &Credentials {
        self.tokens.credentials()
    }

    /// Sends a call as often as its policy says. It keeps its place among the concurrent ones
    /// while it waits, so that a server that asks for less gets less.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        self.send_while(call, &|| Ok(())).await
    }

    /// The same, where the gate is asked each time before it is sent.
    pub(super) async fn send_while(&self, call: &Call<'_>, gate: &Gate) -> Result<Answer, Failure> {
        let _permit = self.limits.call().await;
        let unclear = AtomicBool::new(false);
        let may_send = || {
            gate().map_err(|why| {
                Failure::Unsent(Unsent::Stopped { why, unclear: unclear.load(Ordering::Relaxed) })
            })
        };
        let attempt = || async {
            let answer = self.attempt(call, &may_send).await;
            let is_unclear = answer.as_ref().is_err_and(Failure::is_unclear);
            unclear.fetch_or(is_unclear, Ordering::Relaxed);
            answer
        };
        self.persistence.retries.repeat(call.policy, attempt).await
    }

    /// The error that the failure of a call comes down to.
    pub(super) fn error(&self, failure: Failure, call: &Call<'_>) -> Error {
        self.persistence.error(failure, call.policy, &call.place())
    }

    /// One attempt. A 401 can mean that the token has just ended, or was revoked: it is renewed
    /// and the call repeated, once. The API refuses before it does anything, so this holds for
    /// POST too.
    async fn attempt(
        &self,
        call: &Call<'_>,
        may_send: &(dyn Fn() -> Result<(), Failure> + Sync),
    ) -> Result<Answer, Failure> {
        let no_token = |error| Failure::Unsent(Unsent::Token(error));
        let token = self.tokens.current().await.map_err(no_token)?;
        let answer = self.once(call, &token, may_send).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return acceptable(call, answer);
        }
        let token = self.tokens.replacement_for(&token).await;
        let answer = self.once(call, &*token.map_err(no_token)?, may_send).await?;
        acceptable(call, answer)
    }

    async fn once(
        &self,
        call: &Call<'_>,
        token: &Token,
        may_send: &(dyn Fn() -> Result<(), Failure> + Sync),
    ) -> Result<Answer, Failure> {
        self.limits.request().await;
        may_send()?;
        let request =
            self.request(call, token).map_err(|error| NoAnswer::NotSent(http::reason(error)))?;
        Ok(self.client.exchange(request, LIST).await?)
    }

    fn request(&self, call: &Call<'_>, token: &Token) -> Result<Request, reqwest::Error> {
        let request = self
            .client
            .request(call.method.clone(), call.url(&self.api))
            .header("accept", "application/json")
            .bearer_auth(token.bearer.expose_secret());
        match call.body {
            Some(body) => request.json(body),
            None => request,
        }
        .build()
    }
}

/// What is read must be JSON. What was changed may be answered by JSON or by nothing.
fn acceptable(call: &Call<'_>, answer: Answer) -> Result<Answer, Failure> {
    if call.method == Method::GET || !answer.status.is_success() {
        return readable(answer);
    }
    let json = answer.is_json() && serde_json::from_slice::<IgnoredAny>(&answer.body).is_ok();
    match json || answer.body.trim_ascii().is_empty() {
        true => Ok(answer),
        false => Err(Failure::Malformed(answer.status, what_came(&answer))),
    }
}
