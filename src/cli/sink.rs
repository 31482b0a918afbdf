//! The only place where stdout and stderr are written. It lets nothing through that controls a terminal, is a
//! command to a CI runner, or is a secret that was read; `clippy.toml` forbids other ways to print.
#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::backtrace::{Backtrace, BacktraceStatus};
use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::panic::PanicHookInfo;

use clap::ColorChoice;

use super::exit::Failure;
use super::log::Format;
use crate::render::BAD;
use domain::secret::redact;
use domain::text::{escaped_json, for_annotations, for_log, printable};

/// Prints a result. A reader that has closed the pipe, as `head` does, needs no more of it; any other write
/// error is reported, as a job must not continue with half of a result.
pub(super) fn print(color: ColorChoice, text: &str) -> Result<(), Failure> {
    unless_unread(write(color, text))
}

/// Prints a text that must be received: a reader that has closed the pipe is an error too.
pub(super) fn write(color: ColorChoice, text: &str) -> io::Result<()> {
    to_stdout(color, &for_log(&redact(text)))
}

/// Prints a result for programs, such as YAML: unchanged, or not at all.
pub(super) fn print_exact(text: &str) -> Result<(), Failure> {
    match redact(text) {
        Cow::Borrowed(text) => print_secret(text),
        Cow::Owned(_) => Err(Failure::failed("the result holds a secret, and is not printed")),
    }
}

/// The same for a result that is a secret, on request: a token, or credentials.
pub(super) fn print_secret(text: &str) -> Result<(), Failure> {
    match for_log(text) {
        Cow::Borrowed(text) => unless_unread(write_secret(text)),
        Cow::Owned(_) => Err(Failure::failed(
            "the result holds text that a terminal or a CI runner would take for a command, and is \
             not printed",
        )),
    }
}

/// Writes the only copy of a secret, which must be received: a reader that has closed the pipe is an error
/// too.
pub(super) fn write_secret(text: &str) -> io::Result<()> {
    to_stdout(ColorChoice::Never, text)
}

/// Prints commands to GitHub's runner.
pub(super) fn print_annotations(color: ColorChoice, text: &str) -> Result<(), Failure> {
    unless_unread(to_stdout(color, &for_annotations(&redact(text))))
}

fn to_stdout(color: ColorChoice, text: &str) -> io::Result<()> {
    let choice = match color {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    let mut stdout = anstream::AutoStream::new(io::stdout(), choice);
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

fn unless_unread(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Failed(format!("the result cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes text to stderr. A write error is ignored.
pub(super) fn report(text: &str) {
    let mut stderr = anstream::AutoStream::auto(io::stderr());
    let _ = stderr.write_all(for_log(&redact(text)).as_bytes()).and_then(|()| stderr.flush());
}

/// Writes an error to stderr, its first line as the error and the others as details.
pub(super) fn report_error(why: &str) {
    let mut lines = why.lines();
    let first = printable(lines.next().unwrap_or_default());
    let rest: String = lines.map(|line| format!("  {}\n", printable(line))).collect();
    report(&format!("{BAD}error{BAD:#}: {first}\n{rest}"));
}

/// Whether stderr is a terminal.
pub(super) fn is_on_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Writes a panic of the program to stderr; its message may contain text from outside.
pub(super) fn report_panic(fault: &PanicHookInfo<'_>) {
    report_error(&format!("a fault of the program itself: {fault}"));
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        report(&format!("{trace}\n"));
    }
}

/// An event that is written to stderr at once.
pub(super) struct Event(pub(super) Format);

impl Write for Event {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        match self.0 {
            Format::Text => report(&text),
            Format::Json => report(&escaped_json(&text)),
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    #[test]
    fn a_panic_repeats_no_command() {
        const PANICS: &str = "PORTVAKT_TEST_PANICS";
        if std::env::var_os(PANICS).is_some() {
            std::panic::set_hook(Box::new(super::report_panic));
            panic!("kjenning ##vso[a]\n::error::b\u{1b}[2J");
        }
        let test = "cli::sink::tests::a_panic_repeats_no_command";
        let mut again = Command::new(std::env::current_exe().unwrap());
        let ran = again.args(["--exact", test, "--nocapture"]).env(PANICS, "1").output().unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert!(stderr.contains("error: a fault of the program itself: panicked at"), "{stderr}");
        let shown = "  kjenning ##vso\u{FFFD}a]\n  :\u{FFFD}error::b\u{FFFD}[2J\n";
        assert!(stderr.contains(shown), "{stderr}");
    }
}
