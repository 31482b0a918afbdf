//! Addition of consumers to scopes in the files that declare them.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::{CannotEdit, Edited, LAST};
use crate::declare::known::Files;
use crate::declare::read::declared::Scope;
use crate::declare::repository::Repository;
use domain::ScopeName;
use yaml::Span;
use yaml::Yaml;
use yaml::{CHANGED, Editor, Hindrance};

/// A declaration of a scope: two declarations of one scope have different environments.
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
    /// The environments in which it counts; empty for all environments of the scope.
    pub environments: Vec<String>,
}

impl ConsumerEntry {
    fn yaml(&self) -> Yaml {
        let consumer = Yaml::text(&self.consumer);
        let environments = match self.environments.as_slice() {
            [] => return consumer,
            names => Yaml::List(names.iter().map(Yaml::text).collect()),
        };
        Yaml::Map(vec![
            ("consumer".to_owned(), consumer),
            ("environments".to_owned(), environments),
        ])
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

    /// The files of these declarations with more consumers, sorted where the existing ones are sorted. All
    /// other declarations and all comments are unchanged. A declaration that cannot be edited is unchanged
    /// too, and is returned with the reason. Nothing is written.
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

/// The text in which the scopes have more consumers, if any has, and the reasons why others do not.
fn edited_text(
    text: Option<&str>,
    added: &[(Option<&Scope>, &[ConsumerEntry])],
) -> (Option<String>, Vec<Option<Hindrance>>) {
    let all = |why: Hindrance| (None, vec![Some(why); added.len()]);
    let Some(text) = text else { return all("it is not in UTF-8") };
    let mut editor = match Editor::new(text) {
        Ok(editor) => editor,
        Err(why) => return all(why),
    };
    let add = |(scope, entries): &(Option<&Scope>, &[ConsumerEntry])| {
        let scope = scope.ok_or("it does not declare the scope as YAML of portvakt");
        scope.and_then(|scope| add(entries, scope.place.span, &mut editor)).err()
    };
    let failures: Vec<_> = added.iter().map(add).collect();
    if failures.iter().all(Option::is_some) {
        return (None, failures);
    }
    match editor.done() {
        Ok(after) => (Some(after), failures),
        Err(why) => all(why),
    }
}

/// Adds sorted entries to the consumers of a scope: each at its place if the existing ones are sorted by
/// their text, else at the end.
fn add(entries: &[ConsumerEntry], name: Span, editor: &mut Editor<'_>) -> Result<(), Hindrance> {
    let item = editor.holder(name).ok_or(CHANGED)?;
    let list = match editor.value(&item.key("consumers")) {
        Some(list) => list.as_sequence().ok_or(CHANGED)?.as_slice(),
        None => &[],
    };
    let names: Vec<&str> = list.iter().map(|entry| written(entry).unwrap_or_default()).collect();
    let place = |entry: &ConsumerEntry| match names.is_sorted() {
        true => names.partition_point(|name| *name <= entry.consumer.as_str()),
        false => names.len(),
    };
    let items: Vec<_> = entries.iter().map(|entry| (place(entry), entry.yaml())).collect();
    editor.insert(&item, LAST, "consumers", &items)
}

/// The alias, group or number that an entry of a scope's consumers names.
fn written(entry: &Value) -> Option<&str> {
    let named = || entry.get("group").or_else(|| entry.get("consumer"))?.as_str();
    entry.as_str().or_else(named)
}

fn by_hand(
    declaration: &ScopeDeclaration<'_>,
    entries: &[ConsumerEntry],
    why: Hindrance,
) -> CannotEdit {
    let entries: Vec<_> = entries.iter().filter_map(|entry| entry.yaml().flow()).collect();
    let wanted =
        format!("By hand: add {} to the consumers of {}", entries.join(", "), declaration.scope);
    CannotEdit::new(declaration.file, why, wanted)
}
