//! `portvakt keys`: the keys of clients.

mod added;
mod generate;
mod list;
mod retire;
mod rotate;

use clap::Subcommand;

pub(super) use added::slug;

use super::exit::{Exit, Failure};
use super::global::Global;
use super::interrupt::wait_for;

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key: the private half for the application, the public half beside the declaration
    Generate(generate::Args),
    /// Add a second key, or with --retire take out those that are older than the newest live one
    Rotate(rotate::Args),
    /// List the keys of the declared clients, and when they end
    List(list::Args),
}

pub(super) fn run(global: &Global, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Generate(args) => generate::run(global, args),
        Command::Rotate(args) => rotate::run(global, args),
        Command::List(args) => wait_for(list::run(global, args)),
    }
}
