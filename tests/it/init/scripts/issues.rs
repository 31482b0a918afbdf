//! One issue or work item for drift, and one for keys.

use std::fs;

use super::stage::{Stage, TOKEN};
use super::{AZURE_DRIFT, AZURE_MERGE, DRIFT, GITLAB};
use crate::init::templates::{script, scripts};
use crate::init::web::Web;
use crate::programs::has;

/// The step for the work items of drift and of keys.
const WORK_ITEMS: &str = "Open, update or close the work items";

#[test]
fn github_has_one_issue_of_drift() {
    if !has("jq", "the issue of drift on GitHub") {
        return;
    }
    // The job of keys has the same script.
    let scripts = scripts().into_iter().filter(|script| script.file == DRIFT);
    let issues: Vec<_> = scripts.filter(|script| script.name.ends_with("the issue")).collect();
    assert!(issues.len() == 2 && issues[0].text == issues[1].text);
    const TITLE: &str = "portvakt: DigDir differs from the repository in test";
    let ours = format!(r#"[{{"number": 3, "title": "{TITLE}"}}]"#);
    let others = format!(r#"[{{"number": 4, "title": "{}"}}]"#, TITLE.replace("test", "prod"));
    let edit = "gh issue edit 3 --body-file";
    let create = "gh issue create --title";
    let close = "gh issue close 3 --comment";
    for (drifted, open, expected) in [
        ("true", others.as_str(), Some(create)),
        ("true", &ours, Some(edit)),
        ("false", &ours, Some(close)),
        ("false", &others, None),
    ] {
        let mut stage = Stage::new(&[("FOUND", drifted), ("TITLE", TITLE), ("RUN", "https://run")]);
        for (name, value) in [("LABEL", "portvakt-drift"), ("ABOUT", "DigDir was changed by hand")]
        {
            stage.environment.insert(name.to_owned(), value.to_owned());
        }
        let drift = stage.folder.path().join("drift.md");
        stage.environment.insert("TEXT".to_owned(), drift.to_str().unwrap().to_owned());
        stage.write("drift.md", &"æ".repeat(40_000));
        stage.answer("gh issue list --label portvakt-drift --state open", 0, open);
        for call in ["gh label create portvakt-drift --force", create, edit, close] {
            stage.answer(call, 0, "");
        }
        let ran = stage.run(&script(DRIFT, "Open, update or close the issue"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let calls = stage.read("calls");
        for call in [create, edit, close] {
            assert_eq!(calls.contains(call), expected == Some(call), "{drifted} {open}: {calls}");
        }
        if drifted == "true" {
            let issue = fs::read_dir(stage.folder.path().join("temp")).unwrap().next().unwrap();
            let body = fs::read_to_string(issue.unwrap().path()).unwrap();
            assert!(
                body.len() < 65_536 && body.ends_with("æ\nSeen by https://run\n"),
                "{}",
                body.len()
            );
        }
    }
}

/// Texts that would be commands if they were printed unchanged.
const HOSTILE: &str = "##vso[task.setvariable variable=x]y\n##[error]x\n::error::x\n";

#[test]
fn gitlab_has_one_issue_of_drift() {
    if !has("jq", "the issue of drift on GitLab") || !has("curl", "the issue of drift on GitLab") {
        return;
    }
    let ours = r#"[{"iid": 3, "title": "portvakt: DigDir differs from the repository in test"}]"#;
    let (update, create) = ("PUT /api/v4/projects/42/issues/3", "POST /api/v4/projects/42/issues");
    for (code, open, change, body) in [
        (2, "[]", Some(create), "title=portvakt%3A+DigDir"),
        (2, ours, Some(update), "description=%23+Drift"),
        (0, ours, Some(update), "state_event=close"),
        (0, "[]", None, ""),
    ] {
        let web = Web::start(vec![
            ("GET /api/v4/projects/42/issues?", 200, None, open.to_owned()),
            (update, 200, None, "{}".to_owned()),
            (create, 201, None, HOSTILE.to_owned()),
        ]);
        let mut stage = Stage::new(&[
            ("CI_API_V4_URL", &format!("{}/api/v4", web.address)),
            ("CI_PROJECT_ID", "42"),
            ("PORTVAKT_ENV", "test"),
            ("PORTVAKT_GITLAB_TOKEN", TOKEN),
        ]);
        stage.answer("portvakt -C . drift --format markdown", code, "# Drift\n");
        let ran = stage.run(&gitlab_issue("portvakt-drift"));
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "# Drift\n"), "{}", ran.stderr);
        let requests = web.requests();
        assert!(requests.iter().all(|asked| asked.headers["private-token"] == TOKEN));
        let changes: Vec<_> =
            requests.iter().filter(|asked| !asked.line.starts_with("GET")).collect();
        assert_eq!(changes.len(), usize::from(change.is_some()), "{code} {open}");
        if let (Some(line), [asked]) = (change, changes.as_slice()) {
            assert_eq!(asked.line, line);
            assert!(asked.body.contains(body), "{}", asked.body);
        }
        stage.keeps_the_token();
    }
    let mut stage = Stage::new(&[("PORTVAKT_ENV", "test")]);
    stage.answer("portvakt -C . drift", 1, "");
    assert_eq!(stage.run(&gitlab_issue("portvakt-drift")).code, 1);
    assert_eq!(stage.read("calls"), "portvakt -C . drift --format markdown\n");
    // Keys have an issue of their own, in which nothing that is listed is markdown.
    let web = Web::start(vec![
        ("GET /api/v4/projects/42/issues?labels=portvakt-keys", 200, None, "[]".to_owned()),
        (create, 201, None, HOSTILE.to_owned()),
    ]);
    let mut stage = Stage::new(&[
        ("CI_API_V4_URL", &format!("{}/api/v4", web.address)),
        ("CI_PROJECT_ID", "42"),
        ("PORTVAKT_ENV", "test"),
        ("PORTVAKT_GITLAB_TOKEN", TOKEN),
    ]);
    stage.answer("portvakt -C . keys list --expiring 30d --detailed-exitcode", 2, "a: @kari\n");
    let ran = stage.run(&gitlab_issue("portvakt-keys"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let body = &web.requests()[1].body;
    assert!(body.contains("keys+expire+soon") && body.contains("=++++a%3A+%40kari"), "{body}");
}

/// The script of a job that has an issue, with what it runs before.
fn gitlab_issue(job: &str) -> String {
    script(GITLAB, ".portvakt-issue") + "\n" + &script(GITLAB, job)
}

/// The job of drift, redirected by the host: the token is not sent on, and the job does not succeed.
#[test]
fn the_token_of_drift_is_not_redirected() {
    if !has("jq", "redirects of drift") || !has("curl", "redirects of drift") {
        return;
    }
    for status in [301, 302, 307, 308, 500] {
        let elsewhere = Web::start(vec![("/", 200, None, "[]".to_owned())]);
        let to = elsewhere.address.replace("https", "http");
        let web = Web::start(vec![("/", status, Some(to), HOSTILE.to_owned())]);
        for (file, text) in [
            (GITLAB, gitlab_issue("portvakt-drift")),
            (AZURE_DRIFT, script(AZURE_DRIFT, WORK_ITEMS)),
        ] {
            let mut stage = azure(&web);
            let api = format!("{}/api/v4", web.address);
            for (name, value) in [
                ("CI_API_V4_URL", api.as_str()),
                ("CI_PROJECT_ID", "42"),
                ("PORTVAKT_GITLAB_TOKEN", TOKEN),
            ] {
                stage.environment.insert(name.to_owned(), value.to_owned());
            }
            stage.write("out/drift.code", "2\n");
            stage.answer("portvakt -C . drift", 2, "");
            let ran = stage.run(&text);
            assert_eq!(ran.code, 1, "{file} {status}: {}", ran.stdout);
            assert!(ran.stdout.contains(&status.to_string()), "{}", ran.stdout);
            assert!(!ran.stdout.contains("##"), "{}", ran.stdout);
            stage.keeps_the_token();
        }
        assert_eq!(web.lines().len(), 2);
        assert_eq!(elsewhere.lines(), [""; 0]);
    }
}

fn azure(web: &Web) -> Stage {
    Stage::new(&[
        ("SYSTEM_COLLECTIONURI", &format!("{}/etat/", web.address)),
        ("SYSTEM_TEAMPROJECTID", "project"),
        ("SYSTEM_ACCESSTOKEN", TOKEN),
        ("PORTVAKT_ENV", "test"),
        ("WORK_ITEM_TYPE", "Issue"),
        ("CLOSED_STATE", "Done"),
    ])
}

#[test]
fn azure_has_one_work_item_of_drift() {
    if !has("jq", "the work item of drift on Azure DevOps")
        || !has("curl", "the work item of drift on Azure DevOps")
    {
        return;
    }
    let create = "POST /etat/project/_apis/wit/workitems/$Issue?api-version=7.1";
    let patch = "PATCH /etat/project/_apis/wit/workitems/3?api-version=7.1";
    let shown = "<pre>- &lt;x&gt;\\n##vso[task.setvariable variable=x]y";
    for (code, items, change, data) in [
        ("2", "", Some(create), shown),
        ("2", r#"{"id": 3}"#, Some(patch), shown),
        ("0", r#"{"id": 3}"#, Some(patch), "\"Done\""),
        ("0", "", None, ""),
    ] {
        let found = format!(r####"{{"x": "\n##vso[task.complete]", "workItems": [{items}]}}"####);
        let web = Web::start(vec![
            ("POST /etat/project/_apis/wit/wiql?api-version=7.1", 200, None, found),
            (create, 200, None, HOSTILE.to_owned()),
            (patch, 200, None, HOSTILE.to_owned()),
        ]);
        let stage = azure(&web);
        for found in ["drift", "keys"] {
            stage.write(&format!("out/{found}.txt"), &format!("- <x>\n{HOSTILE}"));
            stage.write(&format!("out/{found}.code"), &format!("{code}\n"));
        }
        let ran = stage.run(&script(AZURE_DRIFT, WORK_ITEMS));
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
        let requests = web.requests();
        let bearer = format!("Bearer {TOKEN}");
        assert!(requests.iter().all(|asked| asked.headers["authorization"] == bearer.as_str()));
        assert_eq!(requests.len(), 2 + 2 * usize::from(change.is_some()), "{code} {items}");
        if let (Some(line), [_, drift, _, keys]) = (change, requests.as_slice()) {
            for asked in [drift, keys] {
                assert_eq!(asked.line, line);
                assert!(asked.body.contains(data), "{}", asked.body);
                assert_eq!(asked.headers["content-type"], "application/json-patch+json");
            }
            let titles = [drift.body.contains("DigDir differs"), keys.body.contains("keys expire")];
            assert_eq!(titles, [code == "2"; 2]);
        }
        stage.keeps_the_token();
    }
    // Foreign text in place of a number is not put into an address.
    let odd = r#"{"workItems": [{"id": "3/../../x"}]}"#.to_owned();
    let web = Web::start(vec![("wiql", 200, None, odd)]);
    let stage = azure(&web);
    stage.write("out/drift.code", "2\n");
    assert_ne!(stage.run(&script(AZURE_DRIFT, WORK_ITEMS)).code, 0);
    assert_eq!(web.lines().len(), 1);
}

/// Portvakt's output goes into a file, and no step prints it.
#[test]
fn azure_prints_no_text_of_others() {
    const PULL_REQUEST: &str = "templates/azure/portvakt-pull-request.yml";
    for (file, step, written) in [
        (AZURE_DRIFT, "Look for drift", "out/drift.md"),
        (PULL_REQUEST, "Plan", "out/plan.md"),
        (AZURE_MERGE, "Plan", "out/plan.md"),
    ] {
        for (code, ended) in [(0, 0), (2, i32::from(step == "Plan") * 2), (1, 1)] {
            let mut stage = Stage::new(&[]);
            stage.answer("portvakt", code, HOSTILE);
            let ran = stage.run(&script(file, step));
            assert_eq!((ran.code, ran.stdout.as_str()), (ended, ""), "{file}: {}", ran.stderr);
            if ended == 0 {
                assert!(stage.read(written).contains("##vso[task.setvariable"), "{file}");
            }
            if (step, code) == ("Look for drift", 2) {
                assert_eq!(stage.read("out/drift.code"), "2\n");
            }
        }
    }
}
