//! Waiting for what was written to be read: what DigDir shows may lag behind what it has done.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use tokio::sync::watch;

/// The pause before the second look; each further one is longer.
const SHORTEST: Duration = Duration::from_millis(200);

/// The longest pause between two looks.
const LONGEST: Duration = Duration::from_secs(2);

/// By how much what is read may lag behind what was written: up to four seconds were seen.
const LAG: Duration = Duration::from_secs(5);

/// How long something is looked for again.
#[derive(Debug, Clone)]
pub struct Patience {
    /// In all.
    time: Duration,
    /// True once nobody is to wait any more.
    interrupt: watch::Receiver<bool>,
}

impl Patience {
    /// For that long at most, and only until `interrupt` turns true.
    pub fn new(time: Duration, interrupt: watch::Receiver<bool>) -> Self {
        Self { time, interrupt }
    }

    /// A wait that begins now.
    pub(super) fn begin(&self) -> Wait {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(SHORTEST)
            .with_max_delay(LONGEST)
            .with_factor(1.5)
            .without_max_times()
            .with_total_delay(Some(self.time));
        Wait { pauses: pauses.build(), interrupt: self.interrupt.clone(), waited: Duration::ZERO }
    }
}

/// A wait that has begun.
pub(super) struct Wait {
    pauses: ExponentialBackoff,
    interrupt: watch::Receiver<bool>,
    /// How long it was waited.
    waited: Duration,
}

impl Wait {
    /// Pauses before another look; `false` where there is to be none.
    pub(super) async fn pause(&mut self) -> bool {
        let Some(pause) = self.pauses.next() else { return false };
        let interrupted = self.interrupt.wait_for(|interrupt| *interrupt);
        // Without a sender nobody interrupts.
        match tokio::time::timeout(pause, interrupted).await {
            Ok(Ok(_)) => return false,
            Ok(Err(_)) => tokio::time::sleep(pause).await,
            Err(_) => {}
        }
        self.waited += pause;
        true
    }

    /// Whether it was waited for longer than what is read is known to lag behind.
    pub(super) fn was_long(&self) -> bool {
        self.waited >= LAG
    }

    /// Looks until what is found is settled, or there is no time left. Gives what was found last.
    pub(super) async fn until<T, E>(
        &mut self,
        mut look: impl AsyncFnMut() -> Result<T, E>,
        is_settled: impl Fn(&T) -> bool,
    ) -> Result<T, E> {
        loop {
            let found = look().await?;
            if is_settled(&found) || !self.pause().await {
                return Ok(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(seconds: u64) -> (watch::Sender<bool>, Wait) {
        let (sender, interrupt) = watch::channel(false);
        (sender, Patience::new(Duration::from_secs(seconds), interrupt).begin())
    }

    async fn look(wait: &mut Wait) -> usize {
        let mut looks = 0;
        let count = async || {
            looks += 1;
            Ok::<_, ()>(looks)
        };
        wait.until(count, |looks| *looks > 999).await.unwrap()
    }

    #[test]
    fn it_is_looked_ever_more_seldom_for_the_whole_time() {
        let pauses: Vec<_> = wait(30).1.pauses.collect();
        assert!(pauses.is_sorted() && pauses.len() > 10, "{pauses:?}");
        let sum: Duration = pauses.iter().sum();
        assert!((28..=30).contains(&sum.as_secs()), "{sum:?}");
    }

    #[tokio::test]
    async fn without_patience_it_is_looked_once() {
        let (_sender, mut wait) = wait(0);
        assert_eq!(look(&mut wait).await, 1);
    }

    #[tokio::test]
    async fn a_signal_ends_the_wait() {
        let (sender, mut wait) = wait(3600);
        sender.send_replace(true);
        assert_eq!(look(&mut wait).await, 1);
    }
}
