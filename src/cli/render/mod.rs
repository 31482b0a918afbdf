//! `portvakt render`: declarations in another form.

mod nais;
mod yaml;

use clap::Subcommand;

use super::exit::{Exit, Failure};
use super::global::Global;

/// The form.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// What is declared as manifests of applications at NAIS, offline
    Nais(nais::Args),
    /// What manifests of NAIS declare, as YAML that says the same, offline
    Yaml(yaml::Args),
}

pub(super) fn run(global: &Global, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Nais(args) => nais::run(global, args),
        Command::Yaml(args) => yaml::run(global, args),
    }
}
