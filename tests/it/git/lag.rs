//! One apply right after another, where reads lag behind writes.

use sandbox::{Fault, Switches};
use serde_json::{Value, json};

use super::life::scopes;
use super::remote::{Clone, Remote};
use crate::faults::rule;
use crate::world::{KART, KEY, SKATT};

/// An apply that does not wait until its changes are visible.
pub(super) const IMPATIENT: [&str; 4] = ["apply", "--auto-approve", "--patience", "0"];

/// Makes reads lag by that many seconds from now on.
pub(super) fn lag(remote: &Remote, seconds: u64) {
    remote.world.sandbox.set_switches(Switches { read_lag: seconds * 1000, ..Switches::default() });
}

/// The declarations of a client with a key.
pub(super) fn client(clone: &Clone<'_>) -> String {
    let jwk = serde_json::to_value(&KEY.public).unwrap();
    let key = json!({ "kty": "RSA", "kid": KEY.kid, "n": jwk["n"], "e": jwk["e"] });
    clone.write("x.json", &json!({ "keys": [key] }).to_string());
    "clients:\n  - { name: a, jwks: x.json }\n".to_owned()
}

/// Number of times that a client was created.
pub(super) fn made(remote: &Remote) -> usize {
    let sent = remote.world.sent();
    sent.iter().filter(|id| id.starts_with("create client")).count()
}

fn outcomes(clone: &Clone<'_>) -> Vec<String> {
    let report = clone.history().swap_remove(0);
    let actions = report["actions"].as_array().unwrap().iter();
    actions.map(|action| action["outcome"].as_str().unwrap().to_owned()).collect()
}

/// One change of declarations, applied without patience and then again at once.
struct Change {
    /// Declared and applied before, in order.
    before: Vec<String>,
    after: String,
    /// The actions of the change.
    actions: Vec<&'static str>,
    /// Whether all of it counts as done before it is visible.
    counts: bool,
}

fn again(change: &Change) {
    let Change { before, after, actions, counts } = change;
    let remote = Remote::new();
    let one = remote.first();
    client(&one);
    let mut first = one.head();
    for before in before {
        first = one.declare(before);
        one.apply();
    }
    lag(&remote, 3);
    let second = one.declare(after);
    let what = format!("{actions:?}");
    let ran = one.ends(if *counts { 0 } else { 6 }, &IMPATIENT);
    let sum = format!("{0} of {0} done ({0} not visible yet)", actions.len());
    assert!(ran.stdout.contains(&sum), "{what} {}", ran.stdout);
    let reported = one.history().swap_remove(0);
    let ids: Vec<_> = reported["actions"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, *actions);
    let applied = if *counts { &second } else { &first };
    assert_eq!(remote.held("applied").as_ref(), Some(applied), "{what}");

    // The plan is the same, as nothing is visible yet, and no action fails.
    let ran = one.ends(0, &["apply", "--auto-approve"]);
    assert!(!ran.stdout.contains("failed"), "{what} {}", ran.stdout);
    assert_eq!(remote.held("applied"), Some(second), "{what}");
    assert_eq!(remote.tried(), [""; 0], "{what}");
    assert_eq!(one.planned(), [""; 0], "{what}");
}

#[test]
fn an_apply_right_after_another_finds_what_is_not_shown_yet() {
    let one = || scopes(&[("etat:a", &[SKATT])]);
    let other = || one().replace("Les", "Skriv");
    let paused = || one().replace("Les", "Les, active: false");
    let changes = [
        (vec![String::new()], one(), vec!["create scope etat:a", "grant etat:a 974761076"], true),
        (vec![one()], other(), vec!["update scope etat:a"], true),
        (vec![one(), paused()], one(), vec!["reactivate scope etat:a"], true),
        (
            vec![one()],
            scopes(&[("etat:a", &[KART])]),
            vec!["revoke etat:a 974761076", "grant etat:a 971040238"],
            false,
        ),
        (vec![one()], paused(), vec!["deactivate scope etat:a"], false),
    ];
    run(changes);
}

#[test]
fn an_apply_right_after_another_makes_no_second_client() {
    let client = || "clients:\n  - { name: a, jwks: x.json }\n".to_owned();
    let bare = || "clients:\n  - name: a\n".to_owned();
    let changes = [
        (vec![String::new()], client(), vec!["create client a", "keys client a"], true),
        (vec![bare()], client(), vec!["keys client a"], true),
        (
            vec![bare()],
            bare().replace("a\n", "a\n    description: Ny\n"),
            vec!["update client a"],
            true,
        ),
        (vec![bare()], String::new(), vec!["deactivate client a"], false),
    ];
    run(changes);
}

fn run<const N: usize>(changes: [(Vec<String>, String, Vec<&'static str>, bool); N]) {
    std::thread::scope(|scope| {
        for (before, after, actions, counts) in changes {
            let change = Change { before, after, actions, counts };
            scope.spawn(move || again(&change));
        }
    });
}

#[test]
fn a_client_that_is_not_shown_yet_is_known_by_the_ledger() {
    let remote = Remote::new();
    let one = remote.first();
    let declared = client(&one);
    one.declare(&declared);
    lag(&remote, 20);
    one.ends(0, &IMPATIENT);
    assert_eq!(outcomes(&one), ["done_not_visible_yet"; 2]);
    // Nothing is sent again, and a write of another apply, found in the ledger, is not reported as done.
    for _ in 0..2 {
        let ran = one.ends(6, &IMPATIENT);
        assert!(ran.stdout.contains("make a second one"), "{}", ran.stdout);
        assert_eq!(made(&remote), 1);
    }
    // With another declaration nothing is sent until the live state is visible.
    one.declare(&declared.replace("name: a", "name: a, description: Ny"));
    let ran = one.ends(6, &IMPATIENT);
    let (id, _) = remote.world.client("a");
    assert!(ran.stdout.contains("make a second one"), "{}", ran.stdout);
    assert!(ran.stdout.contains(&id), "{}", ran.stdout);
    assert_eq!(made(&remote), 1);
    // A client that was created for another declaration is not used for this one, and an invisible one is not
    // forgotten.
    let before = remote.held("applied");
    let last = one.declare("clients:\n  - name: b\n");
    let ran = one.ends(6, &IMPATIENT);
    assert!(ran.stderr.contains("cannot be closed"), "{}", ran.stderr);
    assert_eq!(made(&remote), 2);
    assert_eq!(remote.held("applied"), before);
    lag(&remote, 0);
    assert_eq!(one.planned(), ["deactivate client a"]);
    one.apply();
    assert_eq!(remote.held("applied"), Some(last));
    assert!(!remote.world.client("a").1.active);
}

#[test]
fn a_scope_that_is_not_shown_yet_is_not_forgotten_where_nothing_else_is_to_be_done() {
    let remote = Remote::new();
    let one = remote.first();
    let first = one.declare(&scopes(&[("etat:a", &[])]));
    lag(&remote, 20);
    one.ends(0, &IMPATIENT);
    let last = one.declare("");
    assert_eq!(one.planned(), [""; 0]);
    let ran = one.ends(6, &IMPATIENT);
    assert!(ran.stderr.contains("`create scope etat:a` was done"), "{}", ran.stderr);
    assert_eq!(remote.held("applied"), Some(first));
    lag(&remote, 0);
    one.apply();
    assert_eq!(remote.world.open_to("etat:a"), None);
    assert_eq!(remote.held("applied"), Some(last));
}

#[test]
fn a_client_whose_creation_may_have_been_lost_is_waited_for() {
    let remote = Remote::new();
    let one = remote.first();
    let declared = client(&one);
    one.declare(&declared);
    lag(&remote, 3);
    remote.world.sandbox.inject(rule(("POST", "/clients"), 1, Fault::CutAfter));
    one.ends(6, &IMPATIENT);
    let report = one.history().swap_remove(0);
    assert_eq!(report["actions"][0]["outcome"], "failed");
    assert_eq!(report["actions"][0]["may_be_done"], true);
    one.apply();
    assert_eq!(made(&remote), 1);
    remote.world.client("a");
    assert_eq!(one.planned(), [""; 0]);
}

#[test]
fn a_client_that_an_apply_made_that_could_not_report_it_is_waited_for() {
    let remote = Remote::new();
    let one = remote.first();
    let declared = client(&one);
    one.declare(&declared);
    lag(&remote, 3);
    remote.hook("grep -q /applied && exit 1; exit 0");
    one.ends(6, &IMPATIENT);
    assert_eq!(outcomes(&one), ["unknown"; 2]);
    remote.no_hook();
    one.apply();
    assert_eq!(made(&remote), 1);
    remote.world.client("a");
    assert_eq!(one.planned(), [""; 0]);
}

#[test]
fn a_client_that_was_refused_is_made_at_once() {
    let remote = Remote::new();
    let one = remote.first();
    let declared = client(&one);
    one.declare(&declared);
    let refused = Fault::Status { status: 400, retry_after: None };
    remote.world.sandbox.inject(rule(("POST", "/clients"), 1, refused));
    one.ends(6, &IMPATIENT);
    let report = one.history().swap_remove(0);
    assert_eq!(report["actions"][0]["may_be_done"], Value::Null);
    one.ends(0, &IMPATIENT);
    remote.world.client("a");
}

#[test]
fn a_client_that_is_gone_after_all_is_made_once_more() {
    // Another API, or one that was reset: its state counts after enough time to show the write.
    let remote = Remote::new();
    let one = remote.first();
    let declared = client(&one);
    one.declare(&declared);
    remote.world.sandbox.inject(rule(("POST", "/clients"), 1, Fault::CutBefore));
    one.ends(6, &IMPATIENT);
    // Nobody has waited long enough to know, even where a signal ended the wait early.
    let ran = one.ends(6, &["apply", "--auto-approve", "--patience", "1"]);
    assert!(ran.stdout.contains("may have been made a short time ago"), "{}", ran.stdout);
    let mut waiting = one.process(&["apply", "--auto-approve"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    super::remote::signal("-TERM", &waiting.id().to_string());
    assert!([Some(6), Some(130)].contains(&waiting.wait().unwrap().code()));
    assert_eq!(made(&remote), 1);
    one.ends(0, &["apply", "--auto-approve", "--patience", "8"]);
    assert_eq!(made(&remote), 2);
    remote.world.client("a");
}
