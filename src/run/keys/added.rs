//! A new key for a client: its private half for the application, its public half beside the
//! declaration.

use std::fs;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::others;
use crate::declare::KeysRef;
use crate::run::clock::today;
use crate::run::files::{WrittenFiles, all_or_none};
use crate::run::{Failure, Opened};
use digdir::ApplicationKey;
use domain::text::printable;
use domain::{AuthMethod, ClientName, DesiredClient, Kid, MOST_KEYS, PublicKey, SigningAlgorithm};

/// A key that was made, and where its halves are.
pub(crate) struct Added {
    /// The id that it has on the client.
    pub(crate) kid: Kid,
    /// The files with its public half that were written, relative to the repository.
    pub(crate) files: Vec<String>,
    /// In which other environments the client has keys from these files.
    pub(crate) others: Vec<String>,
}

/// Makes a key. `keep` puts its private half where it belongs: that comes first, as without it all else is of
/// no use; where a later step fails, what was written before is taken back.
///
/// # Errors
/// The client can have no key more, or a file cannot be written.
pub(crate) fn add(
    opened: &Opened,
    name: &ClientName,
    declared: &DesiredClient,
    keep: impl FnOnce(&str, &mut WrittenFiles) -> Result<(), Failure>,
) -> Result<Added, Failure> {
    check(name, declared)?;
    let key = ApplicationKey::generate().map_err(Failure::failed)?;
    let kid = key.dated_kid(today()).map_err(Failure::failed)?;
    let alg = SigningAlgorithm::default();
    let public = key.public(&kid, alg).map_err(Failure::failed)?;
    let private = key.private_jwk(&kid, alg).map_err(Failure::failed)?;
    let private = Zeroizing::new(format!("{}\n", private.expose_secret()));
    let files = all_or_none(|written| {
        keep(&private, written)?;
        declare(opened, name, &public, written)
    })?;
    Ok(Added { kid, others: others(opened, name, &files), files })
}

fn check(name: &ClientName, declared: &DesiredClient) -> Result<(), Failure> {
    let name = printable(name.as_str()).into_owned();
    if declared.attributes.token_endpoint_auth_method != Some(AuthMethod::PrivateKeyJwt) {
        let why = format!("the client '{name}' does not prove itself by keys (private_key_jwt)");
        return Err(Failure::Failed(why));
    }
    if declared.keys.as_ref().map_or(0, Vec::len) >= MOST_KEYS {
        let why = format!(
            "the client '{name}' has {MOST_KEYS} keys, and can have no more: remove one first \
             (`portvakt keys rotate --retire`)"
        );
        return Err(Failure::Refused(why));
    }
    Ok(())
}

/// Puts the public half where the declaration sees it. Gives the files that were written, relative to
/// the repository.
fn declare(
    opened: &Opened,
    name: &ClientName,
    public: &PublicKey,
    written: &mut WrittenFiles,
) -> Result<Vec<String>, Failure> {
    let repository = &opened.repository;
    let environment = &opened.desired.environment;
    for named in &repository.key_refs(environment, name) {
        let KeysRef::File { path, .. } = named else { continue };
        // What several clients name would give the key to all of them.
        let users = repository.key_file_users(path);
        if users.iter().any(|(_, other)| *other != name) {
            continue;
        }
        if let Some(set) = with_key(&repository.root().join(path), public) {
            written.replace(&repository.root().join(path), &set)?;
            return Ok(vec![path.clone()]);
        }
    }
    let file = repository.client_file(environment, name).unwrap_or_default().to_owned();
    let (path, as_written) = new_file(opened, &file, name, public, written)?;
    let edited =
        repository.with_key_file(environment, name, &as_written).map_err(Failure::failed)?;
    written.replace(&repository.root().join(&edited.file), &edited.after)?;
    let path = path.strip_prefix(repository.root()).unwrap_or(&path).display().to_string();
    Ok(vec![path, edited.file])
}

/// A JWKS file with one key more; `None` where the file is no JWKS.
fn with_key(path: &Path, public: &PublicKey) -> Option<String> {
    let mut set: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    set.get_mut("keys")?.as_array_mut()?.push(Value::Object(public.to_jwk()));
    Some(format!("{set:#}\n"))
}

/// A new JWKS file beside the declaration, below `keys`. Gives its path, and how the declaration
/// names it.
fn new_file(
    opened: &Opened,
    declaration: &str,
    name: &ClientName,
    public: &PublicKey,
    files: &mut WrittenFiles,
) -> Result<(PathBuf, String), Failure> {
    let folder = Path::new(declaration).parent().unwrap_or(Path::new(""));
    let folder = opened.repository.root().join(folder);
    let slug = slug(name.as_str());
    let set = format!("{:#}\n", json!({ "keys": [public.to_jwk()] }));
    let names = std::iter::once(format!("keys/{slug}.jwks.json"))
        .chain((2..).map(|number| format!("keys/{slug}-{number}.jwks.json")));
    for written in names {
        let path = folder.join(&written);
        if path.symlink_metadata().is_err() {
            files.create(&path, &set)?;
            return Ok((path, written));
        }
    }
    Err(Failure::failed("there is no name for another file with keys"))
}

/// How much of a client's name becomes part of a file's, in characters.
const LONGEST_SLUG: usize = 63;

/// A client's name as part of a file's: letters a to z, digits and dashes.
pub(crate) fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let plain: String = lower.chars().map(plain).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    match words.is_empty() {
        true => "client".to_owned(),
        false => words.join("-").chars().take(LONGEST_SLUG).collect(),
    }
}
