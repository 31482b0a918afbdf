//! How many requests are on their way, and how many begin in a second.

use std::num::{NonZeroU32, NonZeroUsize};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Limits that all calls of a connection keep together.
#[derive(Debug)]
pub struct Limits {
    permits: Semaphore,
    rate: DefaultDirectRateLimiter,
}

impl Limits {
    /// At most so many calls at a time, and so many requests in a second. No more of them at once than may
    /// be on their way anyhow; else a second could begin with twice the rate.
    pub fn new(concurrency: NonZeroUsize, rate: NonZeroU32) -> Self {
        let burst = u32::try_from(concurrency.get()).unwrap_or(u32::MAX);
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(rate).allow_burst(burst.min(rate));
        let permits = Semaphore::new(concurrency.get().min(Semaphore::MAX_PERMITS));
        Self { permits, rate: RateLimiter::direct(quota) }
    }

    /// Waits until another call may be on its way, which it is as long as this value lives.
    pub async fn call(&self) -> Option<SemaphorePermit<'_>> {
        // Only a closed semaphore refuses, and nothing closes this one.
        self.permits.acquire().await.ok()
    }

    /// Waits until another request may begin.
    pub async fn request(&self) {
        self.rate.until_ready().await;
    }
}
