//! A repository that was read and found in order.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::declared::Declared;
use super::diagnostic::{self, Diagnostic, Place};
use super::environment::Environment;
use super::places::Span;
use super::rules::Rule;
use super::settings::{SETTINGS_FILE, Settings, settings};
use super::suggest::{did_you_mean, list};
use super::{check, files, reading, resolve};
use crate::domain::Desired;

/// Everything that a repository declares, for all its environments.
#[derive(Debug)]
pub struct Repository {
    root: PathBuf,
    settings: Settings,
    declared: Declared,
    warnings: Vec<Diagnostic>,
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
        "there is no environment `{asked}`; {}portvakt.yaml has {}",
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

/// Reads and checks a repository, offline. No environment variable is read, and no file but the
/// YAML.
///
/// # Errors
/// Everything that is wrong, sorted by place, warnings included. What is wrong with portvakt.yaml
/// comes alone: the other files are read in its light.
pub fn load(root: &Path) -> Result<Repository, Vec<Diagnostic>> {
    let bytes = files::read_settings(root).map_err(|error| vec![*error])?;
    let (settings, mut found) = settings(&bytes);
    let Some(settings) = settings else {
        diagnostic::sort(&mut found);
        return Err(found);
    };
    let (listed, refused) = files::list(root, &settings);
    found.extend(refused);
    let read: Vec<Declared> = listed
        .into_par_iter()
        .map(|listed| match files::read(&listed) {
            Ok(bytes) => reading::declarations(listed.name, &bytes, &settings),
            Err(error) => {
                Declared { incomplete: true, diagnostics: vec![*error], ..Declared::default() }
            }
        })
        .collect();
    let mut declared = Declared::default();
    for one in read {
        declared.append(one);
    }
    found.append(&mut declared.diagnostics);
    found.extend(check::check(&declared));
    diagnostic::sort(&mut found);
    if found.iter().any(Diagnostic::is_error) {
        return Err(found);
    }
    Ok(Repository { root: root.to_owned(), settings, declared, warnings: found })
}

impl Repository {
    /// The folder that holds portvakt.yaml.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What holds for the whole repository.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is probably not meant, whatever the environment.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The name of the environment that is asked for, or of the only one.
    ///
    /// # Errors
    /// There is no such environment, or none was asked for and there are several.
    pub fn environment_name(&self, asked: Option<&str>) -> Result<&str, EnvironmentError> {
        let environments = &self.settings.environments;
        let known = || environments.keys().cloned().collect();
        match asked {
            Some(asked) => match environments.get_key_value(asked) {
                Some((name, _)) => Ok(name),
                None => Err(EnvironmentError::Unknown { asked: asked.to_owned(), known: known() }),
            },
            None => match environments.keys().next() {
                Some(only) if environments.len() == 1 => Ok(only),
                _ => Err(EnvironmentError::NotChosen { known: known() }),
            },
        }
    }

    /// An environment as it is declared: where it is, and with what credentials.
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        self.settings.environments.get(name)
    }

    /// What an environment should hold, with warnings that hold for it alone.
    ///
    /// # Errors
    /// There is no such environment; everything else was found by [`load`].
    pub fn desired(
        &self,
        environment: &str,
    ) -> Result<(Desired, Vec<Diagnostic>), Vec<Diagnostic>> {
        let Some(set) = self.settings.environment_names.set(environment) else {
            let known = self.settings.environments.keys().cloned().collect();
            let asked = environment.to_owned();
            let message = EnvironmentError::Unknown { asked, known }.to_string();
            let place = Place { file: SETTINGS_FILE.into(), span: Span::TOP };
            let rule = Rule::UnknownEnvironment;
            return Err(vec![Diagnostic::new(rule, &place, &message, "")]);
        };
        let (desired, mut warnings) =
            resolve::desired(environment, set, &self.settings, &self.declared);
        diagnostic::sort(&mut warnings);
        Ok((desired, warnings))
    }
}
