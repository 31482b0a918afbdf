//! Unmanaged live entities, as text.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::text::{CAREFUL, HEADING, QUIET, organization};
use domain::norwegian_date;
use domain::text::{counted, printable};
use plan::document::{
    Age, Coverage, OpenTo, Owner, UnmanagedClient, UnmanagedDocument, UnmanagedScope,
};

/// `84.0 %`, with the numbers, as one line.
pub fn figure(document: &UnmanagedDocument) -> String {
    let Coverage { managed, live, percent } = document.coverage;
    format!("{percent:.1} %  ({managed} of {live} active scopes and clients are managed)\n")
}

/// The list as text with ANSI colours, a line break at the end.
pub fn text(document: &UnmanagedDocument) -> String {
    let UnmanagedDocument { environment, organization_name, scopes, clients, .. } = document;
    let owner = organization(document.organization.as_str(), organization_name.as_deref());
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

/// Columns of one entity.
struct Row {
    name: String,
    who: String,
    age: String,
    owner: String,
}

fn scope_row(scope: &UnmanagedScope) -> Row {
    let open = OpenTo::of(scope.accessible_for_all, scope.supports_european_businesses);
    let open = open.map(|open| format!("{CAREFUL}{}{CAREFUL:#}", open.description()));
    let consumers = counted(scope.consumers as u64, "consumer", "s");
    let who = match (open, scope.consumers) {
        (None, 0) => "nobody has access".to_owned(),
        (None, _) => consumers,
        (Some(open), 0) => open,
        (Some(open), _) => format!("{open}, {consumers}"),
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

/// The possible owner, from the description.
fn owner(owner: Option<&Owner>, description: &str) -> String {
    match (owner, description) {
        (Some(Owner { cluster, namespace, name }), _) => {
            format!("NAIS {cluster}:{namespace}:{name}")
        }
        (None, "") => "no description".to_owned(),
        (None, text) => format!("\"{}\"", printable(text)),
    }
}
