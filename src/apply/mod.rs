//! Carries a plan out and tells what became of each action.
//!
//! Nothing is sent that is not an action of the plan. What depends on a failed action is not
//! tried; everything else is. Afterwards all that was changed is read again and compared.

mod client_parts;
mod converge;
mod execute;
mod schedule;
mod verify;
mod write;

use std::collections::{BTreeSet, HashMap};

use tokio::sync::watch;

use execute::Executor;

use crate::digdir::{ClientNeeds, Needs, Writer};
use crate::domain::{ClientId, ClientName};
use crate::plan::{Action, ActionId, Plan};

/// What became of a plan.
#[derive(Debug, Default)]
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
/// When `interrupt` turns true, what is in flight is finished and nothing new is started; nor is
/// anything as soon as `may_go_on` says no.
/// `progress` is told how many actions have ended.
pub async fn apply(
    plan: &Plan,
    writer: &Writer,
    concurrency: usize,
    interrupt: watch::Receiver<bool>,
    may_go_on: impl Fn() -> bool,
    progress: impl Fn(usize),
) -> Report {
    let executor = Executor::new(writer);
    let mut outcomes =
        schedule::run(&plan.actions, &executor, concurrency, interrupt, may_go_on, progress).await;
    let made = executor.into_made();
    let unverified = read_back(&plan.actions, &mut outcomes, writer, &made).await.err();
    Report { outcomes, unverified }
}

/// Reads again what was done and turns what is not so into a failure.
async fn read_back(
    actions: &[Action],
    outcomes: &mut [Outcome],
    writer: &Writer,
    made: &HashMap<ClientName, ClientId>,
) -> Result<(), String> {
    let done = || actions.iter().zip(0..).filter(|(_, index)| outcomes[*index] == Outcome::Done);
    let scopes: BTreeSet<_> = done().filter_map(|(action, _)| action.scope().cloned()).collect();
    let clients = done().filter(|(action, _)| action.client().is_some());
    let ids: BTreeSet<_> = clients
        .filter_map(|(action, _)| action.client_id().or_else(|| made.get(action.client()?)))
        .cloned()
        .collect();
    if scopes.is_empty() && ids.is_empty() {
        return Ok(());
    }
    let clients =
        (!ids.is_empty()).then(|| ClientNeeds { ids: ids.into(), ..ClientNeeds::default() });
    let needs = Needs { scopes: scopes.into(), clients, ..Needs::default() };
    let live = writer.reader().live(&needs, &|_| {}).await.map_err(|error| error.advised())?;
    let differing: Vec<_> = done()
        .filter_map(|(action, index)| {
            let difference = verify::difference(action, &live, made)?;
            Some((index, format!("DigDir took it, but when read again {difference}")))
        })
        .collect();
    for (index, message) in differing {
        outcomes[index] = Outcome::Failed(message);
    }
    Ok(())
}
