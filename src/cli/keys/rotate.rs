//! `portvakt keys rotate`.

use std::path::PathBuf;

use super::add;
use super::retire;
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::interrupt::until_interrupted;
use crate::cli::log;
use crate::run::client;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The client, by the name that it is declared by
    name: String,
    /// A file that is not there yet, for the private JWK of the new key (mode 0600)
    #[arg(long, value_name = "FILE", required_unless_present_any = ["stdout", "retire"])]
    out: Option<PathBuf>,
    /// Print the private JWK of the new key
    #[arg(long, conflicts_with = "out")]
    stdout: bool,
    /// Remove from the declaration the keys that are older than the newest that is live
    #[arg(long, conflicts_with_all = ["out", "stdout"])]
    retire: bool,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    if args.retire {
        return until_interrupted(retire::run(global, &args.name));
    }
    let opened = global.open()?;
    let (name, declared) = client::declared(&opened, &args.name)?;
    if declared.keys.as_ref().is_none_or(Vec::is_empty) {
        let why = format!(
            "the client '{name}' declares no key that could be rotated: make its first with \
             `portvakt keys generate`"
        );
        return Err(Failure::Failed(why));
    }
    add(global, &opened, name, declared, args.out.as_deref())?;
    log::report(
        global,
        "next: commit the public half and apply; both keys count then. Give the application the new \
         one with `portvakt credentials`. The old one may go when that runs with it, and two minutes \
         after the apply at the earliest: `portvakt keys rotate --retire`, commit, apply",
    );
    Ok(Exit::Done)
}
