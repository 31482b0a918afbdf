//! Entities that move from one folder to another, and entities that two of them declare.

use super::folders::{apply, two};
use super::life::{codes, scopes};
use super::protection::settings;
use super::remote::{Clone, Remote, git};
use crate::world::{KART, SKATT, ids};

pub(super) fn planned(clone: &Clone<'_>, folder: &str) -> serde_json::Value {
    let plan = clone.ends(0, &["-C", folder, "plan", "--format", "json"]).stdout;
    serde_json::from_str(&plan).unwrap()
}

/// Two applied folders, the second with another scope in a file of its own.
fn more(remote: &Remote) -> Clone<'_> {
    let one = two(remote);
    one.write("y/more.yaml", &scopes(&[("etat:mer", &[KART])]));
    one.merge("More");
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    one
}

const CLIENT: &str = "clients:\n  - { name: app, scopes: [\"etat:x\"] }\n";

#[test]
fn what_another_folder_declares_now_is_released() {
    let remote = Remote::new();
    let one = two(&remote);
    let (y, mer) = (scopes(&[("etat:y", &[SKATT])]), scopes(&[("etat:mer", &[KART])]));
    one.write("y/more.yaml", &format!("{mer}{CLIENT}"));
    one.merge("More");
    let applied = one.head();
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    one.git(&["mv", "y/more.yaml", "x/more.yaml"]);
    one.merge("Hand it over");
    let plan = planned(&one, "y");
    assert_eq!(ids(&plan), ["release client app", "release scope etat:mer"], "{plan:#}");
    let release = &plan["actions"][1];
    assert_eq!(release["reason"], "declared by environment test in folder x now");
    let place = serde_json::json!({ "file": "more.yaml", "line": 2, "at": applied });
    assert_eq!(release["source"], place);
    let text = one.ends(0, &["-C", "y", "plan"]).stdout;
    let shown = "\n  ! release    etat:mer  more.yaml:2 at ";
    assert!(text.contains("\n2 to release.\n\nChanges\n") && text.contains(shown), "{text}");
    // Whichever is applied first.
    for folder in ["y", "x", "y"] {
        apply(&one, folder);
    }
    assert_eq!(remote.world.open_to("etat:mer").unwrap(), [KART]);
    // From then on it belongs to the other folder.
    one.write("x/more.yaml", "scopes: []\n");
    one.merge("Take it out");
    assert!(apply(&one, "y").stdout.contains("No changes"));
    apply(&one, "x");
    assert_eq!(remote.world.open_to("etat:mer"), None);
    assert!(planned(&one, "x")["actions"].as_array().unwrap().is_empty());
    // An entry of `removed` is not carried out as long as the other folder declares the entity.
    one.write("x/more.yaml", &mer);
    one.write("y/scopes.yaml", &format!("{y}removed:\n  - {{ scope: etat:x, action: deactivate }}\n  - {{ client: app, action: deactivate }}\n"));
    one.merge("Close it by name");
    let ran = one.ends(6, &["-C", "y", "apply", "--auto-approve"]);
    assert!(
        ran.stdout.contains("PV316") && ran.stdout.contains("folder x declares it"),
        "{}",
        ran.stdout
    );
    assert!(remote.world.open_to("etat:x").is_some());
}

#[test]
fn what_another_folder_has_applied_is_left_to_it_however_often_this_one_tries() {
    let remote = Remote::new();
    let one = more(&remote);
    one.write("x/more.yaml", &scopes(&[("etat:mer", &[SKATT]), ("etat:ny", &[])]));
    one.merge("Declare it twice");
    for _ in 0..3 {
        let ran = one.ends(6, &["-C", "x", "apply", "--auto-approve"]);
        assert!(ran.stdout.contains("PV316"), "{}", ran.stdout);
        assert_eq!(remote.world.open_to("etat:mer").unwrap(), [KART]);
    }
    assert!(remote.world.open_to("etat:ny").is_some(), "the rest is applied");
    // Its own declarations go on being applied there.
    assert_eq!(ids(&planned(&one, "y")), Vec::<String>::new());
    one.write("y/more.yaml", &scopes(&[("etat:mer", &[])]));
    one.merge("Revoke it");
    assert_eq!(ids(&planned(&one, "y")), [format!("revoke etat:mer {KART}")]);
    // It is new here once the other one has let go of it.
    one.write("y/more.yaml", "scopes: []\n");
    one.merge("Leave it to the other folder");
    apply(&one, "y");
    let ran = one.ends(4, &["-C", "x", "apply", "--auto-approve"]);
    assert!(ran.stdout.contains("declared here for the first time"), "{}", ran.stdout);
    assert_eq!(remote.world.open_to("etat:mer").unwrap(), [KART]);
}

#[test]
fn what_was_left_to_another_folder_does_not_count_as_applied_here() {
    for was_tried in [false, true] {
        let tried = || {
            let remote = Remote::new();
            let one = more(&remote);
            if was_tried {
                one.write("x/more.yaml", &scopes(&[("etat:mer", &[SKATT]), ("etat:ny", &[])]));
                one.merge("Declare it twice");
                one.ends(6, &["-C", "x", "apply", "--auto-approve"]);
            }
            drop(one);
            remote
        };
        // The other folder releases it, and this one does not want it any more.
        let remote = tried();
        let one = remote.first();
        one.write("y/more.yaml", "removed:\n  - { scope: etat:mer, action: release }\n");
        one.write("x/more.yaml", &scopes(&[("etat:ny", &[])]));
        one.merge("Release it");
        apply(&one, "y");
        assert_eq!(
            ids(&planned(&one, "x")),
            if was_tried { vec![] } else { vec!["create scope etat:ny"] }
        );
        apply(&one, "x");
        assert_eq!(remote.world.open_to("etat:mer").unwrap(), [KART], "{was_tried}");
        // The other folder hands it over with the next commit: accesses that this one has never seen are not
        // revoked without a word.
        let remote = tried();
        let one = remote.first();
        one.write("y/more.yaml", "scopes: []\n");
        one.write("x/more.yaml", &scopes(&[("etat:mer", &[SKATT]), ("etat:ny", &[])]));
        one.merge("Hand it over");
        apply(&one, "y");
        let ran = one.ends(4, &["-C", "x", "apply", "--auto-approve"]);
        assert!(ran.stdout.contains("PV504"), "{was_tried} {}", ran.stdout);
        assert_eq!(remote.world.open_to("etat:mer").unwrap(), [KART], "{was_tried}");
    }
}

#[test]
fn protection_goes_with_what_is_handed_over() {
    let remote = Remote::new();
    let one = two(&remote);
    let scope =
        |more: &str| format!("scopes:\n  - {{ name: etat:mer, description: Les, {more} }}\n");
    one.write("y/more.yaml", &scope("prevent_deactivation: true"));
    one.merge("More");
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    one.git(&["rm", "--quiet", "y/more.yaml"]);
    one.write("x/more.yaml", &scope("visibility: PRIVATE"));
    one.merge("Hand it over, protected no longer");
    let blocked = planned(&one, "y");
    assert_eq!(
        (ids(&blocked).len(), codes(&blocked)),
        (0, vec!["PV301".to_owned()]),
        "{blocked:#}"
    );
    one.write("x/more.yaml", &scope("prevent_deactivation: true"));
    one.merge("Protected there too");
    // Not before that was applied.
    for _ in 0..2 {
        let ran = one.ends(6, &["-C", "y", "apply", "--auto-approve"]);
        assert!(ran.stdout.contains("apply that first"), "{}", ran.stdout);
    }
    apply(&one, "x");
    assert_eq!(ids(&planned(&one, "y")), ["release scope etat:mer"]);
    // By its portvakt.yaml as well.
    let text = settings(&remote.at(&one.path.join("x")));
    one.write("x/portvakt.yaml", &format!("{text}guards: {{ protect: [\"etat:mer\"] }}\n"));
    one.merge("Protect it there");
    apply(&one, "x");
    one.write("x/more.yaml", &scope("visibility: PRIVATE"));
    one.merge("By that alone");
    assert_eq!(ids(&planned(&one, "y")), ["release scope etat:mer"]);
}

const PAUSED: &str = "scopes:\n  - { name: etat:y, description: Les, active: false }\n";

/// `y` drops the protection of its scope.
fn drop_protection(one: &Clone<'_>) {
    one.write("y/scopes.yaml", &scopes(&[("etat:y", &[SKATT])]));
}

/// `y` hands it to a folder that is never applied, and that protects it.
fn hand_to_nobody(one: &Clone<'_>) {
    let text = std::fs::read_to_string(one.path.join("y/portvakt.yaml")).unwrap();
    one.write("aaa/portvakt.yaml", &text);
    one.git(&["mv", "y/scopes.yaml", "aaa/scopes.yaml"]);
}

#[test]
fn no_change_drops_protection_in_one_folder_and_closes_in_the_other() {
    /// A way in which `y` drops it, and the exit code of its apply.
    type Scenario = (fn(&Clone<'_>), i32);
    let drops: [Scenario; 2] = [(drop_protection, 0), (hand_to_nobody, 6)];
    for (drop, ends) in drops {
        for closing in ["x", "ny"] {
            for is_first in [true, false] {
                let remote = Remote::new();
                let one = two(&remote);
                let open = scopes(&[("etat:y", &[SKATT])]);
                let fast = open.replace("description", "prevent_deactivation: true, description");
                one.write("y/scopes.yaml", &fast);
                one.merge("Protect");
                for folder in ["x", "y"] {
                    apply(&one, folder);
                }
                drop(&one);
                let text = std::fs::read_to_string(one.path.join("y/portvakt.yaml")).unwrap();
                one.write(&format!("{closing}/portvakt.yaml"), &text);
                one.write(&format!("{closing}/more.yaml"), PAUSED);
                one.merge("Drop, and close");
                let order =
                    if is_first { [closing, "y", closing] } else { ["y", closing, closing] };
                for folder in order {
                    let ran = one.run(&["-C", folder, "apply", "--auto-approve"]);
                    let expected = if folder == "y" { ends } else { 6 };
                    assert_eq!(ran.code, expected, "{folder}: {}{}", ran.stdout, ran.stderr);
                }
                assert_eq!(remote.world.open_to("etat:y").unwrap(), [SKATT]);
            }
        }
    }
}

#[test]
fn no_change_drops_protection_in_one_folder_and_changes_it_in_the_other() {
    let open = "scopes:\n  - { name: etat:y, description: Les, accessible_for_all: true }\n";
    let fast = open.replace("description", "prevent_deactivation: true, description");
    let narrow = open.replace("accessible_for_all: true", "accessible_for_all: false");
    let is_open = |remote: &Remote| {
        let scopes = remote.world.sandbox.state().scopes;
        scopes[&"etat:y".parse().unwrap()].fields["accessible_for_all"] == true
    };
    // Whether the other folder declared it before and has applied that, and whether it is still protected
    // there.
    for (was_declared, drops) in [(false, true), (true, true), (true, false)] {
        let remote = Remote::new();
        let one = two(&remote);
        one.write("y/scopes.yaml", &fast);
        if was_declared {
            one.write("x/more.yaml", open);
        }
        one.merge("Protect");
        for folder in ["y", "x"] {
            apply(&one, folder);
        }
        if drops {
            one.write("y/scopes.yaml", open);
        }
        one.write("x/more.yaml", &narrow);
        one.merge("Drop, and narrow");
        one.run(&["-C", "y", "apply", "--auto-approve"]);
        let ran = one.ends(6, &["-C", "x", "apply", "--auto-approve"]);
        let code = if was_declared { "PV301" } else { "PV316" };
        assert!(ran.stdout.contains(code), "{was_declared} {drops} {}", ran.stdout);
        assert!(is_open(&remote));
    }
}

#[test]
fn a_rollback_closes_nothing_that_another_folder_holds_or_held() {
    let remote = Remote::new();
    let one = two(&remote);
    one.write("y/more.yaml", &scopes(&[("etat:mer", &[KART])]));
    one.merge("More");
    let first = one.head();
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    one.git(&["mv", "y/more.yaml", "x/more.yaml"]);
    one.merge("Hand it over");
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    for folder in ["y", "x"] {
        let plan = remote.beside(&format!("{folder}.json")).to_string_lossy().into_owned();
        one.ends(0, &["-C", folder, "rollback", &first, "--out", &plan]);
        one.ends(0, &["-C", folder, "apply", &plan, "--auto-approve"]);
        assert_eq!(remote.world.open_to("etat:mer").unwrap(), [KART], "{folder}");
    }
}

#[test]
fn a_link_in_a_submodule_hides_nothing_either() {
    let remote = Remote::new();
    let one = two(&remote);
    one.write("x/more.yaml", &scopes(&[("etat:s", &[KART])]));
    one.merge("More");
    apply(&one, "x");
    let inner = remote.beside("inner");
    let inside = inner.to_string_lossy().into_owned();
    git(&remote.path(), &["init", "--quiet", "-b", "main", &inside]);
    let inner = remote.at(&inner);
    inner.write("les.yaml", "scopes: []\n");
    std::os::unix::fs::symlink("../../felles/s.yaml", inner.path.join("s.yaml")).unwrap();
    std::os::unix::fs::symlink("les.yaml", inner.path.join("lenke.yaml")).unwrap();
    inner.commit("A link out of it");
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &inside, "y/sub"];
    one.git(&add);
    std::fs::create_dir(one.path.join("felles")).unwrap();
    one.git(&["mv", "x/more.yaml", "felles/s.yaml"]);
    one.merge("Hand it over behind a link");
    one.ends(3, &["-C", "y", "validate"]);
    let ran = one.ends(6, &["-C", "x", "apply", "--auto-approve"]);
    assert!(ran.stdout.contains("sub/s.yaml is a symbolic link"), "{}", ran.stdout);
    assert_eq!(remote.world.open_to("etat:s").unwrap(), [KART]);
}

#[test]
fn a_link_that_a_sparse_checkout_leaves_out_is_looked_at() {
    let remote = Remote::new();
    let one = two(&remote);
    one.write("y/s.yaml", &scopes(&[("etat:s", &[KART])]));
    one.merge("More");
    apply(&one, "y");
    std::fs::create_dir(one.path.join("felles")).unwrap();
    one.git(&["mv", "y/s.yaml", "felles/s.yaml"]);
    std::os::unix::fs::symlink("../felles/s.yaml", one.path.join("y/s.yaml")).unwrap();
    std::os::unix::fs::symlink("scopes.yaml", one.path.join("y/lenke.yaml")).unwrap();
    one.merge("Behind a link");
    let other = remote.another("two", &["--sparse"]);
    other.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/y/s.yaml", "!/y/lenke.yaml"]);
    for clone in [&one, &other] {
        let ran = clone.ends(3, &["-C", "y", "plan"]);
        let found = ran.stderr.matches("PV004").count();
        assert_eq!(found, 1, "{}", ran.stderr);
    }
}

#[test]
fn the_links_of_another_folder_are_fetched_in_one_go() {
    let fetches = |links: usize| {
        let remote = Remote::new();
        git(&remote.path(), &["config", "uploadpack.allowFilter", "true"]);
        let one = more(&remote);
        for link in 0..links {
            std::os::unix::fs::symlink(
                format!("{link}/more.yaml"),
                one.path.join(format!("x/{link}.yaml")),
            )
            .unwrap();
        }
        one.merge("Links");
        let two = remote.another("two", &["--sparse", "--filter=blob:none"]);
        two.git(&["sparse-checkout", "set", "y"]);
        let trace = two.path.join(".git/trace");
        two.process(&["-C", "y", "plan"]).env("GIT_TRACE", &trace).output().unwrap();
        let trace = std::fs::read_to_string(trace).unwrap();
        trace.matches("built-in: git fetch").count()
    };
    assert_eq!(fetches(1), fetches(6));
}

#[test]
fn no_commit_counts_whose_links_nobody_has_looked_at() {
    let remote = Remote::new();
    let one = two(&remote);
    std::fs::create_dir(one.path.join("felles")).unwrap();
    one.git(&["mv", "x/scopes.yaml", "felles/scopes.yaml"]);
    std::os::unix::fs::symlink("../felles/scopes.yaml", one.path.join("x/scopes.yaml")).unwrap();
    one.merge("A link out of the folder");
    let linked = one.head();
    one.ends(3, &["-C", "x", "validate"]);
    std::fs::remove_file(one.path.join("x/scopes.yaml")).unwrap();
    one.git(&["mv", "felles/scopes.yaml", "x/scopes.yaml"]);
    one.merge("Without it");
    apply(&one, "x");
    for command in [&["rollback"][..], &["baseline", "set", "--yes"]] {
        let ran = one.ends(1, &[&["-C", "x"], command, &[&linked]].concat());
        assert!(ran.stderr.contains("scopes.yaml is a symbolic link"), "{}", ran.stderr);
    }
    assert_eq!(remote.world.open_to("etat:x").unwrap(), [SKATT]);
}

#[test]
fn nothing_is_closed_that_an_unreadable_folder_may_declare() {
    let remote = Remote::new();
    let one = two(&remote);
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    let text = settings(&remote.at(&one.path.join("x")));
    one.write("x/scopes.yaml", "scopes: [\n");
    let is_reported = |plan: &serde_json::Value| codes(plan).contains(&"PV316".to_owned());
    assert!(!is_reported(&planned(&one, "y")), "nothing is closed");
    one.write("y/scopes.yaml", "scopes: []\n");
    let is_blocked = || {
        let plan = planned(&one, "y");
        ids(&plan).is_empty() && is_reported(&plan)
    };
    assert!(is_blocked());
    for broken in [
        "environments: [\n".to_owned(),
        text.replace("  test:\n", "  test:\n    hva: 1\n"),
        text.replace("orgno: ", "orgno: 1"),
        text.replace("http://127.0.0.1", "http://etaten.example"),
    ] {
        assert_ne!(broken, text);
        one.write("x/portvakt.yaml", &broken);
        assert!(is_blocked(), "{broken}");
    }
    one.write("x/portvakt.yaml", &text);
    std::fs::remove_file(one.path.join("x/scopes.yaml")).unwrap();
    one.write("x/.skjult/scopes.yaml", "scopes: []\n");
    one.write("felles/scopes.yaml", "scopes: []\n");
    one.write("x/ut/scopes.yaml", "scopes: []\n");
    one.write("x/portvakt.yaml", &format!("{text}exclude: [ut]\n"));
    std::os::unix::fs::symlink(".skjult/scopes.yaml", one.path.join("x/tekst")).unwrap();
    std::os::unix::fs::symlink(".skjult", one.path.join("x/skjult")).unwrap();
    for (target, link) in [
        ("../y/scopes.yaml", "x/scopes.yaml"),
        ("../felles", "x/felles"),
        ("../felles", "x/felles.yaml"),
        (".skjult/scopes.yaml", "x/scopes.yaml"),
        ("gone.yaml", "x/scopes.yaml"),
        ("scopes.yaml", "x/scopes.yaml"),
        ("tekst", "x/scopes.yaml"),
        ("skjult/scopes.yaml", "x/scopes.yaml"),
        ("ut/scopes.yaml", "x/scopes.yaml"),
        ("y/scopes.yaml/", "x/scopes.yaml"),
    ] {
        let link = one.path.join(link);
        std::os::unix::fs::symlink(target, &link).unwrap();
        assert!(is_blocked(), "{target} here");
        one.merge("A link to what is not read");
        assert!(is_blocked(), "{target} in the commit");
        std::fs::remove_file(link).unwrap();
    }
    // A link to a file that is read, or that is not read at all, hides nothing.
    one.write("x/mappe/les.yaml", "scopes: []\n");
    for (target, link) in [
        ("mappe/les.yaml", "x/lenke.yaml"),
        ("mappe", "x/lenke"),
        ("lenke/les.yaml", "x/over.yaml"),
        ("../README", "x/nowhere"),
        ("../../y/scopes.yaml", "x/.skjult/scopes2.yaml"),
    ] {
        std::os::unix::fs::symlink(target, one.path.join(link)).unwrap();
    }
    one.merge("Links");
    assert!(!is_blocked());
    one.write("x/scopes.yaml", "scopes: [\n");
    one.merge("Broken");
    // A folder with another API cannot declare it.
    let api = remote.world.sandbox.api().to_string();
    one.write("x/portvakt.yaml", &text.replace(api.trim_end_matches('/'), "https://a.example"));
    one.merge("Another API");
    assert_eq!(ids(&planned(&one, "y")), ["revoke etat:y 974761076", "deactivate scope etat:y"]);
    one.write("x/portvakt.yaml", &text);
    one.merge("Take it out beside what is broken");
    let ran = one.ends(6, &["-C", "y", "apply", "--auto-approve"]);
    assert!(ran.stdout.contains("x/scopes.yaml:1: PV006"), "{}", ran.stdout);
    assert!(remote.world.open_to("etat:y").is_some());
    one.ends(0, &["-C", "y", "apply", "--auto-approve", "--override-guards", "It is not there"]);
    assert_eq!(remote.world.open_to("etat:y"), None);
}

#[test]
fn a_link_that_an_apply_has_taken_hides_nothing_of_the_past() {
    let remote = Remote::new();
    let one = two(&remote);
    one.write("x/keys/m/b.yaml", "scopes: []\n");
    one.write("felles/liste.txt", "en\n");
    std::os::unix::fs::symlink("gone", one.path.join("borte")).unwrap();
    let here = one.path.join("x/keys/m/b.yaml").display().to_string();
    for (target, link) in [
        ("../../x/portvakt.yaml", "x/keys/app.json"),
        ("../x/keys", "x/tilbake"),
        ("../x/keys/m/b.yaml", "x/a.yaml"),
        (&*here, "x/absolutt.yaml"),
        ("keys/m", "x/mappe"),
        ("mappe/../m/b.yaml", "x/over.yaml"),
        ("../borte", "x/borte"),
    ] {
        std::os::unix::fs::symlink(target, one.path.join(link)).unwrap();
    }
    one.merge("Links");
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    // A commit that a record has as applied can be named as such.
    one.ends(0, &["-C", "x", "baseline", "set", "HEAD", "--yes"]);
    for folder in ["x", "y"] {
        one.write(&format!("{folder}/scopes.yaml"), "scopes: []\n");
    }
    one.merge("Less");
    apply(&one, "x");
    assert_eq!(remote.world.open_to("etat:x"), None);
    // The location of the clone is not known for another folder's commit.
    let ran = one.ends(6, &["-C", "y", "apply", "--auto-approve"]);
    assert!(ran.stdout.contains("absolutt.yaml is a symbolic link"), "{}", ran.stdout);
    one.git(&["rm", "--quiet", "x/absolutt.yaml"]);
    one.merge("Without it");
    apply(&one, "y");
    assert_eq!(remote.world.open_to("etat:y"), None);
}

#[test]
fn what_a_sparse_checkout_leaves_out_of_another_folder_is_read_too() {
    let remote = Remote::new();
    let one = more(&remote);
    one.git(&["mv", "y/more.yaml", "x/more.yaml"]);
    one.merge("Hand it over");
    git(&remote.path(), &["config", "uploadpack.allowFilter", "true"]);
    for (name, more) in [("two", &["--sparse"][..]), ("three", &["--sparse", "--filter=blob:none"])]
    {
        let other = remote.another(name, more);
        other.git(&["sparse-checkout", "set", "y"]);
        assert!(!other.path.join("x").exists());
        let plan = planned(&other, "y");
        assert_eq!(ids(&plan), ["release scope etat:mer"], "{plan:#}");
        // Uncommitted changes here are planned beside the other folder as git has it.
        other.write("y/new.yaml", "scopes: []\n");
        assert_eq!(ids(&planned(&other, "y")), ["release scope etat:mer"]);
    }
}

#[test]
fn what_two_folders_declare_is_reported_in_both() {
    let remote = Remote::new();
    let one = two(&remote);
    let both = scopes(&[("etat:x", &[SKATT]), ("etat:y", &[KART])]);
    one.write("y/scopes.yaml", &format!("{both}{CLIENT}"));
    one.write("x/more.yaml", CLIENT);
    one.merge("Twice");
    let reported = |folder: &str| {
        let plan = planned(&one, folder);
        let notices = plan["notices"].as_array().unwrap().iter();
        let twice = notices.filter(|it| it["code"] == "PV414");
        twice.map(|it| (it["target"].to_string(), it["message"].to_string())).collect::<Vec<_>>()
    };
    assert!(reported("x")[0].1.contains("declares etat:x too"), "{:?}", reported("x"));
    apply(&one, "x");
    for (folder, other) in [("x", "y"), ("y", "x")] {
        let reported = reported(folder);
        let [(target, message)] = reported.as_slice() else { panic!("{reported:?}") };
        assert_eq!(*target, format!("\"environment test in folder {other}\""));
        assert!(message.contains("declares etat:x, app too"), "{message}");
    }
}

#[test]
fn what_nobody_applies_is_reported_as_such() {
    let remote = Remote::new();
    let one = two(&remote);
    one.write("y/more.yaml", &format!("{}{CLIENT}", scopes(&[("etat:mer", &[KART])])));
    one.merge("More");
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    let text = std::fs::read_to_string(one.path.join("y/portvakt.yaml")).unwrap();
    one.write("aaa/portvakt.yaml", &text);
    one.git(&["mv", "y/more.yaml", "aaa/more.yaml"]);
    one.merge("To a folder that is new");
    let plan = planned(&one, "y");
    let reason = "declared by environment test in folder aaa now, where nothing was applied yet";
    assert_eq!(plan["actions"][1]["reason"], reason, "{plan:#}");
    apply(&one, "y");
    let unmanaged = || {
        let plan = planned(&one, "y");
        let notices = plan["notices"].as_array().unwrap().iter();
        notices
            .filter(|it| it["code"] == "PV401")
            .map(|it| it["target"].to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(unmanaged(), ["\"etat:mer\""]);
    apply(&one, "aaa");
    assert_eq!(unmanaged(), [""; 0]);
}

#[test]
fn what_is_not_committed_in_another_folder_decides_nothing() {
    let remote = Remote::new();
    let one = more(&remote);
    one.git(&["rm", "--quiet", "y/more.yaml"]);
    one.merge("Less");
    let closed = ["revoke etat:mer 971040238", "deactivate scope etat:mer"];
    one.write("x/more.yaml", &scopes(&[("etat:mer", &[KART])]));
    assert_eq!(ids(&planned(&one, "y")), closed);
    one.merge("Hand it over");
    std::fs::remove_file(one.path.join("x/more.yaml")).unwrap();
    assert_eq!(ids(&planned(&one, "y")), ["release scope etat:mer"]);
}

#[test]
fn a_client_that_another_folder_pins_stays() {
    let remote = Remote::new();
    let one = two(&remote);
    one.write("y/more.yaml", CLIENT);
    one.merge("Client");
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    let (id, _) = remote.world.client("app");
    one.git(&["rm", "--quiet", "y/more.yaml"]);
    // It has another name there, which is refused there and deactivates nothing here.
    one.write(
        "x/more.yaml",
        &format!("clients:\n  - {{ name: annen, client_id: {id}, scopes: [\"etat:x\"] }}\n"),
    );
    one.merge("Hand it over, renamed");
    assert_eq!(ids(&planned(&one, "y")), ["release client app"]);
}

#[test]
fn an_older_commit_closes_nothing_that_another_folder_has_applied_since() {
    let remote = Remote::new();
    let one = two(&remote);
    let mer = scopes(&[("etat:mer", &[KART])]);
    one.write("y/more.yaml", &mer);
    one.merge("More");
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    one.write("y/more.yaml", "");
    one.merge("Less");
    let late = one.head();
    one.write("x/more.yaml", &mer);
    one.merge("There");
    apply(&one, "x");
    one.git(&["checkout", "--quiet", &late]);
    assert_eq!(ids(&planned(&one, "y")), ["release scope etat:mer"]);
}

#[test]
fn a_folder_that_is_excluded_and_cannot_be_read_holds_nothing_up() {
    let remote = Remote::new();
    let one = remote.first();
    let text = settings(&one);
    one.write("portvakt.yaml", &format!("{text}exclude: [\"fixtures/**\"]\n"));
    one.write("fixtures/bad/portvakt.yaml", "environments: [\n");
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.apply();
    one.declare("");
    assert_eq!(ids(&one.plan()), ["revoke etat:a 974761076", "deactivate scope etat:a"]);
    // A folder that can be read counts nevertheless.
    one.write("fixtures/bad/portvakt.yaml", &text);
    one.write("fixtures/bad/scopes.yaml", &scopes(&[("etat:a", &[SKATT])]));
    one.merge("Mend it");
    assert_eq!(ids(&one.plan()), ["release scope etat:a"]);
}

#[test]
fn what_another_folder_declares_is_not_imported() {
    let remote = Remote::new();
    let one = two(&remote);
    one.write("y/more.yaml", CLIENT);
    one.merge("Client");
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    remote.world.put("etat:ingen", true, &[]);
    let ran = one.ends(0, &["-C", "x", "import"]);
    let reported = "in test: environment test in folder y declares it";
    assert_eq!(ran.stderr.matches(reported).count(), 2, "{}", ran.stderr);
    let written = one.git(&["status", "--short", "-uall"]);
    let file = written.trim().trim_start_matches("?? ");
    let text = std::fs::read_to_string(one.path.join(file)).unwrap();
    assert!(
        text.contains("etat:ingen") && !text.contains("etat:y") && !text.contains("app"),
        "{text}"
    );
}

#[test]
fn a_folder_that_becomes_unreadable_in_the_same_change_hides_nothing() {
    let broken: [fn(&Clone<'_>); 2] = [
        |one| {
            one.git(&["mv", "y/portvakt.yaml", "s.yaml"]);
            std::os::unix::fs::symlink("../s.yaml", one.path.join("y/portvakt.yaml")).unwrap();
        },
        |one| {
            one.write("y/portvakt.yaml", "environments: [\n");
            let own = std::fs::read_to_string(one.path.join("portvakt.yaml")).unwrap();
            one.write("portvakt.yaml", &format!("{own}exclude: [\"y/**\", \"x/**\", s.yaml]\n"));
        },
    ];
    for (number, hide) in broken.into_iter().enumerate() {
        let remote = Remote::new();
        let one = two(&remote);
        let text = std::fs::read_to_string(one.path.join("y/portvakt.yaml")).unwrap();
        one.write("portvakt.yaml", &text);
        one.merge("And one above");
        for folder in ["y", "."] {
            apply(&one, folder);
        }
        hide(&one);
        one.write("more.yaml", PAUSED);
        one.merge("Hide it, and close");
        let ran = one.run(&["apply", "--auto-approve"]);
        assert_ne!(ran.code, 0, "{number} {}", ran.stdout);
        assert_eq!(remote.world.open_to("etat:y").unwrap(), [SKATT], "{number}");
    }
}
