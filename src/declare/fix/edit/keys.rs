//! Setting a client's `jwks` in the YAML, with every comment and all other text kept.

use std::ops::Range;

use serde_yaml::Value;

use super::{CannotEdit, Edited};
use crate::declare::files::key_files::KeyFiles;
use crate::declare::read::declared::Client;
use crate::declare::read::file;
use crate::declare::read::keys::{Keys, KeysRef};
use crate::declare::repository::Repository;
use crate::declare::yaml::edit::text::{
    Replacement, dash, line_break, line_end, next_line, replaced,
};
use crate::declare::yaml::edit::{ALIASES, CHANGED, Hindrance as Because, NOT_THE_SAME};
use crate::declare::yaml::lines::Lines;
use crate::declare::yaml::places;
use crate::yaml::scalar;
use domain::ClientName;

impl Repository {
    /// What the `jwks` of a client names in an environment; nothing where it has none.
    pub fn key_refs(&self, environment: &str, client: &ClientName) -> Vec<KeysRef> {
        let keys = self
            .client(environment, client)
            .and_then(|(client, set)| client.first(set, |part| part.keys.as_ref()));
        keys.map(|keys| keys.refs.clone()).unwrap_or_default()
    }

    /// The environments and clients whose `jwks` names a file, told by its path in the repository.
    pub fn key_file_users(&self, path: &str) -> Vec<(&str, &ClientName)> {
        let names_it = |keys: &&Keys| {
            let mut refs = keys.refs.iter();
            refs.any(|named| matches!(named, KeysRef::File { path: other, .. } if other == path))
        };
        let environments = self.settings().environment_names.iter();
        let users = environments.flat_map(|environment| {
            let users = self.clients(environment).filter(move |(client, set)| {
                client.first(*set, |part| part.keys.as_ref()).as_ref().is_some_and(names_it)
            });
            users.map(move |(client, _)| (environment, &client.name))
        });
        users.collect()
    }

    /// The file that declares a client, relative to the repository.
    pub fn client_file(&self, environment: &str, client: &ClientName) -> Option<&str> {
        Some(&self.client(environment, client)?.0.place.file)
    }

    /// The file that declares a client, with a `jwks` that names one more file, as it is written
    /// there. What is declared besides, and every comment, stays as it is. Nothing is written.
    ///
    /// # Errors
    /// That cannot be done safely.
    pub fn with_key_file(
        &self,
        environment: &str,
        client: &ClientName,
        added: &str,
    ) -> Result<Edited, CannotEdit> {
        let by_hand = format!(
            "Mend that by hand, so that the `jwks` of the client `{client}` can be made to name \
             `{added}` too, and run again"
        );
        self.edit(environment, client, by_hand, |found, keys, text, lines| {
            let Some(keys) = keys else {
                let edit = insertion(found, text, lines, &scalar(added, true))?;
                return Ok((vec![edit], vec![added.to_owned()]));
            };
            let mut wanted: Vec<String> = names(keys);
            wanted.push(added.to_owned());
            Ok((addition(keys, text, lines, &scalar(added, true))?, wanted))
        })
    }

    /// The same with a `jwks` that names some files less, told as they are written there.
    ///
    /// # Errors
    /// That cannot be done safely, or nothing would be left.
    pub fn without_key_files(
        &self,
        environment: &str,
        client: &ClientName,
        dropped: &[&str],
    ) -> Result<Edited, CannotEdit> {
        let listed = dropped.join("`, `");
        let by_hand =
            format!("By hand: take `{listed}` out of the `jwks` of the client `{client}`");
        self.edit(environment, client, by_hand, |_, keys, text, lines| {
            let keys = keys.ok_or("it names no keys")?;
            let is_dropped = |name: &str| !name.is_empty() && dropped.contains(&name);
            let mut wanted = names(keys);
            wanted.retain(|name| !is_dropped(name));
            let gone = keys.refs.iter().map(|named| is_dropped(named.written())).collect();
            Ok((removal(keys, gone, text, lines)?, wanted))
        })
    }

    /// Edits the text of the file that declares a client, and sees that it then says what is wanted
    /// and nothing else differs.
    fn edit(
        &self,
        environment: &str,
        client: &ClientName,
        by_hand: String,
        edits: impl FnOnce(
            &Client,
            Option<&Keys>,
            &str,
            &Lines<'_>,
        ) -> Result<(Vec<Replacement>, Vec<String>), Because>,
    ) -> Result<Edited, CannotEdit> {
        let cannot =
            |file: &str, why| CannotEdit { file: file.to_owned(), why, wanted: by_hand.clone() };
        let Some((found, set)) = self.client(environment, client) else {
            return Err(cannot("the YAML", "it declares no such client"));
        };
        let file = &*found.place.file;
        if found.manifest.is_some() {
            return Err(cannot(file, "it is a manifest of NAIS, which holds no keys"));
        }
        let before = self.source(file).ok_or_else(|| cannot(file, "it cannot be read any more"))?;
        if !places::read(&before, false).aliases.is_empty() {
            return Err(cannot(file, ALIASES));
        }
        let keys = found.first(set, |part| part.keys.as_ref());
        let (edits, wanted) =
            edits(found, keys, &before, &Lines::new(&before)).map_err(|why| cannot(file, why))?;
        let after = replaced(&before, edits).map_err(|why| cannot(file, why))?;
        match self.is_meant(file, &before, &after, client, &wanted) {
            true => Ok(Edited { file: file.to_owned(), after }),
            false => Err(cannot(file, NOT_THE_SAME)),
        }
    }

    /// Whether nothing but the client's `jwks` differs between two texts of a file, and that is as
    /// wanted.
    fn is_meant(
        &self,
        file: &str,
        before: &str,
        after: &str,
        client: &ClientName,
        wanted: &[String],
    ) -> bool {
        let (old, new) = (documents_without(before, client), documents_without(after, client));
        let (Some(old), Some(new)) = (old, new) else {
            return false;
        };
        let key_files = KeyFiles::on_disk(self.root(), self.index());
        let read = file::declarations(file.into(), after.as_bytes(), self.settings(), &key_files);
        let has_wanted = |other: &Client| {
            let parts = other.overrides.iter().map(|own| &own.part).chain([&other.part]);
            let mut sets = parts.filter_map(|part| part.keys.as_ref()).map(names);
            other.name == *client && sets.any(|names| names == wanted)
        };
        old == new && read.clients.iter().any(has_wanted)
    }
}

fn names(keys: &Keys) -> Vec<String> {
    keys.refs.iter().map(|named| named.written().to_owned()).collect()
}

/// Where a `jwks` is put that is not there yet: behind the name, in a mapping in braces, or on a
/// line of its own below it.
fn insertion(
    client: &Client,
    text: &str,
    lines: &Lines<'_>,
    wanted: &str,
) -> Result<Replacement, Because> {
    let end = lines.range(client.place.span).ok_or(CHANGED)?.end;
    let rest = text.get(end..).ok_or(CHANGED)?;
    if rest.trim_start().starts_with([',', '}']) {
        return Ok((end..end, format!(", jwks: {wanted}")));
    }
    let at = line_end(text, end).ok_or(CHANGED)?;
    let indent = " ".repeat(client.name_key.start.column.saturating_sub(1) as usize);
    Ok((at..at, format!("{}{indent}jwks: {wanted}", line_break(text))))
}

/// Where a `jwks` that is there gets one more: at the end of its list, or in a list that is made
/// around what it is.
fn addition(
    keys: &Keys,
    text: &str,
    lines: &Lines<'_>,
    added: &str,
) -> Result<Vec<Replacement>, Because> {
    let whole = lines.range(keys.span).ok_or(CHANGED)?;
    let last = keys.places.last().map(|place| lines.range(*place).ok_or(CHANGED)).transpose()?;
    let value = text.get(whole.clone()).ok_or(CHANGED)?;
    match last {
        // An empty list.
        None => Ok(vec![(whole, format!("[{added}]"))]),
        Some(last) if value.starts_with('[') => {
            Ok(vec![(last.end..last.end, format!(", {added}"))])
        }
        Some(last) => match dash(text, last.start) {
            Some(dash) => {
                let item = text.get(..last.end).ok_or(CHANGED)?.trim_end().len();
                let at = line_end(text, item).ok_or(CHANGED)?;
                let indent = text.get(dash).ok_or(CHANGED)?;
                Ok(vec![(at..at, format!("{}{indent}- {added}", line_break(text)))])
            }
            None if value.contains(['\n', '\r']) && !value.starts_with('{') => {
                Err("the key stands there in several lines, around which no list can be made")
            }
            None => {
                let (start, end) = (whole.start, whole.end);
                Ok(vec![(start..start, "[".to_owned()), (end..end, format!(", {added}]"))])
            }
        },
    }
}

/// What is to be taken out so that some of what a `jwks` names is gone.
fn removal(
    keys: &Keys,
    gone: Vec<bool>,
    text: &str,
    lines: &Lines<'_>,
) -> Result<Vec<Replacement>, Because> {
    let whole = lines.range(keys.span).ok_or(CHANGED)?;
    let value = text.get(whole.clone()).ok_or(CHANGED)?;
    let ranges: Vec<_> = keys.places.iter().map(|place| lines.range(*place)).collect();
    let mut kept = Vec::new();
    let mut taken = Vec::new();
    for (range, is_gone) in ranges.into_iter().zip(gone) {
        let range = range.ok_or(CHANGED)?;
        if is_gone { taken.push(range) } else { kept.push(range) }
    }
    if kept.is_empty() {
        return Err("no key would be left");
    }
    if value.starts_with('[') {
        if value.contains('#') {
            return Err("there is a comment among the keys, and it would be lost");
        }
        let kept: Option<Vec<_>> = kept.into_iter().map(|range| text.get(range)).collect();
        return Ok(vec![(whole, format!("[{}]", kept.ok_or(CHANGED)?.join(", ")))]);
    }
    let line = |range: Range<usize>| {
        let dash = dash(text, range.start)?;
        let item = text.get(..range.end)?.trim_end().len();
        Some((dash.start..next_line(text, item)?, String::new()))
    };
    taken.into_iter().map(|range| line(range).ok_or(CHANGED)).collect()
}

/// The documents of a file without the `jwks` of a client; `None` for what is no YAML.
fn documents_without(text: &str, name: &ClientName) -> Option<Vec<Value>> {
    let mut documents = crate::declare::yaml::edit::documents(text)?;
    for document in &mut documents {
        let clients = document.get_mut("clients").and_then(Value::as_sequence_mut);
        for client in clients.into_iter().flatten() {
            let Some(client) = client.as_mapping_mut() else { continue };
            let named = client.get("name").and_then(Value::as_str);
            let named: Option<ClientName> = named.and_then(|named| named.parse().ok());
            if named.as_ref() != Some(name) {
                continue;
            }
            client.remove("jwks");
            let overrides = client.get_mut("per_environment").and_then(Value::as_mapping_mut);
            for (_, own) in overrides.into_iter().flatten() {
                own.as_mapping_mut().map(|own| own.remove("jwks"));
            }
        }
    }
    Some(documents)
}
