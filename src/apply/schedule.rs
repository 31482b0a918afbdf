//! Order of an apply: dependencies, and concurrency.

use std::collections::{HashMap, VecDeque};
use std::iter;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;

use super::execute::{ActionFailure, Executor, is_on_inactive, is_refused};
use crate::advice::advised;
use plan::{AccessWork, Action, ActionId, Outcome, Work};

/// Runs every action after those that it depends on. Returns the outcome of each, in the order of `actions`.
pub(super) async fn run(
    actions: &[Action],
    executor: &Executor<'_>,
    concurrency: usize,
    mut interrupt: watch::Receiver<bool>,
    progress: impl Fn(usize),
) -> Vec<Outcome> {
    let mut board = Board::new(actions);
    let mut in_flight = FuturesUnordered::new();
    let mut interrupted = *interrupt.borrow();
    loop {
        interrupted |= !executor.writer.may_write();
        while !interrupted && in_flight.len() < concurrency {
            let Some(task) = board.next() else { break };
            in_flight.push(perform(actions, task, executor));
        }
        if in_flight.is_empty() {
            break;
        }
        tokio::select! {
            // A finished action is recorded before a signal is handled.
            biased;
            Some(ended) = in_flight.next() => {
                board.book(ended);
                progress(board.ended);
            }
            Ok(_) = interrupt.wait_for(|interrupt| *interrupt), if !interrupted => interrupted = true,
        }
    }
    board.into_outcomes()
}

/// An action to run and, for a reactivation, the revocations or the change of keys that DigDir refused while
/// the scope or client was inactive: they are part of it, so that no signal comes between them.
struct Task {
    index: usize,
    postponed: Vec<usize>,
}

/// End of an action.
enum End {
    Done,
    Failed(Outcome),
    /// A revocation or a change of keys was refused while its scope or client was inactive: it is tried again
    /// once that is active.
    Postponed,
}

async fn perform(actions: &[Action], task: Task, executor: &Executor<'_>) -> Vec<(usize, End)> {
    let action = &actions[task.index];
    let result = match executor.would_refuse(action) {
        true => None,
        false => Some(executor.execute(action).await),
    };
    // Even a failed reactivation may have activated the scope, as its answer can be lost. So these are always
    // tried: if the scope is still inactive, another refusal does no harm. They are sent at once, as the scope is
    // open to their consumers until then.
    let rest = task.postponed.into_iter();
    let rest = rest.map(async |index| (index, executor.execute(&actions[index]).await));
    let rest = join_all(rest).await;
    let is_left = |(index, result): &(usize, Result<(), ActionFailure>)| {
        result.is_err() && takes_away(&actions[*index])
    };
    let is_left_open = executor.has_effect(action) && rest.iter().any(is_left);
    let end = match result {
        None => End::Postponed,
        Some(Err(failure)) if is_on_inactive(action) && failure.is_refusal(action) => {
            End::Postponed
        }
        Some(result) if is_left_open => close_again(action, result, executor).await,
        Some(result) => ended(action, result, executor),
    };
    let rest = rest.into_iter().map(|(index, result)| match result {
        Ok(()) => (index, End::Done),
        Err(failure) => {
            let before = format!("{}\n", consequence(&actions[index]));
            (index, End::Failed(failure.outcome(&before)))
        }
    });
    iter::once((task.index, end)).chain(rest).collect()
}

fn ended(action: &Action, result: Result<(), ActionFailure>, executor: &Executor<'_>) -> End {
    match result {
        Ok(()) => End::Done,
        Err(failure) if executor.has_effect(action) => {
            End::Failed(Outcome::Unclear(failure.to_string()))
        }
        Err(failure) => End::Failed(failure.outcome("")),
    }
}

/// Whether an action that was postponed removes something that is valid again once its scope or client is active.
fn takes_away(action: &Action) -> bool {
    match &action.work {
        Work::Access(_, _, AccessWork::Revoke { .. }) => true,
        Work::Keys(_, keys) => keys.takes_away(),
        Work::Access(_, _, AccessWork::Grant { .. }) | Work::Scope(..) | Work::Client(..) => false,
    }
}

/// Deactivates what was reactivated with this result, where accesses or keys that are not declared are valid by that
/// and could not be removed.
async fn close_again(
    action: &Action,
    result: Result<(), ActionFailure>,
    executor: &Executor<'_>,
) -> End {
    const LEFT: &str =
        "accesses or keys that are not declared could not be removed after the reactivation";
    let before = result.as_ref().err().map(|failure| format!("{failure}\n")).unwrap_or_default();
    match executor.close(action).await {
        // DigDir says that it is inactive, and it may never have been active.
        Some(Err(error)) if is_refused(error.kind()) && result.is_err() => {
            ended(action, result, executor)
        }
        Some(Err(error)) if !is_refused(error.kind()) => End::Failed(Outcome::Unclear(format!(
            "{before}{LEFT}, and it could not be deactivated again. Run apply again at once\n{}",
            advised(&error)
        ))),
        Some(Ok(()) | Err(_)) => End::Failed(Outcome::Failed(format!(
            "{before}{LEFT}, so it was deactivated again. It may have been active for a short time. Remove the \
             cause, and run apply again"
        ))),
        // Only reactivations have postponed actions.
        None => ended(action, result, executor),
    }
}

/// Consequence of the failure of a postponed action.
fn consequence(action: &Action) -> &'static str {
    match action.work {
        Work::Keys(..) => "if the client is active again, so are the keys that it had",
        Work::Access(..) | Work::Scope(..) | Work::Client(..) => {
            "if the scope is active again, so is this access"
        }
    }
}

/// Dependencies and progress of all actions.
struct Board {
    ids: Vec<ActionId>,
    /// For each action, those that depend on it.
    dependents: Vec<Vec<usize>>,
    /// For each action, the number of unfinished ones that it depends on.
    waiting: Vec<usize>,
    ready: VecDeque<usize>,
    /// For each action, the postponed revocations that it runs as well.
    postponed: Vec<Vec<usize>>,
    outcomes: Vec<Option<Outcome>>,
    ended: usize,
}

impl Board {
    fn new(actions: &[Action]) -> Self {
        let ids: Vec<_> = actions.iter().map(Action::id).collect();
        let index: HashMap<_, _> = ids.iter().zip(0..).collect();
        let mut dependents = vec![Vec::new(); actions.len()];
        let mut waiting = vec![0; actions.len()];
        for (action, position) in actions.iter().zip(0..) {
            for prerequisite in &action.after {
                waiting[position] += 1;
                // An action that depends on a missing one never becomes ready.
                if let Some(prerequisite) = index.get(prerequisite) {
                    dependents[*prerequisite].push(position);
                }
            }
        }
        let ready = (0..actions.len()).filter(|position| waiting[*position] == 0).collect();
        Self {
            dependents,
            waiting,
            ready,
            postponed: vec![Vec::new(); actions.len()],
            outcomes: vec![None; actions.len()],
            ended: 0,
            ids,
        }
    }

    fn next(&mut self) -> Option<Task> {
        let index = self.ready.pop_front()?;
        Some(Task { index, postponed: std::mem::take(&mut self.postponed[index]) })
    }

    fn book(&mut self, ended: Vec<(usize, End)>) {
        for (index, end) in ended {
            match end {
                End::Done => {
                    self.set(index, Outcome::Done);
                    self.release(index);
                }
                End::Failed(outcome) => {
                    self.set(index, outcome);
                    self.skip_dependents(index);
                }
                End::Postponed => self.postpone(index),
            }
        }
    }

    /// Moves a refused revocation to the reactivation that depends on it; if that will not be tried, neither
    /// will this.
    fn postpone(&mut self, index: usize) {
        for dependent in self.dependents[index].clone() {
            match self.outcomes[dependent].clone() {
                None => self.postponed[dependent].push(index),
                Some(outcome) => self.set(index, outcome),
            }
        }
        self.release(index);
    }

    fn set(&mut self, index: usize, outcome: Outcome) {
        if self.outcomes[index].replace(outcome).is_none() {
            self.ended += 1;
        }
    }

    fn release(&mut self, index: usize) {
        for dependent in std::mem::take(&mut self.dependents[index]) {
            self.waiting[dependent] -= 1;
            if self.waiting[dependent] == 0 && self.outcomes[dependent].is_none() {
                self.ready.push_back(dependent);
            }
        }
    }

    /// Skips all actions that depend on a failed one, directly or not, and the postponed revocations that
    /// they would have run.
    fn skip_dependents(&mut self, failed: usize) {
        let mut causes = vec![failed];
        while let Some(cause) = causes.pop() {
            let dependents = std::mem::take(&mut self.dependents[cause]);
            let postponed = std::mem::take(&mut self.postponed[cause]);
            for index in dependents.into_iter().chain(postponed) {
                if self.outcomes[index].is_none() {
                    self.set(index, Outcome::Skipped(self.ids[failed].clone()));
                    causes.push(index);
                }
            }
        }
    }

    fn into_outcomes(self) -> Vec<Outcome> {
        self.outcomes.into_iter().map(|outcome| outcome.unwrap_or(Outcome::NotStarted)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use domain::Source;
    use plan::ScopeWork;

    /// Actions each of which depends on some of those before it.
    fn actions(after: &[Vec<prop::sample::Index>]) -> Vec<Action> {
        let mut actions: Vec<Action> = Vec::new();
        for (number, after) in after.iter().enumerate() {
            let source = Source { file: "a.yaml".into(), line: 1, at: None };
            let earlier = |index: &prop::sample::Index| Some(index.get(&actions).id());
            let mut after: Vec<_> = match actions.is_empty() {
                true => Vec::new(),
                false => after.iter().filter_map(earlier).collect(),
            };
            after.sort();
            after.dedup();
            let work = Work::Scope(format!("etat:s{number}").parse().unwrap(), ScopeWork::Release);
            actions.push(Action {
                work,
                source,
                entry: None,
                group: None,
                reason: None,
                after,
                origin: None,
            });
        }
        actions
    }

    /// The end of an action that is tried: 0 is done, 1 fails, 2 is postponed.
    fn end(kind: u8) -> End {
        match kind {
            0 => End::Done,
            1 => End::Failed(Outcome::Failed("avvist".to_owned())),
            _ => End::Postponed,
        }
    }

    proptest! {
        /// However and in whichever order actions end: each is tried at most once and after all its
        /// dependencies, and is tried unless one of them has failed.
        #[test]
        fn what_waits_is_tried_after_what_it_waits_for(
            after in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..4), 1..14),
            kinds in prop::collection::vec(0..3u8, 14),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 28),
            concurrency in 1..5usize,
        ) {
            let actions = actions(&after);
            let position = |id: &ActionId| actions.iter().position(|action| action.id() == *id).unwrap();
            let mut board = Board::new(&actions);
            let (mut in_flight, mut tried, mut carried) = (Vec::new(), Vec::new(), Vec::new());
            let mut picks = picks.into_iter().cycle();
            loop {
                while in_flight.len() < concurrency {
                    let Some(task) = board.next() else { break };
                    prop_assert!(!tried.contains(&task.index), "twice: {}", task.index);
                    for before in actions[task.index].after.iter().map(position) {
                        let is_done = board.outcomes[before] == Some(Outcome::Done);
                        let is_carried = task.postponed.contains(&before) || carried.contains(&before);
                        prop_assert!(is_done || is_carried, "{before} before {}", task.index);
                    }
                    tried.push(task.index);
                    carried.extend(task.postponed.iter().copied());
                    in_flight.push(task);
                }
                if in_flight.is_empty() {
                    break;
                }
                let task = in_flight.swap_remove(picks.next().unwrap().index(in_flight.len()));
                // A postponed action needs another one that runs it.
                let is_last = board.dependents[task.index].is_empty();
                let kind = if is_last && kinds[task.index] == 2 { 0 } else { kinds[task.index] };
                let mut ended = vec![(task.index, end(kind))];
                ended.extend(task.postponed.iter().map(|index| (*index, End::Done)));
                board.book(ended);
                prop_assert_eq!(board.ended, board.outcomes.iter().flatten().count());
            }
            let failed = |index: usize| matches!(board.outcomes[index], Some(Outcome::Failed(_)));
            for (index, action) in actions.iter().enumerate() {
                let mut before = action.after.iter().map(position);
                let is_stopped = before.any(|it| {
                    failed(it) || matches!(board.outcomes[it], Some(Outcome::Skipped(_)))
                });
                match &board.outcomes[index] {
                    Some(Outcome::Skipped(cause)) => prop_assert!(failed(position(cause)), "{index}"),
                    Some(_) => prop_assert!(!is_stopped || carried.contains(&index), "{index} was tried"),
                    None => prop_assert!(false, "{index} was never tried"),
                }
            }
        }
    }
}
