//! The crates of the workspace, as their manifests describe them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A crate of the workspace.
#[derive(Debug)]
pub(super) struct Manifest {
    /// The folder of its sources, from the repository's root.
    pub(super) sources: String,
    /// The crates of the workspace that it depends on.
    pub(super) uses: BTreeSet<String>,
    /// The same for its tests.
    pub(super) uses_in_tests: BTreeSet<String>,
}

/// Each crate by the name of its library.
pub(super) fn manifests(root: &Path) -> BTreeMap<String, Manifest> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let libraries: BTreeMap<&str, &str> = packages
        .iter()
        .map(|package| (package["name"].as_str().unwrap(), library(package).0))
        .collect();
    let manifest = |package: &Value| {
        let (name, sources) = library(package);
        let sources = Path::new(sources).parent().unwrap().strip_prefix(root).unwrap();
        let of_kind = |kind: Value| {
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let dependencies = dependencies.filter(|dependency| dependency["kind"] == kind);
            dependencies
                .filter_map(|dependency| libraries.get(dependency["name"].as_str()?))
                .map(|library| (*library).to_owned())
                .collect()
        };
        let manifest = Manifest {
            sources: sources.to_str().unwrap().to_owned(),
            uses: of_kind(Value::Null),
            uses_in_tests: of_kind("dev".into()),
        };
        (name.to_owned(), manifest)
    };
    packages.iter().map(manifest).collect()
}

/// The name of a package's library and the file that it begins with.
fn library(package: &Value) -> (&str, &str) {
    let targets = package["targets"].as_array().unwrap();
    let library = targets.iter().find(|target| target["kind"][0] == "lib").unwrap();
    (library["name"].as_str().unwrap(), library["src_path"].as_str().unwrap())
}
