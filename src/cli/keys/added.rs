//! A new key for a client: its private half for the application, its public half beside the
//! declaration.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ColorChoice;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::cli::exit::Failure;
use crate::cli::session::{Session, today};
use crate::cli::{Global, files, log, print};
use crate::declare::KeysRef;
use crate::digdir::ApplicationKey;
use crate::domain::{
    AuthMethod, ClientName, DesiredClient, MOST_KEYS, PublicKey, SigningAlgorithm,
};
use crate::history;
use crate::text::printable;

/// Makes a key. `out` is the file for its private half; `None` prints that, once all else is in its
/// place. Nothing is left half done: where a step fails, what was written before is taken back.
pub(super) fn add(
    global: &Global,
    session: &Session,
    name: &ClientName,
    declared: &DesiredClient,
    out: Option<&Path>,
) -> Result<(), Failure> {
    check(name, declared)?;
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(error.to_string());
    let key = ApplicationKey::generate().map_err(|error| failed(&error))?;
    let kid = key.dated_kid(today()).map_err(|error| failed(&error))?;
    let alg = SigningAlgorithm::default();
    let public = key.public(&kid, alg).map_err(|error| failed(&error))?;
    let private = key.private_jwk(&kid, alg).map_err(|error| failed(&error))?;
    if let Some(out) = out {
        files::create_private(out, &format!("{}\n", private.expose_secret()))?;
        warn_of_git(global, out);
    }
    let written = declare(session, name, &public).inspect_err(|_| {
        // A key that is declared nowhere is of no use.
        let _ = out.map(fs::remove_file);
    })?;
    log::told(global, &format!("made the key {kid} for the client '{}'", printable(name.as_str())));
    for path in written {
        log::told(global, &format!("wrote {}", printable(&path)));
    }
    match out {
        Some(out) => {
            let out = out.display().to_string();
            log::told(global, &format!("wrote {} (private)", printable(&out)));
            Ok(())
        }
        None => print_private(&private),
    }
}

fn print_private(private: &SecretString) -> Result<(), Failure> {
    print(ColorChoice::Never, &format!("{}\n", private.expose_secret()))
}

fn check(name: &ClientName, declared: &DesiredClient) -> Result<(), Failure> {
    let name = printable(name.as_str()).into_owned();
    if declared.attributes.token_endpoint_auth_method != Some(AuthMethod::PrivateKeyJwt) {
        let why = format!("the client '{name}' does not prove itself by keys (private_key_jwt)");
        return Err(Failure::Failed(why));
    }
    if declared.keys.as_ref().map_or(0, Vec::len) >= MOST_KEYS {
        let why = format!(
            "the client '{name}' has {MOST_KEYS} keys, and can have no more: take one out first \
             (`portvakt keys rotate --retire`)"
        );
        return Err(Failure::Refused(why));
    }
    Ok(())
}

/// Puts the public half where the declaration sees it. Gives the files that were written, relative to
/// the repository.
fn declare(
    session: &Session,
    name: &ClientName,
    public: &PublicKey,
) -> Result<Vec<String>, Failure> {
    let repository = &session.repository;
    let environment = &session.desired.environment;
    let refs = repository.key_refs(environment, name);
    for named in &refs {
        let KeysRef::File { path, .. } = named else { continue };
        if let Some(set) = with_key(&repository.root().join(path), public) {
            files::replace(&files::writable(&repository.root().join(path))?, &set)?;
            return Ok(vec![path.clone()]);
        }
    }
    let file = repository.client_file(environment, name).unwrap_or_default().to_owned();
    let (path, written) = new_file(session, &file, name, public)?;
    let as_written = |named: &KeysRef| match named {
        KeysRef::File { written, .. } => written.clone(),
        KeysRef::Inline => String::new(),
    };
    let names: Vec<String> = refs.iter().map(as_written).chain([written]).collect();
    let edited = repository
        .with_keys(environment, name, &names)
        .map_err(|error| Failure::Failed(error.to_string()))
        .and_then(|edited| {
            let target = files::writable(&repository.root().join(&edited.file))?;
            files::replace(&target, &edited.after).map(|()| edited.file)
        })
        .inspect_err(|_| {
            let _ = fs::remove_file(&path);
        })?;
    let path = path.strip_prefix(repository.root()).unwrap_or(&path).display().to_string();
    Ok(vec![path, edited])
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
    session: &Session,
    declaration: &str,
    name: &ClientName,
    public: &PublicKey,
) -> Result<(PathBuf, String), Failure> {
    let folder = Path::new(declaration).parent().unwrap_or(Path::new(""));
    let folder = session.repository.root().join(folder);
    let slug = slug(name.as_str());
    let set = format!("{:#}\n", json!({ "keys": [public.to_jwk()] }));
    let names = std::iter::once(format!("keys/{slug}.jwks.json"))
        .chain((2..).map(|number| format!("keys/{slug}-{number}.jwks.json")));
    for written in names {
        let path = folder.join(&written);
        if path.symlink_metadata().is_err() {
            files::create(&path, &set)?;
            return Ok((path, written));
        }
    }
    Err(Failure::Failed("there is no name for another file with keys".to_owned()))
}

/// A client's name as part of a file's: letters a to z, digits and dashes.
pub(in crate::cli) fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let plain: String = lower.chars().map(plain).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    match words.is_empty() {
        true => "client".to_owned(),
        false => words.join("-"),
    }
}

/// Warns where a private file could be committed.
fn warn_of_git(global: &Global, out: &Path) {
    if history::would_be_committed(out) {
        let out = out.display().to_string();
        log::told(
            global,
            &format!(
                "{} lies in a git work tree and is not ignored: see that it is never committed",
                printable(&out)
            ),
        );
    }
}
