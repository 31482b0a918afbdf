//! What is declared at a commit, and which branch's commits may be applied.

use jiff::civil::Date;

use crate::declare::{self, Diagnostic, Repository};
use crate::domain::Desired;
use crate::history::{self, Branch, History, Refs};

/// A commit, and where in it declarations are.
pub(in crate::cli) struct At<'a> {
    pub(in crate::cli) commit: &'a str,
    /// The folder of portvakt.yaml, from the top of the git repository.
    pub(in crate::cli) folder: &'a str,
    pub(in crate::cli) environment: &'a str,
}

/// What is declared at a commit. The error says why that cannot be read.
pub(in crate::cli) fn declared_at(
    history: &History,
    here: &Repository,
    at: &At<'_>,
    today: Date,
) -> Result<Desired, String> {
    read_at(history, here, at, today).map(|(_, desired)| desired)
}

/// The repository as it is at a commit, and what it declares.
pub(in crate::cli) fn read_at(
    history: &History,
    here: &Repository,
    at: &At<'_>,
    today: Date,
) -> Result<(Repository, Desired), String> {
    let At { commit, folder, environment } = at;
    let history::Files { settings, yaml, unread, rest } =
        history.files(commit, folder).map_err(|error| error.to_string())?;
    let wrong = |found: &[Diagnostic]| {
        let first = found.iter().find(|found| found.is_error());
        let first = first.map(|found| format!(" ({}: {})", found.code.code(), found.message));
        let first = first.unwrap_or_default();
        format!("the declarations at commit {commit} are not valid{first}")
    };
    let there = declare::read(here.root(), &settings, yaml, &|path| rest.file(path))
        .map_err(|found| wrong(&found))?;
    if let Some((_, why)) = unread.iter().find(|(path, _)| !there.excludes(path)) {
        return Err(why.to_string());
    }
    match there.desired(environment, today) {
        Ok((desired, _)) => Ok((there, desired)),
        Err(declare::Invalid::Environment(_)) => {
            Err(format!("commit {commit} has no environment `{environment}`"))
        }
        Err(declare::Invalid::Declarations(found)) => Err(wrong(&found)),
    }
}

/// The branch whose commits may be applied: the one that portvakt.yaml names on the remote's default
/// branch, else that. What a branch says of itself does not count. `None` without a remote.
///
/// # Errors
/// It cannot be told which one that is.
pub(in crate::cli) fn apply_from(
    history: &History,
    refs: &Refs,
    folder: &str,
) -> Result<Option<Branch>, String> {
    if !history.is_shared() {
        return Ok(None);
    }
    let default = match refs.default_branch() {
        Some(default) => default.clone(),
        None => history.only_branch().map_err(|error| error.to_string())?.ok_or(
            "the remote's HEAD leads to no branch, and which of its branches is meant cannot be told: set \
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
