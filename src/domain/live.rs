//! What is live at DigDir, as far as a plan needs it.

use std::collections::{BTreeMap, BTreeSet};

use super::{ClientId, IntegrationType, LiveKey, OnBehalfOfId, Orgno, Representation, ScopeName};

/// Everything that was read.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// All scopes of the organisation, inactive ones included.
    pub scopes: BTreeMap<ScopeName, LiveScope>,
    /// The prefixes that DigDir has given the organisation, without a trailing colon.
    pub prefixes: BTreeSet<String>,
    /// Where a consumer can delegate to a supplier; read only when a declaration needs it.
    pub delegation_sources: Vec<DelegationSource>,
    /// All clients of the organisation, inactive ones included; none where they were not read,
    /// because no declaration needs them.
    pub clients: BTreeMap<ClientId, LiveClient>,
    /// Scopes of others, as far as the declared clients need them: those given to the organisation,
    /// those open to all, and those that a client consumes and that are public.
    pub foreign: BTreeMap<ScopeName, ForeignScope>,
    /// The client that reads and writes for this program.
    pub own_client: Option<OwnClient>,
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

/// The client that this program is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnClient {
    /// Its id.
    pub id: ClientId,
    /// The key that it signs with; `None` where it signs with a certificate, which counts only as
    /// long as no key is registered (DigDir's documentation).
    pub kid: Option<String>,
}

/// A client that exists, active or not.
#[derive(Debug, Clone)]
pub struct LiveClient {
    /// Whether it can get tokens.
    pub active: bool,
    /// Its name; DigDir does not make it unique.
    pub name: String,
    /// DigDir's word for its kind.
    pub integration_type: String,
    /// All its fields, unknown ones included.
    pub representation: Representation,
    /// Its keys. `None` where they were not read, because nobody manages the client.
    pub keys: Option<Vec<LiveKey>>,
    /// On whose behalf it acts; `None` where that was not read.
    pub on_behalf_of: Option<BTreeMap<OnBehalfOfId, Representation>>,
}

/// A scope of another organisation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForeignScope {
    /// Who owns it, as far as DigDir tells.
    pub owner: Option<Orgno>,
    /// What the owner is called.
    pub owner_name: Option<String>,
    /// The organisation's own access to it; `None` if DigDir knows of none.
    pub access: Option<AccessState>,
    /// Whether its owner has deactivated it.
    pub inactive: bool,
    /// Whether everybody has access.
    pub open: bool,
    /// Whether consumers can delegate it to suppliers.
    pub delegable: bool,
    /// The kinds of client that may carry it; empty where any may, or it is not known.
    pub allowed_integration_types: BTreeSet<IntegrationType>,
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
