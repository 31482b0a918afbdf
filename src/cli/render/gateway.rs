//! `portvakt render istio`, and the other gateways.

use std::path::{Path, PathBuf};

use globset::GlobMatcher;

use super::{addresses, difference, note_inactive};
use crate::cli::arguments::{glob, is_chosen};
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::log;
use crate::cli::sink::{print, print_exact};
use crate::declare::{FixedFile, did_you_mean};
use crate::gateway::{ApiRoute, Engine, GatewayPolicy, PathMatch, PolicyOptions, audience, host};
use crate::run::clock::today;
use crate::run::{Opened, files, rendered};
use domain::ScopeName;
use domain::text::{is_rendered_from, printable};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Scopes with such a name: those of one API; may be repeated
    #[arg(long, value_name = "GLOB", value_parser = glob, required_unless_present = "team")]
    scope: Vec<GlobMatcher>,
    /// Scopes of a team alone
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
    /// The audience that tokens must have, where the scopes do not enforce one
    #[arg(long, value_name = "URI", value_parser = audience)]
    audience: Option<String>,
    /// Let only the declared consumers through; always so for scopes that DigDir keeps open to all
    #[arg(long)]
    consumers: bool,
    /// A host of the API; may be repeated [default: any]
    #[arg(long, value_name = "HOST", value_parser = host)]
    host: Vec<String>,
    /// A path of the API, with `*` at its end for all below it; may be repeated [default: any]
    #[arg(long, value_name = "PATH")]
    path: Vec<PathMatch>,
    /// The name of the resources, and at Istio the label `app` of the workload
    #[arg(long, value_name = "NAME", value_parser = label)]
    name: Option<String>,
    /// Write it to a file
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    out: Option<PathBuf>,
    /// Compare it with a file, and show the difference; exit with 2 if there is one
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: &Args, engine: Engine) -> Result<Exit, Failure> {
    let opened = global.open()?;
    let issuer = addresses(&opened)?.issuer;
    let options = PolicyOptions {
        scopes: chosen(global, &opened, args)?,
        audience: args.audience.clone(),
        with_consumers: args.consumers,
        route: ApiRoute {
            name: args.name.clone(),
            hosts: args.host.clone(),
            paths: args.path.clone(),
        },
    };
    let policy = GatewayPolicy::declared(&opened.desired, &issuer, options, today())
        .map_err(Failure::usage)?;
    let rendered = policy.render(engine).map_err(Failure::usage)?;
    for part in &rendered.unchecked {
        log::report(global, &format!("note: {part}"));
    }
    match (&args.check, &args.out) {
        (Some(file), _) => check(global, file, rendered.text, &policy.environment),
        (None, Some(file)) => {
            check_own(file, &policy.environment)?;
            files::put(file, &rendered.text)?;
            log::report(global, &format!("{} is written", files::shown(file)));
            Ok(Exit::Done)
        }
        (None, None) => print_exact(&rendered.text).map(|()| Exit::Done),
    }
}

/// The scopes of the API.
fn chosen(global: &Global, opened: &Opened, args: &Args) -> Result<Vec<ScopeName>, Failure> {
    if let Some(team) = &args.team {
        check_team(opened, team)?;
    }
    let is_of_team = |file: &str| {
        args.team.as_deref().is_none_or(|team| opened.repository.team(file) == Some(team))
    };
    let scopes = opened.desired.scopes.iter();
    let scopes = scopes.filter(|(name, scope)| {
        is_chosen(&args.scope, name.as_str()) && is_of_team(&scope.source.file)
    });
    let (active, inactive): (Vec<_>, Vec<_>) = scopes.partition(|(_, scope)| scope.active);
    for (name, _) in inactive {
        note_inactive(global, name);
    }
    match active.is_empty() {
        true => Err(Failure::Usage(format!(
            "no active scope of {} is chosen: name those of the API by --scope or --team",
            opened.desired.environment
        ))),
        false => Ok(active.into_iter().map(|(name, _)| name.clone()).collect()),
    }
}

fn check_team(opened: &Opened, team: &str) -> Result<(), Failure> {
    if opened.repository.teams().any(|known| known == team) {
        return Ok(());
    }
    let hint = did_you_mean(team, opened.repository.teams());
    Err(Failure::Usage(format!("portvakt.yaml has no team '{}'; {hint}", printable(team))))
}

/// Refuses a file that is there and was not rendered for the environment.
fn check_own(file: &Path, environment: &str) -> Result<(), Failure> {
    // What is no file is refused where it would be written.
    if !file.is_file() {
        return Ok(());
    }
    match rendered::existing(file)? {
        Some(before) if !before.is_empty() && !is_rendered_from(&before, environment) => {
            Err(Failure::Refused(format!(
                "{} was not rendered for {}, and is not overwritten: choose another file, or remove it",
                files::shown(file),
                printable(environment)
            )))
        }
        Some(_) | None => Ok(()),
    }
}

fn check(
    global: &Global,
    file: &Path,
    expected: String,
    environment: &str,
) -> Result<Exit, Failure> {
    let before = rendered::existing(file)?.ok_or_else(|| {
        Failure::Failed(format!("{} cannot be read: it is not there", files::shown(file)))
    })?;
    if before == expected {
        log::report(global, &format!("{} is up to date", files::shown(file)));
        return Ok(Exit::Done);
    }
    let file = file.to_string_lossy().into_owned().into();
    let fixed = FixedFile { file, before, after: expected };
    print(global.color, &difference(&fixed, |text| is_rendered_from(text, environment)))?;
    Ok(Exit::Pending)
}

/// A name of resources.
fn label(text: &str) -> Result<String, String> {
    domain::nais::label(text).map(String::from).map_err(|error| error.to_string())
}
