//! A short name for what a plan would do.

use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Action, ActionId, Plan};
use domain::{Change, ClientId, Orgno};

impl Plan {
    /// A checksum over the environment and what would be done: not over places, times, names or
    /// notices, so that the same work has the same digest. Of the form `sha256:<64 hex digits>`.
    pub fn digest(&self) -> String {
        let actions = self.actions.iter().map(Essence::of).collect();
        let work = Work { environment: &self.environment, actions };
        checksum(&work)
    }
}

/// The checksum of plain data, of the form `sha256:<64 hex digits>`.
pub fn checksum(work: &impl Serialize) -> String {
    // Serialising plain data with string keys into memory does not fail.
    let bytes = serde_json::to_vec(work).unwrap_or_default();
    let mut digest = "sha256:".to_owned();
    for byte in Sha256::digest(&bytes) {
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

impl Action {
    /// Whether another one does the same, wherever it is declared and for whatever reason.
    pub fn is_same_work(&self, other: &Self) -> bool {
        Essence::of(self) == Essence::of(other)
    }
}

#[derive(Serialize)]
struct Work<'a> {
    environment: &'a str,
    actions: Vec<Essence>,
}

/// What makes an action the one that it is.
#[derive(Serialize, PartialEq)]
pub(super) struct Essence {
    id: ActionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<ClientId>,
    changes: Vec<Change>,
    regains: Vec<Orgno>,
    loses: Vec<Orgno>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    regains_keys: Vec<(String, Option<String>)>,
}

impl Essence {
    pub(super) fn of(action: &Action) -> Self {
        let keys = action.regains_keys().iter();
        Self {
            id: action.id(),
            client_id: action.client_id().cloned(),
            changes: action.changes(),
            regains: action.regains().iter().map(|consumer| consumer.orgno).collect(),
            loses: action.loses().iter().map(|consumer| consumer.orgno).collect(),
            regains_keys: keys.map(|key| (key.kid.clone(), key.thumbprint.clone())).collect(),
        }
    }
}
