//! `portvakt plan`.

use std::path::PathBuf;

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::{Pending, planned};
use super::snapshot;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    output: Pending,
    /// The commit that distinguishes drift from change: what its declarations need too was there before
    /// [default: the commit last applied in full]
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Compare with what `portvakt snapshot` wrote to a file, not with what is live now: neither
    /// credentials nor DigDir are needed
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let opened = global.open()?;
    // An apply could not use a profile that cannot be read: its review must see that.
    opened.behaviour()?;
    let history = opened.history()?;
    let ready = opened.look_back(history, args.base.as_deref())?;
    let plan = match &args.snapshot {
        Some(file) => {
            ready.document(&ready.compare(&snapshot::live(file, &ready.opened, &ready.needs())?))
        }
        None => planned(global, &ready).await?,
    };
    args.output.show(global, ready.history.as_ref(), plan)
}
