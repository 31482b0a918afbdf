//! What other places of the git repository declare, as it is checked out.

use super::applied;
use crate::declare::{self, Repository};
use crate::domain::Desired;
use crate::history::{self, Placement};

/// What other environments and other folders with a portvakt.yaml declare for the same API and
/// organisation. What of them cannot be read is left out.
pub(super) fn declared(repository: &Repository, own: &Desired) -> Vec<Desired> {
    let Ok(here) = applied::placement(repository, own) else { return Vec::new() };
    let folders = history::other_folders(repository.root());
    let others: Vec<_> = folders.iter().filter_map(|folder| declare::load(folder).ok()).collect();
    let all = [repository].into_iter().chain(&others);
    let declared = all.flat_map(|repository| {
        let desired = repository.environments().map(|name| repository.desired_before(name));
        desired
            .flatten()
            .filter(|desired| is_beside(&here, repository, desired))
            .collect::<Vec<_>>()
    });
    declared.collect()
}

/// Whether it is another place of the same API and organisation. An embedded sandbox is of one folder.
fn is_beside(here: &Placement, repository: &Repository, desired: &Desired) -> bool {
    let Ok(there) = applied::placement(repository, desired) else { return false };
    let is_here = there.folder == here.folder;
    let is_same = there.api == here.api && there.organization == here.organization;
    is_same
        && !(is_here && there.environment == here.environment)
        && (is_here || !there.is_embedded())
}
