//! What one environment should hold, as the repository declares it.

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::GlobSet;
use jiff::SignedDuration;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ClientAttributes, ClientId, ClientIdentity, ClientName, Entity, OnBehalfOf, OnBehalfOfId,
    Orgno, PublicKey, ScopeAttributes, ScopeName,
};

/// The declarations of one environment, checked and resolved.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The environment's name in `portvakt.yaml`.
    pub environment: String,
    /// The organisation that owns the scopes.
    pub organization: Orgno,
    /// The scopes to hold.
    pub scopes: BTreeMap<ScopeName, DesiredScope>,
    /// Scopes that are no longer to be held, and what is to become of them.
    pub removed: BTreeMap<ScopeName, Removal>,
    /// The clients to hold.
    pub clients: BTreeMap<ClientName, DesiredClient>,
    /// Clients that are no longer to be held, and what is to become of them.
    pub removed_clients: BTreeMap<ClientName, ClientRemoval>,
    /// How long before its end a key is told of.
    pub warn_before: SignedDuration,
    /// What the repository calls the organisations that it knows.
    pub names: BTreeMap<Orgno, String>,
    /// What an apply must not do without being told twice.
    pub guards: Guards,
}

impl Desired {
    /// Whether a scope or a client is declared.
    pub fn declares(&self, entity: &Entity) -> bool {
        match entity {
            Entity::Scope(name) => self.scopes.contains_key(name),
            Entity::Client(name) => self.clients.contains_key(name),
        }
    }

    /// Whether a manifest of NAIS declares it.
    pub fn in_manifest(&self, entity: &Entity) -> bool {
        match entity {
            Entity::Scope(name) => self.scopes.get(name).is_some_and(|scope| scope.in_manifest),
            Entity::Client(name) => {
                self.clients.get(name).is_some_and(|client| client.identity.is_owned())
            }
        }
    }

    /// What `removed` says of it.
    pub fn removal(&self, entity: &Entity) -> Option<&Removal> {
        match entity {
            Entity::Scope(name) => self.removed.get(name),
            Entity::Client(name) => self.removed_clients.get(name).map(|gone| &gone.removal),
        }
    }

    /// Whether it is to be left in other hands.
    pub fn releases(&self, entity: &Entity) -> bool {
        self.removal(entity).is_some_and(|removal| removal.action == RemovalAction::Release)
    }

    /// With the guards of other declarations, and what those protect protected.
    #[must_use]
    pub fn protected_as(mut self, other: &Self) -> Self {
        self.guards = other.guards.clone();
        for (name, scope) in &mut self.scopes {
            let of_other = other.scopes.get(name).is_some_and(|it| it.prevent_deactivation);
            scope.prevent_deactivation |= of_other;
        }
        for (name, client) in &mut self.clients {
            let of_other = other.clients.get(name).is_some_and(|it| it.prevent_deactivation);
            client.prevent_deactivation |= of_other;
        }
        self
    }
}

/// Where in the repository something is declared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The file, relative to the repository, with `/` between its parts.
    pub file: Arc<str>,
    /// The line, the first being 1.
    pub line: usize,
    /// The commit at which it stands there; `None` for the declarations that are read.
    pub at: Option<CommitId>,
}

/// The id of a commit, in hex digits.
pub type CommitId = Arc<str>;

/// A declared scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredScope {
    /// What it should be; `delegation_source` may still be a name instead of an issuer.
    pub attributes: ScopeAttributes,
    /// `false` keeps it declared but deactivated.
    pub active: bool,
    /// Whether a plan may never deactivate it.
    pub prevent_deactivation: bool,
    /// Whether a manifest of NAIS declares it: then it goes with the manifest.
    pub in_manifest: bool,
    /// Who should have access.
    pub consumers: BTreeMap<Orgno, DesiredAccess>,
    /// Where it is declared.
    pub source: Source,
}

/// A declared access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredAccess {
    /// The last day with access, in Norway; `None` for no end.
    pub until: Option<Date>,
    /// Why it was given, as the declaration tells.
    pub reason: Option<String>,
    /// Where it is declared.
    pub source: Source,
}

/// A declared client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredClient {
    /// What tells it from all other live clients.
    pub identity: ClientIdentity,
    /// What it should be.
    pub attributes: ClientAttributes,
    /// Its keys; `None` leaves them as they are live.
    pub keys: Option<Vec<PublicKey>>,
    /// On whose behalf it acts; `None` leaves that as it is live.
    pub on_behalf_of: Option<BTreeMap<OnBehalfOfId, OnBehalfOf>>,
    /// `false` keeps it declared but deactivated.
    pub active: bool,
    /// Whether a plan may never deactivate it.
    pub prevent_deactivation: bool,
    /// Where it is declared.
    pub source: Source,
    /// Where its keys are declared; where the client is, if they are not.
    pub keys_source: Source,
}

/// What `removed` says of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRemoval {
    /// The live client that it is, if the declaration pins one.
    pub id: Option<ClientId>,
    /// What is to become of it.
    pub removal: Removal,
}

/// What `removed` says of a scope or a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// What is to become of it.
    pub action: RemovalAction,
    /// Why, as the declaration tells.
    pub reason: Option<String>,
    /// Where it is declared.
    pub source: Source,
}

/// What can become of a scope or a client that is no longer declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RemovalAction {
    /// It is deactivated, a scope after its accesses were revoked.
    Deactivate,
    /// It stays as it is, in other hands.
    Release,
}

/// Limits that stop an apply, and what no plan may deactivate.
#[derive(Debug, Clone)]
pub struct Guards {
    /// How many scopes and clients one apply may deactivate.
    pub max_deactivations: u64,
    /// How many accesses one apply may revoke.
    pub max_revocations: u64,
    /// How many accesses to scopes that exist already one apply may grant.
    pub max_grants: u64,
    /// How much of what is live one apply may change, in percent; `None` for any.
    pub max_changed_percent: Option<u8>,
    /// Names of scopes and clients that are never deactivated.
    pub protect: GlobSet,
}

impl Guards {
    /// The lower of each limit, with what `other` protects.
    #[must_use]
    pub fn stricter(&self, other: &Self) -> Self {
        let Self { max_deactivations, max_revocations, max_grants, max_changed_percent, protect } =
            other;
        let percent = [self.max_changed_percent, *max_changed_percent];
        Self {
            max_deactivations: self.max_deactivations.min(*max_deactivations),
            max_revocations: self.max_revocations.min(*max_revocations),
            max_grants: self.max_grants.min(*max_grants),
            max_changed_percent: percent.into_iter().flatten().min(),
            protect: protect.clone(),
        }
    }
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            max_deactivations: 3,
            max_revocations: 25,
            max_grants: 50,
            max_changed_percent: None,
            protect: GlobSet::empty(),
        }
    }
}
