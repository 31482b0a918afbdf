//! Several folders of declarations in one git repository, and folders and environments that are renamed.

use super::life::scopes;
use super::protection::settings;
use super::remote::{Clone, Remote, git};
use crate::world::{KART, SKATT, ids};

/// The folders `x` and `y` of a git repository, each with a portvakt.yaml and a scope of that name.
pub(crate) fn two(remote: &Remote) -> Clone<'_> {
    let one = remote.first();
    let begin = settings(&one);
    for folder in ["x", "y"] {
        one.write(&format!("{folder}/portvakt.yaml"), &begin);
        let scope = format!("etat:{folder}");
        one.write(&format!("{folder}/scopes.yaml"), &scopes(&[(&scope, &[SKATT])]));
    }
    one.git(&["rm", "--quiet", "-f", "portvakt.yaml"]);
    one.merge("Two folders");
    one
}

pub(crate) fn apply(clone: &Clone<'_>, folder: &str) -> crate::world::Ran {
    clone.ends(0, &["-C", folder, "apply", "--auto-approve"])
}

fn refs(remote: &Remote) -> String {
    git(&remote.path(), &["for-each-ref", "--format=%(refname)", "refs/portvakt", "refs/notes"])
}

#[test]
fn two_folders_with_one_environment_name_share_nothing() {
    let remote = Remote::new();
    let one = two(&remote);
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    let names = refs(&remote);
    for place in ["portvakt/@x/test/", "portvakt/@y/test/", "notes/portvakt/@x/test"] {
        assert!(names.contains(place), "{names}");
    }
    assert!(!names.contains("portvakt/test"), "{names}");
    // A removal in y is applied by y, whoever applies in between.
    one.write("y/scopes.yaml", "scopes: []\n");
    one.merge("Less");
    assert!(apply(&one, "x").stdout.contains("No changes"));
    apply(&one, "y");
    assert_eq!(remote.world.open_to("etat:y"), None);
    assert!(remote.world.open_to("etat:x").is_some());
    // An entity that y declares and never applies is not deactivated by it, whatever x applies.
    remote.world.put("etat:hand", true, &[(SKATT, domain::AccessState::Approved)]);
    one.write("y/scopes.yaml", &scopes(&[("etat:hand", &[SKATT])]));
    one.merge("By hand");
    apply(&one, "x");
    one.write("y/scopes.yaml", "scopes: []\n");
    one.merge("Back");
    apply(&one, "x");
    let plan = one.ends(0, &["-C", "y", "plan", "--format", "json"]).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(ids(&plan), [""; 0], "{plan:#}");
    assert_eq!(plan["project"], "y");
    let page = one.ends(0, &["-C", "y", "plan", "--format", "markdown"]).stdout;
    assert!(page.starts_with("<!-- portvakt plan %40y%2Ftest -->\n"), "{page}");
    // A host shows paths from the top of the git repository; a user in the folder sees them from there.
    one.write("y/scopes.yaml", &scopes(&[("etat:ny", &[SKATT])]));
    let page = one.ends(0, &["-C", "y", "plan", "--format", "markdown"]).stdout;
    assert!(page.contains("`y/scopes.yaml:2`"), "{page}");
    let text = one.ends(0, &["-C", "y", "plan", "--out", "plan.json"]).stdout;
    assert!(text.contains("  scopes.yaml:2"), "{text}");
    let saved = one.ends(0, &["show", "plan.json", "--format", "markdown"]).stdout;
    assert!(saved.contains("`y/scopes.yaml:2`"), "{saved}");
    let plan = std::fs::read_to_string(one.path.join("plan.json")).unwrap();
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["actions"][0]["source"]["file"], "scopes.yaml");
    assert_eq!(plan["repository"]["folder"], "y");
    assert!(one.ends(0, &["-C", "y", "plan"]).stdout.starts_with("Plan for test in y"));
}

#[test]
fn what_another_place_declares_is_not_unmanaged() {
    let remote = Remote::new();
    let one = two(&remote);
    apply(&one, "x");
    apply(&one, "y");
    remote.world.put("etat:ingen", true, &[]);
    let unmanaged = |folder: &str| {
        let text = one.ends(0, &["-C", folder, "plan", "--format", "json"]).stdout;
        let plan: serde_json::Value = serde_json::from_str(&text).unwrap();
        let notices = plan["notices"].as_array().unwrap().iter();
        let message: Vec<_> = notices.filter(|it| it["code"] == "PV401").collect();
        let listed = one.ends(0, &["-C", folder, "unmanaged", "--format", "json"]).stdout;
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        let names = |list: &[&serde_json::Value], key: &str| {
            list.iter().map(|it| it[key].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let listed: Vec<_> = listed["scopes"].as_array().unwrap().iter().collect();
        assert_eq!(names(&message, "target"), names(&listed, "name"));
        names(&listed, "name")
    };
    assert_eq!(unmanaged("x"), ["etat:ingen"]);
    // Another environment of the same target counts, and another API does not.
    let text = settings(&remote.at(&one.path.join("y")));
    let two = text.replace("  test:", "  annet:") + text.split_once("environments:\n").unwrap().1;
    one.write("y/portvakt.yaml", &two);
    let own = "  - { name: etat:ingen, description: Les, environments: [annet] }\n";
    one.write("y/scopes.yaml", &(scopes(&[("etat:y", &[SKATT])]) + own));
    let ran = one.ends(0, &["-C", "y", "validate"]);
    assert!(ran.stdout.contains("PV146"), "{}", ran.stdout);
    assert_eq!(unmanaged("x"), ["etat:ingen"], "nobody has applied it");
    one.merge("Another environment");
    one.ends(0, &["-C", "y", "-e", "annet", "apply", "--auto-approve"]);
    assert_eq!(unmanaged("x"), [""; 0]);
    let ran = one.ends(0, &["-C", "y", "-e", "test", "plan"]);
    assert!(!ran.stdout.contains("PV401"), "{}", ran.stdout);
    let api = remote.world.sandbox.api().to_string();
    one.write("y/portvakt.yaml", &text.replace(api.trim_end_matches('/'), "https://a.example"));
    one.merge("Another API");
    assert_eq!(unmanaged("x"), ["etat:ingen", "etat:y"]);
}

#[test]
fn a_folder_with_a_portvakt_yaml_is_none_of_the_folder_above() {
    let remote = Remote::new();
    let one = remote.first();
    one.write("declarations.yaml", &scopes(&[("etat:ytre", &[SKATT])]));
    one.write("under/y/portvakt.yaml", &settings(&one));
    one.write("under/y/scopes.yaml", &scopes(&[("etat:y", &[SKATT])]));
    one.merge("One in another");
    one.apply();
    assert_eq!(remote.world.open_to("etat:y"), None);
    apply(&one, "under/y");
    assert_eq!(one.planned(), [""; 0]);
    // At the applied commit too.
    one.write("declarations.yaml", "scopes: []\n");
    one.merge("Less");
    assert_eq!(one.planned(), ["revoke etat:ytre 974761076", "deactivate scope etat:ytre"]);
    one.apply();
    assert!(remote.world.open_to("etat:y").is_some());
}

#[test]
fn two_folders_of_one_name_take_nothing_for_their_own() {
    let remote = Remote::new();
    let one = two(&remote);
    let named = |folder: &str, name: &str| {
        let file = format!("{folder}/portvakt.yaml");
        let text = std::fs::read_to_string(one.path.join(&file)).unwrap();
        one.write(&file, &format!("project: {name}\n{text}"));
    };
    named("x", "felles");
    named("y", "felles");
    one.merge("One name");
    apply(&one, "x");
    let ran = one.ends(0, &["-C", "y", "plan"]);
    assert!(ran.stdout.contains("`project: NAME`"), "{}", ran.stdout);
    let lifted = ["-C", "y", "apply", "--auto-approve", "--override-guards", "haster"];
    for refused in [&lifted[..4], &lifted, &["-C", "y", "baseline", "set", "HEAD", "--yes"]] {
        let ran = one.ends(4, refused);
        assert!(ran.stderr.contains("folder x has the same name"), "{}", ran.stderr);
    }
    // With a name of its own it does not affect the other.
    let text = settings(&remote.at(&one.path.join("y")));
    one.write("y/portvakt.yaml", &text.replace("felles", "yy"));
    one.merge("Another name");
    apply(&one, "y");
    let plan = one.ends(0, &["-C", "x", "plan"]).stdout;
    assert!(plan.contains("No changes") && !plan.contains("PV409"), "{plan}");
    assert!(remote.world.open_to("etat:x").is_some() && remote.world.open_to("etat:y").is_some());
    for bad in ["a b", "a..b", ".a", "a.lock", "å", "a/b"] {
        one.write(
            "x/portvakt.yaml",
            &settings(&remote.at(&one.path.join("y")))
                .replace("project: yy", &format!("project: \"{bad}\"")),
        );
        let ran = one.ends(3, &["-C", "x", "validate"]);
        assert!(ran.stdout.contains("is not the name of a project"), "{bad}: {}", ran.stdout);
    }
}

#[test]
fn a_moved_folder_keeps_its_past_once_somebody_says_so() {
    for named in [false, true] {
        let remote = Remote::new();
        let one = two(&remote);
        if named {
            let text = settings(&remote.at(&one.path.join("y")));
            one.write("y/portvakt.yaml", &format!("project: team\n{text}"));
            one.merge("Name it");
        }
        one.write("y/more.yaml", &scopes(&[("etat:mer", &[SKATT, KART])]));
        one.merge("More");
        let applied = one.head();
        for folder in ["x", "y"] {
            apply(&one, folder);
        }
        std::fs::create_dir_all(one.path.join("teams")).unwrap();
        one.git(&["mv", "y", "teams/ny"]);
        one.git(&["rm", "--quiet", "-f", "teams/ny/more.yaml"]);
        one.merge("Move, and less");
        let plan = one.ends(0, &["-C", "teams/ny", "plan"]).stdout;
        if !named {
            // It has been renamed: nothing is forgotten, and the remedy is named.
            let command =
                format!("portvakt -C teams/ny -e test baseline set {applied} --from-project y");
            assert!(plan.contains("PV409") && plan.contains(&command), "{plan}");
            assert!(!plan.contains("deactivate etat:mer"), "{plan}");
            one.write("teams/ny/other.yaml", &scopes(&[("etat:annet", &[SKATT])]));
            one.merge("And more");
            // Nor by an apply with changes, twice.
            apply(&one, "teams/ny");
            apply(&one, "teams/ny");
            assert!(remote.world.open_to("etat:mer").is_some());
            let again = one.ends(0, &["-C", "teams/ny", "plan"]).stdout;
            assert!(again.contains(&command), "it is not forgotten either: {again}");
            let set = ["baseline", "set", &applied, "--from-project", "y", "--yes"];
            let ran = one.ends(0, &[&["-C", "teams/ny"], set.as_slice()].concat());
            assert!(ran.stdout.contains("scope etat:mer"), "{}", ran.stdout);
        }
        let plan = one.ends(0, &["-C", "teams/ny", "plan"]).stdout;
        assert!(plan.contains("- deactivate etat:mer") && !plan.contains("PV409"), "{plan}");
        apply(&one, "teams/ny");
        assert_eq!(remote.world.open_to("etat:mer"), None);
        // The other folder is not affected.
        assert!(apply(&one, "x").stdout.contains("No changes"));
        assert!(remote.world.open_to("etat:x").is_some());
        let plan = one.ends(0, &["-C", "x", "plan"]).stdout;
        assert!(!plan.contains("PV409"), "{plan}");
    }
}

#[test]
fn a_place_that_took_its_past_over_is_nobody_elses_former_one() {
    let remote = Remote::new();
    let one = two(&remote);
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    let applied = one.head();
    let text = settings(&remote.at(&one.path.join("x")));
    one.write("x/portvakt.yaml", &text.replace("  test:", "  dev:"));
    one.git(&["mv", "y", "z"]);
    one.merge("Rename, and move");
    one.ends(0, &["-C", "x", "baseline", "set", &applied, "--from-environment", "test", "--yes"]);
    // Nothing has been applied under the new name yet, so the old one is still recorded.
    let plan = one.ends(0, &["-C", "z", "plan"]).stdout;
    let command = format!("`portvakt -C z -e test baseline set {applied} --from-project y`");
    assert!(plan.lines().next().unwrap().contains(&command), "{plan}");
    one.ends(0, &["-C", "z", "baseline", "set", &applied, "--from-project", "y", "--yes"]);
    for folder in ["x", "z"] {
        let plan = one.ends(0, &["-C", folder, "plan", "--detailed-exitcode"]).stdout;
        assert!(!plan.contains("PV409"), "{plan}");
    }
}

#[test]
fn a_folder_that_takes_the_name_of_another_hides_nothing_of_it() {
    let remote = Remote::new();
    let one = two(&remote);
    for folder in ["x", "y"] {
        apply(&one, folder);
    }
    let text = settings(&remote.at(&one.path.join("y")));
    one.write("y/portvakt.yaml", &format!("project: foo\n{text}"));
    one.write("y/scopes.yaml", "");
    one.write("z/portvakt.yaml", &format!("project: y\n{text}"));
    one.merge("Rename, less, and a folder of the former name");
    let plan = one.ends(2, &["-C", "y", "plan", "--detailed-exitcode"]).stdout;
    assert!(plan.starts_with("What was applied before is not known"), "{plan}");
}

#[test]
fn an_environment_of_another_name_forgets_nothing() {
    let remote = Remote::new();
    let one = remote.first();
    let applied = one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[SKATT])]));
    one.apply();
    one.write("portvakt.yaml", &settings(&one).replace("  test:", "  dev:"));
    one.write("declarations.yaml", &scopes(&[("etat:a", &[SKATT])]));
    one.merge("Rename, and less");
    let plan = one.ends(2, &["plan", "--detailed-exitcode"]).stdout;
    assert!(plan.starts_with("What was applied before is not known: environment test"), "{plan}");
    let command = format!("portvakt -e dev baseline set {applied} --from-environment test");
    assert!(plan.contains("PV409") && plan.contains(&command), "{plan}");
    let ran = one.ends(1, &["rollback", &applied]);
    assert!(ran.stderr.contains("git revert"), "{}", ran.stderr);
    // Entities that another choice would leave unmanaged are shown.
    let ran = one.ends(4, &["baseline", "set", "HEAD", "--from-environment", "test"]);
    assert!(ran.stdout.contains("is nobody's") && ran.stdout.contains("etat:b"), "{}", ran.stdout);
    one.ends(0, &["baseline", "set", &applied, "--from-environment", "test", "--yes"]);
    assert_eq!(one.planned(), ["revoke etat:b 974761076", "deactivate scope etat:b"]);
    one.apply();
    assert_eq!(remote.world.open_to("etat:b"), None);
    one.ends(0, &["plan", "--detailed-exitcode"]);
    // An apply that still uses the former name is refused.
    one.git(&["checkout", "--quiet", &applied]);
    let ran = one.ends(4, &["apply", "--auto-approve"]);
    assert!(ran.stderr.contains("PV410"), "{}", ran.stderr);
}

#[test]
fn an_environment_whose_name_went_to_another_target_forgets_nothing() {
    let remote = Remote::new();
    let one = remote.first();
    let applied = one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[SKATT])]));
    one.apply();
    let renamed = settings(&one).replace("  test:", "  intern:");
    let swapped =
        renamed.replace("environments:\n", "environments:\n  test: { target: sandbox }\n");
    one.write("portvakt.yaml", &swapped);
    one.write("declarations.yaml", &scopes(&[("etat:a", &[SKATT])]));
    one.merge("Swap, and less");
    let plan = one.ends(2, &["-e", "intern", "plan", "--detailed-exitcode"]).stdout;
    let command = format!("portvakt -e intern baseline set {applied} --from-environment test");
    assert!(plan.contains("PV409") && plan.contains(&command), "{plan}");
    let set = ["baseline", "set", &applied, "--from-environment", "test", "--yes"];
    one.ends(0, &[["-e", "intern"].as_slice(), &set].concat());
    one.ends(0, &["-e", "intern", "apply", "--auto-approve"]);
    assert_eq!(remote.world.open_to("etat:b"), None);
}

#[test]
fn no_ref_is_deleted_by_an_apply() {
    let remote = Remote::new();
    git(&remote.path(), &["config", "receive.denyDeletes", "true"]);
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[])]));
    let refused = sandbox::Fault::Status { status: 400, retry_after: None };
    remote.world.sandbox.inject(crate::faults::rule(("POST", "/scopes"), 1, refused));
    one.ends(6, &["apply", "--auto-approve", "--concurrency", "1"]);
    assert_eq!(remote.tried(), [one.head()]);
    one.apply();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.apply();
    assert_eq!((remote.held("lock"), remote.tried()), (None, Vec::new()));
    assert!(one.ends(0, &["unlock"]).stdout.contains("Nobody holds the lock"));
    one.ends(0, &["baseline", "set", "HEAD", "--yes"]);
}

#[test]
fn what_others_gave_is_not_revoked_by_the_first_declaration() {
    use domain::AccessState::Approved;
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:egen", &[SKATT, KART])]));
    one.apply();
    remote.world.put("etat:hand", true, &[(SKATT, Approved), (KART, Approved)]);
    remote.world.check_and_forget();
    let both = |own: &[&str], hand: &[&str]| scopes(&[("etat:egen", own), ("etat:hand", hand)]);
    // A consumer of an own scope can be removed as usual.
    one.declare(&both(&[SKATT], &[SKATT]));
    let text = one.ends(0, &["plan"]).stdout;
    assert!(text.contains("PV504") && text.contains("import --scope etat:hand --merge"), "{text}");
    assert!(text.contains("declared here for the first time, without this consumer"), "{text}");
    // Separately from accesses that were granted here, in text and markdown.
    for (format, mark) in [("text", ""), ("markdown", "### ")] {
        let shown = one.ends(0, &["plan", "--format", format]).stdout;
        let part = |heading: &str| {
            let heading = format!("\n{mark}{heading}\n");
            let (_, rest) =
                shown.split_once(&heading).unwrap_or_else(|| panic!("{heading}{shown}"));
            rest.split_once("access away").map_or(rest, |(part, _)| part).to_owned()
        };
        let others =
            part("Takes access away that others granted: declared here for the first time");
        assert!(others.contains("etat:hand") && !others.contains("etat:egen"), "{shown}");
        let own = part("Takes access away or opens up");
        assert!(own.contains("etat:egen") && !own.contains("etat:hand  "), "{shown}");
    }
    let ran = one.ends(4, &["apply", "--auto-approve"]);
    assert!(ran.stderr.contains("PV504"), "{}", ran.stderr);
    assert_eq!(remote.world.sent(), [""; 0]);
    // Once declared it is managed here, and a removal is intended.
    one.declare(&both(&[SKATT], &[SKATT, KART]));
    one.apply();
    one.declare(&both(&[SKATT], &[SKATT]));
    one.apply();
    assert_eq!(remote.world.open_to("etat:hand").unwrap(), [SKATT]);
    // Or a reason is given.
    remote.world.put("etat:annen", true, &[(KART, Approved)]);
    one.declare(&scopes(&[
        ("etat:egen", &[SKATT]),
        ("etat:hand", &[SKATT]),
        ("etat:annen", &[SKATT]),
    ]));
    one.ends(4, &["apply", "--auto-approve"]);
    one.ends(0, &["apply", "--auto-approve", "--override-guards", "overtatt"]);
    assert_eq!(remote.world.open_to("etat:annen").unwrap(), [SKATT]);
}
