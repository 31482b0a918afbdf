//! A live scope as its declaration.

use serde_json::Value;

use super::attributes::{Attributes, ExplicitAttributes, entries};
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
    let is_elsewhere = input.repository.has_scope(name, None);
    declaration.extend(input.environments(on, is_elsewhere));
    let consumers = consumers.entries(name, on);
    if !consumers.is_empty() {
        declaration.push(("consumers".to_owned(), Yaml::Lines(consumers)));
    }
    let own = own.into_iter().map(|(side, attributes)| (side, entries(&attributes, &names)));
    declaration.extend(input.per_environment(own));
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
        resolve: &resolve,
    };
    let Some((_, first)) = sides.next() else { return ExplicitAttributes::default() };
    let mut base = attributes.differing(&first, &[]);
    // The description has no default.
    let description = SCOPE.description.of(&first).filter(|it| it.is_string()).map(kept_value);
    let description = description.unwrap_or_else(|| "".into());
    base.insert(SCOPE.description.name.to_owned(), description);
    if is_explicit {
        let is_default = |attribute: &str| input.repository.has_scope_default(attribute);
        base.extend(attributes.explicit(&base, is_default));
    }
    let own = sides.map(|(side, live)| (side, attributes.differing(&live, &[&base])));
    ExplicitAttributes { own: own.collect(), base }
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
