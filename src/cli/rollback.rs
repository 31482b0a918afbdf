//! `portvakt rollback`.

use super::exit::{Exit, Failure};
use super::global::Global;
use super::interrupt;
use super::output::Pending;
use super::session::Session;

/// The command's arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The commit whose declarations are to hold again
    revision: String,
    #[command(flatten)]
    output: Pending,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    interrupt::unless(interrupt::listen()?, show(global, args)).await
}

async fn show(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let mut session = Session::open(global)?;
    let history = session.history()?.ok_or_else(|| {
        Failure::Failed("this is no git repository: there is no commit to roll back to".to_owned())
    })?;
    session.roll_back(&history, &args.revision)?;
    session.look_back(Some(&history), None)?;
    let plan = session.planned(global).await?;
    args.output.show(global, Some(&history), plan)
}
