//! `portvakt apply`.

use std::path::PathBuf;
use std::time::Duration;

use super::arguments::reason;
use super::exit::{self, Exit, Failure};
use super::global::Global;
use super::output::read_plan;
use super::progress::Progress;
use super::sink::{print, write};
use super::{ask, interrupt};
use crate::apply::Patience;
use crate::history::{Commit, History};
use crate::render;
use crate::run::{
    ApplyContext, Approval, Approved, Ended, Opened, Planned, Ready, RunOptions, Terms, files,
};
use domain::Behaviour;
use domain::text::{json, printable, shell};
use plan::document::{Ending, PlanDocument};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A plan that was saved: exactly that is done, or nothing
    file: Option<PathBuf>,
    /// Only what a date in the applied declarations asks for: revoke accesses whose `until` is over, grant
    /// those whose `from` has been reached
    #[arg(long, conflicts_with_all = ["file", "expect"])]
    due: bool,
    /// Do not ask
    #[arg(long)]
    auto_approve: bool,
    /// Apply only if the plan has this digest
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    expect: Option<String>,
    /// Keep in the ledger which pull request showed the plan and who approved it: the plan as `reviewed --out` saved
    /// it, which must have the same digest
    #[arg(long, value_name = "FILE", env = "PORTVAKT_REVIEW", hide_env_values = true)]
    review: Option<PathBuf>,
    /// Apply although the plan exceeds a limit of `guards`, and why
    #[arg(long, value_name = "REASON", value_parser = reason)]
    override_guards: Option<String>,
    /// Apply although files differ from the commit that is checked out
    #[arg(long)]
    allow_dirty: bool,
    /// Keep the last change of each line that requests an action in the ledger
    #[arg(long)]
    blame: bool,
    /// Total time to wait until DigDir shows the changes, in seconds: its reads may lag behind its writes.
    /// Changes by an apply shortly before are waited for as long again, before the plan is made
    /// [default: 30, or as the environment's profile says]
    #[arg(long, value_name = "SECONDS")]
    patience: Option<u32>,
    /// Save the report as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

fn digest(text: &str) -> Result<String, &'static str> {
    let is_hex = |hex: &str| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.trim().strip_prefix("sha256:") {
        Some(hex) if is_hex(hex) => Ok(text.trim().to_ascii_lowercase()),
        _ => Err("a digest is `sha256:` and 64 hex digits, as a plan shows it"),
    }
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let interrupt = interrupt::listen()?;
    let saved = args.file.as_deref().map(read_plan).transpose()?;
    // The variable of a job may be there for another step.
    let path = args.review.as_deref().filter(|_| !args.due);
    let reviewed = path.map(read_plan).transpose()?;
    let mut opened = open(global, saved.as_ref())?;
    let history = opened.history()?;
    if let (Some(saved), Some(history)) = (&saved, &history) {
        go_back(&mut opened, history, saved)?;
    }
    let commit = opened.commit()?;
    let history = with_commit(history, commit.as_ref())?;
    check_clean(commit.as_ref(), args)?;
    let behaviour = opened.behaviour()?;
    let actor = opened.actor();
    let time = patience(args.patience, behaviour);
    let patience = || Patience::new(time, interrupt.clone());
    let prepared = async {
        let plans = (saved.as_ref(), reviewed.as_ref());
        prepare(global, args, opened, history.clone(), plans, patience()).await
    };
    let (lock_guard, approved) =
        interrupt::under_lock(&interrupt, history.as_ref(), &actor, prepared).await?;
    let progress = Progress::start(global, "applying");
    let context = ApplyContext {
        actor,
        review: reviewed.or(saved).and_then(|plan| plan.review),
        lock_guard,
        concurrency: global.concurrency.get(),
        patience: patience(),
        interrupt: interrupt.clone(),
        behaviour,
        progress: &|ended, total| progress.report(ended, total),
    };
    let ended = approved.carry_out(context).await?;
    drop(progress);
    Ok(report(global, args, ended))
}

/// The time for waiting: as it is given, or by how much reads are known to lag, or 30 s.
fn patience(seconds: Option<u32>, behaviour: Behaviour) -> Duration {
    const UNKNOWN: Duration = Duration::from_secs(30);
    const BEYOND_LAG: Duration = Duration::from_secs(5);
    match (seconds, behaviour.read_lag) {
        (Some(seconds), _) => Duration::from_secs(seconds.into()),
        (None, Some(lag)) => {
            BEYOND_LAG.saturating_add(Duration::from_millis(lag).saturating_mul(2))
        }
        (None, None) => UNKNOWN,
    }
}

/// Reads the declarations for the requested environment, or that of a saved plan.
fn open(global: &Global, saved: Option<&PlanDocument>) -> Result<Opened, Failure> {
    let options = global.options();
    let Some(saved) = saved else { return global.open() };
    if let Some(asked) = options.environment.filter(|asked| *asked != saved.environment) {
        let planned = printable(&saved.environment);
        let why = format!("the plan is for environment {planned}, not for {asked}");
        return Err(Failure::Usage(why));
    }
    let environment = Some(saved.environment.clone());
    let opened = global.open_as(&RunOptions { environment, ..global.options() })?;
    if opened.desired.organization.as_str() != saved.organization {
        let (planned, own) = (printable(&saved.organization), opened.desired.organization);
        let why = format!("the plan is for organisation {planned}, and this repository is {own}'s");
        return Err(Failure::Usage(why));
    }
    Ok(opened)
}

/// Reads the declarations of a saved rollback's commit.
fn go_back(opened: &mut Opened, history: &History, saved: &PlanDocument) -> Result<(), Failure> {
    match &saved.repository {
        Some(repository) if saved.rollback => opened.roll_back(history, &repository.commit),
        _ => Ok(()),
    }
}

/// Refuses a repository without a commit: the ledger could not refer to one, and others would not see the
/// apply.
fn with_commit(
    history: Option<History>,
    commit: Option<&Commit>,
) -> Result<Option<History>, Failure> {
    match (history, commit) {
        (Some(history), None) if history.is_shared() => Err(Failure::refused(
            "there is no commit that is checked out, so nobody could see later what was applied: \
             nothing was changed\nCommit what is declared, and push it",
        )),
        (history, commit) => Ok(history.filter(|_| commit.is_some())),
    }
}

fn check_clean(commit: Option<&Commit>, args: &Args) -> Result<(), Failure> {
    match commit {
        Some(commit) if commit.dirty && !args.allow_dirty => Err(Failure::refused(
            "files differ from the commit that is checked out, so nobody could see later what was \
             applied: nothing was changed\nCommit them, or apply with --allow-dirty",
        )),
        _ => Ok(()),
    }
}

/// Makes the plan, shows it and asks for approval. Nothing is changed here.
async fn prepare(
    global: &Global,
    args: &Args,
    opened: Opened,
    history: Option<History>,
    (saved, reviewed): (Option<&PlanDocument>, Option<&PlanDocument>),
    patience: Patience,
) -> Result<Approved, Failure> {
    let ready = match args.due {
        true => Ready::of_due(opened)?,
        false => opened.look_back(history, None)?,
    };
    let overridden = args.override_guards.as_deref();
    let reading = global.reading();
    let approval = match args.auto_approve || ask::is_possible() {
        true => Approval::Possible,
        false => Approval::Impossible,
    };
    let options = global.options();
    let progress = reading.of_calls();
    let planned = Planned::make(ready, &options, overridden, approval, &patience, &progress).await;
    drop(progress);
    drop(reading);
    let mut planned = planned?;
    write(global.color, &render::plan(&planned.document, global.notices())).map_err(|error| {
        Failure::Failed(format!("the plan cannot be shown, so nothing was changed: {error}"))
    })?;
    planned.check(Terms { saved, digest: args.expect.as_deref(), overridden })?;
    check_review(reviewed, &planned)?;
    if args.blame {
        planned.blame();
    }
    if planned.is_empty() || args.auto_approve {
        return planned.approve();
    }
    if ask::is_possible() {
        print(global.color, &render::approval(&planned.document))?;
    }
    ask::yes(
        &format!("Apply this to {}? Only 'yes' is accepted: ", planned.document.environment),
        &format!(
            "there is no terminal on which to approve the plan, and nothing was changed. If it is what \
             should happen, apply it with {}",
            without_question(global, args, &planned.document)
        ),
    )
    .await?;
    planned.confirm(&global.reading().of_calls()).await
}

/// Refuses the review of another plan: the ledger would say of this one that people saw it.
fn check_review(reviewed: Option<&PlanDocument>, planned: &Planned) -> Result<(), Failure> {
    let now = &planned.document.digest;
    match reviewed.filter(|reviewed| !planned.is_empty() && reviewed.digest != *now) {
        None => Ok(()),
        Some(reviewed) => Err(Failure::Refused(format!(
            "the review is of a plan with the digest {}, and this one has {now}: nothing was changed\nHave this plan \
             reviewed, or apply without --review (PORTVAKT_REVIEW)",
            printable(&reviewed.digest)
        ))),
    }
}

/// The command that applies a plan without a question.
fn without_question(global: &Global, args: &Args, plan: &PlanDocument) -> String {
    let Args {
        file,
        due,
        auto_approve: _,
        expect: _,
        review,
        override_guards,
        allow_dirty,
        blame,
        patience,
        report,
    } = args;
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    let flag = |is_set: bool, name: &str| is_set.then(|| name.to_owned());
    let option = |name: &str, value: Option<String>| {
        value.into_iter().flat_map(|value| [name.to_owned(), value]).collect::<Vec<_>>()
    };
    // What is due has no digest to be expected, and a saved plan needs none.
    let digest = (!due && file.is_none()).then(|| plan.digest.clone());
    let words = [
        vec!["portvakt".to_owned()],
        option("-C", global.repo.as_ref().map(text)),
        option("-e", Some(plan.environment.clone())),
        vec!["apply".to_owned()],
        file.iter().map(text).collect(),
        flag(*due, "--due").into_iter().collect(),
        vec!["--auto-approve".to_owned()],
        option("--expect", digest),
        option("--review", review.as_ref().filter(|_| !due).map(text)),
        option("--override-guards", override_guards.clone()),
        flag(*allow_dirty, "--allow-dirty").into_iter().collect(),
        flag(*blame, "--blame").into_iter().collect(),
        option("--patience", patience.map(|seconds| seconds.to_string())),
        option("--report", report.as_ref().map(text)),
    ];
    let words: Vec<_> = words.iter().flatten().collect();
    shell::line(&words)
}

/// Reports the result, and saves the report if requested.
fn report(global: &Global, args: &Args, ended: Ended) -> Exit {
    let Ended { report, began, kept, open, failures } = ended;
    let is_accepted = report.outcome == Ending::Done
        && !report.dirty
        && kept.is_none()
        && open.is_none()
        && failures.is_empty();
    let later = report.scheduled.len() as u64;
    let accepted = (later > 0 && is_accepted)
        .then(|| print(global.color, &render::accepted(later)).err())
        .flatten();
    let printed = began.then(|| print(global.color, &render::report(&report)).err()).flatten();
    if let Some(remedy) = kept.filter(|_| began) {
        let commit = report.commit.as_deref().unwrap_or_default();
        tracing::warn!(
            "commit {commit} was applied and does not count as that, and until one does, what was applied is \
             not known: {remedy}"
        );
    }
    if let Some(why) = &open {
        tracing::warn!("{why}");
    }
    let saved =
        args.report.as_ref().and_then(|path| files::put(path, &json::pretty(&report)).err());
    let failures: Vec<_> =
        accepted.into_iter().chain(printed).chain(saved).chain(failures).collect();
    for failure in &failures {
        exit::report(failure, global.log_format);
    }
    match report.outcome {
        Ending::Interrupted => Exit::Interrupted,
        Ending::Partial | Ending::Begun => Exit::Partial,
        Ending::Done if open.is_some() => Exit::Partial,
        Ending::Done if failures.is_empty() => Exit::Done,
        Ending::Done if began => Exit::Partial,
        Ending::Done => Exit::Failed,
    }
}
