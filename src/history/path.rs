//! What is at a path of a commit.

use std::path::{Component, Path, PathBuf};

use git2::{ObjectType, Oid};

use super::error::Error;
use super::index::MOST_SUBMODULES;
use super::objects::{self, Store};
use super::walk::LARGEST;
use crate::declare::MOST_DEEP;

/// How many symbolic links one path may lead over.
const MOST_LINKS: usize = 16;
/// The mode of a symbolic link in a tree.
pub(super) const LINK: i32 = 0o120_000;

/// What a path leads to.
pub(super) enum TreeItem {
    Tree(Oid),
    File(Oid),
    Link(Oid),
    Submodule(Oid),
}

/// What is at a path below a tree; `None` where there is nothing.
pub(super) fn entry(store: &Store, root: Oid, path: &[String]) -> Result<Option<TreeItem>, Error> {
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

/// Where a path below a tree leads.
pub(super) enum Led {
    /// To something, by its own path.
    To(Vec<String>, TreeItem),
    /// Into a submodule, with what is left of the path.
    Into {
        submodule: PathBuf,
        commit: Oid,
        rest: PathBuf,
    },
    /// Out of the tree, or over too many links.
    Out,
    Nowhere,
}

/// Follows a path below a tree over symbolic links, as in a work tree.
pub(super) fn follow(store: &Store, root: Oid, path: &Path) -> Result<Led, Error> {
    let mut left = vec![path.to_owned()];
    let mut done: Vec<String> = Vec::new();
    let mut found = TreeItem::Tree(root);
    let mut links = 0;
    while let Some(path) = left.pop() {
        let mut components = path.components();
        let Some(next) = components.next() else { continue };
        left.push(components.as_path().to_owned());
        match (next, &found) {
            (Component::CurDir, TreeItem::Tree(_)) => continue,
            (Component::ParentDir, TreeItem::Tree(_)) => {
                if done.pop().is_none() {
                    return Ok(Led::Out);
                }
            }
            (Component::Normal(name), TreeItem::Tree(_)) => match name.to_str() {
                Some(name) if done.len() < MOST_DEEP => done.push(name.to_owned()),
                _ => return Ok(Led::Out),
            },
            (Component::RootDir | Component::Prefix(_), _) => return Ok(Led::Out),
            (_, TreeItem::File(_) | TreeItem::Link(_) | TreeItem::Submodule(_)) => {
                return Ok(Led::Nowhere);
            }
        }
        found = match entry(store, root, &done)? {
            None => return Ok(Led::Nowhere),
            Some(TreeItem::Link(link)) => {
                links += 1;
                let target = store.blob(link, LARGEST)?.and_then(|it| String::from_utf8(it).ok());
                let target = target.filter(|target| links <= MOST_LINKS && !target.is_empty());
                let Some(target) = target else { return Ok(Led::Out) };
                done.pop();
                left.push(target.into());
                match entry(store, root, &done)? {
                    Some(around) => around,
                    None => return Ok(Led::Nowhere),
                }
            }
            Some(TreeItem::Submodule(commit)) => {
                let rest = left.iter().rev().collect();
                return Ok(Led::Into { submodule: done.iter().collect(), commit, rest });
            }
            Some(item) => item,
        };
    }
    Ok(Led::To(done, found))
}

/// What a regular file below a tree holds, over symbolic links that stay in it.
pub(super) fn file(
    store: &Store,
    root: Oid,
    path: &Path,
    submodules: usize,
) -> Result<Option<Vec<u8>>, Error> {
    match follow(store, root, path)? {
        Led::To(_, TreeItem::File(blob)) => store.blob(blob, LARGEST),
        Led::Into { submodule, commit, rest } if submodules < MOST_SUBMODULES => {
            let (store, root) = store.submodule(&submodule, commit)?;
            file(&store, root, &rest, submodules + 1)
        }
        Led::To(..) | Led::Into { .. } | Led::Out | Led::Nowhere => Ok(None),
    }
}

/// The parts of a path without `.` and `..`; `None` where it leads out, or deeper than is read: git
/// goes down a path by calling itself.
pub(super) fn parts(path: &Path) -> Option<Vec<String>> {
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
