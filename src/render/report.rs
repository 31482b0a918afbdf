//! A report as text.

use std::fmt::Write as _;

use anstyle::Style;

use super::text::{BAD, CAREFUL, HEADING, line};
use domain::text::{counted, printable};
use plan::document::{ActionOutcome, BlockedDocument, ReportDocument, ReportedAction};

/// A report with ANSI colours: the summary, then each action that was not done, with the reason.
pub fn report(report: &ReportDocument) -> String {
    let mut out = String::new();
    let environment = printable(&report.environment);
    line(
        &mut out,
        format_args!("\n{HEADING}Applied to {environment}{HEADING:#}: {}.", sum(report)),
    );
    for ReportedAction { action, outcome, message, may_be_done: _ } in &report.actions {
        let Some(style) = outcome_style(*outcome) else { continue };
        let id = printable(&action.id);
        line(&mut out, format_args!("  {style}{:<11}{style:#} {id}", outcome.as_str()));
        for part in message.iter().flat_map(|message| message.lines()) {
            line(&mut out, format_args!("      {}", printable(part)));
        }
    }
    for BlockedDocument { target, code, message: _ } in &report.blocked {
        let (target, code) = (printable(target), printable(code));
        line(&mut out, format_args!("  {CAREFUL}{:<11}{CAREFUL:#} {target} ({code})", "blocked"));
    }
    if let Some(why) = &report.unverified {
        line(
            &mut out,
            format_args!(
                "  {BAD}unverified{BAD:#}: what was done could not be read again. Run `portvakt plan` to see its state"
            ),
        );
        for part in why.lines() {
            line(&mut out, format_args!("      {}", printable(part)));
        }
    }
    out
}

/// The number of changes on later days that an apply has accepted, as a sentence.
pub fn accepted(count: u64) -> String {
    let are = if count == 1 { "is" } else { "are" };
    format!("{} on later days {are} accepted.\n", counted(count, "change", "s"))
}

/// The style of the word for an outcome; `None` where it is not shown, as the action is done.
pub(super) fn outcome_style(outcome: ActionOutcome) -> Option<Style> {
    match outcome {
        ActionOutcome::Done => None,
        ActionOutcome::Failed => Some(BAD),
        ActionOutcome::DoneNotVisibleYet
        | ActionOutcome::Skipped
        | ActionOutcome::NotStarted
        | ActionOutcome::Unknown => Some(CAREFUL),
    }
}

/// `3 of 5 done, 1 failed, 1 blocked`.
pub(super) fn sum(report: &ReportDocument) -> String {
    let count = |outcome: ActionOutcome| {
        report.actions.iter().filter(|action| action.outcome == outcome).count()
    };
    let parts = [
        (count(ActionOutcome::Failed), "failed"),
        (count(ActionOutcome::Skipped), "skipped"),
        (count(ActionOutcome::NotStarted), "not started"),
        (count(ActionOutcome::Unknown), "unknown"),
        (report.blocked.len(), "blocked"),
    ];
    let unseen = count(ActionOutcome::DoneNotVisibleYet);
    let done = count(ActionOutcome::Done) + unseen;
    let mut sum = format!("{done} of {} done", report.actions.len());
    if unseen > 0 {
        let _ = write!(sum, " ({unseen} not visible yet)");
    }
    for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
        let _ = write!(sum, ", {count} {what}");
    }
    sum
}
