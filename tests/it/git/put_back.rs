//! Refs that are older than what was applied, missing in part, or those of a former name.

use super::protection::{GUARDS, REMOVED, STAY, applied, merge, protected, settings, stay_open};
use super::remote::{Clone, Remote, git, ran};
use crate::world::SKATT;

/// What counts as applied on the remote, as `git push` takes it.
fn counting(remote: &Remote) -> [String; 2] {
    ["applied", "record"]
        .map(|name| format!("{}:refs/portvakt/test/{name}", remote.held(name).unwrap()))
}

fn push(clone: &Clone<'_>, refs: &[&str]) {
    clone.git(&[&["push", "--quiet", "--force", "origin"], refs].concat());
}

/// A merged change that drops all protection and asks for the deactivation.
fn drop_all(clone: &Clone<'_>) {
    clone.write("portvakt.yaml", &settings(clone).replace(GUARDS, ""));
    clone.write("declarations.yaml", REMOVED);
}

#[test]
fn an_older_record_that_is_put_back_drops_no_protection() {
    /// How the refs of an older apply are put back.
    type Way = (&'static str, fn(&Clone<'_>, &[String; 2]));
    let ways: &[Way] = &[
        ("put back", |one, [applied, record]| push(one, &[applied, record])),
        ("as a try", |one, [_, record]| {
            let (record, _) = record.split_once(':').unwrap();
            let tried =
                format!("{record}:refs/portvakt/test/tried/{}", one.git(&["rev-parse", "HEAD~1"]));
            let gone = [":refs/portvakt/test/applied", ":refs/portvakt/test/record"];
            push(one, &[&tried, gone[0], gone[1]]);
        }),
    ];
    for (how, put_back) in ways {
        let remote = Remote::new();
        let one = remote.first();
        let unprotected = protected().replace("prevent_deactivation: true, ", "");
        one.declare(&unprotected);
        one.apply();
        let older = counting(&remote);
        one.write("portvakt.yaml", &format!("{}{GUARDS}", settings(&one)));
        one.declare(&protected());
        one.apply();
        put_back(&one, &older);
        drop_all(&one);
        let ran = merge(&one, "test");
        assert_eq!(ran.code, 6, "{how}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("the ledger says that commit"), "{how}: {}", ran.stdout);
        stay_open(&remote, how);
        let shown = one.ends(0, &["baseline"]).stdout;
        assert!(shown.contains("is not known"), "{how}: {shown}");
    }
}

#[test]
fn going_back_on_purpose_is_no_older_record() {
    let remote = Remote::new();
    let one = applied(&remote);
    let first = one.head();
    one.declare(&protected().replace("description: Les", "description: Skriv"));
    one.apply();
    one.ends(0, &["baseline", "set", &first, "--yes"]);
    let shown = one.ends(0, &["baseline"]).stdout;
    assert!(shown.contains(&format!("Applied to test: commit {first}")), "{shown}");
    // A record is never older than the one before it, whatever the clock of a machine says.
    let record = remote.held("record").unwrap();
    let message = one.git(&["log", "-1", "--format=%B", &record]);
    let mut ahead: serde_json::Value = serde_json::from_str(&message).unwrap();
    ahead["at"] = "2100-01-01T00:00:00Z".into();
    let made = one.git(&["commit-tree", "-m", &ahead.to_string(), "-p", &first, "HEAD^{tree}"]);
    push(&one, &[&format!("{made}:refs/portvakt/test/record")]);
    one.apply();
    let message = one.git(&["log", "-1", "--format=%B", "refs/portvakt/test/record"]);
    assert!(message.contains("2100-01-01"), "{message}");
    assert_eq!(remote.held("applied"), Some(one.head()));
}

#[test]
fn a_ledger_without_refs_is_a_past_that_is_not_known() {
    let remote = Remote::new();
    let one = applied(&remote);
    push(&one, &[":refs/portvakt/test/applied", ":refs/portvakt/test/record"]);
    drop_all(&one);
    one.write("portvakt.yaml", &settings(&one).replace("  test:", "  annet:"));
    let ran = merge(&one, "annet");
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("of environment test: the ledger says"), "{}", ran.stdout);
    stay_open(&remote, "renamed");
    // What there is no other way out of is let go of by name, seen and asked for.
    one.ends(4, &["-e", "annet", "baseline", "set", "HEAD", "--from-environment", "test"]);
    let set = ["-e", "annet", "baseline", "set", "HEAD", "--from-environment", "test", "--yes"];
    one.ends(0, &set);
    let shown = one.ends(0, &["-e", "annet", "baseline"]).stdout;
    assert!(shown.contains("Applied to annet: commit"), "{shown}");
}

#[test]
fn a_commit_that_was_overtaken_under_another_name_is_not_applied() {
    let remote = Remote::new();
    let one = applied(&remote);
    let older = one.head();
    one.write("portvakt.yaml", &settings(&one).replace("  test:", "  annet:"));
    one.write("declarations.yaml", &protected().replace(SKATT, "971040238"));
    assert_eq!(merge(&one, "annet").code, 0);
    one.git(&["checkout", "--quiet", &older]);
    let ran = one.ends(4, &["-e", "test", "apply", "--auto-approve"]);
    assert!(ran.stderr.contains("PV410") && ran.stderr.contains("is newer"), "{}", ran.stderr);
    for scope in STAY {
        assert_eq!(remote.world.open_to(scope).unwrap(), ["971040238"]);
    }
}

#[test]
fn where_nobody_can_tell_whether_a_commit_was_overtaken_it_is_not_applied() {
    use std::os::unix::fs::PermissionsExt as _;
    let remote = Remote::new();
    let one = applied(&remote);
    for _ in 0..3 {
        one.merge("More");
    }
    let shallow = remote.another("shallow", &["--depth", "1"]);
    // A git that cannot fetch more of the history, as with a server that forbids it.
    let bin = remote.beside("bin");
    std::fs::create_dir(&bin).unwrap();
    let path = std::env::var("PATH").unwrap();
    let script = format!(
        "#!/bin/sh\nfor one in \"$@\"; do case $one in --deepen=*|--unshallow) exit 1;; esac; done\n\
         PATH='{path}' exec git \"$@\"\n"
    );
    std::fs::write(bin.join("git"), script).unwrap();
    std::fs::set_permissions(bin.join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = |more: &[&str]| {
        let arguments = [&["apply", "--auto-approve"], more].concat();
        let with = format!("{}:{path}", bin.display());
        ran(shallow.process(&arguments).env("PATH", with).output().unwrap())
    };
    let refused = run(&[]);
    assert_eq!(refused.code, 4, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("is newer than what is read here"), "{}", refused.stderr);
    let lifted = run(&["--override-guards", "haster"]);
    assert_eq!(lifted.code, 0, "{}{}", lifted.stdout, lifted.stderr);
    assert_ne!(remote.held("applied"), Some(shallow.head()), "it may be older");
    shallow.apply();
    assert_eq!(remote.held("applied"), Some(shallow.head()));
}

#[test]
fn what_counts_is_not_set_where_it_changed_since_it_was_shown() {
    use std::os::unix::fs::PermissionsExt as _;
    let remote = Remote::new();
    let one = applied(&remote);
    let first = one.head();
    one.declare(&protected().replace("description: Les", "description: Skriv"));
    one.apply();
    // Somebody else sets it at the moment at which the lock is taken.
    let hook = remote.path().join("hooks/post-receive");
    let script =
        format!("#!/bin/sh\ngrep -q /lock && git update-ref refs/portvakt/test/applied {first}\n");
    std::fs::write(&hook, script).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let ran = one.ends(1, &["baseline", "set", "HEAD", "--yes"]);
    assert!(ran.stderr.contains("what counts as applied was changed"), "{}", ran.stderr);
    std::fs::remove_file(&hook).unwrap();
    assert_eq!(remote.held("applied"), Some(first));
    assert_eq!(remote.held("lock"), None);
}

#[test]
fn where_git_cannot_tell_the_commit_nothing_is_changed() {
    let remote = Remote::new();
    let one = applied(&remote);
    remote.world.check_and_forget();
    std::fs::write(one.path.join(".git/HEAD"), format!("{}\n", "1".repeat(40))).unwrap();
    for command in ["plan", "apply"] {
        let ran = one.ends(1, &[command]);
        assert!(ran.stderr.contains("the commit that is checked out"), "{}", ran.stderr);
    }
    // Before the first commit nothing can be recorded for others.
    std::fs::write(one.path.join(".git/HEAD"), "ref: refs/heads/ny\n").unwrap();
    let ran = one.ends(4, &["apply", "--auto-approve", "--override-guards", "haster"]);
    assert!(ran.stderr.contains("no commit that is checked out"), "{}", ran.stderr);
    assert_eq!(remote.world.sent(), [""; 0]);
    assert_eq!(git(&remote.path(), &["for-each-ref", "refs/portvakt/test/lock"]), "");
}
