//! Edits of a client's `jwks` in the YAML.

use std::slice;

use serde_yaml::Value;

use super::{CannotEdit, Edited, NAME};
use crate::declare::read::keys::{Keys, KeysRef};
use crate::declare::read::silences::MARK;
use crate::declare::repository::Repository;
use domain::ClientName;
use yaml::Yaml;
use yaml::{COMMENT, Editor, Hindrance, Route, edited};

impl Repository {
    /// The entries of a client's `jwks` in an environment; empty where it has none.
    pub fn key_refs(&self, environment: &str, client: &ClientName) -> Vec<KeysRef> {
        let keys = self
            .client(environment, client)
            .and_then(|(client, set)| client.first(set, |part| part.keys.as_ref()));
        keys.map(|keys| keys.refs.clone()).unwrap_or_default()
    }

    /// The environments and clients whose `jwks` names a file, given by its path in the repository.
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

    /// The file that declares a client, with one more file in its `jwks`, as it is written there. All other
    /// declarations and all comments are unchanged. Nothing is written.
    ///
    /// # Errors
    /// It cannot be done safely.
    pub fn with_key_file(
        &self,
        environment: &str,
        client: &ClientName,
        added: &str,
    ) -> Result<Edited, CannotEdit> {
        let by_hand = format!(
            "Correct that by hand, so that the `jwks` of the client `{client}` can be made to name \
             `{added}` too, and run again"
        );
        self.edit_keys(environment, client, by_hand, |editor, own| {
            let added = Yaml::text(added);
            match editor.has(&own.key("jwks")) {
                true => editor.append(own, NAME, "jwks", &added),
                false => editor.set(own, NAME, &["jwks"], &added),
            }
        })
    }

    /// The same with some files less in its `jwks`, as they are written there.
    ///
    /// # Errors
    /// It cannot be done safely, or nothing would be left.
    pub fn without_key_files(
        &self,
        environment: &str,
        client: &ClientName,
        dropped: &[&str],
    ) -> Result<Edited, CannotEdit> {
        let listed = dropped.join("`, `");
        let by_hand =
            format!("By hand: take `{listed}` out of the `jwks` of the client `{client}`");
        self.edit_keys(environment, client, by_hand, |editor, own| {
            let jwks = own.key("jwks");
            let named = editor.value(&jwks).ok_or("it names no keys")?;
            let named = named.as_sequence().map_or(slice::from_ref(named), Vec::as_slice);
            let is_dropped =
                |named: &Value| named.as_str().is_some_and(|named| dropped.contains(&named));
            let gone: Vec<usize> = (0..named.len())
                .filter(|index| named.get(*index).is_some_and(is_dropped))
                .collect();
            if gone.len() == named.len() {
                return Err("no key would be left");
            }
            let edited = editor.remove_items(&jwks, &gone, MARK);
            edited.map_err(|why| match why {
                COMMENT => "there is a comment among the keys, and it would be lost",
                why => why,
            })
        })
    }

    /// Edits the file that declares a client: `edit` gets the part of it that has the effective `jwks`.
    fn edit_keys(
        &self,
        environment: &str,
        client: &ClientName,
        by_hand: String,
        edit: impl FnOnce(&mut Editor<'_>, &Route) -> Result<(), Hindrance>,
    ) -> Result<Edited, CannotEdit> {
        let Some((found, _)) = self.client(environment, client) else {
            return Err(CannotEdit::new("the YAML", "it declares no such client", by_hand));
        };
        if found.manifest.is_some() {
            let why = "it is a manifest of NAIS, which holds no keys";
            return Err(CannotEdit::new(&found.place.file, why, by_hand));
        }
        self.edit_item(&found.place, by_hand, |item, text| {
            edited(text, |editor| {
                let own = item.key("per_environment").key(environment);
                let has_own = editor.has(&own.key("jwks"));
                edit(editor, if has_own { &own } else { item })
            })
        })
    }
}
