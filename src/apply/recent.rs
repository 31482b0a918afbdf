//! Writes of recent applies, which DigDir may not show yet.

use std::collections::BTreeMap;

use jiff::civil::Date;

use domain::{AccessState, ClientId, ClientName, Desired, Live, Past, RemovalAction};
use plan::{Action, ActionId, Target, Verb, live_client};

/// A write of a recent apply.
#[derive(Debug, Clone, PartialEq)]
pub struct RecentWrite {
    /// Its action.
    pub id: ActionId,
    /// The id of the client, also of one that it made.
    pub client_id: Option<ClientId>,
    /// Its result, as far as known.
    pub ended: RecentEnd,
}

/// Known result of a write of a recent apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecentEnd {
    /// DigDir confirmed it, and showed it.
    Shown,
    /// DigDir confirmed it, and did not show it.
    Hidden,
    /// The answer was lost, or the apply was killed: it may have been done, in part or not at all.
    Unclear,
}

/// All recent writes, the newest last.
#[derive(Debug, Clone, Default)]
pub struct Recent(pub Vec<RecentWrite>);

/// Knowledge about a client that a recent apply was to create.
#[derive(Debug, PartialEq)]
pub(super) enum RecentClient<'a> {
    /// Nothing.
    None,
    /// The answer was lost, or the apply was killed: it may have been created.
    Perhaps,
    /// It was created, and has this id.
    Made(&'a ClientId),
}

impl RecentWrite {
    /// Whether DigDir confirmed it, even if a related call failed.
    pub fn is_done(&self) -> bool {
        match self.ended {
            RecentEnd::Shown | RecentEnd::Hidden => true,
            RecentEnd::Unclear => self.id.verb == Verb::Create && self.client_id.is_some(),
        }
    }

    /// Whether it activated, or may have activated, an entity that was inactive or absent.
    fn opens(&self) -> bool {
        matches!(self.id.verb, Verb::Create | Verb::Reactivate | Verb::Grant)
    }

    /// Whether it is visible, or without consequence because nobody has access to an inactive entity.
    fn is_shown(&self, past: &Past, live: &Live) -> bool {
        let is_seen = |active: bool| active || self.id.verb == Verb::Create;
        match &self.id.target {
            Target::Scope(name) => live.scopes.get(name).is_some_and(|scope| is_seen(scope.active)),
            Target::Access(name, consumer) => live.scopes.get(name).is_some_and(|scope| {
                let record = scope.access(*consumer);
                !scope.active || record.is_some_and(|it| it.state == AccessState::Approved)
            }),
            Target::Client(name) => match &self.client_id {
                Some(id) => live.clients.get(id).is_some_and(|client| is_seen(client.active)),
                None => is_live(name, past, live),
            },
            Target::Keys(_) => true,
        }
    }
}

impl Recent {
    fn of(&self, action: &Action) -> impl Iterator<Item = &RecentWrite> {
        let id = action.id();
        self.0.iter().rev().filter(move |write| write.id == id)
    }

    /// Entities that were activated, or may have been, that are not visible and are no longer declared
    /// active: a plan that is made now does not deactivate them, a later one does.
    pub fn hidden(
        &self,
        desired: &Desired,
        past: &Past,
        live: &Live,
        today: Date,
    ) -> Vec<&RecentWrite> {
        // Every later write has seen it, except a repeated attempt.
        let mut last: BTreeMap<&Target, &RecentWrite> = BTreeMap::new();
        for write in &self.0 {
            let before = last.entry(&write.id.target).or_insert(write);
            if !(before.id == write.id && before.is_done() && !write.is_done()) {
                *before = write;
            }
        }
        let is_hidden = |write: &&RecentWrite| {
            let target = &write.id.target;
            write.opens()
                && write.ended != RecentEnd::Shown
                && !is_declared(target, desired, today)
                && is_ours(target, desired, past)
                && !write.is_shown(past, live)
        };
        last.into_values().filter(is_hidden).collect()
    }

    /// Knowledge about the client that the action is to create.
    pub(super) fn client(&self, action: &Action) -> RecentClient<'_> {
        match self.of(action).find_map(|write| write.client_id.as_ref()) {
            Some(id) => RecentClient::Made(id),
            None if self.of(action).next().is_some() => RecentClient::Perhaps,
            None => RecentClient::None,
        }
    }
}

/// Whether the declarations want it active.
fn is_declared(target: &Target, desired: &Desired, today: Date) -> bool {
    match target {
        Target::Scope(name) => desired.scopes.get(name).is_some_and(|scope| scope.active),
        Target::Access(name, consumer) => desired.entry(name, *consumer, today).is_some(),
        Target::Client(name) | Target::Keys(name) => {
            desired.clients.get(name).is_some_and(|client| client.active)
        }
    }
}

/// Whether a plan deactivates it once it is visible: it is not managed by another place.
fn is_ours(target: &Target, desired: &Desired, past: &Past) -> bool {
    let entity = target.entity();
    let is_declared = desired.declares(&entity);
    if !is_declared && past.beside.iter().any(|beside| beside.desired.declares(&entity)) {
        return false;
    }
    match desired.removal(&entity) {
        Some(removal) => removal.action == RemovalAction::Deactivate,
        None => is_declared || past.before().is_some_and(|before| before.declares(&entity)),
    }
}

/// Whether a live client may be the one with that name.
fn is_live(name: &ClientName, past: &Past, live: &Live) -> bool {
    match past.before().and_then(|before| before.clients.get(name)) {
        Some(before) => live_client(before, live) != Ok(None),
        None => live.clients.values().any(|client| client.name == name.as_str()),
    }
}
