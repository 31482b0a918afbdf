//! Objects of git that somebody has made excessively large.

use super::life::scopes;
use super::remote::{Clone, Remote};
use crate::world::SKATT;

/// A tree with that many levels around another one, made by hand: git itself refuses.
fn deep(clone: &Clone<'_>, depth: usize, name: &str, inner: &str) -> String {
    let repository = git2::Repository::open(&clone.path).unwrap();
    let mut tree = git2::Oid::from_str(inner).unwrap();
    for _ in 0..depth {
        let mut builder = repository.treebuilder(None).unwrap();
        builder.insert(name, tree, 0o040_000).unwrap();
        tree = builder.write().unwrap();
    }
    tree.to_string()
}

/// The tree of a commit with additional entries: names, modes, objects.
fn with(clone: &Clone<'_>, more: &[(&str, i32, &str)]) -> String {
    let repository = git2::Repository::open(&clone.path).unwrap();
    let head = repository.head().unwrap().peel_to_tree().unwrap();
    let mut builder = repository.treebuilder(Some(&head)).unwrap();
    for (name, mode, oid) in more {
        builder.insert(*name, git2::Oid::from_str(oid).unwrap(), *mode).unwrap();
    }
    builder.write().unwrap().to_string()
}

const TREE: i32 = 0o040_000;
const FILE: i32 = 0o100_644;

/// An excessive base and its message; none may crash the program.
type Made = fn(&Clone<'_>) -> String;

const MADE: [(&str, &str, Made); 6] = [
    ("deep", "folders one in another", |clone| {
        let deep = deep(clone, 20_000, "d", &clone.git(&["rev-parse", "HEAD^{tree}"]));
        commit(clone, &with(clone, &[("a", TREE, &deep)]), "Deep")
    }),
    ("many times the same folder", "more files and folders", |clone| {
        let repository = git2::Repository::open(&clone.path).unwrap();
        let mut tree = repository.treebuilder(None).unwrap().write().unwrap();
        for _ in 0..12 {
            let mut builder = repository.treebuilder(None).unwrap();
            for name in 0..16 {
                builder.insert(name.to_string(), tree, TREE).unwrap();
            }
            tree = builder.write().unwrap();
        }
        commit(clone, &with(clone, &[("a", TREE, &tree.to_string())]), "Bomb")
    }),
    ("a folder of many files", "a folder with more files", |clone| {
        let blob = clone.git(&["hash-object", "-w", "portvakt.yaml"]);
        let blob = git2::Oid::from_str(&blob).unwrap();
        let entry = |n| [format!("100644 {n:07}\0").as_bytes(), blob.as_bytes()].concat();
        let entries: Vec<u8> = (0..600_000).flat_map(entry).collect();
        let repository = git2::Repository::open(&clone.path).unwrap();
        let tree = repository.odb().unwrap().write(git2::ObjectType::Tree, &entries).unwrap();
        let tree = tree.to_string();
        commit(clone, &with(clone, &[("m", TREE, &tree)]), "Wide")
    }),
    ("a large file", "a larger file", |clone| {
        std::fs::write(clone.path.join("large"), " ".repeat(64 << 20)).unwrap();
        let blob = clone.git(&["hash-object", "-w", "large"]);
        std::fs::remove_file(clone.path.join("large")).unwrap();
        commit(clone, &with(clone, &[("large.yaml", FILE, &blob)]), "Large")
    }),
    ("a long path", "a longer path", |clone| {
        let deep = deep(clone, 200, &"n".repeat(250), &clone.git(&["rev-parse", "HEAD^{tree}"]));
        commit(clone, &with(clone, &[("a", TREE, &deep)]), "Long")
    }),
    ("a large message", "a larger message", |clone| {
        let tree = clone.git(&["rev-parse", "HEAD^{tree}"]);
        commit(clone, &tree, &"x".repeat(100 << 20))
    }),
];

fn commit(clone: &Clone<'_>, tree: &str, message: &str) -> String {
    let path = clone.path.join("message");
    std::fs::write(&path, message).unwrap();
    let parent = clone.head();
    let made = clone.git(&["commit-tree", tree, "-p", &parent, "-F", "message"]);
    std::fs::remove_file(path).unwrap();
    made
}

#[test]
fn a_commit_that_is_too_much_is_an_error_that_says_so() {
    for (what, said, made) in MADE {
        let remote = Remote::new();
        let one = remote.first();
        one.declare(&scopes(&[("etat:a", &[SKATT])]));
        // git itself takes long to push such a tree.
        one.git(&["remote", "remove", "origin"]);
        let base = made(&one);
        let ran = one.ends(0, &["plan", "--base", &base, "--format", "json"]);
        let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert!(plan["base"].is_null(), "{what}: {plan:#}");
        let notices = plan["notices"].to_string();
        assert!(notices.contains(said), "{what}: {notices}");
        // The same commit as the last applied one, and as one to roll back to.
        one.git(&["update-ref", "refs/portvakt/test/applied", &base]);
        one.git(&["update-ref", "refs/portvakt/test/record", &remote.recorded(&one, &base)]);
        let notices = one.plan()["notices"].to_string();
        assert!(notices.contains(said), "{what}: {notices}");
        let ran = one.ends(1, &["drift"]);
        assert!(ran.stderr.contains(said), "{what}: {}", ran.stderr);
        let ran = one.ends(1, &["rollback", &base]);
        assert!(ran.stderr.contains(said), "{what}: {}", ran.stderr);
    }
}

#[test]
fn a_long_way_to_a_file_with_keys_leads_nowhere() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare("clients:\n  - { name: app, scopes: [], jwks: a/keys.json }\n");
    // A link whose target has as many folders as fit into a file, all of which exist.
    let far = "d/".repeat(20_000);
    let deep = deep(&one, 20_000, "d", &one.git(&["rev-parse", "HEAD^{tree}"]));
    one.write("target", &format!("{far}portvakt.yaml"));
    let link = one.git(&["hash-object", "-w", "target"]);
    let repository = git2::Repository::open(&one.path).unwrap();
    let mut builder = repository.treebuilder(None).unwrap();
    builder.insert("keys.json", git2::Oid::from_str(&link).unwrap(), 0o120_000).unwrap();
    builder.insert("d", git2::Oid::from_str(&deep).unwrap(), TREE).unwrap();
    let folder = builder.write().unwrap().to_string();
    let settings = std::fs::read_to_string(one.path.join("portvakt.yaml")).unwrap();
    one.write("portvakt.yaml", &format!("{settings}exclude: [a/d]\n"));
    std::fs::remove_file(one.path.join("target")).unwrap();
    one.commit("Exclude");
    let base = commit(&one, &with(&one, &[("a", TREE, &folder)]), "Link");
    let ran = one.run(&["plan", "--base", &base, "--format", "json"]);
    assert!([0, 3].contains(&ran.code), "{} {}", ran.code, ran.stderr);
}

#[test]
fn notes_that_are_too_large_are_left_out_and_not_added_to() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.apply();
    one.merge("Another");
    std::fs::write(one.path.join("note"), "x".repeat(65 << 20)).unwrap();
    let notes = "--ref=refs/notes/portvakt/test";
    one.git(&["fetch", "--quiet", "origin", "+refs/notes/portvakt/*:refs/notes/portvakt/*"]);
    let head = one.head();
    one.git(&["notes", notes, "add", "-F", "note", &head]);
    std::fs::remove_file(one.path.join("note")).unwrap();
    one.git(&["push", "--quiet", "--force", "origin", "refs/notes/portvakt/test"]);
    let ran = one.ends(0, &["history", "--format", "json"]);
    assert!(ran.stderr.contains("too large"), "{}", ran.stderr);
    let reports: Vec<serde_json::Value> = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(reports.len(), 1);
    one.write("declarations.yaml", &scopes(&[("etat:a", &[])]));
    one.git(&["commit", "--quiet", "--amend", "-a", "-m", "Another"]);
    one.git(&["push", "--quiet", "--force", "origin", "HEAD"]);
    one.apply();
}
