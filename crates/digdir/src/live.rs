//! Reading what is live, as far as a plan needs it.

use std::collections::BTreeSet;

use tokio::task::JoinSet;

use super::call::Call;
use super::entries::{self, Oddities, accesses_of_scope};
use super::error::{Error, ErrorKind};
use super::needs::Needs;
use super::reader::Reader;
use super::wire::{AccessEntry, scope_name};
use domain::{Live, LiveScope, Representation, ScopeName};

/// How far the reading has come, in access lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadProgress {
    /// Lists read.
    pub done: usize,
    /// Lists to read.
    pub total: usize,
}

impl Reader {
    /// Reads the organisation's scopes and prefixes, the delegation sources and the clients if they
    /// are needed, and one list of accesses for each needed scope that exists. `progress` is called in the
    /// caller's own task. Entries that no plan can name are told in [`Live::oddities`] and left
    /// alone.
    pub async fn live(
        &self,
        needs: &Needs,
        progress: &(dyn Fn(ReadProgress) + Sync),
    ) -> Result<Live, Error> {
        let sources = async {
            match needs.delegation_sources {
                true => self.list(&Call::delegation_sources()).await,
                false => Ok(Vec::new()),
            }
        };
        let mut oddities = Oddities::new();
        let mut odd_clients = Oddities::new();
        let clients = async {
            match &needs.clients {
                Some(needs) => {
                    let foreign = self.foreign_scopes(&needs.consumed);
                    tokio::try_join!(self.live_clients(needs, &mut odd_clients), foreign)
                }
                None => Ok(Default::default()),
            }
        };
        let (listed, prefix_entries, source_entries, (clients, mut foreign)) =
            tokio::try_join!(self.scopes(), self.prefix_entries(), sources, clients)?;
        let mut scopes = entries::scopes(listed, &needs.scopes, &mut oddities)?;
        let prefixes = entries::prefixes(prefix_entries, &mut oddities);
        let delegation_sources = entries::delegation_sources(source_entries, &mut oddities);
        oddities.extend(odd_clients);
        foreign.retain(|name, _| !scopes.contains_key(name));
        let wanted: Vec<_> = scopes
            .iter()
            .filter(|(name, _)| needs.scopes.contains(*name))
            .map(|(name, scope)| (name.clone(), scope.active))
            .collect();
        let lists = self.access_lists(&wanted, progress).await?;
        for ((name, _), entries) in wanted.iter().zip(lists) {
            let (accesses, odd) = accesses_of_scope(name, entries)?;
            if let Some(scope) = scopes.get_mut(name) {
                scope.accesses = Some(accesses);
                scope.unclear = !odd.is_empty();
            }
            oddities.extend(odd);
        }
        let own_client = Some(self.own_client(&clients).await?);
        Ok(Live {
            snapshot: None,
            scopes,
            prefixes,
            delegation_sources,
            clients,
            foreign,
            own_client,
            oddities,
        })
    }

    /// The names of the organisation's scopes; those that no plan can name are left out.
    pub async fn scope_names(&self) -> Result<BTreeSet<ScopeName>, Error> {
        let scopes = self.scopes().await?;
        Ok(scopes.iter().filter_map(|scope| scope_name(scope).ok()).collect())
    }

    /// One scope as it is now, without its accesses; `None` if there is none of that name.
    pub async fn scope(&self, name: &ScopeName) -> Result<Option<LiveScope>, Error> {
        let Some(representation) = self.representation(name).await? else {
            return Ok(None);
        };
        let active = described(name, &representation)
            .map_err(|odd| Error::new(ErrorKind::Malformed, &Call::scope(name).place(), odd))?;
        Ok(Some(LiveScope { active, representation, accesses: None, unclear: false }))
    }

    /// One scope as it is now, with its accesses; `None` if there is none of that name.
    pub async fn scope_with_accesses(&self, name: &ScopeName) -> Result<Option<LiveScope>, Error> {
        let Some(scope) = self.scope(name).await? else {
            return Ok(None);
        };
        let (accesses, odd) = accesses_of_scope(name, self.accesses(name, !scope.active).await?)?;
        Ok(Some(LiveScope { accesses: Some(accesses), unclear: !odd.is_empty(), ..scope }))
    }

    /// The access lists of the scopes, in their order, read side by side. For an inactive scope
    /// inactive entries are asked for too: they come back to life with it.
    async fn access_lists(
        &self,
        wanted: &[(ScopeName, bool)],
        progress: &(dyn Fn(ReadProgress) + Sync),
    ) -> Result<Vec<Vec<AccessEntry>>, Error> {
        let total = wanted.len();
        progress(ReadProgress { done: 0, total });
        let mut done = 0;
        let lists = wanted.iter().cloned().map(|(name, active)| {
            let reader = self.clone();
            async move { reader.accesses(&name, !active).await }
        });
        all(lists, || {
            done += 1;
            progress(ReadProgress { done, total });
        })
        .await
    }
}

/// Does the same for many things side by side. Gives the results in the order of the things; an error
/// ends it all.
pub(super) async fn side_by_side<T, R, F>(
    things: Vec<T>,
    work: impl Fn(T) -> F,
) -> Result<Vec<R>, Error>
where
    R: Send + 'static,
    F: Future<Output = Result<R, Error>> + Send + 'static,
{
    all(things.into_iter().map(work), || ()).await
}

/// Waits for all, which run side by side; `ended` is called after each. An error ends the waiting:
/// what is still on its way is stopped.
async fn all<R, F>(work: impl Iterator<Item = F>, mut ended: impl FnMut()) -> Result<Vec<R>, Error>
where
    R: Send + 'static,
    F: Future<Output = Result<R, Error>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for (index, work) in work.enumerate() {
        tasks.spawn(async move { (index, work.await) });
    }
    let mut results: Vec<Option<R>> = Vec::new();
    results.resize_with(tasks.len(), || None);
    while let Some(task) = tasks.join_next().await {
        let (index, result) = task.map_err(|reason| {
            let place = Call::scopes().place();
            Error::new(ErrorKind::Connection, &place, format!("reading stopped: {reason}"))
        })?;
        results[index] = Some(result?);
        ended();
    }
    Ok(results.into_iter().flatten().collect())
}

/// Whether the scope is active; errors where the answer is about another scope.
fn described(name: &ScopeName, representation: &Representation) -> Result<bool, String> {
    match scope_name(representation) {
        Ok(reported) if reported == *name => entries::active(representation),
        Ok(reported) => Err(format!("the answer is about another scope, {reported}")),
        Err((entity, odd)) => Err(format!("the answer is about {entity}: {odd}")),
    }
}
