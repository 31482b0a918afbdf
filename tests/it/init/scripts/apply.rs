//! What is applied: what was reviewed, or what a person has read.

use super::stage::{DIGEST, Stage};
use super::{AZURE_MERGE, GITLAB};
use crate::init::templates::script;
use crate::programs::has;

#[test]
fn gitlab_applies_what_was_reviewed_or_what_the_person_has_read() {
    let file = |name: &str| format!("work/portvakt-out/test/{name}");
    let environment =
        [("PORTVAKT_ENV", "test"), ("PORTVAKT_WRITE_KEY", "key"), ("PORTVAKT_EXPECT", "other")];
    let mut stage = Stage::new(&environment);
    stage.write(&file("digest"), &format!("{DIGEST}\n"));
    stage.answer("portvakt -C . apply", 4, "");
    assert_eq!(stage.run(&script(GITLAB, ".portvakt-apply")).code, 4);
    let report = "--report portvakt-out/test/report.json";
    let review = "--review portvakt-out/test/reviewed.json";
    let line = format!("portvakt -C . apply --auto-approve --expect {DIGEST} {review} {report}\n");
    assert_eq!(stage.read("calls"), line);
    // Nothing was reviewed: nothing is applied.
    let stage = Stage::new(&environment);
    assert_ne!(stage.run(&script(GITLAB, ".portvakt-apply")).code, 0);
    assert_eq!(stage.read("calls"), "");
    let by_hand = script(GITLAB, "portvakt-apply-by-hand");
    let mut stage =
        Stage::new(&[&environment[..], &[("PORTVAKT_OVERRIDE_GUARDS", "$(id) it is so")]].concat());
    stage.answer("portvakt -C . apply", 0, "");
    assert_eq!(stage.run(&by_hand).code, 0);
    let line = format!(
        "portvakt -C . apply --auto-approve portvakt-out/test/plan.json {report} --override-guards $(id) \
         it is so\n"
    );
    assert_eq!(stage.read("calls"), line);
}

/// In a merge train the comment stays as people have seen it, and must show the plan of the train.
#[test]
fn gitlab_comments_on_a_merge_request_and_checks_a_merge_train() {
    let plan = "portvakt-out/test/plan.json";
    for (event, call) in [
        ("merged_result", format!("portvakt -C . comment --gitlab --plan {plan}\n")),
        ("merge_train", format!("portvakt -C . reviewed --gitlab --plan {plan}\n")),
        ("", String::new()),
    ] {
        let mut stage =
            Stage::new(&[("PORTVAKT_ENV", "test"), ("CI_MERGE_REQUEST_EVENT_TYPE", event)]);
        if !event.is_empty() {
            stage.environment.insert("CI_MERGE_REQUEST_IID".to_owned(), "7".to_owned());
        }
        stage.answer("portvakt -C . plan", 0, "");
        stage.answer("portvakt -C . reviewed", 4, "");
        stage.answer("portvakt -C . comment", 0, "");
        let code = if event == "merge_train" { 4 } else { 0 };
        assert_eq!(stage.run(&script(GITLAB, "portvakt-plan")).code, code, "{event}");
        let calls = stage.read("calls");
        let planned = format!("portvakt -C . plan --out {plan} --format markdown\n");
        assert_eq!(calls, planned + &call, "{event}");
    }
}

#[test]
fn azure_applies_what_was_reviewed() {
    if !has("jq", "the apply on Azure DevOps") {
        return;
    }
    for (why, more) in [("no", ""), ("it is so", " --override-guards it is so")] {
        let mut stage = Stage::new(&[("OVERRIDE_GUARDS", why), ("REVIEWED", "plan.json")]);
        stage.write("work/plan.json", &format!(r#"{{"digest": "{DIGEST}"}}"#));
        stage.answer("portvakt -C . apply", 6, "");
        assert_eq!(stage.run(&script(AZURE_MERGE, "Apply")).code, 6);
        let report = stage.folder.path().join("out/report.json");
        let report = report.display();
        let line = format!(
            "portvakt -C . apply --auto-approve --expect {DIGEST} --review plan.json --report {report}{more}\n"
        );
        assert_eq!(stage.read("calls"), line);
    }
    for (plan, pending) in [(r#"{"actions": []}"#, "false"), (r#"{"actions": [{}]}"#, "true")] {
        let stage = Stage::new(&[]);
        stage.write("out/plan.json", plan);
        let ran = stage.run(&script(AZURE_MERGE, "look"));
        let set = format!("##vso[task.setvariable variable=pending;isOutput=true]{pending}\n");
        assert_eq!((ran.code, ran.stdout), (0, set), "{}", ran.stderr);
    }
}

#[test]
fn only_environments_with_something_to_do_are_applied_to_and_in_order() {
    if !has("jq", "the environments with something to do") {
        return;
    }
    let merge = "templates/github/portvakt-merge.yml";
    for (plans, pending, others) in [
        (&[("test", "[{}]"), ("prod", "[]")][..], r#"["test"]"#, r#"["prod"]"#),
        (&[("prod", "[{}]"), ("test", "[{}]")], r#"["test","prod"]"#, "[]"),
        (&[("test", "[]"), ("prod", "[]")], "[]", r#"["test","prod"]"#),
    ] {
        let stage = Stage::new(&[("ENVIRONMENTS", r#"["test", "prod"]"#)]);
        for (environment, actions) in plans {
            let plan = format!(r#"{{"environment": "{environment}", "actions": {actions}}}"#);
            stage.write(&format!("temp/reviewed/of-{environment}/plan.json"), &plan);
        }
        let ran = stage.run(&script(merge, "Sort the environments"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(stage.read("output"), format!("pending={pending}\nothers={others}\n"));
    }
}
