//! Conversion of live state to files with declarations.

use std::collections::BTreeMap;
use std::path::Path;

use super::checkout;
use super::clock;
use super::failure::Failure;
use super::files::WrittenFiles;
use crate::adopt::{self, AdoptedThing, Input, Layout, ProofError, Proved, Side};
use crate::declare::{
    self, CannotEdit, EnvironmentTarget, Files, ProposedNais, Repository, SETTINGS_FILE,
};
use domain::Orgno;

/// The environments that are not embedded, or all where all are; that of production first, else the last by
/// name.
pub(crate) fn overlaid(repository: &Repository) -> Vec<String> {
    let all = &repository.settings().environments;
    let is_real = |name: &&String| !matches!(*all[*name].target, EnvironmentTarget::Sandbox);
    let mut names: Vec<String> = all.keys().filter(is_real).cloned().collect();
    if names.is_empty() {
        names = all.keys().cloned().collect();
    }
    let is_prod = |name: &String| matches!(*all[name].target, EnvironmentTarget::Prod);
    let base = names.iter().position(is_prod).unwrap_or(names.len().saturating_sub(1));
    if base < names.len() {
        let base = names.remove(base);
        names.insert(0, base);
    }
    names
}

/// The live entities to declare, and the existing declarations.
pub(crate) struct Imported<'a> {
    pub(crate) repository: &'a Repository,
    pub(crate) files: &'a Files,
    pub(crate) sides: &'a [Side<'a>],
    pub(crate) chosen: &'a dyn Fn(AdoptedThing<'_>) -> bool,
    /// Names of organisations for readers.
    pub(crate) labels: &'a BTreeMap<Orgno, String>,
}

impl Imported<'_> {
    /// The declarations, in the requested layout or the one that fits the repository.
    pub(crate) fn made(
        &self,
        layout: Option<Layout>,
        into: &str,
        merge: bool,
    ) -> Result<Proved, Failure> {
        let Self { repository, files, sides, chosen, labels } = *self;
        let root = repository.root();
        let usual = match repository.has_teams() {
            true => Layout::ByTeam,
            false => Layout::ByProduct,
        };
        let taken = |path: &str| repository.has_file(path);
        let schema = adopt::schema(files);
        let input = Input {
            repository,
            sides,
            chosen,
            layout: layout.unwrap_or(usual),
            into,
            taken: &taken,
            schema: &schema,
            labels,
            merge,
            rendered: false,
        };
        let key_file = |path: &str| repository.key_file(path);
        let made = adopt::proved(&input, files, &key_file, clock::now());
        made.map_err(|error| match error {
            ProofError::Invalid(found) => Failure::Invalid(root.to_owned(), found),
            ProofError::NotRead(_) | ProofError::Restless(_) | ProofError::TooLarge(_) => {
                Failure::Failed(error.to_string())
            }
            ProofError::There(_) | ProofError::CannotMerge { .. } => {
                Failure::Refused(format!("{error}. Nothing was written"))
            }
        })
    }
}

/// The keys of `nais` for the manifests of a repository.
pub(crate) struct NamedManifests {
    pub(crate) proposed: ProposedNais,
    /// Why they are not in portvakt.yaml.
    pub(crate) left: Option<CannotEdit>,
}

/// Adds to portvakt.yaml the keys of `nais` that it lacks for the manifests of its folder; `None` if it lacks none.
///
/// # Errors
/// It is wrong, or cannot be written.
pub(crate) fn name_manifests(
    root: &Path,
    written: &mut WrittenFiles,
) -> Result<Option<NamedManifests>, Failure> {
    let Some(settings) = declare::source(root, SETTINGS_FILE) else { return Ok(None) };
    let proposed = declare::proposed_nais(root, &settings, &checkout::index(root))
        .map_err(|found| Failure::Invalid(root.to_owned(), found))?;
    if !proposed.is_needed() {
        return Ok(None);
    }
    let left = match proposed.added_to(&settings) {
        Ok(text) => written.replace(&root.join(SETTINGS_FILE), &text).map(|()| None)?,
        Err(why) => Some(why),
    };
    Ok(Some(NamedManifests { proposed, left }))
}

/// Writes all files or none.
pub(crate) fn write(root: &Path, made: &Proved, mut written: WrittenFiles) -> Result<(), Failure> {
    if let Some(file) = made.files.iter().find(|file| !is_inside(root, &file.path)) {
        return Err(written.undo(Failure::Refused(format!(
            "a symbolic link leads {} out of the repository. Nothing was written",
            file.path
        ))));
    }
    for file in &made.files {
        let path = root.join(&file.path);
        let result = match file.is_new {
            true => written.create(&path, &file.text),
            false => written.replace(&path, &file.text),
        };
        if let Err(failure) = result {
            return Err(written.undo(failure));
        }
    }
    Ok(())
}

/// Whether a file, or the nearest existing folder above it, is in the repository.
fn is_inside(root: &Path, path: &str) -> bool {
    let path = root.join(path);
    let Ok(root) = root.canonicalize() else { return false };
    let mut real = path.ancestors().filter_map(|path| path.canonicalize().ok());
    real.next().is_some_and(|real| real.starts_with(root))
}
