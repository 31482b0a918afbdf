//! `portvakt history`.

use globset::GlobMatcher;

use super::arguments::glob;
use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::TextOrJson;
use super::sink::print;
use crate::render::history::{HistoryFilter, chosen, text};
use crate::run::{Ledgers, RunOptions};

pub(super) const ABOUT: &str = "\
Show who applied what, when, from which commit and why

Without -e it shows all environments, the newest apply first.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only what was done to scopes of that name, and to accesses to them
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    scope: Option<GlobMatcher>,
    /// Only what gave or took access from that organisation: its number, its alias, or its name now or at
    /// the time
    #[arg(long, value_name = "ORGNO|NAME")]
    consumer: Option<String>,
    /// Only what was done to clients of that name, and to their keys
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    client: Option<GlobMatcher>,
    /// All environments, also where PORTVAKT_ENV names one
    #[arg(long)]
    all_environments: bool,
    /// The form; json is an array of reports, the newest first, and `portvakt schema report` describes one
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: TextOrJson,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let Args { scope, consumer, client, all_environments, format } = args;
    let environment = global.options().environment.filter(|_| !all_environments);
    let ledgers = Ledgers::read(&RunOptions { environment, ..global.options() })?;
    scope.as_ref().map_or(Ok(()), |glob| ledgers.check_scope(glob))?;
    client.as_ref().map_or(Ok(()), |glob| ledgers.check_client(glob))?;
    let find = |asked| ledgers.organizations.find_known(asked, "is in no ledger");
    let consumers = consumer.as_deref().map(find).transpose()?;
    let Ledgers { environments, reports, .. } = ledgers;
    let asked = HistoryFilter {
        scope: scope.as_ref(),
        consumers: consumers.as_ref(),
        client: client.as_ref(),
    };
    let chosen = chosen(reports, &asked);
    let reports: Vec<_> = chosen.iter().map(|(_, report)| report).collect();
    print(global.color, &format.of(&reports, |_| text(&environments, &chosen, &asked)))?;
    Ok(Exit::Done)
}
