//! SIGINT, SIGTERM, SIGHUP and SIGQUIT, and work that they end, with a lock or without.

#[cfg(unix)]
use std::task::Poll;

use tokio::sync::watch;

use super::exit::{Exit, Failure};
use crate::history::{Actor, History};
use crate::run::LockGuard;

/// Runs a command to its end.
pub(super) fn wait_for(
    command: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::Failed(format!("the program could not start: {error}")))?;
    let result = runtime.block_on(command);
    // A question without an answer must not delay the exit after a signal.
    runtime.shutdown_background();
    result
}

/// Runs a command that changes nothing at DigDir to its end, unless a signal arrives first.
pub(super) fn until_interrupted(
    command: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    wait_for(async { unless(listen()?, command).await })
}

/// Becomes true at the first signal that asks the program to stop; a second one stops it at once.
pub(super) fn listen() -> Result<watch::Receiver<bool>, Failure> {
    let failed = |error| Failure::Failed(format!("signals cannot be listened for: {error}"));
    let (sender, receiver) = watch::channel(false);
    let mut stop = signals().map_err(failed)?;
    tokio::spawn(async move {
        stop.recv().await;
        // An error means that there is no receiver any more.
        let _ = sender.send(true);
        // A second signal does not wait for requests in flight.
        stop.recv().await;
        std::process::exit(Exit::Interrupted as i32);
    });
    Ok(receiver)
}

/// Does the work unless a signal arrives first: then it is dropped. Only for work that changes nothing.
pub(super) async fn unless<T>(
    mut interrupt: watch::Receiver<bool>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        result = work => result,
        _ = interrupt.wait_for(|interrupt| *interrupt) => Err(Failure::Interrupted),
    }
}

/// Takes the lock, if there is one, and then does work that changes nothing; if that fails or a signal arrives
/// first, the lock is released.
pub(super) async fn under_lock<T>(
    interrupt: &watch::Receiver<bool>,
    history: Option<&History>,
    actor: &Actor,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<(Option<LockGuard>, T), Failure> {
    let lock_guard = match history {
        Some(history) => Some(unless(interrupt.clone(), LockGuard::take(history, actor)).await?),
        None => None,
    };
    match unless(interrupt.clone(), work).await {
        Ok(done) => Ok((lock_guard, done)),
        Err(failure) => {
            if let Some(lock_guard) = lock_guard {
                lock_guard.release().await;
            }
            Err(failure)
        }
    }
}

/// SIGINT, SIGTERM, SIGHUP and SIGQUIT, or Ctrl-C.
#[cfg(unix)]
pub(super) struct Signals([tokio::signal::unix::Signal; 4]);

/// Listens for them from now on.
#[cfg(unix)]
pub(super) fn signals() -> std::io::Result<Signals> {
    use tokio::signal::unix::{SignalKind, signal};
    Ok(Signals([
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
        signal(SignalKind::quit())?,
    ]))
}

#[cfg(unix)]
impl Signals {
    pub(super) async fn recv(&mut self) {
        std::future::poll_fn(|context| {
            match self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready()) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }
}

#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
pub(super) fn signals() -> std::io::Result<Signals> {
    Ok(Signals)
}

#[cfg(not(unix))]
impl Signals {
    pub(super) async fn recv(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
