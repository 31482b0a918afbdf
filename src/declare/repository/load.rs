//! Reading of a repository: from a folder, or from files in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::Repository;
use crate::declare::diagnostic::{self, Diagnostic};
use crate::declare::files;
use crate::declare::files::index::{Index, SETTINGS_FILE};
use crate::declare::files::key_files::KeyFiles;
use crate::declare::fix::edit::Edited;
use crate::declare::read::declared::Declared;
use crate::declare::read::file::{self, FileContext};
use crate::declare::read::manifest::values::TemplateValues;
use crate::declare::read::settings::{Settings, settings};

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

/// What is in portvakt.yaml, with the edits.
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
    let repository = from_parts(root, bytes, |settings| {
        let (mut listed, mut found) = files::list(root, &settings.filter, &index);
        files::add(&mut listed, root, edited.keys().filter(|it| settings.filter.is_chosen(it)));
        let (listed, others): (Vec<_>, Vec<_>) =
            listed.into_iter().partition(|listed| !settings.filter.has_values(&listed.name));
        let others: Vec<_> = others.into_iter().map(|listed| listed.name).collect();
        let values = TemplateValues::load(settings, &others, &keys, &mut found);
        let context = FileContext { settings, key_files: &keys, values: &values };
        let read = |listed: &files::Listed| match edited.get(&*listed.name) {
            Some(text) => Ok(text.as_bytes().to_vec()),
            None => files::read(listed),
        };
        let parts = listed.into_par_iter().map(|listed| match read(&listed) {
            Ok(bytes) => file::declarations(listed.name, &bytes, &context),
            Err(error) => {
                Declared { incomplete: true, diagnostics: vec![*error], ..Declared::default() }
            }
        });
        (parts.collect(), found)
    })?;
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
    let keys = KeyFiles::Provided(key_file);
    from_parts(root, settings, |settings| {
        let is_read =
            |name: &str| files::is_yaml(Path::new(name)) && settings.filter.is_chosen(name);
        let (others, yaml): (Vec<_>, Vec<_>) = yaml
            .into_iter()
            .filter(|(name, _)| is_read(name))
            .partition(|(name, _)| settings.filter.has_values(name));
        let others: Vec<_> = others.into_iter().map(|(name, _)| name).collect();
        let mut found = Vec::new();
        let values = TemplateValues::load(settings, &others, &keys, &mut found);
        let context = FileContext { settings, key_files: &keys, values: &values };
        let chosen = yaml.into_par_iter();
        let parts = chosen.map(|(name, bytes)| file::declarations(name, &bytes, &context));
        (parts.collect(), found)
    })
}

/// The repository of what its files declare, in their order, with further findings.
fn from_parts(
    root: &Path,
    bytes: &[u8],
    parts: impl FnOnce(&Settings) -> (Vec<Declared>, Vec<Diagnostic>),
) -> Result<Repository, Vec<Diagnostic>> {
    let (settings, mut found) = settings(bytes);
    let Some(settings) = settings else {
        diagnostic::sort(&mut found);
        return Err(found);
    };
    let (parts, refused) = parts(&settings);
    found.extend(refused);
    let mut declared = Declared::default();
    for part in parts {
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
