//! Fixes what is safe to fix: the text changes only at the place of a finding, so that comments and layout
//! are kept.

pub(crate) mod edit;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::{Diagnostic, Fix};
use crate::declare::files;
use crate::declare::files::index::Index;
use crate::declare::files::index::SETTINGS_FILE;
use crate::declare::files::key_files::KeyFiles;
use crate::declare::read::file::{self, FileContext};
use crate::declare::read::manifest::values::TemplateValues;
use crate::declare::read::settings::{Settings, settings};
use crate::declare::read::silences;
use yaml::Editor;

/// Largest number of times that a file is read again for findings that appear only after a fix.
const ROUNDS: usize = 100;

/// A file before and after its fixes.
#[derive(Debug, Clone)]
pub struct FixedFile {
    /// The file, relative to the repository.
    pub file: Arc<str>,
    /// Its text.
    pub before: String,
    /// Its text with the safe fixes.
    pub after: String,
}

/// The files in which findings can be fixed. A file that would have more errors afterwards is left out, and
/// so is one that a sparse checkout leaves out.
pub fn apply_fixes(root: &Path, index: &Index, found: &[Diagnostic]) -> Vec<FixedFile> {
    let Ok(bytes) = files::read_settings(root, index) else {
        return Vec::new();
    };
    let fixable = found.iter().filter(|found| found.fix.is_some());
    let mut files: Vec<Arc<str>> = fixable.map(|found| Arc::clone(&found.file)).collect();
    files.sort();
    files.dedup();
    let is_settings = |file: &Arc<str>| &**file == SETTINGS_FILE;
    let of_settings = files.iter().find(|file| is_settings(file)).cloned();
    let of_settings = of_settings.and_then(|file| fix_file(root, file, None));
    let (settings, _) = match &of_settings {
        Some(fixed) => settings(fixed.after.as_bytes()),
        None => settings(&bytes),
    };
    if let (Some(_), Some(settings)) = (&of_settings, &settings) {
        // With the fixed settings, more files are read.
        let (listed, _) = files::list(root, &settings.filter, index, &BTreeMap::new());
        files = listed.into_iter().map(|listed| listed.name).collect();
    }
    files.retain(|file| !is_settings(file));
    let others = files.into_iter().filter_map(|file| fix_file(root, file, settings.as_ref()));
    let mut fixed: Vec<FixedFile> = of_settings.into_iter().chain(others).collect();
    fixed.sort_by(|a, b| a.file.cmp(&b.file));
    fixed
}

fn fix_file(root: &Path, file: Arc<str>, settings: Option<&Settings>) -> Option<FixedFile> {
    let (file, bytes) = files::read(files::Listed::there(root.join(&*file), &file)).ok()?;
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
    after = apply(&after, fixes.filter(|fix| is_reorder(fix)));
    if after == before {
        return None;
    }
    let errors = |found: &[Diagnostic]| found.iter().filter(|found| found.is_error()).count();
    let (then, now) = (read(&before), read(&after));
    let is_better =
        errors(&now) <= errors(&then) && now.iter().all(|found| can_be_read(found.code));
    is_better.then_some(FixedFile { file, before, after })
}

fn is_reorder(fix: &Fix) -> bool {
    matches!(fix, Fix::Reorder { .. })
}

/// Whether the rest of a file can be read after a finding of this rule.
fn can_be_read(rule: Rule) -> bool {
    !matches!(rule, Rule::Syntax | Rule::DuplicateKey | Rule::Nesting | Rule::Tag)
}

/// The findings in a single file.
fn read(file: &Arc<str>, text: &str, known: Option<&Settings>) -> Vec<Diagnostic> {
    if &**file == SETTINGS_FILE {
        return settings(text.as_bytes()).1;
    }
    let read = |known| {
        // The content of key files does not matter: it is the same before and after.
        let no_keys = KeyFiles::Provided(&|_| None);
        // Neither do the values of templates: what is in a manifest is not fixed.
        let values = TemplateValues::default();
        let context = FileContext { settings: known, key_files: &no_keys, values: &values };
        let mut declared = file::declarations(file.clone(), text.as_bytes(), &context);
        silences::heed(&mut declared.diagnostics, &declared.silences);
        declared.diagnostics
    };
    known.map(read).unwrap_or_default()
}

/// The text with fixes applied, except those that are not safe; of two that touch each other only the first
/// is applied.
fn apply<'f>(text: &str, fixes: impl Iterator<Item = &'f Fix>) -> String {
    let Ok(mut editor) = Editor::new(text) else { return text.to_owned() };
    let mut fixes: Vec<&Fix> = fixes.collect();
    fixes.sort_by_key(|fix| match fix {
        Fix::Replace { span, .. } => Some((span.start, span.end)),
        Fix::Reorder { items, .. } => items.first().map(|item| (item.start, item.end)),
    });
    for fix in fixes {
        let _: Result<(), _> = match fix {
            Fix::Replace { span, old, new } => editor.replace(*span, old, new),
            Fix::Reorder { items, order } => editor.reorder(items, order),
        };
    }
    editor.done().unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use yaml::{Position, Span};

    fn at(line: u32, from: u32, to: u32) -> Span {
        Span { start: Position { line, column: from }, end: Position { line, column: to } }
    }

    fn reordered(text: &str, items: &[Span], order: &[usize]) -> String {
        let fix = Fix::Reorder { items: items.to_vec(), order: order.to_vec() };
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
