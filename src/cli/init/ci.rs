//! The files of CI hosts.

mod template;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use self::template::{filled, gitlab_environments, own};
use super::source::{ProgramSource, is_plain};
use super::{InitFiles, NewFile};
use crate::cli::exit::Failure;
use crate::declare::{self, EnvironmentTarget, SETTINGS_FILE, Settings};
use crate::history::{self, DefaultBranch};
use crate::run::checkout;
use domain::text::printable;

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

/// Values for the templates of a folder's jobs.
pub(super) struct CiSetup {
    pub(super) source: ProgramSource,
    /// The environments that jobs apply to, production last.
    pub(super) environments: Vec<String>,
    pub(super) place: CiPlace,
    pub(super) branch: AppliedBranch,
}

/// The branch whose commits are applied.
pub(super) struct AppliedBranch {
    name: String,
    choice: BranchChoice,
}

/// Why a branch is the one that is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BranchChoice {
    /// The default branch of the remote.
    Default,
    /// `apply_from` names it, and it is not known to be the default branch.
    Named,
    /// Nothing says which one is the default branch; the reason for this one, in words.
    Guess(&'static str),
}

/// Where the files of a host belong, and the folder that their jobs are about.
pub(super) struct CiPlace {
    /// The top of the git repository; outside git the folder itself.
    top: PathBuf,
    /// The folder of portvakt.yaml, from the top; empty at the top.
    folder: String,
}

/// The characters that paths and branches may have beside letters and digits.
const IN_PATHS: &str = "._-/";

/// The branch of the templates.
const MAIN: &str = "main";

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
    let environments =
        |kind, name: &str| ["", "-read", "-due"].map(|end| (kind, format!("{name}{end}")));
    match host {
        CiHost::Github => environments("GitHub environment", &name).to_vec(),
        CiHost::Gitlab => environments("GitLab environment", &name).to_vec(),
        CiHost::Azure => {
            let job = name.replace('-', "_");
            let fork = format!("of_a_fork_{job}");
            vec![("name of a job", job), ("name of a job", fork)]
        }
    }
}

impl CiPlace {
    /// The place of a folder, which may not exist yet.
    ///
    /// # Errors
    /// Its path has characters that are not plain in YAML, globs and shells.
    pub(super) fn of(root: &Path) -> Result<Self, Failure> {
        let absolute = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        let existing = absolute.ancestors().find_map(|above| {
            let real = above.canonicalize().ok()?;
            Some(real.join(absolute.strip_prefix(above).ok()?))
        });
        let real = existing.unwrap_or(absolute);
        let Some(top) = real.ancestors().find_map(history::top) else {
            return Ok(Self { top: root.to_owned(), folder: String::new() });
        };
        let top = top.canonicalize().unwrap_or(top);
        let below = real.strip_prefix(&top).unwrap_or(Path::new(""));
        let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
        let folder = parts.join("/");
        if !folder.is_empty() && !is_plain(&folder, IN_PATHS) {
            let other = transliterated(&folder);
            let example = match is_plain(&other, IN_PATHS) {
                true => format!(", {other} for example"),
                false => String::new(),
            };
            return Err(Failure::Usage(format!(
                "the folder {} has characters that CI files cannot name safely. Give it a name of the letters a \
                 to z, digits, `.`, `_`, `-` and `/`{example}; `git mv` renames one that is there",
                printable(&folder)
            )));
        }
        // At the top, files are named as the user named the folder.
        let top = if folder.is_empty() { root.to_owned() } else { top };
        Ok(Self { top, folder })
    }

    /// The name of the folder in the names of its files, jobs and environments at the host.
    fn project(&self, named: Option<&str>) -> Option<String> {
        history::project(named, &self.folder)
    }
}

/// A name in plain letters, as it is usual for Norwegian ones.
fn transliterated(text: &str) -> String {
    let plain = text.chars().map(|c| match c {
        'æ' => "ae".to_owned(),
        'ø' => "oe".to_owned(),
        'å' => "aa".to_owned(),
        'Æ' => "Ae".to_owned(),
        'Ø' => "Oe".to_owned(),
        'Å' => "Aa".to_owned(),
        c if c.is_ascii_alphanumeric() || IN_PATHS.contains(c) => c.to_string(),
        _ => "-".to_owned(),
    });
    plain.collect()
}

/// The branch whose commits are applied: as portvakt.yaml says, or else the default branch of the remote.
///
/// # Errors
/// Its name has characters that are not plain in YAML, globs and shells.
pub(super) fn branch(named: Option<&str>, place: &CiPlace) -> Result<AppliedBranch, Failure> {
    let default = history::default_branch(&place.top, checkout::secrets(&place.top));
    let (branch, choice) = match (named, default) {
        (Some(named), Some(DefaultBranch::OfRemote(default))) if named == default => {
            (default, BranchChoice::Default)
        }
        (Some(named), _) => (named.to_owned(), BranchChoice::Named),
        (None, Some(DefaultBranch::OfRemote(default))) => (default, BranchChoice::Default),
        (None, Some(DefaultBranch::CheckedOut(branch))) => {
            (branch, BranchChoice::Guess("which is checked out here"))
        }
        (None, None) => (MAIN.to_owned(), BranchChoice::Guess("the usual one")),
    };
    match is_plain(&branch, IN_PATHS) {
        true => Ok(AppliedBranch { name: branch, choice }),
        false => Err(Failure::Usage(format!(
            "the branch {} has characters that CI files cannot name safely: use letters, digits, `.`, \
             `_`, `-` and `/`",
            printable(&branch)
        ))),
    }
}

/// Refuses a folder that would share all names at the host with another one of the git repository: hosts do
/// not distinguish upper and lower case.
pub(super) fn refuse_shared_project(place: &CiPlace, named: Option<&str>) -> Result<(), Failure> {
    let lower = |name: Option<String>| name.map(|name| name.to_lowercase());
    let own = lower(place.project(named));
    let is_shared = |folder: &String| {
        let settings = std::fs::read(place.top.join(folder).join(SETTINGS_FILE));
        let named = settings.ok().and_then(|bytes| declare::readable_settings(&bytes)?.project);
        *folder != place.folder && lower(history::project(named.as_deref(), folder)) == own
    };
    match history::folders(&place.top).into_iter().find(is_shared) {
        None => Ok(()),
        Some(other) => Err(Failure::Usage(format!(
            "the folder {} of this git repository would have the same names in CI, and with them the \
             secrets and the approvals of this one. Set another `project` in portvakt.yaml",
            printable(&other)
        ))),
    }
}

/// Adds a host's files.
pub(super) fn add(files: &mut InitFiles, host: CiHost, setup: &CiSetup, named: Option<&str>) {
    let project = setup.place.project(named);
    let project = project.as_deref();
    let top = &setup.place.top;
    let mut add = |file: &str, text: String| {
        files.new.push(NewFile { path: top.join(file), shown: file.to_owned(), text });
    };
    let templates = match host {
        CiHost::Github => GITHUB,
        CiHost::Gitlab => GITLAB,
        CiHost::Azure => AZURE,
    };
    for (file, template) in templates {
        add(&own(file, project), filled(host, template, setup, project));
    }
    if host == CiHost::Gitlab {
        let (entry, template) = GITLAB_ENTRY;
        let path = top.join(entry);
        match path.symlink_metadata() {
            Err(_) => add(entry, filled(host, template, setup, project)),
            Ok(_) => {
                let present = std::fs::read_to_string(&path).unwrap_or_default();
                let included = own(GITLAB[0].0, project);
                files.by_hand.extend(entry_steps(&present, &included, &setup.branch.name));
            }
        }
    }
    if setup.source.is_placeholder() {
        files.next.push(
            "this is a development build, which does not know where portvakt is published: put the owner \
             of its repository in the place of OWNER, and a release in the place of its tag; `--source \
             OWNER/NAME@TAG` writes both. A tag can be moved: on GitHub name the commit of the release"
                .to_owned(),
        );
    }
    if let (CiHost::Github, Some((repository, tag))) = (host, setup.source.movable()) {
        files.next.push(format!(
            "the workflows name portvakt by the tag {tag}, which whoever can write to {repository} can \
             move to another program, and zizmor reports it (unpinned-uses): write the commit of that \
             release instead, with `# {tag}` behind it"
        ));
    }
    let own_files: Vec<_> = templates.iter().map(|(file, _)| own(file, project)).collect();
    files.next.extend(of_the_branch(host, &setup.branch, &own_files));
    files.next.push(to_make(host, setup, project));
}

/// Lists what a person has to change in a .gitlab-ci.yml that is there already, so that it includes the file of a
/// folder and all stages are known. The keys of that file replace those of the files it includes.
fn entry_steps(present: &str, included: &str, branch: &str) -> Vec<String> {
    let (entry, _) = GITLAB_ENTRY;
    let mut lines = present.lines().filter(|line| !line.trim_start().starts_with('#'));
    let has = |key: &str| present.lines().any(|line| line.starts_with(key));
    if lines.any(|line| line.trim().trim_start_matches("- ") == format!("local: {included}")) {
        return Vec::new();
    }
    let mut steps = vec![match has("include:") {
        true => format!(
            "append the entry `- local: {included}` to the list under `include` in {entry} (make it a \
             list if it is none); a second `include` would replace the first"
        ),
        false => format!("add `include: [{{ local: {included} }}]` to {entry}"),
    }];
    let mut others = present.lines().filter(|line| {
        !line.starts_with([' ', '#', '-'])
            && !line.trim().is_empty()
            && !line.starts_with("include:")
    });
    // What portvakt wrote for another folder has no jobs, and the stages are in what it includes.
    if others.next().is_none() && has("include:") {
        return steps;
    }
    steps.push(match has("stages:") {
        true => format!("let `stages` in {entry} have check, review, apply and after too, in this order"),
        false => format!(
            "add `stages: [build, test, deploy, check, review, apply, after]` to {entry}: without it, the \
             pipeline would have the last four alone"
        ),
    });
    if has("workflow:") {
        steps.push(format!(
            "check that `workflow` in {entry} lets through merge requests and, on the branch {branch}, \
             pushes, schedules and pipelines that are started by hand (web)"
        ));
    }
    steps
}

/// The branch that the jobs apply, and what to do if it is meant to be another one.
fn of_the_branch(host: CiHost, branch: &AppliedBranch, own_files: &[String]) -> Vec<String> {
    let AppliedBranch { name, choice } = branch;
    let reason = match choice {
        BranchChoice::Default => ", the default branch of the remote".to_owned(),
        BranchChoice::Named => ", as `apply_from` in portvakt.yaml says".to_owned(),
        BranchChoice::Guess(which) => {
            format!(", {which}, as the default branch of a remote is not known")
        }
    };
    let mut all = vec![format!(
        "the jobs apply what is on the branch {name}{reason}. For another one, set `apply_from` in \
         portvakt.yaml, remove {}, and run `init --ci` again",
        own_files.join(", ")
    )];
    if (host, *choice) == (CiHost::Github, BranchChoice::Named) {
        all.push(format!(
            "GitHub runs scheduled workflows on the default branch only: unless {name} is that, what a date \
             asks for is not applied at night. Make {name} the default branch, or start `portvakt drift` on \
             it by hand"
        ));
    }
    all
}

/// Lists what a person has to make at the host, by its names.
fn to_make(host: CiHost, setup: &CiSetup, project: Option<&str>) -> String {
    let each = |begin: &str, end: &str| {
        let names = setup.environments.iter().map(|name| format!("{begin}{name}{end}"));
        names.collect::<Vec<_>>().join(", ")
    };
    let branch = &setup.branch.name;
    match host {
        CiHost::Github => {
            let begin = project.map(|project| format!("{project}/")).unwrap_or_default();
            format!(
                "make the GitHub environments {} (read) and, for the branch {branch} alone, {} (write) and {} \
                 (write, at night, without approval), with the secrets that the workflows name, and require the \
                 check `portvakt{} checks`",
                each(&begin, "-read"),
                each(&begin, ""),
                each(&begin, "-due"),
                project.map(|project| format!(" {project}")).unwrap_or_default()
            )
        }
        CiHost::Gitlab => {
            let begin = project.map(gitlab_environments).unwrap_or_default();
            format!(
                "make the variables of the environments {} (read) and, protected, {} (write) and {} (write, at \
                 night, without approval), the token and the schedule that {} names, and protect the branch \
                 {branch}",
                each(&begin, "-read"),
                each(&begin, ""),
                each(&begin, "-due"),
                own(GITLAB[0].0, project)
            )
        }
        CiHost::Azure => {
            let files = own("portvakt-", project);
            let begin = project.map_or("portvakt-".to_owned(), |it| format!("portvakt-{it}."));
            format!(
                "make a pipeline of each file (not of {files}install.yml), the variable groups {} \
                 and, with a branch control check for {branch} alone, {} and {} (for the nightly pipeline, without \
                 approval), and the environments {}",
                each(&format!("{begin}read-"), ""),
                each(&format!("{begin}write-"), ""),
                each(&format!("{begin}due-"), ""),
                each(&begin, "")
            )
        }
    }
}
