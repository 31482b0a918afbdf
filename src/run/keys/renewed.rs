//! Registering the keys of a client again: a key lives a year at most, and posting the same one renews it
//! (DigDir's documentation of MP-121).

use jiff::{SignedDuration, Timestamp};

use crate::apply::Patience;
use crate::apply::renew_keys;
use crate::run::{Failure, LockGuard, Opened, Remote, RunOptions, client};
use digdir::Writer;
use domain::{ClientId, ClientName, DesiredClient, LiveKey, Representation};

/// The members of a registered key that are DigDir's own. With the old `exp` a key would not live longer.
const OF_SERVER: [&str; 3] = ["exp", "created", "last_updated"];

/// The keys of a client that are about to be registered again, and the connection for it. Nothing was sent.
pub(crate) struct Renewal {
    remote: Remote,
    writer: Writer,
    id: ClientId,
    before: Vec<LiveKey>,
    /// The whole set, as it is sent.
    set: Vec<Representation>,
    /// The ids of the keys that expire soon.
    due: Vec<String>,
}

/// Outcome of a renewal.
pub(crate) struct Renewed {
    /// The keys that would have expired soon, and when they expire now.
    pub(crate) keys: Vec<(String, Option<Timestamp>)>,
    /// When the first key expires.
    pub(crate) first: Option<Timestamp>,
}

impl Renewal {
    /// Finds the keys of a declared client that expire within a time.
    ///
    /// # Errors
    /// The client is not live, or NAIS holds it, or what is live cannot be read.
    pub(crate) async fn prepare(
        opened: &Opened,
        options: &RunOptions,
        name: &ClientName,
        declared: &DesiredClient,
        within: SignedDuration,
    ) -> Result<Self, Failure> {
        if declared.identity.is_owned() {
            return Err(Failure::Refused(format!(
                "the client '{name}' is held by an application at NAIS, which renews its keys itself"
            )));
        }
        let remote = opened.connect(options).await?;
        let writer = remote.writer().await?;
        let live = client::read(opened, writer.reader()).await?;
        let (id, live) = client::live(name, declared, &live)?;
        let before = live.keys.clone().unwrap_or_default();
        let until = Timestamp::now().checked_add(within).unwrap_or(Timestamp::MAX);
        let is_due = |key: &&LiveKey| {
            // Its owner wants it to expire then.
            wanted_end(declared, key).is_none() && key.ends.is_some_and(|ends| ends <= until)
        };
        let due = before.iter().filter(is_due).map(|key| key.kid.clone()).collect();
        let set = before.iter().map(|key| sent(key, declared)).collect();
        Ok(Self { remote, writer, id: id.clone(), before, set, due })
    }

    /// Registers the keys again if one is due, under the lock if there is one.
    ///
    /// # Errors
    /// DigDir refuses, or the keys have changed since they were read.
    pub(crate) async fn carry_out(
        self,
        lock_guard: Option<&LockGuard>,
        patience: &Patience,
    ) -> Result<Renewed, Failure> {
        let Self { remote, writer, id, before, set, due } = self;
        let writer = match lock_guard {
            Some(lock_guard) => writer.gated(lock_guard.gate()),
            None => writer,
        };
        let renewed = match due.is_empty() {
            true => Ok(before),
            false => renew_keys(&id, &before, &due, &set, patience, &writer).await,
        };
        remote.close().await?;
        let now = renewed.map_err(Failure::Failed)?;
        let end = |kid: &String| now.iter().find(|key| key.kid == *kid).and_then(|key| key.ends);
        let keys = due.iter().map(|kid| (kid.clone(), end(kid))).collect();
        Ok(Renewed { keys, first: now.iter().filter_map(|key| key.ends).min() })
    }
}

/// When the owner of a key wants it to expire, if the declaration says so.
fn wanted_end(declared: &DesiredClient, key: &LiveKey) -> Option<i64> {
    declared.keys.iter().flatten().find(|wanted| key.is(wanted))?.exp
}

/// A key as it is sent again: all its members but those that are DigDir's own.
fn sent(key: &LiveKey, declared: &DesiredClient) -> Representation {
    let mut jwk = key.representation.clone();
    jwk.retain(|member, _| !OF_SERVER.contains(&member.as_str()));
    if let Some(exp) = wanted_end(declared, key) {
        jwk.insert("exp".to_owned(), exp.into());
    }
    jwk
}
