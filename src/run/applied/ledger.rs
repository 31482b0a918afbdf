//! Applies in the ledger of a place that its record lacks.

use jiff::Timestamp;

use super::Reading;
use crate::history::{self, Actor, Baseline, Lost, Placement, Recorded, Refs};
use plan::document::ReportDocument;

/// Number of commits that are read if only a ledger names them.
const MOST: usize = 50;

/// An apply of a commit, from the ledger.
struct LedgerApply {
    started: Timestamp,
    commit: String,
    /// The folder from which it was applied; `None` where the line does not name it.
    folder: Option<String>,
}

impl Reading<'_> {
    /// The start of the last apply in the ledger of a place.
    pub(crate) fn newest(&self, refs: &Refs, place: &str) -> Result<Option<Timestamp>, String> {
        let lines = self.history.written(refs, place).map_err(|error| error.to_string())?;
        Ok(ledger_applies(place, &lines).into_iter().map(|ledger_apply| ledger_apply.started).max())
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
        let lines = match self.history.written(refs, place) {
            Ok(lines) => lines,
            Err(error) => return Some(Lost { why: error.to_string(), protecting: Vec::new() }),
        };
        let ledger_applies = ledger_applies(place, &lines);
        let begun = ledger_applies
            .iter()
            .map(|ledger_apply| (ledger_apply.started, ledger_apply.commit.clone()));
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
            let of_it = ledger_applies.iter().filter(|ledger_apply| ledger_apply.commit == *commit);
            of_it.max_by_key(|ledger_apply| ledger_apply.started)
        };
        let forgotten = overlooked.iter().filter(is_here).filter_map(last);
        let protecting = forgotten.map(|ledger_apply| self.recorded(place, ledger_apply)).collect();
        Some(Lost { why, protecting })
    }

    /// A commit of a place's ledger, in the form of a record.
    fn recorded(&self, place: &str, ledger_apply: &LedgerApply) -> Recorded {
        let environment = environment(place).to_owned();
        let folder = ledger_apply.folder.clone().unwrap_or_else(|| self.placement.folder.clone());
        Recorded {
            commit: ledger_apply.commit.clone(),
            placement: Placement { environment, folder, ..self.placement.clone() },
            actor: Actor { who: "the ledger".to_owned(), place: place.to_owned() },
            at: ledger_apply.started,
        }
    }
}

/// The environment of a place.
pub(crate) fn environment(place: &str) -> &str {
    place.rsplit('/').next().unwrap_or(place)
}

/// The applies in the ledger of a place. Lines of another environment, or of a future day, were not written
/// by an apply, and the denial of a request is none.
fn ledger_applies(place: &str, lines: &[String]) -> Vec<LedgerApply> {
    let environment = environment(place);
    let reports = lines.iter().filter_map(|line| ReportDocument::read(line).ok());
    let reports = reports
        .filter(|report| !report.dirty && !report.denial && report.environment == environment);
    let ledger_applies = reports.filter_map(|report| {
        Some(LedgerApply {
            started: report.started.parse().ok()?,
            commit: report.commit.filter(|commit| history::is_id(commit))?,
            folder: report.folder.filter(|folder| history::is_folder(folder)),
        })
    });
    ledger_applies.filter(|ledger_apply| !history::is_to_come(ledger_apply.started)).collect()
}
