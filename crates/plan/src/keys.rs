//! Planning of a client's keys, and report of those that expire soon.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::client::OWN_CLIENT;
use super::matching::live_client;
use super::{ActionId, Code, Draft, KeysWork, Target, Verb, Work};
use domain::{
    Change, ClientId, ClientName, DesiredClient, LiveKey, OwnClient, PublicKey, SigningAlgorithm,
};

impl Draft<'_> {
    /// Replaces the client's keys with the declared ones, if it declares any. Returns the action's id.
    pub(super) fn keys(
        &mut self,
        name: &ClientName,
        declared: &DesiredClient,
        id: Option<&ClientId>,
        before: &[LiveKey],
        is_inactive: bool,
        after: Vec<ActionId>,
    ) -> Option<ActionId> {
        let wanted = declared.keys.as_ref()?;
        let work = KeysWork {
            id: id.cloned(),
            before: before.to_vec(),
            wanted: wanted.clone(),
            is_inactive,
        };
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
                self.block(target, Code::OwnClient, OWN_CLIENT);
                return None;
            }
        }
        if !before.is_empty() && !before.iter().any(|key| stays(key, declared)) {
            let message = "none of the keys that it has stays: what runs with one of them gets no more \
                           tokens as soon as this is applied";
            self.report(Code::NoKeyStays, format!("client {name}"), message);
        }
        Some(self.push(Work::Keys(name.clone(), work), &declared.keys_source, None, after))
    }

    /// Reports the keys that stay and expire within the time that the repository sets.
    pub(super) fn report_expiring(
        &mut self,
        name: &ClientName,
        declared: &DesiredClient,
        live: &[LiveKey],
    ) {
        let until = self.keys_reported_until();
        let remedy = match declared.identity.is_owned() {
            true => "NAIS makes another when its application is deployed again",
            false => {
                "renew it with `portvakt keys renew`, or add another with `portvakt keys rotate`"
            }
        };
        for key in live.iter().filter(|key| stays(key, declared)) {
            let Some(ends) = key.ends.filter(|ends| *ends <= until) else { continue };
            // Without a number of days, so that the same plan has the same text on another day.
            let verb = if ends <= self.now { "ended" } else { "ends" };
            let message =
                format!("the key {} {verb} on {}: {remedy}", key.kid, ends.strftime("%F"));
            self.report(Code::KeyEnds, format!("client {name}"), message);
        }
    }

    /// The time until which an expiry is reported.
    fn keys_reported_until(&self) -> Timestamp {
        self.now.checked_add(self.desired.warn_before).unwrap_or(Timestamp::MAX)
    }

    /// Reports what this program itself signs with, if it expires within the time that the repository names:
    /// without it, nothing can be planned or applied any more.
    pub(super) fn report_own_client(&mut self) {
        let Some(own) = &self.live.own_client else { return };
        let OwnClient { id, kid, key_expires, certificate_expires } = own;
        let until = self.keys_reported_until();
        let is_declared = |declared: &DesiredClient| {
            live_client(declared, self.live).is_ok_and(|found| found.is_some_and(|it| it.0 == id))
        };
        // The keys of a declared client are reported with it.
        let key = key_expires.filter(|_| !self.desired.clients.values().any(is_declared));
        let key = key.map(|at| {
            let kid = kid.as_deref().unwrap_or_default();
            let remedy = "register the same key again in DigDir's self-service, which renews it, or give \
                           portvakt another";
            (at, format!("the key {kid}"), remedy)
        });
        let certificate = certificate_expires.map(|at| {
            (at, "the certificate".to_owned(), "order another and put it into the credentials")
        });
        for (at, what, remedy) in key.into_iter().chain(certificate).filter(|it| it.0 <= until) {
            let day = at.strftime("%F");
            let expires = if at <= self.now { "expired" } else { "expires" };
            let message =
                format!("{what} that portvakt itself works with {expires} on {day}: {remedy}");
            self.report(Code::KeyEnds, format!("client {id}"), message);
        }
    }
}

/// Whether a live key stays: it is declared, or the client declares none, so that all are left alone.
pub(super) fn stays(key: &LiveKey, declared: &DesiredClient) -> bool {
    declared.keys.as_ref().is_none_or(|wanted| wanted.iter().any(|other| key.is(other)))
}

/// Description of a key that is added: its id, and whatever is unusual about it.
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
    /// The removed and the added keys, by their ids. A key under the id of another replaces it.
    pub fn changes(&self) -> Vec<Change> {
        let Self { id: _, before, wanted, is_inactive: _ } = self;
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

    /// Whether it removes a key.
    pub fn takes_away(&self) -> bool {
        self.changes().iter().any(|change| !change.before.is_null())
    }
}
