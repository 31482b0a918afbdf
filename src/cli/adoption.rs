//! What import, from-nais and render have in common: from what is live to files with declarations.

use std::path::{Component, Path};

use super::exit::Failure;
use super::files::WrittenFiles;
use crate::adopt::{self, Counts, Input, Layout, Proved, Side, Thing, Unproved};
use crate::declare::{Files, Repository, Target};
use crate::run::clock;
use domain::text::{counted, printable};

/// The environments that are not embedded, or all where all are; that of production first, else the
/// last by name.
pub(super) fn overlaid(repository: &Repository) -> Vec<String> {
    let all = &repository.settings().environments;
    let is_real = |name: &&String| !matches!(all[*name].target, Target::Sandbox);
    let mut names: Vec<String> = all.keys().filter(is_real).cloned().collect();
    if names.is_empty() {
        names = all.keys().cloned().collect();
    }
    let is_prod = |name: &String| matches!(all[name].target, Target::Prod);
    let base = names.iter().position(is_prod).unwrap_or(names.len().saturating_sub(1));
    if base < names.len() {
        let base = names.remove(base);
        names.insert(0, base);
    }
    names
}

/// What is live and to be declared, and what is declared already.
pub(super) struct Imported<'a> {
    pub(super) repository: &'a Repository,
    pub(super) files: &'a Files,
    pub(super) sides: &'a [Side<'a>],
    pub(super) chosen: &'a dyn Fn(Thing<'_>) -> bool,
}

impl Imported<'_> {
    /// The declarations, in the layout that is asked for or that fits the repository.
    pub(super) fn made(
        &self,
        layout: Option<Layout>,
        into: &str,
        merge: bool,
    ) -> Result<Proved, Failure> {
        let Self { repository, files, sides, chosen } = *self;
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
            merge,
            rendered: false,
        };
        let key_file = |path: &str| repository.key_file(path);
        let made = adopt::proved(&input, files, &key_file, clock::now());
        made.map_err(|error| match error {
            Unproved::Invalid(found) => Failure::Invalid(root.to_owned(), found),
            Unproved::NotRead(_) | Unproved::Restless(_) | Unproved::TooLarge(_) => {
                Failure::Failed(error.to_string())
            }
            Unproved::There(_) | Unproved::CannotMerge { .. } => {
                Failure::Refused(format!("{error}. Nothing was written"))
            }
        })
    }
}

/// A folder of the repository, with `/` between its parts and none at its ends.
pub(super) fn folder(asked: &str) -> Result<String, Failure> {
    let wrong = || {
        let why = format!(
            "--into {} is no folder of the repository: write it from the repository's root, without \
             `..`, and with no part that begins with a dot",
            printable(asked)
        );
        Failure::Usage(why)
    };
    let mut parts = Vec::new();
    for part in Path::new(asked).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => {
                let part = part.to_str().ok_or_else(wrong)?;
                if part.starts_with('.') || part.contains(|c: char| c.is_control() || c == '\\') {
                    return Err(wrong());
                }
                parts.push(part);
            }
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(wrong()),
        }
    }
    Ok(parts.join("/"))
}

/// Writes all files or none.
pub(super) fn write(root: &Path, made: &Proved) -> Result<(), Failure> {
    if let Some(file) = made.files.iter().find(|file| !is_inside(root, &file.path)) {
        return Err(Failure::Refused(format!(
            "a symbolic link leads {} out of the repository. Nothing was written",
            file.path
        )));
    }
    let mut written = WrittenFiles::default();
    for file in &made.files {
        let path = root.join(&file.path);
        let result = match file.is_new {
            true => written.create(&path, &file.text),
            false => written.replace(&path, &file.text),
        };
        if let Err(failure) = result {
            return Err(written.take_back(failure));
        }
    }
    Ok(())
}

/// Whether a file, or the nearest folder above it that is there, lies in the repository.
fn is_inside(root: &Path, path: &str) -> bool {
    let path = root.join(path);
    let Ok(root) = root.canonicalize() else { return false };
    let mut real = path.ancestors().filter_map(|path| path.canonicalize().ok());
    real.next().is_some_and(|real| real.starts_with(root))
}

/// `2 scopes with 3 accesses, 1 client`.
pub(super) fn counts(counts: Counts) -> String {
    let Counts { scopes, accesses, clients, aliases, groups, key_files, completed, added } = counts;
    let count = |count: usize, thing, plural| counted(count as u64, thing, plural);
    let scopes_told = match accesses {
        0 => count(scopes, "scope", "s"),
        accesses => {
            format!("{} with {}", count(scopes, "scope", "s"), count(accesses, "access", "es"))
        }
    };
    let all = [
        (scopes, scopes_told),
        (
            added,
            format!(
                "{} to {}",
                count(added, "access", "es"),
                count(completed, "declared scope", "s")
            ),
        ),
        (clients, count(clients, "client", "s")),
        (aliases, count(aliases, "alias", "es")),
        (groups, count(groups, "group", "s")),
        (key_files, count(key_files, "file", "s") + " with keys"),
    ];
    let told: Vec<_> =
        all.into_iter().filter(|(count, _)| *count > 0).map(|(_, told)| told).collect();
    told.join(", ")
}
