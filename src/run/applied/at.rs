//! Declarations at a commit, and the branch whose commits may be applied.

use jiff::civil::Date;

use super::names::shown_folder;
use crate::declare::{self, Diagnostic, Repository, Rule};
use crate::history::{self, Branch, FileLink, History, Links, Refs};
use crate::run::checkout;
use domain::Desired;

/// A commit, and the place of declarations in it.
pub(crate) struct At<'a> {
    pub(crate) commit: &'a str,
    /// The folder of portvakt.yaml, from the top of the git repository.
    pub(crate) folder: &'a str,
    pub(crate) environment: &'a str,
}

/// The declarations at a commit, even if they break current rules. The error is the reason why they cannot be
/// read.
pub(crate) fn declared_at(
    history: &History,
    here: &Repository,
    at: &At<'_>,
) -> Result<Desired, String> {
    read_at(history, here, at).map(|(_, desired)| desired)
}

/// The same, with the repository as it is at the commit.
pub(crate) fn read_at(
    history: &History,
    here: &Repository,
    at: &At<'_>,
) -> Result<(Repository, Desired), String> {
    at.desired(files_at(history, here, at.commit, at.folder)?)
}

/// The same for a commit that was applied.
pub(crate) fn applied_at(
    history: &History,
    here: &Repository,
    at: &At<'_>,
) -> Result<(Repository, Desired), String> {
    at.desired(applied_files_at(history, here, at.commit, at.folder)?)
}

/// The declarations at a commit that is to be applied, checked by the current rules. The error describes the
/// problem.
pub(crate) fn valid_at(
    history: &History,
    here: &Repository,
    at: &At<'_>,
    today: Date,
) -> Result<Desired, String> {
    let desired = files_at(history, here, at.commit, at.folder)?.desired(at.environment, today);
    desired.map(|(desired, _)| desired).map_err(|why| at.invalid(why))
}

/// The repository at a commit. Its links may not have been checked in a work tree: the files behind them are
/// not known.
pub(crate) fn files_at(
    history: &History,
    here: &Repository,
    commit: &str,
    folder: &str,
) -> Result<Repository, String> {
    let (there, links) = read_files(history, here, commit, folder)?;
    let is_read = |target: &String| there.includes(target);
    let hides =
        |link: &&FileLink| there.includes(&link.path) && !link.target.as_ref().is_some_and(is_read);
    match links.followed().iter().find(hides) {
        Some(FileLink { path, .. }) => {
            Err(in_folder(folder, &format!("{path} is a symbolic link to what is not read there")))
        }
        None => Ok(there),
    }
}

/// The repository at a commit that was applied: the apply has read it, including links.
pub(crate) fn applied_files_at(
    history: &History,
    here: &Repository,
    commit: &str,
    folder: &str,
) -> Result<Repository, String> {
    read_files(history, here, commit, folder).map(|(there, _)| there)
}

fn read_files(
    history: &History,
    here: &Repository,
    commit: &str,
    folder: &str,
) -> Result<(Repository, Links), String> {
    let history::CommitFiles { settings, yaml, links, submodules, unread, rest } =
        history.files(commit, folder).map_err(|error| error.to_string())?;
    let there = declare::read(here.root(), &settings, yaml, &|path| rest.file(path));
    let there = there.map_err(|found| invalid(commit, folder, &found))?;
    let submodules = submodules.iter().filter(|(path, _)| !there.excludes(path));
    let unread = unread.iter().filter(|(path, _)| there.includes(path));
    match submodules.chain(unread).next() {
        Some((_, why)) => Err(in_folder(folder, &why.to_string())),
        None => Ok((there, links)),
    }
}

fn in_folder(folder: &str, why: &str) -> String {
    match folder {
        "" => why.to_owned(),
        folder => format!("in folder {folder}: {why}"),
    }
}

/// Another folder of the work tree, by its path from the top of the git repository.
pub(crate) fn files_here(here: &Repository, folder: &str) -> Result<Repository, String> {
    let top = history::top(here.root()).ok_or("this is not a git repository")?;
    checkout::load(&top.join(folder)).map_err(|found| unread(&found, folder))
}

impl At<'_> {
    fn desired(&self, there: Repository) -> Result<(Repository, Desired), String> {
        match there.desired_before(self.environment) {
            Ok(desired) => Ok((there, desired)),
            Err(why) => Err(self.invalid(why)),
        }
    }

    /// The reason why these declarations are not accepted.
    fn invalid(&self, why: declare::Invalid) -> String {
        let Self { commit, folder, environment } = self;
        match why {
            declare::Invalid::Environment(_) => {
                format!("commit {commit} has no environment `{environment}`")
            }
            declare::Invalid::Declarations(found) => invalid(commit, folder, &found),
        }
    }
}

/// The reason why the declarations of a commit are not accepted.
fn invalid(commit: &str, folder: &str, found: &[Diagnostic]) -> String {
    let Some(first) = first_error(found) else {
        return format!("the declarations at commit {commit} cannot be read");
    };
    let remedy = match first.code {
        Rule::Filtered => {
            "; it is so in git itself, and only a commit that holds it as plain text can be read"
        }
        _ => "",
    };
    let why = if first.hides { "cannot be read" } else { "break a rule of today" };
    format!("the declarations at commit {commit} {why}: {}{remedy}", said(first, folder))
}

/// The error that prevents reading, or else the first broken rule.
fn first_error(found: &[Diagnostic]) -> Option<&Diagnostic> {
    let errors = || found.iter().filter(|found| found.is_error());
    errors().find(|found| found.hides).or_else(|| errors().next())
}

/// A finding about a file of a folder, in one line.
fn said(Diagnostic { code, file, line, message, .. }: &Diagnostic, folder: &str) -> String {
    let code = code.code();
    match folder {
        "" => format!("{file}:{line}: {code}: {message}"),
        folder => format!("{folder}/{file}:{line}: {code}: {message}"),
    }
}

/// The reason why another folder cannot be read.
pub(crate) fn unread(found: &[Diagnostic], folder: &str) -> String {
    let shown = shown_folder(folder);
    let why =
        first_error(found).map_or_else(String::new, |first| format!(": {}", said(first, folder)));
    format!("the declarations in folder {shown} cannot be read{why}")
}

/// The branch whose commits may be applied: the one that portvakt.yaml names on the remote's default branch,
/// else the default branch. The setting on any other branch is ignored. `None` without a remote.
///
/// # Errors
/// It is not known which branch that is.
pub(crate) fn apply_from(
    history: &History,
    refs: &Refs,
    folder: &str,
) -> Result<Option<Branch>, String> {
    if !history.is_shared() {
        return Ok(None);
    }
    let default = match &refs.default_branch {
        Some(default) => default.clone(),
        None => history.only_branch().map_err(|error| error.to_string())?.ok_or(
            "the remote's HEAD leads to no branch, and which of its branches is meant is not clear: set \
             it with `git symbolic-ref HEAD refs/heads/main` there",
        )?,
    };
    let chosen = history.settings(&default, folder).map_err(|error| error.to_string())?;
    let chosen = chosen.and_then(|bytes| declare::outline(&bytes)?.apply_from);
    match chosen {
        Some(name) if name != default.name => named(history, &name).map(Some),
        _ => Ok(Some(default)),
    }
}

fn named(history: &History, name: &str) -> Result<Branch, String> {
    let found = history.branch(name).map_err(|error| error.to_string())?;
    found.ok_or_else(|| {
        format!("`apply_from` in portvakt.yaml names branch {name}, which the remote does not have")
    })
}
