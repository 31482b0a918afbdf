//! Declarations of NAIS manifests as equivalent YAML: they are imported as if they were live.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::Value;

use super::left_out::LeftOut;
use super::written::declarations;
use super::{Input, Side};
use crate::declare::{Invalid, Repository};
use domain::{
    AccessState, ClientName, Desired, DesiredAccess, DesiredClient, DesiredScope, Live, LiveAccess,
    LiveClient, LiveScope, Orgno, Representation,
};

/// Declarations as a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The text; empty where there is nothing to declare.
    pub text: String,
    /// Attributes and entities that it lacks.
    pub left_out: Vec<LeftOut>,
    /// Number of clients in it.
    pub clients: usize,
}

/// The declarations of the manifests in some files. `environments` are all of the repository, first the one
/// with which the others are compared.
///
/// # Errors
/// An environment cannot be resolved.
pub fn rendered(
    repository: Repository,
    is_chosen: &dyn Fn(&str) -> bool,
    environments: &[String],
    today: Date,
) -> Result<Rendered, Invalid> {
    let mut all = Vec::new();
    for environment in environments {
        let (mut desired, _) = repository.desired(environment, today)?;
        desired.scopes.retain(|_, scope| scope.in_manifest && is_chosen(&scope.source.file));
        let is_of_client =
            |client: &DesiredClient| client.identity.is_owned() && is_chosen(&client.source.file);
        desired.clients.retain(|_, client| is_of_client(client));
        all.push((environment, as_live(&desired)));
    }
    let rest = repository.without_manifests(is_chosen);
    let sides: Vec<_> = all
        .iter()
        .map(|(environment, live)| Side {
            environment,
            live,
            before: None,
            declared: None,
            beside: &[],
        })
        .collect();
    let labels = rest.labels();
    let input = Input { rendered: true, labels: &labels, ..Input::new(&rest, &sides) };
    let (files, left_out) = declarations(&input, today);
    let clients = files.iter().map(|file| file.counts.clients).sum();
    // The location of the schema depends on the file's place in a repository.
    let texts = files.iter().filter_map(|file| file.text.split_once("\n\n"));
    let text = texts.map(|(_, text)| text).collect();
    Ok(Rendered { text, left_out, clients })
}

/// Live state after a first apply.
fn as_live(desired: &Desired) -> Live {
    let scopes = desired.scopes.iter().map(|(name, scope)| (name.clone(), live_scope(scope)));
    let clients = desired.clients.iter().filter_map(|(name, client)| {
        // Any id, as the real one is not known.
        let id = name.as_str().replace(':', ".").parse().ok()?;
        Some((id, live_client(name, client)))
    });
    Live { scopes: scopes.collect(), clients: clients.collect(), ..Live::default() }
}

fn live_scope(scope: &DesiredScope) -> LiveScope {
    let DesiredScope { attributes, active, consumers, .. } = scope;
    let fields = attributes.fields().into_iter();
    LiveScope {
        active: *active,
        representation: representation(fields),
        accesses: Some(accesses(consumers)),
        unclear: false,
    }
}

fn accesses(consumers: &BTreeMap<Orgno, DesiredAccess>) -> BTreeMap<Orgno, LiveAccess> {
    let access = || LiveAccess { state: AccessState::Approved, name: None, requested: None };
    consumers.keys().map(|orgno| (*orgno, access())).collect()
}

fn live_client(name: &ClientName, client: &DesiredClient) -> LiveClient {
    let wanted = client.attributes.wanted().map(|field| (field.name, field.wanted));
    LiveClient {
        active: client.active,
        name: client.identity.client_name().unwrap_or(name).to_string(),
        integration_type: client.attributes.integration_type.as_str().to_owned(),
        representation: representation(wanted),
        // Manifests declare none.
        keys: Some(Vec::new()),
        on_behalf_of: None,
    }
}

fn representation(fields: impl Iterator<Item = (&'static str, Value)>) -> Representation {
    let set = fields.filter(|(_, value)| !value.is_null());
    set.map(|(name, value)| (name.to_owned(), value)).collect()
}
