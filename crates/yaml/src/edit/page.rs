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
    fn entry(&self, at: &Node<'_>, key: &str) -> Result<Range<usize>, Hindrance> {
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
    fn own_line(&self, key: Span) -> Result<Range<usize>, Hindrance> {
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

    /// Takes a key out of a mapping, with the comments that belong to it: directly above it, behind it and in
    /// it. The heading of a section that others are left of stays, and so does what a file begins with. Where
    /// it is the only one of the mapping, the caller takes that out.
    pub(super) fn take_key(
        &mut self,
        at: &Node<'_>,
        key: &str,
        bound: &str,
    ) -> Result<(), Hindrance> {
        let own = self.entry(at, key)?;
        if self.is_in_braces(at) {
            let parts = at.entries().map(|(key, _)| self.entry(at, key));
            let mut parts = parts.collect::<Result<Vec<_>, _>>()?;
            parts.sort_by_key(|part| part.start);
            let place = parts.iter().position(|part| *part == own).ok_or(CHANGED)?;
            return self.take_from_row(self.range(at.span())?, &parts, &[place]);
        }
        let before = self.own_line(at.key_span(key))?;
        let (first, is_first) = self.first_of_key(at, key, before.len(), bound)?;
        self.take_lines(first, own.end, before.len(), is_first && !before.is_empty());
        Ok(())
    }

    /// The first of the lines that go with a key, and whether it is the first key of its mapping.
    fn first_of_key(
        &self,
        at: &Node<'_>,
        key: &str,
        indent: usize,
        bound: &str,
    ) -> Result<(usize, bool), Hindrance> {
        let own = at.key_span(key).start.line as usize;
        let all: Vec<usize> = keys(at).iter().map(|key| key.start.line as usize).collect();
        let index = all.iter().position(|line| *line == own).ok_or(CHANGED)?;
        let above = |line: usize| self.first_comment(line, indent);
        let is_apart = |line: &usize| self.is_below_blank(above(*line));
        let is_first = index == 0;
        // A key at the margin is one of the file.
        if is_first && indent == 0 {
            return Ok((own, is_first));
        }
        let begins = is_apart(&own) || is_first && all.iter().skip(1).any(is_apart);
        let next = all.get(index + 1).filter(|next| !is_apart(next));
        Ok((self.first_line(own, indent, begins, next.copied(), bound)?, is_first))
    }

    /// The first of the lines that go with an entry: those of the comments directly above it too. What is above
    /// the entry with which several begin is about all of them if the next one has no comment of its own, unless
    /// it has the word `bound`.
    fn first_line(
        &self,
        line: usize,
        indent: usize,
        begins: bool,
        next: Option<usize>,
        bound: &str,
    ) -> Result<usize, Hindrance> {
        let above = self.first_comment(line, indent);
        let comments = self.part(self.lines.start(above)..self.lines.start(line))?;
        let is_general =
            begins && next.is_some_and(|next| self.first_comment(next, indent) == next);
        Ok(if is_general && !comments.contains(bound) { line } else { above })
    }

    /// Takes some items out of a list, but not all.
    pub(super) fn take_items(
        &mut self,
        list: &Node<'_>,
        gone: &[usize],
        bound: &str,
    ) -> Result<(), Hindrance> {
        if !self.is_in_braces(list) {
            return gone.iter().try_for_each(|index| self.take_item(list, *index, bound));
        }
        let parts = list.items().map(|item| self.extent(item)).collect::<Result<Vec<_>, _>>()?;
        self.take_from_row(self.range(list.span())?, &parts, gone)
    }

    /// Takes an item out of a list, with the comments that belong to it: above it up to a blank line,
    /// behind it, in it, and below it where they are indented as it is. What stands above the first
    /// item can be about all of them: that stays, unless the next one has a comment too or there is
    /// no other.
    fn take_item(&mut self, list: &Node<'_>, index: usize, bound: &str) -> Result<(), Hindrance> {
        let item = list.item(index).ok_or(CHANGED)?;
        let indent = self.dash(item)?;
        let line = item.span().start.line as usize;
        let following = list.item(index + 1).map(|next| next.span().start.line as usize);
        let first = self.first_line(line, indent, index == 0, following, bound)?;
        self.take_lines(first, self.extent(item)?.end, indent, index == 0);
        Ok(())
    }

    /// Takes the lines of an entry out, from its first one on. Of the blank lines around it, one is enough; the
    /// entry with which others begin has none above it.
    fn take_lines(&mut self, first: usize, end: usize, indent: usize, begins: bool) {
        let mut next = self.line_below(end, indent);
        if self.lines.line(next).trim().is_empty() && (begins || self.is_below_blank(first)) {
            next += 1;
        }
        self.edits.push((self.lines.start(first)..self.lines.start(next), String::new()));
    }

    /// Takes a list with a single item out of a document; comments in it that are not the item's stay.
    pub(super) fn take_list(
        &mut self,
        root: &Node<'_>,
        key: &str,
        bound: &str,
    ) -> Result<(), Hindrance> {
        let list = root.get(key).ok_or(CHANGED)?;
        if self.is_in_braces(root) || self.is_in_braces(list) {
            return self.take_key(root, key, bound);
        }
        let line = root.key_span(key).start.line as usize;
        let (first, _) = self.first_of_key(root, key, indent(root.key_span(key)), bound)?;
        self.edits.push((self.lines.start(first)..self.lines.start(line + 1), String::new()));
        self.take_item(list, 0, bound)
    }

    /// Takes some of the parts of a row in brackets or braces out, with their commas.
    fn take_from_row(
        &mut self,
        whole: Range<usize>,
        parts: &[Range<usize>],
        gone: &[usize],
    ) -> Result<(), Hindrance> {
        let is_kept = |(index, _): &(usize, _)| !gone.contains(index);
        let kept: Vec<_> = parts.iter().enumerate().filter(is_kept).collect();
        let (last, _) = *kept.last().ok_or(LAYOUT)?;
        let row = self.part(whole.clone())?;
        if row.starts_with('[') && !row.contains(['#', '\n', '\r']) {
            let kept = kept.into_iter().map(|(_, part)| self.part(part.clone()));
            let kept = kept.collect::<Result<Vec<_>, _>>()?.join(", ");
            self.edits.push((whole, format!("[{kept}]")));
            return Ok(());
        }
        for (index, two) in parts.windows(2).enumerate().take(last) {
            if let ([part, next], true) = (two, gone.contains(&index)) {
                self.cut(part.start..next.start, next.start)?;
            }
        }
        // The comma before the last ones goes with them, and a comment behind them would be lost.
        match parts.get(last..) {
            Some([last, .., end]) => self.cut(last.end..end.end, whole.end),
            Some(_) | None => Ok(()),
        }
    }

    /// Takes a part of a row out, unless there is a comment in it or up to a place behind it.
    fn cut(&mut self, part: Range<usize>, end: usize) -> Result<(), Hindrance> {
        match self.part(part.start..end)?.contains('#') {
            true => Err(COMMENT),
            false => {
                self.edits.push((part, String::new()));
                Ok(())
            }
        }
    }
}

fn indent(key: Span) -> usize {
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
