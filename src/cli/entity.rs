//! The declared scopes and clients that a command names, and the application that receives them.

use super::exit::Failure;
use crate::run::{Opened, client};
use domain::nais::Application;
use domain::{Entity, ScopeName};

/// The scopes and clients that a command names.
#[derive(Debug, clap::Args)]
pub(super) struct NamedEntities {
    /// A scope, by its whole name; repeat for several
    #[arg(long = "scope", value_name = "NAME")]
    scopes: Vec<String>,
    /// A client, by the name that it is declared by
    #[arg(long = "client", value_name = "NAME")]
    clients: Vec<String>,
}

/// An application at NAIS.
#[derive(Debug, clap::Args)]
pub(super) struct InCluster {
    /// The application's cluster, such as prod-gcp [default: that of portvakt.yaml]
    #[arg(long, value_name = "NAME", requires = "app")]
    cluster: Option<String>,
    /// The application's namespace [default: that of portvakt.yaml]
    #[arg(long, value_name = "NAME", requires = "app")]
    namespace: Option<String>,
    /// The application's name
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
}

impl InCluster {
    /// Whether an application is named.
    pub(super) fn is_named(&self) -> bool {
        self.app.is_some()
    }

    /// The application that is named, if one is.
    pub(super) fn application(&self, opened: &Opened) -> Result<Option<Application>, Failure> {
        let Self { cluster, namespace, app: Some(app) } = self else {
            return Ok(None);
        };
        let usual = opened.repository.usual_at_nais(&opened.desired.environment);
        let lacks = |what: &str| {
            Failure::Usage(format!(
                "which {what} at NAIS? Name it by --{what}, or for all by `nais: {{ {what}: … }}` in \
                 portvakt.yaml"
            ))
        };
        let cluster = cluster.as_deref().or(usual.0).ok_or_else(|| lacks("cluster"))?;
        let namespace = namespace.as_deref().or(usual.1).ok_or_else(|| lacks("namespace"))?;
        let application = Application::new(cluster, namespace, app);
        application.map(Some).map_err(Failure::usage)
    }
}

impl NamedEntities {
    /// Whether it names nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.scopes.is_empty() && self.clients.is_empty()
    }

    /// The declared or released scopes and clients with these names, except those of a manifest; each once,
    /// the scopes first.
    pub(super) fn find(&self, opened: &Opened) -> Result<Vec<Entity>, Failure> {
        let desired = &opened.desired;
        let mut found = Vec::new();
        for name in &self.scopes {
            found.push(Entity::Scope(scope(opened, name)?));
        }
        for name in &self.clients {
            let released = desired.removed_clients.keys().map(|name| Entity::Client(name.clone()));
            let mut released = released.filter(|entity| desired.releases(entity));
            found.push(match released.find(|entity| entity.name() == name) {
                Some(entity) => entity,
                None => Entity::Client(client::declared(opened, name)?.0.clone()),
            });
        }
        found.sort();
        found.dedup();
        match found.iter().find(|entity| desired.in_manifest(entity)) {
            Some(entity) => Err(Failure::Usage(format!("a manifest declares {entity} already"))),
            None => Ok(found),
        }
    }
}

fn scope(opened: &Opened, name: &str) -> Result<ScopeName, Failure> {
    let desired = &opened.desired;
    let released = desired.removed.keys();
    let released = released.filter(|name| desired.releases(&Entity::Scope((*name).clone())));
    let known = || desired.scopes.keys().chain(released.clone());
    if let Some(found) = known().find(|known| known.as_str() == name) {
        return Ok(found.clone());
    }
    Err(client::not_declared(opened, "scope", name, known().map(ScopeName::as_str)))
}
