//! Scalars in the place of others, and lists in another order.

use std::ops::Range;

use super::page::Page;
use super::text::dash;
use super::{CHANGED, Editor, Hindrance, LAYOUT, value_mut};
use crate::declare::diagnostic::span::Span;
use crate::declare::yaml::document::Located;

impl Editor<'_> {
    /// Writes another key or scalar on one line, or a part of one, in the place of what stands there;
    /// its quotes stay.
    pub(crate) fn replace(&mut self, span: Span, old: &str, new: &str) -> Result<(), Hindrance> {
        let range = self.page.range(span)?;
        let written = self.page.text.get(range.clone()).ok_or(CHANGED)?;
        let text = replacement(written, old, new).ok_or(LAYOUT)?;
        let mut others = self.page.edits.iter();
        if others.any(|(other, _)| range.start < other.end && other.start < range.end) {
            return Err(CHANGED);
        }
        let has_key = |at: Located<'_>| at.entries().any(|(key, _)| at.key_span(key) == span);
        let is_scalar = |at: Located<'_>| !at.value.is_mapping() && !at.value.is_sequence();
        match self.find(span.start, has_key) {
            Some(way) => {
                let entries = self.mapping_mut(&way)?;
                let value = entries.remove(old).ok_or(CHANGED)?;
                entries.insert(new.into(), value);
            }
            None => self.open.push(self.find(span.start, is_scalar).ok_or(CHANGED)?),
        }
        self.page.edits.push((range, text));
        Ok(())
    }

    /// Puts the items of a list, which stand at these places, into another order.
    pub(crate) fn reorder(&mut self, items: &[Span], order: &[usize]) -> Result<(), Hindrance> {
        let first = items.first().ok_or(CHANGED)?.start;
        let is_it = |at: Located<'_>| at.items().map(Located::span).eq(items.iter().copied());
        let way = self.find(first, is_it).ok_or(CHANGED)?;
        self.page.reorder(items, order).ok_or(LAYOUT)?;
        let list = value_mut(&mut self.wanted, &way)?.as_sequence_mut().ok_or(CHANGED)?;
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
    /// `None` where the items are parted by more than commas.
    fn reorder(&mut self, items: &[Span], order: &[usize]) -> Option<()> {
        let places = items.iter().map(|item| self.range(*item).ok());
        let mut places: Vec<_> = places.collect::<Option<_>>()?;
        // Each on lines of its own.
        if places.iter().all(|place| dash(self.text, place.start).is_some()) {
            places = self.with_comments(items)?;
        }
        let plain = |text: &str| text.chars().all(|c| c == ',' || c.is_whitespace());
        let is_plain = |(a, b): (&Range<usize>, &Range<usize>)| {
            self.text.get(a.end..b.start).is_some_and(plain)
        };
        if !places.iter().zip(places.iter().skip(1)).all(is_plain) {
            return None;
        }
        let moved = order.iter().map(|from| self.text.get(places.get(*from)?.clone()));
        let moved: Vec<_> = moved.collect::<Option<_>>()?;
        self.edits.extend(places.into_iter().zip(moved.into_iter().map(str::to_owned)));
        Some(())
    }

    /// The lines of each item, with the comment lines directly above it and what follows on its
    /// last line. `None` where something parts the items for a reason: a blank line, or a comment
    /// that may be about more than the one item below it.
    fn with_comments(&self, items: &[Span]) -> Option<Vec<Range<usize>>> {
        let is_comment = |number: usize| self.lines.line(number).trim_start().starts_with('#');
        let mut next = items.first()?.start.line as usize;
        while next > 1 && is_comment(next - 1) {
            next -= 1;
        }
        let mut ranges = Vec::with_capacity(items.len());
        let mut is_commented = false;
        for item in items {
            let (first, last) = (item.start.line as usize, item.end.line as usize);
            let has_comment = next < first;
            if !(next..first).all(is_comment) || is_commented && !has_comment {
                return None;
            }
            is_commented = has_comment;
            let start = *self.lines.starts.get(next - 1)?;
            let end = *self.lines.starts.get(last - 1)? + self.lines.line(last).len();
            ranges.push(start..end.max(start));
            next = last + 1;
        }
        Some(ranges)
    }
}
