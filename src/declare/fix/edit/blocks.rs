//! Addition and removal of entries of `blocked`.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;

use super::{CannotEdit, Edited, LAST};
use crate::declare::diagnostic::Place;
use crate::declare::read::declared::{DeclaredBlock, Who};
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::silences::MARK;
use crate::declare::repository::Repository;
use domain::Orgno;
use yaml::{CHANGED, COMMENT, Editor, Hindrance, Route, Yaml, edited};

/// The file of `blocked` in a repository that declares no alias.
const NEW_FILE: &str = "blocked.yaml";

/// A file of which no entry is left.
const EMPTY: &str = "blocked: []\n";

/// An entry of `blocked`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockEntry {
    /// The alias or organisation number.
    pub consumer: String,
    /// The environments in which it counts; empty for all.
    pub environments: Vec<String>,
    /// Globs of scope names; empty for all scopes.
    pub scopes: Vec<String>,
    /// The reason.
    pub reason: String,
}

/// An organisation, as the repository names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedConsumer {
    /// Its alias, or else its number.
    pub written: String,
    /// Its number, or those that its alias has in different environments.
    pub numbers: BTreeSet<Orgno>,
}

impl BlockEntry {
    /// The entry as YAML in one line.
    pub fn line(&self) -> String {
        self.yaml().flow().unwrap_or_default()
    }

    fn yaml(&self) -> Yaml {
        let Self { consumer, environments, scopes, reason } = self;
        let list = |key: &str, texts: &[String]| {
            let list = Yaml::List(texts.iter().map(Yaml::text).collect());
            (!texts.is_empty()).then(|| (key.to_owned(), list))
        };
        let consumer = Some(("consumer".to_owned(), Yaml::text(consumer)));
        let reason = Some(("reason".to_owned(), Yaml::text(reason)));
        let (environments, scopes) = (list("environments", environments), list("scopes", scopes));
        let pairs = [consumer, environments, scopes, reason];
        Yaml::Map(pairs.into_iter().flatten().collect())
    }
}

impl Repository {
    /// The organisation with these numbers: by the alias that has just them, first the one that is `asked` for,
    /// or else by its number; `None` where nothing names them all.
    pub fn named_consumer(&self, asked: &str, numbers: BTreeSet<Orgno>) -> Option<NamedConsumer> {
        let aliases = || {
            let aliases = self.declared().aliases.iter().map(|alias| alias.alias.as_str());
            aliases.filter(|alias| self.numbers(&Who::Alias((*alias).into())) == numbers)
        };
        let alias = aliases().find(|alias| *alias == asked).or_else(|| aliases().next());
        let written = alias.map(str::to_owned).or_else(|| only(&numbers))?;
        Some(NamedConsumer { written, numbers })
    }

    /// How an entry names an organisation so that it counts in an environment, or in all: an alias may be
    /// declared for others alone.
    pub fn in_entry(&self, consumer: &NamedConsumer, environment: Option<&str>) -> String {
        let NamedConsumer { written, numbers } = consumer;
        let aliases = self.declared().aliases.iter().filter(|alias| alias.alias == *written);
        let known = aliases.map(|alias| alias.environments).collect::<EnvironmentSet>();
        let asked = self.set_of(environment).and(self.settings().environment_names.all());
        let number = only(numbers).filter(|_| !asked.without(known).is_empty());
        number.unwrap_or_else(|| written.clone())
    }

    /// The entries of `blocked` that concern an organisation in an environment, or in any, each by its place,
    /// such as `a.yaml:3`.
    pub fn blocks_of(&self, consumer: &NamedConsumer, environment: Option<&str>) -> Vec<String> {
        in_lines(&self.blocks_in(&consumer.numbers, environment))
    }

    /// Those of them that count in other environments too.
    pub fn blocks_beyond(
        &self,
        consumer: &NamedConsumer,
        environment: Option<&str>,
    ) -> Vec<String> {
        let others = self.settings().environment_names.all().without(self.set_of(environment));
        let mut blocks = self.blocks_in(&consumer.numbers, environment);
        blocks.retain(|block| block.environments.overlaps(others));
        in_lines(&blocks)
    }

    /// Whether one of its entries blocks it there already, from all scopes of a new entry.
    pub fn has_block(
        &self,
        consumer: &NamedConsumer,
        new: &BlockEntry,
        environment: Option<&str>,
    ) -> bool {
        let asked = self.set_of(environment).and(self.settings().environment_names.all());
        self.blocks_in(&consumer.numbers, environment).into_iter().any(|block| {
            let has_all = block.scopes.as_ref().is_none_or(|globs| {
                let has = |scope: &String| globs.written.iter().any(|glob| glob.value == *scope);
                !new.scopes.is_empty() && new.scopes.iter().all(has)
            });
            has_all
                && asked.without(block.environments).is_empty()
                && self.numbers(&block.who) == consumer.numbers
        })
    }

    /// The file with one more entry of `blocked`; it may be a new one. All other declarations and all comments are
    /// unchanged. Nothing is written.
    ///
    /// # Errors
    /// It cannot be done safely.
    pub fn with_block(&self, entry: &BlockEntry) -> Result<Edited, CannotEdit> {
        let wanted = format!("By hand: add {} to `blocked`", entry.line());
        let declared = self.declared();
        let of_alias = || {
            let own = declared.aliases.iter().find(|alias| alias.alias == entry.consumer);
            Some(own.or(declared.aliases.first())?.at("orgno"))
        };
        let place = declared.blocks.first().map(|block| block.place.clone()).or_else(of_alias);
        let Some(place) = place else {
            let is_new = !self.has_file(NEW_FILE);
            let is_empty = self.source(NEW_FILE).as_deref() == Some(EMPTY);
            if !self.includes(NEW_FILE) || !(is_new || is_empty) {
                return Err(CannotEdit::new(NEW_FILE, "it is there, or would not be read", wanted));
            }
            let after = format!("blocked:\n  - {}\n", entry.line());
            return Ok(Edited { file: NEW_FILE.to_owned(), after });
        };
        let edit = |item: &Route, text: &str| {
            edited(text, |editor| editor.append(&item.root(), LAST, "blocked", &entry.yaml()))
        };
        self.edit_item(&place, wanted, edit)
    }

    /// The files without the entries of `blocked` that concern an organisation in an environment, or in any.
    /// Nothing is written.
    ///
    /// # Errors
    /// It cannot be done safely.
    pub fn without_blocks(
        &self,
        consumer: &NamedConsumer,
        environment: Option<&str>,
    ) -> Result<Vec<Edited>, CannotEdit> {
        let mut by_file: BTreeMap<&str, Vec<&Place>> = BTreeMap::new();
        for DeclaredBlock { place, .. } in self.blocks_in(&consumer.numbers, environment) {
            by_file.entry(&place.file).or_default().push(place);
        }
        let each = by_file.into_iter().map(|(file, places)| {
            let wanted = format!("By hand: take {} out of `blocked`", consumer.written);
            self.edit_file(file, wanted, |before| match holds_only_blocks(before, places.len()) {
                // A file of which nothing would be left.
                true if before.contains('#') => Err(COMMENT),
                true => Ok(EMPTY.to_owned()),
                false => edited(before, |editor| unblock(editor, &places)),
            })
        });
        each.collect()
    }

    fn blocks_in(
        &self,
        numbers: &BTreeSet<Orgno>,
        environment: Option<&str>,
    ) -> Vec<&DeclaredBlock> {
        let within = self.set_of(environment);
        let blocks = self.declared().blocks.iter();
        let blocks = blocks.filter(|block| block.environments.overlaps(within));
        blocks.filter(|block| !self.numbers(&block.who).is_disjoint(numbers)).collect()
    }

    /// The numbers that a name has in any environment.
    fn numbers(&self, who: &Who) -> BTreeSet<Orgno> {
        match who {
            Who::Orgno(orgno) => [*orgno].into(),
            Who::Alias(name) => {
                let aliases = self.declared().aliases.iter();
                aliases.filter(|alias| *alias.alias == **name).map(|alias| alias.orgno).collect()
            }
            // A group is never blocked as such.
            Who::Group(_) => BTreeSet::new(),
        }
    }
}

/// Removes the entries in which an organisation is named at these places.
fn unblock(editor: &mut Editor<'_>, places: &[&Place]) -> Result<(), Hindrance> {
    let entries = places.iter().map(|place| editor.holder(place.span).ok_or(CHANGED));
    let entries: Vec<Route> = entries.collect::<Result<_, _>>()?;
    let mut lists: Vec<Route> = Vec::new();
    for entry in &entries {
        let list = entry.root().key("blocked");
        if !lists.contains(&list) {
            lists.push(list);
        }
    }
    for list in lists {
        let count = editor.value(&list).and_then(Value::as_sequence).ok_or(CHANGED)?.len();
        let gone = (0..count).filter(|index| entries.contains(&list.item(*index)));
        let gone: Vec<usize> = gone.collect();
        match gone.len() == count {
            true => editor.remove(&list, MARK)?,
            false => editor.remove_items(&list, &gone, MARK)?,
        }
    }
    Ok(())
}

/// Whether a text holds one document with that many entries below `blocked`, and nothing else.
fn holds_only_blocks(text: &str, count: usize) -> bool {
    let Ok(Value::Mapping(root)) = serde_yaml::from_str::<Value>(text) else { return false };
    let blocks = root.get("blocked").and_then(Value::as_sequence);
    root.len() == 1 && blocks.is_some_and(|blocks| blocks.len() == count)
}

fn in_lines(blocks: &[&DeclaredBlock]) -> Vec<String> {
    let places = blocks.iter().map(|block| &block.place);
    places.map(|place| format!("{}:{}", place.file, place.line())).collect()
}

/// The number, if there is but one.
fn only(numbers: &BTreeSet<Orgno>) -> Option<String> {
    numbers.first().filter(|_| numbers.len() == 1).map(ToString::to_string)
}
