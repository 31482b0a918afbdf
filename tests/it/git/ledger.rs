//! The ledger: person, action, time and reason.

use serde_json::Value;

use super::life::scopes;
use super::remote::Remote;
use crate::world::{KART, SKATT};

fn schema() -> jsonschema::Validator {
    let schema = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/report.schema.json"));
    let schema: Value = serde_json::from_slice(&schema.unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn history_is_reported_by_scope_consumer_and_client() {
    let remote = Remote::new();
    let (one, two) = (remote.first(), remote.another("two", &[]));
    assert_eq!(one.ends(0, &["history"]).stdout, "No apply is recorded for test.\n");
    let aliases = "consumers:\n  skatteetaten: { orgno: \"974761076\", name: Skatteetaten }\n";
    one.declare(&format!(
        "{aliases}scopes:\n  - name: etat:a\n    description: Les\n    consumers:\n      \
           - {{ consumer: skatteetaten, reason: SAK-1 }}\n"
    ));
    one.ends(0, &["apply", "--auto-approve", "--blame"]);
    one.declare(&format!(
        "{aliases}{}clients:\n  - {{ name: app, scopes: [\"etat:b\"] }}\n",
        scopes(&[("etat:a", &[]), ("etat:b", &[KART])])
    ));
    one.apply();
    // One apply that is refused in part, and one with a limit lifted.
    one.declare("removed:\n  - { scope: etat:b, action: deactivate, reason: avviklet }\n");
    one.write(
        "portvakt.yaml",
        &(one.git(&["show", "HEAD:portvakt.yaml"]) + "\nguards: { max_deactivations: 0 }\n"),
    );
    one.commit("Guard");
    one.ends(4, &["apply", "--auto-approve"]);
    assert_eq!(one.history().len(), 2, "what was refused before it began is no apply");
    one.ends(0, &["apply", "--auto-approve", "--override-guards", "SAK-9\u{1b}[31m"]);

    let all = two.ends(0, &["history", "--format", "json"]).stdout;
    let all: Vec<Value> = serde_json::from_str(&all).unwrap();
    assert_eq!(all.len(), 3);
    let validator = schema();
    for report in &all {
        let errors: Vec<_> = validator.iter_errors(report).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0]);
        assert_eq!((&report["outcome"], &report["environment"]), (&"done".into(), &"test".into()));
        assert_eq!(report["who"], "kari");
    }
    let grant = &all[2]["actions"][1];
    assert_eq!(
        (&grant["reason"], &grant["consumer_name"]),
        (&"SAK-1".into(), &"Skatteetaten".into())
    );
    assert_eq!(grant["source"]["blame"]["author"], "Kari <kari@etaten.example>");
    assert_eq!(all[0]["before"], all[1]["commit"]);
    let asked = |arguments: &[&str]| -> Vec<Vec<String>> {
        let ran = two.ends(0, &[&["history", "--format", "json"], arguments].concat());
        let reports: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
        let ids = |report: &Value| {
            let actions = report["actions"].as_array().unwrap().iter();
            actions.map(|action| action["id"].as_str().unwrap().to_owned()).collect()
        };
        reports.iter().map(ids).collect()
    };
    let grants = [vec!["revoke etat:a 974761076"], vec!["grant etat:a 974761076"]];
    assert_eq!(asked(&["--consumer", SKATT]), grants);
    assert_eq!(asked(&["--consumer", "skatteetaten"]), grants);
    assert_eq!(asked(&["--consumer", KART, "--scope", "etat:a"]), [[""; 0]; 0]);
    let of_kart = [vec!["revoke etat:b 971040238"], vec!["grant etat:b 971040238"]];
    for name in ["STATENS KARTVERK", "Statens kartverk"] {
        assert_eq!(asked(&["--consumer", name]), of_kart, "by its name at DigDir");
    }
    for (asked, message) in [
        (["--consumer", "skatteetatn"], "did you mean `Skatteetaten`"),
        (["--consumer", "974761077"], "did you mean `974761076`"),
        (["--consumer", "974761077"], "check digit"),
        (["--consumer", "991825827"], "is in no ledger"),
        (["--scope", "etat:bb"], "did you mean `etat:b`"),
        (["--client", "nei"], "no client in a ledger"),
    ] {
        let ran = two.ends(64, &[&["history"][..], &asked].concat());
        assert!(ran.stderr.contains(message), "{asked:?}: {}", ran.stderr);
    }
    let of_b = asked(&["--scope", "*:b"]);
    assert_eq!(of_b[0], ["revoke etat:b 971040238", "deactivate scope etat:b"]);
    assert_eq!(of_b[1], ["create scope etat:b", "grant etat:b 971040238"]);
    assert_eq!(asked(&["--client", "ap?"]), [["deactivate client app"], ["create client app"]]);
    let text = two.ends(0, &["history", "--scope", "etat:b"]).stdout;
    for message in ["by kari", "limits of guards lifted: SAK-9", "avviklet", "KARTVERK"] {
        assert!(text.contains(message), "{message}\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
    two.ends(64, &["history", "--scope", "["]);
}

#[test]
fn history_takes_aliases_and_shows_all_environments() {
    let remote = Remote::new();
    let one = remote.first();
    let settings = one.git(&["show", "HEAD:portvakt.yaml"]);
    one.write(".gitignore", ".portvakt\n");
    // The same alias is another organisation in another environment.
    one.write(
        "portvakt.yaml",
        &settings.replace("  test:", "  demo: { target: sandbox }\n  test:"),
    );
    let alias = |orgno, environment| {
        format!(
            "consumers: {{ skatt: {{ orgno: \"{orgno}\", name: Etat, environments: [{environment}] }} }}\n"
        )
    };
    one.declare(&format!(
        "{}---\n{}scopes: [{{ name: \"etat:a\", description: Les, consumers: [skatt] }}]\n",
        alias(SKATT, "test"),
        alias(KART, "demo")
    ));
    for environment in ["test", "demo"] {
        one.ends(0, &["-e", environment, "apply", "--auto-approve"]);
    }
    let asked = |args: &[&str]| {
        let ran = one.ends(0, &[args, &["--consumer", "skatt", "--format", "json"]].concat());
        let reports: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
        let of = |report: &Value| {
            let actions = report["actions"].as_array().unwrap();
            assert_eq!(actions.len(), 1);
            format!("{} {}", report["environment"], actions[0]["consumer"]).replace('"', "")
        };
        reports.iter().map(of).collect::<Vec<_>>()
    };
    let (test, demo) = (format!("test {SKATT}"), format!("demo {KART}"));
    let both = [demo, test];
    assert_eq!(asked(&["history"]), both);
    assert_eq!(asked(&["-e", "test", "history"]), both[1..]);
    assert_eq!(asked(&["-e", "test", "history", "--all-environments"]), both);
    let text = one.ends(0, &["history"]).stdout;
    assert!(text.contains("Z  demo  ") && text.contains("Z  test  "), "{text}");
    assert!(!one.ends(0, &["-e", "test", "history"]).stdout.contains("Z  test  "));
}

#[test]
fn notes_of_others_and_unreadable_lines_do_not_hide_the_ledger() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[])]));
    one.apply();
    one.git(&["notes", "--ref=refs/notes/portvakt/test", "append", "-m", "sett av revisor"]);
    one.git(&["push", "--quiet", "origin", "refs/notes/portvakt/test"]);
    let ran = one.ends(0, &["history", "--format", "json"]);
    assert!(ran.stderr.contains("left out"), "{}", ran.stderr);
    assert_eq!(serde_json::from_str::<Vec<Value>>(&ran.stdout).unwrap().len(), 1);
    one.write("declarations.yaml", &scopes(&[("etat:a", &[SKATT])]));
    one.merge("More");
    one.apply();
    assert_eq!(one.history().len(), 2);
    assert!(one.git(&["log", "--notes=portvakt/test", "-2"]).contains("sett av revisor"));
}
