//! `portvakt reviewed`.

use std::path::PathBuf;

use super::comment::{Host, failed, shown};
use super::exit::{Exit, Failure};
use super::global::Global;
use super::log;
use super::output::read_plan;
use super::sink::print;
use crate::forge::{self, ForgeOptions};
use crate::run::files;
use domain::text::json;
use plan::document::{PlanDocument, ReviewDocument};

pub(super) const ABOUT: &str = "\
Check that people saw a saved plan before they merged it; print its digest

For a CI job after a merge or in a merge queue, with a plan that the job itself has made at the commit to \
apply. The one pull request that was merged as this commit, into the branch that the job runs on (in a merge \
queue of GitHub or a merge train of GitLab, the one that is about to be merged), must have the very text of \
this plan in its one comment by the account of the job's token, and the comment must not have been changed \
since the pull request was approved, put into a merge queue, or merged. Otherwise the command exits with 4 and prints nothing: a \
person has to read the plan and apply it by its digest. A plan without changes needs no \
review.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    host: Host,
    /// The plan that was saved
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// Save the plan with the pull request, its author and its approvers, for `apply --review`; it may be the same
    /// file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Saves the plan, if requested.
fn save(args: &Args, plan: PlanDocument) -> Result<(), Failure> {
    args.out.as_ref().map_or(Ok(()), |path| files::put(path, &json::pretty(&plan)))
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let plan = read_plan(&args.plan)?;
    let digest = format!("{}\n", plan.digest);
    if plan.is_empty() {
        log::report(global, "the plan does nothing: there is nothing to review");
        save(args, plan)?;
        print(global.color, &digest)?;
        return Ok(Exit::Done);
    }
    let doubted = |why: &str| {
        Err(Failure::Refused(format!(
            "the plan does not count as reviewed: {why}\nRead the plan; if it is what should happen, \
             apply it by hand with its digest: {}",
            plan.digest
        )))
    };
    let commit = match &plan.repository {
        Some(repository) if !repository.dirty => &repository.commit,
        Some(_) => return doubted("it was made with files that are not committed"),
        None => return doubted("it was made outside git"),
    };
    let variable = |name: &str| std::env::var(name).ok();
    let options = ForgeOptions::default();
    let reviewed =
        forge::reviewed(args.host.forge(), &variable, &shown(&plan), commit, &options).await;
    match reviewed.map_err(failed)? {
        Err(doubt) => doubted(&doubt.to_string()),
        Ok(forge::Review { number, url, author, approvers, shown }) => {
            let message = format!("pull request {number} has shown this plan since {shown}");
            log::report(global, &message);
            let review =
                ReviewDocument { number, url: url.map(|url| url.to_string()), author, approvers };
            save(args, PlanDocument { review: Some(review.bounded()), ..plan })?;
            print(global.color, &digest)?;
            Ok(Exit::Done)
        }
    }
}
