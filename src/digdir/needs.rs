//! What a plan has to know, so that nothing else is read.

use std::collections::BTreeSet;

use crate::domain::{
    ClientAttributes, ClientId, ClientName, Desired, DesiredClient, DesiredScope, RemovalAction,
    ScopeName,
};

/// What is to be read beside the organisation's scopes and prefixes.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// The scopes whose accesses are read, where they exist.
    pub scopes: BTreeSet<ScopeName>,
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
    /// The ids of others of the kind.
    pub ids: BTreeSet<ClientId>,
    /// Scopes of others that clients consume.
    pub consumed: BTreeSet<ScopeName>,
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
            scopes: scopes.keys().chain(deactivated.map(|(name, _)| name)).cloned().collect(),
            clients: ClientNeeds::of(desired),
        }
    }

    /// What this and another need.
    pub fn and(mut self, other: Self) -> Self {
        let Self { scopes, delegation_sources, clients } = other;
        self.scopes.extend(scopes);
        self.delegation_sources |= delegation_sources;
        self.clients = match (self.clients, clients) {
            (Some(mut own), Some(ClientNeeds { names, ids, consumed })) => {
                own.names.extend(names);
                own.ids.extend(ids);
                own.consumed.extend(consumed);
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
        let previous = clients.values().filter_map(|client| client.previous_name.as_ref());
        let consumed = clients.values().flat_map(consumed);
        Some(Self {
            names: clients.keys().chain(previous).cloned().collect(),
            ids: clients.values().filter_map(|client| client.id.clone()).collect(),
            consumed: consumed.filter(|name| !desired.scopes.contains_key(name)).collect(),
        })
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
