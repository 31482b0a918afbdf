//! Items that are added to lists.

use super::page::{Page, keys};
use super::{Behind, CHANGED, COMMENT, Hindrance, LAYOUT};
use crate::tree::Node;

const SEVERAL_LINES: Hindrance =
    "the key is there on several lines, around which no list can be made";

impl Page<'_> {
    /// Adds items to a list of a mapping, as [`Editor::insert`](super::Editor::insert) does.
    pub(super) fn insert_items(
        &mut self,
        at: &Node<'_>,
        behind: Behind<'_>,
        key: &str,
        items: &[(usize, String)],
    ) -> Result<(), Hindrance> {
        let edits = self.edits.len();
        let result = match at.get(key) {
            None => self.insert_list(at, behind, key, &texts(items)),
            Some(list) if list.items().next().is_none() => self.fill(list, &texts(items)),
            Some(list) => items.chunk_by(|(a, _), (b, _)| a == b).try_for_each(|group| {
                let place = group.first().map_or(0, |(place, _)| *place);
                match self.is_in_braces(list) {
                    true => self.insert_in_row(list, place, &texts(group)),
                    false => self.insert_in_lines(list, place, &texts(group)),
                }
            }),
        };
        // All or nothing.
        if result.is_err() {
            self.edits.truncate(edits);
        }
        result
    }

    /// Whether a list has items between brackets.
    pub(super) fn is_row(&self, list: &Node<'_>) -> bool {
        list.items().next().is_some() && self.is_in_braces(list)
    }

    /// Adds an item to the end of a row, or makes one of a single value.
    pub(super) fn append(&mut self, at: &Node<'_>, item: &str) -> Result<(), Hindrance> {
        if let Some(last) = at.items().last() {
            self.put(self.extent(last)?.end, format!(", {item}"));
            return Ok(());
        }
        let range = self.range(at.span())?;
        let written = self.part(range.clone())?;
        if written.contains(['\n', '\r']) && !written.starts_with('{') {
            return Err(SEVERAL_LINES);
        }
        self.put(range.start, "[".to_owned());
        self.put(range.end, format!(", {item}]"));
        Ok(())
    }

    /// Writes the items of an empty list.
    fn fill(&mut self, list: &Node<'_>, items: &[&str]) -> Result<(), Hindrance> {
        let range = self.range(list.span())?;
        match self.part(range.clone())? {
            written if written.contains('#') => Err(COMMENT),
            written if written.starts_with('[') => {
                self.edits.push((range, format!("[{}]", items.join(", "))));
                Ok(())
            }
            _ => Err(LAYOUT),
        }
    }

    fn insert_in_row(
        &mut self,
        list: &Node<'_>,
        place: usize,
        items: &[&str],
    ) -> Result<(), Hindrance> {
        let (next, items) = (list.item(place), items.join(", "));
        let (at, text) = match place.checked_sub(1) {
            Some(before) => {
                let before = list.item(before).ok_or(CHANGED)?;
                (self.extent(before)?.end, format!(", {items}"))
            }
            None => (self.extent(next.ok_or(CHANGED)?)?.start, format!("{items}, ")),
        };
        // A comment would be about another item.
        if self.part(self.range(list.span())?)?.contains('#') {
            return Err(LAYOUT);
        }
        self.put(at, text);
        Ok(())
    }

    /// The comments above an item stay above it.
    fn insert_in_lines(
        &mut self,
        list: &Node<'_>,
        place: usize,
        items: &[&str],
    ) -> Result<(), Hindrance> {
        let next = list.item(place);
        let beside = next.or_else(|| list.items().last()).ok_or(CHANGED)?;
        let indent = self.dash(beside)?;
        let line = match next {
            Some(next) => self.first_comment(next.span().start.line as usize, indent),
            None => self.line_below(self.extent(beside)?.end, indent),
        };
        let (at, ends) = (self.lines.start(line), self.ends);
        let lines: Vec<_> = items.iter().map(|item| format!("{:indent$}- {item}", "")).collect();
        let (before, behind) = if self.is_open(at) { (ends, "") } else { ("", ends) };
        self.put(at, format!("{before}{}{behind}", lines.join(ends)));
        Ok(())
    }

    /// Makes a list behind another key of a mapping, below a blank line where sections are parted so.
    fn insert_list(
        &mut self,
        at: &Node<'_>,
        behind: Behind<'_>,
        key: &str,
        items: &[&str],
    ) -> Result<(), Hindrance> {
        let (end, indent) = self.sibling(at, behind)?;
        if self.is_in_braces(at) {
            self.put(end, format!(", {key}: [{}]", items.join(", ")));
            return Ok(());
        }
        let (place, ends) = (self.lines.start(self.line_below(end, indent)), self.ends);
        let mut others = keys(at).into_iter().skip(1);
        let is_spaced =
            indent == 0 && others.any(|key| self.is_below_blank(key.start.line as usize));
        let open = if self.is_open(place) { ends } else { "" };
        let blank = if is_spaced { ends } else { "" };
        let items: String =
            items.iter().map(|item| format!("{:indent$}  - {item}{ends}", "")).collect();
        self.put(place, format!("{open}{blank}{:indent$}{key}:{ends}{items}", ""));
        Ok(())
    }
}

fn texts(items: &[(usize, String)]) -> Vec<&str> {
    items.iter().map(|(_, item)| item.as_str()).collect()
}
