//! Protection of a scope, and every way in which one change could drop it.

use domain::AccessState::Approved;
use serde_json::Value;

use super::life::{codes, scopes};
use super::remote::{Clone, Remote};
use crate::programs::has;
use crate::world::SKATT;

/// Scopes that must stay active for Skatteetaten: one by its own declaration, one by `guards.protect`.
pub(super) const STAY: [&str; 2] = ["etat:fast", "etat:vern"];

pub(super) const GUARDS: &str = "guards: { protect: [\"etat:vern*\"], max_revocations: 9 }\n";

pub(super) fn protected() -> String {
    format!(
        "scopes:\n  \
           - {{ name: etat:fast, description: Les, prevent_deactivation: true, consumers: [\"{SKATT}\"] }}\n  \
           - {{ name: etat:vern, description: Les, consumers: [\"{SKATT}\"] }}\n"
    )
}

/// The same without protection, and without consumers.
fn emptied() -> String {
    let unprotected = protected().replace("prevent_deactivation: true, ", "");
    unprotected.replace(&format!("\"{SKATT}\""), "")
}

/// Declarations that explicitly request the deactivation.
pub(super) const REMOVED: &str = "removed:\n  \
     - { scope: etat:fast, action: deactivate }\n  \
     - { scope: etat:vern, action: deactivate }\n";

pub(super) fn settings(clone: &Clone<'_>) -> String {
    std::fs::read_to_string(clone.path.join("portvakt.yaml")).unwrap()
}

fn without_guards(clone: &Clone<'_>) -> String {
    settings(clone).replace(GUARDS, "")
}

/// A remote whose applied commit protects the two.
pub(super) fn applied(remote: &Remote) -> Clone<'_> {
    let one = remote.first();
    one.write("portvakt.yaml", &format!("{}{GUARDS}", settings(&one)));
    one.declare(&protected());
    one.apply();
    one
}

pub(super) fn stay_open(remote: &Remote, how: &str) {
    for scope in STAY {
        assert_eq!(
            remote.world.open_to(scope).as_deref(),
            Some(&[SKATT.to_owned()][..]),
            "{how}: {scope}"
        );
    }
}

/// Merges the current files, and applies them.
pub(super) fn merge(clone: &Clone<'_>, environment: &str) -> crate::world::Ran {
    clone.commit("Change");
    clone.git(&["push", "--quiet", "origin", "HEAD:main"]);
    clone.run(&["-e", environment, "apply", "--auto-approve"])
}

#[test]
fn no_single_change_drops_the_protection_of_what_was_applied() {
    /// A way to make the change, and the name of the environment afterwards.
    type Scenario = (&'static str, fn(&Clone<'_>) -> &'static str);
    let ways: &[Scenario] = &[
        ("left out", |clone| {
            clone.write("portvakt.yaml", &without_guards(clone));
            clone.write("declarations.yaml", "scopes: []\n");
            "test"
        }),
        ("removed", |clone| {
            clone.write("portvakt.yaml", &without_guards(clone));
            clone.write("declarations.yaml", REMOVED);
            "test"
        }),
        ("paused", |clone| {
            clone.write("portvakt.yaml", &without_guards(clone));
            let paused = protected()
                .replace("prevent_deactivation: true", "active: false")
                .replace("name: etat:vern,", "name: etat:vern, active: false,");
            clone.write("declarations.yaml", &paused);
            "test"
        }),
        ("released", |clone| {
            clone.write("portvakt.yaml", &without_guards(clone));
            clone.write("declarations.yaml", &REMOVED.replace("deactivate", "release"));
            "test"
        }),
        ("emptied", |clone| {
            clone.write("portvakt.yaml", &without_guards(clone));
            clone.write("declarations.yaml", &emptied());
            "test"
        }),
        ("excluded", |clone| {
            let settings = without_guards(clone) + "exclude: [\"declarations.yaml\"]\n";
            clone.write("portvakt.yaml", &settings);
            clone.write("removed.yaml", REMOVED);
            "test"
        }),
        ("a slash more", |clone| {
            let settings = without_guards(clone).replace("\", maskinporten", "//\", maskinporten");
            clone.write("portvakt.yaml", &settings);
            clone.write("declarations.yaml", REMOVED);
            "test"
        }),
        ("localhost", |clone| {
            let settings = without_guards(clone).replacen("127.0.0.1", "localhost", 1);
            clone.write("portvakt.yaml", &settings);
            clone.write("declarations.yaml", REMOVED);
            "test"
        }),
        ("another environment", |clone| {
            let settings = without_guards(clone).replace("  test:", "  annet:");
            clone.write("portvakt.yaml", &settings);
            clone.write("declarations.yaml", REMOVED);
            "annet"
        }),
        ("another environment and another spelling", |clone| {
            let settings = without_guards(clone).replace("  test:", "  annet:");
            let settings = settings.replacen("http://127.0.0.1", "HTTP://LocalHost", 1);
            clone.write("portvakt.yaml", &settings);
            clone.write("declarations.yaml", REMOVED);
            "annet"
        }),
    ];
    for (how, change) in ways {
        let remote = Remote::new();
        let one = applied(&remote);
        let environment = change(&one);
        // Twice, as a job that is run again, and once more after an unrelated change.
        for _ in 0..2 {
            let ran = merge(&one, environment);
            assert_eq!(ran.code, 6, "{how}: {}{}", ran.stdout, ran.stderr);
            assert!(
                ran.stdout.contains("PV301") && ran.stdout.contains("PV302"),
                "{how}: {}",
                ran.stdout
            );
            stay_open(&remote, how);
        }
        one.write("more.yaml", &scopes(&[("etat:annet", &[])]));
        merge(&one, environment);
        let ran =
            one.run(&["-e", environment, "apply", "--auto-approve", "--override-guards", "haster"]);
        assert_eq!(ran.code, 6, "{how}: {}{}", ran.stdout, ran.stderr);
        stay_open(&remote, how);
    }
}

#[test]
fn a_moved_folder_drops_no_protection() {
    let remote = Remote::new();
    let one = applied(&remote);
    one.write("ny/portvakt.yaml", &settings(&one).replace(GUARDS, ""));
    one.write("ny/removed.yaml", REMOVED);
    one.git(&["rm", "--quiet", "-f", "portvakt.yaml", "declarations.yaml"]);
    one.commit("Move");
    one.git(&["push", "--quiet", "origin", "HEAD:main"]);
    one.ends(6, &["-C", "ny", "apply", "--auto-approve"]);
    stay_open(&remote, "moved");
}

#[test]
fn a_renamed_environment_keeps_what_protects_until_its_past_is_moved() {
    let remote = Remote::new();
    let one = applied(&remote);
    let renamed = settings(&one).replace("  test:", "  annet:").replace(GUARDS, "");
    one.write("portvakt.yaml", &renamed);
    one.write("declarations.yaml", &protected().replace("prevent_deactivation: true, ", ""));
    let ran = merge(&one, "annet");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    // The protection applied under the former name remains, though this name has applied less.
    one.write("declarations.yaml", REMOVED);
    assert_eq!(merge(&one, "annet").code, 6);
    stay_open(&remote, "renamed");
    // Giving up the former name takes an explicit command, which shows the consequences.
    let before = one.git(&["rev-parse", "HEAD~1"]);
    let set = ["-e", "annet", "baseline", "set", &before, "--from-environment", "test"];
    let ran = one.ends(4, &set);
    let (_, lost) = ran.stdout.split_once("is protected no longer: 2").unwrap();
    assert!(lost.contains("scope etat:fast") && lost.contains("scope etat:vern"), "{lost}");
    let first = one.git(&["rev-parse", "HEAD~2"]);
    let set = ["-e", "annet", "baseline", "set", &first, "--from-environment", "test"];
    let ran = one.ends(4, &set);
    assert!(ran.stdout.contains("counts for nothing any more"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("closes") && ran.stdout.contains("scope etat:fast"),
        "{}",
        ran.stdout
    );
    one.ends(0, &[&set[..], &["--yes"]].concat());
    // The commit counts as applied with its protection, which must be dropped first, in a change of its own.
    one.ends(6, &["-e", "annet", "apply", "--auto-approve"]);
    stay_open(&remote, "moved");
    one.write("declarations.yaml", &protected().replace("prevent_deactivation: true, ", ""));
    assert_eq!(merge(&one, "annet").code, 0);
    one.write("declarations.yaml", REMOVED);
    assert_eq!(merge(&one, "annet").code, 0);
    assert_eq!(remote.world.open_to("etat:fast"), None);
}

#[test]
fn a_limit_counts_until_another_one_was_applied_even_under_another_name() {
    let remote = Remote::new();
    let one = remote.first();
    let begin = settings(&one);
    let with = |limit: u64| format!("{begin}guards: {{ max_revocations: {limit} }}\n");
    let three = ["974761076", "971040238", "991825827"];
    one.write("portvakt.yaml", &with(1));
    one.declare(&scopes(&[("etat:a", &three)]));
    one.apply();
    for (environment, text) in
        [("test", with(50)), ("annet", with(50).replace("  test:", "  annet:"))]
    {
        one.write("portvakt.yaml", &text);
        one.write("declarations.yaml", &scopes(&[("etat:a", &three[..1])]));
        let ran = merge(&one, environment);
        assert_eq!(ran.code, 4, "{environment}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("PV502") && ran.stderr.contains("50"), "{}", ran.stderr);
        assert_eq!(remote.world.open_to("etat:a").unwrap().len(), 3);
    }
    one.write("portvakt.yaml", &with(50));
    one.write("declarations.yaml", &scopes(&[("etat:a", &three)]));
    assert_eq!(merge(&one, "test").code, 0, "a change of its own");
    one.write("declarations.yaml", &scopes(&[("etat:a", &three[..1])]));
    assert_eq!(merge(&one, "test").code, 0);
    assert_eq!(remote.world.open_to("etat:a").unwrap(), three[..1]);
}

fn put_record(clone: &Clone<'_>, record: &Value) {
    let made = clone.made(record, "HEAD");
    let push = format!("{made}:refs/portvakt/test/record");
    clone.git(&["push", "--quiet", "--force", "origin", &push]);
}

#[test]
fn whoever_can_push_refs_closes_nothing_by_it() {
    /// A change of the refs by somebody with push access, given the applied commit.
    type Scenario = (&'static str, fn(&Remote, &Clone<'_>));
    let ways: &[Scenario] = &[
        ("applied is gone", |_, one| {
            one.git(&["push", "--quiet", "origin", ":refs/portvakt/test/applied"]);
        }),
        ("the record is gone", |_, one| {
            one.git(&["push", "--quiet", "origin", ":refs/portvakt/test/record"]);
        }),
        ("both are gone", |_, one| {
            let refs = [":refs/portvakt/test/applied", ":refs/portvakt/test/record"];
            one.git(&[&["push", "--quiet", "origin"], refs.as_slice()].concat());
        }),
        ("applied leads to a commit that was never merged", |_, one| {
            one.git(&["checkout", "--quiet", "--detach"]);
            one.write("declarations.yaml", &scopes(&[("etat:fremmed", &[]), ("etat:c", &[])]));
            let forged = one.commit("Never merged");
            let push = format!("{forged}:refs/portvakt/test/applied");
            one.git(&["push", "--quiet", "--force", "origin", &push]);
            one.git(&["checkout", "--quiet", "main"]);
        }),
        ("applied leads to an older commit", |_, one| {
            one.git(&["push", "--quiet", "--force", "origin", "HEAD~1:refs/portvakt/test/applied"]);
        }),
        ("the record says that its past was moved", |remote, one| {
            let mut record = remote.record();
            record["moved_to"] = "annet".into();
            put_record(one, &record);
        }),
        ("the record of another environment", |remote, one| {
            let mut record = remote.record();
            record["written_for"] = "annet".into();
            put_record(one, &record);
        }),
        ("the record says that nothing was applied", |remote, one| {
            let mut record = remote.record();
            record["applied"] = Value::Null;
            record["at"] = "2026-11-22T10:00:00Z".into();
            put_record(one, &record);
            one.git(&["push", "--quiet", "origin", ":refs/portvakt/test/applied"]);
        }),
        ("the record is a file", |_, one| {
            let blob = one.git(&["hash-object", "-w", "portvakt.yaml"]);
            let push = format!("{blob}:refs/portvakt/test/record");
            one.git(&["push", "--quiet", "--force", "origin", &push]);
        }),
        ("another environment that cannot be read", |_, one| {
            one.git(&["push", "--quiet", "origin", "HEAD:refs/portvakt/annet/applied"]);
        }),
    ];
    for (how, change) in ways {
        let remote = Remote::new();
        let one = applied(&remote);
        remote.world.put("etat:fremmed", true, &[(SKATT, Approved)]);
        change(&remote, &one);
        one.write("portvakt.yaml", &settings(&one).replace(GUARDS, ""));
        one.write(
            "declarations.yaml",
            &format!("{REMOVED}  - {{ scope: etat:fremmed, action: deactivate }}\n"),
        );
        let ran = merge(&one, "test");
        assert_eq!(ran.code, 6, "{how}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("PV315"), "{how}: {}", ran.stdout);
        assert!(ran.stdout.contains("portvakt baseline set"), "{how}: {}", ran.stdout);
        stay_open(&remote, how);
        one.write("declarations.yaml", &emptied());
        let ran = merge(&one, "test");
        assert_eq!(ran.code, 6, "{how}: {}{}", ran.stdout, ran.stderr);
        stay_open(&remote, how);
        assert!(remote.world.open_to("etat:fremmed").is_some(), "{how}");
        let shown = one.ends(0, &["baseline"]).stdout;
        assert!(shown.contains("is not known"), "{how}: {shown}");
    }
}

#[test]
fn a_past_of_which_nothing_is_left_removes_only_what_is_named() {
    let remote = Remote::new();
    let one = applied(&remote);
    let all = super::remote::git(&remote.path(), &["for-each-ref", "--format=:%(refname)"]);
    let ours = all.lines().filter(|name| name.contains("portvakt/"));
    one.git(&["push", "--quiet", "origin"].into_iter().chain(ours).collect::<Vec<_>>());
    one.write("declarations.yaml", "scopes: []\n");
    let ran = merge(&one, "test");
    assert!(ran.stdout.contains("nothing applied before"), "{}", ran.stdout);
    stay_open(&remote, "left out");
    one.write("declarations.yaml", REMOVED);
    one.merge("Remove");
    let text = one.ends(0, &["plan"]).stdout;
    assert!(text.contains("- deactivate etat:fast"), "what is named is shown: {text}");
    assert!(text.contains("x deactivate scope etat:vern"), "{text}");
}

#[test]
fn a_past_that_is_lost_is_set_again_by_somebody_who_sees_what_it_means() {
    let remote = Remote::new();
    let one = remote.first();
    let first = one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[SKATT])]));
    one.apply();
    one.git(&["push", "--quiet", "origin", ":refs/portvakt/test/applied"]);
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    let plan = one.plan();
    assert!(codes(&plan).contains(&"PV409".to_owned()), "{plan:#}");
    assert_eq!(crate::world::ids(&plan), [""; 0]);
    one.ends(0, &["apply", "--auto-approve"]);
    assert_eq!(remote.held("applied"), None, "what is not known is not forgotten");
    one.ends(1, &["drift"]);
    let refused = one.ends(4, &["baseline", "set", &first]);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    assert_eq!(remote.held("applied"), None);
    let ran = one.ends(0, &["baseline", "set", &first, "--yes"]);
    assert!(ran.stdout.contains("scope etat:b"), "{}", ran.stdout);
    assert_eq!((remote.held("applied"), remote.held("lock")), (Some(first), None));
    assert_eq!(one.planned(), ["revoke etat:b 974761076", "deactivate scope etat:b"]);
    one.apply();
    let shown = one.ends(0, &["baseline"]).stdout;
    assert!(shown.contains(&one.head()) && shown.contains("branch   main"), "{shown}");
    // A commit that is on no applied branch, is for another API, or does not exist, never counts.
    one.git(&["checkout", "--quiet", "-b", "topic"]);
    let topic = one.commit("Topic");
    assert!(one.ends(4, &["baseline", "set", &topic, "--yes"]).stderr.contains("branch main"));
    one.git(&["checkout", "--quiet", "main"]);
    one.ends(64, &["baseline", "set", "nei", "--yes"]);
    let here = settings(&one);
    one.write("portvakt.yaml", &here.replace("api: \"http", "api: \"https"));
    one.commit("Elsewhere");
    one.git(&["push", "--quiet", "origin", "HEAD:main"]);
    let ran = one.ends(4, &["baseline", "set", "HEAD~1", "--yes"]);
    assert!(ran.stderr.contains("another API"), "{}", ran.stderr);
}

#[test]
fn a_remote_whose_head_leads_nowhere_has_a_branch_as_long_as_it_is_clear() {
    let remote = Remote::new();
    let one = remote.first();
    super::remote::git(&remote.path(), &["symbolic-ref", "HEAD", "refs/heads/borte"]);
    one.declare(&scopes(&[("etat:a", &[])]));
    one.apply();
    assert!(one.ends(0, &["baseline"]).stdout.contains("branch   main"));
    // Whoever can push could create another one, of any name.
    one.git(&["checkout", "--quiet", "-b", "master"]);
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    let ran = one.ends(4, &["apply", "--auto-approve"]);
    assert!(ran.stderr.contains("git symbolic-ref HEAD"), "{}", ran.stderr);
    super::remote::git(&remote.path(), &["symbolic-ref", "HEAD", "refs/heads/main"]);
    let ran = one.ends(4, &["apply", "--auto-approve"]);
    assert!(ran.stderr.contains("branch main"), "{}", ran.stderr);
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [""; 0]);
}

#[test]
fn only_what_is_on_the_branch_for_it_is_applied() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[])]));
    one.apply();
    let applied = remote.held("applied");
    one.git(&["checkout", "--quiet", "-b", "topic"]);
    // The setting on another branch is ignored.
    one.write("portvakt.yaml", &format!("{}apply_from: topic\n", settings(&one)));
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    let ran = one.ends(4, &["apply", "--auto-approve"]);
    assert!(ran.stderr.contains("not on the remote's branch main"), "{}", ran.stderr);
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [""; 0]);
    let ran = one.ends(0, &["apply", "--auto-approve", "--override-guards", "det haster"]);
    assert!(ran.stderr.contains("does not count as that"), "{}", ran.stderr);
    assert!(ran.stderr.contains("portvakt baseline set"), "{}", ran.stderr);
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [SKATT]);
    assert_eq!(remote.held("applied"), applied, "it was never merged");
    assert_eq!(one.history()[0]["override_guards"], "det haster");
    // Until then, the past of that branch is not forgotten.
    one.git(&["checkout", "--quiet", "main"]);
    assert!(codes(&one.plan()).contains(&"PV409".to_owned()));
    one.git(&["merge", "--quiet", "topic"]);
    one.git(&["push", "--quiet", "origin", "main"]);
    // On main it counts: from then on topic is the branch.
    one.ends(0, &["apply", "--auto-approve"]);
    one.write("declarations.yaml", &scopes(&[("etat:a", &[])]));
    one.commit("Less");
    one.git(&["push", "--quiet", "origin", "main"]);
    let ran = one.ends(4, &["apply", "--auto-approve"]);
    assert!(ran.stderr.contains("branch topic"), "{}", ran.stderr);
    one.git(&["push", "--quiet", "origin", "main:topic"]);
    one.ends(0, &["apply", "--auto-approve"]);
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [""; 0]);
    // A missing branch is named, and so is a remote without any.
    one.write("portvakt.yaml", &settings(&one).replace("apply_from: topic", "apply_from: borte"));
    one.commit("Gone");
    one.git(&["push", "--quiet", "origin", "main", "main:topic"]);
    let ran = one.ends(4, &["apply", "--auto-approve"]);
    assert!(ran.stderr.contains("borte"), "{}", ran.stderr);
    one.write("portvakt.yaml", &settings(&one).replace("apply_from: borte", "apply_from: -x y"));
    let ran = one.ends(3, &["validate"]);
    assert!(ran.stdout.contains("is not the name of a branch"), "{}{}", ran.stdout, ran.stderr);
}

/// Configures git to verify, and optionally to sign with the only allowed key.
pub(super) fn signer(remote: &Remote) -> Option<impl Fn(&Clone<'_>, bool)> {
    if !has("ssh-keygen", "signed records") {
        return None;
    }
    let key = remote.beside("signing");
    let ssh_keygen = ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", &key.to_string_lossy()];
    assert!(std::process::Command::new("ssh-keygen").args(ssh_keygen).status().unwrap().success());
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let allowed = remote.beside("allowed");
    std::fs::write(&allowed, format!("kari@etaten.example {public}")).unwrap();
    Some(move |clone: &Clone<'_>, signs: bool| {
        clone.git(&["config", "gpg.ssh.allowedSignersFile", &allowed.to_string_lossy()]);
        if signs {
            clone.git(&["config", "gpg.format", "ssh"]);
            clone.git(&["config", "user.signingKey", &key.to_string_lossy()]);
            clone.git(&["config", "commit.gpgsign", "true"]);
        }
    })
}

#[test]
fn only_signed_records_count_where_git_is_set_to_verify() {
    let remote = Remote::new();
    let Some(config) = signer(&remote) else { return };
    let one = remote.first();
    // A signature by somebody who is not allowed would not be accepted.
    config(&one, false);
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    let ran = one.ends(1, &["apply", "--auto-approve"]);
    assert!(ran.stderr.contains("commit.gpgsign"), "{}", ran.stderr);
    assert_eq!((remote.world.sent(), remote.held("record")), (vec![], None));
    config(&one, true);
    let first = one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[SKATT])]));
    one.apply();
    one.declare(
        "scopes:\n  - { name: etat:a, description: Les, consumers: [\"974761076\"] }\n\
                 removed:\n  - { scope: etat:b, action: release }\n",
    );
    one.apply();
    let good = (remote.held("applied").unwrap(), remote.held("record").unwrap());
    assert!(one.history().iter().all(|report| report["signed"] == true));
    // Somebody without the key makes the older commit count, so that etat:b would be deactivated, and writes
    // a line into the ledger.
    let two = remote.another("two", &[]);
    two.git(&[
        "fetch",
        "--quiet",
        "origin",
        "refs/portvakt/*:refs/portvakt/*",
        "refs/notes/*:refs/notes/*",
    ]);
    let message = two.git(&["log", "-1", "--format=%B", &good.1]).replace(&good.0, &first);
    let tree = two.git(&["rev-parse", &format!("{}^{{tree}}", good.1)]);
    let record = two.git(&["commit-tree", "-m", &message, "-p", &first, &tree]);
    let forged = [
        format!("{first}:refs/portvakt/test/applied"),
        format!("{record}:refs/portvakt/test/record"),
    ];
    two.git(&["push", "--quiet", "--force", "origin", &forged[0], &forged[1]]);
    let mut report: Value = one.history()[0].clone();
    report["report"] = "forged".into();
    report["who"] = "ola".into();
    report["signed"] = true.into();
    let note =
        ["notes", "--ref=refs/notes/portvakt/test", "append", "-m", &report.to_string(), &good.0];
    two.git(&note);
    two.git(&["push", "--quiet", "origin", "refs/notes/portvakt/test"]);
    let shown = one.history();
    let by = |name: &str| -> Vec<_> {
        let of = |report: &&Value| report["report"] == name;
        shown.iter().filter(of).map(|report| report["signed"].clone()).collect()
    };
    assert_eq!(by("forged"), [Value::Bool(false)], "{shown:#?}");
    assert_eq!(shown.iter().filter(|report| report["signed"] == true).count(), 2);
    assert!(one.ends(0, &["history"]).stdout.contains("not verified"));
    one.git(&["commit", "--quiet", "--allow-empty", "-m", "Nothing"]);
    one.git(&["push", "--quiet", "origin", "HEAD"]);
    let plan = one.plan();
    assert_eq!(crate::world::ids(&plan), [""; 0], "{plan:#}");
    let text = one.ends(0, &["plan"]).stdout;
    assert!(text.contains("not signed by anybody in gpg.ssh.allowedSignersFile"), "{text}");
    assert_eq!(remote.world.open_to("etat:b").unwrap(), [SKATT]);
    // A clone that is not configured to verify accepts it: that is the purpose of the setting.
    one.ends(0, &["baseline", "set", &good.0, "--yes"]);
    assert!(!codes(&one.plan()).contains(&"PV409".to_owned()));
    // A shallow clone detects it as well.
    let shallow = remote.another("shallow", &["--depth", "1"]);
    config(&shallow, false);
    assert!(!codes(&shallow.plan()).contains(&"PV409".to_owned()));
    assert_eq!(shallow.history().iter().filter(|report| report["signed"] == true).count(), 2);
}
