//! Results of checkers for the CI files: the hosts' schemas, actionlint, shellcheck, and the program's own
//! help for each command line in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use regex::Regex;
use serde_json::Value as Json;
use tempfile::TempDir;

use super::templates::{ALL, OWN, Script, parsed, path, scripts};
use super::{files, init};
use crate::programs::has;
use crate::world::{Ran, program};

/// A command line of the program in a script: the command, and its flags with the words that follow them.
fn command_lines(script: &Script) -> Vec<(String, Vec<String>)> {
    let joined = script.text.replace("\\\n", " ");
    let optional = Regex::new(r"\$\{\w+:\+([^}]*)\}").unwrap();
    let joined = optional.replace_all(&joined, "$1");
    let call = Regex::new(r"(?m)(?:^|;|then |&& )\s*portvakt ([^<>|;\n]*)").unwrap();
    let mut lines = Vec::new();
    for found in call.captures_iter(&joined) {
        let mut words: Vec<&str> = found[1].split_whitespace().collect();
        if words.first() == Some(&"-C") {
            words.drain(..2);
        }
        let mut command = words.remove(0).to_owned();
        if command == "keys" {
            command += &format!(" {}", words.remove(0));
        }
        let mut flags: Vec<String> = Vec::new();
        for word in &words {
            match flags.last_mut() {
                _ if word.starts_with("--") => flags.push((*word).to_owned()),
                Some(flag) => *flag += &format!(" {word}"),
                None => flags.push((*word).to_owned()),
            }
        }
        lines.push((command, flags));
    }
    lines
}

/// Whether a flag, and the word that is its value, is in a command's help.
fn is_reported(help: &str, flag: &str) -> bool {
    let (flag, value) = flag.split_once(' ').unwrap_or((flag, ""));
    let has_flag = Regex::new(&format!(r"(?m)(^|[\s,]){}(\s|$)", regex::escape(flag))).unwrap();
    let is_word = |text: &str| text.chars().all(|c| c.is_ascii_lowercase());
    has_flag.is_match(help) && (value.is_empty() || !is_word(value) || help.contains(value))
}

#[test]
fn each_command_line_is_one_that_the_program_knows() {
    let mut helps: BTreeMap<String, String> = BTreeMap::new();
    for script in scripts() {
        for (command, flags) in command_lines(&script) {
            let help = helps.entry(command.clone()).or_insert_with(|| {
                let ran = Ran::of(program().args(command.split(' ')).arg("--help"));
                assert_eq!(ran.code, 0, "{}: portvakt {command}", script.file);
                ran.stdout
            });
            for flag in flags {
                let known = is_reported(help, &flag);
                assert!(known, "{} ({}): portvakt {command} {flag}", script.file, script.name);
            }
        }
    }
    for command in [
        "validate",
        "plan",
        "apply",
        "drift",
        "keys list",
        "snapshot",
        "comment",
        "reviewed",
        "show",
    ] {
        assert!(helps.contains_key(command), "{command}");
    }
}

/// A file as the host's own parser reads it: Azure's schema has only string scalars, and the host evaluates
/// `each`, `if` and other expressions before the schema applies.
pub(super) fn as_azure(value: &serde_yaml::Value) -> Json {
    use serde_yaml::Value;
    match value {
        Value::Null => Json::String(String::new()),
        Value::Bool(bool) => Json::String(bool.to_string()),
        Value::Number(number) => Json::String(number.to_string()),
        Value::String(text) => {
            let expression = Regex::new(r"\$\{\{.*?\}\}").unwrap();
            Json::String(expression.replace_all(text, "test").into_owned())
        }
        Value::Tagged(tagged) => as_azure(&tagged.value),
        Value::Sequence(values) => {
            let each = |value: &Value| match value.as_mapping().and_then(|map| map.iter().next()) {
                Some((key, inner))
                    if key.as_str().is_some_and(|key| key.starts_with("${{ each")) =>
                {
                    as_azure(inner).as_array().unwrap().clone()
                }
                _ => vec![as_azure(value)],
            };
            values.iter().flat_map(each).collect()
        }
        Value::Mapping(mapping) => {
            let mut object = serde_json::Map::new();
            for (key, value) in mapping {
                let key = key.as_str().unwrap();
                let is_condition = key.starts_with("${{ if") || key == "${{ else }}";
                match (is_condition, as_azure(value)) {
                    (true, Json::Object(more)) => object.extend(more),
                    (_, value) => drop(object.insert(key.to_owned(), value)),
                }
            }
            Json::Object(object)
        }
    }
}

/// `!reference` inserts the lines of a script.
pub(super) fn as_gitlab(value: &serde_yaml::Value) -> Json {
    use serde_yaml::Value;
    match value {
        Value::Tagged(_) => Json::String("reference".to_owned()),
        Value::Sequence(values) => values.iter().map(as_gitlab).collect(),
        Value::Mapping(mapping) => mapping
            .iter()
            .map(|(key, value)| (key.as_str().unwrap().to_owned(), as_gitlab(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => serde_json::to_value(other).unwrap(),
    }
}

pub(super) fn errors(schema: &str, value: &Json) -> Vec<String> {
    let schema = fs::read_to_string(path(&format!("tests/schemas/{schema}.json"))).unwrap();
    let schema = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// What `init` writes for a folder below the top, where most is replaced in the templates.
#[test]
fn what_is_written_for_a_folder_follows_the_schemas_of_the_hosts() {
    for (host, schema) in [("github", ""), ("gitlab", "gitlab-ci"), ("azure", "azure-pipelines")] {
        let folder = TempDir::new().unwrap();
        git2::Repository::init(folder.path()).unwrap();
        let pin = if host == "github" { "4f2a".repeat(10) } else { "v4.2.1".to_owned() };
        let source = format!("etat/portvakt@{pin}");
        for below in ["teams/arbeid", "helse"] {
            let ran = init(folder.path(), &[below, "--ci", host, "--source", &source]);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
        }
        let written: Vec<_> = files(folder.path())
            .into_iter()
            .filter(|file| file.starts_with('.'))
            .map(|file| folder.path().join(file))
            .collect();
        assert!(written.len() >= 3, "{host}: {written:?}");
        if host == "github" {
            satisfies_actionlint(&written);
            continue;
        }
        for file in written {
            let value = serde_yaml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            let value = if host == "gitlab" { as_gitlab(&value) } else { as_azure(&value) };
            assert_eq!(errors(schema, &value), [""; 0], "{}", file.display());
        }
    }
}

/// The GitLab jobs of each file that `init` writes: at the top, in a folder, in two folders, and for one
/// environment. The schema knows neither stages nor the names of jobs.
#[test]
fn each_job_on_gitlab_is_in_a_stage_and_needs_jobs_that_are_there() {
    const ONE: &str = "organization: { orgno: \"889640782\", name: Etaten }\nprefixes: [etat]\n\
        environments:\n  ver: { target: prod, credentials: { client_id: { env: A }, key: { env: B } } }\n";
    for (folders, settings) in
        [(&["."][..], None), (&["teams/arbeid"], None), (&["a", "b"], None), (&["."], Some(ONE))]
    {
        let top = TempDir::new().unwrap();
        git2::Repository::init(top.path()).unwrap();
        if let Some(settings) = settings {
            fs::write(top.path().join("portvakt.yaml"), settings).unwrap();
        }
        for folder in folders {
            let ran = init(top.path(), &[folder, "--ci", "gitlab"]);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
        }
        let written: Vec<_> =
            files(top.path()).into_iter().filter(|file| file.starts_with(".gitlab/")).collect();
        assert_eq!(written.len(), folders.len());
        for file in written {
            let text = fs::read_to_string(top.path().join(&file)).unwrap();
            let pipeline: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
            let mut staged = 0;
            for (name, job) in pipeline.as_mapping().unwrap() {
                if let Some(stage) = job.get("stage") {
                    let stages = pipeline["stages"].as_sequence().unwrap();
                    assert!(stages.contains(stage), "{file}: {name:?} is in {stage:?}");
                    staged += 1;
                }
                let extended = job.get("extends").into_iter();
                let needed = job.get("needs").into_iter();
                for other in extended.chain(needed).flat_map(listed) {
                    assert!(pipeline.get(other).is_some(), "{file}: {name:?} names {other:?}");
                }
            }
            assert!(staged >= 8, "{file}: {staged}");
        }
    }
}

/// One value or a list of them.
fn listed(value: &serde_yaml::Value) -> Vec<&serde_yaml::Value> {
    value.as_sequence().map_or_else(|| vec![value], |all| all.iter().collect())
}

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
fn files_for_gitlab_and_azure_and_our_action_follow_the_schemas_of_the_hosts() {
    let mut count = 0;
    for file in ALL {
        let value = parsed(file);
        let (schema, value) = match file.split('/').nth(1) {
            Some("github") => continue, // by actionlint, which knows more
            Some("gitlab") => ("gitlab-ci", as_gitlab(&value)),
            Some("azure") => ("azure-pipelines", as_azure(&value)),
            _ => ("github-action", as_gitlab(&value)),
        };
        assert_eq!(errors(schema, &value), [""; 0], "{file}");
        // Checks that the schema refuses an invalid file.
        let mut wrong = value;
        wrong["jobs"] = Json::String("none".to_owned());
        wrong["stages"] = Json::Bool(true);
        assert_ne!(errors(schema, &wrong), [""; 0], "{file}");
        count += 1;
    }
    assert_eq!(count, 7);
}

#[test]
fn workflows_satisfy_actionlint() {
    let templates = ALL.iter().filter(|file| file.starts_with("templates/github"));
    satisfies_actionlint(&templates.chain(&OWN).map(|file| path(file)).collect::<Vec<_>>());
}

pub(super) fn satisfies_actionlint(files: &[PathBuf]) {
    if !has("actionlint", "the GitHub workflows") {
        return;
    }
    // The current version does not know yet that several runs can wait for each other.
    let mut lint = Command::new("actionlint");
    lint.args(["-no-color", "-ignore", "unexpected key \"queue\" for \"concurrency\" section"]);
    let output = lint.args(files).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// The release's workflows, the action, and what `init` writes: each finding has a reason beside it.
#[test]
fn workflows_satisfy_zizmor() {
    if !has("zizmor", "the security of the GitHub workflows") {
        return;
    }
    let folder = TempDir::new().unwrap();
    git2::Repository::init(folder.path()).unwrap();
    let pinned = format!("etat/portvakt@{}", "4f2a".repeat(10));
    for below in ["tilgang", "annen/plattform"] {
        let ran = init(folder.path(), &[below, "--ci", "github", "--source", &pinned]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let own = OWN.iter().copied().chain(["action.yml"]).map(path);
    let written = fs::read_dir(folder.path().join(".github/workflows")).unwrap();
    let files: Vec<_> = own.chain(written.map(|file| file.unwrap().path())).collect();
    assert_eq!(files.len(), 9);
    let mut check = Command::new("zizmor");
    check.args(["--offline", "--no-progress", "--color=never", "--min-severity=medium"]);
    let output = check.args(files).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    // A template that is not pinned is found.
    let output = Command::new("zizmor")
        .args(["--offline", "--no-progress", "--min-severity=medium"])
        .arg(path("templates/github/portvakt-merge.yml"))
        .output()
        .unwrap();
    assert!(!output.status.success());
}

#[test]
fn every_action_is_pinned_by_a_commit_with_its_version_behind_it() {
    let pinned = Regex::new(r"^[\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$").unwrap();
    let mut count = 0;
    for file in ALL.iter().chain(&OWN).filter(|file| !file.contains("/gitlab/")) {
        let text = fs::read_to_string(path(file)).unwrap();
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            let Some((_, used)) = line.split_once("uses: ") else { continue };
            let is_ours = used.starts_with("OWNER/portvakt@v");
            assert!(is_ours || pinned.is_match(used), "{file}: {line}");
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

#[test]
fn shell_in_all_files_parses_and_satisfies_shellcheck() {
    let folder = TempDir::new().unwrap();
    let shellcheck = has("shellcheck", "the shell in the CI files");
    for script in scripts() {
        // A host would insert the value of an expression into the shell, whatever its content.
        assert!(!script.text.contains("${{"), "{}: {}", script.file, script.name);
        let file = folder.path().join("script");
        fs::write(&file, &script.text).unwrap();
        let shell = if script.file.contains("gitlab") { "sh" } else { "bash" };
        let mut checks = vec![Command::new(shell)];
        checks[0].arg("-n");
        if shellcheck {
            let mut check = Command::new("shellcheck");
            // Optional words are left unquoted on purpose; the variables come from the host.
            check.args(["--severity=warning", "--shell", shell]);
            checks.push(check);
        }
        for mut check in checks {
            let output = check.arg(&file).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{} ({}): {said}", script.file, script.name);
        }
    }
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
