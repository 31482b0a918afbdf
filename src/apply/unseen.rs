//! Detection of writes that are not visible yet, as opposed to other changes.

use std::collections::HashMap;

use super::verify::{client_id, state};
use domain::{AccessState, ClientId, ClientName, Live, LiveClient, LiveScope, Representation};
use plan::{
    AccessWork, Action, ClientWork, ClientWrite, KeysWork, OnBehalfOfWrite, ScopeWork, Work, Write,
};

/// Whether a live state other than the wanted one may be the state before the action, in whole or in part:
/// then DigDir may not show the action yet. Any other state was made by somebody else, or by DigDir.
pub(super) fn is_unseen(
    action: &Action,
    live: &Live,
    made: &HashMap<ClientName, ClientId>,
) -> bool {
    let client = || client_id(action, made).and_then(|id| live.clients.get(id));
    match &action.work {
        Work::Scope(name, work) => of_scope(work, live.scopes.get(name)),
        Work::Access(name, consumer, work) => {
            let state = state(consumer.orgno, live.scopes.get(name));
            match work {
                AccessWork::Grant { before } => state.is_none() || state == before.as_ref(),
                AccessWork::Revoke { .. } => state == Some(&AccessState::Approved),
            }
        }
        Work::Client(_, work) => of_client(work, client()),
        Work::Keys(_, work) => of_keys(work, client()),
    }
}

fn of_scope(work: &ScopeWork, live: Option<&LiveScope>) -> bool {
    let Some(live) = live else { return matches!(work, ScopeWork::Create(_)) };
    match work {
        ScopeWork::Create(_) | ScopeWork::Release => false,
        ScopeWork::Update(write) => live.active && is_left(write, &live.representation),
        ScopeWork::Reactivate { write, .. } => is_opened(write, live.active, &live.representation),
        ScopeWork::Deactivate { .. } => live.active,
    }
}

fn of_client(work: &ClientWork, live: Option<&LiveClient>) -> bool {
    let Some(live) = live else { return matches!(work, ClientWork::Create(..)) };
    let representation = &live.representation;
    match work {
        ClientWork::Create(_, write) => {
            let same = write.attributes.left(representation).is_empty();
            live.active && same && are_left(write, live)
        }
        ClientWork::Update(_, write) => {
            live.active && is_left(&write.attributes, representation) && are_left(write, live)
        }
        ClientWork::Reactivate { write, .. } => {
            is_opened(&write.attributes, live.active, representation) && are_left(write, live)
        }
        ClientWork::Deactivate(_) => live.active,
        ClientWork::Release(_) => false,
    }
}

fn of_keys(work: &KeysWork, live: Option<&LiveClient>) -> bool {
    let Some(live) = live else { return work.id.is_none() };
    let now = KeysWork { before: live.keys.clone().unwrap_or_default(), ..work.clone() };
    now.changes() == work.changes()
}

/// Whether each differing field was written, and has its value from before.
fn is_left(write: &Write, live: &Representation) -> bool {
    write.left(live).iter().all(|change| write.changes.contains(change))
}

/// The same for an inactive entity. One without a differing field, and active, differs in another respect.
fn is_opened(write: &Write, is_active: bool, live: &Representation) -> bool {
    is_left(write, live) && !(is_active && write.left(live).is_empty())
}

/// Whether each differing entry was to be written, and has its value from before.
fn are_left(write: &ClientWrite, live: &LiveClient) -> bool {
    let left = |write: &OnBehalfOfWrite| {
        let planned = write.work(&write.before);
        let now = live.on_behalf_of.as_ref().unwrap_or(&write.before);
        write.work(now).iter().all(|work| planned.contains(work))
    };
    write.on_behalf_of.as_ref().is_none_or(left)
}
