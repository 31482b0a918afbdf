//! Checks whether the effect of an action is live.

use std::collections::{BTreeSet, HashMap};

use digdir::{Error, Reader};
use domain::{
    AccessState, ClientId, ClientName, Live, LiveClient, LiveKey, LiveScope, Orgno, PublicKey,
    Representation, ScopeName, changes,
};
use plan::{
    AccessWork, Action, ClientWork, ClientWrite, Consumer, EntryWork, KeysWork, ScopeWork, Work,
    Write,
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
            let state = state(consumer, live);
            (state != Some(&AccessState::Approved)).then(|| {
                let state = state.map_or("none", AccessState::as_str);
                format!("{} has no access (state: {state})", consumer.orgno)
            })
        }
        Work::Access(_, consumer, AccessWork::Revoke { .. }) => (state(consumer, live)
            == Some(&AccessState::Approved))
        .then(|| format!("{} still has access", consumer.orgno)),
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
    let accesses = live?.accesses.iter().flatten();
    let others: Vec<_> = accesses
        .filter(|(orgno, access)| {
            access.state == AccessState::Approved
                && !entitled.contains(orgno)
                && !revoked.contains(&(scope, **orgno))
        })
        .map(|(orgno, _)| orgno.as_str())
        .collect();
    (!others.is_empty()).then(|| {
        format!("these have access and are not declared: {}. Run apply again", others.join(", "))
    })
}

/// The keys of a reactivated client that it neither had before nor are declared.
fn strange_keys(live: &LiveClient, kept: &[LiveKey], declared: &[PublicKey]) -> Option<String> {
    let is_known = |key: &&LiveKey| {
        let was_kept = |kept: &LiveKey| kept.kid == key.kid && kept.modulus == key.modulus;
        kept.iter().any(was_kept) || declared.iter().any(|declared| key.is(declared))
    };
    let keys = live.keys.iter().flatten();
    let strange: Vec<&str> =
        keys.filter(|key| !is_known(key)).map(|key| key.kid.as_str()).collect();
    (!strange.is_empty())
        .then(|| format!("these keys are live and were not in the plan: {}", strange.join(", ")))
}

/// The difference between an entity and what was written to it.
pub(super) fn attributes(write: &Write, active: bool, live: &Representation) -> Option<String> {
    if !active {
        return Some("it is inactive".to_owned());
    }
    let differing: Vec<_> = changes(live, write.wanted.iter().cloned())
        .into_iter()
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
    let others: Vec<&str> = live
        .iter()
        .filter(|live| !work.wanted.iter().any(|key| live.is(key)))
        .map(|live| live.kid.as_str())
        .collect();
    let missing: Vec<&str> = work
        .wanted
        .iter()
        .filter(|key| !live.iter().any(|live| live.is(key)))
        .map(|key| key.kid.as_str())
        .collect();
    let message = |what: &str, kids: Vec<&str>| {
        (!kids.is_empty()).then(|| format!("{what}: {}", kids.join(", ")))
    };
    let parts =
        [message("keys that are missing", missing), message("keys that are not wanted", others)];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The state of a consumer's access to a scope; `None` where there is none.
pub(super) fn state<'a>(
    consumer: &Consumer,
    live: Option<&'a LiveScope>,
) -> Option<&'a AccessState> {
    let accesses = live?.accesses.as_ref()?;
    Some(&accesses.get(&consumer.orgno)?.state)
}
