//! The refs of an environment: what they are called, what they are, and changing them.

use std::collections::BTreeMap;

use git2::{ErrorCode, Oid, Repository};

use super::History;
use super::error::Error;

/// What the refs of an environment are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refs {
    /// The commit last applied in full.
    pub(super) applied: Option<Oid>,
    /// The commits whose apply began since and did not end in full.
    pub(super) tried: Vec<Oid>,
    pub(super) lock: Option<Oid>,
    pub(super) ledger: Option<Oid>,
}

impl Refs {
    /// The commit last applied in full; `None` where nothing was.
    pub fn applied(&self) -> Option<String> {
        self.applied.map(|oid| oid.to_string())
    }

    /// The commits whose apply began since and did not end in full.
    pub fn tried(&self) -> Vec<String> {
        self.tried.iter().map(Oid::to_string).collect()
    }
}

/// A change to a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Update {
    pub(super) name: String,
    /// What it must be before; `None` for not there.
    pub(super) old: Option<Oid>,
    /// What it is to be; `None` for gone.
    pub(super) new: Option<Oid>,
}

pub(super) fn applied(environment: &str) -> String {
    format!("refs/portvakt/{environment}/applied")
}

/// What the refs of all tried commits begin with.
fn all_tried(environment: &str) -> String {
    format!("refs/portvakt/{environment}/tried/")
}

/// A ref of its own for each, so that none takes another's place.
pub(super) fn tried(environment: &str, commit: Oid) -> String {
    format!("{}{commit}", all_tried(environment))
}

pub(super) fn lock(environment: &str) -> String {
    format!("refs/portvakt/{environment}/lock")
}

pub(super) fn ledger(environment: &str) -> String {
    format!("refs/notes/portvakt/{environment}")
}

/// The remote that holds the refs: the one that the user's git is told of, else `origin`, else the
/// only one.
pub(super) fn remote(repository: &Repository) -> Result<Option<String>, Error> {
    let listed = repository.remotes().map_err(|error| Error::read("the remotes", &error))?;
    let names: Vec<String> = listed.iter().flatten().flatten().map(str::to_owned).collect();
    let chosen = repository.config().and_then(|config| config.get_string("portvakt.remote")).ok();
    let is_there = |name: &String| names.contains(name);
    match (chosen, names.as_slice()) {
        (Some(chosen), _) if is_there(&chosen) => Ok(Some(chosen)),
        (_, _) if is_there(&"origin".to_owned()) => Ok(Some("origin".to_owned())),
        (_, []) => Ok(None),
        (_, [only]) => Ok(Some(only.clone())),
        (_, several) => Err(Error::Remotes(several.to_vec())),
    }
}

impl History {
    /// What the refs are now. What they lead to is fetched where it is not here, but for the lock.
    ///
    /// # Errors
    /// The remote cannot be asked, or does not give what they lead to.
    pub fn refs(&self) -> Result<Refs, Error> {
        let repository = self.repository()?;
        let now = self.values(&repository)?;
        let refs = Refs {
            applied: now.get(&applied(&self.environment)).copied(),
            tried: now
                .iter()
                .filter(|(name, _)| name.starts_with(&all_tried(&self.environment)))
                .map(|(_, oid)| *oid)
                .collect(),
            lock: now.get(&lock(&self.environment)).copied(),
            ledger: now.get(&ledger(&self.environment)).copied(),
        };
        if self.remote.is_some() {
            self.mirror(&repository, &applied(&self.environment), refs.applied)?;
            self.mirror(&repository, &ledger(&self.environment), refs.ledger)?;
            for oid in &refs.tried {
                self.fetch_missing(&repository, &tried(&self.environment, *oid), *oid)?;
            }
        }
        Ok(refs)
    }

    /// Brings what a ref of the remote leads to, and keeps it under the same name here.
    fn mirror(&self, repository: &Repository, name: &str, oid: Option<Oid>) -> Result<(), Error> {
        // One that the remote does not have may be all that there is of it.
        let Some(oid) = oid else { return Ok(()) };
        self.fetch_missing(repository, name, oid)?;
        keep(repository, name, Some(oid));
        Ok(())
    }

    /// Fetches what a ref leads to if it is not here.
    pub(super) fn fetch_missing(
        &self,
        repository: &Repository,
        name: &str,
        oid: Oid,
    ) -> Result<(), Error> {
        match &self.remote {
            Some(remote) if !repository.odb().is_ok_and(|objects| objects.exists(oid)) => {
                self.program().fetch(remote, name, repository.is_shallow())
            }
            _ => Ok(()),
        }
    }

    /// The lock, whatever it leads to.
    pub(super) fn lock_ref(&self) -> Result<Option<Oid>, Error> {
        let now = self.values(&self.repository()?)?;
        Ok(now.get(&lock(&self.environment)).copied())
    }

    fn values(&self, repository: &Repository) -> Result<BTreeMap<String, Oid>, Error> {
        let names = [applied, lock, ledger].map(|name| name(&self.environment));
        self.named(repository, &names, &(all_tried(&self.environment) + "*"))
    }

    /// What refs are: those of these names, and those that a pattern stands for.
    pub(super) fn named(
        &self,
        repository: &Repository,
        names: &[String],
        pattern: &str,
    ) -> Result<BTreeMap<String, Oid>, Error> {
        match &self.remote {
            Some(remote) => self.program().refs(remote, &[names, &[pattern.to_owned()]].concat()),
            None => local_values(repository, names, pattern),
        }
    }

    /// Changes refs, all or none, each only if it is what it is taken to be. What looks like a failure
    /// and was carried out all the same is none.
    ///
    /// # Errors
    /// [`Error::Moved`] where one of them is something else.
    pub(super) fn update(&self, updates: &[Update]) -> Result<(), Error> {
        let repository = self.repository()?;
        let Some(remote) = &self.remote else {
            return update_local(&repository, updates);
        };
        if let Err(error) = self.program().push(remote, updates) {
            // It may have been carried out all the same, or be somebody else's doing.
            let names: Vec<_> = updates.iter().map(|update| update.name.clone()).collect();
            let Ok(now) = self.program().refs(remote, &names) else { return Err(error) };
            let value = |update: &Update| now.get(&update.name).copied();
            if !updates.iter().all(|update| value(update) == update.new) {
                let is_moved =
                    |update: &&Update| ![update.old, update.new].contains(&value(update));
                let moved = updates.iter().find(is_moved);
                return Err(moved.map_or(error, |moved| Error::Moved(moved.name.clone())));
            }
        }
        for Update { name, new, .. } in updates {
            if [applied, ledger].map(|name| name(&self.environment)).contains(name) {
                keep(&repository, name, *new);
            }
        }
        Ok(())
    }
}

/// What refs of this clone are: those of these names, and those that a pattern stands for.
fn local_values(
    repository: &Repository,
    names: &[String],
    pattern: &str,
) -> Result<BTreeMap<String, Oid>, Error> {
    let mut values = BTreeMap::new();
    for name in names {
        if let Some(oid) = local(repository, name)? {
            values.insert(name.clone(), oid);
        }
    }
    let unreadable = |error: git2::Error| Error::read(pattern, &error);
    for found in repository.references_glob(pattern).map_err(unreadable)? {
        let found = found.map_err(unreadable)?;
        if let (Ok(name), Some(oid)) = (found.name(), found.target()) {
            values.insert(name.to_owned(), oid);
        }
    }
    Ok(values)
}

/// What a ref of this clone is.
fn local(repository: &Repository, name: &str) -> Result<Option<Oid>, Error> {
    match repository.refname_to_id(name) {
        Ok(oid) => Ok(Some(oid)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(Error::read(name, &error)),
    }
}

/// Keeps here what the remote has, so that nothing of it is swept away. The remote's is what counts: an
/// apply that was killed may have left the file of a lock behind, and that is in nobody's way.
fn keep(repository: &Repository, name: &str, oid: Option<Oid>) {
    if let Err(error) = set_local(repository, name, oid) {
        tracing::debug!("not kept in this clone: {error}");
    }
}

fn set_local(repository: &Repository, name: &str, oid: Option<Oid>) -> Result<(), Error> {
    if local(repository, name)? == oid {
        return Ok(());
    }
    let set = match oid {
        Some(oid) => repository.reference(name, oid, true, "portvakt").map(drop),
        None => repository.find_reference(name).and_then(|mut found| found.delete()),
    };
    set.map_err(|error| Error::write(name, &error))
}

/// How often another process of the same clone is waited for.
const TRIES: usize = 50;

fn update_local(repository: &Repository, updates: &[Update]) -> Result<(), Error> {
    for _ in 0..TRIES {
        match try_local(repository, updates) {
            Err(Try::Busy) => std::thread::sleep(std::time::Duration::from_millis(20)),
            Err(Try::Failed(error)) => return Err(error),
            Ok(()) => return Ok(()),
        }
    }
    let name = updates.first().map(|update| update.name.clone()).unwrap_or_default();
    let why =
        "another process of git holds it; if none runs, one was killed: delete the file in .git \
               that has this name and `.lock` at its end"
            .to_owned();
    Err(Error::Write { what: name, why })
}

enum Try {
    /// Another process is about to change one of them.
    Busy,
    Failed(Error),
}

fn try_local(repository: &Repository, updates: &[Update]) -> Result<(), Try> {
    let failed = |name: &str, error: &git2::Error| match error.code() {
        ErrorCode::Locked => Try::Busy,
        _ => Try::Failed(Error::write(name, error)),
    };
    let first = updates.first().map(|update| update.name.as_str()).unwrap_or_default();
    let mut transaction = repository.transaction().map_err(|error| failed(first, &error))?;
    for Update { name, .. } in updates {
        transaction.lock_ref(name).map_err(|error| failed(name, &error))?;
    }
    for Update { name, old, new } in updates {
        if local(repository, name).map_err(Try::Failed)? != *old {
            return Err(Try::Failed(Error::Moved(name.clone())));
        }
        match new {
            Some(new) => transaction.set_target(name, *new, None, "portvakt"),
            None if old.is_some() => transaction.remove(name),
            None => Ok(()),
        }
        .map_err(|error| failed(name, &error))?;
    }
    transaction.commit().map_err(|error| failed(first, &error))
}
