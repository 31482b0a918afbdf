//! The contents of a repository, for code that adds declarations to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::declare::diagnostic::Diagnostic;
use crate::declare::files;
use crate::declare::files::key_files;
use crate::declare::read::attributes::{ClientLayer, ScopeLayer};
use crate::declare::read::declared::{Declared, DeclaredClient};
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::repository::Repository;
use crate::declare::repository::load::settings_bytes;
use crate::declare::yaml::table::{Read, read_text};
use domain::{
    Attribute, CLIENT, ClientAttributes, ClientName, ConsumedScope, Entity, IntegrationType,
    LiveClient, Orgno, Representation, SCOPE, ScopeAttributes, ScopeName,
};
use yaml::Yaml;

/// The YAML of a repository, with its edits.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// The content of portvakt.yaml.
    pub settings: Vec<u8>,
    /// The files with declarations, each by its path in the repository.
    pub yaml: Vec<(Arc<str>, Vec<u8>)>,
}

/// How much a repository declares, in whichever environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeclaredCounts {
    /// The scopes.
    pub scopes: usize,
    /// The clients.
    pub clients: usize,
    /// The files that declare them.
    pub files: usize,
}

/// Reads the YAML of a repository, as [`super::load`] does.
///
/// # Errors
/// The findings about files that cannot be read.
pub fn read_files(repository: &Repository) -> Result<Files, Vec<Diagnostic>> {
    let (root, index, edited) = (repository.root(), repository.index(), repository.edited());
    let filter = &repository.settings().filter;
    let settings = settings_bytes(root, index, edited)?;
    let (listed, refused) = files::list(root, filter, index, edited);
    if refused.iter().any(Diagnostic::is_error) {
        return Err(refused);
    }
    let yaml = listed.into_iter().map(files::read).collect::<Result<_, _>>();
    Ok(Files { settings, yaml: yaml.map_err(|error| vec![*error])? })
}

/// Whether a text can be the name of an alias or a group.
pub fn is_alias(name: &str) -> bool {
    crate::declare::read::environments::is_name(name)
        && crate::declare::yaml::suggestions::orgno(name).is_none()
}

impl Repository {
    /// How much it declares.
    pub fn declared_counts(&self) -> DeclaredCounts {
        let Declared { scopes, clients, .. } = self.declared();
        let names: BTreeSet<_> = scopes.iter().map(|scope| &scope.name).collect();
        let clients_by_name: BTreeSet<_> = clients.iter().map(|client| &client.name).collect();
        let files = scopes.iter().map(|scope| &scope.place.file);
        let files: BTreeSet<_> = files.chain(clients.iter().map(|it| &it.place.file)).collect();
        DeclaredCounts { scopes: names.len(), clients: clients_by_name.len(), files: files.len() }
    }

    /// A file with public keys, by its path in the repository; `None` where it cannot be read.
    pub fn key_file(&self, path: &str) -> Option<Vec<u8>> {
        files::read_inside(self.root(), path, key_files::LARGEST, self.index()).ok()
    }

    /// Whether there is something at a path in the repository, if only in git.
    pub fn has_file(&self, path: &str) -> bool {
        self.root().join(path).symlink_metadata().is_ok() || self.index().is_sparse(path)
    }

    /// The organisation; `None` only where its number is wrong.
    pub fn organization(&self) -> Option<Orgno> {
        self.settings().organization
    }

    /// The attributes of a scope that is declared with these, under DigDir's names: the first that gives one
    /// decides, then the repository's defaults, then the tool's. `None` where one cannot be declared.
    pub fn scope_attributes(&self, input: &[&Representation]) -> Option<ScopeAttributes> {
        let description = first(input, &SCOPE.description).and_then(Value::as_str);
        let layers = layers::<ScopeLayer>(input, &[&SCOPE.description])?;
        let layers: Vec<_> = layers.iter().chain([&self.settings().scope_defaults]).collect();
        Some(ScopeLayer::resolve(description.unwrap_or_default(), &layers))
    }

    /// The same of a client of that kind.
    pub fn client_attributes(
        &self,
        kind: IntegrationType,
        input: &[&Representation],
    ) -> Option<ClientAttributes> {
        let description = first(input, &CLIENT.description).and_then(Value::as_str);
        let scopes = first(input, &CLIENT.scopes).map(|scopes| {
            serde_json::from_value::<Vec<ConsumedScope>>(scopes.clone()).unwrap_or_default()
        });
        let layers = layers::<ClientLayer>(input, &[&CLIENT.description, &CLIENT.scopes])?;
        let layers: Vec<_> = layers.iter().chain([&self.settings().client_defaults]).collect();
        Some(ClientLayer::resolve(kind, description, scopes, &layers))
    }

    /// Whether the repository's defaults of scopes give an attribute.
    pub fn has_scope_default(&self, attribute: &str) -> bool {
        self.settings().scope_default_spans.of(attribute).is_some()
    }

    /// The same for clients.
    pub fn has_client_default(&self, attribute: &str) -> bool {
        self.settings().client_default_spans.of(attribute).is_some()
    }

    /// Whether a scope is declared in an environment, or in any if none is named.
    pub fn has_scope(&self, name: &ScopeName, environment: Option<&str>) -> bool {
        let set = self.set_of(environment);
        let mut scopes = self.declared().scopes.iter();
        scopes.any(|scope| scope.name == *name && scope.environments.overlaps(set))
    }

    /// The names of all declared scopes, in order.
    pub fn scope_names(&self) -> BTreeSet<&ScopeName> {
        self.declared().scopes.iter().map(|scope| &scope.name).collect()
    }

    /// The declared clients that consume a scope in some environment, each with its file and line.
    pub fn clients_that_consume(&self, scope: &ScopeName) -> BTreeMap<&ClientName, (&str, usize)> {
        let consumes = |client: &&DeclaredClient| {
            let DeclaredClient { part, overrides, manifest, .. } = client;
            let parts = overrides.iter().map(|own| &own.part).chain([part]);
            let own = parts.filter_map(|part| part.scopes.as_ref()).flatten();
            let of_manifest = manifest.iter().flat_map(|manifest| &manifest.attributes.scopes);
            own.chain(of_manifest).any(|consumed| consumed.as_str() == scope.as_str())
        };
        let clients = self.declared().clients.iter().filter(consumes);
        clients.map(|it| (&it.name, (&*it.place.file, it.place.line()))).collect()
    }

    /// Whether a client of that name is declared in an environment, or in any if none is named. Its name
    /// before it was renamed is its name too.
    pub fn has_client(&self, name: &str, environment: Option<&str>) -> bool {
        let set = self.set_of(environment);
        self.declared().clients.iter().any(|client| {
            let previous = client.previous_name.as_ref().map(|(name, _)| name.as_str());
            (client.name.as_str() == name || previous == Some(name))
                && client.environments.overlaps(set)
        })
    }

    /// Whether a manifest of NAIS in an environment declares the client that is live there.
    pub fn has_owner(&self, live: &LiveClient, environment: &str) -> bool {
        self.clients(environment).any(|(client, _)| {
            client.integration_type.as_str() == live.integration_type
                && client
                    .manifest
                    .as_ref()
                    .is_some_and(|manifest| manifest.application.is_written(live.description()))
        })
    }

    /// Whether `removed` names a scope in an environment.
    pub fn removes_scope(&self, name: &ScopeName, environment: &str) -> bool {
        let set = self.set_of(Some(environment));
        let mut removed = self.declared().removed.iter();
        removed.any(|removed| removed.scope == *name && removed.environments.overlaps(set))
    }

    /// Whether `removed` names a client in an environment.
    pub fn removes_client(&self, name: &str, environment: &str) -> bool {
        let set = self.set_of(Some(environment));
        let mut removed = self.declared().removed_clients.iter();
        removed.any(|removed| removed.name.as_str() == name && removed.environments.overlaps(set))
    }

    /// The aliases that count in an environment, with the names and numbers of their organisations.
    pub fn aliases(&self, environment: &str) -> impl Iterator<Item = (&str, Option<&str>, Orgno)> {
        let set = self.set_of(Some(environment));
        let aliases = self.declared().aliases.iter();
        let here = aliases.filter(move |alias| alias.environments.overlaps(set));
        here.map(|alias| (alias.alias.as_str(), alias.name.as_deref(), alias.orgno))
    }

    /// The names of the clients that are declared, in whatever environment.
    pub fn client_names(&self) -> impl Iterator<Item = &str> {
        self.declared().clients.iter().map(|client| client.name.as_str())
    }

    /// The names that manifests give organisations, for readers.
    pub fn labels(&self) -> BTreeMap<Orgno, String> {
        let labels = self.declared().labels.iter().rev();
        labels.map(|label| (label.orgno, label.name.clone())).collect()
    }

    /// The groups, and who is in them in an environment.
    pub fn groups(&self, environment: &str) -> Vec<(&str, BTreeSet<Orgno>)> {
        let Some(here) = self.here(environment) else { return Vec::new() };
        let groups = self.declared().groups.iter();
        let members = groups.map(|group| {
            let members = group.members.iter().flat_map(|(who, _)| here.named(who).iter().copied());
            (group.name.as_str(), members.collect())
        });
        members.collect()
    }

    /// The names that aliases and groups have, in whatever environment.
    pub fn consumer_names(&self) -> BTreeSet<&str> {
        let declared = self.declared();
        let aliases = declared.aliases.iter().map(|alias| alias.alias.as_str());
        let groups = declared.groups.iter().map(|group| group.name.as_str());
        aliases.chain(groups).chain(declared.broken.iter().map(String::as_str)).collect()
    }

    /// Whether the repository has teams.
    pub fn has_teams(&self) -> bool {
        !self.settings().teams.is_empty()
    }

    /// The folder of the team in whose file of that name a scope or a client may be declared.
    pub fn team_folder(&self, entity: &Entity, file: &str) -> Option<&str> {
        self.settings().teams.folder(file, entity)
    }

    /// The cluster and the namespace at NAIS that portvakt.yaml names for an environment.
    pub fn usual_at_nais(&self, environment: &str) -> (Option<&str>, Option<&str>) {
        let set = self.settings().environment_names.set(environment);
        let nais = &self.settings().nais;
        (set.and_then(|set| nais.cluster(set)), nais.namespace.as_deref())
    }

    /// The prefix of the scopes that manifests expose, if portvakt.yaml gives it.
    pub fn prefix_at_nais(&self) -> Option<&str> {
        self.settings().nais.known_prefix(&self.settings().prefixes)
    }

    pub(super) fn set_of(&self, environment: Option<&str>) -> EnvironmentSet {
        match environment {
            None => EnvironmentSet::ALL,
            Some(name) => {
                let set = self.settings().environment_names.set(name);
                set.unwrap_or(EnvironmentSet::NONE)
            }
        }
    }
}

fn first<'r>(input: &[&'r Representation], attribute: &Attribute) -> Option<&'r Value> {
    input.iter().find_map(|input| attribute.of(input))
}

fn layers<T: for<'d> Read<'d>>(input: &[&Representation], others: &[&Attribute]) -> Option<Vec<T>> {
    let layer = |input: &&Representation| {
        let mut layer = (*input).clone();
        others.iter().for_each(|other| drop(layer.remove(other.name)));
        read_text(&Yaml::from(&Value::Object(layer)).flow()?)
    };
    input.iter().map(layer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_of_an_attribute_can_be_read() {
        for c in
            ['\0', '\u{7F}', '\u{85}', '\u{9F}', '\u{2028}', '\u{FEFF}', '\u{FFFE}', '\u{1F600}']
        {
            let input = serde_json::json!({ "long_description": format!("a{c}b") });
            let read = layers::<ScopeLayer>(&[input.as_object().unwrap()], &[]);
            let layer = read.and_then(|mut layers| layers.pop());
            let text = layer.and_then(|layer| ScopeLayer::resolve("", &[&layer]).long_description);
            assert_eq!(text.as_deref(), Some(&*format!("a{c}b")), "{c:?}");
        }
    }
}
