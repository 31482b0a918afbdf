//! Where a quoted text ends.

use saphyr_parser::ScalarStyle;

use crate::lines::behind;
use crate::span::Span;

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
        let text = match style {
            ScalarStyle::Plain => return span,
            ScalarStyle::SingleQuoted => quoted(self.skip_to(from), '\''),
            ScalarStyle::DoubleQuoted => quoted(self.skip_to(from), '"'),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let rest = self.skip_to(from);
                let end = rest.char_indices().nth(to.saturating_sub(from));
                Some(rest[..end.map_or(rest.len(), |(at, _)| at)].trim_end())
            }
        };
        let end = text.map_or(span.end, |text| behind(span.start, text));
        Span { start: span.start, end }
    }

    /// What is not read yet, from the character of this number on.
    fn skip_to(&mut self, index: usize) -> &'s str {
        let skipped = index.saturating_sub(self.index);
        self.rest = (self.rest.char_indices().nth(skipped)).map_or("", |(at, _)| &self.rest[at..]);
        self.index += skipped;
        self.rest
    }
}

/// The quoted text that a text begins with, its quotes included.
fn quoted(text: &str, quote: char) -> Option<&str> {
    let mut chars = text.char_indices().peekable();
    chars.next_if(|(_, c)| *c == quote)?;
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if quote == '"' => drop(chars.next()),
            '\'' if quote == '\'' && chars.next_if(|(_, next)| *next == '\'').is_some() => {}
            _ if c == quote => return text.get(..=at),
            _ => {}
        }
    }
    None
}
