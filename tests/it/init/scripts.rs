//! The shell in the CI files, run with stand-ins for the host's programs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::templates::{has, script};
use crate::world::Ran;

const MERGE: &str = "templates/github/portvakt-merge.yml";
const PULL_REQUEST: &str = "templates/github/portvakt-pull-request.yml";
const DRIFT: &str = "templates/github/portvakt-drift.yml";
const GITLAB: &str = "templates/gitlab/portvakt.gitlab-ci.yml";
const AZURE_MERGE: &str = "templates/azure/portvakt-merge.yml";
const AZURE_DRIFT: &str = "templates/azure/portvakt-drift.yml";

const FIND: &str = "Find the digest that was reviewed";
const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const OTHER: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";
const COMMIT: &str = "c0ffee";

/// Notes how it is called, and answers a call whose words hold a known text by what belongs to it,
/// through `--jq` where that is asked for. What it is not told to answer, it refuses.
const STAND_IN: &str = r#"#!/usr/bin/env bash
me=$(basename "$0")
echo "$me $*" >> "$HERE/calls"
filter=.
words=("$@")
for ((i = 0; i < ${#words[@]}; i++)); do
  case ${words[i]} in
    --jq) filter=${words[i+1]} ;;
    @-) sed 's/^/data /' >> "$HERE/calls" ;;
  esac
done
for answer in "$HERE"/answers/*.key; do
  if [[ "$me $*" == *"$(cat "$answer")"* ]]; then
    if [[ " $* " == *" --jq "* ]]; then jq -r "$filter" "${answer%.key}.value"; else cat "${answer%.key}.value"; fi
    exit "$(cat "${answer%.key}.code")"
  fi
done
exit 1
"#;

/// A place where a script runs.
struct Stage {
    folder: TempDir,
    answers: usize,
    environment: BTreeMap<String, String>,
}

impl Stage {
    fn new(environment: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let here = folder.path();
        for made in ["bin", "answers", "work"] {
            fs::create_dir(here.join(made)).unwrap();
        }
        for program in ["gh", "curl", "portvakt"] {
            let path = here.join("bin").join(program);
            fs::write(&path, STAND_IN).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for file in ["calls", "output", "summary"] {
            fs::write(here.join(file), "").unwrap();
        }
        let path = format!("{}:{}", here.join("bin").display(), std::env::var("PATH").unwrap());
        let own = [
            ("PATH", path.as_str()),
            ("HERE", here.to_str().unwrap()),
            ("GITHUB_OUTPUT", here.join("output").to_str().unwrap()),
            ("GITHUB_STEP_SUMMARY", here.join("summary").to_str().unwrap()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let given = environment.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let environment = own.into_iter().chain(given).collect();
        Self { folder, answers: 0, environment }
    }

    /// A call that holds this text is answered by that.
    fn answer(&mut self, call: &str, code: i32, value: &str) -> &mut Self {
        let name = format!("{:03}", self.answers);
        for (end, text) in [("key", call), ("value", value), ("code", &code.to_string())] {
            fs::write(self.folder.path().join(format!("answers/{name}.{end}")), text).unwrap();
        }
        self.answers += 1;
        self
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap()
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.path().join("work").join(file), text).unwrap();
    }

    fn run(&self, script: &str) -> Ran {
        // As the hosts run it.
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
        let work: &Path = &self.folder.path().join("work");
        let output =
            command.env_clear().envs(&self.environment).current_dir(work).output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn plan_comment(environment: &str, digest: &str) -> String {
    format!("<!-- portvakt plan {environment} -->\r\n## Plan\r\n\r\nDigest `{digest}`\r\n")
}

/// A pull request's comments.
struct Comments {
    name: &'static str,
    /// Whether each is ours, and what it holds.
    all: Vec<(bool, String)>,
    /// The digest that is found, or a part of why there is none.
    expected: Result<&'static str, &'static str>,
}

fn comments() -> Vec<Comments> {
    let ours = |environment, digest| (true, plan_comment(environment, digest));
    let theirs = |digest| (false, plan_comment("test", digest));
    let quoted = (true, format!("> {}", plan_comment("test", DIGEST)));
    let inside = (true, format!("<!-- portvakt plan test -->\nsee Digest {DIGEST}"));
    [
        ("ours", vec![ours("prod", OTHER), theirs(OTHER), ours("test", DIGEST)], Ok(DIGEST)),
        ("somebody else's", vec![theirs(DIGEST), ours("prod", DIGEST)], Err("no plan")),
        ("two", vec![ours("test", DIGEST), ours("test", OTHER)], Err("more than one")),
        ("quoted", vec![quoted], Err("no plan")),
        ("not in a line of its own", vec![inside], Err("no plan")),
        ("none", vec![], Err("no plan")),
    ]
    .map(|(name, all, expected)| Comments { name, all, expected })
    .into()
}

#[test]
fn github_finds_the_digest_that_was_reviewed() {
    if !has("jq", "finding the digest on GitHub") {
        return;
    }
    let environment = [
        ("REPOSITORY", "etat/tilgang"),
        ("COMMIT", COMMIT),
        ("ENVIRONMENT", "test"),
        ("ASKED_DIGEST", ""),
    ];
    let merged = serde_json::json!([
        { "number": 6, "merged_at": "2026-11-01T10:00:00Z", "merge_commit_sha": "other" },
        { "number": 8, "merged_at": null, "merge_commit_sha": COMMIT },
        { "number": 7, "merged_at": "2026-11-01T10:00:00Z", "merge_commit_sha": COMMIT },
    ]);
    let find = script(MERGE, FIND);
    for Comments { name, all: comments, expected } in comments() {
        let comments: Vec<_> = comments
            .iter()
            .map(|(ours, body)| {
                let (login, kind) =
                    if *ours { ("github-actions[bot]", "Bot") } else { ("kari", "User") };
                serde_json::json!({ "user": { "login": login, "type": kind }, "body": body })
            })
            .collect();
        let mut stage = Stage::new(&environment);
        stage.answer("repos/etat/tilgang/commits/c0ffee/pulls", 0, &merged.to_string());
        let comments = serde_json::Value::from(comments).to_string();
        stage.answer("--paginate repos/etat/tilgang/issues/7/comments?per_page=100", 0, &comments);
        let ran = stage.run(&find);
        match expected {
            Ok(digest) => {
                assert_eq!(ran.code, 0, "{name}: {}{}", ran.stdout, ran.stderr);
                assert_eq!(stage.read("output"), format!("digest={digest}\n"), "{name}");
            }
            Err(why) => {
                assert_eq!((ran.code, stage.read("output").as_str()), (1, ""), "{name}");
                assert!(
                    ran.stdout.contains(why) && ran.stdout.contains("by hand"),
                    "{}",
                    ran.stdout
                );
            }
        }
    }
    let mut stage = Stage::new(&environment);
    stage.answer("/pulls", 0, "[]");
    let ran = stage.run(&find);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("No merged pull request"), "{}", ran.stdout);
    // GitHub does not answer: nothing is guessed.
    assert_ne!(Stage::new(&environment).run(&find).code, 0);
    let mut asked = environment;
    asked[3].1 = DIGEST;
    let stage = Stage::new(&asked);
    assert_eq!(stage.run(&find).code, 0);
    assert_eq!(
        (stage.read("output"), stage.read("calls")),
        (format!("digest={DIGEST}\n"), String::new())
    );
}

#[test]
fn gitlab_applies_the_digest_that_was_reviewed() {
    if !has("jq", "finding the digest on GitLab") {
        return;
    }
    let environment = [
        ("CI_API_V4_URL", "https://gitlab.example/api/v4"),
        ("CI_PROJECT_ID", "42"),
        ("CI_COMMIT_SHA", COMMIT),
        ("CI_DEFAULT_BRANCH", "main"),
        ("PORTVAKT_ENV", "test"),
        ("PORTVAKT_GITLAB_TOKEN", "token"),
    ];
    let merged = serde_json::json!([
        { "iid": 6, "state": "merged", "target_branch": "other", "merged_at": "2026-11-03T10:00:00Z" },
        { "iid": 7, "state": "merged", "target_branch": "main", "merged_at": "2026-11-01T10:00:00Z" },
        { "iid": 8, "state": "opened", "target_branch": "main", "merged_at": null },
    ]);
    let apply = script(GITLAB, "portvakt-apply");
    for Comments { name, all: comments, expected } in comments() {
        let notes: Vec<_> = comments
            .iter()
            .map(|(ours, body)| {
                let id = if *ours { 5 } else { 9 };
                serde_json::json!({ "author": { "id": id }, "body": body })
            })
            .collect();
        let mut stage = Stage::new(&environment);
        stage
            .answer("projects/42/repository/commits/c0ffee/merge_requests", 0, &merged.to_string())
            .answer("/api/v4/user", 0, r#"{"id": 5}"#)
            .answer(
                "merge_requests/7/notes?per_page=100&page=1",
                0,
                &serde_json::json!(notes).to_string(),
            )
            .answer("merge_requests/7/notes?per_page=100&page=2", 0, "[]")
            .answer("portvakt apply", 0, "");
        let ran = stage.run(&apply);
        let calls = stage.read("calls");
        match expected {
            Ok(digest) => {
                assert_eq!(ran.code, 0, "{name}: {}{}", ran.stdout, ran.stderr);
                let line = format!("portvakt apply --auto-approve --expect {digest}\n");
                assert!(calls.ends_with(&line), "{name}: {calls}");
            }
            Err(why) => {
                assert_eq!(ran.code, 1, "{name}");
                assert!(ran.stdout.contains(why) && !calls.contains("portvakt apply"), "{name}");
            }
        }
    }
    let by_hand = [("PORTVAKT_EXPECT", DIGEST), ("PORTVAKT_OVERRIDE_GUARDS", "it is so")];
    for (to, applies) in [("test", true), ("prod", false)] {
        let given = [&environment[..], &by_hand, &[("PORTVAKT_APPLY_TO", to)]].concat();
        let mut stage = Stage::new(&given);
        stage.answer("portvakt apply", 4, "");
        assert_eq!(stage.run(&apply).code, if applies { 4 } else { 0 });
        let line =
            format!("portvakt apply --auto-approve --expect {DIGEST} --override-guards it is so\n");
        assert_eq!(stage.read("calls"), if applies { line } else { String::new() });
    }
}

#[test]
fn azure_finds_the_digest_that_was_reviewed() {
    if !has("jq", "finding the digest on Azure DevOps") {
        return;
    }
    let environment = [
        ("SYSTEM_COLLECTIONURI", "https://dev.azure.example/etat/"),
        ("SYSTEM_TEAMPROJECTID", "project"),
        ("SYSTEM_ACCESSTOKEN", "token"),
        ("BUILD_REPOSITORY_ID", "repository"),
        ("BUILD_SOURCEVERSION", COMMIT),
        ("BUILD_SOURCEBRANCH", "refs/heads/main"),
        ("PORTVAKT_ENV", "test"),
        ("ASKED_DIGEST", "reviewed"),
    ];
    let found = serde_json::json!({ "results": [{ COMMIT: [
        { "pullRequestId": 6, "status": "abandoned", "targetRefName": "refs/heads/main" },
        { "pullRequestId": 7, "status": "completed", "targetRefName": "refs/heads/main" },
    ] }] });
    let find = script(AZURE_MERGE, FIND);
    for Comments { name, all: comments, expected } in comments() {
        let comments: Vec<_> = comments
            .iter()
            .map(|(ours, body)| {
                let id = if *ours { "us" } else { "them" };
                serde_json::json!({ "comments": [{ "author": { "id": id }, "content": body }] })
            })
            .collect();
        let threads = serde_json::json!({ "value": comments }).to_string();
        let mut stage = Stage::new(&environment);
        stage
            .answer(
                "repositories/repository/pullrequestquery?api-version=7.1",
                0,
                &found.to_string(),
            )
            .answer(
                "https://dev.azure.example/etat/_apis/connectionData",
                0,
                r#"{"authenticatedUser": {"id": "us"}}"#,
            )
            .answer("pullRequests/7/threads?api-version=7.1", 0, &threads);
        let ran = stage.run(&find);
        match expected {
            Ok(digest) => {
                assert_eq!(ran.code, 0, "{name}: {}{}", ran.stdout, ran.stderr);
                assert!(
                    ran.stdout.ends_with(&format!("isreadonly=true]{digest}\n")),
                    "{}",
                    ran.stdout
                );
                assert!(stage.read("calls").contains(COMMIT));
            }
            Err(why) => {
                assert_eq!(ran.code, 1, "{name}");
                assert!(ran.stdout.contains(why) && !ran.stdout.contains("setvariable"), "{name}");
            }
        }
    }
    for (asked, code) in [(DIGEST, 0), ("sha256:1", 1), ("x\n##vso[task.setvariable]", 1)] {
        let mut given = environment;
        given[7].1 = asked;
        let ran = Stage::new(&given).run(&find);
        assert_eq!(ran.code, code, "{}", ran.stdout);
        assert_eq!(ran.stdout.contains("setvariable"), code == 0);
    }
}

#[test]
fn github_has_one_issue_of_drift() {
    if !has("jq", "the issue of drift on GitHub") {
        return;
    }
    const TITLE: &str = "portvakt: DigDir differs from the repository in test";
    let ours = format!(r#"[{{"number": 3, "title": "{TITLE}"}}]"#);
    let others = format!(r#"[{{"number": 4, "title": "{}"}}]"#, TITLE.replace("test", "prod"));
    let edit = "gh issue edit 3 --body-file issue.md";
    let create = "gh issue create --title";
    let close = "gh issue close 3 --comment";
    for (drifted, open, expected) in [
        ("true", others.as_str(), Some(create)),
        ("true", &ours, Some(edit)),
        ("false", &ours, Some(close)),
        ("false", &others, None),
    ] {
        let mut stage =
            Stage::new(&[("DRIFTED", drifted), ("TITLE", TITLE), ("RUN", "https://run")]);
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
            let body = stage.read("work/issue.md");
            assert!(
                body.len() < 65_536 && body.ends_with("æ\nSeen by https://run\n"),
                "{}",
                body.len()
            );
        }
    }
}

#[test]
fn gitlab_has_one_issue_of_drift() {
    if !has("jq", "the issue of drift on GitLab") {
        return;
    }
    let ours = r#"[{"iid": 3, "title": "portvakt: DigDir differs from the repository in test"}]"#;
    let update = "--request PUT --header PRIVATE-TOKEN: token --data-urlencode description@drift.md https://gitlab.example/projects/42/issues/3";
    let create = "--request POST";
    let close = "--data state_event=close https://gitlab.example/projects/42/issues/3";
    for (code, open, expected) in
        [(2, "[]", Some(create)), (2, ours, Some(update)), (0, ours, Some(close)), (0, "[]", None)]
    {
        let mut stage = Stage::new(&[
            ("CI_API_V4_URL", "https://gitlab.example"),
            ("CI_PROJECT_ID", "42"),
            ("PORTVAKT_ENV", "test"),
            ("PORTVAKT_GITLAB_TOKEN", "token"),
        ]);
        stage.answer("portvakt drift --format markdown", code, "# Drift\n");
        stage.answer("--data state=opened", 0, open);
        stage.answer("curl", 0, "{}");
        let ran = stage.run(&script(GITLAB, "portvakt-drift"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let calls = stage.read("calls");
        for call in [create, update, close] {
            assert_eq!(calls.contains(call), expected == Some(call), "{code} {open}: {calls}");
        }
    }
    let mut stage = Stage::new(&[("PORTVAKT_ENV", "test")]);
    stage.answer("portvakt drift", 1, "");
    assert_eq!(stage.run(&script(GITLAB, "portvakt-drift")).code, 1);
    assert_eq!(stage.read("calls"), "portvakt drift --format markdown\n");
}

#[test]
fn azure_has_one_work_item_of_drift() {
    if !has("jq", "the work item of drift on Azure DevOps") {
        return;
    }
    let create =
        "https://dev.azure.example/etat/project/_apis/wit/workitems/$Issue?api-version=7.1";
    let patch = "https://dev.azure.example/etat/project/_apis/wit/workitems/3?api-version=7.1";
    for (drifted, items, call, data) in [
        ("true", "", Some(create), "<pre>- &lt;x&gt;\\n</pre>"),
        ("true", r#"{"id": 3}"#, Some(patch), "<pre>- &lt;x&gt;\\n</pre>"),
        ("false", r#"{"id": 3}"#, Some(patch), "\"Done\""),
        ("false", "", None, ""),
    ] {
        let mut stage = Stage::new(&[
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.example/etat/"),
            ("SYSTEM_TEAMPROJECTID", "project"),
            ("SYSTEM_ACCESSTOKEN", "token"),
            ("PORTVAKT_ENV", "test"),
            ("DRIFTED", drifted),
            ("WORK_ITEM_TYPE", "Issue"),
            ("CLOSED_STATE", "Done"),
        ]);
        stage.write("drift.txt", "- <x>\n");
        stage.answer("_apis/wit/wiql?", 0, &format!(r#"{{"workItems": [{items}]}}"#));
        stage.answer("curl", 0, "{}");
        let ran = stage.run(&script(AZURE_DRIFT, "Open, update or close the work item"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let calls = stage.read("calls");
        for known in [create, patch] {
            assert_eq!(calls.contains(known), call == Some(known), "{drifted} {items}: {calls}");
        }
        assert!(calls.contains(data), "{calls}");
    }
    for (code, ended) in [(0, Some("false")), (2, Some("true")), (1, None)] {
        let mut stage = Stage::new(&[]);
        stage.answer("portvakt drift --format text", code, "");
        let ran = stage.run(&script(AZURE_DRIFT, "Look for drift"));
        assert_eq!(ran.code, if ended.is_some() { 0 } else { 1 });
        assert_eq!(
            ended.is_some_and(|ended| ran.stdout.ends_with(&format!("]{ended}\n"))),
            ended.is_some()
        );
    }
}

#[test]
fn a_fork_gets_the_snapshot_of_the_main_branch_only() {
    if !has("jq", "fetching the snapshot on GitHub") {
        return;
    }
    let artifact = |run: u64, branch: &str, head: u64, expired: bool, day: u8| {
        serde_json::json!({ "expired": expired, "created_at": format!("2026-11-{day:02}T10:00:00Z"),
            "workflow_run": { "id": run, "head_branch": branch, "repository_id": 1, "head_repository_id": head } })
    };
    let of_a_fork = artifact(1, "main", 2, false, 20);
    let of_a_branch = artifact(2, "feature", 1, false, 21);
    let expired = artifact(3, "main", 1, true, 22);
    for (ours, run) in [
        (vec![artifact(4, "main", 1, false, 10), artifact(5, "main", 1, false, 11)], Some(5)),
        (vec![], None),
    ] {
        let mut all = vec![of_a_fork.clone(), of_a_branch.clone(), expired.clone()];
        all.extend(ours);
        let mut stage = Stage::new(&[
            ("REPOSITORY", "etat/tilgang"),
            ("BRANCH", "main"),
            ("NAME", "portvakt-snapshot-test"),
        ]);
        let listed = serde_json::json!({ "artifacts": all }).to_string();
        stage.answer(
            "repos/etat/tilgang/actions/artifacts?name=portvakt-snapshot-test&",
            0,
            &listed,
        );
        stage.answer("gh run download 5 --repo etat/tilgang --name portvakt-snapshot-test", 0, "");
        let ran = stage.run(&script(PULL_REQUEST, "Fetch the newest snapshot"));
        assert_eq!(ran.code, if run.is_some() { 0 } else { 1 }, "{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.stdout.contains("There is no snapshot yet"), run.is_none());
    }
}

#[test]
fn the_action_plans_applies_and_looks_for_drift() {
    if !has("jq", "the steps of the action") {
        return;
    }
    let action = |stage: &Stage, step: &str| stage.run(&script("action.yml", step));
    for (code, ended, pending) in [(0, 0, "false"), (2, 0, "true"), (3, 3, "")] {
        let mut stage = Stage::new(&[("DIRECTORY", "."), ("SNAPSHOT", "a file.json")]);
        stage.write("plan.json", &format!(r#"{{"digest": "{DIGEST}"}}"#));
        stage.answer("portvakt -C . plan", code, "# Plan\n");
        let ran = action(&stage, "Plan");
        assert_eq!(ran.code, ended, "{}", ran.stderr);
        assert!(stage.read("calls").ends_with("--out plan.json --snapshot a file.json\n"));
        let output = stage.read("output");
        if code == 3 {
            assert_eq!(output, "");
        } else {
            assert_eq!(output, format!("file=plan.json\ndigest={DIGEST}\npending={pending}\n"));
            assert_eq!(stage.read("summary"), "# Plan\n");
        }
    }
    for (code, told) in
        [(0, ""), (4, "Refused"), (5, "Somebody else"), (6, "in part"), (1, "went wrong")]
    {
        let mut stage =
            Stage::new(&[("DIRECTORY", "."), ("EXPECT", DIGEST), ("OVERRIDE_GUARDS", "$(id) why")]);
        stage.answer("portvakt", code, "");
        let ran = action(&stage, "Apply");
        assert_eq!(ran.code, code);
        assert!(ran.stdout.contains(told), "{}", ran.stdout);
        let line = format!(
            "portvakt -C . apply --auto-approve --expect {DIGEST} --override-guards $(id) why\n"
        );
        assert_eq!(stage.read("calls"), line);
    }
    for wrong in ["", "sha256:1", "--override-guards"] {
        let stage = Stage::new(&[("DIRECTORY", "."), ("EXPECT", wrong)]);
        assert_eq!(action(&stage, "Apply").code, 64);
        assert_eq!(stage.read("calls"), "");
    }
    for (code, ended, drifted) in [(0, 0, "false"), (2, 0, "true"), (1, 1, "")] {
        let mut stage = Stage::new(&[("DIRECTORY", ".")]);
        stage.answer("portvakt -C . drift --format markdown", code, "# Drift\n");
        assert_eq!(action(&stage, "Look for drift").code, ended);
        let output = format!("file=drift.md\ndrifted={drifted}\n");
        assert_eq!(stage.read("output"), if code == 1 { String::new() } else { output });
    }
    let mut stage = Stage::new(&[("DIRECTORY", ".")]);
    stage.answer("--format sarif", 3, "{}");
    stage.answer("--format github", 3, "::error::x\n");
    let ran = action(&stage, "Validate");
    assert_eq!((ran.code, ran.stdout.as_str()), (3, "::error::x\n"));
    assert_eq!(stage.read("work/portvakt.sarif"), "{}");
}
