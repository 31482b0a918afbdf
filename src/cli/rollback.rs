//! `portvakt rollback`.

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::{Pending, planned};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The commit whose declarations are restored
    revision: String,
    #[command(flatten)]
    output: Pending,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let mut opened = global.open()?;
    let history = opened.history()?.ok_or_else(|| {
        Failure::failed("this is not a git repository: there is no commit to roll back to")
    })?;
    opened.roll_back(&history, &args.revision)?;
    let ready = opened.look_back(Some(history), None)?;
    let plan = planned(global, &ready).await?;
    args.output.show(global, ready.history.as_ref(), plan)
}
