//! More entries of the sections of a file: the lists and mappings below the keys of its documents.

use serde_yaml::{Mapping, Value};

use super::page::keys;
use super::{CHANGED, Editor, Hindrance, NOT_THE_SAME};
use crate::printer::Yaml;

/// A place for more entries of a section; openings are in the order of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opening {
    /// How many bytes stand before it: it is the beginning of a line, or the end of the text.
    pub at: usize,
    /// How far the section's key is indented, if it is not there yet and comes first.
    pub new_key: Option<usize>,
    /// How far the entries are indented.
    pub indent: usize,
    document: usize,
}

impl Editor<'_> {
    /// Where a section goes on: at the end of the first one of that name, else as a new key at the end
    /// of the text. `None` where it has no lines of its own.
    pub fn opening(&self, section: &str) -> Option<Opening> {
        let mut roots = self.documents.iter().enumerate();
        if let Some((document, at)) = roots.find_map(|(n, root)| Some((n, root.get(section)?))) {
            let (at, indent) = self.page.lines_end(at).ok()?;
            return Some(Opening { at, new_key: None, indent, document });
        }
        let keys = self.documents.last().map(keys).unwrap_or_default();
        let columns = keys.iter().map(|key| key.start.column.saturating_sub(1) as usize);
        let key = columns.min().unwrap_or_default();
        let document = self.documents.len().saturating_sub(1);
        let at = self.page.lines.text.len();
        Some(Opening { at, new_key: Some(key), indent: key + 2, document })
    }

    /// Puts lines at an opening, which add entries to its section. Returns how many lines are above
    /// them then. Openings are used in their order.
    pub fn extend(
        &mut self,
        opening: Opening,
        section: &str,
        lines: &str,
        added: &Yaml,
    ) -> Result<usize, Hindrance> {
        let Opening { at, document, .. } = opening;
        let before = self.page.part(0..at)?;
        let is_first = self.page.edits.last().is_none_or(|(range, _)| range.start != at);
        let open = if is_first && at > 0 && self.page.is_open(at) { "\n" } else { "" };
        let breaks = |text: &str| text.matches('\n').count();
        let edited: usize = self.page.edits.iter().map(|(_, text)| breaks(text)).sum();
        let above = breaks(before) + edited + breaks(open);
        let text = format!("{open}{lines}").replace('\n', self.page.ends);
        self.page.put(at, text);

        let root = self.wanted.get_mut(document).ok_or(CHANGED)?;
        if root.is_null() {
            *root = Value::Mapping(Mapping::new());
        }
        let root = root.as_mapping_mut().ok_or(NOT_THE_SAME)?;
        match (root.get_mut(section), Value::from(added)) {
            (None, added) => drop(root.insert(section.into(), added)),
            (Some(Value::Sequence(there)), Value::Sequence(added)) => there.extend(added),
            (Some(Value::Mapping(there)), Value::Mapping(added)) => there.extend(added),
            (Some(_), _) => return Err(NOT_THE_SAME),
        }
        Ok(above)
    }
}
