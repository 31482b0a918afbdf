//! What the ledger of a place tells of, where what is recorded of it lacks that.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Reading;
use crate::history::{self, Actor, Baseline, Lost, Placement, Recorded, Refs};
use crate::render::report;

/// How many commits that a ledger alone tells of are read.
const MOST: usize = 50;

/// An apply of a commit that a ledger tells of.
struct Told {
    started: Timestamp,
    commit: String,
    /// Where it was applied from; `None` where the line does not say.
    folder: Option<String>,
}

impl Reading<'_> {
    /// When the last apply began that the ledger of a place tells of.
    pub(in crate::cli) fn newest(
        &self,
        refs: &Refs,
        place: &str,
    ) -> Result<Option<Timestamp>, String> {
        let lines = self.history.written(refs, place).map_err(|error| error.to_string())?;
        Ok(told(&lines).into_iter().map(|told| told.started).max())
    }

    /// Why what is recorded of a place is not all that there was: it cannot be read, or its ledger tells of
    /// more, as somebody has deleted refs or put older ones back. What that names protects on.
    pub(super) fn lost(
        &self,
        refs: &Refs,
        place: &str,
        baseline: &Result<Option<Baseline>, String>,
    ) -> Option<Lost> {
        let known = baseline.as_ref().ok().and_then(Option::as_ref);
        let lines = match self.history.written(refs, place) {
            Ok(lines) => lines,
            Err(error) => return Some(Lost { why: error.to_string(), protecting: Vec::new() }),
        };
        let recorded: BTreeSet<&str> =
            known.into_iter().flat_map(Baseline::commits).map(|it| &*it.commit).collect();
        let since = known.map(|baseline| baseline.at);
        let later = told(&lines).into_iter().filter(|it| since.is_none_or(|at| it.started > at));
        let forgotten = later.filter(|told| !recorded.contains(told.commit.as_str()));
        let forgotten = newest(forgotten.collect());
        let is_lost = known.and_then(|known| known.lost.as_ref());
        let why = match (baseline, is_lost, forgotten.first()) {
            (Err(why), _, _) | (Ok(_), Some(why), _) => why.clone(),
            (Ok(_), None, Some(Told { commit, .. })) => format!(
                "the ledger says that commit {commit} was applied, and the refs that say what counts do \
                 not: they were deleted, or are older ones that were put back"
            ),
            (Ok(_), None, None) => return None,
        };
        let is_here = |told: &&Told| self.history.commit(&told.commit).is_ok();
        let forgotten = forgotten.iter().filter(is_here);
        let protecting = forgotten.map(|told| self.recorded(place, told)).collect();
        Some(Lost { why, protecting })
    }

    /// A commit that the ledger of a place names, as it would have been recorded there.
    fn recorded(&self, place: &str, told: &Told) -> Recorded {
        let environment = place.rsplit('/').next().unwrap_or(place).to_owned();
        let folder = told.folder.clone().unwrap_or_else(|| self.placement.folder.clone());
        Recorded {
            commit: told.commit.clone(),
            placement: Placement { environment, folder, ..self.placement.clone() },
            actor: Actor { who: "the ledger".to_owned(), place: place.to_owned() },
            at: told.started,
        }
    }
}

/// The applies that a ledger tells of. What is of a day that is yet to come was written by no apply.
fn told(lines: &[String]) -> Vec<Told> {
    let reports = lines.iter().filter_map(|line| report::read(line).ok());
    let reports = reports.filter(|report| !report.dirty);
    let told = reports.filter_map(|report| {
        Some(Told {
            started: report.started.parse().ok()?,
            commit: report.commit.filter(|commit| history::is_id(commit))?,
            folder: report.folder,
        })
    });
    told.filter(|told| !history::is_to_come(told.started)).collect()
}

/// The newest of them first, each commit once, and no more than are read.
fn newest(mut told: Vec<Told>) -> Vec<Told> {
    told.sort_by_key(|told| Reverse(told.started));
    let mut seen = BTreeSet::new();
    told.retain(|told| seen.insert(told.commit.clone()));
    told.truncate(MOST);
    told
}
