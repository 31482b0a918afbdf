//! Editing what is handed over to NAIS: its description, and in the end its declaration.

use serde_yaml::Value;

use super::{CannotEdit, Edited, LAST, NAME};
use crate::declare::diagnostic::span::Span;
use crate::declare::read::declared::{Client, Scope};
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::silences::MARK;
use crate::declare::repository::Repository;
use crate::declare::yaml::edit::{CHANGED, Editor, Hindrance, Route, edited};
use crate::yaml::{Yaml, scalar};
use domain::ClientId;
use domain::nais::Entity;

/// What a declaration is to say from now on.
#[derive(Debug, Clone)]
pub struct Handed<'a> {
    /// Its description, which tells the application.
    pub description: &'a str,
    /// The live client that it is, to be pinned.
    pub client_id: Option<&'a ClientId>,
}

/// What takes the place of a declaration.
#[derive(Debug, Clone)]
pub struct Release<'a> {
    /// Why it is released.
    pub reason: &'a str,
    /// The live client that it is, where its name does not tell.
    pub client_id: Option<&'a ClientId>,
}

/// Where something is declared.
struct Found<'r> {
    file: &'r str,
    name: Span,
    environments: EnvironmentSet,
    /// Its environment alone.
    here: EnvironmentSet,
    /// Whether another entry, declared or removed, has the same name.
    is_elsewhere: bool,
    /// Which of the keys stand in what differs in the environment.
    own: Vec<&'static str>,
    /// Whether it has keys, in what differs here and in what does not.
    keys: [bool; 2],
    /// The environments in which what does not differ gives the keys.
    common_keys: EnvironmentSet,
}

impl Repository {
    /// The file that declares a scope or a client, with a description that tells the application that
    /// it is handed over to, with the client's id, and without its keys: those are the application's
    /// from then on. In one of several environments, the description stands under
    /// `per_environment`. What is declared besides, and every comment, stays as it is. Nothing is
    /// written.
    ///
    /// # Errors
    /// That cannot be done safely.
    pub fn described(
        &self,
        environment: &str,
        entity: &Entity,
        handed: &Handed<'_>,
    ) -> Result<Edited, CannotEdit> {
        let Handed { description, client_id } = handed;
        let wanted = format!(
            "By hand: write `{}` as the description of {entity} in {environment}{}",
            scalar(description, true),
            if matches!(entity, Entity::Client(_)) { ", and take its `jwks` out" } else { "" },
        );
        self.edit_entity(environment, entity, wanted, |found, item, text| {
            let several = !self.others(found).is_empty();
            let set = |text: &str, key: &'static str, value: &str| {
                let (behind, path) = match several || found.own.contains(&key) {
                    true => (LAST, vec!["per_environment", environment, key]),
                    false => (NAME, vec![key]),
                };
                edited(text, |it| it.set(item, behind, &path, &Yaml::text(value)))
            };
            let mut text = set(text, "description", description)?;
            if let Some(id) = client_id {
                text = set(&text, "client_id", id.as_str())?;
            }
            let [own, common] = found.keys;
            if own {
                let keys = item.key("per_environment").key(environment).key("jwks");
                text = edited(&text, |it| it.remove(&keys, MARK))?;
            }
            if common && found.common_keys.without(found.here).is_empty() {
                text = edited(&text, |it| it.remove(&item.key("jwks"), MARK))?;
            } else if common {
                return Err(
                    "its `jwks` stands for other environments too, and has to be put into \
                            their `per_environment` first",
                );
            }
            Ok(text)
        })
    }

    /// The file that declares a scope or a client, with an entry of `removed` that releases it in the
    /// environment in the place of its declaration; in others it stays declared. Nothing is written.
    ///
    /// # Errors
    /// That cannot be done safely.
    pub fn released(
        &self,
        environment: &str,
        entity: &Entity,
        release: &Release<'_>,
    ) -> Result<Edited, CannotEdit> {
        let wanted = format!(
            "By hand: take {entity} out, and write it under `removed` with `action: release`, both in \
             one change"
        );
        self.edit_entity(environment, entity, wanted, |found, item, text| {
            let others = self.others(found);
            let mut entry = vec![match entity {
                Entity::Scope(name) => ("scope", Yaml::text(name.to_string())),
                Entity::Client(name) => ("client", Yaml::text(name.to_string())),
            }];
            entry.extend(release.client_id.map(|id| ("client_id", Yaml::text(id.to_string()))));
            entry.push(("action", Yaml::text("release")));
            entry.push(("reason", Yaml::text(release.reason)));
            if !others.is_empty() || found.is_elsewhere {
                entry.push(("environments", Yaml::List(vec![Yaml::text(environment)])));
            }
            let entry = entry.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            let text =
                edited(text, |it| it.append(&item.root(), LAST, "removed", &Yaml::Map(entry)))?;
            match others.is_empty() {
                true => edited(&text, |it| it.remove(item, MARK)),
                false => leave(&text, item, environment, &others),
            }
        })
    }

    /// Whether a manifest of NAIS declares it.
    pub fn in_manifest(&self, environment: &str, entity: &Entity) -> bool {
        let Some(here) = self.settings().environment_names.set(environment) else { return false };
        match entity {
            Entity::Scope(name) => {
                let mut scopes = self.declared().scopes.iter();
                scopes.any(|scope| {
                    scope.name == *name && scope.environments.overlaps(here) && scope.in_manifest
                })
            }
            Entity::Client(name) => {
                self.client(environment, name).is_some_and(|(client, _)| client.manifest.is_some())
            }
        }
    }

    /// The cluster and the namespace at NAIS that portvakt.yaml names for an environment.
    pub fn usual_at_nais(&self, environment: &str) -> (Option<&str>, Option<&str>) {
        let set = self.settings().environment_names.set(environment);
        let nais = &self.settings().nais;
        (set.and_then(|set| nais.cluster(set)), nais.namespace())
    }

    /// The prefix of the scopes that manifests expose, as far as portvakt.yaml tells it.
    pub fn prefix_at_nais(&self) -> Option<&str> {
        self.settings().nais.known_prefix(&self.settings().prefixes)
    }

    /// The other environments that have it.
    fn others(&self, found: &Found<'_>) -> Vec<&str> {
        let others = found.environments.without(found.here);
        let names = &self.settings().environment_names;
        names
            .iter()
            .filter(|name| names.set(name).is_some_and(|set| set.overlaps(others)))
            .collect()
    }

    fn edit_entity(
        &self,
        environment: &str,
        entity: &Entity,
        wanted: String,
        edit: impl FnOnce(&Found<'_>, &Route, &str) -> Result<String, Hindrance>,
    ) -> Result<Edited, CannotEdit> {
        let Some(found) = self.found(environment, entity) else {
            return Err(CannotEdit::new("the YAML", "it declares no such thing", wanted));
        };
        if self.in_manifest(environment, entity) {
            return Err(CannotEdit::new(found.file, "it is a manifest of NAIS", wanted));
        }
        self.edit_file(found.file, wanted, |text| {
            let item = Editor::new(text)?.holder(found.name).ok_or(CHANGED)?;
            edit(&found, &item, text)
        })
    }

    fn found(&self, environment: &str, entity: &Entity) -> Option<Found<'_>> {
        let here = self.settings().environment_names.set(environment)?;
        match entity {
            Entity::Scope(name) => {
                let own = |scope: &&Scope| scope.name == *name;
                let mut scopes = self.declared().scopes.iter().filter(own);
                let scope = scopes.clone().find(|scope| scope.environments.overlaps(here))?;
                let described =
                    scope.override_in(here).is_some_and(|own| own.description.is_some());
                let mut removed = self.declared().removed.iter();
                Some(Found {
                    file: &scope.place.file,
                    name: scope.place.span,
                    environments: scope.environments,
                    here,
                    is_elsewhere: scopes.nth(1).is_some()
                        || removed.any(|removed| removed.scope == *name),
                    own: if described { vec!["description"] } else { Vec::new() },
                    keys: [false; 2],
                    common_keys: EnvironmentSet::NONE,
                })
            }
            Entity::Client(name) => {
                let own = |client: &&Client| client.name == *name;
                let mut clients = self.declared().clients.iter().filter(own);
                let client = clients.clone().find(|client| client.environments.overlaps(here))?;
                let part = client.overrides.iter().find(|own| own.environment == here);
                let part = part.map(|own| &own.part);
                let given = [
                    ("description", part.is_some_and(|part| part.description.is_some())),
                    ("client_id", part.is_some_and(|part| part.id.is_some())),
                ];
                let with_keys = client.overrides.iter().filter(|own| own.part.keys.is_some());
                let with_keys = with_keys.map(|own| own.environment);
                let names = &self.settings().environment_names;
                let all = names.iter().filter_map(|name| names.set(name));
                let all = all.fold(EnvironmentSet::NONE, EnvironmentSet::or);
                let mut removed = self.declared().removed_clients.iter();
                Some(Found {
                    file: &client.place.file,
                    name: client.place.span,
                    environments: client.environments,
                    here,
                    is_elsewhere: clients.nth(1).is_some()
                        || removed.any(|removed| removed.name == *name),
                    own: given.into_iter().filter_map(|(key, is)| is.then_some(key)).collect(),
                    keys: [
                        part.is_some_and(|part| part.keys.is_some()),
                        client.part.keys.is_some(),
                    ],
                    common_keys: with_keys
                        .fold(client.environments.and(all), EnvironmentSet::without),
                })
            }
        }
    }
}

/// The text with an item left to the other environments.
fn leave(
    text: &str,
    item: &Route,
    environment: &str,
    others: &[&str],
) -> Result<String, Hindrance> {
    let environments = item.key("environments");
    let text = edited(text, |it| {
        let Some(named) = it.value(&environments).and_then(Value::as_sequence) else {
            let others = Yaml::List(others.iter().copied().map(Yaml::text).collect());
            return it.set(item, NAME, &["environments"], &others);
        };
        let named = named.iter().enumerate();
        let gone = named.filter(|(_, name)| name.as_str() == Some(environment));
        let gone: Vec<usize> = gone.map(|(index, _)| index).collect();
        it.remove_items(&environments, &gone, MARK)
    })?;
    let own = item.key("per_environment").key(environment);
    edited(&text, |it| match it.value(&own) {
        Some(_) => it.remove(&own, MARK),
        None => Ok(()),
    })
}
