//! A whole organisation, from the file of an embedded sandbox.

use std::fs;

use tempfile::TempDir;

use super::seed;
use crate::world::{OWNER, Ran, program};

#[test]
fn an_organisation_of_ten_years_is_imported_and_nothing_is_left_to_do() {
    let folder = TempDir::new().unwrap();
    let settings = format!(
        "organization: {{ orgno: \"{OWNER}\", name: Etaten }}\nprefixes: [etat, gammel]\n\
         environments: {{ sandbox: {{ target: sandbox }} }}\n\
         defaults: {{ scope: {{ allowed_integration_types: [maskinporten], at_max_age: 30 }} }}\n"
    );
    fs::write(folder.path().join("portvakt.yaml"), settings).unwrap();
    fs::create_dir(folder.path().join(".portvakt")).unwrap();
    let state = seed::state(7);
    let json = serde_json::to_string(&state).unwrap();
    fs::write(folder.path().join(".portvakt/sandbox.json"), json).unwrap();
    let run = |args: &[&str]| Ran::of(program().current_dir(folder.path()).args(args));
    let ran = run(&["import", "--rate", "100000"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stdout, @r"
    clients.yaml: 75 clients
    clients/annet.yaml: 9 clients
    consumers.yaml: 349 aliases, 16 groups
    etat.yaml: 37 scopes with 481 accesses
    etat/arbeid.yaml: 13 scopes with 162 accesses, 4 clients
    etat/barn.yaml: 14 scopes with 186 accesses, 5 clients
    etat/fullmakt.yaml: 15 scopes with 193 accesses, 4 clients
    etat/helse.yaml: 19 scopes with 188 accesses, 6 clients
    etat/hjelpemidler.yaml: 19 scopes with 257 accesses, 12 clients
    etat/okonomi.yaml: 15 scopes with 162 accesses
    etat/pensjon.yaml: 22 scopes with 246 accesses, 7 clients
    etat/post.yaml: 19 scopes with 280 accesses, 4 clients
    etat/register.yaml: 16 scopes with 179 accesses, 3 clients
    etat/sak.yaml: 9 scopes with 162 accesses, 2 clients
    etat/statistikk.yaml: 21 scopes with 338 accesses, 3 clients
    etat/velferd.yaml: 14 scopes with 168 accesses, 2 clients
    gammel.yaml: 48 scopes with 654 accesses
    clients/keys/: 9 files with keys
    etat/keys/: 52 files with keys
    keys/: 59 files with keys
    Imported from sandbox: 281 scopes with 3656 accesses, 136 clients, 349 aliases, 16 groups, 120 files with keys
    ");
    let requests = ran.stderr.matches("asks for access").count();
    let others = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with("left out") && !line.contains("asks for access"));
    insta::assert_snapshot!(format!("{requests} requests\n{}", others.collect::<Vec<_>>().join("\n")), @r"
    25 requests
    left out: client Test 5 in sandbox: several active clients are called so (9573d99a-0005-4000-8000-b09c97ea5b1e, fe5fab57-0069-4000-8000-5d804114d12f), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web, unless they are NAIS's own
    left out: client portvakt (portvakt) in sandbox: it is the client that portvakt itself works with here: a change to it could lock it out
    left out: client prod-fss:annet:api-17 in sandbox: several active clients are called so (0ac132e1-00a2-4000-8000-5546ac9858a3, a5273738-0003-4000-8000-6d6c43ee4524, b0c71bdd-000f-4000-8000-af76a527f36f), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web, unless they are NAIS's own
    ");
    let plan = run(&["plan", "--detailed-exitcode", "--rate", "100000"]);
    assert_eq!(plan.code, 0, "{}{}", plan.stdout, plan.stderr);
    let checked = run(&["validate"]);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
}
