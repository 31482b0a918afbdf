//! Actions of a plan, as plain data: each one holds what is shown and what is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

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
    /// The operation and its target.
    pub work: Work,
    /// Where the repository requests it: the declaration of the access or of the keys, or that of the scope
    /// or client, if the request is that an entry is missing there. If a group's member or an alias made the
    /// difference, its line.
    pub source: Source,
    /// Of an access: the entry or the scope, if `source` is the line of a group's member or of an alias.
    pub entry: Option<Source>,
    /// The group by which an access is declared, or was.
    pub group: Option<Arc<str>>,
    /// The reason, if the declaration or the plan has one.
    pub reason: Option<String>,
    /// The actions that must be done first.
    pub after: Vec<ActionId>,
    /// The cause; `None` where git does not show it.
    pub origin: Option<Origin>,
}

/// Cause of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Origin {
    /// The declarations have changed.
    Change,
    /// The declarations before requested it too: DigDir was changed outside the repository, or an apply was
    /// not finished.
    Drift,
    /// The last day of an access has passed since the last apply.
    Expired,
    /// The first day of an access has been reached since the last apply.
    Due,
}

impl Origin {
    /// Whether a date is the cause, which the declarations have had since the last apply.
    pub fn is_date(self) -> bool {
        match self {
            Self::Change | Self::Drift => false,
            Self::Expired | Self::Due => true,
        }
    }
}

/// Operation and target of an action.
#[derive(Debug, Clone)]
pub enum Work {
    /// A change to a scope.
    Scope(ScopeName, ScopeWork),
    /// A change to a consumer's access to a scope.
    Access(ScopeName, Consumer, AccessWork),
    /// A change to a client.
    Client(ClientName, ClientWork),
    /// A change to a client's keys.
    Keys(ClientName, KeysWork),
}

/// Change to a scope.
#[derive(Debug, Clone)]
pub enum ScopeWork {
    /// Creates a new one.
    Create(Box<Write>),
    /// Changes the attributes of an active one.
    Update(Box<Write>),
    /// Activates an inactive one again.
    Reactivate {
        /// Its representation after that.
        write: Box<Write>,
        /// Consumers that regain access by that alone, as DigDir kept their accesses.
        regains: Vec<Consumer>,
        /// All declared consumers: nobody else may have access afterwards.
        entitled: BTreeSet<Orgno>,
    },
    /// Deactivates an active one; DigDir keeps it and its accesses.
    Deactivate {
        /// Consumers that lose access; empty where they were revoked before.
        loses: Vec<Consumer>,
    },
    /// Leaves it to others from now on. Nothing is sent.
    Release,
}

/// Change to an access.
#[derive(Debug, Clone)]
pub enum AccessWork {
    /// Grants it.
    Grant {
        /// The record that DigDir already has of it.
        before: Option<AccessState>,
    },
    /// Revokes it.
    Revoke {
        /// Whether the scope is inactive and about to be reactivated: then the access has no effect, and
        /// DigDir may refuse to revoke it before the scope is active.
        is_inactive: bool,
        /// Its cause.
        cause: RevocationCause,
    },
}

/// Cause of a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationCause {
    /// The declarations do not give the access, or not today.
    Declarations,
    /// As `Declarations`, and the access was granted outside this repository, before the scope was declared
    /// here for the first time.
    TakeOver,
    /// The organisation is blocked.
    Block,
}

/// Change to a client.
#[derive(Debug, Clone)]
pub enum ClientWork {
    /// Creates a new one: no live client matches.
    Create(ClientIdentity, Box<ClientWrite>),
    /// Changes an active one.
    Update(ClientId, Box<ClientWrite>),
    /// Activates an inactive one again, under its existing id.
    Reactivate {
        /// Its id.
        id: ClientId,
        /// Its representation after that.
        write: Box<ClientWrite>,
        /// The keys that are valid again by that alone, as DigDir kept them.
        keys: Vec<LiveKey>,
        /// The declared keys: only these and the ones above may be valid afterwards.
        declared: Vec<PublicKey>,
    },
    /// Deactivates an active one: it gets no more tokens, and DigDir keeps its id and its keys.
    Deactivate(ClientId),
    /// Leaves it to others from now on. Nothing is sent.
    Release(ClientId),
}

/// Change to a client's keys: the whole set is replaced.
#[derive(Debug, Clone)]
pub struct KeysWork {
    /// The client; `None` for one that the plan creates.
    pub id: Option<ClientId>,
    /// The keys that are registered.
    pub before: Vec<LiveKey>,
    /// The keys to be registered.
    pub wanted: Vec<PublicKey>,
    /// Whether the client is inactive and about to be reactivated: DigDir may refuse to change its keys
    /// before.
    pub is_inactive: bool,
}

/// Write of a scope or a client.
#[derive(Debug, Clone)]
pub struct Write {
    /// Its fields afterwards, as far as they are declared.
    pub wanted: Vec<Field>,
    /// Differences from the live state.
    pub changes: Vec<Change>,
}

/// Write of a client.
#[derive(Debug, Clone)]
pub struct ClientWrite {
    /// Its own attributes.
    pub attributes: Write,
    /// The change of the organisations on whose behalf it acts, if there is one.
    pub on_behalf_of: Option<OnBehalfOfWrite>,
}

/// Change of the organisations on whose behalf a client acts.
#[derive(Debug, Clone)]
pub struct OnBehalfOfWrite {
    /// The registered entries.
    pub before: BTreeMap<OnBehalfOfId, Representation>,
    /// The entries to be registered.
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

impl fmt::Display for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orgno, name } = self;
        f.write_str(&orgno.with_name(name.as_deref()))
    }
}

impl Action {
    /// An action that a declaration asks for by itself, with those that must be done first.
    pub fn new(work: Work, source: &Source, reason: Option<String>, after: Vec<ActionId>) -> Self {
        let source = source.clone();
        Self { work, source, entry: None, group: None, reason, after, origin: None }
    }

    /// The word for the operation.
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

    /// The target.
    pub fn target(&self) -> Target {
        match &self.work {
            Work::Scope(scope, _) => Target::Scope(scope.clone()),
            Work::Access(scope, consumer, _) => Target::Access(scope.clone(), consumer.orgno),
            Work::Client(client, _) => Target::Client(client.clone()),
            Work::Keys(client, _) => Target::Keys(client.clone()),
        }
    }

    /// Its identity within the plan.
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

    /// The access, if it concerns one.
    pub fn access(&self) -> Option<(&ScopeName, Orgno)> {
        Some((self.scope()?, self.consumer()?.orgno))
    }

    /// The consumer, if it concerns an access.
    pub fn consumer(&self) -> Option<&Consumer> {
        match &self.work {
            Work::Access(_, consumer, _) => Some(consumer),
            Work::Scope(..) | Work::Client(..) | Work::Keys(..) => None,
        }
    }

    /// The client, if it concerns one or its keys.
    pub fn client(&self) -> Option<&ClientName> {
        match &self.work {
            Work::Client(client, _) | Work::Keys(client, _) => Some(client),
            Work::Scope(..) | Work::Access(..) => None,
        }
    }

    /// The id that DigDir assigned to the client, if it exists.
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

    /// Differences, field by field.
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

    /// The cause of the revocation, if it is one.
    pub fn revocation(&self) -> Option<RevocationCause> {
        match &self.work {
            Work::Access(_, _, AccessWork::Revoke { is_inactive: _, cause }) => Some(*cause),
            Work::Access(_, _, AccessWork::Grant { .. })
            | Work::Scope(..)
            | Work::Client(..)
            | Work::Keys(..) => None,
        }
    }

    /// Whether it revokes an access that was granted outside this repository, before the scope was declared
    /// here for the first time.
    pub fn takes_over(&self) -> bool {
        self.revocation() == Some(RevocationCause::TakeOver)
    }

    /// Whether it revokes an access because the organisation is blocked.
    pub fn is_of_block(&self) -> bool {
        self.revocation() == Some(RevocationCause::Block)
    }

    /// Consumers that regain access by it.
    pub fn regains(&self) -> &[Consumer] {
        match &self.work {
            Work::Scope(_, ScopeWork::Reactivate { regains, .. }) => regains,
            Work::Scope(..) | Work::Access(..) | Work::Client(..) | Work::Keys(..) => &[],
        }
    }

    /// Keys that are valid again by it.
    pub fn regains_keys(&self) -> &[LiveKey] {
        match &self.work {
            Work::Client(_, ClientWork::Reactivate { keys, .. }) => keys,
            Work::Scope(..) | Work::Access(..) | Work::Client(..) | Work::Keys(..) => &[],
        }
    }

    /// Consumers that lose access because a scope is deactivated with its accesses.
    pub fn loses(&self) -> &[Consumer] {
        match &self.work {
            Work::Scope(_, ScopeWork::Deactivate { loses }) => loses,
            Work::Scope(..) | Work::Access(..) | Work::Client(..) | Work::Keys(..) => &[],
        }
    }
}
