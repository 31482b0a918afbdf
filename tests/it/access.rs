//! `portvakt access`: who can reach what, in every form.

mod page;

use domain::AccessState::{Approved, Denied, Requested};
use serde_json::{Value, json};

use crate::world::{DIGDIR, KART, Ran, SKATT, World};

/// Two scopes of a team and one that nobody declares, with every state of an access.
fn world() -> World {
    let world = World::new();
    world.settings(
        "  tom:\n    target: sandbox\nteams: { arbeid: { path: teams/arbeid, scopes: [\"etat:a*\"], clients: [sync] } }\n",
    );
    world.write(
        "consumers.yaml",
        format!(
            "consumers:\n  skatteetaten: {{ orgno: \"{SKATT}\", name: Skatteetaten }}\n  \
             kartverket: {{ orgno: \"{KART}\", name: \"=Kartverket\" }}\n\
             groups:\n  samarbeid: [kartverket]\n"
        ),
    );
    world.write(
        "teams/arbeid/a.yaml",
        "scopes:\n  - name: etat:a\n    description: Les\n    consumers:\n      - group: samarbeid\n      \
         - { consumer: skatteetaten, until: 2027-06-30, reason: SAK-1 }\n  \
         - { name: etat:aa, description: Alle, accessible_for_all: true }\n\
         clients:\n  - { name: sync, scopes: [etat:a] }\n",
    );
    world.put("etat:a", true, &[(SKATT, Approved), (DIGDIR, Approved)]);
    world.put("etat:b", true, &[(SKATT, Requested), (KART, Denied)]);
    world.put("etat:c", false, &[(KART, Approved)]);
    world.put_client("client-1", "sync", true, &["etat:a"]);
    world
}

fn access(world: &World, args: &[&str]) -> Ran {
    let args: Vec<_> = ["-e", "test", "access"].iter().chain(args).copied().collect();
    let ran = world.run(&args);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    ran
}

fn listed(world: &World, args: &[&str]) -> Value {
    let ran = access(world, &[&["--format", "json"], args].concat());
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Scope, consumer and state of each access.
fn states(document: &Value) -> Vec<String> {
    let text = |it: &Value, field: &str| it[field].as_str().unwrap().to_owned();
    let accesses = document["accesses"].as_array().unwrap();
    let of = |it| [text(it, "scope"), text(it, "consumer"), text(it, "state")].join(" ");
    accesses.iter().map(of).collect()
}

#[test]
fn every_access_is_listed_with_its_state_and_where_it_is_declared() {
    let world = world();
    let document = listed(&world, &[]);
    assert_eq!(
        states(&document),
        [
            format!("etat:a {KART} missing"),
            format!("etat:a {SKATT} granted"),
            format!("etat:a {DIGDIR} undeclared"),
            format!("etat:b {SKATT} requested"),
            format!("etat:c {KART} kept"),
        ]
    );
    let by_group = &document["accesses"][0];
    assert_eq!(by_group["group"], "samarbeid");
    assert_eq!(by_group["source"], json!({ "file": "teams/arbeid/a.yaml", "line": 5 }));
    let scopes = document["scopes"].as_array().unwrap();
    let open: Vec<_> = scopes.iter().map(|scope| (&scope["scope"], &scope["open"])).collect();
    assert_eq!(open[1], (&json!("etat:aa"), &json!("all")));
    assert_eq!(scopes[0]["team"], "arbeid");
    let clients = document["clients"].as_array().unwrap();
    let sync = clients.iter().find(|client| client["client"] == "sync").unwrap();
    assert_eq!(sync["scopes"], json!([{ "scope": "etat:a", "by": "own" }]));
    let schema: Value = serde_json::from_str(&world.run(&["schema", "access"]).stdout).unwrap();
    let errors: Vec<_> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&document)
        .map(|it| it.to_string())
        .collect();
    assert_eq!(errors, [""; 0]);
}

#[test]
fn an_organisation_is_named_by_number_alias_or_name() {
    let world = world();
    let expected = [format!("etat:a {SKATT} granted"), format!("etat:b {SKATT} requested")];
    for name in [SKATT, "skatteetaten", "Skatteetaten", "SKATTEETATEN"] {
        assert_eq!(states(&listed(&world, &["--consumer", name])), expected, "{name}");
    }
    let text = access(&world, &["--consumer", "skatteetaten"]).stdout;
    assert!(text.contains("etat:a (test)") && !text.contains("etat:c"), "{text}");
    let ran = world.run(&["-e", "test", "access", "--consumer", "skatteetatn"]);
    assert_eq!(ran.code, 64, "{}", ran.stderr);
    assert!(ran.stderr.contains("did you mean `Skatteetaten`"), "{}", ran.stderr);
}

#[test]
fn scopes_and_clients_are_chosen_by_globs() {
    let world = world();
    let document = listed(&world, &["--scope", "etat:b*"]);
    assert_eq!(states(&document), [format!("etat:b {SKATT} requested")]);
    let document = listed(&world, &["--client", "sync"]);
    assert_eq!(states(&document), [""; 0]);
    assert_eq!(document["clients"].as_array().unwrap().len(), 1);
}

#[test]
fn declarations_are_shown_offline_and_all_environments_side_by_side() {
    let world = world();
    let document = listed(&world, &["--declared", "--all-environments"]);
    assert_eq!(document["environments"], json!(["test", "tom"]));
    assert_eq!(document["source"], "declared");
    let declared = ["test", "tom"].iter().flat_map(|_| [KART, SKATT]);
    let declared: Vec<_> = declared.map(|it| format!("etat:a {it} declared")).collect();
    assert_eq!(states(&document), declared);
    assert_eq!(world.sandbox.exchanges().len(), 0);
    let live = listed(&world, &["--all-environments"]);
    assert_eq!(live["environments"], json!(["test", "tom"]));
}

#[test]
fn a_snapshot_shows_what_was_live() {
    let world = world();
    let ran = world.run(&["-e", "test", "snapshot", "--out", "live.json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let live = listed(&world, &[]);
    world.sandbox.edit(|state| state.accesses.clear());
    world.check_and_forget();
    let document = listed(&world, &["--snapshot", "live.json"]);
    assert_eq!(document["source"], "snapshot");
    assert_eq!(states(&document), states(&live));
    assert_eq!(world.sandbox.exchanges().len(), 0);
}

#[test]
fn what_nobody_uses_is_listed() {
    let world = world();
    world.put_client("client-2", "tom", true, &[]);
    let document = listed(&world, &["--unused"]);
    assert_eq!(states(&document), [""; 0]);
    let names = |list: &str, name: &str| {
        let list = document[list].as_array().unwrap();
        list.iter().map(|it| it[name].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // Somebody requests access to etat:b, etat:aa is open to all, and etat:c is inactive.
    assert_eq!(names("scopes", "scope"), [""; 0]);
    assert_eq!(names("clients", "client"), ["tom"]);
}

#[test]
fn a_spreadsheet_opens_the_accesses_and_runs_none_of_them() {
    let world = world();
    let csv = access(&world, &["--format", "csv"]).stdout;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!((columns.len(), rows.len()), (13, 5));
    assert_eq!(&rows[0][3], "'=Kartverket");
    assert_eq!((&rows[1][4], &rows[1][10]), ("granted", "true"));
    assert!(csv.lines().all(|line| !line.starts_with(['=', '+', '@'])), "{csv}");
}

#[test]
fn text_and_markdown_say_what_a_person_asks() {
    let world = world();
    let text = access(&world, &[]).stdout;
    for line in [
        "etat:a  test, team arbeid  teams/arbeid/a.yaml:2",
        "  971040238 =Kartverket ",
        "  declared, has no access yet, group samarbeid  teams/arbeid/a.yaml:5",
        "etat:aa  test, team arbeid, does not exist yet, open to all organisations",
        "etat:c  test, inactive",
        "has access again when the scope is reactivated",
        "5 accesses, 4 scopes, ",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let markdown = access(&world, &["--format", "markdown"]).stdout;
    assert!(
        markdown.contains("- `etat:aa` in `test` is **open to all organisations**"),
        "{markdown}"
    );
    assert!(
        markdown.contains("| `test` | `etat:b` | `974761076` `Skatteetaten` | requests access |"),
        "{markdown}"
    );
}
