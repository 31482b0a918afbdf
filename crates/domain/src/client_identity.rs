//! What tells a declared client from all other live ones.

use serde_json::{Value, json};

use super::nais::Application;
use super::plain::kept;
use super::{ClientId, ClientName, Field};

/// Which live client a declared one is. Its integration type decides too, as that can never change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientIdentity {
    /// The one of a name (`client_name`).
    Named {
        /// The name, which is its name in the repository too.
        name: ClientName,
        /// The id of the live client, if the declaration pins one.
        id: Option<ClientId>,
        /// What it was called before, if it is to be renamed.
        previous_name: Option<ClientName>,
    },
    /// The one that an application at NAIS owns: its description says so. digdirator finds it in no
    /// other way, and gives hundreds of clients the same name.
    OwnedBy {
        /// The application.
        application: Application,
        /// What it is called; `None` leaves that as it is live.
        client_name: Option<ClientName>,
    },
}

impl ClientIdentity {
    /// What it is to be called; `None` leaves that as it is live.
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

    /// What it was called before, if it is to be renamed.
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

    /// Whether a live client of this name and description is it, if it is of the same kind.
    pub fn fits(&self, client_name: &str, description: &str) -> bool {
        match self {
            Self::Named { name, .. } => name.as_str() == kept(client_name),
            Self::OwnedBy { application, .. } => application.is_written(&kept(description)),
        }
    }

    /// What a live client that fits has in common with it, in a word.
    pub fn told_by(&self) -> &'static str {
        match self {
            Self::Named { .. } => "name",
            Self::OwnedBy { .. } => "description",
        }
    }
}

impl ClientName {
    /// The wish that a client is called so.
    pub fn field(&self) -> Field {
        Field { name: "client_name", wanted: json!(self), default: Value::Null }
    }
}
