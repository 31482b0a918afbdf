//! The event that started a workflow on GitHub, and the pull request that it is about.

use std::fs::File;
use std::io::Read as _;

use serde_json::Value;

use crate::forge::environment::JobEnvironment;
use crate::forge::error::Error;

/// More than the largest event: GitHub sends none above 25 MB.
const MAX_EVENT: u64 = 32 * 1024 * 1024;

/// The number in the event that started the workflow, or else in its ref.
pub(in crate::forge) fn number(environment: &JobEnvironment<'_>) -> Result<u64, Error> {
    let event = environment.get("GITHUB_EVENT_PATH").and_then(|path| event(&path));
    let from_ref = || {
        let name = environment.get("GITHUB_REF")?;
        name.strip_prefix("refs/pull/")?.split('/').next()?.parse().ok()
    };
    event.as_ref().and_then(number_in).or_else(from_ref).ok_or_else(|| {
        Error::no_pull_request(
            "neither the event in GITHUB_EVENT_PATH nor GITHUB_REF names one",
            "Run this in a workflow that is started `on: pull_request` or `on: merge_group`, or `on: \
             workflow_run` after one of those on a pull request that is not from a fork.",
        )
    })
}

/// The pull request that a merge queue is about to merge, where the job runs for one.
pub(in crate::forge) fn queued(environment: &JobEnvironment<'_>) -> Option<u64> {
    queued_in(&event(&environment.get("GITHUB_EVENT_PATH")?)?)
}

/// The number in the branch of a merge queue, `refs/heads/gh-readonly-queue/main/pr-7-<commit>`
/// (docs.github.com, "Managing a merge queue"). With several pull requests in a group it is the last one,
/// whose commit is the one to merge.
fn queued_in(event: &Value) -> Option<u64> {
    let branch = event.pointer("/merge_group/head_ref")?.as_str()?;
    let (_, name) = branch.strip_prefix("refs/heads/gh-readonly-queue/")?.rsplit_once('/')?;
    name.strip_prefix("pr-")?.split_once('-')?.0.parse().ok()
}

fn event(path: &str) -> Option<Value> {
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_EVENT).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn number_in(event: &Value) -> Option<u64> {
    let number = |pointer: &str| event.pointer(pointer).and_then(Value::as_u64);
    // An issue with this field is a pull request.
    let of_issue = || {
        event.pointer("/issue/pull_request").filter(|value| !value.is_null())?;
        number("/issue/number")
    };
    // The pull requests of the branch that the other workflow ran on, without those of forks.
    let of_a_run = || match event.pointer("/workflow_run/pull_requests")?.as_array()?.as_slice() {
        [only] => only.get("number")?.as_u64(),
        [] | [..] => None,
    };
    number("/pull_request/number")
        .or_else(of_issue)
        .or_else(|| number("/number"))
        .or_else(|| queued_in(event))
        .or_else(of_a_run)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_names_its_pull_request() {
        assert_eq!(number_in(&json!({"number": 7, "pull_request": {"number": 7}})), Some(7));
        assert_eq!(number_in(&json!({"issue": {"number": 8, "pull_request": {}}})), Some(8));
        assert_eq!(number_in(&json!({"issue": {"number": 8}})), None);
        assert_eq!(number_in(&json!({"number": "7"})), None);
        assert_eq!(number_in(&json!({"ref": "refs/heads/main"})), None);
        let run = |all: Value| number_in(&json!({"workflow_run": {"pull_requests": all}}));
        assert_eq!(run(json!([{"number": 9}])), Some(9));
        assert_eq!(run(json!([])), None);
        assert_eq!(run(json!([{"number": 9}, {"number": 10}])), None);
    }

    #[test]
    fn a_merge_queue_names_the_pull_request_in_its_branch() {
        let queued = |branch: &str| {
            let event = json!({"merge_group": {"head_ref": branch, "base_ref": "refs/heads/main"}});
            assert_eq!(number_in(&event), queued_in(&event), "{branch}");
            queued_in(&event)
        };
        assert_eq!(queued("refs/heads/gh-readonly-queue/main/pr-12-4f2a"), Some(12));
        assert_eq!(queued("refs/heads/gh-readonly-queue/pr-1-x/pr-12-4f2a"), Some(12));
        assert_eq!(queued("refs/heads/gh-readonly-queue/main/12-4f2a"), None);
        assert_eq!(queued("refs/heads/pr-12-4f2a"), None);
        assert_eq!(queued_in(&json!({"pull_request": {"number": 7}})), None);
    }
}
