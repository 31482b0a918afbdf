//! One action: what is sent, and what an unclear answer means.

use std::cell::RefCell;
use std::collections::HashMap;

use super::client_parts::{replace_keys, write_on_behalf_of};
use super::verify;
use super::write::{Entity, create_client, create_scope, replace};
use crate::digdir::{Error, ErrorKind, Writer};
use crate::domain::{ClientId, ClientName, ScopeName};
use crate::plan::{
    AccessWork, Action, ClientWork, ClientWrite, Consumer, KeysWork, ScopeWork, Work,
};

/// Why an action failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The call failed.
    #[error("{}", .0.advised())]
    Call(#[from] Error),
    /// The call failed, and what came of it could not be read.
    #[error(
        "{0}\nIt is not known whether this was carried out, as it could not be read again. Run plan to see how it stands"
    )]
    Unknown(Error),
    /// After the call, the entity is not as wanted.
    #[error("{call}\nread again: {found}. Run plan again to see what has changed")]
    Unexpected {
        /// The failed call.
        call: Error,
        /// What was found.
        found: String,
    },
    /// The entity is not as the plan saw it, so nothing was sent.
    #[error("not as the plan saw it: {0}. Nothing was sent; run plan again and look anew")]
    Moved(String),
    /// Something was sent, and then the entity was not as the plan saw it.
    #[error(
        "a part was done, and then it was not as the plan saw it: {0}. Run plan again and look anew"
    )]
    Partly(String),
}

impl Failure {
    /// Whether DigDir answered and said no, as it may to a change of what belongs to something
    /// inactive. A set of keys can be refused for itself (400), and that is no such refusal.
    pub(super) fn is_refusal(&self, action: &Action) -> bool {
        let (Self::Call(call) | Self::Unexpected { call, .. }) = self else {
            return false;
        };
        match call.kind() {
            ErrorKind::NotFound | ErrorKind::Conflict => true,
            ErrorKind::Invalid => matches!(action.work, Work::Access(..)),
            ErrorKind::Untrusted
            | ErrorKind::OtherOrganization
            | ErrorKind::Auth
            | ErrorKind::Forbidden
            | ErrorKind::Terms
            | ErrorKind::Throttled
            | ErrorKind::Server
            | ErrorKind::Connection
            | ErrorKind::AnswerLost
            | ErrorKind::Malformed
            | ErrorKind::Refused => false,
        }
    }
}

/// What carries actions out, and what it has learned on the way.
pub(super) struct Executor<'a> {
    pub(super) writer: &'a Writer,
    /// The ids of the clients that were made.
    made: RefCell<HashMap<ClientName, ClientId>>,
}

impl<'a> Executor<'a> {
    pub(super) fn new(writer: &'a Writer) -> Self {
        Self { writer, made: RefCell::default() }
    }

    /// Does it.
    pub(super) async fn execute(&self, action: &Action) -> Result<(), Failure> {
        match &action.work {
            Work::Scope(scope, work) => self.scope(action, scope, work).await,
            Work::Access(scope, consumer, work) => self.access(action, scope, consumer, work).await,
            Work::Client(client, work) => self.client(action, client, work).await,
            Work::Keys(client, work) => self.keys(client, work).await,
        }
    }

    async fn scope(
        &self,
        action: &Action,
        scope: &ScopeName,
        work: &ScopeWork,
    ) -> Result<(), Failure> {
        let (writer, entity) = (self.writer, Entity::Scope(scope));
        match work {
            ScopeWork::Create(write) => create_scope(scope, write, writer).await,
            ScopeWork::Update(write) => replace(entity, write, true, writer).await,
            ScopeWork::Reactivate { write, .. } => replace(entity, write, false, writer).await,
            ScopeWork::Release => Ok(()),
            ScopeWork::Deactivate { .. } => {
                self.settled(action, writer.deactivate_scope(scope).await).await
            }
        }
    }

    async fn access(
        &self,
        action: &Action,
        scope: &ScopeName,
        consumer: &Consumer,
        work: &AccessWork,
    ) -> Result<(), Failure> {
        let answer = match work {
            AccessWork::Grant { .. } => self.writer.grant(scope, consumer.orgno).await,
            AccessWork::Revoke { .. } => self.writer.revoke(scope, consumer.orgno).await,
        };
        self.settled(action, answer).await
    }

    async fn client(
        &self,
        action: &Action,
        client: &ClientName,
        work: &ClientWork,
    ) -> Result<(), Failure> {
        match work {
            ClientWork::Create(identity, write) => {
                let id = create_client(identity, &write.attributes, self.writer).await?;
                self.made.borrow_mut().insert(client.clone(), id.clone());
                self.on_behalf_of(&id, write).await.map_err(partly)
            }
            ClientWork::Update(id, write) => {
                if write.attributes.changes.is_empty() {
                    return self.on_behalf_of(id, write).await;
                }
                replace(Entity::Client(id), &write.attributes, true, self.writer).await?;
                self.on_behalf_of(id, write).await.map_err(partly)
            }
            ClientWork::Reactivate { id, write, .. } => {
                replace(Entity::Client(id), &write.attributes, false, self.writer).await?;
                self.on_behalf_of(id, write).await.map_err(partly)
            }
            ClientWork::Release(_) => Ok(()),
            ClientWork::Deactivate(id) => {
                self.settled(action, self.writer.deactivate_client(id).await).await
            }
        }
    }

    async fn on_behalf_of(&self, id: &ClientId, write: &ClientWrite) -> Result<(), Failure> {
        match &write.on_behalf_of {
            Some(write) => write_on_behalf_of(id, write, self.writer).await,
            None => Ok(()),
        }
    }

    async fn keys(&self, client: &ClientName, work: &KeysWork) -> Result<(), Failure> {
        let made = || self.made.borrow().get(client).cloned();
        match work.id.clone().or_else(made) {
            Some(id) => replace_keys(&id, work, self.writer).await,
            None => Err(Failure::Moved("the client is not there".to_owned())),
        }
    }

    /// What came of a call that may be sent again and again.
    async fn settled(&self, action: &Action, answer: Result<(), Error>) -> Result<(), Failure> {
        match answer {
            Err(error) if is_unclear(error.kind()) => self.settle(action, error).await,
            answer => Ok(answer?),
        }
    }

    /// Reads again what an unclear answer was about: if it is as wanted, the action is done.
    async fn settle(&self, action: &Action, call: Error) -> Result<(), Failure> {
        match verify::read(action, self.writer.reader()).await {
            Err(_) => Err(Failure::Unknown(call)),
            Ok(None) => Ok(()),
            Ok(Some(found)) => Err(Failure::Unexpected { call, found }),
        }
    }

    /// The ids of the clients that were made.
    pub(super) fn into_made(self) -> HashMap<ClientName, ClientId> {
        self.made.into_inner()
    }
}

/// The same failure, where something of the action was done before.
fn partly(failure: Failure) -> Failure {
    match failure {
        Failure::Moved(found) => Failure::Partly(found),
        other => other,
    }
}

/// Whether a failed call may have been carried out all the same, or what it asks for was so
/// before.
pub(super) fn is_unclear(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::Throttled
        | ErrorKind::Server
        | ErrorKind::Connection
        | ErrorKind::AnswerLost
        | ErrorKind::Malformed => true,
        ErrorKind::Untrusted
        | ErrorKind::OtherOrganization
        | ErrorKind::Auth
        | ErrorKind::Forbidden
        | ErrorKind::Invalid
        | ErrorKind::Terms
        | ErrorKind::Refused => false,
    }
}
