//! Layout of declarations over files.

use std::collections::BTreeSet;

use super::found::Found;
use super::{Input, slug};
use crate::declare::SETTINGS_FILE;
use domain::{ClientName, Entity, ScopeName};

/// Layout of declarations over files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// All in `maskinporten.yaml`.
    Single,
    /// A file for the scopes of each prefix, and `clients.yaml`.
    ByPrefix,
    /// A file for the scopes of each product, in the folder of its prefix, with the clients of the namespace
    /// of that name.
    ByProduct,
    /// `scopes.yaml` and `clients.yaml` in the folder of each team; entities without a team by product.
    ByTeam,
}

/// The files of a layout.
pub(super) struct FilePlaces<'i> {
    input: Input<'i>,
    /// The products that scopes have, each with its file.
    products: BTreeSet<(String, String)>,
}

impl<'i> FilePlaces<'i> {
    pub(super) fn new(found: &Found<'_>, input: &Input<'i>) -> Self {
        let products = found.scopes.keys().filter_map(|name| {
            let product = product(name)?;
            Some((product, by_product(name)))
        });
        Self { input: *input, products: products.collect() }
    }

    /// The file of the aliases and groups.
    pub(super) fn of_consumers(&self) -> String {
        match self.input.layout {
            Layout::Single => self.below("maskinporten.yaml"),
            Layout::ByPrefix | Layout::ByProduct | Layout::ByTeam => self.below("consumers.yaml"),
        }
    }

    /// The file of a scope.
    pub(super) fn of_scope(&self, name: &ScopeName) -> String {
        match self.input.layout {
            Layout::Single => self.below("maskinporten.yaml"),
            Layout::ByPrefix => self.below(&by_prefix(name)),
            Layout::ByProduct => self.below(&by_product(name)),
            Layout::ByTeam => self
                .by_team(&Entity::Scope(name.clone()), "scopes.yaml")
                .unwrap_or_else(|| self.below(&by_product(name))),
        }
    }

    /// The file of a client.
    pub(super) fn of_client(&self, name: &ClientName) -> String {
        match self.input.layout {
            Layout::Single => self.below("maskinporten.yaml"),
            Layout::ByPrefix => self.below("clients.yaml"),
            Layout::ByProduct => self.below(&self.by_namespace(name)),
            Layout::ByTeam => self
                .by_team(&Entity::Client(name.clone()), "clients.yaml")
                .unwrap_or_else(|| self.below(&self.by_namespace(name))),
        }
    }

    /// The file of that name in the folder of the team that may declare the entity.
    fn by_team(&self, entity: &Entity, file: &str) -> Option<String> {
        let folder = self.input.repository.team_folder(entity, file)?;
        Some(format!("{folder}/{file}"))
    }

    /// The file of the product that has the name of the client's namespace, for a client that is named as at
    /// NAIS.
    fn by_namespace(&self, name: &ClientName) -> String {
        let parts: Vec<&str> = name.as_str().split(':').collect();
        let namespace = match parts.as_slice() {
            [cluster, namespace, name] if !cluster.is_empty() && !name.is_empty() => {
                slug::file(namespace)
            }
            _ => String::new(),
        };
        if namespace.is_empty() {
            return "clients.yaml".to_owned();
        }
        let mut products = self.products.iter();
        match products.find(|(product, _)| *product == namespace) {
            Some((_, file)) => file.clone(),
            None => format!("clients/{namespace}.yaml"),
        }
    }

    fn below(&self, file: &str) -> String {
        match self.input.into {
            "" => file.to_owned(),
            folder => format!("{folder}/{file}"),
        }
    }
}

fn by_prefix(name: &ScopeName) -> String {
    match format!("{}.yaml", prefix(name)) {
        settings if settings == SETTINGS_FILE => "portvakt-scopes.yaml".to_owned(),
        file => file,
    }
}

fn by_product(name: &ScopeName) -> String {
    match product(name) {
        Some(product) => format!("{}/{product}.yaml", prefix(name)),
        None => by_prefix(name),
    }
}

fn prefix(name: &ScopeName) -> String {
    let prefix = slug::file(name.prefix());
    if prefix.is_empty() { "scopes".to_owned() } else { prefix }
}

/// The part of the subscope before the first `:` or `/`.
fn product(name: &ScopeName) -> Option<String> {
    let (product, _) = name.subscope().split_once([':', '/'])?;
    Some(slug::file(product)).filter(|product| !product.is_empty())
}
