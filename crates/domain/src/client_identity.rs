//! Identity of a declared client among the live ones.

use serde_json::{Value, json};

use super::nais::Application;
use super::plain::kept;
use super::{ClientId, ClientName, Field};

/// Which live client a declared one is. The integration type is part of the match, as it can never change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientIdentity {
    /// The client with that name (`client_name`).
    Named {
        /// The name, which is also its name in the repository.
        name: ClientName,
        /// The id of the live client, if the declaration pins one.
        id: Option<ClientId>,
        /// The name that it had before, if it is to be renamed.
        previous_name: Option<ClientName>,
    },
    /// The client that an application at NAIS owns, by its description. digdirator finds it in no other way,
    /// and gives hundreds of clients the same name.
    OwnedBy {
        /// The application.
        application: Application,
        /// Its `client_name`; `None` leaves that as it is live.
        client_name: Option<ClientName>,
    },
}

impl ClientIdentity {
    /// The `client_name` that it is to have; `None` leaves that as it is live.
    pub fn client_name(&self) -> Option<&ClientName> {
        match self {
            Self::Named { name, .. } => Some(name),
            Self::OwnedBy { client_name, .. } => client_name.as_ref(),
        }
    }

    /// The id of the live client, if one is pinned.
    pub fn pinned(&self) -> Option<&ClientId> {
        match self {
            Self::Named { id, .. } => id.as_ref(),
            Self::OwnedBy { .. } => None,
        }
    }

    /// The name that it had before, if it is to be renamed.
    pub fn previous_name(&self) -> Option<&ClientName> {
        match self {
            Self::Named { previous_name, .. } => previous_name.as_ref(),
            Self::OwnedBy { .. } => None,
        }
    }

    /// Whether an application at NAIS owns it.
    pub fn is_owned(&self) -> bool {
        match self {
            Self::Named { .. } => false,
            Self::OwnedBy { .. } => true,
        }
    }

    /// Whether a live client with this name and description matches it, if the integration type is equal.
    pub fn fits(&self, client_name: &str, description: &str) -> bool {
        match self {
            Self::Named { name, .. } => name.as_str() == kept(client_name),
            Self::OwnedBy { application, .. } => application.is_written(&kept(description)),
        }
    }

    /// The attribute by which live clients are matched with it, as a word.
    pub fn matched_by(&self) -> &'static str {
        match self {
            Self::Named { .. } => "name",
            Self::OwnedBy { .. } => "description",
        }
    }
}

impl ClientName {
    /// The field `client_name` with this name as wanted value.
    pub fn field(&self) -> Field {
        Field { name: "client_name", wanted: json!(self), default: Value::Null }
    }
}
