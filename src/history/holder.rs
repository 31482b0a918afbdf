//! Holder of a lock.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::actor::Actor;
use domain::text::printable;

/// Validity of a lock that is not renewed, as it states it.
pub(super) const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// Longest name in a lock that is shown, in characters.
const LONGEST_SHOWN: usize = 200;

/// Holder of the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A holder with a valid claim.
    Named(Claim),
    /// Unknown, with the reason: the ref points to something that no apply writes. Such a lock does not
    /// expire.
    Unknown(String),
}

/// Claim of a lock's holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The holder.
    #[serde(flatten)]
    pub actor: Actor,
    /// The time when it was taken.
    pub since: Timestamp,
    /// The time of its expiry, unless it is renewed.
    pub expires: Timestamp,
}

impl Claim {
    pub(super) fn new(actor: Actor, now: Timestamp) -> Self {
        Self { actor, since: now, expires: end(now) }
    }
}

/// The expiry of a lock that is taken or renewed now.
pub(super) fn end(now: Timestamp) -> Timestamp {
    now.checked_add(LIFETIME).unwrap_or(Timestamp::MAX)
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Claim { actor: Actor { who, place }, since, expires } = match self {
            Self::Named(claim) => claim,
            Self::Unknown(why) => return write!(f, "by unknown: {}", printable(why)),
        };
        let shown = |text: &str| {
            let cut: String = text.chars().take(LONGEST_SHOWN).collect();
            printable(&cut).into_owned()
        };
        let (who, place) = (shown(who), shown(place));
        write!(f, "by {who} at {place}, since {since:.0}; it ends at {expires:.0} unless renewed")
    }
}
