//! A plan as a document: what is shown, saved and compared. Format version 1; its schema stands in
//! `schema/plan.schema.json`. Fields are added, never taken away or given another meaning, without a
//! new version.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Context;
use domain::{Change, ClientId, ClientName, ScopeName, Source};
use plan::{
    Action, Blocked, Code, Consumer, Danger, FieldChange, Kind, Mark, Notice, Operation, Origin,
    Plan, Verb,
};

/// The version of the format.
pub const FORMAT_VERSION: u8 = 1;

/// A plan of `portvakt`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "portvakt plan")]
pub struct PlanDocument {
    /// The version of this format.
    pub format_version: u8,
    /// The environment's name in `portvakt.yaml`.
    pub environment: String,
    /// What the folder of the declarations is called beside others of the same git repository; left out
    /// at the top of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The number of the organisation that owns the scopes and clients.
    pub organization: String,
    /// What it is called, if the repository tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<String>,
    /// The commit whose declarations were read; `null` outside git.
    pub repository: Option<RepositoryDocument>,
    /// What was applied before; `null` where nothing was.
    pub applied: Option<AppliedDocument>,
    /// The commit that `origin` is told by; `null` where it is not known.
    pub base: Option<CommitDocument>,
    /// Whether it is a plan for the declarations of an older commit, to undo what came after it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rollback: bool,
    /// When the plan was made (RFC 3339, UTC).
    pub created: String,
    /// A checksum over the environment and the actions: the same work has the same digest.
    pub digest: String,
    /// How many actions there are of each kind.
    pub summary: Summary,
    /// What would be done, in order.
    pub actions: Vec<ActionDocument>,
    /// What is asked for and will not be done.
    pub blocked: Vec<BlockedDocument>,
    /// What a reviewer should know, the limits that the plan exceeds included (`PV5xx`).
    pub notices: Vec<NoticeDocument>,
}

/// What was applied before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppliedDocument {
    /// The commit that was last applied in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Why it is not known what was applied before, or not all of it; left out where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

/// Where the declarations were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RepositoryDocument {
    /// The commit's id.
    pub commit: String,
    /// Whether files differ from that commit.
    pub dirty: bool,
    /// The folder of portvakt.yaml from the top of the git repository, with `/` between its parts: the
    /// files that actions name are below it. Left out at the top.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub folder: String,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommitDocument {
    /// Its id.
    pub commit: String,
}

/// How many actions there are of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the words of `action`")]
pub struct Summary {
    pub create: usize,
    pub update: usize,
    pub reactivate: usize,
    pub deactivate: usize,
    pub grant: usize,
    pub revoke: usize,
    pub keys: usize,
    pub release: usize,
}

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

/// An action that is asked for and will not be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlockedDocument {
    /// The id of the action that will not be done.
    pub target: String,
    /// Why, as a code.
    pub code: String,
    /// Why, and what to do.
    pub message: String,
}

/// Something that a reviewer should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoticeDocument {
    /// What it is, as a code.
    pub code: String,
    /// What it is about.
    pub target: String,
    /// What it is, as a sentence.
    pub message: String,
}

impl PlanDocument {
    /// The plan, and what is to be said beside it.
    pub fn new(plan: &Plan, context: &Context) -> Self {
        let Plan {
            environment,
            organization,
            actions,
            blocked,
            notices,
            exceeded_limits,
            unmanaged: _,
            forgotten,
        } = plan;
        let Context {
            project,
            organization_name,
            repository,
            folder,
            applied,
            unknown,
            base,
            rollback,
            created,
        } = context;
        let commit = |id: &Option<String>| id.clone().map(|commit| CommitDocument { commit });
        let unknown = unknown.as_ref().or(forgotten.as_ref());
        Self {
            format_version: FORMAT_VERSION,
            environment: environment.clone(),
            project: project.clone(),
            organization: organization.to_string(),
            organization_name: organization_name.clone(),
            repository: repository.as_ref().map(|repository| RepositoryDocument {
                commit: repository.commit.clone(),
                dirty: repository.dirty,
                folder: folder.clone(),
            }),
            applied: (applied.is_some() || unknown.is_some())
                .then(|| AppliedDocument { commit: applied.clone(), unknown: unknown.cloned() }),
            base: commit(base),
            rollback: *rollback,
            created: created.to_string(),
            digest: plan.digest(),
            summary: Summary::of(|verb| plan.count(verb)),
            actions: actions.iter().map(ActionDocument::new).collect(),
            blocked: blocked.iter().map(BlockedDocument::new).collect(),
            notices: exceeded_limits.iter().chain(notices).map(NoticeDocument::new).collect(),
        }
    }

    /// The commit that was last applied in full; `None` where nothing was, or where that is not known.
    pub fn applied_commit(&self) -> Option<&str> {
        self.applied.as_ref()?.commit.as_deref()
    }

    /// Why it is not known what was applied before; `None` where it is.
    pub fn unknown_past(&self) -> Option<&str> {
        self.applied.as_ref()?.unknown.as_deref()
    }

    /// The folder that the files of actions are in, from the top of the git repository: empty at the top
    /// and outside git.
    pub fn folder(&self) -> &str {
        self.repository.as_ref().map_or("", |repository| &repository.folder)
    }

    /// Whether there is neither something to do nor something that is asked for and blocked.
    pub fn is_as_declared(&self) -> bool {
        self.actions.is_empty() && self.blocked.is_empty()
    }

    /// How many actions there are of a kind.
    pub fn count(&self, verb: Verb) -> usize {
        self.actions.iter().filter(|action| action.action == verb).count()
    }

    /// The limits that the plan exceeds.
    pub fn limits(&self) -> impl Iterator<Item = &NoticeDocument> {
        self.notices.iter().filter(|notice| notice.is_limit())
    }

    /// What a reviewer should know besides.
    pub fn other_notices(&self) -> impl Iterator<Item = &NoticeDocument> {
        self.notices.iter().filter(|notice| !notice.is_limit())
    }
}

impl Summary {
    pub(super) fn of(count: impl Fn(Verb) -> usize) -> Self {
        Self {
            create: count(Verb::Create),
            update: count(Verb::Update),
            reactivate: count(Verb::Reactivate),
            deactivate: count(Verb::Deactivate),
            grant: count(Verb::Grant),
            revoke: count(Verb::Revoke),
            keys: count(Verb::Keys),
            release: count(Verb::Release),
        }
    }
}

impl ActionDocument {
    fn new(action: &Action) -> Self {
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

impl NoticeDocument {
    fn is_limit(&self) -> bool {
        self.code.starts_with("PV5")
    }

    fn new(Notice { code, target, message }: &Notice) -> Self {
        Self { code: told(*code), target: target.clone(), message: message.clone() }
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

impl BlockedDocument {
    fn new(Blocked { target, code, message }: &Blocked) -> Self {
        Self { target: target.to_string(), code: told(*code), message: message.clone() }
    }
}

fn told(code: Code) -> String {
    code.as_str().to_owned()
}
