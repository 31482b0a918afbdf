//! Checks whether the effect of an action is live.

use std::collections::{BTreeSet, HashMap};

use digdir::{Error, Reader};
use domain::text::listed;
use domain::{
    AccessState, ClientId, ClientName, Live, LiveClient, LiveKey, LiveScope, Orgno, PublicKey,
    Representation, ScopeName,
};
use plan::{
    AccessWork, Action, ClientWork, ClientWrite, EntryWork, KeysWork, ScopeWork, Work, Write,
};

/// The difference between the live state and the effect of the action; `None` where there is none. For
/// actions whose call is safe to repeat.
pub(super) async fn read(action: &Action, reader: &Reader) -> Result<Option<String>, Error> {
    match &action.work {
        Work::Scope(scope, _) | Work::Access(scope, ..) => {
            let live = reader.scope_with_accesses(scope).await?;
            Ok(of_scope(action, live.as_ref()))
        }
        Work::Client(..) | Work::Keys(..) => match action.client_id() {
            Some(id) => Ok(of_client(action, reader.client_with_parts(id).await?.as_ref())),
            None => Ok(Some("the client is not there".to_owned())),
        },
    }
}

/// The same, given the whole live state; also accesses that are neither declared nor `revoked`.
pub(super) fn difference(
    action: &Action,
    live: &Live,
    made: &HashMap<ClientName, ClientId>,
    revoked: &BTreeSet<(&ScopeName, Orgno)>,
) -> Option<String> {
    if let Some(scope) = action.scope() {
        let live = live.scopes.get(scope);
        return of_scope(action, live).or_else(|| surprise(action, live, revoked));
    }
    of_client(action, client_id(action, made).and_then(|id| live.clients.get(id)))
}

/// The id of the client that an action concerns, including one that was created.
pub(super) fn client_id<'a>(
    action: &'a Action,
    made: &'a HashMap<ClientName, ClientId>,
) -> Option<&'a ClientId> {
    action.client_id().or_else(|| made.get(action.client()?))
}

fn of_scope(action: &Action, live: Option<&LiveScope>) -> Option<String> {
    match &action.work {
        Work::Scope(_, work) => match work {
            ScopeWork::Create(write)
            | ScopeWork::Update(write)
            | ScopeWork::Reactivate { write, .. } => match live {
                None => Some("the scope does not exist".to_owned()),
                Some(live) => attributes(write, live.active, &live.representation),
            },
            ScopeWork::Release => None,
            ScopeWork::Deactivate { .. } => {
                live.is_some_and(|live| live.active).then(|| "the scope is still active".to_owned())
            }
        },
        Work::Access(_, consumer, AccessWork::Grant { .. }) => {
            let state = state(consumer.orgno, live);
            (state != Some(&AccessState::Approved)).then(|| {
                let state = state.map_or("none", AccessState::as_str);
                format!("{} has no access (state: {state})", consumer.orgno)
            })
        }
        Work::Access(_, consumer, AccessWork::Revoke { .. }) => {
            let is_approved = state(consumer.orgno, live) == Some(&AccessState::Approved);
            is_approved.then(|| format!("{} still has access", consumer.orgno))
        }
        Work::Client(..) | Work::Keys(..) => None,
    }
}

fn of_client(action: &Action, live: Option<&LiveClient>) -> Option<String> {
    let Some(live) = live else {
        return Some("the client does not exist".to_owned());
    };
    match &action.work {
        Work::Client(_, work) => match work {
            ClientWork::Create(_, write) | ClientWork::Update(_, write) => client(write, live),
            ClientWork::Reactivate { id: _, write, keys, declared } => {
                client(write, live).or_else(|| strange_keys(live, keys, declared))
            }
            ClientWork::Release(_) => None,
            ClientWork::Deactivate(_) => {
                live.active.then(|| "the client is still active".to_owned())
            }
        },
        Work::Keys(_, work) => keys(work, live.keys.as_deref().unwrap_or_default()),
        Work::Scope(..) | Work::Access(..) => None,
    }
}

/// Consumers with access to a reactivated scope that are not declared. Whether a revocation took effect is
/// left to its own action.
fn surprise(
    action: &Action,
    live: Option<&LiveScope>,
    revoked: &BTreeSet<(&ScopeName, Orgno)>,
) -> Option<String> {
    let Work::Scope(scope, ScopeWork::Reactivate { entitled, .. }) = &action.work else {
        return None;
    };
    let approved = live?.in_state(AccessState::Approved).map(|(orgno, _)| orgno);
    let is_strange =
        |orgno: &Orgno| !entitled.contains(orgno) && !revoked.contains(&(scope, *orgno));
    some_listed(approved.filter(is_strange))
        .map(|all| format!("these have access and are not declared: {all}. Run apply again"))
}

/// These as a list; `None` if there are none.
fn some_listed(items: impl Iterator<Item: ToString>) -> Option<String> {
    let mut items = items.peekable();
    items.peek().is_some().then(|| listed(items))
}

/// The keys of a reactivated client that it neither had before nor are declared.
fn strange_keys(live: &LiveClient, kept: &[LiveKey], declared: &[PublicKey]) -> Option<String> {
    let is_known = |key: &&LiveKey| {
        let was_kept = |kept: &LiveKey| kept.kid == key.kid && kept.modulus == key.modulus;
        kept.iter().any(was_kept) || declared.iter().any(|declared| key.is(declared))
    };
    let strange = live.keys.iter().flatten().filter(|key| !is_known(key));
    some_listed(strange.map(|key| &key.kid))
        .map(|kids| format!("these keys are live and were not in the plan: {kids}"))
}

/// The difference between an entity and what was written to it.
pub(super) fn attributes(write: &Write, active: bool, live: &Representation) -> Option<String> {
    if !active {
        return Some("it is inactive".to_owned());
    }
    let left = write.left(live).into_iter();
    let differing: Vec<_> = left
        .map(|change| format!("{} is {}, not {}", change.field, change.before, change.after))
        .collect();
    (!differing.is_empty()).then(|| differing.join("; "))
}

fn client(write: &ClientWrite, live: &LiveClient) -> Option<String> {
    attributes(&write.attributes, live.active, &live.representation).or_else(|| {
        let entries = live.on_behalf_of.as_ref()?;
        write.on_behalf_of.as_ref()?.work(entries).first().map(entry)
    })
}

/// The missing effect of an entry that is still to be written.
pub(super) fn entry(work: &EntryWork) -> String {
    match work {
        EntryWork::Add(body) => {
            let id = body.get("onbehalfof").and_then(|id| id.as_str()).unwrap_or_default();
            format!("onbehalfof {id} is missing")
        }
        EntryWork::Replace(id, _) => format!("onbehalfof {id} differs"),
        EntryWork::Remove(id) => format!("onbehalfof {id} is still there"),
    }
}

/// The difference between the registered and the wanted keys.
pub(super) fn keys(work: &KeysWork, live: &[LiveKey]) -> Option<String> {
    let wanted = work.wanted.iter();
    let missing = wanted.filter(|key| !live.iter().any(|live| live.is(key))).map(|key| &key.kid);
    let others = live.iter().filter(|live| !work.wanted.iter().any(|key| live.is(key)));
    let parts = [
        some_listed(missing).map(|kids| format!("keys that are missing: {kids}")),
        some_listed(others.map(|key| &key.kid))
            .map(|kids| format!("keys that are not wanted: {kids}")),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The state of a consumer's access to a scope; `None` where there is none.
pub(super) fn state(consumer: Orgno, live: Option<&LiveScope>) -> Option<&AccessState> {
    Some(&live?.access(consumer)?.state)
}
