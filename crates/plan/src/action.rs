//! What a plan would do, as plain data: each action holds what is shown and what is sent.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::{ActionId, Target, Verb};
use domain::{
    AccessState, Change, ClientId, ClientIdentity, ClientName, Field, LiveKey, OnBehalfOf,
    OnBehalfOfId, Orgno, PublicKey, Representation, ScopeName, Source,
};

/// One change to one entity.
#[derive(Debug, Clone)]
pub struct Action {
    /// What is done, and to what.
    pub work: Work,
    /// Where the repository asks for it: the declaration of the access or of the keys, or of the
    /// scope or client where it asks by not naming one.
    pub source: Source,
    /// Why, as far as the declaration or the plan tells.
    pub reason: Option<String>,
    /// What must be done before it.
    pub after: Vec<ActionId>,
    /// Why it is needed; `None` where git does not tell.
    pub origin: Option<Origin>,
}

/// Why an action is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Origin {
    /// The declarations have changed.
    Change,
    /// The declarations before asked for it too: DigDir was changed behind the repository's back, or
    /// an apply was not finished.
    Drift,
}

/// What an action does.
#[derive(Debug, Clone)]
pub enum Work {
    /// To a scope.
    Scope(ScopeName, ScopeWork),
    /// To a consumer's access to a scope.
    Access(ScopeName, Consumer, AccessWork),
    /// To a client.
    Client(ClientName, ClientWork),
    /// To a client's keys.
    Keys(ClientName, KeysWork),
}

/// What is done to a scope.
#[derive(Debug, Clone)]
pub enum ScopeWork {
    /// One that has never been is made.
    Create(Box<Write>),
    /// An active one's attributes change.
    Update(Box<Write>),
    /// An inactive one is opened again.
    Reactivate {
        /// Its representation from then on.
        write: Box<Write>,
        /// Who has access again by that alone: DigDir kept it.
        regains: Vec<Consumer>,
        /// Everybody who is declared: nobody else may have access afterwards.
        entitled: BTreeSet<Orgno>,
    },
    /// An active one is closed; DigDir keeps it and its accesses.
    Deactivate {
        /// Who cannot use it from then on; empty where they were revoked before.
        loses: Vec<Consumer>,
    },
    /// It is in other hands from then on. Nothing is sent.
    Release,
}

/// What is done to an access.
#[derive(Debug, Clone)]
pub enum AccessWork {
    /// It is given.
    Grant {
        /// The record that DigDir has of it already.
        before: Option<AccessState>,
    },
    /// It is taken away.
    Revoke {
        /// Whether the scope is inactive and about to be opened again: then the access is asleep,
        /// and DigDir may refuse to take it away before the scope is open.
        asleep: bool,
        /// Whether somebody else granted it, before the scope was declared here for the first time.
        takes_over: bool,
    },
}

/// What is done to a client.
#[derive(Debug, Clone)]
pub enum ClientWork {
    /// One that has never been is made: nothing that is live is it.
    Create(ClientIdentity, Box<ClientWrite>),
    /// An active one changes.
    Update(ClientId, Box<ClientWrite>),
    /// An inactive one can get tokens again, under the id that it had.
    Reactivate {
        /// Its id.
        id: ClientId,
        /// Its representation from then on.
        write: Box<ClientWrite>,
        /// The keys that count again by that alone: DigDir kept them.
        keys: Vec<LiveKey>,
        /// The keys that are declared: no others but these and those may count afterwards.
        declared: Vec<PublicKey>,
    },
    /// An active one cannot get tokens any more; DigDir keeps its id and its keys.
    Deactivate(ClientId),
    /// It is in other hands from then on. Nothing is sent.
    Release(ClientId),
}

/// What is done to a client's keys: the whole set is replaced.
#[derive(Debug, Clone)]
pub struct KeysWork {
    /// The client; `None` for one that the plan makes.
    pub id: Option<ClientId>,
    /// The keys that are registered.
    pub before: Vec<LiveKey>,
    /// The keys to be registered.
    pub wanted: Vec<PublicKey>,
    /// Whether the client is inactive and about to be reactivated: DigDir may refuse to change its
    /// keys before.
    pub asleep: bool,
}

/// What is sent of a scope or a client.
#[derive(Debug, Clone)]
pub struct Write {
    /// What it is after it, as far as the declaration says.
    pub wanted: Vec<Field>,
    /// What differs from what is live.
    pub changes: Vec<Change>,
}

/// What is sent of a client.
#[derive(Debug, Clone)]
pub struct ClientWrite {
    /// Its own attributes.
    pub attributes: Write,
    /// On whose behalf it acts, if that changes.
    pub on_behalf_of: Option<OnBehalfOfWrite>,
}

/// Those on whose behalf a client is to act.
#[derive(Debug, Clone)]
pub struct OnBehalfOfWrite {
    /// Who is registered.
    pub before: BTreeMap<OnBehalfOfId, Representation>,
    /// Who is to be.
    pub wanted: BTreeMap<OnBehalfOfId, OnBehalfOf>,
}

/// An organisation with access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// Its number.
    pub orgno: Orgno,
    /// Its name, as the repository or else DigDir has it.
    pub name: Option<String>,
}

impl Action {
    /// The word for what it does.
    pub fn verb(&self) -> Verb {
        match &self.work {
            Work::Scope(_, ScopeWork::Create(_)) | Work::Client(_, ClientWork::Create(..)) => {
                Verb::Create
            }
            Work::Scope(_, ScopeWork::Update(_)) | Work::Client(_, ClientWork::Update(..)) => {
                Verb::Update
            }
            Work::Scope(_, ScopeWork::Reactivate { .. })
            | Work::Client(_, ClientWork::Reactivate { .. }) => Verb::Reactivate,
            Work::Scope(_, ScopeWork::Deactivate { .. })
            | Work::Client(_, ClientWork::Deactivate(_)) => Verb::Deactivate,
            Work::Scope(_, ScopeWork::Release) | Work::Client(_, ClientWork::Release(_)) => {
                Verb::Release
            }
            Work::Access(_, _, AccessWork::Grant { .. }) => Verb::Grant,
            Work::Access(_, _, AccessWork::Revoke { .. }) => Verb::Revoke,
            Work::Keys(..) => Verb::Keys,
        }
    }

    /// What it is about.
    pub fn target(&self) -> Target {
        match &self.work {
            Work::Scope(scope, _) => Target::Scope(scope.clone()),
            Work::Access(scope, consumer, _) => Target::Access(scope.clone(), consumer.orgno),
            Work::Client(client, _) => Target::Client(client.clone()),
            Work::Keys(client, _) => Target::Keys(client.clone()),
        }
    }

    /// What tells it from all others.
    pub fn id(&self) -> ActionId {
        ActionId { verb: self.verb(), target: self.target() }
    }

    /// The scope, or the scope that the access is to.
    pub fn scope(&self) -> Option<&ScopeName> {
        match &self.work {
            Work::Scope(scope, _) | Work::Access(scope, ..) => Some(scope),
            Work::Client(..) | Work::Keys(..) => None,
        }
    }

    /// The consumer, if it is about an access.
    pub fn consumer(&self) -> Option<&Consumer> {
        match &self.work {
            Work::Access(_, consumer, _) => Some(consumer),
            Work::Scope(..) | Work::Client(..) | Work::Keys(..) => None,
        }
    }

    /// The client, if it is about one or its keys.
    pub fn client(&self) -> Option<&ClientName> {
        match &self.work {
            Work::Client(client, _) | Work::Keys(client, _) => Some(client),
            Work::Scope(..) | Work::Access(..) => None,
        }
    }

    /// The id that DigDir has given the client, if it exists.
    pub fn client_id(&self) -> Option<&ClientId> {
        match &self.work {
            Work::Client(_, work) => match work {
                ClientWork::Create(..) => None,
                ClientWork::Update(id, _)
                | ClientWork::Reactivate { id, .. }
                | ClientWork::Deactivate(id)
                | ClientWork::Release(id) => Some(id),
            },
            Work::Keys(_, keys) => keys.id.as_ref(),
            Work::Scope(..) | Work::Access(..) => None,
        }
    }

    /// What differs, field by field.
    pub fn changes(&self) -> Vec<Change> {
        match &self.work {
            Work::Scope(_, work) => match work {
                ScopeWork::Create(write)
                | ScopeWork::Update(write)
                | ScopeWork::Reactivate { write, .. } => write.changes.clone(),
                ScopeWork::Deactivate { .. } | ScopeWork::Release => Vec::new(),
            },
            Work::Access(_, _, AccessWork::Grant { before: Some(state) }) => vec![Change {
                field: "state",
                before: state.as_str().into(),
                after: AccessState::Approved.as_str().into(),
            }],
            Work::Access(_, _, AccessWork::Grant { before: None } | AccessWork::Revoke { .. }) => {
                Vec::new()
            }
            Work::Client(_, work) => match work {
                ClientWork::Create(_, write)
                | ClientWork::Update(_, write)
                | ClientWork::Reactivate { write, .. } => write.changes(),
                ClientWork::Deactivate(_) | ClientWork::Release(_) => Vec::new(),
            },
            Work::Keys(_, keys) => keys.changes(),
        }
    }

    /// Whether it takes access away that somebody else granted, before the scope was declared here for
    /// the first time.
    pub fn takes_over(&self) -> bool {
        matches!(self.work, Work::Access(_, _, AccessWork::Revoke { takes_over: true, asleep: _ }))
    }

    /// Who has access again by it.
    pub fn regains(&self) -> &[Consumer] {
        match &self.work {
            Work::Scope(_, ScopeWork::Reactivate { regains, .. }) => regains,
            Work::Scope(..) | Work::Access(..) | Work::Client(..) | Work::Keys(..) => &[],
        }
    }

    /// The keys that count again by it.
    pub fn regains_keys(&self) -> &[LiveKey] {
        match &self.work {
            Work::Client(_, ClientWork::Reactivate { keys, .. }) => keys,
            Work::Scope(..) | Work::Access(..) | Work::Client(..) | Work::Keys(..) => &[],
        }
    }

    /// Who cannot use a scope any more that is closed with its accesses.
    pub fn loses(&self) -> &[Consumer] {
        match &self.work {
            Work::Scope(_, ScopeWork::Deactivate { loses }) => loses,
            Work::Scope(..) | Work::Access(..) | Work::Client(..) | Work::Keys(..) => &[],
        }
    }
}
