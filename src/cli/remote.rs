//! The other side of the chosen environment: where it is and who we are there.

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::exit::Failure;
use super::global::Global;
use super::session::Session;
use crate::advice::advised;
use crate::declare::{self, Certificate, SETTINGS_FILE, SecretSource, TextSource};
use digdir::{
    AllowedHosts, Credentials, ExpectedOwner, Issuer, Options, Program, Reach, Reader, Target,
    TargetError, Writer,
};
use domain::secret;
use domain::{ClientId, Kid};
use sandbox::Sandbox;

/// Where the API is and what opens it. For `target: sandbox` it holds the server too.
pub(super) struct Remote {
    target: Target,
    credentials: Credentials,
    options: Options,
    reach: Reach,
    sandbox: Option<Sandbox>,
}

impl Remote {
    /// Finds the API and the credentials of the session's environment. A host that may not be
    /// sent credentials is refused before any are read.
    pub(super) async fn open(global: &Global, session: &Session) -> Result<Self, Failure> {
        Self::open_to(global, session, session.needs().reach()).await
    }

    /// The same, to reach so much of it.
    pub(super) async fn open_to(
        global: &Global,
        session: &Session,
        reach: Reach,
    ) -> Result<Self, Failure> {
        let allowed_hosts = AllowedHosts::new(global.allow_hosts.iter().map(String::as_str))
            .map_err(|error| Failure::Usage(error.to_string()))?;
        let options = Options {
            program: Program { name: "portvakt", version: env!("CARGO_PKG_VERSION") },
            concurrency: global.concurrency,
            rate: global.rate,
            allowed_hosts,
            ..Options::default()
        };
        let repository = &session.repository;
        let orgno = session.desired.organization;
        let place = repository.settings().organization_place(orgno);
        let options = Options { owner: Some(ExpectedOwner { orgno, place }), ..options };
        let name = &session.desired.environment;
        let lacks = |what| Failure::Failed(format!("environment {name} has no {what}"));
        let environment = repository.environment(name).ok_or_else(|| lacks("declaration"))?;
        let Some(target) = environment.target.addresses().map_err(failed)? else {
            return embedded(session, options, reach).await;
        };
        target.check(&options.allowed_hosts).map_err(not_trusted)?;
        let declared = environment.credentials.as_ref().ok_or_else(|| lacks("credentials"))?;
        let credentials = credentials(declared, repository.root())?;
        Ok(Self { target, credentials, options, reach, sandbox: None })
    }

    /// What can read and cannot write.
    pub(super) async fn reader(&self) -> Result<Reader, Failure> {
        let (target, credentials) = (self.target.clone(), self.credentials.clone());
        Reader::connect(target, credentials, self.options.clone(), self.reach)
            .await
            .map_err(call_failed)
    }

    /// What can write.
    pub(super) async fn writer(&self) -> Result<Writer, Failure> {
        let (target, credentials) = (self.target.clone(), self.credentials.clone());
        Writer::connect(target, credentials, self.options.clone(), self.reach)
            .await
            .map_err(call_failed)
    }

    /// Maskinporten alone, for a client of somebody else than this program.
    pub(super) async fn issuer(&self) -> Result<Issuer, Failure> {
        Issuer::connect(&self.target, self.options.clone()).await.map_err(call_failed)
    }

    /// Whether it is a sandbox inside this process.
    pub(super) fn is_embedded(&self) -> bool {
        self.sandbox.is_some()
    }

    /// Ends it; an embedded sandbox has its state on disk after that.
    pub(super) async fn close(self) -> Result<(), Failure> {
        match self.sandbox {
            Some(sandbox) => sandbox.stop().await.map_err(failed),
            None => Ok(()),
        }
    }
}

async fn embedded(session: &Session, options: Options, reach: Reach) -> Result<Remote, Failure> {
    let settings = session.repository.settings();
    let folder = session.repository.root().join(".portvakt");
    if folder.is_symlink() {
        let why =
            ".portvakt is a symbolic link: the sandbox keeps its state in the repository only";
        return Err(Failure::Failed(why.to_owned()));
    }
    let name = settings.organization_name.as_deref().unwrap_or("the organisation");
    let owner = session.desired.organization;
    let started = sandbox::embedded(&folder, owner, name, &settings.prefixes).await;
    let (sandbox, client) = started.map_err(failed)?;
    let target = Target::custom(sandbox.api().as_str(), sandbox.issuer()).map_err(failed)?;
    secret::note(&client.private_key_pem);
    let client_id = client.client_id.parse().map_err(failed)?;
    let kid = client.kid.parse().map_err(failed)?;
    let credentials = Credentials::from_key(client_id, &client.private_key_pem, Some(kid));
    Ok(Remote {
        target,
        credentials: credentials.map_err(failed)?,
        options,
        reach,
        sandbox: Some(sandbox),
    })
}

fn credentials(declared: &declare::Credentials, root: &Path) -> Result<Credentials, Failure> {
    let client_id: ClientId = id(&declared.client_id, "client_id", root)?;
    if let Some(Certificate { file, password }) = &declared.certificate {
        let path = root.join(file);
        let archive = read_file(&path, MAX_FILE)
            .map(Zeroizing::new)
            .map_err(|why| Failure::Failed(format!("{} {why}", path.display())))?;
        let password = read(password, root)?;
        secret::note(&password);
        return Credentials::from_pkcs12(client_id, &archive, &password).map_err(|error| {
            Failure::Failed(format!("the certificate in {}: {error}", path.display()))
        });
    }
    let source = declared.key.as_ref().ok_or_else(|| {
        Failure::Failed("the environment's credentials have neither key nor certificate".to_owned())
    })?;
    let kid: Option<Kid> = declared.kid.as_ref().map(|kid| id(kid, "kid", root)).transpose()?;
    let key = read(source, root)?;
    secret::note(&key);
    Credentials::from_key(client_id, &key, kid)
        .map_err(|error| Failure::Failed(format!("the key in {}: {error}", told(source))))
}

/// An id. What is none is not shown, as a pull request chooses where it is read from.
fn id<T>(source: &TextSource, key: &str, root: &Path) -> Result<T, Failure>
where
    T: FromStr<Err: std::fmt::Display>,
{
    let (text, place) = match source {
        TextSource::Literal(text) => (SecretString::from(text.as_str()), SETTINGS_FILE.to_owned()),
        TextSource::Env(name) => {
            let source = SecretSource::Env(name.clone());
            (read(&source, root)?, told(&source))
        }
        TextSource::File(file) => {
            let source = SecretSource::File(file.clone());
            (read(&source, root)?, told(&source))
        }
    };
    let text = text.expose_secret().trim();
    text.parse().map_err(|why| {
        Failure::Failed(format!("{key} from {place} {}; {why}", declare::not_an_id(text, key)))
    })
}

/// Reads what portvakt.yaml points at. Its value is never part of an error.
fn read(source: &SecretSource, root: &Path) -> Result<SecretString, Failure> {
    let cannot = |why: &str| Failure::Failed(format!("{} {why}", told(source)));
    match source {
        SecretSource::Env(name) => match std::env::var(name).map(SecretString::from) {
            Ok(value) if value.expose_secret().trim().is_empty() => Err(cannot("is empty")),
            Ok(value) => Ok(value),
            Err(std::env::VarError::NotPresent) => Err(cannot("is not set")),
            Err(std::env::VarError::NotUnicode(_)) => Err(cannot("is not UTF-8")),
        },
        SecretSource::File(file) => read_secret(&root.join(file)).map_err(|why| cannot(&why)),
    }
}

/// The most that a key, a certificate or a manifest is, in bytes.
pub(super) const MAX_FILE: u64 = 1 << 20;

/// Reads a file with a secret in it. The error says why it cannot be read, behind its name.
pub(super) fn read_secret(path: &Path) -> Result<SecretString, String> {
    let bytes = read_file(path, MAX_FILE)?;
    // The one buffer is the other's, or is overwritten.
    String::from_utf8(bytes)
        .map(SecretString::from)
        .map_err(|error| drop(Zeroizing::new(error.into_bytes())))
        .map_err(|()| "is not UTF-8".to_owned())
}

/// Reads a regular file of at most so many bytes: no device, no pipe, and none that holds more than
/// the system says, as those in `/proc` do. The error says why it cannot be read, behind its name.
pub(super) fn read_file(path: &Path, largest: u64) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    // Before it is opened: opening a pipe waits for somebody to write to it.
    check_file(&std::fs::metadata(path).map_err(cannot)?, largest)?;
    let file = File::open(path).map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    check_file(&metadata, largest)?;
    let length = usize::try_from(metadata.len()).unwrap_or_default();
    // As large as it gets at once: a buffer that grows leaves copies of itself behind.
    let mut bytes = Vec::with_capacity(length + 1);
    file.take(metadata.len() + 1).read_to_end(&mut bytes).map_err(cannot)?;
    match bytes.len() == length {
        true => Ok(bytes),
        false => {
            drop(Zeroizing::new(bytes));
            Err("is not stored as a regular file, or changed while it was read".to_owned())
        }
    }
}

fn check_file(metadata: &Metadata, largest: u64) -> Result<(), String> {
    match metadata.is_file() && metadata.len() <= largest {
        true => Ok(()),
        false => Err(format!("is no file of at most {} MiB", largest >> 20)),
    }
}

fn told(source: &SecretSource) -> String {
    match source {
        SecretSource::Env(name) => format!("environment variable {name}"),
        SecretSource::File(file) => format!("file {file}"),
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}

/// Credentials that may not go where the target is, and how that is allowed.
fn not_trusted(error: TargetError) -> Failure {
    let (TargetError::NotAllowed { host, .. } | TargetError::Mixed { host, .. }) = &error else {
        return failed(error);
    };
    Failure::Failed(format!(
        "{error}. If it is meant, whoever runs portvakt allows it with --allow-host {host} or \
         PORTVAKT_ALLOW_HOSTS; the repository cannot"
    ))
}

/// A failed call with what to do about it.
pub(super) fn call_failed(error: digdir::Error) -> Failure {
    Failure::Failed(advised(&error))
}
