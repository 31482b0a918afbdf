//! Lines of a file with messages about places in them.

use std::ops::{Range, RangeInclusive};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::sources::SourceLines;
use crate::render::text::{BAD, CAREFUL, QUIET};

/// Longest line, in characters; a longer one is shortened around the underlined part.
const WIDEST: usize = 140;
/// Number of characters that are kept before the underlined part of a shortened line.
const LEAD: usize = 40;
/// Largest number of lines that are underlined; of more lines, only the first is.
const TALLEST: usize = 6;
/// Largest distance in lines of places that are shown together.
const NEAR: usize = 5;

const RENDERER: Renderer = Renderer::styled()
    .error(BAD)
    .warning(CAREFUL)
    .note(QUIET)
    .line_num(QUIET)
    .context(QUIET)
    .term_width(8 * WIDEST);

/// A place; line and column start at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LineColumn {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// An underlined range, whose end is exclusive, and the message about it.
#[derive(Debug)]
pub(super) struct Underline<'d> {
    pub(super) start: LineColumn,
    pub(super) end: LineColumn,
    pub(super) label: Option<&'d str>,
}

/// Marks that are shown together, with their lines.
#[derive(Debug)]
pub(super) struct Excerpt<'d> {
    lines: &'d SourceLines,
    marks: Vec<Underline<'d>>,
}

impl<'d> Excerpt<'d> {
    /// `None` if the mark's line is never shown or no longer exists in the file.
    pub(super) fn new(lines: &'d SourceLines, mut mark: Underline<'d>) -> Option<Self> {
        let first = lines.get(mark.start.line)?;
        if !(1..=first.len() + 1).contains(&mark.start.column) {
            return None;
        }
        let end_of = |line: usize, length: usize| LineColumn { line, column: length + 1 };
        if mark.end.column <= 1 && mark.end.line > mark.start.line {
            let line = mark.end.line - 1;
            mark.end = end_of(line, lines.get(line).map_or(0, <[char]>::len));
        }
        let tall = mark.end.line.saturating_sub(mark.start.line) >= TALLEST;
        if tall || !fits(lines, mark.start.line..=mark.end.line) {
            mark.end = mark.end.min(end_of(mark.start.line, first.len()));
        }
        mark.end = mark.end.max(mark.start);
        Some(Self { lines, marks: vec![mark] })
    }

    /// Adds another mark of the same file if it is near; returns it if not.
    pub(super) fn absorb(&mut self, mark: Underline<'d>) -> Result<(), Underline<'d>> {
        let range = self.range();
        let line = mark.start.line;
        let is_near = line + NEAR >= *range.start() && line <= range.end() + NEAR;
        let wanted = line.min(*range.start())..=line.max(*range.end());
        let has = |line: &[char]| (1..=line.len() + 1).contains(&mark.start.column);
        if is_near && fits(self.lines, wanted) && self.lines.get(line).is_some_and(has) {
            self.marks.push(mark);
            return Ok(());
        }
        Err(mark)
    }

    fn range(&self) -> RangeInclusive<usize> {
        let first = self.marks.iter().map(|mark| mark.start.line).min().unwrap_or_default();
        let last = self.marks.iter().map(|mark| mark.end.line).max().unwrap_or_default();
        first..=last
    }

    /// The number of the last line.
    pub(super) fn last_line(&self) -> usize {
        *self.range().end()
    }

    /// The lines with their underlines, without a line break at the end.
    pub(super) fn render(&self, level: Level<'static>, leading: bool) -> String {
        let first_line = *self.range().start();
        let mut text = String::new();
        let mut cuts = Vec::new();
        for line in self.range() {
            if line > first_line {
                text.push('\n');
            }
            let cut = CutLine::new(self.lines.get(line).unwrap_or_default(), self.columns(line));
            cuts.push((text.len(), cut));
            cut.write(&mut text);
        }
        // The library ignores an empty line at the end.
        if text.is_empty() || text.ends_with('\n') {
            text.push(' ');
        }
        let offset = |at: LineColumn| {
            cuts.get(at.line - first_line).map_or(0, |(start, cut)| start + cut.offset(at.column))
        };
        let annotations = self.marks.iter().enumerate().map(|(index, mark)| {
            let is_first = leading && index == 0;
            let kind = if is_first { AnnotationKind::Primary } else { AnnotationKind::Context };
            let span = at_least_one(offset(mark.start)..offset(mark.end), &text);
            kind.span(span).label(mark.label)
        });
        let annotations: Vec<_> = annotations.collect();
        let snippet =
            Snippet::source(text.as_str()).line_start(first_line).annotations(annotations);
        RENDERER.render(&[Group::with_level(level).element(snippet)])
    }

    /// The underlined columns of a line, if it is the only one.
    fn columns(&self, line: usize) -> Range<usize> {
        let on_line = self.marks.iter().filter(|mark| mark.start.line == line);
        on_line.map(|mark| mark.start.column..mark.end.column).next().unwrap_or(1..1)
    }
}

/// Whether all these lines can be shown in full.
fn fits(lines: &SourceLines, mut range: RangeInclusive<usize>) -> bool {
    range.all(|line| lines.get(line).is_some_and(|line| line.len() <= WIDEST))
}

/// A caret needs a character above it, where there is one.
fn at_least_one(span: Range<usize>, text: &str) -> Range<usize> {
    let next = text.get(span.start..).and_then(|rest| rest.chars().next());
    match next.filter(|next| span.is_empty() && *next != '\n') {
        Some(next) => span.start..span.start + next.len_utf8(),
        None => span,
    }
}

/// A line, or the part of it that is shown.
#[derive(Debug, Clone, Copy)]
struct CutLine<'l> {
    line: &'l [char],
    from: usize,
    to: usize,
}

impl<'l> CutLine<'l> {
    /// The part of a long line around the columns.
    fn new(line: &'l [char], columns: Range<usize>) -> Self {
        if line.len() <= WIDEST {
            return Self { line, from: 0, to: line.len() };
        }
        let from = columns.start.saturating_sub(LEAD + 1).min(line.len() - WIDEST);
        Self { line, from, to: from + WIDEST }
    }

    fn shown(&self) -> &'l [char] {
        self.line.get(self.from..self.to).unwrap_or_default()
    }

    fn before(&self) -> &'static str {
        if self.from > 0 { "…" } else { "" }
    }

    fn write(&self, text: &mut String) {
        text.push_str(self.before());
        text.extend(self.shown());
        text.push_str(if self.to < self.line.len() { "…" } else { "" });
    }

    /// The number of bytes before a column in the output.
    fn offset(&self, column: usize) -> usize {
        let count = column.saturating_sub(self.from + 1);
        let bytes = self.shown().iter().take(count).map(|c| c.len_utf8()).sum::<usize>();
        self.before().len() + bytes
    }
}
