//! Declarations of other places in the git repository for the same API and organisation: their entities are
//! managed there, and not deactivated here.

use std::collections::BTreeMap;

use super::{
    Action, ActionId, ClientWork, Code, Draft, Mismatch, Notice, ScopeWork, Work, live_client,
};
use domain::text::listed_up_to;
use domain::{
    Beside, ClientId, CommitId, DesiredClient, Live, ProtectedBy, Protection, Removal,
    RemovalAction, ScopeName, Source,
};

/// Another place, and the protection by its declarations and by those that were applied there.
pub(super) struct Other<'a> {
    beside: &'a Beside,
    protection: Protection,
    applied: Option<Protection>,
}

/// All other places.
pub(super) struct Others<'a> {
    all: Vec<Other<'a>>,
    /// The index of the place that declares a live client.
    clients: BTreeMap<&'a ClientId, usize>,
}

impl Other<'_> {
    /// Whether an apply is recorded there.
    pub(super) fn is_applied(&self) -> bool {
        self.beside.is_applied
    }

    /// Reason why an entity is left to it.
    pub(super) fn declares_it(&self) -> String {
        format!(
            "{} declares it: remove it there first, or leave it to that place",
            self.beside.place
        )
    }

    /// Reason why a scope that it declares is not live.
    pub(super) fn makes_it(&self) -> String {
        format!("{} declares it, and must be applied first", self.beside.place)
    }

    /// Whether it protects an entity, and has applied that.
    pub(super) fn protects(&self, by: impl Fn(&Protection) -> Option<ProtectedBy>) -> bool {
        let applied = self.applied.as_ref();
        by(&self.protection).is_some() && applied.is_some_and(|applied| by(applied).is_some())
    }
}

/// The live clients that may match a declared one, also where the match is ambiguous.
fn could_be<'l>(client: &'l DesiredClient, live: &'l Live) -> Vec<&'l ClientId> {
    let ids = match live_client(client, live) {
        Ok(found) => return found.map(|(id, _)| id).into_iter().collect(),
        Err(Mismatch::Several(ids) | Mismatch::SeveralOwned(ids)) => ids,
        Err(
            Mismatch::NoSuchId(id)
            | Mismatch::OtherName { id, .. }
            | Mismatch::OtherType { id, .. },
        ) => vec![id],
    };
    ids.iter().filter_map(|id| live.clients.get_key_value(id)).map(|(id, _)| id).collect()
}

impl<'a> Others<'a> {
    pub(super) fn of(beside: &'a [Beside], live: &'a Live) -> Self {
        let of_other = |(index, Beside { desired, .. }): (usize, &'a Beside)| {
            let found = desired.clients.values().flat_map(|client| could_be(client, live));
            found.map(move |id| (id, index)).collect::<Vec<_>>()
        };
        let all = beside.iter().map(|beside| Other {
            beside,
            protection: Protection::of(&beside.desired),
            applied: beside.applied.as_ref().map(Protection::of),
        });
        // A place with a recorded apply takes precedence.
        let mut clients: Vec<_> = beside.iter().enumerate().flat_map(of_other).collect();
        clients.sort_by_key(|(_, index)| beside.get(*index).is_some_and(|it| it.is_applied));
        Self { all: all.collect(), clients: clients.into_iter().collect() }
    }

    /// The other place that declares a scope, if any; one with a recorded apply takes precedence.
    pub(super) fn of_scope(&self, name: &ScopeName) -> Option<&Other<'a>> {
        let declares = |other: &&Other<'_>| other.beside.desired.scopes.contains_key(name);
        let mut all = self.all.iter().filter(declares);
        all.clone().find(|other| other.is_applied()).or_else(|| all.next())
    }

    /// The other place that declares a live client, if one does.
    pub(super) fn of_client(&self, id: &ClientId) -> Option<&Other<'a>> {
        self.clients.get(id).and_then(|index| self.all.get(*index))
    }

    /// Whether another place declares a client of that name.
    pub(super) fn declare_client(&self, name: &str) -> bool {
        let mut declared = self.all.iter().flat_map(|other| other.beside.desired.clients.keys());
        declared.any(|it| it.as_str() == name)
    }
}

/// Removal of an entity that was declared here and is now declared elsewhere.
pub(super) fn handed_over(commit: &CommitId, source: &Source, other: &Other<'_>) -> Removal {
    let Beside { place, is_applied, .. } = other.beside;
    Removal {
        action: RemovalAction::Release,
        reason: Some(match is_applied {
            true => format!("declared by {place} now"),
            false => format!("declared by {place} now, where nothing was applied yet"),
        }),
        source: source.as_of(commit),
    }
}

impl<'a> Draft<'a> {
    /// The place to which an action is left: it has a recorded apply, and declares what was never applied
    /// here.
    pub(super) fn of_another(&self, action: &Action) -> Option<&'a Other<'a>> {
        let others: &'a Others<'a> = self.others;
        let other = match &action.work {
            Work::Scope(_, ScopeWork::Create(_) | ScopeWork::Release) => None,
            Work::Scope(name, _) | Work::Access(name, ..) => {
                let is_new = self.scope_before(name).is_none();
                let is_theirs = is_new && self.live.scopes.contains_key(name);
                is_theirs.then(|| others.of_scope(name)).flatten()
            }
            Work::Client(_, ClientWork::Create(..) | ClientWork::Release(_)) => None,
            Work::Client(name, _) | Work::Keys(name, _) => {
                let id = action.client_id().filter(|_| self.client_before(name).is_none());
                id.and_then(|id| others.of_client(id))
            }
        };
        other.filter(|other| other.is_applied())
    }

    /// Blocks the deactivation of an entity that was never applied here, or is no longer declared here, where
    /// another place declares it or may do so. Returns whether it is blocked.
    pub(super) fn blocked_beside(&mut self, target: ActionId, other: Option<&Other<'_>>) -> bool {
        let message = match (other, &self.past.unread) {
            (Some(other), _) => other.declares_it(),
            (None, Some(why)) => format!(
                "{why}. That folder may declare it. Correct the declarations there first, or apply with \
                 --override-guards \"why\""
            ),
            (None, None) => return false,
        };
        self.block(target, Code::DeclaredBeside, message);
        true
    }

    /// Whether an entity must stay managed here instead of being released, perhaps to a place that declares it: it is
    /// protected here and not there. What another place protects too waits for the apply of that. If so, the plan
    /// shows the action as blocked.
    pub(super) fn must_stay_here(
        &mut self,
        target: ActionId,
        other: Option<&Other<'_>>,
        by: impl Fn(&Protection) -> Option<ProtectedBy>,
    ) -> bool {
        if other.is_some_and(|other| other.protects(&by)) {
            return false;
        }
        let mut protected = self.past.protected.iter();
        match other.filter(|other| by(&other.protection).is_some()) {
            Some(other) if protected.any(|it| by(&it.protection).is_some()) => {
                let place = &other.beside.place;
                let message =
                    format!("it is protected here, and will be by {place}: apply that first");
                self.block(target, Code::DeclaredBeside, message);
                true
            }
            Some(_) | None => self.must_stay(target, by),
        }
    }

    /// Reports entities that another place declares too: where the declarations differ, each apply undoes the
    /// other.
    pub(super) fn report_declared_twice(&mut self) {
        let (desired, live) = (self.desired, self.live);
        let clients =
            || desired.clients.values().filter_map(|client| live_client(client, live).ok()?);
        let twice = self.past.beside.iter().filter_map(|other| {
            let scopes = desired.scopes.keys().filter(|name| other.desired.scopes.contains_key(*name));
            let of_other = |id: &ClientId| {
                self.others.of_client(id).is_some_and(|it| it.beside.place == other.place)
            };
            let clients = clients().filter(|(id, _)| of_other(id)).map(|(_, client)| client.name.as_str());
            let names = listed_up_to(SHOWN, scopes.map(ScopeName::as_str).chain(clients));
            let message = format!(
                "declares {names} too: where the two differ, each apply undoes what the other's did. \
                 Declare it in one of them"
            );
            let target = other.place.clone();
            (!names.is_empty()).then_some(Notice { code: Code::DeclaredTwice, target, message })
        });
        self.notices.extend(twice);
    }
}

/// Largest number of names in a notice.
const SHOWN: usize = 5;
