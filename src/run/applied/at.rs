//! Declarations at a commit, and the branch whose commits may be applied.

use jiff::civil::Date;

use super::names::shown_folder;
use crate::declare::{self, Diagnostic, Repository, Rule};
use crate::history::{self, Branch, FileLink, History, Links, Refs};
use crate::run::checkout;
use domain::Desired;

/// A folder of declarations at a commit. The errors of its methods are the reasons why they cannot be read.
pub(crate) struct At<'a> {
    pub(crate) history: &'a History,
    /// The repository in the work tree.
    pub(crate) here: &'a Repository,
    pub(crate) commit: &'a str,
    /// The folder of portvakt.yaml, from the top of the git repository.
    pub(crate) folder: &'a str,
}

impl At<'_> {
    /// The repository as it is there, and the declarations of an environment, even if they break current rules.
    pub(crate) fn declared(&self, environment: &str) -> Result<(Repository, Desired), String> {
        self.desired(self.files()?, environment)
    }

    /// The same at a commit that was applied.
    pub(crate) fn applied(&self, environment: &str) -> Result<(Repository, Desired), String> {
        self.desired(self.applied_files()?, environment)
    }

    /// The declarations of an environment at a commit that is to be applied, checked by the current rules.
    pub(crate) fn valid(&self, environment: &str, today: Date) -> Result<Desired, String> {
        let desired = self.files()?.desired(environment, today);
        desired.map(|(desired, _)| desired).map_err(|why| self.invalid(environment, why))
    }

    /// The repository there. Its links may not have been checked in a work tree: the files behind them are not
    /// known.
    pub(crate) fn files(&self) -> Result<Repository, String> {
        let (there, links) = self.read()?;
        let is_read = |target: &String| there.includes(target);
        let hides = |link: &&FileLink| {
            there.includes(&link.path) && !link.target.as_ref().is_some_and(is_read)
        };
        match links.followed().iter().find(hides) {
            Some(FileLink { path, .. }) => Err(in_folder(
                self.folder,
                &format!("{path} is a symbolic link to what is not read there"),
            )),
            None => Ok(there),
        }
    }

    /// The repository at a commit that was applied: the apply has read it, including links.
    pub(crate) fn applied_files(&self) -> Result<Repository, String> {
        self.read().map(|(there, _)| there)
    }

    fn read(&self) -> Result<(Repository, Links), String> {
        let Self { history, here, commit, folder } = self;
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

    fn desired(
        &self,
        there: Repository,
        environment: &str,
    ) -> Result<(Repository, Desired), String> {
        match there.desired_before(environment) {
            Ok(desired) => Ok((there, desired)),
            Err(why) => Err(self.invalid(environment, why)),
        }
    }

    /// The reason why these declarations are not accepted.
    fn invalid(&self, environment: &str, why: declare::Invalid) -> String {
        let Self { commit, folder, .. } = self;
        match why {
            declare::Invalid::Environment(_) => {
                format!("commit {commit} has no environment `{environment}`")
            }
            declare::Invalid::Declarations(found) => invalid(commit, folder, &found),
        }
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
    let chosen = chosen.and_then(|bytes| declare::readable_settings(&bytes)?.apply_from);
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
