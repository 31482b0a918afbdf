//! Weight of a build: number, sources and licences of its crates.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde::Deserialize;

/// Largest number of crates in a build without features, apart from this repository's own, including build
/// dependencies and without those of tests. It increases only for a library that replaces code of our own.
#[cfg(target_os = "linux")]
const MOST_CRATES: usize = 319;

/// Largest number of crate names that are present in several versions. It may only decrease.
#[cfg(target_os = "linux")]
const MOST_NAMES_IN_SEVERAL_VERSIONS: usize = 4;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Output of `cargo metadata`.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

/// The crates of a build on this machine, from cargo's local data.
fn metadata(features: &[&str]) -> Metadata {
    let run = |command: &mut Command| {
        let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let about = run(Command::new(env!("CARGO")).arg("-vV"));
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let args = ["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform"];
    let text = run(Command::new(env!("CARGO")).args(args).arg(host).args(features));
    serde_json::from_str(&text).unwrap()
}

/// The ids of the packages in the program, without those used only in tests.
#[cfg(target_os = "linux")]
fn built(metadata: &Metadata) -> BTreeSet<&str> {
    let nodes = metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node));
    let nodes: BTreeMap<_, _> = nodes.collect();
    let mut built = BTreeSet::new();
    let mut open: Vec<&str> = metadata.workspace_members.iter().map(String::as_str).collect();
    while let Some(id) = open.pop() {
        if built.insert(id) {
            let of_build = |dependency: &&Dependency| {
                dependency.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"))
            };
            open.extend(nodes[id].deps.iter().filter(of_build).map(|used| used.pkg.as_str()));
        }
    }
    built
}

#[cfg(target_os = "linux")]
#[test]
fn a_build_takes_no_more_crates_than_before() {
    let metadata = metadata(&[]);
    let built = built(&metadata);
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in metadata.packages.iter().filter(|package| built.contains(&*package.id)) {
        if package.source.is_some() {
            versions.entry(&package.name).or_default().push(&package.version);
        }
    }
    let crates: usize = versions.values().map(Vec::len).sum();
    assert!(
        crates <= MOST_CRATES,
        "{crates} crates, and MOST_CRATES is {MOST_CRATES}: find what is new with `cargo tree -e \
         normal,build`"
    );
    versions.retain(|_, versions| versions.len() > 1);
    assert!(
        versions.len() <= MOST_NAMES_IN_SEVERAL_VERSIONS,
        "more than {MOST_NAMES_IN_SEVERAL_VERSIONS} names in several versions: {versions:?}"
    );
}

#[test]
fn every_crate_is_from_the_registry_and_under_a_licence_that_is_allowed() {
    // The manifests of the crates that age adds are available only in a build with it.
    let features: &[&str] = if cfg!(feature = "age") { &["--all-features"] } else { &[] };
    let allowed = allowed();
    for Package { name, version, license, source, .. } in metadata(features).packages {
        if let Some(source) = source {
            assert_eq!(source, REGISTRY, "{name} {version}");
        }
        let license = license.unwrap_or_default();
        assert!(is_allowed(&license, &allowed), "{name} {version} is under {license:?}");
    }
}

/// The lock file names all crates for all platforms and features.
#[test]
fn nothing_is_locked_from_elsewhere() {
    let lock = include_str!("../../Cargo.lock");
    let sources = lock.lines().filter_map(|line| line.strip_prefix("source = "));
    for source in sources {
        assert_eq!(source.trim_matches('"'), REGISTRY);
    }
}

/// The licences that `deny.toml` allows.
fn allowed() -> BTreeSet<&'static str> {
    let list = include_str!("../../deny.toml").split_once("allow = [").unwrap().1;
    let list = list.split_once(']').unwrap().0;
    list.lines().map(|line| line.trim().trim_matches([',', '"'])).collect()
}

/// Whether licences from the list are sufficient: an SPDX expression, or the older form with a slash for OR.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    either(&mut words, allowed) && words.next().is_none()
}

type Words<'w> = std::iter::Peekable<std::str::SplitWhitespace<'w>>;

fn either(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut any = both(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        any |= both(words, allowed);
    }
    any
}

fn both(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut all = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        all &= one(words, allowed);
    }
    all
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    match words.next() {
        Some("(") => either(words, allowed) & words.next_if_eq(&")").is_some(),
        Some(licence) => match words.next_if_eq(&"WITH") {
            None => allowed.contains(licence),
            Some(_) => {
                let exception = words.next().unwrap_or_default();
                allowed.contains(&*format!("{licence} WITH {exception}"))
            }
        },
        None => false,
    }
}

#[test]
fn licences_are_chosen_by_their_expression() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].into();
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("(GPL-3.0 OR MIT) AND ISC", true),
        ("ISC AND (GPL-3.0 OR MPL-2.0)", false),
        ("MIT OR GPL-3.0 AND ISC", true),
        ("GPL-3.0 AND ISC OR GPL-2.0", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
        ("MIT ISC", false),
        ("(MIT", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
