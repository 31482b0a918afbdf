//! What became of a plan, as text.

use std::fmt::Write as _;

use super::text::{BAD, CAREFUL, HEADING};
use crate::apply::{Outcome, Report};
use crate::plan::Plan;
use crate::text::printable;

/// The report with ANSI colours: the sum, then each action that was not done and why.
pub fn report(plan: &Plan, report: &Report) -> String {
    let mut out = String::new();
    // Writing into a String does not fail.
    let _ = writeln!(
        out,
        "\n{HEADING}Applied to {}{HEADING:#}: {}.",
        printable(&plan.environment),
        sum(plan, report)
    );
    for (action, outcome) in plan.actions.iter().zip(&report.outcomes) {
        let id = action.id().to_string();
        let id = printable(&id);
        let _ = match outcome {
            Outcome::Done => Ok(()),
            Outcome::Failed(why) => {
                let written = writeln!(out, "  {BAD}failed{BAD:#}      {id}");
                for part in why.lines() {
                    let _ = writeln!(out, "      {}", printable(part));
                }
                written
            }
            Outcome::Skipped(cause) => {
                let cause = cause.to_string();
                writeln!(
                    out,
                    "  {CAREFUL}skipped{CAREFUL:#}     {id}\n      waits for: {}",
                    printable(&cause)
                )
            }
            Outcome::NotStarted => writeln!(out, "  {CAREFUL}not started{CAREFUL:#} {id}"),
        };
    }
    for blocked in &plan.blocked {
        let id = blocked.target.to_string();
        let _ = writeln!(
            out,
            "  {CAREFUL}blocked{CAREFUL:#}     {} ({})",
            printable(&id),
            blocked.code
        );
    }
    if let Some(why) = &report.unverified {
        let _ = writeln!(
            out,
            "  {BAD}unverified{BAD:#}: what was done could not be read again. Run plan to see how it stands"
        );
        for part in why.lines() {
            let _ = writeln!(out, "      {}", printable(part));
        }
    }
    out
}

fn sum(plan: &Plan, report: &Report) -> String {
    let count = |is_so: fn(&Outcome) -> bool| report.outcomes.iter().filter(|o| is_so(o)).count();
    let parts = [
        (count(|outcome| matches!(outcome, Outcome::Failed(_))), "failed"),
        (count(|outcome| matches!(outcome, Outcome::Skipped(_))), "skipped"),
        (count(|outcome| matches!(outcome, Outcome::NotStarted)), "not started"),
        (plan.blocked.len(), "blocked"),
    ];
    let mut sum = format!(
        "{} of {} done",
        count(|outcome| matches!(outcome, Outcome::Done)),
        plan.actions.len()
    );
    for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
        let _ = write!(sum, ", {count} {what}");
    }
    sum
}
