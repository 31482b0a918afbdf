//! Cause of each action: a change of the declarations or of the live state, or a date.

use std::collections::HashMap;

use jiff::civil::Date;

use super::{
    AccessWork, Action, ActionId, Code, Notice, Origin, Plan, Target, Unmanaged, Verb, Work, guards,
};
use domain::{Desired, Live, Past};

/// The declarations before, and the days between which a date may have passed in them.
#[derive(Debug, Clone, Copy)]
pub struct DatesPassed<'a> {
    /// The declarations before.
    pub desired: &'a Desired,
    /// The day of the last apply.
    pub since: Date,
    /// Today.
    pub today: Date,
}

impl DatesPassed<'_> {
    /// The cause of an action on an access that these declarations ask for today and did not then.
    fn cause(&self, action: &Action) -> Option<Origin> {
        let Work::Access(scope, consumer, work) = &action.work else { return None };
        let access = self.desired.scopes.get(scope)?.consumers.get(&consumer.orgno)?;
        let had = access.on(self.since).is_some();
        match (work, had, access.on(self.today).is_some()) {
            (AccessWork::Revoke { .. }, true, false) if !action.is_of_block() => {
                Some(Origin::Expired)
            }
            (AccessWork::Grant { .. }, false, true) => Some(Origin::Due),
            (AccessWork::Revoke { .. } | AccessWork::Grant { .. }, _, _) => None,
        }
    }
}

impl Plan {
    /// Sets the origin of each action, given the plan for the declarations before: an action that is in both
    /// is drift, unless a date has asked for it since.
    pub fn set_origins(&mut self, before: &Self, dates: DatesPassed<'_>) {
        let before: HashMap<_, _> =
            before.actions.iter().map(|action| (action.id(), action)).collect();
        for action in &mut self.actions {
            let same = before.get(&action.id());
            let is_in_both = same.is_some_and(|before| before.is_same_work(action));
            action.origin = Some(match is_in_both {
                true => dates.cause(action).unwrap_or(Origin::Drift),
                false => Origin::Change,
            });
        }
    }

    /// Whether something that dates ask for is left to be done after it.
    pub fn leaves_due(&self) -> bool {
        let is_left = |notice: &Notice| notice.code == Code::DueLeftAlone;
        !self.blocked.is_empty() || self.notices.iter().any(is_left)
    }

    /// Keeps the actions that dates ask for, as far as they depend on no others and the `current` declarations
    /// do not say otherwise. Origins must have been set.
    #[must_use]
    pub fn only_due(
        self,
        applied: &Desired,
        current: &Desired,
        (past, live): (&Past, &Live),
        today: Date,
    ) -> Self {
        let Self {
            environment,
            organization,
            now,
            scheduled: _,
            mut actions,
            mut blocked,
            notices: _,
            exceeded_limits: _,
            unmanaged: _,
            forgotten: _,
        } = self;
        actions.retain(|action| action.origin.is_some_and(Origin::is_date));
        let overruled = actions.extract_if(.., |action| !is_wanted(action, current, today));
        let overruled = overruled.map(|action| {
            left(
                &action,
                "the current declarations, which are not applied yet, say otherwise: left alone",
            )
        });
        let mut notices: Vec<_> = overruled.collect();
        let dependent = actions.extract_if(.., |action| {
            // Nobody has access to an inactive scope.
            let scope = action.scope().and_then(|name| live.scopes.get(name));
            !scope.is_some_and(|scope| scope.active) || !action.after.is_empty()
        });
        notices.extend(dependent.map(|action| {
            left(&action, "the scope is not active now: left for an apply that makes it so")
        }));
        blocked.retain(|blocked| ends(&blocked.target, applied, today));
        let exceeded_limits = guards::exceeded_limits(applied, past, live, &actions, &[]);
        Self {
            environment,
            organization,
            now,
            actions,
            scheduled: Vec::new(),
            blocked,
            notices,
            exceeded_limits,
            unmanaged: Unmanaged::default(),
            forgotten: None,
        }
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
    let is_active = desired.scopes.get(scope).is_some_and(|scope| scope.active);
    let is_entitled = desired.entry(scope, consumer.orgno, today).is_some();
    match work {
        AccessWork::Grant { .. } => is_active && is_entitled,
        AccessWork::Revoke { .. } => !is_entitled,
    }
}

/// Whether an access that the declarations gave is over.
fn ends(id: &ActionId, desired: &Desired, today: Date) -> bool {
    let Target::Access(scope, consumer) = &id.target else { return false };
    let access = desired.scopes.get(scope).and_then(|scope| scope.consumers.get(consumer));
    id.verb == Verb::Revoke && access.is_some_and(|access| access.on(today).is_none())
}
