//! A repository that was read: its declarations, and the findings about them.

mod checks;
pub(super) mod load;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::declare::diagnostic::Diagnostic;
use crate::declare::diagnostic::suggest::{did_you_mean, list};
use crate::declare::files::index::Index;
use crate::declare::files::index::SETTINGS_FILE;
use crate::declare::files::key_files::KeyFiles;
use crate::declare::own::teams::Teams;
use crate::declare::read::declared::{Declared, DeclaredClient};
use crate::declare::read::environment::Environment;
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::file::{self, FileContext};
use crate::declare::read::manifest::values::TemplateValues;
use crate::declare::read::settings::Settings;
use crate::declare::resolve::here::Here;
use crate::declare::rules::check;
use crate::declare::{files, resolve};
use crate::skyporten::CloudShare;
use domain::{ClientName, Desired};

/// Everything that a repository declares, for all its environments, and the findings about it.
#[derive(Debug)]
pub struct Repository {
    root: PathBuf,
    settings: Settings,
    declared: Declared,
    found: Vec<Diagnostic>,
    key_files: BTreeSet<String>,
    /// The new texts of edited files, by their path.
    edited: BTreeMap<String, String>,
    index: Index,
}

/// How a file's state counts for what is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRole {
    /// Its content is read.
    Content,
    /// Whether it is there decides what else is read: a portvakt.yaml of a folder below.
    Presence,
}

/// It is not known which environment is meant.
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

impl Repository {
    /// The declarations, checked against each other; `found` has the findings so far.
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

    /// The declarations of a file outside the repository, such as a manifest: the settings count, except
    /// the repository's own rules and teams.
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

    /// The new texts of edited files, by their path.
    pub fn edited(&self) -> &BTreeMap<String, String> {
        &self.edited
    }

    /// The text that a file has, or is to have.
    pub fn source(&self, file: &str) -> Option<String> {
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
        match folder {
            Some(_) => (!self.settings.filter.is_excluded(path)).then_some(FileRole::Presence),
            None => self.settings.filter.reads(path).then_some(FileRole::Content),
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

    /// The findings about the files by themselves, and against each other.
    pub(super) fn findings(&self) -> &[Diagnostic] {
        &self.found
    }

    pub(super) fn declared(&self) -> &Declared {
        &self.declared
    }

    /// The settings in portvakt.yaml.
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

    /// The repository without the manifests of some files. Its findings are those with them.
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

    /// The desired state of an environment, with the findings about it.
    ///
    /// # Errors
    /// There is no such environment, or the declarations have an error: then all that
    /// [`check_environment`](Self::check_environment) finds.
    pub fn desired(
        &self,
        environment: &str,
        today: Date,
    ) -> Result<(Desired, Vec<Diagnostic>), Invalid> {
        let found = self.check_environment(environment, today)?;
        // Not before: an error may be that it is too large.
        let is_right = !found.iter().any(Diagnostic::is_error);
        match is_right.then(|| self.resolved(environment)).flatten() {
            Some(desired) => Ok((desired, found)),
            None => Err(Invalid::Declarations(found)),
        }
    }

    /// The desired state of an environment by declarations of an older day: who and what can be read, whatever
    /// rule of today they break. An attribute that cannot be read is left out.
    ///
    /// # Errors
    /// There is no such environment, or findings that may hide who or what is declared, or what protects it:
    /// then those.
    pub fn desired_before(&self, environment: &str) -> Result<Desired, Invalid> {
        let name = self.environment_name(Some(environment))?;
        let hiding: Vec<_> = self.found.iter().filter(|found| found.hides).cloned().collect();
        let desired = hiding.is_empty().then(|| self.resolved(name)).flatten();
        desired.ok_or(Invalid::Declarations(hiding))
    }

    fn resolved(&self, environment: &str) -> Option<Desired> {
        let organization = self.settings.organization?;
        self.here(environment).map(|here| resolve::desired(&here, organization))
    }
}

/// Reason why an environment has no desired state.
#[derive(Debug)]
pub enum Invalid {
    /// It is not known which environment is meant.
    Environment(EnvironmentError),
    /// The declarations have errors: all findings, warnings included.
    Declarations(Vec<Diagnostic>),
}

impl From<EnvironmentError> for Invalid {
    fn from(error: EnvironmentError) -> Self {
        Self::Environment(error)
    }
}
