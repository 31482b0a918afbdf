//! `portvakt apply`.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use tokio::sync::watch;

use super::exit::{Exit, Failure};
use super::progress::Progress;
use super::remote::Remote;
use super::session::Session;
use super::{Global, interrupt, print, write};
use crate::apply::{Outcome, Report, apply};
use crate::digdir::Writer;
use crate::plan::Plan;
use crate::render::{self, document::PlanDocument};

/// The command's arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Do not ask
    #[arg(long)]
    auto_approve: bool,
    /// Apply although the plan passes a limit of `guards`, and why
    #[arg(long, value_name = "REASON", value_parser = reason)]
    override_guards: Option<String>,
}

fn reason(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("say why: whoever looks at it later will ask"),
        reason => Ok(reason.to_owned()),
    }
}

/// A plan that may be carried out, and with what.
struct Approved {
    remote: Remote,
    writer: Writer,
    plan: Plan,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let interrupt = interrupt::listen()?;
    let preparation = prepare(global, args);
    let Approved { remote, writer, plan } =
        interrupt::unless(interrupt.clone(), preparation).await?;
    let exit = if plan.actions.is_empty() {
        ended(&plan, None)
    } else {
        let report = carry_out(global, &plan, &writer, interrupt).await;
        print(global.color, &render::report(&plan, &report))?;
        ended(&plan, Some(&report))
    };
    remote.close().await?;
    Ok(exit)
}

/// Makes the plan, shows it and has it approved. Nothing is changed in here.
async fn prepare(global: &Global, args: &Args) -> Result<Approved, Failure> {
    let session = Session::open(global)?;
    let remote = Remote::open(global, &session).await?;
    let writer = remote.writer().await?;
    let plan = session.plan(global, writer.reader()).await?;
    write(global.color, &render::plan(&PlanDocument::new(&plan, &session.context()))).map_err(
        |error| {
            Failure::Failed(format!("the plan cannot be shown, so nothing was changed: {error}"))
        },
    )?;
    if plan.actions.is_empty() {
        return Ok(Approved { remote, writer, plan });
    }
    check_limits(&plan, args.override_guards.as_deref())?;
    if args.auto_approve {
        return Ok(Approved { remote, writer, plan });
    }
    ask(&plan).await?;
    let again = session.plan(global, writer.reader()).await?;
    if again.digest() != plan.digest() {
        let why =
            "what is live has changed since the plan was shown: run apply again and look anew";
        return Err(Failure::Refused(why.to_owned()));
    }
    Ok(Approved { remote, writer, plan: again })
}

fn check_limits(plan: &Plan, overridden: Option<&str>) -> Result<(), Failure> {
    match (plan.passed_limits.as_slice(), overridden) {
        ([], _) => Ok(()),
        (limits, None) => {
            let messages: Vec<_> =
                limits.iter().map(|limit| format!("{}: {}", limit.code, limit.message)).collect();
            Err(Failure::Refused(format!("nothing was changed\n{}", messages.join("\n"))))
        }
        (_, Some(reason)) => {
            tracing::warn!("limits of guards lifted: {}", crate::text::printable(reason));
            Ok(())
        }
    }
}

/// Asks on the terminal.
async fn ask(plan: &Plan) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        let why = "nobody is there to approve the plan: say --auto-approve where a job applies what was reviewed";
        return Err(Failure::Refused(why.to_owned()));
    }
    eprint!("\nApply this to {}? Only 'yes' does: ", crate::text::printable(&plan.environment));
    let answer = tokio::task::spawn_blocking(|| {
        std::io::stderr().flush()?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    match answer.await {
        Ok(Ok(answer)) if answer.trim() == "yes" => Ok(()),
        _ => Err(Failure::Refused("not approved: nothing was changed".to_owned())),
    }
}

async fn carry_out(
    global: &Global,
    plan: &Plan,
    writer: &Writer,
    interrupt: watch::Receiver<bool>,
) -> Report {
    let progress = Progress::start(global, "applying");
    let total = plan.actions.len();
    apply(plan, writer, global.concurrency.get(), interrupt, |ended| progress.tell(ended, total))
        .await
}

fn ended(plan: &Plan, report: Option<&Report>) -> Exit {
    let not_started = |report: &Report| report.outcomes.contains(&Outcome::NotStarted);
    match report {
        Some(report) if not_started(report) => Exit::Interrupted,
        Some(report) if !report.is_complete() => Exit::Partial,
        _ if !plan.blocked.is_empty() => Exit::Partial,
        _ => Exit::Done,
    }
}
