//! Connection to the API of the chosen environment.

use super::credentials::credentials;
use super::failure::Failure;
use super::opened::Opened;
use super::options::RunOptions;
use digdir::{
    AllowedHosts, ApiTarget, Credentials, ExpectedOwner, Issuer, Needs, Probe, Program, Reach,
    ReadProgress, Reader, TargetError, Writer,
};
use domain::{Live, secret};
use sandbox::Sandbox;

/// Address of the API and credentials. For `target: sandbox` it also holds the server.
pub(crate) struct Remote {
    target: ApiTarget,
    credentials: Credentials,
    options: digdir::Options,
    reach: Reach,
    sandbox: Option<Sandbox>,
}

impl Remote {
    /// Finds the address and the credentials of an environment for a level of access. A host that must not
    /// receive credentials is refused before any are read.
    pub(crate) async fn open(
        options: &RunOptions,
        opened: &Opened,
        reach: Reach,
    ) -> Result<Self, Failure> {
        Self::find(options, opened, reach, None).await
    }

    /// The same with the credentials of an application's client in place of the environment's, which are not
    /// read.
    pub(crate) async fn open_as(
        options: &RunOptions,
        opened: &Opened,
        application: Credentials,
    ) -> Result<Self, Failure> {
        Self::find(options, opened, opened.needs().reach(), Some(application)).await
    }

    async fn find(
        options: &RunOptions,
        opened: &Opened,
        reach: Reach,
        application: Option<Credentials>,
    ) -> Result<Self, Failure> {
        let allowed_hosts = AllowedHosts::new(options.allow_hosts.iter().map(String::as_str))
            .map_err(Failure::usage)?;
        let options = digdir::Options {
            program: Program { name: "portvakt", version: env!("CARGO_PKG_VERSION") },
            concurrency: options.concurrency,
            rate: options.rate,
            allowed_hosts,
            ..digdir::Options::default()
        };
        let repository = &opened.repository;
        let orgno = opened.desired.organization;
        let place = repository.settings().organization_place(orgno);
        let owner = Some(ExpectedOwner { orgno, place });
        let options = digdir::Options { owner, ..options };
        let name = &opened.desired.environment;
        let lacks = |what| Failure::Failed(format!("environment {name} has no {what}"));
        let environment = repository.environment(name).ok_or_else(|| lacks("declaration"))?;
        let Some(target) = environment.target.addresses().map_err(Failure::failed)? else {
            return embedded(opened, options, reach).await;
        };
        target.check(&options.allowed_hosts).map_err(not_trusted)?;
        let own = || {
            let declared = environment.credentials.as_ref().ok_or_else(|| lacks("credentials"))?;
            credentials(declared, repository, name)
        };
        let credentials = application.map_or_else(own, Ok)?;
        Ok(Self { target, credentials, options, reach, sandbox: None })
    }

    /// Access that can only read.
    pub(crate) async fn reader(&self) -> Result<Reader, Failure> {
        let (target, credentials) = (self.target.clone(), self.credentials.clone());
        Ok(Reader::connect(target, credentials, self.options.clone(), self.reach).await?)
    }

    /// Reads the live state with access that can only read, and closes.
    pub(crate) async fn live(
        self,
        needs: &Needs,
        progress: &(dyn Fn(ReadProgress) + Sync),
    ) -> Result<Live, Failure> {
        let live = self.reader().await?.live(needs, progress).await?;
        self.close().await?;
        Ok(live)
    }

    /// Access that can write.
    pub(crate) async fn writer(&self) -> Result<Writer, Failure> {
        let (target, credentials) = (self.target.clone(), self.credentials.clone());
        Ok(Writer::connect(target, credentials, self.options.clone(), self.reach).await?)
    }

    /// What sends single calls, with a token for these scopes, as long as the gate lets it.
    pub(crate) async fn probe(
        &self,
        scopes: &'static str,
        gate: impl Fn() -> Result<(), &'static str> + Send + Sync + 'static,
    ) -> Result<Probe, Failure> {
        let (target, credentials) = (self.target.clone(), self.credentials.clone());
        Ok(Probe::connect(target, credentials, self.options.clone(), scopes, gate).await?)
    }

    /// Where the API and Maskinporten are.
    pub(crate) fn target(&self) -> &ApiTarget {
        &self.target
    }

    /// Access to Maskinporten alone, for another client than portvakt's own.
    pub(crate) async fn issuer(&self) -> Result<Issuer, Failure> {
        Ok(Issuer::connect(&self.target, self.options.clone()).await?)
    }

    /// The same to Skyporten; an error if the target names none.
    pub(crate) async fn skyporten(&self) -> Result<Issuer, Failure> {
        self.target.skyporten().map_err(Failure::failed)?;
        Ok(Issuer::skyporten(&self.target, self.options.clone()).await?)
    }

    /// Whether it is a sandbox inside this process.
    pub(crate) fn is_embedded(&self) -> bool {
        self.sandbox.is_some()
    }

    /// Closes it; after that the state of an embedded sandbox is on disk.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        match self.sandbox {
            Some(sandbox) => sandbox.stop().await.map_err(Failure::failed),
            None => Ok(()),
        }
    }
}

async fn embedded(
    opened: &Opened,
    options: digdir::Options,
    reach: Reach,
) -> Result<Remote, Failure> {
    let settings = opened.repository.settings();
    let folder = opened.repository.root().join(".portvakt");
    if folder.is_symlink() {
        return Err(Failure::failed(
            ".portvakt is a symbolic link: the sandbox keeps its state in the repository only",
        ));
    }
    let name = settings.organization_name.as_deref().unwrap_or("the organisation");
    let owner = opened.desired.organization;
    let started = sandbox::embedded(&folder, owner, name, &settings.prefixes).await;
    let (sandbox, key) = started.map_err(Failure::failed)?;
    let target = ApiTarget::custom(sandbox.api().as_str(), sandbox.issuer())
        .and_then(|target| target.with_skyporten(sandbox.skyporten()))
        .map_err(Failure::failed)?;
    secret::note(&key.private_key_pem);
    let client_id = sandbox::CLIENT_ID.parse().map_err(Failure::failed)?;
    let kid = key.kid.parse().map_err(Failure::failed)?;
    let credentials = Credentials::from_key(client_id, &key.private_key_pem, Some(kid));
    Ok(Remote {
        target,
        credentials: credentials.map_err(Failure::failed)?,
        options,
        reach,
        sandbox: Some(sandbox),
    })
}

/// The error about credentials that must not be sent to the target, and how to allow it.
fn not_trusted(error: TargetError) -> Failure {
    let (TargetError::NotAllowed { host, .. } | TargetError::Mixed { host, .. }) = &error else {
        return Failure::failed(error);
    };
    Failure::Failed(format!(
        "{error}. If it is meant, whoever runs portvakt allows it with --allow-host {host} or \
         PORTVAKT_ALLOW_HOSTS; the repository cannot"
    ))
}
