//! Which live client a declared one is.

use domain::{
    ClientId, ClientIdentity, ClientName, ClientRemoval, DesiredClient, IntegrationType, Live,
    LiveClient,
};

/// Why it cannot be told which live client a declared one is, or why it can be none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// Several have the name.
    Several(Vec<ClientId>),
    /// Several belong to the application, by their description.
    SeveralOwned(Vec<ClientId>),
    /// The one that is pinned does not exist.
    NoSuchId(ClientId),
    /// The one that is pinned has another name than the declaration says, now or before.
    OtherName {
        /// The live client.
        id: ClientId,
        /// What it is called.
        name: String,
    },
    /// The one that it could be is of another kind, which can never change.
    OtherType {
        /// The live client.
        id: ClientId,
        /// DigDir's word for its kind.
        integration_type: String,
    },
}

/// A live client and its id.
pub(super) type MatchedClient<'l> = (&'l ClientId, &'l LiveClient);

/// The live client that a declared one is; `None` if it does not exist yet.
///
/// A pinned id decides, if that client has the name or the previous name: an id that was mistaken must
/// not make another client this one. Else the name and the kind, among all clients, inactive ones
/// included; else the previous name and the kind. A client of an application at NAIS is told by its
/// description and its kind alone.
///
/// # Errors
/// See [`Mismatch`].
pub fn live_client<'l>(
    desired: &DesiredClient,
    live: &'l Live,
) -> Result<Option<MatchedClient<'l>>, Mismatch> {
    let kind = desired.attributes.integration_type;
    let (name, id, previous_name) = match &desired.identity {
        ClientIdentity::Named { name, id, previous_name } => (name, id, previous_name.as_ref()),
        ClientIdentity::OwnedBy { .. } => {
            return only(fitting(&desired.identity, kind, live), Mismatch::SeveralOwned);
        }
    };
    if let Some(id) = id {
        let (id, client) =
            live.clients.get_key_value(id).ok_or_else(|| Mismatch::NoSuchId(id.clone()))?;
        let names = [Some(name), previous_name];
        if !names.iter().flatten().any(|name| name.as_str() == client.name) {
            return Err(Mismatch::OtherName { id: id.clone(), name: client.name.clone() });
        }
        return match is_of(client, kind) {
            true => Ok(Some((id, client))),
            false => Err(other_type(id, client)),
        };
    }
    if let Some(found) = named(name, kind, live)? {
        return Ok(Some(found));
    }
    if let Some(previous) = previous_name
        && let Some(found) = named(previous, kind, live)?
    {
        return Ok(Some(found));
    }
    let names = [Some(name), previous_name];
    let is_named =
        |client: &LiveClient| names.iter().flatten().any(|name| name.as_str() == client.name);
    let mut others = live.clients.iter();
    match others.find(|(_, client)| client.active && is_named(client)) {
        Some((id, client)) => Err(other_type(id, client)),
        None => Ok(None),
    }
}

/// The live clients that `removed` speaks of, by a pinned id, else by the name. What a manifest declared
/// before is found as that manifest's client was.
pub(super) fn removed_clients<'l>(
    name: &ClientName,
    removal: &ClientRemoval,
    before: Option<&DesiredClient>,
    live: &'l Live,
) -> Vec<MatchedClient<'l>> {
    let clients = live.clients.iter();
    match (&removal.id, before) {
        (Some(id), _) => clients.filter(|(other, _)| *other == id).collect(),
        (None, Some(before)) if before.identity.is_owned() => {
            fitting(&before.identity, before.attributes.integration_type, live).collect()
        }
        (None, Some(_) | None) => {
            clients.filter(|(_, client)| client.name == name.as_str()).collect()
        }
    }
}

/// The live clients that a client of a kind could be.
fn fitting<'l>(
    identity: &ClientIdentity,
    kind: IntegrationType,
    live: &'l Live,
) -> impl Iterator<Item = MatchedClient<'l>> {
    live.clients.iter().filter(move |(_, client)| {
        is_of(client, kind) && identity.fits(&client.name, client.description())
    })
}

/// The one live client of a name and kind.
fn named<'l>(
    name: &ClientName,
    kind: IntegrationType,
    live: &'l Live,
) -> Result<Option<MatchedClient<'l>>, Mismatch> {
    let fits = |client: &LiveClient| client.name == name.as_str() && is_of(client, kind);
    only(live.clients.iter().filter(|(_, client)| fits(client)), Mismatch::Several)
}

/// The only one, if there is one at all.
fn only<'l>(
    mut found: impl Iterator<Item = MatchedClient<'l>>,
    several: impl Fn(Vec<ClientId>) -> Mismatch,
) -> Result<Option<MatchedClient<'l>>, Mismatch> {
    match (found.next(), found.next()) {
        (first, None) => Ok(first),
        (Some((first, _)), Some((second, _))) => {
            let ids = [first, second].into_iter().chain(found.map(|(id, _)| id));
            Err(several(ids.cloned().collect()))
        }
        (None, Some(_)) => Ok(None),
    }
}

fn is_of(client: &LiveClient, kind: IntegrationType) -> bool {
    client.integration_type == kind.as_str()
}

fn other_type(id: &ClientId, client: &LiveClient) -> Mismatch {
    Mismatch::OtherType { id: id.clone(), integration_type: client.integration_type.clone() }
}
