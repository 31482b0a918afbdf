//! Last change of a line.

use std::collections::HashMap;
use std::path::Path;

use git2::{BlameOptions, Repository};

use super::History;
use super::discovery::below;
use super::line_fate::{LineFate, LineFates};
use super::oid::oid;

/// Last change of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blame {
    /// The commit, in hex digits.
    pub commit: String,
    /// Its author, with e-mail address.
    pub author: String,
}

/// Last change of the lines of files: git is asked once for each file.
pub struct Blames<'h> {
    history: &'h History,
    files: HashMap<(String, String), Vec<Blame>>,
    lines: LineFates,
}

impl<'h> Blames<'h> {
    /// For the files in git.
    pub fn new(history: &'h History) -> Self {
        Self { history, files: HashMap::new(), lines: LineFates::default() }
    }

    /// The last change of a line, counted from 1, of a file at a commit; `None` where git does not know it.
    pub fn of(&mut self, commit: &str, file: &str, line: usize) -> Option<Blame> {
        let key = (commit.to_owned(), file.to_owned());
        let lines = self
            .files
            .entry(key)
            .or_insert_with(|| blamed(self.history, commit, file).unwrap_or_default());
        lines.get(line.checked_sub(1)?).cloned()
    }

    /// The outcome for a line, counted from 1, of a file at a commit, up to a later one.
    pub fn removal(&mut self, from: &str, to: &str, file: &str, line: usize) -> LineFate {
        let mut fate = || {
            let repository = self.history.repository().ok()?;
            let path = below(&repository, &self.history.folder)?.join(Path::new(file));
            let ends = (oid(&repository, from).ok()?, oid(&repository, to).ok()?);
            self.lines.fate(&repository, ends, &path, line).ok()
        };
        fate().unwrap_or(LineFate::Unknown)
    }
}

/// The last change of each line of a file.
fn blamed(history: &History, commit: &str, file: &str) -> Option<Vec<Blame>> {
    let repository: Repository = history.repository().ok()?;
    let path = below(&repository, &history.folder)?.join(Path::new(file));
    let mut options = BlameOptions::new();
    options.newest_commit(oid(&repository, commit).ok()?);
    let blame = repository.blame_file(&path, Some(&mut options)).ok()?;
    let mut lines = Vec::new();
    for hunk in blame.iter() {
        let author = hunk.final_signature()?;
        let (name, email) = (author.name().ok()?.to_owned(), author.email().ok()?.to_owned());
        let blame = Blame {
            commit: hunk.final_commit_id().to_string(),
            author: format!("{name} <{email}>"),
        };
        lines.extend(std::iter::repeat_n(blame, hunk.lines_in_hunk()));
    }
    Some(lines)
}
