//! The lock: its holder, its expiry, and two applies at once.

use std::process::Child;

use domain::AccessState::Approved;
use jiff::{SignedDuration, Timestamp};
use sandbox::{Exchange, Fault, Method, Switches};
use serde_json::json;

use super::life::scopes;
use super::remote::{Clone, Remote, git, ran, signal, until};
use crate::faults::rule;
use crate::renewal::{days, give_keys};
use crate::world::{KART, SKATT};

/// A commit of a lock with this message.
fn lock_commit(clone: &Clone<'_>, message: &str) -> String {
    let tree = clone.git(&["hash-object", "-t", "tree", "-w", "/dev/null"]);
    clone.git(&["commit-tree", &tree, "-m", message])
}

/// Puts a lock with this message on the remote.
fn put_lock(clone: &Clone<'_>, message: &str) -> String {
    let commit = lock_commit(clone, message);
    let push = format!("{commit}:refs/portvakt/test/lock");
    clone.git(&["push", "--quiet", "--force", "origin", &push]);
    commit
}

/// The message of a lock that was last renewed that many minutes ago.
fn held_for(minutes: i64) -> String {
    let at = |minutes| Timestamp::now() + SignedDuration::from_mins(minutes);
    let (since, expires) = (at(-minutes), at(10 - minutes));
    json!({
        "format_version": 1, "id": "0b0c", "who": "ola", "place": "https://ci.example/7",
        "since": since, "expires": expires,
    })
    .to_string()
}

#[test]
fn the_lock_of_another_is_respected_shown_and_broken() {
    let remote = Remote::new();
    let (one, two) = (remote.first(), remote.another("two", &[]));
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    let lock = put_lock(&two, &held_for(3));
    let ran = one.ends(5, &["apply", "--auto-approve"]);
    for output in ["ola", "https://ci.example/7", "since 20", "unlock"] {
        assert!(ran.stderr.contains(output), "{output}: {}", ran.stderr);
    }
    assert_eq!(remote.world.sent(), [""; 0]);
    assert_eq!(one.planned().len(), 2, "a plan needs no lock");
    let ran = one.ends(4, &["unlock"]);
    assert!(ran.stdout.contains("held by ola at https://ci.example/7"), "{}", ran.stdout);
    assert_eq!(remote.held("lock"), Some(lock));
    one.ends(0, &["unlock", "--yes"]);
    assert_eq!(remote.held("lock"), None);
    assert!(one.ends(0, &["unlock"]).stdout.contains("Nobody"));
    one.apply();
}

#[test]
fn a_profile_that_cannot_be_read_leaves_no_lock() {
    let remote = Remote::new();
    let one = remote.first();
    remote.world.settings("    profile: missing.json\n");
    one.commit("Name a profile");
    one.ends(1, &["apply", "--auto-approve"]);
    assert_eq!(remote.held("lock"), None);
}

#[test]
fn keys_are_renewed_under_the_lock() {
    let remote = Remote::new();
    let (one, two) = (remote.first(), remote.another("two", &[]));
    give_keys(&remote.world, 10);
    one.commit("Declare a client");
    put_lock(&two, &held_for(3));
    one.ends(5, &["keys", "renew", "x"]);
    assert!(days(&remote.world, "gammel") < 11);
    one.ends(0, &["unlock", "--yes"]);
    one.ends(0, &["keys", "renew", "x"]);
    assert!(days(&remote.world, "gammel") > 360);
    assert_eq!(remote.held("lock"), None);
}

/// An object that can be pushed in place of a lock, and the name of the ref.
type Planted = fn(&Clone<'_>) -> String;

const PLANTED: [(&str, &str, Planted); 13] = [
    ("a blob", "lock", |clone| clone.git(&["hash-object", "-w", "portvakt.yaml"])),
    ("a tree", "lock", |clone| clone.git(&["rev-parse", "HEAD^{tree}"])),
    ("a tag", "lock", |clone| {
        clone.git(&["tag", "-f", "-a", "-m", &held_for(0), "lock"]);
        clone.git(&["rev-parse", "lock"])
    }),
    ("a commit of ours", "lock", |clone| clone.head()),
    ("a commit that says nothing", "lock", |clone| lock_commit(clone, "no lock of ours")),
    ("a commit that says half of it", "lock", |clone| lock_commit(clone, r#"{"who":"ola"}"#)),
    ("a large commit", "lock", |clone| {
        std::fs::write(clone.path.join("message"), "x".repeat(3 << 20)).unwrap();
        let tree = clone.git(&["rev-parse", "HEAD^{tree}"]);
        clone.git(&["commit-tree", &tree, "-F", "message"])
    }),
    ("a ref below it", "lock/x", |clone| clone.head()),
    ("a ref below the applied commit", "applied/x", |clone| clone.head()),
    ("a ref below the record", "record/x/y", |clone| clone.head()),
    ("a ref below the ledger", "../../notes/portvakt/test/x", |clone| clone.head()),
    ("a ref above it", "", |clone| clone.head()),
    ("a ref above all", "..", |clone| clone.head()),
];

#[test]
fn whatever_is_in_the_place_of_the_lock_is_shown_and_broken() {
    for is_shared in [true, false] {
        // No host accepts a ref above all others.
        let planted = PLANTED.into_iter().filter(|(_, name, _)| !is_shared || *name != "..");
        for (what, name, planted) in planted {
            let remote = Remote::new();
            let one = remote.first();
            one.declare(&scopes(&[("etat:a", &[SKATT])]));
            let oid = planted(&one);
            std::fs::remove_file(one.path.join("message")).unwrap_or_default();
            let name = match name {
                ".." => "refs/portvakt".to_owned(),
                name if name.starts_with("../../") => name.replace("../..", "refs"),
                name => format!("refs/portvakt/test/{name}").trim_end_matches('/').to_owned(),
            };
            match is_shared {
                true => drop(one.git(&["push", "--quiet", "origin", &format!("{oid}:{name}")])),
                false => {
                    one.git(&["remote", "remove", "origin"]);
                    one.git(&["update-ref", &name, &oid]);
                }
            }
            // Another clone has never fetched it.
            let clone = match is_shared {
                true => remote.another("two", &["--depth", "1"]),
                false => remote.at(&one.path),
            };
            assert_eq!(clone.planned().len(), 2, "{what}: a plan needs no lock");
            assert!(clone.ends(0, &["history"]).stdout.contains("No apply is recorded"), "{what}");
            let ran = clone.ends(5, &["apply", "--auto-approve"]);
            for text in ["held by unknown: ", "portvakt unlock"] {
                assert!(ran.stderr.contains(text), "{what}: {}", ran.stderr);
            }
            assert_eq!(remote.world.sent(), [""; 0], "{what}");
            let ran = clone.ends(4, &["unlock"]);
            assert!(ran.stdout.contains("held by unknown: "), "{what}: {}", ran.stdout);
            clone.ends(0, &["unlock", "--yes"]);
            assert!(clone.ends(0, &["unlock"]).stdout.contains("Nobody"), "{what}");
            clone.apply();
        }
    }
}

#[test]
fn a_killed_process_that_holds_refs_is_reported_with_the_files_to_delete() {
    let remote = Remote::new();
    let one = remote.first();
    one.git(&["remote", "remove", "origin"]);
    one.write("declarations.yaml", &scopes(&[("etat:a", &[SKATT])]));
    one.commit("Declare");
    let held = ["refs/notes/portvakt/test.lock", "refs/portvakt/test/record.lock"];
    for (number, all) in [&held[..1], &held[1..], &held].into_iter().enumerate() {
        let files = all.iter().map(|file| one.path.join(".git").join(file));
        let files: Vec<_> = files.collect();
        for file in &files {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        let ran = one.run(&["apply", "--auto-approve"]);
        assert_eq!((ran.code, remote.world.sent().len()), (1, 0), "{number}: {}", ran.stderr);
        for file in &files {
            let is_named = ran.stderr.contains(&file.display().to_string());
            assert!(is_named, "{number}: {}", ran.stderr);
            std::fs::remove_file(file).unwrap();
        }
    }
    one.apply();
    assert_eq!(one.planned(), [""; 0]);
}

#[test]
fn a_lock_that_seems_to_have_ended_is_watched() {
    let remote = Remote::new();
    let (one, two) = (remote.first(), remote.another("two", &[]));
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    put_lock(&one, &held_for(9));
    one.ends(5, &["apply", "--auto-approve"]);
    let watched = |minutes: i64| {
        let lock = put_lock(&two, &held_for(minutes));
        let mut child = one.process(&["apply", "--auto-approve"]);
        let mut child = child.spawn().unwrap();
        let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
        assert!(line.contains("seems to have ended"), "{line}");
        (child, stderr, lock)
    };
    // A signal ends the wait at once, and leaves the lock alone.
    let (mut child, _stderr, lock) = watched(11);
    signal("-INT", &child.id().to_string());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(remote.held("lock"), Some(lock));
    // Its holder is alive: the clocks differ by a quarter of an hour.
    let (mut child, mut stderr, _) = watched(15);
    let renewed = put_lock(&two, &held_for(15));
    assert_eq!(child.wait().unwrap().code(), Some(5));
    let mut output = String::new();
    std::io::Read::read_to_string(&mut stderr, &mut output).unwrap();
    assert!(output.contains("held by ola"), "{output}");
    assert_eq!(remote.held("lock"), Some(renewed));
    assert_eq!(remote.world.sent(), [""; 0]);
    // A released lock is free.
    let (mut child, _stderr, _) = watched(15);
    two.ends(0, &["unlock", "--yes"]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!((remote.held("applied"), remote.held("lock")), (Some(one.head()), None));
}

/// Starts an apply and waits until it has sent its first write, which is postponed for a second.
fn in_the_middle(remote: &Remote, clone: &Clone<'_>) -> Child {
    let put_off = Fault::Status { status: 429, retry_after: Some(1) };
    remote.world.sandbox.inject(rule(("PUT", "/scopes/access/"), 1, put_off));
    let apply = ["apply", "--auto-approve", "--concurrency", "1"];
    let mut child = clone.process(&apply).spawn().unwrap();
    let struck =
        || remote.world.sandbox.exchanges().iter().any(|exchange| exchange.fault.is_some());
    until("the first write", || struck() || child_has_ended(&mut child));
    child
}

fn child_has_ended(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_some()
}

#[test]
fn a_signal_gives_the_lock_back() {
    for to in ["-INT", "-TERM"] {
        let remote = Remote::with(Switches { latency: 200, ..Switches::default() });
        let one = remote.first();
        one.declare(&scopes(&[("etat:a", &[SKATT, KART])]));
        // During planning.
        let child = one.process(&["apply", "--auto-approve"]).spawn().unwrap();
        until("a call", || !remote.world.sandbox.exchanges().is_empty());
        assert!(remote.held("lock").is_some());
        signal(to, &child.id().to_string());
        let ended = ran(child.wait_with_output().unwrap());
        assert_eq!((ended.code, remote.held("lock")), (130, None), "{to}: {}", ended.stderr);
        assert_eq!((remote.held("ledger"), remote.world.sent().len()), (None, 0));
        // During the apply; the signal is sent to the whole group, as at a terminal.
        remote.world.sandbox.set_switches(Switches::default());
        let child = in_the_middle(&remote, &one);
        signal(to, &format!("-{}", child.id()));
        let ended = ran(child.wait_with_output().unwrap());
        assert_eq!((ended.code, remote.held("lock")), (130, None), "{to}: {}", ended.stderr);
        assert_eq!(remote.held("applied"), None);
        let report = &one.history()[0];
        assert_eq!(report["outcome"], "interrupted");
        let outcomes: Vec<_> =
            report["actions"].as_array().unwrap().iter().map(|action| &action["outcome"]).collect();
        assert_eq!(outcomes, ["done", "done", "not_started"], "{to}");
        one.apply();
        assert_eq!(remote.held("applied"), Some(one.head()));
    }
}

#[test]
fn a_signal_that_reaches_git_too_does_not_lose_the_report() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    let (came, go) = (remote.beside("came"), remote.beside("go"));
    let (there, wait) = (came.display(), go.display());
    remote.hook(&format!(
        "grep -q /applied || exit 0\ntouch {there}\nwhile [ ! -e {wait} ]; do sleep 0.01; done"
    ));
    let child = one.process(&["apply", "--auto-approve"]).spawn().unwrap();
    until("the last push", || came.exists());
    signal("-INT", &format!("-{}", child.id()));
    std::fs::write(&go, "").unwrap();
    let ended = ran(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 0, "all was done: {}", ended.stderr);
    assert_eq!((remote.held("applied"), remote.held("lock")), (Some(one.head()), None));
    assert_eq!(one.history()[0]["outcome"], "done");
}

#[test]
fn a_lock_that_is_broken_meanwhile_does_not_cost_the_report() {
    let remote = Remote::new();
    let (one, two) = (remote.first(), remote.another("two", &[]));
    for atomic in ["true", "false"] {
        git(&remote.path(), &["config", "receive.advertiseAtomic", atomic]);
        let name = format!("etat:{atomic}");
        one.declare(&scopes(&[(&name, &[SKATT])]));
        let before = remote.held("applied");
        let child = in_the_middle(&remote, &one);
        two.ends(0, &["unlock", "--yes"]);
        let other = put_lock(&two, &held_for(0));
        let ended = ran(child.wait_with_output().unwrap());
        assert_eq!(ended.code, 6, "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains("lock"), "{}", ended.stderr);
        assert_eq!(remote.held("lock"), Some(other), "the other's lock is left alone");
        assert_eq!(remote.held("applied"), before, "it is not told that it is applied");
        let history = one.history();
        let of_it: Vec<_> =
            history.iter().filter(|report| report["commit"] == *one.head()).collect();
        assert_eq!(of_it.len(), 1, "{of_it:#?}");
        assert_eq!(of_it[0]["outcome"], "done", "what was done is known");
        one.ends(0, &["unlock", "--yes"]);
        one.apply();
        assert_eq!(remote.held("applied"), Some(one.head()));
        remote.world.check_and_forget();
    }
}

#[test]
fn a_write_that_is_put_off_is_not_sent_again_once_the_lock_is_lost() {
    let remote = Remote::new();
    let (one, two) = (remote.first(), remote.another("two", &[]));
    remote.world.put("etat:a", true, &[]);
    remote.world.put("etat:b", true, &[]);
    remote.world.put("etat:c", true, &[(SKATT, Approved)]);
    let declared = scopes(&[("etat:a", &[]), ("etat:b", &[SKATT]), ("etat:c", &[])]);
    one.declare(&declared.replacen("Les", "Skriv", 1));
    // Longer than it takes to notice that the lock is lost.
    let after = Some(33);
    let put_off = Fault::Status { status: 503, retry_after: after };
    remote.world.sandbox.inject(rule(("PUT", "/scopes?"), 1, put_off));
    remote.world.sandbox.inject(rule(("DELETE", "/scopes/access/"), 1, put_off));
    let refused = Fault::Status { status: 429, retry_after: after };
    remote.world.sandbox.inject(rule(("PUT", "/scopes/access/"), 1, refused));
    let apply = ["apply", "--auto-approve", "--patience", "1", "--override-guards", "prøve"];
    let child = one.process(&apply).spawn().unwrap();
    until("the writes", || remote.world.sent().len() == 3);
    two.ends(0, &["unlock", "--yes"]);
    let ended = ran(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 6, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stdout.matches("the lock was lost").count(), 3, "{}", ended.stdout);
    assert_eq!(remote.world.sent().len(), 3, "{:?}", remote.world.sent());
    let report = one.history().swap_remove(0);
    let actions = report["actions"].as_array().unwrap().iter();
    let outcomes: Vec<_> = actions
        .map(|it| {
            (it["id"].as_str().unwrap(), it["outcome"].as_str().unwrap(), it["may_be_done"] == true)
        })
        .collect();
    // A write that failed at a gateway may have been carried out; one that was postponed with a 429 was not.
    let expected = [
        ("revoke etat:c 974761076", "failed", true),
        ("update scope etat:a", "failed", true),
        ("grant etat:b 974761076", "failed", false),
    ];
    assert_eq!(outcomes, expected);
    one.apply();
}

#[test]
fn a_lock_that_is_broken_before_anything_is_changed_stops_the_apply() {
    let remote = Remote::with(Switches { latency: 200, ..Switches::default() });
    let (one, two) = (remote.first(), remote.another("two", &[]));
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    let child = one.process(&["apply", "--auto-approve"]).spawn().unwrap();
    until("a call", || !remote.world.sandbox.exchanges().is_empty());
    two.git(&["push", "--quiet", "origin", ":refs/portvakt/test/lock"]);
    let other = put_lock(&two, &held_for(0));
    let ended = ran(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("nothing was changed"), "{}", ended.stderr);
    assert_eq!(remote.world.sent(), [""; 0]);
    assert_eq!((remote.held("lock"), remote.held("ledger")), (Some(other), None));
}

/// Which of two applies sent a write, by its description.
fn writer(exchange: &Exchange) -> Option<&'static str> {
    let is_write = exchange.method == Method::PUT || exchange.method == Method::POST;

    (is_write && exchange.path.starts_with("/api/v1/scopes")).then_some(())?;
    ["den ene", "den andre"].into_iter().find(|text| exchange.body.contains(text))
}

#[test]
fn two_applies_at_once_come_one_after_the_other() {
    let remote = Remote::with(Switches { latency: 3, ..Switches::default() });
    let (one, two) = (remote.first(), remote.another("two", &[]));
    let declared = |text: &str| {
        let scopes = (0..6).map(|n| format!("  - {{ name: etat:s{n}, description: {text} }}\n"));
        format!("scopes:\n{}", scopes.collect::<String>())
    };
    one.declare(&declared("fra før"));
    one.apply();
    // Commits neither of which comes before the other.
    two.pull();
    for (clone, text) in [(&one, "den ene"), (&two, "den andre")] {
        clone.write("declarations.yaml", &declared(text));
        clone.commit(text);
    }
    remote.world.check_and_forget();
    let apply = ["apply", "--auto-approve", "--concurrency", "1", "--override-guards", "prøve"];
    let mut turned_away = 0;
    for round in 0..4 {
        let children = [&one, &two].map(|clone| clone.process(&apply).spawn().unwrap());
        let ended = children.map(|child| ran(child.wait_with_output().unwrap()));
        let codes: Vec<_> = ended.iter().map(|ran| ran.code).collect();
        assert!(codes.contains(&0), "{codes:?} {}{}", ended[0].stderr, ended[1].stderr);
        assert!(codes.iter().all(|code| [0, 5].contains(code)), "{codes:?} {}", ended[1].stderr);
        turned_away += codes.iter().filter(|code| **code == 5).count();
        // Each writer was alone until it had ended: the other's writes come before or after.
        let exchanges = remote.world.sandbox.exchanges();
        let mut writers: Vec<_> = exchanges.iter().filter_map(writer).collect();
        writers.dedup();
        assert!(writers.len() <= 2, "round {round}: {writers:?}");
        assert_eq!(remote.held("lock"), None);
        remote.world.check_and_forget();
    }
    assert!(turned_away > 0, "they never met");
    // The same in one clone, whose refs both write; each change is made once.
    one.write("declarations.yaml", &scopes(&[("etat:ny", &[SKATT])]));
    one.commit("New");
    let children = [&one, &one].map(|clone| clone.process(&apply).spawn().unwrap());
    let ended = children.map(|child| ran(child.wait_with_output().unwrap()));
    assert!(ended.iter().any(|ran| ran.code == 0), "{}{}", ended[0].stderr, ended[1].stderr);
    assert!(ended.iter().all(|ran| [0, 5].contains(&ran.code)), "{}", ended[1].stderr);
    let sent = remote.world.sent();
    assert_eq!(sent.iter().filter(|id| *id == "create scope etat:ny").count(), 1, "{sent:?}");
}
