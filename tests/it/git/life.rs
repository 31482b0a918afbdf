//! The life cycle of declarations, in two clones.

use domain::AccessState::Approved;
use sandbox::Fault;
use serde_json::Value;

use super::remote::Remote;
use crate::faults::rule;
use crate::world::{DIGDIR, KART, SKATT, orgno};

/// A scope with its consumers.
pub(crate) fn scope(name: &str, consumers: &[&str]) -> String {
    let consumers: Vec<_> = consumers.iter().map(|orgno| format!("\"{orgno}\"")).collect();
    let consumers = consumers.join(", ");
    format!("  - {{ name: {name}, description: Les, consumers: [{consumers}] }}\n")
}

/// Declarations of scopes.
pub(crate) fn scopes(scopes: &[(&str, &[&str])]) -> String {
    let scopes: Vec<_> = scopes.iter().map(|(name, consumers)| scope(name, consumers)).collect();
    format!("scopes:\n{}", scopes.concat())
}

/// The codes of a plan's notices and blocked actions.
pub(crate) fn codes(plan: &Value) -> Vec<String> {
    let all = ["blocked", "notices"].into_iter().flat_map(|of| plan[of].as_array().unwrap());
    all.map(|text| text["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_was_applied_is_taken_away_again_when_it_is_declared_no_longer() {
    let remote = Remote::new();
    let (one, two) = (remote.first(), remote.another("two", &[]));
    // Never managed here: live before, and not declared.
    remote.world.put("etat:fremmed", true, &[(KART, Approved)]);
    let first = one.declare(&scopes(&[("etat:a", &[SKATT, KART]), ("etat:b", &[SKATT])]));
    one.apply();
    assert_eq!(remote.held("applied"), Some(first.clone()));
    assert_eq!((remote.held("lock"), remote.tried().len()), (None, 0));
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [KART, SKATT]);

    two.pull();
    assert_eq!(two.planned(), [""; 0]);
    let second = two.declare(&scopes(&[("etat:a", &[SKATT])]));
    let plan = two.plan();
    let planned = ["revoke etat:a 971040238", "revoke etat:b 974761076", "deactivate scope etat:b"];
    assert_eq!(crate::world::ids(&plan), planned);
    let gone = &plan["actions"][2]["source"];
    assert_eq!(gone["at"], *first, "a removal is shown where it stood: {gone}");
    assert_eq!(plan["applied"]["commit"], *first);
    two.apply();
    assert_eq!(remote.held("applied"), Some(second));
    assert_eq!(remote.world.open_to("etat:b"), None);
    assert_eq!(remote.world.open_to("etat:fremmed").unwrap(), [KART]);

    // Released: nothing is sent, and it is unmanaged from then on.
    remote.world.check_and_forget();
    one.pull();
    one.declare("removed:\n  - { scope: etat:a, action: release, reason: flyttet }\n");
    assert_eq!(one.planned(), ["release scope etat:a"]);
    one.apply();
    assert_eq!(remote.world.sent(), [""; 0]);
    one.declare("scopes: []\n");
    assert_eq!(one.planned(), [""; 0], "what was released is not taken away later");
    one.apply();
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [SKATT]);
    // It was not declared again: if it is live, it is reported as unmanaged.
    assert!(codes(&one.plan()).contains(&"PV401".to_owned()), "{:?}", one.plan()["notices"]);
}

#[test]
fn history_that_is_rewritten_does_not_lose_what_was_applied() {
    let remote = Remote::new();
    let (one, two) = (remote.first(), remote.another("two", &[]));
    let lost = one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[])]));
    one.apply();
    // The branch is reset to before it, and another clone has never fetched the applied commit.
    one.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    one.write("declarations.yaml", &scopes(&[("etat:a", &[SKATT])]));
    one.git(&["add", "-A"]);
    one.git(&["commit", "--quiet", "--amend", "-m", "Another way"]);
    one.git(&["push", "--quiet", "--force", "origin", "HEAD"]);
    two.pull();
    assert_ne!(two.head(), lost);
    // The applied commit was removed by rewriting the branch: somebody has to set the baseline.
    assert!(codes(&two.plan()).contains(&"PV409".to_owned()));
    two.apply();
    assert_eq!(remote.held("applied"), Some(lost.clone()), "it is not forgotten");
    let ran = two.ends(4, &["baseline", "set", &lost, "--yes"]);
    assert!(ran.stderr.contains("not on the remote's branch main"), "{}", ran.stderr);
    let revived =
        two.git(&["commit-tree", "-m", "Take it back", "-p", "HEAD", "-p", &lost, "HEAD^{tree}"]);
    two.git(&["reset", "--quiet", "--hard", &revived]);
    two.git(&["push", "--quiet", "origin", "HEAD"]);
    assert_eq!(two.planned(), ["deactivate scope etat:b"]);
    two.apply();
    assert_eq!(remote.world.open_to("etat:b"), None);

    // A merge commit has the declarations of both sides; the past is that of the side that lacks one.
    two.git(&["checkout", "--quiet", "-b", "topic"]);
    two.write("more.yaml", &scopes(&[("etat:c", &[KART])]));
    two.commit("More");
    two.git(&["checkout", "--quiet", "main"]);
    two.write("other.yaml", &scopes(&[("etat:d", &[])]));
    two.merge("Other");
    two.apply();
    two.git(&["merge", "--quiet", "--no-ff", "-m", "Merge", "topic"]);
    two.git(&["push", "--quiet", "origin", "HEAD"]);
    assert_eq!(two.planned(), ["create scope etat:c", "grant etat:c 971040238"]);
    two.apply();
    assert_eq!(remote.held("applied"), Some(two.head()));

    // A detached head is a commit like any other.
    two.git(&["checkout", "--quiet", "--detach"]);
    two.git(&["rm", "--quiet", "other.yaml"]);
    two.merge("Less");
    two.apply();
    assert_eq!((remote.held("applied"), remote.world.open_to("etat:d")), (Some(two.head()), None));
}

#[test]
fn a_commit_that_was_overtaken_is_not_applied() {
    let remote = Remote::new();
    let (one, two) = (remote.first(), remote.another("two", &[]));
    let old = one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.apply();
    one.declare(&scopes(&[("etat:a", &[SKATT, KART])]));
    one.apply();
    two.git(&["fetch", "--quiet", "origin"]);
    two.git(&["checkout", "--quiet", &old]);
    assert!(codes(&two.plan()).contains(&"PV410".to_owned()));
    let ran = two.ends(4, &["apply", "--auto-approve"]);
    assert!(ran.stderr.contains("PV410"), "{}", ran.stderr);
    assert_eq!(remote.held("lock"), None);
    // A job that is run again, in a clone of that commit alone, without later commits.
    let shallow = remote.beside("shallow");
    std::fs::create_dir(&shallow).unwrap();
    let shallow = remote.at(&shallow);
    shallow.git(&["init", "--quiet"]);
    shallow.git(&["remote", "add", "origin", &format!("file://{}", remote.path().display())]);
    shallow.git(&["fetch", "--quiet", "--depth=1", "origin", &old]);
    shallow.git(&["checkout", "--quiet", "FETCH_HEAD"]);
    let ran = shallow.ends(4, &["apply", "--auto-approve"]);
    assert!(ran.stderr.contains("PV410"), "{}", ran.stderr);
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [KART, SKATT]);
}

#[test]
fn files_that_differ_from_the_commit_are_applied_only_if_asked() {
    let remote = Remote::new();
    let one = remote.first();
    let first = one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.apply();
    one.write("declarations.yaml", &scopes(&[("etat:a", &[SKATT, DIGDIR])]));
    assert_eq!(one.plan()["repository"]["dirty"], true);
    let ran = one.ends(4, &["apply", "--auto-approve"]);
    assert!(ran.stderr.contains("--allow-dirty"), "{}", ran.stderr);
    assert_eq!(remote.held("lock"), None);
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [SKATT]);
    let ran = one.ends(4, &["apply", "--auto-approve", "--allow-dirty"]);
    assert!(ran.stderr.contains("branch main"), "it was not merged: {}", ran.stderr);
    let lifted = ["--allow-dirty", "--override-guards", "haster"];
    one.ends(0, &[&["apply", "--auto-approve"], lifted.as_slice()].concat());
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [SKATT, DIGDIR]);
    assert_eq!(remote.held("applied"), Some(first), "no commit has what was applied");
    assert_eq!(one.history()[0]["dirty"], true);
}

#[test]
fn a_shallow_clone_gets_what_it_lacks() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[])]));
    one.apply();
    for message in ["One", "Two", "Three"] {
        one.commit(message);
    }
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    let shallow = remote.another("shallow", &["--depth", "1"]);
    assert_eq!(shallow.planned(), ["deactivate scope etat:b"]);
    shallow.apply();
    assert_eq!(remote.held("applied"), Some(shallow.head()));
    assert_eq!(shallow.planned(), [""; 0]);
    // The ledger that it has written is complete for others, and theirs for it.
    assert_eq!(one.history().len(), 2);
    one.pull();
    one.declare(&scopes(&[("etat:a", &[KART])]));
    one.apply();
    assert_eq!(shallow.history().len(), 3);
    git_is_healthy(&remote);
}

fn git_is_healthy(remote: &Remote) {
    super::remote::git(&remote.path(), &["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn what_unfinished_applies_have_made_is_taken_away_however_many_there_were() {
    let remote = Remote::new();
    let (world, one) = (&remote.world, remote.first());
    one.declare(&scopes(&[("etat:a", &[])]));
    one.apply();
    world.sandbox.edit(|state| {
        state.unknown_organizations.insert(orgno(DIGDIR));
    });
    let applied = one.declare(&scopes(&[("etat:a", &[DIGDIR]), ("etat:b", &[])]));
    one.ends(6, &["apply", "--auto-approve"]);
    // The second apply creates an entity too, and cannot remove those of the first.
    one.declare(&scopes(&[("etat:a", &[DIGDIR]), ("etat:c", &[])]));
    let refused = Fault::Status { status: 400, retry_after: None };
    world.sandbox.inject(rule(("DELETE", "/scopes?scope=etat%3Ab"), 1, refused));
    one.ends(6, &["apply", "--auto-approve"]);
    assert_ne!(remote.held("applied"), Some(applied));
    // The third one removes both, and only the refused action is left.
    let third = one.declare(&scopes(&[("etat:a", &[DIGDIR])]));
    let planned = ["grant etat:a 991825827", "deactivate scope etat:b", "deactivate scope etat:c"];
    assert_eq!(one.planned(), planned);
    one.ends(6, &["apply", "--auto-approve"]);
    assert_eq!(remote.tried(), [third]);
    one.declare(&scopes(&[("etat:a", &[])]));
    one.apply();
    assert_eq!(remote.tried(), [""; 0]);
    assert_eq!((world.open_to("etat:b"), world.open_to("etat:c")), (None, None));
}

#[test]
fn an_unfinished_apply_that_is_taken_back_is_forgotten() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[])]));
    one.apply();
    let refused = Fault::Status { status: 400, retry_after: None };
    remote.world.sandbox.inject(rule(("POST", "/scopes"), 1, refused));
    one.declare(&scopes(&[("etat:a", &[]), ("etat:b", &[])]));
    one.ends(6, &["apply", "--auto-approve"]);
    assert_eq!(remote.tried(), [one.head()]);
    one.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    one.apply();
    assert_eq!(remote.tried(), [""; 0], "nothing of it is ours any more");
}
