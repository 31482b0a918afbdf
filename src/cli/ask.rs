//! A question on the terminal.

use std::io::{BufRead as _, IsTerminal as _};

use super::exit::Failure;
use super::sink;
use domain::text::printable;

/// Whether somebody is there to answer.
pub(super) fn is_possible() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks; anything but 'yes' refuses. Without a terminal it fails, and `alternative` names the option for jobs.
pub(super) async fn yes(question: &str, alternative: &str) -> Result<(), Failure> {
    if !is_possible() {
        return Err(Failure::Refused(alternative.to_owned()));
    }
    sink::report(&format!("\n{}", printable(question)));
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    match answer.await {
        Ok(Ok(answer)) if answer.trim() == "yes" => Ok(()),
        _ => Err(Failure::refused("not approved: nothing was changed")),
    }
}
