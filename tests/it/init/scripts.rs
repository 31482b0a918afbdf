//! The shell scripts in the CI files, run with substitutes for the host's programs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::templates::{has, script, scripts};
use super::web::Web;
use crate::git::remote::git;
use crate::world::Ran;

const PULL_REQUEST: &str = "templates/github/portvakt-pull-request.yml";
const DRIFT: &str = "templates/github/portvakt-drift.yml";
const GITLAB: &str = "templates/gitlab/portvakt.gitlab-ci.yml";
const AZURE_MERGE: &str = "templates/azure/portvakt-merge.yml";
const AZURE_DRIFT: &str = "templates/azure/portvakt-drift.yml";
const AZURE_INSTALL: &str = "templates/azure/portvakt-install.yml";

/// The step for the work items of drift and of keys.
const WORK_ITEMS: &str = "Open, update or close the work items";

const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
/// A token that must not be on any command line, or be sent to another host.
const TOKEN: &str = "hemmelig-3f1c";

/// Records its arguments, and answers a call whose arguments contain a known text, through `--jq` where
/// requested. It refuses any other call.
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

/// The real curl, with its arguments recorded and plain HTTP in place of HTTPS.
const CURL: &str = r#"#!/usr/bin/env bash
echo "curl $*" >> "$HERE/calls"
PATH=${PATH#"$HERE/bin:"} exec curl "${@//https/http}"
"#;

/// Substitute for cargo: "builds" a program, and records the folder and the environment.
const CARGO: &str = r#"#!/usr/bin/env bash
here=$(dirname "$(dirname "$0")")
{ echo "in $PWD"; env | cut -d = -f 1 | sort | tr '\n' ' '; echo "$*"; } >> "$here/calls"
while [[ $# -gt 0 && $1 != --root ]]; do shift; done
if [[ -n ${2-} ]]; then mkdir -p "$2/bin"; cp "$here/bin/portvakt" "$2/bin/portvakt"; fi
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
        for made in ["bin", "answers", "work", "temp", "out"] {
            fs::create_dir(here.join(made)).unwrap();
        }
        for (program, text) in [
            ("gh", STAND_IN),
            ("portvakt", STAND_IN),
            ("curl", CURL),
            ("cargo", CARGO),
            ("rustup", CARGO),
        ] {
            executable(&here.join("bin").join(program), text);
        }
        for file in ["calls", "output", "summary"] {
            fs::write(here.join(file), "").unwrap();
        }
        let path = format!("{}:{}", here.join("bin").display(), std::env::var("PATH").unwrap());
        let own = [
            ("PATH", path.as_str()),
            ("HERE", here.to_str().unwrap()),
            ("RUNNER_TEMP", here.join("temp").to_str().unwrap()),
            ("OUT", here.join("out").to_str().unwrap()),
            ("TMPDIR", here.join("temp").to_str().unwrap()),
            ("GITHUB_WORKSPACE", here.join("work").to_str().unwrap()),
            ("GITHUB_OUTPUT", here.join("output").to_str().unwrap()),
            ("GITHUB_STEP_SUMMARY", here.join("summary").to_str().unwrap()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let declared = environment.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let environment = own.into_iter().chain(declared).collect();
        Self { folder, answers: 0, environment }
    }

    /// Sets the answer to a call that contains this text.
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
        let path = self.folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Checks that no call has the token on its command line.
    fn keeps_the_token(&self) {
        let calls = self.read("calls");
        assert!(!calls.contains(TOKEN), "{calls}");
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

fn executable(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

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
    let line = format!("portvakt -C . apply --auto-approve --expect {DIGEST} {report}\n");
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
            "portvakt -C . apply --auto-approve --expect {DIGEST} --report {report}{more}\n"
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

/// A program, settings of cargo and of rustup, and files that a shell or git would run: everything that a
/// pull request can add to be run in place of the program, or by its build.
fn with_traps(stage: &Stage) {
    let work = stage.folder.path().join("work");
    git(&work, &["init", "--quiet", "-b", "main"]);
    const TRAP: &str = "#!/bin/sh\necho trapped >> \"$HERE/calls\"\n";
    for file in [
        ".portvakt/bin/portvakt",
        "portvakt",
        "bin/portvakt",
        "cargo",
        "git",
        "hooks/post-checkout",
        ".bashrc",
        ".profile",
    ] {
        executable(&work.join(file), TRAP);
    }
    stage.write("work/.cargo/config.toml", "[build]\nrustc-wrapper = \"./cargo\"\n");
    stage.write("work/rust-toolchain.toml", "[toolchain]\npath = \".\"\n");
    git(&work, &["add", "-A"]);
    git(&work, &["commit", "--quiet", "-m", "Traps"]);
}

#[test]
fn the_program_is_built_and_run_outside_of_the_checkout() {
    let hostile = [("RUSTC_WRAPPER", "./cargo"), ("CARGO_HOME", "/cargo"), ("PORTVAKT_KEY", TOKEN)];
    for (file, step, builds) in
        [("action.yml", "Look for portvakt", false), ("action.yml", "Build portvakt", true)]
    {
        let root = TempDir::new().unwrap();
        let root = root.path().to_str().unwrap();
        let mut stage = Stage::new(
            &[
                &hostile[..],
                &[("ROOT", root), ("HOME", "/nonexistent"), ("SOURCE", "https://x"), ("TAG", "v1")],
            ]
            .concat(),
        );
        with_traps(&stage);
        if step == "Build portvakt" {
            // As with `working-directory`.
            let work = stage.folder.path().join("work");
            fs::rename(&work, stage.folder.path().join("checkout")).unwrap();
            fs::create_dir(&work).unwrap();
        }
        stage.answer("portvakt", 0, "");
        let ran = stage.run(&script(file, step));
        assert_eq!(ran.code, 0, "{file} {step}: {}{}", ran.stdout, ran.stderr);
        let calls = stage.read("calls");
        assert!(!calls.contains("trapped"), "{file} {step}: {calls}");
        assert_eq!(calls.contains("install --locked"), builds, "{file} {step}: {calls}");
        for name in ["RUSTC_WRAPPER", "PORTVAKT_KEY"] {
            assert!(!calls.contains(name), "{file} {step}: {calls}");
        }
        if builds {
            assert!(calls.contains("CARGO_HOME"), "{file} {step}: {calls}");
        }
    }
}

#[test]
fn a_program_of_the_checkout_is_never_run() {
    // GitHub: even where somebody has put it on the PATH.
    let stage = Stage::new(&[]);
    with_traps(&stage);
    let looks = script("action.yml", "Look for portvakt");
    for path in ["$GITHUB_WORKSPACE/bin", "bin"] {
        let ran = stage.run(&format!("PATH=\"{path}:$PATH\"\n{looks}"));
        assert_eq!((ran.code, stage.read("calls").as_str()), (1, ""), "{path}: {}", ran.stdout);
    }
    // GitLab: no committed file is in the place of what a job leaves.
    let before = script(GITLAB, ".portvakt-job") + "\nportvakt plan";
    for committed in [None, Some("portvakt-out/test/digest")] {
        let mut stage = Stage::new(&[("PORTVAKT_ENV", "test")]);
        with_traps(&stage);
        let work = stage.folder.path().join("work");
        if let Some(file) = committed {
            stage.write(&format!("work/{file}"), DIGEST);
            git(&work, &["add", "-A"]);
            git(&work, &["commit", "--quiet", "-m", "Trap"]);
        }
        stage.answer("portvakt plan", 0, "");
        let ran = stage.run(&before);
        let expected = if committed.is_none() { (0, "portvakt plan\n") } else { (1, "") };
        let calls = stage.read("calls");
        assert_eq!((ran.code, calls.as_str()), expected, "{committed:?}: {}", ran.stderr);
    }
    // Where the commit cannot be read, nothing runs either.
    let stage = Stage::new(&[("PORTVAKT_ENV", "test"), ("GIT_CEILING_DIRECTORIES", "/")]);
    assert_ne!(stage.run(&before).code, 0);
    assert_eq!(stage.read("calls"), "");
}

#[test]
fn the_token_of_a_fork_goes_to_gitlab_alone() {
    if !has("curl", "fetching the snapshot on GitLab") {
        return;
    }
    const RAW: &str = "/api/v4/projects/42/jobs/artifacts/main/raw/portvakt-out/test/snapshot.json";
    let asked = format!("GET {RAW}?job=portvakt-snapshot%3a+%5btest%5d");
    let plain = |web: &Web| web.address.replace("https", "http");
    for status in [200, 301, 302, 303, 307, 308] {
        let storage = Web::start(vec![("GET /stored", 200, None, "{}".to_owned())]);
        let to = (status != 200).then(|| format!("{}/stored", plain(&storage)));
        // Without the token the project is not found.
        let gitlab = Web::start(vec![(RAW, status, to, "{}".to_owned())]);
        let hidden = Web::start(vec![]);
        for (host, reads) in [(&gitlab, true), (&hidden, false)] {
            let mut stage = Stage::new(&[
                ("CI_API_V4_URL", &format!("{}/api/v4", host.address)),
                ("CI_MERGE_REQUEST_PROJECT_ID", "42"),
                ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
                ("PORTVAKT_ENV", "test"),
                ("CI_JOB_TOKEN", TOKEN),
            ]);
            stage.answer("portvakt -C . plan --snapshot", 0, "");
            let ran = stage.run(&script(GITLAB, "portvakt-plan-of-a-fork"));
            assert_eq!(ran.code, i32::from(!reads), "{status}: {}{}", ran.stdout, ran.stderr);
            stage.keeps_the_token();
        }
        assert_eq!(gitlab.lines(), [asked.as_str()]);
        assert!(gitlab.requests().iter().all(|asked| !asked.headers.contains_key("job-token")));
        let hidden = hidden.requests();
        assert_eq!(hidden.len(), 2);
        assert_eq!(hidden[1].headers["job-token"], TOKEN);
        assert_eq!(hidden[1].line, asked);
        assert!(storage.requests().iter().all(|asked| !asked.headers.contains_key("job-token")));
        // Only the token gives access, and then there is a redirect.
        let stage = redirected_with_token(&storage, status);
        stage.keeps_the_token();
        assert!(storage.requests().iter().all(|asked| !asked.headers.contains_key("job-token")));
    }
}

/// A host that answers only with a token, and then redirects.
fn redirected_with_token(storage: &Web, status: u16) -> Stage {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}/api/v4", listener.local_addr().unwrap());
    let to = format!("{}/stored", storage.address.replace("https", "http"));
    let served = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut text = vec![0; 8192];
            let length = stream.read(&mut text).unwrap();
            let has_token = String::from_utf8_lossy(&text[..length]).contains(TOKEN);
            let answer = match (has_token, status) {
                (false, _) => {
                    "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                        .to_owned()
                }
                (true, 200) => {
                    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}".to_owned()
                }
                (true, status) => format!(
                    "HTTP/1.1 {status} Elsewhere\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                ),
            };
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let mut stage = Stage::new(&[
        ("CI_API_V4_URL", &address),
        ("CI_MERGE_REQUEST_PROJECT_ID", "42"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ("PORTVAKT_ENV", "test"),
        ("CI_JOB_TOKEN", TOKEN),
    ]);
    stage.answer("portvakt -C . plan --snapshot", 0, "");
    let ran = stage.run(&script(GITLAB, "portvakt-plan-of-a-fork"));
    assert_eq!(ran.code, 0, "{status}: {}{}", ran.stdout, ran.stderr);
    served.join().unwrap();
    stage
}

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
        stage.answer(
            "gh run download 5 --repo etat/tilgang --name portvakt-snapshot-test --dir",
            0,
            "",
        );
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
        // The file to save exists already, as the substitute saves none.
        executable(&stage.folder.path().join("bin/mktemp"), "#!/bin/sh\necho \"$OUT\"\n");
        stage.write("out/plan.json", &format!(r#"{{"digest": "{DIGEST}"}}"#));
        stage.answer("portvakt -C . plan", code, "# Plan\n");
        let ran = action(&stage, "Plan");
        assert_eq!(ran.code, ended, "{}", ran.stderr);
        assert!(stage.read("calls").ends_with("/out/plan.json --snapshot a file.json\n"));
        let output = stage.read("output");
        if code == 3 {
            assert_eq!(output, "");
        } else {
            let file = stage.folder.path().join("out/plan.json");
            let message = format!("digest={DIGEST}\npending={pending}\n");
            assert_eq!(output, format!("file={}\n{message}", file.display()));
            assert_eq!(stage.read("summary"), "# Plan\n");
        }
    }
    for (code, message) in
        [(0, ""), (4, "Refused"), (5, "Somebody else"), (6, "in part"), (1, "went wrong")]
    {
        let mut stage =
            Stage::new(&[("DIRECTORY", "."), ("EXPECT", DIGEST), ("OVERRIDE_GUARDS", "$(id) why")]);
        stage.answer("portvakt", code, "");
        executable(&stage.folder.path().join("bin/mktemp"), "#!/bin/sh\necho \"$OUT\"\n");
        let ran = action(&stage, "Apply");
        assert_eq!(ran.code, code);
        assert!(ran.stdout.contains(message), "{}", ran.stdout);
        let report = stage.folder.path().join("out/report.json");
        let report = report.display();
        let line = format!(
            "portvakt -C . apply --report {report} --auto-approve --expect {DIGEST} --override-guards \
             $(id) why\n"
        );
        assert_eq!((stage.read("calls"), stage.read("output").as_str()), (line, ""));
        // The result is in the summary, whatever it is.
        stage.write("out/report.json", "{}");
        stage.write("calls", "");
        stage.answers = 0;
        stage.answer("portvakt show --format markdown", 0, "## portvakt: applied\n");
        stage.answer("portvakt", code, "");
        assert_eq!(action(&stage, "Apply").code, code);
        assert_eq!(stage.read("summary"), "## portvakt: applied\n");
        assert_eq!(stage.read("output"), format!("file={report}\n"));
    }
    // Without a digest nothing is approved, and the message says what to run.
    for (code, message) in [(0, ""), (4, "apply it with its digest")] {
        let mut stage = Stage::new(&[("DIRECTORY", "."), ("EXPECT", "")]);
        stage.answer("portvakt", code, "");
        let ran = action(&stage, "Apply");
        assert_eq!(ran.code, code);
        assert!(ran.stdout.contains(message), "{}", ran.stdout);
        assert!(!stage.read("calls").contains("--auto-approve"));
    }
    let mut stage = Stage::new(&[("DIRECTORY", "."), ("DUE", "true")]);
    stage.answer("portvakt", 0, "");
    assert_eq!(action(&stage, "Apply").code, 0);
    assert!(stage.read("calls").ends_with(" --auto-approve --due\n"), "{}", stage.read("calls"));
    for (code, output) in [(0, ""), (4, "due=true\n")] {
        let mut stage = Stage::new(&[("DIRECTORY", "."), ("DUE", "look")]);
        stage.answer("portvakt", code, "");
        assert_eq!(action(&stage, "Apply").code, 0);
        assert_eq!(stage.read("output"), output);
        assert!(!stage.read("calls").contains("--auto-approve"));
    }
    for wrong in ["sha256:1", "--override-guards"] {
        let stage = Stage::new(&[("DIRECTORY", "."), ("EXPECT", wrong)]);
        assert_eq!(action(&stage, "Apply").code, 64);
        assert_eq!(stage.read("calls"), "");
    }
    for (code, ended, drifted) in [(0, 0, "false"), (2, 0, "true"), (1, 1, "")] {
        let mut stage = Stage::new(&[("DIRECTORY", ".")]);
        stage.answer("portvakt -C . drift --format markdown", code, "# Drift\n");
        assert_eq!(action(&stage, "Look for drift").code, ended);
        let output = stage.read("output");
        match code {
            1 => assert_eq!(output, ""),
            _ => assert!(output.ends_with(&format!("/drift.md\ndrifted={drifted}\n")), "{output}"),
        }
    }
    for (code, ended, expiring) in [(0, 0, "false"), (2, 0, "true"), (1, 1, "")] {
        let mut stage = Stage::new(&[("DIRECTORY", "."), ("EXPIRING", "30d")]);
        stage.answer("portvakt -C . keys list --expiring 30d", code, "<b>\n");
        assert_eq!(action(&stage, "Look for keys that expire").code, ended);
        let output = stage.read("output");
        match code {
            1 => assert_eq!(output, ""),
            _ => assert!(output.ends_with(&format!("/keys.md\nexpiring={expiring}\n")), "{output}"),
        }
        if code == 2 {
            assert!(stage.read("summary").ends_with("\n\n    <b>\n"));
        }
    }
    let mut stage = Stage::new(&[("DIRECTORY", ".")]);
    stage.answer("--format sarif", 3, "{}");
    stage.answer("--format markdown", 3, "| table |\n");
    stage.answer("--format github", 3, "::error::x\n");
    let ran = action(&stage, "Validate");
    assert_eq!(stage.read("summary"), "| table |\n");
    assert_eq!((ran.code, ran.stdout.as_str()), (3, "::error::x\n"));
    let file = stage.read("output");
    let file = file.trim().strip_prefix("file=").unwrap();
    assert_eq!(fs::read_to_string(file).unwrap(), "{}");
    // Nothing is written through a file in the checkout, or into the checkout.
    assert_eq!(fs::read_dir(stage.folder.path().join("work")).unwrap().count(), 0);
}

/// Unpacks a program of this name in the place of an archive.
const TAR: &str = "#!/bin/sh\nmkdir -p \"$4/portvakt-0.1.0\"\n\
    cp \"$HERE/bin/portvakt\" \"$4/portvakt-0.1.0/portvakt\"\n";
/// Fetches a release from anywhere: an archive that is text, and the checksums in `SUMS`.
const RELEASE: &str = "#!/bin/sh\necho \"curl $*\" >> \"$HERE/calls\"\nwhile [ \"$1\" != --output ]; do shift; done\n\
    case $3 in */SHA256SUMS) echo \"$SUMS\" > \"$2\" ;; *) echo archive > \"$2\" ;; esac\n";
/// The checksum of that archive.
const CHECKSUM: &str = "371e16ce98051a3ea7af3eaef8b87d69033154fb5bb33da349d611f0fae061d6";

#[test]
fn the_action_installs_only_a_release_that_is_proven() {
    const ARCHIVE: &str = "portvakt-x86_64-unknown-linux-musl.tar.gz";
    let (github, mirror) = ("https://github.com", "https://mirror.example/portvakt/");
    let listed = |checksum: &str| format!("{checksum}  {ARCHIVE}");
    let other = listed(&"1".repeat(64));
    let unlisted = format!("{CHECKSUM}  other-{ARCHIVE}");
    for (sums, mirror, server, attested, installed) in [
        (&listed(CHECKSUM), "", github, Some(0), true),
        (&listed(CHECKSUM), "", github, Some(1), false),
        (&listed(CHECKSUM), "", "https://ghes.example", None, true),
        (&listed(CHECKSUM), mirror, github, None, true),
        (&other, mirror, github, None, false),
        (&unlisted, "", github, None, false),
    ] {
        let mut stage = Stage::new(&[
            ("VERSION", "0.1.0"),
            ("ARCHIVE", ARCHIVE),
            ("MIRROR", mirror),
            ("REPOSITORY", "etat/portvakt"),
            ("SERVER", server),
            ("GH_TOKEN", TOKEN),
            ("SUMS", sums),
        ]);
        executable(&stage.folder.path().join("bin/tar"), TAR);
        executable(&stage.folder.path().join("bin/curl"), RELEASE);
        if let Some(code) = attested {
            stage.answer("gh attestation verify", code, "");
        }
        let ran = stage.run(&script("action.yml", "Fetch the release"));
        assert_eq!(ran.code, i32::from(!installed), "{sums}: {}{}", ran.stdout, ran.stderr);
        let program = stage.folder.path().join("temp/portvakt/bin/portvakt");
        assert_eq!(program.exists(), installed);
        let calls = stage.read("calls");
        let from = match mirror {
            "" => "https://github.com/etat/portvakt/releases/download/v0.1.0/",
            mirror => mirror,
        };
        assert!(calls.contains(&format!(" {from}{ARCHIVE}\n")), "{calls}");
        assert_eq!(calls.contains("gh attestation verify"), attested.is_some(), "{calls}");
        if attested.is_some() {
            let proof = "--repo etat/portvakt --signer-workflow \
                         etat/portvakt/.github/workflows/release.yml --source-ref refs/tags/v0.1.0";
            assert!(calls.contains(proof), "{calls}");
        }
        stage.keeps_the_token();
    }
    // Without a mirror and without a repository there is nowhere to fetch it from.
    let stage = Stage::new(&[("VERSION", "0.1.0"), ("ARCHIVE", ARCHIVE), ("REPOSITORY", "")]);
    let ran = stage.run(&script("action.yml", "Fetch the release"));
    assert_eq!((ran.code, stage.read("calls").as_str()), (1, ""), "{}", ran.stdout);
    assert!(ran.stdout.contains("'build: true'"), "{}", ran.stdout);
}

#[test]
fn azure_installs_only_what_has_its_checksum() {
    let archive = format!("portvakt-{}-unknown-linux-musl.tar.gz", std::env::consts::ARCH);
    for (checksum, code) in [(CHECKSUM.to_owned(), 0), ("1".repeat(64), 1)] {
        let stage = Stage::new(&[("RELEASE", "https://mirror.example")]);
        let root = stage.folder.path().join("root");
        // As curl does with --remote-name-all.
        let fetch = format!(
            "#!/bin/sh\necho archive > {archive}\necho '{checksum}  {archive}' > SHA256SUMS\n"
        );
        executable(&stage.folder.path().join("bin/curl"), &fetch);
        executable(&stage.folder.path().join("bin/tar"), "#!/bin/sh\necho unpacked > unpacked\n");
        let install = script(AZURE_INSTALL, "Install portvakt");
        let ran = stage.run(&format!("ROOT={}\n{install}", root.display()));
        assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
        assert_eq!(root.join("unpacked").exists(), code == 0);
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

#[test]
fn only_a_change_of_the_folder_concerns_portvakt() {
    let stage = Stage::new(&[]);
    let work = stage.folder.path().join("work");
    git(&work, &["init", "--quiet", "-b", "main"]);
    let commit = |file: &str, text: &str| {
        stage.write(&format!("work/{file}"), text);
        git(&work, &["add", "-A"]);
        git(&work, &["commit", "--quiet", "-m", file]);
    };
    commit("tilgang/a.yaml", "a: 1\n");
    let look = script(PULL_REQUEST, "Look for changes of the declarations");
    let concerned = |event: &str, folder: &str, base: &str| {
        stage.write("output", "");
        let ran = stage.run(&format!("EVENT={event} FOLDER={folder} QUEUED_ON={base}\n{look}"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        stage.read("output")
    };
    commit("kode/b.rs", "b\n");
    for (event, folder, expected) in [
        ("pull_request", "tilgang", false),
        ("pull_request", ".", true),
        ("workflow_dispatch", "tilgang", true),
    ] {
        let shown = format!("concerned={expected}\n");
        assert_eq!(concerned(event, folder, ""), shown, "{event} {folder}");
    }
    commit("LESMEG.MD", "c\n");
    assert_eq!(concerned("pull_request", ".", ""), "concerned=false\n");
    // A queue has several commits; one that cannot be compared counts.
    assert_eq!(concerned("merge_group", "tilgang", "HEAD~2"), "concerned=false\n");
    assert_eq!(concerned("merge_group", "kode", "HEAD~2"), "concerned=true\n");
    assert_eq!(concerned("merge_group", "tilgang", "4f2a4f2a"), "concerned=true\n");
    commit("tilgang/a.yaml", "a: 2\n");
    assert_eq!(concerned("pull_request", "tilgang", ""), "concerned=true\n");
}
