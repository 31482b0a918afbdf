//! The document on access from declarations and live state.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{
    Access, AccessDocument, AccessSource, ClientKeyDocument, ConsumedAccess, ConsumedBy,
    ConsumingClient, EntityState, GrantState, OpenTo, ReachableScope,
};
use crate::document::{FORMAT_VERSION, SourceDocument};
use domain::{
    AccessState, ConsumedScope, Desired, DesiredClient, DesiredScope, Live, LiveClient, LiveScope,
    Orgno, SCOPE, ScopeName, Source,
};

/// One environment: its declarations, and its live state if that was read.
pub struct AccessSide<'a> {
    /// The declarations.
    pub desired: &'a Desired,
    /// The live state.
    pub live: Option<&'a Live>,
    /// The date in Norway.
    pub today: Date,
    /// The team in whose folder a file is.
    pub team: &'a dyn Fn(&str) -> Option<String>,
}

impl AccessDocument {
    /// The accesses of these environments, which are of one organisation.
    pub fn new(
        organization: (Orgno, Option<String>),
        created: Timestamp,
        source: AccessSource,
        sides: &[AccessSide<'_>],
    ) -> Self {
        let (organization, organization_name) = organization;
        let mut document = Self {
            format_version: FORMAT_VERSION,
            organization,
            organization_name,
            created,
            source,
            environments: sides.iter().map(|side| side.desired.environment.clone()).collect(),
            scopes: Vec::new(),
            accesses: Vec::new(),
            clients: Vec::new(),
        };
        for side in sides {
            let declared = side.desired.scopes.keys();
            let live = side.live.into_iter().flat_map(|live| live.scopes.keys());
            for name in declared.chain(live).collect::<BTreeSet<_>>() {
                document.scopes.push(side.scope(name));
                document.accesses.extend(side.accesses(name));
            }
            document.clients.extend(side.clients());
        }
        document
    }
}

impl AccessSide<'_> {
    fn team(&self, source: Option<&Source>) -> Option<String> {
        (self.team)(&source?.file)
    }

    fn both(&self, name: &ScopeName) -> (Option<&DesiredScope>, Option<&LiveScope>) {
        (self.desired.scopes.get(name), self.live.and_then(|live| live.scopes.get(name)))
    }

    fn state(&self, declared: Option<bool>, live: Option<bool>) -> EntityState {
        match (self.live, live, declared) {
            (_, Some(true), _) => EntityState::Active,
            (_, Some(false), _) | (_, None, Some(false)) => EntityState::Inactive,
            (Some(_), None, _) => EntityState::Missing,
            (None, None, _) => EntityState::Declared,
        }
    }

    fn scope(&self, name: &ScopeName) -> ReachableScope {
        let (declared, live) = self.both(name);
        let field = |attribute: &domain::Attribute, of: fn(&DesiredScope) -> bool| match live {
            Some(live) => attribute.is_set(&live.representation),
            None => declared.is_some_and(of),
        };
        let to_all = field(&SCOPE.accessible_for_all, |scope| scope.attributes.accessible_for_all);
        let to_businesses = field(&SCOPE.supports_european_businesses, |scope| {
            scope.attributes.supports_european_businesses
        });
        let open = OpenTo::of(to_all, to_businesses);
        let source = declared.map(|scope| &scope.source);
        let description = live.map(LiveScope::description);
        let description = description.or(declared.map(|scope| &*scope.attributes.description));
        ReachableScope {
            environment: self.desired.environment.clone(),
            scope: name.to_string(),
            description: description.unwrap_or_default().to_owned(),
            team: self.team(source),
            state: self.state(declared.map(|scope| scope.active), live.map(|scope| scope.active)),
            open,
            source: source.map(SourceDocument::new),
        }
    }

    fn accesses(&self, name: &ScopeName) -> Vec<Access> {
        let today = self.today;
        let (declared, live) = self.both(name);
        let is_declared = declared.is_some();
        let is_declared_inactive = declared.is_some_and(|scope| !scope.active);
        let is_active = live.is_none_or(|scope| scope.active);
        let wanted = declared.into_iter().flat_map(|scope| scope.consumers.keys());
        let there = live.into_iter().flat_map(|scope| &scope.accesses).flatten();
        let consumers: BTreeSet<&Orgno> = wanted.chain(there.map(|(orgno, _)| orgno)).collect();
        let of = |consumer: &Orgno| {
            let wanted = self.desired.access(name, *consumer);
            let there = live.and_then(|scope| scope.access(*consumer));
            let is_approved = there.is_some_and(|access| access.state == AccessState::Approved);
            let is_requested = there.is_some_and(|access| access.state == AccessState::Requested);
            let block = self.desired.block(name, *consumer);
            let is_due = wanted.is_some_and(|it| it.on(today).is_some()) && block.is_none();
            // No plan revokes access to a scope that is not declared.
            let is_revoked = is_declared && block.is_some();
            let is_not_now = !is_due && (wanted.is_some() || is_revoked);
            let state = match (self.live, wanted, is_approved) {
                (None, ..) if is_not_now => GrantState::NotNow,
                (None, ..) if is_declared_inactive => GrantState::Kept,
                (None, ..) => GrantState::Declared,
                (_, _, true) if !is_active => GrantState::Kept,
                (_, _, true) if is_not_now => GrantState::Overdue,
                (_, Some(_), true) => GrantState::Granted,
                (_, None, true) => GrantState::Undeclared,
                (_, _, false) if is_requested && !is_due => GrantState::Requested,
                (_, Some(_), false) if is_not_now => GrantState::NotNow,
                (_, Some(_), false) => GrantState::Missing,
                (_, None, false) => return None,
            };
            let entry = wanted.map(|access| access.described(today));
            let days = entry.map(|entry| entry.days).unwrap_or_default();
            let last = wanted.and_then(|access| access.last_day(today));
            let is_in_force = entry.is_some_and(|entry| entry.days.contains(today));
            let name_there = there.and_then(|access| access.name.as_ref());
            Some(Access {
                environment: self.desired.environment.clone(),
                scope: name.to_string(),
                consumer: consumer.to_string(),
                consumer_name: self.desired.name_of(*consumer, name_there).cloned(),
                state,
                group: entry.and_then(|entry| entry.group.as_deref().map(str::to_owned)),
                from: days.from,
                until: if is_in_force { last } else { days.until },
                reason: entry.and_then(|entry| entry.reason.clone()),
                blocked: block.map(|block| block.reason.clone()),
                source: entry.map(|entry| SourceDocument::new(&entry.source)),
            })
        };
        consumers.into_iter().filter_map(of).collect()
    }

    fn clients(&self) -> Vec<ConsumingClient> {
        let mut seen = BTreeSet::new();
        let mut clients = Vec::new();
        for (name, declared) in &self.desired.clients {
            let live = self.live.and_then(|live| crate::live_client(declared, live).ok().flatten());
            seen.extend(live.map(|(id, _)| id));
            clients.push(self.client(name.as_str(), Some(declared), live));
        }
        let live = self.live.into_iter().flat_map(|live| &live.clients);
        for (id, client) in live.filter(|(id, _)| !seen.contains(id)) {
            clients.push(self.client(&client.name, None, Some((id, client))));
        }
        clients.sort_by(|a, b| (&a.client, &a.client_id).cmp(&(&b.client, &b.client_id)));
        clients
    }

    fn client(
        &self,
        name: &str,
        declared: Option<&DesiredClient>,
        live: Option<(&domain::ClientId, &LiveClient)>,
    ) -> ConsumingClient {
        let source = declared.map(|client| &client.source);
        let mut consumed: BTreeSet<String> = match live {
            Some((_, client)) => client.scopes().map(str::to_owned).collect(),
            None => BTreeSet::new(),
        };
        let wanted = declared.into_iter().flat_map(|client| &client.attributes.scopes);
        consumed.extend(wanted.map(ToString::to_string));
        let keys = live.and_then(|(_, client)| client.keys.as_deref()).unwrap_or_default();
        let keys = keys.iter().map(|key| ClientKeyDocument {
            kid: key.kid.clone(),
            created: key.created,
            expires: key.ends,
        });
        let mut keys: Vec<_> = keys.collect();
        keys.sort_by(|a, b| (a.expires, &a.kid).cmp(&(b.expires, &b.kid)));
        let consumed = consumed.into_iter();
        ConsumingClient {
            environment: self.desired.environment.clone(),
            client: name.to_owned(),
            client_id: live.map(|(id, _)| id.to_string()),
            team: self.team(source),
            state: self
                .state(declared.map(|client| client.active), live.map(|(_, client)| client.active)),
            scopes: consumed
                .map(|scope| ConsumedAccess { by: self.consumed_by(&scope), scope })
                .collect(),
            keys,
            source: source.map(SourceDocument::new),
        }
    }

    fn consumed_by(&self, scope: &str) -> ConsumedBy {
        let name = scope.parse::<ConsumedScope>().ok().and_then(|scope| scope.name());
        let Some(name) = name else { return ConsumedBy::Unknown };
        let Some(live) = self.live else {
            return match self.desired.scopes.contains_key(&name) {
                true => ConsumedBy::Own,
                false => ConsumedBy::Unknown,
            };
        };
        let is_own = self.desired.scopes.contains_key(&name)
            || live.scopes.contains_key(&name)
            || live.prefixes.contains(name.prefix());
        match live.foreign.get(&name) {
            _ if is_own => ConsumedBy::Own,
            Some(foreign) if foreign.open => ConsumedBy::Open,
            Some(foreign) if foreign.access == Some(AccessState::Approved) => ConsumedBy::Granted,
            Some(_) => ConsumedBy::Nothing,
            None => ConsumedBy::Unknown,
        }
    }
}
