//! Identity of actions, and their order.

use std::cmp::Ordering;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use domain::{ClientName, Entity, Orgno, ScopeName};

domain::words! {
    /// Operation of an action. They are in the order of a summary.
    #[schemars(inline)]
    #[expect(missing_docs, reason = "Work tells what each does")]
    pub enum Verb {
        Revoke = "revoke",
        Reactivate = "reactivate",
        Create = "create",
        Update = "update",
        Grant = "grant",
        Keys = "keys",
        Deactivate = "deactivate",
        Release = "release",
    }
}

impl Verb {
    /// Whether it removes something that is no longer declared.
    pub fn closes(self) -> bool {
        match self {
            Self::Revoke | Self::Deactivate | Self::Release => true,
            Self::Create | Self::Update | Self::Reactivate | Self::Grant | Self::Keys => false,
        }
    }
}

/// Target of an action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A scope.
    Scope(ScopeName),
    /// A consumer's access to a scope.
    Access(ScopeName, Orgno),
    /// A client.
    Client(ClientName),
    /// A client's keys.
    Keys(ClientName),
}

/// Kind of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[expect(missing_docs, reason = "Target tells what each is")]
pub enum Kind {
    Scope,
    Access,
    Client,
    Keys,
}

impl Target {
    /// The scope or the client that it is, or belongs to.
    pub fn entity(&self) -> Entity {
        match self {
            Self::Scope(name) | Self::Access(name, _) => Entity::Scope(name.clone()),
            Self::Client(name) | Self::Keys(name) => Entity::Client(name.clone()),
        }
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Scope(_) => Kind::Scope,
            Self::Access(..) => Kind::Access,
            Self::Client(_) => Kind::Client,
            Self::Keys(_) => Kind::Keys,
        }
    }
}

/// The order in which actions are carried out and listed: those that remove access come before those that
/// open, scopes before accesses to them, those before clients, and clients before their keys. The keys of a
/// client are replaced before it is reactivated, and a client is deactivated before the scopes that it
/// consumes.
const ORDER: [(Verb, Kind); 13] = [
    (Verb::Revoke, Kind::Access),
    (Verb::Reactivate, Kind::Scope),
    (Verb::Create, Kind::Scope),
    (Verb::Update, Kind::Scope),
    (Verb::Grant, Kind::Access),
    (Verb::Create, Kind::Client),
    (Verb::Update, Kind::Client),
    (Verb::Keys, Kind::Keys),
    (Verb::Reactivate, Kind::Client),
    (Verb::Deactivate, Kind::Client),
    (Verb::Deactivate, Kind::Scope),
    (Verb::Release, Kind::Client),
    (Verb::Release, Kind::Scope),
];

/// Identity of an action within a plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ActionId {
    /// The operation.
    pub verb: Verb,
    /// Its target.
    pub target: Target,
}

impl ActionId {
    /// The id of an action on a scope itself.
    pub fn scope(verb: Verb, scope: &ScopeName) -> Self {
        Self { verb, target: Target::Scope(scope.clone()) }
    }

    /// The id of an action on a consumer's access to a scope.
    pub fn access(verb: Verb, scope: &ScopeName, consumer: Orgno) -> Self {
        Self { verb, target: Target::Access(scope.clone(), consumer) }
    }

    /// The id of an action on a client itself.
    pub fn client(verb: Verb, client: &ClientName) -> Self {
        Self { verb, target: Target::Client(client.clone()) }
    }

    /// Its place in the order of the steps.
    pub(super) fn step(&self) -> usize {
        let own = (self.verb, self.target.kind());
        ORDER.iter().position(|step| *step == own).unwrap_or(ORDER.len())
    }
}

impl Ord for ActionId {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.step(), &self.target).cmp(&(other.step(), &other.target))
    }
}

impl PartialOrd for ActionId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, target } = self;
        let verb = verb.as_str();
        match target {
            Target::Scope(scope) => write!(f, "{verb} scope {scope}"),
            Target::Access(scope, consumer) => write!(f, "{verb} {scope} {consumer}"),
            Target::Client(client) | Target::Keys(client) => write!(f, "{verb} client {client}"),
        }
    }
}

impl Serialize for ActionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
