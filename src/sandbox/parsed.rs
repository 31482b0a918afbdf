//! Reading the domain's words from the state file. The domain itself does not read them from
//! JSON: there they are parsed at the edge.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::Serializer;

use crate::domain::AccessState;

fn parse<T: FromStr<Err: Display>, E: Error>(text: String) -> Result<T, E> {
    text.parse().map_err(|error| E::custom(format_args!("{text:?}: {error}")))
}

pub(super) fn one<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    parse(String::deserialize(deserializer)?)
}

pub(super) fn set<'de, D, T>(deserializer: D) -> Result<BTreeSet<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display> + Ord,
{
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.into_iter().map(parse).collect()
}

pub(super) fn keys<'de, D, K, V>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: FromStr<Err: Display> + Ord,
    V: Deserialize<'de>,
{
    parsed_keys(BTreeMap::deserialize(deserializer)?)
}

pub(super) fn nested_keys<'de, D, K, L, V>(
    deserializer: D,
) -> Result<BTreeMap<K, BTreeMap<L, V>>, D::Error>
where
    D: Deserializer<'de>,
    K: FromStr<Err: Display> + Ord,
    L: FromStr<Err: Display> + Ord,
    V: Deserialize<'de>,
{
    let texts = BTreeMap::<String, BTreeMap<String, V>>::deserialize(deserializer)?;
    texts.into_iter().map(|(key, inner)| Ok((parse(key)?, parsed_keys(inner)?))).collect()
}

fn parsed_keys<K, V, E>(texts: BTreeMap<String, V>) -> Result<BTreeMap<K, V>, E>
where
    K: FromStr<Err: Display> + Ord,
    E: Error,
{
    texts.into_iter().map(|(key, value)| Ok((parse(key)?, value))).collect()
}

pub(super) fn values<'de, D, V>(deserializer: D) -> Result<BTreeMap<String, V>, D::Error>
where
    D: Deserializer<'de>,
    V: FromStr<Err: Display>,
{
    let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
    texts.into_iter().map(|(key, value)| Ok((key, parse(value)?))).collect()
}

pub(super) fn access_state<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<AccessState, D::Error> {
    String::deserialize(deserializer).map(AccessState::from)
}

pub(super) fn write_access_state<S: Serializer>(
    state: &AccessState,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(state.as_str())
}
