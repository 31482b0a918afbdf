//! Scopes and clients that are removed while one like them is new.

use std::collections::BTreeSet;

use super::{ClientWork, Code, Draft, Notice, ScopeWork, Work};
use domain::text::similar::are_alike;
use domain::{ClientIdentity, ClientName, DesiredScope, Orgno, ScopeName};

/// Largest number of pairs that are compared: far more than a person renames in one change.
const MOST_COMPARED: usize = 10_000;

impl Draft<'_> {
    /// Reports scopes and clients that look like a rename: the old one is closed in the moment in which the new one is
    /// made.
    pub(super) fn report_renames(&mut self) {
        let (mut closed, mut made) = (Vec::new(), Vec::new());
        let (mut closed_clients, mut made_clients) = (Vec::new(), Vec::new());
        for action in &self.actions {
            match &action.work {
                Work::Scope(name, ScopeWork::Create(_)) => made.push(name),
                Work::Scope(name, ScopeWork::Deactivate { .. })
                    if !self.desired.scopes.contains_key(name) =>
                {
                    closed.push(name);
                }
                Work::Client(name, ClientWork::Create(..)) => made_clients.push(name),
                Work::Client(name, ClientWork::Deactivate(_))
                    if !self.desired.clients.contains_key(name) =>
                {
                    closed_clients.push(name);
                }
                Work::Scope(..) | Work::Access(..) | Work::Client(..) | Work::Keys(..) => {}
            }
        }
        let scopes = pairs(&closed, &made).filter(|(old, new)| self.is_rename(old, new));
        let scopes = scopes.map(|(old, new)| of_scope(old, new));
        let clients = pairs(&closed_clients, &made_clients)
            .filter(|(old, new)| self.is_client_rename(old, new));
        let clients = clients.map(|(old, new)| of_client(old, new));
        let notices: Vec<_> = scopes.chain(clients).collect();
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

    /// Whether the old client once had the new one's name, or the two are alike in name and scopes.
    fn is_client_rename(&self, old: &ClientName, new: &ClientName) -> bool {
        let clients = (self.client_before(old), self.desired.clients.get(new));
        let (Some(before), Some(now)) = clients else { return false };
        let (ClientIdentity::Named { previous_name, .. }, ClientIdentity::Named { .. }) =
            (&before.identity, &now.identity)
        else {
            return false;
        };
        let (then, now) = (&before.attributes, &now.attributes);
        then.integration_type == now.integration_type
            && (previous_name.as_ref() == Some(new)
                || are_alike(old.as_str(), new.as_str())
                    && (then.scopes == now.scopes || !then.scopes.is_disjoint(&now.scopes)))
    }
}

/// The first pairs of a closed and a made one.
fn pairs<'a, N>(closed: &[&'a N], made: &[&'a N]) -> impl Iterator<Item = (&'a N, &'a N)> {
    let pairs = made.iter().flat_map(|new| closed.iter().map(|old| (*old, *new)));
    pairs.take(MOST_COMPARED)
}

fn of_scope(old: &ScopeName, new: &ScopeName) -> Notice {
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

fn of_client(old: &ClientName, new: &ClientName) -> Notice {
    Notice {
        code: Code::LooksRenamed,
        target: format!("client {new}"),
        message: format!(
            "it is created at the moment {old} is deactivated. If {old} was renamed, declare `previous_name: {old}`: \
             the client then keeps its id and keys, and its application keeps getting tokens"
        ),
    }
}
