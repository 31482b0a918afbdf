//! Cause of each action: a change of the declarations or of the live state, or a date.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;

use super::{
    AccessWork, Action, ActionId, Code, Notice, Origin, Outcome, Plan, Target, Unmanaged, Verb,
    Work,
};
use domain::{AccessState, Desired, DesiredScope, DueAccess, Live, Past, Undone};

/// The declarations before, and what was done of what dates in them ask for.
#[derive(Debug, Clone, Copy)]
pub struct DatesPassed<'a> {
    /// The declarations before.
    pub desired: &'a Desired,
    /// The day until which dates in them were looked at.
    pub since: Date,
    /// What they asked for until then, and is not known to be done.
    pub undone: &'a Undone,
    /// Today.
    pub today: Date,
}

impl DatesPassed<'_> {
    /// The cause of the revocation of an access, or of its grant, that these declarations ask for today, and did
    /// not then or nobody has done since.
    fn cause(&self, verb: Verb, access: &DueAccess) -> Option<Origin> {
        let declared = self.desired.access(&access.scope, access.consumer)?;
        // What was asked for then and is undone is as it was before.
        let had = declared.on(self.since).is_some() != self.undone.contains(access);
        // A record that says otherwise does not make a date of what has none.
        let has_begun = declared.first_day(self.today).is_some();
        let mut entries = declared.entries().filter(|entry| !entry.days.is_reversed());
        let has_ended = entries.any(|entry| entry.days.is_over(self.today));
        match (verb, had, declared.on(self.today).is_some()) {
            (Verb::Revoke, true, false) if has_ended => Some(Origin::Expired),
            (Verb::Grant, false, true) if has_begun => Some(Origin::Due),
            (_, _, _) => None,
        }
    }

    fn cause_of(&self, action: &Action) -> Option<Origin> {
        let cause = self.cause(action.verb(), &DueAccess::of(action.access()?))?;
        (!action.is_of_block() && !self.is_unclear(action)).then_some(cause)
    }

    /// Whether an interrupted apply may have granted an access, which then somebody has revoked.
    fn is_unclear(&self, action: &Action) -> bool {
        let Work::Access(_, _, work) = &action.work else { return false };
        matches!(work, AccessWork::Grant { before: Some(AccessState::Denied) })
            && action.access().is_some_and(|it| self.undone.begun.contains(&DueAccess::of(it)))
    }
}

impl Plan {
    /// Sets the origin of each action, given the plan for the declarations before: an action that is in both
    /// is drift, unless a date has asked for it since. What dates ask for is kept too.
    pub fn set_origins(&mut self, before: &Self, dates: DatesPassed<'_>) {
        let dated = before.actions.iter().filter(|action| dates.cause_of(action).is_some());
        let dated = dated.filter_map(Action::access).map(DueAccess::of);
        let blocked = before.blocked.iter().filter_map(|blocked| match &blocked.target.target {
            Target::Access(scope, consumer) => {
                let access = DueAccess::of((scope, *consumer));
                dates.cause(blocked.target.verb, &access).map(|_| access)
            }
            Target::Scope(_) | Target::Client(_) | Target::Keys(_) => None,
        });
        self.due = dated.chain(blocked).collect();
        let before: HashMap<_, _> =
            before.actions.iter().map(|action| (action.id(), action)).collect();
        for action in &mut self.actions {
            let same = before.get(&action.id());
            let is_in_both = same.is_some_and(|before| before.is_same_work(action));
            action.origin = Some(match is_in_both {
                true => dates.cause_of(action).unwrap_or(Origin::Drift),
                false => Origin::Change,
            });
        }
    }

    /// Keeps the actions that dates ask for, as far as they depend on no others and the `current` declarations
    /// do not say otherwise, here or in the place of `past` that has taken the scope over. Origins must have been set.
    /// There is no limit: what a day asks for was reviewed, and counted, when it was declared.
    #[must_use]
    pub fn only_due(
        self,
        dates: DatesPassed<'_>,
        current: &Desired,
        past: &Past,
        live: &Live,
    ) -> Self {
        let DatesPassed { desired: applied, since: _, undone: _, today } = dates;
        let Self {
            environment,
            organization,
            now,
            scheduled: _,
            due,
            mut actions,
            mut blocked,
            notices: _,
            exceeded_limits: _,
            unmanaged: _,
            forgotten: _,
        } = self;
        let unclear = actions.iter().filter(|action| dates.is_unclear(action)).map(|action| {
            let message = "an apply that was interrupted may have granted it, and it is denied now: left \
                           alone, as somebody may have revoked it";
            Notice { code: Code::DueUnclear, ..left(action, message) }
        });
        let mut notices: Vec<_> = unclear.collect();
        actions.retain(|action| action.origin.is_some_and(Origin::is_date));
        // Such a scope has no days: no plan has shown them.
        let has_days = |action: &Action| {
            let scope = action.scope().and_then(|name| applied.scopes.get(name));
            scope.is_some_and(DesiredScope::is_granted)
        };
        let mut leave = |is_left: &dyn Fn(&Action) -> bool, why: &str| {
            let gone = actions.extract_if(.., |action| is_left(action));
            notices.extend(gone.map(|action| left(&action, why)));
        };
        leave(
            &|action| !has_days(action),
            "the scope was applied as open to all or inactive, so that no day counts: left for an apply that \
             is reviewed",
        );
        leave(
            &|action| !is_wanted(action, current, today),
            "the current declarations, which are not applied yet, say otherwise: left alone",
        );
        leave(
            &|action| !is_wanted_elsewhere(action, current, past, today),
            "another folder or environment may declare the scope now and say otherwise: left to it",
        );
        let depends = |action: &Action| {
            // Nobody has access to an inactive scope.
            let scope = action.scope().and_then(|name| live.active_scope(name));
            scope.is_none() || !action.after.is_empty()
        };
        leave(&depends, "the scope is not active now: left for an apply that makes it so");
        blocked.retain(|blocked| ends(&blocked.target, applied, today));
        Self {
            environment,
            organization,
            now,
            actions,
            scheduled: Vec::new(),
            due,
            blocked,
            notices,
            exceeded_limits: Vec::new(),
            unmanaged: Unmanaged::default(),
            forgotten: None,
        }
    }

    /// What dates ask for and is not known to be done, once the first of these `outcomes` of its actions are known:
    /// before all of it, with none.
    pub fn undone(&self, outcomes: &[Outcome]) -> BTreeSet<DueAccess> {
        let mut undone = self.due.clone();
        for (action, outcome) in self.actions.iter().zip(outcomes) {
            if let (Some(access), Outcome::Done | Outcome::NotVisible(_)) =
                (action.access(), outcome)
            {
                undone.remove(&DueAccess::of(access));
            }
        }
        undone
    }

    /// The same while it is carried out: what it does itself is begun.
    pub fn begun(&self) -> Undone {
        let own: BTreeSet<_> =
            self.actions.iter().filter_map(Action::access).map(DueAccess::of).collect();
        let (begun, left) = self.due.iter().cloned().partition(|access| own.contains(access));
        Undone { left, begun }
    }
}

/// Reports that an action is left alone.
fn left(action: &Action, why: &str) -> Notice {
    let (code, target) = (Code::DueLeftAlone, action.id().to_string());
    Notice { code, target, message: why.to_owned() }
}

/// Whether the declarations want what an action on an access does.
fn is_wanted(action: &Action, desired: &Desired, today: Date) -> bool {
    let Work::Access(scope, consumer, work) = &action.work else { return false };
    let has_days = desired.scopes.get(scope).is_some_and(DesiredScope::is_granted);
    let is_entitled = desired.entry(scope, consumer.orgno, today).is_some();
    match work {
        AccessWork::Grant { .. } => has_days && is_entitled,
        AccessWork::Revoke { .. } => !is_entitled,
    }
}

/// Whether the places that have taken over the scope of an action on an access, if any, want what it does.
fn is_wanted_elsewhere(action: &Action, current: &Desired, past: &Past, today: Date) -> bool {
    let Some(scope) = action.scope() else { return false };
    let mut others = past.beside.iter().filter(|other| other.desired.scopes.contains_key(scope));
    current.scopes.contains_key(scope)
        || (past.unread.is_none() && others.all(|other| is_wanted(action, &other.desired, today)))
}

/// Whether an access that the declarations gave is over.
fn ends(id: &ActionId, desired: &Desired, today: Date) -> bool {
    let Target::Access(scope, consumer) = &id.target else { return false };
    let access = desired.access(scope, *consumer);
    id.verb == Verb::Revoke && access.is_some_and(|access| access.on(today).is_none())
}
