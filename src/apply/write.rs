//! Writes of a whole scope or client.

use std::cell::RefCell;

use super::converge::{NextStep, RepeatPolicy, SentWrite, WriteState, converge};
use super::execute::{ActionFailure, Executor};
use super::recent::RecentClient;
use super::verify;
use digdir::{Error, ErrorKind, Writer};
use domain::text::listed;
use domain::{CLIENT, Change, ClientId, ClientIdentity, LiveClient, Representation, ScopeName};
use plan::{Action, Verb, Write};

/// Entity of a write.
#[derive(Debug, Clone, Copy)]
pub(super) enum WrittenEntity<'a> {
    Scope(&'a ScopeName),
    Client(&'a ClientId),
}

/// The state of an entity that a write depends on.
#[derive(Clone, PartialEq)]
struct RediscoveredState {
    active: bool,
    representation: Representation,
}

/// The rest of a write.
struct RemainingWrite {
    live: RediscoveredState,
    write: Write,
}

impl WrittenEntity<'_> {
    async fn read(self, writer: &Writer) -> Result<Option<RediscoveredState>, Error> {
        Ok(match self {
            Self::Scope(name) => writer.reader().scope(name).await?.map(|scope| {
                RediscoveredState { active: scope.active, representation: scope.representation }
            }),
            Self::Client(id) => writer.reader().client(id).await?.map(|client| RediscoveredState {
                active: client.active,
                representation: client.representation,
            }),
        })
    }

    async fn replace(self, body: &Representation, writer: &Writer) -> Result<(), Error> {
        match self {
            Self::Scope(name) => writer.update_scope(name, body).await,
            Self::Client(id) => writer.update_client(id, body).await,
        }
    }
}

impl Executor<'_> {
    /// Writes an existing entity.
    pub(super) async fn replace(
        &self,
        action: &Action,
        entity: WrittenEntity<'_>,
        write: &Write,
    ) -> Result<(), ActionFailure> {
        let Self { writer, patience, .. } = self;
        let was_active = action.verb() == Verb::Update;
        let is_unset = write.changes.iter().any(|change| change.after.is_null());
        // Each write changes at least the time of the last change.
        let overwritten = RefCell::new(None);
        let look = async |sent: &SentWrite| {
            let Some(live) = entity.read(writer).await? else {
                return Ok(WriteState::Moved("it does not exist".to_owned()));
            };
            let Some(difference) = verify::attributes(write, live.active, &live.representation)
            else {
                return Ok(WriteState::AsWanted);
            };
            let is_unseen = sent.may_be_done() && overwritten.borrow().as_ref() == Some(&live);
            Ok(match left_of(write, was_active, live.active, &live.representation, sent) {
                Some(write) => {
                    WriteState::Open { left: RemainingWrite { live, write }, difference, is_unseen }
                }
                None => WriteState::Moved(difference),
            })
        };
        let send = async |left: &RemainingWrite| {
            overwritten.replace(Some(left.live.clone()));
            let body = left.write.replacement(&left.live.representation);
            let answer = entity.replace(&body, writer).await;
            self.answered(action, &answer);
            answer
        };
        let then = if is_unset { NextStep::LookAgain } else { NextStep::Believe };
        converge(RepeatPolicy::Always, then, patience, look, send).await
    }

    /// Creates a scope. The API itself refuses to create an existing one, so the first check is left to it.
    pub(super) async fn create_scope(
        &self,
        name: &ScopeName,
        write: &Write,
    ) -> Result<(), ActionFailure> {
        let Self { writer, patience, .. } = self;
        let look = async |sent: &SentWrite| {
            let missing = |is_unseen| {
                let difference = "the scope does not exist".to_owned();
                WriteState::Open { left: (), difference, is_unseen }
            };
            if matches!(sent, SentWrite::Nothing) {
                return Ok(missing(false));
            }
            // A conflict means that the scope exists and will become visible.
            let exists =
                matches!(sent, SentWrite::Unclear(call) if call.kind() == ErrorKind::Conflict);
            Ok(match writer.reader().scope(name).await? {
                None => missing(exists || sent.may_be_done()),
                Some(live) => verify::attributes(write, live.active, &live.representation)
                    .map_or(WriteState::AsWanted, WriteState::Moved),
            })
        };
        let send = async |(): &()| writer.create_scope(&write.scope_creation(name)).await;
        converge(RepeatPolicy::Always, NextStep::Believe, patience, look, send).await
    }

    /// Creates a client and returns the id that DigDir assigned to it. Neither names nor descriptions are unique
    /// there, so nothing is sent unless there is no client with that identity and type, and none that may only be
    /// invisible yet.
    pub(super) async fn create_client(
        &self,
        identity: &ClientIdentity,
        write: &Write,
        recent: RecentClient<'_>,
    ) -> Result<ClientId, ActionFailure> {
        let Self { writer, patience, .. } = self;
        let kind = write.wanted.iter().find(|field| field.name == CLIENT.integration_type.name);
        let is_kind = |client: &LiveClient| {
            kind.is_none_or(|kind| kind.wanted == client.integration_type.as_str())
        };
        let fits = |client: &LiveClient| {
            identity.fits(&client.name, client.description()) && is_kind(client)
        };
        if let RecentClient::Made(id) = recent {
            let look = async || writer.reader().client(id).await;
            match patience.begin().until(look, Option::is_some).await? {
                None => return Err(ActionFailure::Hidden(id.clone())),
                Some(live) if fits(&live) => {
                    return match verify::attributes(write, live.active, &live.representation) {
                        None => Ok(id.clone()),
                        Some(difference) => Err(ActionFailure::Moved(difference)),
                    };
                }
                // It has been renamed since, and another one may have been created.
                Some(_) => {}
            }
        }
        let found = async || {
            let mut fitting = writer.reader().clients_that_fit(identity).await?;
            fitting.retain(|(_, client)| is_kind(client));
            Ok::<_, Error>(fitting)
        };
        let may_be_made = recent != RecentClient::None;
        if may_be_made {
            let mut wait = patience.begin();
            let found = wait.until(found, |found| !found.is_empty()).await?;
            if found.is_empty() && !wait.was_long() {
                return Err(ActionFailure::PerhapsHidden);
            }
        }
        let look = async |sent: &SentWrite| {
            let may_be_ours = may_be_made || !matches!(sent, SentWrite::Nothing);
            Ok(match found().await?.as_slice() {
                [] => WriteState::Open {
                    left: (),
                    difference: "the client does not exist".to_owned(),
                    is_unseen: sent.may_be_done(),
                },
                [(_, live)] if may_be_ours => {
                    verify::attributes(write, live.active, &live.representation)
                        .map_or(WriteState::AsWanted, WriteState::Moved)
                }
                found => {
                    let (by, ids) = (identity.matched_by(), listed(found.iter().map(|(id, _)| id)));
                    WriteState::Moved(format!("there is a client of that {by}: {ids}"))
                }
            })
        };
        let made = RefCell::new(None);
        let send = async |(): &()| {
            made.replace(Some(writer.create_client(&write.creation()).await?));
            Ok(())
        };
        converge(RepeatPolicy::IfUnseen, NextStep::Believe, patience, look, send).await?;
        if let Some(id) = made.into_inner() {
            return Ok(id);
        }
        // The answer was lost, so this is the client that it created.
        match found().await?.as_slice() {
            [(id, _)] => Ok(id.clone()),
            found => Err(ActionFailure::Partly(format!(
                "{} clients of that {} and kind are live, where one was made",
                found.len(),
                identity.matched_by()
            ))),
        }
    }
}

/// The part of a write that is not live yet; `None` where somebody else has changed something.
///
/// No source documents whether a PUT resets the fields that it leaves out. If one was sent and only the
/// fields to unset are left, they are sent as empty texts.
fn left_of(
    write: &Write,
    was_active: bool,
    is_active: bool,
    live: &Representation,
    sent: &SentWrite,
) -> Option<Write> {
    let mut left = write.left(live);
    let is_ours = match sent {
        SentWrite::Nothing => is_active == was_active && left == write.changes,
        SentWrite::Taken | SentWrite::Unclear(_) => {
            (is_active || !was_active) && left.iter().all(|change| write.changes.contains(change))
        }
    };
    let is_sent = !matches!(sent, SentWrite::Nothing);
    if is_sent && is_active && left.iter().all(|change| change.after.is_null()) {
        let empty = |change: &mut Change| change.after = "".into();
        left.iter_mut().for_each(empty);
    }
    is_ours.then(|| Write { wanted: write.wanted.clone(), changes: left })
}
