//! Entities that an apply activated and the next one is to deactivate, where reads lag behind writes.

use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use sandbox::{Fault, Switches};

use super::lag::{IMPATIENT, client, lag, made};
use super::life::scopes;
use super::remote::{Clone, Remote};
use crate::faults::rule;
use crate::world::{DIGDIR, OWNER, SKATT};

/// Waits longer than a write may stay hidden at most.
pub(super) const PATIENT: [&str; 4] = ["apply", "--auto-approve", "--patience", "7"];

/// Applies, and loses the end of the report: the ledger has as much as after a kill.
pub(super) fn killed(remote: &Remote, clone: &Clone<'_>) {
    remote.hook("all=$(cat); case $all in *refs/notes/*/lock*|*/lock*refs/notes/*) exit 1;; esac");
    clone.ends(6, &IMPATIENT);
    remote.no_hook();
    let report = clone.history().swap_remove(0);
    let actions = report["actions"].as_array().unwrap();
    assert!(actions.iter().all(|action| action["outcome"] == "unknown"), "{report:#}");
}

/// One change that is applied by a killed apply, and reverted before it is visible.
struct Change {
    /// Applied before, in order; the last one is what is declared again.
    before: Vec<String>,
    after: String,
    /// What the next apply waits for, and its actions then.
    waits_for: &'static str,
    closes: &'static str,
}

#[test]
fn what_a_killed_apply_opened_is_closed_by_the_next_one_of_a_later_commit() {
    let bare = || scopes(&[("etat:a", &[])]);
    let paused = || bare().replace("Les", "Les, active: false");
    let named = || "clients:\n  - name: a\n".to_owned();
    let changes = [
        Change {
            before: vec![String::new()],
            after: scopes(&[("etat:a", &[SKATT])]),
            waits_for: "create scope etat:a",
            closes: "deactivate etat:a",
        },
        Change {
            before: vec![bare(), paused()],
            after: bare(),
            waits_for: "reactivate scope etat:a",
            closes: "deactivate etat:a",
        },
        Change {
            before: vec![bare(), String::new()],
            after: bare(),
            waits_for: "reactivate scope etat:a",
            closes: "deactivate etat:a",
        },
        Change {
            before: vec![bare()],
            after: scopes(&[("etat:a", &[SKATT])]),
            waits_for: "grant etat:a 974761076",
            closes: "revoke etat:a 974761076",
        },
        Change {
            before: vec![String::new()],
            after: named(),
            waits_for: "create client a",
            closes: "deactivate client a",
        },
        Change {
            before: vec![named(), named().replace("a\n", "a\n    active: false\n")],
            after: named(),
            waits_for: "reactivate client a",
            closes: "deactivate client a",
        },
    ];
    std::thread::scope(|scope| {
        for change in changes {
            scope.spawn(move || taken_back(&change));
        }
    });
}

fn taken_back(Change { before, after, waits_for, closes }: &Change) {
    let remote = Remote::new();
    let one = remote.first();
    for before in before {
        one.declare(before);
        one.apply();
    }
    lag(&remote, 4);
    one.declare(after);
    killed(&remote, &one);
    let last = one.declare(before.last().unwrap());
    let ran = one.apply();
    let waits = format!("`{waits_for}` may have been done");
    assert!(ran.stderr.contains(&waits), "{waits_for}: {}", ran.stderr);
    let report = one.history().swap_remove(0);
    let ids = report["actions"].as_array().unwrap().iter().map(|action| action["id"].to_string());
    let closes = closes.replace("deactivate etat", "deactivate scope etat");
    assert!(ids.collect::<String>().contains(&closes), "{waits_for}: {report:#}");
    assert_eq!(remote.held("applied"), Some(last), "{waits_for}");
    assert_eq!(remote.tried(), [""; 0], "{waits_for}");
    lag(&remote, 0);
    assert_eq!(one.planned(), [""; 0], "{waits_for}");
    let is_open = match waits_for.split_once(" client ") {
        Some((_, client)) => remote.world.client(client).1.active,
        None if waits_for.starts_with("grant") => {
            remote.world.open_to("etat:a").is_some_and(|consumers| !consumers.is_empty())
        }
        None => remote.world.open_to("etat:a").is_some(),
    };
    assert!(!is_open, "{waits_for}");
}

#[test]
fn what_a_killed_apply_did_not_do_is_forgotten_once_it_had_the_time_to_be_shown() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[])]));
    let refused = Fault::Status { status: 400, retry_after: None };
    remote.world.sandbox.inject(rule(("POST", "/scopes"), 1, refused));
    killed(&remote, &one);
    let last = one.declare("");
    // Nobody has waited long enough to know.
    for patience in ["0", "1"] {
        let ran = one.ends(6, &["apply", "--auto-approve", "--patience", patience]);
        assert!(ran.stderr.contains("`create scope etat:a` may have been done"), "{}", ran.stderr);
        assert!(ran.stderr.contains("longer --patience"), "{}", ran.stderr);
        assert_eq!(remote.tried().len(), 1);
    }
    let ran = one.ends(0, &PATIENT);
    assert!(ran.stderr.contains("is still not shown, so it was hardly done"), "{}", ran.stderr);
    assert_eq!((remote.held("applied").as_ref(), remote.tried().len()), (Some(&last), 1));
    // Once it is too long ago to be invisible, no trace is left.
    let begun = one.history().into_iter().find(|report| report["outcome"] == "begun").unwrap();
    let began = begun["started"].as_str().unwrap().to_owned();
    let earlier = began.parse::<Timestamp>().unwrap() - SignedDuration::from_hours(7);
    one.git(&["checkout", "--quiet", "HEAD~1"]);
    replaced(&one, &began, &format!("{earlier:.3}"));
    one.git(&["checkout", "--quiet", "main"]);
    let ran = one.apply();
    assert!(!ran.stderr.contains("may have been done"), "{}", ran.stderr);
    assert_eq!((remote.held("applied"), remote.tried()), (Some(last), Vec::new()));
}

#[test]
fn what_is_shown_after_all_patience_is_closed_by_the_next_apply() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[])]));
    lag(&remote, 60);
    killed(&remote, &one);
    let last = one.declare("");
    one.ends(0, &PATIENT);
    assert!(remote.world.open_to("etat:a").is_some());
    lag(&remote, 0);
    one.apply();
    assert_eq!(remote.world.open_to("etat:a"), None);
    assert_eq!((remote.held("applied"), remote.tried()), (Some(last), Vec::new()));
}

#[test]
fn what_an_apply_opened_that_was_killed_after_a_long_time_is_closed() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[])]));
    lag(&remote, 8);
    killed(&remote, &one);
    let began = one.history()[0]["started"].as_str().unwrap().to_owned();
    let earlier = began.parse::<Timestamp>().unwrap() - SignedDuration::from_hours(2);
    replaced(&one, &began, &format!("{earlier:.3}"));
    one.declare("");
    one.apply();
    assert_eq!(remote.world.open_to("etat:a"), None);
}

#[test]
fn a_grant_that_is_not_shown_yet_is_not_forgotten() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[])]));
    one.apply();
    let granted = one.declare(&scopes(&[("etat:a", &[SKATT])]));
    lag(&remote, 30);
    one.ends(0, &IMPATIENT);
    let last = one.declare(&scopes(&[("etat:a", &[])]));
    let ran = one.ends(6, &["apply", "--auto-approve", "--patience", "1"]);
    assert!(ran.stderr.contains("`grant etat:a 974761076` was done"), "{}", ran.stderr);
    assert_eq!(remote.held("applied"), Some(granted));
    lag(&remote, 0);
    one.apply();
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [""; 0]);
    assert_eq!(remote.held("applied"), Some(last));
}

#[test]
fn what_was_not_shown_and_was_closed_since_is_waited_for_no_more() {
    let closed_by_hand = |remote: &Remote| {
        remote.world.sandbox.edit(|state| {
            state.scopes.values_mut().for_each(|scope| scope.active = false);
        });
    };
    for by_hand in [true, false] {
        let remote = Remote::new();
        let one = remote.first();
        let unseen = scopes(&[("etat:a", &[SKATT])]);
        one.declare(&unseen);
        lag(&remote, 30);
        one.ends(0, &IMPATIENT);
        lag(&remote, 0);
        if by_hand {
            closed_by_hand(&remote);
        }
        for yaml in ["", "# A later one.\n"] {
            let last = one.declare(yaml);
            let ran = one.ends(0, &IMPATIENT);
            assert!(!ran.stderr.contains("does not show it yet"), "{}", ran.stderr);
            assert_eq!(remote.held("applied"), Some(last));
            assert_eq!(remote.world.open_to("etat:a"), None);
        }
    }
}

#[test]
fn a_grant_that_was_not_shown_and_was_revoked_since_is_waited_for_no_more() {
    let remote = Remote::with(Switches { denied_hidden: true, ..Switches::default() });
    let one = remote.first();
    let bare = scopes(&[("etat:a", &[])]);
    one.declare(&bare);
    one.apply();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    let switches = Switches { denied_hidden: true, read_lag: 30_000, ..Switches::default() };
    remote.world.sandbox.set_switches(switches);
    one.ends(0, &IMPATIENT);
    remote.world.sandbox.set_switches(Switches { read_lag: 0, ..switches });
    for more in ["", "# A later one.\n"] {
        one.declare(&format!("{more}{bare}"));
        let ran = one.ends(0, &IMPATIENT);
        assert!(!ran.stderr.contains("does not show it yet"), "{}", ran.stderr);
    }
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [""; 0]);
}

#[test]
fn a_client_is_made_once_where_its_place_gets_another_name_meanwhile() {
    let moves: [fn(&Clone<'_>, &str) -> &'static str; 3] = [
        |one, settings| {
            one.write("portvakt.yaml", &settings.replace("  test:", "  dev:"));
            ""
        },
        |one, settings| {
            one.write("portvakt.yaml", &format!("project: annet\n{settings}"));
            ""
        },
        |one, _| {
            let files = ["portvakt.yaml", "declarations.yaml", "x.json"];
            std::fs::create_dir(one.path.join("under")).unwrap();
            for file in files {
                one.git(&["mv", file, &format!("under/{file}")]);
            }
            "under"
        },
    ];
    for (rename, what) in moves.into_iter().zip(["environment", "project", "folder"]) {
        let remote = Remote::new();
        let one = remote.first();
        let declared = client(&one);
        one.declare(&declared);
        lag(&remote, 60);
        one.ends(0, &IMPATIENT);
        let settings = std::fs::read_to_string(one.path.join("portvakt.yaml")).unwrap();
        let folder = rename(&one, &settings);
        one.merge("Rename");
        let place = remote.at(&one.path.join(folder));
        let ran = place.run(&IMPATIENT);
        assert!(ran.stdout.contains("make a second one"), "{what}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(made(&remote), 1, "{what}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "whoever reads the test's output must see what it left out"
)]
fn what_another_place_has_written_counts_only_where_it_could_be_this_one() {
    for (what, clients) in [("as it was", 1), ("organisation", 2), ("API", 2), ("unsigned", 2)] {
        let remote = Remote::new();
        let one = remote.first();
        one.declare(&client(&one));
        lag(&remote, 60);
        one.ends(0, &IMPATIENT);
        match what {
            "organisation" => replaced(&one, OWNER, DIGDIR),
            "API" => replaced(&one, "http://127", "http://128"),
            "unsigned" if !sign(&remote, &one) => {
                eprintln!("left out: ssh-keygen is not installed");
                continue;
            }
            _ => {}
        }
        let settings = std::fs::read_to_string(one.path.join("portvakt.yaml")).unwrap();
        one.write("portvakt.yaml", &settings.replace("  test:", "  dev:"));
        one.merge("Rename");
        let ran = one.run(&IMPATIENT);
        assert_eq!(made(&remote), clients, "{what}: {}{}", ran.stdout, ran.stderr);
    }
}

/// Rewrites the ledger of the commit that is checked out.
fn replaced(one: &Clone<'_>, from: &str, to: &str) {
    let of = ["notes", "--ref=refs/notes/portvakt/test"];
    one.git(&["fetch", "--quiet", "--force", "origin", "refs/notes/*:refs/notes/*"]);
    let note = one.git(&[of.as_slice(), &["show", "HEAD"]].concat());
    assert!(note.contains(from), "{note}");
    let note = note.replace(from, to);
    one.git(&[of.as_slice(), &["add", "-f", "-m", &note, "HEAD"]].concat());
    one.git(&["push", "--quiet", "origin", "refs/notes/portvakt/test"]);
}

/// Configures signing and verification from now on; `false` where that is not possible here.
fn sign(remote: &Remote, clone: &Clone<'_>) -> bool {
    let key = remote.beside("signing");
    let arguments = ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", &key.to_string_lossy()];
    let Ok(made) = Command::new("ssh-keygen").args(arguments).status() else { return false };
    assert!(made.success());
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let allowed = remote.beside("allowed");
    std::fs::write(&allowed, format!("kari@etaten.example {public}")).unwrap();
    for (name, value) in [
        ("gpg.ssh.allowedSignersFile", &*allowed.to_string_lossy()),
        ("gpg.format", "ssh"),
        ("user.signingKey", &*key.to_string_lossy()),
        ("commit.gpgsign", "true"),
    ] {
        clone.git(&["config", name, value]);
    }
    true
}
