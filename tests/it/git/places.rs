//! Places of declarations: without git, in a part of a repository, in a work tree, at a commit.

use super::life::{codes, scopes};
use super::remote::{Remote, git};
use crate::world::{KART, SKATT, ids};

fn settings(remote: &Remote) -> String {
    std::fs::read_to_string(remote.world.folder().join("portvakt.yaml")).unwrap()
}

#[test]
fn without_git_or_a_commit_all_but_what_needs_it_works() {
    let remote = Remote::new();
    let folder = remote.beside("plain");
    std::fs::create_dir(&folder).unwrap();
    let plain = remote.at(&folder);
    plain.write("portvakt.yaml", &settings(&remote));
    plain.write("declarations.yaml", &scopes(&[("etat:a", &[SKATT])]));
    for begin in [false, true] {
        if begin {
            plain.git(&["init", "--quiet"]);
            plain.write("declarations.yaml", &scopes(&[("etat:a", &[SKATT, KART])]));
        }
        let plan = plain.plan();
        assert!(codes(&plan).contains(&"PV409".to_owned()), "{plan:#}");
        assert!(plan["repository"].is_null() && plan["applied"]["unknown"].is_string(), "{plan:#}");
        plain.apply();
        assert_eq!(plain.planned(), [""; 0]);
        plain.ends(1, &["drift"]);
    }
    plain.write("declarations.yaml", &scopes(&[("etat:b", &[])]));
    assert_eq!(plain.planned(), ["create scope etat:b"], "nothing is known to have been ours");
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [KART, SKATT]);
    assert_eq!(plain.history().len(), 0);
    assert!(plain.ends(0, &["unlock"]).stdout.contains("Nobody"));
    std::fs::remove_dir_all(folder.join(".git")).unwrap();
    for command in [["history", "-q"], ["unlock", "--yes"], ["rollback", "HEAD"]] {
        let ran = plain.ends(1, &command);
        assert!(ran.stderr.contains("not a git repository"), "{}", ran.stderr);
    }
}

#[test]
fn the_remote_is_chosen_where_there_are_several() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    let other = remote.beside("other.git");
    git(&remote.path(), &["init", "--quiet", "--bare", &other.to_string_lossy()]);
    one.git(&["remote", "rename", "origin", "felles"]);
    one.git(&["remote", "add", "egen", &other.to_string_lossy()]);
    for command in ["plan", "apply", "history", "unlock", "drift"] {
        let ran = one.ends(1, &[command]);
        assert!(ran.stderr.contains("egen, felles"), "{}", ran.stderr);
        assert!(ran.stderr.contains("git config portvakt.remote"), "{}", ran.stderr);
    }
    one.git(&["config", "portvakt.remote", "feles"]);
    let ran = one.ends(1, &["plan"]);
    assert!(ran.stderr.contains("feles") && ran.stderr.contains("egen, felles"), "{}", ran.stderr);
    one.git(&["config", "portvakt.remote", "felles"]);
    one.apply();
    assert_eq!(remote.held("applied"), Some(one.head()));
    assert_eq!(git(&other, &["for-each-ref"]), "");
}

#[test]
fn declarations_in_a_folder_of_a_larger_repository_are_followed() {
    let remote = Remote::new();
    let one = remote.first();
    let below = "tilgang/digdir";
    one.git(&["rm", "--quiet", "--cached", "portvakt.yaml"]);
    one.write(&format!("{below}/portvakt.yaml"), &settings(&remote));
    std::fs::remove_file(one.path.join("portvakt.yaml")).unwrap();
    one.write(&format!("{below}/a.yaml"), &scopes(&[("etat:a", &[SKATT]), ("etat:b", &[])]));
    one.write("annet.yaml", &scopes(&[("etat:nei", &[])]));
    one.commit("Move");
    one.git(&["push", "--quiet", "origin", "HEAD"]);
    let root = remote.at(&one.path.join(below));
    let first = one.head();
    root.apply();
    // A file elsewhere in the repository does not make it dirty.
    one.write("annet.yaml", "changed: true\n");
    one.write(&format!("{below}/a.yaml"), &scopes(&[("etat:a", &[SKATT])]));
    one.git(&["add", below]);
    one.git(&["commit", "--quiet", "-m", "Less"]);
    let plan = root.plan();
    assert_eq!(ids(&plan), ["deactivate scope etat:b"]);
    assert_eq!(plan["repository"]["dirty"], false);
    assert_eq!(plan["actions"][0]["source"]["file"], "a.yaml");
    assert_eq!(plan["actions"][0]["source"]["at"], *first);
    // A hook of git sets variables of another repository, which are ignored.
    let mut plan = root.process(&["plan", "--format", "json"]);
    plan.envs([("GIT_DIR", ".git"), ("GIT_INDEX_FILE", ".git/index"), ("GIT_PREFIX", "x/")]);
    let ran = super::remote::ran(plan.output().unwrap());
    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(ids(&plan), ["deactivate scope etat:b"], "{plan:#}");
    one.git(&["push", "--quiet", "origin", "HEAD"]);
    root.apply();
    let applied = git(&remote.path(), &["rev-parse", "refs/portvakt/@tilgang.digdir/test/applied"]);
    assert_eq!(applied, one.head());
    // A commit from before this folder existed has no declarations to roll back to.
    let ran = root.ends(1, &["rollback", "HEAD~2"]);
    assert!(ran.stderr.contains("has no portvakt.yaml"), "{}", ran.stderr);
}

#[test]
fn without_a_remote_the_refs_are_those_of_the_clone() {
    let remote = Remote::new();
    let one = remote.first();
    one.git(&["remote", "remove", "origin"]);
    let commit = |yaml: &str| {
        one.write("declarations.yaml", yaml);
        one.commit("Declare")
    };
    let held =
        |what: &str, name: &str| one.git(&["for-each-ref", &format!("--format=%({what})"), name]);
    commit(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[])]));
    // An apply that is not done in full, and one that is, twice at once.
    let refused = sandbox::Fault::Status { status: 400, retry_after: None };
    remote.world.sandbox.inject(crate::faults::rule(("POST", "/scopes"), 1, refused));
    one.ends(6, &["apply", "--auto-approve", "--concurrency", "1"]);
    let record = held("contents", "refs/portvakt/test/record");
    assert!(record.contains(&one.head()) && record.contains("\"applied\":null"), "{record}");
    let now = commit(&scopes(&[("etat:c", &[SKATT])]));
    let apply = ["apply", "--auto-approve"];
    let children = [(); 2].map(|()| one.process(&apply).spawn().unwrap());
    let ended = children.map(|child| super::remote::ran(child.wait_with_output().unwrap()));
    assert!(ended.iter().any(|ran| ran.code == 0), "{}{}", ended[0].stderr, ended[1].stderr);
    assert!(ended.iter().all(|ran| [0, 5].contains(&ran.code)), "{}", ended[1].stderr);
    let sent = remote.world.sent();
    assert_eq!(sent.iter().filter(|id| *id == "create scope etat:c").count(), 1, "{sent:?}");
    assert_eq!((remote.world.open_to("etat:a"), remote.world.open_to("etat:b")), (None, None));
    assert_eq!(held("objectname", "refs/portvakt/test/applied"), now);
    let all = held("refname", "refs/portvakt/");
    assert_eq!(
        all, "refs/portvakt/test/applied\nrefs/portvakt/test/lock\nrefs/portvakt/test/record",
        "nothing is left over"
    );
    assert_eq!(one.history().len(), 2);
    one.ends(0, &["drift"]);
    one.git(&["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn a_work_tree_of_a_clone_is_as_good_as_the_clone() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[])]));
    one.apply();
    let path = remote.beside("tree");
    one.git(&["worktree", "add", "--quiet", "-b", "topic", &path.to_string_lossy()]);
    let tree = remote.at(&path);
    tree.write("declarations.yaml", &scopes(&[("etat:a", &[SKATT])]));
    tree.merge("Less");
    assert_eq!(tree.planned(), ["deactivate scope etat:b"]);
    tree.apply();
    assert_eq!(remote.held("applied"), Some(tree.head()));
    assert_eq!(tree.history(), one.history());
    assert_eq!(one.plan()["notices"][0]["code"], "PV410");
}

#[test]
fn a_branch_that_is_on_the_remote_alone_can_be_the_base_and_nothing_else_is_fetched() {
    let remote = Remote::new();
    let (one, two) = (remote.first(), remote.another("two", &[]));
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.git(&["push", "--quiet", "origin", "HEAD:refs/heads/bare-der"]);
    let ran = two.ends(0, &["plan", "--format", "json", "--base", "bare-der"]);
    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(plan["base"]["commit"], *one.head());
    // An empty variable in a job is not a base, and a revision is not an option of git.
    let refs = two.git(&["for-each-ref"]);
    for base in ["", "HEAD:portvakt.yaml", "+main:refs/heads/ny", "--upload-pack=x", "nei"] {
        let ran = two.ends(64, &["plan", &format!("--base={base}")]);
        assert!(ran.stderr.contains("there is no commit"), "{}", ran.stderr);
    }
    assert_eq!(two.git(&["for-each-ref"]), refs);
}

#[test]
fn an_environment_that_cannot_be_a_ref_is_reported() {
    let remote = Remote::new();
    let one = remote.first();
    for name in ["a b", "a..b", "a/b", "a.lock", "a~1"] {
        one.write(
            "portvakt.yaml",
            &settings(&remote).replace("  test:", &format!("  \"{name}\":")),
        );
        let ran = one.ends(3, &["plan"]);
        assert!(ran.stderr.contains("PV114"), "{name}: {}", ran.stderr);
        one.git(&["checkout", "--quiet", "portvakt.yaml"]);
    }
}

#[test]
fn what_is_invalid_at_the_applied_commit_is_left_alone_and_reported() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[])]));
    one.apply();
    // As if a more lenient version had applied it.
    one.write("declarations.yaml", "scopes:\n  - { navn: etat:b, description: Les }\n");
    let invalid = one.merge("Invalid");
    let record = remote.recorded(&one, &invalid);
    let push = [
        format!("{invalid}:refs/portvakt/test/applied"),
        format!("{record}:refs/portvakt/test/record"),
    ];
    one.git(&["push", "--quiet", "--force", "origin", &push[0], &push[1]]);
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    let plan = one.plan();
    assert_eq!(ids(&plan), [""; 0]);
    let notices = plan["notices"].as_array().unwrap();
    let text = notices.iter().find(|notice| notice["code"] == "PV409");
    let message = text.unwrap()["message"].as_str().unwrap();
    assert!(
        message.contains(&invalid) && message.contains("declarations.yaml:2: PV010"),
        "{message}"
    );
    one.ends(1, &["drift"]);
    one.ends(1, &["rollback", "HEAD~1"]);
}
