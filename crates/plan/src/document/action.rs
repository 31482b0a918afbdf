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
    /// Its identity within the plan.
    pub id: String,
    /// The operation.
    pub action: Verb,
    /// The kind of its target.
    pub kind: Kind,
    /// The effect on access, the most severe if there are several: `closes`, `reopens`, `opens`, `keys`,
    /// `reaches`, `grants`; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub danger: Option<Danger>,
    /// The scope, or the scope that the access is to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The consumer's organisation number, if it concerns an access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<String>,
    /// The consumer's name, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer_name: Option<String>,
    /// The client's name, if it concerns a client or its keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The id that DigDir assigned to the client, if it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// `change`: the declarations have changed since `base`; `drift`: those at `base` request it too; `expired`:
    /// the last day of an access has passed since the last apply; `due`: its first day has been reached; `null`
    /// where it is not known.
    pub origin: Option<Origin>,
    /// Where the repository requests it, or last did: the line that made the difference, which may be that of
    /// a group's member or of an alias.
    pub source: Option<SourceDocument>,
    /// Of an access: its entry or its scope, if `source` is the line of a group's member or of an alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<SourceDocument>,
    /// The group by which an access is declared, or was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The team in whose folder the scope of an access is declared, or was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The reason, if the declaration or the plan has one.
    pub reason: Option<String>,
    /// Whether it revokes an access that was granted outside this repository, before the scope was declared
    /// here for the first time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_over: bool,
    /// Whether it revokes an access because the organisation is blocked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_block: bool,
    /// Differences, field by field.
    pub changes: Vec<ChangeDocument>,
    /// Consumers that regain access by this reactivation alone, as DigDir kept their accesses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regains: Vec<ConsumerDocument>,
    /// The ids of the keys that are valid again by this reactivation alone, as DigDir kept them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regains_keys: Vec<String>,
    /// The thumbprints of those keys (RFC 7638), in the same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regains_thumbprints: Vec<Option<String>>,
    /// Consumers that lose access because the scope is deactivated with its accesses.
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
    /// The commit that has the declaration there, if it is no longer declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The last change of that line, or its removal if it is no longer there (`--blame`, and in the ledger).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blame: Option<BlameDocument>,
}

/// Last change of a line, or its removal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlameDocument {
    /// The commit.
    pub commit: String,
    /// Its author, with e-mail address.
    pub author: String,
    /// Whether that commit removed or replaced the line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

impl BlameDocument {
    /// The words before the commit.
    pub fn words(&self) -> &'static str {
        match self.removed {
            true => "removed",
            false => "last touched",
        }
    }
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
    /// DigDir's name for the attribute; `jwks` and `onbehalfof` are listed entry by entry.
    pub field: String,
    /// Live value; `null` where it is not set.
    pub before: Value,
    /// Declared value.
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
            entry: action.entry.as_ref().map(SourceDocument::new),
            group: action.group.as_deref().map(str::to_owned),
            team: None,
            reason: action.reason.clone(),
            takes_over: action.takes_over(),
            of_block: action.is_of_block(),
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

    /// The id that follows from its fields; `None` where this version does not know them.
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

    /// Whether it removes something: access, or a key with which a client authenticates.
    pub fn takes_away(&self) -> bool {
        let loses_key = || self.changes.iter().any(|change| !change.before.is_null());
        self.action.closes()
            || self.danger == Some(Danger::Closes)
            || self.action == Verb::Keys && loses_key()
    }

    /// Sets the danger that follows from its own operation, kind and changes, whatever the document has.
    #[must_use]
    pub fn judged(mut self) -> Self {
        self.danger = self.operation().danger(self.changes.iter().map(ChangeDocument::values));
        self
    }

    /// The danger of one of its changes; `None` for none.
    pub fn mark(&self, change: &ChangeDocument) -> Option<Mark> {
        self.operation().mark(change.values())
    }

    /// Whether one of its changes has this danger.
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
    pub(in crate::document) fn new(Source { file, line, at }: &Source) -> Self {
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
