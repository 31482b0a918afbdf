//! Paths in a commit.

use std::path::{Component, Path, PathBuf};

use git2::{ObjectType, Oid};

use super::error::Error;
use super::index::MOST_SUBMODULES;
use super::objects::{self, Store};
use super::walk::{LARGEST, LONGEST_PATH};
use crate::declare::MOST_DEEP;

/// Largest number of symbolic links on one path.
const MOST_LINKS: usize = 16;
/// Largest number of path components that are followed for one file, or for all links of a commit.
const MOST_STEPS: usize = 100_000;
/// The mode of a symbolic link in a tree.
pub(super) const LINK: i32 = 0o120_000;

/// Target of a path.
pub(super) enum TreeItem {
    Tree(Oid),
    File(Oid),
    Link(Oid),
    Submodule(Oid),
}

/// The entry at a path below a tree; `None` where there is none.
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

/// End of a path below a tree.
pub(super) enum PathTarget {
    /// An entry, with its own path.
    To(Vec<String>, TreeItem),
    /// In a submodule, with the rest of the path.
    Into {
        submodule: PathBuf,
        commit: Oid,
        rest: PathBuf,
    },
    /// Outside of the tree, or too far.
    Out,
    Nowhere,
}

/// Number of steps that all paths may take together: whoever can push writes their symbolic links.
pub(super) struct Steps(usize);

impl Steps {
    pub(super) fn new() -> Self {
        Self(MOST_STEPS)
    }
}

/// Follows a path below a tree over symbolic links, as in a work tree.
pub(super) fn follow(
    store: &Store,
    root: Oid,
    path: &Path,
    steps: &mut Steps,
) -> Result<PathTarget, Error> {
    let Some(mut left) = reversed(path) else { return Ok(PathTarget::Out) };
    // The folders on the way, by their names and trees.
    let mut parents: Vec<(String, Oid)> = Vec::new();
    let mut links = 0;
    while let Some(next) = left.pop() {
        let Some(fewer) = steps.0.checked_sub(1) else { return Ok(PathTarget::Out) };
        steps.0 = fewer;
        if next == ".." {
            if parents.pop().is_none() {
                return Ok(PathTarget::Out);
            }
            continue;
        }
        let around = parents.last().map_or(root, |(_, tree)| *tree);
        let names = || parents.iter().map(|(name, _)| name.clone()).chain([next.clone()]);
        match entry(store, around, std::slice::from_ref(&next))? {
            None => return Ok(PathTarget::Nowhere),
            Some(TreeItem::Tree(tree)) if parents.len() < MOST_DEEP => parents.push((next, tree)),
            Some(TreeItem::Tree(_)) => return Ok(PathTarget::Out),
            Some(TreeItem::File(file)) => {
                return Ok(match left.is_empty() {
                    true => PathTarget::To(names().collect(), TreeItem::File(file)),
                    false => PathTarget::Nowhere,
                });
            }
            Some(TreeItem::Submodule(commit)) => {
                let rest = left.iter().rev().collect();
                return Ok(PathTarget::Into { submodule: names().collect(), commit, rest });
            }
            Some(TreeItem::Link(link)) => {
                links += 1;
                let target = store.blob(link, LONGEST_PATH)?;
                let target = target.and_then(|target| String::from_utf8(target).ok());
                let target = target.filter(|target| links <= MOST_LINKS && !target.is_empty());
                match target.and_then(|target| reversed(Path::new(&target))) {
                    Some(target) => left.extend(target),
                    None => return Ok(PathTarget::Out),
                }
            }
        }
    }
    let tree = parents.last().map_or(root, |(_, tree)| *tree);
    Ok(PathTarget::To(parents.into_iter().map(|(name, _)| name).collect(), TreeItem::Tree(tree)))
}

/// The parts of a relative path, the last one first; `None` for any other.
fn reversed(path: &Path) -> Option<Vec<String>> {
    let part = |part: Component<'_>| match part {
        Component::Normal(part) => Some(part.to_str()?.to_owned()),
        Component::ParentDir => Some("..".to_owned()),
        Component::CurDir => Some(String::new()),
        Component::RootDir | Component::Prefix(_) => None,
    };
    let mut parts: Vec<String> = path.components().map(part).collect::<Option<_>>()?;
    parts.retain(|part| !part.is_empty());
    parts.reverse();
    Some(parts)
}

/// The content of a regular file below a tree, through symbolic links that stay in it.
pub(super) fn file(
    store: &Store,
    root: Oid,
    path: &Path,
    submodules: usize,
) -> Result<Option<Vec<u8>>, Error> {
    match follow(store, root, path, &mut Steps::new())? {
        PathTarget::To(_, TreeItem::File(blob)) => store.blob(blob, LARGEST),
        PathTarget::Into { submodule, commit, rest } if submodules < MOST_SUBMODULES => {
            let (store, root) = store.submodule(&submodule, commit)?;
            file(&store, root, &rest, submodules + 1)
        }
        PathTarget::To(..) | PathTarget::Into { .. } | PathTarget::Out | PathTarget::Nowhere => {
            Ok(None)
        }
    }
}

/// The components of a path without `.` and `..`; `None` where it leads outside, or is too deep: git recurses
/// along a path.
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
