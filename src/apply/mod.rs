//! Carries a plan out and reports the outcome of each action.
//!
//! Only actions of the plan are sent, with one exception: what was reactivated is deactivated again if accesses or keys
//! that are not declared could not be removed from it. An action that depends on a failed one is not tried; everything
//! else is. Afterwards all changes are read back and compared.

mod client_parts;
mod converge;
mod execute;
mod patience;
mod recent;
mod schedule;
mod unseen;
mod verify;
mod write;

use std::collections::{BTreeSet, HashMap};

use tokio::sync::watch;

pub use client_parts::renew_keys;
use execute::Executor;
pub use patience::{Patience, Wait};
pub use recent::{Recent, RecentEnd, RecentWrite};

use crate::advice::advised;
use digdir::{ClientNeeds, Needs, Writer};
use domain::{Behaviour, ClientId, ClientName, Live};
use plan::{Action, Outcome, Plan, Report, Verb};

/// Options of an apply.
pub struct ApplyOptions<P> {
    /// Largest number of actions at a time.
    pub concurrency: usize,
    /// When it becomes true, actions in flight are finished and no more are started.
    pub interrupt: watch::Receiver<bool>,
    /// Total time to wait until DigDir shows the changes.
    pub patience: Patience,
    /// Recent writes.
    pub recent: Recent,
    /// How the API is known to behave.
    pub behaviour: Behaviour,
    /// Called with the number of finished actions.
    pub progress: P,
}

/// Carries the plan out. Nothing more is started once writing is no longer allowed.
pub async fn apply<P: Fn(usize)>(plan: &Plan, writer: &Writer, conduct: ApplyOptions<P>) -> Report {
    let ApplyOptions { concurrency, interrupt, patience, recent, behaviour, progress } = conduct;
    let executor = Executor::new(writer, &patience, &recent, behaviour);
    let mut outcomes =
        schedule::run(&plan.actions, &executor, concurrency, interrupt, progress).await;
    let made = executor.into_made();
    let read = read_back(&plan.actions, &mut outcomes, writer, &made, &patience).await;
    Report { outcomes, made, unverified: read.err() }
}

/// Reads the changes back until they are visible or patience runs out, and then reports those that are not
/// there.
async fn read_back(
    actions: &[Action],
    outcomes: &mut [Outcome],
    writer: &Writer,
    made: &HashMap<ClientName, ClientId>,
    patience: &Patience,
) -> Result<(), String> {
    let done = actions.iter().enumerate().filter(|(index, _)| outcomes[*index] == Outcome::Done);
    let mut left: Vec<(usize, &Action)> = done.collect();
    let revocations = left.iter().filter(|(_, action)| action.verb() == Verb::Revoke);
    let revoked = revocations.filter_map(|(_, action)| action.access()).collect();
    let mut wait = patience.begin();
    loop {
        let Some(live) = read(&left, writer, made).await? else { return Ok(()) };
        let difference = |action| verify::difference(action, &live, made, &revoked);
        left.retain(|(_, action)| difference(action).is_some());
        if !left.is_empty() && wait.pause().await {
            tracing::info!(
                "DigDir does not show all of what was done yet ({}): reading again",
                left.len()
            );
            continue;
        }
        for (index, action) in left {
            let Some(difference) = difference(action) else { continue };
            outcomes[index] = match unseen::is_unseen(action, &live, made) {
                true => Outcome::NotVisible(format!(
                    "DigDir took it, and does not show it yet: {difference}"
                )),
                false => {
                    Outcome::Failed(format!("DigDir took it, but when read again {difference}"))
                }
            };
        }
        return Ok(());
    }
}

/// Reads the entities of actions; `None` where there are none to read.
async fn read(
    actions: &[(usize, &Action)],
    writer: &Writer,
    made: &HashMap<ClientName, ClientId>,
) -> Result<Option<Live>, String> {
    let actions = actions.iter().map(|(_, action)| *action);
    let scopes: BTreeSet<_> =
        actions.clone().filter_map(|action| action.scope().cloned()).collect();
    let ids = actions.filter_map(|action| verify::client_id(action, made).cloned());
    let ids: BTreeSet<_> = ids.collect();
    if scopes.is_empty() && ids.is_empty() {
        return Ok(None);
    }
    let clients =
        (!ids.is_empty()).then(|| ClientNeeds { ids: ids.into(), ..ClientNeeds::default() });
    let needs = Needs { scopes: scopes.into(), clients, ..Needs::default() };
    let live = writer.reader().live(&needs, &|_| {}).await;
    live.map(Some).map_err(|error| advised(&error))
}
