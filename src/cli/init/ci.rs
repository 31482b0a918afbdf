//! The files of CI hosts.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use clap::ValueEnum;

use super::InitFiles;
use crate::cli::exit::Failure;
use crate::declare::{EnvironmentTarget, Settings};
use crate::history;

/// A host of git repositories that runs jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CiHost {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
    /// Azure Pipelines
    Azure,
}

/// Source of portvakt for the CI.
#[derive(Debug, Clone)]
pub(in crate::cli) struct ProgramSource {
    /// `OWNER/NAME` on GitHub.
    repository: String,
    /// A tag or commit.
    tag: String,
}

/// The placeholders of the templates: the program does not know where it is published.
pub(super) const SOURCE: &str = concat!("OWNER/portvakt@v", env!("CARGO_PKG_VERSION"));
const ENVIRONMENTS: &str = r#"["test", "prod"]"#;

const GITHUB: &[(&str, &str)] = &[
    (
        ".github/workflows/portvakt-pull-request.yml",
        include_str!("../../../templates/github/portvakt-pull-request.yml"),
    ),
    (
        ".github/workflows/portvakt-merge.yml",
        include_str!("../../../templates/github/portvakt-merge.yml"),
    ),
    (
        ".github/workflows/portvakt-drift.yml",
        include_str!("../../../templates/github/portvakt-drift.yml"),
    ),
];
const GITLAB: &[(&str, &str)] = &[(
    ".gitlab/portvakt.gitlab-ci.yml",
    include_str!("../../../templates/gitlab/portvakt.gitlab-ci.yml"),
)];
/// Includes the other file, where there is no such file yet.
const GITLAB_ENTRY: (&str, &str) =
    (".gitlab-ci.yml", include_str!("../../../templates/gitlab/gitlab-ci.yml"));
/// In a folder with a dot: other YAML files are read as declarations.
const AZURE: &[(&str, &str)] = &[
    (
        ".azure-pipelines/portvakt-install.yml",
        include_str!("../../../templates/azure/portvakt-install.yml"),
    ),
    (
        ".azure-pipelines/portvakt-pull-request.yml",
        include_str!("../../../templates/azure/portvakt-pull-request.yml"),
    ),
    (
        ".azure-pipelines/portvakt-merge.yml",
        include_str!("../../../templates/azure/portvakt-merge.yml"),
    ),
    (
        ".azure-pipelines/portvakt-drift.yml",
        include_str!("../../../templates/azure/portvakt-drift.yml"),
    ),
];

impl FromStr for ProgramSource {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The value becomes part of YAML and of command lines.
        let plain = |text: &str, more: &str| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
            text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_plain)
        };
        let parts = text.split_once('@').and_then(|(repository, tag)| {
            let (owner, name) = repository.split_once('/')?;
            Some((owner, name, repository, tag))
        });
        match parts {
            Some((owner, name, repository, tag))
                if plain(owner, "-_.") && plain(name, "-_.") && plain(tag, "-_./") =>
            {
                Ok(Self { repository: repository.to_owned(), tag: tag.to_owned() })
            }
            _ => Err("say OWNER/NAME@TAG, as in the `uses` of a GitHub workflow"),
        }
    }
}

/// The environments that jobs apply to, production last.
pub(super) fn environments(settings: &Settings) -> Vec<String> {
    let mut real: Vec<_> = settings
        .environments
        .iter()
        .filter(|(_, environment)| *environment.target != EnvironmentTarget::Sandbox)
        .collect();
    real.sort_by_key(|(_, environment)| *environment.target == EnvironmentTarget::Prod);
    real.into_iter().map(|(name, _)| name.clone()).collect()
}

/// Refuses environments that would share a name at the host: a job that may only read would run with the
/// secrets of one that writes, or the reverse.
pub(super) fn refuse_shared_names(host: CiHost, environments: &[String]) -> Result<(), Failure> {
    let mut owners: BTreeMap<(&str, String), &str> = BTreeMap::new();
    for environment in environments {
        for (kind, name) in names(host, environment) {
            let owner = owners.entry((kind, name.clone())).or_insert(environment);
            if *owner != environment {
                return Err(Failure::Usage(format!(
                    "the environments `{owner}` and `{environment}` in portvakt.yaml would share the \
                     {kind} `{name}` in CI, and with it the secrets and the approvals of one another. \
                     Rename one of them"
                )));
            }
        }
    }
    Ok(())
}

/// Names that the files of a host derive from an environment's name, each with its kind. Hosts do not
/// distinguish upper and lower case.
fn names(host: CiHost, environment: &str) -> Vec<(&'static str, String)> {
    let name = environment.to_ascii_lowercase();
    match host {
        CiHost::Github => {
            vec![("GitHub environment", name.clone()), ("GitHub environment", name + "-read")]
        }
        CiHost::Gitlab => {
            vec![("GitLab environment", name.clone()), ("GitLab environment", name + "-read")]
        }
        CiHost::Azure => {
            let job = name.replace('-', "_");
            let fork = format!("of_a_fork_{job}");
            vec![("name of a job", job), ("name of a job", fork)]
        }
    }
}

/// Hosts look for these files at the top of a git repository only.
pub(super) fn refuse_below_the_top(root: &Path) -> Result<(), Failure> {
    let is_below = !history::prefix(root).is_empty();
    if is_below || (!root.exists() && history::would_be_committed(root)) {
        return Err(Failure::Usage(
            "CI files belong at the top of a git repository, and this folder is further down. Write \
             them into an empty folder, move them to the top, and give `directory` to each step of \
             the action, or `-C` to each command"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Adds a host's files.
pub(super) fn add(
    files: &mut InitFiles,
    host: CiHost,
    source: &ProgramSource,
    environments: &[String],
    root: &Path,
) {
    let mut add = |(file, template): (&str, &str)| {
        files.new.push((file.to_owned(), filled(template, source, environments)));
    };
    match host {
        CiHost::Github => GITHUB.iter().copied().for_each(&mut add),
        CiHost::Azure => AZURE.iter().copied().for_each(&mut add),
        CiHost::Gitlab => {
            GITLAB.iter().copied().for_each(&mut add);
            match root.join(GITLAB_ENTRY.0).symlink_metadata() {
                Err(_) => add(GITLAB_ENTRY),
                Ok(_) => files.by_hand.push(format!(
                    "add `include: [{{ local: {} }}]` to {}",
                    GITLAB[0].0, GITLAB_ENTRY.0
                )),
            }
        }
    }
    if source.repository.starts_with("OWNER/") {
        files.next.push(
            "say where the CI gets portvakt from: put the owner of its repository in the place of \
             OWNER (`--source` does it at once)"
                .to_owned(),
        );
    }
    files.next.push(match host {
        CiHost::Github => {
            "make the GitHub environments and secrets that the workflows name".to_owned()
        }
        CiHost::Gitlab => {
            "make the variables, the token and the schedule that .gitlab/portvakt.gitlab-ci.yml \
             names"
                .to_owned()
        }
        CiHost::Azure => {
            "make a pipeline of each file (not of portvakt-install.yml), and what they name"
                .to_owned()
        }
    });
}

fn filled(template: &str, source: &ProgramSource, environments: &[String]) -> String {
    let names: Vec<String> = environments.iter().map(|name| format!("\"{name}\"")).collect();
    let tag = concat!("v", env!("CARGO_PKG_VERSION"));
    template
        .replace(tag, &source.tag)
        .replace("OWNER/portvakt", &source.repository)
        .replace(ENVIRONMENTS, &format!("[{}]", names.join(", ")))
}
