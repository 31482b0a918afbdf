//! Whether a plan that was saved is still as it was made.

use serde::Serialize;

use super::document::{ActionDocument, ChangeDocument, ConsumerDocument, PlanDocument, Summary};
use plan::{Kind, checksum};

impl PlanDocument {
    /// What is wrong with the document in itself, if something is: its digest, its ids and its sums are
    /// those of its actions, unless it was edited.
    pub fn flaw(&self) -> Option<String> {
        if let Some(action) = self.actions.iter().find(|action| action.id != own_id(action)) {
            return Some(format!("the action {} is about something else", action.id));
        }
        if self.summary != Summary::of(|verb| self.count(verb)) {
            return Some("its sums are not those of its actions".to_owned());
        }
        let actions = self.actions.iter().map(Essence::of).collect();
        let work = Work { environment: &self.environment, actions };
        (checksum(&work) != self.digest).then(|| "its digest is not that of its actions".to_owned())
    }
}

/// The id that an action has by what it is about.
fn own_id(action: &ActionDocument) -> String {
    let verb = action.action.as_str();
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    match action.kind {
        Kind::Scope => format!("{verb} scope {}", part(&action.scope)),
        Kind::Access => format!("{verb} {} {}", part(&action.scope), part(&action.consumer)),
        Kind::Client | Kind::Keys => format!("{verb} client {}", part(&action.client)),
    }
}

/// What the digest of a plan is over: as in [`Plan::digest`].
#[derive(Serialize)]
struct Work<'a> {
    environment: &'a str,
    actions: Vec<Essence<'a>>,
}

#[derive(Serialize)]
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
