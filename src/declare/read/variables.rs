//! The environment variables that a portvakt.yaml names as secrets, whatever else of it can be read.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::source::is_variable_name;
use crate::declare::files::index::SETTINGS_FILE;
use crate::declare::yaml::document::{Findings, parse};
use yaml::Node;

/// What names a variable, as far as a text tells that is no YAML.
static NAMED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\benv["']?\s*:\s*(?:[&!]\S*\s+)*["']?(\w+)"#).ok());

/// The names of the environment variables that a portvakt.yaml reads secrets from.
pub fn variables(settings: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(settings);
    match parse(&text, &mut Findings::new(SETTINGS_FILE.into())) {
        Some(documents) => documents.iter().flat_map(below).collect(),
        None => {
            let found = NAMED.iter().flat_map(|named| named.captures_iter(&text));
            found.filter_map(|found| Some(found.get(1)?.as_str().to_owned())).collect()
        }
    }
}

/// Whatever `env` names somewhere in an item.
fn below(item: &Node<'_>) -> BTreeSet<String> {
    let own = item.entries().filter(|(key, _)| *key == "env");
    let own = own.filter_map(|(_, value)| value.value.as_str());
    let own = own.filter(|name| is_variable_name(name)).map(str::to_owned);
    let inside = item.entries().map(|(_, value)| value).chain(item.items());
    own.chain(inside.flat_map(below)).collect()
}
