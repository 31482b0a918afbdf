//! What applies shortly before this one have written: DigDir may not show it yet.

use serde_json::Value;

use crate::domain::{ClientId, ClientName, Desired, ScopeName};
use crate::plan::{Action, Plan, Verb};

/// A write of an apply shortly before this one.
#[derive(Debug, Clone, PartialEq)]
pub struct RecentWrite {
    /// The id of its action.
    pub action: String,
    /// What the action did.
    pub verb: Verb,
    /// To which scope, if to one.
    pub scope: Option<String>,
    /// To which client, if to one.
    pub client: Option<String>,
    /// What differed, field by field: the field, what it was, and what it was to be.
    pub changes: Vec<(String, Value, Value)>,
    /// The id that DigDir has given the client that it made.
    pub client_id: Option<ClientId>,
    /// Whether DigDir said that it was done; else nobody knows.
    pub is_done: bool,
    /// Whether it was looked for, and not to be seen.
    pub is_unseen: bool,
}

/// All such writes, the newest last.
#[derive(Debug, Clone, Default)]
pub struct Recent(pub Vec<RecentWrite>);

/// What is known of a client that an apply shortly before this one was to make.
#[derive(Debug, PartialEq)]
pub(super) enum RecentClient<'a> {
    /// Nothing.
    None,
    /// The answer was lost, or the apply was killed: it may have been made.
    Perhaps,
    /// It was made, and has this id. `as_wanted` tells whether it was made as the action wants it.
    Made { id: &'a ClientId, as_wanted: bool },
}

impl Recent {
    fn of(&self, action: &Action) -> impl Iterator<Item = &RecentWrite> {
        let id = action.id().to_string();
        self.0.iter().rev().filter(move |write| write.action == id)
    }

    /// A scope or client that was opened and not to be seen, and is not declared any more, nor closed by
    /// this plan: as it is not shown, the plan knows nothing of it.
    pub fn hidden(&self, desired: &Desired, plan: &Plan) -> Option<&RecentWrite> {
        let opens = |write: &&RecentWrite| {
            write.is_unseen && matches!(write.verb, Verb::Create | Verb::Reactivate)
        };
        let is_known = |write: &RecentWrite| {
            let is_scope = |name: &ScopeName| write.scope.as_deref() == Some(name.as_str());
            let is_client = |name: &ClientName| write.client.as_deref() == Some(name.as_str());
            let is_planned = |action: &Action| {
                action.scope().is_some_and(is_scope) || action.client().is_some_and(is_client)
            };
            desired.scopes.keys().any(is_scope)
                || desired.clients.keys().any(is_client)
                || plan.actions.iter().any(is_planned)
        };
        self.0.iter().filter(opens).find(|write| !is_known(write))
    }

    /// Whether DigDir said lately that exactly this was done, and did not show it, and nothing else was
    /// done with its target since.
    pub(super) fn did(&self, action: &Action) -> bool {
        let id = action.id().to_string();
        let target = |id: &str| id.split_once(' ').map(|(_, target)| target.to_owned());
        let of_target = |write: &&RecentWrite| target(&write.action) == target(&id);
        let last = self.0.iter().rev().find(of_target);
        last.is_some_and(|last| {
            last.action == id && last.is_done && last.is_unseen && is_same(last, action)
        })
    }

    /// What is known of the client that the action is to make.
    pub(super) fn client(&self, action: &Action) -> RecentClient<'_> {
        let made = self.of(action).find_map(|write| Some((write, write.client_id.as_ref()?)));
        match made {
            Some((write, id)) => RecentClient::Made { id, as_wanted: is_same(write, action) },
            None if self.of(action).next().is_some() => RecentClient::Perhaps,
            None => RecentClient::None,
        }
    }
}

fn is_same(write: &RecentWrite, action: &Action) -> bool {
    let changes = action.changes();
    let pairs = write.changes.iter().zip(&changes);
    write.changes.len() == changes.len()
        && pairs.into_iter().all(|((field, before, after), change)| {
            (field.as_str(), before, after) == (change.field, &change.before, &change.after)
        })
}
