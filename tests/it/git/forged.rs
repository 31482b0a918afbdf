//! Records and lines that somebody with push access has forged, with content that no apply writes.

use serde_json::{Value, json};

use super::folders::{apply, two};
use super::life::{codes, scopes};
use super::protection::{applied, settings, signer, stay_open};
use super::put_back::{drop_all, push};
use super::remote::{Clone, Remote};
use crate::world::{SKATT, ids};

/// Pushes a changed record of the environment.
fn forge(remote: &Remote, clone: &Clone<'_>, place: &str, change: &dyn Fn(&mut Value)) {
    let mut record = remote.record();
    record["written_for"] = place.into();
    change(&mut record);
    let made = clone.made(&record, "HEAD");
    push(clone, &[&format!("{made}:refs/portvakt/{place}/record")]);
}

#[test]
fn what_is_no_id_of_a_commit_is_named_by_no_record() {
    let remote = Remote::new();
    let one = applied(&remote);
    let good = remote.record()["applied"].clone();
    let longer = format!("{}{}", one.head(), "0".repeat(24));
    let commits = [&"a".repeat(64), &longer, "$(touch x)", "HEAD", &one.head()[..7], "--all", ""];
    for commit in commits {
        let bad = || {
            let mut bad = good.clone();
            bad["commit"] = commit.into();
            bad
        };
        for (key, value) in
            [("applied", bad()), ("tried", json!([bad()])), ("protecting", json!([bad()]))]
        {
            for place in ["test", "annet"] {
                forge(&remote, &one, place, &|record| record[key] = value.clone());
                let text = one.ends(0, &["plan"]).stdout;
                assert!(
                    text.contains("names a commit by a text that is not a commit id"),
                    "{key}: {text}"
                );
                assert!(!text.contains("$(touch") && !text.contains("--all"), "{text}");
                let set: &[&str] = match place {
                    "test" => &[],
                    _ => &["--from-environment", "annet"],
                };
                one.ends(0, &[&["baseline", "set", "HEAD", "--yes"], set].concat());
                assert!(
                    !codes(&one.plan()).contains(&"PV409".to_owned()),
                    "{key} {place} {commit}"
                );
            }
        }
    }
}

#[test]
fn a_record_of_another_environment_does_not_count() {
    let remote = Remote::new();
    let one = remote.first();
    let text = settings(&one);
    let begin = text.replace("environments:\n", "environments:\n  annet: { target: sandbox }\n");
    one.write("portvakt.yaml", &format!("{begin}{}", super::protection::GUARDS));
    one.declare(&super::protection::protected());
    one.ends(0, &["-e", "test", "apply", "--auto-approve"]);
    forge(&remote, &one, "test", &|record| record["applied"]["environment"] = "annet".into());
    drop_all(&one);
    one.merge("Drop");
    let ran = one.ends(6, &["-e", "test", "apply", "--auto-approve"]);
    assert!(ran.stdout.contains("is recorded as applied from environment annet"), "{}", ran.stdout);
    stay_open(&remote, "another environment");
}

#[test]
fn a_record_of_another_folder_does_not_count() {
    let remote = Remote::new();
    let one = two(&remote);
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    let record = one.git(&["ls-remote", "origin", "refs/portvakt/@x/test/record"]);
    one.git(&["fetch", "--quiet", "origin", "refs/portvakt/@x/test/record"]);
    let mut record: Value = serde_json::from_str(&one.git(&[
        "log",
        "-1",
        "--format=%B",
        record.split('\t').next().unwrap(),
    ]))
    .unwrap();
    record["applied"]["folder"] = "y".into();
    let made = one.made(&record, "HEAD");
    push(&one, &[&format!("{made}:refs/portvakt/@x/test/record")]);
    one.write("y/scopes.yaml", "removed:\n  - { scope: etat:y, action: release }\n");
    one.merge("Release");
    apply(&one, "y");
    let plan: Value =
        serde_json::from_str(&one.ends(0, &["-C", "x", "plan", "--format", "json"]).stdout)
            .unwrap();
    assert_eq!(ids(&plan), [""; 0], "{plan:#}");
    assert!(codes(&plan).contains(&"PV409".to_owned()), "{plan:#}");
    assert_eq!(remote.world.open_to("etat:y").unwrap(), [SKATT]);
}

#[test]
fn a_record_that_says_what_no_apply_writes_is_none() {
    let remote = Remote::new();
    let one = applied(&remote);
    let changes: [(&str, Value, &str); 3] = [
        ("applied", Value::Null, "names no commit"),
        ("lost", "run `evil`".into(), "is not a record that this version of portvakt can read"),
        ("moved_to", "$(evil)".into(), "names a place that nobody could declare"),
    ];
    for (key, value, why) in changes {
        forge(&remote, &one, "test", &|record| record[key] = value.clone());
        if key == "applied" {
            push(&one, &[":refs/portvakt/test/applied"]);
        }
        let text = one.ends(0, &["plan"]).stdout;
        assert!(text.contains("PV409") && text.contains(why) && !text.contains("evil"), "{text}");
        one.ends(0, &["baseline", "set", "HEAD", "--yes"]);
    }
}

#[test]
fn what_a_forged_record_says_was_left_loses_no_protection() {
    for keeps_applied in [true, false] {
        let remote = Remote::new();
        let one = applied(&remote);
        forge(&remote, &one, "test", &|record| {
            let mut tried = record["applied"].clone();
            tried["left"] = json!([{ "scope": "etat:fast" }, { "scope": "etat:vern" }]);
            record["tried"] = json!([tried]);
            if !keeps_applied {
                record.as_object_mut().unwrap().remove("applied");
            }
        });
        if !keeps_applied {
            push(&one, &[":refs/portvakt/test/applied"]);
        }
        drop_all(&one);
        one.merge("Drop");
        one.run(&["apply", "--auto-approve"]);
        stay_open(&remote, &format!("keeps applied: {keeps_applied}"));
    }
}

#[test]
fn a_folder_that_a_link_leads_to_is_no_other() {
    let remote = Remote::new();
    let one = two(&remote);
    let text = settings(&remote.at(&one.path.join("x")));
    one.write("x/portvakt.yaml", &format!("project: tilgang\n{text}"));
    std::os::unix::fs::symlink("x", one.path.join("current")).unwrap();
    one.merge("Link");
    apply(&one, "x");
    let id = one.git(&["ls-remote", "origin", "refs/portvakt/@tilgang/test/record"]);
    one.git(&["fetch", "--quiet", "origin", "refs/portvakt/@tilgang/test/record"]);
    let message = one.git(&["log", "-1", "--format=%B", id.split('\t').next().unwrap()]);
    let record: Value =
        serde_json::from_str(&message.replace("\"folder\":\"x\"", "\"folder\":\"current\""))
            .unwrap();
    let made = one.made(&record, "HEAD");
    push(&one, &[&format!("{made}:refs/portvakt/@tilgang/test/record")]);
    one.ends(0, &["-C", "x", "baseline", "set", "HEAD", "--yes"]);
    apply(&one, "x");
}

#[test]
fn a_line_without_an_end_becomes_nobodys_signed_one() {
    let remote = Remote::new();
    let Some(sign) = signer(&remote) else { return };
    let one = remote.first();
    sign(&one, true);
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.apply();
    let mut report = one.history()[0].clone();
    report["report"] = "forged".into();
    let next = one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[SKATT])]));
    let forged = remote.beside("forged");
    std::fs::write(&forged, format!("{report}\r")).unwrap();
    let two = remote.another("two", &[]);
    two.git(&["fetch", "--quiet", "origin", "refs/notes/*:refs/notes/*"]);
    let blob = two.git(&["hash-object", "-w", &forged.to_string_lossy()]);
    two.git(&["notes", "--ref=refs/notes/portvakt/test", "add", "-C", &blob, &next]);
    push(&two, &["refs/notes/portvakt/test"]);
    one.apply();
    let shown = one.history();
    let forged: Vec<_> =
        shown.iter().filter(|it| it["report"] == "forged").map(|it| it["signed"].clone()).collect();
    assert_eq!(forged, [Value::Bool(false)], "{shown:#?}");
}

#[test]
fn a_ledger_of_another_environment_shows_nothing_here() {
    let remote = Remote::new();
    let one = remote.first();
    let text = settings(&one);
    let (before, block) = text.split_once("  test:\n").unwrap();
    one.write("portvakt.yaml", &format!("{before}  test:\n{block}  annet:\n{block}"));
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.ends(0, &["-e", "annet", "apply", "--auto-approve"]);
    one.git(&["fetch", "--quiet", "origin", "refs/notes/*:refs/notes/*"]);
    push(&one, &["refs/notes/portvakt/annet:refs/notes/portvakt/test"]);
    let ran = one.ends(0, &["-e", "test", "history", "--format", "json"]);
    assert_eq!(ran.stdout.trim(), "[]");
    assert!(ran.stderr.contains("it is of environment annet"), "{}", ran.stderr);
    let text = one.ends(0, &["-e", "test", "plan"]).stdout;
    assert!(!text.contains("PV409"), "{text}");
}
