//! One action: what is sent, and what an unclear answer means.

use std::time::Duration;

use super::verify;
use crate::digdir::{Error, ErrorKind, Writer};
use crate::domain::{Representation, changes};
use crate::plan::{Action, ScopeWrite, Work};

/// How often a scope is written at most, as long as nothing comes of it.
const WRITES: usize = 5;

/// The pause after the first write that nothing came of; it doubles with each.
const PAUSE: Duration = Duration::from_millis(200);

/// The longest wait that the server may ask for; a longer one is told instead of sat out.
const MAX_WAIT: Duration = Duration::from_secs(120);

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
}

impl Failure {
    /// Whether DigDir answered and said no, as it may to the revocation of an access to an
    /// inactive scope.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Call(call) | Self::Unexpected { call, .. } => matches!(
                call.kind(),
                ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Conflict
            ),
            Self::Unknown(_) | Self::Moved(_) => false,
        }
    }
}

/// Does it.
pub(super) async fn execute(action: &Action, writer: &Writer) -> Result<(), Failure> {
    let scope = &action.scope;
    let answer = match &action.work {
        Work::Create(write) | Work::Update(write) | Work::Reactivate { write, .. } => {
            return write_scope(action, write, writer).await;
        }
        Work::Deactivate { .. } => writer.deactivate_scope(scope).await,
        Work::Grant { consumer, .. } => writer.grant(scope, consumer.orgno).await,
        Work::Revoke { consumer, .. } => writer.revoke(scope, consumer.orgno).await,
    };
    match answer {
        Err(error) if is_unclear(error.kind()) => settle(action, error, writer).await,
        answer => Ok(answer?),
    }
}

/// Whether a failed call may have been carried out all the same, or what it asks for was so
/// before.
fn is_unclear(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::Throttled
        | ErrorKind::Server
        | ErrorKind::Connection
        | ErrorKind::AnswerLost
        | ErrorKind::Malformed => true,
        ErrorKind::Untrusted
        | ErrorKind::Auth
        | ErrorKind::Forbidden
        | ErrorKind::Invalid
        | ErrorKind::Terms
        | ErrorKind::Refused => false,
    }
}

/// Reads again what an unclear answer was about: if it is as wanted, the action is done.
async fn settle(action: &Action, call: Error, writer: &Writer) -> Result<(), Failure> {
    match writer.reader().scope_with_accesses(&action.scope).await {
        Err(_) => Err(Failure::Unknown(call)),
        Ok(live) => match verify::difference(action, live.as_ref()) {
            None => Ok(()),
            Some(found) => Err(Failure::Unexpected { call, found }),
        },
    }
}

/// How a scope stands just before it is written.
enum Stand {
    /// As the plan saw it: what it holds, and how that differs from what is wanted.
    AsPlanned(Representation, String),
    /// As it should be.
    AsWanted,
    /// Otherwise.
    Moved(String),
}

/// Writes a whole scope. Whoever writes last wins (there is no If-Match), so each write is
/// preceded by a look: what somebody else has changed since the plan is not overwritten, and
/// what an unclear answer hides is found before anything is sent again.
async fn write_scope(action: &Action, write: &ScopeWrite, writer: &Writer) -> Result<(), Failure> {
    let mut unclear: Option<Error> = None;
    let mut writes_left = WRITES;
    let mut pause = PAUSE;
    loop {
        let live = match (look(action, write, writer, unclear.is_some()).await, unclear) {
            (Ok(Stand::AsWanted), _) => return Ok(()),
            (Ok(Stand::Moved(found)), None) => return Err(Failure::Moved(found)),
            (Ok(Stand::Moved(found)), Some(call)) => {
                return Err(Failure::Unexpected { call, found });
            }
            (Ok(Stand::AsPlanned(_, found)), Some(call)) if writes_left == 0 || is_final(&call) => {
                return Err(Failure::Unexpected { call, found });
            }
            (Ok(Stand::AsPlanned(live, _)), _) => live,
            (Err(error), None) => return Err(error.into()),
            (Err(_), Some(call)) => return Err(Failure::Unknown(call)),
        };
        let error = match send(action, write, &live, writer).await {
            Ok(()) => return Ok(()),
            Err(error) if is_unclear(error.kind()) => error,
            Err(error) => return Err(error.into()),
        };
        if !is_final(&error) {
            tokio::time::sleep(pause.max(error.retry_after().unwrap_or_default())).await;
        }
        unclear = Some(error);
        writes_left -= 1;
        pause *= 2;
    }
}

/// Whether there is no use in trying again: the state is wrong, or the wait too long.
fn is_final(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::NotFound)
        || error.retry_after().is_some_and(|wait| wait > MAX_WAIT)
}

async fn look(
    action: &Action,
    write: &ScopeWrite,
    writer: &Writer,
    is_sent: bool,
) -> Result<Stand, Error> {
    let was_active = match action.work {
        // The API itself refuses to create what exists: the first look is left to it.
        Work::Create(_) if !is_sent => {
            return Ok(Stand::AsPlanned(Representation::new(), String::new()));
        }
        Work::Update(_) => true,
        _ => false,
    };
    let live = writer.reader().scope(&action.scope).await?;
    let Some(difference) = verify::difference(action, live.as_ref()) else {
        return Ok(Stand::AsWanted);
    };
    Ok(match (&action.work, live) {
        (Work::Create(_), None) => Stand::AsPlanned(Representation::new(), difference),
        (Work::Update(_) | Work::Reactivate { .. }, Some(live))
            if live.active == was_active
                && changes(&live.representation, &write.wanted) == write.changes =>
        {
            Stand::AsPlanned(live.representation, difference)
        }
        _ => Stand::Moved(difference),
    })
}

async fn send(
    action: &Action,
    write: &ScopeWrite,
    live: &Representation,
    writer: &Writer,
) -> Result<(), Error> {
    match action.work {
        Work::Create(_) => writer.create_scope(&write.creation(&action.scope)).await,
        _ => writer.update_scope(&action.scope, &write.replacement(live)).await,
    }
}
