//! Dependencies between crates and between folders of `src/`, checked against the code.

mod circles;
mod manifest;
mod source;

use std::collections::BTreeSet;
use std::path::Path;

use circles::circles;
use manifest::manifests;
use source::{Names, Sources};

/// The arrows: each crate and each folder of `src/`, with those that it may use. An arrow that no code needs
/// is an error too, so that the table can only become stricter.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("yaml", &["domain"]),
    ("http", &[]),
    ("digdir", &["domain", "http"]),
    ("sandbox", &["domain"]),
    ("plan", &["domain"]),
    ("advice", &["digdir", "domain"]),
    ("skyporten", &["domain"]),
    ("declare", &["digdir", "domain", "skyporten", "yaml"]),
    ("adopt", &["declare", "domain", "plan", "yaml"]),
    ("history", &["declare", "domain"]),
    ("nais", &["domain", "plan", "yaml"]),
    ("gateway", &["domain", "yaml"]),
    ("apply", &["advice", "digdir", "domain", "plan"]),
    ("render", &["declare", "domain", "history", "nais", "plan"]),
    ("forge", &["domain", "http"]),
    (
        "run",
        &["adopt", "apply", "declare", "digdir", "domain", "history", "nais", "plan", "sandbox"],
    ),
    (
        "cli",
        &[
            "adopt",
            "advice",
            "apply",
            "declare",
            "digdir",
            "domain",
            "forge",
            "gateway",
            "history",
            "nais",
            "plan",
            "render",
            "run",
            "sandbox",
            "skyporten",
        ],
    ),
    ("main", &["cli"]),
];

/// The arrows between the stages of `declare`: its folders and files.
const STAGES: &[(&str, &[&str])] = &[
    ("diagnostic", &[]),
    ("files", &["diagnostic", "read"]),
    ("yaml", &["diagnostic", "files"]),
    ("own", &["diagnostic", "read", "yaml"]),
    ("read", &["diagnostic", "files", "own", "yaml"]),
    ("resolve", &["diagnostic", "files", "read"]),
    ("rules", &["diagnostic", "files", "own", "read", "resolve", "yaml"]),
    ("repository", &["diagnostic", "files", "fix", "own", "read", "resolve", "rules"]),
    ("proposed", &["diagnostic", "files", "fix", "read", "repository", "rules"]),
    ("known", &["diagnostic", "files", "read", "repository", "yaml"]),
    ("fix", &["diagnostic", "files", "known", "read", "repository"]),
    ("schema", &["read"]),
];

/// The crates that the tests of a crate use in addition.
const ARROWS_OF_TESTS: &[(&str, &[&str])] = &[("digdir", &["sandbox"])];

/// Largest number of files in an import circle.
const LARGEST_CIRCLE: usize = 7;

/// The crate whose folders the table lists separately.
const PROGRAM: &str = "portvakt";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Sources {
    let crates = manifests(root());
    let crates = crates.iter().map(|(name, manifest)| (name.as_str(), manifest.sources.as_str()));
    Sources::read(root(), &crates.collect::<Vec<_>>())
}

/// The entry of the table for some code: its crate, or its folder in the program.
fn room(names: &[String]) -> Option<&str> {
    let (name, below) = names.split_first()?;
    match name == PROGRAM {
        true => below.first().map(String::as_str),
        false => Some(name),
    }
}

/// The stage of `declare` of some code.
fn stage(names: &[String]) -> Option<&str> {
    let [program, folder, stage, ..] = names else { return None };
    (program == PROGRAM && folder == "declare").then_some(stage)
}

/// Maps the names of some code to its entry.
type Room = fn(&[String]) -> Option<&str>;

/// Errors in the table for this code: missing arrows, and unused ones.
fn objections(sources: &Sources, arrows: &[(&str, &[&str])], room: Room) -> Vec<String> {
    let mut in_vain: BTreeSet<(&str, &str)> =
        arrows.iter().flat_map(|(from, to)| to.iter().map(|to| (*from, *to))).collect();
    let allowed = in_vain.clone();
    let mut objections = Vec::new();
    for (names, module) in &sources.modules {
        let Some(from) = room(names) else { continue };
        for reference in &module.references {
            let Some(to) = room(&reference.target).filter(|to| *to != from) else { continue };
            in_vain.remove(&(from, to));
            if !allowed.contains(&(from, to)) {
                let (file, line) = (&module.file, reference.line);
                let target = reference.target.join("::");
                objections.push(format!(
                    "{file}:{line}: {from} -> {to} (by {target}) is not in ARROWS, {}",
                    file!()
                ));
            }
        }
    }
    objections.extend(in_vain.into_iter().map(|(from, to)| {
        format!("ARROWS, {}: no code needs {from} -> {to} any longer; remove it", file!())
    }));
    objections
}

#[test]
fn code_follows_the_arrows() {
    let objections = objections(&sources(), ARROWS, room);
    assert!(objections.is_empty(), "{}", objections.join("\n"));
}

#[test]
fn stages_follow_the_arrows() {
    let objections = objections(&sources(), STAGES, stage);
    assert!(objections.is_empty(), "{}", objections.join("\n"));
}

#[test]
fn manifests_follow_the_arrows() {
    let crates = manifests(root());
    let row = |table: &[(&str, &'static [&'static str])], name: &str| -> BTreeSet<&str> {
        let rows = table.iter().filter(|(from, _)| *from == name);
        rows.flat_map(|(_, to)| to.iter().copied()).collect()
    };
    for (name, manifest) in &crates {
        let uses = match name == PROGRAM {
            true => ARROWS.iter().flat_map(|(folder, _)| row(ARROWS, folder)).collect(),
            false => row(ARROWS, name),
        };
        let of_crates = |uses: BTreeSet<&str>| -> BTreeSet<String> {
            let uses = uses.into_iter().filter(|used| crates.contains_key(*used));
            uses.map(str::to_owned).collect()
        };
        let mut uses = of_crates(uses);
        uses.remove(name);
        let of_tests = of_crates(row(ARROWS_OF_TESTS, name));
        assert_eq!(manifest.uses, uses, "dependencies of {name}, and ARROWS in {}", file!());
        assert_eq!(
            manifest.uses_in_tests,
            of_tests,
            "dependencies of the tests of {name}, and ARROWS_OF_TESTS in {}",
            file!()
        );
    }
}

#[test]
fn no_import_circle_is_large() {
    let sources = sources();
    let circles = circles(&sources);
    let largest = circles.first().map_or(&[][..], Vec::as_slice);
    assert!(
        largest.len() <= LARGEST_CIRCLE,
        "LARGEST_CIRCLE, {}: this import circle has more files\n{}",
        file!(),
        largest.join("\n")
    );
}

/// Modules of a program `portvakt` and a crate `domain`, each given by its names and its code.
fn parsed(modules: &[(&str, &str)]) -> Sources {
    let file = |(path, code): &(&str, &str)| {
        let names: Names = path.split("::").map(str::to_owned).collect();
        (names, format!("{path}.rs"), (*code).to_owned())
    };
    Sources::parse(&[PROGRAM, "domain"], modules.iter().map(file).collect())
}

#[test]
fn an_arrow_that_is_not_allowed_is_found_in_every_form() {
    for code in [
        "use crate::cli::Args;",
        "use crate::{domain::Orgno, cli};",
        "use super::cli::{self as shell, Args};",
        "use portvakt::cli::*;",
        "fn f() { crate::cli::run() }",
        "fn f(args: &[super::cli::Args]) {}",
        "fn f() { println!(\"{}\", [crate::cli::NAME]) }",
        "macro_rules! m { () => { $crate::cli::run() } }",
        "mod inner { impl super::super::cli::Command for u8 {} }",
    ] {
        let sources = parsed(&[("portvakt::cli", ""), ("portvakt::render", &format!("\n{code}"))]);
        let found = objections(&sources, &[("render", &["domain"])], room);
        let begin = "portvakt::render.rs:2: render -> cli (by portvakt::cli";
        assert!(found.iter().any(|objection| objection.starts_with(begin)), "{code}: {found:?}");
    }
}

#[test]
fn crates_are_distinguished_from_modules_and_items_of_their_name() {
    let of_crate = parsed(&[("portvakt::render", "fn f() { domain::f(); ::domain::f() }")]);
    assert_eq!(objections(&of_crate, &[], room).len(), 2);
    for code in ["use super::domain; fn f() { domain::f() }", "fn f() { self::domain::f() }"] {
        let child = ("portvakt::render::domain", "");
        let sources = parsed(&[("portvakt::render", code), child]);
        let to_crate = |objection: &String| objection.contains("(by domain");
        assert!(!objections(&sources, &[], room).iter().any(to_crate), "{code}");
    }
}

#[test]
fn what_is_no_code_or_for_tests_alone_is_left_out() {
    for code in [
        "// crate::cli::run()\n/* use crate::cli; */ /// [`crate::cli`]\nstruct S;",
        "const TEXT: &str = \"crate::cli::run()\";",
        "#[cfg(test)] use crate::cli;",
        "#[cfg(test)] mod tests { use crate::cli; }",
        "#[cfg(test)] mod tests;",
        "pub(in crate::render) struct S;",
    ] {
        let tests = ("portvakt::render::tests", "use crate::cli;");
        let below = ("portvakt::render::tests::more", "use crate::cli;");
        let modules = [("portvakt::render", code), tests, below];
        let modules = if code.ends_with("tests;") { &modules[..] } else { &modules[..1] };
        assert_eq!(objections(&parsed(modules), &[], room), [""; 0], "{code}");
    }
}

#[test]
fn an_arrow_that_nothing_needs_is_found() {
    let sources = parsed(&[("portvakt::render", "use domain::Orgno;")]);
    assert_eq!(objections(&sources, &[("render", &["domain"])], room), [""; 0]);
    let found = objections(&sources, &[("render", &["cli", "domain"])], room);
    assert!(found[0].contains("no code needs render -> cli") && found.len() == 1, "{found:?}");
}

#[test]
fn circles_are_found_through_other_names() {
    let sources = parsed(&[
        ("domain", "pub use a::A; mod a; mod b; mod c; mod d;"),
        ("domain::a", "use super::d::D; pub struct A;"),
        ("domain::b", "use crate::A; pub(crate) struct B;"),
        ("domain::c", "fn f() -> super::b::B {}"),
        ("domain::d", "pub(crate) use super::c::f as D;"),
        ("portvakt::e", "use domain::A;"),
    ]);
    assert_eq!(circles(&sources), [["a", "b", "c"].map(|name| format!("domain::{name}.rs"))]);
}
