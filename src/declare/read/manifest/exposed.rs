//! What a manifest exposes: scopes, and who has access to them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fields::{
    check_bounds, check_label, flag, is_mapping, is_placeholder_text, items, number, one_of,
    refuse_nothing, required, text, texts, warn_unknown,
};
use super::owner::Owners;
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::own::sorted;
use crate::declare::read::attributes::ScopeLayer;
use crate::declare::read::declared::{Declared, DeclaredAccess, Label, Scope, Spans, Who};
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::settings::Settings;
use crate::declare::read::texts::parse_orgno;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::optional::{Optional, Spanned};
use domain::nais::{AT_MAX_AGE, Exposed, is_product, is_subscope};
use domain::{IntegrationType, Orgno, SCOPE, ScopeName, Visibility, kept};
use yaml::Node;
use yaml::Span;

/// The keys of an entry of `exposes`.
const KEYS: [&str; 10] = [
    "name",
    "enabled",
    "product",
    "separator",
    "allowedIntegrations",
    "atMaxAge",
    "accessibleForAll",
    "delegationSource",
    "visibility",
    "consumers",
];

/// The life of a token where a manifest says nothing, in seconds.
const USUAL_AT_MAX_AGE: u64 = 30;

/// What an entry of `exposes` says that is the same in each cluster.
struct ExposedScope {
    name: ScopeName,
    product: String,
    active: bool,
    attributes: ScopeLayer,
    spans: Spans,
    consumers: Arc<[DeclaredAccess]>,
    span: Span,
}

/// Reads `exposes`.
pub(super) fn scopes(
    at: &Node<'_>,
    owners: &Owners,
    settings: &Settings,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let help = "write `exposes: []` if nothing is to be exposed";
    refuse_nothing(at, "exposes", "close all that is exposed", help, findings);
    let Some((list, span)) = items(at, "exposes", findings) else { return };
    let counting = owners.applications.iter().map(|(_, environments)| *environments);
    let counting: EnvironmentSet = counting.collect();
    declared.labels.extend(list.iter().flat_map(|entry| labels(entry, counting, findings)));
    let prefix = match list.is_empty() {
        true => None,
        false => settings.nais.prefix(&settings.prefixes, span, findings),
    };
    let entries = list.into_iter().filter_map(|item| entry(item, prefix, findings));
    for entry in last_of_each(entries.collect(), |entry| entry.name.clone()) {
        for (application, environments) in &owners.applications {
            let scope = Scope {
                name: entry.name.clone(),
                spans: entry.spans.clone(),
                description: application.exposing(&entry.product),
                attributes: entry.attributes.clone(),
                active: entry.active,
                prevent_deactivation: false,
                environments: *environments,
                overrides: Vec::new(),
                consumers: entry.consumers.clone(),
                place: findings.place(entry.span),
                in_manifest: true,
            };
            sorted::check(&scope, settings, findings);
            declared.scopes.push(scope);
        }
    }
}

fn entry(at: &Node<'_>, prefix: Option<&str>, findings: &mut Findings) -> Option<ExposedScope> {
    if !is_mapping(at, findings) {
        return None;
    }
    warn_unknown(at, &KEYS, findings);
    let (attributes, spans) = attributes(at, findings);
    let consumers = consumers(at, findings);
    let enabled = required(at, "enabled", findings, flag);
    check_separator(at, findings);
    let exposed = exposed(at, findings);
    let (exposed, span) = exposed?;
    let name = format!("{}:{}", prefix?, exposed.subscope()).parse().ok()?;
    let (active, _) = enabled?;
    let product = exposed.product;
    Some(ExposedScope { name, product, active, attributes, spans, consumers, span })
}

/// The subscope, and where its name stands.
fn exposed(at: &Node<'_>, findings: &mut Findings) -> Option<(Exposed, Span)> {
    const SEPARATORS: [(&str, char); 3] = [("/", '/'), (":", ':'), (".", '.')];
    let product = required(at, "product", findings, text);
    let name = required(at, "name", findings, text);
    let separator = match text(at, "separator", findings) {
        Some(input) => Some(one_of(input, &SEPARATORS, findings)?),
        None => None,
    };
    let product = product.filter(|(product, span)| {
        let is_product = is_product(product);
        if !is_product {
            let message = format!("{} is not a product name at NAIS", quoted(product));
            let help = "a product is of letters a to z and digits, such as `arbeid`";
            findings.report(Rule::Exposed, *span, &message, help);
        }
        is_product
    });
    let (name, span) = name?;
    let name = &*kept(name);
    if !is_subscope(name) {
        report_form(name, span, findings);
        return None;
    }
    let exposed = Exposed { product: product?.0.to_owned(), separator, name: name.to_owned() };
    Some((exposed, span))
}

/// Kubernetes refuses a delegation source with any other separator, or with none.
fn check_separator(at: &Node<'_>, findings: &mut Findings) {
    let given = |key: &str| at.get(key).filter(|at| !at.value.is_null());
    let separator = given("separator");
    if given("delegationSource").is_some()
        && separator.is_none_or(|at| at.value.as_str() != Some("/"))
    {
        let message =
            "`delegationSource` needs `separator: \"/\"`: Kubernetes refuses the manifest";
        let has_slash = at.text("name").is_some_and(|(name, _)| name.contains('/'));
        let help = match separator.is_none() && has_slash {
            true => "add `separator: \"/\"`; the scope's name has it already, and stays the same",
            false => {
                "add `separator: \"/\"`; that is part of the scope's name, so another scope is \
                 exposed by it"
            }
        };
        let span = separator.map_or_else(|| at.key_span("delegationSource"), Node::span);
        findings.report(Rule::Exposed, span, message, help).hides = false;
    }
}

fn report_form(subscope: &str, span: Span, findings: &mut Findings) {
    let message = format!("the name {} is not formed as one of NAIS", quoted(subscope));
    let help = "write it of letters a to z, æ, ø, å and digits, the name ending in two of them or \
                more, with `/` before `:`, and `.` behind the last of these alone";
    findings.report(Rule::Exposed, span, &message, help);
}

/// The attributes that digdirator sets, and where those stand that the manifest gives. It leaves out the
/// others.
fn attributes(at: &Node<'_>, findings: &mut Findings) -> (ScopeLayer, Spans) {
    const VISIBILITIES: [(&str, Visibility); 2] =
        [("public", Visibility::Public), ("private", Visibility::Private)];
    let at_max_age = number(at, "atMaxAge", findings);
    let accessible_for_all = flag(at, "accessibleForAll", findings);
    let delegation_source = text(at, "delegationSource", findings);
    let visibility = text(at, "visibility", findings);
    let types = texts(at, "allowedIntegrations", findings);
    check_bounds(at_max_age, AT_MAX_AGE, findings);
    let spans = [
        (&SCOPE.at_max_age, at_max_age.map(|(_, span)| span)),
        (&SCOPE.accessible_for_all, accessible_for_all.map(|(_, span)| span)),
        (&SCOPE.delegation_source, delegation_source.map(|(_, span)| span)),
        (&SCOPE.visibility, visibility.map(|(_, span)| span)),
        (&SCOPE.allowed_integration_types, types.as_ref().map(|(_, span)| *span)),
    ];
    let spans = spans.into_iter().filter_map(|(attribute, span)| Some((attribute.name, span?)));
    let layer = ScopeLayer {
        visibility: said(
            visibility
                .and_then(|input| one_of(input, &VISIBILITIES, findings))
                .unwrap_or(Visibility::Public),
        ),
        allowed_integration_types: said(integration_types(types, findings)),
        at_max_age: said(at_max_age.map_or(USUAL_AT_MAX_AGE, |(seconds, _)| seconds)),
        accessible_for_all: said(accessible_for_all.is_some_and(|(flag, _)| flag)),
        delegation_source: said({
            let (value, span) = delegation_source.unwrap_or(("", at.span()));
            Spanned { value: value.to_owned(), span }
        }),
        // NAIS sets 0; with nothing said it would follow `at_max_age`.
        authorization_max_lifetime: said(0),
        ..ScopeLayer::default()
    };
    (layer, Spans::of_keys(spans))
}

fn said<T>(value: T) -> Optional<T> {
    Optional(Some(value))
}

/// What may carry the scope: Maskinporten's clients where nothing is said.
fn integration_types(
    input: Option<(Vec<(&str, Span)>, Span)>,
    findings: &mut Findings,
) -> Vec<IntegrationType> {
    let words = IntegrationType::ALL.map(|kind| (kind.as_str(), kind));
    let input = input.map(|(input, _)| input).unwrap_or_default();
    if input.is_empty() {
        return vec![IntegrationType::Maskinporten];
    }
    input.into_iter().filter_map(|word| one_of(word, &words, findings)).collect()
}

fn consumers(at: &Node<'_>, findings: &mut Findings) -> Arc<[DeclaredAccess]> {
    let help = "write `consumers: []` if nobody is to have access";
    refuse_nothing(at, "consumers", "revoke everybody's access", help, findings);
    let Some((list, _)) = items(at, "consumers", findings) else {
        return Arc::default();
    };
    let named = list.into_iter().filter_map(|at| consumer(at, findings)).collect();
    last_of_each(named, |(orgno, _)| *orgno).into_iter().map(|(_, access)| access).collect()
}

/// The names that an entry gives its consumers.
fn labels(entry: &Node<'_>, environments: EnvironmentSet, findings: &Findings) -> Vec<Label> {
    let consumers = entry.get("consumers").into_iter().flat_map(Node::items);
    let label = |at: &Node<'_>| {
        let orgno = at.text("orgno")?.0.parse().ok()?;
        let (name, span) = at.text("name")?;
        let name = kept(name).into_owned();
        let place = findings.place(span);
        (!name.is_empty() && !is_placeholder_text(&name)).then_some(Label {
            orgno,
            name,
            environments,
            place,
        })
    };
    consumers.filter_map(label).collect()
}

/// Of the entries with the same key the last one, which is the one that counts for digdirator.
fn last_of_each<T, K: Ord>(entries: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut seen = BTreeSet::new();
    let mut kept: Vec<T> =
        entries.into_iter().rev().filter(|entry| seen.insert(key(entry))).collect();
    kept.reverse();
    kept
}

fn consumer(at: &Node<'_>, findings: &mut Findings) -> Option<(Orgno, DeclaredAccess)> {
    if !is_mapping(at, findings) {
        return None;
    }
    warn_unknown(at, &["orgno", "name"], findings);
    check_label(at, "name", findings);
    let (orgno, who_span) = required(at, "orgno", findings, text)?;
    let orgno = parse_orgno(orgno, who_span, findings)?;
    Some((orgno, DeclaredAccess::plain(Who::Orgno(orgno), who_span, at.span())))
}
