//! A text in which values are set, taken out and added. What is written in braces stays so, and so
//! does what is written line by line.

use std::ops::Range;

use super::{Behind, CHANGED, COMMENT, Hindrance, LAYOUT};
use crate::lines::Lines;
use crate::span::Span;
use crate::tree::Node;

/// The text of a file, and what is to change in it.
pub(super) struct Page<'t> {
    pub(super) lines: Lines<'t>,
    /// Which bytes go, and what takes their place.
    pub(super) edits: Vec<(Range<usize>, String)>,
    /// How its lines end.
    pub(super) ends: &'static str,
}

impl<'t> Page<'t> {
    /// The text without its byte order mark.
    pub(super) fn new(text: &'t str) -> Self {
        let ends = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Self { lines: Lines::new(text), edits: Vec::new(), ends }
    }

    /// The text as it is to be. Changes do not overlap; of those that begin at one place, the shorter
    /// comes first: what is put there stands before what is taken out.
    pub(super) fn done(mut self) -> Result<String, Hindrance> {
        self.edits.sort_by_key(|(range, _)| (range.start, range.end));
        let mut after = String::new();
        let mut done = 0;
        for (range, text) in &self.edits {
            self.part(range.clone())?;
            after.push_str(self.part(done..range.start)?);
            after.push_str(text);
            done = range.end;
        }
        after.push_str(self.part(done..self.lines.text.len())?);
        Ok(after)
    }

    pub(super) fn put(&mut self, at: usize, text: String) {
        self.edits.push((at..at, text));
    }

    pub(super) fn part(&self, range: Range<usize>) -> Result<&'t str, Hindrance> {
        self.lines.text.get(range).ok_or(CHANGED)
    }

    pub(super) fn range(&self, span: Span) -> Result<Range<usize>, Hindrance> {
        self.lines.range(span).ok_or(CHANGED)
    }

    /// Where a value stands, without white space behind it.
    pub(super) fn extent(&self, at: &Node<'_>) -> Result<Range<usize>, Hindrance> {
        let Range { start, end } = self.range(at.span())?;
        Ok(start..self.part(0..end)?.trim_end().len().max(start))
    }

    /// Where a key of a mapping stands with its value.
    pub(super) fn entry(&self, at: &Node<'_>, key: &str) -> Result<Range<usize>, Hindrance> {
        let own = self.range(at.key_span(key))?;
        let value = self.extent(at.get(key).ok_or(CHANGED)?)?;
        Ok(own.start..value.end.max(own.end))
    }

    /// Whether a mapping or a list is written in braces or brackets.
    pub(super) fn is_in_braces(&self, at: &Node<'_>) -> bool {
        let start = at.span().start;
        // A list whose dashes are not indented begins, for the parser, where its first item does.
        let is_first = at.items().next().is_some_and(|item| item.span().start == start);
        let text = self.range(at.span()).and_then(|range| self.part(range));
        !is_first && text.is_ok_and(|text| text.starts_with(['{', '[']))
    }

    /// How far the dash is indented that an item of a list stands behind, on the same line.
    pub(super) fn dash(&self, item: &Node<'_>) -> Result<usize, Hindrance> {
        let start = item.span().start;
        let line = self.lines.start(start.line as usize);
        let before = self.part(line..self.range(item.span())?.start)?;
        let rest = before.trim_start_matches(' ');
        match rest.strip_prefix('-').is_some_and(|rest| !rest.is_empty() && rest.trim().is_empty())
        {
            true => Ok(before.len() - rest.len()),
            false => Err(LAYOUT),
        }
    }

    /// How far a comment on a line of its own is indented.
    pub(super) fn comment(&self, line: usize) -> Option<usize> {
        let text = self.lines.line(line);
        let comment = text.trim_start_matches(' ');
        comment.starts_with('#').then_some(text.len() - comment.len())
    }

    /// The first of the comment lines directly above a line that are indented as it is; else that line.
    pub(super) fn first_comment(&self, line: usize, indent: usize) -> usize {
        let mut first = line;
        while first > 1 && self.comment(first - 1) == Some(indent) {
            first -= 1;
        }
        first
    }

    /// The line below what ends at a place, and below the comments directly behind it that are indented
    /// more than `indent` spaces: they are part of it.
    pub(super) fn line_below(&self, end: usize, indent: usize) -> usize {
        let mut next = self.lines.number(end) + 1;
        while self.comment(next).is_some_and(|by| by > indent) {
            next += 1;
        }
        next
    }

    pub(super) fn is_below_blank(&self, line: usize) -> bool {
        line > 1 && self.lines.line(line - 1).trim().is_empty()
    }

    /// Whether a place is at the end of a text whose last line has no line break.
    pub(super) fn is_open(&self, at: usize) -> bool {
        !self.part(0..at).is_ok_and(|text| text.ends_with(['\n', '\r']))
    }

    /// Where the lines of a list or a mapping end, and how far its entries are indented.
    pub(super) fn lines_end(&self, at: &Node<'_>) -> Result<(usize, usize), Hindrance> {
        let indent = match (at.items().next(), keys(at).first()) {
            _ if self.is_in_braces(at) => return Err(LAYOUT),
            (Some(item), _) => self.dash(item)?,
            (None, Some(key)) => self.own_line(*key)?.len(),
            (None, None) => return Err(LAYOUT),
        };
        Ok((self.lines.start(self.line_below(self.extent(at)?.end, indent)), indent))
    }

    /// The white space before a key that nothing else stands before on its line.
    pub(super) fn own_line(&self, key: Span) -> Result<Range<usize>, Hindrance> {
        let before = self.lines.start(key.start.line as usize)..self.range(key)?.start;
        match self.part(before.clone())?.trim().is_empty() {
            true => Ok(before),
            false => Err(LAYOUT),
        }
    }

    /// Where the entry ends that a new one comes behind, and how far it is indented.
    pub(super) fn sibling(
        &self,
        at: &Node<'_>,
        behind: Behind<'_>,
    ) -> Result<(usize, usize), Hindrance> {
        let key = match behind {
            Behind::Key(key) => at.get(key).map(|_| key),
            Behind::AllBut(last) => {
                let others = at.entries().map(|(key, _)| key).filter(|key| *key != last);
                others.max_by_key(|key| at.key_span(key).start)
            }
        };
        let key = key.ok_or(LAYOUT)?;
        Ok((self.entry(at, key)?.end, indent(at.key_span(key))))
    }

    /// Sets a text below a mapping, as [`Editor::set`](super::Editor::set) does.
    pub(super) fn set(
        &mut self,
        at: &Node<'_>,
        behind: Behind<'_>,
        path: &[&str],
        value: &str,
    ) -> Result<(), Hindrance> {
        let [key, rest @ ..] = path else { return Err(LAYOUT) };
        let Some(inner) = at.get(key) else {
            let (end, indent) = self.sibling(at, behind)?;
            let (place, text) = match self.is_in_braces(at) {
                true => (end, format!(", {}", in_braces(path, value))),
                false => (self.line_end(end), self.in_lines(indent, path, value)),
            };
            self.put(place, text);
            return Ok(());
        };
        let key = at.key_span(key);
        let (place, text) = match (rest, keys(inner).first()) {
            ([], _) => return self.replace_scalar(key, inner, value),
            ([next, ..], Some(_)) if inner.get(next).is_some() => {
                return self.set(inner, behind, rest, value);
            }
            // Before all others.
            (_, Some(_)) if self.is_in_braces(inner) => {
                (self.range(inner.span())?.start + 1, format!(" {},", in_braces(rest, value)))
            }
            (_, Some(first)) => {
                let lines = self.in_lines(indent(*first), rest, value);
                (self.line_end(self.range(key)?.end), lines)
            }
            (_, None) => return Err(LAYOUT),
        };
        self.put(place, text);
        Ok(())
    }

    /// Where the line ends that a place is on.
    fn line_end(&self, at: usize) -> usize {
        let line = self.lines.number(at);
        self.lines.start(line) + self.lines.line(line).len()
    }

    /// The lines of a path of keys with a value at its end, each below a line break.
    fn in_lines(&self, indent: usize, path: &[&str], value: &str) -> String {
        let key = |(level, key): (usize, &&str)| {
            format!("{}{:by$}{key}:", self.ends, "", by = indent + 2 * level)
        };
        let keys: String = path.iter().enumerate().map(key).collect();
        format!("{keys} {value}")
    }

    fn replace_scalar(&mut self, key: Span, at: &Node<'_>, value: &str) -> Result<(), Hindrance> {
        if !at.value.is_scalar() {
            return Err(LAYOUT);
        }
        let key = self.range(key)?.end;
        let rest = self.part(key..self.lines.text.len())?;
        let colon = key + rest.find(':').ok_or(CHANGED)? + 1;
        let Range { start, end } = self.range(at.span())?;
        let (start, end) = (start.max(colon), start + self.part(start..end)?.trim_end().len());
        let end = end.max(start);
        // A block's text begins behind its mark.
        let block = self.part(colon..end)?.trim_start();
        let start = match block.starts_with(['|', '>']) {
            true if block.lines().next().is_some_and(|mark| mark.contains('#')) => {
                return Err(COMMENT);
            }
            true => end - block.len(),
            false => start,
        };
        let space = if start == colon { " " } else { "" };
        self.edits.push((start..end, format!("{space}{value}")));
        Ok(())
    }
}

pub(super) fn indent(key: Span) -> usize {
    key.start.column.saturating_sub(1) as usize
}

/// The keys of a mapping, as they stand.
pub(super) fn keys(at: &Node<'_>) -> Vec<Span> {
    let mut keys: Vec<Span> = at.entries().map(|(key, _)| at.key_span(key)).collect();
    keys.sort_by_key(|key| key.start);
    keys
}

/// A path of keys with a value at its end, as part of a mapping in braces.
fn in_braces(path: &[&str], value: &str) -> String {
    match path {
        [] => value.to_owned(),
        [key] => format!("{key}: {value}"),
        [key, rest @ ..] => format!("{key}: {{ {} }}", in_braces(rest, value)),
    }
}
