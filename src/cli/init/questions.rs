//! Questions of `init` on a terminal, where no flag says it.

use std::io::{BufRead as _, IsTerminal as _};

use clap::ValueEnum as _;

use super::ci::CiHost;
use crate::cli::exit::Failure;
use crate::cli::sink;
use domain::Orgno;
use domain::text::printable;

/// Facts about a new repository, as far as they are known.
pub(super) struct InitAnswers {
    pub(super) orgno: Option<Orgno>,
    pub(super) prefix: Option<String>,
    pub(super) ci: Option<CiHost>,
}

/// The flags and, on a terminal where no flag is given, the answers of the user. An empty answer leaves it
/// open.
pub(super) fn answers(flags: InitAnswers) -> Result<InitAnswers, Failure> {
    let InitAnswers { orgno, prefix, ci } = flags;
    let is_silent = orgno.is_none() && prefix.is_none() && ci.is_none();
    if !is_silent || !std::io::stdin().is_terminal() || !sink::is_on_terminal() {
        return Ok(InitAnswers { orgno, prefix, ci });
    }
    sink::report("An empty answer leaves it open.\n");
    Ok(InitAnswers {
        orgno: ask("Number of the organisation that owns the scopes: ", |text| {
            text.parse::<Orgno>().map_err(|error| error.to_string())
        })?,
        prefix: ask("Prefix that DigDir has assigned to it: ", |text| {
            super::prefix(text).map_err(str::to_owned)
        })?,
        ci: ask("Files of a CI host (github, gitlab or azure): ", |text| {
            CiHost::from_str(text, true).map_err(|_| "it is github, gitlab or azure".to_owned())
        })?,
    })
}

/// Asks until the answer is valid or empty.
fn ask<T>(question: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, Failure> {
    loop {
        sink::report(question);
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        let length =
            read.map_err(|error| Failure::Failed(format!("the answer cannot be read: {error}")))?;
        match (length, answer.trim()) {
            (0, _) | (_, "") => return Ok(None),
            (_, answer) => match parse(answer) {
                Ok(value) => return Ok(Some(value)),
                Err(why) => sink::report(&format!("{}\n", printable(&why))),
            },
        }
    }
}
