//! `portvakt probe`.

use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};
use super::global::Global;
use super::sink::print;
use super::{interrupt, log};
use crate::render;
use crate::run::files::{put, shown};
use crate::run::probe::{ProbeOptions, Probed, probe};
use crate::run::profile;
use domain::text::json;

pub(super) const ABOUT: &str = "\
Find out how the API at an environment behaves where its documentation does not say

It makes a scope and a client of its own (PREFIX:portvakt-probe-…), tries on them what no source settles, \
prints each question with its answer and the exchange that gave it, and deactivates both. DigDir never \
deletes anything: they stay there, inactive. At most 60 requests and 3 minutes. The answers are written \
to a profile: name it in portvakt.yaml under the environment (`profile: FILE`) for plan and apply, or \
give it to `portvakt sandbox --profile FILE`.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The prefix of the scope that it makes [default: the first of portvakt.yaml]
    #[arg(long)]
    prefix: Option<String>,
    /// Where to write the profile [default: digdir-ENVIRONMENT.json beside portvakt.yaml]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Do it although the environment is production
    #[arg(long)]
    yes_in_prod: bool,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let interrupt = interrupt::listen()?;
    let opened = global.open()?;
    let name = format!("digdir-{}.json", opened.desired.environment);
    let file = args.out.clone().unwrap_or_else(|| opened.repository.root().join(name));
    check_place(&file)?;
    let wanted = ProbeOptions { prefix: args.prefix.as_deref(), in_production: args.yes_in_prod };
    let probed = probe(&global.options(), &opened, &wanted, interrupt).await?;
    let Probed { scope, answers, calls, took, profile } = probed;
    let environment = &opened.desired.environment;
    let exchanges: Vec<_> =
        answers.exchanges.iter().map(|(q, exchange)| (*q, exchange.to_string())).collect();
    print(global.color, &render::probe::text(answers.behaviour, &exchanges))?;
    put(&file, &json::pretty(&profile))?;
    log::report(
        global,
        &format!(
            "{calls} calls in {:.1} s on {scope}, which is inactive now. {} is written: name it as \
             `profile` of environment {environment} in portvakt.yaml",
            took.as_secs_f64(),
            shown(&file),
        ),
    );
    Ok(Exit::Done)
}

/// Refuses, before anything is made, a place where the profile could not be written or would replace another
/// kind of file.
fn check_place(file: &Path) -> Result<(), Failure> {
    let refused = |why: &str| Failure::Usage(format!("--out {} {why}", shown(file)));
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(refused("is in a folder that does not exist"));
    }
    match file.exists() && profile::read(file, None).is_err() {
        true => Err(refused("exists and is not a profile: name another file")),
        false => Ok(()),
    }
}
