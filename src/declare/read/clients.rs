//! Reading clients and what of them is removed.

use std::collections::BTreeMap;

use super::client_attributes::ClientLayer;
use super::declarations_file as file;
use super::declared::{Client, ClientOverride, ClientPart, Declared, RemovedClient, Spans};
use super::environments::EnvironmentSet;
use super::keys::keys;
use super::settings::Settings;
use super::texts::{check_description, check_orgnos, parse_orgno};
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::span::Span;
use crate::declare::files::key_files::KeyFiles;
use crate::declare::yaml::document::{Findings, Located};
use crate::declare::yaml::item::{entries_of, items_of};
use crate::declare::yaml::table::{read, read_whole};
use domain::{ClientId, ClientName, ConsumedScope, IntegrationType, OnBehalfOf, OnBehalfOfId};

/// Reads one client.
pub(crate) fn client(
    at: Located<'_>,
    settings: &Settings,
    files: &KeyFiles<'_>,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let names = &settings.environment_names;
    let overrides = overrides(at, settings, files, findings);
    let name = client_name("name", at, findings);
    let previous_name = client_name("previous_name", at, findings);
    let given: Option<file::Client> = read(at, findings);
    let environments = given.as_ref().and_then(|given| given.environments.0.as_deref());
    let environments = names.declared(environments, at, findings);
    let (Some(given), Some((name, span))) = (given, name) else {
        return;
    };
    let part = ClientPart {
        attributes: ClientLayer::from(&given),
        description: given.description.kept(),
        active: given.active.0,
        ..part(at, files, findings)
    };
    let client = Client {
        name,
        previous_name,
        integration_type: given.integration_type.0.unwrap_or(IntegrationType::Maskinporten),
        part,
        overrides,
        environments,
        prevent_deactivation: given.prevent_deactivation.0.unwrap_or(false),
        place: findings.place(span),
        name_key: at.key_span("name"),
        manifest: None,
    };
    check_reach(&client, findings);
    declared.clients.push(client);
}

/// What stands alike in a client and in what differs in an environment, but for what the type's own
/// reader gives.
fn part(at: Located<'_>, files: &KeyFiles<'_>, findings: &mut Findings) -> ClientPart {
    let id = at.text("client_id").and_then(|(text, span)| id(text, span, findings));
    let first = findings.list.len();
    check_orgnos(at, findings);
    check_description(at, findings);
    let part = ClientPart {
        id,
        scopes: scopes(at, findings),
        keys: keys(at, files, findings),
        on_behalf_of: on_behalf_of(at, findings),
        spans: Spans::new(at),
        ..ClientPart::default()
    };
    findings.hide_nothing(first);
    part
}

fn overrides(
    at: Located<'_>,
    settings: &Settings,
    files: &KeyFiles<'_>,
    findings: &mut Findings,
) -> Vec<ClientOverride> {
    let section = at.get("per_environment").unwrap_or(at);
    let mut overrides = Vec::new();
    for (name, at) in entries_of(at, "per_environment", findings) {
        let span = section.key_span(name);
        let environment = settings.environment_names.known(name, span, findings);
        if environment.is_none() && !at.value.is_mapping() {
            continue;
        }
        let given: Option<file::ClientInEnvironment> = read(at, findings);
        if let (Some(environment), Some(given)) = (environment, given) {
            let part = ClientPart {
                attributes: ClientLayer::from(&given),
                description: given.description.kept(),
                active: given.active.0,
                ..part(at, files, findings)
            };
            overrides.push(ClientOverride { environment, part, span });
        }
    }
    overrides
}

/// Reads one entry of `removed` that names a client.
pub(crate) fn removed(
    at: Located<'_>,
    settings: &Settings,
    findings: &mut Findings,
) -> Option<RemovedClient> {
    let name = client_name("client", at, findings);
    let id = at.text("client_id").map(|(text, span)| id(text, span, findings));
    let file::RemovedClient { action, reason, environments, .. } = read(at, findings)?;
    let names = &settings.environment_names;
    let environments = names.declared(environments.0.as_deref(), at, findings);
    let (name, span) = name?;
    let id = match id {
        Some(None) => return None,
        Some(id) => id,
        None => None,
    };
    let place = findings.place(span);
    Some(RemovedClient { name, id, action, reason: reason.0, environments, place })
}

/// The name of a client under a key, and where it stands. Nothing is said if there is no text.
fn client_name(key: &str, at: Located<'_>, findings: &mut Findings) -> Option<(ClientName, Span)> {
    let (text, span) = at.text(key)?;
    match text.parse() {
        Ok(name) => Some((name, span)),
        Err(error) => {
            let message = format!("{} is no name for a client: {error}", quoted(text));
            let help = "write a name of one line, such as `prod:arbeid:aareg-sync`";
            findings.report(Rule::ClientName, span, &message, help);
            None
        }
    }
}

fn id(text: &str, span: Span, findings: &mut Findings) -> Option<ClientId> {
    text.parse()
        .map_err(|error| {
            let message = format!("{} is no client id: {error}", quoted(text));
            let help = "copy it from DigDir's self-service, or leave `client_id` out";
            findings.report(Rule::ClientName, span, &message, help);
        })
        .ok()
}

fn scopes(at: Located<'_>, findings: &mut Findings) -> Option<Vec<ConsumedScope>> {
    let list = at.get("scopes").filter(|list| list.value.is_sequence())?;
    let mut scopes = Vec::new();
    for item in list.items() {
        let Some(text) = item.value.as_str() else { continue };
        match text.parse::<ConsumedScope>() {
            Ok(scope) => scopes.push(scope),
            Err(error) => {
                let message = format!("{} is no scope: {error}", quoted(text));
                let names: Vec<_> = crate::declare::yaml::instead::names(text);
                let help = match names.len() > 1 {
                    true => format!("write a comma between them: `[{}]`", names.join(", ")),
                    false => "write the whole name, such as `skatteetaten:skattekort.read`".into(),
                };
                findings.report(Rule::ConsumedScope, item.span(), &message, &help);
            }
        }
    }
    Some(scopes)
}

fn on_behalf_of(
    at: Located<'_>,
    findings: &mut Findings,
) -> Option<BTreeMap<OnBehalfOfId, OnBehalfOf>> {
    at.get("onbehalfof").filter(|list| list.value.is_sequence())?;
    let mut entries = BTreeMap::new();
    for at in items_of(at, "onbehalfof", findings) {
        let given: Option<file::OnBehalfOfEntry> = read_whole(at, findings);
        let orgno = at.text("orgno").and_then(|(text, span)| parse_orgno(text, span, findings));
        let (Some(given), Some((text, span))) = (given, at.text("onbehalfof")) else { continue };
        let id: OnBehalfOfId = match text.parse() {
            Ok(id) => id,
            Err(error) => {
                let message = format!("{} cannot be an `onbehalfof`: {error}", quoted(text));
                let help = "write letters, digits, `-` and `_`";
                findings.report(Rule::ClientName, span, &message, help);
                continue;
            }
        };
        let file::OnBehalfOfEntry { name, organization_name, description, uri, logo_uri, .. } =
            given;
        let entry = OnBehalfOf {
            name: name.kept(),
            orgno,
            organization_name: organization_name.kept(),
            description: description.kept(),
            uri: uri.kept(),
            logo_uri: logo_uri.kept(),
        };
        if entries.insert(id, entry).is_some() {
            let message = format!("the entry {} stands twice", quoted(text));
            findings.report(Rule::DuplicateClient, span, &message, "keep one of them");
        }
    }
    Some(entries)
}

/// Warns about overrides for environments that do not hold the client.
fn check_reach(client: &Client, findings: &mut Findings) {
    for ClientOverride { environment, span, .. } in &client.overrides {
        let is_known = client.environments != EnvironmentSet::NONE;
        if is_known && !client.environments.overlaps(*environment) {
            let message = "this override is for environments that do not hold the client";
            let help = "add the environment to the client's `environments`, or take this out";
            findings.report(Rule::NeverCounts, *span, message, help);
        }
    }
}
