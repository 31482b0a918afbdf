//! Sends a call: limits, token, repetition.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::{Client, Method, Request, StatusCode};
use secrecy::ExposeSecret;
use serde::de::IgnoredAny;
use tokio::sync::Semaphore;
use url::Url;

use super::attempts::{Failure, repeat, what_came};
use super::call::Call;
use super::credentials::Credentials;
use super::error::{Error, ErrorKind, Place};
use super::http::{self, Answer, exchange};
use super::issuer::{self, readable};
use super::options::Options;
use super::owner::ExpectedOwner;
use super::target::Target;
use super::token::{Token, Tokens};

/// Says why nothing may be sent any more, if so.
pub(super) type Gate = dyn Fn() -> Result<(), &'static str> + Send + Sync;

/// A connection to the API of one environment.
pub(super) struct Transport {
    client: Client,
    api: Url,
    tokens: Tokens,
    permits: Semaphore,
    rate: DefaultDirectRateLimiter,
    base_delay: Duration,
    owner: Option<ExpectedOwner>,
}

impl Transport {
    /// Checks the hosts, finds the token endpoint and fetches the first token.
    pub(super) async fn connect(
        target: Target,
        credentials: Credentials,
        options: Options,
        scope: &'static str,
    ) -> Result<Arc<Self>, Error> {
        let place =
            Place { call: format!("connect to {}", target.api), entity: "target".to_owned() };
        let untrusted = |reason: String| Error::new(ErrorKind::Untrusted, &place, reason);
        target.check(&options.allowed_hosts).map_err(|reason| untrusted(reason.to_string()))?;
        let issuer = Url::parse(&target.issuer).map_err(|reason| untrusted(reason.to_string()))?;
        let client = |url: &Url| {
            http::client(url, options.timeout)
                .map_err(|error| Error::new(ErrorKind::Connection, &place, http::reason(error)))
        };
        let issuer_client = client(&issuer)?;
        let endpoints =
            issuer::endpoints(&issuer_client, &target.issuer, options.base_delay).await?;
        let transport = Self {
            client: client(&target.api)?,
            api: target.api,
            tokens: Tokens::new(
                issuer_client,
                endpoints.token,
                target.issuer,
                scope,
                credentials,
                options.base_delay,
            ),
            permits: Semaphore::new(options.concurrency.get().min(Semaphore::MAX_PERMITS)),
            rate: RateLimiter::direct(quota(&options)),
            base_delay: options.base_delay,
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
        // Only a closed semaphore refuses, and nothing closes this one.
        let _permit = self.permits.acquire().await.ok();
        let unclear = AtomicBool::new(false);
        let may_send = || {
            gate().map_err(|why| Failure::Stopped { why, unclear: unclear.load(Ordering::Relaxed) })
        };
        repeat(call.policy, self.base_delay, || async {
            let answer = self.attempt(call, &may_send).await;
            let is_unclear = answer.as_ref().is_err_and(Failure::is_unclear);
            unclear.fetch_or(is_unclear, Ordering::Relaxed);
            answer
        })
        .await
    }

    /// One attempt. A 401 can mean that the token has just ended, or was revoked: it is renewed
    /// and the call repeated, once. The API refuses before it does anything, so this holds for
    /// POST too.
    async fn attempt(
        &self,
        call: &Call<'_>,
        may_send: &(dyn Fn() -> Result<(), Failure> + Sync),
    ) -> Result<Answer, Failure> {
        let token = self.tokens.current().await.map_err(Failure::Token)?;
        let answer = self.once(call, &token, may_send).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return acceptable(call, answer);
        }
        let token = self.tokens.instead_of(&token).await;
        let answer = self.once(call, &*token.map_err(Failure::Token)?, may_send).await?;
        acceptable(call, answer)
    }

    async fn once(
        &self,
        call: &Call<'_>,
        token: &Token,
        may_send: &(dyn Fn() -> Result<(), Failure> + Sync),
    ) -> Result<Answer, Failure> {
        self.rate.until_ready().await;
        may_send()?;
        let request =
            self.request(call, token).map_err(|error| Failure::NotSent(http::reason(error)))?;
        Ok(exchange(&self.client, request, http::LIST).await?)
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

/// No more at once than may be on their way anyhow; else a second could begin with twice the rate.
fn quota(options: &Options) -> Quota {
    let burst = u32::try_from(options.concurrency.get()).unwrap_or(u32::MAX);
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(options.rate).allow_burst(burst.min(options.rate))
}

/// What is read must be JSON. What was changed may be answered by JSON or by nothing.
fn acceptable(call: &Call<'_>, answer: Answer) -> Result<Answer, Failure> {
    if call.method == Method::GET || !answer.status.is_success() {
        return readable(answer);
    }
    let json = answer.is_json() && serde_json::from_slice::<IgnoredAny>(&answer.body).is_ok();
    match json || answer.body.is_empty() {
        true => Ok(answer),
        false => Err(Failure::Malformed(Some(answer.status), what_came(&answer))),
    }
}
