//! The lock: at most one apply of an environment at a time, wherever it runs.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use git2::{Commit, Oid, Repository, Signature};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::Error;
use super::refs::{self, Update};
use super::{Actor, History};
use crate::text::{json, printable};

/// How long a lock counts that is not renewed.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// How long before its end the holder takes it to have ended: clocks differ.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);
/// How often the lock is tried for, as long as its holder changes.
const TRIES: usize = 5;

/// Who has the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who, and where.
    #[serde(flatten)]
    pub actor: Actor,
    /// Since when.
    pub since: Timestamp,
    /// Until when, unless it is renewed.
    pub expires: Timestamp,
}

/// What the commit of a lock says.
#[derive(Serialize, Deserialize)]
struct Message {
    format_version: u8,
    /// No two locks are the same commit.
    id: String,
    #[serde(flatten)]
    holder: Holder,
}

impl Holder {
    fn new(actor: Actor, now: Timestamp) -> Self {
        Self { actor, since: now, expires: end(now) }
    }

    fn has_ended(&self, now: Timestamp) -> bool {
        self.expires <= now
    }
}

fn end(now: Timestamp) -> Timestamp {
    now.checked_add(LIFETIME).unwrap_or(Timestamp::MAX)
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { actor: Actor { who, place }, since, expires } = self;
        let (who, place) = (printable(who), printable(place));
        write!(f, "by {who} at {place}, since {since:.0}; it ends at {expires:.0} unless renewed")
    }
}

/// The lock, held.
#[derive(Debug)]
pub struct Lock {
    history: History,
    /// Who had it before and let it end.
    pub taken_over: Option<Holder>,
    now: Mutex<Own>,
}

#[derive(Debug, Clone)]
struct Own {
    oid: Oid,
    holder: Holder,
}

impl History {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`Error::Locked`] where somebody else has it.
    pub fn lock(&self, actor: &Actor, now: Timestamp) -> Result<Lock, Error> {
        let repository = self.repository()?;
        let holder = Holder::new(actor.clone(), now);
        let own = Own { oid: self.signed(&repository, written(&repository, &holder)?)?, holder };
        let mut moved = Error::Moved(refs::lock(&self.environment));
        for _ in 0..TRIES {
            let before = self.holder()?;
            if let Some((_, holder)) = &before
                && !holder.has_ended(now)
            {
                return Err(Error::Locked(Box::new(holder.clone())));
            }
            let old = before.as_ref().map(|(oid, _)| *oid);
            match self.update(&[self.lock_update(old, Some(own.oid))]) {
                Ok(()) => {
                    let taken_over = before.map(|(_, holder)| holder);
                    return Ok(Lock { history: self.clone(), taken_over, now: Mutex::new(own) });
                }
                Err(error @ Error::Moved(_)) => moved = error,
                Err(error) => return Err(error),
            }
        }
        Err(moved)
    }

    /// Who has the lock, if anybody.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn holder(&self) -> Result<Option<(Oid, Holder)>, Error> {
        for tried in 1.. {
            let Some(oid) = self.lock_ref()? else { return Ok(None) };
            let repository = self.repository()?;
            let name = refs::lock(&self.environment);
            let found = self.fetch_missing(&repository, &name, oid).and_then(|()| {
                repository.find_commit(oid).map_err(|error| Error::read(&name, &error))
            });
            match found {
                Ok(commit) => return Ok(Some((oid, read(&commit)))),
                // It may have been given back or renewed in between.
                Err(_) if tried < TRIES => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Takes the lock away from whoever holds it, if it is still that one.
    ///
    /// # Errors
    /// It is another one by now, or cannot be taken away.
    pub fn unlock(&self, lock: Oid) -> Result<(), Error> {
        self.update(&[self.lock_update(Some(lock), None)])
    }

    pub(super) fn lock_update(&self, old: Option<Oid>, new: Option<Oid>) -> Update {
        Update { name: refs::lock(&self.environment), old, new }
    }
}

impl Lock {
    /// Makes it count for longer.
    ///
    /// # Errors
    /// It is not ours any more, or the remote cannot be reached.
    pub fn renew(&self, now: Timestamp) -> Result<(), Error> {
        let Own { oid, mut holder } = self.own();
        holder.expires = end(now);
        let repository = self.history.repository()?;
        let new = self.history.signed(&repository, written(&repository, &holder)?)?;
        self.history.update(&[self.history.lock_update(Some(oid), Some(new))])?;
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = Own { oid: new, holder };
        Ok(())
    }

    /// Whether nobody else can have it yet.
    pub fn counts(&self, now: Timestamp) -> bool {
        let end = self.own().holder.expires.checked_sub(MARGIN).unwrap_or(Timestamp::MIN);
        now < end
    }

    /// Gives it back.
    ///
    /// # Errors
    /// It is not ours any more, or the remote cannot be reached.
    pub fn release(&self) -> Result<(), Error> {
        self.history.update(&[self.given_back()])
    }

    /// What gives it back.
    pub(super) fn given_back(&self) -> Update {
        self.history.lock_update(Some(self.oid()), None)
    }

    /// The commit that it is by now.
    pub(super) fn oid(&self) -> Oid {
        self.own().oid
    }

    pub(super) fn history(&self) -> &History {
        &self.history
    }

    fn own(&self) -> Own {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A commit without files whose message tells of the holder.
fn written(repository: &Repository, holder: &Holder) -> Result<Oid, Error> {
    let message =
        Message { format_version: 1, id: Uuid::new_v4().to_string(), holder: holder.clone() };
    let message = json::line(&message);
    let write = || {
        let tree = repository.find_tree(repository.treebuilder(None)?.write()?)?;
        let signature = signature(repository)?;
        repository.commit(None, &signature, &signature, &message, &tree, &[])
    };
    write().map_err(|error| Error::write("the lock", &error))
}

/// What a lock's commit tells. One that tells nothing counts from when it was made.
fn read(commit: &Commit<'_>) -> Holder {
    let message = commit.message().ok().and_then(|text| serde_json::from_str::<Message>(text).ok());
    message.map_or_else(
        || {
            let made = Timestamp::from_second(commit.time().seconds()).unwrap_or_default();
            let unknown = || "unknown".to_owned();
            Holder::new(Actor { who: unknown(), place: unknown() }, made)
        },
        |message| message.holder,
    )
}

/// Who makes the commits of locks and of the ledger; their messages tell the rest.
pub(super) fn signature(repository: &Repository) -> Result<Signature<'static>, git2::Error> {
    repository.signature().or_else(|_| Signature::now("portvakt", "portvakt@localhost"))
}
