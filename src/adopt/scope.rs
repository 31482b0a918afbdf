//! A live scope as its declaration.

use std::collections::BTreeSet;

use serde_json::Value;

use super::attributes::{Attributes, ExplicitAttributes, differing, entries, explicit};
use super::consumers::Consumers;
use super::found::OnSides;
use super::{Input, Side};
use domain::{Live, LiveScope, Representation, SCOPE, ScopeName, kept_value};
use yaml::{Yaml, YamlEntries};

/// The keys of a scope's declaration.
pub(super) fn declaration(
    name: &ScopeName,
    on: &OnSides<&LiveScope>,
    input: &Input<'_>,
    consumers: &Consumers<'_>,
    is_explicit: bool,
) -> YamlEntries {
    let ExplicitAttributes { base, mut own } = explicit_attributes(on, input, is_explicit);
    let names = SCOPE.all().map(|attribute| attribute.name);
    let mut declaration = vec![("name".to_owned(), Yaml::text(name.as_str()))];
    declaration.extend(entries(&base, &names));
    let is_active = on.values().next().is_none_or(|scope| scope.active);
    if !is_active {
        declaration.push(("active".to_owned(), Yaml::Word("false".to_owned())));
    }
    for (side, _) in on.iter().filter(|(_, scope)| scope.active != is_active) {
        own.entry(*side).or_default().insert("active".to_owned(), (!is_active).into());
    }
    let sides: BTreeSet<usize> = on.keys().copied().collect();
    let is_elsewhere = input.repository.has_scope(name, None);
    if let Some(environments) = input.environments(&sides, is_elsewhere) {
        let environments = environments.into_iter().map(Yaml::Text).collect();
        declaration.push(("environments".to_owned(), Yaml::List(environments)));
    }
    let consumers = consumers.entries(name, on);
    if !consumers.is_empty() {
        declaration.push(("consumers".to_owned(), Yaml::Lines(consumers)));
    }
    let own: YamlEntries = own
        .iter()
        .filter(|(_, explicit_attributes)| !explicit_attributes.is_empty())
        .filter_map(|(side, explicit_attributes)| {
            Some((input.name(*side)?.to_owned(), Yaml::Map(entries(explicit_attributes, &names))))
        })
        .collect();
    if !own.is_empty() {
        declaration.push(("per_environment".to_owned(), Yaml::Block(own)));
    }
    declaration
}

fn explicit_attributes(
    on: &OnSides<&LiveScope>,
    input: &Input<'_>,
    is_explicit: bool,
) -> ExplicitAttributes {
    let resolve = |explicit_attributes: &[&Representation]| {
        Some(input.repository.scope_attributes(explicit_attributes)?.wanted().collect())
    };
    let mut sides = on.iter().filter_map(|(side, scope)| {
        let Side { live, .. } = input.sides.get(*side)?;
        Some((*side, with_source_name(&scope.representation, live)))
    });
    let attributes = Attributes {
        table: &SCOPE.all(),
        drivers: &[&SCOPE.allowed_integration_types, &SCOPE.at_max_age],
    };
    let mut explicit_attributes = ExplicitAttributes::default();
    if let Some((_, live)) = sides.next() {
        explicit_attributes.base = differing(&live, &[], &attributes, &resolve);
        // The description has no default.
        let description = SCOPE.description.of(&live).filter(|it| it.is_string()).map(kept_value);
        explicit_attributes
            .base
            .insert(SCOPE.description.name.to_owned(), description.unwrap_or_else(|| "".into()));
        if is_explicit {
            let is_default = |attribute: &str| input.repository.has_scope_default(attribute);
            explicit_attributes.base.extend(explicit(
                &explicit_attributes.base,
                is_default,
                &resolve,
            ));
        }
    }
    for (side, live) in sides {
        explicit_attributes
            .own
            .insert(side, differing(&live, &[&explicit_attributes.base], &attributes, &resolve));
    }
    explicit_attributes
}

/// The representation with the name of its delegation source in place of the issuer: the name is the same in
/// every environment.
fn with_source_name(representation: &Representation, live: &Live) -> Representation {
    let mut with_source_name = representation.clone();
    let Some(Value::String(issuer)) = with_source_name.get_mut(SCOPE.delegation_source.name) else {
        return with_source_name;
    };
    let sources = || live.delegation_sources.iter();
    if let Some(named) = sources().find(|source| source.issuer == *issuer) {
        let is_meant = |asked: &str| {
            let mut found = sources().filter(|it| it.name == asked || it.issuer == asked);
            found.next().is_some_and(|first| first.issuer == named.issuer)
        };
        if is_meant(&named.name) {
            named.name.clone_into(issuer);
        }
    }
    with_source_name
}
