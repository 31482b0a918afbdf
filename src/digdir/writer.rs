//! The calls that change something. Only an apply makes one of these.

use std::fmt;

use super::call::Call;
use super::credentials::Credentials;
use super::error::Error;
use super::options::Options;
use super::reader::Reader;
use super::target::Target;
use super::transport::Transport;
use crate::domain::{Orgno, Representation, ScopeName};

/// The API for reading and changing. All calls, its reader's included, share one token.
#[derive(Clone)]
pub struct Writer {
    reader: Reader,
}

impl Writer {
    /// Connects with a token for `idporten:scopes.read` and `idporten:scopes.write`.
    pub async fn connect(
        target: Target,
        credentials: Credentials,
        options: Options,
    ) -> Result<Self, Error> {
        let scope = "idporten:scopes.read idporten:scopes.write";
        let transport = Transport::connect(target, credentials, options, scope).await?;
        Ok(Self { reader: Reader { transport } })
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

    async fn change(&self, call: &Call<'_>) -> Result<(), Error> {
        match self.reader.transport.send(call).await {
            Ok(_) => Ok(()),
            Err(failure) => Err(failure.into_error(call.policy, &call.place())),
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}
