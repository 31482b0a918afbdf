//! What is sent of a scope.

use super::ScopeWrite;
use crate::domain::{Change, Representation, ScopeName};

/// Fields that are the server's own; they are never sent.
const SERVER_FIELDS: [&str; 3] = ["created", "last_updated", "owner_orgno"];

impl ScopeWrite {
    /// The body that creates the scope.
    pub fn creation(&self, name: &ScopeName) -> Representation {
        let mut body = Representation::new();
        body.insert("prefix".to_owned(), name.prefix().into());
        body.insert("subscope".to_owned(), name.subscope().into());
        body.insert("active".to_owned(), true.into());
        let fields = self.wanted.fields().into_iter().filter(|(_, value)| !value.is_null());
        body.extend(fields.map(|(field, value)| (field.to_owned(), value)));
        body
    }

    /// The body that replaces a live representation: all of it, active, with only what differs
    /// changed. A field that is to be unset is left out, as the whole representation is replaced.
    pub fn replacement(&self, live: &Representation) -> Representation {
        let mut body = live.clone();
        body.retain(|field, value| !SERVER_FIELDS.contains(&field.as_str()) && !value.is_null());
        body.insert("active".to_owned(), true.into());
        for Change { field, before: _, after } in &self.changes {
            if after.is_null() {
                body.remove(*field);
            } else {
                body.insert((*field).to_owned(), after.clone());
            }
        }
        body
    }
}
