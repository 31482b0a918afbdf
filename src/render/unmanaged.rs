//! What is live and declared nowhere, as text and as JSON: format version 1, described by
//! `schema/unmanaged.schema.json`.

use std::fmt::Write as _;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::text::{CAREFUL, HEADING, QUIET};
use domain::nais::{self, Application};
use domain::text::{counted, json, printable};
use domain::{
    AccessState, ClientId, Live, LiveClient, LiveScope, Orgno, Representation, ScopeName,
    norwegian_date,
};
use plan::Plan;

/// What is live and declared nowhere, and how much that is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "portvakt unmanaged")]
pub struct UnmanagedDocument {
    /// The version of this format.
    format_version: u8,
    /// The environment's name in `portvakt.yaml`.
    environment: String,
    /// The organisation number of the owner.
    #[schemars(with = "String")]
    organization: Orgno,
    #[serde(skip)]
    organization_name: Option<String>,
    /// When it was read (RFC 3339).
    #[schemars(with = "String")]
    created: Timestamp,
    coverage: Coverage,
    /// The scopes, by name.
    scopes: Vec<UnmanagedScope>,
    /// The clients, by name and id.
    clients: Vec<UnmanagedClient>,
}

/// How much of what is live is declared.
#[derive(Debug, Serialize, JsonSchema)]
struct Coverage {
    /// How many of the active scopes and clients are declared, named by `removed`, or portvakt's own.
    managed: usize,
    /// How many active scopes and clients there are.
    live: usize,
    /// The one in percent of the other, rounded down to one decimal; 100 where nothing is live.
    percent: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct UnmanagedScope {
    name: String,
    description: String,
    owner: Option<Owner>,
    #[serde(flatten)]
    age: Age,
    /// How many organisations have access.
    consumers: usize,
    /// How many ask for it.
    requests: usize,
    /// Whether everybody has access without being given it.
    accessible_for_all: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct UnmanagedClient {
    /// The client's name; not unique at DigDir.
    name: String,
    client_id: String,
    /// DigDir's word for its kind.
    integration_type: String,
    description: String,
    owner: Option<Owner>,
    #[serde(flatten)]
    age: Age,
    /// The scopes that it may ask for.
    scopes: Vec<String>,
}

/// The application at NAIS that the description names; `null` where it names none. The description of
/// a scope that was handed over has the three without their dashes.
#[derive(Debug, Serialize, JsonSchema)]
struct Owner {
    cluster: String,
    namespace: String,
    name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Age {
    /// When it was made, as DigDir tells; `null` where it does not.
    created: Option<String>,
    /// How many whole days ago that is.
    age_days: Option<i64>,
}

impl UnmanagedDocument {
    /// What a plan found to be unmanaged, in words of what is live.
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
            format_version: 1,
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
        // No organisation has so much that a float could not hold it.
        let percent = u32::try_from(tenths).map_or(0.0, f64::from) / 10.0;
        Self { managed, live, percent }
    }
}

fn unmanaged_scope(name: &ScopeName, scope: &LiveScope, now: Timestamp) -> UnmanagedScope {
    let LiveScope { representation, accesses, .. } = scope;
    let count = |state: AccessState| {
        let accesses = accesses.iter().flatten();
        accesses.filter(|(_, access)| access.state == state).count()
    };
    let description = scope.description().to_owned();
    UnmanagedScope {
        name: name.to_string(),
        owner: nais::owner_of_scope(&description, name.subscope()).map(Owner::from),
        description,
        age: Age::of(representation, now),
        consumers: count(AccessState::Approved),
        requests: count(AccessState::Requested),
        accessible_for_all: representation.get("accessible_for_all") == Some(&Value::Bool(true)),
    }
}

fn unmanaged_client(id: &ClientId, client: &LiveClient, now: Timestamp) -> UnmanagedClient {
    let LiveClient { name, integration_type, representation, .. } = client;
    let scopes = representation.get("scopes").and_then(Value::as_array).into_iter().flatten();
    let description = client.description().to_owned();
    UnmanagedClient {
        name: name.clone(),
        client_id: id.to_string(),
        integration_type: integration_type.clone(),
        owner: nais::owner_of_client(&description).map(Owner::from),
        description,
        age: Age::of(representation, now),
        scopes: scopes.filter_map(Value::as_str).map(str::to_owned).collect(),
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

/// The list as JSON, indented, with a line break at the end.
pub fn json(document: &UnmanagedDocument) -> String {
    json::pretty(document)
}

/// The JSON Schema of [`json`]'s result.
pub fn schema() -> Value {
    schemars::schema_for!(UnmanagedDocument).to_value()
}

/// `84.0 %`, and of what, as one line.
pub fn figure(document: &UnmanagedDocument) -> String {
    let Coverage { managed, live, percent } = document.coverage;
    format!("{percent:.1} %  ({managed} of {live} active scopes and clients are managed)\n")
}

/// The list as text with ANSI colours, a line break at the end.
pub fn text(document: &UnmanagedDocument) -> String {
    let UnmanagedDocument { environment, organization, scopes, clients, .. } = document;
    let owner = match &document.organization_name {
        Some(name) => format!("{} ({organization})", printable(name)),
        None => organization.to_string(),
    };
    let environment = printable(environment);
    let mut out = format!("{HEADING}Declared nowhere in {environment}, {owner}{HEADING:#}\n");
    if scopes.is_empty() && clients.is_empty() {
        out.push_str("Nothing.\n");
    }
    let mut section = |heading: &str, rows: Vec<Row>| {
        if rows.is_empty() {
            return;
        }
        // Writing into a String does not fail.
        let _ = writeln!(out, "\n{HEADING}{heading}{HEADING:#}");
        for Row { name, who, age, owner } in rows {
            let _ = writeln!(out, "  {name}");
            let _ = writeln!(out, "      {who}{age}; {owner}");
        }
    };
    section("Scopes", scopes.iter().map(scope_row).collect());
    section("Clients", clients.iter().map(client_row).collect());
    let _ = write!(out, "\ncoverage {}", figure(document));
    out
}

/// What is said of one entity.
struct Row {
    name: String,
    who: String,
    age: String,
    owner: String,
}

fn scope_row(scope: &UnmanagedScope) -> Row {
    let who = match (scope.accessible_for_all, scope.consumers) {
        (true, _) => format!("{CAREFUL}open to all{CAREFUL:#}"),
        (false, 0) => "nobody has access".to_owned(),
        (false, count) => counted(count as u64, "consumer", "s"),
    };
    let asking = match scope.requests {
        0 => String::new(),
        count => format!(", {count} ask for access"),
    };
    Row {
        name: printable(&scope.name).into_owned(),
        who: format!("{who}{asking}"),
        age: age(&scope.age),
        owner: owner(scope.owner.as_ref(), &scope.description),
    }
}

fn client_row(client: &UnmanagedClient) -> Row {
    Row {
        name: format!("{}  {QUIET}{}{QUIET:#}", printable(&client.name), client.client_id),
        who: format!(
            "{}, {}",
            printable(&client.integration_type),
            counted(client.scopes.len() as u64, "scope", "s")
        ),
        age: age(&client.age),
        owner: owner(client.owner.as_ref(), &client.description),
    }
}

fn age(Age { created, age_days }: &Age) -> String {
    let at: Option<Timestamp> = created.as_deref().and_then(|text| text.parse().ok());
    let Some((at, days)) = at.zip(age_days.and_then(|days| u64::try_from(days).ok())) else {
        return String::new();
    };
    let age = match days {
        0..60 => counted(days, "day", "s"),
        60..730 => format!("{} months", days / 30),
        _ => format!("{} years", days / 365),
    };
    format!(", made {} ({age} ago)", norwegian_date(at))
}

/// Who may own it: what the description says.
fn owner(owner: Option<&Owner>, description: &str) -> String {
    match (owner, description) {
        (Some(Owner { cluster, namespace, name }), _) => {
            format!("NAIS {cluster}:{namespace}:{name}")
        }
        (None, "") => "no description".to_owned(),
        (None, text) => format!("\"{}\"", printable(text)),
    }
}
