//! Live states as values, and their import.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Live, Past, kept, norwegian_date};
use jiff::Timestamp;
use plan::{Plan, plan};
use portvakt::adopt::{AdoptedThing, Input, Layout, ProofError, Proved, Side, proved};
use portvakt::declare::{self, Files, Repository};
use serde_json::{Value, json};

/// The time of all imports.
pub(crate) fn now() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

/// A repository in memory.
pub(crate) struct Repo {
    pub(crate) files: Files,
    pub(crate) key_files: Vec<(String, String)>,
}

impl Repo {
    pub(crate) fn new(settings: &str, yaml: &[(&str, &str)]) -> Self {
        let yaml = yaml.iter().map(|(path, text)| (Arc::from(*path), text.as_bytes().to_vec()));
        let files = Files { settings: settings.as_bytes().to_vec(), yaml: yaml.collect() };
        Self { files, key_files: Vec::new() }
    }

    fn key_file(&self, path: &str) -> Option<Vec<u8>> {
        let mut files = self.key_files.iter();
        files.find(|(of, _)| of == path).map(|(_, text)| text.clone().into_bytes())
    }

    pub(crate) fn read(&self) -> Repository {
        let Files { settings, yaml } = &self.files;
        let read =
            declare::read(Path::new(""), settings, yaml.clone(), &|path| self.key_file(path));
        read.unwrap()
    }

    /// The import of everything that is live.
    pub(crate) fn import(
        &self,
        sides: &[(&str, &Live)],
        layout: Layout,
    ) -> Result<Proved, ProofError> {
        self.import_into("", sides, layout)
    }

    /// The same, into a folder.
    pub(crate) fn import_into(
        &self,
        into: &str,
        sides: &[(&str, &Live)],
        layout: Layout,
    ) -> Result<Proved, ProofError> {
        let sides: Vec<_> = sides
            .iter()
            .map(|(environment, live)| Side {
                environment,
                live,
                before: None,
                declared: None,
                beside: &[],
            })
            .collect();
        let repository = self.read();
        let taken = |path: &str| self.key_file(path).is_some();
        let input = Input { layout, into, taken: &taken, ..Input::new(&repository, &sides) };
        proved(&input, &self.files, &|path| self.key_file(path), now())
    }

    /// The import of chosen entities into one file; optionally added to existing files.
    pub(crate) fn import_chosen(
        &self,
        chosen: &dyn Fn(AdoptedThing<'_>) -> bool,
        sides: &[(&str, &Live)],
        merge: bool,
    ) -> Result<Proved, ProofError> {
        let sides: Vec<_> = sides
            .iter()
            .map(|(environment, live)| Side {
                environment,
                live,
                before: None,
                declared: None,
                beside: &[],
            })
            .collect();
        let repository = self.read();
        let taken = |path: &str| self.key_file(path).is_some();
        let input = Input { chosen, taken: &taken, merge, ..Input::new(&repository, &sides) };
        proved(&input, &self.files, &|path| self.key_file(path), now())
    }

    /// The repository with the files of an import.
    pub(crate) fn with(&self, made: &Proved) -> Self {
        let mut files = self.files.clone();
        let mut key_files = self.key_files.clone();
        for file in &made.files {
            match file.path.ends_with(".yaml") {
                true => {
                    let there = files.yaml.iter().position(|(path, _)| **path == *file.path);
                    assert_eq!(there.is_none(), file.is_new, "{}", file.path);
                    files.yaml.retain(|(path, _)| **path != *file.path);
                    files.yaml.push((file.path.as_str().into(), file.text.clone().into_bytes()));
                }
                false => key_files.push((file.path.clone(), file.text.clone())),
            }
        }
        Self { files, key_files }
    }

    pub(crate) fn plan(&self, environment: &str, live: &Live) -> Plan {
        let repository = self.read();
        let today = norwegian_date(now());
        let (desired, _) = repository.desired(environment, today).unwrap();
        plan(&desired, &Past::default(), live, now())
    }
}

/// The content of the files, one after the other.
pub(crate) fn shown(made: &Proved) -> String {
    let file = |file: &portvakt::adopt::File| format!("=== {}\n{}", file.path, file.text);
    made.files.iter().map(file).collect()
}

/// The entities that were left out, one per line.
pub(crate) fn left_out(made: &Proved) -> Vec<String> {
    made.left_out.iter().map(ToString::to_string).collect()
}

/// A live state of scopes with their consumers, and clients.
pub(crate) fn live(scopes: Value, clients: Value) -> Live {
    let mut all = serde_json::Map::new();
    for (name, scope) in scopes.as_object().unwrap() {
        let mut scope = scope.clone();
        let accesses = scope.as_object_mut().unwrap().remove("access").unwrap_or_else(|| json!({}));
        let accesses: serde_json::Map<String, Value> = accesses
            .as_object()
            .unwrap()
            .iter()
            .map(|(orgno, of)| {
                let (state, name) = match of {
                    Value::String(name) => ("APPROVED", Value::from(name.as_str())),
                    other => (other[0].as_str().unwrap(), other[1].clone()),
                };
                (orgno.clone(), json!({ "state": state, "name": name }))
            })
            .collect();
        let active = scope.get("active") != Some(&json!(false));
        let unclear = scope.as_object_mut().unwrap().remove("unclear").unwrap_or(json!(false));
        let scope = json!({
            "active": active, "representation": scope, "accesses": accesses, "unclear": unclear
        });
        all.insert(name.clone(), scope);
    }
    let mut of_clients = serde_json::Map::new();
    for (id, client) in clients.as_object().unwrap() {
        let mut client = client.clone();
        let own = client.as_object_mut().unwrap();
        let keys = own.remove("keys").unwrap_or_else(|| json!([]));
        let entries = own.remove("onbehalfof");
        own.entry("integration_type").or_insert("maskinporten".into());
        own.insert("client_id".into(), id.as_str().into());
        let mut of_client = json!({
            "active": client.get("active") != Some(&json!(false)),
            "name": kept(client["client_name"].as_str().unwrap_or_default()),
            "integration_type": client["integration_type"],
            "representation": client,
            "keys": keys,
        });
        if let Some(entries) = entries {
            of_client["on_behalf_of"] = entries;
        }
        of_clients.insert(id.clone(), of_client);
    }
    serde_json::from_value(json!({
        "scopes": all,
        "prefixes": ["etat"],
        "delegation_sources": [
            { "name": "altinn", "issuer": "https://www.altinn.no/" },
        ],
        "clients": of_clients,
        "foreign": {},
        "own_client": null,
        "oddities": [],
    }))
    .unwrap()
}

/// A public key as DigDir lists it; another byte makes another key.
pub(crate) fn jwk(kid: &str, byte: u8) -> Value {
    let mut modulus = [byte; 256];
    modulus[0] |= 0x80;
    modulus[255] |= 1;
    let modulus = URL_SAFE_NO_PAD.encode(modulus);
    json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": modulus, "e": "AQAB" })
}
