//! Which applications a manifest is about: one a cluster, in the environments of that cluster.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::super::diagnostic::quoted;
use super::super::document::{Findings, Located};
use super::super::environments::{EnvironmentNames, EnvironmentSet};
use super::super::item::wrong_kind;
use super::super::places::Span;
use super::super::rules::Rule;
use super::super::settings::Settings;
use super::super::settings_file::NaisFile;
use super::super::suggest::{did_you_mean, list};
use super::fields::{mapping, required, text};
use domain::nais::Application;

/// How many clusters a repository can have: a manifest that names none declares its things in each.
const MOST_CLUSTERS: usize = 8;

/// What the repository says for manifests that do not say it.
#[derive(Debug, Clone, Default)]
pub(in crate::declare) struct Nais {
    clusters: Clusters,
    namespace: Option<String>,
    prefix: Option<String>,
}

#[derive(Debug, Clone, Default)]
enum Clusters {
    /// Nothing is said.
    #[default]
    Unknown,
    /// One where a manifest names none.
    Usual(String),
    /// The cluster of each environment.
    Each(Vec<(String, EnvironmentSet)>),
    /// What is said is wrong, and that was told.
    Wrong,
}

/// The applications of a manifest, each with the environments in which it counts.
pub(super) struct Owners {
    /// One a cluster; none where it cannot be told, and that was told.
    pub(super) applications: Vec<(Application, EnvironmentSet)>,
    /// Where the name stands.
    pub(super) span: Span,
}

impl Nais {
    /// Reads the section `nais` of portvakt.yaml.
    pub(in crate::declare) fn new(
        file: NaisFile,
        prefixes: &[String],
        names: &EnvironmentNames,
        root: Located<'_>,
        findings: &mut Findings,
    ) -> Self {
        let Some(at) = root.get("nais") else {
            return Self::default();
        };
        let NaisFile { namespace, prefix, .. } = file;
        if let Some((namespace, span)) = at.text("namespace") {
            is_name(namespace, "namespace", span, findings);
        }
        if let Some((prefix, span)) = at.text("prefix")
            && !prefixes.iter().any(|known| known == prefix)
        {
            let message = format!("{} is none of the `prefixes`", quoted(prefix));
            let known = || prefixes.iter().map(String::as_str);
            let help = format!("{}write one of {}", did_you_mean(prefix, known()), list(known()));
            findings.report(Rule::Prefix, span, &message, &help);
        }
        Self { clusters: clusters(at, names, findings), namespace: namespace.0, prefix: prefix.0 }
    }

    /// The cluster of an environment's manifests that name none, if there is one.
    pub(in crate::declare) fn cluster(&self, environment: EnvironmentSet) -> Option<&str> {
        match &self.clusters {
            Clusters::Unknown | Clusters::Wrong => None,
            Clusters::Usual(cluster) => Some(cluster),
            Clusters::Each(each) => {
                let mut here = each.iter().filter(|(_, set)| set.overlaps(environment));
                here.next().map(|(cluster, _)| cluster.as_str())
            }
        }
    }

    /// The namespace of manifests that name none, if there is one.
    pub(in crate::declare) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The prefix of what manifests expose, as far as the repository tells it.
    pub(in crate::declare) fn known_prefix<'s>(
        &'s self,
        prefixes: &'s [String],
    ) -> Option<&'s str> {
        match (&self.prefix, prefixes) {
            (Some(prefix), _) => Some(prefix),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// The prefix of what manifests expose; `None` where it is not known, and that is told.
    pub(super) fn prefix<'s>(
        &'s self,
        settings: &'s Settings,
        span: Span,
        findings: &mut Findings,
    ) -> Option<&'s str> {
        match (&self.prefix, settings.prefixes.as_slice()) {
            (Some(prefix), _) | (None, [prefix]) => Some(prefix),
            (None, []) => None,
            (None, [first, ..]) => {
                let message = "a manifest does not say which of the organisation's prefixes its \
                               scopes have";
                let help = format!("say it in portvakt.yaml: `nais: {{ prefix: {first} }}`");
                findings.report(Rule::NaisManifest, span, message, &help);
                None
            }
        }
    }
}

fn clusters(at: Located<'_>, names: &EnvironmentNames, findings: &mut Findings) -> Clusters {
    let Some(at) = at.get("cluster") else {
        return Clusters::Unknown;
    };
    match at.value {
        Value::String(cluster) => match is_name(cluster, "cluster", at.span(), findings) {
            true => Clusters::Usual(cluster.clone()),
            false => Clusters::Wrong,
        },
        Value::Mapping(_) => {
            let mut each: BTreeMap<&str, EnvironmentSet> = BTreeMap::new();
            let before = findings.list.len();
            for (environment, cluster) in at.entries() {
                let Some(set) = names.known(environment, at.key_span(environment), findings) else {
                    continue;
                };
                match cluster.value.as_str() {
                    Some(name) if is_name(name, "cluster", cluster.span(), findings) => {
                        let all = each.entry(name).or_insert(EnvironmentSet::NONE);
                        *all = all.or(set);
                    }
                    Some(_) => {}
                    None => wrong_kind(cluster, "a cluster's name", findings),
                }
            }
            if each.len() > MOST_CLUSTERS {
                let message = format!("more than {MOST_CLUSTERS} clusters");
                let help = "let other repositories have the others";
                findings.report(Rule::WrongValue, at.span(), &message, help);
            }
            let each = each.into_iter().map(|(cluster, set)| (cluster.to_owned(), set));
            match findings.list.len() == before {
                true => Clusters::Each(each.collect()),
                false => Clusters::Wrong,
            }
        }
        Value::Null => Clusters::Wrong,
        Value::Bool(_) | Value::Number(_) | Value::Sequence(_) | Value::Tagged(_) => {
            wrong_kind(at, "a cluster's name, or one for each environment", findings);
            Clusters::Wrong
        }
    }
}

/// Whether a text can name something in Kubernetes; reported if not.
fn is_name(text: &str, what: &str, span: Span, findings: &mut Findings) -> bool {
    match Application::new(text, text, text) {
        Ok(_) => true,
        Err(error) => {
            let help = format!("write the {what} as NAIS calls it, such as `prod-gcp`");
            findings.report(Rule::NaisManifest, span, &error.to_string(), &help);
            false
        }
    }
}

/// The applications that a manifest is about.
pub(super) fn owners(
    document: Located<'_>,
    settings: &Settings,
    findings: &mut Findings,
) -> Owners {
    let nais = &settings.nais;
    let nobody = |span| Owners { applications: Vec::new(), span };
    let metadata = mapping(document, "metadata", findings).unwrap_or(document);
    let name = required(metadata, "name", findings, text);
    let own_cluster = text(metadata, "clusterName", findings);
    let own_namespace = text(metadata, "namespace", findings);
    let Some((name, span)) = name else {
        return nobody(document.span());
    };
    if !is_named(name, span, findings) {
        return nobody(span);
    }
    let namespace = match (own_namespace, &nais.namespace) {
        (Some((namespace, span)), _) => is_named(namespace, span, findings).then_some(namespace),
        (None, Some(namespace)) => Some(namespace.as_str()),
        (None, None) => {
            let message = "the manifest does not say in which namespace this is";
            let help = "add `namespace: …` below `metadata`, or say it in portvakt.yaml for all: \
                        `nais: { namespace: plattform }`";
            findings.report(Rule::NaisManifest, span, message, help);
            None
        }
    };
    let clusters = match own_cluster {
        Some((own, span)) if is_named(own, span, findings) => {
            of_cluster(own, span, &nais.clusters, findings)
        }
        Some(_) => Vec::new(),
        None => usual_clusters(&nais.clusters, settings, span, findings),
    };
    let Some(namespace) = namespace else {
        return nobody(span);
    };
    let applications = clusters.into_iter().filter_map(|(cluster, set)| {
        let application = Application::new(&cluster, namespace, name).ok()?;
        Some((application, set))
    });
    Owners { applications: applications.collect(), span }
}

fn is_named(text: &str, span: Span, findings: &mut Findings) -> bool {
    let is_name = Application::new(text, text, text).map_err(|error| {
        let help = "write it as it is at NAIS";
        findings.report(Rule::NaisManifest, span, &error.to_string(), help);
    });
    is_name.is_ok()
}

/// The environments of the cluster that a manifest names.
fn of_cluster(
    own: &str,
    span: Span,
    clusters: &Clusters,
    findings: &mut Findings,
) -> Vec<(String, EnvironmentSet)> {
    let each = match clusters {
        Clusters::Unknown | Clusters::Usual(_) => {
            return vec![(own.to_owned(), EnvironmentSet::ALL)];
        }
        Clusters::Wrong => return Vec::new(),
        Clusters::Each(each) => each,
    };
    let found: Vec<_> = each.iter().filter(|(cluster, _)| cluster == own).cloned().collect();
    if found.is_empty() {
        let message = format!(
            "no environment has the cluster {}, so this manifest counts nowhere",
            quoted(own)
        );
        let known = || each.iter().map(|(cluster, _)| cluster.as_str());
        let hint = did_you_mean(own, known());
        let help = format!("{hint}`nais.cluster` in portvakt.yaml has {}", list(known()));
        findings.report(Rule::NeverCounts, span, &message, &help);
    }
    found
}

/// The clusters of a manifest that names none.
fn usual_clusters(
    clusters: &Clusters,
    settings: &Settings,
    span: Span,
    findings: &mut Findings,
) -> Vec<(String, EnvironmentSet)> {
    match clusters {
        Clusters::Usual(cluster) => vec![(cluster.clone(), EnvironmentSet::ALL)],
        Clusters::Each(each) => each.clone(),
        Clusters::Wrong => Vec::new(),
        Clusters::Unknown => {
            let message = "the manifest does not say in which cluster this is";
            let each: Vec<_> = settings
                .environment_names
                .iter()
                .take(3)
                .map(|name| format!("{name}: …"))
                .collect();
            let help = format!(
                "say it in portvakt.yaml: `nais: {{ cluster: prod-gcp }}`, or for each environment \
                 `nais: {{ cluster: {{ {} }} }}`",
                each.join(", ")
            );
            findings.report(Rule::NaisManifest, span, message, &help);
            Vec::new()
        }
    }
}
