//! Live entities that are not declared, as a document.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::FORMAT_VERSION;
use crate::Plan;
use domain::nais::{self, Application};
use domain::{
    AccessState, ClientId, Live, LiveClient, LiveScope, Orgno, Representation, SCOPE, ScopeName,
};

/// Live entities that are not declared, and the share that is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "portvakt unmanaged")]
pub struct UnmanagedDocument {
    /// The version of this format.
    pub format_version: u8,
    /// The environment's name in `portvakt.yaml`.
    pub environment: String,
    /// The organisation number of the owner.
    #[schemars(with = "String")]
    pub organization: Orgno,
    /// Its name, if the repository has one.
    #[serde(skip)]
    pub organization_name: Option<String>,
    /// When it was read (RFC 3339).
    #[schemars(with = "String")]
    pub created: Timestamp,
    #[expect(missing_docs, reason = "its type says it")]
    pub coverage: Coverage,
    /// The scopes, by name.
    pub scopes: Vec<UnmanagedScope>,
    /// The clients, by name and id.
    pub clients: Vec<UnmanagedClient>,
}

/// Share of the live entities that is declared.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Coverage {
    /// Number of active scopes and clients that are declared, named by `removed`, or portvakt's own.
    pub managed: usize,
    /// Number of active scopes and clients.
    pub live: usize,
    /// The share in percent, rounded down to one decimal; 100 where nothing is live.
    pub percent: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of its fields say it")]
pub struct UnmanagedScope {
    pub name: String,
    pub description: String,
    pub owner: Option<Owner>,
    #[serde(flatten)]
    pub age: Age,
    /// Number of organisations with access.
    pub consumers: usize,
    /// Number of requests for access.
    pub requests: usize,
    /// Whether everybody has access without a grant.
    pub accessible_for_all: bool,
    /// Whether European businesses have access without a grant.
    pub supports_european_businesses: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of its fields say it")]
pub struct UnmanagedClient {
    /// The client's name; not unique at DigDir.
    pub name: String,
    pub client_id: String,
    /// DigDir's word for its kind.
    pub integration_type: String,
    pub description: String,
    pub owner: Option<Owner>,
    #[serde(flatten)]
    pub age: Age,
    /// The scopes that it may request.
    pub scopes: Vec<String>,
}

/// The application at NAIS that the description names; `null` where it names none. The description of a scope
/// that was handed over has the three names without dashes.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of its fields say it")]
pub struct Owner {
    pub cluster: String,
    pub namespace: String,
    pub name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of its fields say it")]
pub struct Age {
    /// When it was created, as DigDir reports it; `null` where it does not.
    pub created: Option<String>,
    /// Its age in whole days.
    pub age_days: Option<i64>,
}

impl UnmanagedDocument {
    /// The unmanaged entities of a plan, with their live attributes.
    pub fn new(
        plan: &Plan,
        organization_name: Option<String>,
        live: &Live,
        now: Timestamp,
    ) -> Self {
        let scopes: Vec<_> = live
            .scopes
            .iter()
            .filter(|(name, _)| plan.unmanaged.scopes.contains(*name))
            .map(|(name, scope)| unmanaged_scope(name, scope, now))
            .collect();
        let mut clients: Vec<_> = live
            .clients
            .iter()
            .filter(|(id, _)| plan.unmanaged.clients.contains(*id))
            .map(|(id, client)| unmanaged_client(id, client, now))
            .collect();
        clients.sort_by(|a, b| (&a.name, &a.client_id).cmp(&(&b.name, &b.client_id)));
        let active = live.scopes.values().filter(|scope| scope.active).count()
            + live.clients.values().filter(|client| client.active).count();
        Self {
            format_version: FORMAT_VERSION,
            environment: plan.environment.clone(),
            organization: plan.organization,
            organization_name,
            created: now,
            coverage: Coverage::of(active - scopes.len() - clients.len(), active),
            scopes,
            clients,
        }
    }
}

impl Coverage {
    fn of(managed: usize, live: usize) -> Self {
        let tenths = (managed * 1000).checked_div(live).unwrap_or(1000);
        // The number of entities always fits into a float.
        let percent = u32::try_from(tenths).map_or(0.0, f64::from) / 10.0;
        Self { managed, live, percent }
    }
}

fn unmanaged_scope(name: &ScopeName, scope: &LiveScope, now: Timestamp) -> UnmanagedScope {
    let representation = &scope.representation;
    let description = scope.description().to_owned();
    UnmanagedScope {
        name: name.to_string(),
        owner: nais::owner_of_scope(&description, name.subscope()).map(Owner::from),
        description,
        age: Age::of(representation, now),
        consumers: scope.in_state(AccessState::Approved).count(),
        requests: scope.in_state(AccessState::Requested).count(),
        accessible_for_all: SCOPE.accessible_for_all.is_set(representation),
        supports_european_businesses: SCOPE.supports_european_businesses.is_set(representation),
    }
}

fn unmanaged_client(id: &ClientId, client: &LiveClient, now: Timestamp) -> UnmanagedClient {
    let LiveClient { name, integration_type, representation, .. } = client;
    let description = client.description().to_owned();
    UnmanagedClient {
        name: name.clone(),
        client_id: id.to_string(),
        integration_type: integration_type.clone(),
        owner: nais::owner_of_client(&description).map(Owner::from),
        description,
        age: Age::of(representation, now),
        scopes: client.scopes().map(str::to_owned).collect(),
    }
}

impl From<Application> for Owner {
    fn from(owner: Application) -> Self {
        Self {
            cluster: owner.cluster().to_owned(),
            namespace: owner.namespace().to_owned(),
            name: owner.name().to_owned(),
        }
    }
}

impl Age {
    fn of(representation: &Representation, now: Timestamp) -> Self {
        let created = representation.get("created").and_then(Value::as_str);
        let at: Option<Timestamp> = created.and_then(|text| text.parse().ok());
        Self {
            created: created.map(str::to_owned),
            age_days: at.map(|at| now.duration_since(at).as_hours().div_euclid(24)),
        }
    }
}
