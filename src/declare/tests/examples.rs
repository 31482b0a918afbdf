//! The committed schemas are those of the types, and the example is accepted by both.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::{SETTINGS, TODAY, check_one, errors, said};
use crate::declare::{load, schema};
use domain::RemovalAction;

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// `UPDATE_SCHEMAS=1 cargo test` writes what it should be.
fn assert_current(path: &str, schema: &Value) {
    let path = in_repository(path);
    let wanted = domain::text::json::pretty(schema);
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == wanted, "{}: UPDATE_SCHEMAS=1 cargo test", path.display());
}

#[test]
fn committed_schemas_are_current() {
    assert_current("schema/portvakt.schema.json", &schema::settings());
    assert_current("schema/declarations.schema.json", &schema::declarations());
}

fn yaml(text: &str) -> impl Iterator<Item = Value> {
    serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap())
}

#[test]
fn the_example_is_accepted() {
    let repository = load(&in_repository("examples/etat")).unwrap();
    assert_eq!(said(&repository.check(TODAY)), "");
    for environment in ["sandbox", "test", "prod"] {
        let (desired, _) = repository.desired(environment, TODAY).unwrap();
        assert_eq!(desired.scopes.len(), 5);
        assert_eq!(desired.clients.len(), 2);
        assert_eq!(desired.names.len(), 7);
        let removal = desired.removed.values().next().unwrap();
        assert_eq!(removal.action, RemovalAction::Deactivate);
    }
}

#[test]
fn the_example_and_its_schema_comments_are_valid() {
    let mut folders = vec![in_repository("examples/etat")];
    let mut checked = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let comment = text.lines().next().unwrap();
            let (_, schema) = comment.split_once("$schema=").unwrap();
            let schema = path.parent().unwrap().join(schema);
            let schema = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
            for document in yaml(&text) {
                jsonschema::validate(&schema, &document)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 7);
}

#[test]
fn schemas_know_every_form_and_refuse_what_the_reader_refuses() {
    let settings = jsonschema::validator_for(&schema::settings()).unwrap();
    let declarations = jsonschema::validator_for(&schema::declarations()).unwrap();
    assert!(settings.is_valid(&yaml(SETTINGS).next().unwrap()));
    let good = [
        "scopes:\n",
        "consumers: { a: { orgno: '991825827', environments: [test] } }\ngroups: { g: [a] }",
        "scopes: [{ name: etat:a, description: d, allowed_integration_types: [], consumers: \
         ['974761076', { group: g }, { consumer: b, until: 2027-06-30, reason: r }] }]",
        "scopes: [{ name: etat:a, description: d, consumers: \
         [{ group: g, from: 2027-01-01, until: 2027-06-30, environments: [test], reason: r }] }]\ngroups: { g: [a] }",
        "blocked: [{ consumer: '974761076', scopes: ['etat:a*'], environments: [test], reason: r }]",
        "scopes: [{ name: etat:a, description: d, per_environment: { test: { active: false } } }]",
    ];
    for text in good {
        assert!(declarations.is_valid(&yaml(text).next().unwrap()), "{text}");
        let found = check_one(&format!("{text}\n---\n{}", ALIASES));
        assert!(errors(&found).is_empty() || text.contains("groups"), "{}", said(&found));
    }
    let bad = [
        "scope: []",
        "scopes: [{ name: etat:a }]",
        "scopes: [{ name: etat:a, description: d, at_max_age: -1 }]",
        "scopes: [{ name: etat:a, description: d, at_max_age: null }]",
        "scopes: [{ name: etat:a, description: d, visibility: public }]",
        "scopes: [{ name: etat:a, description: d, consumers: [991825827] }]",
        "scopes: [{ name: etat:a, description: d, consumers: [{ group: g, until: 2027 }] }]",
        "blocked: [{ consumer: '974761076' }]",
        "blocked: [{ consumer: '974761076', reason: r, environments: [] }]",
        "scopes: [{ name: etat:a, description: d, environments: [] }]",
        "removed: [{ scope: etat:a, action: delete }]",
    ];
    for text in bad {
        assert!(!declarations.is_valid(&yaml(text).next().unwrap()), "{text}");
        let found = check_one(&format!("{text}\n---\n{ALIASES}"));
        assert!(!errors(&found).is_empty(), "{text}");
    }
    for (from, to) in [
        ("key: { env: KEY }", "key: secret"),
        ("target: sandbox", "target: local"),
        ("prefixes: [etat]", "prefixes: []"),
        ("organization:", "organisation:"),
    ] {
        let text = SETTINGS.replace(from, to);
        assert!(!settings.is_valid(&yaml(&text).next().unwrap()), "{to}");
    }
}

const ALIASES: &str =
    "consumers: { a: { orgno: '991825827' }, b: { orgno: '971040238' } }\ngroups: { g: [a] }";
