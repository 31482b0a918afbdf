//! What is declared, by the application that it is handed over to.

use std::collections::BTreeMap;

use domain::nais::{Application, Entity, owner_of_client, owner_of_scope};
use domain::{ClientName, Desired, DesiredClient, DesiredScope, ScopeName};

/// An application and what is handed over to it.
#[derive(Debug, Clone)]
pub struct Group<'d> {
    /// The application.
    pub application: Application,
    /// Whether only a scope's description tells it, which has lost its dashes.
    pub is_joined: bool,
    /// Its clients: it can have one.
    pub clients: Vec<(&'d ClientName, &'d DesiredClient)>,
    /// Its scopes.
    pub scopes: Vec<(&'d ScopeName, &'d DesiredScope)>,
}

impl Group<'_> {
    /// An application without anything yet.
    pub fn new(application: Application) -> Self {
        Self { application, is_joined: false, clients: Vec::new(), scopes: Vec::new() }
    }
}

/// What is declared and chosen, by the applications that the descriptions tell.
pub fn by_descriptions<'d>(
    desired: &'d Desired,
    is_chosen: &dyn Fn(&Entity) -> bool,
) -> Vec<Group<'d>> {
    // Without their dashes, the same application is the same however it is told.
    let mut groups: BTreeMap<Application, Group<'d>> = BTreeMap::new();
    for (name, client) in &desired.clients {
        let Some(application) = owner_of_client(&client.attributes.description) else { continue };
        if is_chosen(&Entity::Client(name.clone())) {
            let group = groups.entry(application.joined());
            group.or_insert_with(|| Group::new(application)).clients.push((name, client));
        }
    }
    for (name, scope) in &desired.scopes {
        let owner = owner_of_scope(&scope.attributes.description, name.subscope());
        let Some(application) = owner else { continue };
        if is_chosen(&Entity::Scope(name.clone())) {
            let is_joined = application == application.joined();
            let new = || Group { is_joined, ..Group::new(application.clone()) };
            let group = groups.entry(application.joined()).or_insert_with(new);
            if group.is_joined && !is_joined {
                (group.application, group.is_joined) = (application, false);
            }
            group.scopes.push((name, scope));
        }
    }
    groups.into_values().collect()
}
