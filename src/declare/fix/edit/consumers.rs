//! Adding consumers to scopes in the files that declare them.

use std::collections::BTreeMap;

use serde_yaml::{Mapping, Value};

use super::draft::read;
use super::page::Page;
use super::{Because, CHANGED, CannotEdit, Edited, NOT_THE_SAME, documents};
use crate::declare::diagnostic::span::Position;
use crate::declare::known::Files;
use crate::declare::read::declared::Scope;
use crate::declare::repository::Repository;
use crate::declare::yaml::document::{Document, Located};
use crate::yaml::scalar;
use domain::ScopeName;

/// A declaration of a scope: one that is declared twice has different environments in each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScopeDeclaration<'r> {
    /// The scope.
    pub scope: &'r ScopeName,
    /// The file, relative to the repository.
    pub file: &'r str,
    /// The environments in which it counts, in order.
    pub environments: Vec<&'r str>,
}

/// An entry of a scope's consumers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConsumerEntry {
    /// The alias or organisation number.
    pub consumer: String,
    /// The environments in which it counts; empty for all that the scope has.
    pub environments: Vec<String>,
}

impl ConsumerEntry {
    /// The entry as YAML on one line.
    pub(super) fn text(&self) -> String {
        let consumer = scalar(&self.consumer, true);
        match self.environments.as_slice() {
            [] => consumer,
            names => format!("{{ consumer: {consumer}, environments: [{}] }}", names.join(", ")),
        }
    }
}

impl Repository {
    /// The declaration of a scope that counts in an environment.
    pub fn scope_declaration(
        &self,
        environment: &str,
        name: &ScopeName,
    ) -> Option<ScopeDeclaration<'_>> {
        let scope = self.scope_in(environment, name)?;
        let names = &self.settings().environment_names;
        let counts =
            |name: &&str| names.set(name).is_some_and(|it| scope.environments.overlaps(it));
        let environments = names.iter().filter(counts).collect();
        Some(ScopeDeclaration { scope: &scope.name, file: &scope.place.file, environments })
    }

    /// The files in which each of these declarations has more consumers, sorted where those that are
    /// there are sorted. What is declared besides, and every comment, stays as it is. A declaration
    /// that cannot be edited stays as it is too, and is returned with the reason. Nothing is written.
    pub fn with_consumers<'d>(
        &self,
        files: &Files,
        added: &BTreeMap<ScopeDeclaration<'d>, Vec<ConsumerEntry>>,
    ) -> (Vec<Edited>, Vec<(ScopeDeclaration<'d>, CannotEdit)>) {
        let mut by_file: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for one in added {
            by_file.entry(one.0.file).or_default().push(one);
        }
        let (mut edited, mut refused) = (Vec::new(), Vec::new());
        for (file, of_file) in by_file {
            let bytes = files.yaml.iter().find(|(path, _)| **path == *file);
            let text = bytes.and_then(|(_, bytes)| std::str::from_utf8(bytes).ok());
            let places = of_file.iter().map(|(declaration, entries)| {
                let environment = declaration.environments.first();
                let scope = environment.and_then(|it| self.scope_in(it, declaration.scope));
                (scope.filter(|scope| !scope.in_manifest), entries.as_slice())
            });
            let (after, failures) = edited_text(text, &places.collect::<Vec<_>>());
            let of_failures = of_file.iter().zip(failures);
            refused.extend(of_failures.filter_map(|((declaration, entries), why)| {
                Some(((*declaration).clone(), by_hand(declaration, entries, why?)))
            }));
            edited.extend(after.map(|after| Edited { file: file.to_owned(), after }));
        }
        (edited, refused)
    }

    fn scope_in(&self, environment: &str, name: &ScopeName) -> Option<&Scope> {
        let here = self.settings().environment_names.set(environment)?;
        let mut scopes = self.declared().scopes.iter();
        scopes.find(|scope| scope.name == *name && scope.environments.overlaps(here))
    }
}

/// The text in which the scopes have more consumers, if any has, and why others do not have them.
fn edited_text(
    text: Option<&str>,
    added: &[(Option<&Scope>, &[ConsumerEntry])],
) -> (Option<String>, Vec<Option<Because>>) {
    let all = |why: Because| (None, vec![Some(why); added.len()]);
    let Some(text) = text else { return all("it is not in UTF-8") };
    let (mark, shown) = match text.strip_prefix('\u{feff}') {
        Some(shown) => ("\u{feff}", shown),
        None => ("", text),
    };
    let read = match read(shown) {
        Ok(read) => read,
        Err(why) => return all(why),
    };
    let Some(mut wanted) = documents(shown) else { return all(CHANGED) };
    let items: BTreeMap<_, _> = scopes(&read).collect();
    let mut page = Page::new(shown);
    let mut failures = Vec::new();
    for (scope, entries) in added {
        let place = scope.and_then(|scope| items.get(&scope.place.span.start));
        let result = match (scope, place) {
            (None, _) => Err("it does not declare the scope as YAML of portvakt"),
            (Some(_), None) => Err(CHANGED),
            (Some(_), Some((document, index, item))) => {
                let value = wanted.get_mut(*document).and_then(|root| root.get_mut("scopes"));
                let value = value.and_then(|list| list.get_mut(*index));
                add(entries, *item, value.and_then(Value::as_mapping_mut), &mut page)
            }
        };
        failures.push(result.err());
    }
    if failures.iter().all(Option::is_some) {
        return (None, failures);
    }
    match page.done() {
        Ok(after) if documents(&after).as_ref() == Some(&wanted) => {
            (Some(format!("{mark}{after}")), failures)
        }
        Ok(_) => all(NOT_THE_SAME),
        Err(why) => all(why),
    }
}

/// The scopes of a file by where their names are, each with its document and its place in the list.
fn scopes<'d>(
    read: &'d [Document<'_>],
) -> impl Iterator<Item = (Position, (usize, usize, Located<'d>))> {
    read.iter().enumerate().flat_map(|(document, it)| {
        let items = it.root().get("scopes").into_iter().flat_map(Located::items).enumerate();
        items.filter_map(move |(index, item)| {
            let (_, name) = item.text("name")?;
            Some((name.start, (document, index, item)))
        })
    })
}

/// Adds entries, which are sorted, to the consumers of a scope: each in its place where those that are
/// there are sorted by what is written, else at the end.
fn add(
    entries: &[ConsumerEntry],
    item: Located<'_>,
    wanted: Option<&mut Mapping>,
    page: &mut Page<'_>,
) -> Result<(), Because> {
    let wanted = wanted.ok_or(CHANGED)?;
    let mut list = match wanted.get("consumers") {
        Some(list) => list.as_sequence().ok_or(CHANGED)?.clone(),
        None => Vec::new(),
    };
    let names: Vec<&str> = list.iter().map(|entry| written(entry).unwrap_or_default()).collect();
    let place = |entry: &ConsumerEntry| match names.is_sorted() {
        true => names.partition_point(|name| *name <= entry.consumer.as_str()),
        false => names.len(),
    };
    let placed: Vec<_> = entries.iter().map(|entry| (place(entry), entry)).collect();
    let texts: Vec<_> = placed.iter().map(|(place, entry)| (*place, entry.text())).collect();
    page.insert_items(item, "consumers", &texts)?;
    for (place, entry) in placed.into_iter().rev() {
        list.insert(place, value(entry));
    }
    wanted.insert("consumers".into(), Value::Sequence(list));
    Ok(())
}

/// The alias, group or number that an entry of a scope's consumers names.
fn written(entry: &Value) -> Option<&str> {
    let named = || entry.get("group").or_else(|| entry.get("consumer"))?.as_str();
    entry.as_str().or_else(named)
}

fn value(entry: &ConsumerEntry) -> Value {
    let ConsumerEntry { consumer, environments } = entry;
    if environments.is_empty() {
        return consumer.as_str().into();
    }
    let environments = environments.iter().map(|name| name.as_str().into()).collect();
    let mut value = Mapping::new();
    value.insert("consumer".into(), consumer.as_str().into());
    value.insert("environments".into(), Value::Sequence(environments));
    value.into()
}

fn by_hand(
    declaration: &ScopeDeclaration<'_>,
    entries: &[ConsumerEntry],
    why: Because,
) -> CannotEdit {
    let entries: Vec<_> = entries.iter().map(ConsumerEntry::text).collect();
    let wanted =
        format!("By hand: add {} to the consumers of {}", entries.join(", "), declaration.scope);
    CannotEdit { file: declaration.file.to_owned(), why, wanted }
}
