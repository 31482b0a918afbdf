//! Keys and items that are taken out, with the comments that belong to them.

use std::ops::Range;

use super::page::{Page, indent, keys};
use super::{CHANGED, COMMENT, Hindrance, LAYOUT};
use crate::tree::Node;

impl Page<'_> {
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
