//! The protocol of lock, record, ledger and apply as a model, checked in every state that it can reach,
//! within bounds: several jobs of two places that apply to one API, with every fault between any two of their
//! steps.
//!
//! The steps have the names of the functions that they model, and records are computed by those functions
//! themselves: `Baseline::begun`, `concluded`, `beside` and `overlooked`. Not modelled are:
//! - Time. A lock is taken from a live holder only once its lease is over: `Watch::WHOLE` is longer than
//!   `LEASE`, and a request that was sent ends within the rest. `LockGuard::counts` is checked before each action
//!   starts, and not again before a later request of the same action.
//! - A remote that cannot change several refs at once, and keeps a part of a push.
//! - Writes that show late, so that an earlier commit counts for them alone.
//! - Applies of uncommitted changes, rollbacks, `baseline set`, protection and releases.

mod steps;
mod world;

use stateright::{Checker, HasDiscoveries, Model, Property};
use steps::Answer;
use world::{At, FaultBudget, Head, Job, Place, Refs, Scopes, World};

/// A step of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// A commit with these declarations is merged.
    Merge([Scopes; 2]),
    /// The branch is rewritten: its tip is replaced by another commit.
    Rewrite([Scopes; 2]),
    /// Somebody deletes the refs of a place's baseline.
    Delete(Place),
    /// Somebody restores older ones.
    PutBack(Place, usize),
    /// Somebody breaks the lock of a live holder.
    Unlock(Place),
    /// A job is killed.
    Kill(usize),
    /// A job fails to renew its lock for the length of its lease.
    LeaseEnds(usize),
    Renew(usize, Answer),
    /// A job begins with the commit before the tip.
    Rerun(usize),
    /// The next step of a job.
    Apply(usize, Answer),
    Execute(usize, Scopes),
    /// DigDir refuses an action.
    Refuse(usize, Scopes),
}

/// Bounds of a check.
struct Protocol {
    /// Possible declarations of each place.
    declared: [&'static [Scopes]; 2],
    /// Possible live states at the start.
    live: &'static [Scopes],
    /// The place of each job, and its number of runs.
    jobs: &'static [(Place, u8)],
    left: FaultBudget,
}

impl Protocol {
    /// Possible declarations of a commit.
    fn heads(&self) -> impl Iterator<Item = [Scopes; 2]> {
        let [one, other] = self.declared;
        one.iter().flat_map(|one| other.iter().map(|other| [*one, *other]))
    }

    /// The steps of a running job, without faults.
    fn work(world: &World, job: usize, steps: &mut Vec<Step>) {
        let ours = &world.jobs[job];
        let lock = world.places[ours.place].lock;
        match &ours.at {
            At::Rest if ours.runs == 0 => {}
            // It waits, or was refused.
            At::Holder if lock.is_some_and(|lock| world.is_alive(lock)) => {}
            At::Execute if ours.counts() && ours.plan.left != 0 => {
                let scopes = (0..8).map(|bit| 1 << bit).filter(|bit| ours.plan.left & bit != 0);
                steps.extend(scopes.map(|scope| Step::Execute(job, scope)));
            }
            _ => steps.push(Step::Apply(job, Answer::Explanation)),
        }
    }

    /// All faults in a job's next step.
    fn faults(world: &World, job: usize, steps: &mut Vec<Step>) {
        let (ours, left) = (&world.jobs[job], &world.left);
        if ours.at == At::Rest {
            let is_older = world.heads[usize::from(world.tip)].parent.is_some();
            if ours.runs > 0 && left.reruns > 0 && is_older {
                steps.push(Step::Rerun(job));
            }
            return;
        }
        if left.kills > 0 {
            steps.push(Step::Kill(job));
        }
        let pushes = match ours.at {
            At::Take(_) | At::Push { .. } | At::Conclude | At::Report | At::Release => true,
            At::Rest | At::Holder | At::Look | At::Begin | At::Execute => false,
        };
        if pushes && left.answers > 0 {
            let lost = [Answer::LostAfter, Answer::LostBefore];
            steps.extend(lost.map(|answer| Step::Apply(job, answer)));
        }
        if ours.at == At::Execute && left.refusals > 0 {
            let scopes = (0..8).map(|bit| 1 << bit).filter(|bit| ours.plan.left & bit != 0);
            steps.extend(scopes.map(|scope| Step::Refuse(job, scope)));
        }
        if ours.own.is_none() || ours.is_lost {
            return;
        }
        if ours.is_leased && left.leases > 0 {
            steps.push(Step::LeaseEnds(job));
        }
        if !ours.is_leased || world.places[ours.place].lock != ours.own {
            steps.push(Step::Renew(job, Answer::Explanation));
        }
        if left.answers > 0 && world.places[ours.place].lock == ours.own {
            steps.push(Step::Renew(job, Answer::LostAfter));
        }
    }

    /// Applies to a place once more, without faults.
    fn finished(&self, world: &World, place: Place) -> World {
        let mut world = world.clone();
        let job = world.jobs.len();
        world.jobs.push(Job::new(place, 1));
        let mut steps = Vec::new();
        for _ in 0..40 {
            if world.jobs[job].at == At::Rest && world.jobs[job].runs == 0 {
                return world;
            }
            steps.clear();
            Self::work(&world, job, &mut steps);
            let Some(step) = steps.pop() else { break };
            world = self.next_state(&world, step).unwrap();
        }
        World { broken: Some("an apply does not end"), ..world }
    }

    /// Whether a scope that a place activated is active, and no plan of that place would deactivate or report
    /// it.
    fn is_forgotten(world: &World, place: Place) -> bool {
        let past = world.past(place);
        let refs = &world.places[place];
        !past.is_unknown && refs.owed & world.live & !past.known != 0
    }

    /// Whether an apply of the tip finishes what others left, or reports why not.
    fn finishes(&self, world: &World) -> bool {
        (0..2).all(|place| {
            let after = self.finished(world, place);
            let refs = &after.places[place];
            let declared = after.declared(after.tip, place);
            let is_unknown = (0..2).any(|place| after.past(place).is_unknown);
            let is_done = refs.applied == Some(after.tip)
                && refs.record.as_ref().is_some_and(|record| record.tried.is_empty())
                && refs.owed & after.live & !declared == 0
                && declared & !after.live == 0;
            after.broken.is_none()
                && refs.lock.is_none()
                && if is_unknown { after.is_tampered } else { is_done }
        })
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let heads = self.heads().flat_map(|head| self.live.iter().map(move |live| (head, *live)));
        let jobs: Vec<_> = self.jobs.iter().map(|(place, runs)| Job::new(*place, *runs)).collect();
        heads
            .map(|(declared, live)| World {
                heads: vec![Head { parent: None, declared }],
                tip: 0,
                live,
                places: [Refs::default(), Refs::default()],
                jobs: jobs.clone(),
                clock: 1,
                left: self.left,
                is_tampered: false,
                is_unlocked: false,
                broken: None,
            })
            .collect()
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        let others = || {
            let own = world.heads[usize::from(world.tip)].declared;
            self.heads().filter(move |head| *head != own)
        };
        if world.left.merges > 0 {
            steps.extend(others().map(Step::Merge));
        }
        if world.left.rewrites > 0 && world.heads[usize::from(world.tip)].parent.is_some() {
            steps.extend(others().map(Step::Rewrite));
        }
        for (place, refs) in world.places.iter().enumerate() {
            if world.left.deletions > 0 && refs.record.is_some() {
                steps.push(Step::Delete(place));
                steps.extend((0..refs.older.len()).map(|older| Step::PutBack(place, older)));
            }
            if world.left.unlocks > 0 && refs.lock.is_some() {
                steps.push(Step::Unlock(place));
            }
        }
        for job in 0..world.jobs.len() {
            Self::work(world, job, steps);
            Self::faults(world, job, steps);
        }
    }

    fn next_state(&self, last: &World, step: Step) -> Option<World> {
        let mut world = last.clone();
        match step {
            Step::Merge(declared) => {
                world.left.merges -= 1;
                world.heads.push(Head { parent: Some(world.tip), declared });
                world.tip = u8::try_from(world.heads.len() - 1).unwrap();
            }
            Step::Rewrite(declared) => {
                world.left.rewrites -= 1;
                world.is_tampered = true;
                let parent = world.heads[usize::from(world.tip)].parent;
                world.heads.push(Head { parent, declared });
                world.tip = u8::try_from(world.heads.len() - 1).unwrap();
            }
            Step::Delete(place) => {
                world.left.deletions -= 1;
                world.is_tampered = true;
                let refs = &mut world.places[place];
                (refs.applied, refs.record) = (None, None);
            }
            Step::Rerun(job) => {
                world.left.reruns -= 1;
                let before = world.heads[usize::from(world.tip)].parent?;
                world.open(job, before);
            }
            Step::Unlock(place) => {
                world.left.unlocks -= 1;
                world.is_unlocked = true;
                world.places[place].lock = None;
            }
            Step::PutBack(place, older) => {
                world.left.deletions -= 1;
                world.is_tampered = true;
                let refs = &mut world.places[place];
                let (applied, record) = refs.older.swap_remove(older);
                (refs.applied, refs.record) = (applied, Some(record));
            }
            Step::Kill(job) => {
                world.left.kills -= 1;
                world.jobs[job] = world.jobs[job].ended();
            }
            Step::LeaseEnds(job) => {
                world.left.leases -= 1;
                world.jobs[job].is_leased = false;
            }
            Step::Renew(job, answer) => {
                world.left.answers -= u8::from(answer != Answer::Explanation);
                world.renew(job, answer);
            }
            Step::Apply(job, answer) => {
                world.left.answers -= u8::from(answer != Answer::Explanation);
                match world.jobs[job].at.clone() {
                    At::Rest => world.open(job, world.tip),
                    At::Holder => world.holder(job),
                    At::Take(seen) => world.lock(job, seen, answer),
                    At::Look => world.look(job),
                    At::Begin => world.begin(job),
                    At::Push { .. } => world.begin_push(job, answer),
                    At::Execute => world.read_back(job),
                    At::Conclude => world.conclude(job, answer),
                    At::Report => world.report(job, answer),
                    At::Release => world.release(job, answer),
                }
            }
            Step::Execute(job, scope) => world.execute(job, scope),
            Step::Refuse(job, scope) => {
                world.left.refusals -= 1;
                world.refuse(job, scope);
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no step breaks a promise", |_, world: &World| world.broken.is_none()),
            Property::always("nothing is forgotten", |_, world: &World| {
                // A job whose lock was broken by hand reports only when it ends.
                let is_judged = !world.is_unlocked || world.is_quiet();
                !is_judged || !(0..2).any(|place| Self::is_forgotten(world, place))
            }),
            Property::always(
                "an apply finishes what others left",
                |protocol: &Self, world: &World| !world.is_quiet() || protocol.finishes(world),
            ),
            Property::eventually("everybody ends", |_, world: &World| {
                world.is_quiet() && world.jobs.iter().all(|job| job.runs == 0)
            }),
            Property::sometimes("a removal is carried out", |_, world: &World| {
                let Refs { applied, began, .. } = world.places[0];
                let is_gone = began & !world.declared(world.tip, 0) & !world.live != 0;
                world.is_quiet() && applied == Some(world.tip) && is_gone
            }),
        ]
    }
}

/// Possible declarations with one scope.
const ONE: &[Scopes] = &[0, 1];
/// No scope.
const NOTHING: &[Scopes] = &[0];
/// A commit is merged while applies run.
const MERGED: FaultBudget = FaultBudget {
    merges: 1,
    rewrites: 0,
    kills: 0,
    answers: 0,
    leases: 0,
    refusals: 0,
    deletions: 0,
    reruns: 0,
    unlocks: 0,
};
/// Two jobs of one place, each with two runs.
const TWO: &[(Place, u8)] = &[(0, 2), (0, 2)];

/// Checks all states; their number must be about the given one.
fn check(states: usize, protocol: Protocol) {
    let checker = protocol.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    checker.assert_properties();
    let found = checker.unique_state_count();
    assert!(found > states / 10 * 9 && found < states / 10 * 11, "{found} states");
}

/// A check of one place with one scope, which may be live at the start.
fn at_one_place(jobs: &'static [(Place, u8)], left: FaultBudget) -> Protocol {
    Protocol { declared: [ONE, NOTHING], live: ONE, jobs, left }
}

#[test]
fn a_kill_anywhere_and_a_lost_answer_forget_nothing() {
    check(80_000, at_one_place(TWO, FaultBudget { kills: 1, answers: 1, ..MERGED }));
}

#[test]
fn a_lease_that_runs_out_lets_nobody_write_beside_another() {
    check(140_000, at_one_place(TWO, FaultBudget { kills: 1, leases: 1, ..MERGED }));
}

#[test]
fn a_renewal_whose_answer_is_lost_loses_no_lock() {
    check(94_000, at_one_place(&[(0, 2), (0, 1)], FaultBudget { answers: 1, leases: 1, ..MERGED }));
}

#[test]
fn an_action_that_is_refused_forgets_nothing() {
    let left = FaultBudget { merges: 2, kills: 1, refusals: 1, ..MERGED };
    check(68_000, at_one_place(TWO, left));
    let scopes: &[Scopes] = &[0, 1, 2, 3];
    let declared = [scopes, NOTHING];
    let left = FaultBudget { refusals: 1, ..MERGED };
    check(32_000, Protocol { declared, live: ONE, jobs: TWO, left });
}

#[test]
fn an_older_job_that_runs_again_forgets_nothing() {
    check(85_000, at_one_place(TWO, FaultBudget { merges: 2, kills: 1, reruns: 1, ..MERGED }));
}

#[test]
fn a_branch_that_is_rewritten_makes_the_past_unknown() {
    let left = FaultBudget { merges: 2, rewrites: 1, kills: 1, ..MERGED };
    check(54_000, at_one_place(&[(0, 2), (0, 1)], left));
}

#[test]
fn a_record_that_is_deleted_or_put_back_is_missed() {
    check(11_500, at_one_place(TWO, FaultBudget { deletions: 1, ..MERGED }));
    let left = FaultBudget { kills: 2, deletions: 1, reruns: 1, ..MERGED };
    check(9_600, at_one_place(&[(0, 3)], left));
}

#[test]
fn a_lock_that_is_broken_while_its_holder_lives_forgets_nothing() {
    check(30_000, at_one_place(TWO, FaultBudget { unlocks: 1, ..MERGED }));
}

#[test]
fn two_places_close_nothing_of_each_other() {
    let jobs = &[(0, 1), (0, 1), (1, 1)];
    let left = FaultBudget { kills: 1, ..MERGED };
    check(107_000, Protocol { declared: [ONE, ONE], live: NOTHING, jobs, left });
}
