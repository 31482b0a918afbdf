//! What is live at DigDir, as far as a plan needs it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Orgno, Representation, ScopeName};

/// Everything that was read.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// All scopes of the organisation, inactive ones included.
    pub scopes: BTreeMap<ScopeName, LiveScope>,
    /// The prefixes that DigDir has given the organisation, without a trailing colon.
    pub prefixes: BTreeSet<String>,
    /// Where a consumer can delegate to a supplier; read only when a declaration needs it.
    pub delegation_sources: Vec<DelegationSource>,
    /// What the API told and this program cannot keep: (the entity, what is odd about it).
    pub oddities: Vec<(String, String)>,
}

/// A scope that exists, active or not.
#[derive(Debug, Clone)]
pub struct LiveScope {
    /// Whether tokens can be had for it.
    pub active: bool,
    /// All its fields, unknown ones included.
    pub representation: Representation,
    /// Who has, had or asks for access. `None` where it was not read, because nobody manages the
    /// scope.
    pub accesses: Option<BTreeMap<Orgno, LiveAccess>>,
    /// Whether some of its accesses could not be understood, so that `accesses` lacks them.
    pub unclear: bool,
}

/// A consumer's access to a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveAccess {
    /// Whether it can be used.
    pub state: AccessState,
    /// The organisation's name as DigDir has it.
    pub name: Option<String>,
}

/// DigDir's states of an access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessState {
    /// The consumer asked for it.
    Requested,
    /// The only state that gives access.
    Approved,
    /// Taken away or refused.
    Denied,
    /// A state that is not in DigDir's description; it gives no access.
    Other(String),
}

impl AccessState {
    /// The API's word for the state.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Approved => "APPROVED",
            Self::Denied => "DENIED",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for AccessState {
    fn from(word: String) -> Self {
        match word.as_str() {
            "REQUESTED" => Self::Requested,
            "APPROVED" => Self::Approved,
            "DENIED" => Self::Denied,
            _ => Self::Other(word),
        }
    }
}

/// An entry of `GET /delegationsources`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelegationSource {
    /// Its short name, such as `altinn`.
    pub name: String,
    /// What a scope's `delegation_source` holds.
    pub issuer: String,
}
