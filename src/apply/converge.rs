//! Writing what whoever writes last wins (there is no If-Match): a look before each write, so that
//! what somebody else has changed since the plan is not overwritten, and what an unclear answer hides
//! is found before anything is sent again.

use std::time::Duration;

use super::execute::{ActionFailure, is_unclear, may_be_done};
use super::patience::Patience;
use digdir::{Error, ErrorKind};

/// How often something is written at most, as long as nothing comes of it.
const WRITES: usize = 5;

/// The pause after the first write that nothing came of; it doubles with each.
const PAUSE: Duration = Duration::from_millis(200);

/// The longest wait that the server may ask for; a longer one is told instead of sat out.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// How something stands just before it is written.
pub(super) enum Stand<T> {
    /// Such that what is left of the write can be sent.
    Open {
        /// What is left.
        left: T,
        /// How what is live differs from what is wanted, in words.
        difference: String,
    },
    /// The same, and nothing of what was sent is to be seen: it was not carried out, or what is read is
    /// older.
    Unseen {
        /// What is left.
        left: T,
        /// How what is live differs from what is wanted, in words.
        difference: String,
    },
    /// As it should be.
    AsWanted,
    /// Otherwise than the plan saw it and the write would leave it.
    Moved(String),
}

/// What has come of a write so far.
pub(super) enum Sent {
    Nothing,
    /// DigDir took it.
    Taken,
    /// It may have been carried out or not.
    Unclear(Error),
}

impl Sent {
    /// Whether what was sent may have been carried out.
    pub(super) fn may_be_done(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Taken => true,
            Self::Unclear(call) => may_be_done(call.kind()),
        }
    }
}

/// What may be sent again after an answer that is unclear, if nothing has come of it so far.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// Anything: a second one has no other effect than the first, or is refused.
    Always,
    /// Only what DigDir has not seen or has told not to have carried out: a second one would do it
    /// twice, and the first may still be under way.
    IfUnseen,
}

impl Again {
    fn allows(self, error: &Error) -> bool {
        self == Self::Always || matches!(error.kind(), ErrorKind::Connection | ErrorKind::Throttled)
    }
}

/// What to do once DigDir has taken a write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing: the read-back at the end tells.
    Believe,
    /// Look again, as something may be left.
    LookAgain,
}

/// Looks and writes until it is as wanted, or nothing more can be done. Where nothing of a write is to be
/// seen and it cannot be sent again, it is looked for as long as there is patience.
pub(super) async fn converge<T>(
    again: Again,
    then: Then,
    patience: &Patience,
    look: impl AsyncFn(&Sent) -> Result<Stand<T>, Error>,
    send: impl AsyncFn(&T) -> Result<(), Error>,
) -> Result<(), ActionFailure> {
    let mut sent = Sent::Nothing;
    let mut may_be_done = false;
    let mut writes_left = WRITES;
    let mut pause = PAUSE;
    let mut wait = patience.begin();
    loop {
        let can_be_sent = match &sent {
            Sent::Nothing => true,
            Sent::Taken => false,
            Sent::Unclear(call) => writes_left > 0 && !is_final(call) && again.allows(call),
        };
        let is_settled = |stand: &Stand<T>| can_be_sent || !matches!(stand, Stand::Unseen { .. });
        let stand = wait.until(async || look(&sent).await, is_settled).await;
        may_be_done |= sent.may_be_done();
        let (left, found) = match (stand, sent) {
            (Ok(Stand::AsWanted), _) => return Ok(()),
            (Ok(Stand::Moved(found)), Sent::Nothing) => return Err(ActionFailure::Moved(found)),
            (Ok(Stand::Moved(found)), Sent::Unclear(call)) => {
                return Err(ActionFailure::Unexpected { call, found });
            }
            (
                Ok(Stand::Open { difference: found, .. } | Stand::Unseen { difference: found, .. }),
                Sent::Unclear(call),
            ) if !can_be_sent => return Err(ActionFailure::Unexpected { call, found }),
            // What was taken and is not so after all, the read-back tells.
            (Ok(Stand::Moved(_) | Stand::Unseen { .. }) | Err(_), Sent::Taken) => return Ok(()),
            (Ok(Stand::Open { .. }), Sent::Taken) if writes_left == 0 => return Ok(()),
            (Ok(Stand::Open { left, difference } | Stand::Unseen { left, difference }), _) => {
                (left, difference)
            }
            (Err(error), Sent::Nothing) => return Err(error.into()),
            (Err(_), Sent::Unclear(call)) => return Err(ActionFailure::Unknown(call)),
        };
        sent = match send(&left).await {
            Ok(()) if then == Then::LookAgain => Sent::Taken,
            Ok(()) => return Ok(()),
            Err(error) if is_unclear(error.kind()) => Sent::Unclear(error),
            Err(error) if error.kind() == ErrorKind::Stopped && may_be_done => {
                return Err(ActionFailure::Unexpected { call: error.after_unclear(), found });
            }
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
