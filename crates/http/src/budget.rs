//! Memory for the bodies of answers, shared by all of them.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Response;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::answer::NoAnswer;
use crate::client::no_answer;

/// Largest answer that needs no room of its own, in bytes.
pub const SMALL: usize = 256 << 10;

/// Number of answers that are read at a time.
const READERS: usize = 64;

/// Room of all larger answers together, in KiB: two of the largest size.
const ROOM: usize = 128 << 10;

/// The budget of this process.
pub(crate) static BUDGET: Budget = Budget::new(READERS, ROOM);

/// A bound on the memory of all answers that are being read, or have been read and not been dropped.
///
/// An answer takes up to [`SMALL`] as one of the readers. Beyond that it reserves at once all the room that
/// it can need, and waits for nothing after that: room that is held is always released, and no two answers
/// wait for each other.
pub(crate) struct Budget {
    readers: Semaphore,
    /// One permit for each KiB.
    room: Semaphore,
    all: (usize, usize),
    peak: AtomicUsize,
}

/// The body of an answer, with the room that it occupies.
#[derive(Debug, Default)]
pub struct BudgetedBody {
    bytes: Box<[u8]>,
    /// Boxed, as most answers have none.
    _room: Option<Box<SemaphorePermit<'static>>>,
}

/// Limit on the size of a body, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// A larger body is refused.
    Whole(usize),
    /// Only the beginning of a larger body is read.
    Beginning(usize),
}

impl Budget {
    const fn new(readers: usize, room: usize) -> Self {
        Self {
            readers: Semaphore::const_new(readers),
            room: Semaphore::const_new(room),
            all: (readers, room),
            peak: AtomicUsize::new(0),
        }
    }

    /// Reads a body.
    pub(crate) async fn read(
        &'static self,
        response: &mut Response,
        limit: Limit,
    ) -> Result<BudgetedBody, NoAnswer> {
        let (Limit::Whole(most) | Limit::Beginning(most)) = limit;
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
        // Only a closed semaphore refuses, and these two are never closed.
        let _reader = self.readers.acquire().await.ok();
        self.note();
        let (mut bytes, mut permit) = (Vec::new(), None);
        let mut room = most.min(SMALL);
        while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
            let length = bytes.len() + chunk.len();
            if length > most {
                match limit {
                    Limit::Whole(_) => return Err(NoAnswer::TooLarge(most)),
                    Limit::Beginning(_) => break,
                }
            }
            if length > room {
                room = announced.filter(|whole| (length..=most).contains(whole)).unwrap_or(most);
                permit = self.room.acquire_many(kib(room)).await.ok();
                self.note();
            }
            if length > bytes.capacity() {
                // Doubled each time, and never more than the room.
                let capacity = (2 * bytes.capacity()).clamp(length, room);
                bytes.reserve_exact(capacity - bytes.len());
            }
            bytes.extend_from_slice(&chunk);
        }
        let bytes = bytes.into_boxed_slice();
        // Room that is not needed is returned.
        let spare = kib(room).saturating_sub(kib(bytes.len()));
        if let Some(permit) = &mut permit {
            drop(permit.split(spare as usize));
        }
        Ok(BudgetedBody { bytes, _room: permit.map(Box::new) })
    }

    /// Memory that is in use, in bytes.
    fn taken(&self) -> usize {
        let (readers, room) = self.all;
        let readers = readers.saturating_sub(self.readers.available_permits());
        let room = room.saturating_sub(self.room.available_permits());
        readers * SMALL + (room << 10)
    }

    fn note(&self) {
        self.peak.fetch_max(self.taken(), Ordering::Relaxed);
    }
}

impl Deref for BudgetedBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl From<Vec<u8>> for BudgetedBody {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into(), _room: None }
    }
}

fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use url::Url;

    use super::*;

    const MIB: usize = 1 << 20;

    /// A server that answers every request with that many bytes, with or without announcing the length.
    async fn server(size: usize, announced: bool) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let length = match announced {
                        true => format!("content-length: {size}\r\n"),
                        false => String::new(),
                    };
                    let head = format!("HTTP/1.1 200 OK\r\n{length}connection: close\r\n\r\n");
                    let _ = stream.write_all(head.as_bytes()).await;
                    let chunk = vec![b' '; 64 << 10];
                    let mut left = size;
                    while left > 0 {
                        let part = left.min(chunk.len());
                        if stream.write_all(&chunk[..part]).await.is_err() {
                            break;
                        }
                        left -= part;
                    }
                });
            }
        });
        url
    }

    async fn read(
        url: &Url,
        limit: Limit,
        budget: &'static Budget,
    ) -> Result<BudgetedBody, NoAnswer> {
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let mut response = client.get(url.clone()).send().await.unwrap();
        budget.read(&mut response, limit).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn many_large_answers_at_once_stay_within_the_budget() {
        for announced in [true, false] {
            let url = server(6 * MIB, announced).await;
            // Room for two answers of the largest size, and fewer readers than answers.
            let budget: &'static Budget = Box::leak(Box::new(Budget::new(8, 16 << 10)));
            let answers = (0..16).map(|_| async {
                let body = read(&url, Limit::Whole(8 * MIB), budget).await.unwrap();
                assert_eq!(body.len(), 6 * MIB);
                // Held for a while, as during parsing.
                tokio::time::sleep(Duration::from_millis(20)).await;
            });
            let all = tokio::time::timeout(Duration::from_secs(60), join_all(answers)).await;
            all.expect("the answers wait for each other");
            let peak = budget.peak.load(Ordering::Relaxed);
            assert!(peak > 6 * MIB, "{peak}");
            assert!(peak <= 16 * MIB + 8 * SMALL, "{peak}");
            assert_eq!(budget.taken(), 0, "all of it was given back");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_answer_that_is_too_large_takes_no_more_than_it_may() {
        for (announced, size, limit, length) in [
            (true, 3 * MIB, Limit::Whole(2 * MIB), None),
            (false, 3 * MIB, Limit::Whole(2 * MIB), None),
            (false, 2 * MIB, Limit::Whole(2 * MIB), Some(2 * MIB)),
            (true, SMALL + 1, Limit::Whole(SMALL), None),
            (true, SMALL, Limit::Whole(SMALL), Some(SMALL)),
            (true, 0, Limit::Whole(SMALL), Some(0)),
        ] {
            let url = server(size, announced).await;
            let budget: &'static Budget = Box::leak(Box::new(Budget::new(1, 2 << 10)));
            let body = read(&url, limit, budget).await;
            match length {
                None => assert!(matches!(body, Err(NoAnswer::TooLarge(_))), "{size}"),
                Some(length) => assert_eq!(body.unwrap().len(), length),
            }
            assert!(budget.peak.load(Ordering::Relaxed) <= 2 * MIB + SMALL);
            assert_eq!(budget.taken(), 0);
        }
        let url = server(3 * MIB, false).await;
        let budget: &'static Budget = Box::leak(Box::new(Budget::new(1, 1)));
        let body = read(&url, Limit::Beginning(SMALL), budget).await.unwrap();
        assert!(body.len() <= SMALL && body.len() > SMALL / 2, "{}", body.len());
        assert!(budget.peak.load(Ordering::Relaxed) <= SMALL);
    }
}
