//! The templates, filled for a folder: its names, branch and environments.

use super::{AppliedBranch, BranchChoice, CiHost, CiSetup};
use crate::cli::release;

/// The environments of the templates.
const ENVIRONMENTS: [&str; 2] = ["test", "prod"];

/// A name of the templates as this folder has it.
pub(super) fn own(text: &str, project: Option<&str>) -> String {
    match project {
        None => text.to_owned(),
        Some(project) => text
            .replace("portvakt-", &format!("portvakt-{project}-"))
            .replace("portvakt.gitlab-ci", &format!("portvakt-{project}.gitlab-ci")),
    }
}

/// The variable groups and environments of a folder on Azure DevOps. An environment of portvakt has no dot in
/// its name, so that no two folders have the same name for a group, whatever they are called.
fn azure_names(text: &str, project: &str) -> String {
    let names = [
        "read-",
        "write-",
        "due-",
        "test",
        "prod",
        "${{ stage.environment }}\n",
        "${{ environment }}\n",
    ];
    names.into_iter().fold(text.to_owned(), |text, name| {
        text.replace(&format!("portvakt-{project}-{name}"), &format!("portvakt-{project}.{name}"))
    })
}

/// The prefix of a folder's environments on GitLab, whose names may have no dot.
pub(super) fn gitlab_environments(project: &str) -> String {
    format!("{}/", project.replace('.', "/"))
}

pub(super) fn filled(
    host: CiHost,
    template: &str,
    setup: &CiSetup,
    project: Option<&str>,
) -> String {
    let CiSetup { source, environments, place, branch } = setup;
    let AppliedBranch { name: branch, choice } = branch;
    let mut text = own(template, project);
    if let Some(project) = project {
        text = text
            .replace("name: portvakt ", &format!("name: portvakt {project} "))
            .replace("definition: portvakt ", &format!("definition: portvakt {project} "))
            .replace("name it `portvakt ", &format!("name it `portvakt {project} "))
            .replace("category: portvakt\n", &format!("category: portvakt {project}\n"))
            .replace("\"portvakt: ", &format!("\"portvakt {project}: "));
        text = match host {
            // Of a job, not the input of a step.
            CiHost::Github => text
                .replace("\n    environment: ${{", &format!("\n    environment: {project}/${{{{")),
            CiHost::Gitlab => text.replace(
                "\n    name: $PORTVAKT_ENV",
                &format!("\n    name: {}$PORTVAKT_ENV", gitlab_environments(project)),
            ),
            CiHost::Azure => azure_names(&text, project),
        };
    }
    if !place.folder.is_empty() {
        text = in_folder(host, &text, &place.folder, project.unwrap_or_default());
    }
    text = text
        .replace("[main]", &format!("[\"{branch}\"]"))
        .replace("refs/heads/main", &format!("refs/heads/{branch}"));
    if *choice == BranchChoice::Named {
        text = text.replace("$CI_DEFAULT_BRANCH", &format!("\"{branch}\""));
    }
    let environments: Vec<&str> = environments.iter().map(String::as_str).collect();
    for part in [azure_stages, listed] {
        text = text.replace(&part(&ENVIRONMENTS), &part(&environments));
    }
    text = text
        .replace(&gitlab_applies(&ENVIRONMENTS, project), &gitlab_applies(&environments, project));
    source.fill(&text, release::TAG)
}

fn listed(environments: &[&str]) -> String {
    let names: Vec<String> = environments.iter().map(|name| format!("\"{name}\"")).collect();
    format!("[{}]", names.join(", "))
}

/// The jobs of GitLab CI that apply, each after those before it.
fn gitlab_applies(environments: &[&str], project: Option<&str>) -> String {
    let mut needs = "portvakt-reviewed".to_owned();
    let mut jobs = String::new();
    for name in environments {
        let job = format!("portvakt-apply-to-{name}");
        jobs += &format!(
            "{job}:\n  extends: .portvakt-apply\n  needs: [{needs}]\n  variables: {{ PORTVAKT_ENV: \
             \"{name}\" }}\n\n"
        );
        needs += &format!(", {job}");
    }
    own(&jobs, project)
}

/// The jobs of a folder below the top: they read it, and run for changes in it.
fn in_folder(host: CiHost, text: &str, folder: &str, project: &str) -> String {
    let of_own_files = match host {
        CiHost::Github => format!(".github/workflows/portvakt-{project}-*.yml"),
        CiHost::Gitlab => format!(".gitlab/portvakt-{project}.gitlab-ci.yml"),
        CiHost::Azure => format!(".azure-pipelines/portvakt-{project}-*.yml"),
    };
    let text = text
        .replace("directory: .\n", &format!("directory: \"{folder}\"\n"))
        .replace("FOLDER: .\n", &format!("FOLDER: \"{folder}\"\n"))
        .replace("portvakt -C . ", &format!("portvakt -C {folder} "))
        .replace(
            "    paths-ignore: [\"**.md\"]\n",
            &format!("    paths: [\"{folder}/**\", \"{of_own_files}\"]\n"),
        )
        .replace(
            "  paths:\n    exclude: [\"**/*.md\"]\n",
            &format!("  paths:\n    include: [\"{folder}/*\", \"{of_own_files}\"]\n"),
        );
    match host {
        CiHost::Github | CiHost::Azure => text,
        CiHost::Gitlab => {
            let changes = format!("      changes: [\"{folder}/**/*\", \"{of_own_files}\"]\n");
            let of_a_change =
                |line: &str| line.starts_with("    - if: ") && !line.contains("\"schedule\"");
            let lines = text.split_inclusive('\n').map(|line| match of_a_change(line) {
                true => format!("{line}{changes}"),
                false => line.to_owned(),
            });
            lines.collect()
        }
    }
}

/// The stages of Azure Pipelines that apply, each after those before it.
fn azure_stages(environments: &[&str]) -> String {
    let mut after = vec!["plan".to_owned()];
    let mut stages = String::new();
    for environment in environments {
        let before = after.join(", ");
        stages += &format!("      - {{ environment: \"{environment}\", after: [{before}] }}\n");
        after.push(format!("apply_{}", environment.replace('-', "_")));
    }
    stages
}
