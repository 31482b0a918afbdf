//! Who can reach what, as text, CSV and an HTML page.

mod csv;
mod html;
mod text;

pub use csv::csv;
pub use html::{WarnDays, html};
pub use text::{Grouping, text};

use super::text::QUIET;
use domain::text::printable;
use plan::document::{Access, SourceDocument};

/// `974761076 Skatteetaten`.
fn consumer(access: &Access) -> String {
    match &access.consumer_name {
        Some(name) => format!("{} {}", access.consumer, printable(name)),
        None => access.consumer.clone(),
    }
}

/// `  teams/arbeid/aareg.yaml:5`, or nothing.
fn place(source: Option<&SourceDocument>) -> String {
    let place = source.map(|SourceDocument { file, line, .. }| {
        format!("  {QUIET}{}:{line}{QUIET:#}", printable(file))
    });
    place.unwrap_or_default()
}
