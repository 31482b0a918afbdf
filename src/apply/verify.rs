//! Whether what an action was to bring about is so.

use crate::domain::{AccessState, LiveScope, changes};
use crate::plan::{Action, Consumer, ScopeWrite, Work};

/// How what is live differs from what the action was to bring about; `None` where it does not.
pub(super) fn difference(action: &Action, live: Option<&LiveScope>) -> Option<String> {
    match &action.work {
        Work::Create(write) | Work::Update(write) | Work::Reactivate { write, .. } => {
            scope_difference(write, live)
        }
        Work::Deactivate { .. } => {
            live.is_some_and(|live| live.active).then(|| "the scope is still active".to_owned())
        }
        Work::Grant { consumer, .. } => {
            let state = state(consumer, live);
            (state != Some(&AccessState::Approved)).then(|| {
                let state = state.map_or("none", AccessState::as_str);
                format!("{} has no access (state: {state})", consumer.orgno)
            })
        }
        Work::Revoke { consumer, .. } => (state(consumer, live) == Some(&AccessState::Approved))
            .then(|| format!("{} still has access", consumer.orgno)),
    }
}

/// Who has access to a scope that was opened again and should not: nobody but the declared may.
pub(super) fn surprise(action: &Action, live: Option<&LiveScope>) -> Option<String> {
    let Work::Reactivate { entitled, .. } = &action.work else { return None };
    let accesses = live?.accesses.iter().flatten();
    let others: Vec<_> = accesses
        .filter(|(orgno, access)| {
            access.state == AccessState::Approved && !entitled.contains(orgno)
        })
        .map(|(orgno, _)| orgno.as_str())
        .collect();
    (!others.is_empty()).then(|| {
        format!("these have access and are not declared: {}. Run apply again", others.join(", "))
    })
}

fn scope_difference(write: &ScopeWrite, live: Option<&LiveScope>) -> Option<String> {
    let Some(live) = live else {
        return Some("the scope does not exist".to_owned());
    };
    if !live.active {
        return Some("the scope is inactive".to_owned());
    }
    let differing: Vec<_> = changes(&live.representation, write.wanted.wanted())
        .into_iter()
        .map(|change| format!("{} is {}, not {}", change.field, change.before, change.after))
        .collect();
    (!differing.is_empty()).then(|| differing.join("; "))
}

fn state<'a>(consumer: &Consumer, live: Option<&'a LiveScope>) -> Option<&'a AccessState> {
    let accesses = live?.accesses.as_ref()?;
    Some(&accesses.get(&consumer.orgno)?.state)
}
