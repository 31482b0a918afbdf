//! A plan that is carried out under the lock, and its records in git.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use super::failure::Failure;
use super::lock_guard::LockGuard;
use super::planned::{ApplyAccess, Planned};
use super::ready::PlanPart;
use super::recent::LeftOpen;
use crate::apply::{ApplyOptions, Patience, apply};
use crate::history::{
    Actor, ApplyEnd, ApplyStart, Awaited, Conclusion, Counts, DatesDone, LedgerEntry, Recorded,
    Refs,
};
use domain::text::json;
use domain::{Applied, Behaviour, Entity, Undone};
use plan::document::{ReportDocument, ReviewDocument};
use plan::{Code, Plan, Report};

/// A plan that may be carried out.
pub(crate) struct Approved(pub(super) Planned);

/// Options of carrying out a plan.
pub(crate) struct ApplyContext<'a> {
    /// The person or job.
    pub(crate) actor: Actor,
    /// The pull request by which people saw the plan, if that is known.
    pub(crate) review: Option<ReviewDocument>,
    /// The lock; `None` outside git.
    pub(crate) lock_guard: Option<LockGuard>,
    /// Largest number of actions at a time.
    pub(crate) concurrency: usize,
    /// Total time to wait until DigDir shows the changes.
    pub(crate) patience: Patience,
    /// When it becomes true, actions in flight are finished and no more are started.
    pub(crate) interrupt: watch::Receiver<bool>,
    /// How the API is known to behave.
    pub(crate) behaviour: Behaviour,
    /// Called with the number of finished actions, and their total.
    pub(crate) progress: &'a dyn Fn(usize, usize),
}

/// Result of carrying out a plan.
pub(crate) struct Ended {
    /// The report.
    pub(crate) report: ReportDocument,
    /// Whether there was something to do.
    pub(crate) began: bool,
    /// The remedy where the applied commit is not moved, whatever the result: the past is not known and must
    /// not be forgotten, or the commit is not on the branch that is applied.
    pub(crate) kept: Option<&'static str>,
    /// The reason why an activated entity stays active, if it does.
    pub(crate) open: Option<String>,
    /// Other failures.
    pub(crate) failures: Vec<Failure>,
}

impl Approved {
    /// Carries it out, and records it in git.
    ///
    /// # Errors
    /// The ledger cannot be written, so that nothing was done.
    pub(crate) async fn carry_out(self, context: ApplyContext<'_>) -> Result<Ended, Failure> {
        let ApplyContext {
            actor,
            review,
            lock_guard,
            concurrency,
            patience,
            interrupt,
            behaviour,
            progress,
        } = context;
        let kept = self.kept();
        let begun = self.begun(&actor, review);
        let Self(Planned { ready, remote, access, plan, document, recent, left, .. }) = self;
        // Found done already, these dates are not due once more after a change by hand.
        let is_dated = ready.dates_have_passed(&plan);
        let past = ready.past;
        let awaited = awaited(past.applied.iter().chain(&past.tried), &left.may_show);
        let (lost, mut shown, is_unfinished) = (past.lost, past.refs, past.is_unfinished);
        let line = json::line(&begun);
        let commit = document.repository.as_ref();
        let commit = commit.map(|own| own.commit.clone()).unwrap_or_default();
        let entry = |before, line| LedgerEntry { commit: &commit, before, line };
        let left_to_others = plan.left_to_others(&ready.opened.desired, &past.known);
        let recorded = |placement| Recorded {
            counts: Counts::AllBut(left_to_others),
            ..Recorded::new(commit.clone(), placement, actor, Timestamp::now())
        };
        let lock_guard = lock_guard.zip(past.placement.map(recorded));
        let began = !plan.actions.is_empty();
        if let (Some((held, recorded)), true) = (&lock_guard, began) {
            let dates = DatesDone { at: plan.now, undone: plan.begun() };
            let start = ApplyStart { lost: lost.as_ref(), dates: Some(&dates) };
            match held.begin(entry(None, &line), recorded, start, begun.dirty, shown.as_ref()) {
                Ok(now) => shown = Some(now),
                Err(failure) => {
                    if let Some((lock_guard, _)) = lock_guard {
                        lock_guard.release().await;
                    }
                    let line = "The ledger could not be written, so nothing was changed";
                    return Err(failure.and(line));
                }
            }
        }
        let report = match access {
            ApplyAccess::Write(writer) if began => {
                let total = plan.actions.len();
                let writer = match &lock_guard {
                    Some((lock_guard, _)) => writer.gated(lock_guard.gate()),
                    None => writer,
                };
                let progress = |ended| progress(ended, total);
                let conduct =
                    ApplyOptions { concurrency, patience, interrupt, recent, behaviour, progress };
                apply(&plan, &writer, conduct).await
            }
            ApplyAccess::Read(_) | ApplyAccess::Write(_) => Report::default(),
        };
        let undone = Undone { left: plan.undone(&report.outcomes), ..Undone::default() };
        let dates = DatesDone { at: plan.now, undone };
        let report = begun.ended(&report, Timestamp::now());
        let concluded = match lock_guard {
            Some((lock_guard, recorded)) => {
                let was_applied = document.applied_commit() == Some(&commit);
                let is_news = is_dated || (!report.due && (!was_applied || is_unfinished));
                let ends = json::line(&report);
                let conclusion = conclusion(&plan, &report, &left, kept.is_some());
                let entry = entry(began.then_some(&line), &ends);
                let end = ApplyEnd { conclusion, awaited: &awaited, dates: &dates };
                conclude(lock_guard, is_news, end, entry, &recorded, shown.as_ref()).await
            }
            None => Ok(()),
        };
        let mut failures: Vec<_> = remote.close().await.err().into_iter().collect();
        failures.extend(concluded.err().map(|failure| match began {
            true => failure.and(
                "What was done is done, but not all that git is to know of it could be written: run apply \
                 again",
            ),
            false => failure.and("Nothing was to be done, and nothing was changed"),
        }));
        Ok(Ended { report, began, kept, open: left.open, failures })
    }

    /// The report at its start.
    fn begun(&self, actor: &Actor, review: Option<ReviewDocument>) -> ReportDocument {
        let Self(Planned { ready, document, lifted, .. }) = self;
        let placement = ready.past.placement.as_ref();
        let from = placement.map(|it| (it.folder.clone(), it.api.clone())).unzip();
        let who = (actor.who.clone(), actor.place.clone());
        let report = Uuid::new_v4().to_string();
        let begun =
            ReportDocument::begun(document, report, who, from, lifted.clone(), Timestamp::now());
        let due = matches!(ready.part, PlanPart::Due { .. });
        ReportDocument { due, review, ..begun }
    }

    fn kept(&self) -> Option<&'static str> {
        match (&self.0.ready.past.refusal, self.0.is_unknown) {
            (Some(_), _) => Some(
                "apply it again once it is merged as it is, or name what counts with `portvakt baseline set \
                 COMMIT`",
            ),
            (None, true) => Some("`portvakt baseline set COMMIT` says what counts"),
            (None, false) => None,
        }
    }
}

/// Writes the result, and moves the applied commit if everything possible was done. If there was nothing to
/// do and nothing to record, only the lock is released.
async fn conclude(
    lock_guard: LockGuard,
    is_news: bool,
    end: ApplyEnd<'_>,
    entry: LedgerEntry<'_>,
    recorded: &Recorded,
    shown: Option<&Refs>,
) -> Result<(), Failure> {
    let begins = entry.before.is_some();
    let in_full =
        matches!(end.conclusion, Conclusion::InFull | Conclusion::RolledBack | Conclusion::Due);
    if !begins && (!in_full || !is_news) {
        lock_guard.release().await;
        return Ok(());
    }
    lock_guard.conclude(entry, recorded, end, shown).await
}

/// The entities that may still become visible, by the commits that count and declare them.
fn awaited<'a>(
    counting: impl Iterator<Item = &'a Applied>,
    may_show: &BTreeSet<Entity>,
) -> Awaited {
    let mut awaited = Awaited::new();
    for Applied { commit, desired } in counting {
        let declared = may_show.iter().filter(|entity| desired.declares(entity)).cloned();
        awaited.entry(commit.to_string()).or_default().extend(declared);
    }
    awaited
}

/// Whether the commit counts as applied. It does not if the past must be kept (`is_kept`), or an entity to be
/// deactivated stays open.
fn conclusion(plan: &Plan, report: &ReportDocument, left: &LeftOpen, is_kept: bool) -> Conclusion {
    match extent(plan, report) {
        _ if report.due => Conclusion::Due,
        Conclusion::InFull | Conclusion::Closed if is_kept || left.open.is_some() => {
            Conclusion::InPart
        }
        Conclusion::InFull if report.rollback => Conclusion::RolledBack,
        extent => extent,
    }
}

/// How much of the plan was done: all actions, with every entity to deactivate inactive, or less. An action that is
/// blocked for another reason waits for somebody else, and must not keep later removals from the declarations from
/// being recognised.
fn extent(plan: &Plan, ended: &ReportDocument) -> Conclusion {
    let is_open = plan.blocked.iter().any(|blocked| {
        blocked.target.verb.closes()
            || matches!(
                blocked.code,
                Code::PreventDeactivation | Code::Protected | Code::DeclaredBeside
            )
    });
    if ended.dirty {
        return Conclusion::Dirty;
    }
    if ended.unverified.is_some() || is_open {
        return Conclusion::InPart;
    }
    let undone: Vec<_> = ended.undone().map(|reported| &reported.action).collect();
    match undone.iter().any(|action| action.takes_away()) {
        true => Conclusion::InPart,
        false if undone.is_empty() => Conclusion::InFull,
        false => Conclusion::Closed,
    }
}
