//! `portvakt render`: what is declared, in another form.

mod yaml;

use clap::Subcommand;

use super::Global;
use super::exit::{Exit, Failure};

/// The form.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// What manifests of NAIS declare, as YAML that says the same, offline
    Yaml(yaml::Args),
}

pub(super) fn run(global: &Global, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Yaml(args) => yaml::run(global, args),
    }
}
