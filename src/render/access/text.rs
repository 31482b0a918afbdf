//! Who can reach what, as text: by scope or by organisation.

use std::collections::BTreeMap;

use super::by_scope;
use crate::render::text::{self, BAD, CAREFUL, GOOD, HEADING, QUIET, line, named};
use domain::text::{counted, printable};
use plan::document::{
    Access, AccessDocument, AccessSource, ConsumingClient, EntityState, GrantState, ReachableScope,
    SourceDocument,
};

/// The headings that the accesses are listed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// Each scope, with the organisations that reach it.
    ByScope,
    /// Each organisation, with the scopes that it reaches.
    ByConsumer,
}

/// The accesses as text with ANSI colours, a line break at the end.
pub fn text(document: &AccessDocument, grouping: Grouping) -> String {
    let mut out = String::new();
    head(&mut out, document);
    match grouping {
        Grouping::ByScope => list_scopes(&mut out, document),
        Grouping::ByConsumer => list_consumers(&mut out, document),
    }
    clients(&mut out, document);
    let (scopes, accesses) = (document.scopes.len() as u64, document.accesses.len() as u64);
    line(
        &mut out,
        format_args!(
            "\n{}, {}, {}",
            counted(accesses, "access", "es"),
            counted(scopes, "scope", "s"),
            counted(document.clients.len() as u64, "client", "s")
        ),
    );
    out
}

fn consumer(access: &Access) -> String {
    named(&access.consumer, access.consumer_name.as_deref())
}

/// `  teams/arbeid/aareg.yaml:5`, or nothing.
fn place(source: Option<&SourceDocument>) -> String {
    let place = source.map(|source| format!("  {QUIET}{}{QUIET:#}", text::place(source)));
    place.unwrap_or_default()
}

fn head(out: &mut String, document: &AccessDocument) {
    let AccessDocument { organization, organization_name, created, source, environments, .. } =
        document;
    let owner = text::organization(organization.as_str(), organization_name.as_deref());
    let environments: Vec<_> = environments.iter().map(|name| printable(name)).collect();
    let source = match source {
        AccessSource::Live => "live and declared".to_owned(),
        AccessSource::Snapshot => format!("by a snapshot of {created}, and declared"),
        AccessSource::Declared => "as declared".to_owned(),
    };
    let environments = environments.join(", ");
    line(
        out,
        format_args!(
            "{HEADING}Who can reach what of {owner} in {environments}{HEADING:#}, {source}"
        ),
    );
}

fn list_scopes(out: &mut String, document: &AccessDocument) {
    for (scope, accesses) in by_scope(document) {
        scope_heading(out, scope);
        let rows: Vec<_> = accesses.into_iter().map(|it| (consumer(it), it)).collect();
        match (scope.open_now(), rows.is_empty()) {
            (Some(open), _) => line(out, format_args!("  {BAD}{}{BAD:#}", open.whom())),
            (None, true) => line(out, format_args!("  {QUIET}nobody{QUIET:#}")),
            (None, false) => {}
        }
        list(out, &rows);
    }
}

fn scope_heading(out: &mut String, scope: &ReachableScope) {
    let team = scope.team.as_ref().map(|team| format!(", team {}", printable(team)));
    let state = unusual(scope.state);
    let open = scope.open.map(|open| format!(", {BAD}{}{BAD:#}", open.description()));
    line(
        out,
        format_args!(
            "\n{HEADING}{}{HEADING:#}  {}{}{state}{}{}",
            printable(&scope.scope),
            printable(&scope.environment),
            team.unwrap_or_default(),
            open.unwrap_or_default(),
            place(scope.source.as_ref()),
        ),
    );
}

/// A state that is worth a word.
fn unusual(state: EntityState) -> String {
    match state {
        EntityState::Active | EntityState::Declared => String::new(),
        EntityState::Inactive | EntityState::Missing => format!(", {}", state.description()),
    }
}

fn list_consumers(out: &mut String, document: &AccessDocument) {
    let mut accesses: BTreeMap<&str, Vec<&Access>> = BTreeMap::new();
    for access in &document.accesses {
        accesses.entry(&access.consumer).or_default().push(access);
    }
    for of_consumer in accesses.values() {
        if let Some(first) = of_consumer.first() {
            line(out, format_args!("\n{HEADING}{}{HEADING:#}", consumer(first)));
        }
        let name =
            |it: &Access| format!("{} ({})", printable(&it.scope), printable(&it.environment));
        let rows: Vec<_> = of_consumer.iter().map(|it| (name(it), *it)).collect();
        list(out, &rows);
    }
    let mut open = document.scopes.iter().filter(|it| it.open_now().is_some()).peekable();
    if open.peek().is_some() {
        line(out, format_args!("\n{HEADING}Every organisation, without a grant{HEADING:#}"));
    }
    for scope in open {
        let (name, environment) = (printable(&scope.scope), printable(&scope.environment));
        line(out, format_args!("  {name} ({environment}){}", place(scope.source.as_ref())));
    }
}

/// Lists accesses in columns.
fn list(out: &mut String, rows: &[(String, &Access)]) {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, access) in rows {
        let Access { state, group, from, until, reason, blocked, source, .. } = access;
        let style = match state {
            GrantState::Granted | GrantState::Declared => GOOD,
            GrantState::Undeclared | GrantState::Overdue => BAD,
            GrantState::Kept | GrantState::Missing | GrantState::Requested | GrantState::NotNow => {
                CAREFUL
            }
        };
        let more = [
            group.as_ref().map(|group| format!("group {}", printable(group))),
            blocked.as_ref().map(|why| format!("{BAD}blocked{BAD:#}: {}", printable(why))),
            from.map(|from| format!("from {from}")),
            until.map(|until| format!("until {until}")),
            reason.as_ref().map(|reason| printable(reason).into_owned()),
        ];
        let more: String = more.into_iter().flatten().map(|part| format!(", {part}")).collect();
        let place = place(source.as_ref());
        line(
            out,
            format_args!("  {name:<width$}  {style}{}{style:#}{more}{place}", state.description()),
        );
    }
}

fn clients(out: &mut String, document: &AccessDocument) {
    if document.clients.is_empty() {
        return;
    }
    line(out, format_args!("\n{HEADING}What the organisation's own clients consume{HEADING:#}"));
    for ConsumingClient { environment, client, state, scopes, .. } in &document.clients {
        let state = unusual(*state);
        line(out, format_args!("  {} ({}){state}", printable(client), printable(environment)));
        for scope in scopes {
            let by = scope.by.description();
            line(out, format_args!("      {}  {QUIET}{by}{QUIET:#}", printable(&scope.scope)));
        }
    }
}
