//! Likely mistakes in one environment, and errors that appear only there.

mod clients;
mod consumers;
mod naming;
mod policies;
mod scopes;
mod shares;

use jiff::civil::Date;

use crate::declare::diagnostic::Diagnostic;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::files::about;
use crate::declare::files::index::SETTINGS_FILE;
use crate::declare::resolve::here::Here;

/// Largest number of findings; far more than anybody reads. Two hundred rules can each be broken by every
/// scope, in each of 64 environments.
pub(crate) const MOST_FOUND: usize = 10_000;

/// The finding that there are more findings than are shown.
pub(crate) fn too_much() -> Diagnostic {
    let message = format!("more than {MOST_FOUND} findings; not all of them are shown");
    let help = "fix what most of them are about, or let the rules of portvakt.yaml count for \
                fewer `environments` and `teams`";
    about(SETTINGS_FILE, Rule::TooMuch, &message, help)
}

/// All findings about the declarations of one environment, which is among all of the repository's.
pub(crate) fn find(here: &Here<'_>, all: &[Here<'_>], today: Date) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    scopes::find(here, &mut found);
    clients::find(here, today, &mut found);
    consumers::find(here, all, today, &mut found);
    shares::find(here, today, &mut found);
    naming::find(here, &mut found);
    policies::find(here, &mut found);
    found
}
