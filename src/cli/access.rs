//! `portvakt access`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::ValueEnum;
use globset::GlobMatcher;
use jiff::SignedDuration;

use super::arguments::{glob, is_chosen};
use super::exit::{Exit, Failure};
use super::global::Global;
use super::sink::print;
use super::{log, snapshot};
use crate::render::access::{Grouping, WarnDays, csv, html, text};
use crate::render::markdown;
use crate::run::access::{ReadSide, document, organizations};
use crate::run::organizations::matches_one;
use crate::run::{Opened, files};
use digdir::Needs;
use domain::Desired;
use domain::text::json;
use plan::document::AccessDocument;

pub(super) const ABOUT: &str = "\
Show who can reach what: each scope with the organisations that have access, or are declared to, by which \
group, until when and why, and the scopes that the organisation's own clients consume

It reads the live state with credentials that can only read; --declared shows the declarations alone, \
offline, and --snapshot compares with a file. The format html is one page without any request to elsewhere: \
a matrix to search and filter, a page for each scope, organisation and client.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only the accesses of that organisation: its number, alias or name; may be repeated
    #[arg(long, value_name = "ORGNO|NAME")]
    consumer: Vec<String>,
    /// Only scopes of that name; may be repeated
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    scope: Vec<GlobMatcher>,
    /// Only clients of that name; may be repeated
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    client: Vec<GlobMatcher>,
    /// Only scopes that nobody can reach, and clients that consume nothing
    #[arg(long, conflicts_with_all = ["consumer"])]
    unused: bool,
    /// The declarations alone, without reading the live state
    #[arg(long, conflicts_with = "snapshot")]
    declared: bool,
    /// The live state of a file that `portvakt snapshot` has written
    #[arg(long, value_name = "FILE", conflicts_with = "all_environments")]
    snapshot: Option<PathBuf>,
    /// All environments side by side
    #[arg(long)]
    all_environments: bool,
    /// The form
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Write it to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs; `portvakt schema access` describes it
    Json,
    /// For spreadsheets: one line for each access
    Csv,
    /// For a page or a comment
    Markdown,
    /// One page to open in a browser
    Html,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let mut sides = Vec::new();
    for opened in global.open_each(args.all_environments)? {
        sides.push(side(global, args, opened).await?);
    }
    let mut document = document(&sides)?;
    let known = organizations(&sides, &document);
    for (globs, what, names) in [
        (&args.scope, "scope", document.scopes.iter().map(|it| &it.scope).collect::<Vec<_>>()),
        (&args.client, "client", document.clients.iter().map(|it| &it.client).collect()),
    ] {
        for glob in globs {
            matches_one(&format!("{what} in what is shown"), glob, names.iter().copied())?;
        }
    }
    let absent = "has no access to anything that is shown, and requests none";
    let consumers = args.consumer.iter().map(|asked| known.find_known(asked, absent));
    let consumers: BTreeSet<_> =
        consumers.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let of_others = !args.client.is_empty() && args.scope.is_empty() && consumers.is_empty();
    document.retain(
        |scope| !of_others && is_chosen(&args.scope, scope),
        |orgno| consumers.is_empty() || consumers.iter().any(|it| it.as_str() == orgno),
        |client| consumers.is_empty() && is_chosen(&args.client, client),
    );
    if args.unused {
        document.retain_unused();
    } else if !consumers.is_empty() {
        document.retain_reached();
    }
    let days = |of: fn(&Desired) -> SignedDuration| {
        sides.first().map_or(0, |side| of(&side.opened.desired).as_hours() / 24)
    };
    let warn = WarnDays { accesses: days(|it| it.warn_of_access), keys: days(|it| it.warn_before) };
    let grouping = if consumers.is_empty() { Grouping::ByScope } else { Grouping::ByConsumer };
    put(global, args, &shown(args.format, &document, grouping, warn))
}

async fn side(global: &Global, args: &Args, opened: Opened) -> Result<ReadSide, Failure> {
    if args.declared {
        return Ok(ReadSide { opened, live: None });
    }
    if let Some(file) = &args.snapshot {
        let needs = Needs::everything(opened.needs().reach());
        let live = snapshot::live(file, &opened, &needs)?;
        return Ok(ReadSide { opened, live: Some(live) });
    }
    let reading = global.reading();
    ReadSide::read(opened, &global.options(), &reading.of_calls()).await
}

fn shown(format: Format, document: &AccessDocument, grouping: Grouping, warn: WarnDays) -> String {
    match format {
        Format::Text => text(document, grouping),
        Format::Json => json::pretty(document),
        Format::Csv => csv(document),
        Format::Markdown => markdown::access(document),
        Format::Html => html(document, warn),
    }
}

fn put(global: &Global, args: &Args, shown: &str) -> Result<Exit, Failure> {
    let Some(file) = &args.out else {
        print(global.color, shown)?;
        return Ok(Exit::Done);
    };
    files::put(file, shown)?;
    log::report(global, &format!("{} is written", files::shown(file)));
    Ok(Exit::Done)
}
