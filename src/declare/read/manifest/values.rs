//! The values of templates: the files that `nais.vars` names for each environment.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::fields::bool_of;
use super::is_resource;
use crate::declare::diagnostic::Diagnostic;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::files::index::in_settings;
use crate::declare::files::key_files::KeyFiles;
use crate::declare::read::declarations_file::Declarations;
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::globs::PathPattern;
use crate::declare::read::nais::{BEFORE, EnvironmentGlobs, PRODUCTION};
use crate::declare::read::settings::Settings;
use crate::declare::yaml::document::{Findings, decode, kind, merge, parse_with_anchors};
use crate::declare::yaml::table::Read as _;
use yaml::{Node, Value as YamlValue};

/// The values of all environments that have some.
#[derive(Debug, Default)]
pub(crate) struct TemplateValues(Vec<EnvironmentValues>);

/// The values of one environment.
#[derive(Debug)]
pub(crate) struct EnvironmentValues {
    pub(crate) name: String,
    pub(crate) set: EnvironmentSet,
    /// The files of each entry of `nais.vars`, in its order.
    entries: Vec<VarsEntry>,
}

/// The files that an entry of `nais.vars` names.
#[derive(Debug)]
enum VarsEntry {
    /// A file by its path, for all templates.
    Path(ValuesFile),
    /// The files of a glob, each for the templates of its own application.
    Glob(Vec<ValuesFile>),
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
            let is_glob = written.contains(['*', '?', '[', '{']);
            let paths: Vec<String> = match is_glob {
                true => {
                    let matcher = glob.compile_matcher();
                    let paths = listed.iter().filter(|path| matcher.is_match(&***path));
                    paths.map(|path| path.to_string()).collect()
                }
                false => vec![written.clone()],
            };
            let mut entry = Vec::new();
            for path in paths {
                let place = in_settings(*span);
                match is_inside(&path).then(|| files.read(&path)) {
                    Some(Ok(bytes)) => {
                        entry.extend(
                            values(&path, &bytes, found).map(|values| ValuesFile { path, values }),
                        );
                    }
                    Some(Err(why)) => {
                        let message = format!("the values of {name} cannot be read: {why}");
                        let help = "write the path from the folder of portvakt.yaml";
                        let mut error = Diagnostic::new(Rule::NaisManifest, &place, &message, help);
                        error.hides = false;
                        found.push(error);
                    }
                    None => {
                        let message = format!("the values of {name} are not in the repository");
                        let help = "write the path from the folder of portvakt.yaml, without `..`";
                        found.push(Diagnostic::new(Rule::NaisManifest, &place, &message, help));
                    }
                }
            }
            match is_glob {
                true => entries.push(VarsEntry::Glob(entry)),
                false => entries.extend(entry.into_iter().map(VarsEntry::Path)),
            }
        }
        Self { name: name.clone(), set: *set, entries }
    }

    /// The values of a template. Of the files of a glob, the nearest of its application and of the folders above
    /// it count; a later entry wins.
    pub(crate) fn of(&self, template: &str) -> Map<String, Value> {
        let mut all = Map::new();
        for entry in &self.entries {
            let files = match entry {
                VarsEntry::Path(file) => vec![file],
                VarsEntry::Glob(files) => nearest(files, template),
            };
            for file in files {
                all.extend(file.values.clone());
            }
        }
        all
    }
}

/// The files of a glob that are nearest to a template, among those that can be meant for it.
fn nearest<'f>(files: &'f [ValuesFile], template: &str) -> Vec<&'f ValuesFile> {
    let own = || files.iter().filter(|file| reaches(&file.path, template));
    let nearest = own().map(|file| shared(&file.path, template)).max();
    own().filter(|file| Some(shared(&file.path, template)) == nearest).collect()
}

/// Whether values are meant for a template: those of its own application, or of a folder above it.
pub(crate) fn reaches(values: &str, template: &str) -> bool {
    let (of_values, of_template) = (folder(values), folder(template));
    of_template.starts_with(&of_values) || home(&of_values) == home(&of_template)
}

fn folder(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    parts
}

/// The names of folders that have the manifests of the application that they are in.
const NAIS_FOLDERS: [&str; 2] = [".nais", "nais"];
/// Words for values in the names of files and folders.
const VALUES: [&str; 4] = ["vars", "var", "variables", "values"];

/// Whether a folder is one of values, by its name.
pub(crate) fn is_values_folder(name: &str) -> bool {
    VALUES.contains(&name)
}

/// Whether a file is one of values, by its name.
pub(crate) fn is_values_file(name: &str) -> bool {
    let words = name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words.into_iter().any(|word| VALUES.contains(&&*word))
}

/// The folder of an application, of one of the folders in it that have its manifests or their values. One for an
/// environment is only known below such a folder: elsewhere an application may have its name.
fn home<'f, 'p>(folder: &'f [&'p str]) -> &'f [&'p str] {
    match folder {
        [rest @ .., nais, last]
            if NAIS_FOLDERS.contains(nais)
                && (PRODUCTION.contains(last) || BEFORE.contains(last)) =>
        {
            rest
        }
        [rest @ .., last] if NAIS_FOLDERS.contains(last) || is_values_folder(last) => home(rest),
        whole => whole,
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

/// The folders in which values of a template can be beside it: that of its application, and those that it usually
/// has for manifests and values.
pub(crate) fn folders_with_values(template: &str) -> Vec<String> {
    let folder = folder(template);
    let home = home(&folder);
    let below = |parts: &[&str]| [home, parts].concat().join("/");
    let mut all = vec![folder.join("/"), below(&[])];
    all.extend(NAIS_FOLDERS.iter().map(|nais| below(&[nais])));
    all.extend(VALUES.iter().map(|values| below(&[values])));
    let nested = NAIS_FOLDERS.iter().flat_map(|nais| VALUES.iter().map(move |it| [*nais, *it]));
    all.extend(nested.map(|parts| below(&parts)));
    all.sort();
    all.dedup();
    all
}

/// Whether a file can have the values of templates, by what is in it.
pub(crate) fn can_be_values(path: &str, bytes: &[u8]) -> bool {
    let mut found = Vec::new();
    values(path, bytes, &mut found).is_some_and(|values| !values.is_empty()) && found.is_empty()
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
    if documents.iter().any(|document| has_declarations(document, &findings.file)) {
        let message = "`nais.vars` names a file with declarations, which would not be read as such";
        let help = "name the files with the values of templates alone; a list `consumers` is one of values";
        findings.report(Rule::NaisManifest, document.span(), message, help);
        return None;
    }
    let mut document = document.clone();
    merge(&mut document, &anchors, findings);
    match value(&document) {
        Value::Object(values) => Some(values),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            let message =
                format!("expected names and their values, found {}", kind(&document.value));
            let help = "write `name: value`, one on each line";
            findings.report(Rule::WrongValue, document.span(), &message, help).hides = false;
            None
        }
    }
}

/// Whether a document would declare something if its file were none of values. Dot-folders have no declarations.
fn has_declarations(document: &Node<'_>, file: &str) -> bool {
    let is_hidden = file.split('/').any(|part| part.starts_with('.'));
    let is_ours = |key: &str| Declarations::KEYS.contains(&key);
    !is_hidden
        && document.entries().all(|(key, _)| is_ours(key))
        && document.entries().any(|(key, section)| match key {
            "consumers" => section.entries().any(|(_, alias)| alias.get("orgno").is_some()),
            "groups" => section.entries().any(|(_, members)| members.value.is_sequence()),
            key => section.items().any(|item| match key {
                "scopes" => item.get("name").is_some() && item.get("description").is_some(),
                "clients" => item.get("name").is_some(),
                "blocked" => item.get("consumer").is_some(),
                _ => item.get("action").is_some(),
            }),
        })
}

/// A value as nais/deploy reads it: its words for true and false are those of YAML 1.1.
fn value(at: &Node<'_>) -> Value {
    match &at.value {
        YamlValue::Sequence(items) => items.iter().map(value).collect(),
        YamlValue::Mapping(_) => {
            Value::Object(at.entries().map(|(key, at)| (key.to_owned(), value(at))).collect())
        }
        YamlValue::String(text) => bool_of(at).map_or_else(|| Value::from(&**text), Value::from),
        YamlValue::Bool(flag) => Value::from(*flag),
        YamlValue::Number(_) => serde_json::to_value(at).unwrap_or_default(),
        YamlValue::Null => Value::Null,
    }
}
