//! Plans of forks, against the snapshot of the main branch.

use super::stage::{Stage, TOKEN};
use super::{GITLAB, PULL_REQUEST};
use crate::init::templates::script;
use crate::init::web::Web;
use crate::programs::has;

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
