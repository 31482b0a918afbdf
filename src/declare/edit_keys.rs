//! Setting a client's `jwks` in the YAML, with every comment and all other text kept.

use serde::Deserialize;
use serde_yaml::Value;

use super::declared::Client;
use super::files;
use super::key_files::KeyFiles;
use super::keys::KeysRef;
use super::lines::Lines;
use super::reading;
use super::repository::Repository;
use crate::domain::ClientName;

/// A file with another text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The file, relative to the repository.
    pub file: String,
    /// What it holds then.
    pub after: String,
}

/// Why a client's `jwks` cannot be set: what to do by hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{file} cannot be edited: {why}. Write by hand, in the declaration of the client: jwks: {wanted}"
)]
pub struct CannotEdit {
    file: String,
    why: &'static str,
    wanted: String,
}

impl Repository {
    /// What the `jwks` of a client names in an environment; nothing where it has none.
    pub fn key_refs(&self, environment: &str, client: &ClientName) -> Vec<KeysRef> {
        let keys = self
            .client(environment, client)
            .and_then(|(client, set)| client.first(set, |part| part.keys.as_ref()));
        keys.map(|keys| keys.refs.clone()).unwrap_or_default()
    }

    /// The file that declares a client, relative to the repository.
    pub fn client_file(&self, environment: &str, client: &ClientName) -> Option<&str> {
        Some(&self.client(environment, client)?.0.place.file)
    }

    /// The file that declares a client, with a `jwks` that names these files, as they are written:
    /// one as a text, several as a list, none as an empty list. What is declared besides, and every
    /// comment, stays as it is. Nothing is written.
    ///
    /// # Errors
    /// That cannot be done safely.
    pub fn with_keys(
        &self,
        environment: &str,
        client: &ClientName,
        files: &[String],
    ) -> Result<Edited, CannotEdit> {
        let wanted = written(files);
        let cannot =
            |file: &str, why| CannotEdit { file: file.to_owned(), why, wanted: wanted.clone() };
        let Some((found, set)) = self.client(environment, client) else {
            return Err(cannot("the YAML", "it declares no such client"));
        };
        let file = &*found.place.file;
        let before = files::source(self.root(), file)
            .ok_or_else(|| cannot(file, "it cannot be read any more"))?;
        let keys = found.first(set, |part| part.keys.as_ref());
        if keys.is_some_and(|keys| keys.refs.contains(&KeysRef::Inline)) {
            return Err(cannot(
                file,
                "the keys stand in the YAML itself; move them to a file first",
            ));
        }
        let lines = Lines::new(&before);
        let edit = match keys {
            Some(keys) => lines.range(keys.span).map(|range| (range, wanted.clone())),
            None => insertion(found, &before, &lines, &wanted),
        };
        let (range, text) = edit.ok_or_else(|| cannot(file, "its text has changed"))?;
        if before.get(range.clone()).is_none_or(|old| old.contains('#')) {
            return Err(cannot(file, "there is a comment among the keys, and it would be lost"));
        }
        let mut after = before.clone();
        after.replace_range(range, &text);
        match self.is_meant(file, &before, &after, client, files) {
            true => Ok(Edited { file: file.to_owned(), after }),
            false => Err(cannot(file, "the result would not declare the same besides")),
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
        let (Some(old), Some(new)) = (documents(before), documents(after)) else {
            return false;
        };
        let key_files = KeyFiles::on_disk(self.root());
        let read =
            reading::declarations(file.into(), after.as_bytes(), self.settings(), &key_files);
        let has_wanted = |other: &Client| {
            let names = |keys: &super::keys::Keys| -> Vec<String> {
                let written = keys.refs.iter().map(|named| match named {
                    KeysRef::File { written, .. } => written.clone(),
                    KeysRef::Inline => String::new(),
                });
                written.collect()
            };
            let parts = other.overrides.iter().map(|own| &own.part).chain([&other.part]);
            let mut sets = parts.filter_map(|part| part.keys.as_ref()).map(names);
            other.name == *client && sets.any(|names| names == wanted)
        };
        old == new && read.clients.iter().any(has_wanted)
    }
}

/// A YAML value that names these files.
fn written(files: &[String]) -> String {
    let plain = |file: &String| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        match file.chars().all(is_plain) && file.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            true => file.clone(),
            // JSON's strings are YAML's too.
            false => serde_json::Value::from(file.as_str()).to_string(),
        }
    };
    match files {
        [one] => plain(one),
        several => format!("[{}]", several.iter().map(plain).collect::<Vec<_>>().join(", ")),
    }
}

/// Where a `jwks` is put that is not there yet: behind the name, in a mapping in braces, or on a
/// line of its own below it.
fn insertion(
    client: &Client,
    text: &str,
    lines: &Lines<'_>,
    wanted: &str,
) -> Option<(std::ops::Range<usize>, String)> {
    let end = lines.range(client.place.span)?.end;
    let rest = text.get(end..)?;
    if rest.trim_start().starts_with([',', '}']) {
        return Some((end..end, format!(", jwks: {wanted}")));
    }
    let line_end = end + rest.find(['\r', '\n']).unwrap_or(rest.len());
    let indent = " ".repeat(client.name_key.start.column.saturating_sub(1) as usize);
    let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
    Some((line_end..line_end, format!("{line_break}{indent}jwks: {wanted}")))
}

/// The documents of a file without the `jwks` of its clients; `None` for what is no YAML.
fn documents(text: &str) -> Option<Vec<Value>> {
    let read = serde_yaml::Deserializer::from_str(text).map(Value::deserialize);
    let mut documents: Vec<Value> = read.collect::<Result<_, _>>().ok()?;
    for document in &mut documents {
        let clients = document.get_mut("clients").and_then(Value::as_sequence_mut);
        for client in clients.into_iter().flatten() {
            let Some(client) = client.as_mapping_mut() else { continue };
            client.remove("jwks");
            let overrides = client.get_mut("per_environment").and_then(Value::as_mapping_mut);
            for (_, own) in overrides.into_iter().flatten() {
                own.as_mapping_mut().map(|own| own.remove("jwks"));
            }
        }
    }
    Some(documents)
}
