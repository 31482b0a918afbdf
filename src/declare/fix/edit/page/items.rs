//! Items that are added to lists.

use super::{LAYOUT, Page, keys};
use crate::declare::fix::edit::{Because, CHANGED, dash, line_break, line_start};
use crate::declare::yaml::document::Located;

impl Page<'_> {
    /// Adds items to a list of a mapping, which need not be there: each with the number of items that
    /// come before it, in order.
    pub(in super::super) fn insert_items(
        &mut self,
        at: Located<'_>,
        key: &str,
        items: &[(usize, String)],
    ) -> Result<(), Because> {
        let texts: Vec<&str> = items.iter().map(|(_, item)| item.as_str()).collect();
        let Some(list) = at.get(key) else {
            return self.insert_list(at, key, &texts);
        };
        if list.items().next().is_none() {
            return self.replace_list(list, &format!("[{}]", texts.join(", ")));
        }
        let edits = self.edits.len();
        let result = self.insert_groups(list, items);
        // All or nothing.
        if result.is_err() {
            self.edits.truncate(edits);
        }
        result
    }

    fn insert_groups(
        &mut self,
        list: Located<'_>,
        items: &[(usize, String)],
    ) -> Result<(), Because> {
        for group in items.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((place, _)) = group.first() else { continue };
            let texts: Vec<&str> = group.iter().map(|(_, item)| item.as_str()).collect();
            match self.is_in_braces(list) {
                true => self.insert_in_row(list, *place, &texts)?,
                false => self.insert_in_lines(list, *place, &texts)?,
            }
        }
        Ok(())
    }

    fn insert_in_row(
        &mut self,
        list: Located<'_>,
        place: usize,
        items: &[&str],
    ) -> Result<(), Because> {
        let whole = self.range(list.span())?;
        // A comment would be about another item.
        if self.text.get(whole).ok_or(CHANGED)?.contains('#') {
            return Err(LAYOUT);
        }
        let (at, text) = match place.checked_sub(1) {
            Some(before) => {
                let before = list.item(before).ok_or(CHANGED)?;
                (self.end(before)?, format!(", {}", items.join(", ")))
            }
            None => {
                let next = list.item(place).ok_or(CHANGED)?;
                (self.range(next.span())?.start, format!("{}, ", items.join(", ")))
            }
        };
        self.edits.push((at..at, text));
        Ok(())
    }

    /// The comments above an item stay above it.
    fn insert_in_lines(
        &mut self,
        list: Located<'_>,
        place: usize,
        items: &[&str],
    ) -> Result<(), Because> {
        let line = |item: Located<'_>| dash(self.text, self.range(item.span()).ok()?.start);
        match list.item(place) {
            Some(next) => {
                let dash = line(next).ok_or(LAYOUT)?;
                let at = self.comments_above(dash.start, dash.len());
                self.push_lines(at, dash.len(), items)
            }
            None => {
                let last = list.items().last().ok_or(CHANGED)?;
                let dash = line(last).ok_or(LAYOUT)?;
                let at = self.with_comments_below(self.end(last)?, dash.len())?;
                self.push_lines(at, dash.len(), items)
            }
        }
    }

    /// Makes a list behind the last key of a mapping, but for what differs between environments.
    fn insert_list(&mut self, at: Located<'_>, key: &str, items: &[&str]) -> Result<(), Because> {
        let others = at.entries().filter(|(key, _)| *key != "per_environment");
        let last = others.max_by_key(|(key, _)| at.key_span(key).start);
        let (last, value) = last.ok_or(LAYOUT)?;
        let own = self.range(at.key_span(last))?;
        let end = self.end(value)?.max(own.end);
        if self.is_in_braces(at) {
            self.edits.push((end..end, format!(", {key}: [{}]", items.join(", "))));
            return Ok(());
        }
        let indent = at.key_span(last).start.column.saturating_sub(1) as usize;
        let place = self.with_comments_below(end, indent)?;
        let ends = line_break(self.text);
        let items: String =
            items.iter().map(|item| format!("{ends}{:indent$}  - {item}", "")).collect();
        let is_open = !self.text.get(..place).ok_or(CHANGED)?.ends_with(['\n', '\r']);
        let (before, behind) = if is_open { (ends, "") } else { ("", ends) };
        self.edits.push((place..place, format!("{before}{:indent$}{key}:{items}{behind}", "")));
        Ok(())
    }

    /// Makes a line of each item, at the beginning of a line or at the end of the text.
    fn push_lines(&mut self, at: usize, indent: usize, items: &[&str]) -> Result<(), Because> {
        let ends = line_break(self.text);
        let lines: Vec<_> = items.iter().map(|item| format!("{:indent$}- {item}", "")).collect();
        let is_open = !self.text.get(..at).ok_or(CHANGED)?.ends_with(['\n', '\r']);
        let (before, behind) = if is_open { (ends, "") } else { ("", ends) };
        self.edits.push((at..at, format!("{before}{}{behind}", lines.join(ends))));
        Ok(())
    }

    /// Adds an item to the end of a list of a mapping, which need not be there.
    pub(in super::super) fn append(
        &mut self,
        at: Located<'_>,
        key: &str,
        item: &str,
    ) -> Result<(), Because> {
        match at.get(key) {
            Some(list) => self.insert_items(at, key, &[(list.items().count(), item.to_owned())]),
            None => self.append_key(at, key, item),
        }
    }

    /// Adds a list with an item to the end of a document.
    fn append_key(&mut self, at: Located<'_>, key: &str, item: &str) -> Result<(), Because> {
        if self.is_in_braces(at) {
            let last = keys(at).into_iter().next_back().ok_or(LAYOUT)?;
            let last = at.entries().find(|(key, _)| at.key_span(key) == last).ok_or(LAYOUT)?;
            let end = self.end(last.1)?;
            self.edits.push((end..end, format!(", {key}: [{item}]")));
            return Ok(());
        }
        let end = self.with_comments_below(self.end(at)?, 0)?;
        let ends = line_break(self.text);
        let is_open = !self.text.get(..end).ok_or(CHANGED)?.ends_with(['\n', '\r']);
        let before = if is_open { ends } else { "" };
        let is_spaced = keys(at).into_iter().skip(1).any(|key| {
            let start = self.range(key).ok().and_then(|key| line_start(self.text, key.start));
            start.is_some_and(|start| self.is_below_blank(start))
        });
        let blank = if is_spaced { ends } else { "" };
        self.edits.push((end..end, format!("{before}{blank}{key}:{ends}  - {item}{ends}")));
        Ok(())
    }
}
