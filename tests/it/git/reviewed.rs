//! Pasts that must not be forgotten, commits that must not be rolled back to, and files that must not
//! pretend.

use domain::AccessState::Approved;
use serde_json::Value;

use super::life::{codes, scopes};
use super::remote::Remote;
use crate::world::SKATT;

#[test]
fn what_nobody_could_read_is_not_forgotten() {
    let remote = Remote::new();
    let one = remote.first();
    let first = one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[])]));
    one.apply();
    // The commit that is recorded as applied has invalid declarations.
    one.write("declarations.yaml", "scopes: nonsense\n");
    let broken = one.commit("Break");
    one.git(&["push", "--quiet", "origin", &format!("+{broken}:refs/portvakt/test/applied")]);
    one.declare(&scopes(&[("etat:b", &[])]));
    let plan = one.plan();
    assert_eq!(crate::world::ids(&plan), [""; 0]);
    assert!(codes(&plan).contains(&"PV409".to_owned()), "{plan:#}");
    one.apply();
    assert_eq!(
        remote.held("applied"),
        Some(broken.clone()),
        "it is still the one that was applied"
    );
    one.git(&["push", "--quiet", "origin", &format!("+{first}:refs/portvakt/test/applied")]);
    assert!(one.planned().contains(&"deactivate scope etat:a".to_owned()));
}

#[test]
fn a_rollback_goes_back_to_what_was_merged_alone() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[])]));
    one.apply();
    one.git(&["switch", "--quiet", "-c", "side"]);
    let side = one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.git(&["switch", "--quiet", "main"]);
    let ran = one.run(&["rollback", &side]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("no older commit"), "{}", ran.stderr);
    for odd in ["a:refs/heads/b", "+main", "--help-me", "*", ""] {
        let ran = one.run(&["rollback", "--", odd]);
        assert_eq!(ran.code, 64, "{odd}: {}", ran.stderr);
    }
}

#[test]
fn a_plan_that_was_edited_is_neither_shown_nor_applied() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    assert_eq!(one.run(&["plan", "--out", "plan.json"]).code, 0);
    let whole: Value =
        serde_json::from_str(&std::fs::read_to_string(one.path.join("plan.json")).unwrap())
            .unwrap();
    type Edit = (&'static str, fn(&mut Value));
    let edits: [Edit; 4] = [
        ("an action hidden", |plan| {
            plan["actions"].as_array_mut().unwrap().pop();
            plan["summary"]["grant"] = 0.into();
        }),
        ("another consumer", |plan| plan["actions"][1]["consumer"] = "971040238".into()),
        ("another sum", |plan| plan["summary"]["grant"] = 0.into()),
        ("another field", |plan| plan["actions"][0]["changes"][0]["after"] = "Skriv".into()),
    ];
    for (what, edit) in edits {
        let mut plan = whole.clone();
        edit(&mut plan);
        one.write("plan.json", &plan.to_string());
        for command in [&["show", "plan.json"][..], &["apply", "plan.json", "--auto-approve"]] {
            let ran = one.run(command);
            assert_eq!(ran.code, 4, "{what}: {}", ran.stderr);
            assert!(ran.stderr.contains("was edited"), "{what}: {}", ran.stderr);
        }
    }
    one.write("plan.json", &whole.to_string());
    assert_eq!(one.run(&["apply", "plan.json", "--auto-approve"]).code, 0);
}

#[test]
fn what_was_applied_to_another_place_is_not_ours_here() {
    let (remote, other) = (Remote::new(), Remote::new());
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[]), ("etat:b", &[])]));
    one.apply();
    other.world.put("etat:b", true, &[]);
    let settings = std::fs::read_to_string(other.first().path.join("portvakt.yaml")).unwrap();
    one.write("portvakt.yaml", &settings);
    one.declare(&scopes(&[("etat:a", &[])]));
    let plan = one.plan();
    assert_eq!(crate::world::ids(&plan), ["create scope etat:a"], "{plan:#}");
    assert!(codes(&plan).contains(&"PV409".to_owned()), "{plan:#}");
}

#[test]
fn a_branch_without_the_applied_commit_says_so() {
    let remote = Remote::new();
    let (one, two) = (remote.first(), remote.another("two", &[]));
    one.declare(&scopes(&[("etat:a", &[])]));
    one.apply();
    two.write("declarations.yaml", &scopes(&[("etat:b", &[])]));
    two.commit("Declare aside");
    assert!(codes(&two.plan()).contains(&"PV412".to_owned()));
}

/// A job without a digest, for a commit for which there is nothing to do: it needs no credentials that can
/// write, and the commit counts as applied.
#[test]
fn what_changes_nothing_is_recorded_with_credentials_that_can_only_read() {
    let remote = Remote::new();
    let one = remote.first();
    remote.world.put("etat:a", true, &[(SKATT, Approved)]);
    one.apply();
    remote.world.sandbox.edit(|state| {
        let client = state.clients.get_mut("portvakt").unwrap();
        client.scopes.retain(|scope| scope.ends_with(".read"));
    });
    let commit = one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.ends(1, &["apply", "--auto-approve"]);
    let ran = one.ends(0, &["apply"]);
    assert!(ran.stdout.contains("No changes."), "{}", ran.stdout);
    assert_eq!(remote.held("applied"), Some(commit.clone()));
    // Where there is something to do, nothing is done, and the message says what to run.
    let plan = {
        one.declare(&scopes(&[("etat:a", &[])]));
        one.plan()
    };
    let ran = one.ends(4, &["apply"]);
    let digest = plan["digest"].as_str().unwrap();
    let message = format!("portvakt -e test apply --auto-approve --expect {digest}");
    assert!(ran.stderr.contains(&message), "{}", ran.stderr);
    assert_eq!(remote.held("applied"), Some(commit));
    assert_eq!((remote.held("lock"), remote.world.sent().len()), (None, 0));
}
