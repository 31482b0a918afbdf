//! The steps of an apply, each named after the function that it models.

use super::world::{
    At, Claim, Commit, Job, Place, Plan, Record, Scopes, World, name, number, recorded, time,
};
use crate::history::{ApplyEnd, Baseline, Conclusion, DatesDone, LossReason, Lost};

/// Answer to a push, as the job sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The result.
    Explanation,
    /// None, though the push was carried out.
    LostAfter,
    /// None, and the push was not carried out.
    LostBefore,
}

impl Answer {
    fn is_carried_out(self) -> bool {
        self != Self::LostBefore
    }
}

/// Knowledge about a place's past: `Reading::known`.
pub(super) struct Past {
    /// The scopes declared at the commits that count.
    pub(super) known: Scopes,
    /// Whether that is incomplete or not known.
    pub(super) is_unknown: bool,
    /// `Lost::protecting`, where something is missing.
    lost: Option<Vec<Commit>>,
    applied: Option<Commit>,
    is_unfinished: bool,
}

impl World {
    /// `History::baseline_of`.
    fn baseline_of(&self, place: Place) -> Result<Option<Baseline>, ()> {
        let refs = &self.places[place];
        match (refs.applied, &refs.record) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(()),
            (is, Some(record)) => Ok(Some(record.baseline().beside("", is.map(name)))),
        }
    }

    /// `Reading::known`, for this place alone.
    pub(super) fn past(&self, place: Place) -> Past {
        let baseline = self.baseline_of(place);
        let known = baseline.as_ref().ok().and_then(Option::as_ref);
        let lines = self.places[place].ledger.iter();
        let lines = lines.map(|(at, commit)| (time(*at), name(*commit)));
        let overlooked: Vec<_> =
            Baseline::overlooked(known, lines).iter().map(|commit| number(commit)).collect();
        let is_lost = known.is_some_and(|known| known.lost.is_some());
        let lost = (baseline.is_err() || is_lost || !overlooked.is_empty()).then_some(overlooked);
        let Baseline { applied, tried, lost: _, .. } = known.cloned().unwrap_or_default();
        let applied = applied.filter(|_| !is_lost).map(|it| number(&it.commit));
        let tried: Vec<_> = tried.iter().map(|it| number(&it.commit)).collect();
        let counting = applied.iter().chain(&tried).copied();
        let is_read = |commit: &Commit| self.is_on(*commit);
        Past {
            is_unknown: lost.is_some() || !counting.clone().all(|commit| is_read(&commit)),
            known: self.declared_at(place, counting.filter(is_read)),
            lost,
            applied: applied.filter(is_read),
            is_unfinished: !tried.is_empty(),
        }
    }

    /// `Session::open`.
    pub(super) fn open(&mut self, job: usize, commit: Commit) {
        self.jobs[job].runs -= 1;
        self.jobs[job].commit = commit;
        self.jobs[job].at = At::Holder;
    }

    /// `History::holder`.
    pub(super) fn holder(&mut self, job: usize) {
        self.jobs[job].at = At::Take(self.places[self.jobs[job].place].lock);
    }

    /// `History::lock`.
    pub(super) fn lock(&mut self, job: usize, seen: Option<Claim>, answer: Answer) {
        let own = Claim { job, run: self.jobs[job].runs, renewed: 0 };
        let lock = &mut self.places[self.jobs[job].place].lock;
        let ours = &mut self.jobs[job];
        if *lock != seen {
            ours.at = At::Holder;
            return;
        }
        if answer.is_carried_out() {
            *lock = Some(own);
        }
        *ours = match answer {
            Answer::Explanation => {
                Job { at: At::Look, own: Some(own), is_leased: true, ..ours.clone() }
            }
            Answer::LostAfter | Answer::LostBefore => ours.ended(),
        };
    }

    /// `Lock::settled`: where the answer to a renewal was lost, its result is read from the remote.
    fn settled(&mut self, job: usize) {
        let ours = &mut self.jobs[job];
        let lock = self.places[ours.place].lock;
        let is_ours = |lock: &Claim| ours.own.is_some_and(|own| own.is_same(lock));
        ours.own = lock.filter(is_ours).or(ours.own);
    }

    /// `Lock::renew`.
    pub(super) fn renew(&mut self, job: usize, answer: Answer) {
        self.settled(job);
        let ours = &mut self.jobs[job];
        let lock = &mut self.places[ours.place].lock;
        if *lock != ours.own {
            ours.is_lost = true;
            return;
        }
        let new = ours.own.map(|own| Claim { renewed: own.renewed + 1, ..own });
        if answer.is_carried_out() {
            *lock = new;
        }
        if answer == Answer::Explanation {
            (ours.own, ours.is_leased) = (new, true);
        }
    }

    /// `prepare` and `Past::look`: the plan, or the reason why there is none.
    pub(super) fn look(&mut self, job: usize) {
        let Job { place, commit, .. } = self.jobs[job];
        let past = self.past(place);
        let is_unknown = past.is_unknown || self.past(1 - place).is_unknown;
        let last = self.places[place].applied;
        let is_refused =
            !self.is_on(commit) || last.is_some_and(|last| self.is_before(commit, last));
        if is_refused {
            self.jobs[job].at = At::Release;
            return;
        }
        let declared = self.declared(commit, place);
        let closes = past.known & !declared & self.live;
        let plan = Plan {
            opens: declared & !self.live,
            closes: if is_unknown { 0 } else { closes },
            is_blocked: is_unknown && closes != 0,
            is_kept: is_unknown,
            lost: past.lost,
            started: self.clock,
            counting: self.places[place].counting(),
            ..Plan::default()
        };
        let plan = Plan { left: plan.opens | plan.closes, ..plan };
        let began = self.places[place].ledger.iter().map(|(_, commit)| *commit);
        if plan.closes & !self.declared_at(place, began.filter(|commit| self.is_on(*commit))) != 0 {
            self.broken = Some("something is closed by a commit that is not on the branch");
        }
        let is_news = past.applied != Some(commit) || past.is_unfinished;
        self.clock += 1;
        self.jobs[job].at = match (plan.left, is_unknown || !is_news) {
            (0, true) => At::Release,
            (0, false) => At::Conclude,
            _ => At::Begin,
        };
        self.jobs[job].plan = plan;
    }

    /// `Lock::begin` and `History::begun`, up to the push.
    pub(super) fn begin(&mut self, job: usize) {
        self.settled(job);
        let Job { place, own, .. } = self.jobs[job];
        let lost = self.jobs[job].plan.lost.clone();
        let refs = &self.places[place];
        if refs.lock != own || refs.counting() != self.jobs[job].plan.counting {
            self.jobs[job].at = At::Release;
            return;
        }
        let lost = lost.map(|all| Lost {
            why: String::new(),
            protecting: all.into_iter().map(recorded).collect(),
        });
        let read = refs.counting();
        let made = self.begun(job, lost.as_ref());
        self.jobs[job].at = At::Push { read, made };
    }

    /// `History::begun`.
    fn begun(&self, job: usize, lost: Option<&Lost>) -> (Option<Commit>, Record) {
        let Job { place, commit, .. } = self.jobs[job];
        let before = match self.baseline_of(place) {
            Ok(before) => before.unwrap_or_default(),
            Err(()) => Baseline { lost: Some(LossReason::WentOn), ..Baseline::default() },
        };
        self.recording(job, before.begun(&recorded(commit), lost, None))
    }

    /// `History::recording`.
    fn recording(&self, job: usize, baseline: Baseline) -> (Option<Commit>, Record) {
        let Job { place, plan, .. } = &self.jobs[job];
        let before = self.baseline_of(*place).ok().flatten().map(|before| before.at);
        let at = before.into_iter().fold(time(plan.started), Ord::max);
        let record = Record::of(&Baseline { at, ..baseline.clone() });
        let known = record.applied.filter(|_| baseline.lost.is_none());
        (known.or(self.places[*place].applied), record)
    }

    /// `History::update` with the result of [`Self::begin`].
    pub(super) fn begin_push(&mut self, job: usize, answer: Answer) {
        let Job { place, commit, plan, at, .. } = self.jobs[job].clone();
        let At::Push { read, made } = at else { return };
        let refs = &mut self.places[place];
        if refs.counting() != read {
            self.jobs[job].at = At::Begin;
            return;
        }
        if answer.is_carried_out() {
            self.jobs[job].plan.counting = (made.0, Some(made.1.clone()));
            self.set(place, made);
            self.count(job, plan.started, commit);
        }
        self.jobs[job].at = match answer {
            Answer::Explanation => At::Execute,
            Answer::LostAfter | Answer::LostBefore => At::Release,
        };
    }

    /// Adds a line to the ledger, and counts a commit.
    fn count(&mut self, job: usize, started: u8, commit: Commit) {
        let place = self.jobs[job].place;
        let declared = self.declared(commit, place);
        let refs = &mut self.places[place];
        refs.began |= declared;
        refs.owed |= declared & self.live;
        self.enter(place, started, commit);
    }

    /// `History::entered`.
    fn enter(&mut self, place: Place, started: u8, commit: Commit) {
        let ledger = &mut self.places[place].ledger;
        if !ledger.contains(&(started, commit)) {
            ledger.push((started, commit));
        }
    }

    fn set(&mut self, place: Place, (applied, record): (Option<Commit>, Record)) {
        let refs = &mut self.places[place];
        if self.left.deletions > 0 {
            refs.older.extend(refs.record.take().map(|record| (refs.applied, record)));
        }
        (refs.applied, refs.record) = (applied, Some(record));
    }

    /// `Executor::execute`: activates or deactivates a scope.
    pub(super) fn execute(&mut self, job: usize, scope: Scopes) {
        let Job { place, own, .. } = self.jobs[job];
        let plan = &mut self.jobs[job].plan;
        plan.left &= !scope;
        let is_ours = |claim: &Claim| own.is_some_and(|own| own.is_same(claim));
        if !self.is_unlocked && !self.places[place].lock.as_ref().is_some_and(is_ours) {
            self.broken = Some("somebody writes without the lock");
        }
        if plan.opens & scope != 0 {
            self.live |= scope;
            self.places[place].owed |= scope;
            return;
        }
        if self.places[place].began & scope == 0 {
            self.broken = Some("something is closed that the place never applied");
        }
        self.live &= !scope;
        self.places.iter_mut().for_each(|refs| refs.owed &= !scope);
    }

    /// An action that DigDir refuses.
    pub(super) fn refuse(&mut self, job: usize, scope: Scopes) {
        let plan = &mut self.jobs[job].plan;
        plan.left &= !scope;
        plan.failed |= scope;
    }

    /// `read_back`, after all actions or once the lock has expired.
    pub(super) fn read_back(&mut self, job: usize) {
        let live = self.live;
        let plan = &mut self.jobs[job].plan;
        plan.failed |= plan.left | plan.opens & !live | plan.closes & live;
        plan.left = 0;
        self.jobs[job].at = At::Conclude;
    }

    /// `conclusion`, in carry_out.
    fn conclusion(plan: &Plan) -> Conclusion {
        match (plan.failed & plan.closes, plan.failed) {
            _ if plan.is_kept || plan.is_blocked => Conclusion::InPart,
            (0, 0) => Conclusion::InFull,
            (0, _) => Conclusion::Closed,
            _ => Conclusion::InPart,
        }
    }

    /// `Lock::conclude` and `History::concluded`.
    pub(super) fn conclude(&mut self, job: usize, answer: Answer) {
        self.settled(job);
        let Job { place, commit, own, plan, .. } = self.jobs[job].clone();
        let is_renewed = |lock: &Claim| own.is_some_and(|own| own != *lock && own.is_same(lock));
        if self.places[place].lock.as_ref().is_some_and(is_renewed) {
            self.broken = Some("a lock is taken for broken that nobody has broken");
        }
        if self.places[place].lock != own {
            self.jobs[job].at = At::Report;
            return;
        }
        let conclusion = Self::conclusion(&plan);
        let is_shown = self.places[place].counting() == plan.counting;
        let made = match (self.baseline_of(place), conclusion) {
            (_, Conclusion::InPart) => None,
            _ if !is_shown => None,
            (Ok(before), _) => {
                let after = before.unwrap_or_default().concluded(
                    &recorded(commit),
                    ApplyEnd::of(conclusion, &DatesDone::all_until(jiff::Timestamp::UNIX_EPOCH)),
                );
                Some(self.recording(job, after))
            }
            (Err(()), _) => {
                self.jobs[job].at = At::Release;
                return;
            }
        };
        if answer.is_carried_out() {
            match made {
                Some(made) => {
                    self.set(place, made);
                    self.count(job, plan.started, commit);
                }
                None if plan.is_begun() => self.enter(place, plan.started, commit),
                None => {}
            }
            self.places[place].lock = None;
        }
        match answer {
            Answer::Explanation => self.jobs[job] = self.jobs[job].ended(),
            Answer::LostAfter | Answer::LostBefore => self.jobs[job].at = At::Release,
        }
    }

    /// `Lock::conclude`, where somebody has broken the lock.
    pub(super) fn report(&mut self, job: usize, answer: Answer) {
        let Job { place, commit, plan, .. } = self.jobs[job].clone();
        let is_reported = answer.is_carried_out() && plan.is_begun();
        match self.places[place].record {
            Some(_) if is_reported => {
                let (applied, record) = self.begun(job, None);
                self.set(place, (applied, Record { at: record.at.max(self.clock), ..record }));
                self.clock += 1;
                self.count(job, plan.started, commit);
            }
            None if is_reported => self.enter(place, plan.started, commit),
            _ => {}
        }
        self.jobs[job] = self.jobs[job].ended();
    }

    /// `Lock::release`.
    pub(super) fn release(&mut self, job: usize, answer: Answer) {
        self.settled(job);
        let Job { place, own, .. } = self.jobs[job];
        let lock = &mut self.places[place].lock;
        if answer.is_carried_out() && *lock == own {
            *lock = None;
        }
        self.jobs[job] = self.jobs[job].ended();
    }
}
