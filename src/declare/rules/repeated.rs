//! Manifests of one resource in several files: mostly one for each cluster, of which a deployment chooses one.
//! The setting that says so is proposed by the names of the files.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use crate::declare::diagnostic::Diagnostic;
use crate::declare::diagnostic::rule::{Rule, Severity};
use crate::declare::read::declared::{Declared, ManifestResource};
use crate::declare::read::environment::EnvironmentTarget;
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::globs::PathPattern;
use crate::declare::read::manifest::ManifestKind;
use crate::declare::read::manifest::values::is_values_folder;
use crate::declare::read::nais::{BEFORE, PRODUCTION};
use crate::declare::read::settings::Settings;
use yaml::scalar;

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
        "to change nothing, name the files in `nais.manifests` for all these environments, such as `manifests: {{ \
         {} }}`; else, {}. What they declare is then closed where they no longer count",
        kept_globs(file, settings.nais.counting(file).and(all), settings),
        help(&named, files, &HashSet::new(), settings)
    );
    let mut found = Diagnostic::new(Rule::RepeatedManifest, &resource.place, &message, &help)
        .with_severity(Severity::Warning);
    found.hides = false;
    Some(found)
}

/// The globs by which a file counts where it does now.
fn kept_globs(file: &str, counting: EnvironmentSet, settings: &Settings) -> String {
    let names = settings.environment_names.iter().filter(|name| {
        settings.environment_names.set(name).is_some_and(|set| set.overlaps(counting))
    });
    let globs =
        names.map(|name| format!("{}: [\"{}\"]", scalar(name, true), globset::escape(file)));
    globs.collect::<Vec<_>>().join(", ")
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
    let environments = globs.iter().map(|(environment, globs)| {
        let globs: Vec<_> = globs.iter().map(|glob| format!("\"{glob}\"")).collect();
        format!("{}: [{}]", scalar(environment, true), globs.join(", "))
    });
    let manifests = format!("manifests: {{ {} }}", environments.collect::<Vec<_>>().join(", "));
    Some(match settings.nais.is_empty() {
        true => format!("nais: {{ {manifests} }}"),
        false => manifests,
    })
}

/// A glob for a file whose name has one of some words.
type GlobOf<'f> = dyn Fn(&str, &BTreeSet<String>) -> Option<String> + 'f;

/// For each environment, globs of the files whose names are about it, which match none of all the files that are
/// about another one alone.
pub(crate) fn globs_by_environment(
    files: &BTreeSet<&str>,
    all: &BTreeSet<&str>,
    settings: &Settings,
    glob: &GlobOf<'_>,
) -> BTreeMap<String, BTreeSet<String>> {
    let environments = Words::of_environments(settings);
    let mut globs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for here in &environments {
        let Words { environment, is_production: _, own, usual } = here;
        let is_of_another = |file: &&str| {
            !here.are_of(file, glob) && environments.iter().any(|other| other.are_of(file, glob))
        };
        let others: Vec<&str> = all.iter().copied().filter(is_of_another).collect();
        let narrow = |(file, glob): (&str, String)| {
            let pattern = PathPattern::parse(&glob);
            let is_wide = pattern.is_some_and(|it| others.iter().any(|other| it.is_match(other)));
            if is_wide { globset::escape(file) } else { glob }
        };
        let by = |words: &BTreeSet<String>| -> BTreeSet<String> {
            files.iter().filter_map(|file| Some(narrow((file, glob(file, words)?)))).collect()
        };
        let chosen = Some(by(own)).filter(|globs| !globs.is_empty()).unwrap_or_else(|| by(usual));
        if !chosen.is_empty() {
            globs.insert(environment.clone(), chosen);
        }
    }
    globs
}

/// The words by which the name of a file can be about an environment.
pub(crate) struct Words {
    pub(crate) environment: String,
    pub(crate) is_production: bool,
    /// Those of its name and its cluster, which are of no other environment.
    own: BTreeSet<String>,
    /// Those that are usual for such an environment.
    usual: BTreeSet<String>,
}

impl Words {
    pub(crate) fn of_environments(settings: &Settings) -> Vec<Self> {
        let named = |environment: &str| {
            let set = settings.environment_names.set(environment);
            let cluster = set.and_then(|set| settings.nais.cluster(set)).unwrap_or_default();
            let all = words(environment).into_iter().chain(words(cluster));
            all.map(|(_, word)| word).collect::<BTreeSet<_>>()
        };
        let all: Vec<(&str, BTreeSet<String>)> =
            settings.environment_names.iter().map(|name| (name, named(name))).collect();
        let is_shared =
            |word: &String| all.len() > 1 && all.iter().all(|(_, own)| own.contains(word));
        let of = |(name, own): &(&str, BTreeSet<String>)| {
            let has = |words: &[&str]| words.iter().any(|word| own.contains(*word));
            let target = settings.environments.get(*name).map(|it| &it.target.value);
            let is_production = match target {
                _ if has(&PRODUCTION) => true,
                _ if has(&BEFORE) => false,
                Some(EnvironmentTarget::Prod) => true,
                Some(
                    EnvironmentTarget::Test
                    | EnvironmentTarget::Sandbox
                    | EnvironmentTarget::Custom(_),
                )
                | None => false,
            };
            let usual: &[&str] = if is_production { &PRODUCTION } else { &BEFORE };
            Self {
                environment: (*name).to_owned(),
                is_production,
                own: own.iter().filter(|word| !is_shared(word)).cloned().collect(),
                usual: usual.iter().map(|word| (*word).to_owned()).collect(),
            }
        };
        all.iter().map(of).collect()
    }

    /// Whether the name of a file has one of them.
    fn are_of(&self, file: &str, glob: &GlobOf<'_>) -> bool {
        glob(file, &self.own).or_else(|| glob(file, &self.usual)).is_some()
    }
}

/// Characters between the words of a name.
const SEPARATORS: [char; 3] = ['-', '_', '.'];

/// Words that make another word of one for production behind them: `pre-prod` is `preprod`.
const NOT_YET: [&str; 3] = ["pre", "non", "not"];

/// The words of a text in lower case, each with its place.
fn words(text: &str) -> Vec<(Range<usize>, String)> {
    let mut words: Vec<(Range<usize>, String)> = Vec::new();
    let mut start = 0;
    for part in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        let place = start..start + word.len();
        start += part.len();
        let word = word.to_lowercase();
        let is_behind = |before: &Range<usize>| {
            text.get(before.end..place.start)
                .is_some_and(|it| SEPARATORS.iter().any(|c| it == c.to_string()))
        };
        match words.last_mut() {
            _ if word.is_empty() => {}
            Some((before, first))
                if PRODUCTION.contains(&&*word)
                    && NOT_YET.contains(&&**first)
                    && is_behind(before) =>
            {
                // `preprod` is known, whichever word for production is meant.
                first.push_str("prod");
                before.end = place.end;
            }
            _ => words.push((place, word)),
        }
    }
    words
}

/// A glob for a file whose path has one of the words, and for others that have it at the same place.
pub(crate) fn glob(file: &str, words: &BTreeSet<String>) -> Option<String> {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let own = self::words(stem);
    let is_known = |word: &&(Range<usize>, String)| words.contains(&word.1);
    let separator = |at: Option<usize>| {
        stem.get(at?..)?.chars().next().filter(|separator| SEPARATORS.contains(separator))
    };
    if is_one(stem, words) {
        return Some(format!("**/{stem}.{extension}"));
    }
    if let Some((place, _)) = own.last().filter(is_known)
        && let Some(separator) = separator(place.start.checked_sub(1))
        && let Some(last) = stem.get(place.start..)
        && place.end == stem.len()
    {
        return Some(format!("**/*{separator}{last}.{extension}"));
    }
    if let Some((place, _)) = own.first().filter(is_known)
        && let Some(separator) = separator(Some(place.end))
        && let Some(first) = stem.get(..place.end)
        && place.start == 0
    {
        return Some(format!("**/{first}{separator}*.{extension}"));
    }
    if own.iter().any(|word| is_known(&word)) {
        return Some(globset::escape(file));
    }
    let folder = folder.split('/').find(|folder| is_one(folder, words))?;
    Some(format!("**/{folder}/**"))
}

/// A glob for the files of the same name, if that has one of the words, or the name of their folder is one.
pub(crate) fn glob_by_name(file: &str, words: &BTreeSet<String>) -> Option<String> {
    let mut parts = file.rsplit('/');
    let (name, folder) = (parts.next().unwrap_or(file), parts.next().unwrap_or_default());
    let is_about = self::words(name).iter().any(|(_, word)| words.contains(word));
    if is_about && !is_values_folder(folder) {
        return Some(format!("**/{}", globset::escape(name)));
    }
    let is_chosen = is_about || is_one(folder, words);
    is_chosen.then(|| format!("**/{}/{}", globset::escape(folder), globset::escape(name)))
}

/// Whether a text is one of some words, in whatever case.
fn is_one(text: &str, words: &BTreeSet<String>) -> bool {
    match self::words(text).as_slice() {
        [(place, word)] => *place == (0..text.len()) && words.contains(word),
        _ => false,
    }
}
