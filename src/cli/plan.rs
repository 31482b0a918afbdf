//! `portvakt plan`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::exit::{Exit, Failure};
use super::remote::Remote;
use super::session::Session;
use super::{Global, interrupt, print, snapshot};
use crate::render::{self, document::PlanDocument};

/// The command's arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The form of the plan
    #[arg(long, default_value = "text")]
    format: Format,
    /// Compare with what `portvakt snapshot` wrote to a file, not with what is live now: neither
    /// credentials nor a network are used
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// Exit with 2 if there is something to do
    #[arg(long)]
    detailed_exitcode: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a reviewer
    Text,
    /// For programs; `portvakt schema plan` describes it
    Json,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    interrupt::unless(interrupt::listen()?, show(global, args)).await
}

async fn show(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let session = Session::open(global)?;
    let plan = match &args.snapshot {
        Some(file) => session.compare(&snapshot::live(file, &session)?),
        None => {
            let remote = Remote::open(global, &session).await?;
            let plan = session.plan(global, &remote.reader().await?).await?;
            remote.close().await?;
            plan
        }
    };
    let plan = PlanDocument::new(&plan, &session.context());
    print(
        global.color,
        &match args.format {
            Format::Text => render::plan(&plan),
            Format::Json => render::json::plan(&plan),
        },
    )?;
    let pending = args.detailed_exitcode && !plan.is_as_declared();
    Ok(if pending { Exit::Pending } else { Exit::Done })
}
