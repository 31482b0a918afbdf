//! Applies of one place to the same API for the same organisation.

use std::collections::BTreeSet;

use globset::GlobSet;

use super::Reading;
use super::at::At;
use super::names::{self, clash, described};
use crate::history::{self, Baseline, Counts, Lost, Placement, Recorded, Refs};
use domain::{Applied, CommitId, Desired, Elsewhere, Entity, Guards, Protected};

/// Past of a place, from git.
#[derive(Default)]
pub(super) struct OfPlace {
    /// The declarations at the commit that was last applied in full.
    pub(super) applied: Option<Applied>,
    /// The declarations at later commits whose apply did not end in full, and for which of them each counts. Of a commit
    /// that counts for what is awaited, only that is here: the rest of it protects and limits no longer either.
    pub(super) tried: Vec<(Applied, Counts)>,
    /// The declarations at commits that do not count as applied, but protect and limit, by their record or
    /// the ledger.
    pub(super) protecting: Vec<Applied>,
    /// The same for commits that are recorded as applied, and may not be applied.
    pub(super) uncounted: Vec<Applied>,
    /// The reason why not all of it is known.
    pub(super) unknown: Option<String>,
    /// The lost part of the record.
    pub(super) lost: Option<Lost>,
    /// The record, for any API.
    pub(super) recorded: Baseline,
}

impl OfPlace {
    /// The declarations that count as applied there, in full or in part.
    pub(super) fn counting(&self) -> Option<Applied> {
        let tried = self.tried.iter().map(|(Applied { commit, desired }, counts)| {
            let (commit, mut desired) = (commit.clone(), desired.clone());
            keep(&mut desired, counts);
            Applied { commit, desired }
        });
        self.applied.iter().cloned().chain(tried).reduce(Applied::and)
    }

    /// The declarations at the commits that count, whatever they count for.
    pub(super) fn commits(&self) -> impl Iterator<Item = &Applied> {
        self.applied.iter().chain(self.tried.iter().map(|(applied, _)| applied))
    }

    /// Entities that may be active because of it: those that count, and where some are lost, all that are
    /// left.
    pub(super) fn traces(&self) -> impl Iterator<Item = &Applied> {
        let lost = self.protecting.iter().filter(|_| self.lost.is_some());
        self.commits().chain(&self.uncounted).chain(lost)
    }

    /// The declarations at all those commits.
    pub(super) fn all(&self) -> impl Iterator<Item = &Applied> {
        self.commits().chain(self.aside())
    }

    /// Those that do not count, but protect and limit.
    pub(super) fn aside(&self) -> impl Iterator<Item = &Applied> {
        self.protecting.iter().chain(&self.uncounted)
    }
}

/// Takes out of declarations what does not count.
fn keep(desired: &mut Desired, counts: &Counts) {
    if *counts != Counts::ALL {
        desired.scopes.retain(|name, _| counts.contains(&Entity::Scope(name.clone())));
        desired.removed.retain(|name, _| counts.contains(&Entity::Scope(name.clone())));
        desired.clients.retain(|name, _| counts.contains(&Entity::Client(name.clone())));
        desired.removed_clients.retain(|name, _| counts.contains(&Entity::Client(name.clone())));
    }
}

/// The guards of a commit that counts for these entities alone: it limits nothing, and protects if it protects one of
/// them.
fn guards_of(awaited: &BTreeSet<Entity>, Guards { protect, .. }: &Guards) -> Guards {
    let is_protected = awaited.iter().any(|entity| protect.is_match(entity.name()));
    Guards {
        max_deactivations: u64::MAX,
        max_revocations: u64::MAX,
        max_grants: u64::MAX,
        max_changed_percent: None,
        protect: if is_protected { protect.clone() } else { GlobSet::empty() },
    }
}

impl Reading<'_> {
    /// The applies of this place.
    pub(super) fn here(&self, refs: &Refs, baseline: Result<Option<Baseline>, String>) -> OfPlace {
        let place = self.history.place();
        let lost = self.lost(refs, place, &baseline);
        let mut recorded = baseline.ok().flatten().unwrap_or_default();
        if recorded.lost.is_some() {
            recorded.protecting.extend(recorded.applied.take());
        }
        let mut unknown = lost.as_ref().map(|lost| lost.why.clone());
        if let Some(place) = &recorded.moved_to {
            unknown.get_or_insert_with(|| format!("its past was moved to {place}"));
        }
        let counts = |recorded: &Recorded| self.is_of_this_place(recorded);
        self.read(OfPlace { unknown, lost, recorded, ..OfPlace::default() }, &counts)
    }

    /// The applies of another place.
    pub(super) fn elsewhere(
        &self,
        refs: &Refs,
        name: &str,
        baseline: Result<Option<Baseline>, String>,
    ) -> OfPlace {
        let found = baseline.as_ref().ok().and_then(Option::as_ref);
        let all = || found.into_iter().flat_map(Baseline::commits);
        let could_be = all().next().is_none() || all().any(|it| self.is_same(&it.placement));
        let lost = could_be.then(|| self.lost(refs, name, &baseline)).flatten();
        let mut unknown = lost.as_ref().map(|lost| lost.why.clone());
        // An organisation that cannot be checked must not hide an apply for another one.
        let of_other = |recorded: &&Recorded| {
            let placement = &recorded.placement;
            let is_other = placement.organization != self.placement.organization;
            placement.api == self.placement.api && is_other && !self.leads_on(name, placement)
        };
        if let Some(Recorded { commit, placement, .. }) = all().find(of_other) {
            unknown.get_or_insert(format!(
                "commit {commit} was applied to this API for another organisation, {}",
                placement.organization
            ));
        }
        let recorded = baseline.ok().flatten().unwrap_or_default();
        let counts = |recorded: &Recorded| self.is_of(name, recorded);
        self.read(OfPlace { unknown, lost, recorded, ..OfPlace::default() }, &counts)
    }

    /// Reads the declarations at the commits that are recorded for a place, and at those that are lost.
    fn read(
        &self,
        OfPlace { mut unknown, lost, recorded, .. }: OfPlace,
        counts: &dyn Fn(&Recorded) -> Result<(), String>,
    ) -> OfPlace {
        let forgotten = lost.iter().flat_map(|lost| &lost.protecting);
        let protecting = recorded.protecting.iter().chain(forgotten);
        let protecting = protecting.filter(|it| self.is_same(&it.placement));
        let protecting = protecting
            .filter_map(|it| {
                let read = self.declared(it);
                read.map_err(|why| unknown.get_or_insert(why).clone()).ok()
            })
            .collect();
        let mut uncounted = Vec::new();
        let mut counting = |recorded: &Recorded| {
            let read = counts(recorded).and_then(|()| match self.is_same(&recorded.placement) {
                true => self
                    .on_branch(&recorded.commit)
                    .and_then(|()| self.declared(recorded))
                    .map(Some),
                false => Ok(None),
            });
            read.unwrap_or_else(|why| {
                unknown.get_or_insert(why);
                // A commit that does not count still protects, as far as it can be read.
                uncounted.extend(self.fetched(recorded));
                None
            })
        };
        let applied = recorded.applied.as_ref().and_then(&mut counting);
        let tried = recorded.tried.iter();
        let tried = tried.filter_map(|it| {
            let mut applied = counting(it)?;
            if let Counts::Only(awaited) = &it.counts {
                keep(&mut applied.desired, &it.counts);
                applied.desired.guards = guards_of(awaited, &applied.desired.guards);
            }
            Some((applied, it.counts.clone()))
        });
        let tried = tried.collect();
        OfPlace { applied, tried, protecting, uncounted, unknown, lost, recorded }
    }

    /// Checks that the record under this place's name has this folder, API and organisation.
    fn is_of_this_place(&self, recorded: &Recorded) -> Result<(), String> {
        let Recorded { commit, placement, .. } = recorded;
        let Placement { environment: _, folder, api, maskinporten: _, organization } = placement;
        if self.is_of_another(recorded) {
            Err(clash(folder))
        } else if *api != self.placement.api {
            Err(format!("commit {commit} was applied to another API, {api}"))
        } else if *organization != self.placement.organization {
            Err(format!("commit {commit} was applied for another organisation, {organization}"))
        } else {
            self.is_of(self.history.place(), recorded)
        }
    }

    /// Checks that the record of a place does not belong to another one.
    fn is_of(&self, name: &str, recorded: &Recorded) -> Result<(), String> {
        let Recorded { commit, placement, .. } = recorded;
        match self.is_of_another_place(name, recorded) {
            false => Ok(()),
            true => Err(format!(
                "commit {commit} is recorded of {name}, and was applied at another place, {}",
                described(placement)
            )),
        }
    }

    /// Whether another folder applied a commit under the name of this one, and still has that name.
    pub(super) fn is_of_another(&self, Recorded { placement, .. }: &Recorded) -> bool {
        placement.folder != self.placement.folder
            && self.declares(self.history.place(), &placement.folder)
    }

    /// Checks that a commit is on the branch whose commits may be applied.
    fn on_branch(&self, commit: &str) -> Result<(), String> {
        let Some(branch) = self.branch else { return Ok(()) };
        match self.history.is_on(branch, commit) {
            Ok(Some(true)) => Ok(()),
            Ok(Some(false)) => Err(format!(
                "commit {commit} counts as applied and is not on branch {}, which commits are applied from",
                branch.name
            )),
            Ok(None) => Err(format!(
                "the clone is too shallow to see whether commit {commit}, which counts as applied, is on \
                 branch {}",
                branch.name
            )),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The declarations at a commit for the same API and organisation, which is fetched if it is missing;
    /// `None` where they cannot be read.
    fn fetched(&self, recorded: &Recorded) -> Option<Applied> {
        let is_here = self.is_same(&recorded.placement) && self.history.has(&recorded.commit);
        is_here.then(|| self.declared(recorded).ok())?
    }

    fn at<'a>(&'a self, commit: &'a str, folder: &'a str) -> At<'a> {
        At { history: self.history, here: self.repository, commit, folder }
    }

    /// The protection by other places in a folder at a commit, as far as it can be read.
    pub(super) fn beside_at(&self, commit: &CommitId, folder: &str) -> Vec<Protected> {
        let Ok(there) = self.at(commit, folder).applied_files() else { return Vec::new() };
        let project = history::project(there.settings().project.as_deref(), folder);
        let others = there.environments().filter_map(|environment| {
            let name = history::place_name(project.as_deref(), environment);
            let desired = there.desired_before(environment).ok()?;
            let then = names::placement(&there, &desired).ok()?;
            let is_other = name != self.history.place() && self.is_same(&then);
            let applied = Applied { commit: commit.clone(), desired };
            let elsewhere = Elsewhere { name, remedy: None };
            is_other.then(|| Protected::at(Some(elsewhere), &applied))
        });
        others.collect()
    }

    /// The declarations at a commit in the folder from which it was applied. The error is the reason why they
    /// cannot be read.
    fn declared(&self, Recorded { commit, placement, .. }: &Recorded) -> Result<Applied, String> {
        let Placement { environment, folder, .. } = placement;
        let (there, desired) = self.at(commit, folder).applied(environment)?;
        // Whoever can push may have written the record.
        let then = names::placement(&there, &desired)?;
        match then.api == placement.api && then.organization == placement.organization {
            true => Ok(Applied { commit: commit.as_str().into(), desired }),
            false => Err(format!(
                "commit {commit} is recorded as applied from {}, and was declared there for {} and {}",
                described(placement),
                then.api,
                then.organization
            )),
        }
    }
}
