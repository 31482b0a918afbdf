//! What is allowed but hardly meant, in one environment, and what only shows there.

mod consumers;
mod naming;
mod policies;
mod scopes;

use jiff::civil::Date;

use super::diagnostic::Diagnostic;
use super::here::Here;

/// Everything that is said of one environment's declarations.
pub(super) fn find(here: &Here<'_>, today: Date) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    scopes::find(here, &mut found);
    consumers::find(here, today, &mut found);
    naming::find(here, &mut found);
    policies::find(here, &mut found);
    found
}
