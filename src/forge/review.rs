//! Checks whether people saw a plan before they merged it: the pull request that was merged as a commit, and
//! our comment on it.
//!
//! Nothing is read from a comment. Its expected text is known, as the plan was made again; a comment with any
//! other text proves nothing. Its author proves little: on GitHub all workflows write under the same name,
//! and on the other hosts all pipelines can use the same token. The only fact that nobody who can push is
//! able to forge is the host's time of its last change.

use std::fmt;

use jiff::Timestamp;
use url::Url;

use super::comment::{Comment, Forge, ForgeOptions, Merged, is_same};
use super::environment::JobEnvironment;
use super::error::Error;
use super::upsert::{CommentHost, PullRequestApproval};
use super::{HostedRepository, PullRequest, azure_devops, github, gitlab};

/// A pull request that showed a plan before anybody approved or merged it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Its number.
    pub number: u64,
    /// Its page, if the host names it.
    pub url: Option<Url>,
    /// Its author, as the host names people.
    pub author: Option<String>,
    /// Those whose approvals are valid and not known to be later than the decision to merge.
    pub approvers: Vec<String>,
    /// The time of the comment's last change.
    pub shown: Timestamp,
}

/// Reason why a plan does not count as reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// No pull request into this branch was merged as this commit.
    NotMerged {
        /// The commit to apply.
        commit: String,
        /// The branch to apply.
        branch: String,
    },
    /// Several pull requests were merged as one commit.
    SeveralMerged(Vec<u64>),
    /// The pull request has no comment of ours for this environment.
    NoComment(u64),
    /// It has more than one.
    SeveralComments(u64),
    /// The comment does not have the text of the plan.
    AnotherText(u64),
    /// The host does not report the time of the comment's last change.
    Undated(u64),
    /// The comment was changed after somebody had decided.
    ChangedLater {
        /// The pull request.
        number: u64,
        /// The time of the change.
        changed: Timestamp,
        /// The decision before that.
        decision: Decision,
        /// The time of the decision.
        decided: Timestamp,
    },
}

/// Decision that is based on the plan in a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// An approval that was valid at the merge.
    Approval,
    /// The merge queue: somebody put the pull request into it, and nobody decides again when it is merged.
    Queueing,
    /// The merge.
    Merge,
}

/// Checks that exactly one pull request was merged as this commit, into the branch of the job, and that it
/// had this comment before it was approved, queued and merged. In a merge queue, it is the one that the queue is about
/// to merge.
pub async fn reviewed(
    forge: Forge,
    read: &dyn Fn(&str) -> Option<String>,
    comment: &Comment,
    commit: &str,
    options: &ForgeOptions,
) -> Result<Result<Review, Doubt>, Error> {
    let environment = JobEnvironment::new(read);
    let repository = HostedRepository::named_by(forge, &environment)?;
    let queued = match &repository {
        HostedRepository::GitHub(_) => github::queued(&environment),
        HostedRepository::GitLab(_) => gitlab::queued(&environment),
        HostedRepository::AzureDevOps(_) => None,
    };
    if let Some(number) = queued {
        return check(&PullRequest { repository, number }, None, comment, options).await;
    }
    match merge(repository, &environment, commit, options).await? {
        Ok((pull_request, merged)) => check(&pull_request, Some(merged), comment, options).await,
        Err(doubt) => Ok(Err(doubt)),
    }
}

/// The one pull request that was merged as this commit, into the branch of the job.
pub async fn merged(
    forge: Forge,
    read: &dyn Fn(&str) -> Option<String>,
    commit: &str,
    options: &ForgeOptions,
) -> Result<Result<PullRequest, Doubt>, Error> {
    let environment = JobEnvironment::new(read);
    let repository = HostedRepository::named_by(forge, &environment)?;
    let merge = merge(repository, &environment, commit, options).await?;
    Ok(merge.map(|(pull_request, _)| pull_request))
}

/// The one pull request that was merged as this commit, and how.
async fn merge(
    repository: HostedRepository,
    environment: &JobEnvironment<'_>,
    commit: &str,
    options: &ForgeOptions,
) -> Result<Result<(PullRequest, Merged), Doubt>, Error> {
    let branch = match &repository {
        HostedRepository::GitHub(_) => github::branch(environment)?,
        HostedRepository::GitLab(_) => gitlab::branch(environment)?,
        HostedRepository::AzureDevOps(_) => azure_devops::branch(environment)?,
    };
    let merged = match &repository {
        HostedRepository::GitHub(it) => it.merged(commit, &branch, options).await?,
        HostedRepository::GitLab(it) => it.merged(commit, &branch, options).await?,
        HostedRepository::AzureDevOps(it) => it.merged(commit, &branch, options).await?,
    };
    Ok(match merged.as_slice() {
        [] => Err(Doubt::NotMerged { commit: commit.to_owned(), branch }),
        [one] => Ok((PullRequest { repository, number: one.number }, one.clone())),
        several => Err(Doubt::SeveralMerged(several.iter().map(|one| one.number).collect())),
    })
}

async fn check(
    pull_request: &PullRequest,
    merged: Option<Merged>,
    comment: &Comment,
    options: &ForgeOptions,
) -> Result<Result<Review, Doubt>, Error> {
    let number = pull_request.number;
    match &pull_request.repository {
        HostedRepository::GitHub(it) => {
            check_at(&it.open(number, options)?, number, merged, comment).await
        }
        HostedRepository::GitLab(it) => {
            check_at(&it.open(number, options)?, number, merged, comment).await
        }
        HostedRepository::AzureDevOps(it) => {
            check_at(&it.open(number, options)?, number, merged, comment).await
        }
    }
}

async fn check_at<H: CommentHost>(
    host: &H,
    number: u64,
    merged: Option<Merged>,
    comment: &Comment,
) -> Result<Result<Review, Doubt>, Error> {
    let expected = H::harmless(&comment.text()?);
    let author = host.author().await?;
    let found = host.find(&author, &comment.marker, 2).await?;
    let found = match found.as_slice() {
        [] => return Ok(Err(Doubt::NoComment(number))),
        [found] => found,
        [..] => return Ok(Err(Doubt::SeveralComments(number))),
    };
    if !is_same(&found.text, &expected) {
        return Ok(Err(Doubt::AnotherText(number)));
    }
    let Some(changed) = found.changed else { return Ok(Err(Doubt::Undated(number))) };
    let approvals = host.approvals().await?;
    let times = approvals.iter().filter_map(|approval| Some((approval.at?, Decision::Approval)));
    let queueing = host.queued().await?.map(|at| (at, Decision::Queueing));
    let merge = merged.as_ref().map(|merged| (merged.at, Decision::Merge));
    let last = queueing.into_iter().chain(merge).map(|(at, _)| at).min();
    let first = times.chain(queueing).chain(merge).min();
    match first {
        // Hosts report whole seconds, and nobody reads a plan within one.
        Some((decided, decision)) if changed >= decided => {
            Ok(Err(Doubt::ChangedLater { number, changed, decision, decided }))
        }
        _ => {
            let (url, author) = merged.map(|it| (it.url, it.author)).unwrap_or_default();
            // Hosts accept approvals after the merge too. One whose time they do not report may be earlier.
            let counts = |approval: &PullRequestApproval| match (approval.at, last) {
                (Some(at), Some(last)) => at <= last,
                (None, _) | (_, None) => true,
            };
            let approvers =
                approvals.into_iter().filter(counts).filter_map(|approval| approval.by).collect();
            Ok(Ok(Review { number, url, author, approvers, shown: changed }))
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMerged { commit, branch } => {
                write!(f, "no pull request into {branch} was merged as commit {commit}")
            }
            Self::SeveralMerged(numbers) => {
                let numbers: Vec<_> = numbers.iter().map(u64::to_string).collect();
                write!(
                    f,
                    "several pull requests were merged as this commit: {}",
                    numbers.join(", ")
                )
            }
            Self::NoComment(number) => write!(
                f,
                "pull request {number} has no comment with a plan for this environment by the account \
                 of this job's token"
            ),
            Self::SeveralComments(number) => write!(
                f,
                "pull request {number} has more than one comment with a plan for this environment: \
                 which of them was read is not known"
            ),
            Self::AnotherText(number) => write!(
                f,
                "the comment on pull request {number} does not show this plan: what is to be done has \
                 changed since, or somebody edited the comment"
            ),
            Self::Undated(number) => {
                write!(f, "when the comment on pull request {number} was changed last is not known")
            }
            Self::ChangedLater { number, changed, decision, decided } => {
                let decision = match decision {
                    Decision::Approval => "approved",
                    Decision::Queueing => "put into the merge queue",
                    Decision::Merge => "merged",
                };
                write!(
                    f,
                    "the comment on pull request {number} was changed at {changed}, and the pull \
                     request was {decision} at {decided}, before that"
                )
            }
        }
    }
}
