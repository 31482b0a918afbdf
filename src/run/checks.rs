//! Checks that keep a plan from being carried out.

use super::failure::Failure;
use super::past::GitPast;
use domain::text::printable;
use plan::Plan;
use plan::document::{PlanDocument, moved};

/// Refuses a commit that is not on the branch that is applied: it was not merged, and may not have been
/// reviewed. A commit that may have been overtaken could undo later ones.
pub(crate) fn branch(refusal: Option<&str>, overridden: Option<&str>) -> Result<(), Failure> {
    match (refusal, overridden) {
        (None, _) => Ok(()),
        (Some(why), Some(reason)) => {
            tracing::warn!("{}; applied all the same: {}", printable(why), printable(reason));
            Ok(())
        }
        (Some(why), None) => Err(Failure::Refused(format!(
            "nothing was changed: {why}\n--override-guards \"why\" applies it all the same"
        ))),
    }
}

/// Refuses a place that belongs to several folders: each would treat the other's entities as its own.
pub(crate) fn name(past: &GitPast) -> Result<(), Failure> {
    match &past.clash {
        Some(why) => Err(Failure::Refused(format!("nothing was changed: {}", printable(why)))),
        None => Ok(()),
    }
}

/// Refuses a commit that was overtaken: applying it would silently undo later ones.
pub(crate) fn order(past: &GitPast) -> Result<(), Failure> {
    match past.is_behind() {
        Some(notice) => Err(Failure::Refused(format!(
            "nothing was changed\n{}: {}",
            notice.code, notice.message
        ))),
        None => Ok(()),
    }
}

/// Refuses a saved plan that differs from the current one: it is carried out exactly as it was reviewed.
pub(crate) fn saved(saved: Option<&PlanDocument>, now: &PlanDocument) -> Result<(), Failure> {
    let Some(saved) = saved else { return Ok(()) };
    let mut why = moved(saved, now);
    if why.is_empty() {
        return Ok(());
    }
    let commit = |plan: &PlanDocument| plan.repository.as_ref().map(|own| own.commit.clone());
    if let (Some(planned), Some(here)) = (commit(saved), commit(now))
        && planned != here
    {
        why.push(format!("the plan was made at commit {planned}, and {here} is checked out"));
    }
    let why = why.join("\n");
    Err(Failure::Refused(format!(
        "the plan is stale: nothing was changed\n{why}\nMake a new plan, and have that reviewed"
    )))
}

/// The same for a plan of which only the digest is known.
pub(crate) fn expected(expected: Option<&str>, now: &PlanDocument) -> Result<(), Failure> {
    match expected {
        Some(expected) if expected != now.digest => Err(Failure::Refused(format!(
            "the plan is not the expected one: nothing was changed\nexpected {expected}\nthis is  \
             {}\nLook at the plan above, and have it reviewed anew",
            now.digest
        ))),
        _ => Ok(()),
    }
}

/// Refuses a plan that exceeds a limit of `guards`, unless a reason is given.
pub(crate) fn limits(plan: &Plan, overridden: Option<&str>) -> Result<(), Failure> {
    match (plan.exceeded_limits.as_slice(), overridden) {
        ([], _) => Ok(()),
        (limits, None) => {
            let messages: Vec<_> =
                limits.iter().map(|limit| format!("{}: {}", limit.code, limit.message)).collect();
            Err(Failure::Refused(format!("nothing was changed\n{}", messages.join("\n"))))
        }
        (_, Some(reason)) => {
            tracing::warn!("limits of guards lifted: {}", printable(reason));
            Ok(())
        }
    }
}
