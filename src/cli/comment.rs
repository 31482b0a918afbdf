//! `portvakt comment`.

use std::path::PathBuf;

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::{planned, read_plan};
use super::{interrupt, log};
use crate::forge::{self, Comment, CommentChange, Forge, ForgeOptions};
use crate::render::markdown;
use domain::secret;
use domain::text::printable;
use plan::document::PlanDocument;

/// The command's arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    host: Host,
    /// The plan that was saved [default: a plan is made]
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
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

/// The comment that shows a plan.
pub(super) fn shown(plan: &PlanDocument) -> Comment {
    Comment {
        marker: markdown::marker(plan.project.as_deref(), &plan.environment),
        body: secret::redact(&markdown::plan(plan)).into_owned(),
    }
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    interrupt::unless(interrupt::listen()?, post(global, args)).await
}

async fn post(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let failed = |error: forge::Error| Failure::Failed(error.advised());
    let variable = |name: &str| std::env::var(name).ok();
    let pull_request = forge::from_environment(args.host.forge(), &variable).map_err(failed)?;
    let plan: PlanDocument = match &args.plan {
        Some(path) => read_plan(path)?,
        None => planned(global, &global.open()?.ready()?).await?,
    };
    let posted = forge::post(&pull_request, &shown(&plan), &ForgeOptions::default()).await;
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
