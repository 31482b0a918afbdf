//! What becomes of a client's keys, and which of them end soon.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::client::OWN_CLIENT;
use super::{Action, ActionId, Code, Draft, KeysWork, Notice, Target, Verb, Work};
use domain::{Change, ClientId, ClientName, DesiredClient, LiveKey, PublicKey, SigningAlgorithm};

impl Draft<'_> {
    /// Makes the client's keys the declared ones, if it declares any. Gives the action's id.
    pub(super) fn keys(
        &mut self,
        name: &ClientName,
        declared: &DesiredClient,
        id: Option<&ClientId>,
        before: &[LiveKey],
        asleep: bool,
        after: Vec<ActionId>,
    ) -> Option<ActionId> {
        let wanted = declared.keys.as_ref()?;
        let work =
            KeysWork { id: id.cloned(), before: before.to_vec(), wanted: wanted.clone(), asleep };
        if work.changes().is_empty() {
            return None;
        }
        if let Some(own) = self.own(id) {
            let locks_out = match &own.kid {
                Some(kid) => !wanted.iter().any(|key| key.kid.as_str() == kid),
                None => true,
            };
            if locks_out {
                let target = ActionId { verb: Verb::Keys, target: Target::Keys(name.clone()) };
                self.block(target, Code::OwnClient, OWN_CLIENT.to_owned());
                return None;
            }
        }
        if !before.is_empty() && !before.iter().any(|key| stays(key, declared)) {
            self.notices.push(Notice {
                code: Code::NoKeyStays,
                target: format!("client {name}"),
                message:
                    "none of the keys that it has stays: what runs with one of them gets no more \
                          tokens as soon as this is applied"
                        .to_owned(),
            });
        }
        let (work, source) = (Work::Keys(name.clone(), work), declared.keys_source.clone());
        let action = Action { work, source, reason: None, after, origin: None };
        let id = action.id();
        self.actions.push(action);
        Some(id)
    }

    /// Tells of the keys that stay and end within the time that the repository names.
    pub(super) fn tell_ends(
        &mut self,
        name: &ClientName,
        declared: &DesiredClient,
        live: &[LiveKey],
    ) {
        let until = self.now.checked_add(self.desired.warn_before).unwrap_or(Timestamp::MAX);
        let way_out = match declared.identity.is_owned() {
            true => "NAIS makes another when what has it is deployed anew",
            false => "add another with `portvakt keys rotate`",
        };
        for key in live.iter().filter(|key| stays(key, declared)) {
            let Some(ends) = key.ends.filter(|ends| *ends <= until) else { continue };
            let what = end(self.now, ends);
            self.notices.push(Notice {
                code: Code::KeyEnds,
                target: format!("client {name}"),
                message: format!("the key {} {what}: {way_out}", key.kid),
            });
        }
    }
}

/// Whether a live key is a declared one, or none is declared: then all are left alone.
pub(super) fn stays(key: &LiveKey, declared: &DesiredClient) -> bool {
    declared.keys.as_ref().is_none_or(|wanted| wanted.iter().any(|other| key.is(other)))
}

/// `ends on 2027-01-31`; with no count of days, so that the same plan reads the same on another day.
fn end(now: Timestamp, ends: Timestamp) -> String {
    let day = ends.strftime("%F");
    match ends <= now {
        true => format!("ended on {day}"),
        false => format!("ends on {day}"),
    }
}

/// What is told of a key that comes: what it is, and what of it is not as usual.
fn shown(key: &PublicKey) -> Value {
    let mut shown = json!({ "kid": key.kid, "thumbprint": key.thumbprint() });
    if key.alg != SigningAlgorithm::default() {
        shown["alg"] = json!(key.alg);
    }
    if let Some(exp) = key.exp {
        shown["exp"] = exp.into();
    }
    if !key.x5c.is_empty() {
        shown["x5c"] = json!(key.x5c);
    }
    shown
}

impl KeysWork {
    /// Which keys go and which come, by their ids. A key under the id of another takes its place.
    pub fn changes(&self) -> Vec<Change> {
        let Self { id: _, before, wanted, asleep: _ } = self;
        let goes = |key: &&LiveKey| !wanted.iter().any(|other| key.is(other));
        let comes = |key: &&PublicKey| !before.iter().any(|other| other.is(key));
        let removed = before.iter().filter(goes).map(|key| Change {
            field: "jwks",
            before: json!({ "kid": key.kid, "thumbprint": key.thumbprint }),
            after: Value::Null,
        });
        let added = wanted.iter().filter(comes).map(|key| Change {
            field: "jwks",
            before: Value::Null,
            after: shown(key),
        });
        let mut changes: Vec<Change> = removed.chain(added).collect();
        changes.sort_by_cached_key(|change| (change.before.to_string(), change.after.to_string()));
        changes
    }

    /// Whether a key is taken away by it.
    pub fn takes_away(&self) -> bool {
        self.changes().iter().any(|change| !change.before.is_null())
    }
}
