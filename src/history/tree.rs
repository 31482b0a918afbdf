//! The declarations of a commit, read from its tree.

use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use git2::{ObjectType, Oid, Repository, Tree, TreeEntry};

use super::error::Error;
use super::{Branch, History, objects, oid};
use crate::declare::{MOST_DEEP, SETTINGS_FILE, is_yaml};

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
    /// Any other.
    pub rest: Rest,
}

/// The files of a commit, each read when it is asked for.
pub struct Rest {
    repository: Mutex<Repository>,
    root: Oid,
    below: PathBuf,
}

impl Rest {
    /// A file, by its path in the repository of declarations; `None` where there is none. A symbolic
    /// link is followed inside the commit.
    pub fn file(&self, path: &str) -> Option<Vec<u8>> {
        let repository = self.repository.lock().ok()?;
        let tree = repository.find_tree(self.root).ok()?;
        blob(&repository, &tree, &self.below.join(path))
    }
}

impl History {
    /// What is in the portvakt.yaml of a folder on a branch of the remote; `None` where there is none.
    ///
    /// # Errors
    /// The branch cannot be fetched or read.
    pub fn settings(&self, branch: &Branch, folder: &str) -> Result<Option<Vec<u8>>, Error> {
        let repository = self.repository()?;
        let tip = oid(&branch.tip)?;
        self.fetch_missing(&repository, &format!("refs/heads/{}", branch.name), tip)?;
        let commit = repository.find_commit(tip);
        let tree = commit.and_then(|commit| commit.tree());
        let tree = tree.map_err(|error| Error::read(&format!("branch {}", branch.name), &error))?;
        Ok(blob(&repository, &tree, &Path::new(folder).join(SETTINGS_FILE)))
    }

    /// The files of a folder of a commit, by its path from the top of the git repository.
    ///
    /// # Errors
    /// The commit is not here, holds no portvakt.yaml in that folder, or is too large.
    pub fn files(&self, commit: &str, folder: &str) -> Result<Files, Error> {
        let repository = self.repository()?;
        let below = PathBuf::from(folder);
        let unreadable = |error: &git2::Error| Error::read(&format!("commit {commit}"), error);
        let too_much = |what: String| Error::TooMuch { commit: commit.to_owned(), what };
        let id = oid(commit)?;
        if !objects::is_small(&repository, id, objects::LARGEST_COMMIT) {
            return Err(too_much("a larger message".to_owned()));
        }
        let found = repository.find_commit(id).map_err(|error| unreadable(&error))?;
        let root = found.tree().map_err(|error| unreadable(&error))?;
        let no_settings = || {
            let folder = if folder.is_empty() { "." } else { folder };
            Error::NoSettings { commit: commit.to_owned(), folder: folder.to_owned() }
        };
        let settings =
            blob(&repository, &root, &below.join(SETTINGS_FILE)).ok_or_else(no_settings)?;
        let folder = match below.as_os_str().is_empty() {
            true => root.clone(),
            false => root
                .get_path(&below)
                .and_then(|entry| entry.to_object(&repository)?.peel_to_tree())
                .map_err(|_| no_settings())?,
        };
        let yaml = match yaml_below(&repository, &folder) {
            Ok(yaml) => yaml,
            Err(Stop::Git(error)) => return Err(unreadable(&error)),
            Err(Stop::TooMuch(what)) => return Err(too_much(what)),
        };
        let repository = Mutex::new(self.repository()?);
        Ok(Files { settings, yaml, rest: Rest { repository, root: root.id(), below } })
    }
}

/// Why the files of a commit are not read.
enum Stop {
    Git(git2::Error),
    /// There is too much of something.
    TooMuch(String),
}

impl From<git2::Error> for Stop {
    fn from(error: git2::Error) -> Self {
        Self::Git(error)
    }
}

/// The YAML files below a tree, by their paths in it.
fn yaml_below(repository: &Repository, tree: &Tree<'_>) -> Result<Vec<File>, Stop> {
    let too_much = |what: &str| Err(Stop::TooMuch(what.to_owned()));
    let (mut files, mut bytes, mut entries) = (Vec::new(), 0, 0);
    let mut folders = vec![(tree.id(), Rc::<str>::from(""), String::new(), 0)];
    while let Some((folder, above, name, depth)) = folders.pop() {
        let above: Rc<str> = format!("{above}{name}").into();
        if depth > MOST_DEEP {
            return Err(Stop::TooMuch(format!("more than {MOST_DEEP} folders one in another")));
        }
        if !objects::is_small(repository, folder, objects::LARGEST_TREE) {
            return too_much("a folder with more files");
        }
        for entry in &repository.find_tree(folder)? {
            entries += 1;
            if entries > MOST_ENTRIES {
                return too_much("more files and folders");
            }
            // What belongs to other tools, and what is no text, is not read.
            let Some(name) = entry.name().ok().filter(|name| !name.starts_with('.')) else {
                continue;
            };
            if above.len() + name.len() > LONGEST_PATH {
                return too_much("a longer path");
            }
            match entry.kind() {
                // A folder with a portvakt.yaml is a repository of its own.
                Some(ObjectType::Tree) if is_another(repository, &entry)? => {}
                Some(ObjectType::Tree) => {
                    folders.push((entry.id(), Rc::clone(&above), format!("{name}/"), depth + 1));
                }
                // What a symbolic link leads to is read where it stands.
                Some(ObjectType::Blob) if is_yaml(Path::new(name)) && entry.filemode() != LINK => {
                    let Some(content) = objects::blob(repository, entry.id(), LARGEST)? else {
                        return too_much("a larger file");
                    };
                    bytes += content.len();
                    files.push((format!("{above}{name}").into(), content));
                    if bytes > MOST_BYTES || files.len() > MOST_FILES {
                        return too_much("more YAML");
                    }
                }
                _ => {}
            }
        }
    }
    Ok(files)
}

/// Whether a folder holds a portvakt.yaml that is a regular file, as in a work tree.
fn is_another(repository: &Repository, folder: &TreeEntry<'_>) -> Result<bool, git2::Error> {
    let is_small = objects::is_small(repository, folder.id(), objects::LARGEST_TREE);
    let is_file =
        |entry: TreeEntry<'_>| entry.kind() == Some(ObjectType::Blob) && entry.filemode() != LINK;
    Ok(is_small && repository.find_tree(folder.id())?.get_name(SETTINGS_FILE).is_some_and(is_file))
}

/// What a regular file of a tree holds, over symbolic links that stay in it.
fn blob(repository: &Repository, root: &Tree<'_>, path: &Path) -> Option<Vec<u8>> {
    let mut left = parts(path)?;
    left.reverse();
    let mut done: Vec<String> = Vec::new();
    let mut links = 0;
    loop {
        done.push(left.pop()?);
        let entry = root.get_path(&done.iter().collect::<PathBuf>()).ok()?;
        if entry.filemode() == LINK {
            links += 1;
            if links > MOST_LINKS {
                return None;
            }
            let target = String::from_utf8(content(repository, &entry)?).ok()?;
            done.pop();
            let target = done.iter().collect::<PathBuf>().join(target);
            done.clear();
            left.extend(parts(&target)?.into_iter().rev());
        } else if left.is_empty() {
            return content(repository, &entry);
        }
    }
}

fn content(repository: &Repository, entry: &TreeEntry<'_>) -> Option<Vec<u8>> {
    objects::blob(repository, entry.id(), LARGEST).ok()?
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
