//! Applies in the ledger of a place that its record lacks.

use jiff::Timestamp;

use super::Reading;
use super::names::environment;
use crate::history::{self, Actor, Baseline, Lost, Placement, Recorded, Refs};
use plan::document::ReportDocument;

/// Number of commits that are read if only a ledger names them.
const MOST: usize = 50;

impl Reading<'_> {
    /// The start of the last apply in the ledger of a place.
    pub(crate) fn newest(&self, refs: &Refs, place: &str) -> Result<Option<Timestamp>, String> {
        let applies = self.ledger_applies(refs, place)?;
        Ok(applies.into_iter().map(|apply| apply.at).max())
    }

    /// The reason why the record of a place is incomplete: it cannot be read, or its ledger has more, as
    /// somebody has deleted refs or restored older ones. The commits in the ledger still protect.
    pub(super) fn lost(
        &self,
        refs: &Refs,
        place: &str,
        baseline: &Result<Option<Baseline>, String>,
    ) -> Option<Lost> {
        let known = baseline.as_ref().ok().and_then(Option::as_ref);
        let applies = match self.ledger_applies(refs, place) {
            Ok(applies) => applies,
            Err(why) => return Some(Lost { why, protecting: Vec::new() }),
        };
        let begun = applies.iter().map(|apply| (apply.at, apply.commit.clone()));
        let mut overlooked = Baseline::overlooked(known, begun);
        overlooked.truncate(MOST);
        let is_lost = known.and_then(|known| known.lost.as_ref()).map(ToString::to_string);
        let why = match (baseline, is_lost, overlooked.first()) {
            (Err(why), _, _) => why.clone(),
            (Ok(_), Some(why), _) => why,
            (Ok(_), None, Some(commit)) => format!(
                "the ledger says that commit {commit} was applied, and the refs that say what counts do \
                 not: they were deleted, or are older ones that were put back"
            ),
            (Ok(_), None, None) => return None,
        };
        let is_here = |commit: &&String| self.history.has(commit);
        let last = |commit: &String| {
            let of_it = applies.iter().filter(|apply| apply.commit == *commit);
            of_it.max_by_key(|apply| apply.at).cloned()
        };
        let protecting = overlooked.iter().filter(is_here).filter_map(last).collect();
        Some(Lost { why, protecting })
    }

    /// The applies in the ledger of a place, in the form of records. Lines of another environment, or of a future
    /// day, were not written by an apply, and the denial of a request is none.
    fn ledger_applies(&self, refs: &Refs, place: &str) -> Result<Vec<Recorded>, String> {
        let environment = environment(place);
        let lines = self.history.written(refs, place).map_err(|error| error.to_string())?;
        let reports = lines.iter().filter_map(|line| ReportDocument::read(line).ok());
        let reports = reports
            .filter(|report| !report.dirty && !report.denial && report.environment == environment);
        let applies = reports.filter_map(|report| {
            let folder = report.folder.filter(|folder| history::is_folder(folder));
            let commit = report.commit.filter(|commit| history::is_id(commit))?;
            let placement = Placement {
                environment: environment.to_owned(),
                folder: folder.unwrap_or_else(|| self.placement.folder.clone()),
                ..self.placement.clone()
            };
            let actor = Actor { who: "the ledger".to_owned(), place: place.to_owned() };
            Some(Recorded::new(commit, placement, actor, report.started.parse().ok()?))
        });
        Ok(applies.filter(|apply| !history::is_to_come(apply.at)).collect())
    }
}
