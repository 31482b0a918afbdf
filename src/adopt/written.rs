//! Files of the entities to declare.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::completed::Completed;
use super::consumers::Consumers;
use super::counts::Counts;
use super::draft::{DraftBody, DraftLines, FileDraft, Piece};
use super::found::{Found, approved};
use super::key_files::KeyFileDrafts;
use super::layout::FilePlaces;
use super::left_out::LeftOut;
use super::proof::ProofError;
use super::{AdoptedEntity, Input, Lessons, client, merge, scope};
use crate::declare::Files;
use domain::LiveScope;
use domain::nais::{self, Application};
use yaml::{UNREADABLE, Yaml};

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path in the repository, with `/` between its parts.
    pub path: String,
    /// Its content.
    pub text: String,
    /// Number of declared entities in it; of the added ones, if the file exists already.
    pub counts: Counts,
    /// Whether it is new.
    pub is_new: bool,
}

/// The declarations of the chosen entities, and those that were left out, all in new files. [`super::proved`]
/// checks that a plan after them is empty.
pub fn declarations(input: &Input<'_>, today: Date) -> (Vec<File>, Vec<LeftOut>) {
    let found = Found::new(input, today);
    let written = Written::new(&found, input, &Lessons::default(), Completed::default());
    let left_out = found.left_out.iter().chain(&written.left_out).cloned().collect();
    let texts = written.drafts.iter();
    let texts = texts.map(|(path, made)| (path.clone(), Text::new(path, &made.draft, input)));
    (written.files(&texts.collect()), left_out)
}

/// The content to write, file by file.
pub(super) struct Written {
    drafts: BTreeMap<String, MadeFiles>,
    completed: Completed,
    pub(super) key_files: BTreeMap<String, String>,
    pub(super) left_out: Vec<LeftOut>,
}

/// A file under construction.
#[derive(Default)]
struct MadeFiles {
    draft: FileDraft,
    counts: Counts,
}

/// A file's text, and the entities that its lines declare.
pub(super) struct Text {
    pub(super) text: String,
    pub(super) lines: DraftLines,
    is_new: bool,
}

impl Text {
    /// A new file at a path.
    fn new(path: &str, draft: &FileDraft, input: &Input<'_>) -> Self {
        let (text, lines) = draft.text(&schema_of(path, input.schema));
        Self { text, lines, is_new: true }
    }
}

/// The texts of YAML files, by their paths.
pub(super) type Texts = BTreeMap<String, Text>;

impl Written {
    pub(super) fn new(
        found: &Found<'_>,
        input: &Input<'_>,
        lessons: &Lessons,
        completed: Completed,
    ) -> Self {
        let places = FilePlaces::new(found, input);
        let consumers = Consumers::new(found, input, lessons);
        let mut key_files = KeyFileDrafts::default();
        let mut drafts: BTreeMap<String, MadeFiles> = BTreeMap::new();
        let piece = |entity: AdoptedEntity, owner: Option<Application>, body| {
            let silenced = lessons.silences.get(&entity).into_iter().flatten();
            let silences =
                silenced.map(|rule| format!("portvakt: allow {rule} -- live before the rule"));
            let owner = owner.map(|owner| format!("NAIS holds it, by its description: {owner}"));
            Piece { comments: owner.into_iter().chain(silences).collect(), entity, body }
        };
        for (entity, alias, value) in consumers.aliases() {
            let MadeFiles { draft, counts } = drafts.entry(places.of_consumers()).or_default();
            draft.consumers.push(piece(entity, None, DraftBody::Entry(alias, value)));
            counts.aliases += 1;
        }
        for (entity, group, members) in consumers.groups() {
            let MadeFiles { draft, counts } = drafts.entry(places.of_consumers()).or_default();
            draft.groups.push(piece(entity, None, DraftBody::Entry(group, members)));
            counts.groups += 1;
        }
        for (name, on) in &found.scopes {
            let MadeFiles { draft, counts } = drafts.entry(places.of_scope(name)).or_default();
            let is_explicit = lessons.is_explicit(&AdoptedEntity::Scope(name.clone()));
            let declaration = scope::declaration(name, on, input, &consumers, is_explicit);
            let item = DraftBody::Item(Yaml::Block(declaration));
            let description = on.values().next().map(|scope| scope.description());
            let owner = description.and_then(|it| nais::owner_of_scope(it, name.subscope()));
            draft.scopes.push(piece(AdoptedEntity::Scope(name.clone()), owner, item));
            counts.scopes += 1;
            counts.accesses += accesses(on.values().copied());
        }
        for ((name, kind), on) in &found.clients {
            let path = places.of_client(name);
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let keys = key_files.add(name, on, input, folder);
            let MadeFiles { draft, counts } = drafts.entry(path).or_default();
            let is_explicit = lessons.is_explicit(&AdoptedEntity::Client(name.clone(), *kind));
            let declaration = client::declaration(name, *kind, on, &keys, input, is_explicit);
            let item = DraftBody::Item(Yaml::Block(declaration));
            let description = on.values().next().map(|client| client.live.description());
            let owner = description.and_then(nais::owner_of_client);
            draft.clients.push(piece(AdoptedEntity::Client(name.clone(), *kind), owner, item));
            counts.clients += 1;
        }
        let KeyFileDrafts { files, left_out } = key_files;
        Self { drafts, completed, key_files: files, left_out }
    }

    /// The texts, appended to existing content if that is wanted.
    pub(super) fn texts(&self, input: &Input<'_>, files: &Files) -> Result<Texts, ProofError> {
        let there: BTreeMap<&str, &[u8]> =
            files.yaml.iter().map(|(path, bytes)| (&**path, bytes.as_slice())).collect();
        let is_free = |path: &str| match there.contains_key(path) {
            true => input.merge,
            false => !(input.taken)(path),
        };
        let taken: Vec<_> = self.drafts.keys().filter(|path| !is_free(path)).cloned().collect();
        if !taken.is_empty() {
            return Err(ProofError::There(taken));
        }
        let text = |(path, made): (&String, &MadeFiles)| {
            let cannot = |why| ProofError::CannotMerge { file: path.clone(), why };
            let completed = self.completed.texts.get(path).map(String::as_bytes);
            let there = completed.or_else(|| there.get(path.as_str()).copied());
            let text = match there.filter(|_| input.merge) {
                None => Text::new(path, &made.draft, input),
                Some(bytes) => {
                    let before =
                        std::str::from_utf8(bytes).map_err(|_| cannot(UNREADABLE.into()))?;
                    let (text, lines) = merge::merged(before, &made.draft).map_err(cannot)?;
                    Text { text, lines, is_new: false }
                }
            };
            Ok((path.clone(), text))
        };
        let completed = self.completed.texts.iter().map(|(path, text)| {
            let text = Text { text: text.clone(), lines: DraftLines::new(), is_new: false };
            (path.clone(), text)
        });
        let mut texts: Texts = completed.collect();
        for made in self.drafts.iter().map(text) {
            texts.extend([made?]);
        }
        Ok(texts)
    }

    pub(super) fn files(&self, texts: &Texts) -> Vec<File> {
        let counts = |path: &str| {
            let mut counts = self.drafts.get(path).map(|made| made.counts).unwrap_or_default();
            counts += self.completed.counts.get(path).copied().unwrap_or_default();
            counts
        };
        let yaml = texts.iter().map(|(path, Text { text, lines: _, is_new })| File {
            path: path.clone(),
            text: text.clone(),
            counts: counts(path),
            is_new: *is_new,
        });
        let keys = self.key_files.iter().map(|(path, text)| File {
            path: path.clone(),
            text: text.clone(),
            counts: Counts { key_files: 1, ..Counts::default() },
            is_new: true,
        });
        yaml.chain(keys).collect()
    }
}

fn accesses<'a>(sides: impl Iterator<Item = &'a LiveScope>) -> usize {
    let all: BTreeSet<_> = sides.flat_map(approved).collect();
    all.len()
}

/// The schema, as a file in the repository refers to it.
fn schema_of(path: &str, schema: &str) -> String {
    if schema.contains("://") || schema.starts_with('/') {
        return schema.to_owned();
    }
    let above = "../".repeat(path.matches('/').count());
    format!("{above}{schema}")
}
