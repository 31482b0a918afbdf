//! `portvakt migrate`: hand-overs of declared entities.

mod from_nais;
mod to_nais;

use clap::Subcommand;

use super::examples;
use super::exit::{Exit, Failure};
use super::global::Global;
use super::interrupt::until_interrupted;

/// Direction of a hand-over.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Hand scopes and a client over to an application at NAIS, a step each time that it is run
    #[command(name = "to-nais", long_about = to_nais::ABOUT, after_help = examples::of("migrate to-nais"))]
    ToNais(to_nais::Args),
    /// Take scopes and clients over from an application at NAIS
    #[command(name = "from-nais", long_about = from_nais::ABOUT, after_help = examples::of("migrate from-nais"))]
    FromNais(from_nais::Args),
}

pub(super) fn run(global: &Global, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::ToNais(args) => until_interrupted(to_nais::run(global, args)),
        Command::FromNais(args) => until_interrupted(from_nais::run(global, args)),
    }
}
