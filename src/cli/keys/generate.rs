//! `portvakt keys generate`.

use std::path::PathBuf;

use super::add;
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::log;
use crate::run::client;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The client, by the name that it is declared by
    name: String,
    #[command(flatten)]
    private: Private,
}

/// Where the private half goes.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct Private {
    /// A file that is not there yet, for the private JWK (mode 0600)
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Print the private JWK
    #[arg(long)]
    pub(super) stdout: bool,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let opened = global.open()?;
    let (name, declared) = client::declared(&opened, &args.name)?;
    add(global, &opened, name, declared, args.private.out.as_deref())?;
    log::report(
        global,
        "next: commit the public half, apply, and give the application the private one with \
         `portvakt credentials`",
    );
    Ok(Exit::Done)
}
