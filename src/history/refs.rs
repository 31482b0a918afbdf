//! The refs of a place: names, values, and changes.

use std::collections::{BTreeMap, BTreeSet};

use domain::text::listed;
use git2::{ErrorCode, Oid, Repository};

use super::History;
use super::error::Error;
use super::oid::oid;
use super::place::is_place;
use super::program::{ListedRefs, Update};

/// The refs of a repository, as one place sees them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refs {
    pub(super) own: PlaceRefs,
    /// Those of the other places, by name.
    pub(super) others: BTreeMap<String, PlaceRefs>,
    /// The remote's default branch; `None` without a remote, or where its HEAD does not point to a branch.
    pub default_branch: Option<Branch>,
}

/// The refs of one place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PlaceRefs {
    /// The commit last applied in full.
    pub(super) applied: Option<Oid>,
    /// The record of that, and of the commits tried since.
    pub(super) record: Option<Oid>,
    pub(super) lock: Option<Oid>,
    pub(super) ledger: Option<Oid>,
}

/// A branch of the remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its name, without `refs/heads/`.
    pub name: String,
    /// Its commit, in hex digits.
    pub tip: String,
}

impl Refs {
    /// The commit last applied in full; `None` where nothing was.
    pub fn applied(&self) -> Option<String> {
        self.own.applied.map(|oid| oid.to_string())
    }

    /// The refs of a place by its name, where `own` is the name of the current place.
    pub(super) fn place(&self, own: &str, name: &str) -> Option<&PlaceRefs> {
        match name == own {
            true => Some(&self.own),
            false => self.others.get(name),
        }
    }

    /// Whether other refs have the same baseline, here and at another place.
    pub(super) fn agree(&self, shown: &Self, other: Option<&str>) -> bool {
        let counting = |place: &PlaceRefs| (place.applied, place.record);
        let elsewhere = |refs: &Self| other.and_then(|name| refs.others.get(name)).map(counting);
        counting(&self.own) == counting(&shown.own) && elsewhere(self) == elsewhere(shown)
    }

    /// The refs after updates of those that belong to the place itself.
    pub(super) fn after(mut self, place: &str, updates: &[Update]) -> Self {
        for Update { name, old: _, new } in updates {
            if *name == applied(place) {
                self.own.applied = *new;
            } else if *name == record(place) {
                self.own.record = *new;
            }
        }
        self
    }

    /// Sorts listed refs by place and meaning.
    fn of(own: &str, listed: ListedRefs) -> Self {
        let ListedRefs { refs, head } = listed;
        let mut places: BTreeMap<String, PlaceRefs> = BTreeMap::new();
        for (name, value) in &refs {
            if let Some(place) = name.strip_prefix(LEDGERS).filter(|name| is_place(name)) {
                places.entry(place.to_owned()).or_default().ledger = Some(*value);
                continue;
            }
            let Some((place, what)) = name.strip_prefix(ALL).and_then(|name| name.rsplit_once('/'))
            else {
                continue;
            };
            if !is_place(place) {
                continue;
            }
            let place = places.entry(place.to_owned()).or_default();
            match what {
                "applied" => place.applied = Some(*value),
                "record" => place.record = Some(*value),
                "lock" => place.lock = Some(*value),
                _ => {}
            }
        }
        let own = places.remove(own).unwrap_or_default();
        let branch =
            head.as_deref().and_then(|head| head.strip_prefix(BRANCHES)).zip(refs.get(HEAD));
        Self {
            own,
            others: places,
            default_branch: branch
                .map(|(name, tip)| Branch { name: name.to_owned(), tip: tip.to_string() }),
        }
    }

    /// The objects that are needed to read them, except those of locks and of the ledgers of others: each
    /// with its ref's name.
    fn to_have(&self, own: &str) -> Vec<(String, Oid)> {
        let others = self.others.iter().map(|(name, place)| (name.as_str(), place));
        let mut all = Vec::new();
        for (name, place) in [(own, &self.own)].into_iter().chain(others) {
            all.extend(place.applied.map(|oid| (applied(name), oid)));
            all.extend(place.record.map(|oid| (record(name), oid)));
        }
        all.extend(self.own.ledger.map(|oid| (ledger(own), oid)));
        all
    }
}

/// Prefix of the refs of all environments.
const ALL: &str = "refs/portvakt/";
/// Prefix of the refs of all ledgers.
const LEDGERS: &str = "refs/notes/portvakt/";
/// Prefix of the refs of branches.
const BRANCHES: &str = "refs/heads/";
const HEAD: &str = "HEAD";

pub(super) fn applied(place: &str) -> String {
    format!("{ALL}{place}/applied")
}

/// The record of the applied commit, and of those tried since.
pub(super) fn record(place: &str) -> String {
    format!("{ALL}{place}/record")
}

pub(super) fn lock(place: &str) -> String {
    format!("{ALL}{place}/lock")
}

pub(super) fn ledger(place: &str) -> String {
    format!("{LEDGERS}{place}")
}

impl History {
    /// The current refs. Their objects are fetched where they are missing, except those of locks.
    ///
    /// # Errors
    /// The remote cannot be listed, or does not send the objects.
    pub fn refs(&self) -> Result<Refs, Error> {
        let mut tried = 1;
        loop {
            let repository = self.repository()?;
            let mut refs = Refs::of(&self.place, self.values(&repository)?);
            if self.remote.is_none() {
                // A clone may have fetched the ledgers of a remote, and nothing else of it.
                refs.others.retain(|_, place| place.applied.or(place.record).is_some());
                return Ok(refs);
            }
            let all = refs.to_have(&self.place);
            match self.bring(&repository, &all) {
                Ok(()) => {
                    for (name, oid) in all {
                        keep(&repository, &name, Some(oid));
                    }
                    return Ok(refs);
                }
                // Somebody may have moved one of them since they were listed.
                Err(_) if tried < TIMES_READ => tried += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Fetches the objects of refs as far as they are missing, all at once.
    fn bring(&self, repository: &Repository, all: &[(String, Oid)]) -> Result<(), Error> {
        let objects = repository.odb().map_err(|error| Error::read("git's objects", &error))?;
        let missing = all.iter().filter(|(_, oid)| !objects.exists(*oid));
        let names: Vec<&str> = missing.map(|(name, _)| name.as_str()).collect();
        match (&self.remote, names.is_empty()) {
            (Some(remote), false) => self.program.fetch(remote, &names, repository.is_shallow()),
            _ => Ok(()),
        }
    }

    /// Fetches the object of a ref if it is missing.
    pub(super) fn fetch_missing(
        &self,
        repository: &Repository,
        name: &str,
        oid: Oid,
    ) -> Result<(), Error> {
        self.bring(repository, &[(name.to_owned(), oid)])
    }

    /// Checks that the remote takes a push to this place's refs, as far as it says so without one.
    ///
    /// # Errors
    /// It refuses.
    pub fn check_push(&self) -> Result<(), Error> {
        let Some(remote) = &self.remote else { return Ok(()) };
        // A ref of this name is never made.
        self.program.push_nothing(remote, &format!("{ALL}{}/doctor", self.place))
    }

    /// The lock's ref, whatever its target.
    pub(super) fn lock_ref(&self) -> Result<Option<Oid>, Error> {
        let now = self.values(&self.repository()?)?;
        Ok(now.refs.get(&lock(&self.place)).copied())
    }

    /// A branch of the remote; `None` where it has none of that name.
    ///
    /// # Errors
    /// The remote cannot be listed.
    pub fn branch(&self, name: &str) -> Result<Option<Branch>, Error> {
        let Some(remote) = &self.remote else { return Ok(None) };
        let full = format!("{BRANCHES}{name}");
        let found = self.program.refs(remote, std::slice::from_ref(&full))?.refs;
        Ok(found.get(&full).map(|tip| Branch { name: name.to_owned(), tip: tip.to_string() }))
    }

    /// The only branch of the remote, for a HEAD that does not point to a branch, as in a bare repository
    /// whose first branch has another name than git expects. `None` where there are several, as whoever can
    /// push can create one of any name.
    ///
    /// # Errors
    /// The remote cannot be listed.
    pub fn only_branch(&self) -> Result<Option<Branch>, Error> {
        let Some(remote) = &self.remote else { return Ok(None) };
        let found = self.program.refs(remote, &[format!("{BRANCHES}*")])?.refs;
        let mut branches = found.iter().filter_map(|(name, tip)| {
            let name = name.strip_prefix(BRANCHES)?.to_owned();
            Some(Branch { name, tip: tip.to_string() })
        });
        Ok(branches.next().filter(|_| branches.next().is_none()))
    }

    /// Whether a commit is on a branch of the remote; `None` where that is not known.
    ///
    /// # Errors
    /// The branch cannot be fetched or read.
    pub fn is_on(&self, branch: &Branch, commit: &str) -> Result<Option<bool>, Error> {
        if commit == branch.tip {
            return Ok(Some(true));
        }
        let name = format!("{BRANCHES}{}", branch.name);
        let repository = self.repository()?;
        let tip = oid(&repository, &branch.tip)?;
        self.fetch_missing(&repository, &name, tip)?;
        self.is_before(commit, &branch.tip)
    }

    fn values(&self, repository: &Repository) -> Result<ListedRefs, Error> {
        let all = [format!("{ALL}*"), format!("{LEDGERS}*")];
        match &self.remote {
            Some(remote) => {
                self.program.refs(remote, &[&[HEAD.to_owned()], all.as_slice()].concat())
            }
            None => Ok(ListedRefs { refs: local_values(repository, &[], &all)?, head: None }),
        }
    }

    /// The lock's ref, and refs that keep those of a place from being written, as git has no ref below
    /// another.
    pub(super) fn lock_and_in_the_way(&self, place: &str) -> Result<BTreeMap<String, Oid>, Error> {
        let own = [applied, record, lock, ledger].map(|name| name(place));
        let above = own.iter().flat_map(|own| {
            own.match_indices('/').skip(1).filter_map(|(end, _)| own.get(..end)).map(str::to_owned)
        });
        let names: BTreeSet<_> = above.chain([lock(place)]).collect();
        let names: Vec<_> = names.into_iter().collect();
        let below = own.iter().map(|own| format!("{own}/*"));
        let below: Vec<_> = below.collect();
        match &self.remote {
            Some(remote) => Ok(self.program.refs(remote, &[names, below].concat())?.refs),
            None => local_values(&self.repository()?, &names, &below),
        }
    }

    /// Deletes refs that keep those of another place from being written.
    pub(super) fn clear(&self, place: &str) -> Result<(), Error> {
        let found = self.lock_and_in_the_way(place)?;
        let junk = found.into_iter().filter(|(name, _)| *name != lock(place));
        let junk = junk.map(|(name, oid)| Update { name, old: Some(oid), new: None });
        let junk: Vec<_> = junk.collect();
        match junk.is_empty() {
            true => Ok(()),
            false => self.update(&junk),
        }
    }

    /// Changes refs, all or none, each only if it has its expected value. A change that was carried out in
    /// spite of an error counts as success.
    ///
    /// # Errors
    /// [`Error::Moved`] where one of them has another value.
    pub(super) fn update(&self, updates: &[Update]) -> Result<(), Error> {
        let repository = self.repository()?;
        let Some(remote) = &self.remote else {
            return update_local(&repository, updates);
        };
        if let Err(error) = self.program.push(remote, updates) {
            // It may have been carried out nevertheless, or somebody else has changed it.
            let names: Vec<_> = updates.iter().map(|update| update.name.clone()).collect();
            let Ok(ListedRefs { refs: now, head: _ }) = self.program.refs(remote, &names) else {
                return Err(error);
            };
            let value = |update: &Update| now.get(&update.name).copied();
            if !updates.iter().all(|update| value(update) == update.new) {
                let is_moved =
                    |update: &&Update| ![update.old, update.new].contains(&value(update));
                let moved = updates.iter().find(is_moved);
                return Err(moved.map_or(error, |moved| Error::Moved(moved.name.clone())));
            }
        }
        for Update { name, new, .. } in updates {
            if [applied, record, ledger].map(|name| name(&self.place)).contains(name) {
                keep(&repository, name, *new);
            }
        }
        Ok(())
    }
}

/// The refs of this clone with these names or patterns.
fn local_values(
    repository: &Repository,
    names: &[String],
    patterns: &[String],
) -> Result<BTreeMap<String, Oid>, Error> {
    let mut values = BTreeMap::new();
    for name in names {
        if let Some(oid) = local(repository, name)? {
            values.insert(name.clone(), oid);
        }
    }
    for pattern in patterns {
        let unreadable = |error: git2::Error| Error::read(pattern, &error);
        for found in repository.references_glob(pattern).map_err(unreadable)? {
            let found = found.map_err(unreadable)?;
            if let (Ok(name), Some(oid)) = (found.name(), found.target()) {
                values.insert(name.to_owned(), oid);
            }
        }
    }
    Ok(values)
}

/// The value of a ref of this clone.
fn local(repository: &Repository, name: &str) -> Result<Option<Oid>, Error> {
    match repository.refname_to_id(name) {
        Ok(oid) => Ok(Some(oid)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(Error::read(name, &error)),
    }
}

/// Keeps the remote's objects here, so that they are not garbage-collected. Only the remote's refs count: a
/// killed apply may have left a lock file behind here, which does no harm.
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

/// Number of times that refs are read, as long as somebody changes them in the meantime.
const TIMES_READ: usize = 3;

/// Number of times that another process of the same clone is waited for.
const TRIES: usize = 50;

fn update_local(repository: &Repository, updates: &[Update]) -> Result<(), Error> {
    for _ in 0..TRIES {
        match try_local(repository, updates) {
            Err(Try::Busy) => std::thread::sleep(std::time::Duration::from_millis(20)),
            Err(Try::Failed(error)) => return Err(error),
            Ok(()) => return Ok(()),
        }
    }
    let names = updates.iter().map(|update| update.name.as_str()).chain(["packed-refs"]);
    // Git locks a ref with such a file.
    let files = names.map(|name| repository.commondir().join(format!("{name}.lock")));
    let held = listed(files.filter(|file| file.exists()).map(|file| file.display().to_string()));
    let why = match held.is_empty() {
        true => "another process of git holds them: run this again".to_owned(),
        false => format!(
            "another process of git holds them. If none is running, one was killed: delete {held}, and run \
             this again"
        ),
    };
    Err(Error::Write { what: "refs".to_owned(), why })
}

enum Try {
    /// Another process is changing one of them.
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
    transaction.commit().map_err(|error| failed(first, &error))?;
    for Update { name, .. } in updates.iter().filter(|update| update.new.is_none()) {
        // The rest of its log would keep a ref above it from being written.
        let _ = repository.reflog_delete(name);
    }
    Ok(())
}
