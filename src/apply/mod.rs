//! Carries a plan out and tells what became of each action.
//!
//! Nothing is sent that is not an action of the plan. What depends on a failed action is not
//! tried; everything else is. Afterwards all that was changed is read again and compared.

mod execute;
mod schedule;
mod verify;

use std::collections::BTreeSet;

use tokio::sync::watch;

use crate::digdir::{Needs, Writer};
use crate::plan::{Action, ActionId, Plan};

/// What became of a plan.
#[derive(Debug)]
pub struct Report {
    /// What became of each action, in the plan's order.
    pub outcomes: Vec<Outcome>,
    /// Why what was done could not be read again, if it could not.
    pub unverified: Option<String>,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, and was seen to be when read again.
    Done,
    /// DigDir refused it, or the answer never came, or it is not so when read again.
    Failed(String),
    /// It was not tried because this one failed.
    Skipped(ActionId),
    /// It was not tried because a signal came first.
    NotStarted,
}

impl Report {
    /// Whether everything was done and seen to be.
    pub fn is_complete(&self) -> bool {
        self.unverified.is_none() && self.outcomes.iter().all(|outcome| *outcome == Outcome::Done)
    }
}

/// Carries the plan out, at most `concurrency` actions at a time.
///
/// When `interrupt` turns true, what is in flight is finished and nothing new is started.
/// `progress` is told how many actions have ended.
pub async fn apply(
    plan: &Plan,
    writer: &Writer,
    concurrency: usize,
    interrupt: watch::Receiver<bool>,
    progress: impl Fn(usize),
) -> Report {
    let mut outcomes = schedule::run(&plan.actions, writer, concurrency, interrupt, progress).await;
    let unverified = read_back(&plan.actions, &mut outcomes, writer).await.err();
    Report { outcomes, unverified }
}

/// Reads again what was done and turns what is not so into a failure.
async fn read_back(
    actions: &[Action],
    outcomes: &mut [Outcome],
    writer: &Writer,
) -> Result<(), String> {
    let done = || actions.iter().zip(0..).filter(|(_, index)| outcomes[*index] == Outcome::Done);
    let scopes: BTreeSet<_> = done().map(|(action, _)| action.scope.clone()).collect();
    if scopes.is_empty() {
        return Ok(());
    }
    let needs = Needs { scopes, ..Needs::default() };
    let live = writer.reader().live(&needs, &|_| {}).await.map_err(|error| error.advised())?;
    let differing: Vec<_> = done()
        .filter_map(|(action, index)| {
            let live = live.scopes.get(&action.scope);
            let difference =
                verify::difference(action, live).or_else(|| verify::surprise(action, live))?;
            Some((index, format!("DigDir took it, but when read again {difference}")))
        })
        .collect();
    for (index, message) in differing {
        outcomes[index] = Outcome::Failed(message);
    }
    Ok(())
}
