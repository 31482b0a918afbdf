//! `portvakt drift`.

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::{Output, planned};
use crate::run::Ready;
use plan::Origin;
use plan::document::ActionDocument;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    output: Output,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let ready = Ready::of_applied(global.open()?)?;
    let plan = planned(global, &ready).await?;
    let is_drift = |action: &ActionDocument| !action.origin.is_some_and(Origin::is_date);
    let drifted = plan.actions.iter().any(is_drift);
    args.output.show(global, ready.history.as_ref(), plan)?;
    Ok(if drifted { Exit::Pending } else { Exit::Done })
}
