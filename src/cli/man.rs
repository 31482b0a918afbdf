//! `portvakt man`.

use std::io;
use std::path::PathBuf;

use clap_mangen::Man;

use super::exit::{Exit, Failure};
use super::sink::print;
use crate::run::files::put;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder for the pages, one for each command [default: all on stdout]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Manual page of one command.
struct ManualPage {
    file: String,
    text: String,
}

/// Prints the manual page of the program and of each command, including subcommands, or writes them as files.
pub(super) fn run(command: clap::Command, args: &Args) -> Result<Exit, Failure> {
    let mut command = command.disable_help_subcommand(true);
    // Gives each command the options that all of them have.
    command.build();
    let pages = pages(&command)
        .map_err(|error| Failure::Failed(format!("the page could not be made: {error}")))?;
    match &args.out {
        Some(folder) => {
            for ManualPage { file, text } in &pages {
                put(&folder.join(file), text)?;
            }
        }
        None => {
            let all: String = pages.iter().map(|page| page.text.as_str()).collect();
            print(clap::ColorChoice::Never, &all)?;
        }
    }
    Ok(Exit::Done)
}

/// The page of a command, and those of its subcommands.
fn pages(command: &clap::Command) -> io::Result<Vec<ManualPage>> {
    let page = Man::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut all = vec![ManualPage { file: page.get_filename(), text }];
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        all.extend(pages(command)?);
    }
    Ok(all)
}
