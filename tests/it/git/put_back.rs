//! Refs that are older than the last apply, partly missing, or those of a former name.

use super::life::scopes;
use super::protection::{GUARDS, REMOVED, applied, merge, protected, settings, stay_open};
use super::remote::{Clone, Remote, ran};
use crate::world::SKATT;

/// The refs of the baseline on the remote, as arguments of `git push`.
pub(super) fn counting(remote: &Remote) -> [String; 2] {
    ["applied", "record"]
        .map(|name| format!("{}:refs/portvakt/test/{name}", remote.held(name).unwrap()))
}

pub(super) fn push(clone: &Clone<'_>, refs: &[&str]) {
    clone.git(&[&["push", "--quiet", "--force", "origin"], refs].concat());
}

/// A merged change that drops all protection and requests the deactivation.
pub(super) fn drop_all(clone: &Clone<'_>) {
    clone.write("portvakt.yaml", &settings(clone).replace(GUARDS, ""));
    clone.write("declarations.yaml", REMOVED);
}

#[test]
fn an_older_record_that_is_put_back_drops_no_protection() {
    /// A way to restore the refs of an older apply.
    type Scenario = (&'static str, fn(&Clone<'_>, &[String; 2]));
    let ways: &[Scenario] = &[
        ("put back", |one, [applied, record]| push(one, &[applied, record])),
        ("the record alone", |one, [_, record]| push(one, &[record])),
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
        // With other changes, twice, and with an override.
        one.write("more.yaml", &scopes(&[("etat:ny", &[SKATT])]));
        let ran = merge(&one, "test");
        assert_eq!(ran.code, 6, "{how}: {}{}", ran.stdout, ran.stderr);
        one.ends(6, &["apply", "--auto-approve"]);
        stay_open(&remote, how);
        one.ends(6, &["apply", "--auto-approve", "--override-guards", "haster"]);
        let why = ["the ledger says that commit", "is about another commit than"];
        assert!(why.iter().any(|why| ran.stdout.contains(why)), "{how}: {}", ran.stdout);
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
    // A record is never older than the one before it, whatever the clock of a machine shows.
    let mut ahead = remote.record();
    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(9)).to_string();
    ahead["at"] = soon.as_str().into();
    let put = |ahead: &serde_json::Value| {
        let made = one.made(ahead, &first);
        push(&one, &[&format!("{made}:refs/portvakt/test/record")]);
    };
    put(&ahead);
    one.apply();
    assert_eq!(remote.record()["at"], soon);
    assert_eq!(remote.held("applied"), Some(one.head()));
    // A record with a future time would hide all earlier ones.
    ahead["at"] = "2100-01-01T00:00:00Z".into();
    put(&ahead);
    let text = one.ends(0, &["plan"]).stdout;
    assert!(text.contains("PV409") && text.contains("is of a time that is yet to come"), "{text}");
    one.ends(0, &["baseline", "set", "HEAD", "--yes"]);
    assert!(remote.record()["at"].as_str().unwrap() < "2100");
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
    assert!(ran.stdout.contains("of test: the ledger says"), "{}", ran.stdout);
    stay_open(&remote, "renamed");
    // If there is no other way, it is given up by name, after the consequences are shown.
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
    one.write("declarations.yaml", &protected().replace("description: Les", "description: Skriv"));
    assert_eq!(merge(&one, "annet").code, 0);
    remote.world.check_and_forget();
    one.git(&["checkout", "--quiet", &older]);
    let ran = one.ends(4, &["-e", "test", "apply", "--auto-approve"]);
    assert!(ran.stderr.contains("PV410") && ran.stderr.contains("is newer"), "{}", ran.stderr);
    assert_eq!(remote.world.sent(), [""; 0]);
}

#[test]
fn where_nobody_knows_whether_a_commit_was_overtaken_it_is_not_applied() {
    use std::os::unix::fs::PermissionsExt as _;
    let remote = Remote::new();
    let one = applied(&remote);
    for _ in 0..3 {
        one.merge("More");
    }
    let shallow = remote.another("shallow", &["--depth", "1"]);
    // A git that cannot fetch more history, as with a server that forbids it.
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
    // Somebody else sets it at the moment when the lock is taken.
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
fn where_git_does_not_know_the_commit_nothing_is_changed() {
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
    assert_eq!(remote.held("lock"), None);
}

#[test]
fn a_rollback_drops_no_protection_and_no_limit_that_came_since() {
    let remote = Remote::new();
    let one = remote.first();
    let older = one.declare(&protected().replace("prevent_deactivation: true, ", ""));
    one.apply();
    one.write("portvakt.yaml", &format!("{}{GUARDS}", settings(&one)));
    one.declare(&protected().replace("consumers: [", "consumers: [\"971040238\", "));
    one.apply();
    // Current protection applies to the rollback as well, and later consumers are revoked.
    let plan = remote.beside("rollback.json").to_string_lossy().into_owned();
    one.ends(0, &["rollback", &older, "--out", &plan]);
    one.ends(0, &["apply", &plan, "--auto-approve"]);
    stay_open(&remote, "rolled back");
    assert_eq!(remote.held("applied").as_ref(), Some(&older));
    drop_all(&one);
    let ran = merge(&one, "test");
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("PV301") && ran.stdout.contains("PV302"), "{}", ran.stdout);
    stay_open(&remote, "after the rollback");
}

#[test]
fn what_can_be_read_protects_though_it_does_not_count() {
    let remote = Remote::new();
    let one = applied(&remote);
    // Only the ledger is left, and the apply continues without the missing refs.
    push(&one, &[":refs/portvakt/test/applied", ":refs/portvakt/test/record"]);
    drop_all(&one);
    one.write("more.yaml", &scopes(&[("etat:ny", &[SKATT])]));
    one.merge("Drop");
    one.ends(6, &["apply", "--auto-approve", "--override-guards", "haster"]);
    let ran = one.ends(6, &["apply", "--auto-approve", "--override-guards", "haster"]);
    assert!(ran.stdout.contains("PV301") && ran.stdout.contains("PV302"), "{}", ran.stdout);
    stay_open(&remote, "by the ledger");
    // Only the record is left, also after an apply with changes.
    let remote = Remote::new();
    let one = applied(&remote);
    push(&one, &[":refs/portvakt/test/applied", ":refs/notes/portvakt/test"]);
    drop_all(&one);
    one.write("more.yaml", &scopes(&[("etat:ny", &[SKATT])]));
    one.merge("Drop");
    for _ in 0..2 {
        one.ends(6, &["apply", "--auto-approve"]);
        one.ends(6, &["apply", "--auto-approve", "--override-guards", "haster"]);
        stay_open(&remote, "by the record");
    }
    assert_eq!(remote.held("applied"), None, "that is for a baseline to say");
}

#[test]
fn nothing_is_taken_over_that_was_never_this_one() {
    let remote = Remote::new();
    let one = applied(&remote);
    let set = |name| ["baseline", "set", "HEAD", "--from-environment", name, "--yes"];
    for (name, why) in [("nei", "nothing is recorded of nei"), ("../test", "nothing is recorded")] {
        let ran = one.ends(64, &set(name));
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    }
    let mut other = remote.record();
    other["written_for"] = "annet".into();
    other["applied"]["api"] = "https://api.samarbeid.digdir.no".into();
    let made = one.made(&other, "HEAD");
    push(
        &one,
        &[&format!("{made}:refs/portvakt/annet/record"), "HEAD:refs/portvakt/annet/applied"],
    );
    let ran = one.ends(4, &set("annet"));
    assert!(ran.stderr.contains("another API"), "{}", ran.stderr);
}

#[test]
fn a_change_of_its_own_for_protection_is_seen() {
    let remote = Remote::new();
    let one = applied(&remote);
    let raised = settings(&one).replace(GUARDS, "guards: { max_revocations: 99 }\n");
    one.write("portvakt.yaml", &raised);
    one.write("declarations.yaml", &protected().replace("prevent_deactivation: true, ", ""));
    one.merge("Less");
    let text = one.ends(0, &["plan"]).stdout;
    for seen in ["PV413 scope etat:fast", "PV413 scope etat:vern", "raised from 9 to 99"] {
        assert!(text.contains(seen), "{seen}: {text}");
    }
    one.apply();
    assert!(!one.ends(0, &["plan"]).stdout.contains("PV413"));
}
