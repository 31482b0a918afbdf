//! Brings the state to its file, in the background.
//!
//! Promised: after an orderly end everything that was answered is in the file. After a kill at
//! most the last [`PAUSE`] and the time of one write are missing, and the file is a whole earlier
//! state. As each write holds all of the state, a large one is written more rarely: writing takes
//! a third of the time at most.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::shared::{Shared, lock};
use super::{SandboxError, StateFile};

/// How long changes are gathered before they are written.
const PAUSE: Duration = Duration::from_millis(50);

/// Tells the writer that there is something to write, or that there will be no more.
#[derive(Debug, Default)]
pub(super) struct Signal {
    flags: Mutex<Flags>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone, Copy)]
struct Flags {
    dirty: bool,
    stop: bool,
}

impl Signal {
    pub(super) fn dirty(&self) {
        self.set(|flags| flags.dirty = true);
    }

    fn set(&self, change: impl FnOnce(&mut Flags)) {
        change(&mut lock(&self.flags));
        self.changed.notify_all();
    }

    /// Waits until there is something to write and `pause` has gone by, or until the end; what it
    /// gives counts as seen.
    fn next(&self, pause: Duration) -> Flags {
        let flags = self
            .changed
            .wait_while(lock(&self.flags), |flags| !flags.dirty && !flags.stop)
            .unwrap_or_else(PoisonError::into_inner);
        let (mut flags, _) = self
            .changed
            .wait_timeout_while(flags, pause, |flags| !flags.stop)
            .unwrap_or_else(PoisonError::into_inner);
        let seen = *flags;
        flags.dirty = false;
        seen
    }
}

/// The thread that writes. It ends with [`StateWriter::finish`] or when dropped, after the last write.
pub(super) struct StateWriter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<(), SandboxError>>>,
}

impl StateWriter {
    pub(super) fn start(shared: Arc<Shared>, file: StateFile) -> Self {
        // What the sandbox starts with is kept too.
        shared.signal.dirty();
        let theirs = Arc::clone(&shared);
        Self { shared, thread: Some(thread::spawn(move || run(&theirs, &file))) }
    }

    /// Writes what is not written yet and gives the file free.
    pub(super) fn finish(mut self) -> Result<(), SandboxError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), SandboxError> {
        self.shared.signal.set(|flags| flags.stop = true);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            // A thread that panicked has told it already.
            Some(Err(_)) | None => Ok(()),
        }
    }
}

impl Drop for StateWriter {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!("{error}");
        }
    }
}

fn run(shared: &Shared, file: &StateFile) -> Result<(), SandboxError> {
    let mut pause = PAUSE;
    let mut outcome = Ok(());
    loop {
        let flags = shared.signal.next(pause);
        // A write that failed is tried again at the end, even if nothing has changed since.
        if flags.dirty || outcome.is_err() {
            let begun = Instant::now();
            outcome = write(shared, file);
            pause = PAUSE.max(begun.elapsed() * 2);
            if let Err(error) = &outcome {
                tracing::error!("{error}");
            }
        }
        if flags.stop {
            return outcome;
        }
    }
}

fn write(shared: &Shared, file: &StateFile) -> Result<(), SandboxError> {
    let json = shared.read(serde_json::to_vec);
    file.write(&json.map_err(SandboxError::Serialize)?)
}
