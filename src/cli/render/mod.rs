//! `portvakt render`: declarations in another form.

mod gateway;
mod nais;
mod skyporten;
mod yaml;

use clap::Subcommand;

use super::examples;
use super::exit::{Exit, Failure};
use super::global::Global;
use super::log;
use crate::declare::FixedFile;
use crate::gateway::Engine;
use crate::render;
use crate::run::Opened;
use domain::ScopeName;

/// The form.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print declarations as manifests of applications at NAIS, offline
    #[command(after_help = examples::of("render nais"))]
    Nais(nais::Args),
    /// Print the declarations of NAIS manifests as equivalent YAML, offline
    #[command(after_help = examples::of("render yaml"))]
    Yaml(yaml::Args),
    /// Print a policy for Istio that checks the tokens of scopes, offline
    #[command(after_help = examples::of("render istio"))]
    Istio(gateway::Args),
    /// Print filters for Envoy that check the tokens of scopes, offline
    #[command(after_help = examples::of("render envoy"))]
    Envoy(gateway::Args),
    /// Print a policy fragment for Azure API Management that checks the tokens of scopes, offline
    #[command(after_help = examples::of("render apim"))]
    Apim(gateway::Args),
    /// Print the configuration of an endpoint of KrakenD that checks the tokens of scopes, offline
    #[command(after_help = examples::of("render krakend"))]
    Krakend(gateway::Args),
    /// Print properties for Spring that check the tokens of scopes, offline
    #[command(after_help = examples::of("render spring"))]
    Spring(gateway::Args),
    /// Print the trust of clouds in Skyporten's tokens of the consumers of scopes, offline
    #[command(after_help = examples::of("render skyporten"))]
    Skyporten(skyporten::Args),
}

pub(super) fn run(global: &Global, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Nais(args) => nais::run(global, args),
        Command::Yaml(args) => yaml::run(global, args),
        Command::Istio(args) => gateway::run(global, args, Engine::Istio),
        Command::Envoy(args) => gateway::run(global, args, Engine::Envoy),
        Command::Apim(args) => gateway::run(global, args, Engine::Apim),
        Command::Krakend(args) => gateway::run(global, args, Engine::Krakend),
        Command::Spring(args) => gateway::run(global, args, Engine::Spring),
        Command::Skyporten(args) => skyporten::run(global, args),
    }
}

/// The difference of a rendered file, by whether what is there was rendered too: it may be another file, whose secrets
/// are not shown.
fn difference(fixed: &FixedFile, is_own: impl Fn(&str) -> bool) -> String {
    match fixed.before.is_empty() || is_own(&fixed.before) {
        true => render::diff_of_rendered(fixed),
        false => render::diff(fixed),
    }
}

/// The addresses of the environment: Maskinporten's issuer and Skyporten's are among them.
fn addresses(opened: &Opened) -> Result<digdir::ApiTarget, Failure> {
    let name = &opened.desired.environment;
    let target = opened.repository.environment(name).map(|environment| &environment.target.value);
    let addresses = target.map(|target| target.addresses()).transpose();
    match addresses.map_err(Failure::usage)?.flatten() {
        Some(target) => Ok(target),
        None => Err(Failure::Usage(format!(
            "environment {name} is the embedded sandbox, which has no address that a gateway or a cloud could \
             use: start `portvakt sandbox` and name its addresses as `target`, or choose another environment"
        ))),
    }
}

/// Reports a scope that gives nobody access, as it is declared as inactive.
fn note_inactive(global: &Global, scope: &ScopeName) {
    log::report(global, &format!("note: {scope} is declared with `active: false`, and left out"));
}
