//! A text by its lines, and with parts of it replaced.

use std::ops::Range;

use super::{CHANGED, Hindrance};

/// A text that takes the place of what stands there.
pub(super) type Replacement = (Range<usize>, String);

/// The text with its replacements, which do not overlap. Of what begins at one place, the shorter comes
/// first: what is put there stands before what is taken out.
pub(super) fn replaced(before: &str, mut edits: Vec<Replacement>) -> Result<String, Hindrance> {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut after = String::with_capacity(before.len());
    let mut done = 0;
    for (range, text) in edits {
        before.get(range.clone()).ok_or(CHANGED)?;
        after.push_str(before.get(done..range.start).ok_or(CHANGED)?);
        after.push_str(&text);
        done = range.end;
    }
    after.push_str(before.get(done..).ok_or(CHANGED)?);
    Ok(after)
}

pub(super) fn line_break(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The end of the line that a place is on, before its line break.
pub(super) fn line_end(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    Some(at + rest.find(['\r', '\n']).unwrap_or(rest.len()))
}

/// The same, behind its line break if it has one.
pub(super) fn next_line(text: &str, at: usize) -> Option<usize> {
    let end = line_end(text, at)?;
    let rest = text.get(end..)?;
    let ends = ["\r\n", "\n", "\r"].into_iter().find(|ends| rest.starts_with(ends));
    Some(end + ends.map_or(0, str::len))
}

/// The beginning of the line that a place is on.
pub(super) fn line_start(text: &str, at: usize) -> Option<usize> {
    Some(text.get(..at)?.rfind(['\r', '\n']).map_or(0, |at| at + 1))
}

/// The white space before the dash of a list's item that begins there; `None` where it is none.
pub(super) fn dash(text: &str, item: usize) -> Option<Range<usize>> {
    let start = line_start(text, item)?;
    let line = text.get(start..item)?;
    let indent = line.len() - line.trim_start_matches(' ').len();
    let rest = line.get(indent..)?;
    (rest.starts_with('-') && rest[1..].trim().is_empty() && rest.len() > 1)
        .then_some(start..start + indent)
}
