//! Git's index of a folder of declarations, including those of its submodules.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use git2::{IndexEntry, IndexEntryExtendedFlag, IndexEntryFlag, Oid, Repository};

use super::discovery::{below, discover, open};
use super::error::Error;
use super::objects::Store;
use super::program::Git;
use super::remote::remote;
use super::walk::LARGEST;
use crate::declare::{self, Tracked};

/// The mode of a submodule in an index and in a tree.
pub(super) const SUBMODULE: u32 = 0o160_000;
/// The mode of a symbolic link.
const LINK: u32 = 0o120_000;
/// Largest depth of nested submodules.
pub(super) const MOST_SUBMODULES: usize = 16;

/// The entries of git's index below a folder; an index outside git where there is none. Files that a sparse
/// checkout leaves out and a partial clone lacks are fetched when they are read; `secrets` are the names of
/// environment variables that are hidden from all programs run for that.
///
/// # Errors
/// Git cannot be read.
pub fn index(
    folder: &Path,
    secrets: impl IntoIterator<Item = String>,
) -> Result<declare::Index, Error> {
    let Some(repository) = discover(folder)? else { return Ok(declare::Index::default()) };
    let place = below(&repository, folder).zip(Git::of(&repository, secrets));
    let Some((below, program)) = place else { return Ok(declare::Index::default()) };
    let mut found = Collected::default();
    found.add(repository, program, &below, "", 0)?;
    let folder = below.to_string_lossy().into_owned();
    Ok(declare::Index::new(folder, found.tracked, Arc::new(Objects(Mutex::new(found.left_out)))))
}

#[derive(Default)]
struct Collected {
    tracked: BTreeMap<String, Tracked>,
    left_out: Vec<SparseFiles>,
}

/// The files that a sparse checkout of one repository leaves out, by their path in the folder. No program is
/// run before one of them is read: by then portvakt.yaml, which names the variables with secrets, has been
/// read.
struct SparseFiles {
    store: LazyCell<Store, Box<dyn FnOnce() -> Store + Send>>,
    files: BTreeMap<String, Oid>,
}

/// The content of the files that sparse checkouts leave out.
struct Objects(Mutex<Vec<SparseFiles>>);

impl declare::ReadSparse for Objects {
    fn fetch(&self, paths: &[&str]) {
        let Ok(left_out) = self.0.lock() else { return };
        for SparseFiles { store, files } in &*left_out {
            let blobs: Vec<_> = paths.iter().filter_map(|path| files.get(*path).copied()).collect();
            if blobs.is_empty() {
                continue;
            }
            if let Err(error) = store.bring(&blobs) {
                tracing::warn!(
                    "files that the sparse checkout leaves out were not fetched: {error}"
                );
            }
        }
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        let left_out = self.0.lock().ok()?;
        let of = left_out.iter().find_map(|of| Some((&of.store, *of.files.get(path)?)));
        let (store, blob) = of?;
        store.blob(blob, LARGEST).ok()?
    }
}

impl Collected {
    /// Adds the entries of a repository's index below one of its folders, each path with a prefix.
    fn add(
        &mut self,
        repository: Repository,
        program: Git,
        below: &Path,
        prefix: &str,
        depth: usize,
    ) -> Result<(), Error> {
        let mut files = BTreeMap::new();
        for entry in entries(&repository)? {
            let path = path(&entry);
            let Some(inside) = inside(&path, below) else { continue };
            let name = format!("{prefix}{inside}");
            let tracked = match entry.mode {
                // A submodule that cannot be opened is treated as a missing one: it is reported where it
                // matters.
                SUBMODULE => match submodule(&repository, &path) {
                    Ok(Some(inner)) if depth < MOST_SUBMODULES => {
                        let program = program.of_submodule(&inner);
                        self.add(inner, program, Path::new(""), &format!("{name}/"), depth + 1)?;
                        Tracked::Submodule
                    }
                    _ => Tracked::Missing,
                },
                LINK if is_left_out(&repository, &entry) => {
                    files.insert(name.clone(), entry.id);
                    Tracked::SparseLink
                }
                LINK => Tracked::File,
                _ if is_left_out(&repository, &entry) => {
                    files.insert(name.clone(), entry.id);
                    Tracked::Sparse
                }
                _ => Tracked::File,
            };
            self.tracked.insert(name, tracked);
        }
        if !files.is_empty() {
            let open = move || {
                let source = remote(&repository, &program).ok().flatten();
                Store::new(repository, source, program)
            };
            self.left_out.push(SparseFiles { store: LazyCell::new(Box::new(open)), files });
        }
        Ok(())
    }
}

/// The text of a file that a sparse checkout leaves out, by its path from the top.
pub(super) fn text(store: &Store, path: &str) -> Option<String> {
    let entry = store.repository.index().ok()?.get_path(Path::new(path), 0)?;
    let is_file = !matches!(entry.mode, SUBMODULE | LINK);
    let blob = (is_file && is_left_out(&store.repository, &entry)).then_some(entry.id)?;
    String::from_utf8(store.blob(blob, LARGEST).ok()??).ok()
}

/// All entries of a repository's index.
pub(super) fn entries(repository: &Repository) -> Result<Vec<IndexEntry>, Error> {
    let index = repository.index().map_err(|error| Error::index(&error))?;
    Ok(index.iter().collect())
}

/// The path of an entry, from the top of its work tree.
pub(super) fn path(entry: &IndexEntry) -> String {
    String::from_utf8_lossy(&entry.path).into_owned()
}

/// A path, relative to a folder above it.
pub(super) fn inside<'p>(path: &'p str, below: &Path) -> Option<&'p str> {
    Path::new(path).strip_prefix(below).ok()?.to_str().filter(|inside| !inside.is_empty())
}

/// Whether git is configured not to compare a file with the index.
pub(super) fn is_hidden(entry: &IndexEntry) -> bool {
    entry.flags & IndexEntryFlag::VALID.bits() != 0 || is_skipped(entry)
}

fn is_skipped(entry: &IndexEntry) -> bool {
    entry.flags_extended & IndexEntryExtendedFlag::SKIP_WORKTREE.bits() != 0
}

/// Whether a sparse checkout leaves a file out of the work tree.
pub(super) fn is_left_out(repository: &Repository, entry: &IndexEntry) -> bool {
    is_skipped(entry) && there(repository, &path(entry)).is_none()
}

/// The location of a path of the work tree, if it exists without a symbolic link on the way.
pub(super) fn there(repository: &Repository, path: &str) -> Option<PathBuf> {
    let mut at = repository.workdir()?.to_owned();
    let mut parts = Path::new(path).components().peekable();
    while let Some(part) = parts.next() {
        at.push(part);
        let found = at.symlink_metadata().ok()?;
        if parts.peek().is_some() && !found.is_dir() {
            return None;
        }
    }
    Some(at)
}

/// The repository of a submodule, by its path from the top of the work tree; `None` where it is not checked
/// out.
pub(super) fn submodule(repository: &Repository, path: &str) -> Result<Option<Repository>, Error> {
    match there(repository, path) {
        Some(folder) => open(&folder),
        None => Ok(None),
    }
}
