//! What a plan would do, as plain data: each action holds what is shown and what is sent.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::domain::{AccessState, Change, Orgno, ScopeAttributes, ScopeName, Source};

/// One change to one entity.
#[derive(Debug, Clone)]
pub struct Action {
    /// The scope, or the scope that the access is to.
    pub scope: ScopeName,
    /// What is done.
    pub work: Work,
    /// Where the repository asks for it: the declaration of the access, or of the scope where it
    /// asks by not naming a consumer.
    pub source: Source,
    /// Why, as far as the declaration or the plan tells.
    pub reason: Option<String>,
    /// What must be done before it.
    pub after: Vec<ActionId>,
}

/// What an action does.
#[derive(Debug, Clone)]
pub enum Work {
    /// A scope that has never been is made.
    Create(Box<ScopeWrite>),
    /// An active scope's attributes change.
    Update(Box<ScopeWrite>),
    /// An inactive scope is opened again.
    Reactivate {
        /// Its representation from then on.
        write: Box<ScopeWrite>,
        /// Who has access again by that alone: DigDir kept it.
        regains: Vec<Consumer>,
        /// Everybody who is declared: nobody else may have access afterwards.
        entitled: BTreeSet<Orgno>,
    },
    /// An active scope is closed; DigDir keeps it and its accesses.
    Deactivate {
        /// Who cannot use it from then on; empty where they were revoked before.
        loses: Vec<Consumer>,
    },
    /// A consumer is given access.
    Grant {
        /// Who gets it.
        consumer: Consumer,
        /// The record that DigDir has of it already.
        before: Option<AccessState>,
    },
    /// A consumer's access is taken away.
    Revoke {
        /// Who loses it.
        consumer: Consumer,
        /// Whether the scope is inactive and about to be opened again: then the access is asleep,
        /// and DigDir may refuse to take it away before the scope is open.
        asleep: bool,
    },
}

/// What is sent of a scope.
#[derive(Debug, Clone)]
pub struct ScopeWrite {
    /// What the scope is after it.
    pub wanted: ScopeAttributes,
    /// What differs from what is live.
    pub changes: Vec<Change>,
}

/// An organisation with access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// Its number.
    pub orgno: Orgno,
    /// Its name, as the repository or else DigDir has it.
    pub name: Option<String>,
}

/// The word for what an action does, in the order in which actions are carried out and listed:
/// what takes access away comes before what opens, scopes come before accesses to them, and a
/// scope is closed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "Work tells what each does")]
pub enum Verb {
    Revoke,
    Reactivate,
    Create,
    Update,
    Grant,
    Deactivate,
}

impl Verb {
    /// Every verb, in order.
    pub const ALL: [Self; 6] =
        [Self::Revoke, Self::Reactivate, Self::Create, Self::Update, Self::Grant, Self::Deactivate];

    /// The word as it stands in plans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::Reactivate => "reactivate",
            Self::Create => "create",
            Self::Update => "update",
            Self::Grant => "grant",
            Self::Deactivate => "deactivate",
        }
    }
}

/// What tells an action from all others of a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId {
    /// What is done.
    pub verb: Verb,
    /// To which scope.
    pub scope: ScopeName,
    /// For which consumer, if it is about an access.
    pub consumer: Option<Orgno>,
}

impl ActionId {
    /// The id of an action on a scope itself.
    pub fn scope(verb: Verb, scope: &ScopeName) -> Self {
        Self { verb, scope: scope.clone(), consumer: None }
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, scope, consumer } = self;
        match consumer {
            None => write!(f, "{} scope {scope}", verb.as_str()),
            Some(consumer) => write!(f, "{} {scope} {consumer}", verb.as_str()),
        }
    }
}

impl Serialize for ActionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Action {
    /// The word for what it does.
    pub fn verb(&self) -> Verb {
        match &self.work {
            Work::Create(_) => Verb::Create,
            Work::Update(_) => Verb::Update,
            Work::Reactivate { .. } => Verb::Reactivate,
            Work::Deactivate { .. } => Verb::Deactivate,
            Work::Grant { .. } => Verb::Grant,
            Work::Revoke { .. } => Verb::Revoke,
        }
    }

    /// The consumer, if it is about an access.
    pub fn consumer(&self) -> Option<&Consumer> {
        match &self.work {
            Work::Grant { consumer, .. } | Work::Revoke { consumer, .. } => Some(consumer),
            Work::Create(_)
            | Work::Update(_)
            | Work::Reactivate { .. }
            | Work::Deactivate { .. } => None,
        }
    }

    /// What tells it from all others.
    pub fn id(&self) -> ActionId {
        ActionId {
            verb: self.verb(),
            scope: self.scope.clone(),
            consumer: self.consumer().map(|consumer| consumer.orgno),
        }
    }

    /// What differs, field by field.
    pub fn changes(&self) -> Vec<Change> {
        match &self.work {
            Work::Create(write) | Work::Update(write) | Work::Reactivate { write, .. } => {
                write.changes.clone()
            }
            Work::Grant { before: Some(state), .. } => vec![Change {
                field: "state",
                before: state.as_str().into(),
                after: AccessState::Approved.as_str().into(),
            }],
            Work::Grant { before: None, .. } | Work::Revoke { .. } | Work::Deactivate { .. } => {
                Vec::new()
            }
        }
    }

    /// Who has access again by it.
    pub fn regains(&self) -> &[Consumer] {
        match &self.work {
            Work::Reactivate { regains, .. } => regains,
            Work::Create(_)
            | Work::Update(_)
            | Work::Deactivate { .. }
            | Work::Grant { .. }
            | Work::Revoke { .. } => &[],
        }
    }

    /// Who cannot use a scope any more that is closed with its accesses.
    pub fn loses(&self) -> &[Consumer] {
        match &self.work {
            Work::Deactivate { loses } => loses,
            Work::Create(_)
            | Work::Update(_)
            | Work::Reactivate { .. }
            | Work::Grant { .. }
            | Work::Revoke { .. } => &[],
        }
    }
}
