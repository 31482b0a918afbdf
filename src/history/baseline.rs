//! Commits that count as applied at a place, and how an apply changes them. Pure: values from values.

use std::collections::BTreeSet;
use std::fmt;

use git2::ObjectFormat;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::dates::DatesDone;
use super::error::Error;
use super::oid::parsed;
use super::place::{is_folder, is_place};
use super::refs;
use super::{Actor, ApplyEnd, Awaited, Conclusion};
use domain::Orgno;
use domain::text::json;

mod counts;
#[cfg(test)]
mod tests;

pub use counts::Counts;

/// Place of an environment's declarations, and the API to which they are applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The environment's name in portvakt.yaml.
    pub environment: String,
    /// The folder of portvakt.yaml, from the top of the git repository, with `/` between its parts; empty at
    /// the top.
    pub folder: String,
    /// The API, in the normalised form that is compared.
    pub api: String,
    /// Maskinporten's issuer.
    pub maskinporten: String,
    /// The organisation that owns the scopes.
    pub organization: Orgno,
}

/// A commit whose apply began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The commit, in hex digits.
    pub commit: String,
    /// The place of its declarations, and their target.
    #[serde(flatten)]
    pub placement: Placement,
    /// Its author and place.
    #[serde(flatten)]
    pub actor: Actor,
    /// The time.
    pub at: Timestamp,
    /// The entities for which it counts, if it was tried.
    #[serde(flatten)]
    pub counts: Counts,
}

/// Reason why earlier baselines are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LossReason {
    /// An apply was made without the record.
    WentOn,
    /// The record cannot be read, or does not match the applied commit of the ref.
    Unreadable(String),
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WentOn => "an apply went on without knowing what was applied before it",
            Self::Unreadable(why) => why,
        })
    }
}

/// Form of it in a record.
mod is_lost {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::LossReason;

    pub(super) fn serialize<S: Serializer>(
        lost: &Option<LossReason>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(lost.is_some())
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(
        deserializer: D,
    ) -> Result<Option<LossReason>, D::Error> {
        Ok(bool::deserialize(deserializer)?.then_some(LossReason::WentOn))
    }
}

/// Largest size, as JSON, of what is undone in a record: a record that is too large could not be read.
const LARGEST_UNDONE: usize = 256 * 1024;

/// Largest size, as JSON, of the entities for which commits do not count, or alone count: beyond that, all of them
/// count as applied in part.
const LARGEST_ENTITIES: usize = 256 * 1024;

/// Largest number of commits in a record.
const MOST: usize = 1000;

/// Commits that count as applied at a place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Baseline {
    /// The commit that was last applied in full; `None` where nothing was.
    pub applied: Option<Recorded>,
    /// The commits whose apply began later and did not end in full, the oldest first: the entities that they
    /// created are managed too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Recorded>,
    /// Commits that no longer count as applied and still protect and limit until another is applied: those
    /// that a rollback undid, and those of the ledger if the record was lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protecting: Vec<Recorded>,
    /// The reason why earlier baselines are not known; `None` where nothing is missing. A record stores only
    /// that something is.
    #[serde(default, with = "is_lost", skip_serializing_if = "Option::is_none")]
    pub lost: Option<LossReason>,
    /// The later name of the place, if it was renamed: then this record no longer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<String>,
    /// What is done of what dates in the declarations of `applied` ask for; `None` stands for everything until the
    /// time of `applied`.
    #[serde(flatten, with = "super::dates")]
    pub dates: Option<DatesDone>,
    /// The time of this record, never earlier than that of the one before, whatever the clocks show: an apply
    /// that began later concerns one of these commits.
    pub at: Timestamp,
}

impl Baseline {
    /// The commits that count.
    pub fn commits(&self) -> impl Iterator<Item = &Recorded> + Clone {
        self.applied.iter().chain(&self.tried)
    }

    /// Whether a commit is one of them.
    pub fn counts(&self, commit: &str) -> bool {
        self.commits().any(|it| it.commit == commit)
    }

    /// Whether nothing is missing.
    pub fn is_whole(&self) -> bool {
        self.lost.is_none() && self.moved_to.is_none()
    }

    /// The commits that the ledger has and this record lacks, the newest first, by the start of their
    /// applies. A record covers all applies that began before it.
    pub fn overlooked(
        known: Option<&Self>,
        begun: impl Iterator<Item = (Timestamp, String)>,
    ) -> Vec<String> {
        let since = known.map(|baseline| baseline.at);
        let later = begun.filter(|(started, _)| since.is_none_or(|since| *started > since));
        let mut later: Vec<_> = later.collect();
        later.sort_unstable_by(|one, other| other.cmp(one));
        let recorded = known.into_iter().flat_map(Self::commits).map(|it| it.commit.clone());
        let mut seen: BTreeSet<_> = recorded.collect();
        later.into_iter().map(|(_, commit)| commit).filter(|it| seen.insert(it.clone())).collect()
    }

    /// Compares it with the applied commit of the ref. If they differ, the record is unreadable, but its
    /// protection is kept.
    pub(super) fn beside(self, place: &str, applied: Option<String>) -> Self {
        let says = self.applied.as_ref().map(|recorded| &recorded.commit);
        if self.moved_to.is_some() || self.lost.is_some() || says == applied.as_ref() {
            return self;
        }
        let name = refs::applied(place);
        let why = match applied {
            None => format!("{name} is missing"),
            Some(_) => format!("{} is about another commit than {name}", refs::record(place)),
        };
        Self { lost: Some(LossReason::Unreadable(why)), ..self }
    }

    /// All commits that it names.
    pub(super) fn named(&self) -> impl Iterator<Item = &Recorded> {
        self.commits().chain(&self.protecting)
    }

    /// Itself, unless it names more commits than are read.
    pub(super) fn bounded(self) -> Result<Self, Error> {
        match self.named().count() <= MOST {
            true => Ok(self),
            false => Err(Error::TooManyTried(MOST)),
        }
    }

    /// A property that no apply writes, if it has one: whoever can push may have written the record.
    pub(super) fn misstated(&self, format: ObjectFormat) -> Option<&'static str> {
        let all = || self.named();
        if all().count() > MOST {
            Some("names more commits than any that is read")
        } else if all().any(|it| parsed(format, &it.commit).is_err()) {
            Some("names a commit by a text that is not a commit id")
        } else if all().any(|it| !is_folder(&it.placement.folder)) {
            Some("names a folder that is not a path within the repository")
        } else if self.moved_to.as_ref().is_some_and(|place| !is_place(place)) {
            Some("names a place that nobody could declare")
        } else if all().next().is_none() && self.moved_to.is_none() {
            Some("names no commit")
        } else {
            None
        }
    }

    /// Adds a commit whose apply begins, and the losses of the record that it replaces. From now on the dates are done
    /// but for what the apply does itself (`dates`), as nobody may live to record more.
    pub(super) fn begun(
        mut self,
        recorded: &Recorded,
        lost: Option<&Lost>,
        dates: Option<&DatesDone>,
    ) -> Self {
        if let Some(dates) = dates {
            self.look_at_dates(dates);
        }
        match self.tried.iter_mut().find(|known| known.is_same(recorded)) {
            // What this apply does not leave counts from now on.
            Some(known) => known.counts = known.counts.or(&recorded.counts),
            None if self.applied.as_ref().is_some_and(|known| known.is_same(recorded)) => {}
            None => self.tried.push(recorded.clone()),
        }
        self.bound_entities();
        if let Some(Lost { why: _, protecting }) = lost {
            self.lost.get_or_insert(LossReason::WentOn);
            self.protect(protecting.iter().cloned());
        }
        self
    }

    /// Adds a commit that counts as applied; one that was applied under another name with all of that name's
    /// baseline. The commit applied here in full stays that, where it is known.
    pub(super) fn and(self, recorded: &Recorded, theirs: &Self) -> Self {
        let own = self.applied.clone().filter(|_| self.is_whole());
        let (applied, dates) = match own {
            Some(own) => (own, self.dates.clone()),
            None => (recorded.clone(), theirs.dates_done_of(&recorded.commit)),
        };
        let mut tried: Vec<Recorded> = Vec::new();
        let theirs = theirs.commits().filter(|_| theirs.counts(&recorded.commit));
        for it in self.commits().chain([recorded]).chain(theirs) {
            match tried.iter_mut().find(|known| known.is_same(it)) {
                _ if it.is_same(&applied) => {}
                Some(known) => known.counts = known.counts.or(&it.counts),
                None => tried.push(it.clone()),
            }
        }
        let mut all = Self { applied: Some(applied), tried, dates, ..Self::default() };
        all.bound_entities();
        all
    }

    /// The baseline in which a commit is the only applied one.
    pub(super) fn only(&self, recorded: &Recorded) -> Self {
        let dates = self.dates_done_of(&recorded.commit);
        Self { applied: Some(recorded.clone()), dates, ..Self::default() }
    }

    /// What is done of what dates in the declarations of a commit ask for; `None` if it is not the one that is
    /// applied, or that is not known.
    fn dates_done_of(&self, commit: &str) -> Option<DatesDone> {
        let applied = self.applied.as_ref().filter(|applied| applied.commit == commit);
        let applied = applied.filter(|_| self.is_whole())?;
        Some(self.dates.clone().unwrap_or_else(|| DatesDone::all_until(applied.at)))
    }

    /// Records what is done of what dates in the applied declarations ask for, unless nothing counts as applied or
    /// it is too much for a record.
    fn look_at_dates(&mut self, dates: &DatesDone) {
        let is_small = json::line(&dates.undone).len() <= LARGEST_UNDONE;
        if self.applied.is_some() && self.is_whole() && is_small {
            self.dates = Some(dates.clone());
        }
    }

    /// Lets the commits that were tried count for all their entities if those are too much for a record.
    fn bound_entities(&mut self) {
        let entities: Vec<_> = self.tried.iter().map(|it| &it.counts).collect();
        if json::line(&entities).len() > LARGEST_ENTITIES {
            self.tried.iter_mut().for_each(|it| it.counts = Counts::ALL);
        }
    }

    /// Adds commits that no longer count and still protect.
    fn protect(&mut self, commits: impl IntoIterator<Item = Recorded>) {
        for commit in commits {
            if !self.protecting.iter().any(|known| known.is_same(&commit)) {
                self.protecting.push(Recorded { counts: Counts::ALL, ..commit });
            }
        }
    }

    /// After the apply of a commit, by a plan for the dates at that time, which left them as they are in `dates`.
    pub(super) fn concluded(
        mut self,
        recorded: &Recorded,
        ApplyEnd { conclusion, awaited, dates }: ApplyEnd<'_>,
    ) -> Self {
        match conclusion {
            // What was due is settled by the new declarations.
            Conclusion::InFull | Conclusion::RolledBack => {
                self.dates = Some(DatesDone::all_until(dates.at));
            }
            Conclusion::Due | Conclusion::Closed | Conclusion::InPart | Conclusion::Dirty => {
                self.look_at_dates(dates);
            }
            Conclusion::Ledger => {}
        }
        match conclusion {
            Conclusion::InFull | Conclusion::RolledBack => {
                let others = self.commits().filter(|it| !it.is_same(recorded)).cloned();
                let others: Vec<_> = others.collect();
                let is_new = self.applied.as_ref().is_none_or(|applied| !applied.is_same(recorded));
                self.tried = others.iter().filter_map(|it| it.awaiting(awaited)).collect();
                if conclusion == Conclusion::RolledBack {
                    self.protect(others);
                } else if is_new {
                    self.protecting.clear();
                }
                if is_new {
                    self.applied = Some(recorded.clone());
                }
            }
            Conclusion::Closed => {
                let left = self.tried.iter().filter_map(|it| match it.is_same(recorded) {
                    true => Some(it.clone()),
                    false => it.awaiting(awaited),
                });
                self.tried = left.collect();
            }
            Conclusion::Due | Conclusion::InPart | Conclusion::Dirty | Conclusion::Ledger => {}
        }
        self.bound_entities();
        self
    }
}

/// Loss of a place's record.
#[derive(Debug, Clone)]
pub struct Lost {
    /// The cause.
    pub why: String,
    /// The commits of its ledger, which still protect.
    pub protecting: Vec<Recorded>,
}

impl Recorded {
    /// A commit that counts for all that it declares.
    pub fn new(commit: String, placement: Placement, actor: Actor, at: Timestamp) -> Self {
        Self { commit, placement, actor, at, counts: Counts::ALL }
    }

    /// Whether it is the same commit at the same place.
    fn is_same(&self, other: &Self) -> bool {
        self.commit == other.commit && self.placement == other.placement
    }

    /// What is left of it once a later apply has settled the rest; `None` where that is nothing.
    fn awaiting(&self, awaited: &Awaited) -> Option<Self> {
        let counts = self.counts.only(awaited.get(&self.commit)?)?;
        Some(Self { counts, ..self.clone() })
    }
}
