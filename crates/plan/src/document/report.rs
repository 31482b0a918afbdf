//! Result of an apply as a document, to be shown, saved, and kept in the ledger.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::ActionDocument;
use super::plan::{BlockedDocument, PlanDocument};
use super::review::ReviewDocument;
use super::scheduled::ScheduledDocument;
use super::{FORMAT_VERSION, check_version};
use crate::{Outcome, Report};

/// A report of `portvakt`: the result of an apply.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "portvakt report")]
pub struct ReportDocument {
    /// The version of this format.
    pub format_version: u8,
    /// Its unique id.
    pub report: String,
    /// The environment's name in `portvakt.yaml`.
    pub environment: String,
    /// The number of the organisation that it was applied for; absent in reports from before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The commit whose declarations were applied; `null` outside git.
    pub commit: Option<String>,
    /// The folder of portvakt.yaml, from the top of the git repository; absent outside git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Whether files differed from that commit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dirty: bool,
    /// Whether it was a rollback, which undoes changes after that commit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rollback: bool,
    /// Whether only what dates in the applied declarations ask for was done (`apply --due`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub due: bool,
    /// Whether a request for access was denied, outside of any plan: its commit does not count as applied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub denial: bool,
    /// The commit that was last applied in full before.
    pub before: Option<String>,
    /// The address of the API that it was applied to, or `sandbox` for the one inside the program; absent
    /// outside git, and in reports from before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// Who applied: a person or a job.
    pub who: String,
    /// Where: the address of a job's run, or the name of a machine.
    pub place: String,
    /// Start (RFC 3339, UTC, with milliseconds).
    pub started: String,
    /// End; `null` where it is not known.
    pub ended: Option<String>,
    /// Its result.
    pub outcome: Ending,
    /// The plan's digest.
    pub digest: String,
    /// The pull request by which people saw the plan, and who approved it, as the job of the merge says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewDocument>,
    /// The reason given for lifting limits of `guards`, if they were lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_guards: Option<String>,
    /// Whether its line in the ledger is signed by one of the signers that git is configured to trust
    /// (`gpg.ssh.allowedSignersFile`): `false` is a line that anybody may have written. Absent where git is
    /// not configured to verify, and in the ledger itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<bool>,
    /// The actions of the plan, each with its result.
    pub actions: Vec<ReportedAction>,
    /// Accesses that change on a later day by the plan: an apply in full accepts them, and `apply --due` does them on
    /// their day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scheduled: Vec<ScheduledDocument>,
    /// Requested actions that were not done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<BlockedDocument>,
    /// The reason why the changes could not be read back, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unverified: Option<String>,
}

/// Result of an apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Ending {
    /// It began, and its end was not recorded: it was killed, or is under way.
    Begun,
    /// Everything was done.
    Done,
    /// An action failed or is blocked, or one that removes something is not visible yet.
    Partial,
    /// A signal arrived before everything was done.
    Interrupted,
}

/// An action and its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportedAction {
    /// The action.
    #[serde(flatten)]
    pub action: ActionDocument,
    /// Its result.
    pub outcome: ActionOutcome,
    /// The reason, if it was not done; with DigDir's correlation id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whether it may have been done although it failed: the answer was lost, and no effect was visible.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_be_done: bool,
}

/// Result of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ActionOutcome {
    /// Not known: the apply did not record it.
    Unknown,
    /// Done, and confirmed when it was read back.
    Done,
    /// Confirmed by DigDir, and not visible yet when it was read back.
    DoneNotVisibleYet,
    /// DigDir refused it, or the answer was lost, or it was not there when it was read back.
    Failed,
    /// Not tried because another one failed.
    Skipped,
    /// Not tried because of a signal.
    NotStarted,
}

impl ActionOutcome {
    /// The word as it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Done => "done",
            Self::DoneNotVisibleYet => "done, not visible yet",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::NotStarted => "not started",
        }
    }
}

impl Ending {
    /// The word as it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun, end unknown",
            Self::Done => "done",
            Self::Partial => "done in part",
            Self::Interrupted => "interrupted",
        }
    }
}

impl ReportDocument {
    /// The report of a plan at the start of its apply; `report` is its unique id.
    pub fn begun(
        plan: &PlanDocument,
        report: String,
        (who, place): (String, String),
        (folder, api): (Option<String>, Option<String>),
        override_guards: Option<String>,
        started: Timestamp,
    ) -> Self {
        let unknown = |action: &ActionDocument| ReportedAction {
            action: action.clone(),
            outcome: ActionOutcome::Unknown,
            message: None,
            may_be_done: false,
        };
        Self {
            format_version: FORMAT_VERSION,
            report,
            environment: plan.environment.clone(),
            organization: Some(plan.organization.clone()),
            commit: plan.repository.as_ref().map(|repository| repository.commit.clone()),
            folder,
            dirty: plan.repository.as_ref().is_some_and(|repository| repository.dirty),
            rollback: plan.rollback,
            due: false,
            denial: false,
            before: plan.applied_commit().map(str::to_owned),
            api,
            who,
            place,
            started: timestamp(started),
            ended: None,
            outcome: Ending::Begun,
            digest: plan.digest.clone(),
            review: None,
            override_guards,
            signed: None,
            actions: plan.actions.iter().map(unknown).collect(),
            scheduled: plan.scheduled.clone(),
            blocked: plan.blocked.clone(),
            unverified: None,
        }
    }

    /// Reads a report that was saved, or a line of the ledger.
    ///
    /// # Errors
    /// The reason why it cannot be read, as a sentence.
    pub fn read(json: &str) -> Result<Self, String> {
        let mut report: Self =
            serde_json::from_str(json).map_err(|error| format!("it is not a report: {error}"))?;
        check_version("report", report.format_version.into())?;
        // Reports from before danger was recorded have it too.
        let judged = |reported: ReportedAction| ReportedAction {
            action: reported.action.judged(),
            ..reported
        };
        report.actions = report.actions.into_iter().map(judged).collect();
        report.scheduled = report.scheduled.into_iter().map(ScheduledDocument::judged).collect();
        report.review = report.review.map(ReviewDocument::bounded);
        Ok(report)
    }

    /// Adds the result.
    pub fn ended(mut self, report: &Report, ended: Timestamp) -> Self {
        for (reported, outcome) in self.actions.iter_mut().zip(&report.outcomes) {
            (reported.outcome, reported.message) = match outcome {
                Outcome::Done => (ActionOutcome::Done, None),
                Outcome::NotVisible(why) => (ActionOutcome::DoneNotVisibleYet, Some(why.clone())),
                Outcome::Failed(why) | Outcome::Unclear(why) => {
                    (ActionOutcome::Failed, Some(why.clone()))
                }
                Outcome::Skipped(cause) => {
                    (ActionOutcome::Skipped, Some(format!("waits for: {cause}")))
                }
                Outcome::NotStarted => (ActionOutcome::NotStarted, None),
            };
            reported.may_be_done = matches!(outcome, Outcome::Unclear(_));
        }
        for ReportedAction { action, .. } in &mut self.actions {
            let mut made = report.made.iter();
            let own = made.find(|(name, _)| action.client.as_deref() == Some(name.as_str()));
            action.client_id = action.client_id.take().or(own.map(|(_, id)| id.to_string()));
        }
        self.unverified = report.unverified.clone();
        self.ended = Some(timestamp(ended));
        self.outcome = if report.outcomes.contains(&Outcome::NotStarted) {
            Ending::Interrupted
        } else if self.unverified.is_some()
            || self.undone().next().is_some()
            || !self.blocked.is_empty()
        {
            Ending::Partial
        } else {
            Ending::Done
        };
        self
    }

    /// The actions that do not count as done. One that removes something must be confirmed: an entity that is
    /// no longer declared would not be found again in another way.
    pub fn undone(&self) -> impl Iterator<Item = &ReportedAction> {
        self.actions.iter().filter(|reported| match reported.outcome {
            ActionOutcome::Done => false,
            ActionOutcome::DoneNotVisibleYet => reported.action.takes_away(),
            ActionOutcome::Unknown
            | ActionOutcome::Failed
            | ActionOutcome::Skipped
            | ActionOutcome::NotStarted => true,
        })
    }
}

/// A time as reports write it: one apply may follow another within a second.
fn timestamp(time: Timestamp) -> String {
    format!("{time:.3}")
}
