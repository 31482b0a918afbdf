//! A plan as a document, to be shown, saved and compared.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::action::ActionDocument;
use super::digest::digest;
use super::review::ReviewDocument;
use super::scheduled::ScheduledDocument;
use super::{FORMAT_VERSION, check_version};
use crate::{Blocked, Notice, Plan, Verb};

/// A plan of `portvakt`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "portvakt plan")]
pub struct PlanDocument {
    /// The version of this format.
    pub format_version: u8,
    /// The environment's name in `portvakt.yaml`.
    pub environment: String,
    /// The name of the folder of declarations, where the git repository has several; left out at the top of
    /// the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The number of the organisation that owns the scopes and clients.
    pub organization: String,
    /// Its name, if the repository has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<String>,
    /// The commit whose declarations were read; `null` outside git.
    pub repository: Option<RepositoryDocument>,
    /// The earlier applies; `null` where there are none.
    pub applied: Option<AppliedDocument>,
    /// The commit with which `origin` compares; `null` where it is not known.
    pub base: Option<CommitDocument>,
    /// Whether it is a plan for the declarations of an older commit, to undo later changes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rollback: bool,
    /// When the plan was made (RFC 3339, UTC).
    pub created: String,
    /// A checksum over the environment, the actions and the later days: the same work has the same digest.
    pub digest: String,
    /// The pull request by which people saw it, if that was checked; the digest does not cover it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewDocument>,
    /// Number of actions of each kind.
    pub summary: Summary,
    /// The actions, in order.
    pub actions: Vec<ActionDocument>,
    /// Accesses that change on a later day, by other declarations than the applied ones: nothing is done about
    /// them today, and `apply --due` does them on their day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scheduled: Vec<ScheduledDocument>,
    /// Requested actions that will not be done.
    pub blocked: Vec<BlockedDocument>,
    /// Information for the reviewer, including the limits that the plan exceeds (`PV5xx`).
    pub notices: Vec<NoticeDocument>,
}

/// The earlier applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppliedDocument {
    /// The commit that was last applied in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The reason why earlier applies are not known, or not all of them; left out where they are.
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

/// Number of actions of each kind.
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

/// A requested action that will not be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlockedDocument {
    /// The id of the action that will not be done. `with` and a scope after it: a client goes without that
    /// scope, and the rest of the action is done.
    pub target: String,
    /// The reason, as a code.
    pub code: String,
    /// The reason, and what to do.
    pub message: String,
}

/// Information for the reviewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoticeDocument {
    /// Its code.
    pub code: String,
    /// Its subject.
    pub target: String,
    /// The message, as a sentence.
    pub message: String,
}

impl PlanDocument {
    /// A plan without the information that only git has; the caller adds that.
    pub fn new(plan: &Plan, created: Timestamp) -> Self {
        let Plan {
            environment,
            organization,
            now: _,
            actions,
            scheduled,
            due: _,
            blocked,
            notices,
            exceeded_limits,
            unmanaged: _,
            forgotten,
        } = plan;
        let actions: Vec<_> = actions.iter().map(ActionDocument::new).collect();
        let scheduled: Vec<_> = scheduled.iter().map(ScheduledDocument::new).collect();
        Self {
            format_version: FORMAT_VERSION,
            environment: environment.clone(),
            project: None,
            organization: organization.to_string(),
            organization_name: None,
            repository: None,
            applied: AppliedDocument::new(None, forgotten.clone()),
            base: None,
            rollback: false,
            review: None,
            created: created.to_string(),
            digest: digest(environment, &actions, &scheduled),
            summary: Summary::of(&actions),
            actions,
            scheduled,
            blocked: blocked.iter().map(BlockedDocument::new).collect(),
            notices: exceeded_limits.iter().chain(notices).map(NoticeDocument::new).collect(),
        }
    }

    /// Reads a plan that was saved.
    ///
    /// # Errors
    /// The reason why it cannot be read, as a sentence.
    pub fn read(json: &str) -> Result<Self, String> {
        let value: Value =
            serde_json::from_str(json).map_err(|error| format!("it is no JSON: {error}"))?;
        let version = value.get("format_version").and_then(Value::as_u64);
        check_version("plan", version.ok_or("it is not a plan: it has no format_version")?)?;
        let mut plan: Self = serde_path_to_error::deserialize(value)
            .map_err(|error| format!("it is not a plan: {error}"))?;
        // A saved plan shows the danger of its actions, not the value that was written into it.
        plan.actions = plan.actions.into_iter().map(ActionDocument::judged).collect();
        plan.review = plan.review.map(ReviewDocument::bounded);
        plan.scheduled = plan.scheduled.into_iter().map(ScheduledDocument::judged).collect();
        Ok(plan)
    }

    /// The inconsistency of the document, if any: its digest, ids and sums follow from its actions, unless it
    /// was edited.
    pub fn flaw(&self) -> Option<String> {
        let is_other =
            |action: &&ActionDocument| action.own_id().is_none_or(|id| id.to_string() != action.id);
        if let Some(action) = self.actions.iter().find(is_other) {
            return Some(format!("the action {} is about something else", action.id));
        }
        if self.summary != Summary::of(&self.actions) {
            return Some("its sums are not those of its actions".to_owned());
        }
        (digest(&self.environment, &self.actions, &self.scheduled) != self.digest)
            .then(|| "its digest is not that of its actions and later days".to_owned())
    }

    /// The commit that was last applied in full; `None` where nothing was, or where that is not known.
    pub fn applied_commit(&self) -> Option<&str> {
        self.applied.as_ref()?.commit.as_deref()
    }

    /// The reason why earlier applies are not known; `None` where they are.
    pub fn unknown_past(&self) -> Option<&str> {
        self.applied.as_ref()?.unknown.as_deref()
    }

    /// The folder of the files that actions name, from the top of the git repository: empty at the top and
    /// outside git.
    pub fn folder(&self) -> &str {
        self.repository.as_ref().map_or("", |repository| &repository.folder)
    }

    /// Whether there is nothing to do, today or later.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty() && self.scheduled.is_empty()
    }

    /// Whether there is nothing to do, and nothing blocked.
    pub fn is_as_declared(&self) -> bool {
        self.is_empty() && self.blocked.is_empty()
    }

    /// Number of actions of a kind.
    pub fn count(&self, verb: Verb) -> usize {
        count(&self.actions, verb)
    }

    /// The limits that the plan exceeds.
    pub fn limits(&self) -> impl Iterator<Item = &NoticeDocument> {
        self.notices.iter().filter(|notice| notice.is_limit())
    }

    /// All other notices.
    pub fn other_notices(&self) -> impl Iterator<Item = &NoticeDocument> {
        self.notices.iter().filter(|notice| !notice.is_limit())
    }
}

fn count(actions: &[ActionDocument], verb: Verb) -> usize {
    actions.iter().filter(|action| action.action == verb).count()
}

impl AppliedDocument {
    /// The earlier applies, and the reason why not all are known; `None` where there are none.
    pub fn new(commit: Option<String>, unknown: Option<String>) -> Option<Self> {
        (commit.is_some() || unknown.is_some()).then_some(Self { commit, unknown })
    }
}

impl Summary {
    fn of(actions: &[ActionDocument]) -> Self {
        let count = |verb| count(actions, verb);
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

impl NoticeDocument {
    fn is_limit(&self) -> bool {
        self.code.starts_with("PV5")
    }

    fn new(Notice { code, target, message }: &Notice) -> Self {
        Self { code: code.to_string(), target: target.clone(), message: message.clone() }
    }
}

impl BlockedDocument {
    /// Whether it is the action with this id, or a scope of it.
    pub(super) fn is_of(&self, id: &str) -> bool {
        let rest = self.target.strip_prefix(id);
        let scope = rest.and_then(|rest| rest.strip_prefix(" with "));
        rest == Some("") || scope.is_some_and(|scope| !scope.contains(' '))
    }

    fn new(blocked: &Blocked) -> Self {
        let Blocked { target: _, consumed: _, code, message } = blocked;
        Self { target: blocked.subject(), code: code.to_string(), message: message.clone() }
    }
}
