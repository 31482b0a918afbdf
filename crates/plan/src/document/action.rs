//! The actions of plans and reports.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Action, ActionId, Consumer, Danger, FieldChange, Kind, Mark, Operation, Origin, Target, Verb,
};
use domain::{Change, ClientId, ClientName, ScopeName, Source};

/// An action of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActionDocument {
    /// What tells it from all others of the plan.
    pub id: String,
    /// What is done.
    pub action: Verb,
    /// What it is done to.
    pub kind: Kind,
    /// What it opens or closes, the most severe where it is several: `closes`, `reopens`, `opens`,
    /// `keys`, `reaches`, `grants`; absent where it is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub danger: Option<Danger>,
    /// The scope, or the scope that the access is to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The consumer's organisation number, if it is about an access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<String>,
    /// The consumer's name, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer_name: Option<String>,
    /// The client's name, if it is about a client or its keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The id that DigDir has given the client, if it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// `change`: the declarations have changed since `base`; `drift`: those at `base` ask for it too;
    /// `null` where it is not known.
    pub origin: Option<Origin>,
    /// Where the repository asks for it, or did so last.
    pub source: Option<SourceDocument>,
    /// Why, as far as the declaration or the plan tells.
    pub reason: Option<String>,
    /// Whether it takes access away that somebody else granted, before the scope was declared here for
    /// the first time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_over: bool,
    /// What differs, field by field.
    pub changes: Vec<ChangeDocument>,
    /// Who has access again by this reactivation alone, as DigDir kept it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regains: Vec<ConsumerDocument>,
    /// The ids of the keys that count again by this reactivation alone, as DigDir kept them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regains_keys: Vec<String>,
    /// The thumbprints of those keys (RFC 7638), in the same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regains_thumbprints: Vec<Option<String>>,
    /// Who cannot use the scope any more that is closed with its accesses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loses: Vec<ConsumerDocument>,
    /// The ids of the actions that must be done first.
    pub after: Vec<String>,
}

/// A place in the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceDocument {
    /// The file, relative to the folder of portvakt.yaml.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The commit at which it stood there, for what is declared no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Who last touched that line (`--blame`, and in the ledger).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blame: Option<BlameDocument>,
}

/// Who last touched a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlameDocument {
    /// The commit.
    pub commit: String,
    /// Its author, with an address.
    pub author: String,
}

/// An organisation with access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsumerDocument {
    /// Its number.
    pub consumer: String,
    /// Its name, if it is known.
    pub consumer_name: Option<String>,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeDocument {
    /// DigDir's name of the attribute; `jwks` and `onbehalfof` are told entry by entry.
    pub field: String,
    /// What it is live; `null` where it is not set.
    pub before: Value,
    /// What it is to be.
    pub after: Value,
}

impl ActionDocument {
    pub(super) fn new(action: &Action) -> Self {
        let consumer = action.consumer();
        Self {
            id: action.id().to_string(),
            action: action.verb(),
            kind: action.target().kind(),
            danger: action.danger(),
            scope: action.scope().map(ScopeName::to_string),
            consumer: consumer.map(|consumer| consumer.orgno.to_string()),
            consumer_name: consumer.and_then(|consumer| consumer.name.clone()),
            client: action.client().map(ClientName::to_string),
            client_id: action.client_id().map(ClientId::to_string),
            origin: action.origin,
            source: Some(SourceDocument::new(&action.source)),
            reason: action.reason.clone(),
            takes_over: action.takes_over(),
            changes: action.changes().into_iter().map(ChangeDocument::from).collect(),
            regains: action.regains().iter().map(ConsumerDocument::new).collect(),
            regains_keys: action.regains_keys().iter().map(|key| key.kid.clone()).collect(),
            regains_thumbprints: action
                .regains_keys()
                .iter()
                .map(|key| key.thumbprint.clone())
                .collect(),
            loses: action.loses().iter().map(ConsumerDocument::new).collect(),
            after: action.after.iter().map(ToString::to_string).collect(),
        }
    }

    /// The id that it has by what it is about; `None` where that is nothing that this version knows.
    pub fn own_id(&self) -> Option<ActionId> {
        let Self { kind, scope, consumer, client, .. } = self;
        let scope = || scope.as_ref()?.parse().ok();
        let client = || client.as_ref()?.parse().ok();
        let target = match kind {
            Kind::Scope => Target::Scope(scope()?),
            Kind::Access => Target::Access(scope()?, consumer.as_ref()?.parse().ok()?),
            Kind::Client => Target::Client(client()?),
            Kind::Keys => Target::Keys(client()?),
        };
        Some(ActionId { verb: self.action, target })
    }

    /// Whether somebody loses something by it: access, or a key that a client signs in with.
    pub fn takes_away(&self) -> bool {
        let loses_key = || self.changes.iter().any(|change| !change.before.is_null());
        self.action.closes()
            || self.danger == Some(Danger::Closes)
            || self.action == Verb::Keys && loses_key()
    }

    /// With the danger that its own verb, kind and changes have, whatever the document said.
    #[must_use]
    pub fn judged(mut self) -> Self {
        self.danger = self.operation().danger(self.changes.iter().map(ChangeDocument::values));
        self
    }

    /// What one of its changes opens or closes; `None` for nothing.
    pub fn mark(&self, change: &ChangeDocument) -> Option<Mark> {
        self.operation().mark(change.values())
    }

    /// Whether one of its changes does that.
    pub fn has(&self, danger: Danger) -> bool {
        let mut marks = self.changes.iter().filter_map(|change| self.mark(change));
        marks.any(|mark| mark.danger == danger)
    }

    fn operation(&self) -> Operation<'_> {
        Operation { verb: self.action, kind: self.kind, scope: self.scope.as_deref() }
    }
}

impl ChangeDocument {
    fn values(&self) -> FieldChange<'_> {
        (&self.field, &self.before, &self.after)
    }
}

impl SourceDocument {
    fn new(Source { file, line, at }: &Source) -> Self {
        let at = at.as_ref().map(ToString::to_string);
        Self { file: file.to_string(), line: *line, at, blame: None }
    }
}

impl ConsumerDocument {
    fn new(Consumer { orgno, name }: &Consumer) -> Self {
        Self { consumer: orgno.to_string(), consumer_name: name.clone() }
    }
}

impl From<Change> for ChangeDocument {
    fn from(Change { field, before, after }: Change) -> Self {
        Self { field: field.to_owned(), before, after }
    }
}
