//! Items that are added to lists.

use super::page::{Page, keys};
use super::text::{dash, line_break, line_start};
use super::{Behind, CHANGED, COMMENT, Hindrance, LAYOUT};
use crate::declare::yaml::document::Located;

const SEVERAL_LINES: Hindrance =
    "the key stands there in several lines, around which no list can be made";

impl Page<'_> {
    /// Adds items to a list of a mapping, as [`Editor::insert`](super::Editor::insert) does.
    pub(super) fn insert_items(
        &mut self,
        at: Located<'_>,
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

    /// Makes a list of a single value and another item.
    pub(super) fn wrap(&mut self, single: Located<'_>, item: &str) -> Result<(), Hindrance> {
        let range = self.range(single.span())?;
        let written = self.text.get(range.clone()).ok_or(CHANGED)?;
        if written.contains(['\n', '\r']) && !written.starts_with('{') {
            return Err(SEVERAL_LINES);
        }
        self.edits.push((range.start..range.start, "[".to_owned()));
        self.edits.push((range.end..range.end, format!(", {item}]")));
        Ok(())
    }

    /// Writes the items of an empty list.
    fn fill(&mut self, list: Located<'_>, items: &[&str]) -> Result<(), Hindrance> {
        let range = self.range(list.span())?;
        match self.text.get(range.clone()).ok_or(CHANGED)? {
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
        list: Located<'_>,
        place: usize,
        items: &[&str],
    ) -> Result<(), Hindrance> {
        let whole = self.range(list.span())?;
        let next = list.item(place);
        let (at, text) = match place.checked_sub(1) {
            Some(before) => {
                let before = list.item(before).ok_or(CHANGED)?;
                (self.end(before)?, format!(", {}", items.join(", ")))
            }
            None => {
                let start = self.range(next.ok_or(CHANGED)?.span())?.start;
                (start, format!("{}, ", items.join(", ")))
            }
        };
        // A comment would be about another item.
        let moved = if next.is_some() { whole } else { at..whole.end };
        if self.text.get(moved).ok_or(CHANGED)?.contains('#') {
            return Err(LAYOUT);
        }
        self.edits.push((at..at, text));
        Ok(())
    }

    /// The comments above an item stay above it.
    fn insert_in_lines(
        &mut self,
        list: Located<'_>,
        place: usize,
        items: &[&str],
    ) -> Result<(), Hindrance> {
        let next = list.item(place);
        let beside = next.or_else(|| list.items().last()).ok_or(CHANGED)?;
        let dash = dash(self.text, self.range(beside.span())?.start).ok_or(LAYOUT)?;
        let at = match next {
            Some(_) => self.comments_above(dash.start, dash.len()),
            None => self.with_comments_below(self.end(beside)?, dash.len())?,
        };
        let ends = line_break(self.text);
        let indent = dash.len();
        let lines: Vec<_> = items.iter().map(|item| format!("{:indent$}- {item}", "")).collect();
        let (before, behind) = if self.is_open(at) { (ends, "") } else { ("", ends) };
        self.edits.push((at..at, format!("{before}{}{behind}", lines.join(ends))));
        Ok(())
    }

    /// Makes a list behind another key of a mapping, below a blank line where sections are parted so.
    fn insert_list(
        &mut self,
        at: Located<'_>,
        behind: Behind<'_>,
        key: &str,
        items: &[&str],
    ) -> Result<(), Hindrance> {
        let (end, indent) = self.sibling(at, behind)?;
        if self.is_in_braces(at) {
            self.edits.push((end..end, format!(", {key}: [{}]", items.join(", "))));
            return Ok(());
        }
        let place = self.with_comments_below(end, indent)?;
        let ends = line_break(self.text);
        let mut others = keys(at).into_iter().skip(1);
        let is_spaced = indent == 0
            && others.any(|key| {
                let start = self.range(key).ok().and_then(|key| line_start(self.text, key.start));
                start.is_some_and(|start| self.is_below_blank(start))
            });
        let open = if self.is_open(place) { ends } else { "" };
        let blank = if is_spaced { ends } else { "" };
        let items: String =
            items.iter().map(|item| format!("{:indent$}  - {item}{ends}", "")).collect();
        let list = format!("{open}{blank}{:indent$}{key}:{ends}{items}", "");
        self.edits.push((place..place, list));
        Ok(())
    }
}

fn texts(items: &[(usize, String)]) -> Vec<&str> {
    items.iter().map(|(_, item)| item.as_str()).collect()
}
