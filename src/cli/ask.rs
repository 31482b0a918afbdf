//! A question on the terminal.

use std::io::{BufRead as _, IsTerminal as _};

use super::exit::Failure;
use super::sink;
use domain::text::printable;

/// Asks; anything but 'yes' refuses. Without a terminal it fails, and `instead` names the option for jobs.
pub(super) async fn yes(question: &str, alternative: &str) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Refused(alternative.to_owned()));
    }
    sink::report(&format!("\n{}", printable(question)));
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    match answer.await {
        Ok(Ok(answer)) if answer.trim() == "yes" => Ok(()),
        _ => Err(Failure::Refused("not approved: nothing was changed".to_owned())),
    }
}
