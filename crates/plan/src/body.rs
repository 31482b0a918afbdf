//! Bodies that are sent for a scope, a client or its keys.

use serde_json::Value;

use super::{KeysWork, Write};
use domain::{Change, Field, PublicKey, Representation, ScopeName, changes};

/// Fields that belong to the server, or have calls of their own: they are never sent.
const SERVER_FIELDS: [&str; 6] =
    ["created", "last_updated", "owner_orgno", "client_secret", "jwks", "onbehalfof"];

impl Write {
    /// The write of these fields to a live representation, or to a new one.
    pub(super) fn new(live: Option<&Representation>, wanted: Vec<Field>) -> Self {
        let mut write = Self { wanted, changes: Vec::new() };
        write.changes = write.left(live.unwrap_or(&Representation::new()));
        if live.is_none() {
            write.changes.iter_mut().for_each(|change| change.before = Value::Null);
        }
        write
    }

    /// The fields in which a live representation still differs.
    pub fn left(&self, live: &Representation) -> Vec<Change> {
        changes(live, &self.wanted)
    }

    /// The body that creates a client.
    pub fn creation(&self) -> Representation {
        let fields = self.wanted.iter().filter(|field| !field.wanted.is_null());
        let mut body: Representation =
            fields.map(|field| (field.name.to_owned(), field.wanted.clone())).collect();
        body.insert("active".to_owned(), true.into());
        body
    }

    /// The body that creates a scope.
    pub fn scope_creation(&self, name: &ScopeName) -> Representation {
        let mut body = self.creation();
        body.insert("prefix".to_owned(), name.prefix().into());
        body.insert("subscope".to_owned(), name.subscope().into());
        body
    }

    /// The body that replaces a live representation: all of it, active, with only the differing fields
    /// changed. A field that is to be unset is left out, as the whole representation is replaced.
    pub fn replacement(&self, live: &Representation) -> Representation {
        let mut body = live.clone();
        body.retain(|field, value| !SERVER_FIELDS.contains(&field.as_str()) && !value.is_null());
        body.insert("active".to_owned(), true.into());
        for Change { field, before: _, after } in &self.changes {
            match after {
                Value::Null => drop(body.remove(*field)),
                after => drop(body.insert((*field).to_owned(), after.clone())),
            }
        }
        body
    }
}

impl KeysWork {
    /// The set that is sent: a key that stays is sent as it is live, its expiry included, so that nothing in
    /// it changes unnoticed. A member that DigDir has required only since 2025 (`use`) is filled in.
    pub fn set(&self) -> Vec<Representation> {
        let member = |key: &PublicKey| {
            let mut member = key.to_jwk();
            if let Some(live) = self.before.iter().find(|live| live.is(key)) {
                member.remove("exp");
                let own = live.representation.clone().into_iter();
                member.extend(own.filter(|(field, value)| {
                    !SERVER_FIELDS.contains(&field.as_str()) && !value.is_null()
                }));
            }
            member
        };
        self.wanted.iter().map(member).collect()
    }
}
