//! A plan as JSON: format version 1. Its schema stands in `schema/plan.schema.json`; fields are
//! added, never taken away or given another meaning, without a new version.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::Context;
use crate::domain::{Change, ClientId, ClientName, ScopeName};
use crate::plan::{Action, Blocked, Consumer, Notice, Plan, Verb};

/// A plan as JSON, indented, with a line break at the end.
pub fn plan(plan: &Plan, context: &Context) -> String {
    // Serialising plain data with string keys does not fail.
    serde_json::to_string_pretty(&PlanDocument::new(plan, context)).unwrap_or_default() + "\n"
}

/// The JSON Schema of [`plan`]'s result.
pub fn schema() -> Value {
    schemars::schema_for!(PlanDocument).to_value()
}

/// A plan of `portvakt`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "portvakt plan")]
struct PlanDocument<'a> {
    /// The version of this format.
    format_version: u8,
    /// The environment's name in `portvakt.yaml`.
    environment: &'a str,
    /// The number of the organisation that owns the scopes and clients.
    organization: &'a str,
    /// The commit whose declarations were read; `null` outside git.
    repository: Option<RepositoryDocument<'a>>,
    /// The commit that was last applied in full; `null` where it is not known.
    applied: Option<CommitDocument>,
    /// The commit that `origin` is told by; `null` where it is not known.
    base: Option<CommitDocument>,
    /// When the plan was made (RFC 3339, UTC).
    created: String,
    /// A checksum over the environment and the actions: the same work has the same digest.
    digest: String,
    summary: Summary,
    /// What would be done, in order.
    actions: Vec<ActionDocument<'a>>,
    /// What is asked for and will not be done.
    blocked: Vec<BlockedDocument<'a>>,
    /// What a reviewer should know, the limits that the plan passes included (`PV5xx`).
    notices: Vec<NoticeDocument<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct RepositoryDocument<'a> {
    commit: &'a str,
    /// Whether files differ from that commit.
    dirty: bool,
}

#[derive(Serialize, JsonSchema)]
struct CommitDocument {
    commit: String,
}

/// How many actions there are of each kind.
#[derive(Serialize, JsonSchema)]
struct Summary {
    create: usize,
    update: usize,
    reactivate: usize,
    deactivate: usize,
    grant: usize,
    revoke: usize,
    keys: usize,
    release: usize,
}

/// One change to one entity.
#[derive(Serialize, JsonSchema)]
struct ActionDocument<'a> {
    /// What tells it from all others of the plan.
    id: String,
    /// One of the words of `summary`.
    action: &'a str,
    /// The kind of entity: `scope`, `access`, `client` or `keys`.
    kind: &'a str,
    /// The scope's name, if it is about one or an access to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    /// The consumer's organisation number, if it is about an access.
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer_name: Option<&'a str>,
    /// The client's name, if it is about one or its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    /// The id that DigDir has given the client, if it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    /// `change` or `drift`; `null` where it is not known.
    origin: Option<&'a str>,
    /// Where the repository asks for it; `null` where nothing in it does any more.
    source: Option<SourceDocument<'a>>,
    reason: Option<&'a str>,
    changes: Vec<ChangeDocument>,
    /// Who has access again by this reactivation alone, as DigDir kept it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    regains: Vec<ConsumerDocument<'a>>,
    /// The ids of the keys that count again by this reactivation alone, as DigDir kept them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    regains_keys: Vec<&'a str>,
    /// Who cannot use the scope any more that is closed with its accesses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    loses: Vec<ConsumerDocument<'a>>,
    /// The ids of the actions that must be done first.
    after: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct SourceDocument<'a> {
    /// The file, relative to the repository.
    file: &'a str,
    /// The line, from 1.
    line: usize,
}

#[derive(Serialize, JsonSchema)]
struct ConsumerDocument<'a> {
    consumer: &'a str,
    consumer_name: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
struct ChangeDocument {
    /// DigDir's name of the attribute; `jwks` and `onbehalfof` are told entry by entry.
    field: &'static str,
    before: Value,
    after: Value,
}

#[derive(Serialize, JsonSchema)]
struct BlockedDocument<'a> {
    /// The id of the action that will not be done.
    target: String,
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize, JsonSchema)]
struct NoticeDocument<'a> {
    code: &'a str,
    /// What it is about.
    target: &'a str,
    message: &'a str,
}

impl<'a> PlanDocument<'a> {
    fn new(plan: &'a Plan, context: &'a Context) -> Self {
        let Plan { environment, organization, actions, blocked, notices, passed_limits } = plan;
        let Context { organization_name: _, repository, created } = context;
        Self {
            format_version: 1,
            environment,
            organization: organization.as_str(),
            repository: repository.as_ref().map(|repository| RepositoryDocument {
                commit: &repository.commit,
                dirty: repository.dirty,
            }),
            applied: None,
            base: None,
            created: created.to_string(),
            digest: plan.digest(),
            summary: Summary::new(plan),
            actions: actions.iter().map(ActionDocument::new).collect(),
            blocked: blocked.iter().map(BlockedDocument::new).collect(),
            notices: passed_limits.iter().chain(notices).map(NoticeDocument::new).collect(),
        }
    }
}

impl Summary {
    fn new(plan: &Plan) -> Self {
        Self {
            create: plan.count(Verb::Create),
            update: plan.count(Verb::Update),
            reactivate: plan.count(Verb::Reactivate),
            deactivate: plan.count(Verb::Deactivate),
            grant: plan.count(Verb::Grant),
            revoke: plan.count(Verb::Revoke),
            keys: plan.count(Verb::Keys),
            release: 0,
        }
    }
}

impl<'a> ActionDocument<'a> {
    fn new(action: &'a Action) -> Self {
        let consumer = action.consumer();
        Self {
            id: action.id().to_string(),
            action: action.verb().as_str(),
            kind: action.target().kind().as_str(),
            scope: action.scope().map(ScopeName::as_str),
            consumer: consumer.map(|consumer| consumer.orgno.as_str()),
            consumer_name: consumer.and_then(|consumer| consumer.name.as_deref()),
            client: action.client().map(ClientName::as_str),
            client_id: action.client_id().map(ClientId::as_str),
            origin: None,
            source: Some(SourceDocument { file: &action.source.file, line: action.source.line }),
            reason: action.reason.as_deref(),
            changes: action.changes().into_iter().map(ChangeDocument::from).collect(),
            regains: action.regains().iter().map(ConsumerDocument::new).collect(),
            regains_keys: action.regains_keys().iter().map(|key| key.kid.as_str()).collect(),
            loses: action.loses().iter().map(ConsumerDocument::new).collect(),
            after: action.after.iter().map(ToString::to_string).collect(),
        }
    }
}

impl<'a> ConsumerDocument<'a> {
    fn new(Consumer { orgno, name }: &'a Consumer) -> Self {
        Self { consumer: orgno.as_str(), consumer_name: name.as_deref() }
    }
}

impl From<Change> for ChangeDocument {
    fn from(Change { field, before, after }: Change) -> Self {
        Self { field, before, after }
    }
}

impl<'a> BlockedDocument<'a> {
    fn new(Blocked { target, code, message }: &'a Blocked) -> Self {
        Self { target: target.to_string(), code: code.as_str(), message }
    }
}

impl<'a> NoticeDocument<'a> {
    fn new(Notice { code, target, message }: &'a Notice) -> Self {
        Self { code: code.as_str(), target, message }
    }
}
