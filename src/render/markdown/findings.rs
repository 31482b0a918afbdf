//! Findings as markdown, for the summary of a job.

use super::escape::Escape;
use super::page::{MarkdownPage, MarkdownTable, Rank};
use crate::declare::Diagnostic;
use crate::render::diagnostics::{sum, word};

/// Number of findings in the table: a summary on GitHub holds a MiB.
const MOST_ROWS: usize = 500;
/// Longest text in a cell, in characters.
const LONGEST_CELL: usize = 300;

/// Findings as a table, the worst first; the last line has the number of each severity.
pub fn findings(found: &[Diagnostic]) -> String {
    let escape = Escape { limit: LONGEST_CELL };
    let mut worst: Vec<&Diagnostic> = found.iter().collect();
    worst.sort_by_key(|found| found.severity);
    let row = |found: &&Diagnostic| {
        let place = format!("{}:{}:{}", found.file, found.line, found.column);
        [
            format!("{} {}", word(found.severity), found.code.code()),
            escape.code(&place),
            escape.code(&found.message),
            escape.optional(found.help.as_deref()),
        ]
    };
    let rows: Vec<_> = worst.iter().take(MOST_ROWS).map(row).collect();
    let mut page = MarkdownPage::default();
    page.text("## portvakt: findings");
    page.table(MarkdownTable::new(Rank::Change, ["Finding", "Place", "Message", "Help"], &rows));
    match found.len().saturating_sub(MOST_ROWS) {
        0 => page.text(sum(found)),
        more => page.text(format!("{more} more are in the log. {}", sum(found))),
    }
    page.whole()
}
