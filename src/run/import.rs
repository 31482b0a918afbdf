//! Reading of live state that is to be declared.

use globset::GlobMatcher;

use super::failure::Failure;
use super::options::RunOptions;
use super::ready::Ready;
use super::remote::Remote;
use digdir::{ClientNeeds, Needs, Reach, ReadProgress, Reader, Which};
use domain::{Live, LiveClient, ScopeName};

/// The requested scopes and clients, by name: all where there are no globs.
pub(crate) struct ImportSelection {
    /// Only scopes of these names, and no clients unless some are requested too.
    pub(crate) scopes: Vec<GlobMatcher>,
    /// Only clients of these names, and no scopes unless some are requested too.
    pub(crate) clients: Vec<GlobMatcher>,
}

impl ImportSelection {
    /// Whether it is everything.
    pub(crate) fn is_everything(&self) -> bool {
        self.scopes.is_empty() && self.clients.is_empty()
    }

    /// Whether a scope is requested.
    pub(crate) fn is_scope(&self, name: &ScopeName) -> bool {
        self.is_everything() || is_match(&self.scopes, name.as_str())
    }

    /// Whether a client is requested.
    pub(crate) fn is_client(&self, client: &LiveClient) -> bool {
        self.is_everything() || is_match(&self.clients, &client.name)
    }

    fn reach(&self) -> Reach {
        match (self.scopes.is_empty(), self.clients.is_empty()) {
            (false, true) => Reach::Scopes,
            (_, false) | (true, true) => Reach::ScopesAndClients,
        }
    }

    /// The requested entities and no more. Scopes that others have granted to the organisation do not matter:
    /// a scope that is on a live client stays there.
    async fn needs(&self, reader: &Reader) -> Result<Needs, Failure> {
        let scopes = match self.scopes.is_empty() {
            true if self.is_everything() => Which::All,
            true => Which::default(),
            false => {
                let mut names = reader.scope_names().await?;
                names.retain(|name| self.is_scope(name));
                Which::These(names)
            }
        };
        let ids = match self.clients.is_empty() {
            true if self.is_everything() => Some(Which::All),
            true => None,
            false => {
                let clients = reader.client_names().await?.into_iter();
                let named = clients.filter(|(_, name)| is_match(&self.clients, name));
                Some(Which::These(named.map(|(id, _)| id).collect()))
            }
        };
        let clients = ids.map(|ids| ClientNeeds { ids, ..ClientNeeds::default() });
        Ok(Needs { scopes, delegation_sources: true, clients })
    }

    /// Reads them.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) async fn read(
        &self,
        options: &RunOptions,
        ready: &Ready,
        progress: &(dyn Fn(ReadProgress) + Sync),
    ) -> Result<Live, Failure> {
        let remote = Remote::open(options, &ready.opened, self.reach()).await?;
        let reader = remote.reader().await?;
        let live = reader.live(&self.needs(&reader).await?, progress).await?;
        remote.close().await?;
        Ok(live)
    }
}

fn is_match(globs: &[GlobMatcher], name: &str) -> bool {
    globs.iter().any(|glob| glob.is_match(name))
}
