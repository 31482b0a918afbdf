//! Editing the YAML by exact spans, so that every comment and all other text stays. What comes of it
//! is read again, and refused unless it says exactly what is wanted.

#[cfg(test)]
mod added;
mod consumers;
mod draft;
#[cfg(test)]
mod generated;
mod keys;
mod nais;
mod page;
#[cfg(test)]
mod tests;

use std::ops::Range;

use serde::Deserialize as _;
use serde_yaml::Value;

pub use consumers::{ConsumerEntry, ScopeDeclaration};
pub use nais::{Handed, Release};

/// A file with another text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The file, relative to the repository.
    pub file: String,
    /// What it holds then.
    pub after: String,
}

/// Why a file cannot be edited, and what to do by hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} cannot be edited: {why}. {wanted}")]
pub struct CannotEdit {
    file: String,
    why: &'static str,
    wanted: String,
}

/// A text that takes the place of what stands there.
type Replacement = (Range<usize>, String);

/// Why something cannot be edited.
type Because = &'static str;

const CHANGED: Because = "its text has changed";
const ALIASES: Because =
    "it uses YAML aliases, so that a change in one place would be one in others";
const NOT_THE_SAME: Because = "the result would not declare the same besides";

/// The text with its replacements, which do not overlap.
fn replaced(before: &str, mut edits: Vec<Replacement>) -> Result<String, Because> {
    let mut after = before.to_owned();
    // Of what begins at one place, a text that is put there comes last: what is taken out stands
    // behind it.
    edits.sort_by_key(|(range, _)| std::cmp::Reverse((range.start, range.end)));
    let mut next = before.len();
    for (range, text) in edits {
        let sound = before.is_char_boundary(range.start) && before.is_char_boundary(range.end);
        if !sound || range.start > range.end || range.end > next {
            return Err(CHANGED);
        }
        next = range.start;
        after.replace_range(range, &text);
    }
    Ok(after)
}

/// The documents of a text; `None` for what is no YAML.
fn documents(text: &str) -> Option<Vec<Value>> {
    let read = serde_yaml::Deserializer::from_str(text).map(Value::deserialize);
    read.collect::<Result<_, _>>().ok()
}

fn line_break(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The end of the line that a place is on, before its line break.
fn line_end(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    Some(at + rest.find(['\r', '\n']).unwrap_or(rest.len()))
}

/// The same, behind its line break if it has one.
fn next_line(text: &str, at: usize) -> Option<usize> {
    let end = line_end(text, at)?;
    let rest = text.get(end..)?;
    let ends = ["\r\n", "\n", "\r"].into_iter().find(|ends| rest.starts_with(ends));
    Some(end + ends.map_or(0, str::len))
}

/// The beginning of the line that a place is on.
fn line_start(text: &str, at: usize) -> Option<usize> {
    Some(text.get(..at)?.rfind(['\r', '\n']).map_or(0, |at| at + 1))
}

/// The white space before the dash of a list's item that begins there; `None` where it is none.
fn dash(text: &str, item: usize) -> Option<Range<usize>> {
    let start = line_start(text, item)?;
    let line = text.get(start..item)?;
    let indent = line.len() - line.trim_start_matches(' ').len();
    let rest = line.get(indent..)?;
    (rest.starts_with('-') && rest[1..].trim().is_empty() && rest.len() > 1)
        .then_some(start..start + indent)
}
