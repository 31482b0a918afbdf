//! How hard the other side may be worked.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use http::{Client, ClientSettings};
use url::Url;

use super::error::{CallPlace, Error, ErrorKind};
use super::failure::Persistence;
use super::owner::ExpectedOwner;
use super::target::AllowedHosts;
use super::wire::correlation_id;

/// The program that calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// Its name, as errors and the header `User-Agent` have it.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// Limits and times of a connection.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who calls.
    pub program: Program,
    /// How many requests may be on their way at a time.
    pub concurrency: NonZeroUsize,
    /// How many requests may begin in a second.
    pub rate: NonZeroU32,
    /// The wait before the first repetition; each further one doubles it, and up to as much again
    /// is added at random.
    pub base_delay: Duration,
    /// How long one request may take, from connecting to the last byte.
    pub timeout: Duration,
    /// Where credentials may go beside DigDir's own hosts and this machine. Connecting asks
    /// [`super::ApiTarget::check`] with it, so that no caller can forget to.
    pub allowed_hosts: AllowedHosts,
    /// Whose the prefixes and scopes must be; `None` asks only that they belong to one organisation.
    pub owner: Option<ExpectedOwner>,
}

impl Options {
    /// A client for the host of this address.
    pub(super) fn client(&self, url: &Url, place: &CallPlace) -> Result<Client, Error> {
        let Program { name, version } = self.program;
        let user_agent = format!("{name}/{version}");
        Client::new(url, ClientSettings { user_agent, timeout: self.timeout, correlation_id })
            .map_err(|error| Error::new(ErrorKind::Connection, place, http::reason(error)))
    }

    pub(super) fn persistence(&self) -> Persistence {
        Persistence::new(self.program.name, self.base_delay)
    }
}

impl Default for Options {
    fn default() -> Self {
        const SIXTEEN: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);
        const THOUSAND: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);
        Self {
            program: Program { name: "digdir", version: env!("CARGO_PKG_VERSION") },
            concurrency: SIXTEEN,
            rate: THOUSAND,
            base_delay: Duration::from_millis(200),
            timeout: Duration::from_secs(60),
            allowed_hosts: AllowedHosts::default(),
            owner: None,
        }
    }
}
