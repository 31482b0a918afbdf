//! The lock during an apply: taken, renewed, and released.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::failure::Failure;
use crate::history::{
    self, Actor, ApplyEnd, ApplyStart, History, LedgerEntry, Lock, Recorded, Refs, Watch,
};

/// Interval between renewals, within which a broken lock is noticed.
const RENEW_EVERY: Duration = Duration::from_secs(30);
/// Interval after a renewal that failed.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// The lock, held.
pub(crate) struct LockGuard {
    lock: Arc<Lock>,
    /// Whether somebody has broken it.
    lost: Arc<AtomicBool>,
    renewal: JoinHandle<()>,
}

impl LockGuard {
    /// Takes the lock. A lock that seems to have expired is watched first; until then the attempt can be
    /// abandoned at any time.
    pub(crate) async fn take(history: &History, actor: &Actor) -> Result<Self, Failure> {
        let mut watch = Watch::default();
        let mut is_reported = false;
        let lock = loop {
            let tried = history.lock(actor, Timestamp::now(), &mut watch);
            if let Some(lock) = tried.map_err(Failure::NotLocked)? {
                break lock;
            }
            if !is_reported {
                tracing::warn!(
                    "there is a lock that seems to have ended: it is taken if nobody renews it for {} \
                     seconds",
                    Watch::WHOLE.as_secs()
                );
                is_reported = true;
            }
            tokio::time::sleep(Watch::PAUSE).await;
        };
        if let Some(before) = &lock.taken_over {
            tracing::warn!("a lock had ended and was taken over: it was held {before}");
        }
        Ok(Self::of(lock, RENEW_EVERY))
    }

    /// Holds a lock that was taken, and renews it at an interval.
    fn of(lock: Lock, every: Duration) -> Self {
        let (lock, lost) = (Arc::new(lock), Arc::new(AtomicBool::new(false)));
        let renewal = tokio::spawn(renew(Arc::clone(&lock), Arc::clone(&lost), every));
        Self { lock, lost, renewal }
    }

    /// Returns the reason why nothing may be written any more, once somebody else can have it.
    pub(crate) fn gate(&self) -> impl Fn() -> Result<(), &'static str> + Send + Sync + 'static {
        let (lock, lost) = (Arc::clone(&self.lock), Arc::clone(&self.lost));
        move || match !lost.load(Ordering::Relaxed) && lock.counts(Timestamp::now()) {
            true => Ok(()),
            false => Err("the lock was lost, so nothing more is sent"),
        }
    }

    /// Writes the first line into the ledger, if the baseline is still the one that was `shown`. Returns the
    /// refs after that.
    pub(crate) fn begin(
        &self,
        entry: LedgerEntry<'_>,
        recorded: &Recorded,
        start: ApplyStart<'_>,
        dirty: bool,
        shown: Option<&Refs>,
    ) -> Result<Refs, Failure> {
        Ok(self.lock.begin(entry, recorded, start, dirty, shown)?)
    }

    /// Writes the last line into the ledger, moves the applied commit, and releases the lock.
    pub(crate) async fn conclude(
        self,
        entry: LedgerEntry<'_>,
        recorded: &Recorded,
        end: ApplyEnd<'_>,
        shown: Option<&Refs>,
    ) -> Result<(), Failure> {
        self.stop().await;
        let concluded = self.lock.conclude(entry, recorded, end, shown);
        if !matches!(concluded, Ok(()) | Err(history::Error::Broken)) {
            self.release_lock();
        }
        Ok(concluded?)
    }

    /// Sets a commit as applied, if the baseline is still the one that was `shown`, and releases the lock.
    pub(crate) async fn set_baseline(
        self,
        recorded: &Recorded,
        former: Option<&str>,
        shown: &Refs,
    ) -> Result<(), Failure> {
        self.stop().await;
        let set = self.lock.set_baseline(recorded, former, shown);
        if set.is_err() {
            self.release_lock();
        }
        set.map_err(|error| match error {
            history::Error::Locked(_) => Failure::FormerLocked(error),
            error => Failure::Git(error),
        })
    }

    /// Releases the lock.
    pub(crate) async fn release(self) {
        self.stop().await;
        self.release_lock();
    }

    /// Waits for a renewal under way, as it replaces the lock.
    async fn stop(&self) {
        self.renewal.abort();
        while !self.renewal.is_finished() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn release_lock(&self) {
        if let Err(error) = self.lock.release() {
            tracing::warn!("the lock was not given back, and ends by itself: {error}");
        }
    }
}

async fn renew(lock: Arc<Lock>, lost: Arc<AtomicBool>, every: Duration) {
    let mut pause = every;
    loop {
        tokio::time::sleep(pause).await;
        // Blocks this task until git has ended, so that it is not stopped in between.
        pause = match tokio::task::block_in_place(|| lock.renew(Timestamp::now())) {
            Ok(()) => every,
            Err(history::Error::Moved(_)) => {
                tracing::warn!("the lock was broken by somebody else: nothing new is started");
                lost.store(true, Ordering::Relaxed);
                return;
            }
            Err(error) => {
                tracing::warn!("the lock could not be renewed: {error}");
                RETRY_AFTER
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::RefLocation;

    async fn until(is_so: impl Fn() -> bool) {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_lock_is_renewed_until_somebody_breaks_it() {
        let folder = tempfile::TempDir::new().unwrap();
        git2::Repository::init(folder.path()).unwrap();
        let history = History::open(folder.path(), "test", RefLocation::Here, []).unwrap().unwrap();
        let actor = Actor { who: "kari".to_owned(), place: "her".to_owned() };
        let lock = history.lock(&actor, Timestamp::now(), &mut Watch::default()).unwrap().unwrap();
        let (first, _) = history.holder().unwrap();
        let lock_guard = LockGuard::of(lock, Duration::from_millis(5));
        let held = || {
            let (lock, holder) = history.holder().unwrap();
            holder.map(|_| lock)
        };
        until(|| held().as_ref() != Some(&first)).await;
        let gate = lock_guard.gate();
        assert_eq!(gate(), Ok(()));
        // It may be renewed at the same time, and then is another lock.
        until(|| held().is_none_or(|lock| history.unlock(&lock).is_ok())).await;
        until(|| gate().is_err()).await;
        lock_guard.release().await;
        assert_eq!(held(), None);
    }
}
