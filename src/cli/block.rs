//! `portvakt block` and `portvakt unblock`.

use std::collections::BTreeMap;

use globset::GlobMatcher;

use super::arguments::{glob, reason};
use super::exit::{Exit, Failure};
use super::global::Global;
use super::log;
use super::sink::print;
use crate::declare::BlockEntry;
use crate::run::block::{ChangedAccess, ChangedBlock, block, unblock};
use domain::ScopeName;
use domain::text::{listed, listed_up_to, printable};

/// The long help of `block`.
pub(super) const ABOUT: &str = "\
Block an organisation: it has no access, whatever else is declared

The entry is written below `blocked`, in the file that has it, else in the one that declares the organisation. \
Before it writes, it lists the scopes to which the organisation loses its declared access. Nothing is sent: the \
next plan shows the revocations on top, and they count in no limit of `guards`. With -e or PORTVAKT_ENV it counts in that environment alone. A scope that is open to all organisations cannot be closed \
to one.";

/// The arguments of `block`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The organisation: its alias, number or name
    consumer: String,
    /// Why, such as a case number
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// Only from scopes of that name; may be repeated
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    scope: Vec<GlobMatcher>,
}

/// The arguments of `unblock`.
#[derive(Debug, clap::Args)]
pub(super) struct UnblockArgs {
    /// The organisation: its alias, number or name
    consumer: String,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let Args { consumer, reason, scope } = args;
    let entry = BlockEntry {
        consumer: consumer.clone(),
        environments: Vec::new(),
        scopes: scope.iter().map(|glob| glob.glob().glob().to_owned()).collect(),
        reason: reason.clone(),
    };
    let from = match entry.scopes.as_slice() {
        [] => "all scopes".to_owned(),
        scopes => scopes.join(", "),
    };
    let changed = block(&global.options(), entry)?;
    let ChangedBlock { consumer, environment, before, access, .. } = &changed;
    let place = environment.as_deref().unwrap_or("all environments");
    let loses = match (access.scopes.is_empty(), before.is_empty()) {
        (false, _) => {
            Some(format!("it loses its declared access to {}", in_environments(&access.scopes)))
        }
        (true, _) if !access.unknown.is_empty() => None,
        (true, true) if scope.is_empty() => {
            Some("no declared access ends by this: the block keeps it out in future".to_owned())
        }
        (true, true) => {
            Some(format!("no declared access to {from} ends by this: are the names right?"))
        }
        (true, false) => Some(format!(
            "it was blocked before too, and loses nothing more: {}",
            before.join(", ")
        )),
    };
    for line in loses.into_iter().chain(unknown(access, "loses")) {
        log::report(global, &printable(&line));
    }
    if !changed.is_edited() {
        let line =
            format!("{consumer} is blocked already in {place} from {from}: nothing was changed");
        log::report(global, &printable(&line));
        return Ok(Exit::Done);
    }
    let files = changed.write()?;
    let line = format!("{consumer} is blocked in {place} from {from}: {files}");
    print(global.color, &format!("{}\n", printable(&line)))?;
    log::report(global, "next: commit, and apply: the plan shows the revocations on top");
    Ok(Exit::Done)
}

pub(super) fn lift(global: &Global, args: &UnblockArgs) -> Result<Exit, Failure> {
    let changed = unblock(&global.options(), &args.consumer)?;
    let ChangedBlock { consumer, environment, before, access, .. } = &changed;
    let place = environment.as_deref().unwrap_or("any environment");
    if before.is_empty() {
        let line = format!("{consumer} is not blocked in {place}: nothing was changed");
        log::report(global, &printable(&line));
        return Ok(Exit::Done);
    }
    let regains = (!access.scopes.is_empty())
        .then(|| format!("it is to have access again to {}", in_environments(&access.scopes)));
    for line in regains.into_iter().chain(unknown(access, "gets back")) {
        log::report(global, &printable(&line));
    }
    let files = changed.write()?;
    let line = format!("{consumer} is no longer blocked in {place}: {files}");
    print(global.color, &format!("{}\n", printable(&line)))?;
    log::report(global, "next: commit, and apply: the plan shows who is granted access again");
    Ok(Exit::Done)
}

/// The environments in which errors hide who has access, if there are any.
fn unknown(access: &ChangedAccess, verb: &str) -> Option<String> {
    let unknown = access.unknown.join(", ");
    (!unknown.is_empty()).then(|| {
        format!(
            "which access it {verb} in {unknown} is not known: errors in the declarations may hide who has \
             access; `portvakt validate` lists them"
        )
    })
}

/// Largest number of scopes that are listed by name.
const MOST_LISTED: usize = 20;

/// The scopes, each with its environments, in a sentence.
fn in_environments(scopes: &BTreeMap<ScopeName, Vec<String>>) -> String {
    let named = scopes.iter();
    let named = named.map(|(scope, environments)| format!("{scope} ({})", listed(environments)));
    listed_up_to(MOST_LISTED, named)
}
