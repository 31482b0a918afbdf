//! `portvakt requests`.

use std::time::Duration;

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::TextOrJson;
use super::sink::print;
use super::{ask, examples, interrupt};
use crate::apply::Patience;
use crate::render::requests::{one, text};
use crate::run::Opened;
use crate::run::requests::{RequestDenial, read};
use domain::ScopeName;
use domain::text::printable;
use plan::document::{Ending, ReportDocument};

pub(super) const ABOUT: &str = "\
List who requests access to the organisation's scopes, or deny a request

To approve a request, declare the organisation among the consumers of the scope, and apply. The list shows which \
requests are declared, for today or a later day, and which organisations are blocked. A request that is neither \
declared nor denied stays; plans show it as PV402.";

/// Total time to wait until DigDir shows the denial.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    /// All environments
    #[arg(long)]
    all_environments: bool,
    /// The form of the list; `portvakt schema requests` describes it as json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: TextOrJson,
    #[command(subcommand)]
    command: Option<RequestsCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum RequestsCommand {
    /// Deny the request of an organisation, unless an apply would approve it: nothing is written to YAML, and
    /// a line to the ledger
    #[command(after_help = examples::of("requests deny"))]
    Deny(Deny),
}

#[derive(Debug, clap::Args)]
struct Deny {
    /// The organisation: its number, alias or name
    #[arg(value_name = "ORGNO|NAME")]
    consumer: String,
    /// The scope that it requests access to
    #[arg(long, value_name = "SCOPE")]
    scope: ScopeName,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        None => interrupt::unless(interrupt::listen()?, list(global, args)).await,
        Some(RequestsCommand::Deny(deny)) => self::deny(global, deny).await,
    }
}

async fn list(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let environments = global.open_each(args.all_environments)?;
    let reading = global.reading();
    let found = read(&environments, &global.options(), &reading.of_calls()).await?;
    drop(reading);
    print(global.color, &args.format.of(&found, text))?;
    Ok(Exit::Done)
}

async fn deny(global: &Global, args: &Deny) -> Result<Exit, Failure> {
    let interrupt = interrupt::listen()?;
    let opened = global.open()?;
    let (history, actor) = (opened.history()?, opened.actor());
    let confirmed = confirm(global, args, opened);
    let (lock_guard, denial) =
        interrupt::under_lock(&interrupt, history.as_ref(), &actor, confirmed).await?;
    let patience = Patience::new(PATIENCE, interrupt);
    let request = one(&denial.request);
    report(global, &request, &denial.carry_out(lock_guard, actor, &patience).await?)
}

/// Finds the request, shows it and asks for approval. Nothing is changed here.
async fn confirm(global: &Global, args: &Deny, opened: Opened) -> Result<RequestDenial, Failure> {
    let Deny { consumer, scope, yes } = args;
    let reading = global.reading();
    let options = global.options();
    let denial =
        RequestDenial::prepare(opened, &options, consumer, scope.clone(), &reading.of_calls())
            .await;
    drop(reading);
    let denial = denial?;
    if !yes {
        print(global.color, &format!("{}\n", one(&denial.request)))?;
        ask::yes(
            "Deny it? Only 'yes' is accepted: ",
            "there is no terminal on which to confirm that: --yes denies it without a question",
        )
        .await?;
    }
    Ok(denial)
}

fn report(global: &Global, request: &str, report: &ReportDocument) -> Result<Exit, Failure> {
    let why = report.actions.iter().find_map(|reported| reported.message.as_deref());
    match report.outcome {
        Ending::Done => {
            print(global.color, &format!("Denied: {request}\n"))?;
            Ok(Exit::Done)
        }
        Ending::Begun | Ending::Partial | Ending::Interrupted => Err(Failure::Failed(format!(
            "the request could not be denied: {}",
            printable(why.unwrap_or("its result is not known"))
        ))),
    }
}
