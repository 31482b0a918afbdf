//! Objects of git. None is loaded before its size is known, as whoever can push chooses it.

use std::path::{Component, Path};

use git2::{Commit, ObjectType, Oid, Repository};

use super::error::Error;
use super::oid::oid;
use super::program::Git;
use super::{discovery, index, remote};

/// The largest commit that is read, in bytes, its message and signature included.
pub(super) const LARGEST_COMMIT: usize = 1024 * 1024;
/// The largest folder that is read, in bytes: about 300,000 entries.
pub(super) const LARGEST_TREE: usize = 16 * 1024 * 1024;

/// A git repository whose objects are read, and the source of missing ones.
pub(super) struct Store {
    pub(super) repository: Repository,
    remote: Option<String>,
    program: Git,
    /// Whether it is a partial clone: missing objects are on the remote.
    is_partial: bool,
}

impl Store {
    pub(super) fn new(repository: Repository, remote: Option<String>, program: Git) -> Self {
        let config = repository.config();
        let is_partial = remote.as_ref().is_some_and(|remote| {
            let promisor = format!("remote.{remote}.promisor");
            config.is_ok_and(|config| config.get_bool(&promisor).unwrap_or(false))
        });
        Self { repository, remote, program, is_partial }
    }

    /// A commit, by its id.
    pub(super) fn commit(&self, commit: &str) -> Result<Commit<'_>, Error> {
        let found = self.repository.find_commit(oid(&self.repository, commit)?);
        found.map_err(|error| Error::commit(commit, &error))
    }

    /// Fetches those of the given objects that a partial clone lacks.
    pub(super) fn bring(&self, objects: &[Oid]) -> Result<(), Error> {
        let Some(remote) = self.remote.as_ref().filter(|_| self.is_partial) else { return Ok(()) };
        let missing = self.missing(objects)?;
        match missing.is_empty() {
            true => Ok(()),
            false => self.program.fetch_objects(remote, &missing),
        }
    }

    fn missing(&self, objects: &[Oid]) -> Result<Vec<Oid>, Error> {
        let here = self.repository.odb().map_err(|error| Error::read("git's objects", &error))?;
        Ok(objects.iter().copied().filter(|oid| !here.exists(*oid)).collect())
    }

    /// The content of a blob of at most that many bytes; `None` for a larger one, and for other objects.
    pub(super) fn blob(&self, oid: Oid, largest: usize) -> Result<Option<Vec<u8>>, Error> {
        self.bring(&[oid])?;
        blob(&self.repository, oid, largest)
            .map_err(|error| Error::read(&format!("object {oid}"), &error))
    }

    /// The repository of a submodule, by its path from the top of the work tree, if it has the given commit;
    /// and the tree of that commit.
    pub(super) fn submodule(&self, path: &Path, commit: Oid) -> Result<(Self, Oid), Error> {
        let unknown = |why: &str| Error::Submodule {
            path: path.display().to_string(),
            commit: commit.to_string(),
            why: why.to_owned(),
        };
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        let text = path
            .to_str()
            .filter(|_| is_inside)
            .ok_or_else(|| unknown("its path leads out of the repository"))?;
        let found = match index::submodule(&self.repository, text)? {
            Some(found) => found,
            None => self.kept(path).ok_or_else(|| unknown(&self.not_here(path)))?,
        };
        let program = self.program.of_submodule(&found);
        let remote = remote::remote(&found, &program)?;
        let store = Self::new(found, remote, program);
        if let (Some(remote), false) = (&store.remote, store.missing(&[commit])?.is_empty()) {
            let shallow = store.repository.is_shallow();
            store.program.fetch(remote, &[&commit.to_string()], shallow)?;
        }
        store.bring(&[commit])?;
        let found = store.repository.find_commit(commit);
        let tree = found.map_err(|error| unknown(error.message()))?.tree_id();
        Ok((store, tree))
    }

    /// The reason why a submodule is missing, and the command that fetches it.
    fn not_here(&self, path: &Path) -> String {
        // A submodule that is kept after its removal has an old index.
        let index = (!self.repository.is_bare()).then(|| self.repository.index().ok()).flatten();
        let is_known = index.is_some_and(|index| index.get_path(path, 0).is_some());
        match is_known {
            true => "it is not checked out: run `git submodule update --init` in the clone".to_owned(),
            false => "what is checked out has no such submodule any more: check out the commit that was applied, \
                      run `git submodule update --init --recursive`, and come back".to_owned(),
        }
    }

    /// The repository of a submodule that is no longer checked out, where git keeps it.
    fn kept(&self, path: &Path) -> Option<Repository> {
        discovery::kept(&self.repository.commondir().join("modules").join(path))
    }
}

/// Whether an object has at most that many bytes. A missing one is left to the reader.
pub(super) fn is_small(repository: &Repository, oid: Oid, largest: usize) -> bool {
    let header = repository.odb().and_then(|objects| objects.read_header(oid));
    header.map_or(true, |(size, _)| size <= largest)
}

/// The content of a blob of at most that many bytes; `None` for a larger one, and for other objects.
pub(super) fn blob(
    repository: &Repository,
    oid: Oid,
    largest: usize,
) -> Result<Option<Vec<u8>>, git2::Error> {
    match repository.odb()?.read_header(oid)? {
        (size, ObjectType::Blob) if size <= largest => {
            Ok(Some(repository.find_blob(oid)?.content().to_vec()))
        }
        _ => Ok(None),
    }
}
