//! Execution of one action: its calls, and the handling of unclear answers.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::patience::Patience;
use super::recent::Recent;
use super::verify;
use super::write::WrittenEntity;
use crate::advice::advised;
use digdir::{Error, ErrorKind, Writer};
use domain::{Behaviour, ClientId, ClientName, ScopeName};
use plan::{
    AccessWork, Action, ActionId, ClientWork, ClientWrite, Consumer, KeysWork, Outcome, ScopeWork,
    Work,
};

/// Reason why an action failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ActionFailure {
    /// The call failed.
    #[error("{}", advised(.0))]
    Call(#[from] Error),
    /// The call failed, and its effect could not be read.
    #[error(
        "{0}\nIt is not known whether this was carried out, as it could not be read again. Run `portvakt plan` to see its state"
    )]
    Unknown(Error),
    /// After the call, the entity is not as wanted.
    #[error("{call}\nread again: {found}. Run plan again to see what has changed")]
    Unexpected {
        /// The failed call.
        call: Error,
        /// The state that was found.
        found: String,
    },
    /// The entity is not as the plan saw it; nothing was sent.
    #[error("not as the plan saw it: {0}. Nothing was sent; run plan again and look anew")]
    Moved(String),
    /// A part was sent, and then the entity was not as the plan saw it.
    #[error(
        "a part was done, and then it was not as the plan saw it: {0}. Run plan again and look anew"
    )]
    Partly(String),
    /// A recent apply created the client, and DigDir does not show it yet.
    #[error(
        "a client of that name was made a short time ago, {}, and DigDir does not show it yet. Nothing was \
         sent, as that would make a second one; run apply again in a minute", .0
    )]
    Hidden(ClientId),
    /// A recent apply may have created the client, and there was no time to wait until it would be visible.
    #[error(
        "a client of that name may have been made a short time ago, and DigDir would not show it yet. Nothing \
         was sent, as that could make a second one; run apply again, and let it wait"
    )]
    PerhapsHidden,
}

impl ActionFailure {
    /// The outcome of the failed action; `before` is put before the reason.
    pub(super) fn outcome(&self, before: &str) -> Outcome {
        let why = format!("{before}{self}");
        match self {
            Self::Unknown(_) => Outcome::Unclear(why),
            Self::Unexpected { call, .. } if may_be_done(call.kind()) => Outcome::Unclear(why),
            Self::Call(_)
            | Self::Unexpected { .. }
            | Self::Moved(_)
            | Self::Partly(_)
            | Self::PerhapsHidden
            | Self::Hidden(_) => Outcome::Failed(why),
        }
    }

    /// Whether DigDir refused the call, as it may refuse a change to parts of an inactive entity. A set of
    /// keys can be refused for its content (400), which is not such a refusal.
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
            | ErrorKind::Stopped
            | ErrorKind::Malformed
            | ErrorKind::Refused => false,
        }
    }
}

/// Executor of actions, with the results on which later ones depend.
pub(super) struct Executor<'a> {
    pub(super) writer: &'a Writer,
    /// Time budget for effects that are not visible yet.
    pub(super) patience: &'a Patience,
    /// Recent writes.
    pub(super) recent: &'a Recent,
    /// How the API is known to behave.
    behaviour: Behaviour,
    /// The ids of the clients that were created.
    made: RefCell<HashMap<ClientName, ClientId>>,
    /// The actions that changed an existing scope or client, or may have.
    effects: RefCell<HashSet<ActionId>>,
}

impl<'a> Executor<'a> {
    pub(super) fn new(
        writer: &'a Writer,
        patience: &'a Patience,
        recent: &'a Recent,
        behaviour: Behaviour,
    ) -> Self {
        Self {
            writer,
            patience,
            recent,
            behaviour,
            made: RefCell::default(),
            effects: RefCell::default(),
        }
    }

    /// Whether the API is known to refuse an action as long as its scope or client is inactive.
    pub(super) fn would_refuse(&self, action: &Action) -> bool {
        let is_refused = match &action.work {
            Work::Access(..) => self.behaviour.inactive_access_refused,
            Work::Keys(..) => self.behaviour.inactive_client_refused,
            Work::Scope(..) | Work::Client(..) => None,
        };
        is_on_inactive(action) && is_refused == Some(true)
    }

    /// Records the answer to a call of an action that changes an existing scope or client.
    pub(super) fn answered(&self, action: &Action, answer: &Result<(), Error>) {
        if answer.as_ref().err().is_none_or(|error| may_be_done(error.kind())) {
            self.effects.borrow_mut().insert(action.id());
        }
    }

    /// Whether an action has changed an existing scope or client, or may have.
    pub(super) fn has_effect(&self, action: &Action) -> bool {
        self.effects.borrow().contains(&action.id())
    }

    /// Deactivates what an action reactivates; `None` for any other action. A read would not show whether an unclear
    /// answer has done it, as it may still show the state before the reactivation.
    pub(super) async fn close(&self, action: &Action) -> Option<Result<(), Error>> {
        match &action.work {
            Work::Scope(scope, ScopeWork::Reactivate { .. }) => {
                Some(self.writer.deactivate_scope(scope).await)
            }
            Work::Client(_, ClientWork::Reactivate { id, .. }) => {
                Some(self.writer.deactivate_client(id).await)
            }
            Work::Scope(..) | Work::Client(..) | Work::Access(..) | Work::Keys(..) => None,
        }
    }

    /// Executes an action.
    pub(super) async fn execute(&self, action: &Action) -> Result<(), ActionFailure> {
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
    ) -> Result<(), ActionFailure> {
        let entity = WrittenEntity::Scope(scope);
        match work {
            ScopeWork::Create(write) => self.create_scope(scope, write).await,
            ScopeWork::Update(write) | ScopeWork::Reactivate { write, .. } => {
                self.replace(action, entity, write).await
            }
            ScopeWork::Release => Ok(()),
            ScopeWork::Deactivate { .. } => {
                self.settled(action, self.writer.deactivate_scope(scope).await).await
            }
        }
    }

    async fn access(
        &self,
        action: &Action,
        scope: &ScopeName,
        consumer: &Consumer,
        work: &AccessWork,
    ) -> Result<(), ActionFailure> {
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
    ) -> Result<(), ActionFailure> {
        match work {
            ClientWork::Create(identity, write) => {
                let recent = self.recent.client(action);
                let id = self.create_client(identity, &write.attributes, recent).await?;
                self.made.borrow_mut().insert(client.clone(), id.clone());
                self.on_behalf_of(&id, write, true).await.map_err(partly)
            }
            ClientWork::Update(id, write) if write.attributes.changes.is_empty() => {
                self.on_behalf_of(id, write, false).await
            }
            ClientWork::Update(id, write) | ClientWork::Reactivate { id, write, .. } => {
                self.replace(action, WrittenEntity::Client(id), &write.attributes).await?;
                self.on_behalf_of(id, write, false).await.map_err(partly)
            }
            ClientWork::Release(_) => Ok(()),
            ClientWork::Deactivate(id) => {
                self.settled(action, self.writer.deactivate_client(id).await).await
            }
        }
    }

    async fn on_behalf_of(
        &self,
        id: &ClientId,
        write: &ClientWrite,
        is_new: bool,
    ) -> Result<(), ActionFailure> {
        match &write.on_behalf_of {
            Some(write) => self.write_on_behalf_of(id, write, is_new).await,
            None => Ok(()),
        }
    }

    async fn keys(&self, client: &ClientName, work: &KeysWork) -> Result<(), ActionFailure> {
        let made = || self.made.borrow().get(client).cloned();
        match work.id.clone().or_else(made) {
            Some(id) => self.replace_keys(&id, work).await,
            None => Err(ActionFailure::Moved("the client is not there".to_owned())),
        }
    }

    /// Handles the result of a call that is safe to repeat.
    async fn settled(
        &self,
        action: &Action,
        answer: Result<(), Error>,
    ) -> Result<(), ActionFailure> {
        match answer {
            Err(error) if is_unclear(error.kind()) => self.settle(action, error).await,
            answer => Ok(answer?),
        }
    }

    /// Reads an entity again after an unclear answer: if it is as wanted, the action is done. The effect of
    /// this call or of an earlier one is awaited as long as there is patience.
    async fn settle(&self, action: &Action, call: Error) -> Result<(), ActionFailure> {
        let look = async || verify::read(action, self.writer.reader()).await;
        let is_settled = |found: &Option<String>| {
            // A change to an inactive entity is refused for that reason, and not because it is done already.
            found.is_none()
                || call.kind() == ErrorKind::Throttled
                || is_on_inactive(action) && is_refused(call.kind())
        };
        match self.patience.begin().until(look, is_settled).await {
            Err(_) => Err(ActionFailure::Unknown(call)),
            Ok(None) => Ok(()),
            Ok(Some(found)) => Err(ActionFailure::Unexpected { call, found }),
        }
    }

    /// The ids of the clients that were created.
    pub(super) fn into_made(self) -> HashMap<ClientName, ClientId> {
        self.made.into_inner()
    }
}

/// The same failure, where a part of the action was done before.
fn partly(failure: ActionFailure) -> ActionFailure {
    match failure {
        ActionFailure::Moved(found) => ActionFailure::Partly(found),
        other => other,
    }
}

/// Whether an action concerns parts of an inactive entity that is about to be reactivated.
pub(super) fn is_on_inactive(action: &Action) -> bool {
    match &action.work {
        Work::Access(_, _, AccessWork::Revoke { is_inactive, cause: _ }) => *is_inactive,
        Work::Keys(_, KeysWork { is_inactive, .. }) => *is_inactive,
        Work::Access(_, _, AccessWork::Grant { .. }) | Work::Scope(..) | Work::Client(..) => false,
    }
}

/// Whether DigDir answered that the entity is not in the state that the call requires.
pub(super) fn is_refused(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Conflict | ErrorKind::NotFound)
}

/// Whether a failed call may have been carried out: no answer says that it was not.
pub(super) fn may_be_done(kind: ErrorKind) -> bool {
    is_unclear(kind) && !is_refused(kind) && kind != ErrorKind::Throttled
}

/// Whether a failed call may have been carried out, or the wanted state existed before.
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
        | ErrorKind::Stopped
        | ErrorKind::Refused => false,
    }
}
