//! The requested repository: its folder, its declarations as git has them, and its environment.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::options::RunOptions;
use crate::declare::{self, Diagnostic, Index, Repository, SETTINGS_FILE};
use crate::history;

/// The folder of the requested repository.
pub(crate) fn root(options: &RunOptions) -> Result<PathBuf, Failure> {
    let start = options.folder.clone().unwrap_or_else(|| ".".into());
    declare::find_root(&start).map_err(Failure::usage)
}

/// Reads the declarations of a folder as git has them.
///
/// # Errors
/// As for [`declare::load`].
pub(crate) fn load(root: &Path) -> Result<Repository, Vec<Diagnostic>> {
    declare::load_tracked(root, index(root))
}

/// Reads the declarations of the requested repository as git has them.
///
/// # Errors
/// There is no repository, or its portvakt.yaml is wrong.
pub(crate) fn open(options: &RunOptions) -> Result<Repository, Failure> {
    let root = root(options)?;
    load(&root).map_err(|found| Failure::Invalid(root, found))
}

/// As [`open`], for commands that plan, apply or block: an error too where git's index cannot be read.
pub(crate) fn open_tracked(options: &RunOptions) -> Result<Repository, Failure> {
    let root = root(options)?;
    let index = git_index(&root)?;
    declare::load_tracked(&root, index).map_err(|found| Failure::Invalid(root, found))
}

/// Git's index of a folder; an index outside git where it cannot be read.
pub(crate) fn index(root: &Path) -> Index {
    git_index(root).unwrap_or_else(|error| {
        tracing::warn!("the folder is read as it is, not as git has it: {error}");
        Index::default()
    })
}

/// The same, or the reason why it cannot be read.
pub(crate) fn git_index(root: &Path) -> Result<Index, history::Error> {
    history::index(root, secrets(root))
}

/// The names of the environment variables from which a folder, and those beside it, read secrets.
pub(crate) fn secrets(root: &Path) -> BTreeSet<String> {
    let own = declare::source(root, SETTINGS_FILE).map(String::into_bytes);
    let all = history::known_settings(root).into_iter().chain(own);
    all.flat_map(|settings| declare::variables(&settings)).collect()
}
