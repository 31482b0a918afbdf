//! Code shared by import, from-nais and init: the requested folder, and the wording of the result.

use std::path::{Component, Path};

use super::exit::Failure;
use crate::adopt::Counts;
use crate::declare::ProposedNais;
use domain::text::{counted, listed_up_to, printable};

/// A folder of the repository, with `/` between its parts and none at its ends.
pub(super) fn folder(asked: &str) -> Result<String, Failure> {
    let wrong = || {
        let why = format!(
            "--into {} is not a folder of the repository: write it from the repository's root, without \
             `..`, and with no part that begins with a dot",
            printable(asked)
        );
        Failure::Usage(why)
    };
    let mut parts = Vec::new();
    for part in Path::new(asked).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => {
                let part = part.to_str().ok_or_else(wrong)?;
                if part.starts_with('.') || part.contains(|c: char| c.is_control() || c == '\\') {
                    return Err(wrong());
                }
                parts.push(part);
            }
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(wrong()),
        }
    }
    Ok(parts.join("/"))
}

/// `2 scopes with 3 accesses, 1 client`.
pub(super) fn counts(counts: Counts) -> String {
    let Counts { scopes, accesses, clients, aliases, groups, key_files, completed, added } = counts;
    let count = |count: usize, thing, plural| counted(count as u64, thing, plural);
    let reported_scopes = match accesses {
        0 => count(scopes, "scope", "s"),
        accesses => {
            format!("{} with {}", count(scopes, "scope", "s"), count(accesses, "access", "es"))
        }
    };
    let all = [
        (scopes, reported_scopes),
        (
            added,
            format!(
                "{} to {}",
                count(added, "access", "es"),
                count(completed, "declared scope", "s")
            ),
        ),
        (clients, count(clients, "client", "s")),
        (aliases, count(aliases, "alias", "es")),
        (groups, count(groups, "group", "s")),
        (key_files, count(key_files, "file", "s") + " with keys"),
    ];
    let phrases: Vec<_> =
        all.into_iter().filter(|(count, _)| *count > 0).map(|(_, phrases)| phrases).collect();
    phrases.join(", ")
}

/// Largest number of templates that are named.
const MOST_TEMPLATES: usize = 10;

/// The step for templates whose values are in no file that was found.
pub(super) fn without_values(nais: &ProposedNais) -> Option<String> {
    let files = nais.unvalued();
    (!files.is_empty()).then(|| {
        let named = listed_up_to(MOST_TEMPLATES, files.iter().map(|it| printable(it)));
        format!(
            "say which files have the values of these templates, such as `nais: {{ vars: {{ test: \
             [\".nais/dev-vars.yaml\"] }} }}` in portvakt.yaml: {named}. A file is of YAML, or of JSON and named \
             by its path; values of a job's command line go into one. `validate` shows what is missing"
        )
    })
}
