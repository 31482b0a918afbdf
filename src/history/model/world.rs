//! State of the model: commits, live scopes, the refs of two places, and jobs.

use jiff::Timestamp;

use crate::history::{Actor, Baseline, LossReason, Placement, Recorded};

/// A commit, by its number in [`World::heads`].
pub(super) type Commit = u8;
/// Scopes, one bit each.
pub(super) type Scopes = u8;
/// A place, by its number in [`World::places`].
pub(super) type Place = usize;

/// The whole state on which steps depend.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    /// The commits that were merged.
    pub(super) heads: Vec<Head>,
    /// The tip of the branch that is applied.
    pub(super) tip: Commit,
    /// The scopes that are active at DigDir.
    pub(super) live: Scopes,
    pub(super) places: [Refs; 2],
    pub(super) jobs: Vec<Job>,
    /// Number of plans made, used as the time.
    pub(super) clock: u8,
    pub(super) left: FaultBudget,
    /// Whether somebody changed refs by hand, or rewrote the branch.
    pub(super) is_tampered: bool,
    /// Whether somebody broke the lock of a live holder.
    pub(super) is_unlocked: bool,
    /// The promise that a step has broken.
    pub(super) broken: Option<&'static str>,
}

/// A commit that was merged.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Head {
    pub(super) parent: Option<Commit>,
    /// The scopes that it declares at each place.
    pub(super) declared: [Scopes; 2],
}

/// The refs of a place, and the bookkeeping for the checks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Refs {
    pub(super) applied: Option<Commit>,
    pub(super) record: Option<Record>,
    pub(super) lock: Option<Claim>,
    /// Start and commit of each apply that has a line in the ledger.
    pub(super) ledger: Vec<(u8, Commit)>,
    /// Earlier baselines, where somebody may restore them.
    pub(super) older: Vec<(Option<Commit>, Record)>,
    /// The scopes that were declared at any commit whose apply began here.
    pub(super) began: Scopes,
    /// Those that were activated here, or found active and applied, and not deactivated since.
    pub(super) owed: Scopes,
}

/// A [`Baseline`] in short form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Record {
    pub(super) applied: Option<Commit>,
    pub(super) tried: Vec<Commit>,
    pub(super) protecting: Vec<Commit>,
    pub(super) lost: bool,
    pub(super) at: u8,
}

/// A lock that is held. Each one is unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Claim {
    pub(super) job: usize,
    /// The number of the job's run.
    pub(super) run: u8,
    /// Number of renewals.
    pub(super) renewed: u8,
}

/// A job that applies to one place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Job {
    pub(super) place: Place,
    /// Number of remaining runs.
    pub(super) runs: u8,
    pub(super) at: At,
    /// The commit that is checked out.
    pub(super) commit: Commit,
    /// Its own view of the lock.
    pub(super) own: Option<Claim>,
    /// Whether it was renewed recently: `counts_after`.
    pub(super) is_leased: bool,
    /// Whether a renewal has found another lock: `LockGuard::lost`.
    pub(super) is_lost: bool,
    pub(super) plan: Plan,
}

/// Next step of a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum At {
    Rest,
    /// Reads the lock.
    Holder,
    /// Takes the lock that it read.
    Take(Option<Claim>),
    Look,
    Begin,
    /// Pushes changes of the refs that it read.
    Push {
        read: (Option<Commit>, Option<Record>),
        made: (Option<Commit>, Record),
    },
    Execute,
    Conclude,
    /// Writes only the ledger, as somebody has broken the lock.
    Report,
    Release,
}

/// A plan and its progress.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Plan {
    pub(super) opens: Scopes,
    pub(super) closes: Scopes,
    /// Remaining actions.
    pub(super) left: Scopes,
    /// Actions that failed.
    pub(super) failed: Scopes,
    /// Whether a deactivation is blocked.
    pub(super) is_blocked: bool,
    /// Whether the past is not known: `Approved::is_kept`.
    pub(super) is_kept: bool,
    pub(super) lost: Option<Vec<Commit>>,
    pub(super) started: u8,
    /// The baseline when the plan was made, and since the apply began.
    pub(super) counting: (Option<Commit>, Option<Record>),
}

/// Number of times that each event may still occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct FaultBudget {
    pub(super) merges: u8,
    pub(super) rewrites: u8,
    pub(super) kills: u8,
    /// Pushes whose answer is lost.
    pub(super) answers: u8,
    /// Leases that expire.
    pub(super) leases: u8,
    /// Actions that DigDir refuses.
    pub(super) refusals: u8,
    /// Records that somebody deletes or replaces with older ones.
    pub(super) deletions: u8,
    /// Jobs that begin with the commit before the tip.
    pub(super) reruns: u8,
    /// Locks of live holders that somebody breaks by hand.
    pub(super) unlocks: u8,
}

impl World {
    /// Whether a commit comes before another.
    pub(super) fn is_before(&self, commit: Commit, other: Commit) -> bool {
        let mut parent = self.heads[usize::from(other)].parent;
        while let Some(found) = parent {
            if found == commit {
                return true;
            }
            parent = self.heads[usize::from(found)].parent;
        }
        false
    }

    /// Whether a commit is on the branch.
    pub(super) fn is_on(&self, commit: Commit) -> bool {
        commit == self.tip || self.is_before(commit, self.tip)
    }

    pub(super) fn declared(&self, commit: Commit, place: Place) -> Scopes {
        self.heads[usize::from(commit)].declared[place]
    }

    /// Whether no job is running.
    pub(super) fn is_quiet(&self) -> bool {
        self.jobs.iter().all(|job| job.at == At::Rest)
    }

    /// Whether a lock has a holder that relies on it: then others do not take it.
    pub(super) fn is_alive(&self, claim: Claim) -> bool {
        let job = &self.jobs[claim.job];
        job.is_leased && job.own.is_some_and(|own| own.run == claim.run)
    }

    /// The scopes that are declared at any of these commits.
    pub(super) fn declared_at(&self, place: Place, known: impl Iterator<Item = Commit>) -> Scopes {
        known.fold(0, |all, commit| all | self.declared(commit, place))
    }
}

impl Refs {
    /// The baseline, as `Refs::agree` compares it.
    pub(super) fn counting(&self) -> (Option<Commit>, Option<Record>) {
        (self.applied, self.record.clone())
    }
}

impl Claim {
    /// Whether both are of one run of a job, whatever the number of renewals.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.job, self.run) == (other.job, other.run)
    }
}

impl Plan {
    /// Whether there is something to do.
    pub(super) fn is_begun(&self) -> bool {
        self.opens | self.closes != 0
    }
}

impl Job {
    /// An idle job.
    pub(super) fn new(place: Place, runs: u8) -> Self {
        Self {
            place,
            runs,
            at: At::Rest,
            commit: 0,
            own: None,
            is_leased: false,
            is_lost: false,
            plan: Plan::default(),
        }
    }

    /// Whether it may start an action: `LockGuard::counts`.
    pub(super) fn counts(&self) -> bool {
        self.is_leased && !self.is_lost
    }

    /// Its state after it has ended in any way.
    pub(super) fn ended(&self) -> Self {
        Self::new(self.place, self.runs)
    }
}

impl Record {
    pub(super) fn of(baseline: &Baseline) -> Self {
        let Baseline { applied, tried, protecting, lost, moved_to: _, dates: _, at } = baseline;
        Self {
            applied: applied.as_ref().map(|it| number(&it.commit)),
            tried: tried.iter().map(|it| number(&it.commit)).collect(),
            protecting: protecting.iter().map(|it| number(&it.commit)).collect(),
            lost: lost.is_some(),
            at: u8::try_from(at.as_second()).unwrap(),
        }
    }

    pub(super) fn baseline(&self) -> Baseline {
        let Self { applied, tried, protecting, lost, at } = self;
        Baseline {
            applied: applied.map(recorded),
            tried: tried.iter().copied().map(recorded).collect(),
            protecting: protecting.iter().copied().map(recorded).collect(),
            lost: lost.then_some(LossReason::WentOn),
            moved_to: None,
            dates: None,
            at: time(*at),
        }
    }
}

/// A commit as it is recorded.
pub(super) fn recorded(commit: Commit) -> Recorded {
    let placement = Placement {
        environment: String::new(),
        folder: String::new(),
        api: String::new(),
        maskinporten: String::new(),
        organization: "889640782".parse().unwrap(),
    };
    let actor = Actor { who: String::new(), place: String::new() };
    Recorded::new(name(commit), placement, actor, time(0))
}

/// The id of a commit.
pub(super) fn name(commit: Commit) -> String {
    commit.to_string()
}

pub(super) fn number(name: &str) -> Commit {
    name.parse().unwrap()
}

pub(super) fn time(at: u8) -> Timestamp {
    Timestamp::from_second(at.into()).unwrap()
}
