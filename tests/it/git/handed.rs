//! What goes from one folder to another, and what two of them declare.

use super::folders::{apply, two};
use super::life::{codes, scopes};
use super::protection::settings;
use super::remote::{Clone, Remote};
use crate::world::{KART, SKATT, ids};

fn planned(clone: &Clone<'_>, folder: &str) -> serde_json::Value {
    let plan = clone.ends(0, &["-C", folder, "plan", "--format", "json"]).stdout;
    serde_json::from_str(&plan).unwrap()
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
    // Whichever applies first.
    for folder in ["y", "x", "y"] {
        apply(&one, folder);
    }
    assert_eq!(remote.world.open_to("etat:mer").unwrap(), [KART]);
    // And it is the other folder's from then on.
    one.write("x/more.yaml", "scopes: []\n");
    one.merge("Take it out");
    assert!(apply(&one, "y").stdout.contains("Nothing to do"));
    apply(&one, "x");
    assert_eq!(remote.world.open_to("etat:mer"), None);
    assert!(planned(&one, "x")["actions"].as_array().unwrap().is_empty());
    // What is to be closed by name is not, as long as the other declares it.
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

/// `y` drops what protects its scope.
fn drop_protection(one: &Clone<'_>) {
    one.write("y/scopes.yaml", &scopes(&[("etat:y", &[SKATT])]));
}

/// `y` hands it to a folder that nobody applies, and that protects it.
fn hand_to_nobody(one: &Clone<'_>) {
    let text = std::fs::read_to_string(one.path.join("y/portvakt.yaml")).unwrap();
    one.write("aaa/portvakt.yaml", &text);
    one.git(&["mv", "y/scopes.yaml", "aaa/scopes.yaml"]);
}

#[test]
fn no_change_drops_protection_in_one_folder_and_closes_in_the_other() {
    let drops: [(fn(&Clone<'_>), i32); 2] = [(drop_protection, 0), (hand_to_nobody, 6)];
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
fn nothing_is_closed_that_an_unreadable_folder_may_declare() {
    let remote = Remote::new();
    let one = two(&remote);
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    let text = settings(&remote.at(&one.path.join("x")));
    one.write("x/scopes.yaml", "scopes: [\n");
    let is_told = |plan: &serde_json::Value| codes(plan).contains(&"PV316".to_owned());
    assert!(!is_told(&planned(&one, "y")), "nothing is closed");
    one.write("y/scopes.yaml", "scopes: []\n");
    let is_blocked = || {
        let plan = planned(&one, "y");
        ids(&plan).is_empty() && is_told(&plan)
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
    // One of another API cannot declare it.
    let api = remote.world.sandbox.api().to_string();
    one.write("x/portvakt.yaml", &text.replace(api.trim_end_matches('/'), "https://a.example"));
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
fn what_a_sparse_checkout_leaves_out_of_another_folder_is_read_too() {
    let remote = Remote::new();
    let one = two(&remote);
    one.write("y/more.yaml", &scopes(&[("etat:mer", &[KART])]));
    one.merge("More");
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    one.git(&["mv", "y/more.yaml", "x/more.yaml"]);
    one.merge("Hand it over");
    let two = remote.another("two", &["--sparse"]);
    two.git(&["sparse-checkout", "set", "y"]);
    assert!(!two.path.join("x").exists());
    let plan = planned(&two, "y");
    assert_eq!(ids(&plan), ["release scope etat:mer"], "{plan:#}");
}

#[test]
fn what_two_folders_declare_is_told_in_both() {
    let remote = Remote::new();
    let one = two(&remote);
    let both = scopes(&[("etat:x", &[SKATT]), ("etat:y", &[KART])]);
    one.write("y/scopes.yaml", &format!("{both}{CLIENT}"));
    one.write("x/more.yaml", CLIENT);
    one.merge("Twice");
    let told = |folder: &str| {
        let plan = planned(&one, folder);
        let notices = plan["notices"].as_array().unwrap().iter();
        let twice = notices.filter(|it| it["code"] == "PV414");
        twice.map(|it| (it["target"].to_string(), it["message"].to_string())).collect::<Vec<_>>()
    };
    assert!(told("x")[0].1.contains("declares etat:x too"), "{:?}", told("x"));
    apply(&one, "x");
    for (folder, other) in [("x", "y"), ("y", "x")] {
        let told = told(folder);
        let [(target, message)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(*target, format!("\"environment test in folder {other}\""));
        assert!(message.contains("declares etat:x, app too"), "{message}");
    }
}

#[test]
fn folders_that_are_moved_together_are_each_told_of_their_own_past() {
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
    // Where nothing tells, all are named.
    one.write("b/scopes.yaml", "scopes: []\n");
    one.merge("Nothing is left");
    let plan = one.ends(0, &["-C", "b", "plan"]).stdout;
    let first = plan.lines().next().unwrap();
    assert!(first.contains("--from-project x` (environment test in folder x"), "{first}");
    assert!(first.contains("--from-project y` (environment test in folder y"), "{first}");
    // Whoever takes over what was another's does not close what is declared.
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
fn a_name_that_comes_back_is_told_where_its_past_went() {
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
fn what_a_commit_that_is_on_no_branch_applied_is_told_as_nobodys() {
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
fn what_nobody_applies_is_told_as_such() {
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
    let one = two(&remote);
    one.write("y/more.yaml", &scopes(&[("etat:mer", &[KART])]));
    one.merge("More");
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
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
    // It has another name there, which is refused there and closes nothing here.
    one.write(
        "x/more.yaml",
        &format!("clients:\n  - {{ name: annen, client_id: {id}, scopes: [\"etat:x\"] }}\n"),
    );
    one.merge("Hand it over, renamed");
    assert_eq!(ids(&planned(&one, "y")), ["release client app"]);
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
    // What is recorded to have been applied from a folder is read there.
    let applied = one.head();
    one.git(&["mv", "x", "w"]);
    one.merge("Move");
    one.ends(0, &["-C", "w", "baseline", "set", &applied, "--yes"]);
    assert!(!codes(&planned(&one, "w")).contains(&"PV409".to_owned()));
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
fn a_folder_that_is_excluded_is_no_neighbour() {
    let remote = Remote::new();
    let one = remote.first();
    let text = settings(&one);
    one.write("portvakt.yaml", &format!("{text}exclude: [\"fixtures/**\"]\n"));
    one.write("fixtures/bad/portvakt.yaml", "environments: [\n");
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.apply();
    one.declare("");
    assert_eq!(ids(&one.plan()), ["revoke etat:a 974761076", "deactivate scope etat:a"]);
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
