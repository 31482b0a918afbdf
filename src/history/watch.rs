//! Decision whether a lock is alive, without relying on the clock of another machine.

use std::time::Duration;

use git2::Oid;
use jiff::Timestamp;

use super::holder::{Holder, LIFETIME};

/// Largest clock difference at which a lock is believed at once.
const SKEW: jiff::SignedDuration = jiff::SignedDuration::from_mins(1);
/// Number of looks at an unchanged lock before it is taken to be dead.
const LOOKS: u32 = 36;

/// State of watching a lock that somebody else has.
///
/// A holder renews its lock every thirty seconds, and each renewal is another commit. The rules are:
/// - A lock that claims to be valid now, and for no longer than a lock can be, is refused at once.
/// - Any other may belong to a machine with a wrong clock, and be alive. It is watched for three minutes
///   ([`Self::WHOLE`]): one that changes is alive and refused; one that does not is dead and taken. That is
///   longer than a holder relies on a renewal that it could not repeat (two minutes, by its own clock), so
///   the holder has stopped by then.
/// - An object that no apply has written is refused, and does not expire.
///
/// So the clocks of two machines decide only how soon the answer comes, and never who has the lock; and a
/// lock whose holder has died is free within a quarter of an hour.
#[derive(Debug, Default)]
pub struct Watch {
    /// The watched lock, and how often it was seen again.
    seen: Option<(Oid, u32)>,
}

/// Result of a look at a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is valid.
    Alive,
    /// Its holder has died.
    Dead,
    /// Look again.
    Open,
}

impl Watch {
    /// The wait before the next look.
    pub const PAUSE: Duration = Duration::from_secs(5);
    /// Duration of watching before a lock is taken.
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
