//! The summary of a plan before the question for approval: what a person must have seen is shown last.

use super::sections::{Section, group_changes, sections};
use super::text::{HEADING, LATER, action_line, group_line, later_line, line, totals};
use plan::document::PlanDocument;

/// Largest number of lines of a section: the plan above has all.
const LISTED: usize = 10;

/// The sums of a plan, and its actions that take access away, open something or give access.
pub fn approval(plan: &PlanDocument) -> String {
    let mut out = String::new();
    line(&mut out, format_args!("\n{HEADING}To approve{HEADING:#}: {}", totals(plan)));
    for (section, actions) in sections(&plan.actions.iter().collect::<Vec<_>>()) {
        if section == Section::Rest {
            continue;
        }
        let heading = section.heading();
        line(&mut out, format_args!("{HEADING}{heading}{HEADING:#}: {}", actions.len()));
        for change in group_changes(&actions).iter().take(LISTED) {
            group_line(&mut out, change);
        }
        for action in actions.iter().take(LISTED) {
            action_line(&mut out, action);
        }
        more_line(&mut out, actions.len());
    }
    if !plan.scheduled.is_empty() {
        line(&mut out, format_args!("{HEADING}{LATER}{HEADING:#}: {}", plan.scheduled.len()));
        for change in plan.scheduled.iter().take(LISTED) {
            later_line(&mut out, change);
        }
        more_line(&mut out, plan.scheduled.len());
    }
    out
}

/// The number of lines that are not listed, if there are any.
fn more_line(out: &mut String, all: usize) {
    if all > LISTED {
        line(out, format_args!("  and {} more, listed above", all - LISTED));
    }
}
