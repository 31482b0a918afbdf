//! `portvakt history`.

use globset::GlobMatcher;

use super::exit::{Exit, Failure};
use super::glob::glob;
use super::global::Global;
use super::output::TextOrJson;
use super::sink::print;
use crate::history::LedgerLine;
use crate::render::history::{HistoryFilter, chosen, text};
use crate::run::{applied, past};
use domain::text::{json, printable};
use plan::document::ReportDocument;

/// The command's arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only what was done to scopes of that name, and to accesses to them
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    scope: Option<GlobMatcher>,
    /// Only what gave or took access from that organisation: its number, or its name in the
    /// declarations at the time
    #[arg(long, value_name = "ORGNO|NAME")]
    consumer: Option<String>,
    /// Only what was done to clients of that name, and to their keys
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    client: Option<GlobMatcher>,
    /// The form; json is an array of reports, the newest first, and `portvakt schema report` describes one
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: TextOrJson,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let (environment, history) = past::open_only(&global.options(), "there is no ledger")?;
    let refs = history.refs()?;
    let mut reports = Vec::new();
    for place in [history.place().to_owned()].into_iter().chain(history.former_names(&refs)) {
        let lines = match history.ledger_of(&refs, &place) {
            Ok(lines) => lines,
            Err(error) if place == history.place() => return Err(error.into()),
            Err(error) => {
                tracing::warn!("what was applied as {place} is not known: {error}");
                continue;
            }
        };
        reports.extend(lines.into_iter().filter_map(|line| reported(&place, line)));
    }
    let Args { scope, consumer, client, format } = args;
    let asked = HistoryFilter {
        scope: scope.as_ref(),
        consumer: consumer.as_deref(),
        client: client.as_ref(),
    };
    let chosen = chosen(reports, &asked);
    print(
        global.color,
        &match format {
            TextOrJson::Text => text(&environment, &chosen),
            TextOrJson::Json => json::pretty(&chosen),
        },
    )?;
    Ok(Exit::Done)
}

/// A line in the ledger of a place, as text.
fn reported(
    place: &str,
    LedgerLine { commit, text, is_signed }: LedgerLine,
) -> Option<ReportDocument> {
    let left_out = match ReportDocument::read(&text) {
        Ok(report) if report.environment == applied::environment(place) => {
            return Some(ReportDocument { signed: is_signed, ..report });
        }
        Ok(report) => format!("it is of environment {}", printable(&report.environment)),
        Err(why) => why.to_string(),
    };
    tracing::warn!("a line of the ledger about {commit} is left out: {left_out}");
    None
}
