//! `portvakt comment`.

use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};
use super::global::Global;
use super::log;
use super::output::{parsed_report, planned, read_plan, read_text};
use crate::forge::{self, Comment, CommentChange, Forge, ForgeOptions, PullRequest};
use crate::history;
use crate::render::markdown;
use domain::secret;
use domain::text::printable;
use plan::document::{PlanDocument, ReportDocument};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    host: Host,
    /// The plan that was saved [default: a plan is made]
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Instead of a plan the report that an apply saved, on the pull request that was merged as the commit
    /// that it applied
    #[arg(long, value_name = "FILE", conflicts_with = "plan")]
    report: Option<PathBuf>,
}

/// Where the pull request is.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Host {
    /// GitHub: its workflow's variables, and GITHUB_TOKEN with `pull-requests: write` (to check, `read`)
    #[arg(long)]
    github: bool,
    /// GitLab: its job's variables, and PORTVAKT_GITLAB_TOKEN of scope `api`
    #[arg(long)]
    gitlab: bool,
    /// Azure DevOps: its pipeline's variables, and SYSTEM_ACCESSTOKEN
    #[arg(long)]
    azure_devops: bool,
}

impl Host {
    pub(super) fn forge(&self) -> Forge {
        match (self.github, self.gitlab) {
            (true, _) => Forge::GitHub,
            (false, true) => Forge::GitLab,
            (false, false) => Forge::AzureDevOps,
        }
    }
}

pub(super) fn failed(error: forge::Error) -> Failure {
    Failure::Failed(error.advised())
}

/// The comment that shows a plan.
pub(super) fn shown(plan: &PlanDocument) -> Comment {
    Comment {
        marker: markdown::marker(plan.project.as_deref(), &plan.environment),
        body: secret::redact(&markdown::plan(plan)).into_owned(),
    }
}

/// The comment that shows the report of an apply.
fn reported(report: &ReportDocument) -> Comment {
    // A report names its folder, and not what portvakt.yaml calls it: that is as unique.
    let project = history::project(None, report.folder.as_deref().unwrap_or_default());
    Comment {
        marker: markdown::report_marker(project.as_deref(), &report.environment),
        body: secret::redact(&markdown::report(report)).into_owned(),
    }
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    match &args.report {
        Some(file) => post_report(global, args.host.forge(), file).await,
        None => post_plan(global, args).await,
    }
}

async fn post_report(global: &Global, forge: Forge, file: &Path) -> Result<Exit, Failure> {
    let report = parsed_report(file, &read_text(file)?)?;
    let Some(commit) = &report.commit else {
        return Err(Failure::usage(
            "the report is of an apply outside git: no pull request was merged as it",
        ));
    };
    let variable = |name: &str| std::env::var(name).ok();
    let options = ForgeOptions::default();
    match forge::merged(forge, &variable, commit, &options).await.map_err(failed)? {
        Ok(pull_request) => send(global, &pull_request, &reported(&report)).await,
        // A direct push, or a merge by other means.
        Err(doubt) => {
            log::report(global, &format!("the report is not posted: {doubt}"));
            Ok(Exit::Done)
        }
    }
}

async fn post_plan(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let variable = |name: &str| std::env::var(name).ok();
    let pull_request = forge::from_environment(args.host.forge(), &variable).map_err(failed)?;
    let plan: PlanDocument = match &args.plan {
        Some(path) => read_plan(path)?,
        None => planned(global, &global.open()?.ready()?).await?,
    };
    send(global, &pull_request, &shown(&plan)).await
}

async fn send(
    global: &Global,
    pull_request: &PullRequest,
    comment: &Comment,
) -> Result<Exit, Failure> {
    let posted = forge::post(pull_request, comment, &ForgeOptions::default()).await;
    let posted = posted.map_err(failed)?;
    let done = match posted.change {
        CommentChange::Created => "posted",
        CommentChange::Updated => "updated",
        CommentChange::Kept => "kept",
    };
    let place = posted.url.map(|url| format!(": {}", printable(url.as_str())));
    let number = pull_request.number();
    log::report(
        global,
        &format!("{done} the comment on pull request {number}{}", place.unwrap_or_default()),
    );
    Ok(Exit::Done)
}
