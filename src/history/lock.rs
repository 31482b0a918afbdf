//! The lock: at most one apply of a place at a time, wherever it runs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use git2::{ObjectType, Oid, Repository};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::Error;
use super::holder::{Claim, Holder, end};
use super::program::Update;
use super::refs::{self, Refs};
use super::watch::{Verdict, Watch};
use super::{Actor, History};
use domain::text::json;

/// Time before its expiry at which the holder treats the lock as expired. By the wall clock it relies on a
/// renewal no longer than by the monotonic clock, for a [`LEASE`].
const MARGIN: SignedDuration = SignedDuration::from_mins(8);
/// How long the holder relies on a renewal, by its monotonic clock. Shorter than the time for which others
/// watch a lock before they take it ([`Watch`]).
const LEASE: Duration = Duration::from_mins(2);
/// Number of attempts to take the lock, as long as its holder changes.
const TRIES: usize = 5;
/// The largest commit that is read as that of a lock, in bytes.
const LARGEST: usize = 64 * 1024;
/// Content of a lock's commit.
#[derive(Serialize, Deserialize)]
struct LockMessage {
    format_version: u8,
    /// Makes each lock a commit of its own.
    id: String,
    #[serde(flatten)]
    holder: LockState,
}

/// The holder of the lock, as its commit states it. The ref is never deleted, as hosts forbid that.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum LockState {
    By(Claim),
    ByNobody { free: bool },
}

/// The refs that keep others from taking the lock, as they were when they were read: the lock, or refs in its
/// way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockRefs(BTreeMap<String, Oid>);

/// The lock, held.
#[derive(Debug)]
pub struct Lock {
    pub(super) history: History,
    /// The previous holder, who let it expire.
    pub taken_over: Option<Holder>,
    now: Mutex<Own>,
    /// The last renewal whose result is not known.
    unsure: Mutex<Option<Own>>,
}

#[derive(Debug, Clone)]
struct Own {
    oid: Oid,
    claim: Claim,
    /// A moment before it was renewed, or taken.
    renewed: Instant,
}

impl History {
    /// Takes the lock. `None` where it is not decided yet whether the existing one is valid: to be repeated
    /// with the same [`Watch`] after a [`Watch::PAUSE`].
    ///
    /// # Errors
    /// [`Error::Locked`] where somebody else has it.
    pub fn lock(
        &self,
        actor: &Actor,
        now: Timestamp,
        watch: &mut Watch,
    ) -> Result<Option<Lock>, Error> {
        let repository = self.repository()?;
        let name = refs::lock(&self.place);
        let mut moved = Error::Moved(name.clone());
        for _ in 0..TRIES {
            let (LockRefs(found), taken_over) = self.holder()?;
            let old = found.get(&name).copied();
            if let Some(holder) = &taken_over {
                match watch.look(old, holder, now) {
                    Verdict::Alive => return Err(Error::Locked(Box::new(holder.clone()))),
                    Verdict::Open => return Ok(None),
                    Verdict::Dead => {}
                }
            }
            let (claim, renewed) = (Claim::new(actor.clone(), now), Instant::now());
            let own = Own {
                oid: self.lock_commit(&repository, LockState::By(claim.clone()))?,
                claim,
                renewed,
            };
            match self.update(&[self.lock_update(old, own.oid)]) {
                Ok(()) => {
                    let (now, unsure) = (Mutex::new(own), Mutex::default());
                    return Ok(Some(Lock { history: self.clone(), taken_over, now, unsure }));
                }
                Err(error @ Error::Moved(_)) => moved = error,
                Err(error) => return Err(error),
            }
        }
        Err(moved)
    }

    /// The refs of the lock, and its holder, if any. A lock that was pushed by hand has an unknown holder,
    /// whatever its content.
    ///
    /// # Errors
    /// The refs cannot be read.
    pub fn holder(&self) -> Result<(LockRefs, Option<Holder>), Error> {
        let name = refs::lock(&self.place);
        let mut why = String::new();
        for _ in 0..TRIES {
            let found = self.lock_and_in_the_way(&self.place)?;
            if let Some(first) = found.keys().find(|found| **found != name) {
                let why = format!("{first} is where an apply must write, and no apply writes it");
                return Ok((LockRefs(found), Some(Holder::Unknown(why))));
            }
            let Some(oid) = found.get(&name).copied() else { return Ok((LockRefs(found), None)) };
            let repository = self.repository()?;
            match self.fetch_missing(&repository, &name, oid) {
                Ok(()) => return Ok((LockRefs(found), read(&repository, oid))),
                // It may have been released or renewed in between.
                Err(error) => why = format!("{name} leads to what cannot be fetched: {error}"),
            }
        }
        let found = self.lock_and_in_the_way(&self.place)?;
        let holder = (!found.is_empty()).then_some(Holder::Unknown(why));
        Ok((LockRefs(found), holder))
    }

    /// Checks that no apply is under way at another place, by its lock.
    ///
    /// # Errors
    /// There is one, or its lock cannot be read.
    pub(super) fn check_free(&self, place: &str, now: &Refs) -> Result<(), Error> {
        let Some(oid) = now.others.get(place).and_then(|place| place.lock) else { return Ok(()) };
        let repository = self.repository()?;
        self.fetch_missing(&repository, &refs::lock(place), oid)?;
        match read(&repository, oid) {
            Some(Holder::Named(claim)) if claim.expires > Timestamp::now() => {
                Err(Error::Locked(Box::new(Holder::Named(claim))))
            }
            _ => Ok(()),
        }
    }

    /// Breaks the lock, if it still has the given holder.
    ///
    /// # Errors
    /// The holder has changed, or the lock cannot be broken.
    pub fn unlock(&self, LockRefs(found): &LockRefs) -> Result<(), Error> {
        let lock = refs::lock(&self.place);
        let free = match found.contains_key(&lock) {
            true => Some(self.free()?),
            false => None,
        };
        let freed = found.iter().map(|(name, oid)| Update {
            name: name.clone(),
            old: Some(*oid),
            new: free.filter(|_| *name == lock),
        });
        self.update(&freed.collect::<Vec<_>>())
    }

    fn lock_update(&self, old: Option<Oid>, new: Oid) -> Update {
        Update { name: refs::lock(&self.place), old, new: Some(new) }
    }

    /// A lock without a holder.
    fn free(&self) -> Result<Oid, Error> {
        self.lock_commit(&self.repository()?, LockState::ByNobody { free: true })
    }

    /// A commit without files whose message names the holder.
    fn lock_commit(&self, repository: &Repository, holder: LockState) -> Result<Oid, Error> {
        let message = LockMessage { format_version: 1, id: Uuid::new_v4().to_string(), holder };
        self.empty_commit(repository, "the lock", &json::line(&message), &[])
    }
}

impl Lock {
    /// Extends its validity.
    ///
    /// # Errors
    /// It has been lost, or the remote cannot be reached.
    pub fn renew(&self, now: Timestamp) -> Result<(), Error> {
        let Own { oid, mut claim, renewed: _ } = self.settled();
        claim.expires = end(now);
        let renewed = Instant::now();
        let repository = self.history.repository()?;
        let new = self.history.lock_commit(&repository, LockState::By(claim.clone()))?;
        let own = Own { oid: new, claim, renewed };
        let unsure = match self.history.update(&[self.history.lock_update(Some(oid), new)]) {
            Ok(()) => {
                *self.now.lock().unwrap_or_else(PoisonError::into_inner) = own;
                None
            }
            Err(error @ Error::Moved(_)) => return Err(error),
            Err(error) => Some((own, error)),
        };
        let (unsure, failed) = unsure.unzip();
        *self.unsure.lock().unwrap_or_else(PoisonError::into_inner) = unsure;
        failed.map_or(Ok(()), Err)
    }

    /// Whether nobody else can have it yet.
    pub fn counts(&self, now: Timestamp) -> bool {
        self.counts_after(now, self.own().renewed.elapsed())
    }

    /// Whether it is valid that long after it was renewed. If the machine was suspended, only the wall clock
    /// shows it.
    fn counts_after(&self, now: Timestamp, passed: Duration) -> bool {
        let end = self.own().claim.expires.checked_sub(MARGIN).unwrap_or(Timestamp::MIN);
        passed < LEASE && now < end
    }

    /// Releases it.
    ///
    /// # Errors
    /// It has been lost, or the remote cannot be reached.
    pub fn release(&self) -> Result<(), Error> {
        self.history.update(&[self.release_update()?])
    }

    /// The update that releases it.
    pub(super) fn release_update(&self) -> Result<Update, Error> {
        Ok(self.history.lock_update(Some(self.oid()), self.history.free()?))
    }

    /// Its current commit.
    pub(super) fn oid(&self) -> Oid {
        self.settled().oid
    }

    /// Its current state. Where the answer to a renewal was lost, it is read from the remote.
    fn settled(&self) -> Own {
        let mut unsure = self.unsure.lock().unwrap_or_else(PoisonError::into_inner);
        let found = unsure.as_ref().and_then(|_| self.history.lock_ref().ok().flatten());
        if let Some(own) = unsure.take_if(|unsure| found == Some(unsure.oid)) {
            *self.now.lock().unwrap_or_else(PoisonError::into_inner) = own;
        }
        self.own()
    }

    fn own(&self) -> Own {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The holder of the lock, by its object.
fn read(repository: &Repository, oid: Oid) -> Option<Holder> {
    let unknown =
        |what: &str| Some(Holder::Unknown(format!("the lock is {what}, which no apply writes")));
    match repository.odb().and_then(|objects| objects.read_header(oid)) {
        Ok((size, ObjectType::Commit)) if size <= LARGEST => {}
        Ok((_, ObjectType::Commit)) => return unknown("a large commit"),
        Ok((_, kind)) => return unknown(&format!("a {kind}")),
        Err(error) => {
            return Some(Holder::Unknown(format!("{oid} cannot be read: {}", error.message())));
        }
    }
    let commit = repository.find_commit(oid).ok();
    let message = commit.as_ref().and_then(|commit| commit.message().ok());
    match message.map(serde_json::from_str::<LockMessage>) {
        Some(Ok(LockMessage { holder: LockState::By(claim), .. })) => Some(Holder::Named(claim)),
        Some(Ok(LockMessage { holder: LockState::ByNobody { free: true }, .. })) => None,
        Some(Ok(_) | Err(_)) | None => unknown("a commit without the message of a lock"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::RefLocation;

    /// A repository without a remote.
    fn history(folder: &std::path::Path) -> History {
        git2::Repository::init(folder).unwrap();
        History::open(folder, "test", RefLocation::Here, []).unwrap().unwrap()
    }

    fn actor(who: &str) -> Actor {
        Actor { who: who.to_owned(), place: "her".to_owned() }
    }

    /// Repeats until it is decided; returns the number of attempts and the result.
    fn tried(
        history: &History,
        now: Timestamp,
        mut between: impl FnMut(u32),
    ) -> (u32, Result<Lock, Error>) {
        let mut watch = Watch::default();
        for look in 0.. {
            match history.lock(&actor("ola"), now, &mut watch) {
                Ok(None) => between(look),
                Ok(Some(lock)) => return (look, Ok(lock)),
                Err(error) => return (look, Err(error)),
            }
        }
        unreachable!()
    }

    fn later(minutes: i64) -> Timestamp {
        Timestamp::now() + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn no_clock_of_another_machine_takes_a_lock_that_is_alive() {
        for ahead in [-60 * 24, -15, 0, 5, 9, 11, 15, 60 * 24] {
            let folder = tempfile::TempDir::new().unwrap();
            let history = history(folder.path());
            let lock = history.lock(&actor("kari"), Timestamp::now(), &mut Watch::default());
            let lock = lock.unwrap().unwrap();
            // The holder renews from time to time, by its own clock.
            let (looks, ended) = tried(&history, later(ahead), |look| {
                if look % 6 == 5 {
                    lock.renew(Timestamp::now()).unwrap();
                }
            });
            let Err(Error::Locked(holder)) = ended else { panic!("{ahead}: {ended:?}") };
            assert!(matches!(*holder, Holder::Named(ref claim) if claim.actor.who == "kari"));
            let at_once = (-1..10).contains(&ahead);
            assert_eq!(looks == 0, at_once, "{ahead}: {looks}");
            assert!(looks <= 6, "one renewal is enough: {looks}");
        }
    }

    #[test]
    fn a_lock_that_nobody_renews_ends_whatever_the_clocks_say() {
        for (since, taken) in [(-11, true), (-60 * 24 * 365, true), (60, true), (-5, false)] {
            let folder = tempfile::TempDir::new().unwrap();
            let history = history(folder.path());
            let dead = history.lock(&actor("kari"), later(since), &mut Watch::default());
            dead.unwrap().unwrap();
            let (looks, ended) = tried(&history, Timestamp::now(), |_| {});
            assert_eq!(ended.is_ok(), taken, "{since}");
            if let Ok(lock) = ended {
                let watched = Watch::PAUSE * looks;
                assert!(watched > LEASE + Duration::from_secs(30), "{since}: {watched:?}");
                assert!(watched <= Duration::from_mins(4), "{since}: {watched:?}");
                assert!(lock.taken_over.is_some() && lock.counts(Timestamp::now()));
            }
        }
    }

    #[test]
    fn a_lock_that_is_given_back_while_it_is_watched_is_free() {
        let folder = tempfile::TempDir::new().unwrap();
        let history = history(folder.path());
        let lock = history.lock(&actor("kari"), later(-15), &mut Watch::default());
        let lock = lock.unwrap().unwrap();
        let (looks, ended) = tried(&history, Timestamp::now(), |look| {
            if look == 2 {
                lock.release().unwrap();
            }
        });
        assert_eq!((looks, ended.unwrap().taken_over), (3, None));
    }

    #[test]
    fn the_holder_stops_before_anybody_can_take_the_lock() {
        let folder = tempfile::TempDir::new().unwrap();
        let history = history(folder.path());
        let lock = history.lock(&actor("kari"), Timestamp::now(), &mut Watch::default());
        let lock = lock.unwrap().unwrap();
        let now = Timestamp::now();
        assert!(lock.counts(now));
        assert!(lock.counts_after(now, LEASE - Duration::from_secs(1)));
        assert!(!lock.counts_after(now, LEASE), "it was not renewed for long enough");
        // Somebody whose clock is ahead may have watched it in the meantime.
        assert!(!lock.counts_after(later(2), Duration::ZERO), "the machine slept");
        assert!(LEASE + Duration::from_secs(30) < Watch::WHOLE);
    }

    /// A hook by which a remote disappears as soon as it has accepted a push.
    #[cfg(unix)]
    fn disappears(remote: &std::path::Path, gone: &std::path::Path) {
        use std::os::unix::fs::PermissionsExt as _;
        let hook = remote.join("hooks/reference-transaction");
        let (from, to) = (remote.display(), gone.display());
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = committed ] || exit 0\nmv '{from}' '{to}'\nkill -9 $PPID\n"
        );
        std::fs::write(&hook, script).unwrap();
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_renewal_whose_answer_is_lost_is_no_lock_of_another() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (remote, gone, clone) = (path("remote.git"), path("gone.git"), path("clone"));
        git2::Repository::init_bare(&remote).unwrap();
        let repository = git2::Repository::init(&clone).unwrap();
        repository.remote("origin", remote.to_str().unwrap()).unwrap();
        let history = History::open(&clone, "test", RefLocation::Shared, []).unwrap().unwrap();
        let lock = history.lock(&actor("kari"), Timestamp::now(), &mut Watch::default());
        let lock = lock.unwrap().unwrap();
        let first = lock.own().oid;
        disappears(&remote, &gone);
        assert!(matches!(lock.renew(Timestamp::now()), Err(Error::Program { .. })));
        std::fs::remove_file(gone.join("hooks/reference-transaction")).unwrap();
        std::fs::rename(&gone, &remote).unwrap();
        assert!(history.lock_ref().unwrap().is_some_and(|lock| lock != first), "it was renewed");
        lock.renew(Timestamp::now()).unwrap();
        lock.release().unwrap();
        assert_eq!(history.holder().unwrap().1, None);
    }
}
