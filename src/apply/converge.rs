//! Writes to entities without If-Match, where the last write wins: the entity is read before each write, so
//! that changes since the plan are not overwritten, and the effect of a write with an unclear answer is found
//! before it is sent again.

use std::time::Duration;

use super::execute::{ActionFailure, is_refused, is_unclear, may_be_done};
use super::patience::Patience;
use digdir::{Error, ErrorKind};

/// Largest number of writes, as long as none has an effect.
const WRITES: usize = 5;

/// The pause after the first write without effect; it is doubled for each further one.
const PAUSE: Duration = Duration::from_millis(200);

/// The longest wait that the server may ask for; a longer one is reported as a failure.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// State of an entity just before it is written.
pub(super) enum WriteState<T> {
    /// The rest of the write can be sent.
    Open {
        /// The rest.
        left: T,
        /// The difference between the live and the wanted state, in words.
        difference: String,
        /// Whether nothing of an earlier write is visible: it was not carried out, or the read is out of date.
        is_unseen: bool,
    },
    /// As wanted.
    AsWanted,
    /// Neither as the plan saw it nor as the write would leave it.
    Moved(String),
}

/// Result of the writes so far.
pub(super) enum SentWrite {
    Nothing,
    /// DigDir accepted it.
    Taken,
    /// It is not known whether it was carried out.
    Unclear(Error),
}

impl SentWrite {
    /// Whether the write may have been carried out.
    pub(super) fn may_be_done(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Taken => true,
            Self::Unclear(call) => may_be_done(call.kind()),
        }
    }
}

/// Writes that may be repeated after an unclear answer, if no effect is visible so far.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RepeatPolicy {
    /// Any: a second one has the same effect as the first, or is refused.
    Always,
    /// Only a write that DigDir did not receive, or reported as not carried out: a second one would act
    /// twice, and the first may still be under way.
    IfUnseen,
}

impl RepeatPolicy {
    fn allows(self, error: &Error) -> bool {
        self == Self::Always || matches!(error.kind(), ErrorKind::Connection | ErrorKind::Throttled)
    }
}

/// Next step once DigDir has accepted a write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NextStep {
    /// None: the read-back at the end checks it.
    Believe,
    /// Read again, as something may be left to do.
    LookAgain,
}

/// Reads and writes until the state is as wanted, or nothing more can be done. Where no effect of a write is
/// visible and it cannot be repeated, it is awaited as long as there is patience.
pub(super) async fn converge<T>(
    again: RepeatPolicy,
    then: NextStep,
    patience: &Patience,
    look: impl AsyncFn(&SentWrite) -> Result<WriteState<T>, Error>,
    send: impl AsyncFn(&T) -> Result<(), Error>,
) -> Result<(), ActionFailure> {
    let mut sent = SentWrite::Nothing;
    let mut may_be_done = false;
    let mut writes_left = WRITES;
    let mut pause = PAUSE;
    let mut wait = patience.begin();
    loop {
        let can_be_sent = match &sent {
            SentWrite::Nothing => true,
            SentWrite::Taken => false,
            SentWrite::Unclear(call) => writes_left > 0 && !is_final(call) && again.allows(call),
        };
        let is_settled = |stand: &WriteState<T>| {
            can_be_sent || !matches!(stand, WriteState::Open { is_unseen: true, .. })
        };
        let stand = wait.until(async || look(&sent).await, is_settled).await;
        may_be_done |= sent.may_be_done();
        let (left, found) = match (stand, sent) {
            (Ok(WriteState::AsWanted), _) => return Ok(()),
            (Ok(WriteState::Moved(found)), SentWrite::Nothing) => {
                return Err(ActionFailure::Moved(found));
            }
            (Ok(WriteState::Moved(found)), SentWrite::Unclear(call)) => {
                return Err(ActionFailure::Unexpected { call, found });
            }
            (Ok(WriteState::Open { difference: found, .. }), SentWrite::Unclear(call))
                if !can_be_sent =>
            {
                return Err(ActionFailure::Unexpected { call, found });
            }
            // The read-back reports a write that was accepted without effect.
            (Ok(WriteState::Moved(_)) | Err(_), SentWrite::Taken) => return Ok(()),
            (Ok(WriteState::Open { is_unseen, .. }), SentWrite::Taken)
                if is_unseen || writes_left == 0 =>
            {
                return Ok(());
            }
            (Ok(WriteState::Open { left, difference, is_unseen: _ }), _) => (left, difference),
            (Err(error), SentWrite::Nothing) => return Err(error.into()),
            (Err(_), SentWrite::Unclear(call)) => return Err(ActionFailure::Unknown(call)),
        };
        sent = match send(&left).await {
            Ok(()) if then == NextStep::LookAgain => SentWrite::Taken,
            Ok(()) => return Ok(()),
            Err(error) if is_unclear(error.kind()) => SentWrite::Unclear(error),
            Err(error) if error.kind() == ErrorKind::Stopped && may_be_done => {
                return Err(ActionFailure::Unexpected { call: error.after_unclear(), found });
            }
            Err(error) => return Err(error.into()),
        };
        if let SentWrite::Unclear(error) = &sent
            && !is_final(error)
        {
            tokio::time::sleep(pause.max(error.retry_after().unwrap_or_default())).await;
        }
        writes_left -= 1;
        pause *= 2;
    }
}

/// Whether another attempt is useless: the state is wrong, or the wait too long.
fn is_final(error: &Error) -> bool {
    is_refused(error.kind()) || error.retry_after().is_some_and(|wait| wait > MAX_WAIT)
}
