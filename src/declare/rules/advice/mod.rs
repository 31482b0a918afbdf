//! What is allowed but hardly meant, in one environment, and what only shows there.

mod clients;
mod consumers;
mod naming;
mod policies;
mod scopes;

use jiff::civil::Date;

use crate::declare::diagnostic::Diagnostic;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::files::about;
use crate::declare::files::index::SETTINGS_FILE;
use crate::declare::resolve::here::Here;

/// How much is said of a repository; far more than anybody reads. Two hundred rules can each be
/// broken by every scope, in each of 64 environments.
pub(crate) const MOST_FOUND: usize = 10_000;

/// That there is more to be said than is said.
pub(crate) fn too_much() -> Diagnostic {
    let message = format!("more than {MOST_FOUND} findings; not all of them are shown");
    let help = "fix what most of them are about, or let the rules of portvakt.yaml count for \
                fewer `environments` and `teams`";
    about(SETTINGS_FILE, Rule::TooMuch, &message, help)
}

/// Everything that is said of one environment's declarations.
pub(crate) fn find(here: &Here<'_>, today: Date) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    scopes::find(here, &mut found);
    clients::find(here, today, &mut found);
    consumers::find(here, today, &mut found);
    naming::find(here, &mut found);
    policies::find(here, &mut found);
    found
}
