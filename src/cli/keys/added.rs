//! A new key for a client: its private half for the application, its public half beside the
//! declaration.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::cli::exit::Failure;
use crate::cli::files::{self, WrittenFiles};
use crate::cli::global::Global;
use crate::cli::log;
use crate::cli::sink::write_secret;
use crate::declare::{self, KeysRef};
use crate::run::Opened;
use crate::run::clock::today;
use digdir::ApplicationKey;
use domain::text::printable;
use domain::{AuthMethod, ClientName, DesiredClient, MOST_KEYS, PublicKey, SigningAlgorithm};

/// Makes a key. `out` is the file for its private half; `None` prints that. The private half comes
/// first, as without it all else is of no use; where a step fails, what was written before is taken
/// back.
pub(super) fn add(
    global: &Global,
    opened: &Opened,
    name: &ClientName,
    declared: &DesiredClient,
    out: Option<&Path>,
) -> Result<(), Failure> {
    check(name, declared)?;
    if let Some(out) = out.filter(|out| declare::is_yaml(out)) {
        let out = out.display().to_string();
        return Err(Failure::Usage(format!(
            "{} would be read as declarations: name a file that is no YAML",
            printable(&out)
        )));
    }
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(error.to_string());
    let key = ApplicationKey::generate().map_err(|error| failed(&error))?;
    let kid = key.dated_kid(today()).map_err(|error| failed(&error))?;
    let alg = SigningAlgorithm::default();
    let public = key.public(&kid, alg).map_err(|error| failed(&error))?;
    let private = key.private_jwk(&kid, alg).map_err(|error| failed(&error))?;
    let mut written = WrittenFiles::default();
    let private = Zeroizing::new(format!("{}\n", private.expose_secret()));
    match out {
        Some(out) => written.create_private(out, &private)?,
        None => print_private(&private)?,
    }
    let public_files = match declare(opened, name, &public, &mut written) {
        Ok(files) => files,
        Err(failure) => {
            let failure = written.take_back(failure);
            return Err(match out {
                Some(_) => failure,
                None => {
                    failure.and("The private key that was printed is of no use: throw it away.")
                }
            });
        }
    };
    log::told(global, &format!("made the key {kid} for the client '{}'", printable(name.as_str())));
    for path in &public_files {
        log::told(global, &format!("wrote {}", printable(path)));
    }
    if let Some(out) = out {
        let shown = out.display().to_string();
        log::told(global, &format!("wrote {} (private)", printable(&shown)));
        files::warn_of_git(global, out);
    }
    warn_of_others(global, opened, name, &public_files, "declared there too");
    if declared.keys.is_none() {
        log::told(
            global,
            "warning: the client declared no keys so far; if it has some at DigDir, the next apply \
             takes them away. Its plan tells",
        );
    }
    Ok(())
}

/// Tells in which other environments the client has keys from files that were written.
pub(super) fn warn_of_others(
    global: &Global,
    opened: &Opened,
    name: &ClientName,
    files: &[String],
    what: &str,
) {
    let here = opened.desired.environment.as_str();
    let users = files.iter().flat_map(|file| opened.repository.key_file_users(file));
    let others: BTreeSet<&str> = users
        .filter(|(environment, client)| *environment != here && *client == name)
        .map(|(environment, _)| environment)
        .collect();
    if !others.is_empty() {
        let others: Vec<&str> = others.into_iter().collect();
        log::told(
            global,
            &format!(
                "note: other environments read the same file ({}): the change is {what}",
                others.join(", ")
            ),
        );
    }
}

/// Prints the only copy of a private key: a reader that has gone away is an error too.
fn print_private(private: &str) -> Result<(), Failure> {
    write_secret(private).map_err(|error| {
        Failure::Failed(format!("the private key cannot be printed, so none was made: {error}"))
    })
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
    let edited = repository
        .with_key_file(environment, name, &as_written)
        .map_err(|error| Failure::Failed(error.to_string()))?;
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
    Err(Failure::Failed("there is no name for another file with keys".to_owned()))
}

/// How much of a client's name becomes part of a file's, in characters.
const LONGEST_SLUG: usize = 63;

/// A client's name as part of a file's: letters a to z, digits and dashes.
pub(in crate::cli) fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let plain: String = lower.chars().map(plain).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    match words.is_empty() {
        true => "client".to_owned(),
        false => words.join("-").chars().take(LONGEST_SLUG).collect(),
    }
}
