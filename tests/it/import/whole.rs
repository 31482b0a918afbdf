//! A whole organisation, from the file of an embedded sandbox.

use std::fs;

use tempfile::TempDir;

use super::seed;
use crate::world::{Ran, program};

#[test]
fn an_organisation_of_ten_years_is_imported_and_nothing_is_left_to_do() {
    let folder = TempDir::new().unwrap();
    let settings = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/grown/portvakt.yaml");
    fs::copy(settings, folder.path().join("portvakt.yaml")).unwrap();
    fs::create_dir(folder.path().join(".portvakt")).unwrap();
    let state = seed::state(seed::SEED);
    let json = serde_json::to_string(&state).unwrap();
    fs::write(folder.path().join(".portvakt/sandbox.json"), json).unwrap();
    let run = |args: &[&str]| Ran::of(program().current_dir(folder.path()).args(args));
    let ran = run(&["import", "--rate", "100000"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stdout, @r"
    clients.yaml: 75 clients
    clients/annet.yaml: 9 clients
    consumers.yaml: 350 aliases, 8 groups
    etat.yaml: 37 scopes with 469 accesses
    etat/arbeid.yaml: 13 scopes with 177 accesses, 4 clients
    etat/barn.yaml: 14 scopes with 198 accesses, 4 clients
    etat/fullmakt.yaml: 15 scopes with 189 accesses, 5 clients
    etat/helse.yaml: 19 scopes with 159 accesses, 7 clients
    etat/hjelpemidler.yaml: 19 scopes with 301 accesses, 10 clients
    etat/okonomi.yaml: 15 scopes with 189 accesses
    etat/pensjon.yaml: 22 scopes with 279 accesses, 8 clients
    etat/post.yaml: 19 scopes with 259 accesses, 5 clients
    etat/register.yaml: 16 scopes with 215 accesses, 2 clients
    etat/sak.yaml: 9 scopes with 95 accesses, 2 clients
    etat/statistikk.yaml: 21 scopes with 341 accesses, 4 clients
    etat/velferd.yaml: 14 scopes with 173 accesses, 1 client
    gammel.yaml: 48 scopes with 598 accesses
    clients/keys/: 9 files with keys
    etat/keys/: 52 files with keys
    keys/: 59 files with keys
    Imported from sandbox: 281 scopes with 3642 accesses, 136 clients, 350 aliases, 8 groups, 120 files with keys
    ");
    let requests = ran.stderr.matches("asks for access").count();
    let others = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with("left out") && !line.contains("asks for access"));
    insta::assert_snapshot!(format!("{requests} requests\n{}", others.collect::<Vec<_>>().join("\n")), @r"
    29 requests
    left out: client portvakt (portvakt) in sandbox: it is the client that portvakt itself works with here: a change to it could lock it out
    left out: client prod-fss:annet:api-17 in sandbox: several active clients are called so (0ac132e1-009f-4000-8000-5546ac9858a3, 6d6c43ee-0000-4000-8000-ccbddca6c177, b0c71bdd-000c-4000-8000-af76a527f36f), as NAIS calls all of its own the same: they stay its own, or get a `clientName` in the application's manifest that no other has; deploy that, and run this again
    ");
    let plan = run(&["plan", "--rate", "100000"]);
    assert!(plan.stdout.contains("No changes."), "{}{}", plan.stdout, plan.stderr);
    let checked = run(&["validate"]);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
}
