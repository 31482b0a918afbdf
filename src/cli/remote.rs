//! The other side of the chosen environment: where it is and who we are there.

use std::path::Path;

use secrecy::SecretString;

use super::Global;
use super::exit::Failure;
use super::session::Session;
use crate::declare::{self, Certificate, SecretSource, TextSource};
use crate::digdir::{AllowedHosts, Credentials, Issuer, Options, Reach, Reader, Target, Writer};
use crate::sandbox::{self, Sandbox};

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
            concurrency: global.concurrency,
            rate: global.rate,
            allowed_hosts,
            ..Options::default()
        };
        let repository = &session.repository;
        let name = &session.desired.environment;
        let lacks = |what| Failure::Failed(format!("environment {name} has no {what}"));
        let environment = repository.environment(name).ok_or_else(|| lacks("declaration"))?;
        let target = match &environment.target {
            declare::Target::Sandbox => return embedded(session, options, reach).await,
            declare::Target::Test => Target::test(),
            declare::Target::Prod => Target::prod(),
            declare::Target::Custom(place) => {
                Target::custom(&place.api, &place.maskinporten).map_err(failed)?
            }
        };
        target.check(&options.allowed_hosts).map_err(failed)?;
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
    let credentials =
        Credentials::from_key(client.client_id, &client.private_key_pem, Some(client.kid));
    Ok(Remote {
        target,
        credentials: credentials.map_err(failed)?,
        options,
        reach,
        sandbox: Some(sandbox),
    })
}

fn credentials(declared: &declare::Credentials, root: &Path) -> Result<Credentials, Failure> {
    let client_id = text(&declared.client_id, root)?;
    if let Some(Certificate { file, password }) = &declared.certificate {
        let path = root.join(file);
        let archive = read_file(&path, MAX_FILE)
            .map_err(|why| Failure::Failed(format!("{} {why}", path.display())))?;
        return Credentials::from_pkcs12(client_id, &archive, &secret(password, root)?).map_err(
            |error| Failure::Failed(format!("the certificate in {}: {error}", path.display())),
        );
    }
    let source = declared.key.as_ref().ok_or_else(|| {
        Failure::Failed("the environment's credentials have neither key nor certificate".to_owned())
    })?;
    let kid = declared.kid.as_ref().map(|kid| text(kid, root)).transpose()?;
    Credentials::from_key(client_id, &secret(source, root)?, kid)
        .map_err(|error| Failure::Failed(format!("the key in {}: {error}", told(source))))
}

fn text(source: &TextSource, root: &Path) -> Result<String, Failure> {
    match source {
        TextSource::Literal(text) => Ok(text.clone()),
        TextSource::Env(name) => line(&SecretSource::Env(name.clone()), root),
        TextSource::File(file) => line(&SecretSource::File(file.clone()), root),
    }
}

fn line(source: &SecretSource, root: &Path) -> Result<String, Failure> {
    read(source, root).map(|text| text.trim().to_owned())
}

fn secret(source: &SecretSource, root: &Path) -> Result<SecretString, Failure> {
    read(source, root).map(SecretString::from)
}

/// Reads what portvakt.yaml points at. Its value is never part of an error.
fn read(source: &SecretSource, root: &Path) -> Result<String, Failure> {
    let cannot = |why: String| Failure::Failed(format!("{} {why}", told(source)));
    match source {
        SecretSource::Env(name) => match std::env::var(name) {
            Ok(value) if value.trim().is_empty() => Err(cannot("is empty".to_owned())),
            Ok(value) => Ok(value),
            Err(std::env::VarError::NotPresent) => Err(cannot("is not set".to_owned())),
            Err(std::env::VarError::NotUnicode(_)) => Err(cannot("is not UTF-8".to_owned())),
        },
        SecretSource::File(file) => {
            let bytes = read_file(&root.join(file), MAX_FILE).map_err(cannot)?;
            String::from_utf8(bytes).map_err(|_| cannot("is not UTF-8".to_owned()))
        }
    }
}

/// The most that a key or a certificate is, in bytes.
pub(super) const MAX_FILE: u64 = 1 << 20;

/// Reads a file of at most so many bytes. The error says why it cannot be read, behind its name.
pub(super) fn read_file(path: &Path, largest: u64) -> Result<Vec<u8>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_file() || metadata.len() > largest {
        return Err(format!("is no file of at most {} MiB", largest >> 20));
    }
    std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))
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

/// A failed call with what to do about it.
pub(super) fn call_failed(error: crate::digdir::Error) -> Failure {
    Failure::Failed(error.advised())
}
