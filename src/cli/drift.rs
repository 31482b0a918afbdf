//! `portvakt drift`.

use super::exit::{Exit, Failure};
use super::global::Global;
use super::interrupt;
use super::output::{Output, planned};

/// The command's arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    output: Output,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    interrupt::unless(interrupt::listen()?, show(global, args)).await
}

async fn show(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let ready = global.open()?.take_applied()?;
    let plan = planned(global, &ready).await?;
    let drifted = !plan.actions.is_empty();
    args.output.show(global, ready.history.as_ref(), plan)?;
    Ok(if drifted { Exit::Pending } else { Exit::Done })
}
