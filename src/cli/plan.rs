//! `portvakt plan`.

use super::exit::{Exit, Failure};
use super::output::Output;
use super::session::Session;
use super::{Global, interrupt};

/// The command's arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    output: Output,
    /// The commit that tells drift from change: what its declarations need too was there before
    /// [default: the commit last applied in full]
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Exit with 2 if there is something to do
    #[arg(long)]
    detailed_exitcode: bool,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    interrupt::unless(interrupt::listen()?, show(global, args)).await
}

async fn show(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let mut session = Session::open(global)?;
    let history = session.history()?;
    session.look_back(history.as_ref(), args.base.as_deref())?;
    let plan = session.planned(global).await?;
    let pending = args.detailed_exitcode && !plan.is_as_declared();
    args.output.show(global, history.as_ref(), plan)?;
    Ok(if pending { Exit::Pending } else { Exit::Done })
}
