//! A repository that was read: what is wrong with it, and what it declares.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use rayon::prelude::*;

use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::{did_you_mean, list};
use crate::declare::diagnostic::{self, Diagnostic};
use crate::declare::files::index::Index;
use crate::declare::files::index::SETTINGS_FILE;
use crate::declare::files::key_files::{self, KeyFiles};
use crate::declare::fix::edit::Edited;
use crate::declare::own::teams::Teams;
use crate::declare::read::declared::{Declared, DeclaredClient};
use crate::declare::read::environment::Environment;
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::file::{self, FileContext};
use crate::declare::read::manifest::values::TemplateValues;
use crate::declare::read::settings::{Settings, settings};
use crate::declare::read::silences::{self, Silence};
use crate::declare::resolve::here::Here;
use crate::declare::rules::{advice, check, unused};
use crate::declare::{files, resolve};
use crate::skyporten::CloudShare;
use domain::{ClientName, Desired};

/// Everything that a repository declares, for all its environments, and what is to be said of it.
#[derive(Debug)]
pub struct Repository {
    root: PathBuf,
    settings: Settings,
    declared: Declared,
    found: Vec<Diagnostic>,
    key_files: BTreeSet<String>,
    /// Files that are to have another text than they have, by their path.
    edited: BTreeMap<String, String>,
    index: Index,
}

/// Extent of the checks of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Everything: what nothing uses, too.
    Whole,
    /// An environment: others may use what it does not.
    Environment,
}

/// How a file's state counts for what is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRole {
    /// Its content is read.
    Content,
    /// Whether it is there decides what else is read: a portvakt.yaml of a folder below.
    Presence,
}

/// Which environment is meant cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// None was asked for, and there are several.
    #[error("which environment? there are {}: choose one with `-e NAME` or PORTVAKT_ENV", list(.known.iter().map(String::as_str)))]
    NotChosen {
        /// The names of all.
        known: Vec<String>,
    },
    /// There is none of the name that was asked for.
    #[error(
        "there is no environment {}; {}portvakt.yaml has {}",
        shown_name(.asked),
        did_you_mean(.asked, .known.iter().map(String::as_str)),
        list(.known.iter().map(String::as_str))
    )]
    Unknown {
        /// The name that was asked for.
        asked: String,
        /// The names of all.
        known: Vec<String>,
    },
}

/// A name as it was given, unless it could be a secret instead.
fn shown_name(asked: &str) -> String {
    /// Longer than any name, and shorter than a line of a key.
    const LONGEST: usize = 60;
    let has_form = asked.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
    match has_form && asked.chars().count() <= LONGEST {
        true => format!("`{asked}`"),
        false => "of the name that was given, which no environment could have".to_owned(),
    }
}

/// Reads a repository, offline. No environment variable is read, and no file but the YAML and the files
/// with public keys that it names. What is wrong with it is told by [`Repository::check`] and [`Repository::desired`].
///
/// # Errors
/// What is wrong with a portvakt.yaml in whose light nothing can be read, sorted by place.
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
    let bytes = files::read_settings(root, &index).map_err(|error| vec![*error])?;
    load_bytes(root, &bytes, index, edited)
}

/// The same, with the content of a portvakt.yaml.
pub(super) fn load_bytes(
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

/// The repository of what its files declare, in their order, and what is to be said besides.
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
    /// What is declared, checked against each other; `found` is what was found before.
    fn new(
        root: &Path,
        settings: Settings,
        mut declared: Declared,
        mut found: Vec<Diagnostic>,
    ) -> Self {
        found.append(&mut declared.diagnostics);
        found.extend(check::check(&declared, &settings));
        Self {
            root: root.to_owned(),
            settings,
            declared,
            found,
            key_files: BTreeSet::new(),
            edited: BTreeMap::new(),
            index: Index::default(),
        }
    }

    /// The folder that holds portvakt.yaml.
    pub fn root(&self) -> &Path {
        &self.root
    }

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

    /// What a file declares that is none of the repository, such as a manifest: the settings count, but
    /// for the repository's own rules and teams.
    pub fn apart(&self, file: &str, bytes: &[u8]) -> Self {
        let settings = Settings {
            naming: Vec::new(),
            policies: Vec::new(),
            teams: Teams::default(),
            ..self.settings.clone()
        };
        let (key_files, values) = (&KeyFiles::Provided(&|_| None), &TemplateValues::default());
        let context = FileContext { settings: &settings, key_files, values };
        let declared = file::declarations(file.into(), bytes, &context);
        Self { index: self.index.clone(), ..Self::new(&self.root, settings, declared, Vec::new()) }
    }

    /// The files that are to have another text than they have, with that, by their path.
    pub fn edited(&self) -> &BTreeMap<String, String> {
        &self.edited
    }

    /// The text that a file has, or is to have.
    pub(super) fn source(&self, file: &str) -> Option<String> {
        let edited = self.edited.get(file).cloned();
        let sparse = || String::from_utf8(self.index.read(file)?).ok();
        edited.or_else(|| files::source(&self.root, file)).or_else(sparse)
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// Whether a file of the folder is read, by its path in it: portvakt.yaml, YAML with declarations,
    /// and the files with public keys that those name.
    pub fn reads(&self, path: &str) -> bool {
        self.role(path) == Some(FileRole::Content)
    }

    /// How a file of the folder counts for what is declared, by its path in it; `None` where it does
    /// not.
    pub fn role(&self, path: &str) -> Option<FileRole> {
        let folder = path.strip_suffix(SETTINGS_FILE).and_then(|folder| folder.strip_suffix('/'));
        if path == SETTINGS_FILE || self.key_files.contains(path) {
            return Some(FileRole::Content);
        }
        if self.index.is_in_another(&self.root, folder.unwrap_or(path)) {
            return None;
        }
        let is_read = || files::is_yaml(Path::new(path)) && self.settings.filter.is_chosen(path);
        match folder {
            Some(_) => (!self.settings.filter.is_excluded(path)).then_some(FileRole::Presence),
            None => is_read().then_some(FileRole::Content),
        }
    }

    /// Whether files below a folder, such as a submodule, may be read.
    pub fn reads_below(&self, folder: &str) -> bool {
        !self.excludes(folder) && !self.index.is_in_another(&self.root, folder)
    }

    /// Whether portvakt.yaml excludes a folder, or it belongs to other tools.
    pub fn excludes(&self, folder: &str) -> bool {
        self.settings.filter.is_excluded(folder)
    }

    /// Whether portvakt.yaml leaves a YAML file at a path to be read.
    pub fn includes(&self, path: &str) -> bool {
        self.settings.filter.is_chosen(path)
    }

    /// What is to be said of the files by themselves, and against each other.
    pub(super) fn findings(&self) -> &[Diagnostic] {
        &self.found
    }

    pub(super) fn declared(&self) -> &Declared {
        &self.declared
    }

    /// What holds for the whole repository.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The name of the environment that is asked for, or of the only one.
    ///
    /// # Errors
    /// There is no such environment, or none was asked for and there are several.
    pub fn environment_name(&self, asked: Option<&str>) -> Result<&str, EnvironmentError> {
        let names = || self.settings.environment_names.iter();
        let known = || names().map(str::to_owned).collect();
        match asked {
            Some(asked) => names().find(|name| *name == asked).ok_or_else(|| {
                EnvironmentError::Unknown { asked: asked.to_owned(), known: known() }
            }),
            None => match (names().next(), names().nth(1)) {
                (Some(only), None) => Ok(only),
                _ => Err(EnvironmentError::NotChosen { known: known() }),
            },
        }
    }

    /// The names of all environments, in order.
    pub fn environments(&self) -> impl Iterator<Item = &str> {
        self.settings.environment_names.iter()
    }

    /// The team in whose folder a file is.
    pub fn team(&self, file: &str) -> Option<&str> {
        self.settings.teams.of(file).map(|team| &*team.name)
    }

    /// The names of the teams, as they are declared.
    pub fn teams(&self) -> impl Iterator<Item = &str> {
        self.settings.teams.names()
    }

    /// An environment as it is declared: where it is, and with what credentials.
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        self.settings.environments.get(name)
    }

    /// Everything that is to be said of the declarations, in all environments, sorted by place.
    /// `today` is the date in Norway: `until` counts by it.
    pub fn check(&self, today: Date) -> Vec<Diagnostic> {
        let names = self.settings.environment_names.iter();
        let (mut found, idle) = self.check_in(names, today, Extent::Whole);
        // What is wrong may keep a rule from speaking.
        if !found.iter().any(Diagnostic::is_error) {
            let own = self.settings.own_rules();
            found.extend(idle.into_iter().map(|silence| silence.idle(own.clone())));
            diagnostic::sort(&mut found);
        }
        found
    }

    /// As [`check`](Self::check), for one environment.
    ///
    /// # Errors
    /// There is no such environment.
    pub fn check_environment(
        &self,
        environment: &str,
        today: Date,
    ) -> Result<Vec<Diagnostic>, EnvironmentError> {
        let name = self.environment_name(Some(environment))?;
        Ok(self.check_in([name], today, Extent::Environment).0)
    }

    fn check_in<'n>(
        &'n self,
        names: impl IntoIterator<Item = &'n str>,
        today: Date,
        extent: Extent,
    ) -> (Vec<Diagnostic>, Vec<&'n Silence>) {
        let names: Vec<&str> = names.into_iter().collect();
        let sets = names.iter().filter_map(|name| self.settings.environment_names.set(name));
        let asked = sets.fold(EnvironmentSet::NONE, EnvironmentSet::or);
        let mut found = self.found.clone();
        found.retain(|found| self.counts(found, asked));
        if !found.iter().any(|found| found.code == Rule::TooManyAccesses) {
            for here in names.iter().filter_map(|name| self.here(name)) {
                found.extend(advice::find(&here, today));
                // Much is said of each environment alike.
                diagnostic::sort(&mut found);
                found.dedup();
            }
        }
        // What is wrong may keep a name from being seen as used.
        if extent == Extent::Whole && !found.iter().any(Diagnostic::is_error) {
            found.extend(unused::find(
                &self.declared,
                &self.settings.teams,
                &self.unused_key_files(),
            ));
        }
        diagnostic::sort(&mut found);
        found.dedup();
        let idle = silences::heed(&mut found, &self.declared.silences);
        diagnostic::cut(&mut found, advice::MOST_FOUND);
        (found, idle)
    }

    /// The files of the folder with keys that no client names. A repository that was not read from a folder has
    /// none: only that of a folder knows its own portvakt.yaml among what it read.
    fn unused_key_files(&self) -> Vec<String> {
        match self.key_files.is_empty() {
            true => Vec::new(),
            false => {
                let filter = &self.settings.filter;
                key_files::unused(&self.root, filter, &self.index, &self.key_files)
            }
        }
    }

    /// Whether a finding about a file by itself counts in some of these environments.
    fn counts(&self, found: &Diagnostic, asked: EnvironmentSet) -> bool {
        let Some(name) = &found.own_rule else {
            return true;
        };
        let rule = self.settings.naming.iter().find(|rule| rule.head.name == *name);
        rule.is_none_or(|rule| rule.head.environments.overlaps(asked))
    }

    /// The clients of an environment, each with the set of that environment alone.
    pub(super) fn clients(
        &self,
        environment: &str,
    ) -> impl Iterator<Item = (&DeclaredClient, EnvironmentSet)> {
        let set = self.settings.environment_names.set(environment);
        set.into_iter().flat_map(|set| {
            let clients = self.declared.clients.iter();
            let here = clients.filter(move |client| client.environments.overlaps(set));
            here.map(move |client| (client, set))
        })
    }

    /// One of them, by its name.
    pub(super) fn client(
        &self,
        environment: &str,
        name: &ClientName,
    ) -> Option<(&DeclaredClient, EnvironmentSet)> {
        self.clients(environment).find(|(client, _)| client.name == *name)
    }

    pub(super) fn here<'n>(&'n self, name: &'n str) -> Option<Here<'n>> {
        let set = self.settings.environment_names.set(name)?;
        Some(Here::new(name, set, &self.settings, &self.declared))
    }

    /// The shares of cloud resources in an environment, in the order of their names.
    pub(crate) fn shares(&self, environment: &str) -> Vec<CloudShare> {
        let here = self.here(environment);
        let shares = here.iter().flat_map(resolve::shares::shares);
        shares.map(|(_, share)| share).collect()
    }

    /// What it declares but for the manifests of some files. What is wrong is told before.
    #[must_use]
    pub fn without_manifests(mut self, is_chosen: &dyn Fn(&str) -> bool) -> Self {
        let Declared { scopes, clients, .. } = &mut self.declared;
        scopes.retain(|scope| !(scope.in_manifest && is_chosen(&scope.place.file)));
        clients.retain(|client| !(client.manifest.is_some() && is_chosen(&client.place.file)));
        self
    }

    /// The files whose manifests declare something.
    pub fn manifest_files(&self) -> BTreeSet<&str> {
        let declared = self.declared.entities().filter(|it| it.in_manifest);
        declared.map(|it| &*it.place.file).collect()
    }

    /// What an environment should hold, with what is to be said of it.
    ///
    /// # Errors
    /// There is no such environment, or something is wrong: then all that
    /// [`check_environment`](Self::check_environment) finds.
    pub fn desired(
        &self,
        environment: &str,
        today: Date,
    ) -> Result<(Desired, Vec<Diagnostic>), Invalid> {
        let found = self.check_environment(environment, today)?;
        match (self.here(environment), self.settings.organization) {
            (Some(here), Some(organization)) if !found.iter().any(Diagnostic::is_error) => {
                Ok((resolve::desired(&here, organization), found))
            }
            _ => Err(Invalid::Declarations(found)),
        }
    }
}

impl Repository {
    /// What an environment was declared to hold, by declarations of an older day: who and what is read,
    /// whatever rule of today they break. An attribute that cannot be read is left out.
    ///
    /// # Errors
    /// There is no such environment, or something is wrong that may hide who or what is declared, or what
    /// protects it: then that.
    pub fn desired_before(&self, environment: &str) -> Result<Desired, Invalid> {
        let name = self.environment_name(Some(environment))?;
        let hiding: Vec<_> = self.found.iter().filter(|found| found.hides).cloned().collect();
        match (self.here(name), self.settings.organization) {
            (Some(here), Some(organization)) if hiding.is_empty() => {
                Ok(resolve::desired(&here, organization))
            }
            _ => Err(Invalid::Declarations(hiding)),
        }
    }
}

/// Why it cannot be told what an environment should hold.
#[derive(Debug)]
pub enum Invalid {
    /// It is not known which environment is meant.
    Environment(EnvironmentError),
    /// The declarations are wrong: everything that was found, warnings included.
    Declarations(Vec<Diagnostic>),
}

impl From<EnvironmentError> for Invalid {
    fn from(error: EnvironmentError) -> Self {
        Self::Environment(error)
    }
}
