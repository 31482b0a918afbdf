//! Who can reach what, as text, CSV and an HTML page.

mod csv;
mod html;
mod text;

pub use csv::csv;
pub use html::{WarnDays, html};
pub use text::{Grouping, text};

use std::collections::BTreeMap;

use plan::document::{Access, AccessDocument, ReachableScope};

/// Each scope with the accesses to it.
fn by_scope(document: &AccessDocument) -> impl Iterator<Item = (&ReachableScope, Vec<&Access>)> {
    let mut accesses: BTreeMap<_, Vec<&Access>> = BTreeMap::new();
    for access in &document.accesses {
        accesses.entry((&access.environment, &access.scope)).or_default().push(access);
    }
    document.scopes.iter().map(move |scope| {
        let of_scope = accesses.remove(&(&scope.environment, &scope.scope));
        (scope, of_scope.unwrap_or_default())
    })
}
