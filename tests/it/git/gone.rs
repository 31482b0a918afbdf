//! Places that are no longer declared, while others continue: entities that they have left active are not
//! forgotten.

use super::folders::{apply, two};
use super::handed::planned;
use super::life::scopes;
use super::remote::{Clone, Remote};
use crate::world::{KART, SKATT, ids};

const CLIENT: &str = "clients:\n  - { name: app, scopes: [\"etat:x\"] }\n";

/// Two applied folders, the first with another scope and a client.
fn applied(remote: &Remote) -> (Clone<'_>, String) {
    let one = two(remote);
    one.write("x/more.yaml", &scopes(&[("etat:mer", &[KART])]));
    one.write("x/client.yaml", CLIENT);
    one.merge("More");
    let applied = one.head();
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    (one, applied)
}

/// The reason why the past is not known, in a plan of a folder.
fn unknown(one: &Clone<'_>, folder: &str) -> Option<String> {
    let plan = planned(one, folder);
    let why = plan["applied"]["unknown"].as_str().map(str::to_owned);
    let code = if why.is_some() || !ids(&plan).is_empty() { 2 } else { 0 };
    let text = one.ends(code, &["-C", folder, "plan", "--detailed-exitcode"]).stdout;
    assert_eq!(text.starts_with("What was applied before is not known: "), why.is_some(), "{text}");
    assert_eq!(text.contains("PV409"), why.is_some(), "{text}");
    why
}

fn take_over(folder: &str, commit: &str, from: &str) -> String {
    format!("`portvakt -C {folder} -e test baseline set {commit} --from-project {from}`")
}

#[test]
fn a_removal_beside_a_merge_of_two_folders_is_not_forgotten() {
    let remote = Remote::new();
    let (one, commit) = applied(&remote);
    one.git(&["mv", "x/scopes.yaml", "y/x.yaml"]);
    one.git(&["rm", "--quiet", "-rf", "x"]);
    one.merge("One folder, and less");
    let why = unknown(&one, "y").unwrap();
    assert!(why.contains("environment test in folder x, to "), "{why}");
    assert!(
        why.contains("client app (clients were not read) and 1 more is open and declared nowhere"),
        "{why}"
    );
    assert!(why.contains(&take_over("y", &commit, "x")), "{why}");
    let shown = one.ends(0, &["-C", "y", "baseline"]).stdout;
    assert!(shown.contains(&take_over("y", &commit, "x")), "{shown}");
    // Nor does an apply forget it.
    apply(&one, "y");
    assert_eq!(unknown(&one, "y"), Some(why));
    let set = ["-C", "y", "baseline", "set", &commit, "--from-project", "x", "--yes"];
    let shown = one.ends(0, &set).stdout;
    let closes = "no longer: 2\n    client app\n    scope etat:mer\n";
    assert!(shown.contains(closes) && !shown.contains("nobody's"), "{shown}");
    let closed =
        ["revoke etat:mer 971040238", "deactivate client app", "deactivate scope etat:mer"];
    assert_eq!(ids(&planned(&one, "y")), closed);
    apply(&one, "y");
    assert_eq!(remote.world.open_to("etat:mer"), None);
    assert!(remote.world.open_to("etat:x").is_some() && remote.world.open_to("etat:y").is_some());
    assert_eq!(unknown(&one, "y"), None);
}

#[test]
fn a_merge_that_keeps_everything_needs_no_word_then_or_later() {
    let remote = Remote::new();
    let (one, _) = applied(&remote);
    for file in ["scopes.yaml", "more.yaml", "client.yaml"] {
        one.git(&["mv", &format!("x/{file}"), &format!("y/x.{file}")]);
    }
    one.git(&["rm", "--quiet", "-rf", "x"]);
    one.merge("One folder");
    assert_eq!(unknown(&one, "y"), None);
    apply(&one, "y");
    one.git(&["rm", "--quiet", "y/x.more.yaml"]);
    one.merge("Less");
    assert_eq!(unknown(&one, "y"), None);
    apply(&one, "y");
    assert_eq!(remote.world.open_to("etat:mer"), None);
    assert_eq!(unknown(&one, "y"), None);
}

#[test]
fn a_folder_that_takes_the_name_of_one_that_is_gone_forgets_nothing_of_either() {
    let remote = Remote::new();
    let (one, _) = applied(&remote);
    let commit = one.head();
    one.git(&["rm", "--quiet", "-rf", "x"]);
    one.write("y/scopes.yaml", &scopes(&[("etat:x", &[SKATT])]));
    let settings = std::fs::read_to_string(one.path.join("y/portvakt.yaml")).unwrap();
    one.write("y/portvakt.yaml", &format!("project: x\n{settings}"));
    one.merge("y is x now, and less of both");
    let why = unknown(&one, "y").unwrap();
    assert!(why.contains("in folder y, to ") && why.contains("scope etat:y is open"), "{why}");
    assert!(why.contains(&take_over("y", &commit, "y")), "{why}");
    // The past of the name is known.
    let closed =
        ["revoke etat:mer 971040238", "deactivate client app", "deactivate scope etat:mer"];
    assert_eq!(ids(&planned(&one, "y")), closed);
    one.ends(0, &["-C", "y", "baseline", "set", &commit, "--from-project", "y", "--yes"]);
    apply(&one, "y");
    for scope in ["etat:mer", "etat:y"] {
        assert_eq!(remote.world.open_to(scope), None, "{scope}");
    }
    assert!(remote.world.open_to("etat:x").is_some());
    assert_eq!(unknown(&one, "y"), None);
}

#[test]
fn what_a_deleted_folder_has_left_open_is_reported_until_it_is_closed_or_let_go() {
    for is_closed in [true, false] {
        let remote = Remote::new();
        let (one, commit) = applied(&remote);
        one.git(&["rm", "--quiet", "-rf", "x"]);
        one.merge("No x");
        let why = unknown(&one, "y").unwrap();
        assert!(why.contains("and 2 more") && why.contains(&take_over("y", &commit, "x")), "{why}");
        // Removals in y itself are applied nevertheless.
        one.write("y/scopes.yaml", "scopes: []\n");
        one.merge("Nothing");
        assert_eq!(
            ids(&planned(&one, "y")),
            ["revoke etat:y 974761076", "deactivate scope etat:y"]
        );
        apply(&one, "y");
        assert!(unknown(&one, "y").is_some());
        let counts = if is_closed { commit } else { one.head() };
        let set = ["-C", "y", "baseline", "set", &counts, "--from-project", "x", "--yes"];
        let shown = one.ends(0, &set).stdout;
        assert_eq!(shown.contains("is nobody's"), !is_closed, "{shown}");
        apply(&one, "y");
        assert_eq!(remote.world.open_to("etat:x").is_some(), !is_closed);
        assert_eq!(unknown(&one, "y"), None);
    }
}

#[test]
fn a_folder_that_cannot_be_read_is_not_taken_for_one_that_is_gone() {
    let remote = Remote::new();
    let (one, _) = applied(&remote);
    let settings = std::fs::read_to_string(one.path.join("x/portvakt.yaml")).unwrap();
    let wrong = [
        "organization: [\n".to_owned(),
        settings.replace("889640782", "889640783"),
        settings.replace("api: \"http", "api: \"htp"),
        settings.replace("organization:", "organisation:"),
    ];
    for wrong in wrong {
        assert_ne!(wrong, settings);
        one.write("x/portvakt.yaml", &wrong);
        one.merge("x is broken");
        let text = one.ends(0, &["-C", "y", "plan"]).stdout;
        assert!(!text.contains("--from-project x"), "{wrong}{text}");
    }
}

/// A folder that is merged with another one, which takes over its past and is not applied yet.
fn taken_over(remote: &Remote) -> (Clone<'_>, String) {
    let (one, commit) = applied(remote);
    one.git(&["rm", "--quiet", "-rf", "x"]);
    one.merge("No x");
    one.ends(0, &["-C", "y", "baseline", "set", &commit, "--from-project", "x", "--yes"]);
    (one, commit)
}

#[test]
fn a_rollback_does_not_release_to_a_folder_that_is_gone() {
    let remote = Remote::new();
    let (one, commit) = taken_over(&remote);
    one.ends(0, &["-C", "y", "rollback", &commit, "--out", "back.json"]);
    apply_plan(&one, "y", "back.json");
    apply(&one, "y");
    assert_eq!(remote.world.open_to("etat:x"), None);
    assert!(remote.world.open_to("etat:y").is_some());
}

fn apply_plan(one: &Clone<'_>, folder: &str, plan: &str) {
    let plan = one.path.join(plan).display().to_string();
    one.ends(0, &["-C", folder, "apply", "--auto-approve", "--allow-dirty", &plan]);
}

#[test]
fn an_old_commit_of_a_folder_that_is_gone_opens_nothing_again() {
    for is_taken_over in [true, false] {
        let remote = Remote::new();
        let (one, commit) = applied(&remote);
        let old = remote.another("old", &[]);
        one.git(&["mv", "x/scopes.yaml", "y/x.yaml"]);
        one.git(&["rm", "--quiet", "-rf", "x"]);
        one.merge("One folder");
        if is_taken_over {
            one.ends(0, &["-C", "y", "baseline", "set", &commit, "--from-project", "x", "--yes"]);
        }
        apply(&one, "y");
        assert_eq!(old.head(), commit);
        let ran = old.ends(4, &["-C", "x", "apply", "--auto-approve"]);
        assert!(ran.stderr.contains("PV410"), "{}", ran.stderr);
    }
}

#[test]
fn what_was_applied_in_part_by_a_folder_that_is_gone_is_taken_over_too() {
    let remote = Remote::new();
    let (one, commit) = applied(&remote);
    let more = [("etat:fler", &[KART][..]), ("etat:mer", &[KART])];
    one.write("x/more.yaml", &scopes(&more));
    one.merge("Yet more");
    remote.world.sandbox.inject("PUT /scopes/access 0 1 400".parse().unwrap());
    one.ends(6, &["-C", "x", "apply", "--auto-approve"]);
    assert!(remote.world.open_to("etat:fler").is_some());
    one.git(&["rm", "--quiet", "-rf", "x"]);
    one.merge("No x");
    let why = unknown(&one, "y").unwrap();
    assert!(why.contains("and 3 more") && why.contains(&take_over("y", &commit, "x")), "{why}");
    one.ends(0, &["-C", "y", "baseline", "set", &commit, "--from-project", "x", "--yes"]);
    one.ends(0, &["-C", "y", "apply", "--auto-approve", "--override-guards", "x is gone"]);
    for scope in ["etat:fler", "etat:mer", "etat:x"] {
        assert_eq!(remote.world.open_to(scope), None, "{scope}");
    }
    assert_eq!(unknown(&one, "y"), None);
}

#[test]
fn what_was_taken_over_and_not_applied_goes_on_to_the_next_folder() {
    let remote = Remote::new();
    let (one, commit) = taken_over(&remote);
    one.git(&["mv", "y", "z"]);
    one.write("z/scopes.yaml", &scopes(&[("etat:z", &[SKATT])]));
    one.write("z/y.yaml", &scopes(&[("etat:y", &[SKATT])]));
    one.merge("y is z");
    let plan = one.ends(0, &["-C", "z", "plan"]).stdout;
    assert!(plan.contains(&take_over("z", &commit, "y")), "{plan}");
    one.ends(0, &["-C", "z", "baseline", "set", &commit, "--from-project", "y", "--yes"]);
    apply(&one, "z");
    for scope in ["etat:mer", "etat:x"] {
        assert_eq!(remote.world.open_to(scope), None, "{scope}");
    }
    assert!(remote.world.open_to("etat:y").is_some());
}

#[test]
fn a_past_is_taken_over_once_and_not_before_the_merge() {
    let remote = Remote::new();
    let (one, commit) = applied(&remote);
    one.git(&["checkout", "--quiet", "-b", "forslag"]);
    one.git(&["rm", "--quiet", "-rf", "x"]);
    one.commit("No x");
    let set = ["-C", "y", "baseline", "set", &commit, "--from-project", "x", "--yes"];
    let ran = one.ends(4, &set);
    assert!(ran.stderr.contains("merge what takes it out"), "{}", ran.stderr);
    one.git(&["push", "--quiet", "origin", "HEAD:main"]);
    let message = one.ends(0, &set).stdout;
    assert!(!message.contains("beside commit"), "it is the same commit: {message}");
    let ran = one.ends(4, &set);
    assert!(ran.stderr.contains("was taken over by @y/test already"), "{}", ran.stderr);
    // Drift is still detected.
    remote.world.put("etat:y", false, &[]);
    one.ends(2, &["-C", "y", "drift"]);
}

#[test]
fn a_new_folder_is_not_taken_for_one_that_is_gone() {
    let remote = Remote::new();
    let (one, _) = applied(&remote);
    for file in ["scopes.yaml", "more.yaml", "client.yaml"] {
        one.git(&["mv", &format!("x/{file}"), &format!("y/x.{file}")]);
    }
    one.git(&["rm", "--quiet", "-rf", "x"]);
    one.merge("One folder");
    apply(&one, "y");
    let settings = std::fs::read_to_string(one.path.join("y/portvakt.yaml")).unwrap();
    one.write("ny/portvakt.yaml", &settings);
    one.write("ny/scopes.yaml", &scopes(&[("etat:ny", &[SKATT])]));
    one.merge("Another team");
    assert_eq!(unknown(&one, "ny"), None);
    apply(&one, "ny");
    assert_eq!((unknown(&one, "ny"), unknown(&one, "y")), (None, None));
}

#[test]
fn what_a_name_applied_that_came_back_can_be_taken_over_again() {
    let remote = Remote::new();
    let (one, _) = taken_over(&remote);
    apply(&one, "y");
    let settings = std::fs::read_to_string(one.path.join("y/portvakt.yaml")).unwrap();
    one.write("x/portvakt.yaml", &settings);
    one.write("x/scopes.yaml", &scopes(&[("etat:ny", &[SKATT])]));
    let again = one.merge("Another x");
    apply(&one, "x");
    one.git(&["rm", "--quiet", "-rf", "x"]);
    one.merge("No x");
    let why = unknown(&one, "y").unwrap();
    assert!(why.contains("--from-project x"), "{why}");
    one.ends(0, &["-C", "y", "baseline", "set", &again, "--from-project", "x", "--yes"]);
    apply(&one, "y");
    assert_eq!(remote.world.open_to("etat:ny"), None);
    assert_eq!(unknown(&one, "y"), None);
}

#[test]
fn what_is_let_go_is_said_to_stay_open_also_where_both_were_applied_at_one_commit() {
    let remote = Remote::new();
    let one = two(&remote);
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    one.git(&["rm", "--quiet", "-rf", "x"]);
    one.merge("No x");
    let set = ["-C", "y", "baseline", "set", "HEAD", "--from-project", "x", "--yes"];
    let shown = one.ends(0, &set).stdout;
    assert!(!shown.contains("closes") && shown.contains("nobody's"), "{shown}");
    apply(&one, "y");
    assert!(remote.world.open_to("etat:x").is_some());
}

#[test]
fn an_old_commit_opens_nothing_again_that_another_folder_took_over_and_closed() {
    let remote = Remote::new();
    let (one, commit) = applied(&remote);
    let old = remote.another("old", &[]);
    one.git(&["mv", "x/more.yaml", "y/more.yaml"]);
    one.merge("Hand it over");
    apply(&one, "y");
    assert_eq!(old.head(), commit);
    one.git(&["rm", "--quiet", "y/more.yaml"]);
    one.merge("Less");
    apply(&one, "y");
    assert_eq!(remote.world.open_to("etat:mer"), None);
    let ran = old.ends(4, &["-C", "x", "apply", "--auto-approve"]);
    assert!(ran.stderr.contains("PV410"), "{}", ran.stderr);
    assert_eq!(remote.world.open_to("etat:mer"), None);
    // A change that is not narrower may be applied late.
    one.write("y/scopes.yaml", &scopes(&[("etat:y", &[SKATT, KART])]));
    one.merge("More in y");
    apply(&one, "x");
    old.git(&["pull", "--quiet"]);
    one.write("y/scopes.yaml", &scopes(&[("etat:y", &[SKATT])]));
    one.merge("And less");
    apply(&one, "y");
    old.ends(0, &["-C", "x", "apply", "--auto-approve"]);
}
