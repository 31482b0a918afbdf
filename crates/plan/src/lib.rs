//! The difference between what is declared and what is live, as a value.
//!
//! [`plan`] is pure: the same two sides and the same day give the same plan, to the byte.

mod access;
mod action;
mod beside;
mod blocks;
mod body;
mod client;
mod code;
mod consumed;
mod danger;
mod dates;
pub mod document;
mod guards;
mod id;
mod keys;
mod matching;
mod named;
mod on_behalf_of;
mod origin;
mod protection;
mod renamed;
mod report;
mod schedule;
mod scope;
#[cfg(test)]
mod tests;
mod unmanaged;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;

pub use action::{
    AccessWork, Action, ClientWork, ClientWrite, Consumer, KeysWork, OnBehalfOfWrite, Origin,
    RevocationCause, ScopeWork, Work, Write,
};
pub use code::Code;
pub use danger::{Danger, FieldChange, Mark, Operation};
pub use id::{ActionId, Kind, Target, Verb};
pub use matching::{Mismatch, live_client};
pub use on_behalf_of::EntryWork;
pub use origin::DatesPassed;
pub use protection::PAST_REMEDY;
pub use report::{Outcome, Report};
pub use schedule::{DayEffect, ScheduledChange};
pub use unmanaged::Unmanaged;

use self::beside::Others;
use domain::nais::Application;
use domain::{
    ConsumedScope, Desired, DesiredScope, DueAccess, Entity, Live, Orgno, Past, Protection,
    ScopeName, Source, norwegian_date,
};

/// Actions for one environment, and findings about it.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The environment's name.
    pub environment: String,
    /// The organisation that owns the scopes.
    pub organization: Orgno,
    /// The time for which it was made.
    pub now: Timestamp,
    /// The actions, in order: an action is placed after all that it depends on.
    pub actions: Vec<Action>,
    /// Accesses that change on a later day, by other declarations than the applied ones.
    pub scheduled: Vec<ScheduledChange>,
    /// The accesses about which dates in the declarations before ask for something that is not done.
    pub due: BTreeSet<DueAccess>,
    /// Requested actions that will not be done.
    pub blocked: Vec<Blocked>,
    /// Information for the reviewer.
    pub notices: Vec<Notice>,
    /// The limits that the plan exceeds. They stop an apply, not a plan.
    pub exceeded_limits: Vec<Notice>,
    /// Live entities that are not declared.
    pub unmanaged: Unmanaged,
    /// Open entities left behind by places that are no longer declared, and what to do; `None` if there are
    /// none.
    pub forgotten: Option<String>,
}

/// A requested action that will not be done in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The action.
    pub target: ActionId,
    /// The scope that a client goes without, if the rest of the action on the client is done.
    pub consumed: Option<ConsumedScope>,
    /// The reason, as a code.
    pub code: Code,
    /// The reason, and what to do, as a sentence.
    pub message: String,
}

/// Information for the reviewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its code.
    pub code: Code,
    /// Its subject.
    pub target: String,
    /// The message, as a sentence.
    pub message: String,
}

/// Compares the declarations with the live state.
///
/// `past` distinguishes a removal from an entity that was never managed here; without it, only what the
/// declarations themselves name is removed. `now` decides which accesses count today (`from` and `until`, by the date
/// in Norway) and which keys expire soon. The accesses of every scope that `desired` and `past` name, and the
/// keys of every client of `desired`, must have been read into `live`; those that were not are taken to be
/// empty.
pub fn plan(desired: &Desired, past: &Past, live: &Live, now: Timestamp) -> Plan {
    let others = Others::of(&past.beside, live);
    let mut draft = Draft {
        desired,
        past,
        protection: Protection::of(desired),
        others: &others,
        live,
        names_there: OnceCell::new(),
        now,
        today: norwegian_date(now),
        actions: Vec::new(),
        of_scopes: HashMap::new(),
        blocked: Vec::new(),
        notices: Vec::new(),
        unmanaged: Unmanaged::default(),
        forgotten: None,
    };
    for (name, scope) in &desired.scopes {
        draft.declared_scope(name, scope);
    }
    for (name, removal) in &desired.removed {
        draft.removed_scope(name, removal);
    }
    draft.scopes_declared_before();
    draft.clients();
    draft.keep_what_was_protected();
    draft.close_consumers_first();
    draft.report_renames();
    draft.report_less_protection();
    draft.report_declared_twice();
    draft.find_unmanaged_scopes();
    draft.report_unmanaged();
    draft.report_forgotten();
    draft.report_own_client();
    let scheduled = draft.scheduled();
    draft.report_dates(&scheduled);
    draft.report_blocks();
    draft.report_oddities();
    draft.report_snapshot();
    draft.finish(scheduled)
}

/// A plan under construction.
struct Draft<'a> {
    desired: &'a Desired,
    past: &'a Past,
    /// Protection by the declarations.
    protection: Protection,
    /// Declarations of other places.
    others: &'a Others<'a>,
    live: &'a Live,
    /// The names that DigDir gives organisations, computed on first use.
    names_there: OnceCell<BTreeMap<Orgno, &'a String>>,
    now: Timestamp,
    today: Date,
    actions: Vec<Action>,
    /// The index of the action on each scope itself, once all scopes are planned.
    of_scopes: HashMap<ScopeName, usize>,
    blocked: Vec<Blocked>,
    notices: Vec<Notice>,
    unmanaged: Unmanaged,
    forgotten: Option<String>,
}

impl Draft<'_> {
    /// Plans a change. Returns the action's id.
    fn push(
        &mut self,
        work: Work,
        source: &Source,
        reason: Option<String>,
        after: Vec<ActionId>,
    ) -> ActionId {
        let action = Action::new(work, source, reason, after);
        let id = action.id();
        self.actions.push(action);
        id
    }

    fn block(&mut self, target: ActionId, code: Code, message: impl Into<String>) {
        let message = message.into();
        self.blocked.push(Blocked { target, consumed: None, code, message });
    }

    fn report(&mut self, code: Code, target: String, message: impl Into<String>) {
        self.notices.push(Notice { code, target, message: message.into() });
    }

    /// Blocks the deactivation of an entity that NAIS manages: it takes an explicit entry in `removed`, not
    /// just a missing declaration.
    fn held_at_nais(&mut self, target: ActionId, owner: &Application) {
        let message = format!(
            "its live description says that the application {owner} at NAIS holds it, and it is only left \
             out of the declarations: say under `removed` what is to become of it, `action: release` or \
             `action: deactivate`"
        );
        self.block(target, Code::HeldAtNais, message);
    }

    /// A scope's declaration at the applied commit.
    fn scope_before(&self, name: &ScopeName) -> Option<&DesiredScope> {
        self.past.before()?.scopes.get(name)
    }

    /// Deactivates a scope after the clients that consume it and are deactivated too.
    fn close_consumers_first(&mut self) {
        let mut consumers: BTreeMap<ScopeName, Vec<ActionId>> = BTreeMap::new();
        for action in &self.actions {
            let Work::Client(_, ClientWork::Deactivate(id)) = &action.work else { continue };
            let client = self.live.clients.get(id).into_iter();
            for scope in client.flat_map(|client| client.scopes()) {
                if let Ok(scope) = scope.parse() {
                    consumers.entry(scope).or_default().push(action.id());
                }
            }
        }
        for action in &mut self.actions {
            if let Work::Scope(scope, ScopeWork::Deactivate { .. }) = &action.work {
                action.after.extend(consumers.remove(scope).unwrap_or_default());
            }
        }
    }

    fn report_oddities(&mut self) {
        self.notices.extend(self.live.oddities.iter().map(|odd| Notice {
            code: Code::Oddity,
            target: odd.entity.clone(),
            message: odd.what.clone(),
        }));
    }

    fn report_snapshot(&mut self) {
        if let Some(time) = self.live.snapshot {
            let target = format!("environment {}", self.desired.environment);
            let message = format!("compared with a snapshot of {time}, not with what is live now");
            self.report(Code::FromSnapshot, target, message);
        }
    }

    fn finish(mut self, scheduled: Vec<ScheduledChange>) -> Plan {
        let Self { desired, past, live, now, .. } = self;
        // The order of their ids, with the step of each looked up once.
        self.actions.sort_by_cached_key(|action| (action.id().step(), action.target()));
        self.blocked.sort_by(|a, b| (&a.target, &a.consumed).cmp(&(&b.target, &b.consumed)));
        sort(&mut self.notices);
        Plan {
            environment: desired.environment.clone(),
            organization: desired.organization,
            now,
            exceeded_limits: guards::exceeded_limits(
                desired,
                past,
                live,
                &self.actions,
                &scheduled,
            ),
            actions: self.actions,
            scheduled,
            due: BTreeSet::new(),
            blocked: self.blocked,
            notices: self.notices,
            unmanaged: self.unmanaged,
            forgotten: self.forgotten,
        }
    }
}

impl Blocked {
    /// The action, and of an action on a client the scope that is left out.
    pub fn subject(&self) -> String {
        match &self.consumed {
            Some(scope) => format!("{} with {scope}", self.target),
            None => self.target.to_string(),
        }
    }
}

impl Plan {
    /// The entities that are declared for the first time and of which everything is blocked because another place
    /// declares them: an apply of the plan does nothing about them.
    pub fn left_to_others(&self, desired: &Desired, past: &Past) -> BTreeSet<Entity> {
        let blocked = self.blocked.iter().filter(|it| it.code == Code::DeclaredBeside);
        let is_first = |entity: &Entity| {
            desired.declares(entity) && past.before().is_none_or(|before| !before.declares(entity))
        };
        let mut left: BTreeSet<_> =
            blocked.map(|it| it.target.target.entity()).filter(is_first).collect();
        for action in &self.actions {
            left.remove(&action.id().target.entity());
        }
        left
    }

    /// Whether it asks for nothing, today or later.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty() && self.scheduled.is_empty()
    }

    /// Adds further notices.
    pub fn add_notices(&mut self, notices: impl IntoIterator<Item = Notice>) {
        self.notices.extend(notices);
        sort(&mut self.notices);
    }
}

fn sort(notices: &mut [Notice]) {
    notices.sort_by(|a, b| (a.code, &a.target).cmp(&(b.code, &b.target)));
}

fn count(actions: &[Action], verb: Verb) -> usize {
    actions.iter().filter(|action| action.verb() == verb).count()
}
