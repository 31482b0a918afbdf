//! Taking out the keys that a newer one has followed.

use std::fs;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::others;
use crate::declare::{self, KeysRef};
use crate::run::edits::write_all;
use crate::run::{Failure, Opened};
use domain::text::{listed, printable};
use domain::{ClientName, DesiredClient, LiveClient, LiveKey, PublicKey};

/// How long it takes until DigDir's authorisation servers know a new key (DigDir's documentation:
/// about two minutes).
const SYNCHRONISED: SignedDuration = SignedDuration::from_mins(2);

/// What was taken out of the declaration.
pub(crate) struct Retired {
    /// The ids of the keys, with a comma between two; `None` where none is older than the one that stays.
    pub(crate) kids: Option<String>,
    /// The id of the one that stays.
    pub(crate) stays: String,
    /// The files that were written, relative to the repository.
    pub(crate) files: Vec<String>,
    /// In which other environments the client has keys from these files.
    pub(crate) others: Vec<String>,
    /// Until when the key that stays may not be known everywhere, if that is to come.
    pub(crate) known: Option<Timestamp>,
}

/// Takes the keys out that are older than the newest that is live.
///
/// # Errors
/// Which those are cannot be told, or they stand where they cannot be taken out.
pub(crate) fn retire(
    opened: &Opened,
    name: &ClientName,
    declared: &DesiredClient,
    live: &LiveClient,
) -> Result<Retired, Failure> {
    let keys = declared.keys.as_deref().unwrap_or_default();
    let Old { newest, keys: old } =
        superseded(name, keys, live.keys.as_deref().unwrap_or_default())?;
    let files = if old.is_empty() { Vec::new() } else { edit(opened, name, &old)? };
    let known = newest.created.and_then(|created| created.checked_add(SYNCHRONISED).ok());
    Ok(Retired {
        kids: (!old.is_empty()).then(|| kids(&old)),
        stays: newest.kid.clone(),
        others: others(opened, name, &files),
        files,
        known: known.filter(|known| *known > Timestamp::now()),
    })
}

/// The declared keys that may go, and the one that they are older than.
struct Old<'k> {
    newest: &'k LiveKey,
    keys: Vec<&'k PublicKey>,
}

/// Whether a live key is older than another. Those that came about together, as by one apply, are as
/// old as the declaration lists them: `keys rotate` puts a new one behind the others.
fn is_older(key: (usize, &LiveKey), other: (usize, &LiveKey)) -> bool {
    let together = match (key.1.created, other.1.created) {
        (Some(a), Some(b)) => a.duration_since(b).abs() < SYNCHRONISED,
        (None, _) | (_, None) => true,
    };
    if together { key.0 < other.0 } else { key.1.created < other.1.created }
}

fn superseded<'k>(
    name: &ClientName,
    declared: &'k [PublicKey],
    live: &'k [LiveKey],
) -> Result<Old<'k>, Failure> {
    let both: Vec<(&PublicKey, (usize, &LiveKey))> = declared
        .iter()
        .enumerate()
        .filter_map(|(index, key)| Some((key, (index, live.iter().find(|live| live.is(key))?))))
        .collect();
    let newer = |a, b| if is_older(a, b) { b } else { a };
    let Some(newest) = both.iter().map(|(_, live)| *live).reduce(newer) else {
        let why = format!(
            "none of the declared keys of '{name}' is live, so none may go: apply its declaration \
             first"
        );
        return Err(Failure::Refused(why));
    };
    let is_live = |key: &&PublicKey| live.iter().any(|live| live.is(key));
    if let Some(waiting) = declared.iter().find(|key| !is_live(key)) {
        let why = format!(
            "the key {} of '{name}' is declared and not live yet: apply first. Nothing was changed",
            waiting.kid
        );
        return Err(Failure::Refused(why));
    }
    if let Some((key, _)) = both.iter().find(|(_, (_, live))| live.created.is_none()) {
        let why = format!(
            "DigDir does not say when the key {} of '{name}' was registered, so it is not clear \
             which is older: take the old one out by hand. Nothing was changed",
            key.kid
        );
        return Err(Failure::Refused(why));
    }
    if newest.1.ends.is_some_and(|ends| ends <= Timestamp::now()) {
        let why = format!(
            "the newest key of '{name}', {}, has ended, so none may go: make another with `portvakt \
             keys rotate` and apply. Nothing was changed",
            newest.1.kid
        );
        return Err(Failure::Refused(why));
    }
    let older = both.iter().filter(|(_, live)| is_older(*live, newest));
    Ok(Old { newest: newest.1, keys: older.map(|(key, _)| *key).collect() })
}

/// Takes the keys out of the files that hold them. Gives the files that were written.
fn edit(opened: &Opened, name: &ClientName, old: &[&PublicKey]) -> Result<Vec<String>, Failure> {
    let repository = &opened.repository;
    let environment = &opened.desired.environment;
    let is_old = |key: &PublicKey| {
        old.iter().any(|old| old.kid == key.kid && old.modulus() == key.modulus())
    };
    let mut dropped = Vec::new();
    let mut rewritten = Vec::new();
    let mut found = Vec::new();
    for named in &repository.key_refs(environment, name) {
        let KeysRef::File { written, path } = named else { continue };
        let users = repository.key_file_users(path);
        if let Some((_, other)) = users.iter().find(|(_, other)| *other != name) {
            return Err(Failure::Refused(format!(
                "{} holds keys of the client '{other}' too: give each client a file of its own, or \
                 remove by hand {}. Nothing was changed",
                printable(path),
                kids(old)
            )));
        }
        let full = repository.root().join(path);
        let text = fs::read_to_string(&full)
            .map_err(|error| Failure::Failed(format!("{}: {error}", printable(path))))?;
        let keys = declare::public_keys(&text).unwrap_or_default();
        let goes = keys.iter().filter(|key| is_old(key)).count();
        found.extend(keys.iter().filter(|key| is_old(key)).map(|key| key.kid.clone()));
        if goes == keys.len() && goes > 0 {
            dropped.push(written.as_str().to_owned());
        } else if goes > 0 {
            let set = without(&text, is_old).ok_or_else(|| {
                let why = "it holds several keys and is no JWKS: remove by hand";
                Failure::Failed(format!("{}: {why} {}", printable(path), kids(old)))
            })?;
            rewritten.push((path.clone(), set));
        }
    }
    let by_hand: Vec<&PublicKey> =
        old.iter().copied().filter(|key| !found.contains(&key.kid)).collect();
    if !by_hand.is_empty() {
        return Err(Failure::Refused(format!(
            "keys of '{name}' are in the YAML itself: remove from its `jwks` by hand {}. Nothing \
             was changed",
            kids(&by_hand)
        )));
    }
    if !dropped.is_empty() {
        let dropped: Vec<&str> = dropped.iter().map(String::as_str).collect();
        let edited =
            repository.without_key_files(environment, name, &dropped).map_err(Failure::failed)?;
        rewritten.push((edited.file, edited.after));
    }
    let files = rewritten.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    write_all(repository.root(), files, |_| false)?;
    Ok(rewritten.into_iter().map(|(path, _)| path).collect())
}

fn kids(keys: &[&PublicKey]) -> String {
    listed(keys.iter().map(|key| key.kid.as_str()))
}

/// A JWKS without some of its keys; `None` for what is no JWKS.
fn without(text: &str, is_old: impl Fn(&PublicKey) -> bool) -> Option<String> {
    let mut set: Value = serde_json::from_str(text).ok()?;
    let keys = set.get_mut("keys")?.as_array_mut()?;
    keys.retain(|key| {
        let key = key.as_object().and_then(|key| PublicKey::from_jwk(key).ok());
        !key.is_some_and(|key| is_old(&key))
    });
    Some(format!("{set:#}\n"))
}
