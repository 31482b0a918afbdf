//! The parts of manifests that are read, without their places.

use serde_json::Value as Json;
use yaml::{Node, Parsed};

use super::{ManifestKind, is_misplaced, is_resource, kind, meant, unclear_kind};

/// The parts of a text that are read, by document; `None` if it cannot be read.
pub(super) fn parts_read(text: &str) -> Option<Vec<Json>> {
    let Parsed { documents, problems, aliases: _, anchors } = yaml::parse(text);
    if !problems.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    for document in &documents {
        match is_resource(document) && document.has_merges() {
            true => {
                let (merged, problems) = document.merged(&anchors);
                if !problems.is_empty() {
                    return None;
                }
                of_document(&merged, &mut parts)?;
            }
            false => of_document(document, &mut parts)?,
        }
    }
    Some(parts)
}

fn of_document(document: &Node<'_>, parts: &mut Vec<Json>) -> Option<()> {
    let whole = |at: &Node<'_>| serde_json::to_value(at).ok();
    if document.value.is_null() {
        return Some(());
    }
    if let Some(kind) = kind(document) {
        parts.push(of_manifest(kind, document)?);
    } else if !is_resource(document)
        || unclear_kind(document).is_some()
        || is_misplaced(document)
        || meant(document).is_some()
    {
        parts.push(whole(document)?);
    } else if document.text("kind").is_some_and(|(kind, _)| kind == "List") {
        let items = document.get("items").into_iter().flat_map(Node::items);
        for item in items.filter(|item| is_resource(item)) {
            of_document(item, parts)?;
        }
    }
    Some(())
}

fn of_manifest(kind: ManifestKind, document: &Node<'_>) -> Option<Json> {
    let part = |at: Option<&Node<'_>>| serde_json::to_value(at).ok();
    let metadata = document.get("metadata");
    let of_metadata = |key| part(metadata.and_then(|at| at.get(key)));
    let spec = document.get("spec");
    let of_kind = match kind {
        ManifestKind::Workload | ManifestKind::Skiperator => {
            let is_empty = spec.is_some_and(|at| at.value.is_null());
            vec![part(spec.and_then(|at| at.get("maskinporten")))?, Json::from(is_empty)]
        }
        ManifestKind::Maskinporten | ManifestKind::Login | ManifestKind::Ansattporten => {
            vec![part(spec)?]
        }
    };
    let mut all = vec![
        part(document.get("apiVersion"))?,
        part(document.get("kind"))?,
        of_metadata("name")?,
        of_metadata("namespace")?,
        of_metadata("clusterName")?,
    ];
    all.extend(of_kind);
    Some(Json::Array(all))
}
