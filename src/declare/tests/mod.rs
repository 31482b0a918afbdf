//! Whole repositories, as a person would write them.

mod advice;
mod bad_input;
mod bad_settings;
mod bounds;
mod clients;
mod examples;
mod fuzz_seeds;
mod manifests;
mod own_rules;
mod removed;
mod resolving;
mod robustness;
mod rules;
mod shares;
mod silences;
mod unused;

use std::fs;
use std::path::Path;

use jiff::civil::Date;
use tempfile::TempDir;

use crate::declare::{Diagnostic, Repository, load};

/// A portvakt.yaml with the environments `prod`, `sandbox` and `test`.
const SETTINGS: &str = r#"
organization: { orgno: "889640782", name: Etaten }
prefixes: [etat]
environments:
  sandbox: { target: sandbox }
  test:
    target: { api: "https://a.example/", maskinporten: "https://m.example/" }
    credentials: &credentials
      client_id: { env: ID }
      key: { env: KEY }
  prod: { target: prod, credentials: *credentials }
"#;

/// A repository of these files, in a folder that lives as long as the first value.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// What is checked counts as checked on this day.
const TODAY: Date = jiff::civil::date(2026, 11, 23);

/// Everything said of a repository.
fn check(root: &Path) -> Vec<Diagnostic> {
    match load(root) {
        Ok(repository) => repository.check(TODAY),
        Err(found) => found,
    }
}

/// A repository with [`SETTINGS`] and one file `a.yaml`.
fn one(yaml: &str) -> TempDir {
    let files: [(&str, &[u8]); 2] =
        [("portvakt.yaml", SETTINGS.as_bytes()), ("a.yaml", yaml.as_bytes())];
    folder(&files)
}

/// Reads it.
fn load_one(yaml: &str) -> Repository {
    load(one(yaml).path()).unwrap()
}

/// Everything said of it.
fn check_one(yaml: &str) -> Vec<Diagnostic> {
    check(one(yaml).path())
}

/// The errors among diagnostics.
fn errors(found: &[Diagnostic]) -> Vec<&Diagnostic> {
    found.iter().filter(|found| found.is_error()).collect()
}

/// Diagnostics, a paragraph each.
fn said(found: &[Diagnostic]) -> String {
    let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
    shown.join("\n")
}
