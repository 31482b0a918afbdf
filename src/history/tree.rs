//! The declarations of a commit, read from its tree.

use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use git2::{ObjectType, Oid, Tree, TreeEntry};

use super::error::Error;
use super::index::MOST_SUBMODULES;
use super::objects::{self, Store};
use super::{Branch, History, oid};
use crate::declare::{MOST_DEEP, SETTINGS_FILE, is_text, is_yaml};

/// The largest file that is read, how many are, and how many bytes they have together: as of a folder.
const LARGEST: usize = 1024 * 1024;
const MOST_FILES: usize = 10_000;
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// How many files and folders of all kinds are looked at. A folder costs a commit nothing to have many
/// times, so that a small one can have more of them than any disk.
const MOST_ENTRIES: usize = 1_000_000;
/// The longest path, in bytes: as of most disks.
const LONGEST_PATH: usize = 4096;
/// How many symbolic links one path may lead over.
const MOST_LINKS: usize = 16;
/// The mode of a symbolic link in a tree.
const LINK: i32 = 0o120_000;

/// A file's path and what is in it.
pub type File = (Arc<str>, Vec<u8>);

/// The files of a commit that declarations are read from.
pub struct Files {
    /// What is in portvakt.yaml.
    pub settings: Vec<u8>,
    /// The YAML files, by their path in the repository of declarations.
    pub yaml: Vec<File>,
    /// The submodules that cannot be read, by their path there, each with the reason.
    pub unread: Vec<(String, Error)>,
    /// Any other.
    pub rest: Rest,
}

/// The files of a commit, each read when it is asked for.
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
    /// What is in the portvakt.yaml of a folder on a branch of the remote; `None` where there is none.
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

    /// What is in the portvakt.yaml of a folder of a commit; `None` where there is none.
    ///
    /// # Errors
    /// The commit cannot be read.
    pub fn settings_at(&self, commit: &str, folder: &str) -> Result<Option<Vec<u8>>, Error> {
        let store = self.store()?;
        let found = store.repository.find_commit(oid(&store.repository, commit)?);
        let found = found.map_err(|error| Error::read(&format!("commit {commit}"), &error))?;
        file(&store, found.tree_id(), &Path::new(folder).join(SETTINGS_FILE), 0)
    }

    /// The folders of a commit that have a portvakt.yaml, by their paths from the top of the git repository.
    ///
    /// # Errors
    /// The commit cannot be read, or is too large.
    pub fn folders_at(&self, commit: &str) -> Result<Vec<String>, Error> {
        let store = self.store()?;
        let unreadable = |error: git2::Error| Error::read(&format!("commit {commit}"), &error);
        let too_much =
            |what: &str| Error::TooMuch { commit: commit.to_owned(), what: what.to_owned() };
        let found = store.repository.find_commit(oid(&store.repository, commit)?);
        let (mut folders, mut left) = (Vec::new(), MOST_ENTRIES);
        let mut next = vec![(String::new(), found.map_err(unreadable)?.tree_id(), 0)];
        while let Some((path, tree, depth)) = next.pop() {
            store.bring(&[tree])?;
            if depth > MOST_DEEP {
                return Err(too_much("more folders one in another"));
            }
            if !objects::is_small(&store.repository, tree, objects::LARGEST_TREE) {
                return Err(too_much("a folder with more files"));
            }
            for entry in &store.repository.find_tree(tree).map_err(unreadable)? {
                left -= 1;
                if left == 0 {
                    return Err(too_much("more files and folders"));
                }
                // What has another name is no folder of declarations.
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
                    // Also where it is a link, which is no place of its own: it may hide one.
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
    /// The commit is not here, holds no portvakt.yaml in that folder, or is too large.
    pub fn files(&self, commit: &str, folder: &str) -> Result<Files, Error> {
        let store = self.store()?;
        let below = PathBuf::from(folder);
        let unreadable = |error: &git2::Error| Error::read(&format!("commit {commit}"), error);
        let too_much = |what: String| Error::TooMuch { commit: commit.to_owned(), what };
        let id = oid(&store.repository, commit)?;
        if !objects::is_small(&store.repository, id, objects::LARGEST_COMMIT) {
            return Err(too_much("a larger message".to_owned()));
        }
        let found = store.repository.find_commit(id).map_err(|error| unreadable(&error))?;
        let root = found.tree_id();
        drop(found);
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
        let mut walk = CommitWalk::default();
        let read = walk.folder(store, below.clone(), folder).and_then(|()| walk.read());
        let yaml = match read {
            Ok(yaml) => yaml,
            Err(Stop::Failed(error)) => return Err(error),
            Err(Stop::Git(error)) => return Err(unreadable(&error)),
            Err(Stop::TooMuch(what)) => return Err(too_much(what)),
        };
        let rest = Rest { store: Mutex::new(self.store()?), root, below };
        Ok(Files { settings, yaml, unread: walk.unread, rest })
    }
}

/// Why the files of a commit are not read.
enum Stop {
    Failed(Error),
    Git(git2::Error),
    /// There is too much of something.
    TooMuch(String),
}

impl From<git2::Error> for Stop {
    fn from(error: git2::Error) -> Self {
        Self::Git(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The way through the folders of a commit and of the submodules in it.
#[derive(Default)]
struct CommitWalk {
    folders: Vec<Folder>,
    /// The YAML files that were found, by their path, and whose they are.
    files: Vec<(Arc<str>, Rc<Store>, Oid)>,
    entries: usize,
    unread: Vec<(String, Error)>,
}

/// A folder to be looked at.
struct Folder {
    store: Rc<Store>,
    path: StorePath,
    tree: Oid,
    above: Rc<str>,
    name: String,
    depth: usize,
    submodules: usize,
}

/// What makes the path of a file in the declarations that of the same file in its store.
#[derive(Clone)]
enum StorePath {
    /// The folder of the declarations, which comes before it.
    Prefix(Rc<Path>),
    /// The path of a submodule, of so many bytes, which is cut off.
    Cut(usize),
}

impl CommitWalk {
    /// Looks at all that is below a folder, by its path from the top of the git repository.
    fn folder(&mut self, store: Store, below: PathBuf, tree: Oid) -> Result<(), Stop> {
        let (store, path) = (Rc::new(store), StorePath::Prefix(below.into()));
        let (above, name) = (Rc::from(""), String::new());
        self.folders.push(Folder { store, path, tree, above, name, depth: 0, submodules: 0 });
        while let Some(folder) = self.folders.pop() {
            self.look(&folder)?;
        }
        Ok(())
    }

    fn look(&mut self, folder: &Folder) -> Result<(), Stop> {
        let too_much = |what: &str| Err(Stop::TooMuch(what.to_owned()));
        let Folder { store, path: _, tree, above, name, depth, submodules: _ } = folder;
        if *depth > MOST_DEEP {
            return Err(Stop::TooMuch(format!("more than {MOST_DEEP} folders one in another")));
        }
        store.bring(&[*tree])?;
        if !objects::is_small(&store.repository, *tree, objects::LARGEST_TREE) {
            return too_much("a folder with more files");
        }
        let above: Rc<str> = format!("{above}{name}").into();
        let tree = store.repository.find_tree(*tree)?;
        // A folder with a portvakt.yaml is a repository of its own.
        if *depth > 0 && is_another(&tree) {
            return Ok(());
        }
        let is_tree = |entry: &TreeEntry<'_>| entry.kind() == Some(ObjectType::Tree);
        let folders: Vec<_> = tree.iter().filter(is_tree).map(|entry| entry.id()).collect();
        store.bring(&folders)?;
        for entry in &tree {
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                return too_much("more files and folders");
            }
            let name = String::from_utf8_lossy(entry.name_bytes());
            // What belongs to other tools is not read.
            if name.starts_with('.') {
                continue;
            }
            if above.len() + name.len() > LONGEST_PATH {
                return too_much("a longer path");
            }
            match entry.kind() {
                Some(ObjectType::Tree) => self.folders.push(Folder {
                    store: Rc::clone(store),
                    path: folder.path.clone(),
                    tree: entry.id(),
                    above: Rc::clone(&above),
                    name: format!("{name}/"),
                    depth: depth + 1,
                    submodules: folder.submodules,
                }),
                Some(ObjectType::Commit) => self.submodule(folder, &above, &name, entry.id())?,
                Some(ObjectType::Blob)
                    if is_yaml(Path::new(&*name)) && self.leaves(store, &above, &entry) =>
                {
                    let (path, why) =
                        (format!("{above}{name}"), "it is a symbolic link out of the folder");
                    let error = Error::Read { what: path.clone(), why: why.to_owned() };
                    self.unread.push((path, error));
                }
                // What another symbolic link leads to is read where it stands.
                Some(ObjectType::Blob)
                    if is_yaml(Path::new(&*name)) && entry.filemode() != LINK =>
                {
                    let path = format!("{above}{name}");
                    if !is_text(&path) {
                        let why = "its name, or that of a folder above it, is no UTF-8".to_owned();
                        let error = Error::Read { what: path.clone(), why };
                        self.unread.push((path, error));
                        continue;
                    }
                    self.files.push((path.into(), Rc::clone(store), entry.id()));
                    if self.files.len() > MOST_FILES {
                        return too_much("more YAML");
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether an entry is a symbolic link that leads out of the folder of the declarations.
    fn leaves(&self, store: &Store, above: &str, entry: &TreeEntry<'_>) -> bool {
        if entry.filemode() != LINK {
            return false;
        }
        let target = objects::blob(&store.repository, entry.id(), LONGEST_PATH).ok().flatten();
        let Some(target) = target.and_then(|target| String::from_utf8(target).ok()) else {
            return true;
        };
        let mut depth = above.matches('/').count();
        for part in Path::new(&target).components() {
            match part {
                Component::Normal(_) => depth += 1,
                Component::CurDir => {}
                Component::ParentDir if depth > 0 => depth -= 1,
                _ => return true,
            }
        }
        false
    }

    /// Goes on in a submodule, at the commit that it is at.
    fn submodule(
        &mut self,
        folder: &Folder,
        above: &Rc<str>,
        name: &str,
        commit: Oid,
    ) -> Result<(), Stop> {
        let path = format!("{above}{name}");
        let inside = match &folder.path {
            StorePath::Prefix(below) => below.join(&path),
            StorePath::Cut(bytes) => PathBuf::from(path.get(*bytes..).unwrap_or_default()),
        };
        if folder.submodules >= MOST_SUBMODULES {
            let most = format!("more than {MOST_SUBMODULES} submodules one in another");
            return Err(Stop::TooMuch(most));
        }
        match folder.store.submodule(&inside, commit) {
            Ok((store, tree)) => self.folders.push(Folder {
                store: Rc::new(store),
                path: StorePath::Cut(path.len() + 1),
                tree,
                above: Rc::clone(above),
                name: format!("{name}/"),
                depth: folder.depth + 1,
                submodules: folder.submodules + 1,
            }),
            Err(error) => self.unread.push((path, error)),
        }
        Ok(())
    }

    /// Reads the files that were found.
    fn read(&self) -> Result<Vec<File>, Stop> {
        for files in self.files.chunk_by(|(_, a, _), (_, b, _)| Rc::ptr_eq(a, b)) {
            let blobs: Vec<_> = files.iter().map(|(_, _, blob)| *blob).collect();
            if let Some((_, store, _)) = files.first() {
                store.bring(&blobs)?;
            }
        }
        let (mut read, mut bytes) = (Vec::new(), 0);
        for (name, store, blob) in &self.files {
            let Some(content) = objects::blob(&store.repository, *blob, LARGEST)? else {
                return Err(Stop::TooMuch("a larger file".to_owned()));
            };
            bytes += content.len();
            if bytes > MOST_BYTES {
                return Err(Stop::TooMuch("more YAML".to_owned()));
            }
            read.push((Arc::clone(name), content));
        }
        Ok(read)
    }
}

/// Whether a folder holds a portvakt.yaml that is a regular file, as in a work tree.
fn is_another(folder: &Tree<'_>) -> bool {
    let is_file =
        |entry: TreeEntry<'_>| entry.kind() == Some(ObjectType::Blob) && entry.filemode() != LINK;
    folder.get_name(SETTINGS_FILE).is_some_and(is_file)
}

/// What is at a path of a commit.
enum TreeItem {
    Tree(Oid),
    File(Oid),
    Link(Oid),
    Submodule(Oid),
}

/// What is at a path below a tree; `None` where there is nothing.
fn entry(store: &Store, root: Oid, path: &[String]) -> Result<Option<TreeItem>, Error> {
    let mut found = TreeItem::Tree(root);
    for part in path {
        let tree = match found {
            TreeItem::Tree(tree) => tree,
            TreeItem::File(_) | TreeItem::Link(_) | TreeItem::Submodule(_) => return Ok(None),
        };
        store.bring(&[tree])?;
        let read = |error: git2::Error| Error::read("a folder of a commit", &error);
        if !objects::is_small(&store.repository, tree, objects::LARGEST_TREE) {
            return Ok(None);
        }
        let tree = store.repository.find_tree(tree).map_err(read)?;
        let Some(entry) = tree.get_name(part) else { return Ok(None) };
        found = match entry.kind() {
            Some(ObjectType::Tree) => TreeItem::Tree(entry.id()),
            Some(ObjectType::Commit) => TreeItem::Submodule(entry.id()),
            Some(ObjectType::Blob) if entry.filemode() == LINK => TreeItem::Link(entry.id()),
            Some(ObjectType::Blob) => TreeItem::File(entry.id()),
            _ => return Ok(None),
        };
    }
    Ok(Some(found))
}

/// What a regular file below a tree holds, over symbolic links that stay in it.
fn file(
    store: &Store,
    root: Oid,
    path: &Path,
    submodules: usize,
) -> Result<Option<Vec<u8>>, Error> {
    let Some(mut left) = parts(path) else { return Ok(None) };
    left.reverse();
    let mut done: Vec<String> = Vec::new();
    let mut links = 0;
    while let Some(next) = left.pop() {
        done.push(next);
        match entry(store, root, &done)? {
            Some(TreeItem::Tree(_)) => {}
            Some(TreeItem::File(blob)) if left.is_empty() => return store.blob(blob, LARGEST),
            Some(TreeItem::Link(link)) => {
                links += 1;
                let target = store.blob(link, LARGEST)?.and_then(|it| String::from_utf8(it).ok());
                done.pop();
                let target = target.filter(|_| links <= MOST_LINKS);
                let target = target.map(|target| done.iter().collect::<PathBuf>().join(target));
                let Some(target) = target.as_deref().and_then(parts) else { return Ok(None) };
                done.clear();
                left.extend(target.into_iter().rev());
            }
            Some(TreeItem::Submodule(commit)) if submodules < MOST_SUBMODULES => {
                let (store, root) = store.submodule(&done.iter().collect::<PathBuf>(), commit)?;
                let rest: PathBuf = left.iter().rev().collect();
                return file(&store, root, &rest, submodules + 1);
            }
            Some(TreeItem::File(_) | TreeItem::Submodule(_)) | None => return Ok(None),
        }
    }
    Ok(None)
}

/// The parts of a path without `.` and `..`; `None` where it leads out, or deeper than is read: git
/// goes down a path by calling itself.
fn parts(path: &Path) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?.to_owned()),
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (parts.len() <= MOST_DEEP).then_some(parts)
}
