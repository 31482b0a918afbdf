//! Whole repositories, as a person would write them.

mod bad_input;
mod bad_settings;
mod bounds;
mod examples;
mod resolving;
mod robustness;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{Diagnostic, Repository, load};

/// A portvakt.yaml with the environments `prod`, `sandbox` and `test`.
const SETTINGS: &str = r#"
organization: { orgno: "889640782", name: Etaten }
prefixes: [etat]
environments:
  sandbox: { target: sandbox }
  test:
    target: test
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

/// Reads a repository with [`SETTINGS`] and one file `a.yaml`.
fn load_one(yaml: &str) -> Result<Repository, Vec<Diagnostic>> {
    let files: [(&str, &[u8]); 2] =
        [("portvakt.yaml", SETTINGS.as_bytes()), ("a.yaml", yaml.as_bytes())];
    load(folder(&files).path())
}

/// Everything said of a repository, a diagnostic a paragraph.
fn said(result: &Result<Repository, Vec<Diagnostic>>) -> String {
    let diagnostics = match result {
        Ok(repository) => repository.warnings(),
        Err(found) => found,
    };
    let shown: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
    shown.join("\n")
}
