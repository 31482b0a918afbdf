//! What a plan has to know, so that nothing else is read.

use std::collections::BTreeSet;

use domain::nais::{Application, owner_of_client};
use domain::{
    ClientAttributes, ClientId, ClientIdentity, ClientName, Desired, DesiredClient, DesiredScope,
    LiveClient, RemovalAction, ScopeName,
};

/// Which things of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which<T> {
    /// Every one that there is.
    All,
    /// These, where they exist.
    These(BTreeSet<T>),
}

impl<T> Default for Which<T> {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl<T> From<BTreeSet<T>> for Which<T> {
    fn from(these: BTreeSet<T>) -> Self {
        Self::These(these)
    }
}

impl<T: Ord> Which<T> {
    /// Whether it is one of them.
    pub fn contains(&self, thing: &T) -> bool {
        match self {
            Self::All => true,
            Self::These(these) => these.contains(thing),
        }
    }

    /// Whether it is one of them and was asked for by itself.
    pub fn names(&self, thing: &T) -> bool {
        matches!(self, Self::These(these) if these.contains(thing))
    }

    /// Whether it is none at all.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::These(these) if these.is_empty())
    }

    /// Those of the one and those of the other.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::These(mut these), Self::These(others)) => {
                these.extend(others);
                Self::These(these)
            }
            (Self::All, _) | (_, Self::All) => Self::All,
        }
    }
}

/// What is to be read beside the organisation's scopes and prefixes.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// The scopes whose accesses are read.
    pub scopes: Which<ScopeName>,
    /// Whether a declaration names a delegation source.
    pub delegation_sources: bool,
    /// What is to be read of clients; `None` reads none of them.
    pub clients: Option<ClientNeeds>,
}

/// What is to be read beside the organisation's clients.
#[derive(Debug, Clone, Default)]
pub struct ClientNeeds {
    /// The names of those whose keys are read, and on whose behalf they act.
    pub names: BTreeSet<ClientName>,
    /// The applications at NAIS that own others.
    pub applications: BTreeSet<Application>,
    /// The ids of others of the kind.
    pub ids: Which<ClientId>,
    /// Scopes of others that clients consume.
    pub consumed: Which<ScopeName>,
}

/// How much of the API a connection is for: its token carries no scope that it does not need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Scopes and the access to them.
    Scopes,
    /// Clients too.
    ScopesAndClients,
}

impl Needs {
    /// What the plan for these declarations has to know.
    pub fn of(desired: &Desired) -> Self {
        let Desired { scopes, removed, .. } = desired;
        let deactivated =
            removed.iter().filter(|(_, removal)| removal.action == RemovalAction::Deactivate);
        let delegates = |scope: &DesiredScope| scope.attributes.delegation_source.is_some();
        Self {
            delegation_sources: scopes.values().any(delegates),
            scopes: Which::These(
                scopes.keys().chain(deactivated.map(|(name, _)| name)).cloned().collect(),
            ),
            clients: ClientNeeds::of(desired),
        }
    }

    /// What any plan has to know, whatever is declared; of clients only if they can be reached.
    pub fn everything(reach: Reach) -> Self {
        let clients =
            || ClientNeeds { ids: Which::All, consumed: Which::All, ..ClientNeeds::default() };
        Self {
            scopes: Which::All,
            delegation_sources: true,
            clients: match reach {
                Reach::Scopes => None,
                Reach::ScopesAndClients => Some(clients()),
            },
        }
    }

    /// What this and another need.
    pub fn and(mut self, other: Self) -> Self {
        let Self { scopes, delegation_sources, clients } = other;
        self.scopes = self.scopes.and(scopes);
        self.delegation_sources |= delegation_sources;
        self.clients = match (self.clients, clients) {
            (Some(mut own), Some(ClientNeeds { names, applications, ids, consumed })) => {
                own.names.extend(names);
                own.applications.extend(applications);
                own.ids = own.ids.and(ids);
                own.consumed = own.consumed.and(consumed);
                Some(own)
            }
            (own, other) => own.or(other),
        };
        self
    }

    /// What a connection that reads this must reach.
    pub fn reach(&self) -> Reach {
        match self.clients {
            Some(_) => Reach::ScopesAndClients,
            None => Reach::Scopes,
        }
    }
}

impl ClientNeeds {
    fn of(desired: &Desired) -> Option<Self> {
        let Desired { clients, removed_clients, .. } = desired;
        if clients.is_empty() && removed_clients.is_empty() {
            return None;
        }
        let identities = || clients.values().map(|client| &client.identity);
        let previous = identities().filter_map(ClientIdentity::previous_name);
        let consumed = clients.values().flat_map(consumed);
        let ids = identities().filter_map(|client| client.pinned().cloned());
        let applications = identities().filter_map(|client| match client {
            ClientIdentity::OwnedBy { application, .. } => Some(application.clone()),
            ClientIdentity::Named { .. } => None,
        });
        let consumed = consumed.filter(|name| !desired.scopes.contains_key(name));
        Some(Self {
            names: clients.keys().chain(previous).cloned().collect(),
            applications: applications.collect(),
            ids: Which::These(ids.collect()),
            consumed: Which::These(consumed.collect()),
        })
    }

    /// Whether a client's keys are read, and on whose behalf it acts.
    pub fn include(&self, id: &ClientId, client: &LiveClient) -> bool {
        let owner = owner_of_client(client.description());
        self.ids.contains(id)
            || self.names.iter().any(|name| name.as_str() == client.name)
            || owner.is_some_and(|owner| self.applications.contains(&owner))
    }
}

/// The scopes that a client consumes and to which access is given.
fn consumed(client: &DesiredClient) -> Vec<ScopeName> {
    let ClientAttributes { integration_type, scopes, .. } = &client.attributes;
    scopes
        .iter()
        .filter(|scope| !integration_type.brings(scope.as_str()))
        .filter_map(|scope| scope.name())
        .collect()
}
