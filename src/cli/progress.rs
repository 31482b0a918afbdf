//! Progress of long work, on stderr.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::global::Global;
use super::{log, sink};

/// Interval between lines without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// A bar on a terminal; otherwise a line now and then.
pub(super) struct Progress {
    what: &'static str,
    quiet: bool,
    format: log::Format,
    bar: Option<ProgressBar>,
    last_line: Mutex<Instant>,
}

impl Progress {
    /// Starts work with a description, such as "reading accesses".
    pub(super) fn start(global: &Global, what: &'static str) -> Self {
        let on_terminal = sink::is_on_terminal() && !global.quiet;
        let bar = on_terminal.then(|| {
            let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
            let bar = ProgressBar::no_length().with_message(what);
            if let Ok(style) = style { bar.with_style(style) } else { bar }
        });
        Self {
            what,
            quiet: global.quiet,
            format: global.log_format,
            bar,
            last_line: Mutex::new(Instant::now()),
        }
    }

    /// Shows the progress.
    pub(super) fn report(&self, done: usize, total: usize) {
        if total == 0 {
            return;
        }
        if let Some(bar) = &self.bar {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        } else if !self.quiet && self.is_time() {
            log::line(self.format, &format!("{}: {done} of {total}", self.what));
        }
    }

    /// The same as a callback for calls.
    pub(super) fn of_calls(&self) -> impl Fn(digdir::ReadProgress) + Sync + '_ {
        |read| self.report(read.done, read.total)
    }

    fn is_time(&self) -> bool {
        let Ok(mut last_line) = self.last_line.lock() else { return false };
        let is_time = last_line.elapsed() >= LINE_EVERY;
        if is_time {
            *last_line = Instant::now();
        }
        is_time
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
