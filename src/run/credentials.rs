//! The credentials of an environment, read from where portvakt.yaml points: everything that is missing is
//! reported at once, and nothing that was read is.

use std::path::Path;
use std::str::FromStr;

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::failure::Failure;
use super::read::{MAX_FILE, read_file, read_secret};
use crate::declare::{self, Certificate, Repository, SETTINGS_FILE, SecretSource, TextSource};
use digdir::{Credentials, CredentialsError};
use domain::{Kid, secret};

/// The ends of the names of files with keys and certificates.
const FILES: [&str; 11] =
    [".pem", ".key", ".crt", ".cer", ".p12", ".pfx", ".jwk", ".json", ".jks", ".txt", ".b64"];

/// The longest path that is looked for.
const LONGEST_PATH: usize = 4096;

/// Reads the credentials of an environment.
///
/// # Errors
/// All that is missing, or why they cannot be used.
pub(super) fn credentials(
    declared: &declare::DeclaredCredentials,
    repository: &Repository,
    environment: &str,
) -> Result<Credentials, Failure> {
    let mut sources = CredentialSources { repository, environment, problems: Vec::new() };
    let declare::DeclaredCredentials { client_id, key, kid, certificate } = declared;
    let client_id = sources.id(client_id, "client_id");
    let kid = kid.as_ref().map(|kid| sources.id::<Kid>(kid, "kid"));
    let proof = match (key, certificate) {
        (_, Some(certificate)) => sources.certificate(certificate),
        (Some(key), None) => sources.secret(key, "key").map(Proof::Key),
        (None, None) => {
            return Err(Failure::failed(
                "the environment's credentials have neither key nor certificate",
            ));
        }
    };
    sources.check()?;
    let (Some(client_id), Some(proof)) = (client_id, proof) else {
        return Err(Failure::failed("the credentials cannot be read"));
    };
    let kid = kid.flatten();
    let made = match &proof {
        Proof::Key(key) => Credentials::from_key(client_id, &key.text, kid),
        Proof::Archive { archive, password, alias } => {
            let password = &password.text;
            Credentials::from_pkcs12(client_id, archive.bytes(), password, alias.as_deref())
                .map(|credentials| registered(credentials, kid.as_ref()))
        }
        Proof::Chain { chain, key } => {
            let key = key.as_ref().map(|key| &key.text);
            Credentials::from_chain(client_id, &chain.text, key)
                .map(|credentials| registered(credentials, kid.as_ref()))
        }
    };
    made.map_err(|error| Failure::Failed(sources.unusable(&proof, &error)))
}

/// A certificate that is registered on the client has a kid.
fn registered(credentials: Credentials, kid: Option<&Kid>) -> Credentials {
    match kid {
        Some(kid) => credentials.registered_as(kid),
        None => credentials,
    }
}

/// A secret that was read, and where it is from.
struct ReadSecret {
    text: SecretString,
    /// Its key in portvakt.yaml.
    part: &'static str,
    /// Its source, in words.
    source: String,
    is_variable: bool,
}

/// An archive of a file or a variable.
enum Archive {
    File { bytes: Zeroizing<Vec<u8>>, source: String },
    Base64(ReadSecret),
}

impl Archive {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::File { bytes, source: _ } => bytes,
            Self::Base64(secret) => secret.text.expose_secret().as_bytes(),
        }
    }
}

/// Proof of the client's identity.
enum Proof {
    Key(ReadSecret),
    Archive { archive: Archive, password: ReadSecret, alias: Option<String> },
    Chain { chain: ReadSecret, key: Option<ReadSecret> },
}

/// Sources of an environment's credentials, and the problems found so far.
struct CredentialSources<'a> {
    repository: &'a Repository,
    environment: &'a str,
    problems: Vec<String>,
}

impl CredentialSources<'_> {
    fn root(&self) -> &Path {
        self.repository.root()
    }

    /// Returns the place where a part of the credentials is declared.
    fn place(&self, part: &str) -> String {
        self.repository.settings().credential_place(self.environment, part)
    }

    fn problem(&mut self, part: &str, what: &str) {
        self.problems.push(format!("{part}: {what} ({})", self.place(part)));
    }

    /// Errors with all that is missing.
    fn check(&self) -> Result<(), Failure> {
        let environment = self.environment;
        match self.problems.as_slice() {
            [] => Ok(()),
            [one] => Err(Failure::Failed(format!(
                "the credentials of environment {environment} cannot be read: {one}"
            ))),
            several => Err(Failure::Failed(format!(
                "{} of the credentials of environment {environment} cannot be read:\n  {}",
                several.len(),
                several.join("\n  ")
            ))),
        }
    }

    /// Reads a secret; `None` where it is missing. Its value is never part of an error.
    fn secret(&mut self, source: &SecretSource, part: &'static str) -> Option<ReadSecret> {
        let shown = shown(source);
        match read(source, self.root()) {
            Ok(text) => {
                secret::note(&text);
                let is_variable = matches!(source, SecretSource::Env(_));
                Some(ReadSecret { text, part, source: shown, is_variable })
            }
            Err(why) => {
                self.problem(part, &format!("{shown} {why}"));
                None
            }
        }
    }

    /// Reads an id. What is none is not shown, as a pull request chooses where it is read from.
    fn id<T>(&mut self, source: &TextSource, part: &str) -> Option<T>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        let (text, shown) = match source {
            TextSource::Literal(text) => {
                (Ok(SecretString::from(text.as_str())), SETTINGS_FILE.to_owned())
            }
            TextSource::Elsewhere(source) => (read(source, self.root()), shown(source)),
        };
        let text = match text {
            Ok(text) => text,
            Err(why) => {
                self.problem(part, &format!("{shown} {why}"));
                return None;
            }
        };
        let text = text.expose_secret().trim();
        match text.parse() {
            Ok(id) => Some(id),
            Err(why) => {
                let what = declare::not_an_id(text, part);
                self.problem(part, &format!("{part} from {shown} {what}; {why}"));
                None
            }
        }
    }

    fn certificate(&mut self, declared: &Certificate) -> Option<Proof> {
        let Certificate { file, base64, password, alias, chain, key } = declared;
        if let Some(chain) = chain {
            let chain = self.secret(chain, "certificate.chain");
            let key = match key {
                Some(key) => Some(self.secret(key, "certificate.key")?),
                None => None,
            };
            return Some(Proof::Chain { chain: chain?, key });
        }
        let archive = match (base64, file) {
            (Some(base64), _) => self.secret(base64, "certificate.base64").map(Archive::Base64),
            (None, Some(file)) => self.archive(file),
            (None, None) => None,
        };
        let password = password.as_ref().and_then(|it| self.secret(it, "certificate.password"));
        Some(Proof::Archive { archive: archive?, password: password?, alias: alias.clone() })
    }

    fn archive(&mut self, file: &str) -> Option<Archive> {
        let path = self.root().join(file);
        let source = path.display().to_string();
        match read_file(&path, MAX_FILE) {
            Ok(bytes) => Some(Archive::File { bytes: Zeroizing::new(bytes), source }),
            Err(why) => {
                self.problem("certificate.file", &format!("{source} {why}"));
                None
            }
        }
    }

    /// Returns the reason why a proof cannot be used, with its source.
    fn unusable(&self, proof: &Proof, error: &CredentialsError) -> String {
        let path = |secret: &ReadSecret| self.path_in(secret);
        let (what, source, part, path) = match proof {
            Proof::Key(key) => ("key", &key.source, "key", path(key)),
            Proof::Archive { archive: Archive::Base64(base64), password, alias: _ } => {
                let path = match error {
                    CredentialsError::Password => path(password),
                    _ => path(base64),
                };
                ("certificate", &base64.source, "certificate.base64", path)
            }
            Proof::Archive { archive: Archive::File { bytes: _, source }, password, alias: _ } => {
                let path = match error {
                    CredentialsError::Password => path(password),
                    _ => None,
                };
                ("certificate", source, "certificate.file", path)
            }
            Proof::Chain { chain, key } => {
                let path = path(chain).or_else(|| key.as_ref().and_then(path));
                ("certificate", &chain.source, "certificate.chain", path)
            }
        };
        let place = self.place(part);
        path.unwrap_or_else(|| format!("the {what} in {source} ({place}): {error}"))
    }

    /// Returns what to do about a variable that holds a path in place of the content.
    fn path_in(&self, secret: &ReadSecret) -> Option<String> {
        let ReadSecret { text, part, source, is_variable } = secret;
        if !is_variable {
            return None;
        }
        let is = match likeness(text.expose_secret().trim(), self.root())? {
            PathLikeness::Exists => "the path of a file that exists",
            PathLikeness::Looks => "what looks like the path of a file",
        };
        let key = part.rsplit('.').next().unwrap_or(part);
        let key = if key == "base64" { "certificate" } else { key };
        let place = self.place(part);
        Some(format!(
            "{source} ({place}) holds {is}, and not its content: write `{key}: {{ file: … }}` with that \
             path, or put the content of the file into the variable"
        ))
    }
}

/// Reason for taking a text for a path.
enum PathLikeness {
    Exists,
    Looks,
}

fn likeness(text: &str, root: &Path) -> Option<PathLikeness> {
    if text.is_empty() || text.len() > LONGEST_PATH || text.contains(['\n', '\0']) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let is_drive = text.get(1..3) == Some(":\\");
    let looks = text.starts_with(['/', '~', '.'])
        || is_drive
        || FILES.iter().any(|end| lower.ends_with(end));
    match root.join(text).is_file() {
        true => Some(PathLikeness::Exists),
        false => looks.then_some(PathLikeness::Looks),
    }
}

/// Reads what portvakt.yaml points at. The error says why it cannot, behind its name.
fn read(source: &SecretSource, root: &Path) -> Result<SecretString, String> {
    let cannot = |why: &str| Err(why.to_owned());
    match source {
        SecretSource::Env(name) => match std::env::var(name).map(SecretString::from) {
            Ok(value) if value.expose_secret().trim().is_empty() => cannot("is empty"),
            Ok(value) => Ok(value),
            Err(std::env::VarError::NotPresent) => cannot("is not set"),
            Err(std::env::VarError::NotUnicode(_)) => cannot("is not UTF-8"),
        },
        SecretSource::File(file) => read_secret(&root.join(file)),
    }
}

fn shown(source: &SecretSource) -> String {
    match source {
        SecretSource::Env(name) => format!("environment variable {name}"),
        SecretSource::File(file) => format!("file {file}"),
    }
}
