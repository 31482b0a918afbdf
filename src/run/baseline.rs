//! The commit that counts as applied, and the consequences of setting another one.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::applied::{self, At, KnownPast, Reading, described};
use super::clock::now;
use super::elsewhere;
use super::failure::Failure;
use super::lock_guard::LockGuard;
use super::opened::Opened;
use super::past;
use crate::history::{self, Baseline, Branch, History, Placement, Recorded, Refs};
use domain::text::printable;
use domain::{Applied, Desired, Entity, Live, Past, Protection};
use plan::ScheduledChange;

/// An environment, and its state in git.
pub(crate) struct AppliedPlace<'a> {
    opened: &'a Opened,
    history: &'a History,
    /// The place of the declarations, and their target.
    pub(crate) placement: Placement,
    refs: Refs,
    /// The branch whose commits may be applied; `None` without a remote.
    pub(crate) branch: Option<Branch>,
}

/// Requested baseline.
pub(crate) struct BaselineChoice {
    /// The commit, or a branch or tag.
    pub(crate) revision: String,
    /// The folder of portvakt.yaml at that commit.
    pub(crate) folder: Option<String>,
    /// The name of the environment at that commit.
    pub(crate) environment: Option<String>,
    /// The name of the project at that commit.
    pub(crate) project: Option<String>,
}

/// Former name of a place.
struct FormerName {
    name: String,
    environment: String,
    /// The folder from which it was applied.
    folder: String,
}

/// A commit that may be set.
pub(crate) struct Chosen {
    /// The declarations at the commit.
    pub(crate) then: Applied,
    placement: Placement,
    /// The former name of the place, which no longer counts afterwards.
    pub(crate) former: Option<String>,
    /// The commit that was applied here, if it remains in force.
    pub(crate) beside: Option<String>,
}

/// Consequences of setting another commit.
pub(crate) struct Consequences {
    /// Entities that the next apply deactivates.
    pub(crate) removable: BTreeSet<String>,
    /// Entities that stay active if they are, and are no longer managed.
    pub(crate) forgotten: BTreeSet<String>,
    /// Entities that are no longer protected.
    pub(crate) unprotected: BTreeSet<String>,
    /// Accesses that begin or end on a later day, by other declarations than those that counted before.
    pub(crate) later: BTreeSet<String>,
    /// The reason why there may be more; `None` where the earlier baseline is known.
    pub(crate) unknown: Option<String>,
}

impl<'a> AppliedPlace<'a> {
    /// Reads the refs of the place of these declarations.
    pub(crate) fn open(opened: &'a Opened, history: &'a History) -> Result<Self, Failure> {
        let placement = applied::placement(&opened.repository, &opened.desired);
        let placement = placement.map_err(Failure::Failed)?;
        let refs = history.refs()?;
        let branch = applied::apply_from(history, &refs, &placement.folder);
        let branch = branch.map_err(Failure::Failed)?;
        Ok(Self { opened, history, placement, refs, branch })
    }

    fn reading(&self) -> Reading<'_> {
        Reading {
            history: self.history,
            repository: &self.opened.repository,
            now: &self.opened.desired,
            placement: &self.placement,
            branch: self.branch.as_ref(),
        }
    }

    /// The past that counts as applied.
    pub(crate) fn known(&self) -> KnownPast {
        self.reading().known(&self.refs)
    }

    /// The record of this place; empty where it cannot be read.
    pub(crate) fn recorded(&self) -> Baseline {
        self.history.baseline(&self.refs).ok().flatten().unwrap_or_default()
    }

    /// The same for another place.
    fn recorded_of(&self, name: &str) -> Baseline {
        let mut others = self.history.other_baselines(&self.refs).into_iter();
        let found = others.find(|(other, _)| other == name);
        found.and_then(|(_, found)| found.ok().flatten()).unwrap_or_default()
    }

    /// The requested commit, if it is allowed.
    ///
    /// # Errors
    /// It is not allowed, or cannot be read.
    pub(crate) fn choose(&self, asked: &BaselineChoice) -> Result<Chosen, Failure> {
        let commit = self.history.commit(&asked.revision).map_err(Failure::usage)?;
        self.check_branch(&commit)?;
        if let Some(why) = self.known().clash {
            return Err(Failure::Refused(format!("nothing was changed: {}", printable(&why))));
        }
        let former = self.former(&commit, asked)?;
        let (placement, then) = self.declared_then(&commit, asked, former.as_ref())?;
        let own = Some(self.recorded()).filter(|own| former.is_some() && own.is_whole());
        let beside = own.and_then(|own| own.applied).map(|own| own.commit);
        let beside = beside.filter(|own| *own != *then.commit);
        Ok(Chosen { then, placement, former: former.map(|former| former.name), beside })
    }

    /// Sets it.
    ///
    /// # Errors
    /// The lock cannot be taken, or the refs cannot be written.
    pub(crate) async fn set(
        &self,
        Chosen { then, placement, former, beside: _ }: Chosen,
    ) -> Result<(), Failure> {
        let former = former.as_deref();
        let actor = self.opened.actor();
        let at = self.at(former)?;
        let recorded = Recorded::new(then.commit.to_string(), placement, actor.clone(), at);
        let lock_guard = LockGuard::take(self.history, &actor).await?;
        lock_guard.set_baseline(&recorded, former, &self.refs).await
    }

    /// The time of setting it: not before the times in the ledgers, as a clock may have been ahead.
    fn at(&self, former: Option<&str>) -> Result<Timestamp, Failure> {
        let places = [Some(self.history.place()), former].into_iter().flatten();
        let mut at = Timestamp::now();
        for place in places {
            let newest = self.reading().newest(&self.refs, place);
            at = at.max(newest.map_err(Failure::Failed)?.unwrap_or(at));
        }
        Ok(at)
    }

    /// The place by its former name, if one is given. A name that is still in use keeps its own past.
    fn former(&self, commit: &str, asked: &BaselineChoice) -> Result<Option<FormerName>, Failure> {
        let own = &self.placement.environment;
        let environment = asked.environment.clone().unwrap_or_else(|| own.clone());
        let name = match asked.project.as_deref() {
            Some(applied::TOP) => history::place_name(None, &environment),
            Some(project) => history::place_name(Some(project), &environment),
            None => applied::place(&self.opened.repository, &environment),
        };
        if name == self.history.place() {
            return Ok(None);
        }
        let others = self.history.other_baselines(&self.refs);
        let Some((_, found)) = others.into_iter().find(|(other, _)| *other == name) else {
            return Err(Failure::Usage(format!(
                "nothing is recorded of {name}, so it is not what this one was called before"
            )));
        };
        let found = found.ok().flatten();
        let api = &self.placement.api;
        let all = || found.iter().flat_map(Baseline::commits);
        let is_other = all().all(|it| it.placement.api != *api);
        if let Some(other) = all().next().filter(|_| is_other) {
            return Err(Failure::Refused(format!(
                "{name} was applied to another API ({}), so it is not what this one was called before: \
                 nothing was changed",
                printable(&described(&other.placement))
            )));
        }
        let went_to = found.as_ref().filter(|it| it.commits().next().is_none());
        if let Some(place) = went_to.and_then(|it| it.moved_to.as_ref()) {
            return Err(Failure::Refused(format!(
                "what was applied as {name} was taken over by {place} already: nothing was changed\n\
                 `portvakt baseline set COMMIT --folder DIR` names what counts here, alone"
            )));
        }
        let last = all().find(|it| it.commit == commit).or_else(|| all().last());
        let guessed = || Placement {
            environment: environment.clone(),
            folder: applied::usual_folder(&name),
            ..self.placement.clone()
        };
        let placement = last.map_or_else(guessed, |last| last.placement.clone());
        let Placement { environment, folder, .. } = &placement;
        if self.reading().is_in_use(&name, &placement) {
            return Err(Failure::Usage(format!(
                "a portvakt.yaml still has environment {environment} of {name} for the same API, so that is \
                 not what this one was called before"
            )));
        }
        if self.reading().is_unreadable(folder) {
            return Err(Failure::Refused(format!(
                "something is wrong with the portvakt.yaml in folder {folder}, so whether {name} is declared \
                 there is not known. Correct that first: nothing was changed"
            )));
        }
        if let Some(branch) =
            self.branch.as_ref().filter(|_| self.reading().is_on_branch(&name, &placement))
        {
            return Err(Failure::Refused(format!(
                "{name} is still declared on branch {}, which commits are applied from: merge what takes it \
                 out, and do this then. Nothing was changed",
                branch.name
            )));
        }
        Ok(Some(FormerName { environment: environment.clone(), folder: folder.clone(), name }))
    }

    fn check_branch(&self, commit: &str) -> Result<(), Failure> {
        let Some(branch) = &self.branch else { return Ok(()) };
        match past::off_branch(self.history, branch, commit) {
            None => Ok(()),
            Some(why) => Err(Failure::Refused(format!("{why}: nothing was changed"))),
        }
    }

    /// The declarations at the commit, for the same API and organisation: under the former name, if the place
    /// had that one then.
    fn declared_then(
        &self,
        commit: &str,
        asked: &BaselineChoice,
        former: Option<&FormerName>,
    ) -> Result<(Placement, Applied), Failure> {
        let repository = &self.opened.repository;
        let is_recorded = self.is_recorded(commit);
        let read = |environment: &str, folder: &str| {
            let folder = asked.folder.as_deref().map_or(folder, |folder| folder.trim_matches('/'));
            let at = At { history: self.history, here: repository, commit, folder };
            let read = match is_recorded {
                true => at.applied(environment),
                false => at.declared(environment),
            };
            read.map(|(there, desired)| (folder.to_owned(), there, desired))
        };
        let own = || {
            let known = self.recorded();
            let of_it = known.commits().filter(|it| it.commit == commit);
            let is_here = |it: &&Recorded| it.placement.folder == self.placement.folder;
            let recorded = of_it.clone().find(is_here).or_else(|| of_it.last());
            let then = recorded
                .map(|Recorded { placement, .. }| read(&placement.environment, &placement.folder));
            let here = || read(&self.placement.environment, &self.placement.folder);
            then.and_then(Result::ok).map_or_else(here, Ok)
        };
        let read = match former.map(|former| read(&former.environment, &former.folder)) {
            Some(Ok(found)) => Ok(found),
            // The place may have had its current name at the commit already.
            Some(Err(why)) => own().map_err(|_| why),
            None => own(),
        };
        let (folder, there, desired) = read.map_err(Failure::Failed)?;
        let then = applied::placement(&there, &desired).map_err(Failure::Failed)?;
        let then = Placement { folder, ..then };
        let Placement { api, organization, .. } = &self.placement;
        match then.api == *api && then.organization == *organization {
            true => Ok((then, Applied { commit: commit.into(), desired })),
            false => Err(Failure::Refused(format!(
                "commit {commit} is for another API or organisation ({}), so nothing of it was applied \
                 here: nothing was changed",
                printable(&described(&then))
            ))),
        }
    }

    /// Whether a record has a commit as applied, here or at another place.
    fn is_recorded(&self, commit: &str) -> bool {
        let others = self.history.other_baselines(&self.refs).into_iter();
        let mut all = [self.recorded()]
            .into_iter()
            .chain(others.filter_map(|(_, other)| other.ok().flatten()));
        all.any(|baseline| baseline.commits().any(|recorded| recorded.commit == commit))
    }

    /// The consequences of setting it.
    pub(crate) fn consequences(&self, chosen: &Chosen) -> Consequences {
        let Chosen { then, former, .. } = chosen;
        let former = former.as_deref();
        let declared = &self.opened.desired;
        let before = self.known();
        let beside = elsewhere::look(&self.opened.repository, declared, None, None).beside;
        let beside = beside.iter().map(|beside| names(&beside.desired));
        let declared_now = beside.fold(names(declared), |all, names| &all | &names);
        let is_here = |place: &str| place == self.history.place();
        let theirs = former.map(|former| self.recorded_of(former)).unwrap_or_default();
        let own = self.recorded();
        let is_kept = |place: &str, applied: &Applied| match is_here(place) {
            true => former.is_some() && own.counts(&applied.commit),
            false => theirs.counts(&then.commit) && theirs.counts(&applied.commit),
        };
        let ours =
            before.traces.iter().filter(|(place, _)| is_here(place) || Some(&**place) == former);
        let (kept, gone): (Vec<_>, Vec<_>) =
            ours.partition(|(place, applied)| is_kept(place, applied));
        let of = |all: Vec<&(String, Applied)>| -> BTreeSet<String> {
            all.into_iter().flat_map(|(_, applied)| names(&applied.desired)).collect()
        };
        let stays = kept.iter().map(|(_, applied)| applied).chain([then]);
        let stays: Vec<_> = stays.map(|applied| Protection::of(&applied.desired)).collect();
        let then_names = &names(&then.desired) | &of(kept);
        let gone = of(gone);
        let gone = gone.difference(&then_names).filter(|name| !declared_now.contains(*name));
        Consequences {
            removable: then_names.difference(&declared_now).cloned().collect(),
            forgotten: gone.cloned().collect(),
            unprotected: lost_protection(&before, &protecting(stays, former, &before)),
            later: later_days(&then.desired, before.past.applied.as_ref()),
            unknown: before.past.unknown,
        }
    }
}

/// The changes on later days by declarations that begin to count.
fn later_days(then: &Desired, before: Option<&Applied>) -> BTreeSet<String> {
    let (is_first_apply, applied) = (before.is_none(), before.cloned());
    let past = Past { applied, is_first_apply, ..Past::default() };
    let plan = plan::plan(then, &past, &Live::default(), now());
    let sentence = |it: &ScheduledChange| {
        format!("{} of {}: {} {}", it.scope, it.consumer, it.effect.words(), it.day)
    };
    plan.scheduled.iter().map(sentence).collect()
}

/// The protection after it is set: by these commits, and by the applies of other environments.
fn protecting(stays: Vec<Protection>, former: Option<&str>, known: &KnownPast) -> Vec<Protection> {
    let others = known.past.protected.iter().filter(|protected| {
        protected.elsewhere.as_ref().is_some_and(|it| Some(it.name.as_str()) != former)
    });
    others.map(|protected| protected.protection.clone()).chain(stays).collect()
}

/// Entities that are declared and protected at a commit that counts, and protected by none of those that
/// count afterwards.
fn lost_protection(known: &KnownPast, after: &[Protection]) -> BTreeSet<String> {
    let before = known.past.protected.iter().map(|protected| &protected.protection);
    let is_lost = |entity: &Entity| {
        let by = |protection: &Protection| protection.of_entity(entity).is_some();
        before.clone().any(by) && !after.iter().any(by)
    };
    let declared = known.all.iter().flat_map(|applied| applied.desired.entities());
    declared.filter(is_lost).map(|entity| named(&entity)).collect()
}

/// The declared names.
fn names(desired: &Desired) -> BTreeSet<String> {
    desired.entities().map(|entity| named(&entity)).collect()
}

fn named(entity: &Entity) -> String {
    format!("{} {}", entity.kind(), entity.name())
}
