//! The difference between what is declared and what is live, as a value.
//!
//! [`plan`] is pure: the same two sides and the same day give the same plan, to the byte.

mod access;
mod action;
mod beside;
mod body;
mod client;
mod code;
mod consumed;
mod danger;
pub mod document;
mod guards;
mod id;
mod keys;
mod matching;
mod on_behalf_of;
mod origin;
mod protection;
mod report;
mod scope;
#[cfg(test)]
mod tests;
mod unmanaged;

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;

pub use action::{
    AccessWork, Action, ClientWork, ClientWrite, Consumer, KeysWork, OnBehalfOfWrite, Origin,
    ScopeWork, Work, Write,
};
pub use code::Code;
pub use danger::{Danger, FieldChange, Mark, Operation};
pub use id::{ActionId, Kind, Target, Verb};
pub use matching::{Mismatch, live_client};
pub use on_behalf_of::EntryWork;
pub use protection::PAST_WAY_OUT;
pub use report::{Outcome, Report};
pub use unmanaged::Unmanaged;

use self::beside::Others;
use domain::nais::Application;
use domain::{Desired, DesiredScope, Live, Orgno, Past, Protection, ScopeName, norwegian_date};

/// What would be done to one environment, and what there is to say about it.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The environment's name.
    pub environment: String,
    /// The organisation that owns the scopes.
    pub organization: Orgno,
    /// What would be done, in order: an action stands behind all that it waits for.
    pub actions: Vec<Action>,
    /// What is asked for and will not be done.
    pub blocked: Vec<Blocked>,
    /// What a reviewer should know.
    pub notices: Vec<Notice>,
    /// The limits that the plan exceeds. They stop an apply, not a plan.
    pub exceeded_limits: Vec<Notice>,
    /// What is live and declared nowhere.
    pub unmanaged: Unmanaged,
    /// What places that are declared no longer have left open, and what to do; `None` where nothing is.
    pub forgotten: Option<String>,
}

/// An action that is asked for and will not be done, whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The action.
    pub target: ActionId,
    /// Why, as a code.
    pub code: Code,
    /// Why, and what to do, as a sentence.
    pub message: String,
}

/// Something that a reviewer should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it is, as a code.
    pub code: Code,
    /// What it is about.
    pub target: String,
    /// What it is, as a sentence.
    pub message: String,
}

/// Compares what is declared with what is live.
///
/// `past` is how a removal is distinguished from what was never ours; without it, only what the
/// declarations themselves name is removed. `now` decides which accesses have ended (`until`, by the date in Norway) and which keys end soon.
/// The accesses of every scope that `desired` and `past` name, and the keys of every client of
/// `desired`, must have been read into `live`; what was not is taken to have none.
pub fn plan(desired: &Desired, past: &Past, live: &Live, now: Timestamp) -> Plan {
    let others = Others::of(&past.beside, live);
    let mut draft = Draft {
        desired,
        past,
        protection: Protection::of(desired),
        others: &others,
        live,
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
    draft.tell_less_protection();
    draft.tell_declared_twice();
    draft.find_unmanaged_scopes();
    draft.tell_unmanaged();
    draft.tell_forgotten();
    draft.tell_oddities();
    draft.tell_snapshot();
    draft.finish()
}

/// A plan in the making.
struct Draft<'a> {
    desired: &'a Desired,
    past: &'a Past,
    /// What the declarations protect.
    protection: Protection,
    /// What other places declare.
    others: &'a Others<'a>,
    live: &'a Live,
    now: Timestamp,
    today: Date,
    actions: Vec<Action>,
    /// Which of the actions is on which scope itself, once all scopes are planned.
    of_scopes: HashMap<ScopeName, usize>,
    blocked: Vec<Blocked>,
    notices: Vec<Notice>,
    unmanaged: Unmanaged,
    forgotten: Option<String>,
}

impl Draft<'_> {
    fn block(&mut self, target: ActionId, code: Code, message: String) {
        self.blocked.push(Blocked { target, code, message });
    }

    /// What NAIS holds is closed by a word alone, and not by a declaration that is only left out.
    fn held_at_nais(&mut self, target: ActionId, owner: &Application) {
        let message = format!(
            "its live description says that the application {owner} at NAIS holds it, and it is only left \
             out of the declarations: say under `removed` what is to become of it, `action: release` or \
             `action: deactivate`"
        );
        self.block(target, Code::HeldAtNais, message);
    }

    /// What a scope was declared to be at the applied commit.
    fn scope_before(&self, name: &ScopeName) -> Option<&DesiredScope> {
        self.past.applied.as_ref()?.desired.scopes.get(name)
    }

    /// A scope is closed after the clients that consume it and are closed too.
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

    fn tell_oddities(&mut self) {
        self.notices.extend(self.live.oddities.iter().map(|odd| Notice {
            code: Code::Oddity,
            target: odd.entity.clone(),
            message: odd.what.clone(),
        }));
    }

    fn tell_snapshot(&mut self) {
        self.notices.extend(self.live.snapshot.map(|time| Notice {
            code: Code::FromSnapshot,
            target: format!("environment {}", self.desired.environment),
            message: format!("compared with a snapshot of {time}, not with what is live now"),
        }));
    }

    fn finish(self) -> Plan {
        let Self {
            desired,
            past,
            protection: _,
            others: _,
            live,
            now: _,
            today: _,
            mut actions,
            of_scopes: _,
            mut blocked,
            mut notices,
            unmanaged,
            forgotten,
        } = self;
        actions.sort_by_cached_key(Action::id);
        blocked.sort_by(|a, b| a.target.cmp(&b.target));
        notices.sort_by(|a, b| (a.code, &a.target).cmp(&(b.code, &b.target)));
        let exceeded_limits = guards::exceeded_limits(desired, past, live, &actions);
        Plan {
            environment: desired.environment.clone(),
            organization: desired.organization,
            actions,
            blocked,
            notices,
            exceeded_limits,
            unmanaged,
            forgotten,
        }
    }
}

impl Plan {
    /// Adds what else a reviewer should know.
    pub fn add_notices(&mut self, notices: impl IntoIterator<Item = Notice>) {
        self.notices.extend(notices);
        self.notices.sort_by(|a, b| (a.code, &a.target).cmp(&(b.code, &b.target)));
    }
}

fn count(actions: &[Action], verb: Verb) -> usize {
    actions.iter().filter(|action| action.verb() == verb).count()
}
