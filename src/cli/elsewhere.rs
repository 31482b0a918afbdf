//! What other places of the git repository declare, as it is checked out.

use std::path::Path;

use super::{applied, session};
use crate::declare::{self, Diagnostic, Environment, Invalid, Repository, SETTINGS_FILE};
use crate::domain::{Beside, Desired};
use crate::history::{self, Placement};

/// What other places declare for the same API and organisation.
#[derive(Default)]
pub(super) struct Elsewhere {
    /// What can be read of it.
    pub(super) beside: Vec<Beside>,
    /// A folder that cannot be read, and why.
    pub(super) unread: Option<String>,
}

/// Reads what other environments and other folders with a portvakt.yaml declare. `is_applied` tells whether
/// something was applied at a place of that name.
pub(super) fn look(
    repository: &Repository,
    own: &Desired,
    is_applied: &dyn Fn(&str) -> bool,
) -> Elsewhere {
    let mut found = Elsewhere::default();
    let Ok(here) = applied::placement(repository, own) else { return found };
    found.add(repository, &here, is_applied);
    for folder in history::other_folders(repository.root()) {
        match session::load(&folder) {
            Ok(other) => found.add(&other, &here, is_applied),
            Err(why) if may_lead_to(&folder, &here) => {
                found.leave_out(&folder, &why);
            }
            Err(_) => {}
        }
    }
    found
}

impl Elsewhere {
    /// Adds what a folder declares. An embedded sandbox is of one folder.
    fn add(
        &mut self,
        repository: &Repository,
        here: &Placement,
        is_applied: &dyn Fn(&str) -> bool,
    ) {
        let folder = applied::folder(repository);
        let is_here = folder == here.folder;
        if here.is_embedded() && !is_here {
            return;
        }
        for environment in repository.environments() {
            let is_own = is_here && environment == here.environment;
            let declared = repository.environment(environment);
            if is_own || !declared.is_some_and(|declared| leads_to(repository, declared, here)) {
                continue;
            }
            match repository.desired_before(environment) {
                Ok(desired) => {
                    let place = applied::called(environment, &folder);
                    let is_applied = is_applied(&applied::place(repository, environment));
                    self.beside.push(Beside { place, is_applied, desired });
                }
                Err(Invalid::Declarations(why)) => self.leave_out(repository.root(), &why),
                Err(Invalid::Environment(_)) => {}
            }
        }
    }

    fn leave_out(&mut self, folder: &Path, why: &[Diagnostic]) {
        let folder = history::prefix(folder).trim_end_matches('/').to_owned();
        self.unread.get_or_insert_with(|| applied::unread(why, &folder));
    }
}

/// Whether an environment is of the same API and organisation.
fn leads_to(repository: &Repository, declared: &Environment, here: &Placement) -> bool {
    let organization = repository.settings().organization;
    organization == Some(here.organization) && applied::api_of(declared) == Some(here.api.clone())
}

/// Whether a folder could have an environment of the same API, as far as its portvakt.yaml can be read.
fn may_lead_to(folder: &Path, here: &Placement) -> bool {
    let text = std::fs::read(folder.join(SETTINGS_FILE)).unwrap_or_default();
    let Some(outline) = declare::outline(&text) else { return true };
    outline
        .environments
        .values()
        .any(|declared| applied::api_of(declared) == Some(here.api.clone()))
}
