//! Digest of a plan's actions.

use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::action::{ActionDocument, ChangeDocument, ConsumerDocument};
use super::scheduled::ScheduledDocument;
use crate::{Action, DayEffect, Plan};

/// A checksum over an environment and what is done in it, today and on later days: not over places, times, names or notices, so that
/// the same actions have the same digest. Its form is `sha256:<64 hex digits>`.
pub(super) fn digest(
    environment: &str,
    actions: &[ActionDocument],
    scheduled: &[ScheduledDocument],
) -> String {
    #[derive(Serialize)]
    struct Digested<'a> {
        environment: &'a str,
        actions: Vec<Essence<'a>>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        scheduled: Vec<(&'a str, &'a str, DayEffect, &'a str)>,
    }
    let digested = Digested {
        environment,
        actions: actions.iter().map(Essence::of).collect(),
        scheduled: scheduled.iter().map(ScheduledDocument::essence).collect(),
    };
    // Serialising plain data with string keys into memory does not fail.
    let bytes = serde_json::to_vec(&digested).unwrap_or_default();
    let mut digest = "sha256:".to_owned();
    for byte in Sha256::digest(&bytes) {
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

impl Plan {
    /// The digest of its document.
    pub fn digest(&self) -> String {
        let actions: Vec<_> = self.actions.iter().map(ActionDocument::new).collect();
        let scheduled: Vec<_> = self.scheduled.iter().map(ScheduledDocument::new).collect();
        digest(&self.environment, &actions, &scheduled)
    }
}

impl Action {
    /// Whether another action is the same operation, wherever it is declared and for whatever reason.
    pub fn is_same_work(&self, other: &Self) -> bool {
        self.id() == other.id()
            && Essence::of(&ActionDocument::new(self)) == Essence::of(&ActionDocument::new(other))
    }
}

/// The identifying fields of an action.
#[derive(Serialize, PartialEq)]
struct Essence<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    changes: &'a [ChangeDocument],
    regains: Vec<&'a str>,
    loses: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    regains_keys: Vec<(&'a str, Option<&'a str>)>,
}

impl<'a> Essence<'a> {
    fn of(action: &'a ActionDocument) -> Self {
        let numbers = |consumers: &'a [ConsumerDocument]| {
            consumers.iter().map(|consumer| consumer.consumer.as_str()).collect()
        };
        let thumbprints = action.regains_thumbprints.iter().map(Option::as_deref);
        let kids = action.regains_keys.iter().map(String::as_str);
        Self {
            id: &action.id,
            client_id: action.client_id.as_deref(),
            changes: &action.changes,
            regains: numbers(&action.regains),
            loses: numbers(&action.loses),
            regains_keys: kids.zip(thumbprints.chain(std::iter::repeat(None))).collect(),
        }
    }
}
