//! Changes in a file.

use std::fmt::Write as _;

use similar::{Change, ChangeTag, TextDiff};

use super::diagnostics::SourceLines;
use super::text::{BAD, GOOD, HEADING, QUIET};
use crate::declare::FixedFile;
use domain::text::printable;

/// The parts of a line around its text that a diff must preserve: a byte order mark, and the carriage return
/// of a line end.
fn around(line: &str) -> (&str, &str) {
    let mark = if line.starts_with('\u{feff}') { "\u{feff}" } else { "" };
    let end = if line.ends_with("\r\n") { "\r" } else { "" };
    (mark, end)
}

/// A unified diff with ANSI colours. Lines that could hold a secret are not shown.
pub fn diff(fixed: &FixedFile) -> String {
    let FixedFile { file, before, after } = fixed;
    let (old, new) = (SourceLines::new(file, before), SourceLines::new(file, after));
    unified(fixed, |change| {
        let line = match (change.old_index(), change.new_index()) {
            (Some(index), _) => old.get(index + 1),
            (None, Some(index)) => new.get(index + 1),
            (None, None) => None,
        };
        line.map_or("(not shown)".into(), |line| line.iter().collect())
    })
}

/// The same of a rendered file, which holds no secret: long texts are shown too, such as identities.
pub fn diff_of_rendered(fixed: &FixedFile) -> String {
    unified(fixed, |change| {
        let line = change.value().trim_start_matches('\u{feff}');
        line.trim_end_matches(['\r', '\n']).to_owned()
    })
}

fn unified(fixed: &FixedFile, line: impl Fn(&Change<&str>) -> String) -> String {
    let FixedFile { file, before, after } = fixed;
    let file = printable(file);
    let diff = TextDiff::from_lines(before.as_str(), after.as_str());
    let mut out = format!("{HEADING}--- a/{file}{HEADING:#}\n{HEADING}+++ b/{file}{HEADING:#}\n");
    for hunk in diff.unified_diff().context_radius(2).iter_hunks() {
        // Writing into a String does not fail.
        let _ = writeln!(out, "{QUIET}{}{QUIET:#}", hunk.header());
        for change in hunk.iter_changes() {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ('-', BAD),
                ChangeTag::Insert => ('+', GOOD),
                ChangeTag::Equal => (' ', anstyle::Style::new()),
            };
            let line = line(&change);
            let line = printable(&line);
            let (mark, end) = around(change.value());
            let _ = writeln!(out, "{style}{sign}{mark}{line}{style:#}{end}");
            if change.missing_newline() {
                let _ = writeln!(out, "{QUIET}\\ No newline at end of file{QUIET:#}");
            }
        }
    }
    out
}
