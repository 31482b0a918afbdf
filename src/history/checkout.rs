//! How the files of a folder stand to its commit.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use git2::{Repository, StatusEntry, StatusOptions};

use crate::declare::is_yaml;

/// The commit that a folder's declarations stand at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id, 40 hex digits.
    pub commit: String,
    /// Whether declarations differ from it or are not in it.
    pub dirty: bool,
}

/// The commit that a folder stands at; `None` outside git, before the first commit, or where git
/// cannot be read. Of its files the YAML counts, which git may even be told to ignore, and
/// `key_files`, by their paths in the folder.
pub fn checked_out(folder: &Path, key_files: &BTreeSet<String>) -> Option<Commit> {
    let repository = Repository::discover(folder).ok()?;
    let commit = repository.head().ok()?.peel_to_commit().ok()?.id().to_string();
    let below = below(&repository, folder)?;
    let mut options = StatusOptions::new();
    options.include_untracked(true).include_ignored(true);
    options.recurse_untracked_dirs(true).recurse_ignored_dirs(true);
    if !below.as_os_str().is_empty() {
        options.pathspec(&below).disable_pathspec_match(true);
    }
    let is_read = |entry: &StatusEntry<'_>| {
        let path = Path::new(std::str::from_utf8(entry.path_bytes()).unwrap_or("x.yaml"));
        let inside = path.strip_prefix(&below).ok().and_then(Path::to_str);
        is_yaml(path) || inside.is_some_and(|path| key_files.contains(path))
    };
    let statuses = repository.statuses(Some(&mut options));
    let dirty = statuses.map_or(true, |statuses| statuses.iter().any(|entry| is_read(&entry)));
    Some(Commit { commit, dirty })
}

/// What leads from the top of the work tree to a folder, to be put before the names of its files:
/// as in `declarations/`, and nothing at the top or outside git.
pub fn prefix(folder: &Path) -> String {
    let below = Repository::discover(folder).ok().and_then(|repository| below(&repository, folder));
    let parts = below.iter().flat_map(|below| below.components());
    parts.map(|part| part.as_os_str().to_string_lossy() + "/").collect()
}

/// Whether a file lies in a git work tree and git does not ignore it.
pub fn would_be_committed(file: &Path) -> bool {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let Some(repository) = absolute.parent().and_then(|folder| Repository::discover(folder).ok())
    else {
        return false;
    };
    let real = absolute.canonicalize().unwrap_or(absolute);
    repository.workdir().is_some() && !repository.is_path_ignored(&real).unwrap_or(false)
}

/// A folder's path from the top of the work tree.
pub(super) fn below(repository: &Repository, folder: &Path) -> Option<PathBuf> {
    let top = repository.workdir()?.canonicalize().ok()?;
    Some(folder.canonicalize().ok()?.strip_prefix(top).ok()?.to_path_buf())
}
