//! Which live client a declared one is.

use crate::domain::{ClientId, ClientName, DesiredClient, IntegrationType, Live, LiveClient};

/// Why it cannot be told which live client a declared one is, or why it can be none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// Several could be it.
    Several(Vec<ClientId>),
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

/// The live client that a declared one is; `None` if it does not exist yet.
///
/// A pinned id decides, if that client has the name or the previous name: an id that was mistaken must
/// not make another client this one. Else the name and the kind, among all clients, inactive ones
/// included; else the previous name and the kind.
///
/// # Errors
/// See [`Mismatch`].
pub fn live_client<'l>(
    desired: &DesiredClient,
    live: &'l Live,
) -> Result<Option<(&'l ClientId, &'l LiveClient)>, Mismatch> {
    let kind = desired.attributes.integration_type;
    let name = &desired.attributes.client_name;
    if let Some(id) = &desired.id {
        let (id, client) =
            live.clients.get_key_value(id).ok_or_else(|| Mismatch::NoSuchId(id.clone()))?;
        let names = [Some(name), desired.previous_name.as_ref()];
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
    if let Some(previous) = &desired.previous_name
        && let Some(found) = named(previous, kind, live)?
    {
        return Ok(Some(found));
    }
    let names = [Some(name), desired.previous_name.as_ref()];
    let is_named =
        |client: &LiveClient| names.iter().flatten().any(|name| name.as_str() == client.name);
    let mut others = live.clients.iter();
    match others.find(|(_, client)| client.active && is_named(client)) {
        Some((id, client)) => Err(other_type(id, client)),
        None => Ok(None),
    }
}

/// The one live client of a name and kind.
fn named<'l>(
    name: &ClientName,
    kind: IntegrationType,
    live: &'l Live,
) -> Result<Option<(&'l ClientId, &'l LiveClient)>, Mismatch> {
    let fits = |client: &LiveClient| client.name == name.as_str() && is_of(client, kind);
    let mut found = live.clients.iter().filter(|(_, client)| fits(client));
    match (found.next(), found.next()) {
        (first, None) => Ok(first),
        (Some((first, _)), Some((second, _))) => {
            let ids = [first, second].into_iter().chain(found.map(|(id, _)| id));
            Err(Mismatch::Several(ids.cloned().collect()))
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
