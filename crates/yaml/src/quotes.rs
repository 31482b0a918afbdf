//! Where a quoted text ends.

use saphyr_parser::ScalarStyle;

use crate::span::{Position, Span};

/// The text, read along with the events.
pub(crate) struct Cursor<'s> {
    rest: &'s str,
    /// How many characters were read.
    index: usize,
}

impl<'s> Cursor<'s> {
    pub(crate) fn new(rest: &'s str) -> Self {
        Self { rest, index: 0 }
    }

    /// For the parser, a quoted text ends where the white space and the comment behind it end; for
    /// a reader, at its quote. A block's text ends for the parser where the next thing begins; for a
    /// reader, with its last line that holds something. `from` and `to` count the characters before
    /// its beginning and its end.
    pub(crate) fn without_what_follows(
        &mut self,
        span: Span,
        (from, to): (usize, usize),
        style: ScalarStyle,
    ) -> Span {
        let quote = match style {
            ScalarStyle::SingleQuoted => '\'',
            ScalarStyle::DoubleQuoted => '"',
            ScalarStyle::Literal | ScalarStyle::Folded => {
                self.skip_to(from);
                return self.without_blank_end(span, to.saturating_sub(from));
            }
            ScalarStyle::Plain => return span,
        };
        self.skip_to(from);
        let mut chars = self.rest.chars().peekable();
        if chars.next() != Some(quote) {
            return span;
        }
        let Position { mut line, column } = span.start;
        let mut column = column + 1;
        while let Some(c) = chars.next() {
            column += 1;
            match c {
                '\\' if quote == '"' && !matches!(chars.peek(), Some('\r' | '\n')) => {
                    chars.next();
                    column += 1;
                }
                '\'' if quote == '\'' && chars.next_if_eq(&'\'').is_some() => column += 1,
                '\n' => (line, column) = (line + 1, 1),
                '\r' if chars.peek() != Some(&'\n') => (line, column) = (line + 1, 1),
                _ if c == quote => {
                    let start = span.start;
                    let end = Position { line, column };
                    return Span { start, end };
                }
                _ => {}
            }
        }
        span
    }

    fn skip_to(&mut self, index: usize) {
        let skipped = index.saturating_sub(self.index);
        self.rest = (self.rest.char_indices().nth(skipped)).map_or("", |(at, _)| &self.rest[at..]);
        self.index += skipped;
    }

    /// The span of so many characters without the white space at their end.
    fn without_blank_end(&self, span: Span, length: usize) -> Span {
        let Position { mut line, mut column } = span.start;
        let mut end = span.start;
        let mut chars = self.rest.chars().take(length).peekable();
        while let Some(c) = chars.next() {
            let is_break = c == '\n' || c == '\r' && chars.peek() != Some(&'\n');
            (line, column) = if is_break { (line + 1, 1) } else { (line, column + 1) };
            if !c.is_whitespace() {
                end = Position { line, column };
            }
        }
        Span { start: span.start, end }
    }
}
