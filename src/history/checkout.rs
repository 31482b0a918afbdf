//! State of a folder's files compared with its commit.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use git2::{
    Delta, ErrorCode, FileMode, IndexEntry, Repository, Status, StatusEntry, StatusOptions,
};

use super::discovery::{below, discover};
use super::error::Error;
use super::index::{self, SUBMODULE, inside, is_hidden, is_left_out, there};
use super::objects;
use super::program::Git;
use super::remote::remote;
use super::walk::LARGEST;
use crate::declare::{self, FileRole, SETTINGS_FILE};

/// The commit of a folder's declarations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id, in hex digits.
    pub commit: String,
    /// Whether declarations differ from it or are not in it.
    pub dirty: bool,
}

/// The commit of the folder of declarations; `None` outside git or before the first commit. Only files that
/// are read count, even if git is configured to ignore them, including those of submodules.
///
/// # Errors
/// Git cannot be read.
pub fn checked_out(declarations: &declare::Repository) -> Result<Option<Commit>, Error> {
    let folder = declarations.root();
    let Some(repository) = discover(folder)? else { return Ok(None) };
    let commit = match repository.head().and_then(|head| head.peel_to_commit()) {
        Ok(commit) => commit.id().to_string(),
        Err(error) if error.code() == ErrorCode::UnbornBranch => return Ok(None),
        Err(error) => return Err(Error::read("the commit that is checked out", &error)),
    };
    let Some(below) = below(&repository, folder) else { return Ok(None) };
    let tree = WorkTree { declarations, repository: &repository, below: &below, prefix: "" };
    Ok(Some(Commit { commit, dirty: tree.is_dirty(0)? }))
}

/// The work tree of a repository, or of a submodule in it.
struct WorkTree<'r> {
    declarations: &'r declare::Repository,
    repository: &'r Repository,
    /// The folder of the declarations, from the top of this work tree.
    below: &'r Path,
    /// The path from the folder of the declarations to this work tree.
    prefix: &'r str,
}

impl WorkTree<'_> {
    /// Whether the files that are read differ from the commit that is checked out.
    fn is_dirty(&self, depth: usize) -> Result<bool, Error> {
        let entries = index::entries(self.repository)?;
        if self.has_status(&entries).unwrap_or(true) {
            return Ok(true);
        }
        if entries.iter().filter(|entry| is_hidden(entry)).any(|entry| self.hides_change(entry)) {
            return Ok(true);
        }
        for entry in entries.iter().filter(|entry| entry.mode == SUBMODULE) {
            if self.is_submodule_dirty(entry, depth)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A path in this work tree, from the folder of the declarations.
    fn name(&self, path: &str) -> Option<String> {
        Some(format!("{}{}", self.prefix, inside(path, self.below)?))
    }

    /// Whether git lists a change of a file that counts.
    fn has_status(&self, entries: &[IndexEntry]) -> Result<bool, git2::Error> {
        let left_out = entries.iter().filter(|entry| is_left_out(self.repository, entry));
        let left_out: HashSet<_> = left_out.map(|entry| entry.path.as_slice()).collect();
        let mut options = StatusOptions::new();
        options.include_untracked(true).include_ignored(true);
        options.recurse_untracked_dirs(true).recurse_ignored_dirs(true);
        if !self.below.as_os_str().is_empty() {
            options.pathspec(self.below).disable_pathspec_match(true);
        }
        let statuses = self.repository.statuses(Some(&mut options))?;
        Ok(statuses.iter().any(|entry| {
            let mut status = entry.status();
            if left_out.contains(entry.path_bytes()) {
                // Files that a sparse checkout leaves out are read from the index.
                status.remove(Status::WT_DELETED);
            }
            self.counts(&entry, status)
        }))
    }

    fn counts(&self, entry: &StatusEntry<'_>, status: Status) -> bool {
        // A name that is not text is refused where it is read.
        let path = String::from_utf8_lossy(entry.path_bytes());
        let Some(name) = self.name(&path) else { return false };
        if stages_submodule(entry) {
            return self.declarations.reads_below(name.trim_end_matches('/'));
        }
        match self.declarations.role(&name) {
            None => false,
            Some(FileRole::Content) => !status.is_empty(),
            Some(FileRole::Presence) => {
                !(status - (Status::INDEX_MODIFIED | Status::WT_MODIFIED)).is_empty()
            }
        }
    }

    /// Whether a file that is read differs from the staged one, where git is configured not to check (`git
    /// update-index --assume-unchanged` and `--skip-worktree`).
    fn hides_change(&self, entry: &IndexEntry) -> bool {
        let path = index::path(entry);
        let role = self.name(&path).and_then(|name| self.declarations.role(&name));
        let found = there(self.repository, &path);
        match (role, found) {
            (None, _) => false,
            (_, None) => !is_left_out(self.repository, entry),
            (Some(FileRole::Presence), Some(found)) => {
                !found.symlink_metadata().is_ok_and(|found| found.is_file())
            }
            (Some(FileRole::Content), Some(found)) => {
                let staged = self.repository.find_blob(entry.id);
                let found = std::fs::read(found);
                !matches!((staged, found), (Ok(staged), Ok(found)) if staged.content() == found)
            }
        }
    }

    /// Whether a submodule is at another commit than the staged one, or is dirty itself. One that is not
    /// checked out is reported as an error of the declarations.
    fn is_submodule_dirty(&self, entry: &IndexEntry, depth: usize) -> Result<bool, Error> {
        let path = index::path(entry);
        let name = self.name(&path).filter(|name| self.declarations.reads_below(name));
        let Some(name) = name.filter(|_| depth < index::MOST_SUBMODULES) else {
            return Ok(false);
        };
        let Some(inner) = index::submodule(self.repository, &path)? else { return Ok(false) };
        let head = inner.head().and_then(|head| head.peel_to_commit()).map(|commit| commit.id());
        if head.ok() != Some(entry.id) {
            return Ok(true);
        }
        let prefix = format!("{name}/");
        let (declarations, below) = (self.declarations, Path::new(""));
        WorkTree { declarations, repository: &inner, below, prefix: &prefix }.is_dirty(depth + 1)
    }
}

/// Whether a submodule is added, removed or moved to another commit in the index.
fn stages_submodule(entry: &StatusEntry<'_>) -> bool {
    entry.head_to_index().is_some_and(|delta| {
        let is_submodule = |mode| mode == FileMode::Commit;
        delta.status() != Delta::Unmodified
            && (is_submodule(delta.old_file().mode()) || is_submodule(delta.new_file().mode()))
    })
}

/// The path from the top of the work tree to a folder, as a prefix for the names of its files:
/// `declarations/`, for example, and empty at the top or outside git.
pub fn prefix(folder: &Path) -> String {
    let repository = discover(folder).ok().flatten();
    let below = repository.and_then(|repository| below(&repository, folder));
    let parts = below.iter().flat_map(|below| below.components());
    parts.map(|part| part.as_os_str().to_string_lossy() + "/").collect()
}

/// The top of the work tree of a folder; `None` outside git.
pub fn top(folder: &Path) -> Option<PathBuf> {
    discover(folder).ok()??.workdir().map(Path::to_owned)
}

/// The default branch of a repository, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultBranch {
    /// That of the remote.
    OfRemote(String),
    /// The branch that is checked out: there is no remote, or it does not answer or has no such branch.
    CheckedOut(String),
}

/// The default branch of a folder's repository: that of its remote, as recorded in this clone or else as the
/// remote says, or else the branch that is checked out; `None` outside git and where neither is known.
/// `secrets` are the names of environment variables that are hidden from git.
pub fn default_branch(
    folder: &Path,
    secrets: impl IntoIterator<Item = String>,
) -> Option<DefaultBranch> {
    let repository = discover(folder).ok()??;
    let of_the_remote = Git::of(&repository, secrets).and_then(|program| {
        let remote = remote(&repository, &program).ok()??;
        recorded_default(&repository, &remote).or_else(|| {
            let head = program.refs(&remote, &["HEAD".to_owned()]).ok()?.head?;
            Some(head.strip_prefix("refs/heads/")?.to_owned())
        })
    });
    // HEAD of a repository without a commit leads to a branch too.
    let checked_out = || {
        let head = repository.find_reference("HEAD").ok()?;
        Some(head.symbolic_target().ok()??.strip_prefix("refs/heads/")?.to_owned())
    };
    of_the_remote
        .map(DefaultBranch::OfRemote)
        .or_else(|| checked_out().map(DefaultBranch::CheckedOut))
}

/// The default branch of a remote when this clone was made.
fn recorded_default(repository: &Repository, remote: &str) -> Option<String> {
    let head = repository.find_reference(&format!("refs/remotes/{remote}/HEAD")).ok()?;
    let branch = head.symbolic_target().ok()??;
    Some(branch.strip_prefix(&format!("refs/remotes/{remote}/"))?.to_owned())
}

/// The folders in the work tree around a folder that have a portvakt.yaml known to git, from the top.
pub fn folders(folder: &Path) -> Vec<String> {
    discover(folder).ok().flatten().map_or_else(Vec::new, |repository| known_folders(&repository))
}

/// The content of each portvakt.yaml that git knows in the git repository of a folder, or at least its
/// beginning. No program is run for it.
pub fn known_settings(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(Some(repository)) = discover(folder) else { return Vec::new() };
    let Some(top) = repository.workdir() else { return Vec::new() };
    let settings = known_folders(&repository).into_iter().filter_map(|folder| {
        let file = Path::new(&folder).join(SETTINGS_FILE);
        beginning(&top.join(&file)).or_else(|| {
            let entry = repository.index().ok()?.get_path(&file, 0)?;
            objects::blob(&repository, entry.id, LARGEST).ok()?
        })
    });
    settings.collect()
}

/// The beginning of a regular file.
fn beginning(file: &Path) -> Option<Vec<u8>> {
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(LARGEST as u64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The folders that have a portvakt.yaml known to git, from the top of the work tree.
fn known_folders(repository: &Repository) -> Vec<String> {
    let Ok(index) = repository.index() else { return Vec::new() };
    let is_file = |entry: &IndexEntry| entry.mode & FILE_TYPE == REGULAR_FILE;
    let folders = index.iter().filter(is_file).filter_map(|entry| {
        let path = std::str::from_utf8(&entry.path).ok()?;
        let folder = path.strip_suffix(SETTINGS_FILE)?;
        (folder.is_empty() || folder.ends_with('/'))
            .then(|| folder.trim_end_matches('/').to_owned())
    });
    folders.collect()
}

/// The bits of a mode in the index that give the type of an entry, and those of a regular file.
const FILE_TYPE: u32 = 0o170_000;
const REGULAR_FILE: u32 = 0o100_000;

/// Whether a file lies in a git work tree and git does not ignore it.
pub fn would_be_committed(file: &Path) -> bool {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let found = absolute.parent().and_then(|folder| discover(folder).ok().flatten());
    let Some(repository) = found else { return false };
    let real = absolute.canonicalize().unwrap_or(absolute);
    repository.workdir().is_some() && !repository.is_path_ignored(&real).unwrap_or(false)
}
