//! Whether a lock is alive, without asking any clock of another machine.

use std::time::Duration;

use git2::Oid;
use jiff::Timestamp;

use super::holder::{Holder, LIFETIME};

/// How much sooner or later than ours a clock may be for its lock to be believed at once.
const SKEW: jiff::SignedDuration = jiff::SignedDuration::from_mins(1);
/// How often somebody looks again before a lock that does not move is taken to be dead.
const LOOKS: u32 = 36;

/// What somebody who wants the lock has seen of the one that is there.
///
/// A holder renews its lock every thirty seconds, and each renewal is another commit. So the rule is:
/// - A lock that says it counts now, and for no longer than a lock can, is refused at once.
/// - Any other may be of a machine whose clock differs, and alive. It is watched for three minutes
///   ([`Self::WHOLE`]): one that moves is alive and refused; one that does not move is dead and taken.
///   That is longer than a holder relies on a renewal that it could not repeat (two minutes, by its own
///   clock), so the holder has stopped by then.
/// - What no apply has written is refused, and does not end.
///
/// So the clocks of two machines decide only how soon the answer comes, and never who has the lock; and
/// a lock whose holder has died is free within a quarter of an hour.
#[derive(Debug, Default)]
pub struct Watch {
    /// The lock that is watched, and how often it was seen again.
    seen: Option<(Oid, u32)>,
}

/// What a look at a lock decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It counts.
    Alive,
    /// Its holder has died.
    Dead,
    /// It is to be looked at again.
    Open,
}

impl Watch {
    /// How long to wait before the next look.
    pub const PAUSE: Duration = Duration::from_secs(5);
    /// How long a lock is watched before it is taken.
    pub const WHOLE: Duration = Duration::from_secs(5 * LOOKS as u64);

    /// Looks at the lock that is there, which is this commit.
    pub(super) fn look(&mut self, lock: Option<Oid>, holder: &Holder, now: Timestamp) -> Verdict {
        let (Holder::Named(claim), Some(lock)) = (holder, lock) else { return Verdict::Alive };
        match &mut self.seen {
            Some((seen, looks)) if *seen == lock => {
                *looks += 1;
                if *looks < LOOKS { Verdict::Open } else { Verdict::Dead }
            }
            Some(_) => Verdict::Alive,
            None => {
                let left = claim.expires.duration_since(now);
                if left > jiff::SignedDuration::ZERO && left <= LIFETIME + SKEW {
                    return Verdict::Alive;
                }
                self.seen = Some((lock, 0));
                Verdict::Open
            }
        }
    }
}
