//! `portvakt keys`: the keys of clients.

mod generate;
mod list;
mod renew;
mod retire;
mod rotate;

use std::path::Path;

use clap::Subcommand;

use super::examples;
use super::exit::{Exit, Failure};
use super::global::Global;
use super::interrupt::{until_interrupted, wait_for};
use super::log;
use super::sink::write_secret;
use crate::declare;
use crate::run::Opened;
use crate::run::files::shown;
use crate::run::keys::{self, Added};
use domain::text::printable;
use domain::{ClientName, DesiredClient};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Make a key: the private half for the application, the public half beside the declaration
    #[command(after_help = examples::of("keys generate"))]
    Generate(generate::Args),
    /// Add a second key, or with --retire remove those that are older than the newest live one
    #[command(after_help = examples::of("keys rotate"))]
    Rotate(rotate::Args),
    /// Register a client's keys again where they expire soon, so that they live another year
    #[command(after_help = examples::of("keys renew"))]
    Renew(renew::Args),
    /// List the keys of the declared clients, and when they end
    #[command(after_help = examples::of("keys list"))]
    List(list::Args),
}

pub(super) fn run(global: &Global, command: &KeysCommand) -> Result<Exit, Failure> {
    match command {
        KeysCommand::Generate(args) => generate::run(global, args),
        KeysCommand::Rotate(args) => rotate::run(global, args),
        KeysCommand::Renew(args) => wait_for(renew::run(global, args)),
        KeysCommand::List(args) => until_interrupted(list::run(global, args)),
    }
}

/// Makes a key; `out` is the file for its private half, `None` prints that.
fn add(
    global: &Global,
    opened: &Opened,
    name: &ClientName,
    declared: &DesiredClient,
    out: Option<&Path>,
) -> Result<(), Failure> {
    let mut is_printed = false;
    let added = keys::add(opened, name, declared, |private, files| match out {
        Some(out) if declare::is_yaml(out) => Err(Failure::Usage(format!(
            "{} would be read as declarations: name a file that is no YAML",
            shown(out)
        ))),
        Some(out) => files.create_private(out, private),
        None => {
            print_private(private)?;
            is_printed = true;
            Ok(())
        }
    });
    let Added { kid, files, others } = added.map_err(|failure| match is_printed {
        true => failure.and("The private key that was printed is of no use: throw it away."),
        false => failure,
    })?;
    log::report(
        global,
        &format!("made the key {kid} for the client '{}'", printable(name.as_str())),
    );
    for path in &files {
        log::wrote(global, Path::new(path));
    }
    if let Some(out) = out {
        log::report(global, &format!("wrote {} (private)", shown(out)));
        log::warn_of_git(global, out);
    }
    warn_of_others(global, &others, "declared there too");
    if declared.keys.is_none() {
        log::report(
            global,
            "warning: the client declared no keys so far; if it has some at DigDir, the next apply \
             takes them away. Its plan tells",
        );
    }
    Ok(())
}

/// Prints the only copy of a private key: a reader that has gone away is an error too.
fn print_private(private: &str) -> Result<(), Failure> {
    write_secret(private).map_err(|error| {
        Failure::Failed(format!("the private key cannot be printed, so none was made: {error}"))
    })
}

/// Tells in which other environments the client has keys from files that were written.
fn warn_of_others(global: &Global, others: &[String], what: &str) {
    if !others.is_empty() {
        log::report(
            global,
            &format!(
                "note: other environments read the same file ({}): the change is {what}",
                others.join(", ")
            ),
        );
    }
}
