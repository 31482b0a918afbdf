//! Single calls with their answers as they came: for finding out how the API behaves where its
//! description does not say.

use std::fmt;
use std::sync::Arc;

use http::Answer;
use serde_json::Value;

use super::call::Call;
use super::credentials::Credentials;
use super::error::{Error, ErrorKind};
use super::failure::Failure;
use super::options::Options;
use super::owner;
use super::target::ApiTarget;
use super::transport::{Gate, Transport};
use super::wire::ApiErrorResponse;
use domain::secret;

/// How much of a body [`ProbedExchange`] shows, in characters.
const SHOWN: usize = 200;

/// A call and its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbedExchange {
    /// Method, path and query.
    pub call: String,
    /// The status of the answer.
    pub status: u16,
    /// The body of the answer, without secrets; `None` where it is empty.
    pub body: Option<Value>,
}

impl ProbedExchange {
    fn new(call: &Call<'_>, answer: &Answer) -> Self {
        let mut body: Option<Value> = answer.json();
        if let Some(secret) = body.as_mut().and_then(|body| body.get_mut("client_secret")) {
            *secret = Value::from("(secret)");
        }
        Self { call: call.place().call, status: answer.status.as_u16(), body }
    }

    /// Whether the API did what was asked (2xx).
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl fmt::Display for ProbedExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, status, body } = self;
        write!(f, "{call} → {status}")?;
        let Some(body) = body else { return f.write_str(", an empty body") };
        // Before it is cut: a part of a secret is not recognised.
        let body = body.to_string();
        let body = secret::redact(&body);
        let shown: String = body.chars().take(SHOWN).collect();
        let rest = if shown.len() < body.len() { "…" } else { "" };
        write!(f, " {shown}{rest}")
    }
}

/// The API for single calls, each sent as its [`Call`] says.
pub struct Probe {
    transport: Arc<Transport>,
    gate: Arc<Gate>,
}

impl Probe {
    /// Connects with a token for these scopes. The gate is asked before each request: it says why no
    /// further one may be sent, if so ([`ErrorKind::Stopped`]).
    ///
    /// # Errors
    /// There is no token.
    pub async fn connect(
        target: ApiTarget,
        credentials: Credentials,
        options: Options,
        scopes: &'static str,
        gate: impl Fn() -> Result<(), &'static str> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let transport = Transport::connect(target, credentials, options, scopes).await?;
        Ok(Self { transport, gate: Arc::new(gate) })
    }

    /// Sends a call and returns the exchange, whether the API did what was asked or refused it (4xx).
    ///
    /// # Errors
    /// The API does not accept the token (401) or the organisation (428), or gives no answer of its own.
    pub async fn exchange(&self, call: &Call<'_>) -> Result<ProbedExchange, Error> {
        let failure = match self.transport.send_while(call, &*self.gate).await {
            Ok(answer) => return Ok(ProbedExchange::new(call, &answer)),
            Err(failure) => failure,
        };
        if let Failure::Refused(refusal) = &failure
            && ApiErrorResponse::of(&refusal.answer).is_some()
        {
            let exchange = ProbedExchange::new(call, &refusal.answer);
            let error = self.transport.error(failure, call);
            return match error.kind() {
                ErrorKind::NotFound
                | ErrorKind::Conflict
                | ErrorKind::Invalid
                | ErrorKind::Forbidden
                | ErrorKind::Refused => Ok(exchange),
                _ => Err(error),
            };
        }
        Err(self.transport.error(failure, call))
    }

    /// Checks whose the prefixes in the answer to [`Call::prefixes`] are.
    ///
    /// # Errors
    /// One is another organisation's than the expected one.
    pub fn check_owner(&self, prefixes: &ProbedExchange) -> Result<(), Error> {
        let entries = prefixes.body.iter().filter_map(Value::as_array).flatten();
        let owners = entries.map(|entry| {
            let text = |field: &str| entry.get(field).and_then(Value::as_str);
            (format!("prefix {}", text("prefix").unwrap_or_default()), text("owner_orgno"))
        });
        owner::check(&Call::prefixes(), self.transport.owner(), owners)
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").finish_non_exhaustive()
    }
}
