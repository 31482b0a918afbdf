//! Reading the organisation's clients, and what is to be known of the scopes that they consume.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::call::{AllScopesFilter, Call};
use super::entries::{self, Oddities};
use super::error::{Error, ErrorKind};
use super::live::side_by_side;
use super::needs::{ClientNeeds, Which};
use super::reader::Reader;
use super::wire::{AccessEntry, scope_name};
use domain::{
    AccessState, CLIENT, ClientId, ClientIdentity, ForeignScope, IntegrationType, LiveClient,
    LiveKey, OddityOf, OnBehalfOfId, Representation, SCOPE, ScopeName, kept,
};

/// The clients by id.
pub(super) type Clients = BTreeMap<ClientId, LiveClient>;

/// What is known of the scopes of others.
type Foreign = BTreeMap<ScopeName, ForeignScope>;

impl Reader {
    /// The clients, those that are needed with their keys and on whose behalf they act.
    pub(super) async fn live_clients(
        &self,
        needs: &ClientNeeds,
        oddities: &mut Oddities,
    ) -> Result<Clients, Error> {
        let mut clients = Clients::new();
        for representation in self.clients().await? {
            match client(representation) {
                Ok((id, client)) => drop(clients.insert(id, client)),
                Err(oddity) => oddities.push(entries::odd(OddityOf::Clients, oddity)),
            }
        }
        let needed: Vec<_> = clients
            .iter()
            .filter(|(id, client)| needs.include(id, client))
            .map(|(id, client)| (id.clone(), client.integration_type.clone()))
            .collect();
        let parts = side_by_side(needed, |(id, kind)| {
            let reader = self.clone();
            async move { reader.parts(id, &kind).await }
        });
        for Parts { id, keys, on_behalf_of } in parts.await? {
            let on_behalf_of = on_behalf_of.map(|list| entries_by_id(&id, list, oddities));
            if let Some(client) = clients.get_mut(&id) {
                client.keys = Some(keys);
                client.on_behalf_of = on_behalf_of;
            }
        }
        Ok(clients)
    }

    /// The ids of the organisation's clients, and what each is called.
    pub async fn client_names(&self) -> Result<Vec<(ClientId, String)>, Error> {
        let read = |listed| client(listed).ok().map(|(id, client)| (id, client.name));
        Ok(self.clients().await?.into_iter().filter_map(read).collect())
    }

    async fn parts(&self, id: ClientId, kind: &str) -> Result<Parts, Error> {
        let keys = self.keys(&id).await?;
        let on_behalf_of = match has_entries(kind) {
            true => Some(self.list(&Call::on_behalf_of(&id)).await?),
            false => None,
        };
        Ok(Parts { id, keys, on_behalf_of })
    }

    /// One client as it is now, with its keys and on whose behalf it acts; `None` if there is none
    /// of that id.
    pub async fn client_with_parts(&self, id: &ClientId) -> Result<Option<LiveClient>, Error> {
        let Some(client) = self.client(id).await? else {
            return Ok(None);
        };
        let Parts { id, keys, on_behalf_of } =
            self.parts(id.clone(), &client.integration_type).await?;
        let mut odd = Oddities::new();
        let on_behalf_of = on_behalf_of.map(|list| entries_by_id(&id, list, &mut odd));
        Ok(Some(LiveClient { keys: Some(keys), on_behalf_of, ..client }))
    }

    /// On whose behalf a client acts; entries that cannot be named are left out.
    pub async fn on_behalf_of_by_id(
        &self,
        id: &ClientId,
    ) -> Result<BTreeMap<OnBehalfOfId, Representation>, Error> {
        let list = self.list(&Call::on_behalf_of(id)).await?;
        Ok(entries_by_id(id, list, &mut Oddities::new()))
    }

    /// One client as it is now; `None` if there is none of that id.
    pub async fn client(&self, id: &ClientId) -> Result<Option<LiveClient>, Error> {
        let call = Call::client(id);
        let Some(representation) = self.one(&call).await? else {
            return Ok(None);
        };
        let malformed = |odd| Error::new(ErrorKind::Malformed, &call.place(), odd);
        match client(representation) {
            Ok((reported, client)) if reported == *id => Ok(Some(client)),
            Ok((reported, _)) => {
                Err(malformed(format!("the answer is about another client, {reported}")))
            }
            Err((entity, odd)) => Err(malformed(format!("the answer is about {entity}: {odd}"))),
        }
    }

    /// The clients of a name, or of an application at NAIS, inactive ones included. Errors where one of
    /// them cannot be understood.
    pub async fn clients_that_fit(
        &self,
        identity: &ClientIdentity,
    ) -> Result<Vec<(ClientId, LiveClient)>, Error> {
        let fits = |listed: &Representation| {
            let text = |field: &str| listed.get(field).and_then(Value::as_str).unwrap_or_default();
            identity.fits(text("client_name"), text(CLIENT.description.name))
        };
        let fitting = self.clients().await?.into_iter().filter(fits);
        let place = Call::clients().place();
        let odd =
            |(entity, odd)| Error::new(ErrorKind::Malformed, &place, format!("{entity}: {odd}"));
        fitting.map(|listed| client(listed).map_err(odd)).collect()
    }

    /// What is to be known of the scopes of others that clients consume. What is told of one does not
    /// depend on which others are asked for.
    pub(super) async fn foreign_scopes(
        &self,
        consumed: &Which<ScopeName>,
    ) -> Result<Foreign, Error> {
        let mut foreign = Foreign::new();
        if consumed.is_none() {
            return Ok(foreign);
        }
        let open = AllScopesFilter { accessible_for_all: Some(true), ..Default::default() };
        let (accesses, open) =
            tokio::try_join!(self.accesses_to_us(false), self.all_scopes(&open))?;
        accesses.into_iter().for_each(|entry| add_access(&mut foreign, entry, false));
        open.iter().for_each(|scope| add_public(&mut foreign, scope));
        let had: BTreeSet<ScopeName> = foreign
            .iter()
            .filter(|(_, scope)| is_had(scope))
            .map(|(name, _)| name.clone())
            .collect();
        let lacks = match consumed {
            Which::All => true,
            Which::These(names) => !names.is_subset(&had),
        };
        if lacks {
            // What is inactive or was refused is in this list alone.
            for entry in self.accesses_to_us(true).await? {
                let name = entry.scope.as_ref().and_then(|scope| scope.parse().ok());
                if name.is_some_and(|name| !had.contains(&name)) {
                    add_access(&mut foreign, entry, true);
                }
            }
        }
        let filters = self::public(consumed, &foreign);
        let public = side_by_side(filters, |filter| {
            let reader = self.clone();
            async move { reader.all_scopes(&filter).await }
        });
        public.await?.iter().flatten().for_each(|scope| add_public(&mut foreign, scope));
        Ok(foreign)
    }
}

/// Whether a client of a kind can act on somebody's behalf.
pub(super) fn has_entries(kind: &str) -> bool {
    kind == IntegrationType::Idporten.as_str()
}

/// Whether the organisation's clients can have a scope.
fn is_had(scope: &ForeignScope) -> bool {
    scope.open || scope.access == Some(AccessState::Approved)
}

/// What to ask of the list of public scopes, so that it holds those that clients consume, but for those
/// that are open to all and have been listed.
fn public(consumed: &Which<ScopeName>, foreign: &Foreign) -> Vec<AllScopesFilter> {
    let is_open = |name: &&ScopeName| foreign.get(*name).is_some_and(|scope| scope.open);
    match consumed {
        Which::All => vec![AllScopesFilter::default()],
        Which::These(names) => {
            let lacking = names.iter().filter(|name| !is_open(name));
            let prefixes: BTreeSet<_> = lacking.map(|name| name.prefix().to_owned()).collect();
            let filter = |prefix| AllScopesFilter { prefix: Some(prefix), ..Default::default() };
            prefixes.into_iter().map(filter).collect()
        }
    }
}

/// What belongs to a client and is read by calls of its own.
struct Parts {
    id: ClientId,
    keys: Vec<LiveKey>,
    on_behalf_of: Option<Vec<Representation>>,
}

/// A client as the API gives it.
fn client(mut representation: Representation) -> Result<(ClientId, LiveClient), (String, String)> {
    // Only the answer that made it holds one; it must not get any further.
    representation.remove("client_secret");
    let text = |field: &str| representation.get(field).and_then(Value::as_str).unwrap_or_default();
    let (id, name) = (text("client_id"), kept(text("client_name")).into_owned());
    let entity = || format!("client {name} ({id})");
    let id: ClientId = id.parse().map_err(|reason| (entity(), format!("{reason}; left alone")))?;
    let active = entries::active(&representation).map_err(|what| (entity(), what))?;
    let integration_type = text(CLIENT.integration_type.name).to_owned();
    let (keys, on_behalf_of) = (None, None);
    let client = LiveClient { active, name, integration_type, representation, keys, on_behalf_of };
    Ok((id, client))
}

fn entries_by_id(
    client: &ClientId,
    list: Vec<Representation>,
    oddities: &mut Oddities,
) -> BTreeMap<OnBehalfOfId, Representation> {
    let read = |entry: Representation| {
        let id = entry.get("onbehalfof").and_then(Value::as_str).unwrap_or_default();
        match id.parse() {
            Ok(id) => Some((id, entry)),
            Err(reason) => {
                let entity = format!("onbehalfof {id} of client {client}");
                let odd = (entity, format!("{reason}; left alone"));
                oddities.push(entries::odd(OddityOf::OnBehalfOf(client.clone()), odd));
                None
            }
        }
    };
    list.into_iter().filter_map(read).collect()
}

/// Notes an access of the organisation itself. `late` entries come from the list with inactive ones:
/// they say nothing that the other list says better, and what is APPROVED there alone is to a scope
/// that is inactive.
fn add_access(foreign: &mut Foreign, entry: AccessEntry, late: bool) {
    let AccessEntry { scope, owner_orgno, owner_organization_name, state, .. } = entry;
    let Some(name) = scope.and_then(|scope| scope.parse::<ScopeName>().ok()) else {
        return;
    };
    let scope = foreign.entry(name).or_default();
    scope.owner = scope.owner.or_else(|| owner_orgno?.parse().ok());
    scope.owner_name = scope.owner_name.take().or(owner_organization_name);
    let state = state.map(AccessState::from);
    if scope.access.is_none() {
        scope.inactive = late && state == Some(AccessState::Approved);
        scope.access = state;
    }
}

/// Notes what the list of public scopes tells of one.
fn add_public(foreign: &mut Foreign, public: &Representation) {
    let Ok(name) = scope_name(public) else {
        return;
    };
    let scope = foreign.entry(name).or_default();
    let text = |field: &str| public.get(field).and_then(Value::as_str).filter(|t| !t.is_empty());
    scope.owner = scope.owner.or_else(|| text("owner_orgno")?.parse().ok());
    scope.open = SCOPE.accessible_for_all.is_set(public);
    scope.delegable = text(SCOPE.delegation_source.name).is_some();
    scope.inactive |= entries::active(public) == Ok(false);
    let types = SCOPE.allowed_integration_types.of(public).cloned().unwrap_or_default();
    scope.allowed_integration_types = serde_json::from_value(types).unwrap_or_default();
}
