//! What is wrong with a text that is not YAML, in the words of somebody who types it.
//!
//! A parser tells where it could not go on, which is often below the mistake, and in words about
//! its own workings. Here the lines around that place are looked at for the usual mistakes.

mod brackets;
mod characters;
mod indentation;
mod keys;
mod line;
mod quoting;

use line::Line;
use yaml::{Lines, Position, Span};

/// What is told of a text that is not YAML.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Explanation {
    pub(crate) span: Span,
    pub(crate) reason: String,
    /// What to type.
    pub(crate) help: String,
}

/// Tells what is wrong, given where a parser stopped and what it said.
pub(crate) fn explain(text: &str, at: Position, said: &str, repeats: bool) -> Explanation {
    // What is nearest to certain comes first.
    const LOOKS: [fn(&Broken<'_>) -> Option<Explanation>; 13] = [
        characters::conflict,
        characters::template,
        characters::tab,
        characters::lookalike,
        quoting::quotes,
        brackets::brackets,
        characters::indicator,
        keys::behind_a_bracket,
        keys::colon_in_a_text,
        keys::missing_colon,
        indentation::dashes,
        indentation::keys,
        indentation::missing_dash,
    ];
    // A key in PEM must not be repeated.
    let repeats = repeats && !text.contains("PRIVATE KEY");
    let broken = Broken { lines: Lines::new(text), at, said, repeats };
    LOOKS.iter().find_map(|look| look(&broken)).unwrap_or_else(|| {
        let help = "check the indentation, quotes and brackets here and just above";
        broken.explain(broken.line(), broken.column(), 0, said, help)
    })
}

/// A text, and where and why a parser stopped.
struct Broken<'t> {
    lines: Lines<'t>,
    at: Position,
    said: &'t str,
    /// Whether what the text says may be repeated: it could be a secret.
    repeats: bool,
}

impl<'t> Broken<'t> {
    fn says(&self, any: &[&str]) -> bool {
        any.iter().any(|part| self.said.contains(part))
    }

    /// The line at which the parser stopped.
    fn line(&self) -> usize {
        self.at.line as usize
    }

    /// The column at which the parser stopped, the first being 0.
    fn column(&self) -> usize {
        self.at.column as usize - 1
    }

    fn get(&self, number: usize) -> Line<'t> {
        Line::new(number, self.lines.line(number))
    }

    fn last(&self) -> usize {
        self.lines.starts.len()
    }

    /// The lines above that have more than a comment, the nearest first.
    fn all_above(&self, number: usize) -> impl Iterator<Item = Line<'t>> {
        let lines = (1..number).rev().map(|number| self.get(number));
        lines.filter(|line| !line.content.is_empty())
    }

    /// The nearest of them.
    fn above(&self, number: usize) -> Option<Line<'t>> {
        self.all_above(number).next()
    }

    /// The nearest line below that has more than a comment.
    fn below(&self, number: usize) -> Option<Line<'t>> {
        (number + 1..=self.last())
            .map(|number| self.get(number))
            .find(|line| !line.content.is_empty())
    }

    /// The line at which the parser stopped, and the two above it that say something, from above.
    fn around(&self) -> Vec<Line<'t>> {
        let above = self.all_above(self.line()).take(2);
        let mut lines: Vec<_> = std::iter::once(self.get(self.line())).chain(above).collect();
        lines.reverse();
        lines
    }

    /// A text as help shows it; an ellipsis where it may not be repeated.
    fn shown<'s>(&self, text: &'s str) -> &'s str {
        /// A longer word could be a key or a token.
        const LONGEST_WORD: usize = 30;
        const LONGEST: usize = 80;
        let is_long = |word: &str| word.chars().count() > LONGEST_WORD;
        match self.repeats && text.len() <= LONGEST && !text.split_whitespace().any(is_long) {
            true => text,
            false => "…",
        }
    }

    /// A key as help shows it.
    fn name<'s>(&self, key: &'s str) -> &'s str {
        if keys::is_known(key) { key } else { self.shown(key) }
    }

    /// What is told of a place; the column counts from 0.
    fn explain(
        &self,
        line: usize,
        column: usize,
        length: usize,
        reason: impl Into<String>,
        help: impl Into<String>,
    ) -> Explanation {
        let position = |column: usize| Position::new(line, column + 1);
        let span = Span { start: position(column), end: position(column + length) };
        Explanation { span, reason: reason.into(), help: help.into() }
    }

    /// What is told of all that a line has but its comment.
    fn explain_line(&self, line: &Line<'_>, reason: &str, help: impl Into<String>) -> Explanation {
        let length = line.content.chars().count();
        self.explain(line.number, line.content_column, length, reason, help)
    }
}
