//! The summary of a plan before the question for approval: what a person must have seen is shown last.

use super::sections::{BLOCKED, Section, group_changes, sections};
use super::text::{HEADING, LATER, TAKE_OVER, action_line, group_line, later_line, line, totals};
use plan::document::PlanDocument;

/// Largest number of lines of a section: the plan above has all.
const LISTED: usize = 10;

/// The sums of a plan, and its actions that take access away, open something or give access.
pub fn approval(plan: &PlanDocument) -> String {
    let mut out = String::new();
    line(&mut out, format_args!("\n{HEADING}To approve{HEADING:#}: {}", totals(plan)));
    for (section, actions) in sections(&plan.actions.iter().collect::<Vec<_>>()) {
        let heading = match section {
            Section::Blocked => BLOCKED,
            Section::TakeOver => TAKE_OVER,
            Section::Delicate => "Takes access away or opens up",
            Section::Gives => "Gives access",
            Section::Rest => continue,
        };
        line(&mut out, format_args!("{HEADING}{heading}{HEADING:#}: {}", actions.len()));
        for change in group_changes(&actions).iter().take(LISTED) {
            group_line(&mut out, change);
        }
        for action in actions.iter().take(LISTED) {
            action_line(&mut out, action);
        }
        if let Some(more) = actions.len().checked_sub(LISTED).filter(|more| *more > 0) {
            line(&mut out, format_args!("  and {more} more, listed above"));
        }
    }
    if !plan.scheduled.is_empty() {
        line(&mut out, format_args!("{HEADING}{LATER}{HEADING:#}: {}", plan.scheduled.len()));
        for change in plan.scheduled.iter().take(LISTED) {
            later_line(&mut out, change);
        }
        if let Some(more) = plan.scheduled.len().checked_sub(LISTED).filter(|more| *more > 0) {
            line(&mut out, format_args!("  and {more} more, listed above"));
        }
    }
    out
}
