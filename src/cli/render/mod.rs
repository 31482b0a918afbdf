//! `portvakt render`: declarations in another form.

mod nais;
mod yaml;

use clap::Subcommand;

use super::examples;
use super::exit::{Exit, Failure};
use super::global::Global;

/// The form.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print declarations as manifests of applications at NAIS, offline
    #[command(after_help = examples::RENDER_NAIS)]
    Nais(nais::Args),
    /// Print the declarations of NAIS manifests as equivalent YAML, offline
    #[command(after_help = examples::RENDER_YAML)]
    Yaml(yaml::Args),
}

pub(super) fn run(global: &Global, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Nais(args) => nais::run(global, args),
        Command::Yaml(args) => yaml::run(global, args),
    }
}
