//! Folders that are moved and environments that are renamed: several at once, back, and repeatedly.

use super::folders::{apply, two};
use super::handed::planned;
use super::life::{codes, scopes};
use super::protection::settings;
use super::remote::{Remote, taking_over};
use crate::world::{KART, SKATT, ids};

#[test]
fn folders_that_are_moved_together_are_each_shown_their_own_past() {
    let remote = Remote::new();
    let one = two(&remote);
    for folder in ["x", "y"] {
        one.write(
            &format!("{folder}/more.yaml"),
            &scopes(&[(&format!("etat:{folder}.mer"), &[KART])]),
        );
    }
    one.merge("More");
    let applied = one.head();
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    one.git(&["mv", "x", "b"]);
    one.git(&["mv", "y", "a"]);
    one.git(&["rm", "--quiet", "-f", "b/more.yaml"]);
    one.merge("Move both, and less");
    for (folder, former, other) in [("a", "y", "x"), ("b", "x", "y")] {
        let plan = one.ends(0, &["-C", folder, "plan"]).stdout;
        let first = plan.lines().next().unwrap();
        let command = |former: &str| {
            format!("`portvakt -C {folder} -e test baseline set {applied} --from-project {former}`")
        };
        assert!(first.contains(&command(former)) && !first.contains(&command(other)), "{first}");
    }
    // Where the place is not known, all are named.
    one.write("b/scopes.yaml", "scopes: []\n");
    one.merge("Nothing is left");
    let plan = one.ends(0, &["-C", "b", "plan"]).stdout;
    let first = plan.lines().next().unwrap();
    assert!(first.contains("--from-project x` (environment test in folder x"), "{first}");
    assert!(first.contains("--from-project y` (environment test in folder y"), "{first}");
    // Taking over a past does not deactivate declared entities.
    let set = ["-C", "b", "baseline", "set", &applied, "--from-project", "y", "--yes"];
    let shown = one.ends(0, &set).stdout;
    assert!(!shown.contains("closes"), "{shown}");
    assert_eq!(ids(&planned(&one, "b")), ["release scope etat:y", "release scope etat:y.mer"]);
    apply(&one, "b");
    assert_eq!(remote.world.open_to("etat:y").unwrap(), [SKATT]);
}

#[test]
fn what_was_applied_under_a_new_name_counts_beside_what_is_taken_over() {
    let remote = Remote::new();
    let one = two(&remote);
    let applied = one.head();
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    one.git(&["mv", "y", "z"]);
    one.write("z/more.yaml", &scopes(&[("etat:mer", &[KART])]));
    one.merge("Move, and more");
    apply(&one, "z");
    one.write("z/more.yaml", "");
    one.merge("Less");
    let ran = one.ends(6, &["-C", "z", "apply", "--auto-approve"]);
    assert!(ran.stdout.contains("x deactivate scope etat:mer PV315"), "{}", ran.stdout);
    let set = ["-C", "z", "baseline", "set", &applied, "--from-project", "y", "--yes"];
    let shown = one.ends(0, &set).stdout;
    let closes = "closes, as they are declared no longer: 1\n    scope etat:mer\n";
    assert!(shown.contains(closes) && !shown.contains("nobody's"), "{shown}");
    let closed = ["revoke etat:mer 971040238", "deactivate scope etat:mer"];
    assert_eq!(ids(&planned(&one, "z")), closed);
    apply(&one, "z");
    assert_eq!(remote.world.open_to("etat:mer"), None);
    assert!(remote.world.open_to("etat:y").is_some());
}

#[test]
fn a_name_that_comes_back_is_shown_where_its_past_went() {
    let remote = Remote::new();
    let one = remote.first();
    let first = one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[SKATT])]));
    one.apply();
    let text = settings(&one);
    let rename = |to: &str, from: &str, set: &[&str]| {
        one.write("portvakt.yaml", &text.replace("  test:", &format!("  {to}:")));
        one.merge(&format!("From {from}"));
        let plan = one.ends(0, &["plan"]).stdout;
        let command = format!("baseline set {first} --from-environment {from}`");
        assert!(plan.lines().next().unwrap().contains(&command), "{plan}");
        one.ends(0, &[&["baseline", "set", &first, "--yes"], set].concat());
    };
    rename("tt", "test", &["--from-environment", "test"]);
    let unknown = |name: &str| {
        one.write(
            "portvakt.yaml",
            &format!(
                "{}{}",
                text.replace("  test:", "  tt:"),
                text.split_once("environments:\n").unwrap().1
            ),
        );
        let plan = one.ends(0, &["-e", name, "plan"]).stdout;
        plan.lines().next().unwrap().to_owned()
    };
    assert_eq!(unknown("test"), "What was applied before is not known: its past was moved to tt");
    rename("test", "tt", &["--from-environment", "tt"]);
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    assert_eq!(ids(&one.plan()), ["revoke etat:b 974761076", "deactivate scope etat:b"]);
}

#[test]
fn history_goes_on_under_another_name() {
    let remote = Remote::new();
    let one = remote.first();
    let text = settings(&one);
    let mut applied = one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.apply();
    for (from, to) in [("test", "tt"), ("tt", "uu")] {
        one.write("portvakt.yaml", &text.replace("  test:", &format!("  {to}:")));
        one.write(
            "declarations.yaml",
            &scopes(&[("etat:a", &[SKATT]), (&format!("etat:{to}"), &[])]),
        );
        one.merge("Rename");
        one.ends(0, &["baseline", "set", &applied, "--from-environment", from, "--yes"]);
        one.apply();
        applied = one.head();
    }
    let environments: Vec<_> =
        one.history().iter().map(|it| it["environment"].to_string()).collect();
    assert_eq!(environments, ["\"uu\"", "\"tt\"", "\"test\""]);
    let shown = one.ends(0, &["history"]).stdout;
    assert!(shown.contains("  when the environment was called test\n"), "{shown}");
    assert!(!shown.contains("called uu"), "{shown}");
}

#[test]
fn what_a_commit_that_is_on_no_branch_applied_is_reported_as_nobodys() {
    let remote = Remote::new();
    let one = remote.first();
    let before = one.head();
    one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[SKATT])]));
    one.apply();
    one.git(&["reset", "--quiet", "--hard", &before]);
    one.git(&["push", "--quiet", "--force", "origin", "HEAD:main"]);
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    assert!(codes(&one.plan()).contains(&"PV409".to_owned()));
    let ran = one.ends(4, &["baseline", "set", "HEAD"]);
    assert!(ran.stdout.contains("is nobody's"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\n    scope etat:b\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("etat:a"), "{}", ran.stdout);
}

#[test]
fn a_name_of_its_own_goes_with_a_folder_whatever_comes_in_its_place() {
    let remote = Remote::new();
    let one = two(&remote);
    for folder in ["x", "y"] {
        let text = std::fs::read_to_string(one.path.join(folder).join("portvakt.yaml")).unwrap();
        one.write(&format!("{folder}/portvakt.yaml"), &format!("project: p{folder}\n{text}"));
        one.write(
            &format!("{folder}/more.yaml"),
            &scopes(&[(&format!("etat:{folder}.mer"), &[KART])]),
        );
    }
    one.merge("Name both");
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    for (from, to) in [("x", "z"), ("y", "x"), ("z", "y")] {
        one.git(&["mv", from, to]);
    }
    one.git(&["rm", "--quiet", "-f", "y/more.yaml"]);
    one.merge("Swap, and less");
    assert_eq!(
        ids(&planned(&one, "y")),
        ["revoke etat:x.mer 971040238", "deactivate scope etat:x.mer"]
    );
    for folder in ["x", "y"] {
        assert!(!codes(&planned(&one, folder)).contains(&"PV409".to_owned()));
        apply(&one, folder);
    }
    assert_eq!(remote.world.open_to("etat:x.mer"), None);
    // A commit is read in the folder from which it is recorded to have been applied.
    let applied = one.head();
    one.git(&["mv", "x", "w"]);
    one.merge("Move");
    one.ends(0, &["-C", "w", "baseline", "set", &applied, "--yes"]);
    assert!(!codes(&planned(&one, "w")).contains(&"PV409".to_owned()));
}

#[test]
fn a_moved_place_that_took_its_past_over_is_nobodys_former_one_before_it_is_applied_again() {
    let remote = Remote::new();
    let one = two(&remote);
    apply(&one, "x");
    let applied = one.head();
    one.git(&["mv", "x", "z"]);
    one.merge("Move");
    one.ends(0, &["-C", "z", "baseline", "set", &applied, "--from-project", "x", "--yes"]);
    assert!(!codes(&planned(&one, "y")).contains(&"PV409".to_owned()));
    apply(&one, "y");
    assert!(!codes(&planned(&one, "z")).contains(&"PV409".to_owned()));
}

#[test]
fn a_folder_that_takes_the_place_of_a_moved_one_takes_over_its_own_past() {
    for is_applied in [true, false] {
        let remote = Remote::new();
        let one = two(&remote);
        apply(&one, "x");
        if is_applied {
            apply(&one, "y");
        }
        let moved = |from: &str, to: &str| {
            std::fs::create_dir_all(one.path.join(to)).unwrap();
            for file in ["portvakt.yaml", "scopes.yaml"] {
                one.git(&["mv", &format!("{from}/{file}"), &format!("{to}/{file}")]);
            }
            one.merge("Move");
            let plan = one.ends(0, &["-C", to, "plan"]).stdout;
            let first = plan.lines().next().unwrap().to_owned();
            let command = taking_over(&first);
            (first, command)
        };
        let takes_over = |command: &str| {
            let arguments: Vec<_> = command.split(' ').chain(["--yes"]).collect();
            one.ends(0, &arguments);
        };
        let (first, command) = moved("x", ".");
        let command = command.unwrap_or_else(|| panic!("{first}"));
        assert!(command.ends_with("--from-project x"), "{first}");
        takes_over(&command);
        if is_applied {
            apply(&one, ".");
        }
        let (first, command) = moved("y", "x");
        match command {
            Some(command) if is_applied => {
                assert!(command.ends_with("--from-project y"), "{first}");
                takes_over(&command);
                apply(&one, "x");
            }
            // Nothing was applied of it, and what had its name before is still there under another.
            other => {
                assert_eq!((other, is_applied), (None, false), "{first}");
                assert!(first.contains("its past was moved to test"), "{first}");
                apply(&one, "x");
                // The record of the top is of the folder that another place has now.
                for folder in [".", "x"] {
                    one.ends(0, &["-C", folder, "baseline", "set", "HEAD", "--yes"]);
                }
            }
        }
        for scope in ["etat:x", "etat:y"] {
            assert_eq!(remote.world.open_to(scope).unwrap(), [SKATT], "{scope}");
        }
        // What is taken out is closed by the place that has it now.
        one.write("x/scopes.yaml", "scopes: []\n");
        one.merge("Take it out");
        assert!(apply(&one, ".").stdout.contains("No changes"));
        apply(&one, "x");
        assert_eq!(remote.world.open_to("etat:y"), None);
    }
}
