//! The client of Maskinporten that a manifest makes.

use super::fields::{
    PlacedOption, is_mapping, items, refuse_nothing, required, text, warn_unknown,
};
use super::owner::Owners;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::read::declared::{ClientPart, Declared, DeclaredClient, ManifestClient, Spans};
use crate::declare::read::texts::parsed;
use crate::declare::yaml::document::Findings;
use domain::nais::Application;
use domain::{
    ApplicationType, AuthMethod, CLIENT, ClientAttributes, ClientName, ConsumedScope, GrantType,
    IntegrationType, RefreshTokenUsage,
};
use yaml::Node;
use yaml::Span;

/// Where the values of attributes stand, by DigDir's names.
pub(super) type Places = Vec<(&'static str, Span)>;

/// Reads the client of what consumes something.
pub(super) fn maskinporten(
    scopes: &Node<'_>,
    name: PlacedOption<ClientName>,
    owners: &Owners,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let help = "write `consumes: []` if there is to be no client";
    refuse_nothing(scopes, "consumes", "close the client", help, findings);
    let Some((list, span)) = items(scopes, "consumes", findings) else { return };
    let is_none = list.is_empty();
    let consumed: Vec<_> = list.into_iter().filter_map(|item| consumed(item, findings)).collect();
    if is_none {
        return;
    }
    let kind = IntegrationType::Maskinporten;
    let attributes = ClientAttributes {
        scopes: consumed.into_iter().collect(),
        ..bare(kind, [GrantType::JwtBearer])
    };
    let identity = |application: &Application| application.to_string();
    declare(
        owners,
        identity,
        name,
        &attributes,
        vec![(CLIENT.scopes.name, span)],
        declared,
        findings,
    );
}

fn consumed(at: &Node<'_>, findings: &mut Findings) -> Option<ConsumedScope> {
    if !is_mapping(at, findings) {
        return None;
    }
    warn_unknown(at, &["name"], findings);
    consumed_scope(required(at, "name", findings, text)?, findings)
}

/// A scope that a client may ask for.
pub(super) fn consumed_scope(
    (name, span): (&str, Span),
    findings: &mut Findings,
) -> Option<ConsumedScope> {
    let help = "write the whole name of one scope, such as `skatteetaten:skattekort.read`";
    parsed(name, span, Rule::ConsumedScope, ("is no scope", help), findings)
}

/// The name that a manifest gives its client.
pub(super) fn client_name(at: &Node<'_>, findings: &mut Findings) -> PlacedOption<ClientName> {
    let (name, span) = text(at, "clientName", findings)?;
    let help = "write a name of one line, or leave `clientName` out";
    let what = "is not a valid client name";
    Some((parsed(name, span, Rule::ClientName, (what, help), findings)?, span))
}

/// What digdirator sets of every client, whatever its manifest says. The rest is as it is live.
pub(super) fn bare<const N: usize>(
    integration_type: IntegrationType,
    grants: [GrantType; N],
) -> ClientAttributes {
    ClientAttributes {
        application_type: Some(ApplicationType::Web),
        token_endpoint_auth_method: Some(AuthMethod::PrivateKeyJwt),
        grant_types: Some(grants.into()),
        refresh_token_usage: Some(RefreshTokenUsage::Onetime),
        ..ClientAttributes::as_live(integration_type)
    }
}

/// Declares the client of each of the applications. `identity` tells what it is called in the
/// repository.
pub(super) fn declare(
    owners: &Owners,
    identity: impl Fn(&Application) -> String,
    client_name: PlacedOption<ClientName>,
    attributes: &ClientAttributes,
    places: Places,
    declared: &mut Declared,
    findings: &Findings,
) {
    let (client_name, name_span) = client_name.unzip();
    let own = [("name", owners.span), ("client_name", name_span.unwrap_or(owners.span))];
    let spans = Spans::of_keys(places.into_iter().chain(own));
    for (application, environments) in &owners.applications {
        let Ok(name) = identity(application).parse() else { continue };
        let description = application.to_string();
        let attributes =
            ClientAttributes { description: description.clone(), ..attributes.clone() };
        declared.clients.push(DeclaredClient {
            name,
            previous_name: None,
            integration_type: attributes.integration_type,
            part: ClientPart {
                description: Some(description),
                spans: spans.clone(),
                ..ClientPart::default()
            },
            overrides: Vec::new(),
            environments: *environments,
            prevent_deactivation: false,
            place: findings.place(owners.span),
            manifest: Some(Box::new(ManifestClient {
                application: application.clone(),
                client_name: client_name.clone(),
                attributes,
            })),
        });
    }
}
