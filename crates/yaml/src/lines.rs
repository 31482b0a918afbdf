//! A text's lines.

use std::ops::Range;

use crate::span::{Position, Span};

/// The place where a text ends. YAML's lines end with a line feed, a carriage return, or the two together
/// (YAML 1.2.2, section 5.4).
pub fn end_of(text: &str) -> Position {
    let last = text.rsplit(['\n', '\r']).next().unwrap_or_default();
    let pairs = text.matches("\r\n").count();
    let breaks = text.matches(['\n', '\r']).count() - pairs;
    Position::new(breaks + 1, last.chars().count() + 1)
}

/// The place behind a text that begins at a place.
pub(crate) fn behind(start: Position, text: &str) -> Position {
    let Position { line, column } = end_of(text);
    let column = if line == 1 { start.column + column - 1 } else { column };
    Position { line: start.line + line - 1, column }
}

/// A text and where its lines begin.
pub struct Lines<'t> {
    /// The text.
    pub text: &'t str,
    /// The byte that each line begins with.
    pub starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Finds the lines.
    pub fn new(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let ends = |at: &usize| match bytes[*at] {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        let starts = (0..bytes.len()).filter(ends).map(|at| at + 1);
        Self { text, starts: std::iter::once(0).chain(starts).collect() }
    }

    fn offset(&self, at: Position) -> Option<usize> {
        let start = *self.starts.get(at.line as usize - 1)?;
        let mut chars = self.text[start..].char_indices().map(|(offset, _)| start + offset);
        chars.nth(at.column as usize - 1).or(Some(self.text.len()))
    }

    /// The bytes of a place; `None` if the text has no such place.
    pub fn range(&self, span: Span) -> Option<Range<usize>> {
        let range = self.offset(span.start)?..self.offset(span.end)?;
        (range.start <= range.end).then_some(range)
    }

    /// The line of this number, the first being 1, without its end.
    pub fn line(&self, number: usize) -> &'t str {
        self.text[self.start(number)..self.start(number + 1)].trim_end_matches(['\n', '\r'])
    }

    /// Where the line of this number begins; behind the last one, where the text ends.
    pub fn start(&self, number: usize) -> usize {
        self.starts.get(number - 1).copied().unwrap_or(self.text.len())
    }

    /// The number of the line that a byte is on.
    pub fn number(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }
}
