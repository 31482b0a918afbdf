//! Scalars in the place of others, and lists in another order.

use std::ops::Range;

use super::page::Page;
use super::{CHANGED, Editor, Hindrance, LAYOUT, located, value_mut};
use crate::span::Span;
use crate::tree::Node;

impl Editor<'_> {
    /// Writes another key or scalar on one line, or a part of one, in the place of what stands there;
    /// its quotes stay.
    pub fn replace(&mut self, span: Span, old: &str, new: &str) -> Result<(), Hindrance> {
        let range = self.page.range(span)?;
        let written = self.page.part(range.clone())?;
        let text = replacement(written, old, new).ok_or(LAYOUT)?;
        let mut others = self.page.edits.iter();
        if others.any(|(other, _)| range.start < other.end && other.start < range.end) {
            return Err(CHANGED);
        }
        let has_key = |at: &Node<'_>| at.entries().any(|(key, _)| at.key_span(key) == span);
        match self.find(span.start, has_key) {
            Some(route) => {
                let entries = self.mapping_mut(&route)?;
                let value = entries.remove(old).ok_or(CHANGED)?;
                entries.insert(new.into(), value);
            }
            None => {
                self.open.push(self.find(span.start, |at| at.value.is_scalar()).ok_or(CHANGED)?)
            }
        }
        self.page.edits.push((range, text));
        Ok(())
    }

    /// Puts the items of a list, which stand at these places, into another order.
    pub fn reorder(&mut self, items: &[Span], order: &[usize]) -> Result<(), Hindrance> {
        let first = items.first().ok_or(CHANGED)?.start;
        let is_it = |at: &Node<'_>| at.items().map(Node::span).eq(items.iter().copied());
        let route = self.find(first, is_it).ok_or(CHANGED)?;
        self.page.reorder(located(&self.documents, &route)?, order)?;
        let list = value_mut(&mut self.wanted, &route)?.as_sequence_mut().ok_or(CHANGED)?;
        let moved = order.iter().map(|from| list.get(*from).cloned());
        *list = moved.collect::<Option<_>>().ok_or(CHANGED)?;
        Ok(())
    }
}

/// What comes in the place of a scalar as it is written; its quotes stay. `None` if what is written
/// is anything else, such as a block or an anchor.
fn replacement(written: &str, old: &str, new: &str) -> Option<String> {
    if written == old {
        return Some(new.to_owned());
    }
    let inside = |quote: char| written.strip_prefix(quote)?.strip_suffix(quote);
    let quote = ['"', '\''].into_iter().find(|quote| inside(*quote) == Some(old))?;
    Some(format!("{quote}{new}{quote}"))
}

impl Page<'_> {
    fn reorder(&mut self, list: &Node<'_>, order: &[usize]) -> Result<(), Hindrance> {
        let places = match list.items().all(|item| self.dash(item).is_ok()) {
            true => self.with_comments(list).ok_or(LAYOUT)?,
            false => list.items().map(|item| self.range(item.span())).collect::<Result<_, _>>()?,
        };
        for two in places.windows(2) {
            let [one, next] = two else { continue };
            let between = self.part(one.end..next.start)?;
            if !between.chars().all(|c| c == ',' || c.is_whitespace()) {
                return Err(LAYOUT);
            }
        }
        for (place, from) in places.iter().zip(order) {
            let moved = self.part(places.get(*from).ok_or(CHANGED)?.clone())?;
            self.edits.push((place.clone(), moved.to_owned()));
        }
        Ok(())
    }

    /// The lines of each item, with the comment lines directly above it and what follows on its
    /// last line. `None` where something parts the items for a reason: a blank line, or a comment
    /// that may be about more than the one item below it.
    fn with_comments(&self, list: &Node<'_>) -> Option<Vec<Range<usize>>> {
        let is_comment = |line: usize| self.comment(line).is_some();
        let mut next = list.item(0)?.span().start.line as usize;
        while next > 1 && is_comment(next - 1) {
            next -= 1;
        }
        let mut ranges = Vec::new();
        let mut is_commented = false;
        for Span { start, end } in list.items().map(Node::span) {
            let (first, last) = (start.line as usize, end.line as usize);
            let has_comment = next < first;
            if !(next..first).all(is_comment) || is_commented && !has_comment {
                return None;
            }
            is_commented = has_comment;
            let (start, end) = (self.lines.start(next), self.lines.start(last));
            ranges.push(start..start.max(end + self.lines.line(last).len()));
            next = last + 1;
        }
        Some(ranges)
    }
}
