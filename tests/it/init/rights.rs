//! What the jobs in the CI files may do: their environments, their credentials, and what can leave them.

use std::collections::BTreeSet;
use std::fs;

use regex::Regex;
use tempfile::TempDir;

use super::checked::listed;
use super::templates::{ALL, Script, parsed, path, scripts};
use super::{files, init};

/// The file for merges and the one for each night lock each other out and share the credentials that read. Those
/// that write are each file's own, so that an approval for a merge is not awaited at night.
#[test]
fn what_applies_at_night_waits_for_a_merge_but_not_for_its_approval() {
    const EACH: &str = "${{ matrix.environment }}";
    for (folder, file, lock, azure) in [
        (".", "", "portvakt-", "portvakt-"),
        ("arbeid", "arbeid/", "portvakt-arbeid-", "portvakt-arbeid."),
        ("teams/helse", "teams.helse/", "portvakt-teams.helse-", "portvakt-teams.helse."),
    ] {
        let github = |end: &str| format!("environment: {file}{EACH}{end}");
        let lock = format!("group: {lock}apply-{EACH}");
        let on_azure = |of: &str| format!("group: {azure}{of}-${{{{ environment }}}}");
        let used = format!("environment: {azure}${{{{ environment }}}}");
        for (host, read, lock, merge, due) in [
            ("github", github("-read"), Some(lock), vec![github("")], vec![github("-due")]),
            ("azure", on_azure("read"), None, vec![used, on_azure("write")], vec![on_azure("due")]),
        ] {
            let top = TempDir::new().unwrap();
            git2::Repository::init(top.path()).unwrap();
            let ran = init(top.path(), &[folder, "--ci", host]);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let of = |end: &str| {
                let written = files(top.path());
                let file = written.iter().find(|file| file.ends_with(end)).unwrap();
                names_at_the_host(&fs::read_to_string(top.path().join(file)).unwrap())
            };
            let expected = |own: Vec<String>| {
                own.into_iter().chain([read.clone()]).chain(lock.clone()).collect::<BTreeSet<_>>()
            };
            assert_eq!(of("merge.yml"), expected(merge), "{host} {folder}");
            // Of the jobs that only read, so that each waits for its own.
            let mut drift = of("drift.yml");
            drift.retain(|name| !name.contains("-drift-$") && !name.contains("-keys-$"));
            assert_eq!(drift, expected(due), "{host} {folder}");
        }
    }
}

/// The jobs of each environment on GitLab: those of a merge request have no credentials that write, and the one at
/// night waits for no approval of a merge, but for its end.
#[test]
fn jobs_on_gitlab_have_the_environment_of_their_task() {
    let pipeline = parsed("templates/gitlab/portvakt.gitlab-ci.yml");
    let value = |job: &str, key: &str| {
        let mut jobs = vec![job.to_owned()];
        while let Some(job) = jobs.pop() {
            if let Some(value) = pipeline[job.as_str()].get(key) {
                return Some(value.clone());
            }
            let above = pipeline[job.as_str()].get("extends").into_iter().flat_map(listed);
            let above: Vec<_> = above.map(|name| name.as_str().unwrap().to_owned()).collect();
            jobs.extend(above);
        }
        None
    };
    let of =
        |job: &str| value(job, "environment").map(|it| it["name"].as_str().unwrap().to_owned());
    for (job, environment) in [
        ("portvakt-validate", None),
        ("portvakt-plan-of-a-fork", None),
        ("portvakt-plan", Some("$PORTVAKT_ENV-read")),
        ("portvakt-reviewed", Some("$PORTVAKT_ENV-read")),
        ("portvakt-apply-to-prod", Some("$PORTVAKT_ENV")),
        ("portvakt-apply-by-hand", Some("$PORTVAKT_ENV")),
        ("portvakt-due", Some("$PORTVAKT_ENV-due")),
        ("portvakt-drift", Some("$PORTVAKT_ENV-read")),
    ] {
        assert_eq!(of(job).as_deref(), environment, "{job}");
    }
    for job in ["portvakt-due", "portvakt-apply-to-prod"] {
        let waits = value(job, "resource_group").unwrap();
        assert_eq!(waits.as_str(), Some("portvakt-apply-$PORTVAKT_ENV"), "{job}");
    }
    // Nothing of a merge request runs where a credential that writes is.
    for (job, text) in pipeline.as_mapping().unwrap() {
        let text = serde_yaml::to_string(text).unwrap();
        let name = job.as_str().unwrap();
        if text.contains("merge_request_event") {
            let safe = of(name).is_none_or(|name| name.ends_with("-read"));
            assert!(safe && !text.contains("PORTVAKT_WRITE_"), "{name}");
        }
    }
}

/// The environments, groups of variables and concurrency groups of a file, whatever the expression for the
/// environment is called.
fn names_at_the_host(text: &str) -> BTreeSet<String> {
    // The input of a step and the values of a matrix are no names at the host.
    let lines = text.lines().filter(|line| !line.starts_with("          environment: ${{ matrix"));
    let lines = lines.map(|line| line.trim_start().trim_start_matches("- "));
    let named = lines.filter(|line| {
        line.contains("${{")
            && !line.contains("fromJSON")
            && (line.starts_with("environment: ") || line.starts_with("group: "))
    });
    named.map(|line| line.replace("${{ stage.environment }}", "${{ environment }}")).collect()
}

/// What is uploaded for one folder would replace that of another with the same category, and the pipeline that
/// makes snapshots is found by its name.
#[test]
fn a_folder_has_a_category_and_a_pipeline_of_its_own() {
    let top = TempDir::new().unwrap();
    git2::Repository::init(top.path()).unwrap();
    for host in ["github", "azure"] {
        let ran = init(top.path(), &[&format!("arbeid-{host}"), "--ci", host]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let read = |file: &str| fs::read_to_string(top.path().join(file)).unwrap();
    let pull_request = read(".github/workflows/portvakt-arbeid-github-pull-request.yml");
    assert!(pull_request.contains("category: portvakt arbeid-github\n"), "{pull_request}");
    let fork = read(".azure-pipelines/portvakt-arbeid-azure-pull-request.yml");
    assert!(fork.contains("definition: portvakt arbeid-azure drift "), "{fork}");
    let drift = read(".azure-pipelines/portvakt-arbeid-azure-drift.yml");
    assert!(drift.contains("name it `portvakt arbeid-azure drift`"), "{drift}");
}

#[test]
fn a_job_on_github_has_no_more_rights_than_it_names() {
    for file in ALL.iter().filter(|file| file.starts_with("templates/github")) {
        let workflow = parsed(file);
        let nothing = serde_yaml::Value::Mapping(serde_yaml::Mapping::new());
        assert_eq!(workflow["permissions"], nothing, "{file}");
        let text = fs::read_to_string(path(file)).unwrap();
        assert!(!text.contains("pull_request_target:"), "{file}");
        for (name, job) in workflow["jobs"].as_mapping().unwrap() {
            let name = name.as_str().unwrap();
            assert!(job["timeout-minutes"].is_number(), "{file}: {name}");
            let yaml = serde_yaml::to_string(job).unwrap();
            let writes: Vec<_> = job["permissions"]
                .as_mapping()
                .unwrap()
                .iter()
                .filter(|(_, right)| right.as_str() == Some("write"))
                .map(|(of, _)| of.as_str().unwrap())
                .collect();
            let expected: &[&str] = match name {
                "validate" => &["security-events"],
                "plan" if file.contains("merge") => &[],
                "plan" => &["pull-requests"],
                "record" | "due" => &["contents"],
                "apply" => &["contents", "pull-requests"],
                "drift" | "keys" => &["issues"],
                "plan-of-a-fork" | "snapshot" | "pending" | "checks" => &[],
                other => panic!("{other}"),
            };
            assert_eq!(writes, expected, "{file}: {name}");
            let writes = name == "apply" || name == "due";
            assert_eq!(yaml.contains("PORTVAKT_WRITE_"), writes, "{file}: {name}");
            let has_secrets = yaml.contains("secrets.");
            let needs_none = ["validate", "plan-of-a-fork", "pending", "checks"].contains(&name);
            assert_eq!(has_secrets, !needs_none, "{file}: {name}");
        }
    }
}

/// All steps of a file: its mappings that have a Bash script.
fn steps(value: &serde_yaml::Value, all: &mut Vec<serde_yaml::Mapping>) {
    use serde_yaml::Value;
    match value {
        Value::Mapping(mapping) => {
            if mapping.contains_key("bash") {
                all.push(mapping.clone());
            }
            mapping.values().for_each(|value| steps(value, all));
        }
        Value::Sequence(values) => values.iter().for_each(|value| steps(value, all)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Tagged(_) => {}
    }
}

/// A step that can print text from outside, which is portvakt's output and a host's answers, cannot give the
/// agent a command; one that gives commands runs neither, and has no secret.
#[test]
fn a_step_on_azure_prints_texts_of_others_or_gives_commands_but_not_both() {
    let restricted: serde_yaml::Value =
        serde_yaml::from_str("{ commands: restricted, settableVariables: none }").unwrap();
    let runs = Regex::new(r"(?m)(^|[;|&({] *|then )\s*(portvakt|curl|status=\$\(curl) ").unwrap();
    let (mut printing, mut commanding) = (0, 0);
    for file in ALL.iter().filter(|file| file.contains("/azure/")) {
        let mut all = Vec::new();
        steps(&parsed(file), &mut all);
        for step in all {
            let text = step["bash"].as_str().unwrap();
            let yaml = serde_yaml::to_string(&step).unwrap();
            if runs.is_match(text) {
                assert_eq!(step.get("target"), Some(&restricted), "{file}: {yaml}");
                assert!(!text.contains("##vso"), "{file}: {yaml}");
                printing += 1;
            } else if text.contains("##vso") {
                for secret in ["ACCESSTOKEN", "_KEY", "_KID", "CLIENT_ID"] {
                    assert!(!yaml.contains(secret), "{file}: {yaml}");
                }
                commanding += 1;
            } else {
                panic!("{file}: what is {yaml}");
            }
        }
    }
    assert!(printing >= 9 && commanding >= 4, "{printing} {commanding}");
}

/// A value that a person enters could otherwise name a secret, which Azure would substitute.
#[test]
fn what_is_given_by_hand_on_azure_names_no_variable() {
    let text = fs::read_to_string(path("templates/azure/portvakt-merge.yml")).unwrap();
    let declared = Regex::new(r"(?m)^\s+[A-Z_]+: (\$\{\{.*parameters\..*)$").unwrap();
    let declared: Vec<_> = declared.captures_iter(&text).map(|found| found[1].to_owned()).collect();
    assert_eq!(declared.len(), 2, "{declared:?}");
    for value in declared {
        assert!(value.contains(", '$(', '(')"), "{value}");
    }
}

#[test]
fn no_call_can_lose_a_token() {
    let mut calls = 0;
    for Script { file, name, text } in scripts() {
        let joined = text.replace("\\\n", " ");
        assert!(!joined.contains("set -x"), "{file}: {name}");
        for line in joined.lines().filter(|line| line.contains("curl ") && !line.contains("# ")) {
            assert!(line.contains("--proto =https"), "{file}: {line}");
            for lost in ["--header \"PRIVATE", "-u ", "--user"] {
                assert!(!line.contains(lost), "{file}: {line}");
            }
            let follows = ["--location", " -L"].iter().any(|flag| line.contains(flag));
            let has_token = line.contains("TOKEN") || line.contains("--config");
            assert!(!(follows && has_token), "{file}: {line}");
            calls += usize::from(!follows);
        }
    }
    assert_eq!(calls, 3);
}

/// Each secret of DigDir is in one step or, on GitLab, which sets variables by job, in one environment.
#[test]
fn the_credentials_are_named_in_the_step_that_needs_them() {
    for file in ALL.iter().filter(|file| file.contains("/github/")) {
        for (name, job) in parsed(file)["jobs"].as_mapping().unwrap() {
            assert!(job.get("env").is_none(), "{file}: {name:?}");
            for step in job["steps"].as_sequence().unwrap() {
                let yaml = serde_yaml::to_string(step).unwrap();
                let has_key = yaml.contains("secrets.");
                assert!(!has_key || step.get("run").is_none(), "{file}: {yaml}");
                assert!(!has_key || !yaml.contains("github.token"), "{file}: {yaml}");
            }
        }
    }
    let mut all = Vec::new();
    for file in ALL.iter().filter(|file| file.contains("/azure/")) {
        steps(&parsed(file), &mut all);
    }
    for step in all {
        let yaml = serde_yaml::to_string(&step).unwrap();
        assert!(!(yaml.contains("_KEY)") && yaml.contains("AccessToken")), "{yaml}");
    }
}
