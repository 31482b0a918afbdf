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

/// What a regular file below a tree holds, over symbolic links that stay in it.
pub(super) fn file(
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
