//! Live entities that are not declared.

use std::collections::BTreeSet;

use super::beside::Other;
use super::{Code, Draft, Notice};
use domain::text::listed_up_to;
use domain::{ClientId, ClientName, Desired, DesiredClient, Former, LiveClient, ScopeName};

/// Active entities at DigDir that are not declared: neither now nor at the applied commit, nor named by
/// `removed`, nor by another place of the git repository. They are left as they are.
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
                || self.others.of_scope(name).is_some_and(Other::is_applied)
        };
        let live = self.live.scopes.iter();
        let unmanaged = live.filter(|(name, scope)| scope.active && !is_named(name));
        self.unmanaged.scopes = unmanaged.map(|(name, _)| name.clone()).collect();
    }

    /// Finds the clients; `known` are those that match a declaration, now or before, and this program's own.
    pub(super) fn find_unmanaged_clients(&mut self, known: &BTreeSet<&ClientId>) {
        let live = self.live.clients.iter();
        let is_named = |id: &ClientId| {
            known.contains(id) || self.others.of_client(id).is_some_and(Other::is_applied)
        };
        let unmanaged = live.filter(|(id, client)| client.active && !is_named(id));
        self.unmanaged.clients = unmanaged.map(|(id, _)| id.clone()).collect();
    }

    pub(super) fn report_unmanaged(&mut self) {
        let nowhere = match self.past.unread {
            None => "nowhere",
            Some(_) => "nowhere that can be read",
        };
        let message = format!("is live and declared {nowhere}: it is left as it is");
        let Unmanaged { scopes, clients } = &self.unmanaged;
        let scopes = scopes.iter().map(|name| (name.to_string(), message.clone()));
        let clients = clients.iter().filter_map(|id| {
            let name = &self.live.clients.get(id)?.name;
            Some((format!("client {name}"), format!("({id}) {message}")))
        });
        let notice = |(target, message)| Notice { code: Code::Unmanaged, target, message };
        self.notices.extend(scopes.chain(clients).map(notice));
    }

    /// Reports active entities that were applied by places that are no longer declared, and that no other
    /// place manages. Where the past is not known, that is reported instead.
    pub(super) fn report_forgotten(&mut self) {
        if self.past.unknown.is_some() {
            return;
        }
        let forgotten = self.past.former.iter().filter_map(|former| {
            let Former { place, applied, take_over } = former;
            let open: BTreeSet<_> = applied.iter().flat_map(|it| self.open(&it.desired)).collect();
            let named = listed_up_to(1, &open);
            (!open.is_empty()).then(|| {
                format!(
                    "{place} is declared no longer, and of what it applied {named} is open and declared \
                     nowhere: `{take_over}` shows what the next apply here would close of it, and asks \
                     first"
                )
            })
        });
        self.forgotten = forgotten.reduce(|all, one| format!("{all}; {one}"));
        if let Some(why) = self.forgotten.clone() {
            self.report(Code::HistoryUnknown, "git".to_owned(), why);
        }
    }

    /// Entities that were declared there and are active now, or may be, where clients were not read.
    fn open(&self, before: &Desired) -> Vec<String> {
        let beside = &self.past.beside;
        let is_beside =
            |name: &ScopeName| beside.iter().any(|it| it.desired.scopes.contains_key(name));
        let scopes = before.scopes.keys().filter(|name| self.unmanaged.scopes.contains(*name));
        let scopes = scopes.filter(|name| !is_beside(name));
        let scopes = scopes.map(|name| format!("scope {name}"));
        let is_read = !self.live.clients.is_empty();
        let clients = before.clients.iter().filter(|(name, client)| match is_read {
            true => self.is_unmanaged(client) && !self.is_declared(name),
            false => !self.is_declared(name),
        });
        let unread = if is_read { "" } else { " (clients were not read)" };
        let clients = clients.map(|(name, _)| format!("client {name}{unread}"));
        scopes.chain(clients).collect()
    }

    fn is_unmanaged(&self, DesiredClient { identity, .. }: &DesiredClient) -> bool {
        let live =
            self.unmanaged.clients.iter().filter_map(|id| self.live.clients.get_key_value(id));
        let is_it = |(id, client): (&ClientId, &LiveClient)| {
            identity.pinned() == Some(id) || identity.fits(&client.name, client.description())
        };
        live.into_iter().any(is_it)
    }

    /// Whether a client of that name is declared, here or at another place.
    fn is_declared(&self, name: &ClientName) -> bool {
        let Desired { clients, removed_clients, .. } = self.desired;
        let mut beside = self.past.beside.iter();
        clients.contains_key(name)
            || removed_clients.contains_key(name)
            || beside.any(|it| it.desired.clients.contains_key(name))
    }
}
