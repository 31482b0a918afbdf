//! Addition and removal of entries of `blocked`.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;

use super::{CannotEdit, Edited, LAST};
use crate::declare::diagnostic::Place;
use crate::declare::read::declared::{Alias, Who};
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

/// An organisation, as a person and as the repository name it.
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
    /// The organisation that a text names: by its number, its alias or its name.
    pub fn named_consumer(&self, asked: &str) -> Option<NamedConsumer> {
        let aliases = || self.declared().aliases.iter();
        let of_alias = |alias: &Alias| NamedConsumer {
            written: alias.alias.clone(),
            numbers: self.numbers(&Who::Alias(alias.alias.as_str().into())),
        };
        if let Ok(number) = asked.parse::<Orgno>() {
            let named = aliases().filter(|alias| alias.orgno == number).map(of_alias);
            let own = NamedConsumer { written: number.to_string(), numbers: [number].into() };
            // An alias that has another number elsewhere would block that too.
            return Some(named.into_iter().find(|it| it.numbers == own.numbers).unwrap_or(own));
        }
        let wanted = asked.to_lowercase();
        let is_name =
            |alias: &&Alias| alias.name.as_ref().is_some_and(|name| name.to_lowercase() == wanted);
        let exact = aliases().find(|alias| alias.alias == asked);
        exact.or_else(|| aliases().find(is_name)).map(of_alias)
    }

    /// The entries of `blocked` that concern an organisation, each by its place, such as `a.yaml:3`.
    pub fn blocks_of(&self, consumer: &NamedConsumer) -> Vec<String> {
        let places = self.places_of_blocks(&consumer.numbers).into_iter();
        places.map(|place| format!("{}:{}", place.file, place.line())).collect()
    }

    /// The file with one more entry of `blocked`, and whether it is a new one. All other declarations and all
    /// comments are unchanged. Nothing is written.
    ///
    /// # Errors
    /// It cannot be done safely.
    pub fn with_block(&self, entry: &BlockEntry) -> Result<(Edited, bool), CannotEdit> {
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
            return Ok((Edited { file: NEW_FILE.to_owned(), after }, is_new));
        };
        let edit = |item: &Route, text: &str| {
            edited(text, |editor| editor.append(&item.root(), LAST, "blocked", &entry.yaml()))
        };
        Ok((self.edit_item(&place, wanted, edit)?, false))
    }

    /// The files without the entries of `blocked` that concern an organisation. Nothing is written.
    ///
    /// # Errors
    /// It cannot be done safely.
    pub fn without_blocks(&self, consumer: &NamedConsumer) -> Result<Vec<Edited>, CannotEdit> {
        let mut by_file: BTreeMap<&str, Vec<&Place>> = BTreeMap::new();
        for place in self.places_of_blocks(&consumer.numbers) {
            by_file.entry(&place.file).or_default().push(place);
        }
        let each = by_file.into_iter().map(|(file, places)| {
            let after = || {
                let before = self.source(file).ok_or("it cannot be read any more")?;
                match self.holds_only_blocks_of(&before, &consumer.numbers) {
                    // A file of which nothing would be left.
                    true if before.contains('#') => Err(COMMENT),
                    true => Ok(EMPTY.to_owned()),
                    false => {
                        edited(&before, |editor| self.unblock(editor, &places, &consumer.numbers))
                    }
                }
            };
            let wanted = format!("By hand: take {} out of `blocked`", consumer.written);
            let after = after().map_err(|why| CannotEdit::new(file, why, wanted))?;
            Ok(Edited { file: file.to_owned(), after })
        });
        each.collect()
    }

    /// Removes the entries that concern an organisation from the documents that have one of these places.
    fn unblock(
        &self,
        editor: &mut Editor<'_>,
        places: &[&Place],
        numbers: &BTreeSet<Orgno>,
    ) -> Result<(), Hindrance> {
        let mut lists: Vec<Route> = Vec::new();
        for place in places {
            let list = editor.holder(place.span).ok_or(CHANGED)?.root().key("blocked");
            if !lists.contains(&list) {
                lists.push(list);
            }
        }
        for list in lists {
            let items = editor.value(&list).and_then(Value::as_sequence).ok_or(CHANGED)?;
            let count = items.len();
            let items = items.iter().enumerate();
            let gone = items.filter(|(_, item)| self.is_of(item, numbers)).map(|(index, _)| index);
            let gone: Vec<usize> = gone.collect();
            match gone.len() == count {
                true => editor.remove(&list, MARK)?,
                false => editor.remove_items(&list, &gone, MARK)?,
            }
        }
        Ok(())
    }

    /// Whether a text holds one document with entries of these numbers below `blocked`, and nothing else.
    fn holds_only_blocks_of(&self, text: &str, numbers: &BTreeSet<Orgno>) -> bool {
        let Ok(Value::Mapping(root)) = serde_yaml::from_str::<Value>(text) else { return false };
        let blocks = root.get("blocked").and_then(Value::as_sequence);
        let are_meant = |items: &Vec<Value>| items.iter().all(|item| self.is_of(item, numbers));
        root.len() == 1 && blocks.is_some_and(are_meant)
    }

    /// Whether an entry of `blocked` concerns an organisation.
    fn is_of(&self, entry: &Value, numbers: &BTreeSet<Orgno>) -> bool {
        let named = entry.get("consumer").and_then(Value::as_str);
        let who = named.map(|text| match text.trim().parse() {
            Ok(orgno) => Who::Orgno(orgno),
            Err(_) => Who::Alias(text.trim().into()),
        });
        who.is_some_and(|who| !self.numbers(&who).is_disjoint(numbers))
    }

    fn places_of_blocks(&self, numbers: &BTreeSet<Orgno>) -> Vec<&Place> {
        let blocks = self.declared().blocks.iter();
        let meant = blocks.filter(|block| !self.numbers(&block.who).is_disjoint(numbers));
        meant.map(|block| &block.place).collect()
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
