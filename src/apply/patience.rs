//! Waits until writes are visible: DigDir's reads may lag behind its writes.

use std::cell::Cell;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use tokio::sync::watch;

/// The pause before the second read; each further one is longer.
const SHORTEST: Duration = Duration::from_millis(200);

/// The longest pause between two reads.
const LONGEST: Duration = Duration::from_secs(2);

/// Largest lag of reads behind writes: up to four seconds were observed.
const LAG: Duration = Duration::from_secs(5);

/// Time budget for reading again, shared by all waits. Waits that overlap use it only once.
#[derive(Debug)]
pub struct Patience {
    /// The total.
    time: Duration,
    /// Time used by finished waits.
    spent: Cell<Duration>,
    /// Number of waits under way, and the start of the current period with any.
    open: Cell<(usize, Instant)>,
    /// The start; all writes that are awaited precede it.
    began: Instant,
    /// Becomes true when waiting must stop.
    interrupt: watch::Receiver<bool>,
}

impl Patience {
    /// A budget of that time, which ends early when `interrupt` becomes true.
    pub fn new(time: Duration, interrupt: watch::Receiver<bool>) -> Self {
        let began = Instant::now();
        Self { time, spent: Cell::default(), open: Cell::new((0, began)), began, interrupt }
    }

    /// A wait, which uses no time before its first pause.
    pub fn begin(&self) -> Wait<'_> {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(SHORTEST)
            .with_max_delay(LONGEST)
            .with_factor(1.5)
            .without_max_times();
        let was_long = self.began.elapsed() >= LAG;
        Wait { patience: self, pauses: pauses.build(), is_open: false, was_long }
    }

    /// The remaining time.
    fn left(&self) -> Duration {
        let (open, since) = self.open.get();
        let running = if open > 0 { since.elapsed() } else { Duration::ZERO };
        self.time.saturating_sub(self.spent.get() + running)
    }
}

/// A wait for one thing.
pub struct Wait<'p> {
    patience: &'p Patience,
    pauses: ExponentialBackoff,
    /// Whether it is using time.
    is_open: bool,
    /// Whether the last read came so long after all earlier writes that it shows them.
    was_long: bool,
}

impl Wait<'_> {
    /// Pauses before another read; `false` where there is to be none.
    pub async fn pause(&mut self) -> bool {
        self.open();
        let (left, next) = (self.patience.left(), self.pauses.next());
        let Some(pause) = next.filter(|_| !left.is_zero()) else { return false };
        let pause = pause.min(left);
        let mut interrupt = self.patience.interrupt.clone();
        let interrupted = interrupt.wait_for(|interrupt| *interrupt);
        // Without a sender there is no interrupt.
        match tokio::time::timeout(pause, interrupted).await {
            Ok(Ok(_)) => return false,
            Ok(Err(_)) => tokio::time::sleep(pause).await,
            Err(_) => {}
        }
        self.was_long = self.patience.began.elapsed() >= LAG;
        true
    }

    /// Whether reading went on longer after the write than the known lag.
    pub fn was_long(&self) -> bool {
        self.was_long
    }

    /// Reads until the result is settled or no time is left. Returns the last result.
    pub(super) async fn until<T, E>(
        &mut self,
        mut look: impl AsyncFnMut() -> Result<T, E>,
        is_settled: impl Fn(&T) -> bool,
    ) -> Result<T, E> {
        let found = loop {
            let found = look().await;
            if found.as_ref().map_or(true, &is_settled) || !self.pause().await {
                break found;
            }
        };
        self.close();
        found
    }

    fn open(&mut self) {
        if !std::mem::replace(&mut self.is_open, true) {
            let (open, since) = self.patience.open.get();
            let since = if open > 0 { since } else { Instant::now() };
            self.patience.open.set((open + 1, since));
        }
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.is_open) {
            let (open, since) = self.patience.open.get();
            if open == 1 {
                self.patience.spent.set(self.patience.spent.get() + since.elapsed());
            }
            self.patience.open.set((open - 1, since));
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience(milliseconds: u64) -> (watch::Sender<bool>, Patience) {
        let (sender, interrupt) = watch::channel(false);
        (sender, Patience::new(Duration::from_millis(milliseconds), interrupt))
    }

    /// Number of reads of something that never appears, and their duration.
    async fn looks(patience: &Patience) -> (usize, Duration) {
        let (mut looks, began) = (0, Instant::now());
        let count = async || {
            looks += 1;
            Ok::<_, ()>(looks)
        };
        patience.begin().until(count, |_| false).await.unwrap();
        (looks, began.elapsed())
    }

    #[test]
    fn it_is_looked_ever_more_seldom() {
        let (_sender, patience) = patience(30_000);
        let pauses: Vec<_> = patience.begin().pauses.by_ref().take(20).collect();
        assert!(pauses.is_sorted() && pauses.last() == Some(&LONGEST), "{pauses:?}");
    }

    #[tokio::test]
    async fn without_patience_it_is_looked_once() {
        let (_sender, patience) = patience(0);
        assert_eq!(looks(&patience).await.0, 1);
    }

    #[tokio::test]
    async fn waits_side_by_side_take_their_time_once_and_later_ones_what_is_left() {
        let (_sender, patience) = patience(700);
        let (first, second) = tokio::join!(looks(&patience), looks(&patience));
        for (looks, took) in [first, second] {
            assert!(looks >= 3 && took >= Duration::from_millis(690), "{looks} looks, {took:?}");
        }
        assert_eq!(looks(&patience).await.0, 1);
    }

    #[tokio::test]
    async fn what_is_found_at_once_or_comes_before_a_wait_takes_no_time() {
        let (_sender, patience) = patience(500);
        let mut wait = patience.begin();
        wait.until(async || Ok::<_, ()>(()), |()| true).await.unwrap();
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert!(wait.pause().await && patience.left() < Duration::from_millis(400));
        drop(wait);
        let left = patience.left();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(patience.left(), left);
    }

    #[tokio::test]
    async fn a_signal_ends_the_wait() {
        let (sender, patience) = patience(3_600_000);
        sender.send_replace(true);
        assert_eq!(looks(&patience).await.0, 1);
    }
}
