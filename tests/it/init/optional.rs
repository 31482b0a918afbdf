//! The step of a CI file that is a comment until somebody wants it.

use std::fs;

use assert_cmd::Command;
use regex::Regex;
use tempfile::TempDir;

use super::checked::{as_azure, as_gitlab, errors, satisfies_actionlint};
use super::templates::path;
use crate::readme::copy;
use crate::world::Ran;

const FILES: [&str; 3] = [
    "templates/github/portvakt-pull-request.yml",
    "templates/gitlab/portvakt.gitlab-ci.yml",
    "templates/azure/portvakt-pull-request.yml",
];

/// A file with its optional step switched on as its comment says.
fn switched_on(file: &str) -> String {
    let text = fs::read_to_string(path(file)).unwrap();
    let mut is_step = false;
    let lines = text.lines().map(|line| match line.trim_start().strip_prefix('#') {
        Some(step) if is_step => line.replacen(&format!("#{step}"), step, 1),
        comment => {
            let ends =
                comment.is_some_and(|comment| comment.ends_with("`portvakt render --help`):"));
            is_step = ends;
            line.to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn the_check_of_a_policy_is_switched_on_by_removing_the_marks_of_comments() {
    let call = Regex::new(r"(?m)(?:run: |bash: |- )(portvakt -C \. -e prod render .*)$").unwrap();
    for file in FILES {
        let text = switched_on(file);
        let value: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        match file.split('/').nth(1).unwrap() {
            "gitlab" => assert_eq!(errors("gitlab-ci", &as_gitlab(&value)), [""; 0]),
            "azure" => assert_eq!(errors("azure-pipelines", &as_azure(&value)), [""; 0]),
            _ => {
                let folder = TempDir::new().unwrap();
                let workflow = folder.path().join("workflow.yml");
                fs::write(&workflow, &text).unwrap();
                satisfies_actionlint(&[workflow]);
            }
        }
        let script = &call.captures(&text).unwrap_or_else(|| panic!("{file}: {text}"))[1];
        // It is in no job that has a secret.
        let (before, _) = text.split_once(script).unwrap();
        assert!(!before.contains("_KEY:") && !before.contains("secrets."), "{file}");
        runs(file, script);
    }
}

/// Runs the command of the step in a shell: it passes where the file is what would be rendered, and fails otherwise.
fn runs(file: &str, script: &str) {
    let folder = TempDir::new().unwrap();
    copy(&path("examples/etat"), folder.path());
    let gateway = folder.path().join("gateway");
    fs::create_dir(&gateway).unwrap();
    let shell = |script: &str| {
        let bin = assert_cmd::cargo::cargo_bin!("portvakt").parent().unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("bash");
        Ran::of(shell.args(["-ec", script]).env("PATH", path).current_dir(folder.path()))
    };
    let ran = shell(&script.replace("--check", "--out"));
    assert_eq!(ran.code, 0, "{file}: {}{}", ran.stdout, ran.stderr);
    let ran = shell(script);
    assert_eq!(ran.code, 0, "{file}: {}{}", ran.stdout, ran.stderr);
    fs::write(
        gateway.join("istio.yaml"),
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n",
    )
    .unwrap();
    let ran = shell(script);
    assert_eq!(ran.code, 2, "{file}: {}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("etat:arbeid:aareg.read"), "{}", ran.stdout);
}

/// For a folder below the top, the step is about that folder too.
#[test]
fn the_check_of_a_policy_is_about_the_folder_of_the_files() {
    for host in ["github", "gitlab", "azure"] {
        let top = TempDir::new().unwrap();
        git2::Repository::init(top.path()).unwrap();
        let ran = super::init(top.path(), &["teams/helse", "--ci", host]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let written = super::files(top.path());
        let has = |file: &&String| {
            let text = fs::read_to_string(top.path().join(file)).unwrap();
            text.contains("portvakt -C teams/helse -e prod render istio")
        };
        assert_eq!(written.iter().filter(has).count(), 1, "{host}");
    }
}
