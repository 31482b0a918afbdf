//! The declared client that a command names, and its live counterpart.

use std::path::Path;

use jiff::Timestamp;

use super::failure::Failure;
use super::files::shown;
use super::opened::Opened;
use super::read::read_secret;
use crate::declare::did_you_mean;
use digdir::{ApplicationKey, ClientNeeds, Credentials, Needs, Reader, Which};
use domain::secret;
use domain::text::printable;
use domain::{
    ClientId, ClientName, DesiredClient, GrantType, Kid, Live, LiveClient, SigningAlgorithm,
};
use plan::{Mismatch, live_client};

/// The declared client of a name.
pub(crate) fn declared<'s>(
    opened: &'s Opened,
    name: &str,
) -> Result<(&'s ClientName, &'s DesiredClient), Failure> {
    let clients = &opened.desired.clients;
    if let Some(found) = clients.iter().find(|(known, _)| known.as_str() == name) {
        return Ok(found);
    }
    Err(not_declared(opened, "client", name, clients.keys().map(ClientName::as_str)))
}

/// Largest number of names that are listed; more are counted.
const LISTED: usize = 10;

/// The error that nothing of a kind is declared by a name; `known` are the declared names.
pub(crate) fn not_declared<'n>(
    opened: &Opened,
    kind: &str,
    name: &str,
    known: impl Iterator<Item = &'n str> + Clone,
) -> Failure {
    let near = did_you_mean(name, known.clone());
    let listed: Vec<&str> = known.collect();
    let known = match listed.len() {
        0 => "none is declared there".to_owned(),
        1..=LISTED => format!("declared are {}", listed.join(", ")),
        count => format!("{count} are declared there"),
    };
    Failure::Usage(format!(
        "no {kind} '{}' is declared for {}; {near}{known}",
        printable(name),
        opened.desired.environment
    ))
}

/// The live state of the declared clients, with their keys.
pub(crate) async fn read(opened: &Opened, reader: &Reader) -> Result<Live, Failure> {
    let clients = opened.needs().clients;
    let clients = clients.map(|needs| ClientNeeds { consumed: Which::default(), ..needs });
    let needs = Needs { clients, ..Needs::default() };
    Ok(reader.live(&needs, &|_| {}).await?)
}

/// The live client of a declared one, active or not; `None` if it does not exist yet.
pub(crate) fn found<'l>(
    name: &ClientName,
    declared: &DesiredClient,
    live: &'l Live,
) -> Result<Option<(&'l ClientId, &'l LiveClient)>, Failure> {
    let failed = |why: String| Failure::Failed(format!("the client '{name}' {why}"));
    live_client(declared, live).map_err(|mismatch| match mismatch {
        Mismatch::Several(ids) => {
            let ids: Vec<_> = ids.iter().map(ClientId::as_str).collect();
            failed(format!("could be several: {}. Pin one with `client_id`", ids.join(", ")))
        }
        Mismatch::SeveralOwned(ids) => {
            let ids: Vec<_> = ids.iter().map(ClientId::as_str).collect();
            failed(format!("could be several of its description: {}", ids.join(", ")))
        }
        Mismatch::NoSuchId(id) => failed(format!("is pinned to {id}, which does not exist")),
        Mismatch::OtherName { id, name: live } => {
            failed(format!("is pinned to {id}, which is called '{live}'"))
        }
        Mismatch::OtherType { id, integration_type } => {
            failed(format!("({id}) is live as one of {integration_type}"))
        }
    })
}

/// The live client of a declared one, which must be active.
pub(crate) fn live<'l>(
    name: &ClientName,
    declared: &DesiredClient,
    live: &'l Live,
) -> Result<(&'l ClientId, &'l LiveClient), Failure> {
    let failed = |why: String| Err(Failure::Failed(format!("the client '{name}' {why}")));
    match found(name, declared, live)? {
        Some((id, client)) if client.active => Ok((id, client)),
        Some((id, _)) => failed(format!("({id}) is inactive: apply its declaration first")),
        None => failed("is not live: apply its declaration first".to_owned()),
    }
}

/// Returns an error unless the client gets its tokens by grants that it signs.
pub(crate) fn signs_grants(name: &ClientName, declared: &DesiredClient) -> Result<(), Failure> {
    let grants = declared.attributes.grant_types.as_ref();
    if grants.is_some_and(|grants| grants.contains(&GrantType::JwtBearer)) {
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "the client '{name}' is one of {}: only clients with the JWT grant get tokens at \
         Maskinporten by a key",
        declared.attributes.integration_type.as_str()
    )))
}

/// A private key from a file, with the id and algorithm of its registration on a live client.
pub(crate) struct RegisteredKey {
    pub(crate) key: ApplicationKey,
    pub(crate) kid: Kid,
    pub(crate) alg: SigningAlgorithm,
    /// The time of its registration.
    pub(crate) registered: Option<Timestamp>,
}

/// The credentials of an application's client of an id, with a private key that carries the id of its
/// registration.
pub(crate) fn credentials(id: &ClientId, file: &Path) -> Result<(Credentials, Kid), Failure> {
    let failed = |why: String| unusable_key(file, &why);
    let key = application_key(file)?;
    let Some(kid) = key.kid() else {
        return Err(failed(
            "it does not say under which kid it is registered, as PEM never does: name the file of a JWK \
             that has its kid, as `keys generate` and `credentials` write it"
                .to_owned(),
        ));
    };
    let kid: Kid = kid.parse().map_err(|reason| failed(format!("its kid: {reason}")))?;
    let alg = SigningAlgorithm::default();
    Ok((Credentials::from_application_key(id, &key, &kid, alg), kid))
}

/// Reads an application's private key and finds it among the client's.
pub(crate) fn registered_key(
    file: &Path,
    name: &ClientName,
    live: &LiveClient,
) -> Result<RegisteredKey, Failure> {
    let failed = |why: String| unusable_key(file, &why);
    let key = application_key(file)?;
    let keys = live.keys.as_deref().unwrap_or_default();
    let Some(found) = keys.iter().find(|live| live.modulus == key.modulus()) else {
        let kids: Vec<_> = keys.iter().map(|key| key.kid.as_str()).collect();
        let kids = match kids.is_empty() {
            true => "it has none".to_owned(),
            false => format!("it has {}", kids.join(", ")),
        };
        return Err(failed(format!(
            "it is not registered on the client '{name}' ({kids}). Declare its public half and \
             apply, or name the file of a registered key"
        )));
    };
    let kid = found.kid.parse().map_err(|reason| failed(format!("its live kid: {reason}")))?;
    let alg = found.representation.get("alg").cloned().unwrap_or_default();
    let alg = serde_json::from_value(alg).unwrap_or_default();
    Ok(RegisteredKey { key, kid, alg, registered: found.created })
}

fn application_key(file: &Path) -> Result<ApplicationKey, Failure> {
    let text = read_secret(file).map_err(|why| unusable_key(file, &format!("it {why}")))?;
    secret::note(&text);
    ApplicationKey::read(&text).map_err(|error| unusable_key(file, &error.to_string()))
}

fn unusable_key(file: &Path, why: &str) -> Failure {
    Failure::Failed(format!("the key in {}: {why}", shown(file)))
}
