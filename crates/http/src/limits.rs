//! Number of requests under way, and rate at which they begin.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep};

/// Limits that all calls of a connection share.
#[derive(Debug)]
pub struct Limits {
    permits: Semaphore,
    pace: Pace,
}

impl Limits {
    /// At most that many calls at a time, and that many requests in a second. A burst is no larger than the
    /// number of calls at a time; otherwise a second could begin with twice the rate.
    pub fn new(concurrency: NonZeroUsize, rate: NonZeroU32) -> Self {
        let burst = u32::try_from(concurrency.get()).unwrap_or(u32::MAX);
        let permits = Semaphore::new(concurrency.get().min(Semaphore::MAX_PERMITS));
        Self { permits, pace: Pace::new(rate, burst, Instant::now()) }
    }

    /// Waits until another call may be under way; it is until the returned value is dropped.
    pub async fn call(&self) -> Option<SemaphorePermit<'_>> {
        // Only a closed semaphore refuses, and this one is never closed.
        self.permits.acquire().await.ok()
    }

    /// Waits until another request may begin.
    pub async fn request(&self) {
        let wait = self.pace.wait(Instant::now());
        if !wait.is_zero() {
            sleep(wait).await;
        }
    }
}

/// A schedule of requests: turns at even intervals, each of which may be taken early by the length of a burst
/// (the generic cell rate algorithm, GCRA).
#[derive(Debug)]
struct Pace {
    interval: Duration,
    ahead: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    fn new(rate: NonZeroU32, burst: u32, now: Instant) -> Self {
        let interval = Duration::from_secs(1) / rate.get();
        let ahead = interval * burst.min(rate.get()).saturating_sub(1);
        Self { interval, ahead, next: Mutex::new(now) }
    }

    /// Takes the next turn, and returns the time until then.
    fn wait(&self, now: Instant) -> Duration {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (*next).max(now);
        *next = turn + self.interval;
        turn.duration_since(now).saturating_sub(self.ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pace(rate: u32, burst: u32) -> (Pace, Instant) {
        let now = Instant::now();
        (Pace::new(NonZeroU32::new(rate).unwrap(), burst, now), now)
    }

    #[test]
    fn a_burst_begins_at_once_and_the_rest_at_the_rate() {
        let (pace, now) = pace(10, 3);
        let waits: Vec<u128> = (0..6).map(|_| pace.wait(now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200, 300]);
        let later = now + SECOND;
        let waits: Vec<u128> = (0..5).map(|_| pace.wait(later).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200], "an idle time makes no larger burst");
    }

    #[test]
    fn no_second_has_more_than_the_rate_and_a_burst() {
        for (rate, burst) in [(1, 1), (1, 8), (3, 2), (7, 100), (1000, 8), (u32::MAX, 8)] {
            let (pace, now) = pace(rate, burst);
            let waits: Vec<Duration> = (0..3000).map(|_| pace.wait(now)).collect();
            let begun = waits.iter().filter(|wait| **wait < SECOND).count() as u64;
            let most = u64::from(rate) + u64::from(burst.min(rate));
            assert!(begun <= most, "{rate} {burst}: {begun}");
            assert!(begun == 3000 || begun + 1 >= most, "{rate} {burst}: {begun}");
        }
    }

    #[tokio::test]
    async fn requests_wait_for_their_turn() {
        let limits = Limits::new(NonZeroUsize::MIN, NonZeroU32::new(50).unwrap());
        let begun = Instant::now();
        for _ in 0..6 {
            limits.request().await;
        }
        assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
    }
}
