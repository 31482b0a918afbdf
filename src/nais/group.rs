//! Declared entities, grouped by the application that receives them.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::manifest::Manifest;
use super::obstacles::{Obstacle, of_client, of_scope};
use domain::nais::{Application, owner_of_client, owner_of_scope};
use domain::{ClientName, Desired, DesiredClient, DesiredScope, Entity, ScopeName};

/// An application and the entities that are handed over to it.
#[derive(Debug, Clone)]
pub struct Group<'d> {
    /// The application.
    pub application: Application,
    /// Whether only the description of a scope names it, in which the dashes are missing.
    pub is_joined: bool,
    /// Its clients: only one is allowed.
    pub clients: Vec<(&'d ClientName, &'d DesiredClient)>,
    /// Its scopes.
    pub scopes: Vec<(&'d ScopeName, &'d DesiredScope)>,
}

impl<'d> Group<'d> {
    /// An application without entities.
    fn new(application: Application) -> Self {
        Self { application, is_joined: false, clients: Vec::new(), scopes: Vec::new() }
    }

    /// The chosen entities, regardless of their descriptions.
    pub fn chosen(
        application: Application,
        desired: &'d Desired,
        is_chosen: &dyn Fn(&Entity) -> bool,
    ) -> Self {
        let mut group = Self::new(application);
        let clients = desired.clients.iter();
        group.clients.extend(clients.filter(|it| is_chosen(&Entity::Client(it.0.clone()))));
        let scopes = desired.scopes.iter();
        group.scopes.extend(scopes.filter(|it| is_chosen(&Entity::Scope(it.0.clone()))));
        group
    }

    /// Whether it has a scope or a client.
    pub fn has(&self, entity: &Entity) -> bool {
        match entity {
            Entity::Scope(name) => self.scopes.iter().any(|(own, _)| *own == name),
            Entity::Client(name) => self.clients.iter().any(|(own, _)| *own == name),
        }
    }

    /// Attributes that no manifest can carry. `prefix` and `today` are as for [`of_scope`].
    pub fn obstacles(&self, prefix: Option<&str>, today: Date) -> Vec<(Entity, Obstacle)> {
        let mut found = Vec::new();
        for (name, client) in &self.clients {
            let entity = Entity::Client((*name).clone());
            found.extend(of_client(client).into_iter().map(|obstacle| (entity.clone(), obstacle)));
            if self.clients.len() > 1 {
                let several = Obstacle::refused(format!(
                    "{} can have one client at NAIS, and has several",
                    self.application
                ));
                found.push((entity, several));
            }
        }
        for (name, scope) in &self.scopes {
            let entity = Entity::Scope((*name).clone());
            let of_scope = of_scope(name, scope, prefix, today);
            found.extend(of_scope.into_iter().map(|obstacle| (entity.clone(), obstacle)));
        }
        found
    }

    /// Its manifest, as YAML: with the names of organisations in `desired`, and without those that it blocks.
    /// `today` is as for [`Manifest`].
    pub fn manifest(&self, desired: &Desired, today: Date) -> String {
        let Self { application, is_joined: _, clients, scopes } = self;
        let client = clients.first().map(|(_, client)| *client);
        let Desired { names, labels, blocks, .. } = desired;
        let names = &labels.clone().into_iter().chain(names.clone()).collect();
        Manifest { application, client, scopes: scopes.clone(), names, blocks, today }.yaml()
    }
}

/// The chosen entities, grouped by the applications that their descriptions name.
pub fn by_descriptions<'d>(
    desired: &'d Desired,
    is_chosen: &dyn Fn(&Entity) -> bool,
) -> Vec<Group<'d>> {
    // Without dashes, an application is the same in each form of description.
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
