//! Which applications a manifest is about: one a cluster, in the environments of that cluster.

use super::fields::{PlacedOption, mapping, required, text};
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::{did_you_mean, list};
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::nais::{Clusters, is_label};
use crate::declare::read::settings::Settings;
use crate::declare::yaml::document::Findings;
use domain::ClientName;
use domain::nais::Application;
use yaml::Node;
use yaml::Span;

/// The applications of a manifest, each with the environments in which it counts.
pub(super) struct Owners {
    /// One a cluster; none where it is not known, which is reported.
    pub(super) applications: Vec<(Application, EnvironmentSet)>,
    /// The place of the name.
    pub(super) span: Span,
}

impl Owners {
    /// A client's name that is the one of its application.
    pub(super) fn client_name(&self) -> PlacedOption<ClientName> {
        let (application, _) = self.applications.first()?;
        Some((application.name().parse().ok()?, self.span))
    }
}

/// The applications that a manifest is about, in the environments in which it counts.
pub(super) fn owners(
    document: &Node<'_>,
    counting: EnvironmentSet,
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
    if let Err(error) = Application::new("a", "a", name) {
        findings.report(Rule::NaisManifest, span, &error.to_string(), NAMED_THERE);
        return nobody(span);
    }
    let namespace = namespace(own_namespace, nais.namespace.as_deref(), span, findings);
    let clusters = match own_cluster {
        Some((own, span)) if is_label(own, NAMED_THERE, span, findings) => {
            of_cluster(own, span, &nais.clusters, findings)
        }
        Some(_) => Vec::new(),
        None => usual_clusters(&nais.clusters, settings, span, findings),
    };
    let Some(namespace) = namespace else {
        return nobody(span);
    };
    let is_nowhere = clusters.is_empty();
    let applications = clusters.into_iter().filter_map(|(cluster, set)| {
        let application = Application::new(&cluster, namespace, name).ok()?;
        Some((application, set.and(counting))).filter(|(_, set)| !set.is_empty())
    });
    let applications: Vec<_> = applications.collect();
    // A template may be of other clusters in the other environments.
    let is_template = counting != nais.counting(&findings.file);
    if applications.is_empty() && !is_nowhere && !is_template {
        let message = "no environment of `nais.manifests` for this file has the manifest's cluster, so it \
                       counts nowhere";
        let help = "correct the globs of `nais.manifests`, or `nais.cluster`, in portvakt.yaml";
        findings.report(Rule::NeverCounts, span, message, help);
    }
    Owners { applications, span }
}

const NAMED_THERE: &str = "write it as it is at NAIS";

/// The namespace that a manifest names, or else the usual one.
fn namespace<'d>(
    own: PlacedOption<&'d str>,
    usual: Option<&'d str>,
    span: Span,
    findings: &mut Findings,
) -> Option<&'d str> {
    if let Some((own, span)) = own {
        return is_label(own, NAMED_THERE, span, findings).then_some(own);
    }
    if usual.is_none() {
        let message = "the manifest does not say in which namespace this is";
        let help = "add `namespace: …` below `metadata`, or say it in portvakt.yaml for all: `nais: { \
                    namespace: plattform }`";
        findings.report(Rule::NaisManifest, span, message, help);
    }
    usual
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
            let names = settings.environment_names.iter().take(3);
            let each: Vec<_> = names.map(|name| format!("{name}: …")).collect();
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
