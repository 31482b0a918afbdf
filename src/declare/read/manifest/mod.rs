//! Manifests of NAIS among the declarations, read as digdirator reads them
//! (<https://doc.nais.io/auth/maskinporten/>, <https://github.com/nais/digdirator>): `exposes` are scopes
//! and who has access to them, `consumes` is what a client may ask for.
//!
//! A manifest says all that digdirator sets, so the repository's `defaults` do not count. What the
//! operator of digdirator has configured and no manifest tells is left as it is live: a client's name, a
//! token's life, the address to go back to. digdirator puts a scope of its operator's on a client that
//! consumes none, as there can be no client without; here such a manifest declares no client.

mod client;
mod exposed;
mod fields;
mod login;
mod owner;

pub(crate) use self::fields::template_help;
use self::fields::{flag, mapping, refuse_nothing, required, warn_misspelt, warn_unknown};
use self::owner::{Owners, owners};
use super::declarations_file::Declarations;
use super::declared::Declared;
use super::settings::Settings;
use crate::declare::diagnostic::suggest::did_you_mean;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::item::missing;
use crate::declare::yaml::table::Read as _;
use yaml::Span;
use yaml::{Node, Value};

/// The kinds of manifest that can declare something.
const KINDS: [(&str, ManifestKind); 4] = [
    ("Application", ManifestKind::Workload),
    ("Naisjob", ManifestKind::Workload),
    ("MaskinportenClient", ManifestKind::Maskinporten),
    ("IDPortenClient", ManifestKind::Login),
];

/// What stands before the version of what is NAIS's own.
const GROUP: &str = "nais.io/";

/// What a manifest is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ManifestKind {
    /// What runs there; it may have a client of Maskinporten.
    Workload,
    /// A client of Maskinporten by itself.
    Maskinporten,
    /// A client that people log in to.
    Login,
}

/// What a document is a manifest of; `None` if it is none that can declare something.
pub(crate) fn kind(document: &Node<'_>) -> Option<ManifestKind> {
    if Declarations::KEYS.iter().any(|key| document.get(key).is_some()) {
        return None;
    }
    let (named, _) = document.text("kind")?;
    let (_, kind) = KINDS.iter().find(|(name, _)| *name == named)?;
    let is_ours = match document.get("apiVersion").map(|at| &at.value) {
        Some(Value::String(version)) => version.starts_with(GROUP),
        Some(_) => false,
        // Others have applications too.
        None => *kind != ManifestKind::Workload || workload(document).is_some(),
    };
    is_ours.then_some(*kind)
}

/// What kind of manifest was meant, if it is one of NAIS.
pub(crate) fn meant(document: &Node<'_>) -> String {
    match (document.text("apiVersion"), document.text("kind")) {
        (Some((version, _)), Some((kind, _))) if version.starts_with(GROUP) => {
            did_you_mean(kind, KINDS.map(|(name, _)| name))
        }
        _ => String::new(),
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

/// Reads what a manifest declares.
pub(crate) fn read(
    kind: ManifestKind,
    document: &Node<'_>,
    settings: &Settings,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let first = findings.list.len();
    let spec = mapping(document, "spec", findings);
    match kind {
        ManifestKind::Workload => {
            let loss = "close all that is exposed, and the client";
            let help = "write what was to follow, or remove the key";
            refuse_nothing(document, "spec", loss, help, findings);
            if let Some(spec) = spec {
                warn_misspelt(spec, "maskinporten", findings);
                let help = "write `maskinporten: { enabled: false }` if that is to be so";
                refuse_nothing(spec, "maskinporten", loss, help, findings);
            }
            let maskinporten = spec.and_then(|spec| mapping(spec, "maskinporten", findings));
            let enabled = maskinporten.and_then(|at| required(at, "enabled", findings, flag));
            if let (Some(at), Some((true, _))) = (maskinporten, enabled) {
                warn_unknown(at, &["enabled", "scopes"], findings);
                maskinporten_client(at, document, settings, declared, findings);
            }
        }
        ManifestKind::Maskinporten => match spec {
            Some(at) => {
                const KNOWN: [&str; 5] =
                    ["clientName", "scopes", "secretName", "secretKeyPrefix", "secretProtected"];
                warn_unknown(at, &KNOWN, findings);
                maskinporten_client(at, document, settings, declared, findings);
            }
            None => missing("spec", document.span(), findings),
        },
        ManifestKind::Login => match spec {
            Some(at) => {
                let owners = owners(document, settings, findings);
                login::client(at, &owners, declared, findings);
            }
            None => missing("spec", document.span(), findings),
        },
    }
    // What another tool reads as well is not for this one to mend.
    for found in &mut findings.list[first..] {
        found.fix = None;
    }
}

/// Reads what has a client of Maskinporten: its scopes, and its client.
fn maskinporten_client(
    at: &Node<'_>,
    document: &Node<'_>,
    settings: &Settings,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let Some(scopes) = fields::scopes(at, findings) else { return };
    let owners: Owners = owners(document, settings, findings);
    warn_unknown(scopes, &["consumes", "exposes"], findings);
    exposed::scopes(scopes, &owners, settings, declared, findings);
    client::maskinporten(at, scopes, &owners, declared, findings);
}
