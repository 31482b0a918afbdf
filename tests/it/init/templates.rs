//! The CI files in the repository, and the shell scripts in them.

use std::fs;
use std::path::PathBuf;

use serde_yaml::Value;

use crate::readme::ROOT;

/// Our action and the templates of all hosts.
pub(crate) const ALL: [&str; 10] = [
    "action.yml",
    "templates/github/portvakt-pull-request.yml",
    "templates/github/portvakt-merge.yml",
    "templates/github/portvakt-drift.yml",
    "templates/gitlab/gitlab-ci.yml",
    "templates/gitlab/portvakt.gitlab-ci.yml",
    "templates/azure/portvakt-install.yml",
    "templates/azure/portvakt-pull-request.yml",
    "templates/azure/portvakt-merge.yml",
    "templates/azure/portvakt-drift.yml",
];

/// The workflows of this repository itself.
pub(crate) const OWN: [&str; 2] = [".github/workflows/ci.yml", ".github/workflows/release.yml"];

/// The shell of one step or job.
pub(crate) struct Script {
    pub(crate) file: &'static str,
    /// The step's or the job's name, where it has one.
    pub(crate) name: String,
    pub(crate) text: String,
}

pub(crate) fn path(file: &str) -> PathBuf {
    PathBuf::from(ROOT).join(file)
}

pub(crate) fn parsed(file: &str) -> Value {
    serde_yaml::from_str(&fs::read_to_string(path(file)).unwrap()).unwrap()
}

pub(crate) fn scripts() -> Vec<Script> {
    let mut scripts = Vec::new();
    for file in ALL.into_iter().chain(OWN) {
        collect(file, "", &parsed(file), &mut scripts);
    }
    assert!(scripts.len() > 20, "{} scripts", scripts.len());
    scripts
}

/// The script of a step or job.
pub(crate) fn script(file: &str, name: &str) -> String {
    let mut found =
        scripts().into_iter().filter(|script| script.file == file && script.name == name);
    let script = found.next().unwrap_or_else(|| panic!("{file} has no step {name}"));
    script.text
}

fn collect(file: &'static str, name: &str, value: &Value, scripts: &mut Vec<Script>) {
    match value {
        Value::Mapping(mapping) => {
            let own = ["name", "displayName"].iter().find_map(|key| mapping.get(*key)?.as_str());
            for (key, value) in mapping {
                let key = key.as_str().unwrap_or_default();
                let text = match (key, value) {
                    ("run" | "bash", Value::String(text)) => text.clone(),
                    ("script" | "before_script", Value::Sequence(lines)) => {
                        lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
                    }
                    _ => {
                        collect(file, own.unwrap_or(key), value, scripts);
                        continue;
                    }
                };
                scripts.push(Script { file, name: own.unwrap_or(name).to_owned(), text });
            }
        }
        Value::Sequence(values) => {
            values.iter().for_each(|value| collect(file, name, value, scripts));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Tagged(_) => {}
    }
}
