//! `portvakt rollback`.

use super::exit::{Exit, Failure};
use super::output::Output;
use super::session::Session;
use super::{Global, interrupt};

/// The command's arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The commit whose declarations are to hold again
    revision: String,
    #[command(flatten)]
    output: Output,
    /// Exit with 2 if there is something to do
    #[arg(long)]
    detailed_exitcode: bool,
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
    let pending = args.detailed_exitcode && !plan.is_as_declared();
    args.output.show(global, Some(&history), plan)?;
    Ok(if pending { Exit::Pending } else { Exit::Done })
}
