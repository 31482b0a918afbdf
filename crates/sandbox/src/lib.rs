//! An emulator of the self-service API, of Maskinporten and of Skyporten, served over HTTP.
//!
//! It keeps to what is known of the real ones; where nothing is known, the module of the endpoint
//! says what it does, or a switch decides. Where a fact is from is marked: D is DigDir's
//! documentation, S its OpenAPI description (2025-09), C what clients of the live API rely on, and
//! ? what no source settles.

mod accesses;
mod call;
mod certificate;
mod client_fields;
mod client_keys;
mod client_record;
mod client_rules;
mod clients;
mod error;
mod exchange;
mod fault;
mod grant;
mod granted;
mod jwk;
mod keys;
mod lookups;
mod on_behalf_of;
mod refusal;
mod scope_access;
mod scopes;
mod server;
mod shared;
mod skyporten;
mod state;
mod state_file;
mod switches;
mod system_user;
mod token;
mod validate;
mod value;
mod writer;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

pub use axum::http::Method;
pub use client_record::{
    ADMIN_SCOPES, ClientRecord, Delegation, KeyRecord, OnBehalfOfRecord, SystemUser,
};
pub use error::SandboxError;
pub use exchange::Exchange;
pub use fault::{Fault, FaultRule};
pub use keys::ClientKey;
pub use state::{AccessRecord, ScopeRecord, State};
pub use state_file::StateFile;
pub use switches::Switches;

use domain::Orgno;
use keys::SigningKey;
use shared::{Shared, lock};
use writer::StateWriter;

/// What a sandbox starts with.
#[derive(Debug)]
pub struct Config {
    /// Where to listen: a loopback address, port 0 for any free one.
    pub listen: SocketAddr,
    /// What is there at first.
    pub state: State,
    /// Where the state is kept; `None` forgets it at the end.
    pub persist: Option<StateFile>,
    /// The key with which access tokens are signed; `None` takes one of this process.
    pub signing: Option<ClientKey>,
    /// What is odd.
    pub switches: Switches,
    /// Whether [`Sandbox::exchanges`] is to be had.
    pub record: bool,
}

impl Config {
    /// Any free port, no file, no key, no oddities, no record.
    pub fn new(state: State) -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            state,
            persist: None,
            signing: None,
            switches: Switches::default(),
            record: false,
        }
    }
}

/// A server that runs until this value is dropped. [`Sandbox::stop`] is the orderly end.
pub struct Sandbox {
    api: Url,
    shared: Arc<Shared>,
    stop: watch::Sender<()>,
    server: JoinHandle<()>,
    writer: Option<StateWriter>,
}

impl Sandbox {
    /// Starts a server on the current tokio runtime.
    ///
    /// # Errors
    /// [`SandboxError`] if the address is not loopback or cannot be listened on, or if the system
    /// gives no random numbers for a key.
    pub async fn start(config: Config) -> Result<Self, SandboxError> {
        let Config { listen, state, persist, signing, switches, record } = config;
        if !listen.ip().is_loopback() {
            return Err(SandboxError::NotLoopback(listen));
        }
        let at = |source| SandboxError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(at)?;
        let issuer = format!("http://{}/", listener.local_addr().map_err(at)?);
        let api = Url::parse(&issuer).map_err(|_| SandboxError::NotLoopback(listen))?;
        let signing = blocking(|| match signing {
            Some(key) => SigningKey::new(key).map(Arc::new),
            None => SigningKey::shared(),
        })
        .await?;
        let shared = Arc::new(Shared::new(issuer, signing, state, switches, record));
        let writer = persist.map(|file| StateWriter::start(Arc::clone(&shared), file));
        let (stop, stopped) = watch::channel(());
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared), stopped));
        Ok(Self { api, shared, stop, server, writer })
    }

    /// The API's base, `http://127.0.0.1:PORT/`: its paths begin with `/api/v1`.
    pub fn api(&self) -> &Url {
        &self.api
    }

    /// The issuer, `http://127.0.0.1:PORT/` with the trailing slash.
    pub fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// Skyporten's issuer, `http://127.0.0.1:PORT/skyporten` without a slash at its end.
    pub fn skyporten(&self) -> &str {
        &self.shared.skyporten
    }

    /// A copy of all that it knows now.
    pub fn state(&self) -> State {
        self.shared.read(State::clone)
    }

    /// Changes what it knows, behind every client's back.
    pub fn edit(&self, edit: impl FnOnce(&mut State)) {
        let Ok(()) = self.shared.change(|state| {
            edit(state);
            Ok::<_, Infallible>(())
        });
    }

    /// The switches as they are now.
    pub fn switches(&self) -> Switches {
        self.shared.switches()
    }

    /// Sets all switches, for the requests that come.
    pub fn set_switches(&self, switches: Switches) {
        self.shared.set_switches(switches);
    }

    /// Adds a fault, after those that are waiting.
    pub fn inject(&self, rule: FaultRule) {
        lock(&self.shared.faults).push(rule);
    }

    /// The rules that have not struck as often as they should.
    pub fn waiting_faults(&self) -> Vec<FaultRule> {
        lock(&self.shared.faults).clone()
    }

    /// What was asked and answered so far, in the order of the answers; empty unless
    /// [`Config::record`] was set.
    pub fn exchanges(&self) -> Vec<Exchange> {
        let exchanges = self.shared.exchanges.as_ref();
        exchanges.map_or_else(Vec::new, |exchanges| lock(exchanges).clone())
    }

    /// Forgets what was recorded.
    pub fn clear_exchanges(&self) {
        if let Some(exchanges) = &self.shared.exchanges {
            lock(exchanges).clear();
        }
    }

    /// Finishes what was begun and writes the state.
    ///
    /// # Errors
    /// [`SandboxError::File`] if the state could not be written.
    pub async fn stop(mut self) -> Result<(), SandboxError> {
        self.stop.send_replace(());
        // A server that panicked has told it already; the state is written all the same.
        let _ = (&mut self.server).await;
        match self.writer.take() {
            None => Ok(()),
            Some(writer) => writer.finish(),
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Id of the client that [`embedded`] registers.
pub const CLIENT_ID: &str = "portvakt";

/// The sandbox inside this process, for `target: sandbox`, and the key of its client [`CLIENT_ID`]. Its state is
/// `sandbox.json` in `folder`, which is made if it is missing. The organisation has at least these prefixes. The
/// keys of the client and of the server are kept beside the state, as making them takes longer than a plan.
///
/// # Errors
/// [`SandboxError`] if the state is damaged, in use by another process, or has one of the
/// prefixes in other hands.
pub async fn embedded(
    folder: &Path,
    organization: Orgno,
    name: &str,
    prefixes: &[String],
) -> Result<(Sandbox, ClientKey), SandboxError> {
    let file = StateFile::open(&folder.join("sandbox.json"))?;
    state_file::keep_out_of_git(folder)?;
    let mut state = load_or_seed(&file, organization, name, prefixes)?;
    let files = ["sandbox-client-key.pem", "sandbox-signing-key.pem"].map(|name| folder.join(name));
    let [key, signing] = blocking(move || {
        let [client, signing] = &files;
        Ok([ClientKey::kept(client)?, ClientKey::kept(signing)?])
    })
    .await?;
    state.register_key(organization, CLIENT_ID, &key);
    let config = Config { persist: Some(file), signing: Some(signing), ..Config::new(state) };
    let sandbox = Sandbox::start(config).await?;
    Ok((sandbox, key))
}

/// Runs what makes a key, or reads one, beside the server's own tasks.
async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, SandboxError> + Send + 'static,
) -> Result<T, SandboxError> {
    tokio::task::spawn_blocking(run).await.map_err(|_| SandboxError::KeyGeneration)?
}

/// What the file holds, or a new state, with an organisation that has these prefixes.
///
/// # Errors
/// As [`StateFile::load`] and [`State::add_prefixes`].
pub fn load_or_seed(
    file: &StateFile,
    organization: Orgno,
    name: &str,
    prefixes: &[String],
) -> Result<State, SandboxError> {
    match file.load()? {
        None => Ok(State::new(organization, name, prefixes)),
        Some(mut state) => {
            state.organizations.insert(organization, name.to_owned());
            state.add_prefixes(organization, prefixes)?;
            Ok(state)
        }
    }
}
