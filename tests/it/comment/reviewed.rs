//! Whether a plan counts as reviewed, by the host's data about the pull request and the comment on it; and
//! the steps of the CI files that depend on it.

use std::path::Path;
use std::process::Command;

use portvakt::forge::Forge;

use super::server::{CommentAuthor, Past, Related, Server};
use super::{AzureDevOps, GitHub, GitLab};
use crate::git::remote::{Clone, Remote, identified, ran};
use crate::init::templates::script;
use crate::programs::has;
use crate::world::{RUNTIME, Ran};

pub(super) const MERGED: &str = "2026-11-22T12:00:00Z";
/// Before any decision.
pub(super) const EARLY: &str = "2026-11-22T10:00:00Z";
/// Between an approval and the merge.
const BETWEEN: &str = "2026-11-22T11:30:00Z";
pub(super) const APPROVED: &str = "2026-11-22T11:00:00Z";

fn servers() -> [(&'static str, Server); 3] {
    [
        ("--github", RUNTIME.block_on(Server::start(GitHub::new()))),
        ("--gitlab", RUNTIME.block_on(Server::start(GitLab::new()))),
        ("--azure-devops", RUNTIME.block_on(Server::start(AzureDevOps::new()))),
    ]
}

/// The variables of a job on the main branch.
pub(super) fn on_main(server: &Server) -> Vec<(&'static str, String)> {
    let of_a_pull_request = ["GITHUB_REF", "SYSTEM_PULLREQUEST_PULLREQUESTID", "CI_PROJECT_ID"];
    let mut environment = server.environment();
    environment.retain(|(name, _)| {
        !of_a_pull_request.contains(name) && !name.starts_with("CI_MERGE_REQUEST")
    });
    environment.extend(
        [
            ("GITHUB_REF", "refs/heads/main"),
            ("CI_PROJECT_ID", "42"),
            ("CI_COMMIT_BRANCH", "main"),
            ("BUILD_SOURCEBRANCH", "refs/heads/main"),
        ]
        .map(|(name, value)| (name, value.to_owned())),
    );
    environment
}

/// The person who approves, and the words of each host.
pub(super) fn verdict(forge: Forge, approves: bool) -> (&'static str, &'static str) {
    match (forge, approves) {
        (Forge::GitHub, true) => ("kari", "APPROVED"),
        (Forge::GitHub, false) => ("kari", "DISMISSED"),
        (Forge::GitLab, true) => ("7", "approved this merge request"),
        (Forge::GitLab, false) => ("7", "unapproved this merge request"),
        (Forge::AzureDevOps, true) => ("00000000-2af8-44f4-9451-8107cb2767db", "10"),
        (Forge::AzureDevOps, false) => ("00000000-2af8-44f4-9451-8107cb2767db", "-5"),
    }
}

fn reviewed(clone: &Clone<'_>, server: &Server, host: &str) -> Ran {
    let mut command = clone.process(&["reviewed", host, "--plan", "plan.json"]);
    ran(command.envs(on_main(server)).output().unwrap())
}

/// A clone with a plan for its last commit, and the plan's digest.
fn planned(clone: &Clone<'_>) -> String {
    clone.ends(0, &["plan", "--out", "plan.json"]);
    let plan: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(clone.path.join("plan.json")).unwrap())
            .unwrap();
    plan["digest"].as_str().unwrap().to_owned()
}

/// A deviation from the normal course, and the message about it; no message where the plan counts as
/// reviewed.
type Case = (&'static str, fn(&Server, &mut Past), Option<&'static str>);

const CASES: &[Case] = &[
    ("as it should be", |_, _| {}, None),
    (
        "somebody else writes a comment with another plan",
        |server, _| {
            server.edit(|api| api.add(CommentAuthor::Stranger, &forged(api.comments())));
        },
        None,
    ),
    (
        "another bot does",
        |server, _| {
            server.edit(|api| api.add(CommentAuthor::OtherBot, &forged(api.comments())));
        },
        None,
    ),
    (
        "an approval that was taken back is older than the comment",
        |server, past| {
            let (who, verdict) = verdict(server.forge(), false);
            past.verdicts = vec![(who, verdict, "2026-11-22T09:00:00Z")];
        },
        None,
    ),
    (
        "false text with the true digest",
        |server, _| {
            server
                .edit(|api| api.forge_text(&|text| text.replace("etat:hemmelig", "etat:harmlos")));
        },
        Some("does not show this plan"),
    ),
    (
        "a line less",
        |server, _| {
            server.edit(|api| api.forge_text(&|text| text.replacen("| create |", "| update |", 1)));
        },
        Some("does not show this plan"),
    ),
    (
        "the account writes a second comment",
        |server, _| {
            server.edit(|api| {
                let text = forged(api.comments());
                api.add(CommentAuthor::Us, &text);
            });
        },
        Some("more than one comment"),
    ),
    (
        "only somebody else wrote the plan",
        |server, _| {
            server.edit(|api| {
                let text = api.comments()[0].1.clone();
                api.forge_text(&|_| "deleted".to_owned());
                api.add(CommentAuthor::Stranger, &text);
            });
        },
        Some("no comment with a plan"),
    ),
    ("changed after an approval", |_, past| past.changed = BETWEEN, Some("was approved at")),
    ("changed as it was approved", |_, past| past.changed = APPROVED, Some("was approved at")),
    (
        "changed after the merge",
        |_, past| {
            past.changed = "2026-11-22T12:00:01Z";
            past.verdicts.clear();
        },
        Some("was merged at"),
    ),
    (
        "nobody approved, and it was there before the merge",
        |_, past| {
            past.changed = BETWEEN;
            past.verdicts.clear();
        },
        None,
    ),
    ("another base", |_, past| past.related[0].base = "feature", Some("no pull request into main")),
    ("closed without a merge", |_, past| past.related[0].merged = None, Some("no pull request")),
    ("none", |_, past| past.related.clear(), Some("no pull request into main")),
    (
        "merged as another commit",
        |_, past| {
            past.related[0].commit = "b".repeat(40);
        },
        Some("no pull request into main"),
    ),
    (
        "two merged as one commit",
        |_, past| {
            let another = Related { number: 8, ..past.related[0].clone() };
            past.related.push(another);
        },
        Some("several pull requests"),
    ),
];

fn forged(comments: Vec<(CommentAuthor, String)>) -> String {
    comments[0].1.replace("etat:hemmelig", "etat:harmlos")
}

#[test]
fn a_plan_counts_as_reviewed_where_the_merged_pull_request_showed_it() {
    let remote = Remote::new();
    let clone = remote.first();
    let commit = clone.declare("scopes: [{ name: etat:hemmelig, description: Les }]\n");
    let digest = planned(&clone);
    for (case, change, doubt) in CASES {
        for (host, server) in servers() {
            let mut posted = clone.process(&["comment", host, "--plan", "plan.json"]);
            let posted = ran(posted.envs(server.environment()).output().unwrap());
            assert_eq!(posted.code, 0, "{}", posted.stderr);
            let (who, verdict) = verdict(server.forge(), true);
            let related =
                Related { number: 7, commit: commit.clone(), base: "main", merged: Some(MERGED) };
            let mut past = Past {
                related: vec![related],
                changed: EARLY,
                verdicts: vec![(who, verdict, APPROVED)],
                queued: None,
            };
            change(&server, &mut past);
            server.edit(|api| api.end(past));
            let ran = reviewed(&clone, &server, host);
            let message = format!("{case} {host}: {}{}", ran.stdout, ran.stderr);
            match doubt {
                None => {
                    assert_eq!((ran.code, ran.stdout), (0, format!("{digest}\n")), "{message}");
                    assert!(ran.stderr.contains("pull request 7 has shown this plan"), "{message}");
                }
                Some(doubt) => {
                    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{message}");
                    assert!(
                        ran.stderr.contains(doubt) && ran.stderr.contains(&digest),
                        "{message}"
                    );
                }
            }
        }
    }
}

/// A comment is found under the name under which it was posted, whatever the name.
#[test]
fn an_environment_of_any_name_has_a_comment_that_is_found() {
    let remote = Remote::new();
    let clone = remote.first();
    let settings = std::fs::read_to_string(clone.path.join("portvakt.yaml")).unwrap();
    for name in ["a-b", "a-b-c_", "T_1"] {
        clone.write("portvakt.yaml", &settings.replace("  test:\n", &format!("  {name}:\n")));
        let commit = clone.declare("scopes: [{ name: etat:a, description: Les }]\n");
        let digest = planned(&clone);
        for (host, server) in servers() {
            let mut posted = clone.process(&["comment", host, "--plan", "plan.json"]);
            assert_eq!(ran(posted.envs(server.environment()).output().unwrap()).code, 0);
            let commit = commit.clone();
            let related = vec![Related { number: 7, commit, base: "main", merged: Some(MERGED) }];
            server.edit(|api| api.end(Past { related, changed: EARLY, ..Past::default() }));
            let ran = reviewed(&clone, &server, host);
            assert_eq!((ran.code, ran.stdout), (0, format!("{digest}\n")), "{}", ran.stderr);
        }
    }
}

/// The pull request that was merged as a commit.
fn merged(commit: &str) -> Past {
    let related =
        Related { number: 7, commit: commit.to_owned(), base: "main", merged: Some(MERGED) };
    Past { related: vec![related], changed: EARLY, ..Past::default() }
}

fn post(clone: &Clone<'_>, server: &Server, host: &str) {
    let mut posted = clone.process(&["comment", host, "--plan", "plan.json"]);
    let posted = ran(posted.envs(server.environment()).output().unwrap());
    assert_eq!(posted.code, 0, "{}", posted.stderr);
}

#[test]
fn a_merge_queue_decides_when_the_pull_request_is_put_into_it() {
    let remote = Remote::new();
    let clone = remote.first();
    let commit = clone.declare("scopes: [{ name: etat:a, description: Les }]\n");
    planned(&clone);
    for (host, server) in servers().into_iter().take(2) {
        post(&clone, &server, host);
        for (changed, code) in [(BETWEEN, 4), (EARLY, 0)] {
            let past = Past { changed, queued: Some("2026-11-22T11:15:00Z"), ..merged(&commit) };
            server.edit(|api| api.end(past));
            let ran = reviewed(&clone, &server, host);
            assert_eq!(ran.code, code, "{host}: {}", ran.stderr);
            let says = ran.stderr.contains("was put into the merge queue at 2026-11-22T11:15:00Z");
            assert_eq!(says, code == 4, "{host}: {}", ran.stderr);
        }
    }
}

#[test]
fn the_ledger_names_the_pull_request_and_its_approvers() {
    for index in 0..3 {
        let remote = Remote::new();
        let clone = remote.first();
        let commit = clone.declare("scopes: [{ name: etat:a, description: Les }]\n");
        let digest = planned(&clone);
        let (host, server) = servers().into_iter().nth(index).unwrap();
        post(&clone, &server, host);
        let (who, verdict) = verdict(server.forge(), true);
        let past = Past { verdicts: vec![(who, verdict, APPROVED)], ..merged(&commit) };
        server.edit(|api| api.end(past));
        let out = remote.beside("reviewed.json").to_string_lossy().into_owned();
        let mut command = clone.process(&["reviewed", host, "--plan", "plan.json", "--out", &out]);
        let checked = ran(command.envs(on_main(&server)).output().unwrap());
        assert_eq!(
            (checked.code, checked.stdout),
            (0, format!("{digest}\n")),
            "{}",
            checked.stderr
        );
        std::fs::remove_file(clone.path.join("plan.json")).unwrap();
        // Of another plan it says nothing.
        clone.declare("scopes: [{ name: etat:b, description: Les }]\n");
        let other = clone.ends(4, &["apply", "--auto-approve", "--review", &out]);
        assert!(
            other.stderr.contains("the review is of a plan with the digest"),
            "{}",
            other.stderr
        );
        clone.git(&["revert", "--no-edit", "HEAD"]);
        clone.git(&["push", "--quiet", "origin", "HEAD:main"]);
        let apply = ["apply", "--auto-approve", "--expect", &digest];
        let mut command = clone.process(&apply);
        let applied = ran(command.env("PORTVAKT_REVIEW", &out).output().unwrap());
        assert_eq!(applied.code, 0, "{}{}", applied.stdout, applied.stderr);
        let review = &clone.history()[0]["review"];
        assert_eq!((&review["number"], &review["author"]), (&7.into(), &"eva".into()), "{host}");
        assert_eq!(review["approvers"], serde_json::json!(["kari"]), "{host}");
        let shown = clone.ends(0, &["history"]).stdout;
        let line = "  seen in pull request 7 by eva, approved by kari, at http";
        assert!(shown.contains(line), "{host}: {shown}");
    }
}

#[test]
fn who_approves_after_the_decision_to_merge_is_no_approver() {
    let remote = Remote::new();
    let clone = remote.first();
    let commit = clone.declare("scopes: [{ name: etat:a, description: Les }]\n");
    planned(&clone);
    let queued = Some("2026-11-22T11:15:00Z");
    let cases = [
        (APPROVED, None, true),
        (BETWEEN, None, true),
        ("2026-11-22T12:00:01Z", None, false),
        (APPROVED, queued, true),
        (BETWEEN, queued, false),
    ];
    for (host, server) in servers() {
        post(&clone, &server, host);
        for (at, queued, counts) in cases {
            // Azure DevOps has no merge queue.
            if queued.is_some() && server.forge() == Forge::AzureDevOps {
                continue;
            }
            let (who, verdict) = verdict(server.forge(), true);
            let past = Past { verdicts: vec![(who, verdict, at)], queued, ..merged(&commit) };
            server.edit(|api| api.end(past));
            let out = remote.beside("reviewed.json");
            let to = ["--out", out.to_str().unwrap()];
            let args = [&["reviewed", host, "--plan", "plan.json"], &to[..]].concat();
            let ran = ran(clone.process(&args).envs(on_main(&server)).output().unwrap());
            assert_eq!(ran.code, 0, "{host}: {}", ran.stderr);
            let text = std::fs::read_to_string(&out).unwrap();
            let plan: serde_json::Value = serde_json::from_str(&text).unwrap();
            let expected = counts.then(|| serde_json::json!(["kari"]));
            assert_eq!(
                plan["review"].get("approvers"),
                expected.as_ref(),
                "{host} {at} {queued:?}"
            );
        }
    }
}

/// The variables of a job in a merge queue of GitHub or a merge train of GitLab.
fn in_a_queue(server: &Server, event: &Path) -> Vec<(&'static str, String)> {
    let mut environment = server.environment();
    environment.retain(|(name, _)| *name != "GITHUB_REF");
    let queued = "refs/heads/gh-readonly-queue/main/pr-7-4f2a".to_owned();
    let text = serde_json::json!({ "merge_group": { "head_ref": queued } }).to_string();
    std::fs::write(event, text).unwrap();
    environment.extend([
        ("GITHUB_REF", queued),
        ("GITHUB_EVENT_PATH", event.to_string_lossy().into_owned()),
        ("CI_MERGE_REQUEST_EVENT_TYPE", "merge_train".to_owned()),
    ]);
    environment
}

#[test]
fn a_queue_goes_on_only_with_the_plan_that_the_pull_request_shows() {
    let remote = Remote::new();
    let clone = remote.first();
    clone.declare("scopes: [{ name: etat:a, description: Les }]\n");
    let digest = planned(&clone);
    // Another pull request of the same group.
    clone.declare("scopes: [{ name: etat:b, description: Les }]\n");
    clone.ends(0, &["plan", "--out", "../other.json"]);
    let event = remote.beside("event.json");
    for (host, server) in servers().into_iter().take(2) {
        let check = |code: i32, plan: &str, message: &str| {
            let mut command = clone.process(&["reviewed", host, "--plan", plan]);
            let ran = ran(command.envs(in_a_queue(&server, &event)).output().unwrap());
            assert_eq!(ran.code, code, "{host}: {}{}", ran.stdout, ran.stderr);
            assert!(ran.stderr.contains(message), "{host}: {message}: {}", ran.stderr);
            ran.stdout
        };
        check(4, "plan.json", "has no comment");
        // `comment` finds the pull request of a queue too.
        let mut posted = clone.process(&["comment", host, "--plan", "plan.json"]);
        let posted = ran(posted.envs(in_a_queue(&server, &event)).output().unwrap());
        assert!(posted.stderr.contains("on pull request 7"), "{}", posted.stderr);
        let (who, verdict) = verdict(server.forge(), true);
        let end = |changed: &'static str| {
            let verdicts = vec![(who, verdict, APPROVED)];
            server.edit(|api| api.end(Past { changed, verdicts, ..Past::default() }));
        };
        end(EARLY);
        assert_eq!(check(0, "plan.json", "has shown this plan"), format!("{digest}\n"));
        end(BETWEEN);
        check(4, "plan.json", "was approved at");
        end(EARLY);
        check(4, "../other.json", "does not show this plan");
    }
}

#[test]
fn the_result_of_an_apply_is_on_the_pull_request_that_was_merged() {
    let remote = Remote::new();
    let clone = remote.first();
    let commit = clone.declare("scopes: [{ name: etat:a, description: Les }]\n");
    clone.ends(0, &["apply", "--auto-approve", "--report", "report.json"]);
    for (host, server) in servers() {
        let report = || {
            let mut command = clone.process(&["comment", host, "--report", "report.json"]);
            ran(command.envs(on_main(&server)).output().unwrap())
        };
        // A direct push has no pull request, which is no failure.
        let direct = report();
        assert_eq!(direct.code, 0, "{host}: {}", direct.stderr);
        assert!(direct.stderr.contains("the report is not posted"), "{}", direct.stderr);
        assert_eq!(server.comments(), []);
        let commit = commit.clone();
        let related = vec![Related { number: 7, commit, base: "main", merged: Some(MERGED) }];
        let past = Past { related, ..Past::default() };
        server.edit(|api| {
            api.end(past);
            api.add(CommentAuthor::Us, "<!-- portvakt plan test -->\nthe plan");
        });
        for done in ["posted", "kept"] {
            let ran = report();
            assert_eq!(ran.code, 0, "{host}: {}", ran.stderr);
            assert!(ran.stderr.contains(&format!("{done} the comment on pull request 7")));
        }
        let comments = server.comments();
        assert_eq!(comments.len(), 2, "{host}");
        assert_eq!(comments[0].1, "<!-- portvakt plan test -->\nthe plan");
        let text = &comments[1].1;
        assert!(text.starts_with("<!-- portvakt report test -->\n## portvakt: applied"), "{text}");
    }
}

#[test]
fn a_plan_of_files_that_are_not_committed_does_not_count() {
    let remote = Remote::new();
    let clone = remote.first();
    clone.write("declarations.yaml", "scopes: [{ name: etat:a, description: Les }]\n");
    planned(&clone);
    let [(host, server), ..] = servers();
    let ran = reviewed(&clone, &server, host);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("files that are not committed"), "{}", ran.stderr);
    assert_eq!(server.calls(), [""; 0]);
}

#[test]
fn a_plan_that_does_nothing_needs_no_review() {
    let remote = Remote::new();
    let clone = remote.first();
    let digest = planned(&clone);
    for (host, server) in servers() {
        let ran = reviewed(&clone, &server, host);
        assert_eq!((ran.code, ran.stdout), (0, format!("{digest}\n")), "{}", ran.stderr);
        assert_eq!(server.calls(), [""; 0]);
    }
}

#[test]
fn what_else_a_job_is_about_than_a_branch_is_refused() {
    let remote = Remote::new();
    let clone = remote.first();
    clone.declare("scopes: [{ name: etat:a, description: Les }]\n");
    planned(&clone);
    for (host, server) in servers() {
        let mut command = clone.process(&["reviewed", host, "--plan", "plan.json"]);
        let ran = ran(command.envs(server.environment()).output().unwrap());
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let names = ["GITHUB_REF", "CI_COMMIT_BRANCH", "BUILD_SOURCEBRANCH"];
        assert!(names.iter().any(|name| ran.stderr.contains(name)), "{}", ran.stderr);
    }
}

/// Runs the steps that check a plan, as they are in the CI files, with the program itself.
#[test]
fn the_steps_of_the_ci_files_stop_where_a_plan_does_not_count() {
    if !has("jq", "the steps that check a plan") {
        return;
    }
    const CHECK: &str = "Check that this plan was reviewed";
    let steps = [
        ("--github", script("templates/github/portvakt-merge.yml", CHECK)),
        ("--gitlab", script("templates/gitlab/portvakt.gitlab-ci.yml", "portvakt-reviewed")),
        ("--azure-devops", script("templates/azure/portvakt-merge.yml", CHECK)),
    ];
    let remote = Remote::new();
    let clone = remote.first();
    let commit = clone.declare("scopes: [{ name: etat:hemmelig, description: Les }]\n");
    let out = remote.beside("portvakt-out/test");
    std::fs::create_dir_all(&out).unwrap();
    let file = out.join("plan.json").to_string_lossy().into_owned();
    clone.ends(0, &["plan", "--out", &file]);
    let plan = std::fs::read_to_string(&file).unwrap();
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let digest = plan["digest"].as_str().unwrap();
    let other = format!("sha256:{}", "2".repeat(64));
    for ((host, server), (_, step)) in servers().into_iter().zip(&steps) {
        let mut posted = clone.process(&["comment", host, "--plan", &file]);
        assert_eq!(ran(posted.envs(server.environment()).output().unwrap()).code, 0);
        let related =
            Related { number: 7, commit: commit.clone(), base: "main", merged: Some(MERGED) };
        let past = Past { related: vec![related], changed: EARLY, ..Past::default() };
        server.edit(|api| api.end(past));
        let unasked = if host == "--azure-devops" { "reviewed" } else { "" };
        let check = |asked: &str| {
            let mut command = Command::new("bash");
            command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", step]);
            command.env_clear().envs(on_main(&server)).current_dir(out.join("../.."));
            let bin = Path::new(assert_cmd::cargo::cargo_bin!("portvakt")).parent().unwrap();
            identified(&mut command)
                .env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()))
                .env("OUT", &out)
                .env("PLAN", &file)
                .env("DIGEST", digest)
                .env("ENVIRONMENT", "test")
                .env("PORTVAKT_ENV", "test")
                .env("ASKED_DIGEST", asked);
            ran(command.output().unwrap())
        };
        let ran = check(unasked);
        assert_eq!(ran.code, 0, "{host}: {}{}", ran.stdout, ran.stderr);
        if host == "--gitlab" {
            let written = std::fs::read_to_string(out.join("digest")).unwrap();
            assert_eq!(written, format!("{digest}\n"));
        } else {
            assert_eq!(check(digest).code, 0, "{host}");
            let ran = check(&other);
            assert_eq!(ran.code, 1, "{host}");
            assert!(ran.stdout.contains("another digest"), "{}", ran.stdout);
        }
        server.edit(|api| api.forge_text(&|text| text.replace("hemmelig", "harmlos")));
        let ran = check(unasked);
        assert_eq!(ran.code, 1, "{host}: {}", ran.stdout);
        assert!(ran.stdout.contains("Nothing was changed. Read the plan"), "{}", ran.stdout);
        assert!(!ran.stdout.contains("harmlos") && !ran.stderr.contains("harmlos"), "{host}");
    }
}
