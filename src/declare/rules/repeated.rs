//! Manifests of one resource in several files: mostly one for each cluster, of which a deployment chooses one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::file_names::{Words, glob, globs_by_environment};
use crate::declare::diagnostic::Diagnostic;
use crate::declare::diagnostic::rule::{Rule, Severity};
use crate::declare::read::declared::{Declared, ManifestResource};
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::globs::PathPattern;
use crate::declare::read::manifest::ManifestKind;
use crate::declare::read::settings::Settings;
use yaml::Yaml;

/// The files with manifests.
#[derive(Debug, Default)]
pub(crate) struct ManifestFiles {
    all: HashSet<Arc<str>>,
    /// Pairs with manifests of one resource that count in one environment, in the order of their names.
    repeated: Pairs,
}

impl ManifestFiles {
    /// Whether two files have a manifest of one resource.
    pub(crate) fn is_repeated(&self, a: &Arc<str>, b: &Arc<str>) -> bool {
        self.repeated.contains(&pair(a, b))
    }

    /// Whether a file has a manifest.
    pub(crate) fn contains(&self, file: &str) -> bool {
        self.all.contains(file)
    }
}

fn pair(a: &Arc<str>, b: &Arc<str>) -> (Arc<str>, Arc<str>) {
    if a < b { (a.clone(), b.clone()) } else { (b.clone(), a.clone()) }
}

/// Reports resources that several files declare in one environment, once for all of them.
pub(crate) fn find(
    declared: &Declared,
    settings: &Settings,
    found: &mut Vec<Diagnostic>,
) -> ManifestFiles {
    let all: HashSet<Arc<str>> =
        declared.resources.iter().map(|it| Arc::clone(&it.place.file)).collect();
    let mut first: HashMap<(ManifestKind, &str, &str), Vec<&ManifestResource>> = HashMap::new();
    let (mut pairs, mut repeated) = (HashSet::new(), Vec::new());
    for resource in &declared.resources {
        let ManifestResource { kind, application, environments, place } = resource;
        let key = (*kind, application.namespace(), application.name());
        let before = first.entry(key).or_default();
        let mut overlapping = before.iter().filter(|other| {
            other.place.file != place.file && other.environments.overlaps(*environments)
        });
        if let Some(other) = overlapping.next()
            && pairs.insert(pair(&place.file, &other.place.file))
        {
            repeated.push((resource, *other));
        }
        let in_file = before.iter().find(|other| {
            other.place.file == place.file && other.environments.overlaps(*environments)
        });
        // A manifest of several clusters is there for each of them, at one place.
        if let Some(other) = in_file.filter(|other| other.place != *place) {
            let message = format!(
                "{}/{} is declared twice in this file, and Kubernetes keeps the last one alone",
                application.namespace(),
                application.name()
            );
            let help = "put what both declare into one of them, or give one another name";
            let related = other.place.related("first declared here");
            let diagnostic = Diagnostic::new(Rule::RepeatedManifest, place, &message, help);
            found.push(diagnostic.with_related(related));
        }
        before.push(resource);
    }
    if repeated.is_empty() {
        found.extend(named_for_others(declared, &all, settings));
    }
    if let Some((second, first)) = repeated.first() {
        let others = match repeated.len() - 1 {
            0 => String::new(),
            1 => ", as is one more resource".to_owned(),
            more => format!(", as are {more} more resources"),
        };
        let message = format!(
            "{}/{} is declared by two files for the same environment{others}",
            second.application.namespace(),
            second.application.name()
        );
        let files = pairs.iter().flat_map(|(a, b)| [&**a, &**b]);
        let files: BTreeSet<&str> = files.collect();
        let help = help(&files, &all, &pairs, settings);
        let related = first.place.related("first declared here");
        let diagnostic = Diagnostic::new(Rule::RepeatedManifest, &second.place, &message, &help);
        found.push(diagnostic.with_related(related));
    }
    ManifestFiles { all, repeated: pairs }
}

/// A warning of files that count in environments that their names are not about.
fn named_for_others(
    declared: &Declared,
    files: &HashSet<Arc<str>>,
    settings: &Settings,
) -> Option<Diagnostic> {
    let words = Words::of_environments(settings);
    let all = settings.environment_names.all().and(settings.nais.environments());
    let mut wide: BTreeMap<&Arc<str>, (&ManifestResource, EnvironmentSet)> = BTreeMap::new();
    for resource in &declared.resources {
        let file = &resource.place.file;
        if settings.nais.names_manifest(file) {
            continue;
        }
        let about = words.iter().filter(|it| it.are_of(file, &glob));
        let about: EnvironmentSet =
            about.filter_map(|it| settings.environment_names.set(&it.environment)).collect();
        let others = resource.environments.and(all).without(about);
        if !about.is_empty() && !others.is_empty() {
            wide.entry(file).or_insert((resource, others));
        }
    }
    let (file, (resource, others)) = wide.first_key_value()?;
    let names = settings.environment_names.iter();
    let is_other =
        |name: &&str| settings.environment_names.set(name).is_some_and(|set| set.overlaps(*others));
    let names: Vec<_> = names.filter(is_other).map(|name| format!("`{name}`")).collect();
    let more = match wide.len() - 1 {
        0 => String::new(),
        1 => "; so does one more file".to_owned(),
        more => format!("; so do {more} more files"),
    };
    let message =
        format!("{file} counts in {} too, and its name is about others{more}", names.join(", "));
    let named = wide.keys().map(|file| &***file).collect();
    let help = format!(
        "to change nothing, name the files in `nais.manifests` for all these environments, such as `{}`; else, {}. \
         What they declare is then closed where they no longer count",
        kept(file, settings.nais.counting(file).and(all), settings),
        help(&named, files, &HashSet::new(), settings)
    );
    let mut found = Diagnostic::new(Rule::RepeatedManifest, &resource.place, &message, &help)
        .with_severity(Severity::Warning);
    found.hides = false;
    Some(found)
}

/// The setting by which a file counts in these environments alone, as YAML in one line.
fn kept(file: &str, counting: EnvironmentSet, settings: &Settings) -> String {
    let names = settings.environment_names.iter().filter(|name| {
        settings.environment_names.set(name).is_some_and(|set| set.overlaps(counting))
    });
    manifests(names.map(|name| (name.to_owned(), [globset::escape(file)])))
}

/// The key `manifests` with globs for each environment, as YAML in one line.
fn manifests<G: IntoIterator<Item = String>>(
    globs: impl IntoIterator<Item = (String, G)>,
) -> String {
    let quoted = |globs: G| Yaml::List(globs.into_iter().map(Yaml::Quoted).collect());
    let entries = globs.into_iter().map(|(name, globs)| (name, quoted(globs))).collect();
    format!("manifests: {}", Yaml::Map(entries).flow().unwrap_or_default())
}

/// Pairs of files that must not count in the same environment.
type Pairs = HashSet<(Arc<str>, Arc<str>)>;

/// Remedy: the setting that says where files count.
fn help(
    files: &BTreeSet<&str>,
    all: &HashSet<Arc<str>>,
    apart: &Pairs,
    settings: &Settings,
) -> String {
    let has_manifests = settings.nais.manifests().next().is_some();
    match proposal(files, all, apart, settings) {
        Some(manifests) if has_manifests => format!(
            "where each file is for one cluster, write this in place of `manifests` below `nais` in \
             portvakt.yaml: {manifests}"
        ),
        Some(manifests) => format!(
            "where each file is for one cluster, add this to portvakt.yaml{}: {manifests}",
            if settings.nais.is_empty() { "" } else { ", below `nais`" }
        ),
        None => {
            "the paths of these files do not tell where each counts: say it in portvakt.yaml by \
                 `nais: { manifests: { ENVIRONMENT: [GLOB] } }`"
                .to_owned()
        }
    }
}

/// The setting by which each of these files counts in the environments that its name is about, with what is set
/// already, as YAML in one line; `None` if the names do not say it.
fn proposal(
    files: &BTreeSet<&str>,
    all: &HashSet<Arc<str>>,
    apart: &Pairs,
    settings: &Settings,
) -> Option<String> {
    let all = all.iter().map(|file| &**file).collect();
    let mut globs = globs_by_environment(files, &all, settings, &glob);
    for (environment, written) in settings.nais.manifests() {
        globs.entry(environment.to_owned()).or_default().insert(written.to_owned());
    }
    let counts = |globs: &BTreeSet<String>, file: &str| {
        globs.iter().any(|glob| PathPattern::parse(glob).is_some_and(|it| it.is_match(file)))
    };
    let is_covered = |file: &&str| globs.values().any(|globs| counts(globs, file));
    let are_together =
        |(a, b): &(Arc<str>, Arc<str>)| globs.values().any(|it| counts(it, a) && counts(it, b));
    if !files.iter().all(is_covered) || apart.iter().any(are_together) {
        return None;
    }
    let manifests = manifests(globs);
    Some(match settings.nais.is_empty() {
        true => format!("nais: {{ {manifests} }}"),
        false => manifests,
    })
}
