//! A plan that is saved, shown, and applied: exactly as it is, or not at all.

use domain::AccessState::Approved;
use serde_json::Value;

use super::life::scopes;
use super::remote::{Clone, Remote};
use crate::world::{DIGDIR, KART, SKATT};

/// Saves a plan beside the clone, or in it; returns its path and content.
fn saved(clone: &Clone<'_>, path: &std::path::Path) -> (String, Value) {
    let file = path.to_string_lossy().into_owned();
    clone.ends(0, &["plan", "--out", &file]);
    (file.clone(), serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap())
}

#[test]
fn a_saved_plan_is_shown_and_done_as_it_is() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    // In the folder of the declarations, where a job is likely to put it.
    let (file, plan) = saved(&one, &one.path.join("plan.json"));
    let shown = one.ends(0, &["show", &file]).stdout;
    assert_eq!(shown, one.ends(0, &["plan"]).stdout);
    assert!(shown.contains("etat:a"), "{shown}");
    let shown = one.ends(0, &["show", &file, "--format", "json"]).stdout;
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), plan);
    let report = remote.beside("report.json").to_string_lossy().into_owned();
    one.ends(0, &["apply", "plan.json", "--auto-approve", "--report", &report]);
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [SKATT]);
    assert_eq!(remote.held("applied"), Some(one.head()), "the plan itself makes nothing dirty");
    let message = one.ends(0, &["show", &report]).stdout;
    assert!(message.contains("2 of 2 done"), "{message}");
    let json: Value =
        serde_json::from_str(&one.ends(0, &["show", &report, "--format", "json"]).stdout).unwrap();
    assert_eq!(json["digest"], plan["digest"]);
    // After the apply, the same plan is stale.
    let ran = one.ends(4, &["apply", "plan.json", "--auto-approve"]);
    assert!(ran.stderr.contains("create scope etat:a: is not needed any more"), "{}", ran.stderr);
}

#[test]
fn a_stale_plan_is_refused_and_says_what_moved() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.apply();
    one.declare("scopes:\n  - { name: etat:a, description: Skriv, consumers: [\"971040238\"] }\n");
    let (file, _) = saved(&one, &remote.beside("plan.json"));
    remote.world.check_and_forget();
    let apply = |clone: &Clone<'_>| clone.ends(4, &["apply", &file, "--auto-approve"]).stderr;
    // Somebody grants an access that was to be granted, and one more; and changes the description.
    remote.world.put("etat:a", true, &[(SKATT, Approved), (KART, Approved), (DIGDIR, Approved)]);
    remote.world.sandbox.edit(|state| {
        let scope = state.scopes.get_mut(&crate::world::name("etat:a")).unwrap();
        scope.fields.insert("description".to_owned(), "Annet".into());
    });
    let why = apply(&one);
    for message in [
        "stale: nothing was changed",
        "grant etat:a 971040238: is not needed any more",
        "revoke etat:a 991825827: is needed by now and not in the plan",
        "update scope etat:a: would change description from \"Annet\" to \"Skriv\"; planned was \
         description from \"Les\" to \"Skriv\"",
    ] {
        assert!(why.contains(message), "{message}\n{why}");
    }
    // As before, but for another commit with other changes.
    remote.world.put("etat:a", true, &[(SKATT, Approved)]);
    remote.world.sandbox.edit(|state| {
        state
            .accesses
            .get_mut(&crate::world::name("etat:a"))
            .unwrap()
            .retain(|orgno, _| orgno.to_string() == SKATT);
    });
    let planned = one.head();
    one.declare("scopes:\n  - { name: etat:a, description: Skriv }\n");
    let why = apply(&one);
    assert!(why.contains("grant etat:a 971040238: is not needed any more"), "{why}");
    assert!(why.contains(&format!("made at commit {planned}, and {}", one.head())), "{why}");
    assert_eq!((remote.world.sent().len(), remote.held("lock")), (0, None));
    // An additional commit with the same result does no harm.
    one.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    one.merge("Nothing");
    one.ends(0, &["apply", &file, "--auto-approve"]);
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [KART]);
}

#[test]
fn a_plan_that_was_edited_or_is_anothers_is_refused() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    let (file, plan) = saved(&one, &remote.beside("plan.json"));
    type Edit = fn(&mut Value);
    let edits: [(Edit, i32, &str); 9] = [
        (|plan| drop(plan["actions"].as_array_mut().unwrap().pop()), 4, "was edited"),
        (|plan| plan["actions"][0]["changes"][0]["after"] = "X".into(), 4, "was edited"),
        (|plan| plan["digest"] = "sha256:00".into(), 4, "the plan was edited"),
        (|plan| plan["environment"] = "prod".into(), 4, "was edited"),
        (|plan| plan["environment"] = "../x".into(), 4, "was edited"),
        (|plan| plan["organization"] = DIGDIR.into(), 64, "organisation 991825827"),
        (|plan| plan["format_version"] = 2.into(), 64, "format version 2"),
        (|plan| plan["rollback"] = true.into(), 0, ""),
        (|plan| *plan = Value::Null, 64, "plan --out"),
    ];
    for (edit, code, message) in edits {
        let mut edited = plan.clone();
        edit(&mut edited);
        std::fs::write(&file, edited.to_string()).unwrap();
        let command = if code == 0 { "show" } else { "apply" };
        let ran = one.run(&[command, &file]);
        assert_eq!(ran.code, code, "{message}\n{}", ran.stderr);
        assert!(ran.stderr.contains(message), "{message}\n{}", ran.stderr);
        assert_eq!((remote.world.sent().len(), remote.held("lock")), (0, None), "{message}");
    }
    std::fs::write(&file, plan.to_string()).unwrap();
    let ran = one.ends(64, &["-e", "prod", "apply", &file]);
    assert!(ran.stderr.contains("environment test, not for prod"), "{}", ran.stderr);
    one.ends(64, &["apply", "finnes-ikke.json"]);
}

#[test]
fn only_the_expected_digest_is_applied() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    let digest = one.plan()["digest"].as_str().unwrap().to_owned();
    remote.world.put("etat:a", false, &[(KART, Approved)]);
    let apply = ["apply", "--auto-approve", "--expect", &digest];
    let ran = one.ends(4, &apply);
    assert!(ran.stderr.contains(&format!("expected {digest}")), "{}", ran.stderr);
    assert_eq!((remote.world.sent().len(), remote.held("lock")), (0, None));
    remote.world.sandbox.edit(|state| {
        state.scopes.clear();
        state.accesses.clear();
    });
    one.ends(0, &apply);
    one.ends(64, &["apply", "--expect", "sha256:12"]);
}

#[test]
fn a_rollback_is_planned_saved_and_applied() {
    let remote = Remote::new();
    let (one, two) = (remote.first(), remote.another("two", &[]));
    let good = one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.apply();
    let bad = one.declare(&scopes(&[("etat:b", &[KART])]));
    one.apply();
    two.pull();
    let file = remote.beside("back.json").to_string_lossy().into_owned();
    let text = two.ends(0, &["rollback", "HEAD~1", "--out", &file]).stdout;
    assert!(text.contains("reactivate etat:a"), "{text}");
    let ran = two.ends(2, &["rollback", &good, "--detailed-exitcode"]);
    assert_eq!(ran.stdout.lines().last(), text.lines().last());
    two.ends(0, &["apply", &file, "--auto-approve"]);
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [SKATT]);
    assert_eq!(remote.world.open_to("etat:b"), None);
    assert_eq!(remote.held("applied"), Some(good.clone()));
    let report = &two.history()[0];
    assert_eq!((&report["rollback"], &report["commit"]), (&true.into(), &good.as_str().into()));
    assert_eq!(report["before"], *bad);
    // The commit that is checked out still exists: its plan would do it again.
    assert!(!two.planned().is_empty());
    two.ends(64, &["rollback", "finnes-ikke"]);
    two.ends(0, &["rollback", &good]);
    two.ends(0, &["drift"]);
}
