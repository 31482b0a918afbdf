//! The values of templates: the files that `nais.vars` names for each environment.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::is_resource;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::{Diagnostic, Place};
use crate::declare::files::index::SETTINGS_FILE;
use crate::declare::files::key_files::KeyFiles;
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::globs::PathPattern;
use crate::declare::read::nais::EnvironmentGlobs;
use crate::declare::read::settings::Settings;
use crate::declare::yaml::document::{Findings, decode, kind, parse_with_anchors};

/// The values of all environments that have some.
#[derive(Debug, Default)]
pub(crate) struct TemplateValues(Vec<EnvironmentValues>);

/// The values of one environment.
#[derive(Debug)]
pub(crate) struct EnvironmentValues {
    pub(crate) name: String,
    pub(crate) set: EnvironmentSet,
    /// The files of each entry of `nais.vars`, in its order.
    entries: Vec<Vec<ValuesFile>>,
}

#[derive(Debug)]
struct ValuesFile {
    path: String,
    values: Map<String, Value>,
}

impl TemplateValues {
    /// Reads the files. `listed` are those of the repository that `nais.vars` may name.
    pub(crate) fn load(
        settings: &Settings,
        listed: &[Arc<str>],
        files: &KeyFiles<'_>,
        found: &mut Vec<Diagnostic>,
    ) -> Self {
        let environments = settings.nais.vars.iter();
        Self(environments.map(|it| EnvironmentValues::load(it, listed, files, found)).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &EnvironmentValues> {
        self.0.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl EnvironmentValues {
    fn load(
        globs: &EnvironmentGlobs,
        listed: &[Arc<str>],
        files: &KeyFiles<'_>,
        found: &mut Vec<Diagnostic>,
    ) -> Self {
        let EnvironmentGlobs { name, set, globs: _, patterns } = globs;
        let mut entries = Vec::new();
        for pattern in patterns {
            let PathPattern { written, glob, pattern_use: _, span } = pattern;
            let paths: Vec<String> = match written.contains(['*', '?', '[', '{']) {
                true => {
                    let matcher = glob.compile_matcher();
                    let paths = listed.iter().filter(|path| matcher.is_match(&***path));
                    paths.map(|path| path.to_string()).collect()
                }
                false => vec![written.clone()],
            };
            let mut entry = Vec::new();
            for path in paths {
                match is_inside(&path).then(|| files.read(&path)) {
                    Some(Ok(bytes)) => {
                        entry.extend(
                            values(&path, &bytes, found).map(|values| ValuesFile { path, values }),
                        );
                    }
                    Some(Err(why)) => {
                        let place = Place { file: SETTINGS_FILE.into(), span: *span };
                        let message = format!("the values of {name} cannot be read: {why}");
                        let help = "write the path from the folder of portvakt.yaml";
                        let mut error = Diagnostic::new(Rule::NaisManifest, &place, &message, help);
                        error.hides = false;
                        found.push(error);
                    }
                    None => {
                        let place = Place { file: SETTINGS_FILE.into(), span: *span };
                        let message = format!("the values of {name} are not in the repository");
                        let help = "write the path from the folder of portvakt.yaml, without `..`";
                        found.push(Diagnostic::new(Rule::NaisManifest, &place, &message, help));
                    }
                }
            }
            entries.push(entry);
        }
        Self { name: name.clone(), set: *set, entries }
    }

    /// The values of a template. Of the files of a glob, the nearest count; a later entry wins.
    pub(crate) fn of(&self, template: &str) -> Map<String, Value> {
        let mut all = Map::new();
        for entry in &self.entries {
            let nearest = entry.iter().map(|file| shared(&file.path, template)).max();
            for file in entry.iter().filter(|file| Some(shared(&file.path, template)) == nearest) {
                all.extend(file.values.clone());
            }
        }
        all
    }
}

/// How many folders two files have in common.
fn shared(a: &str, b: &str) -> usize {
    let folders = |path: &str| path.split('/').count().saturating_sub(1);
    let same = a.split('/').zip(b.split('/')).take_while(|(a, b)| a == b).count();
    same.min(folders(a)).min(folders(b))
}

/// Whether a path stays in the repository.
fn is_inside(path: &str) -> bool {
    let strange = |c: char| c == '\\' || c.is_control();
    !path.contains(strange) && path.split('/').all(|part| !matches!(part, "" | "." | ".." | ".git"))
}

/// The values of a file.
fn values(path: &str, bytes: &[u8], found: &mut Vec<Diagnostic>) -> Option<Map<String, Value>> {
    let mut findings = Findings::new(path.into());
    let values = read_values(bytes, &mut findings);
    found.extend(findings.into_list());
    values
}

fn read_values(bytes: &[u8], findings: &mut Findings) -> Option<Map<String, Value>> {
    let text = decode(bytes, findings)?;
    let (documents, anchors) = parse_with_anchors(text, findings)?;
    let Some(document) = documents.first().filter(|document| !document.value.is_null()) else {
        return Some(Map::new());
    };
    if documents.iter().any(is_resource) {
        let message = "`nais.vars` names a manifest, which would not be read as one";
        let help = "name the files with the values of templates alone";
        findings.report(Rule::NaisManifest, document.span(), message, help);
        return None;
    }
    let merged = document.merged(&anchors).ok();
    match serde_json::to_value(merged.as_ref().unwrap_or(document)) {
        Ok(Value::Object(values)) => Some(values),
        _ => {
            let message =
                format!("expected names and their values, found {}", kind(&document.value));
            let help = "write `name: value`, one on each line";
            findings.report(Rule::WrongValue, document.span(), &message, help).hides = false;
            None
        }
    }
}
