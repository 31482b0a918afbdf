//! Copies of the items of lists.

use std::ops::Range;

use super::page::Page;
use super::{CHANGED, Hindrance, LAYOUT};
use crate::tree::Node;

impl Page<'_> {
    /// Adds a copy of an item behind it, as [`Editor::copy_item`](super::Editor::copy_item) does.
    pub(super) fn copy_item(
        &mut self,
        list: &Node<'_>,
        index: usize,
        key: &str,
        value: &str,
    ) -> Result<(), Hindrance> {
        let item = list.item(index).ok_or(CHANGED)?;
        let scalar = self.extent(item.get(key).ok_or(CHANGED)?)?;
        if self.is_in_braces(list) {
            // A comment would be about another item.
            if self.part(self.range(list.span())?)?.contains('#') {
                return Err(LAYOUT);
            }
            let whole = self.extent(item)?;
            let copy = self.with(whole.clone(), scalar, value)?;
            self.put(whole.end, format!(", {copy}"));
            return Ok(());
        }
        let indent = self.dash(item)?;
        let first = |item: &Node<'_>| self.first_comment(item.span().start.line as usize, indent);
        let below = self.line_below(self.extent(item)?.end, indent);
        let (start, end) = (self.lines.start(first(item)), self.lines.start(below));
        let neighbours = [(index > 0).then_some(item), list.item(index + 1)];
        let is_spaced = neighbours.iter().flatten().any(|item| self.is_below_blank(first(item)));
        let copy = self.with(start..end, scalar, value)?;
        let (before, behind) = if self.is_open(end) { (self.ends, "") } else { ("", self.ends) };
        let blank = if is_spaced { self.ends } else { "" };
        let copy = copy.trim_end_matches(['\r', '\n']);
        self.put(end, format!("{before}{blank}{copy}{behind}"));
        Ok(())
    }

    /// A part of the text, with another text in place of a part of that.
    fn with(
        &self,
        whole: Range<usize>,
        part: Range<usize>,
        text: &str,
    ) -> Result<String, Hindrance> {
        let (before, behind) =
            (self.part(whole.start..part.start)?, self.part(part.end..whole.end)?);
        Ok(format!("{before}{text}{behind}"))
    }
}
