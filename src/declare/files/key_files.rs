//! Files with public keys: their allowed places, and reading them within limits.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder};

use super::FileFilter;
use super::index::Index;
use crate::declare::files;

/// The largest file with keys that is read, in bytes.
pub(crate) const LARGEST: u64 = 64 * 1024;
/// Largest number of files that are read.
const MOST_FILES: usize = 10_000;
/// Largest number of files among which unused ones are looked for.
const MOST_LOOKED_AT: usize = 100_000;

/// Source of files with keys.
pub(crate) enum KeyFiles<'r> {
    /// The folder of the repository.
    Disk {
        root: &'r Path,
        index: &'r Index,
        /// The files that were read, and the targets of symbolic links.
        read: Mutex<BTreeSet<String>>,
    },
    /// A function that returns a file by its path in the repository; `None` where there is none.
    Provided(&'r (dyn Fn(&str) -> Option<Vec<u8>> + Sync)),
}

impl<'r> KeyFiles<'r> {
    pub(crate) fn on_disk(root: &'r Path, index: &'r Index) -> Self {
        Self::Disk { root, index, read: Mutex::default() }
    }

    /// The files of the folder that were read.
    pub(crate) fn into_read(self) -> BTreeSet<String> {
        match self {
            Self::Provided(_) => BTreeSet::new(),
            Self::Disk { root: _, index: _, read } => {
                read.into_inner().unwrap_or_else(PoisonError::into_inner)
            }
        }
    }

    /// The content of a file. The error is the reason why it cannot be read.
    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Provided(file) => {
                let bytes = file(path).ok_or("there is no such file")?;
                match bytes.len() as u64 <= LARGEST {
                    true => Ok(bytes),
                    false => Err(format!("it is larger than {} KiB", LARGEST / 1024)),
                }
            }
            Self::Disk { root, index, read } => {
                let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
                if read.len() >= MOST_FILES {
                    return Err(format!("more than {MOST_FILES} files with keys are not read"));
                }
                read.insert(path.to_owned());
                read.extend(files::target(&root.join(path), root).ok().flatten());
                drop(read);
                files::read_inside(root, path, LARGEST, index)
            }
        }
    }
}

/// How the names of files with public keys end that this program writes.
const ENDING: &str = ".jwks.json";

/// The files of the folder that have keys by their names, in order, without those that are `used` or excluded.
/// No more are looked at than may be read.
pub(crate) fn unused(
    root: &Path,
    filter: &FileFilter,
    index: &Index,
    used: &BTreeSet<String>,
) -> Vec<String> {
    let mut walk = WalkBuilder::new(root);
    walk.standard_filters(false).hidden(true).follow_links(false).max_depth(Some(files::MOST_DEEP));
    let (above, around, not) = (root.to_owned(), index.clone(), filter.clone());
    walk.filter_entry(move |entry| {
        let name = files::relative(&above, entry.path());
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        let is_another = || entry.depth() > 0 && is_folder && around.is_another(&above, &name);
        entry.depth() == 0 || !(not.is_excluded(&name) || is_another())
    });
    let is_file = |entry: &DirEntry| entry.file_type().is_some_and(|kind| kind.is_file());
    let files = walk.build().filter_map(Result::ok).filter(is_file).take(MOST_LOOKED_AT);
    let names = files.map(|entry| files::relative(root, entry.path()));
    let unused = names.filter(|name| name.ends_with(ENDING) && !used.contains(name));
    unused.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The path in the repository of a file name. `None` where it leaves the repository, or is in a dot-folder,
/// which belongs to other tools.
pub(crate) fn resolved(file: &str, written: &str) -> Option<String> {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let strange = |c: char| c == '\\' || c.is_control();
    if written.is_empty() || written.starts_with('/') || written.contains(strange) {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            hidden if hidden.starts_with('.') => return None,
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::resolved;

    #[test]
    fn a_path_starts_at_its_file_and_stays_in_the_repository() {
        let from = |written| resolved("teams/arbeid/a.yaml", written);
        assert_eq!(from("keys/x.json").as_deref(), Some("teams/arbeid/keys/x.json"));
        assert_eq!(from("./x.json").as_deref(), Some("teams/arbeid/x.json"));
        assert_eq!(from("../../keys/x.json").as_deref(), Some("keys/x.json"));
        for out in ["", "/etc/passwd", "../../../x", ".ssh/id", "a\\b", "..", "../.."] {
            assert!(from(out).is_none_or(|path| path == "teams"), "{out}");
        }
        assert_eq!(resolved("a.yaml", "x.json").as_deref(), Some("x.json"));
    }
}
