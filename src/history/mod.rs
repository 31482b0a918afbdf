//! What git knows: the commit that was last applied, the lock, and the ledger. All three are refs, on
//! the remote where there is one. None is ever deleted by an apply, as hosts forbid that.
//!
//! | ref | holds |
//! |---|---|
//! | `refs/portvakt/<place>/applied` | the commit last applied in full |
//! | `refs/portvakt/<place>/record` | what is recorded of it, its folder, the API, the organisation, and of each commit whose apply began since and did not end in full |
//! | `refs/portvakt/<place>/lock` | a commit whose message says who applies, where, and until when that counts, or that nobody does; [`Watch`] has the rule |
//! | `refs/notes/portvakt/<place>` | notes: for each applied commit, the reports, one a line |
//!
//! [`place_name`] tells what a place is called.
//!
//! Reading is libgit2's. Fetch and push go through the `git` program, so that the credentials of a job
//! or a person just work.

mod actor;
mod blame;
mod checkout;
mod discovery;
mod error;
mod holder;
mod index;
mod ledger;
mod lock;
#[cfg(test)]
mod model;
mod objects;
mod oid;
mod path;
mod place;
mod program;
mod protocol;
mod record;
mod refs;
mod remote;
mod signing;
mod tree;
mod walk;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use git2::{Reference, Repository};

use self::oid::oid;
use crate::declare::{self, SETTINGS_FILE};

pub use actor::Actor;
pub use blame::{Blame, Blames};
pub use checkout::{Commit, checked_out, folders, known_settings, prefix, top, would_be_committed};
pub use error::Error;
pub use holder::{Claim, Holder};
pub use index::index;
pub use ledger::{LedgerEntry, LedgerLine};
pub use lock::{Lock, LockRefs};
pub use oid::is_id;
pub use place::{is_folder, place_name, project};
pub use protocol::Conclusion;
pub use record::{Baseline, Loss, Lost, Placement, Recorded, is_to_come};
pub use refs::{Branch, Refs};
pub use tree::{CommitFiles, Rest};
pub use walk::{CommitFile, FileLink, Links};
pub use watch::Watch;

/// The git repository that a folder of declarations lies in, as one place sees it.
#[derive(Debug, Clone)]
pub struct History {
    /// A folder in which git finds the repository.
    folder: PathBuf,
    /// The place's name.
    place: String,
    /// The remote that holds the refs; `None` where they are local.
    remote: Option<String>,
    /// The remote that has the objects which are not in the clone; `None` where there is none.
    source: Option<String>,
    program: program::Git,
    /// How many commits could not be fetched.
    failed: Arc<AtomicUsize>,
}

/// How many commits that cannot be fetched are asked for.
const MOST_ASKED: usize = 50;

/// By how much a shallow clone is deepened at a time to find out how two commits stand to each other.
const DEEPEN: [&str; 3] = ["--deepen=50", "--deepen=1000", "--unshallow"];

/// Where a place's refs are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// On the remote, if there is one.
    Shared,
    /// In this clone: what is live is in this folder alone.
    Here,
}

impl History {
    /// Finds the git repository of a folder; `None` outside git. `secrets` are the names of environment
    /// variables that no other program is to see.
    ///
    /// # Errors
    /// It cannot be read, the place's name cannot stand in a ref, or there are several remotes and none
    /// is chosen.
    pub fn open(
        folder: &Path,
        place: &str,
        held: Held,
        secrets: impl IntoIterator<Item = String>,
    ) -> Result<Option<Self>, Error> {
        let Some(repository) = discovery::discover(folder)? else { return Ok(None) };
        let Some(program) = program::Git::of(&repository, secrets) else { return Ok(None) };
        place::check(place)?;
        let remote = match held {
            Held::Here => None,
            Held::Shared => remote::remote(&repository, &program)?,
        };
        let source = match held {
            Held::Here => remote::remote(&repository, &program).ok().flatten(),
            Held::Shared => remote.clone(),
        };
        let (folder, place) = (folder.to_owned(), place.to_owned());
        let failed = Arc::default();
        Ok(Some(Self { folder, place, remote, source, program, failed }))
    }

    /// The commit of a revision, such as a branch's name or an id, fetched if it is not here.
    ///
    /// # Errors
    /// There is no such commit.
    pub fn commit(&self, revision: &str) -> Result<String, Error> {
        let repository = self.repository()?;
        let found = |repository: &Repository| {
            let object = repository.revparse_single(revision).ok()?;
            Some(object.peel_to_commit().ok()?.id().to_string())
        };
        if let Some(commit) = found(&repository) {
            return Ok(commit);
        }
        let unknown = || Error::Revision(revision.to_owned());
        let remote = self.remote.as_ref().ok_or_else(unknown)?;
        // What looks like an option, or tells git where to put what it fetches, is no name; and to
        // have nothing named is not to have git's default named.
        let could_be = format!("refs/heads/{revision}");
        if revision.starts_with(['-', '+']) || !Reference::is_valid_name(&could_be) {
            return Err(unknown());
        }
        self.program()
            .fetch(remote, &[revision], repository.is_shallow())
            .map_err(|_| unknown())?;
        found(&repository).or_else(|| fetched(&repository)).ok_or_else(unknown)
    }

    /// Whether a commit that a record or a ledger names is here, or could be fetched. Whoever can push names
    /// as many as he likes, so only some that are not are asked for.
    pub fn has(&self, commit: &str) -> bool {
        if self.failed.load(Ordering::Relaxed) > MOST_ASKED {
            return false;
        }
        let found = self.commit(commit).is_ok();
        if !found && self.failed.fetch_add(1, Ordering::Relaxed) == MOST_ASKED {
            tracing::warn!(
                "more than {MOST_ASKED} commits that records and ledgers name are not on the remote: no \
                 other is asked for"
            );
        }
        found
    }

    /// Whether a commit comes before another in history; `None` where that cannot be told. What a
    /// shallow clone lacks for it is fetched.
    ///
    /// # Errors
    /// The repository cannot be read.
    pub fn is_before(&self, commit: &str, other: &str) -> Result<Option<bool>, Error> {
        let here = self.repository()?;
        let (before, after) = (oid(&here, commit)?, oid(&here, other)?);
        let mut steps = DEEPEN.into_iter();
        loop {
            let repository = self.repository()?;
            let is_below = |a, b| match repository.graph_descendant_of(a, b) {
                // What a shallow clone lacks may be missing in between.
                Err(_) if repository.is_shallow() => Ok(false),
                found => found.map_err(|error| Error::read("the order of two commits", &error)),
            };
            if before == after || is_below(before, after)? {
                return Ok(Some(false));
            }
            if is_below(after, before)? {
                return Ok(Some(true));
            }
            if !repository.is_shallow() {
                return Ok(Some(false));
            }
            let (Some(remote), Some(step)) = (&self.remote, steps.next()) else { return Ok(None) };
            if self.program().deepen(remote, step, &[commit, other]).is_err() {
                return Ok(None);
            }
        }
    }

    /// The place's name.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The portvakt.yaml of a folder of the work tree, by its path from the top; `None` where there is
    /// none.
    pub fn settings_here(&self, folder: &str) -> Option<String> {
        let store = self.store().ok()?;
        let file = Path::new(folder).join(SETTINGS_FILE);
        let file = file.to_str()?;
        declare::source(store.repository.workdir()?, file).or_else(|| index::text(&store, file))
    }

    /// The folders of the work tree whose portvakt.yaml git knows, by their paths from the top.
    pub fn folders(&self) -> Vec<String> {
        self.repository()
            .map_or_else(|_| Vec::new(), |repository| checkout::known_folders(&repository))
    }

    /// Whether others see the refs: they are those of a remote.
    pub fn is_shared(&self) -> bool {
        self.remote.is_some()
    }

    fn repository(&self) -> Result<Repository, Error> {
        discovery::discover(&self.folder)?.ok_or_else(|| Error::Gone(self.folder.clone()))
    }

    /// The repository with what reads and fetches its objects.
    fn store(&self) -> Result<objects::Store, Error> {
        Ok(objects::Store::new(self.repository()?, self.source.clone(), self.program.clone()))
    }

    fn program(&self) -> &program::Git {
        &self.program
    }
}

/// The commit that the last fetch brought.
fn fetched(repository: &Repository) -> Option<String> {
    let head = repository.find_reference("FETCH_HEAD").ok()?;
    Some(head.peel_to_commit().ok()?.id().to_string())
}
