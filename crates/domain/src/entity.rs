//! A scope or a client, for code that treats both alike.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ClientName, ScopeName};

/// A scope or a client, by its name. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Entity {
    /// A scope.
    Scope(ScopeName),
    /// A client.
    Client(ClientName),
}

impl Entity {
    /// The word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Scope(_) => "scope",
            Self::Client(_) => "client",
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Scope(name) => name.as_str(),
            Self::Client(name) => name.as_str(),
        }
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} {}", self.kind(), self.name())
    }
}
