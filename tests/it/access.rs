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
fn nobody_has_access_to_a_scope_that_is_declared_inactive() {
    let world = World::new();
    world.settings("  tom:\n    target: sandbox\n");
    world.declare(&format!(
        "consumers:\n  bare_tom: {{ orgno: \"{KART}\", name: Kart, environments: [tom] }}\n\
         scopes: [{{ name: etat:a, description: Les, active: false, consumers: [\"{SKATT}\", bare_tom] }}]\n"
    ));
    let csv = access(&world, &["--declared", "--format", "csv"]).stdout;
    assert!(csv.contains(&format!("etat:a,{SKATT},,kept,")) && csv.contains(",false,"), "{csv}");
    let markdown = access(&world, &["--declared", "--format", "markdown"]).stdout;
    assert!(markdown.contains("has access once the scope is active"), "{markdown}");
    // A name of another environment is none here, and is explained.
    let ran = world.run(&["-e", "test", "access", "--declared", "--consumer", "bare_tom"]);
    assert_eq!(ran.code, 64, "{}", ran.stdout);
    assert!(ran.stderr.contains("'bare_tom' counts in tom, not in test"), "{}", ran.stderr);
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
}

#[test]
fn what_matches_nothing_is_an_error_with_a_suggestion() {
    let world = world();
    for (args, said) in [
        (["--consumer", "skatteetatn"], "did you mean `Skatteetaten`"),
        (["--consumer", "974760673"], "974760673 has no access to anything that is shown"),
        (
            ["--scope", "etat:aaa"],
            "no scope in what is shown is called 'etat:aaa'; did you mean `etat:aa`?",
        ),
        (["--client", "snyc"], "did you mean `sync`?"),
    ] {
        for live in [&[][..], &["--declared"]] {
            let ran = world.run(&[&["-e", "test", "access"], &args[..], live].concat());
            assert_eq!((ran.code, &*ran.stdout), (64, ""), "{args:?}: {}", ran.stderr);
            assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
        }
    }
    // An alias is declared for it, and it reaches nothing.
    world.write("a.yaml", "consumers: { digdir: { orgno: '313367002' } }\n");
    let ran = access(&world, &["--consumer", "digdir"]);
    assert!(ran.stdout.contains("0 accesses"), "{}", ran.stdout);
}

#[test]
fn an_open_scope_is_reached_by_all_in_every_format() {
    let world = world();
    for (scope, all, european) in [
        ("etat:o", true, false),
        ("etat:oe", true, true),
        ("etat:e", false, true),
        ("etat:c", true, true),
    ] {
        if scope != "etat:c" {
            world.put(scope, true, &[]);
        }
        world.sandbox.edit(|state| {
            let fields = &mut state.scopes.get_mut(&scope.parse().unwrap()).unwrap().fields;
            fields.insert("accessible_for_all".to_owned(), all.into());
            fields.insert("supports_european_businesses".to_owned(), european.into());
        });
    }
    let text = access(&world, &["--scope", "etat:o*", "--scope", "etat:e"]).stdout;
    for said in [
        "etat:e  test, open to European businesses\n  European businesses\n",
        "etat:o  test, open to all organisations\n  all organisations\n",
        "etat:oe  test, open to all organisations and European businesses\n  all organisations and European businesses\n",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    assert!(!text.contains("nobody"), "{text}");
    let document = listed(&world, &["--scope", "etat:[oe]*"]);
    let open: Vec<_> = document["scopes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["open"].as_str().unwrap())
        .collect();
    assert_eq!(open, ["european_businesses", "all", "all_and_european_businesses"]);
    let csv = access(&world, &["--format", "csv"]).stdout;
    for row in [
        "test,etat:o,,all organisations,open,,,,,,true,,\r\n",
        "test,etat:oe,,all organisations and European businesses,open,,,,,,true,,\r\n",
        "test,etat:e,,European businesses,open,,,,,,true,,\r\n",
    ] {
        assert!(csv.contains(row), "{row}\n{csv}");
    }
    // Nobody reaches a scope that is inactive or does not exist yet, whatever it is open to.
    assert!(!csv.contains("etat:c,,") && !csv.contains("etat:aa,,"), "{csv}");
    let markdown = access(&world, &["--format", "markdown"]).stdout;
    for said in [
        "- `etat:oe` in `test` is **open to all organisations and European businesses**\n",
        "- `etat:c` in `test` is **open to all organisations and European businesses**, but inactive\n",
        "- `etat:aa` in `test` is **open to all organisations**, but does not exist yet\n",
    ] {
        assert!(markdown.contains(said), "{said}\n{markdown}");
    }
    // Each organisation reaches them.
    let text = access(&world, &["--consumer", "skatteetaten"]).stdout;
    let all = "\nEvery organisation, without a grant\n  etat:o (test)\n  etat:oe (test)\n";
    assert!(text.contains(all) && !text.contains("etat:e "), "{text}");
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
        "has access once the scope is active",
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
