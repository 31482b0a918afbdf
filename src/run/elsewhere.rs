//! Declarations of other places in the git repository for the same API and organisation.

use std::collections::BTreeSet;

use super::applied::{self, AppliedElsewhere, At, files_here};
use crate::declare::{Invalid, Repository, SETTINGS_FILE};
use crate::history::{self, History, Placement};
use domain::{Applied, Beside, Desired};

/// Declarations of other places.
#[derive(Default)]
pub(crate) struct Neighbours {
    /// Those that can be read.
    pub(crate) beside: Vec<Beside>,
    /// Those that cannot be read, with the reason.
    pub(crate) unread: Option<String>,
}

/// Source of the other folders: commits, or the work tree if there is none.
#[derive(Clone, Copy)]
pub(crate) struct FolderSource<'a> {
    pub(crate) history: &'a History,
    /// The commit that is checked out, and the one to roll back to.
    pub(crate) commits: &'a [&'a str],
    /// Whether the last apply of another place counts at any commit; otherwise only applies of later commits
    /// than these.
    pub(crate) is_rollback: bool,
}

/// Reads the declarations of other environments and of other folders with a portvakt.yaml. Without `applied`,
/// each counts as applied.
pub(crate) fn look(
    repository: &Repository,
    own: &Desired,
    at: Option<FolderSource<'_>>,
    applied: Option<&AppliedElsewhere>,
) -> Neighbours {
    let mut found = Neighbours::default();
    let Ok(here) = applied::placement(repository, own) else { return found };
    found.add(&here.folder, repository, &here, applied);
    // An embedded sandbox belongs to one folder.
    if here.is_embedded() {
        return found;
    }
    if let (Some(at), Some(applied)) = (at, applied) {
        found.add_applied(at, applied);
    }
    let below = match here.folder.as_str() {
        "" => String::new(),
        folder => format!("{folder}/"),
    };
    // A folder with applies must not be dropped by a change that makes it unreadable.
    let was_applied = |folder: &str| {
        let name = history::place_name(history::project(None, folder).as_deref(), "");
        applied.is_none_or(|applied| applied.keys().any(|applied| applied.starts_with(&name)))
    };
    let is_excluded = |folder: &str| {
        !was_applied(folder)
            && folder.strip_prefix(&below).is_some_and(|inside| {
                let settings = format!("{inside}/{SETTINGS_FILE}");
                repository.excludes(inside) || repository.excludes(&settings)
            })
    };
    let all = folders(repository, at, &mut found);
    let gone = gone(&all, at);
    let all = all.into_iter().filter(|(_, folder)| !gone.contains(folder));
    for (commit, folder) in all.filter(|(_, folder)| *folder != here.folder) {
        let other = match (at, commit) {
            (Some(FolderSource { history, .. }), Some(commit)) => {
                At { history, here: repository, commit, folder: &folder }.files()
            }
            _ => files_here(repository, &folder),
        };
        let mut seen = Neighbours::default();
        match other {
            Ok(other) => seen.add(&folder, &other, &here, applied),
            Err(why) => seen.leave_out(why),
        }
        found.beside.extend(seen.beside);
        // A readable folder counts even if it is excluded: a change could exclude the entities that it
        // deactivates.
        found.unread = found.unread.or(seen.unread.filter(|_| !is_excluded(&folder)));
    }
    found
}

/// The folders with a portvakt.yaml, each with its commit; `None` for the work tree.
fn folders<'a>(
    repository: &Repository,
    at: Option<FolderSource<'a>>,
    found: &mut Neighbours,
) -> Vec<(Option<&'a str>, String)> {
    let Some(FolderSource { history, commits, .. }) = at else {
        return history::folders(repository.root()).into_iter().map(|it| (None, it)).collect();
    };
    let mut all = Vec::new();
    for commit in commits {
        match history.folders_at(commit) {
            Ok(folders) => all.extend(folders.into_iter().map(|it| (Some(*commit), it))),
            Err(error) => found.leave_out(error.to_string()),
        }
    }
    all
}

/// In a rollback, the folders that no longer exist: they declare nothing, whatever they had at the commit to roll back
/// to.
fn gone(all: &[(Option<&str>, String)], at: Option<FolderSource<'_>>) -> BTreeSet<String> {
    let Some(FolderSource { is_rollback: true, commits: [.., today], .. }) = at else {
        return BTreeSet::new();
    };
    let (now, then): (Vec<_>, Vec<_>) =
        all.iter().partition(|(commit, _)| commit.as_ref() == Some(today));
    let now: BTreeSet<_> = now.into_iter().map(|(_, folder)| folder).collect();
    let then = then.into_iter().map(|(_, folder)| folder);
    then.filter(|folder| !now.contains(folder)).cloned().collect()
}

impl Neighbours {
    /// Adds the declarations of a folder.
    fn add(
        &mut self,
        folder: &str,
        repository: &Repository,
        here: &Placement,
        applied: Option<&AppliedElsewhere>,
    ) {
        let organization = repository.settings().organization;
        let project = history::project(repository.settings().project.as_deref(), folder);
        for environment in repository.environments() {
            let api = repository.environment(environment).and_then(applied::api_of);
            let is_own = folder == here.folder && environment == here.environment;
            let is_other = api.as_ref().is_some_and(|api| *api != here.api)
                || organization.is_some_and(|organization| organization != here.organization);
            if is_own || is_other {
                continue;
            }
            let desired = match repository.desired_before(environment) {
                Ok(desired) if api.is_some() => desired,
                Ok(_) | Err(Invalid::Environment(_)) => {
                    self.leave_out(applied::unread(&[], folder));
                    continue;
                }
                Err(Invalid::Declarations(why)) => {
                    self.leave_out(applied::unread(&why, folder));
                    continue;
                }
            };
            let name = history::place_name(project.as_deref(), environment);
            let last = applied.and_then(|applied| applied.get(&name));
            self.beside.push(Beside {
                place: applied::called(environment, folder),
                is_applied: applied.is_none() || last.is_some(),
                applied: last.and_then(|last| Some(last.as_ref()?.desired.clone())),
                desired,
            });
        }
    }

    /// Adds the entities of other places' applies, which those places manage by now.
    fn add_applied(&mut self, at: FolderSource<'_>, applied: &AppliedElsewhere) {
        let FolderSource { history, commits, is_rollback } = at;
        for (name, last) in applied {
            let Some(Applied { commit: last, desired }) = last else { continue };
            let is_newer =
                |commit: &&str| matches!(history.is_before(commit, last), Ok(Some(true)));
            if is_rollback || commits.iter().all(is_newer) {
                self.beside.push(Beside {
                    place: format!("{name} at commit {last}"),
                    is_applied: true,
                    applied: Some(desired.clone()),
                    desired: desired.clone(),
                });
            }
        }
    }

    fn leave_out(&mut self, why: String) {
        self.unread.get_or_insert(why);
    }
}
