//! Manifests of NAIS among the declarations, read as digdirator reads them
//! (<https://doc.nais.io/auth/maskinporten/>, <https://github.com/nais/digdirator>): `exposes` are scopes
//! and who has access to them, `consumes` is what a client may ask for.
//!
//! A manifest says all that digdirator sets, so the repository's `defaults` do not count. What the
//! operator of digdirator has configured and no manifest tells is left as it is live: a client's name, a
//! token's life, the address to go back to. digdirator puts a scope of its operator's on a client that
//! consumes none, as there can be no client without; here such a manifest declares no client.
//!
//! Skiperator (<https://skip.kartverket.no/docs>) makes the resources of digdirator from its own `Application`.
//! What `idporten` of an `Application` makes is a sidecar's and its operator's: it is not read.

mod client;
mod exposed;
mod fields;
mod login;
mod owner;
mod parts;
pub(crate) mod template;
pub(crate) mod values;

use self::fields::{
    flag, mapping, refuse_nothing, refuse_unknown_keys, require_text, required, warn_misspelt,
    warn_unknown,
};
pub(crate) use self::fields::{refuse_placeholder, template_help};
use self::owner::{Owners, owners};
use super::declarations_file::Declarations;
use super::declared::{Declared, ManifestResource};
use super::environments::EnvironmentSet;
use super::settings::Settings;
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::nearest;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::item::missing;
use crate::declare::yaml::table::Read as _;
use yaml::{Node, Span, Value};

/// The kinds of NAIS that can declare something.
const KINDS: [(&str, ManifestKind); 5] = [
    ("Application", ManifestKind::Workload),
    ("Naisjob", ManifestKind::Workload),
    ("MaskinportenClient", ManifestKind::Maskinporten),
    ("IDPortenClient", ManifestKind::Login),
    ("AnsattportenClient", ManifestKind::Ansattporten),
];

/// The kind of Skiperator that can.
const SKIPERATOR_KINDS: [(&str, ManifestKind); 1] = [("Application", ManifestKind::Skiperator)];

/// What is before the version of the resources of NAIS.
const GROUP: &str = "nais.io/";
/// The same for Skiperator.
const SKIPERATOR_GROUP: &str = "skiperator.kartverket.no/";

/// What a manifest is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ManifestKind {
    /// What runs there; it may have a client of Maskinporten.
    Workload,
    /// A client of Maskinporten by itself.
    Maskinporten,
    /// A client that people log in to.
    Login,
    /// A client that employees log in to.
    Ansattporten,
    /// A workload of Skiperator; it may have a client of Maskinporten.
    Skiperator,
}

/// What a document is a manifest of; `None` if it is none that can declare something.
pub(crate) fn kind(document: &Node<'_>) -> Option<ManifestKind> {
    if is_declaration(document) {
        return None;
    }
    let (named, _) = document.text("kind")?;
    let of = |kinds: &[(&str, ManifestKind)]| {
        kinds.iter().find(|(name, _)| *name == named).map(|(_, kind)| *kind)
    };
    match document.get("apiVersion").map(|at| &at.value) {
        Some(Value::String(version)) if version.starts_with(GROUP) => of(&KINDS),
        Some(Value::String(version)) if version.starts_with(SKIPERATOR_GROUP) => {
            of(&SKIPERATOR_KINDS)
        }
        Some(_) => None,
        // Others have applications too.
        None => of(&KINDS)
            .filter(|kind| *kind != ManifestKind::Workload || workload(document).is_some()),
    }
}

/// Whether a document has one of the keys that declare something.
pub(crate) fn is_declaration(document: &Node<'_>) -> bool {
    Declarations::KEYS.iter().any(|key| document.get(key).is_some())
}

/// Whether an `apiVersion` is one of manifests.
pub(crate) fn is_version(version: &str) -> bool {
    version.starts_with(GROUP) || version.starts_with(SKIPERATOR_GROUP)
}

/// Whether a document is a resource of Kubernetes, of whatever kind.
pub(crate) fn is_resource(document: &Node<'_>) -> bool {
    let has = |key| document.text(key).is_some_and(|(text, _)| !text.is_empty());
    has("apiVersion") && has("kind") && !is_declaration(document)
}

/// The resources of a list of Kubernetes. What is in it and is none is reported, as Kubernetes refuses it.
pub(crate) fn list_items<'d>(
    list: &'d Node<'d>,
    findings: &mut Findings,
) -> impl Iterator<Item = &'d Node<'d>> + use<'d> {
    let help = "write `items: []` if nothing is to be in the list";
    refuse_nothing(list, "items", "close all that was in the list", help, findings);
    let items = fields::items(list, "items", findings).map(|(items, _)| items);
    let (resources, others): (Vec<_>, Vec<_>) =
        items.into_iter().flatten().partition(|item| is_resource(item));
    for other in others {
        let message = "this entry of a `List` is no resource of Kubernetes";
        let help = "write its group and kind, such as `apiVersion: nais.io/v1alpha1` and `kind: Application`";
        findings.report(Rule::ForeignDocument, other.span(), message, help);
    }
    resources.into_iter()
}

/// The group or the kind of a resource, if only a value would give it.
pub(super) fn unclear_kind<'d>(document: &'d Node<'d>) -> Option<&'d Node<'d>> {
    let mut parts = ["apiVersion", "kind"].iter().filter_map(|key| document.get(key));
    parts.find(|at| at.value.as_str().is_some_and(fields::is_placeholder_text))
}

/// Whether a resource of another group has what manifests have: the group is misspelt then.
pub(crate) fn is_misplaced(document: &Node<'_>) -> bool {
    let (Some((version, _)), Some((named, _))) =
        (document.text("apiVersion"), document.text("kind"))
    else {
        return false;
    };
    let is_manifest = KINDS.iter().any(|(name, kind)| {
        *name == named && (*kind != ManifestKind::Workload || workload(document).is_some())
    });
    is_manifest && !is_version(version)
}

/// The kind that was meant by one that NAIS does not have: Kubernetes would refuse it.
pub(crate) fn meant(document: &Node<'_>) -> Option<&'static str> {
    let ((version, _), (kind, _)) = (document.text("apiVersion")?, document.text("kind")?);
    match version.starts_with(GROUP) {
        true => nearest(kind, KINDS.map(|(name, _)| name)),
        false => None,
    }
}

fn workload<'d>(document: &'d Node<'d>) -> Option<&'d Node<'d>> {
    document.get("spec")?.get("maskinporten").filter(|at| !at.value.is_null())
}

/// The list of what a manifest exposes.
fn exposes<'d>(document: &'d Node<'d>) -> impl Iterator<Item = &'d Node<'d>> {
    let of_client =
        || document.get("spec").filter(|_| kind(document) == Some(ManifestKind::Maskinporten));
    let holder = workload(document).or_else(of_client);
    let list = holder.and_then(|at| at.get("scopes")?.get("exposes"));
    list.into_iter().flat_map(Node::items)
}

/// What of a manifest can have silences: the whole of it, which is its client, each scope, and the
/// entries of its consumers.
pub(crate) fn entities(document: &Node<'_>) -> Vec<Span> {
    if kind(document).is_none() {
        return Vec::new();
    }
    let mut spans = vec![document.span()];
    for scope in exposes(document) {
        spans.push(scope.span());
        let consumers = scope.get("consumers").into_iter().flat_map(Node::items);
        spans.extend(consumers.map(Node::span));
    }
    spans
}

/// Reads what a manifest declares, in the environments in which it counts.
pub(crate) fn read(
    kind: ManifestKind,
    document: &Node<'_>,
    counting: EnvironmentSet,
    settings: &Settings,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let first = findings.list.len();
    let before = (declared.scopes.len(), declared.clients.len());
    let spec = mapping(document, "spec", findings);
    warn_misspelt(document, "apiVersion", findings);
    for at in [Some(document), document.get("metadata")].into_iter().flatten() {
        refuse_unknown_keys(at, findings);
    }
    let resource = Resource { kind, document, counting, settings };
    let owners = match (kind, spec) {
        (ManifestKind::Workload | ManifestKind::Skiperator, spec) => {
            resource.workload(spec, declared, findings)
        }
        (_, None) => {
            missing_spec(document, findings);
            None
        }
        (ManifestKind::Maskinporten, Some(at)) => {
            warn_unknown(at, &["clientName", "scopes", "secretName"], findings);
            require_text(at, "secretName", findings);
            resource.maskinporten_client(at, declared, findings)
        }
        (ManifestKind::Login | ManifestKind::Ansattporten, Some(at)) => {
            let owners = owners(document, counting, settings, findings);
            login::client(at, kind == ManifestKind::Ansattporten, &owners, declared, findings);
            Some(owners)
        }
    };
    if before != (declared.scopes.len(), declared.clients.len()) {
        let place = |owners: &Owners| findings.place(owners.span);
        declared.resources.extend(owners.into_iter().flat_map(|owners| {
            let place = place(&owners);
            owners.applications.into_iter().map(move |(application, environments)| {
                ManifestResource { kind, application, environments, place: place.clone() }
            })
        }));
    }
    // What another tool reads as well is not for this one to mend.
    for found in &mut findings.list[first..] {
        found.fix = None;
    }
}

/// Reports a manifest without a `spec`, or with one that is misspelt: Kubernetes refuses it.
fn missing_spec(document: &Node<'_>, findings: &mut Findings) {
    let mut keys = document.entries().map(|(key, _)| key);
    match keys.find(|key| nearest(key, ["spec"]).is_some()) {
        Some(key) => {
            let span = document.key_span(key);
            let help = format!("did you mean `spec` by {}?", quoted(key));
            findings.report(Rule::MissingKey, span, "the key `spec` is missing", &help);
        }
        None => missing("spec", document.span(), findings),
    }
}

/// A manifest, and what counts for it.
struct Resource<'d, 'r> {
    kind: ManifestKind,
    document: &'d Node<'d>,
    counting: EnvironmentSet,
    settings: &'r Settings,
}

impl Resource<'_, '_> {
    /// Reads what runs, and may have a client of Maskinporten.
    fn workload(
        &self,
        spec: Option<&Node<'_>>,
        declared: &mut Declared,
        findings: &mut Findings,
    ) -> Option<Owners> {
        if self.document.get("spec").is_none() {
            missing_spec(self.document, findings);
            return None;
        }
        let loss = "close all that is exposed, and the client";
        let help = "write what was to follow";
        refuse_nothing(self.document, "spec", loss, help, findings);
        let spec = spec?;
        refuse_unknown_keys(spec, findings);
        warn_misspelt(spec, "maskinporten", findings);
        let help = "write `maskinporten: { enabled: false }` if that is to be so";
        refuse_nothing(spec, "maskinporten", loss, help, findings);
        let at = mapping(spec, "maskinporten", findings)?;
        let (true, _) = required(at, "enabled", findings, flag)? else { return None };
        let known: &[&str] = match self.kind {
            ManifestKind::Skiperator => &["clientName", "enabled", "scopes"],
            ManifestKind::Workload
            | ManifestKind::Maskinporten
            | ManifestKind::Login
            | ManifestKind::Ansattporten => &["enabled", "scopes"],
        };
        warn_unknown(at, known, findings);
        self.maskinporten_client(at, declared, findings)
    }

    /// Reads what has a client of Maskinporten: its scopes, and its client.
    fn maskinporten_client(
        &self,
        at: &Node<'_>,
        declared: &mut Declared,
        findings: &mut Findings,
    ) -> Option<Owners> {
        let scopes = fields::scopes(at, findings)?;
        let owners = owners(self.document, self.counting, self.settings, findings);
        warn_unknown(scopes, &["consumes", "exposes"], findings);
        exposed::scopes(scopes, &owners, self.settings, declared, findings);
        let name = match self.kind {
            ManifestKind::Workload => None,
            ManifestKind::Maskinporten | ManifestKind::Login | ManifestKind::Ansattporten => {
                client::client_name(at, findings)
            }
            // Skiperator gives the client its application's name.
            ManifestKind::Skiperator => {
                client::client_name(at, findings).or_else(|| owners.client_name())
            }
        };
        client::maskinporten(scopes, name, &owners, declared, findings);
        Some(owners)
    }
}
