//! What other places of the git repository declare for the same API and organisation.

use std::collections::BTreeMap;

use super::applied::{self, files_at, files_here};
use crate::declare::{Invalid, Repository};
use crate::domain::{Applied, Beside, Desired, Protection};
use crate::history::{self, History, Placement};

/// What other places declare.
#[derive(Default)]
pub(super) struct Neighbours {
    /// What can be read of it.
    pub(super) beside: Vec<Beside>,
    /// What cannot be read, and why.
    pub(super) unread: Option<String>,
}

/// The other places at which something was applied to the same API, or may have been, by their names; with
/// what was applied last, as far as that is known.
pub(super) type AppliedElsewhere = BTreeMap<String, Option<Applied>>;

/// Reads what other environments and other folders with a portvakt.yaml declare: the folders as they are at
/// a commit, or as they are checked out where there is none. Without `applied`, each counts as applied.
pub(super) fn look(
    repository: &Repository,
    own: &Desired,
    at: Option<(&History, &str)>,
    applied: Option<&AppliedElsewhere>,
) -> Neighbours {
    let mut found = Neighbours::default();
    let Ok(here) = applied::placement(repository, own) else { return found };
    found.add(&here.folder, repository, &here, applied);
    // An embedded sandbox is of one folder.
    if here.is_embedded() {
        return found;
    }
    if let (Some((history, commit)), Some(applied)) = (at, applied) {
        found.add_newer(history, commit, applied);
    }
    let folders = match at {
        Some((history, commit)) => history.folders_at(commit).map_err(|error| error.to_string()),
        None => Ok(history::folders(repository.root())),
    };
    let folders = folders.unwrap_or_else(|why| {
        found.unread = Some(why);
        Vec::new()
    });
    let below = match here.folder.as_str() {
        "" => String::new(),
        folder => format!("{folder}/"),
    };
    let is_excluded = |folder: &str| {
        folder.strip_prefix(&below).is_some_and(|inside| repository.excludes(inside))
    };
    for folder in folders.iter().filter(|folder| **folder != here.folder && !is_excluded(folder)) {
        let other = match at {
            Some((history, commit)) => files_at(history, repository, commit, folder),
            None => files_here(repository, folder),
        };
        match other {
            Ok(other) => found.add(folder, &other, &here, applied),
            Err(why) => found.leave_out(why),
        }
    }
    found
}

impl Neighbours {
    /// Adds what a folder declares.
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
                protected: last.and_then(|last| Some(Protection::of(&last.as_ref()?.desired))),
                desired,
            });
        }
    }

    /// Adds what other places applied that come after a commit: what they declare is theirs by now.
    fn add_newer(&mut self, history: &History, commit: &str, applied: &AppliedElsewhere) {
        for (name, last) in applied {
            let Some(Applied { commit: last, desired }) = last else { continue };
            if matches!(history.is_before(commit, last), Ok(Some(true))) {
                self.beside.push(Beside {
                    place: format!("{name} at commit {last}"),
                    is_applied: true,
                    protected: Some(Protection::of(desired)),
                    desired: desired.clone(),
                });
            }
        }
    }

    fn leave_out(&mut self, why: String) {
        self.unread.get_or_insert(why);
    }
}
