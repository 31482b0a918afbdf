//! Entities to declare: those that are chosen and not declared yet; usually only active ones.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::left_out::{LeftOut, Reason, Subject, closed};
use super::{AdoptedEntity, AdoptedThing, Input, Side};
use domain::nais::owner_of_client;
use domain::{
    AccessState, ClientId, ClientName, Days, Desired, IntegrationType, Live, LiveClient, LiveScope,
    OddityOf, Orgno, ScopeName,
};
use plan::live_client;

/// A scope in the sides where it is to be declared.
pub(super) type OnSides<T> = BTreeMap<usize, T>;

/// Entities to declare.
pub(super) struct Found<'a> {
    /// The date in Norway.
    today: Date,
    pub(super) scopes: BTreeMap<ScopeName, OnSides<&'a LiveScope>>,
    /// The accesses that declared scopes lack, each with the sides where it is live.
    pub(super) accesses: BTreeMap<ScopeName, BTreeMap<Orgno, BTreeSet<usize>>>,
    pub(super) clients: BTreeMap<(ClientName, IntegrationType), OnSides<FoundClient<'a>>>,
    /// Number of chosen ones that are declared already.
    pub(super) declared: usize,
    pub(super) left_out: Vec<LeftOut>,
}

/// A client to declare.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundClient<'a> {
    pub(super) id: &'a ClientId,
    pub(super) live: &'a LiveClient,
    /// Whether its name and type are ambiguous, so that it needs its id.
    pub(super) is_pinned: bool,
}

impl<'a> Found<'a> {
    pub(super) fn new(input: &Input<'a>, today: Date) -> Self {
        let mut found = Self {
            today,
            scopes: BTreeMap::new(),
            accesses: BTreeMap::new(),
            clients: BTreeMap::new(),
            declared: 0,
            left_out: Vec::new(),
        };
        for (side, it) in input.sides.iter().enumerate() {
            found.scopes_of(input, side, it);
            found.clients_of(input, side, it);
        }
        found
    }

    /// Leaves out an entity, in one side or in all; returns whether it was to be declared.
    pub(super) fn leave_out(&mut self, entity: &AdoptedEntity, side: Option<usize>) -> bool {
        fn take<K: Ord, T>(
            map: &mut BTreeMap<K, OnSides<T>>,
            key: &K,
            side: Option<usize>,
        ) -> bool {
            let Some(on) = map.get_mut(key) else { return false };
            match side {
                Some(side) => drop(on.remove(&side)),
                None => on.clear(),
            }
            map.retain(|_, on| !on.is_empty());
            true
        }
        match entity {
            AdoptedEntity::Scope(name) => take(&mut self.scopes, name, side),
            AdoptedEntity::Client(name, kind) => {
                take(&mut self.clients, &(name.clone(), *kind), side)
            }
            AdoptedEntity::Access(name, orgno) => self.leave_out_accesses(name, Some(*orgno), side),
            AdoptedEntity::Accesses(name) => self.leave_out_accesses(name, None, side),
            AdoptedEntity::Alias(_) | AdoptedEntity::Group(_) => false,
        }
    }

    /// The same for one access to a declared scope, or all.
    fn leave_out_accesses(
        &mut self,
        name: &ScopeName,
        orgno: Option<Orgno>,
        side: Option<usize>,
    ) -> bool {
        let Some(missing) = self.accesses.get_mut(name) else { return false };
        let was_there = orgno.is_none_or(|it| missing.contains_key(&it));
        for (_, sides) in missing.iter_mut().filter(|(of, _)| orgno.is_none_or(|it| it == **of)) {
            sides.retain(|of| side.is_some_and(|side| side != *of));
        }
        missing.retain(|_, sides| !sides.is_empty());
        self.accesses.retain(|_, missing| !missing.is_empty());
        was_there
    }

    /// Whether a declared scope gets accesses in a side.
    pub(super) fn has_accesses(&self, name: &ScopeName, side: usize) -> bool {
        let mut missing = self.accesses.get(name).into_iter().flat_map(BTreeMap::values);
        missing.any(|sides| sides.contains(&side))
    }

    fn scopes_of(&mut self, input: &Input<'a>, side: usize, of: &Side<'a>) {
        let Side { environment, live, before, declared: _, beside } = *of;
        let repository = input.repository;
        let is_declarable = |scope: &LiveScope| scope.active || input.rendered;
        for (name, scope) in live.scopes.iter().filter(|(_, scope)| is_declarable(scope)) {
            if !(input.chosen)(AdoptedThing::Scope(name)) {
                continue;
            }
            if repository.has_scope(name, Some(environment))
                || repository.removes_scope(name, environment)
            {
                self.declared += 1;
                self.accesses_of(name, scope, side, of);
                continue;
            }
            let was_declared = before.is_some_and(|before| before.scopes.contains_key(name));
            let other = beside.iter().find(|other| other.desired.scopes.contains_key(name));
            let reason = if let Some(other) = other {
                Reason::Beside(other.place.clone())
            } else if was_declared {
                Reason::TakenOut
            } else if is_twice(name, live) {
                Reason::TwoScopes
            } else if scope.unclear {
                Reason::Unclear
            } else if scope.accesses.is_none() {
                Reason::NotRead
            } else {
                self.report_accesses(name, scope, environment);
                self.scopes.entry(name.clone()).or_default().insert(side, scope);
                continue;
            };
            self.report(Subject::Scope(name.clone()), environment, reason);
        }
    }

    /// The accesses to an active scope that its declaration lacks.
    fn accesses_of(&mut self, name: &ScopeName, live: &LiveScope, side: usize, of: &Side<'a>) {
        let Side { environment, before, declared, live: all, beside: _ } = *of;
        let Some((desired, declared)) = declared.and_then(|it| Some((it, it.scopes.get(name)?)))
        else {
            return;
        };
        if !live.active || !declared.active {
            return;
        }
        let today = self.today;
        let mut missing = approved(live);
        missing.retain(|orgno| desired.entry(name, *orgno, today).is_none());
        if missing.is_empty() {
            return;
        }
        let reason = match is_twice(name, all) {
            true => Some(Reason::TwoScopes),
            false => closed(declared),
        };
        if let Some(reason) = reason {
            return self.report(Subject::Accesses(name.clone()), environment, reason);
        }
        let before = before.and_then(|before| before.scopes.get(name));
        for orgno in missing {
            let was_declared = before.is_some_and(|before| before.consumers.contains_key(&orgno));
            let days = declared.consumers.get(&orgno).map(|it| it.described(today).days);
            let reason = match (desired.block(name, orgno), days) {
                (Some(block), _) => Reason::Blocked(block.reason.clone()),
                (None, Some(Days { from: Some(from), .. })) if from > today => Reason::NotYet(from),
                (None, Some(Days { until: Some(until), .. })) => Reason::Expired(until),
                (None, _) if was_declared => Reason::Removed,
                (None, _) => {
                    let missing = self.accesses.entry(name.clone()).or_default();
                    missing.entry(orgno).or_default().insert(side);
                    continue;
                }
            };
            self.report(Subject::Access(name.clone(), orgno), environment, reason);
        }
    }

    fn report_accesses(&mut self, name: &ScopeName, scope: &LiveScope, environment: &str) {
        for (orgno, access) in scope.accesses.iter().flatten() {
            let reason = match &access.state {
                AccessState::Requested => {
                    Reason::Requested(orgno.with_name(access.name.as_deref()))
                }
                AccessState::Other(word) => Reason::State(word.clone()),
                AccessState::Approved | AccessState::Denied => continue,
            };
            self.report(Subject::Access(name.clone(), *orgno), environment, reason);
        }
    }

    fn clients_of(&mut self, input: &Input<'a>, side: usize, of: &Side<'a>) {
        let Side { environment, live, before, declared: _, beside } = *of;
        let taken_out = declared_before(before, live);
        let of_others: BTreeMap<_, _> = beside
            .iter()
            .flat_map(|other| {
                let ids = declared_before(Some(&other.desired), live);
                ids.into_iter().map(|id| (id, &other.place))
            })
            .collect();
        let mut by_name: BTreeMap<&str, Vec<(&ClientId, &LiveClient)>> = BTreeMap::new();
        for (id, client) in &live.clients {
            by_name.entry(&client.name).or_default().push((id, client));
        }
        for (name, of_name) in by_name {
            let active = of_name.iter().filter(|(_, client)| client.active);
            let is_chosen = |(id, client): &&&(&ClientId, &LiveClient)| {
                (input.chosen)(AdoptedThing::Client(id, client))
            };
            let (owned, active): (Vec<_>, Vec<_>) =
                active.partition(|(_, client)| input.repository.has_owner(client, environment));
            self.declared += owned.iter().filter(is_chosen).count();
            let mut chosen = active.iter().filter(is_chosen);
            let Some((id, client)) = chosen.next() else { continue };
            if input.repository.has_client(name, Some(environment))
                || input.repository.removes_client(name, environment)
            {
                self.declared += 1;
                continue;
            }
            let is_own = live.own_client.as_ref().is_some_and(|own| own.id == **id);
            let kind = serde_json::from_value(client.integration_type.as_str().into());
            let reason = match (active.len(), kind, name.parse::<ClientName>()) {
                (2.., _, _) => {
                    let ids = active.iter().map(|(id, _)| id.to_string()).collect();
                    let at_nais = active.iter().filter(|(_, it)| is_at_nais(it)).count();
                    match at_nais > 1 {
                        true => Reason::SameNameAtNais(ids),
                        false => Reason::SameName(ids),
                    }
                }
                _ if let Some(place) = of_others.get(*id) => Reason::Beside((*place).clone()),
                _ if taken_out.contains(*id) => Reason::TakenOut,
                _ if is_own => Reason::OwnClient,
                (_, Err(_), _) => Reason::Kind(client.integration_type.clone()),
                (_, Ok(_), Err(error)) => error.into(),
                (_, Ok(kind), Ok(name)) => {
                    let is_same = |(_, other): &&(&ClientId, &LiveClient)| {
                        other.integration_type == client.integration_type
                    };
                    // Another application at NAIS may get a client of the same name at any time.
                    let is_pinned = of_name.iter().filter(is_same).count() > 1
                        || (is_at_nais(client) && !input.rendered);
                    let found = FoundClient { id, live: client, is_pinned };
                    if has_odd_entries(id, live) {
                        let subject = Subject::OnBehalfOf(name.to_string());
                        self.report(subject, environment, Reason::Entries);
                    }
                    self.clients.entry((name, kind)).or_default().insert(side, found);
                    continue;
                }
            };
            let id = (active.len() == 1).then(|| (*id).clone());
            self.report(Subject::Client(name.to_owned(), id), environment, reason);
        }
    }

    pub(super) fn report(&mut self, subject: Subject, environment: &str, reason: Reason) {
        let environment = environment.to_owned();
        self.left_out.push(LeftOut { subject, environment, reason });
    }
}

/// Whether the list of scopes has two with that name.
fn is_twice(name: &ScopeName, live: &Live) -> bool {
    live.oddities.iter().any(|odd| matches!(&odd.of, OddityOf::TwoScopes(of) if of == name))
}

/// The live clients that were declared at the last apply.
fn declared_before<'l>(before: Option<&Desired>, live: &'l Live) -> BTreeSet<&'l ClientId> {
    let declared = before.into_iter().flat_map(|before| before.clients.values());
    let found = declared.filter_map(|client| live_client(client, live).ok().flatten());
    found.map(|(id, _)| id).collect()
}

/// Whether NAIS manages a client, by its description.
fn is_at_nais(client: &LiveClient) -> bool {
    owner_of_client(client.description()).is_some()
}

/// Whether some of its `onbehalfof` entries have no usable id.
pub(super) fn has_odd_entries(id: &ClientId, live: &Live) -> bool {
    live.oddities.iter().any(|odd| matches!(&odd.of, OddityOf::OnBehalfOf(of) if of == id))
}

/// Consumers with access to a scope.
pub(super) fn approved(scope: &LiveScope) -> BTreeSet<Orgno> {
    scope.in_state(AccessState::Approved).map(|(orgno, _)| orgno).collect()
}

/// Consumers with access to a scope in all sides, and those with access in some of these sides only.
pub(super) fn shared(
    on: &OnSides<&LiveScope>,
) -> (BTreeSet<Orgno>, BTreeMap<Orgno, BTreeSet<usize>>) {
    let mut sides: BTreeMap<Orgno, BTreeSet<usize>> = BTreeMap::new();
    for (side, scope) in on {
        for orgno in approved(scope) {
            sides.entry(orgno).or_default().insert(*side);
        }
    }
    let everywhere: BTreeSet<Orgno> =
        sides.iter().filter(|(_, of)| of.len() == on.len()).map(|(orgno, _)| *orgno).collect();
    sides.retain(|orgno, _| !everywhere.contains(orgno));
    (everywhere, sides)
}
