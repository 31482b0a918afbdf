//! The keys of clients, as files beside the declarations.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::attributes::Differing;
use super::found::{FoundClient, OnSides};
use super::left_out::{LeftOut, Reason, Subject};
use super::{Input, slug};
use domain::{ClientName, LiveKey, MOST_KEYS, PublicKey};

/// Files with keys, by their paths in the repository.
#[derive(Default)]
pub(super) struct KeyFileDrafts {
    pub(super) files: BTreeMap<String, String>,
    pub(super) left_out: Vec<LeftOut>,
}

impl KeyFileDrafts {
    /// Adds the files of a client, whose declaration is in a folder; returns their names, as the declaration
    /// writes them.
    pub(super) fn add(
        &mut self,
        name: &ClientName,
        on: &OnSides<FoundClient<'_>>,
        input: &Input<'_>,
        folder: &str,
    ) -> Differing<Option<String>> {
        let mut sets: BTreeMap<usize, Vec<PublicKey>> = BTreeMap::new();
        for (side, client) in on {
            match keys(client.live.keys.as_deref()) {
                Ok(keys) => drop(sets.insert(*side, keys)),
                Err(why) => self.left_out.push(LeftOut {
                    subject: Subject::Keys(name.to_string()),
                    environment: input.name(*side).unwrap_or_default().to_owned(),
                    reason: Reason::Keys(why),
                }),
            }
        }
        let sets = Differing::new(sets, on.len(), Vec::new());
        let mut written = |keys: &Vec<PublicKey>, of: &str| match keys.is_empty() {
            true => None,
            false => Some(self.write(name, of, keys, folder, input)),
        };
        let base = sets.base.as_ref().map(|keys| written(keys, ""));
        let own = sets.own.iter().map(|(side, keys)| {
            let environment = if on.len() == 1 { None } else { input.name(*side) };
            (*side, written(keys, environment.unwrap_or_default()))
        });
        let own = own.collect();
        Differing { base, own }
    }

    /// Adds a file under a free name; returns that name as it is written beside the file.
    fn write(
        &mut self,
        name: &ClientName,
        environment: &str,
        keys: &[PublicKey],
        folder: &str,
        input: &Input<'_>,
    ) -> String {
        let slug = slug::file(&format!("{name} {environment}"));
        let slug = if slug.is_empty() { "client".to_owned() } else { slug };
        let path = |written: &str| match folder {
            "" => written.to_owned(),
            folder => format!("{folder}/{written}"),
        };
        let is_free = |written: &String| {
            let path = path(written);
            !self.files.contains_key(&path) && !(input.taken)(&path)
        };
        let first = format!("keys/{slug}.jwks.json");
        let others = (2..=u32::MAX).map(|number| format!("keys/{slug}-{number}.jwks.json"));
        let written = std::iter::once(first.clone()).chain(others).find(is_free).unwrap_or(first);
        let jwks: Vec<_> = keys.iter().map(PublicKey::to_jwk).collect();
        self.files.insert(path(&written), format!("{:#}\n", json!({ "keys": jwks })));
        written
    }
}

/// Live keys as declared ones, without DigDir's own expiry of each; the error is the reason why they cannot
/// be declared.
fn keys(live: Option<&[LiveKey]>) -> Result<Vec<PublicKey>, String> {
    let live = live.ok_or("they were not read")?;
    if live.len() > MOST_KEYS {
        return Err(format!("there are {}, and {MOST_KEYS} at most can be declared", live.len()));
    }
    let mut keys = Vec::with_capacity(live.len());
    for key in live {
        let kid = &key.kid;
        let mut public = PublicKey::from_jwk(&key.representation)
            .map_err(|problem| format!("the key {kid}: {problem}"))?;
        public.exp = None;
        if !key.is(&public) {
            return Err("one of them has no kid".to_owned());
        }
        keys.push(public);
    }
    let kids: BTreeSet<&str> = keys.iter().map(|key| key.kid.as_str()).collect();
    let moduli: BTreeSet<&str> = keys.iter().map(PublicKey::modulus).collect();
    match kids.len() == keys.len() && moduli.len() == keys.len() {
        true => Ok(keys),
        false => Err("one of them is registered twice".to_owned()),
    }
}
