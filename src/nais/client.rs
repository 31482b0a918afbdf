//! Progress of a client's hand-over to an application.

use super::migration_state::{LiveSide, MigrationState, Sides};
use super::obstacles::{Obstacle, of_client};
use domain::nais::{Application, owner_of_client};
use domain::{ClientId, ClientName, DesiredClient, Entity, IntegrationType, Live, LiveClient};
use plan::{Mismatch, live_client};

/// Reason why a client that declares keys is not ready.
const HAS_KEYS: &str = "it declares `jwks`, and NAIS registers keys of its own: an apply after the deployment would \
     put the declared ones back, and stop the application";

/// Reason why a client without a pinned id is not ready.
const NOT_PINNED: &str = "no `client_id` pins it, and NAIS gives it another name: an apply after the deployment would \
     make a second one";

/// State of a declared client; `application` is the requested one, else the one that its description names,
/// declared or live.
pub fn state_of_client(
    name: &ClientName,
    declared: &DesiredClient,
    live: &Live,
    application: Option<&Application>,
) -> MigrationState {
    let Lookup { application, named, found, mut problems } = looked_up(declared, live, application);
    problems.extend(of_client(declared));
    let is_pinned = named.is_none() || declared.identity.pinned().is_some();
    let has_keys = declared.keys.is_some().then_some(HAS_KEYS);
    MigrationState::declared(Sides {
        entity: Entity::Client(name.clone()),
        application,
        declared: &declared.attributes.description,
        live: found.map(|found| LiveSide::of_client(found, name)),
        unready: has_keys.into_iter().chain((!is_pinned).then_some(NOT_PINNED)).collect(),
        problems,
    })
}

/// Result of looking up a declared client among the live ones.
struct Lookup<'l> {
    application: Option<Application>,
    /// The one with its name or its pinned id.
    named: Option<(&'l ClientId, &'l LiveClient)>,
    /// That one, or else the only one whose description names the application.
    found: Option<(&'l ClientId, &'l LiveClient)>,
    problems: Vec<Obstacle>,
}

fn looked_up<'l>(
    declared: &DesiredClient,
    live: &'l Live,
    application: Option<&Application>,
) -> Lookup<'l> {
    let mut problems = Vec::new();
    let matched = live_client(declared, live);
    let named = match &matched {
        Ok(found) => *found,
        // It is pinned, and has been renamed.
        Err(Mismatch::OtherName { id, .. }) => live.clients.get_key_value(id),
        Err(_) => None,
    };
    let live_owner = || owner_of_client(named?.1.description());
    let own_owner = || owner_of_client(&declared.attributes.description);
    let application = application.cloned().or_else(own_owner).or_else(live_owner);
    let is_of_application = |client: &LiveClient| {
        let kind = IntegrationType::Maskinporten.as_str();
        let description = client.description();
        let is_written = |it: &Application| it.is_written(description);
        client.integration_type == kind && application.as_ref().is_some_and(is_written)
    };
    if let Err(mismatch) = &matched
        && !named.is_some_and(|(_, client)| is_of_application(client))
    {
        problems.push(Obstacle::refused(unclear(mismatch)));
    }
    let mut others = live.clients.iter().filter(|(id, client)| {
        client.active && is_of_application(client) && Some(*id) != named.map(|it| it.0)
    });
    let other = others.next();
    if let (Some(_), Some((id, _))) = (named.or(others.next()), other) {
        problems.push(Obstacle::refused(format!(
            "the client {id} has the application's description too, and NAIS takes one of them: the \
             application was deployed too early, or has been there before. See which one it uses; the \
             other must get another description, or be deactivated"
        )));
    }
    // Without a pinned id, a renamed client is found only by its description.
    Lookup { found: named.or(other), application, named, problems }
}

fn unclear(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::Several(ids) | Mismatch::SeveralOwned(ids) => {
            let ids: Vec<_> = ids.iter().map(ClientId::as_str).collect();
            format!(
                "several live clients could be it: {}. Pin one with `client_id`",
                ids.join(", ")
            )
        }
        Mismatch::NoSuchId(id) => format!("it is pinned to {id}, which does not exist"),
        Mismatch::OtherName { id, name } => {
            format!("it is pinned to {id}, which is called '{name}'")
        }
        Mismatch::OtherType { id, integration_type } => {
            format!("it is live as a client of {integration_type} ({id}), which can never change")
        }
    }
}
