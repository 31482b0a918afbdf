//! Results of checkers for the CI files: the hosts' schemas, actionlint, shellcheck, and the program's own
//! help for each command line in them.

use std::collections::BTreeMap;
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
pub(super) fn listed(value: &serde_yaml::Value) -> Vec<&serde_yaml::Value> {
    value.as_sequence().map_or_else(|| vec![value], |all| all.iter().collect())
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
