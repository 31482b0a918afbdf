//! Conversion of live state to files with declarations.

use std::collections::BTreeMap;
use std::path::Path;

use super::checkout;
use super::clock;
use super::edits;
use super::failure::Failure;
use crate::adopt::{self, AdoptedThing, Input, Layout, ProofError, Proved, Side};
use crate::declare::{
    self, CannotEdit, Edited, EnvironmentTarget, ProposedNais, Repository, SETTINGS_FILE,
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
        let Self { repository, sides, chosen, labels } = *self;
        let root = repository.root();
        let files = declare::read_files(repository)
            .map_err(|found| Failure::Invalid(root.to_owned(), found))?;
        let usual = match repository.has_teams() {
            true => Layout::ByTeam,
            false => Layout::ByProduct,
        };
        let taken = |path: &str| repository.has_file(path);
        let schema = adopt::schema(&files);
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
        let made = adopt::proved(&input, &files, &key_file, clock::now());
        made.map_err(|error| match error {
            ProofError::Invalid(found) => Failure::Invalid(root.to_owned(), found),
            ProofError::NotRead(_) | ProofError::Restless(_) | ProofError::TooLarge(_) => {
                Failure::failed(error)
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
    /// portvakt.yaml with them, or why they cannot be added.
    pub(crate) edited: Result<Edited, CannotEdit>,
}

/// The keys of `nais` that portvakt.yaml lacks for the manifests of its folder; `None` if it lacks none.
///
/// # Errors
/// It is wrong.
pub(crate) fn name_manifests(root: &Path) -> Result<Option<NamedManifests>, Failure> {
    let Some(settings) = declare::source(root, SETTINGS_FILE) else { return Ok(None) };
    let proposed = declare::proposed_nais(root, &settings, &checkout::index(root))
        .map_err(|found| Failure::Invalid(root.to_owned(), found))?;
    if !proposed.is_needed() {
        return Ok(None);
    }
    let edited = proposed.added_to(&settings);
    let edited = edited.map(|after| Edited { file: SETTINGS_FILE.to_owned(), after });
    Ok(Some(NamedManifests { proposed, edited }))
}

/// Writes all files or none, with portvakt.yaml if it is edited.
///
/// # Errors
/// One cannot be written, or a symbolic link leads it out of the repository.
pub(crate) fn write(root: &Path, made: &Proved, settings: Option<&Edited>) -> Result<(), Failure> {
    let settings = settings.map(|Edited { file, after }| (file.as_str(), after.as_str()));
    let files = made.files.iter().map(|file| (file.path.as_str(), file.text.as_str()));
    let files: Vec<_> = settings.into_iter().chain(files).collect();
    if let Some((file, _)) = files.iter().find(|(file, _)| !is_inside(root, file)) {
        return Err(Failure::Refused(format!(
            "a symbolic link leads {file} out of the repository. Nothing was written"
        )));
    }
    let is_new = |path: &str| made.files.iter().any(|file| file.is_new && file.path == path);
    edits::write_all(root, files, is_new)
}

/// Whether a file, or the nearest existing folder above it, is in the repository.
fn is_inside(root: &Path, path: &str) -> bool {
    let path = root.join(path);
    let Ok(root) = root.canonicalize() else { return false };
    let mut real = path.ancestors().filter_map(|path| path.canonicalize().ok());
    real.next().is_some_and(|real| real.starts_with(root))
}
