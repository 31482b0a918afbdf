//! A report as markdown.

use super::escape::Escape;
use super::page::{MarkdownPage, MarkdownTable, Rank};
use crate::render::report::sum;
use plan::document::{ActionOutcome, BlockedDocument, ReportDocument, ReportedAction};

/// A report as markdown, at most 60,000 characters: the summary, then each action that was not done, with the
/// reason.
pub fn report(report: &ReportDocument) -> String {
    MarkdownPage::fitted(|escape| page(report, escape))
}

fn page(report: &ReportDocument, escape: Escape) -> MarkdownPage {
    let mut page = MarkdownPage::default();
    page.text(format!("## portvakt: applied to {}", escape.code(&report.environment)));
    page.text(format!("**{}.**", sum(report)));
    let (who, place) = (escape.code(&report.who), escape.code(&report.place));
    let commit = report.commit.as_deref().map(|commit| format!(", commit {}", escape.code(commit)));
    page.text(format!("by {who} at {place}{}", commit.unwrap_or_default()));
    if let Some(why) = &report.override_guards {
        page.text(format!("Limits of guards lifted: {}", escape.code(why)));
    }
    if let Some(why) = &report.unverified {
        page.text(format!("**Unverified:** {}", escape.code(why)));
    }
    page.cut_here();
    let left = report.actions.iter().filter(|reported| reported.outcome != ActionOutcome::Done);
    let failed = left.map(|ReportedAction { action, outcome, message, may_be_done: _ }| {
        let why = escape.optional(message.as_deref());
        [outcome.as_str().to_owned(), escape.code(&action.id), why]
    });
    let blocked = report.blocked.iter().map(|BlockedDocument { target, code, message }| {
        ["blocked".to_owned(), escape.code(target), escape.code(&format!("{code}: {message}"))]
    });
    let rows: Vec<_> = failed.chain(blocked).collect();
    page.table(MarkdownTable::new(Rank::Delicate, ["Outcome", "Action", "Why"], &rows));
    page
}
