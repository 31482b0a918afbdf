//! The files of what is to be declared.

use std::collections::{BTreeMap, BTreeSet};

use super::consumers::Consumers;
use super::draft::{Body, Draft, Lines, Piece};
use super::found::{Found, approved};
use super::key_files::KeyFiles;
use super::layout::Places;
use super::left_out::LeftOut;
use super::yaml::Yaml;
use super::{Entity, Input, Lessons, client, scope};
use crate::domain::{ClientName, IntegrationType, LiveScope};

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path in the repository, with `/` between its parts.
    pub path: String,
    /// What it holds.
    pub text: String,
    /// How much it declares.
    pub counts: Counts,
}

/// How much is declared. What several environments hold counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Scopes.
    pub scopes: usize,
    /// Accesses to them.
    pub accesses: usize,
    /// Clients.
    pub clients: usize,
    /// Aliases.
    pub aliases: usize,
    /// Groups.
    pub groups: usize,
    /// Files with keys.
    pub key_files: usize,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self { scopes, accesses, clients, aliases, groups, key_files } = other;
        self.scopes += scopes;
        self.accesses += accesses;
        self.clients += clients;
        self.aliases += aliases;
        self.groups += groups;
        self.key_files += key_files;
    }
}

/// The declarations of what is chosen, and what was left out of them. That a plan after them is empty
/// is for [`super::proved`] to see.
pub fn declarations(input: &Input<'_>) -> (Vec<File>, Vec<LeftOut>) {
    let found = Found::new(input);
    let written = Written::new(&found, input, &Lessons::default());
    let left_out = found.left_out.iter().chain(&written.left_out).cloned().collect();
    (written.files(), left_out)
}

/// The files, with what is known of each line.
pub(super) struct Written {
    pub(super) yaml: BTreeMap<String, (Draft, String, Counts)>,
    pub(super) key_files: BTreeMap<String, String>,
    pub(super) left_out: Vec<LeftOut>,
}

impl Written {
    pub(super) fn new(found: &Found<'_>, input: &Input<'_>, lessons: &Lessons) -> Self {
        let places = Places::new(found, input);
        let consumers = Consumers::new(found, input, lessons);
        let folder = |name: &ClientName, _: IntegrationType| {
            let path = places.of_client(name);
            path.rsplit_once('/').map(|(folder, _)| folder.to_owned()).unwrap_or_default()
        };
        let keys = KeyFiles::new(found, input, folder);
        let mut drafts: BTreeMap<String, (Draft, Counts)> = BTreeMap::new();
        let piece = |entity: Entity, body| {
            let silenced = lessons.silences.get(&entity).into_iter().flatten();
            let comments =
                silenced.map(|rule| format!("portvakt: allow {rule} -- live before the rule"));
            Piece { comments: comments.collect(), entity, body }
        };
        let names = consumers.aliases();
        for (entity, alias, value) in names {
            let (draft, counts) = drafts.entry(places.of_consumers()).or_default();
            draft.consumers.push(piece(entity, Body::Entry(alias, value)));
            counts.aliases += 1;
        }
        for (entity, group, members) in consumers.groups() {
            let (draft, counts) = drafts.entry(places.of_consumers()).or_default();
            draft.groups.push(piece(entity, Body::Entry(group, members)));
            counts.groups += 1;
        }
        for (name, on) in &found.scopes {
            let (draft, counts) = drafts.entry(places.of_scope(name)).or_default();
            let declaration = scope::declaration(name, on, input, &consumers);
            let item = Body::Item(Yaml::Block(declaration));
            draft.scopes.push(piece(Entity::Scope(name.clone()), item));
            counts.scopes += 1;
            counts.accesses += accesses(on.values().copied());
        }
        for ((name, kind), on) in &found.clients {
            let Some(keys) = keys.of(name, *kind) else { continue };
            let (draft, counts) = drafts.entry(places.of_client(name)).or_default();
            let declaration = client::declaration(name, *kind, on, keys, input);
            let item = Body::Item(Yaml::Block(declaration));
            draft.clients.push(piece(Entity::Client(name.clone(), *kind), item));
            counts.clients += 1;
        }
        let yaml = drafts.into_iter().map(|(path, (draft, counts))| {
            let schema = schema_of(&path, input.schema);
            (path, (draft, schema, counts))
        });
        let KeyFiles { files, left_out, .. } = keys;
        Self { yaml: yaml.collect(), key_files: files, left_out }
    }

    /// The texts of the YAML files, by their paths, and whose each line is.
    pub(super) fn texts(&self) -> BTreeMap<&str, (String, Lines)> {
        let files = self.yaml.iter();
        files.map(|(path, (draft, schema, _))| (path.as_str(), draft.text(schema))).collect()
    }

    pub(super) fn files(&self) -> Vec<File> {
        let yaml = self.yaml.iter().map(|(path, (draft, schema, counts))| File {
            path: path.clone(),
            text: draft.text(schema).0,
            counts: *counts,
        });
        let keys = self.key_files.iter().map(|(path, text)| File {
            path: path.clone(),
            text: text.clone(),
            counts: Counts { key_files: 1, ..Counts::default() },
        });
        yaml.chain(keys).collect()
    }
}

fn accesses<'a>(sides: impl Iterator<Item = &'a LiveScope>) -> usize {
    let all: BTreeSet<_> = sides.flat_map(approved).collect();
    all.len()
}

/// The schema as a file below the repository names it.
fn schema_of(path: &str, schema: &str) -> String {
    if schema.contains("://") {
        return schema.to_owned();
    }
    let above = "../".repeat(path.matches('/').count());
    format!("{above}{schema}")
}
