//! Reading clients and what of them is removed.

use std::collections::BTreeMap;

use super::attributes::ClientLayer;
use super::declarations_file as file;
use super::declared::{ClientPart, Declared, DeclaredClient, RemovedClient, Spans};
use super::keys::keys;
use super::overrides::{check_reach, overrides};
use super::settings::Settings;
use super::texts::{check_description, parse_orgno, parsed};
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::files::key_files::KeyFiles;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::item::items_of;
use crate::declare::yaml::optional::{Items, Optional, Raw, ReadableTexts, Spanned};
use crate::declare::yaml::suggestions;
use domain::{ClientId, ClientName, ConsumedScope, IntegrationType, OnBehalfOf, OnBehalfOfId};
use yaml::Node;
use yaml::Span;

/// Reads one client.
pub(crate) fn client<'d>(
    input: Raw<'d, file::Client<'d>>,
    settings: &Settings,
    files: &KeyFiles<'_>,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let names = &settings.environment_names;
    let at = input.at;
    let Some(input) = input.read(findings) else { return };
    let in_environment =
        |input: file::ClientInEnvironment<'d>, at: &Node<'_>, findings: &mut _| ClientPart {
            attributes: attributes((&input).into(), &input.description, findings),
            description: input.description.kept(),
            active: input.active.0,
            id: input.client_id.0.as_ref().and_then(|written| id(written, findings)),
            ..part(at, input.scopes.0, input.jwks.0, input.onbehalfof.0, files, findings)
        };
    let overrides = overrides(input.per_environment, names, in_environment, findings);
    let name = input.name.0.as_ref().and_then(|name| client_name(name, findings));
    let environments = names.declared(&input.environments, findings);
    let Some((name, span)) = name else { return };
    let previous_name = input.previous_name.0.as_ref().and_then(|it| client_name(it, findings));
    let part = ClientPart {
        attributes: attributes((&input).into(), &input.description, findings),
        description: input.description.kept(),
        active: input.active.0,
        id: input.client_id.0.as_ref().and_then(|written| id(written, findings)),
        ..part(at, input.scopes.0, input.jwks.0, input.onbehalfof.0, files, findings)
    };
    let client = DeclaredClient {
        name,
        previous_name,
        integration_type: input.integration_type.0.unwrap_or(IntegrationType::Maskinporten),
        part,
        overrides,
        environments,
        prevent_deactivation: input.prevent_deactivation.0.unwrap_or(false),
        place: findings.place(span),
        manifest: None,
    };
    for own in &client.overrides {
        let held = (client.environments, "client");
        check_reach(held, (own.environment, "override"), own.span, findings);
    }
    declared.clients.push(client);
}

/// The attributes; reports what is wrong with their texts and with the description.
fn attributes(
    attributes: ClientLayer,
    description: &Optional<Spanned<String>>,
    findings: &mut Findings,
) -> ClientLayer {
    let first = findings.list.len();
    attributes.check(findings);
    check_description(description.0.as_ref(), findings);
    findings.hide_nothing(first);
    attributes
}

/// What stands alike in a client and in what differs in an environment, but for what is read as it is.
fn part<'d>(
    at: &Node<'_>,
    consumed: Option<ReadableTexts>,
    jwks: Option<Raw<'d, file::Jwks<'d>>>,
    onbehalfof: Option<Items<'_, file::OnBehalfOfEntry>>,
    files: &KeyFiles<'_>,
    findings: &mut Findings,
) -> ClientPart {
    let first = findings.list.len();
    let part = ClientPart {
        scopes: consumed.map(|list| scopes(&list, findings)),
        keys: jwks.and_then(|jwks| keys(jwks, files, findings)),
        on_behalf_of: onbehalfof.and_then(|list| on_behalf_of(list, findings)),
        spans: Spans::new(at),
        ..ClientPart::default()
    };
    findings.hide_nothing(first);
    part
}

/// Reads one entry of `removed` that names a client.
pub(crate) fn removed(
    input: file::RemovedClientItem,
    settings: &Settings,
    findings: &mut Findings,
) -> Option<RemovedClient> {
    let file::RemovedClientItem { client, client_id, action, reason, environments } = input;
    let name = client.0.and_then(|client| client_name(&client, findings));
    let id = client_id.0.map(|written| id(&written, findings));
    let names = &settings.environment_names;
    let environments = names.declared(&environments, findings);
    let ((name, span), action) = (name?, action.0?);
    let id = match id {
        Some(id) => Some(id?),
        None => None,
    };
    let place = findings.place(span);
    Some(RemovedClient { name, id, action, reason: reason.0, environments, place })
}

/// The name of a client, and where it stands.
fn client_name(written: &Spanned<String>, findings: &mut Findings) -> Option<(ClientName, Span)> {
    let help = "write a name of one line, such as `prod:arbeid:aareg-sync`";
    let what = "is not a valid client name";
    let name = parsed(&written.value, written.span, Rule::ClientName, (what, help), findings)?;
    Some((name, written.span))
}

fn id(written: &Spanned<String>, findings: &mut Findings) -> Option<ClientId> {
    let help = "copy it from DigDir's self-service, or leave `client_id` out";
    let what = "is not a valid client id";
    parsed(&written.value, written.span, Rule::ClientName, (what, help), findings)
}

/// Of a list that has something wrong in it, the rest is checked all the same.
fn scopes(list: &ReadableTexts, findings: &mut Findings) -> Vec<ConsumedScope> {
    let mut scopes = Vec::new();
    for Spanned { value: text, span } in &list.items {
        match text.parse::<ConsumedScope>() {
            Ok(scope) => scopes.push(scope),
            Err(error) => {
                let message = format!("{} is no scope: {error}", quoted(text));
                let names = suggestions::names(text);
                let help = match names.len() > 1 {
                    true => format!("write a comma between them: `[{}]`", names.join(", ")),
                    false => "write the whole name, such as `skatteetaten:skattekort.read`".into(),
                };
                findings.report(Rule::ConsumedScope, *span, &message, &help);
            }
        }
    }
    scopes
}

fn on_behalf_of(
    list: Items<'_, file::OnBehalfOfEntry>,
    findings: &mut Findings,
) -> Option<BTreeMap<OnBehalfOfId, OnBehalfOf>> {
    let is_list = list.at.value.is_sequence();
    let mut entries = BTreeMap::new();
    for input in items_of(Some(list), None, findings) {
        let first = findings.list.len();
        let Some(input) = input.read(findings) else { continue };
        let is_whole = findings.list.len() == first;
        let orgno = input.orgno.0.as_ref();
        let orgno = orgno.and_then(|orgno| parse_orgno(&orgno.value, orgno.span, findings));
        let Some(Spanned { value: text, span }) = input.onbehalfof.0.filter(|_| is_whole) else {
            continue;
        };
        let reason = ("cannot be an `onbehalfof`", "write letters, digits, `-` and `_`");
        let id: Option<OnBehalfOfId> = parsed(&text, span, Rule::ClientName, reason, findings);
        let Some(id) = id else { continue };
        let entry = OnBehalfOf {
            name: input.name.kept(),
            orgno,
            organization_name: input.organization_name.kept(),
            description: input.description.kept(),
            uri: input.uri.kept(),
            logo_uri: input.logo_uri.kept(),
        };
        if entries.insert(id, entry).is_some() {
            let message = format!("the entry {} is given twice", quoted(&text));
            findings.report(Rule::DuplicateClient, span, &message, "keep one of them");
        }
    }
    is_list.then_some(entries)
}
