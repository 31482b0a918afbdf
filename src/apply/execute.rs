//! One action: what is sent, and what an unclear answer means.

use std::time::Duration;

use super::verify;
use crate::digdir::{Error, ErrorKind, Writer};
use crate::domain::{LiveScope, Representation, changes};
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
    /// Such that what is left of the write can be sent.
    Open(Remaining),
    /// As it should be.
    AsWanted,
    /// Otherwise than the plan saw it and the write would leave it.
    Moved(String),
}

/// What is left of a write.
struct Remaining {
    live: Representation,
    write: ScopeWrite,
    /// How what is live differs from what is wanted, in words.
    difference: String,
}

/// What has come of a write so far.
enum Sent {
    Nothing,
    /// DigDir took it.
    Taken,
    /// It may have been carried out or not.
    Unclear(Error),
}

/// Writes a whole scope. Whoever writes last wins (there is no If-Match), so each write is
/// preceded by a look: what somebody else has changed since the plan is not overwritten, and
/// what an unclear answer hides is found before anything is sent again.
async fn write_scope(action: &Action, write: &ScopeWrite, writer: &Writer) -> Result<(), Failure> {
    let is_unset = write.changes.iter().any(|change| change.after.is_null());
    let mut sent = Sent::Nothing;
    let mut writes_left = WRITES;
    let mut pause = PAUSE;
    loop {
        let remaining = match (look(action, write, writer, &sent).await, sent) {
            (Ok(Stand::AsWanted), _) => return Ok(()),
            (Ok(Stand::Moved(found)), Sent::Nothing) => return Err(Failure::Moved(found)),
            (Ok(Stand::Moved(found)), Sent::Unclear(call)) => {
                return Err(Failure::Unexpected { call, found });
            }
            (Ok(Stand::Open(remaining)), Sent::Unclear(call))
                if writes_left == 0 || is_final(&call) =>
            {
                return Err(Failure::Unexpected { call, found: remaining.difference });
            }
            // What was taken and is not so after all, the read-back tells.
            (Ok(Stand::Moved(_)) | Err(_), Sent::Taken) => return Ok(()),
            (Ok(Stand::Open(_)), Sent::Taken) if writes_left == 0 => return Ok(()),
            (Ok(Stand::Open(remaining)), _) => remaining,
            (Err(error), Sent::Nothing) => return Err(error.into()),
            (Err(_), Sent::Unclear(call)) => return Err(Failure::Unknown(call)),
        };
        sent = match send(action, &remaining, writer).await {
            Ok(()) if is_unset => Sent::Taken,
            Ok(()) => return Ok(()),
            Err(error) if is_unclear(error.kind()) => Sent::Unclear(error),
            Err(error) => return Err(error.into()),
        };
        if let Sent::Unclear(error) = &sent
            && !is_final(error)
        {
            tokio::time::sleep(pause.max(error.retry_after().unwrap_or_default())).await;
        }
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
    sent: &Sent,
) -> Result<Stand, Error> {
    let open = |live: Representation, write: &ScopeWrite, difference: String| {
        Stand::Open(Remaining { live, write: write.clone(), difference })
    };
    let is_new = matches!(action.work, Work::Create(_));
    if is_new && matches!(sent, Sent::Nothing) {
        // The API itself refuses to create what exists: the first look is left to it.
        return Ok(open(Representation::new(), write, String::new()));
    }
    let live = writer.reader().scope(&action.scope).await?;
    let Some(difference) = verify::difference(action, live.as_ref()) else {
        return Ok(Stand::AsWanted);
    };
    Ok(match live {
        None if is_new => open(Representation::new(), write, difference),
        Some(live) if !is_new => match left_of(action, write, &live, sent) {
            Some(left) => open(live.representation, &left, difference),
            None => Stand::Moved(difference),
        },
        None | Some(_) => Stand::Moved(difference),
    })
}

/// What of a write is not there yet; `None` where somebody else has changed something.
///
/// No source tells whether a PUT resets what it leaves out. Where one was sent and only that is
/// left which was to be unset, it is to be sent as an empty text.
fn left_of(
    action: &Action,
    write: &ScopeWrite,
    live: &LiveScope,
    sent: &Sent,
) -> Option<ScopeWrite> {
    let mut left = changes(&live.representation, write.wanted.wanted());
    let was_active = matches!(action.work, Work::Update(_));
    let is_ours = match sent {
        Sent::Nothing => live.active == was_active && left == write.changes,
        Sent::Taken | Sent::Unclear(_) => {
            (live.active || !was_active) && left.iter().all(|change| write.changes.contains(change))
        }
    };
    let is_sent = !matches!(sent, Sent::Nothing);
    if is_sent && live.active && left.iter().all(|change| change.after.is_null()) {
        left.iter_mut().for_each(|change| change.after = "".into());
    }
    is_ours.then(|| ScopeWrite { wanted: write.wanted.clone(), changes: left })
}

async fn send(action: &Action, remaining: &Remaining, writer: &Writer) -> Result<(), Error> {
    let Remaining { live, write, difference: _ } = remaining;
    match action.work {
        Work::Create(_) => writer.create_scope(&write.creation(&action.scope)).await,
        _ => writer.update_scope(&action.scope, &write.replacement(live)).await,
    }
}
