//! What the ledger tells of writes that DigDir may not show yet.

use jiff::{SignedDuration, Timestamp};

use super::applied::EMBEDDED;
use super::exit::Failure;
use super::past::git_failed;
use crate::apply::{Recent, RecentWrite};
use crate::history::{History, is_to_come};
use crate::render::document::ChangeDocument;
use crate::render::report::{self, ActionOutcome, ReportDocument, ReportedAction};

/// How long what was written may be hidden at most: as long as Maskinporten takes to learn of it.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);

/// What was written to an API shortly before now, the newest last. What the sandbox inside this process
/// holds is never hidden, and may have been thrown away.
///
/// # Errors
/// The ledger cannot be read.
pub(super) fn writes(history: &History, api: &str) -> Result<Recent, Failure> {
    if api == EMBEDDED {
        return Ok(Recent::default());
    }
    let lines = history.ledger().map_err(|error| git_failed(&error))?;
    let now = Timestamp::now();
    // What anybody may have written does not count where git is set to verify.
    let lines = lines.iter().filter(|line| line.is_signed != Some(false));
    let reports = lines.filter_map(|line| report::read(&line.text).ok());
    let reports = reports.filter(|report| report.api.as_deref() == Some(api));
    let mut reports: Vec<_> =
        reports.filter_map(|report| Some((last_write(&report)?, report))).collect();
    reports.retain(|(at, _)| now.duration_since(*at) < LONGEST && !is_to_come(*at));
    reports.sort_by_key(|(at, _)| *at);
    Ok(Recent(
        reports.into_iter().flat_map(|(_, report)| report.actions).filter_map(write).collect(),
    ))
}

/// When something was written at the latest, as far as is told.
fn last_write(report: &ReportDocument) -> Option<Timestamp> {
    report.ended.as_ref().unwrap_or(&report.started).parse().ok()
}

fn write(reported: ReportedAction) -> Option<RecentWrite> {
    let ReportedAction { action, outcome, message: _, may_be_done } = reported;
    let is_done = match outcome {
        ActionOutcome::Done | ActionOutcome::DoneNotVisibleYet => true,
        ActionOutcome::Unknown => false,
        ActionOutcome::Failed if may_be_done || action.client_id.is_some() => false,
        ActionOutcome::Failed | ActionOutcome::Skipped | ActionOutcome::NotStarted => return None,
    };
    let change = |change: ChangeDocument| (change.field, change.before, change.after);
    Some(RecentWrite {
        verb: action.action,
        scope: action.scope.filter(|_| action.consumer.is_none()),
        client: action.client,
        action: action.id,
        changes: action.changes.into_iter().map(change).collect(),
        client_id: action.client_id.and_then(|id| id.parse().ok()),
        is_done,
        is_unseen: may_be_done || outcome == ActionOutcome::DoneNotVisibleYet,
    })
}
