//! Organisations on whose behalf a client acts: differences, entry by entry.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ClientWrite, OnBehalfOfWrite};
use domain::{
    Change, DesiredClient, LiveClient, OnBehalfOf, OnBehalfOfId, Representation, changes,
};

/// Change of one entry.
#[derive(Debug, Clone, PartialEq)]
pub enum EntryWork {
    /// Registers it, with this body.
    Add(Representation),
    /// Replaces it with this body.
    Replace(OnBehalfOfId, Representation),
    /// Removes it.
    Remove(OnBehalfOfId),
}

impl OnBehalfOfWrite {
    /// The write, if the declaration lists organisations on whose behalf the client acts, and they differ
    /// from the live ones.
    pub(super) fn new(declared: &DesiredClient, live: Option<&LiveClient>) -> Option<Self> {
        let wanted = declared.on_behalf_of.clone()?;
        let before = live.and_then(|live| live.on_behalf_of.clone()).unwrap_or_default();
        let write = Self { before, wanted };
        (!write.work(&write.before).is_empty()).then_some(write)
    }

    /// The remaining changes, given the registered entries.
    pub fn work(&self, live: &BTreeMap<OnBehalfOfId, Representation>) -> Vec<EntryWork> {
        let removed = live.keys().filter(|id| !self.wanted.contains_key(*id));
        let written = self.wanted.iter().filter_map(|(id, wanted)| match live.get(id) {
            None => Some(EntryWork::Add(body(id, wanted, &Representation::new()))),
            Some(live) if changes(live, wanted.wanted()).is_empty() => None,
            Some(live) => Some(EntryWork::Replace(id.clone(), body(id, wanted, live))),
        });
        removed.map(|id| EntryWork::Remove(id.clone())).chain(written).collect()
    }

    fn changes(&self) -> Vec<Change> {
        let before = |id: OnBehalfOfId| match self.before.get(&id) {
            Some(live) => Value::Object(registered(&id, live)),
            None => Value::Null,
        };
        let change = |work| {
            let (before, after) = match work {
                EntryWork::Remove(id) => (before(id), Value::Null),
                EntryWork::Replace(id, body) => (before(id), Value::Object(body)),
                EntryWork::Add(body) => (Value::Null, Value::Object(body)),
            };
            Change { field: "onbehalfof", before, after }
        };
        self.work(&self.before).into_iter().map(change).collect()
    }
}

impl ClientWrite {
    /// Differences from the live state.
    pub fn changes(&self) -> Vec<Change> {
        let Self { attributes, on_behalf_of } = self;
        let entries = on_behalf_of.iter().flat_map(OnBehalfOfWrite::changes);
        attributes.changes.iter().cloned().chain(entries).collect()
    }
}

/// An entry as it is live, without the fields that belong to the server.
fn registered(id: &OnBehalfOfId, live: &Representation) -> Representation {
    let mut entry = live.clone();
    entry.retain(|field, value| {
        !matches!(field.as_str(), "created" | "last_updated") && !value.is_null()
    });
    entry.insert("onbehalfof".to_owned(), id.as_str().into());
    entry
}

/// The whole representation of an entry: the declared fields, and all unknown ones as they are live.
fn body(id: &OnBehalfOfId, wanted: &OnBehalfOf, live: &Representation) -> Representation {
    let mut body = registered(id, live);
    for field in wanted.wanted() {
        match field.wanted {
            Value::Null => drop(body.remove(field.name)),
            value => drop(body.insert(field.name.to_owned(), value)),
        }
    }
    body
}
