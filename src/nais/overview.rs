//! Hand-over state of all declared or released entities.

use jiff::civil::Date;

use super::client::state_of_client;
use super::migration_state::{LiveSide, MigrationState, state_of_scope};
use domain::nais::Application;
use domain::{ClientId, ClientName, Desired, Entity, Live, LiveClient};

/// The state of all declared or released entities, the scopes first, except those of manifests. `before` is
/// the declarations at the last apply; the other parameters are as for [`state_of_scope`].
pub fn migration_states(
    desired: &Desired,
    before: Option<&Desired>,
    live: &Live,
    application: Option<&Application>,
    (prefix, today): (Option<&str>, Date),
) -> Vec<MigrationState> {
    let released = |entity: Entity, open: Option<LiveSide<'_>>| {
        let is_done = before.is_none_or(|before| !before.declares(&entity));
        desired.releases(&entity).then(|| MigrationState::released(entity, open, is_done))
    };
    let scopes = desired.scopes.iter().filter(|(_, scope)| !scope.in_manifest);
    let scopes =
        scopes.map(|(name, scope)| state_of_scope(name, scope, live, application, (prefix, today)));
    let released_scopes = desired.removed.keys().filter_map(|name| {
        let open = live.active_scope(name).map(LiveSide::of_scope);
        released(Entity::Scope(name.clone()), open)
    });
    let clients = desired.clients.iter().filter(|(_, client)| !client.identity.is_owned());
    let clients = clients.map(|(name, client)| state_of_client(name, client, live, application));
    let released_clients = desired.removed_clients.iter().filter_map(|(name, gone)| {
        released(Entity::Client(name.clone()), open_client(name, gone.id.as_ref(), live))
    });
    scopes.chain(released_scopes).chain(clients).chain(released_clients).collect()
}

/// The active client that an entry of `removed` names.
fn open_client<'l>(
    name: &ClientName,
    id: Option<&ClientId>,
    live: &'l Live,
) -> Option<LiveSide<'l>> {
    let is_it = |(other, client): &(&ClientId, &LiveClient)| match id {
        Some(id) => *other == id,
        None => client.name == name.as_str(),
    };
    let mut open = live.clients.iter().filter(is_it).filter(|(_, client)| client.active);
    Some(LiveSide::of_client(open.next()?, name))
}
