//! What is live and declared nowhere.

use std::collections::BTreeSet;

use super::{Code, Draft, Notice};
use domain::{ClientId, Live, ScopeName};

/// What is active at DigDir and declared nowhere: neither now nor at the applied commit, nor named by
/// `removed`, nor by another place of the git repository. It is left as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unmanaged {
    /// The scopes.
    pub scopes: BTreeSet<ScopeName>,
    /// The clients, as far as clients were read.
    pub clients: BTreeSet<ClientId>,
}

impl Draft<'_> {
    pub(super) fn find_unmanaged_scopes(&mut self) {
        let is_named = |name: &ScopeName| {
            self.desired.scopes.contains_key(name)
                || self.desired.removed.contains_key(name)
                || self.scope_before(name).is_some()
                || self.others.is_scope_managed(name)
        };
        let live = self.live.scopes.iter();
        let unmanaged = live.filter(|(name, scope)| scope.active && !is_named(name));
        self.unmanaged.scopes = unmanaged.map(|(name, _)| name.clone()).collect();
    }

    /// `known` are those that a declaration is, now or before, and this program's own.
    pub(super) fn find_unmanaged_clients(&mut self, known: &BTreeSet<&ClientId>) {
        let live = self.live.clients.iter();
        let is_named = |id: &ClientId| known.contains(id) || self.others.is_client_managed(id);
        let unmanaged = live.filter(|(id, client)| client.active && !is_named(id));
        self.unmanaged.clients = unmanaged.map(|(id, _)| id.clone()).collect();
    }

    pub(super) fn tell_unmanaged(&mut self) {
        let nowhere = match self.past.unread {
            None => "nowhere",
            Some(_) => "nowhere that can be read",
        };
        self.notices.extend(self.unmanaged.notices(self.live, nowhere));
    }
}

impl Unmanaged {
    fn notices(&self, live: &Live, nowhere: &str) -> Vec<Notice> {
        let notice = |target, message| Notice { code: Code::Unmanaged, target, message };
        let scopes = self.scopes.iter().map(|name| {
            let message = format!("is live and declared {nowhere}: it is left as it is");
            notice(name.to_string(), message)
        });
        let clients = self.clients.iter().filter_map(|id| {
            let target = format!("client {}", live.clients.get(id)?.name);
            let message = format!("({id}) is live and declared {nowhere}: it is left as it is");
            Some(notice(target, message))
        });
        scopes.chain(clients).collect()
    }
}
