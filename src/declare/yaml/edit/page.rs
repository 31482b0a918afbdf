//! A text in which values are set, taken out and added. What is written in braces stays so, and so
//! does what is written line by line.

use std::ops::Range;

use super::text::{Replacement, dash, line_break, line_end, line_start, next_line, replaced};
use super::{Behind, CHANGED, COMMENT, Hindrance, LAYOUT};
use crate::declare::diagnostic::span::Span;
use crate::declare::yaml::document::Located;
use crate::declare::yaml::lines::Lines;

/// The text of a file, and what is to change in it.
pub(super) struct Page<'t> {
    pub(super) text: &'t str,
    pub(super) lines: Lines<'t>,
    pub(super) edits: Vec<Replacement>,
}

impl<'t> Page<'t> {
    /// The text without its byte order mark.
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, lines: Lines::new(text), edits: Vec::new() }
    }

    /// The text as it is to be.
    pub(super) fn done(self) -> Result<String, Hindrance> {
        replaced(self.text, self.edits)
    }

    /// Sets a text below a mapping, as [`Editor::set`](super::Editor::set) does.
    pub(super) fn set(
        &mut self,
        at: Located<'_>,
        behind: Behind<'_>,
        path: &[&str],
        value: &str,
    ) -> Result<(), Hindrance> {
        let [key, rest @ ..] = path else { return Err(LAYOUT) };
        let Some(inner) = at.get(key) else {
            return self.insert(at, behind, path, value);
        };
        match rest {
            [] => self.replace_scalar(at.key_span(key), inner, value),
            [next, ..] if inner.entries().next().is_some() => match inner.get(next) {
                Some(_) => self.set(inner, Behind::Key(next), rest, value),
                None => self.insert_first(at.key_span(key), inner, rest, value),
            },
            _ => Err(LAYOUT),
        }
    }

    /// Makes a key behind another one of a mapping.
    fn insert(
        &mut self,
        at: Located<'_>,
        behind: Behind<'_>,
        path: &[&str],
        value: &str,
    ) -> Result<(), Hindrance> {
        let (end, indent) = self.sibling(at, behind)?;
        if self.is_in_braces(at) {
            self.edits.push((end..end, format!(", {}", in_braces(path, value))));
            return Ok(());
        }
        let place = line_end(self.text, end).ok_or(CHANGED)?;
        self.edits.push((place..place, self.in_lines(indent, path, value)));
        Ok(())
    }

    /// Where the entry ends that a new one comes behind, and how far it is indented.
    pub(super) fn sibling(
        &self,
        at: Located<'_>,
        behind: Behind<'_>,
    ) -> Result<(usize, usize), Hindrance> {
        let (key, value) = match behind {
            Behind::Key(key) => at.get(key).map(|value| (key, value)),
            Behind::AllBut(last) => {
                let others = at.entries().filter(|(key, _)| *key != last);
                others.max_by_key(|(key, _)| at.key_span(key).start)
            }
        }
        .ok_or(LAYOUT)?;
        let span = at.key_span(key);
        let end = self.end(value)?.max(self.range(span)?.end);
        Ok((end, span.start.column.saturating_sub(1) as usize))
    }

    /// Makes a key before all others of a mapping that stands under a key.
    fn insert_first(
        &mut self,
        key: Span,
        at: Located<'_>,
        path: &[&str],
        value: &str,
    ) -> Result<(), Hindrance> {
        if self.is_in_braces(at) {
            let place = self.range(at.span())?.start + 1;
            self.edits.push((place..place, format!(" {},", in_braces(path, value))));
            return Ok(());
        }
        let place = line_end(self.text, self.range(key)?.end).ok_or(CHANGED)?;
        let first = keys(at).into_iter().next().ok_or(LAYOUT)?;
        let indent = first.start.column.saturating_sub(1) as usize;
        self.edits.push((place..place, self.in_lines(indent, path, value)));
        Ok(())
    }

    /// The lines of a path of keys with a value at its end, each below a line break.
    fn in_lines(&self, indent: usize, path: &[&str], value: &str) -> String {
        let mut lines = String::new();
        for (level, key) in path.iter().enumerate() {
            let indent = " ".repeat(indent + 2 * level);
            lines.push_str(&format!("{}{indent}{key}:", line_break(self.text)));
        }
        lines.push(' ');
        lines.push_str(value);
        lines
    }

    fn replace_scalar(&mut self, key: Span, at: Located<'_>, value: &str) -> Result<(), Hindrance> {
        if at.value.is_mapping() || at.value.is_sequence() {
            return Err(LAYOUT);
        }
        let range = self.range(at.span())?;
        let colon = self.range(key)?.end;
        let colon = colon + self.text.get(colon..).ok_or(CHANGED)?.find(':').ok_or(CHANGED)? + 1;
        let written = self.text.get(range.clone()).ok_or(CHANGED)?.trim_end();
        let (start, end) = (range.start.max(colon), range.start + written.len());
        let between = self.text.get(colon..start).ok_or(CHANGED)?;
        // A block's text begins behind its mark.
        let block = between.trim_start();
        let start = match block.starts_with(['|', '>']) {
            true if block.contains('#') => return Err(COMMENT),
            true => start - block.len(),
            false
                if written.starts_with(['|', '>'])
                    && written.lines().next().is_some_and(|line| line.contains('#')) =>
            {
                return Err(COMMENT);
            }
            false => start,
        };
        let space = if start == colon { " " } else { "" };
        self.edits.push((start..end.max(start), format!("{space}{value}")));
        Ok(())
    }

    /// Takes a key out of a mapping, with the comments behind it and in it. Where it is the only one
    /// of the mapping, the caller takes that out.
    pub(super) fn take_key(&mut self, at: Located<'_>, key: &str) -> Result<(), Hindrance> {
        let value = at.get(key).ok_or(CHANGED)?;
        let own = self.range(at.key_span(key))?;
        let end = self.end(value)?.max(own.end);
        if self.is_in_braces(at) {
            let mut parts: Vec<_> = at.entries().collect();
            parts.sort_by_key(|(key, _)| at.key_span(key).start);
            let place = parts.iter().position(|(other, _)| *other == key).ok_or(CHANGED)?;
            let part = |(key, value): &(&str, Located<'_>)| -> Result<_, Hindrance> {
                let own = self.range(at.key_span(key))?;
                Ok(own.start..self.end(*value)?.max(own.end))
            };
            let parts = parts.iter().map(part).collect::<Result<Vec<_>, _>>()?;
            return self.take_from_row(self.range(at.span())?, &parts, &[place]);
        }
        let start = line_start(self.text, own.start).ok_or(CHANGED)?;
        if !self.text.get(start..own.start).ok_or(CHANGED)?.trim().is_empty() {
            return Err(LAYOUT);
        }
        let end = self.with_comments_below(end, own.start - start)?;
        self.edits.push((start..end, String::new()));
        Ok(())
    }

    /// Takes some items out of a list, but not all.
    pub(super) fn take_items(
        &mut self,
        list: Located<'_>,
        gone: &[usize],
        bound: &str,
    ) -> Result<(), Hindrance> {
        if !self.is_in_braces(list) {
            return gone.iter().try_for_each(|index| self.take_item(list, *index, bound));
        }
        let part = |item: Located<'_>| -> Result<_, Hindrance> {
            Ok(self.range(item.span())?.start..self.end(item)?)
        };
        let parts = list.items().map(part).collect::<Result<Vec<_>, _>>()?;
        self.take_from_row(self.range(list.span())?, &parts, gone)
    }

    /// Takes an item out of a list, with the comments that belong to it: above it up to a blank line,
    /// behind it, in it, and below it where they are indented as it is. What stands above the first
    /// item can be about all of them: that stays, unless the next one has a comment too or there is
    /// no other.
    fn take_item(&mut self, list: Located<'_>, index: usize, bound: &str) -> Result<(), Hindrance> {
        let item = list.item(index).ok_or(CHANGED)?;
        let dash = dash(self.text, self.range(item.span())?.start).ok_or(LAYOUT)?;
        let indent = dash.len();
        let end = self.with_comments_below(self.end(item)?, indent)?;
        let above = self.comments_above(dash.start, indent);
        let is_general = |next: Located<'_>| {
            let start =
                self.range(next.span()).ok().and_then(|next| line_start(self.text, next.start));
            start.is_some_and(|start| self.comments_above(start, indent) == start)
        };
        let is_bound = self.text.get(above..dash.start).ok_or(CHANGED)?.contains(bound);
        let start = match (index, list.item(1)) {
            (0, Some(next)) if !is_bound && is_general(next) => dash.start,
            _ => above,
        };
        // Of the blank lines around it, one is enough.
        let is_spaced = index == 0 || self.is_below_blank(start);
        let end = match self.line_at(end) {
            Some((next, line)) if line.trim().is_empty() && is_spaced => next,
            _ => end,
        };
        self.edits.push((start..end, String::new()));
        Ok(())
    }

    /// Takes a list with a single item out of a document; comments in it that are not the item's stay.
    pub(super) fn take_list(
        &mut self,
        root: Located<'_>,
        key: &str,
        bound: &str,
    ) -> Result<(), Hindrance> {
        let list = root.get(key).ok_or(CHANGED)?;
        if self.is_in_braces(root) || self.is_in_braces(list) {
            return self.take_key(root, key);
        }
        let own = self.range(root.key_span(key))?;
        let start = line_start(self.text, own.start).ok_or(CHANGED)?;
        let end = next_line(self.text, own.end).ok_or(CHANGED)?;
        self.edits.push((start..end, String::new()));
        self.take_item(list, 0, bound)
    }

    /// Takes some of the parts of a row in brackets or braces out, with their commas.
    fn take_from_row(
        &mut self,
        whole: Range<usize>,
        parts: &[Range<usize>],
        gone: &[usize],
    ) -> Result<(), Hindrance> {
        let kept: Vec<_> = (0..parts.len()).filter(|index| !gone.contains(index)).collect();
        let last = *kept.last().ok_or(LAYOUT)?;
        let row = self.text.get(whole.clone()).ok_or(CHANGED)?;
        if row.starts_with('[') && !row.contains(['#', '\n', '\r']) {
            let kept = kept.iter().filter_map(|index| self.text.get(parts.get(*index)?.clone()));
            let kept: Vec<_> = kept.collect();
            self.edits.push((whole, format!("[{}]", kept.join(", "))));
            return Ok(());
        }
        let mut cut = |cut: Range<usize>, around: Range<usize>| match self
            .text
            .get(around)
            .ok_or(CHANGED)?
            .contains('#')
        {
            true => Err(COMMENT),
            false => {
                self.edits.push((cut, String::new()));
                Ok(())
            }
        };
        for (index, two) in parts.windows(2).enumerate().take(last) {
            if let ([part, next], true) = (two, gone.contains(&index)) {
                cut(part.start..next.start, part.start..next.start)?;
            }
        }
        // The comma before the last ones goes with them, and a comment behind them would be lost.
        match parts.get(last..) {
            Some([last, .., end]) => cut(last.end..end.end, last.end..whole.end),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn range(&self, span: Span) -> Result<Range<usize>, Hindrance> {
        self.lines.range(span).ok_or(CHANGED)
    }

    /// Where a value ends, without white space.
    pub(super) fn end(&self, at: Located<'_>) -> Result<usize, Hindrance> {
        let range = self.range(at.span())?;
        let text = self.text.get(..range.end).ok_or(CHANGED)?;
        Ok(text.trim_end().len().max(range.start))
    }

    /// Whether a mapping or a list is written in braces or brackets.
    pub(super) fn is_in_braces(&self, at: Located<'_>) -> bool {
        let start = at.span().start;
        // A list whose dashes are not indented begins, for the parser, where its first item does.
        let is_first = at.items().next().is_some_and(|item| item.span().start == start);
        let range = self.range(at.span()).ok();
        let text = range.and_then(|range| self.text.get(range.start..));
        !is_first && text.is_some_and(|text| text.starts_with(['{', '[']))
    }

    /// Where the lines end of what ends at a place, and of the comments directly below it that are
    /// indented more than `indent` spaces: they are part of it.
    pub(super) fn with_comments_below(
        &self,
        end: usize,
        indent: usize,
    ) -> Result<usize, Hindrance> {
        let mut end = next_line(self.text, end).ok_or(CHANGED)?;
        while let Some((next, line)) = self.line_at(end)
            && let comment = line.trim_start_matches(' ')
            && comment.starts_with('#')
            && line.len() - comment.len() > indent
        {
            end = next;
        }
        Ok(end)
    }

    /// Where the lines of a list or a mapping end, and how far its entries are indented. `None` where
    /// these are not on lines of their own.
    pub(super) fn lines_end(&self, at: Located<'_>) -> Option<(usize, usize)> {
        let indent = match at.items().next() {
            Some(first) => dash(self.text, self.range(first.span()).ok()?.start)?.len(),
            None => {
                let key = self.range(*keys(at).first()?).ok()?.start;
                let indent = self.text.get(line_start(self.text, key)?..key)?;
                indent.trim_start_matches(' ').is_empty().then_some(indent.len())?
            }
        };
        let end = self.with_comments_below(self.end(at).ok()?, indent).ok()?;
        (!self.is_in_braces(at)).then_some((end, indent))
    }

    /// Whether a place is at the end of a text whose last line has no line break.
    pub(super) fn is_open(&self, at: usize) -> bool {
        !self.text.get(..at).unwrap_or_default().ends_with(['\n', '\r'])
    }

    /// Whether the line above the one that begins at a place is blank.
    pub(super) fn is_below_blank(&self, start: usize) -> bool {
        let above = self.text.get(..start).unwrap_or_default();
        let line = above.strip_suffix('\n').unwrap_or(above);
        let line = line.strip_suffix('\r').unwrap_or(line);
        !above.is_empty() && line.rsplit(['\n', '\r']).next().is_some_and(|it| it.trim().is_empty())
    }

    /// The line that begins at a place, and where the next one does; `None` at the end.
    fn line_at(&self, start: usize) -> Option<(usize, &'t str)> {
        let line = self.text.get(start..line_end(self.text, start)?)?;
        let next = next_line(self.text, start)?;
        (next > start).then_some((next, line))
    }

    /// Where the comment lines directly above a line begin, indented as it is.
    pub(super) fn comments_above(&self, line: usize, indent: usize) -> usize {
        let mut start = line;
        while let Some(above) = self.text.get(..start).and_then(|text| {
            let text = text.strip_suffix('\n').unwrap_or(text);
            let text = text.strip_suffix('\r').unwrap_or(text);
            (text.len() < start).then(|| text.rfind(['\n', '\r']).map_or(0, |at| at + 1))
        }) {
            let Some((_, text)) = self.line_at(above) else { break };
            let comment = text.trim_start_matches(' ');
            if !comment.starts_with('#') || text.len() - comment.len() != indent {
                break;
            }
            start = above;
        }
        start
    }
}

/// The keys of a mapping, as they stand.
pub(super) fn keys(at: Located<'_>) -> Vec<Span> {
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
