//! Live state at DigDir, as far as a plan needs it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::public;
use super::{
    Attribute, CLIENT, ClientId, IntegrationType, LiveKey, OnBehalfOfId, Orgno, Representation,
    SCOPE, ScopeName,
};

/// All live state that was read. Serialised, it holds no secret, whatever DigDir sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// When it was read, if it is a snapshot and may be out of date.
    #[serde(skip)]
    pub snapshot: Option<Timestamp>,
    /// All scopes of the organisation, inactive ones included.
    pub scopes: BTreeMap<ScopeName, LiveScope>,
    /// The prefixes that DigDir has given the organisation, without a trailing colon.
    pub prefixes: BTreeSet<String>,
    /// Sources through which a consumer can delegate to a supplier; read only when a declaration needs them.
    pub delegation_sources: Vec<DelegationSource>,
    /// All clients of the organisation, inactive ones included; empty where they were not read, because no
    /// declaration needs them.
    pub clients: BTreeMap<ClientId, LiveClient>,
    /// Scopes of other organisations, as far as the declared clients need them: those granted to the
    /// organisation, those open to all, and public ones that a client consumes.
    pub foreign: BTreeMap<ScopeName, ForeignScope>,
    /// The client by which this program reads and writes.
    pub own_client: Option<OwnClient>,
    /// Answers of the API that this program cannot represent.
    pub oddities: Vec<Oddity>,
}

/// An answer of the API that this program cannot represent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oddity {
    /// The list in which it was found.
    pub of: OddityOf,
    /// The entity.
    pub entity: String,
    /// Description of the problem.
    pub what: String,
}

/// The list in which an oddity was found. It concerns only those who need that list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddityOf {
    /// The organisation's scopes.
    Scopes,
    /// The organisation's scopes, where two different ones have this name. It is not known which of them an
    /// update would write back.
    TwoScopes(ScopeName),
    /// The organisation's prefixes.
    Prefixes,
    /// The delegation sources.
    DelegationSources,
    /// The organisation's clients.
    Clients,
    /// The accesses to this scope.
    Accesses(ScopeName),
    /// The `onbehalfof` entries of this client.
    OnBehalfOf(ClientId),
}

/// A scope that exists, active or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveScope {
    /// Whether tokens are issued for it.
    pub active: bool,
    /// All its fields, unknown ones included.
    #[serde(serialize_with = "public::serialize")]
    pub representation: Representation,
    /// Organisations that have, had or request access. `None` where it was not read, because nobody manages
    /// the scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accesses: Option<BTreeMap<Orgno, LiveAccess>>,
    /// Whether some of its accesses were not understood, so that `accesses` lacks them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unclear: bool,
}

/// The client as which this program authenticates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnClient {
    /// Its id.
    pub id: ClientId,
    /// The key that it signs with; `None` where it signs with a certificate, which is accepted only as long
    /// as no key is registered (DigDir's documentation).
    pub kid: Option<String>,
    /// When that key ends; `None` where it is not known, as where clients are not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_expires: Option<Timestamp>,
    /// Until when its certificate is valid, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_expires: Option<Timestamp>,
}

/// A client that exists, active or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveClient {
    /// Whether it gets tokens.
    pub active: bool,
    /// Its name, in Unicode NFC and without white space at its ends; DigDir does not make it unique.
    pub name: String,
    /// DigDir's word for its kind.
    pub integration_type: String,
    /// All its fields, unknown ones included.
    #[serde(serialize_with = "public::serialize")]
    pub representation: Representation,
    /// Its keys. `None` where they were not read, because nobody manages the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<LiveKey>>,
    /// The `onbehalfof` entries; `None` where they were not read.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "public::serialize_entries"
    )]
    pub on_behalf_of: Option<BTreeMap<OnBehalfOfId, Representation>>,
}

impl Live {
    /// The scope of that name, if it is active.
    pub fn active_scope(&self, name: &ScopeName) -> Option<&LiveScope> {
        self.scopes.get(name).filter(|scope| scope.active)
    }
}

impl LiveScope {
    /// The accesses in a state, as far as they were read.
    pub fn in_state(&self, state: AccessState) -> impl Iterator<Item = (Orgno, &LiveAccess)> {
        let accesses = self.accesses.iter().flatten();
        let found = accesses.filter(move |(_, access)| access.state == state);
        found.map(|(orgno, access)| (*orgno, access))
    }

    /// An organisation's access; `None` where there is none, or it was not read.
    pub fn access(&self, consumer: Orgno) -> Option<&LiveAccess> {
        self.accesses.as_ref()?.get(&consumer)
    }

    /// Its description; empty where it has none.
    pub fn description(&self) -> &str {
        description(&SCOPE.description, &self.representation)
    }
}

impl LiveClient {
    /// Its description; empty where it has none.
    pub fn description(&self) -> &str {
        description(&CLIENT.description, &self.representation)
    }

    /// The scopes that it may request.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let scopes = CLIENT.scopes.of(&self.representation).and_then(Value::as_array);
        scopes.into_iter().flatten().filter_map(Value::as_str)
    }
}

fn description<'r>(attribute: &Attribute, representation: &'r Representation) -> &'r str {
    attribute.of(representation).and_then(Value::as_str).unwrap_or_default().trim()
}

/// A scope of another organisation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForeignScope {
    /// Its owner, if DigDir reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Orgno>,
    /// The owner's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_name: Option<String>,
    /// The organisation's own access to it; `None` if DigDir knows of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessState>,
    /// Whether its owner has deactivated it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub inactive: bool,
    /// Whether everybody has access.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
    /// Whether consumers can delegate it to suppliers.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub delegable: bool,
    /// The integration types that may use the scope; empty where any may, or it is not known.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub allowed_integration_types: BTreeSet<IntegrationType>,
}

/// A consumer's access to a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveAccess {
    /// Its state.
    pub state: AccessState,
    /// The organisation's name as DigDir has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was requested, if it is a request and DigDir says so. A snapshot does not keep it.
    #[serde(skip)]
    pub requested: Option<Timestamp>,
}

/// DigDir's states of an access.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum AccessState {
    /// The consumer has requested it.
    Requested,
    /// The only state that gives access.
    Approved,
    /// Revoked or refused.
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

impl Serialize for AccessState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// An entry of `GET /delegationsources`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelegationSource {
    /// Its short name, such as `altinn`.
    pub name: String,
    /// The value of `delegation_source` on a scope.
    pub issuer: String,
}
