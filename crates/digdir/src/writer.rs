//! The calls that change something.

use std::fmt;
use std::sync::Arc;

use http::Answer;
use serde::Deserialize;
use serde_json::Value;

use super::call::Call;
use super::credentials::Credentials;
use super::error::{Error, ErrorKind};
use super::needs::Reach;
use super::options::Options;
use super::reader::Reader;
use super::target::ApiTarget;
use super::transport::{Gate, Transport};
use domain::{ClientId, OnBehalfOfId, Orgno, Representation, ScopeName};

/// The API for reading and changing. All calls, its reader's included, share one token.
#[derive(Clone)]
pub struct Writer {
    reader: Reader,
    gate: Arc<Gate>,
}

impl Writer {
    /// Connects with a token for `idporten:scopes.read` and `idporten:scopes.write` and, to reach
    /// clients, `idporten:dcr.read` and `idporten:dcr.write`.
    pub async fn connect(
        target: ApiTarget,
        credentials: Credentials,
        options: Options,
        reach: Reach,
    ) -> Result<Self, Error> {
        let scope = match reach {
            Reach::Scopes => "idporten:scopes.read idporten:scopes.write",
            Reach::ScopesAndClients => {
                "idporten:scopes.read idporten:scopes.write idporten:dcr.read idporten:dcr.write"
            }
        };
        let transport = Transport::connect(target, credentials, options, scope).await?;
        Ok(Self { reader: Reader { transport }, gate: Arc::new(|| Ok(())) })
    }

    /// With a gate that is asked each time before a write is sent, for the first time or again: it says why
    /// nothing may be written any more, if so ([`super::ErrorKind::Stopped`]).
    #[must_use]
    pub fn gated(
        self,
        gate: impl Fn() -> Result<(), &'static str> + Send + Sync + 'static,
    ) -> Self {
        Self { gate: Arc::new(gate), ..self }
    }

    /// Whether something may be written.
    pub fn may_write(&self) -> bool {
        (self.gate)().is_ok()
    }

    /// The calls that read, with the same token and limits.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Makes a scope (`POST /scopes`). A scope of that name that exists, active or not, is
    /// [`super::ErrorKind::Conflict`]. [`super::ErrorKind::AnswerLost`] means that it may or may
    /// not have been made: look it up before anything else.
    pub async fn create_scope(&self, scope: &Representation) -> Result<(), Error> {
        self.change(&Call::create_scope(scope)).await
    }

    /// Replaces a scope's whole representation (`PUT /scopes`): a field that is left out may be
    /// reset. With `"active": true` it reactivates.
    pub async fn update_scope(
        &self,
        name: &ScopeName,
        scope: &Representation,
    ) -> Result<(), Error> {
        self.change(&Call::update_scope(name, scope)).await
    }

    /// Deactivates a scope (`DELETE /scopes`). Its accesses are kept.
    pub async fn deactivate_scope(&self, name: &ScopeName) -> Result<(), Error> {
        self.change(&Call::deactivate_scope(name)).await
    }

    /// Gives a consumer access (`PUT /scopes/access/{orgno}`).
    pub async fn grant(&self, scope: &ScopeName, consumer: Orgno) -> Result<(), Error> {
        self.change(&Call::grant(scope, consumer)).await
    }

    /// Takes a consumer's access away (`DELETE /scopes/access/{orgno}`).
    pub async fn revoke(&self, scope: &ScopeName, consumer: Orgno) -> Result<(), Error> {
        self.change(&Call::revoke(scope, consumer)).await
    }

    /// Makes a client (`POST /clients`) and gives the id that DigDir has assigned to it. Names are
    /// not unique there, so a second one would make a second client:
    /// [`super::ErrorKind::AnswerLost`] means that it may or may not have been made. A secret that
    /// comes with the answer is not kept.
    pub async fn create_client(&self, client: &Representation) -> Result<ClientId, Error> {
        let call = Call::create_client(client);
        let answer = self.send(&call).await?;
        let made: Option<Made> = serde_json::from_slice(&answer.body).ok();
        let id = made.and_then(|made| made.client_id.parse().ok());
        // It was made all the same.
        let odd = || {
            let reason = "the answer has no client_id that can be used";
            Error::new(ErrorKind::AnswerLost, &call.place(), reason)
        };
        id.ok_or_else(odd)
    }

    /// Replaces a client's whole representation (`PUT /clients/{id}`), as
    /// [`update_scope`](Self::update_scope) does.
    pub async fn update_client(&self, id: &ClientId, client: &Representation) -> Result<(), Error> {
        self.change(&Call::update_client(id, client)).await
    }

    /// Deactivates a client (`DELETE /clients/{id}`). Its id and its keys are kept.
    pub async fn deactivate_client(&self, id: &ClientId) -> Result<(), Error> {
        self.change(&Call::deactivate_client(id)).await
    }

    /// Replaces the whole set of a client's keys (`POST /clients/{id}/jwks`), or takes the last ones
    /// away (`DELETE`): an empty set is refused. A key without `use` gets it: one old key that lacks it has
    /// the whole set refused (seen in clients of the live API).
    pub async fn replace_keys(
        &self,
        id: &ClientId,
        keys: Vec<Representation>,
    ) -> Result<(), Error> {
        if keys.is_empty() {
            return self.change(&Call::delete_keys(id)).await;
        }
        let with_use = |mut key: Representation| {
            let usage = key.entry("use").or_insert(Value::Null);
            if usage.is_null() {
                *usage = "sig".into();
            }
            Value::Object(key)
        };
        let keys = keys.into_iter().map(with_use).collect();
        let set = Representation::from_iter([("keys".to_owned(), Value::Array(keys))]);
        self.change(&Call::replace_keys(id, &set)).await
    }

    /// Adds somebody on whose behalf a client acts (`POST /clients/{id}/onbehalfof`).
    pub async fn add_on_behalf_of(
        &self,
        id: &ClientId,
        entry: &Representation,
    ) -> Result<(), Error> {
        self.change(&Call::add_on_behalf_of(id, entry)).await
    }

    /// Replaces what is told of them (`PUT /clients/{id}/onbehalfof/{id}`).
    pub async fn update_on_behalf_of(
        &self,
        id: &ClientId,
        entry_id: &OnBehalfOfId,
        entry: &Representation,
    ) -> Result<(), Error> {
        self.change(&Call::update_on_behalf_of(id, entry_id, entry)).await
    }

    /// Takes them away (`DELETE /clients/{id}/onbehalfof/{id}`).
    pub async fn delete_on_behalf_of(
        &self,
        id: &ClientId,
        entry_id: &OnBehalfOfId,
    ) -> Result<(), Error> {
        self.change(&Call::delete_on_behalf_of(id, entry_id)).await
    }

    async fn change(&self, call: &Call<'_>) -> Result<(), Error> {
        self.send(call).await.map(drop)
    }

    async fn send(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let sent = self.reader.transport.send_while(call, &*self.gate).await;
        sent.map_err(|failure| self.reader.transport.error(failure, call))
    }
}

/// What of the answer to `POST /clients` is read: it can hold a secret.
#[derive(Deserialize)]
struct Made {
    client_id: String,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}
