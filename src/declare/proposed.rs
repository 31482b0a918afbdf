//! The section `nais` of portvakt.yaml for a folder of manifests, proposed by the names of its files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use super::diagnostic::Diagnostic;
use super::diagnostic::rule::Rule;
use super::files::index::{Index, SETTINGS_FILE};
use super::repository::load_bytes;
use super::rules::repeated::{Words, glob, glob_by_name, globs_by_environment};
use yaml::scalar;

/// Largest number of files that are named.
const MOST_FILES: usize = 20;

/// The keys that portvakt.yaml needs for the manifests of a folder, as YAML. `settings` is what is in it besides.
///
/// # Errors
/// What is wrong with `settings`.
pub fn proposed_nais(root: &Path, settings: &str) -> Result<String, Vec<Diagnostic>> {
    let read = |more: &str| {
        let text = format!("{settings}\n{more}");
        load_bytes(root, text.as_bytes(), Index::default(), BTreeMap::new())
    };
    let clusters = |environments: &[Words]| {
        let each = environments.iter().map(|it| {
            let cluster = if it.is_production { "prod-gcp" } else { "dev-gcp" };
            format!("{}: {cluster}", scalar(&it.environment, true))
        });
        each.collect::<Vec<_>>().join(", ")
    };
    let first = read("nais: {}\n")?;
    let clusters = clusters(&Words::of_environments(first.settings()));
    let repository = read(&format!("nais: {{ cluster: {{ {clusters} }} }}\n"))?;
    let resources = repository.declared().resources.iter().map(|it| &*it.place.file);
    let with = |codes: &[Rule]| -> BTreeSet<&str> {
        let found = repository.findings().iter().filter(|found| codes.contains(&found.code));
        found.map(|found| &*found.file).filter(|file| *file != SETTINGS_FILE).collect()
    };
    let templates = with(&[Rule::NaisManifest, Rule::Syntax]);
    let manifests: BTreeSet<&str> = resources.chain(templates.iter().copied()).collect();
    let mut others = with(&[Rule::ForeignDocument, Rule::UnknownKey]);
    others.retain(|file| !manifests.contains(file));
    let settings = repository.settings();
    let mut out = String::from(
        "# The manifests of NAIS in this folder are declarations, as they are.\nnais:\n  # CHANGE the cluster of each \
         environment to the one that its manifests are deployed to.\n",
    );
    let _ = writeln!(out, "  cluster: {{ {clusters} }}");
    section(&mut out, "manifests", &globs_by_environment(&manifests, settings, &glob));
    if !templates.is_empty() {
        let vars = |files: &BTreeSet<&str>| globs_by_environment(files, settings, &glob_by_name);
        section(&mut out, "vars", &vars(&others));
        others.retain(|file| vars(&BTreeSet::from([*file])).is_empty());
    }
    if !others.is_empty() {
        let named: Vec<_> =
            others.iter().take(MOST_FILES).map(|file| format!("\"{file}\"")).collect();
        let _ = writeln!(out, "\n# Files of other tools.\nexclude: [{}]", named.join(", "));
    }
    Ok(out)
}

fn section(out: &mut String, key: &str, globs: &BTreeMap<String, BTreeSet<String>>) {
    if globs.is_empty() {
        return;
    }
    let _ = writeln!(out, "  {key}:");
    for (environment, globs) in globs {
        let globs: Vec<_> = globs.iter().map(|glob| format!("\"{glob}\"")).collect();
        let _ = writeln!(out, "    {}: [{}]", scalar(environment, false), globs.join(", "));
    }
}
