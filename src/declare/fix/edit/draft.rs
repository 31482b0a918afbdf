//! An item of a file in the making: each step changes the text, and what it is to say in the end.

use serde_yaml::{Mapping, Value};

use super::page::Page;
use super::{ALIASES, Because, CHANGED, NOT_THE_SAME, documents};
use crate::declare::diagnostic::span::Span;
use crate::declare::yaml::document::{Document, Findings, Located, parse};
use crate::yaml::scalar;

/// A text that changes step by step, beside what it is to say in the end.
pub(super) struct Draft {
    text: String,
    wanted: Vec<Value>,
    /// Which document, which list of it, and which item of that.
    at: (usize, &'static str, usize),
}

impl Draft {
    pub(super) fn new(text: &str, list: &'static str, name: Span) -> Result<Self, Because> {
        let read = read(text)?;
        let item = |document: &Document<'_>| {
            let mut items = document.root().get(list)?.items();
            items.position(|item| item.text("name").is_some_and(|(_, span)| span == name))
        };
        let mut places = read.iter().enumerate();
        let at = places.find_map(|(index, document)| Some((index, list, item(document)?)));
        let wanted = documents(text).ok_or(CHANGED)?;
        Ok(Self { text: text.to_owned(), wanted, at: at.ok_or(CHANGED)? })
    }

    /// The text, if it says what is wanted.
    pub(super) fn done(self) -> Result<String, Because> {
        match documents(&self.text).is_some_and(|after| after == self.wanted) {
            true => Ok(self.text),
            false => Err(NOT_THE_SAME),
        }
    }

    /// Changes the text: `edit` gets the document and the item.
    fn page(
        &mut self,
        edit: impl FnOnce(Located<'_>, Located<'_>, &mut Page<'_>) -> Result<(), Because>,
    ) -> Result<(), Because> {
        let (document, list, item) = self.at;
        let read = read(&self.text)?;
        let root = read.get(document).ok_or(CHANGED)?.root();
        let item = root.get(list).and_then(|list| list.item(item)).ok_or(CHANGED)?;
        let mut page = Page::new(&self.text);
        edit(root, item, &mut page)?;
        self.text = page.done()?;
        Ok(())
    }

    fn wanted_root(&mut self) -> Result<&mut Mapping, Because> {
        let root = self.wanted.get_mut(self.at.0);
        root.and_then(Value::as_mapping_mut).ok_or(CHANGED)
    }

    fn wanted_item(&mut self) -> Result<&mut Mapping, Because> {
        let (_, list, item) = self.at;
        let items = self.wanted_root()?.get_mut(list).and_then(Value::as_sequence_mut);
        let item = items.and_then(|items| items.get_mut(item));
        item.and_then(Value::as_mapping_mut).ok_or(CHANGED)
    }

    /// Sets a text of the item.
    pub(super) fn set(&mut self, path: &[&str], text: &str) -> Result<(), Because> {
        let [above @ .., key] = path else { return Err(CHANGED) };
        let mut inside = self.wanted_item()?;
        for key in above {
            let entry = inside.entry((*key).into());
            inside =
                entry.or_insert_with(|| Mapping::new().into()).as_mapping_mut().ok_or(CHANGED)?;
        }
        inside.insert((*key).into(), text.into());
        self.page(|_, item, page| {
            // What differs is told last.
            let last = match above.is_empty() {
                true => "name",
                false => last_key(item).ok_or(CHANGED)?,
            };
            page.set(item, last, path, &scalar(text, true))
        })
    }

    /// Takes a key of the item out, and what holds nothing else.
    pub(super) fn take(&mut self, path: &[&str]) -> Result<(), Because> {
        let mut path = path.to_vec();
        loop {
            let key = path.pop().ok_or(CHANGED)?;
            let mut inside = self.wanted_item()?;
            for key in &path {
                inside = inside.get_mut(*key).and_then(Value::as_mapping_mut).ok_or(CHANGED)?;
            }
            if inside.len() == 1 && !path.is_empty() {
                continue;
            }
            inside.remove(key);
            return self.page(|_, item, page| {
                let inside = path.iter().try_fold(item, |at, key| at.get(key)).ok_or(CHANGED)?;
                page.take_key(inside, key)
            });
        }
    }

    /// Takes the item out, and its list if that holds nothing else.
    pub(super) fn take_entity(&mut self) -> Result<(), Because> {
        let (_, list, index) = self.at;
        let root = self.wanted_root()?;
        let items = root.get_mut(list).and_then(Value::as_sequence_mut).ok_or(CHANGED)?;
        items.remove(index);
        let is_last = items.is_empty();
        if is_last {
            root.remove(list);
        }
        self.page(|root, _, page| match is_last {
            true => page.take_list(root, list),
            false => page.take_item(root.get(list).ok_or(CHANGED)?, index),
        })
    }

    /// Leaves the item to the other environments.
    pub(super) fn leave(&mut self, environment: &str, others: &[&str]) -> Result<(), Because> {
        let item = self.wanted_item()?;
        let differs = item.get("per_environment").and_then(|own| own.get(environment)).is_some();
        let kept: Vec<Value> = match item.get("environments").and_then(Value::as_sequence) {
            Some(named) => {
                named.iter().filter(|name| name.as_str() != Some(environment)).cloned().collect()
            }
            None => others.iter().map(|name| (*name).into()).collect(),
        };
        let names: Vec<&str> = kept.iter().filter_map(Value::as_str).collect();
        let list = format!("[{}]", names.join(", "));
        item.insert("environments".into(), Value::Sequence(kept.clone()));
        self.page(|_, item, page| {
            let Some(named) = item.get("environments") else {
                return page.set(item, "name", &["environments"], &list);
            };
            let is_it = |named: Located<'_>| named.value.as_str() == Some(environment);
            let index = named.items().position(is_it).ok_or(CHANGED)?;
            page.replace_list(named, &list).or_else(|_| page.take_item(named, index))
        })?;
        match differs {
            true => self.take(&["per_environment", environment]),
            false => Ok(()),
        }
    }

    /// Adds an entry to what is removed.
    pub(super) fn append_removed(
        &mut self,
        entry: &[(&str, String)],
        environment: Option<&str>,
    ) -> Result<(), Because> {
        let mut wanted = Mapping::new();
        let mut text: Vec<String> = Vec::new();
        for (key, value) in entry {
            wanted.insert((*key).into(), value.as_str().into());
            text.push(format!("{key}: {}", scalar(value, true)));
        }
        if let Some(environment) = environment {
            wanted.insert("environments".into(), Value::Sequence(vec![environment.into()]));
            text.push(format!("environments: [{environment}]"));
        }
        let removed = self.wanted_root()?.entry("removed".into());
        match removed.or_insert_with(|| Value::Sequence(Vec::new())) {
            Value::Sequence(items) => items.push(wanted.into()),
            _ => return Err(CHANGED),
        }
        let text = format!("{{ {} }}", text.join(", "));
        self.page(|root, _, page| page.append(root, "removed", &text))
    }
}

fn last_key(at: Located<'_>) -> Option<&str> {
    let keys = at.entries().map(|(key, _)| (at.key_span(key).start, key));
    keys.max().map(|(_, key)| key)
}

/// The documents of a text in which nothing stands for anything elsewhere.
pub(super) fn read(text: &str) -> Result<Vec<Document<'_>>, Because> {
    let mut findings = Findings::new("".into());
    let documents = parse(text, &mut findings).ok_or(CHANGED)?;
    match findings.aliases.is_empty() {
        true => Ok(documents),
        false => Err(ALIASES),
    }
}
