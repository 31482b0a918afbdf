//! Match of declared with live clients.

use super::Code;
use domain::text::listed;
use domain::{
    ClientId, ClientIdentity, ClientName, ClientRemoval, DesiredClient, IntegrationType, Live,
    LiveClient,
};

/// Reason why no single live client matches a declared one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// Several clients have the name.
    Several(Vec<ClientId>),
    /// Several clients belong to the application, by their description.
    SeveralOwned(Vec<ClientId>),
    /// The pinned client does not exist.
    NoSuchId(ClientId),
    /// The pinned client has neither the declared nor the previous name.
    OtherName {
        /// The live client.
        id: ClientId,
        /// Its name.
        name: String,
    },
    /// The matching client has another integration type, which can never change.
    OtherType {
        /// The live client.
        id: ClientId,
        /// DigDir's word for its kind.
        integration_type: String,
    },
}

impl Mismatch {
    /// Its code, with what happened and what to do.
    pub(super) fn explained(&self) -> (Code, String) {
        match self {
            Self::Several(ids) => (
                Code::AmbiguousClient,
                format!(
                    "several live clients could be it: {}. Write `client_id` with the right one in \
                     the declaration",
                    listed(ids)
                ),
            ),
            Self::SeveralOwned(ids) => (
                Code::AmbiguousClient,
                format!(
                    "several live clients have its description, by which alone one of NAIS is known: \
                     {}. Give those that are not it another description in DigDir's self-service, \
                     inactive ones too",
                    listed(ids)
                ),
            ),
            Self::NoSuchId(id) => (
                Code::NoSuchClient,
                format!(
                    "the organisation has no client {id} in this environment: correct `client_id`, or \
                     leave it out to have the client made; ids differ between environments, so it \
                     may belong into `per_environment`"
                ),
            ),
            Self::OtherName { id, name: live } => (
                Code::ClientName,
                format!(
                    "the live client {id} is called '{live}': correct `client_id`, or if it is meant \
                     and to be renamed, write that name under `previous_name`"
                ),
            ),
            Self::OtherType { id, integration_type } => (
                Code::ClientType,
                format!(
                    "the live client {id} of this name is of the integration_type \
                     {integration_type}, which can never change: declare it as it is, give the new \
                     one another name, or first have the old one deactivated by a change of its own"
                ),
            ),
        }
    }
}

/// A live client and its id.
pub(super) type MatchedClient<'l> = (&'l ClientId, &'l LiveClient);

/// The live client that matches a declared one; `None` if it does not exist yet.
///
/// A pinned id decides, if that client has the name or the previous name: a wrong id must not turn another
/// client into this one. Otherwise name and integration type decide, among all clients, inactive ones
/// included; then the previous name and the integration type. A client of an application at NAIS is
/// recognised only by its description and integration type.
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
    let names = [Some(name), previous_name];
    let is_named =
        |client: &LiveClient| names.iter().flatten().any(|name| name.as_str() == client.name);
    if let Some(id) = id {
        let (id, client) =
            live.clients.get_key_value(id).ok_or_else(|| Mismatch::NoSuchId(id.clone()))?;
        return if !is_named(client) {
            Err(Mismatch::OtherName { id: id.clone(), name: client.name.clone() })
        } else if is_of(client, kind) {
            Ok(Some((id, client)))
        } else {
            Err(other_type(id, client))
        };
    }
    for name in names.into_iter().flatten() {
        if let Some(found) = named(name, kind, live)? {
            return Ok(Some(found));
        }
    }
    let mut others = live.clients.iter();
    match others.find(|(_, client)| client.active && is_named(client)) {
        Some((id, client)) => Err(other_type(id, client)),
        None => Ok(None),
    }
}

/// The live clients that an entry of `removed` names, by a pinned id, else by the name. A client that a
/// manifest declared before is found by the same rule as that manifest's client.
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

/// The live clients of an integration type that match an identity.
fn fitting<'l>(
    identity: &ClientIdentity,
    kind: IntegrationType,
    live: &'l Live,
) -> impl Iterator<Item = MatchedClient<'l>> {
    live.clients.iter().filter(move |(_, client)| {
        is_of(client, kind) && identity.fits(&client.name, client.description())
    })
}

/// The only live client with a name and integration type.
fn named<'l>(
    name: &ClientName,
    kind: IntegrationType,
    live: &'l Live,
) -> Result<Option<MatchedClient<'l>>, Mismatch> {
    let fits = |client: &LiveClient| client.name == name.as_str() && is_of(client, kind);
    only(live.clients.iter().filter(|(_, client)| fits(client)), Mismatch::Several)
}

/// The only one; `None` if there is none.
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
