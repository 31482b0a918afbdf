//! Recent writes from the ledger, which DigDir may not show yet.

use std::collections::BTreeSet;

use domain::Entity;
use jiff::{SignedDuration, Timestamp};

use super::clock::today;
use super::failure::Failure;
use super::ready::Ready;
use crate::apply::{Patience, Recent, RecentEnd, RecentWrite};
use crate::history::{self, History, LedgerLine, Placement, is_to_come};
use digdir::{ReadProgress, Reader};
use domain::text::printable;
use plan::document::{ActionOutcome, ReportDocument, ReportedAction};
use plan::{Plan, Verb};

/// Longest time that a write may be invisible: the time until a change reaches Maskinporten.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);

/// The same after the start of an apply whose end is not recorded: it may have run as long as a CI job.
const LONGEST_KILLED: SignedDuration = SignedDuration::from_hours(6);

/// Recent writes to an API for an organisation, the newest last: here, or at a place that may be a former
/// name of this one. Writes to the embedded sandbox are visible at once, and its state may have been deleted.
///
/// # Errors
/// The ledger cannot be read.
pub(crate) fn writes(history: &History, placement: &Placement) -> Result<Recent, Failure> {
    let Placement { environment: _, folder: _, api, maskinporten: _, organization } = placement;
    if placement.is_embedded() {
        return Ok(Recent::default());
    }
    let lines = lines(history, placement)?;
    let now = Timestamp::now();
    // Lines that anybody may have written are ignored where git is configured to verify.
    let lines = lines.iter().filter(|line| line.is_signed != Some(false));
    let reports = lines.filter_map(|line| ReportDocument::read(&line.text).ok());
    let is_same = |report: &ReportDocument| {
        let of = (report.api.as_deref(), report.organization.as_deref());
        of == (Some(api.as_str()), Some(organization.as_str()))
    };
    let reports = reports.filter(is_same);
    let mut reports: Vec<_> =
        reports.filter_map(|report| Some((last_write(&report)?, report))).collect();
    reports.retain(|(at, report)| {
        let longest = if report.ended.is_some() { LONGEST } else { LONGEST_KILLED };
        now.duration_since(*at) < longest && !is_to_come(*at)
    });
    reports.sort_by_key(|(at, _)| *at);
    Ok(Recent(
        reports
            .into_iter()
            .flat_map(|(_, report)| {
                let has_ended = report.ended.is_some();
                report.actions.into_iter().filter_map(move |reported| write(reported, has_ended))
            })
            .collect(),
    ))
}

/// Entities that a recent apply has activated, or may have, and that are to be deactivated again.
#[derive(Clone)]
pub(crate) struct LeftOpen {
    /// The reason why an activated entity stays active, if it does.
    pub(crate) open: Option<String>,
    /// The entities that may still become visible: the write was neither confirmed nor shown.
    pub(crate) may_show: BTreeSet<Entity>,
}

/// Makes the plan once DigDir shows the entities that a recent apply has activated, or may have, and that are
/// to be deactivated again, or patience runs out.
pub(crate) async fn plan(
    ready: &Ready,
    reader: &Reader,
    recent: &Recent,
    patience: &Patience,
    progress: &(dyn Fn(ReadProgress) + Sync),
) -> Result<(Plan, LeftOpen), Failure> {
    let mut wait = patience.begin();
    let mut is_reported = false;
    loop {
        let live = reader.live(&ready.needs(), progress).await?;
        let hidden = recent.hidden(&ready.opened.desired, &ready.past.known, &live, today());
        if let (Some(write), false) = (hidden.first(), is_reported) {
            tracing::warn!(
                "{}, and DigDir does not show it: waiting until it does, as it is to be closed again",
                described(write)
            );
            is_reported = true;
        }
        if !hidden.is_empty() && wait.pause().await {
            continue;
        }
        let was_long = wait.was_long();
        let (open, may_show): (Vec<_>, Vec<_>) =
            hidden.into_iter().partition(|write| write.is_done() || !was_long);
        for write in &may_show {
            tracing::warn!(
                "`{}` is still not shown, so it was hardly done: the next apply looks again",
                printed(write)
            );
        }
        let left = LeftOpen {
            open: open.first().map(|write| why_left(write)),
            may_show: may_show.iter().map(|write| write.id.target.entity()).collect(),
        };
        return Ok((ready.compare(&live), left));
    }
}

/// Description of a write, as the beginning of a sentence.
fn described(write: &RecentWrite) -> String {
    let is_done = if write.is_done() { "was" } else { "may have been" };
    format!("`{}` {is_done} done a short time ago", printed(write))
}

fn printed(write: &RecentWrite) -> String {
    printable(&write.id.to_string()).into_owned()
}

/// The reason why an invisible write is left, and the remedy.
fn why_left(write: &RecentWrite) -> String {
    let (why, what_to_do) = match write.is_done() {
        true => ("and DigDir does not show it yet, so it cannot be closed", "in a minute"),
        false => (
            "and it was not waited until DigDir would show it, so it could not be closed",
            "with a longer --patience",
        ),
    };
    format!(
        "{}, {why}: what is declared now counts as applied once it is. Run apply again {what_to_do}",
        described(write)
    )
}

/// All lines of the own ledger, and of those of places that have applied to the same API. An invalid ledger
/// of another place must not stop this one.
fn lines(history: &History, placement: &Placement) -> Result<Vec<LedgerLine>, history::Error> {
    let refs = history.refs()?;
    let mut lines = history.ledger_of(&refs, history.place())?;
    for (name, baseline) in history.other_baselines(&refs) {
        let could_be = baseline.ok().flatten().is_none_or(|baseline| {
            let mut commits = baseline.commits().peekable();
            commits.peek().is_none() || commits.any(|it| it.placement.api == placement.api)
        });
        if could_be {
            match history.ledger_of(&refs, &name) {
                Ok(others) => lines.extend(others),
                Err(error) => tracing::warn!(
                    "what {} has written a short time ago is not known: {error}",
                    printable(&name)
                ),
            }
        }
    }
    Ok(lines)
}

/// The latest possible time of a write, as far as reported.
fn last_write(report: &ReportDocument) -> Option<Timestamp> {
    report.ended.as_ref().unwrap_or(&report.started).parse().ok()
}

/// A write in a line of the ledger. If the end of the apply is not recorded, neither are those of its
/// actions.
fn write(reported: ReportedAction, has_ended: bool) -> Option<RecentWrite> {
    let ReportedAction { action, outcome, message: _, may_be_done } = reported;
    // The id of a client that is to be created is not known.
    let makes = action.action == Verb::Create;
    let client_id = action.client_id.clone().filter(|_| has_ended || !makes);
    let is_made = makes && client_id.is_some();
    let ended = match outcome {
        _ if !has_ended => RecentEnd::Unclear,
        ActionOutcome::Done => RecentEnd::Shown,
        ActionOutcome::DoneNotVisibleYet => RecentEnd::Hidden,
        ActionOutcome::Unknown => RecentEnd::Unclear,
        ActionOutcome::Failed if may_be_done || is_made => RecentEnd::Unclear,
        ActionOutcome::Failed | ActionOutcome::Skipped | ActionOutcome::NotStarted => return None,
    };
    Some(RecentWrite {
        id: action.own_id()?,
        client_id: client_id.and_then(|id| id.parse().ok()),
        ended,
    })
}
