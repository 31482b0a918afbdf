//! A question on the terminal.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use super::exit::Failure;
use crate::text::printable;

/// Asks; anything but 'yes' refuses.
pub(super) async fn yes(question: &str) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        let why = "nobody is there to say yes: see --help for how a job says so";
        return Err(Failure::Refused(why.to_owned()));
    }
    eprint!("\n{}", printable(question));
    let answer = tokio::task::spawn_blocking(|| {
        std::io::stderr().flush()?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    match answer.await {
        Ok(Ok(answer)) if answer.trim() == "yes" => Ok(()),
        _ => Err(Failure::Refused("not approved: nothing was changed".to_owned())),
    }
}
