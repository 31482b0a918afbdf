//! Remains of the past where somebody has pushed, deleted or forged refs: those that still protect, and those
//! that are ignored.

use serde_json::Value;

use super::life::{codes, scopes};
use super::protection::{applied, merge, protected, settings, stay_open};
use super::put_back::{counting, drop_all, push};
use super::remote::{Clone, Remote, git};
use crate::world::SKATT;

/// Adds a line to the ledger of a place: a changed copy of the newest one.
fn forge(clone: &Clone<'_>, place: &str, about: &str, change: &dyn Fn(&mut Value)) {
    let mut report = clone.history()[0].clone();
    report["report"] = "forged".into();
    report["started"] = jiff::Timestamp::now().to_string().into();
    change(&mut report);
    add_note(clone, place, about, &report.to_string());
}

fn add_note(clone: &Clone<'_>, place: &str, about: &str, text: &str) {
    let ledger = format!("refs/notes/portvakt/{place}");
    std::fs::write(clone.path.join(".git/note"), text).unwrap();
    let there = clone.git(&["ls-remote", "origin", &ledger]);
    if !there.is_empty() {
        clone.git(&["fetch", "--quiet", "origin", &format!("+{ledger}:{ledger}")]);
    }
    clone.git(&["notes", "--ref", &ledger, "append", "-F", ".git/note", about]);
    push(clone, &[&ledger]);
}

/// Applies twice a change that drops all protection and requests the deactivation, with an override.
fn nothing_closes(remote: &Remote, clone: &Clone<'_>, how: &str) {
    drop_all(clone);
    clone.write("more.yaml", &scopes(&[("etat:ny", &[SKATT])]));
    clone.merge("Drop");
    for _ in 0..2 {
        let ran = clone.ends(6, &["apply", "--auto-approve", "--override-guards", "haster"]);
        assert!(ran.stdout.contains("PV301") && ran.stdout.contains("PV302"), "{}", ran.stdout);
        stay_open(remote, how);
    }
}

#[test]
fn what_the_ledger_names_is_read_where_it_was_applied_from() {
    let remote = Remote::new();
    let one = applied(&remote);
    // A later apply that ended in part has the newest line, and protects nothing.
    let refused = sandbox::Fault::Status { status: 400, retry_after: None };
    remote.world.sandbox.inject(crate::faults::rule(("POST", "/scopes"), 1, refused));
    let both = format!("{}  - {{ name: etat:ny, description: Les }}\n", protected());
    one.declare(&both.replace("prevent_deactivation: true, ", ""));
    one.ends(6, &["apply", "--auto-approve"]);
    push(&one, &[":refs/portvakt/test/applied", ":refs/portvakt/test/record"]);
    drop_all(&one);
    let settings = settings(&one);
    one.git(&["mv", "declarations.yaml", "removed.yaml"]);
    std::fs::remove_file(one.path.join("portvakt.yaml")).unwrap();
    std::fs::create_dir(one.path.join("tilgang")).unwrap();
    std::fs::rename(one.path.join("removed.yaml"), one.path.join("tilgang/removed.yaml")).unwrap();
    one.write("tilgang/portvakt.yaml", &settings);
    one.merge("Move");
    let apply = ["-C", "tilgang", "apply", "--auto-approve", "--override-guards", "haster"];
    for _ in 0..2 {
        let ran = one.ends(6, &apply);
        assert!(ran.stdout.contains("PV301") && ran.stdout.contains("PV302"), "{}", ran.stdout);
        stay_open(&remote, "moved");
    }
}

#[test]
fn no_line_that_is_added_to_the_ledger_hides_another() {
    // An older record is restored, and the newest line concerns its commit.
    let remote = Remote::new();
    let one = remote.first();
    let older = one.declare(&protected().replace("prevent_deactivation: true, ", ""));
    one.apply();
    let [applied_ref, record] = counting(&remote);
    one.write("portvakt.yaml", &format!("{}{}", settings(&one), super::protection::GUARDS));
    one.declare(&protected());
    one.apply();
    push(&one, &[&applied_ref, &record]);
    forge(&one, "test", &older, &|report| report["commit"] = older.as_str().into());
    assert!(codes(&one.plan()).contains(&"PV409".to_owned()));
    nothing_closes(&remote, &one, "put back");
    // All refs are deleted, and the newest line concerns a commit that protects nothing.
    let remote = Remote::new();
    let one = applied(&remote);
    let first = one.git(&["rev-parse", "HEAD~1"]);
    push(&one, &[":refs/portvakt/test/applied", ":refs/portvakt/test/record"]);
    forge(&one, "test", &first, &|report| report["commit"] = first.as_str().into());
    nothing_closes(&remote, &one, "deleted");
}

#[test]
fn a_line_about_no_commit_stops_no_apply() {
    let remote = Remote::new();
    let one = applied(&remote);
    for commit in ["main", "HEAD~1", ":/Begin", "abcdef"] {
        forge(&one, "test", "HEAD", &|report| report["commit"] = commit.into());
    }
    assert!(!codes(&one.plan()).contains(&"PV409".to_owned()), "they are no lines of an apply");
    // A missing commit may have been one.
    forge(&one, "test", "HEAD", &|report| report["commit"] = "1".repeat(40).into());
    let text = one.ends(0, &["plan"]).stdout;
    assert!(text.contains("the ledger says that commit 1111111111"), "{text}");
    nothing_closes(&remote, &one, "gone");
    one.ends(0, &["baseline", "set", "HEAD", "--yes"]);
    assert!(!codes(&one.plan()).contains(&"PV409".to_owned()));
}

#[test]
fn a_folder_that_leads_elsewhere_is_none() {
    let folders = ["/etc", "../..", ".git", "a\0b", "a\u{1b}[31m", "a//b"];
    // In a line of the ledger, even where an apply has carried it over.
    let remote = Remote::new();
    let one = applied(&remote);
    for folder in folders {
        one.merge("More");
        let commit = one.head();
        forge(&one, "test", "HEAD", &|report| {
            report["folder"] = folder.into();
            report["commit"] = commit.as_str().into();
        });
    }
    nothing_closes(&remote, &one, "a line");
    one.ends(0, &["baseline"]);
    one.ends(0, &["baseline", "set", "HEAD", "--yes"]);
    // In a record.
    for folder in folders {
        let mut record = remote.record();
        record["applied"]["folder"] = folder.into();
        let made = one.made(&record, "HEAD");
        push(&one, &[&format!("{made}:refs/portvakt/test/record")]);
        let text = one.ends(0, &["plan"]).stdout;
        assert!(
            text.contains("PV409") && text.contains("not a path within the repository"),
            "{text}"
        );
        one.ends(0, &["baseline", "set", "HEAD", "--yes"]);
    }
}

#[test]
fn what_is_no_ledger_is_reported_with_what_clears_it() {
    let remote = Remote::new();
    let one = applied(&remote);
    let blob = one.git(&["hash-object", "-w", "portvakt.yaml"]);
    push(&one, &[&format!("{blob}:refs/notes/portvakt/test")]);
    one.declare(&protected().replace("description: Les", "description: Skriv"));
    let clear = "git push origin --delete refs/notes/portvakt/test";
    let text = one.ends(0, &["plan"]).stdout;
    assert!(text.contains("PV409") && text.contains(clear), "{text}");
    let ran = one.ends(1, &["apply", "--auto-approve"]);
    assert!(ran.stderr.contains(clear), "{}", ran.stderr);
    one.git(&["push", "--quiet", "origin", "--delete", "refs/notes/portvakt/test"]);
    one.apply();
    // Half a million lines are more than anybody applies.
    add_note(&one, "test", "HEAD", &"x\n".repeat(500_001));
    let text = one.ends(0, &["plan"]).stdout;
    assert!(text.contains("it is larger than any that is read"), "{text}");
}

#[test]
fn a_ref_that_nobody_can_declare_is_no_place() {
    let remote = Remote::new();
    let one = applied(&remote);
    let names = ["x;id", "@./x", "@@a/x", "@a/x;id", "a--b", "@a..b/x", "@a/b/c"];
    for name in names.iter().filter(|name| !name.contains("..")) {
        forge(&one, name, "HEAD", &|_| ());
    }
    let text = one.ends(0, &["plan"]).stdout;
    assert!(!text.contains("PV409"), "{text}");
    // A name that somebody could use, and a ref that keeps it from being retired.
    forge(&one, "evil", "HEAD", &|report| report["environment"] = "evil".into());
    push(&one, &["HEAD:refs/portvakt/evil"]);
    let text = one.ends(0, &["plan"]).stdout;
    assert!(text.contains("of evil: the ledger says"), "{text}");
    one.ends(0, &["baseline", "set", "HEAD", "--from-environment", "evil", "--yes"]);
    let text = one.ends(0, &["plan"]).stdout;
    assert!(!text.contains("PV409"), "{text}");
}

#[test]
fn what_another_place_rolled_back_from_protects_here() {
    let remote = Remote::new();
    let one = remote.first();
    let own = settings(&one);
    let (before, block) = own.split_once("  test:\n").unwrap();
    one.write("portvakt.yaml", &format!("{before}  test:\n{block}  annet:\n{block}"));
    let older = one.declare(&protected().replace("prevent_deactivation: true, ", ""));
    one.ends(0, &["-e", "annet", "apply", "--auto-approve"]);
    one.ends(0, &["-e", "test", "apply", "--auto-approve"]);
    let both = settings(&one);
    one.write("portvakt.yaml", &format!("{both}{}", super::protection::GUARDS));
    one.declare(&protected());
    one.ends(0, &["-e", "annet", "apply", "--auto-approve"]);
    let plan = remote.beside("rollback.json").to_string_lossy().into_owned();
    one.ends(0, &["-e", "annet", "rollback", &older, "--out", &plan]);
    one.ends(0, &["apply", &plan, "--auto-approve"]);
    drop_all(&one);
    let ran = merge(&one, "test");
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("PV301") && ran.stdout.contains("PV302"), "{}", ran.stdout);
    stay_open(&remote, "rolled back elsewhere");
}

#[test]
fn what_protects_does_so_while_no_branch_is_known() {
    let remote = Remote::new();
    let one = applied(&remote);
    // A commit that was not merged declares something that no place applied.
    remote.world.put("etat:fremmed", true, &[(SKATT, domain::AccessState::Approved)]);
    let forged = format!("{}  - {{ name: etat:fremmed, description: Les }}\n", protected());
    one.write("declarations.yaml", &forged);
    let forged = one.commit("Forge");
    let record = remote.recorded(&one, &forged);
    push(&one, &["HEAD:topic"]);
    let refs = [
        format!("{record}:refs/portvakt/test/record"),
        format!("{forged}:refs/portvakt/test/applied"),
    ];
    one.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    git(&remote.path(), &["symbolic-ref", "HEAD", "refs/heads/borte"]);
    nothing_closes(&remote, &one, "no branch");
    push(&one, &[&refs[0], &refs[1]]);
    one.ends(6, &["apply", "--auto-approve", "--override-guards", "haster"]);
    assert_eq!(remote.world.open_to("etat:fremmed").as_deref(), Some(&[SKATT.to_owned()][..]));
}
