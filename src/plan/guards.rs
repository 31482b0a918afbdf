//! The limits that stop an apply.

use super::{Action, Code, Notice, Verb, count};
use crate::domain::{AccessState, Desired, Guards, Live, LiveScope};
use crate::text::counted;

/// The limits that these actions pass, each with the numbers and the way out.
pub(super) fn passed_limits(desired: &Desired, live: &Live, actions: &[Action]) -> Vec<Notice> {
    let of = |verb| count(actions, verb) as u64;
    let Guards { max_deactivations, max_revocations, max_changed_percent, protect: _ } =
        &desired.guards;
    let deactivations = of(Verb::Deactivate);
    let revocations = of(Verb::Revoke);
    let mut passed = Vec::new();
    if deactivations > *max_deactivations {
        let what = format!("{} would be deactivated", counted(deactivations, "scope", "s"));
        let limit = max_deactivations.to_string();
        passed.push(notice(Code::TooManyDeactivations, "max_deactivations", &what, &limit));
    }
    if revocations > *max_revocations {
        let what = format!("{} would be revoked", counted(revocations, "access", "es"));
        let limit = max_revocations.to_string();
        passed.push(notice(Code::TooManyRevocations, "max_revocations", &what, &limit));
    }
    let reopened: usize = actions.iter().map(|action| action.regains().len()).sum();
    let changed =
        deactivations + revocations + of(Verb::Update) + of(Verb::Reactivate) + reopened as u64;
    let total = managed(desired, live);
    if let Some(percent) = *max_changed_percent
        && changed * 100 > total * u64::from(percent)
    {
        let share = (changed * 100).checked_div(total).unwrap_or(100);
        let what =
            format!("{changed} of {total} live scopes and accesses ({share} %) would be changed");
        let limit = format!("{percent} %");
        passed.push(notice(Code::TooMuchChanged, "max_changed_percent", &what, &limit));
    }
    passed
}

/// What is passed, the numbers, and the way out.
fn notice(code: Code, key: &str, what: &str, limit: &str) -> Notice {
    Notice {
        code,
        target: format!("guards.{key}"),
        message: format!(
            "{what}; guards.{key} in portvakt.yaml allows {limit}. Split the change, raise the \
             limit in a change of its own, or apply with --override-guards \"why\""
        ),
    }
}

/// How many live scopes and granted accesses the repository speaks of.
fn managed(desired: &Desired, live: &Live) -> u64 {
    let named = desired.scopes.keys().chain(desired.removed.keys());
    named.filter_map(|name| live.scopes.get(name)).map(|scope| 1 + granted(scope)).sum()
}

fn granted(scope: &LiveScope) -> u64 {
    let accesses = scope.accesses.iter().flatten();
    accesses.filter(|(_, access)| access.state == AccessState::Approved).count() as u64
}
