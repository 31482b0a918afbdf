//! The declarations of a commit, read from its tree.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use git2::{ObjectType, Oid};

use super::error::Error;
use super::objects::{self, Store};
use super::oid::oid;
use super::path::{TreeItem, entry, file, parts};
use super::walk::{CommitFile, CommitWalk, Links, MOST_ENTRIES};
use super::{Branch, History};
use crate::declare::{MOST_DEEP, SETTINGS_FILE, dot_folders};

/// The files of a commit with declarations.
pub struct CommitFiles {
    /// The content of portvakt.yaml.
    pub settings: Vec<u8>,
    /// The YAML files, by their path in the repository of declarations.
    pub yaml: Vec<CommitFile>,
    /// The symbolic links, for a caller that has not checked them in a work tree.
    pub links: Links,
    /// The submodules that cannot be read, by their path there, each with the reason.
    pub submodules: Vec<(String, Error)>,
    /// The files that cannot be read, in the same form.
    pub unread: Vec<(String, Error)>,
    /// All other files.
    pub rest: Rest,
}

/// The files of a commit, each read on demand.
pub struct Rest {
    store: Mutex<Store>,
    root: Oid,
    below: PathBuf,
}

impl Rest {
    /// A file, by its path in the repository of declarations; `None` where there is none. A symbolic
    /// link is followed inside the commit.
    pub fn file(&self, path: &str) -> Option<Vec<u8>> {
        let store = self.store.lock().ok()?;
        let found = file(&store, self.root, &self.below.join(path), 0);
        found.unwrap_or_else(|error| {
            tracing::warn!("{path} cannot be read: {error}");
            None
        })
    }
}

impl History {
    /// The content of the portvakt.yaml of a folder on a branch of the remote; `None` where there is none.
    ///
    /// # Errors
    /// The branch cannot be fetched or read.
    pub fn settings(&self, branch: &Branch, folder: &str) -> Result<Option<Vec<u8>>, Error> {
        let store = self.store()?;
        let tip = oid(&store.repository, &branch.tip)?;
        self.fetch_missing(&store.repository, &format!("refs/heads/{}", branch.name), tip)?;
        let commit = store.repository.find_commit(tip);
        let commit =
            commit.map_err(|error| Error::read(&format!("branch {}", branch.name), &error))?;
        file(&store, commit.tree_id(), &Path::new(folder).join(SETTINGS_FILE), 0)
    }

    /// The content of the portvakt.yaml of a folder of a commit; `None` where there is none.
    ///
    /// # Errors
    /// The commit cannot be read.
    pub fn settings_at(&self, commit: &str, folder: &str) -> Result<Option<Vec<u8>>, Error> {
        let store = self.store()?;
        let root = store.commit(commit)?.tree_id();
        file(&store, root, &Path::new(folder).join(SETTINGS_FILE), 0)
    }

    /// The folders of a commit that have a portvakt.yaml, by their paths from the top of the git repository.
    ///
    /// # Errors
    /// The commit cannot be read, or is too large.
    pub fn folders_at(&self, commit: &str) -> Result<Vec<String>, Error> {
        let store = self.store()?;
        let too_much = |what: &str| Error::too_much(commit, what);
        let (mut folders, mut left) = (Vec::new(), MOST_ENTRIES);
        let mut next = vec![(String::new(), store.commit(commit)?.tree_id(), 0)];
        while let Some((path, tree, depth)) = next.pop() {
            store.bring(&[tree])?;
            if depth > MOST_DEEP {
                return Err(too_much("more folders one in another"));
            }
            if !objects::is_small(&store.repository, tree, objects::LARGEST_TREE) {
                return Err(too_much("a folder with more files"));
            }
            let tree = store.repository.find_tree(tree);
            for entry in &tree.map_err(|error| Error::commit(commit, &error))? {
                left -= 1;
                if left == 0 {
                    return Err(too_much("more files and folders"));
                }
                // A folder with a name that is not text is not one of declarations.
                let Ok(name) = entry.name() else { continue };
                match entry.kind() {
                    Some(ObjectType::Tree) => {
                        let below = if path.is_empty() {
                            name.to_owned()
                        } else {
                            format!("{path}/{name}")
                        };
                        next.push((below, entry.id(), depth + 1));
                    }
                    // A link counts too, although it is not a place of its own: it may hide one.
                    Some(ObjectType::Blob) if name == SETTINGS_FILE => folders.push(path.clone()),
                    _ => {}
                }
            }
        }
        Ok(folders)
    }

    /// The files of a folder of a commit, by its path from the top of the git repository.
    ///
    /// # Errors
    /// The commit is missing, has no portvakt.yaml in that folder, or is too large.
    pub fn files(&self, commit: &str, folder: &str) -> Result<CommitFiles, Error> {
        let store = self.store()?;
        let below = PathBuf::from(folder);
        let id = oid(&store.repository, commit)?;
        if !objects::is_small(&store.repository, id, objects::LARGEST_COMMIT) {
            return Err(Error::too_much(commit, "a larger message"));
        }
        let root = store.commit(commit)?.tree_id();
        let no_settings = || {
            let folder = if folder.is_empty() { "." } else { folder };
            Error::NoSettings { commit: commit.to_owned(), folder: folder.to_owned() }
        };
        let settings =
            file(&store, root, &below.join(SETTINGS_FILE), 0)?.ok_or_else(no_settings)?;
        let parts = parts(&below).ok_or_else(no_settings)?;
        let folder = match entry(&store, root, &parts)? {
            Some(TreeItem::Tree(folder)) => folder,
            _ => return Err(no_settings()),
        };
        let mut walk = CommitWalk::new(commit, dot_folders(&settings));
        walk.folder(store, root, &below, folder)?;
        let yaml = walk.read()?;
        let rest = Rest { store: Mutex::new(self.store()?), root, below };
        let links = walk.links(&rest.below);
        let CommitWalk { submodules, unread, .. } = walk;
        Ok(CommitFiles { settings, yaml, links, submodules, unread, rest })
    }
}
