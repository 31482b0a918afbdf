//! Walk through the folders of a commit, for the files with declarations.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use git2::{ObjectType, Oid, Tree, TreeEntry};

use super::error::Error;
use super::index::MOST_SUBMODULES;
use super::objects::{self, Store};
use super::path::{LINK, PathTarget, Steps, follow};
use crate::declare::{
    LARGEST_FILE, MOST_BYTES, MOST_DEEP, MOST_FILES, SETTINGS_FILE, is_text, is_yaml,
};

/// The largest file that is read, in bytes: the same as from a folder.
pub(super) const LARGEST: usize = LARGEST_FILE as usize;
/// Largest number of files and folders of all kinds that are visited. A commit can have the same folder many
/// times at no cost, so that a small one can have more of them than any disk.
pub(super) const MOST_ENTRIES: usize = 1_000_000;
/// The longest path, in bytes: as on most disks.
pub(super) const LONGEST_PATH: usize = 4096;
/// A file's path and content.
pub type CommitFile = (Arc<str>, Vec<u8>);

/// The symbolic links of a commit, not followed yet.
pub struct Links {
    links: Vec<FoundLink>,
    /// The YAML files of the commit.
    files: BTreeSet<Arc<str>>,
    below: PathBuf,
}

impl Links {
    /// The links that may be declarations, and those of other names that point to something in the commit
    /// outside of the folder. A link that cannot be followed points to nothing that is read.
    pub fn followed(&self) -> Vec<FileLink> {
        // A missing object is reported when the link is followed.
        let _ = bring(self.links.iter().map(|link| &link.found));
        let mut steps = Steps::new();
        let mut links = Vec::new();
        for FoundLink { found: (path, store, _), inside, root } in &self.links {
            let led = follow(store, *root, inside, &mut steps).unwrap_or(PathTarget::Out);
            let target: Option<PathBuf> = match led {
                PathTarget::To(parts, _) => Some(parts.iter().collect()),
                PathTarget::Into { submodule, rest, .. } => Some(submodule.join(rest)),
                PathTarget::Out | PathTarget::Nowhere => None,
            };
            let target = target.map(|target| self.path(&target, path, inside));
            let read = target.as_ref().and_then(|target| target.as_deref()?.to_str());
            let read = read.filter(|target| self.files.contains(*target));
            if is_yaml(Path::new(&**path)) || matches!(target, Some(None)) {
                links.push(FileLink { path: path.to_string(), target: read.map(str::to_owned) });
            }
        }
        links
    }

    /// The path in the declarations of a link's target; `None` outside of them. The link has one path there
    /// and another one in its git repository.
    fn path(&self, target: &Path, path: &str, inside: &Path) -> Option<PathBuf> {
        if inside == self.below.join(path) {
            return target.strip_prefix(&self.below).ok().map(Path::to_owned);
        }
        let above = path.strip_suffix(inside.to_str()?)?;
        Some(Path::new(above).join(target))
    }
}

/// A symbolic link that may be a file with declarations, or points out of the folder.
#[derive(Debug)]
pub struct FileLink {
    /// Its path in the repository of declarations.
    pub path: String,
    /// The file with declarations that it points to, by its path there, if any.
    pub target: Option<String>,
}

/// Walk through the folders of a commit and of its submodules.
#[derive(Default)]
pub(super) struct CommitWalk {
    commit: String,
    folders: Vec<Folder>,
    /// The YAML files.
    files: Vec<FoundFile>,
    entries: usize,
    /// The symbolic links.
    links: Vec<FoundLink>,
    pub(super) unread: Vec<(String, Error)>,
    pub(super) submodules: Vec<(String, Error)>,
    /// The names of dot-folders that are read.
    dot_folders: BTreeSet<String>,
}

/// A file that was found: its path, repository and object.
type FoundFile = (Arc<str>, Rc<Store>, Oid);

/// A symbolic link that was found.
struct FoundLink {
    found: FoundFile,
    /// Its path in its git repository, and the tree of that.
    inside: PathBuf,
    root: Oid,
}

/// A folder to visit.
struct Folder {
    store: Rc<Store>,
    /// The tree of the whole commit.
    root: Oid,
    path: StorePath,
    tree: Oid,
    above: Rc<str>,
    name: String,
    depth: usize,
    submodules: usize,
}

/// Conversion of the path of a file in the declarations to its path in its store.
#[derive(Clone)]
enum StorePath {
    /// The folder of the declarations, which is put before it.
    Prefix(Rc<Path>),
    /// The path of a submodule, with that many bytes, which is removed.
    Cut(usize),
}

impl StorePath {
    /// The path in its store of a file of the declarations.
    fn inside(&self, path: &str) -> PathBuf {
        match self {
            Self::Prefix(below) => below.join(path),
            Self::Cut(bytes) => path.get(*bytes..).unwrap_or_default().into(),
        }
    }
}

impl CommitWalk {
    /// A walk through a commit that leaves out all dot-folders but these: others belong to other tools.
    pub(super) fn new(commit: &str, dot_folders: BTreeSet<String>) -> Self {
        Self { commit: commit.to_owned(), dot_folders, ..Self::default() }
    }

    /// Visits everything below a folder, by its path from the top of the git repository, whose tree is
    /// `root`.
    pub(super) fn folder(
        &mut self,
        store: Store,
        root: Oid,
        below: &Path,
        tree: Oid,
    ) -> Result<(), Error> {
        let (store, path) = (Rc::new(store), StorePath::Prefix(below.into()));
        let (above, name) = (Rc::from(""), String::new());
        self.folders.push(Folder { store, root, path, tree, above, name, depth: 0, submodules: 0 });
        while let Some(folder) = self.folders.pop() {
            self.look(&folder)?;
        }
        Ok(())
    }

    fn look(&mut self, folder: &Folder) -> Result<(), Error> {
        let Folder { store, root: _, path: _, tree, above, name, depth, submodules: _ } = folder;
        if *depth > MOST_DEEP {
            return self.stop(format!("more than {MOST_DEEP} folders one in another"));
        }
        store.bring(&[*tree])?;
        if !objects::is_small(&store.repository, *tree, objects::LARGEST_TREE) {
            return self.stop("a folder with more files");
        }
        let above: Rc<str> = format!("{above}{name}").into();
        let tree = store.repository.find_tree(*tree);
        let tree = tree.map_err(|error| Error::commit(&self.commit, &error))?;
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
                return self.stop("more files and folders");
            }
            let name = String::from_utf8_lossy(entry.name_bytes());
            if name.starts_with('.') && !self.dot_folders.contains(&*name) {
                continue;
            }
            if above.len() + name.len() > LONGEST_PATH {
                return self.stop("a longer path");
            }
            match entry.kind() {
                Some(ObjectType::Tree) => self.folders.push(Folder {
                    store: Rc::clone(store),
                    root: folder.root,
                    path: folder.path.clone(),
                    tree: entry.id(),
                    above: Rc::clone(&above),
                    name: format!("{name}/"),
                    depth: depth + 1,
                    submodules: folder.submodules,
                }),
                Some(ObjectType::Commit) => self.submodule(folder, &above, &name, entry.id())?,
                Some(ObjectType::Blob) if entry.filemode() == LINK => {
                    let path = format!("{above}{name}");
                    let inside = folder.path.inside(&path);
                    let found = (path.into(), Rc::clone(store), entry.id());
                    self.links.push(FoundLink { found, inside, root: folder.root });
                }
                Some(ObjectType::Blob) if is_yaml(Path::new(&*name)) => {
                    let path = format!("{above}{name}");
                    if !is_text(&path) {
                        self.leave(&path, "its name, or that of a folder above it, is no UTF-8");
                        continue;
                    }
                    self.files.push((path.into(), Rc::clone(store), entry.id()));
                    if self.files.len() > MOST_FILES {
                        return self.stop("more YAML");
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The symbolic links that were found.
    pub(super) fn links(&mut self, below: &Path) -> Links {
        let files = self.files.iter().map(|(path, ..)| Arc::clone(path)).collect();
        Links { links: std::mem::take(&mut self.links), files, below: below.to_owned() }
    }

    /// Reports that a limit is exceeded.
    fn stop<T>(&self, what: impl Into<String>) -> Result<T, Error> {
        Err(Error::too_much(&self.commit, what))
    }

    fn leave(&mut self, path: &str, why: &str) {
        let error = Error::Read { what: path.to_owned(), why: why.to_owned() };
        self.unread.push((path.to_owned(), error));
    }

    /// Visits a submodule, at its commit.
    fn submodule(
        &mut self,
        folder: &Folder,
        above: &Rc<str>,
        name: &str,
        commit: Oid,
    ) -> Result<(), Error> {
        let path = format!("{above}{name}");
        if folder.submodules >= MOST_SUBMODULES {
            return self.stop(format!("more than {MOST_SUBMODULES} submodules one in another"));
        }
        match folder.store.submodule(&folder.path.inside(&path), commit) {
            Ok((store, tree)) => self.folders.push(Folder {
                store: Rc::new(store),
                root: tree,
                path: StorePath::Cut(path.len() + 1),
                tree,
                above: Rc::clone(above),
                name: format!("{name}/"),
                depth: folder.depth + 1,
                submodules: folder.submodules + 1,
            }),
            Err(error) => self.submodules.push((path, error)),
        }
        Ok(())
    }

    /// Reads the files that were found.
    pub(super) fn read(&self) -> Result<Vec<CommitFile>, Error> {
        bring(self.files.iter())?;
        let (mut read, mut bytes) = (Vec::new(), 0);
        for (name, store, blob) in &self.files {
            let content = objects::blob(&store.repository, *blob, LARGEST)
                .map_err(|error| Error::commit(&self.commit, &error))?;
            let Some(content) = content else { return self.stop("a larger file") };
            bytes += content.len() as u64;
            if bytes > MOST_BYTES {
                return self.stop("more YAML");
            }
            read.push((Arc::clone(name), content));
        }
        Ok(read)
    }
}

/// Fetches files that are in no clone, all of one repository at once.
fn bring<'f>(files: impl Iterator<Item = &'f FoundFile>) -> Result<(), Error> {
    let files: Vec<_> = files.collect();
    for files in files.chunk_by(|(_, a, _), (_, b, _)| Rc::ptr_eq(a, b)) {
        let blobs: Vec<_> = files.iter().map(|(_, _, blob)| *blob).collect();
        if let Some((_, store, _)) = files.first() {
            store.bring(&blobs)?;
        }
    }
    Ok(())
}

/// Whether a folder holds a portvakt.yaml that is a regular file, as in a work tree.
fn is_another(folder: &Tree<'_>) -> bool {
    let is_file =
        |entry: TreeEntry<'_>| entry.kind() == Some(ObjectType::Blob) && entry.filemode() != LINK;
    folder.get_name(SETTINGS_FILE).is_some_and(is_file)
}
