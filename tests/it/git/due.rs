//! Accesses that begin and end by date: `apply --due`, and what drift shows of them.

use domain::AccessState::{Approved, Denied};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use sandbox::Fault;
use serde_json::Value;

use super::folders::{apply, two};
use super::life::codes;
use super::remote::{Clone, Remote};
use crate::faults::rule;
use crate::world::{DIGDIR, KART, SKATT, ids, name, orgno};

/// Days before today of the last apply.
const SINCE: i64 = 30;

/// The date in Norway, some days ago.
fn ago(days: i64) -> Date {
    domain::norwegian_date(Timestamp::now()).checked_sub(days.days()).unwrap()
}

/// Puts the apply of a record a month back.
fn a_month_before(record: &mut Value) {
    let at = Timestamp::now() - SignedDuration::from_hours(24 * SINCE);
    record["applied"]["at"] = at.to_string().into();
    record.as_object_mut().unwrap().remove("dates_done");
}

/// Puts the last apply of a commit a month back, as if the days had passed since.
fn a_month_later(remote: &Remote, clone: &Clone<'_>) {
    let mut record = remote.record();
    a_month_before(&mut record);
    let commit = record["applied"]["commit"].as_str().unwrap().to_owned();
    let made = clone.made(&record, &commit);
    clone.git(&[
        "push",
        "--quiet",
        "--force",
        "origin",
        &format!("{made}:refs/portvakt/test/record"),
    ]);
}

/// A scope whose consumer Skatteetaten has ended since the last apply, and one to which it has begun to have
/// access; both are applied, and the live state is the one of then.
fn month(remote: &Remote) -> Clone<'_> {
    let one = remote.first();
    one.declare(&format!(
        "groups: {{ etater: [\"{SKATT}\"] }}\nscopes:\n  \
         - {{ name: etat:a, description: Les, consumers: [{{ group: etater, until: {} }}, \"{KART}\"] }}\n  \
         - {{ name: etat:b, description: Les, consumers: [{{ consumer: \"{SKATT}\", from: {}, reason: SAK-1 }}] }}\n",
        ago(2),
        ago(1)
    ));
    one.apply();
    remote.world.sandbox.edit(|state| {
        state.put_access(name("etat:a"), orgno(SKATT), Approved);
        state.accesses.remove(&name("etat:b"));
    });
    a_month_later(remote, &one);
    remote.world.check_and_forget();
    one
}

fn origins(plan: &Value) -> Vec<&str> {
    let actions = plan["actions"].as_array().unwrap();
    actions.iter().map(|action| action["origin"].as_str().unwrap()).collect()
}

/// The writes, sorted: independent ones run side by side.
fn sent(remote: &Remote) -> Vec<String> {
    let mut sent = remote.world.sent();
    sent.sort_by(|a, b| b.cmp(a));
    sent
}

const DUE: [&str; 3] = ["apply", "--due", "--auto-approve"];
const BY_DATE: [&str; 2] = ["revoke etat:a 974761076", "grant etat:b 974761076"];

#[test]
fn what_a_date_asks_for_is_neither_change_nor_drift_and_applied_without_a_review() {
    let remote = Remote::new();
    let one = month(&remote);
    let applied = remote.held("applied");
    let plan = one.plan();
    assert_eq!(ids(&plan), BY_DATE);
    assert_eq!(origins(&plan), ["expired", "due"]);
    let text = one.ends(0, &["plan"]).stdout;
    assert!(text.contains("\nBy date: takes access away or opens up\n"), "{text}");
    assert!(text.contains("\nBy date: gives access\n"), "{text}");
    let drift = one.ends(0, &["drift", "--format", "json"]);
    assert_eq!(origins(&serde_json::from_str(&drift.stdout).unwrap()), ["expired", "due"]);

    // Something else is drift, and is not touched.
    remote.world.put("etat:a", true, &[(SKATT, Approved), (KART, Approved), (DIGDIR, Approved)]);
    one.ends(2, &["drift"]);
    one.ends(0, &DUE);
    assert_eq!(sent(&remote), BY_DATE);
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [KART, DIGDIR]);
    let entry = &one.history()[0];
    assert_eq!((entry["outcome"].as_str(), origins(entry)), (Some("done"), vec!["expired", "due"]));
    assert_eq!(entry["due"], true);
    assert!(one.ends(0, &["history"]).stdout.contains("  by date (apply --due) at "));
    assert_eq!((remote.held("applied"), remote.tried()), (applied, Vec::new()));
    assert_eq!(remote.held("lock"), None);

    // Once done, what somebody changes by hand is drift, and no job undoes it unseen.
    remote.world.sandbox.edit(|state| {
        state.accesses.remove(&name("etat:b"));
    });
    let plan = one.plan();
    assert_eq!(origins(&plan), ["drift", "drift"]);
    remote.world.check_and_forget();
    one.ends(0, &DUE);
    assert_eq!(sent(&remote), [""; 0]);
}

#[test]
fn declarations_that_are_not_applied_yet_are_left_alone_and_can_keep_an_access() {
    let remote = Remote::new();
    let one = month(&remote);
    // Merged and not applied: the access goes on, another begins, and a scope is added.
    one.declare(&format!(
        "scopes:\n  \
         - {{ name: etat:a, description: Les, consumers: [\"{SKATT}\", \"{KART}\", \"{DIGDIR}\"] }}\n  \
         - {{ name: etat:b, description: Skriv, consumers: [\"{SKATT}\"] }}\n  \
         - {{ name: etat:c, description: Les }}\n"
    ));
    let ran = one.ends(0, &DUE);
    assert!(ran.stdout.contains("PV423 revoke etat:a 974761076"), "{}", ran.stdout);
    assert_eq!(sent(&remote), ["grant etat:b 974761076"]);
    assert_eq!(remote.tried(), [""; 0]);
    // The rest is there for the reviewed apply.
    one.apply();
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [KART, SKATT, DIGDIR]);
}

#[test]
fn what_the_current_declarations_kept_is_due_again_once_they_no_longer_do() {
    let remote = Remote::new();
    let one = month(&remote);
    let applied = std::fs::read_to_string(one.path.join("declarations.yaml")).unwrap();
    one.declare(&format!(
        "scopes:\n  \
         - {{ name: etat:a, description: Les, consumers: [\"{SKATT}\", \"{KART}\"] }}\n  \
         - {{ name: etat:b, description: Les, consumers: [\"{SKATT}\"] }}\n"
    ));
    one.ends(0, &DUE);
    assert_eq!(sent(&remote), ["grant etat:b 974761076"]);
    remote.world.check_and_forget();
    one.declare(&applied);
    one.ends(0, &DUE);
    assert_eq!(sent(&remote), ["revoke etat:a 974761076"]);
}

#[test]
fn nothing_is_due_where_nothing_was_applied_or_the_past_is_not_known() {
    let remote = Remote::new();
    let one = remote.first();
    let ran = one.ends(4, &DUE);
    assert!(ran.stderr.contains("nothing has been applied to test yet"), "{}", ran.stderr);
    drop(month(&remote));
    one.git(&["push", "--quiet", "origin", ":refs/portvakt/test/record"]);
    let ran = one.ends(4, &DUE);
    assert!(ran.stderr.contains("what was applied before is not known"), "{}", ran.stderr);
    assert_eq!(sent(&remote), [""; 0]);
    assert_eq!(remote.held("lock"), None);
}

#[test]
fn limits_do_not_stop_what_is_due_and_other_refusals_do() {
    let remote = Remote::new();
    let one = remote.first();
    remote.world.settings("guards: { max_revocations: 0, max_changed_percent: 1 }\n");
    let one = {
        drop(one);
        month(&remote)
    };
    // A clone that lacks what was applied says nothing about what is wanted now.
    let two = remote.another("two", &[]);
    two.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let ran = two.ends(4, &["apply", "--due", "--auto-approve", "--override-guards", "why"]);
    assert!(ran.stderr.contains("PV410"), "{}", ran.stderr);
    assert_eq!(sent(&remote), [""; 0]);
    one.ends(0, &DUE);
    assert_eq!(sent(&remote), BY_DATE);
    one.ends(64, &["apply", "--due", "--expect", &format!("sha256:{:064}", 0)]);
}

#[test]
fn what_is_due_is_advised_to_be_applied_as_it_was_asked_for() {
    let remote = Remote::new();
    let one = month(&remote);
    let ran = one.ends(4, &["-C", ".", "apply", "--due", "--override-guards", "Kari's sak"]);
    let line =
        r"portvakt -C . -e test apply --due --auto-approve --override-guards 'Kari'\''s sak'";
    assert!(ran.stderr.contains(line), "{}", ran.stderr);
    one.ends(0, &["plan", "--out", "plan.json"]);
    let ran = one.ends(4, &["apply", "plan.json", "--allow-dirty"]);
    let line = "portvakt -e test apply plan.json --auto-approve --allow-dirty";
    assert!(ran.stderr.contains(line), "{}", ran.stderr);
    assert_eq!(sent(&remote), [""; 0]);
}

#[test]
fn a_block_is_first_in_a_plan_and_counts_in_no_limit() {
    let remote = Remote::new();
    remote.world.settings("guards: { max_revocations: 0, max_changed_percent: 1 }\n");
    let one = remote.first();
    let scopes = format!(
        "consumers:\n  skatt: {{ orgno: \"{SKATT}\", name: Skatteetaten }}\n  kart: {{ orgno: \"{KART}\" }}\n\
         groups:\n  etater: [skatt, kart]\nscopes:\n  \
         - {{ name: etat:a, description: Les, consumers: [{{ group: etater }}] }}\n  \
         - {{ name: etat:b, description: Les, consumers: [skatt] }}\n"
    );
    one.declare(&scopes);
    one.apply();
    remote.world.check_and_forget();
    let ran = one.ends(0, &["block", "Skatteetaten", "--reason", "SAK-99", "--scope", "etat:a*"]);
    assert_eq!(
        ran.stdout,
        "skatt is blocked in all environments from etat:a*: declarations.yaml\n"
    );
    let written = std::fs::read_to_string(one.path.join("declarations.yaml")).unwrap();
    let entry = "blocked:\n  - { consumer: skatt, scopes: [\"etat:a*\"], reason: SAK-99 }\n";
    assert_eq!(written, format!("{scopes}{entry}"));
    one.merge("Block");
    let plan = one.plan();
    assert_eq!(ids(&plan), ["revoke etat:a 974761076"]);
    assert_eq!((&plan["actions"][0]["of_block"], codes(&plan).len()), (&Value::Bool(true), 0));
    for (format, heading) in [
        ("text", "\nTakes access away from blocked organisations\n"),
        ("markdown", "### Takes access away from blocked organisations"),
    ] {
        let shown = one.ends(0, &["plan", "--format", format]).stdout;
        assert!(shown.contains(heading) && shown.contains("blocked: SAK-99"), "{shown}");
    }
    one.apply();
    assert_eq!(sent(&remote), ["revoke etat:a 974761076"]);
    // Granted again by hand: it is drift.
    remote.world.sandbox.edit(|state| state.put_access(name("etat:a"), orgno(SKATT), Approved));
    one.ends(2, &["drift"]);
    one.apply();
    // A rollback to the commit before does not lift it.
    let before = one.git(&["rev-parse", "HEAD~1"]);
    assert!(!one.ends(0, &["rollback", &before]).stdout.contains("grant"));
    one.ends(0, &["unblock", "skatt"]);
    assert_eq!(std::fs::read_to_string(one.path.join("declarations.yaml")).unwrap(), scopes);
    one.merge("Unblock");
    assert_eq!(one.planned(), ["grant etat:a 974761076"]);
}

#[test]
fn a_rollback_gives_no_access_that_its_own_commit_blocks() {
    let remote = Remote::new();
    let one = remote.first();
    let before = one.declare(&format!(
        "scopes: [{{ name: etat:a, description: Les, consumers: [\"{SKATT}\", \"{KART}\"] }}]\n\
         blocked: [{{ consumer: \"{SKATT}\", reason: SAK-1 }}]\n"
    ));
    one.apply();
    one.declare("scopes: [{ name: etat:a, description: Les }]\n");
    one.apply();
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [""; 0]);
    let plan = one.ends(0, &["rollback", &before, "--format", "json"]).stdout;
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(ids(&plan), [format!("grant etat:a {KART}")]);
}

#[test]
fn a_commit_that_was_applied_in_part_stays_so_after_what_is_due() {
    let remote = Remote::new();
    let one = month(&remote);
    let refused = Fault::Status { status: 400, retry_after: None };
    remote.world.sandbox.inject(rule(("POST", "/scopes"), 1, refused));
    let text = std::fs::read_to_string(one.path.join("declarations.yaml")).unwrap();
    // The later commit ends nothing and grants nothing new; its own new scope fails.
    let later = one.declare(&format!("{text}  - {{ name: etat:ny, description: Ny }}\n"));
    one.ends(6, &["apply", "--auto-approve"]);
    assert_eq!(remote.tried(), [later.as_str()]);
    remote.world.sandbox.edit(|state| {
        state.put_access(name("etat:a"), orgno(SKATT), Approved);
        state.accesses.remove(&name("etat:b"));
    });
    a_month_later(&remote, &one);
    remote.world.check_and_forget();
    one.ends(0, &DUE);
    assert_eq!(sent(&remote), BY_DATE);
    assert_eq!(remote.tried(), [later.as_str()]);
    // What is left of it is done by the next apply.
    one.apply();
    assert_eq!((remote.held("applied"), remote.tried()), (Some(later), Vec::new()));
}

/// A declaration of `etat:a` with one entry.
fn entry(one: &Clone<'_>, days: &str) {
    one.declare(&format!(
        "scopes:\n  - {{ name: etat:a, description: Les, consumers: [{{ consumer: \"{SKATT}\"{days} }}] }}\n"
    ));
}

#[test]
fn what_a_later_day_brings_is_reviewed_before_it_is_applied() {
    let remote = Remote::new();
    let one = remote.first();
    entry(&one, &format!(", until: {}", ago(-60)));
    one.apply();
    assert_eq!(one.plan()["scheduled"], Value::Null, "what was applied is nothing new");
    remote.world.check_and_forget();

    // Access for ever instead of two months: nothing changes today.
    entry(&one, "");
    let planned = one.ends(2, &["plan", "--detailed-exitcode", "--out", "../plan.json"]);
    let line = format!("+ no longer ends after {}  etat:a  {SKATT}", ago(-60));
    assert!(planned.stdout.contains("\n1 change on later days.\n"), "{}", planned.stdout);
    assert!(planned.stdout.contains(&line), "{}", planned.stdout);
    let markdown = one.ends(0, &["plan", "--format", "markdown"]).stdout;
    assert!(markdown.contains("no longer ends after"), "{markdown}");
    assert!(markdown.contains("**Look twice:** 1 consumer gets access later."), "{markdown}");
    assert!(!markdown.contains("No changes"), "{markdown}");

    // It takes an approval as everything else does.
    let refused = one.ends(4, &["apply"]);
    assert!(refused.stderr.contains("--expect sha256:"), "{}", refused.stderr);
    assert_eq!(one.plan()["scheduled"][0]["effect"], "no_longer_ends");
    let ran = one.ends(0, &["apply", "../plan.json", "--auto-approve"]);
    assert!(ran.stdout.ends_with("\n1 change on later days is accepted.\n"), "{}", ran.stdout);
    assert_eq!(sent(&remote), [""; 0]);
    let of_it = ["history", "--scope", "etat:a", "--consumer", SKATT];
    let text = one.ends(0, &of_it).stdout;
    assert!(text.contains(&line), "{text}");
    assert_eq!(one.history()[0]["scheduled"][0]["danger"], "grants");
    let again = one.ends(0, &["plan", "--detailed-exitcode"]);
    assert!(again.stdout.contains("No changes."), "{}", again.stdout);

    // A plan that was saved for another day is stale.
    entry(&one, &format!(", until: {}", ago(-10)));
    one.ends(0, &["plan", "--out", "../plan.json"]);
    entry(&one, &format!(", until: {}", ago(-20)));
    let stale = one.ends(4, &["apply", "../plan.json", "--auto-approve"]);
    assert!(stale.stderr.contains(&format!("ends after {}", ago(-20))), "{}", stale.stderr);
}

#[test]
fn a_baseline_lists_the_later_days_that_begin_to_count() {
    let remote = Remote::new();
    let one = remote.first();
    entry(&one, &format!(", until: {}", ago(-60)));
    one.apply();
    entry(&one, "");
    let set = one.ends(0, &["baseline", "set", "HEAD", "--yes"]).stdout;
    let day = format!("no longer ends after {}", ago(-60));
    assert!(
        set.contains("counts on later days, and `apply --due` does it without a review: 1\n"),
        "{set}"
    );
    assert!(set.contains("etat:a") && set.contains(&day), "{set}");
}

#[test]
fn a_date_that_is_found_done_is_not_due_again_after_a_change_by_hand() {
    let remote = Remote::new();
    let one = month(&remote);
    for apply in [&DUE[..], &["apply"]] {
        a_month_later(&remote, &one);
        // Somebody has done by hand what the dates ask for.
        remote.world.sandbox.edit(|state| {
            state.accesses.remove(&name("etat:a"));
            state.put_access(name("etat:a"), orgno(KART), Approved);
            state.put_access(name("etat:b"), orgno(SKATT), Approved);
        });
        one.ends(0, apply);
        assert_eq!(sent(&remote), [""; 0]);
        // And then revokes it.
        remote.world.sandbox.edit(|state| drop(state.accesses.remove(&name("etat:b"))));
        assert_eq!(origins(&one.plan()), ["drift"], "{apply:?}");
        remote.world.check_and_forget();
        one.ends(0, &DUE);
        assert_eq!(sent(&remote), [""; 0]);
    }
}

#[test]
fn what_a_night_did_in_part_is_not_done_again_after_a_change_by_hand() {
    let remote = Remote::new();
    let one = month(&remote);
    let refused = Fault::Status { status: 400, retry_after: None };
    remote.world.sandbox.inject(rule(("DELETE", "/scopes/access/"), 1, refused));
    one.ends(6, &DUE);
    assert_eq!(remote.world.open_to("etat:b").unwrap(), [SKATT]);
    // Somebody revokes what the night has granted.
    remote.world.sandbox.edit(|state| drop(state.accesses.remove(&name("etat:b"))));
    assert_eq!(origins(&one.plan()), ["expired", "drift"]);
    remote.world.check_and_forget();
    one.ends(0, &DUE);
    assert_eq!(sent(&remote), ["revoke etat:a 974761076"]);
    one.ends(2, &["drift"]);
}

#[test]
fn what_a_job_did_before_it_was_killed_is_not_done_again_where_it_was_denied_since() {
    let remote = Remote::new();
    let one = month(&remote);
    one.ends(0, &DUE);
    // As the record is while it runs.
    let mut record = remote.record();
    let begun = ["etat:a", "etat:b"];
    let begun = begun.map(|scope| serde_json::json!({ "scope": scope, "consumer": SKATT }));
    record["undone"] = serde_json::json!({ "begun": begun });
    let commit = record["applied"]["commit"].as_str().unwrap().to_owned();
    let made = one.made(&record, &commit);
    let refs = format!("{made}:refs/portvakt/test/record");
    one.git(&["push", "--quiet", "--force", "origin", &refs]);
    remote.world.sandbox.edit(|state| {
        state.put_access(name("etat:a"), orgno(SKATT), Approved);
        state.put_access(name("etat:b"), orgno(SKATT), Denied);
    });
    remote.world.check_and_forget();
    let ran = one.ends(0, &DUE);
    assert!(ran.stdout.contains("PV424 grant etat:b 974761076"), "{}", ran.stdout);
    assert_eq!(sent(&remote), ["revoke etat:a 974761076"]);
    assert_eq!(remote.record()["undone"], Value::Null);
    // It is reported once, and drift from then on.
    let ran = one.ends(0, &DUE);
    assert!(!ran.stdout.contains("PV424"), "{}", ran.stdout);
    one.ends(2, &["drift"]);
}

/// A scope with one consumer on these days, and one for ever.
fn ending(days: &str) -> String {
    format!(
        "scopes:\n  - {{ name: etat:a, description: Les, consumers: [{{ consumer: \"{SKATT}\"{days} }}, \"{KART}\"] }}\n"
    )
}

#[test]
fn a_move_that_drops_an_end_shows_that_the_access_no_longer_ends() {
    let remote = Remote::new();
    let one = two(&remote);
    let end = ago(-9);
    one.write("x/scopes.yaml", &ending(&format!(", until: {end}")));
    one.merge("An end");
    apply(&one, "x");
    one.write("x/scopes.yaml", "scopes: []\n");
    one.write("y/scopes.yaml", &ending(""));
    one.merge("Move, without an end");
    let shown = one.ends(0, &["-C", "y", "plan"]).stdout;
    assert!(shown.contains(&format!("+ no longer ends after {end}  etat:a  {SKATT}")), "{shown}");
    apply(&one, "x");
    apply(&one, "y");
    assert!(one.ends(0, &["-C", "y", "plan"]).stdout.contains("No changes."));
}

#[test]
fn what_another_folder_has_taken_over_is_left_to_it() {
    for other_applies in [true, false] {
        let remote = Remote::new();
        let one = two(&remote);
        one.write("x/scopes.yaml", &ending(&format!(", until: {}", ago(2))));
        one.merge("An end");
        apply(&one, "x");
        remote.world.sandbox.edit(|state| state.put_access(name("etat:a"), orgno(SKATT), Approved));
        let record = "refs/portvakt/@x/test/record";
        one.git(&["fetch", "--quiet", "origin", record]);
        let text = one.git(&["log", "-1", "--format=%B", "FETCH_HEAD"]);
        let mut forged: Value = serde_json::from_str(&text).unwrap();
        a_month_before(&mut forged);
        let made = one.made(&forged, "HEAD");
        one.git(&["push", "--quiet", "--force", "origin", &format!("{made}:{record}")]);
        one.write("x/scopes.yaml", "scopes: []\n");
        one.write("y/scopes.yaml", &ending(""));
        one.merge("Move, without an end");
        if other_applies {
            apply(&one, "y");
        }
        remote.world.check_and_forget();
        let ran = one.ends(0, &["-C", "x", "apply", "--due", "--auto-approve"]);
        assert!(ran.stdout.contains("PV423"), "{}", ran.stdout);
        assert_eq!(remote.world.sent(), [""; 0], "{other_applies}");
    }
}
