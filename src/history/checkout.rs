//! How the files of a folder stand to its commit.

use std::path::{Path, PathBuf};

use git2::{
    ErrorCode, IndexEntry, IndexEntryExtendedFlag, IndexEntryFlag, Repository, StatusEntry,
    StatusOptions,
};

use super::discovery::discover;
use super::error::Error;

/// The commit that a folder's declarations stand at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id, 40 hex digits.
    pub commit: String,
    /// Whether declarations differ from it or are not in it.
    pub dirty: bool,
}

/// The commit that a folder stands at; `None` outside git or before the first commit. Of its files
/// those count that are read, by their paths in the folder, even where git is told to ignore them.
///
/// # Errors
/// Git cannot be read.
pub fn checked_out(folder: &Path, is_read: &dyn Fn(&str) -> bool) -> Result<Option<Commit>, Error> {
    let Some(repository) = discover(folder)? else { return Ok(None) };
    let commit = match repository.head().and_then(|head| head.peel_to_commit()) {
        Ok(commit) => commit.id().to_string(),
        Err(error) if error.code() == ErrorCode::UnbornBranch => return Ok(None),
        Err(error) => return Err(Error::read("the commit that is checked out", &error)),
    };
    let Some(below) = below(&repository, folder) else { return Ok(None) };
    let mut options = StatusOptions::new();
    options.include_untracked(true).include_ignored(true);
    options.recurse_untracked_dirs(true).recurse_ignored_dirs(true);
    if !below.as_os_str().is_empty() {
        options.pathspec(&below).disable_pathspec_match(true);
    }
    let counts = |entry: &StatusEntry<'_>| {
        let path = std::str::from_utf8(entry.path_bytes()).ok().map(Path::new);
        // A name that is no text is told as something that is wrong with the declarations.
        let inside = path.and_then(|path| path.strip_prefix(&below).ok()?.to_str());
        inside.is_some_and(is_read)
    };
    let statuses = repository.statuses(Some(&mut options));
    let dirty = statuses.map_or(true, |statuses| statuses.iter().any(|entry| counts(&entry)))
        || hides_change(&repository, &below, is_read).unwrap_or(true);
    Ok(Some(Commit { commit, dirty }))
}

/// Whether a file that is read differs from what is staged where git was told not to look
/// (`git update-index --assume-unchanged` and `--skip-worktree`).
fn hides_change(
    repository: &Repository,
    below: &Path,
    is_read: &dyn Fn(&str) -> bool,
) -> Result<bool, git2::Error> {
    let Some(top) = repository.workdir() else { return Ok(false) };
    let is_hidden = |entry: &IndexEntry| {
        entry.flags & IndexEntryFlag::VALID.bits() != 0
            || entry.flags_extended & IndexEntryExtendedFlag::SKIP_WORKTREE.bits() != 0
    };
    let index = repository.index()?;
    let differs = |entry: IndexEntry| {
        let path = std::str::from_utf8(&entry.path).ok().map(Path::new)?;
        let inside = path.strip_prefix(below).ok()?.to_str()?;
        // A sparse checkout has files that are not there, and those are not read.
        let is_there = is_read(inside) && top.join(path).symlink_metadata().is_ok();
        let staged = is_there.then(|| repository.find_blob(entry.id))?;
        let found = std::fs::read(top.join(path));
        Some(!matches!((staged, found), (Ok(staged), Ok(found)) if staged.content() == found))
    };
    Ok(index.iter().filter(is_hidden).filter_map(differs).any(|differs| differs))
}

/// What leads from the top of the work tree to a folder, to be put before the names of its files:
/// as in `declarations/`, and nothing at the top or outside git.
pub fn prefix(folder: &Path) -> String {
    let repository = discover(folder).ok().flatten();
    let below = repository.and_then(|repository| below(&repository, folder));
    let parts = below.iter().flat_map(|below| below.components());
    parts.map(|part| part.as_os_str().to_string_lossy() + "/").collect()
}

/// Whether a file lies in a git work tree and git does not ignore it.
pub fn would_be_committed(file: &Path) -> bool {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let found = absolute.parent().and_then(|folder| discover(folder).ok().flatten());
    let Some(repository) = found else { return false };
    let real = absolute.canonicalize().unwrap_or(absolute);
    repository.workdir().is_some() && !repository.is_path_ignored(&real).unwrap_or(false)
}

/// A folder's path from the top of the work tree.
pub(super) fn below(repository: &Repository, folder: &Path) -> Option<PathBuf> {
    let top = repository.workdir()?.canonicalize().ok()?;
    Some(folder.canonicalize().ok()?.strip_prefix(top).ok()?.to_path_buf())
}
