//! The codes of what a plan tells beside its actions.

use std::fmt;

use serde::{Serialize, Serializer};

/// Why an action is blocked, what is worth knowing, or which limit is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// The declaration forbids the deactivation (`prevent_deactivation`).
    PreventDeactivation,
    /// `guards.protect` forbids the deactivation.
    Protected,
    /// DigDir has not given the organisation the scope's prefix.
    PrefixNotOwned,
    /// DigDir has no such delegation source.
    UnknownDelegationSource,
    /// It cannot be told who would have access again.
    UnclearAccesses,
    /// A scope is live and declared nowhere.
    Unmanaged,
    /// A consumer asks for access.
    AccessRequested,
    /// DigDir told something that cannot be kept.
    Oddity,
    /// More scopes deactivated than `guards.max_deactivations`.
    TooManyDeactivations,
    /// More accesses revoked than `guards.max_revocations`.
    TooManyRevocations,
    /// More changed than `guards.max_changed_percent`.
    TooMuchChanged,
}

impl Code {
    /// The code as it stands in plans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreventDeactivation => "PV301",
            Self::Protected => "PV302",
            Self::PrefixNotOwned => "PV303",
            Self::UnknownDelegationSource => "PV304",
            Self::UnclearAccesses => "PV305",
            Self::Unmanaged => "PV401",
            Self::AccessRequested => "PV402",
            Self::Oddity => "PV403",
            Self::TooManyDeactivations => "PV501",
            Self::TooManyRevocations => "PV502",
            Self::TooMuchChanged => "PV503",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
