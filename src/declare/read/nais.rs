//! What portvakt.yaml says for manifests of NAIS that do not say it.

use std::collections::BTreeMap;

use globset::GlobSet;

use super::environments::{EnvironmentNames, EnvironmentSet};
use super::globs::{PathPattern, PatternUse, covers, path_globs};
use super::settings_file::{ClusterFile, NaisFile};
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::{did_you_mean, list};
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::item::{entries_of, wrong_kind};
use crate::declare::yaml::optional::{Members, Raw, Spanned, TextList};
use crate::declare::yaml::table::{Read, TableReader};
use domain::nais::label;
use yaml::Span;
use yaml::{Node, Value};

/// How many clusters a repository can have: a manifest that names none declares its things in each.
const MOST_CLUSTERS: usize = 8;

/// Words for production in the names of files and folders.
pub(crate) const PRODUCTION: [&str; 3] = ["prod", "production", "prd"];
/// Words for everything before it.
pub(crate) const BEFORE: [&str; 11] = [
    "dev",
    "development",
    "test",
    "preprod",
    "nonprod",
    "notprod",
    "stage",
    "staging",
    "qa",
    "q1",
    "sandbox",
];

/// What the repository says for manifests that do not say it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nais {
    is_there: bool,
    pub(crate) clusters: Clusters,
    pub(crate) namespace: Option<String>,
    prefix: Option<String>,
    /// The manifests of each environment.
    manifests: Vec<EnvironmentGlobs>,
    /// The files with the values of templates.
    pub(crate) vars: Vec<EnvironmentGlobs>,
}

/// Globs of paths for one environment.
#[derive(Debug, Clone)]
pub(crate) struct EnvironmentGlobs {
    pub(crate) name: String,
    pub(crate) set: EnvironmentSet,
    pub(crate) globs: GlobSet,
    pub(crate) patterns: Vec<PathPattern>,
}

/// The clusters of manifests that name none.
#[derive(Debug, Clone, Default)]
pub(crate) enum Clusters {
    /// Nothing is said.
    #[default]
    Unknown,
    /// One where a manifest names none.
    Usual(String),
    /// The cluster of each environment.
    Each(Vec<(String, EnvironmentSet)>),
    /// The setting is wrong, which is reported.
    Wrong,
}

impl Nais {
    /// Reads the section `nais` of portvakt.yaml.
    pub(crate) fn new(
        file: NaisFile<'_>,
        prefixes: &[String],
        names: &EnvironmentNames,
        findings: &mut Findings,
    ) -> Self {
        let NaisFile { cluster, namespace, manifests, vars, prefix } = file;
        if let Some(Spanned { value: namespace, span }) = &namespace.0 {
            is_label(namespace, &help_on("namespace"), *span, findings);
        }
        if let Some(Spanned { value: prefix, span }) = &prefix.0
            && !prefixes.iter().any(|known| known == prefix)
        {
            let message = format!("{} is not one of the `prefixes`", quoted(prefix));
            let known = || prefixes.iter().map(String::as_str);
            let help = format!("{}write one of {}", did_you_mean(prefix, known()), list(known()));
            findings.report(Rule::Prefix, *span, &message, &help);
        }
        Self {
            is_there: true,
            manifests: by_environment(manifests.0, PatternUse::Manifests, names, findings),
            vars: by_environment(vars.0, PatternUse::Vars, names, findings),
            clusters: clusters(cluster.0, names, findings),
            namespace: namespace.0.map(|namespace| namespace.value),
            prefix: prefix.0.map(|prefix| prefix.value),
        }
    }

    /// All globs of paths.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &PathPattern> {
        self.manifests.iter().chain(&self.vars).flat_map(|it| &it.patterns)
    }

    /// The environments in which the manifests of a file count.
    pub(crate) fn counting(&self, file: &str) -> EnvironmentSet {
        let sets = self.manifests.iter().filter(|it| covers(&it.globs, file));
        sets.map(|it| it.set).reduce(EnvironmentSet::or).unwrap_or(EnvironmentSet::ALL)
    }

    /// The globs of manifests, each with the name of its environment.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.manifests.iter().flat_map(|it| {
            it.patterns.iter().map(|pattern| (it.name.as_str(), pattern.written.as_str()))
        })
    }

    /// Whether a glob names the manifests of a file.
    pub(crate) fn names_manifest(&self, file: &str) -> bool {
        self.manifests.iter().any(|it| covers(&it.globs, file))
    }

    /// The environments that have a cluster.
    pub(crate) fn environments(&self) -> EnvironmentSet {
        match &self.clusters {
            Clusters::Unknown | Clusters::Usual(_) => EnvironmentSet::ALL,
            Clusters::Wrong => EnvironmentSet::NONE,
            Clusters::Each(each) => each.iter().map(|(_, set)| *set).collect(),
        }
    }

    /// Whether portvakt.yaml has no section `nais`.
    pub(crate) fn is_empty(&self) -> bool {
        !self.is_there
    }

    /// The cluster of an environment's manifests that name none, if there is one.
    pub(crate) fn cluster(&self, environment: EnvironmentSet) -> Option<&str> {
        match &self.clusters {
            Clusters::Unknown | Clusters::Wrong => None,
            Clusters::Usual(cluster) => Some(cluster),
            Clusters::Each(each) => {
                let mut here = each.iter().filter(|(_, set)| set.overlaps(environment));
                here.next().map(|(cluster, _)| cluster.as_str())
            }
        }
    }

    /// The prefix of what manifests expose, as far as the repository has it.
    pub(crate) fn known_prefix<'s>(&'s self, prefixes: &'s [String]) -> Option<&'s str> {
        match (&self.prefix, prefixes) {
            (Some(prefix), _) => Some(prefix),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// The prefix of what manifests expose; `None` where it is not known, which is reported.
    pub(crate) fn prefix<'s>(
        &'s self,
        prefixes: &'s [String],
        span: Span,
        findings: &mut Findings,
    ) -> Option<&'s str> {
        let known = self.known_prefix(prefixes);
        if let (None, [first, ..]) = (known, prefixes) {
            let message =
                "a manifest does not say which of the organisation's prefixes its scopes have";
            let help = format!("say it in portvakt.yaml: `nais: {{ prefix: {first} }}`");
            findings.report(Rule::NaisManifest, span, message, &help);
        }
        known
    }
}

impl<'d> Read<'d> for ClusterFile<'d> {
    fn read(at: &'d Node<'d>, key: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        match &at.value {
            Value::String(cluster) => Some(Self::All(cluster.to_string())),
            Value::Mapping(_) if reader.refuses_keys(at) => None,
            Value::Mapping(_) => Read::read(at, key, reader).map(Self::Each),
            Value::Null => None,
            Value::Bool(_) | Value::Number(_) | Value::Sequence(_) => {
                reader.wrong(at, "a cluster's name, or one for each environment")
            }
        }
    }
}

/// The globs of each environment.
fn by_environment(
    section: Option<Members<'_, TextList>>,
    pattern_use: PatternUse,
    names: &EnvironmentNames,
    findings: &mut Findings,
) -> Vec<EnvironmentGlobs> {
    let mut all = Vec::new();
    for (environment, globs) in entries_of(section, findings) {
        let set = names.known(environment, globs.key, findings);
        let globs = globs.read(findings);
        if let (Some(set), Some(globs)) = (set, globs) {
            let (globs, patterns) = path_globs(&globs, pattern_use, findings);
            all.push(EnvironmentGlobs { name: environment.to_owned(), set, globs, patterns });
        }
    }
    all
}

fn clusters<'d>(
    declared: Option<Raw<'d, ClusterFile<'d>>>,
    names: &EnvironmentNames,
    findings: &mut Findings,
) -> Clusters {
    let Some(declared) = declared else {
        return Clusters::Unknown;
    };
    match declared.read(findings) {
        Some(ClusterFile::All(cluster)) => {
            match is_label(&cluster, &help_on("cluster"), declared.at.span(), findings) {
                true => Clusters::Usual(cluster),
                false => Clusters::Wrong,
            }
        }
        Some(ClusterFile::Each(clusters)) => {
            let mut each: BTreeMap<&str, EnvironmentSet> = BTreeMap::new();
            let before = findings.list.len();
            for (environment, cluster) in entries_of(Some(clusters), findings) {
                let Some(set) = names.known(environment, cluster.key, findings) else {
                    continue;
                };
                match cluster.at.value.as_str() {
                    Some(name) => {
                        if is_label(name, &help_on("cluster"), cluster.at.span(), findings) {
                            let all = each.entry(name).or_insert(EnvironmentSet::NONE);
                            *all = all.or(set);
                        }
                    }
                    None => wrong_kind(cluster.at, "a cluster's name", findings),
                }
            }
            if each.len() > MOST_CLUSTERS {
                let message = format!("more than {MOST_CLUSTERS} clusters");
                let help = "let other repositories have the others";
                findings.report(Rule::WrongValue, clusters.at.span(), &message, help);
            }
            let each = each.into_iter().map(|(cluster, set)| (cluster.to_owned(), set));
            match findings.list.len() == before {
                true => Clusters::Each(each.collect()),
                false => Clusters::Wrong,
            }
        }
        None => Clusters::Wrong,
    }
}

fn help_on(what: &str) -> String {
    format!("write the {what} as NAIS calls it, such as `prod-gcp`")
}

/// Whether a text can name a cluster or a namespace in Kubernetes; reported if not.
pub(crate) fn is_label(text: &str, help: &str, span: Span, findings: &mut Findings) -> bool {
    let named = label(text);
    if let Err(error) = &named {
        findings.report(Rule::NaisManifest, span, &error.to_string(), help);
    }
    named.is_ok()
}
