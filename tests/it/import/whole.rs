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
    clients.yaml: 60 clients
    clients/annet.yaml: 3 clients
    consumers.yaml: 342 aliases, 12 groups
    etat.yaml: 37 scopes with 477 accesses
    etat/arbeid.yaml: 13 scopes with 73 accesses, 3 clients
    etat/barn.yaml: 14 scopes with 174 accesses, 4 clients
    etat/fullmakt.yaml: 15 scopes with 188 accesses, 6 clients
    etat/helse.yaml: 19 scopes with 274 accesses, 3 clients
    etat/hjelpemidler.yaml: 19 scopes with 243 accesses, 7 clients
    etat/okonomi.yaml: 15 scopes with 210 accesses
    etat/pensjon.yaml: 22 scopes with 299 accesses, 4 clients
    etat/post.yaml: 19 scopes with 277 accesses, 8 clients
    etat/register.yaml: 16 scopes with 283 accesses, 4 clients
    etat/sak.yaml: 9 scopes with 129 accesses, 3 clients
    etat/statistikk.yaml: 21 scopes with 239 accesses, 6 clients
    etat/velferd.yaml: 14 scopes with 147 accesses, 5 clients
    gammel.yaml: 48 scopes with 584 accesses
    clients/keys/: 3 files with keys
    etat/keys/: 53 files with keys
    keys/: 48 files with keys
    Imported from sandbox: 281 scopes with 3597 accesses, 116 clients, 342 aliases, 12 groups, 104 files with keys
    ");
    let requests = ran.stderr.matches("asks for access").count();
    let others = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with("left out") && !line.contains("asks for access"));
    insta::assert_snapshot!(format!("{requests} requests\n{}", others.collect::<Vec<_>>().join("\n")), @r"
    114 requests
    left out: client portvakt (portvakt) in sandbox: it is the client that portvakt itself works with here: a change to it could lock it out
    left out: client prod-fss:annet:api-17 in sandbox: several active clients are called so (097d951e-00a7-4000-8000-5c72afe481c7, 610b2f1f-007f-4000-8000-2eb9919f72a2, fa5650ef-0003-4000-8000-fc6f30a4c781), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web, unless they are NAIS's own
    left out: client prod-fss:hjelpemidler:api-27 in sandbox: several active clients are called so (2598f6bf-0091-4000-8000-a3330dc4162c, de65bd36-0012-4000-8000-4b1d6e78994d), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web, unless they are NAIS's own
    left out: client prod-fss:hjelpemidler:api-35 in sandbox: several active clients are called so (16de0a78-0014-4000-8000-4f2581f457ed, 67e99979-0093-4000-8000-cb14d871945c), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web, unless they are NAIS's own
    left out: client prod-fss:hjelpemidler:api-38 in sandbox: several active clients are called so (6d117637-0015-4000-8000-f9164f39deec, b0718196-0094-4000-8000-146353b369ab), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web, unless they are NAIS's own
    left out: client prod-fss:pensjon:api-13 in sandbox: several active clients are called so (e6cfb6e8-0019-4000-8000-58ac1ea41e7a, e70e73e7-0098-4000-8000-1f0770e78463), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web, unless they are NAIS's own
    left out: client prod-fss:register:api-36 in sandbox: several active clients are called so (3e334e58-002c-4000-8000-79f6076b94be, c22b9e36-00ab-4000-8000-e60714a93568), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web, unless they are NAIS's own
    left out: client prod-fss:sak:api-13 in sandbox: several active clients are called so (40783a50-00ac-4000-8000-2d5cc94cdd14, ab79b2a7-002d-4000-8000-f5d40094adcf), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web, unless they are NAIS's own
    left out: client prod-fss:sak:api-25 in sandbox: several active clients are called so (68786a62-002e-4000-8000-fcffc2e5a263, c80661ba-00ad-4000-8000-a3478eaa5b4e), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web, unless they are NAIS's own
    left out: client prod-fss:statistikk:api-12 in sandbox: several active clients are called so (629a7397-0030-4000-8000-3afd8b832df0, 9c63ac46-00af-4000-8000-dd04cabf6841), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web, unless they are NAIS's own
    left out: client prod-fss:statistikk:api-37 in sandbox: several active clients are called so (51b07252-0035-4000-8000-de01d1748554, c5af54c8-00b4-4000-8000-944c2adef970), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web, unless they are NAIS's own
    left out: client prod-gcp:annet:api-24 in sandbox: several active clients are called so (295b751c-0040-4000-8000-a14bdae92711, b2ceec5c-00bf-4000-8000-64546e7be43f), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web, unless they are NAIS's own
    left out: client prod-gcp:annet:api-39 in sandbox: several active clients are called so (2dceb1cf-00c1-4000-8000-157d944d23a5, e70cd66e-0042-4000-8000-b40a3abac4e8), and in a repository the name is what tells clients apart: rename all but one of them in DigDir's web, unless they are NAIS's own
    ");
    let plan = run(&["plan", "--detailed-exitcode", "--rate", "100000"]);
    assert_eq!(plan.code, 0, "{}{}", plan.stdout, plan.stderr);
    let checked = run(&["validate"]);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
}
