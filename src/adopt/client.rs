//! A live client as its declaration.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Input;
use super::attributes::{Attributes, Differing, ExplicitAttributes, entries};
use super::found::{FoundClient, OnSides};
use domain::{
    Attribute, CLIENT, ClientName, IntegrationType, OnBehalfOf, OnBehalfOfId, Representation,
    ValueType, changes,
};
use yaml::{Yaml, YamlEntries};

/// The keys of a client's declaration. `keys` are the names of its key files, as the declaration writes them.
pub(super) fn declaration(
    name: &ClientName,
    kind: IntegrationType,
    on: &OnSides<FoundClient<'_>>,
    keys: &Differing<Option<String>>,
    input: &Input<'_>,
    is_explicit: bool,
) -> YamlEntries {
    let mut base: YamlEntries = vec![("name".to_owned(), Yaml::text(name.as_str()))];
    let mut own: BTreeMap<usize, YamlEntries> = BTreeMap::new();
    let ids = on.iter().filter(|(_, client)| client.is_pinned);
    for (side, client) in ids {
        let id = ("client_id".to_owned(), Yaml::Quoted(client.id.to_string()));
        match on.len() {
            1 => base.push(id),
            _ => own.entry(*side).or_default().push(id),
        }
    }
    if kind != IntegrationType::Maskinporten {
        base.push((CLIENT.integration_type.name.to_owned(), Yaml::text(kind.as_str())));
    }
    let explicit_attributes = explicit_attributes(kind, on, input, is_explicit);
    // The consumed scopes come last.
    let scopes = CLIENT.scopes.name;
    let names = CLIENT.all().map(|attribute| attribute.name).into_iter();
    let names: Vec<_> = names.filter(|name| *name != scopes).chain([scopes]).collect();
    base.extend(entries(&explicit_attributes.base, &names));
    for (side, explicit_attributes) in &explicit_attributes.own {
        own.entry(*side).or_default().extend(entries(explicit_attributes, &names));
    }
    let keys = keys.map(|file| match file {
        Some(file) => Yaml::text(file),
        None => Yaml::List(Vec::new()),
    });
    let on_behalf_of = Differing::new(
        on.iter().filter_map(|(side, client)| {
            let live = &input.sides.get(*side)?.live;
            let entries = on_behalf_of(client, live)?;
            Some((*side, entries))
        }),
        on.len(),
        Vec::new(),
    );
    for (key, parts) in
        [("jwks", keys), ("onbehalfof", on_behalf_of.map(|them| Yaml::Lines(them.clone())))]
    {
        base.extend(parts.base.map(|yaml| (key.to_owned(), yaml)));
        for (side, yaml) in parts.own {
            own.entry(side).or_default().push((key.to_owned(), yaml));
        }
    }
    let is_elsewhere = input.repository.has_client(name.as_str(), None);
    base.extend(input.environments(on, is_elsewhere));
    base.extend(input.per_environment(own.into_iter()));
    base
}

fn explicit_attributes(
    kind: IntegrationType,
    on: &OnSides<FoundClient<'_>>,
    input: &Input<'_>,
    is_explicit: bool,
) -> ExplicitAttributes {
    let resolve = |explicit_attributes: &[&Representation]| {
        let attributes = input.repository.client_attributes(kind, explicit_attributes)?;
        Some(attributes.wanted().collect::<Vec<_>>())
    };
    let usual: BTreeSet<_> =
        resolve(&[]).unwrap_or_default().iter().map(|field| field.name).collect();
    let attributes = Attributes {
        table: &CLIENT.all(),
        drivers: &[&CLIENT.application_type],
        resolve: &resolve,
    };
    let mut sides = on.iter();
    let Some((_, first)) = sides.next() else { return ExplicitAttributes::default() };
    let mut base = attributes.differing(&first.live.representation, &[]);
    if is_explicit {
        let is_default = |attribute: &str| input.repository.has_client_default(attribute);
        base.extend(attributes.explicit(&base, is_default));
    }
    let mut later: BTreeMap<usize, Representation> = BTreeMap::new();
    for attribute in CLIENT.all().into_iter().filter(|it| !usual.contains(it.name)) {
        let values: Vec<_> = on
            .iter()
            .filter_map(|(side, client)| {
                Some((*side, shown_value(attribute, kind, client, input)?))
            })
            .collect();
        let name = attribute.name.to_owned();
        match values.as_slice() {
            [(_, first), ..] if values.len() == on.len() => drop(base.insert(name, first.clone())),
            _ => {
                for (side, value) in values {
                    later.entry(side).or_default().insert(name.clone(), value);
                }
            }
        }
    }
    let own = sides
        .map(|(side, client)| (*side, attributes.differing(&client.live.representation, &[&base])));
    let mut own: BTreeMap<usize, Representation> = own.collect();
    for (side, fields) in later {
        own.entry(side).or_default().extend(fields);
    }
    ExplicitAttributes { base, own }
}

/// The value to show for an attribute that a declaration leaves as it is live.
fn shown_value(
    attribute: &Attribute,
    kind: IntegrationType,
    client: &FoundClient<'_>,
    input: &Input<'_>,
) -> Option<Value> {
    let live = &client.live.representation;
    let value = attribute.of(live).filter(|value| !value.is_null() && *value != "")?;
    let own = input.repository.organization();
    let is_usual = match attribute.value_type {
        ValueType::Orgno => {
            value.as_str().is_none_or(|text| own.is_some_and(|own| own.as_str() == text))
        }
        _ => !kind.has_login(),
    };
    (!is_usual).then(|| value.clone())
}

/// The organisations on whose behalf a client acts; `None` where they stay as they are.
fn on_behalf_of(client: &FoundClient<'_>, live: &domain::Live) -> Option<Vec<Yaml>> {
    let entries = client.live.on_behalf_of.as_ref()?;
    if super::found::has_odd_entries(client.id, live) {
        return None;
    }
    Some(entries.iter().map(|(id, entry)| entry_of(id, entry)).collect())
}

fn entry_of(id: &OnBehalfOfId, live: &Representation) -> Yaml {
    let mut entry = vec![("onbehalfof".to_owned(), Yaml::text(id.as_str()))];
    let fields: Representation = changes(live, OnBehalfOf::default().wanted())
        .into_iter()
        .map(|change| (change.field.to_owned(), change.before))
        .collect();
    let order = OnBehalfOf::default().wanted().map(|field| field.name);
    entry.extend(entries(&fields, &order));
    Yaml::Map(entry)
}
