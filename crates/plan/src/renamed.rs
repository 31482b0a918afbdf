//! Scopes that are removed while one like them is new.

use std::collections::BTreeSet;

use super::{Code, Draft, Notice, ScopeWork, Work};
use domain::text::similar::are_alike;
use domain::{DesiredScope, Orgno, ScopeName};

/// Largest number of pairs of scopes that are compared: far more than a person renames in one change.
const MOST_COMPARED: usize = 10_000;

impl Draft<'_> {
    /// Reports scopes that look like a rename: the old one is closed for its consumers in the moment in which
    /// the new one is made.
    pub(super) fn report_renames(&mut self) {
        let closed = self.actions.iter().filter_map(|action| match &action.work {
            Work::Scope(name, ScopeWork::Deactivate { .. }) => {
                (!self.desired.scopes.contains_key(name)).then_some(name)
            }
            Work::Scope(..) | Work::Access(..) | Work::Client(..) | Work::Keys(..) => None,
        });
        let closed: Vec<_> = closed.collect();
        let made = self.actions.iter().filter_map(|action| match &action.work {
            Work::Scope(name, ScopeWork::Create(_)) => Some(name),
            Work::Scope(..) | Work::Access(..) | Work::Client(..) | Work::Keys(..) => None,
        });
        let pairs = made.flat_map(|new| closed.iter().map(move |old| (*old, new)));
        let renamed = pairs.take(MOST_COMPARED).filter(|(old, new)| self.is_rename(old, new));
        let notices: Vec<_> = renamed.map(|(old, new)| notice(old, new)).collect();
        self.notices.extend(notices);
    }

    fn is_rename(&self, old: &ScopeName, new: &ScopeName) -> bool {
        let consumers =
            |scope: &DesiredScope| -> BTreeSet<Orgno> { scope.consumers.keys().copied().collect() };
        let (before, now) = (self.scope_before(old), self.desired.scopes.get(new));
        old.prefix() == new.prefix()
            && are_alike(old.subscope(), new.subscope())
            && before.map(consumers) == now.map(consumers)
    }
}

fn notice(old: &ScopeName, new: &ScopeName) -> Notice {
    Notice {
        code: Code::LooksRenamed,
        target: format!("scope {new}"),
        message: format!(
            "it has the consumers of {old}, which this plan deactivates. If it is the new name of that scope, \
             its clients get no more tokens until they ask for the new one: declare both for a while \
             (`portvakt rename {old} {new}` writes that), and remove the old one once they have moved"
        ),
    }
}
