//! Who holds a lock.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::actor::Actor;
use domain::text::printable;

/// How long a lock claims to count that is not renewed.
pub(super) const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// How many characters of a name in a lock are shown.
const LONGEST_SHOWN: usize = 200;

/// Who has the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Somebody who says so.
    Named(Claim),
    /// Nobody knows, and why: the ref leads to nothing that an apply writes. Such a lock does not end.
    Unknown(String),
}

/// What the holder of a lock says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Who, and where.
    #[serde(flatten)]
    pub actor: Actor,
    /// Since when.
    pub since: Timestamp,
    /// Until when, unless it is renewed.
    pub expires: Timestamp,
}

impl Claim {
    pub(super) fn new(actor: Actor, now: Timestamp) -> Self {
        Self { actor, since: now, expires: end(now) }
    }
}

/// Until when a lock counts that is taken or renewed now.
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
