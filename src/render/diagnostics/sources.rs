//! Lines of the files that diagnostics concern, in a form that is safe to show.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::secrets::{Secrets, mask};
use crate::declare::{SETTINGS_FILE, source};
use domain::text::printable;

/// Number of characters that are kept before the cache is emptied.
const MOST_KEPT: usize = 16 * 1024 * 1024;

/// The files of a repository, each read when a diagnostic concerns it.
#[derive(Debug)]
pub struct Sources {
    root: PathBuf,
    kept: HashMap<String, Option<Rc<SourceLines>>>,
    characters: usize,
}

impl Sources {
    /// The files of the repository in this folder.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), kept: HashMap::new(), characters: 0 }
    }

    /// A file's lines; `None` if it cannot be read now, or no diagnostic concerns it.
    pub(super) fn lines(&mut self, file: &str) -> Option<Rc<SourceLines>> {
        if let Some(lines) = self.kept.get(file) {
            return lines.clone();
        }
        let lines = source(&self.root, file).map(|text| Rc::new(SourceLines::new(file, &text)));
        let characters = lines.as_ref().map_or(0, |lines| lines.characters.len());
        if self.characters + characters > MOST_KEPT {
            self.kept.clear();
            self.characters = 0;
        }
        self.characters += characters;
        self.kept.insert(file.to_owned(), lines.clone());
        lines
    }
}

/// A file's lines, made safe to show: one character for each of the file's.
#[derive(Debug)]
pub(in crate::render) struct SourceLines {
    characters: Vec<char>,
    /// The range of each line's characters; `None` for a line that is never shown.
    lines: Vec<Option<Range<usize>>>,
}

impl SourceLines {
    pub(in crate::render) fn new(file: &str, text: &str) -> Self {
        let mut secrets = Secrets::new(file == SETTINGS_FILE);
        let mut characters = Vec::with_capacity(text.len());
        let mut lines = Vec::new();
        for line in split(text.strip_prefix('\u{feff}').unwrap_or(text)) {
            if secrets.hide(line) {
                lines.push(None);
                continue;
            }
            let start = characters.len();
            characters.extend(printable(line).chars());
            mask(&mut characters[start..]);
            lines.push(Some(start..characters.len()));
        }
        Self { characters, lines }
    }

    /// A line by its number, counted from 1; `None` if there is no such line, or it is never shown.
    pub(in crate::render) fn get(&self, number: usize) -> Option<&[char]> {
        let range = self.lines.get(number.checked_sub(1)?)?.clone()?;
        self.characters.get(range)
    }
}

/// The lines as YAML counts them: they end with LF, CR LF or CR.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Option<String>> {
        let lines = SourceLines::new("a.yaml", text);
        let count = lines.lines.len();
        (1..=count).map(|number| lines.get(number).map(|line| line.iter().collect())).collect()
    }

    #[test]
    fn lines_are_those_of_yaml() {
        let wanted = ["æ", "", "b", "c", ""].map(|line| Some(line.to_owned()));
        assert_eq!(lines("\u{feff}æ\r\n\rb\nc\n"), wanted);
        assert_eq!(lines(""), [Some(String::new())]);
        let lines = SourceLines::new("a.yaml", "a");
        assert_eq!((lines.get(0), lines.get(2)), (None, None));
    }

    #[test]
    fn only_small_regular_files_of_the_repository_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        let write = |file: &str, bytes: &[u8]| std::fs::write(folder.path().join(file), bytes);
        std::fs::create_dir_all(root.join("folder")).unwrap();
        write("outside.yaml", b"x").unwrap();
        write("root/inside.yaml", b"y").unwrap();
        write("root/large.yaml", &vec![b'z'; 1024 * 1024 + 1]).unwrap();
        write("root/latin1.yaml", b"\xe6").unwrap();
        let outside = folder.path().join("outside.yaml");
        #[cfg(unix)]
        std::os::unix::fs::symlink(&outside, root.join("link.yaml")).unwrap();
        let mut sources = Sources::new(&root);
        assert!(sources.lines("inside.yaml").is_some());
        let outside = outside.to_str().unwrap();
        for file in [
            "../outside.yaml",
            outside,
            "link.yaml",
            "folder",
            "large.yaml",
            "latin1.yaml",
            "none.yaml",
            "",
        ] {
            assert!(sources.lines(file).is_none(), "{file}");
        }
    }
}
