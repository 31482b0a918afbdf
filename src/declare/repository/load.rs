//! Reading of a repository: from a folder, or from files in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::Repository;
use crate::declare::diagnostic::{self, Diagnostic};
use crate::declare::files::index::{Index, SETTINGS_FILE};
use crate::declare::files::key_files::KeyFiles;
use crate::declare::files::{self, FileFilter, Listed};
use crate::declare::fix::edit::Edited;
use crate::declare::read::declared::Declared;
use crate::declare::read::file::{self, FileContext};
use crate::declare::read::manifest::values::TemplateValues;
use crate::declare::read::settings::settings;

/// Reads a repository, offline. No environment variable is read, and no file but the YAML and the files
/// with public keys that it names. [`Repository::check`] and [`Repository::desired`] report its
/// errors.
///
/// # Errors
/// The findings about a portvakt.yaml by which nothing can be read, sorted by place.
pub fn load(root: &Path) -> Result<Repository, Vec<Diagnostic>> {
    load_tracked(root, Index::default())
}

/// The same for a folder in git, as git's index has it.
///
/// # Errors
/// As of [`load`].
pub fn load_tracked(root: &Path, index: Index) -> Result<Repository, Vec<Diagnostic>> {
    load_with(root, index, BTreeMap::new())
}

/// The same, with other texts of some files.
fn load_with(
    root: &Path,
    index: Index,
    edited: BTreeMap<String, String>,
) -> Result<Repository, Vec<Diagnostic>> {
    let bytes = settings_bytes(root, &index, &edited)?;
    load_bytes(root, &bytes, index, edited)
}

/// The content of portvakt.yaml, with the edits.
pub(in crate::declare) fn settings_bytes(
    root: &Path,
    index: &Index,
    edited: &BTreeMap<String, String>,
) -> Result<Vec<u8>, Vec<Diagnostic>> {
    match edited.get(SETTINGS_FILE) {
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => files::read_settings(root, index).map_err(|error| vec![*error]),
    }
}

/// The same, with the content of a portvakt.yaml.
pub(in crate::declare) fn load_bytes(
    root: &Path,
    bytes: &[u8],
    index: Index,
    edited: BTreeMap<String, String>,
) -> Result<Repository, Vec<Diagnostic>> {
    let keys = KeyFiles::on_disk(root, &index);
    let repository =
        from_files(root, bytes, &keys, |filter| files::list(root, filter, &index, &edited))?;
    let mut key_files = keys.into_read();
    // A portvakt.yaml may be a link.
    key_files.extend(files::target(&root.join(SETTINGS_FILE), root).ok().flatten());
    Ok(Repository { key_files, edited, index, ..repository })
}

/// Reads a repository whose files are in memory, as those of a git tree: what is in portvakt.yaml, and
/// each YAML file by its path in the repository, with `/` between its parts. Of those only the ones are
/// read that [`load`] would read; how many and how large they are is for the caller to bound.
/// `key_file` gives a file with public keys by its path.
///
/// # Errors
/// As of [`load`].
pub fn read(
    root: &Path,
    settings: &[u8],
    mut yaml: Vec<(Arc<str>, Vec<u8>)>,
    key_file: &(dyn Fn(&str) -> Option<Vec<u8>> + Sync),
) -> Result<Repository, Vec<Diagnostic>> {
    yaml.sort_by(|(a, _), (b, _)| Path::new(&**a).cmp(Path::new(&**b)));
    from_files(root, settings, &KeyFiles::Provided(key_file), |filter| {
        yaml.retain(|(name, _)| filter.reads(name));
        let listed = yaml.into_iter().map(|(name, bytes)| Listed::known(name, bytes));
        (listed.collect(), Vec::new())
    })
}

/// The repository of what the files in a list declare, in its order, with the findings about it.
fn from_files(
    root: &Path,
    bytes: &[u8],
    keys: &KeyFiles<'_>,
    list: impl FnOnce(&FileFilter) -> (Vec<Listed>, Vec<Diagnostic>),
) -> Result<Repository, Vec<Diagnostic>> {
    let (settings, mut found) = settings(bytes);
    let Some(settings) = settings else {
        diagnostic::sort(&mut found);
        return Err(found);
    };
    let (listed, refused) = list(&settings.filter);
    found.extend(refused);
    let (others, listed): (Vec<_>, Vec<_>) =
        listed.into_iter().partition(|listed| settings.filter.has_values(&listed.name));
    let others: Vec<_> = others.into_iter().map(|listed| listed.name).collect();
    let values = TemplateValues::load(&settings, &others, keys, &mut found);
    let context = FileContext { settings: &settings, key_files: keys, values: &values };
    let parts = listed.into_par_iter().map(|listed| match files::read(listed) {
        Ok((name, bytes)) => file::declarations(name, &bytes, &context),
        Err(error) => {
            Declared { incomplete: true, diagnostics: vec![*error], ..Declared::default() }
        }
    });
    let mut declared = Declared::default();
    for part in parts.collect::<Vec<_>>() {
        declared.append(part);
    }
    Ok(Repository::new(root, settings, declared, found))
}

impl Repository {
    /// The repository that it would be if a file had another text, or were there; nothing is written.
    ///
    /// # Errors
    /// As of [`load`].
    pub fn with(&self, edited: &Edited) -> Result<Self, Vec<Diagnostic>> {
        let Edited { file, after } = edited.clone();
        let mut all = self.edited.clone();
        all.insert(file, after);
        load_with(&self.root, self.index.clone(), all)
    }
}
