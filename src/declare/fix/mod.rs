//! Mending what is safe to mend: the text is changed where a finding stands and nowhere else, so
//! comments and layout stay.

pub(crate) mod edit;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize as _;
use serde_yaml::Value;

use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::span::Span;
use crate::declare::diagnostic::{Change, Diagnostic, Fix};
use crate::declare::files;
use crate::declare::files::index::Index;
use crate::declare::files::index::SETTINGS_FILE;
use crate::declare::files::key_files::KeyFiles;
use crate::declare::read::file;
use crate::declare::read::settings::{Settings, settings};
use crate::declare::read::silences;
use crate::declare::yaml::document::{Findings, decode};
use crate::declare::yaml::lines::Lines;

/// How often a file is read again for what only shows when something else is mended.
const ROUNDS: usize = 100;

/// A file as it stands, and as it would be mended.
#[derive(Debug, Clone)]
pub struct Mended {
    /// The file, relative to the repository.
    pub file: Arc<str>,
    /// Its text.
    pub before: String,
    /// Its text with what is safe to mend mended.
    pub after: String,
}

/// The files that something found can be mended in. A file of which more would be wrong afterwards
/// than before is left out, and so is one that a sparse checkout leaves out.
pub fn mend(root: &Path, index: &Index, found: &[Diagnostic]) -> Vec<Mended> {
    let Ok(bytes) = files::read_settings(root, index) else {
        return Vec::new();
    };
    let fixable = found.iter().filter(|found| found.fix.is_some());
    let mut files: Vec<Arc<str>> = fixable.map(|found| Arc::clone(&found.file)).collect();
    files.sort();
    files.dedup();
    let is_settings = |file: &Arc<str>| &**file == SETTINGS_FILE;
    let of_settings = files.iter().find(|file| is_settings(file)).cloned();
    let of_settings = of_settings.and_then(|file| mend_file(root, file, None));
    let (settings, _) = match &of_settings {
        Some(mended) => settings(mended.after.as_bytes()),
        None => settings(&bytes),
    };
    if let (Some(_), Some(settings)) = (&of_settings, &settings) {
        // In their light, more is read and found.
        files = files::list(root, &settings.filter, index)
            .0
            .into_iter()
            .map(|listed| listed.name)
            .collect();
    }
    files.retain(|file| !is_settings(file));
    let others = files.into_iter().filter_map(|file| mend_file(root, file, settings.as_ref()));
    let mut mended: Vec<Mended> = of_settings.into_iter().chain(others).collect();
    mended.sort_by(|a, b| a.file.cmp(&b.file));
    mended
}

fn mend_file(root: &Path, file: Arc<str>, settings: Option<&Settings>) -> Option<Mended> {
    let bytes = files::read(&files::Listed::there(root.join(&*file), &file)).ok()?;
    let before = String::from_utf8(bytes).ok()?;
    let read = |text: &str| read(&file, text, settings);
    let mut after = before.clone();
    for _ in 0..ROUNDS {
        let found = read(&after);
        let fixes = found.iter().filter_map(|found| found.fix.as_ref());
        let next = apply(&after, fixes.filter(|fix| !is_reorder(fix)));
        if next == after {
            break;
        }
        after = next;
    }
    let found = read(&after);
    let fixes = found.iter().filter_map(|found| found.fix.as_ref());
    let sorted = apply(&after, fixes.filter(|fix| is_reorder(fix)));
    if is_same_but_for_order(&after, &sorted) {
        after = sorted;
    }
    if after == before {
        return None;
    }
    let errors = |found: &[Diagnostic]| found.iter().filter(|found| found.is_error()).count();
    let (then, now) = (read(&before), read(&after));
    let is_better =
        errors(&now) <= errors(&then) && now.iter().all(|found| can_be_read(found.code));
    is_better.then_some(Mended { file, before, after })
}

fn is_reorder(fix: &Fix) -> bool {
    matches!(fix.0, Change::Reorder { .. })
}

/// Whether two texts say the same but for the order of consumers.
fn is_same_but_for_order(a: &str, b: &str) -> bool {
    let values = |text: &str| -> Option<Vec<Value>> {
        let documents = serde_yaml::Deserializer::from_str(text).map(Value::deserialize);
        let mut values: Vec<Value> = documents.collect::<Result<_, _>>().ok()?;
        values.iter_mut().for_each(sort_consumers);
        Some(values)
    };
    values(a).is_some_and(|a| values(b) == Some(a))
}

fn sort_consumers(value: &mut Value) {
    match value {
        Value::Sequence(items) => items.iter_mut().for_each(sort_consumers),
        Value::Mapping(entries) => {
            for (key, value) in entries.iter_mut() {
                match value {
                    Value::Sequence(items) if key.as_str() == Some("consumers") => {
                        items.sort_by_cached_key(|item| format!("{item:?}"));
                    }
                    other => sort_consumers(other),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Tagged(_) => {}
    }
}

/// Whether what is found keeps a file from being read any further.
fn can_be_read(rule: Rule) -> bool {
    !matches!(rule, Rule::Syntax | Rule::DuplicateKey | Rule::Nesting | Rule::Tag)
}

/// What is found in a file by itself.
fn read(file: &Arc<str>, text: &str, known: Option<&Settings>) -> Vec<Diagnostic> {
    if &**file == SETTINGS_FILE {
        return settings(text.as_bytes()).1;
    }
    let read = |known| {
        // What stands in files with keys is not looked at: it is the same before and after.
        let no_keys = KeyFiles::Given(&|_| None);
        let mut declared = file::declarations(file.clone(), text.as_bytes(), known, &no_keys);
        silences::heed(&mut declared.diagnostics, &declared.silences);
        declared.diagnostics
    };
    known.map(read).unwrap_or_default()
}

/// The text with fixes applied; of two that touch each other only the first is.
fn apply<'f>(text: &str, fixes: impl Iterator<Item = &'f Fix>) -> String {
    let mut findings = Findings::new(Arc::from(""));
    let Some(shown) = decode(text.as_bytes(), &mut findings) else {
        return text.to_owned();
    };
    let lines = Lines::new(shown);
    let mut edits: Vec<(Range<usize>, String)> =
        fixes.filter_map(|fix| edits(fix, &lines)).flatten().collect();
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mark = text.len() - shown.len();
    let mut after = text[..mark].to_owned();
    let mut done = 0;
    for (range, new) in edits {
        if range.start >= done {
            after.push_str(&shown[done..range.start]);
            after.push_str(&new);
            done = range.end;
        }
    }
    after.push_str(&shown[done..]);
    after
}

/// What a fix changes, as ranges of bytes and what comes there; `None` where that is not safe.
fn edits(fix: &Fix, lines: &Lines<'_>) -> Option<Vec<(Range<usize>, String)>> {
    match &fix.0 {
        Change::Replace { span, old, new } => {
            let range = lines.range(*span)?;
            let new = replacement(&lines.text[range.clone()], old, new)?;
            Some(vec![(range, new)])
        }
        Change::Reorder { items, order } => {
            let spans = items.iter().map(|item| lines.range(*item));
            let spans: Vec<_> = spans.collect::<Option<_>>()?;
            let places = match lines.in_one_line_each(items) {
                true => lines.with_comments(items)?,
                false => spans,
            };
            let plain = |text: &str| text.chars().all(|c| c == ',' || c.is_whitespace());
            let between = |two: &[Range<usize>]| lines.text.get(two[0].end..two[1].start);
            if !places.windows(2).all(|two| between(two).is_some_and(plain)) {
                return None;
            }
            let moved = order.iter().map(|from| lines.text[places[*from].clone()].to_owned());
            Some(places.iter().cloned().zip(moved).collect())
        }
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

impl Lines<'_> {
    /// Whether each item of a list stands behind a dash on lines of its own.
    fn in_one_line_each(&self, items: &[Span]) -> bool {
        items.iter().all(|item| {
            let line = self.line(item.start.line as usize);
            let before: String = line.chars().take(item.start.column as usize - 1).collect();
            before.trim() == "-"
        })
    }

    /// The lines of each item, with the comment lines directly above it and what follows on its
    /// last line. `None` where something parts the items for a reason: a blank line, or a comment
    /// that may be about more than the one item below it.
    fn with_comments(&self, items: &[Span]) -> Option<Vec<Range<usize>>> {
        let is_comment = |number: usize| self.line(number).trim_start().starts_with('#');
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
            let start = *self.starts.get(next - 1)?;
            let end = *self.starts.get(last - 1)? + self.line(last).len();
            ranges.push(start..end.max(start));
            next = last + 1;
        }
        Some(ranges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::diagnostic::span::Position;

    fn at(line: u32, from: u32, to: u32) -> Span {
        Span { start: Position { line, column: from }, end: Position { line, column: to } }
    }

    fn reordered(text: &str, items: &[Span], order: &[usize]) -> String {
        let fix = Fix::reorder(items.to_vec(), order.to_vec());
        apply(text, std::iter::once(&fix))
    }

    #[test]
    fn what_is_replaced_is_nothing_else() {
        let fix = Fix::replace(at(2, 4, 5), "b", "xyz");
        let text = "\u{feff}æ\r\nøå b c # d\r\n";
        assert_eq!(apply(text, std::iter::once(&fix)), "\u{feff}æ\r\nøå xyz c # d\r\n");
        let both = [fix.clone(), Fix::replace(at(2, 3, 5), " b", "no")];
        assert_eq!(apply(text, both.iter().rev()), "\u{feff}æ\r\nøåno c # d\r\n");
        let beyond = Fix::replace(at(9, 1, 2), "b", "x");
        assert_eq!(apply(text, std::iter::once(&beyond)), text);
    }

    #[test]
    fn comments_go_with_their_items() {
        let text = "a:\n  # of c\n  - c # c\n  # of b\n  # more\n  - b\nd: e\n";
        let items = [at(3, 5, 6), at(6, 5, 6)];
        let expected = "a:\n  # of b\n  # more\n  - b\n  # of c\n  - c # c\nd: e\n";
        assert_eq!(reordered(text, &items, &[1, 0]), expected);
        assert_eq!(
            reordered("a: [c, b] # d\n", &[at(1, 5, 6), at(1, 8, 9)], &[1, 0]),
            "a: [b, c] # d\n"
        );
    }

    #[test]
    fn parted_items_stay() {
        let text = "a:\n  - c\n\n  - b\n";
        assert_eq!(reordered(text, &[at(2, 5, 6), at(4, 5, 6)], &[1, 0]), text);
        let text = "a: [c, # d\n  b]\n";
        assert_eq!(reordered(text, &[at(1, 5, 6), at(2, 3, 4)], &[1, 0]), text);
    }
}
