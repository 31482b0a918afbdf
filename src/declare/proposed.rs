//! The section `nais` of portvakt.yaml for a folder of manifests, proposed by the names of its files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::diagnostic::Diagnostic;
use super::diagnostic::rule::Rule;
use super::files::index::{Index, SETTINGS_FILE};
use super::files::{self, read_inside};
use super::fix::edit::CannotEdit;
use super::read::file::bytes_have_manifest;
use super::read::manifest::template::is_template;
use super::read::manifest::values::{can_be_values, folders_with_values, is_values_file, reaches};
use super::read::nais::Clusters;
use super::repository::Repository;
use super::repository::load::load_bytes;
use super::rules::file_names::{Words, glob, glob_by_name, globs_by_environment};
use yaml::{Behind, Editor, Hindrance, Route, Yaml, YamlEntries, write_entry};

/// Why a folder's manifests are left as they count.
const COUNTS: Hindrance = "its manifests are declarations already, and what they declare is closed where they no longer count";

/// Largest number of files that are named.
const MOST_FILES: usize = 20;

/// The comment above the clusters.
const CLUSTERS: &str =
    "# CHANGE the cluster of each environment to the one that its manifests are deployed to.\n";

/// The keys of `nais` that portvakt.yaml lacks for the manifests of a folder.
#[derive(Debug, Clone, Default)]
pub struct ProposedNais {
    /// The number of files with manifests.
    manifest_files: usize,
    /// The cluster of each environment, where none is said.
    clusters: BTreeMap<String, String>,
    /// For each environment, globs of its manifests.
    manifests: BTreeMap<String, BTreeSet<String>>,
    /// For each environment, the files with the values of templates; a later one wins.
    vars: BTreeMap<String, Vec<String>>,
    /// Why a person has to add the keys.
    hindrance: Option<Hindrance>,
    /// YAML that is neither a declaration nor one of values.
    foreign: Vec<String>,
    /// Templates that lack values, or cannot be rendered.
    unvalued: Vec<String>,
}

/// Proposes the keys of `nais` for the manifests of a folder, by the text of its portvakt.yaml.
///
/// # Errors
/// What is wrong with that text.
pub fn proposed_nais(
    root: &Path,
    settings: &str,
    index: &Index,
) -> Result<ProposedNais, Vec<Diagnostic>> {
    let read = |text: &str| load_bytes(root, text.as_bytes(), index.clone(), BTreeMap::new());
    let mut proposed = ProposedNais::default();
    let before = read(settings)?;
    let is_new = before.settings().nais.is_empty();
    // What is below `.nais` is read with the section alone.
    let with_section = is_new.then(|| read(&format!("{settings}\nnais: {{}}\n")).ok()).flatten();
    let mut repository = match with_section {
        Some(repository) => repository,
        None => read(settings)?,
    };
    let has_clusters = !repository.declared().resources.is_empty();
    if matches!(repository.settings().nais.clusters, Clusters::Unknown) && !has_clusters {
        let words = Words::of_environments(repository.settings());
        let cluster = |it: &Words| if it.is_production { "prod-gcp" } else { "dev-gcp" }.to_owned();
        proposed.clusters = words.iter().map(|it| (it.environment.clone(), cluster(it))).collect();
    }
    if let Ok(text) = proposed.added_to(settings) {
        repository = read(&text)?;
    }
    let folder = NaisFolder::new(root, &repository, index);
    proposed.manifest_files = folder.manifests.len();
    if folder.is_declared(&before) {
        proposed.hindrance = Some(COUNTS);
    }
    folder.propose(&repository, &mut proposed);
    let complete = proposed.added_to(settings).map(|text| read(&text));
    proposed.unvalued = match complete {
        Ok(complete) => with(&complete?, &[Rule::NaisManifest, Rule::Syntax]),
        Err(_) => Vec::new(),
    };
    proposed.unvalued.retain(|file| folder.templates.contains(file));
    Ok(proposed)
}

/// The files with findings of some kinds.
fn with(repository: &Repository, codes: &[Rule]) -> Vec<String> {
    let found = repository.findings().iter().filter(|found| codes.contains(&found.code));
    let files: BTreeSet<&str> = found.map(|found| &*found.file).collect();
    files.into_iter().filter(|file| *file != SETTINGS_FILE).map(str::to_owned).collect()
}

/// The files of a folder of manifests.
#[derive(Debug, Default)]
struct NaisFolder {
    manifests: BTreeSet<String>,
    templates: BTreeSet<String>,
    /// Files that can have the values of a template: those of YAML, which globs can name, and those of JSON.
    yaml_values: BTreeSet<String>,
    json_values: BTreeSet<String>,
}

impl NaisFolder {
    fn new(root: &Path, repository: &Repository, index: &Index) -> Self {
        let (listed, _) = files::list(root, &repository.settings().filter, index, &BTreeMap::new());
        let mut folder = Self::default();
        let mut others = Vec::new();
        for listed in listed {
            let Ok((name, bytes)) = files::read(listed) else { continue };
            let name = name.to_string();
            if !bytes_have_manifest(&bytes) {
                others.push((name, bytes));
                continue;
            }
            if is_template(&String::from_utf8_lossy(&bytes)) {
                folder.templates.insert(name.clone());
            }
            folder.manifests.insert(name);
        }
        let is_near = |file: &str| folder.templates.iter().any(|it| reaches(file, it));
        let values =
            others.into_iter().filter(|(name, bytes)| is_near(name) && can_be_values(name, bytes));
        folder.yaml_values = values.map(|(name, _)| name).collect();
        folder.json_values = folder.json(root, index);
        folder
    }

    /// The files of JSON beside templates that can have their values.
    fn json(&self, root: &Path, index: &Index) -> BTreeSet<String> {
        let folders: BTreeSet<String> =
            self.templates.iter().flat_map(|template| folders_with_values(template)).collect();
        let files = folders.iter().flat_map(|folder| {
            let entries = fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
            let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
            let json = names.filter(|name| name.to_lowercase().ends_with(".json"));
            json.map(move |name| format!("{folder}/{name}").trim_start_matches('/').to_owned())
        });
        let has_values = |file: &String| {
            let bytes = read_inside(root, file, files::LARGEST, index);
            bytes.is_ok_and(|bytes| can_be_values(file, &bytes))
        };
        files.filter(has_values).collect()
    }

    /// Whether the manifests are declarations without fault: then an apply may have carried them out.
    fn is_declared(&self, repository: &Repository) -> bool {
        let is_wrong =
            |found: &Diagnostic| found.is_error() && self.manifests.contains(&*found.file);
        !repository.declared().resources.is_empty() && !repository.findings().iter().any(is_wrong)
    }

    /// Proposes the keys that name these files.
    fn propose(&self, repository: &Repository, proposed: &mut ProposedNais) {
        let settings = repository.settings();
        let all: BTreeSet<&str> =
            self.manifests.iter().chain(&self.yaml_values).map(String::as_str).collect();
        let by = |files: &BTreeSet<String>,
                  glob: &dyn Fn(&str, &BTreeSet<String>) -> Option<String>| {
            globs_by_environment(&files.iter().map(String::as_str).collect(), &all, settings, glob)
        };
        let has_manifests = settings.nais.manifests().next().is_some();
        let unnamed = self.manifests.iter().filter(|file| !settings.nais.names_manifest(file));
        let manifests = by(&unnamed.cloned().collect(), &glob);
        if has_manifests && !manifests.is_empty() {
            proposed.hindrance = Some("`manifests` is there already, and names other files");
        }
        proposed.manifests = manifests;
        let yaml = self.yaml_values.iter().filter(|file| !settings.filter.has_values(file));
        let yaml: BTreeSet<String> = yaml.cloned().collect();
        // A path counts for all templates.
        let is_for_all = |file: &&String| self.templates.iter().all(|it| reaches(file, it));
        let json: BTreeSet<String> = self.json_values.iter().filter(is_for_all).cloned().collect();
        let as_path = |file: &str, words: &BTreeSet<String>| {
            glob_by_name(file, words).map(|_| file.to_owned())
        };
        let mut of_one = by(&yaml, &glob_by_name);
        for (name, paths) in by(&json, &as_path) {
            of_one.entry(name).or_default().extend(paths);
        }
        let is_of_one = |file: &String| {
            let alone = BTreeSet::from([file.clone()]);
            !by(&alone, &glob_by_name).is_empty()
        };
        let is_general = |file: &&String| is_values_file(name_of(file)) && !is_of_one(file);
        let general = yaml.iter().filter(is_general);
        let general = general.map(|file| format!("**/{}", globset::escape(name_of(file))));
        let general: BTreeSet<String> =
            general.chain(json.iter().filter(is_general).cloned()).collect();
        let has_more = !of_one.is_empty() || !general.is_empty();
        if has_more && !settings.nais.vars.is_empty() {
            proposed.hindrance = Some("`vars` is there already, and names other files");
        }
        for name in settings.environment_names.iter() {
            let own = of_one.remove(name).into_iter().flatten();
            let all: Vec<_> = general.iter().cloned().chain(own).collect();
            if !all.is_empty() {
                proposed.vars.insert(name.to_owned(), all);
            }
        }
        let used: BTreeSet<String> =
            yaml.into_iter().filter(|file| is_of_one(file) || is_general(&file)).collect();
        proposed.foreign = with(repository, &[Rule::ForeignDocument, Rule::UnknownKey]);
        proposed.foreign.retain(|file| !self.manifests.contains(file) && !used.contains(file));
    }
}

fn name_of(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

impl ProposedNais {
    /// Whether the folder has manifests for which portvakt.yaml lacks something.
    pub fn is_needed(&self) -> bool {
        self.manifest_files > 0 && !self.entries().is_empty()
    }

    /// The number of files with manifests.
    pub fn manifest_files(&self) -> usize {
        self.manifest_files
    }

    /// Templates that lack values, or cannot be rendered.
    pub fn unvalued(&self) -> &[String] {
        &self.unvalued
    }

    /// The key `exclude` for YAML of other tools; empty where there is none.
    pub fn exclude(&self) -> String {
        if self.foreign.is_empty() {
            return String::new();
        }
        let files = self.foreign.iter().take(MOST_FILES).map(|file| globset::escape(file));
        let mut out = String::from("\n# Files of other tools.\n");
        write_entry("exclude", &quoted(files), 0, &mut out);
        out
    }

    fn entries(&self) -> YamlEntries {
        let clusters = self.clusters.iter().map(|(name, it)| (name.clone(), Yaml::text(it)));
        let manifests = self.manifests.iter();
        let manifests = manifests.map(|(name, globs)| (name.clone(), quoted(globs.clone())));
        let vars = self.vars.iter().map(|(name, globs)| (name.clone(), quoted(globs.clone())));
        let all = [
            ("cluster", Yaml::Map(clusters.collect())),
            ("manifests", Yaml::Block(manifests.collect())),
            ("vars", Yaml::Block(vars.collect())),
        ];
        let is_empty =
            |value: &Yaml| matches!(value, Yaml::Map(it) | Yaml::Block(it) if it.is_empty());
        let some = all.into_iter().filter(|(_, value)| !is_empty(value));
        some.map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// The keys as lines, below a key that is indented less.
    fn lines(&self, indent: usize) -> String {
        let mut out = String::new();
        for (key, value) in self.entries() {
            if key == "cluster" {
                out.push_str(&format!("{:indent$}{CLUSTERS}", ""));
            }
            write_entry(&key, &value, indent, &mut out);
        }
        out
    }

    /// The text of a portvakt.yaml with these keys. All else in it, and its comments, are unchanged.
    ///
    /// # Errors
    /// It has something else already, or cannot be edited.
    pub fn added_to(&self, settings: &str) -> Result<String, CannotEdit> {
        let after = || match self.hindrance {
            None => self.edited(settings),
            Some(why) => Err(why),
        };
        after().map_err(|why| CannotEdit::new(SETTINGS_FILE, why, self.by_hand()))
    }

    /// The manual edit that adds the keys.
    fn by_hand(&self) -> String {
        format!("By hand: write below `nais` what is right of this\n\nnais:\n{}", self.lines(2))
    }

    fn edited(&self, settings: &str) -> Result<String, Hindrance> {
        let mut editor = Editor::new(settings)?;
        let nais = Route::top().key("nais");
        match editor.opening("nais") {
            Some(opening) => {
                let head = "\n# The manifests of NAIS in this folder are declarations, as they are.\nnais:\n";
                let head = if opening.new_key.is_some() { head } else { "" };
                let lines = format!("{head}{}", self.lines(opening.indent));
                editor.extend(opening, "nais", &lines, &Yaml::Block(self.entries()))?;
            }
            None => {
                for (key, value) in self.entries() {
                    editor.set(&nais, Behind::AllBut(""), &[&key], &in_one_line(value))?;
                }
            }
        }
        editor.done()
    }
}

fn quoted(texts: impl IntoIterator<Item = String>) -> Yaml {
    Yaml::List(texts.into_iter().map(Yaml::Quoted).collect())
}

/// A value for the braces that it is put into.
fn in_one_line(value: Yaml) -> Yaml {
    match value {
        Yaml::Block(entries) => Yaml::Map(entries),
        other => other,
    }
}
