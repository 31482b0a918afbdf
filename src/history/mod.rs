//! State in git: the commit that was last applied, the lock, and the ledger. All three are refs, on the
//! remote where there is one. None is ever deleted by an apply, as hosts forbid that.
//!
//! | ref | holds |
//! |---|---|
//! | `refs/portvakt/<place>/applied` | the commit last applied in full |
//! | `refs/portvakt/<place>/record` | its record with folder, API and organisation, and those of each commit whose apply began later and did not end in full |
//! | `refs/portvakt/<place>/lock` | a commit whose message has the person or job that applies, the machine and the expiry, or that the lock is free; [`Watch`] has the rule |
//! | `refs/notes/portvakt/<place>` | notes: the reports of each applied commit, one per line |
//!
//! [`place_name`] gives the name of a place.
//!
//! Reading is libgit2's. Fetch and push go through the `git` program, so that the credentials of a job
//! or a person just work.

mod actor;
mod baseline;
mod blame;
mod checkout;
mod dates;
mod discovery;
mod error;
mod holder;
mod index;
mod ledger;
mod line_fate;
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
pub use baseline::{Baseline, Counts, LossReason, Lost, Placement, Recorded};
pub use blame::{Blame, Blames};
pub use checkout::{
    Commit, DefaultBranch, checked_out, default_branch, folders, known_settings, prefix, top,
    would_be_committed,
};
pub use dates::DatesDone;
pub use error::Error;
pub use holder::{Claim, Holder};
pub use index::index;
pub use ledger::{LedgerEntry, LedgerLine};
pub use line_fate::LineFate;
pub use lock::{Lock, LockRefs};
pub use oid::is_id;
pub use place::{is_folder, place_name, project};
pub use protocol::{ApplyEnd, ApplyStart, Awaited, Conclusion};
pub use record::is_to_come;
pub use refs::{Branch, Refs};
pub use tree::{CommitFiles, Rest};
pub use walk::{CommitFile, FileLink, Links};
pub use watch::Watch;

/// The git repository of a folder of declarations, as one place sees it.
#[derive(Debug, Clone)]
pub struct History {
    /// A folder inside the repository.
    folder: PathBuf,
    /// The place's name.
    place: String,
    /// The remote that holds the refs; `None` where they are local.
    remote: Option<String>,
    /// The remote from which missing objects are fetched; `None` where there is none.
    source: Option<String>,
    program: program::Git,
    /// Number of commits that could not be fetched.
    failed: Arc<AtomicUsize>,
}

/// Largest number of failed attempts to fetch a commit.
const MOST_ASKED: usize = 50;

/// Steps by which a shallow clone is deepened to find the order of two commits.
const DEEPEN: [&str; 3] = ["--deepen=50", "--deepen=1000", "--unshallow"];

/// Location of a place's refs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefLocation {
    /// On the remote, if there is one.
    Shared,
    /// In this clone: the live state is in this folder alone.
    Here,
}

impl History {
    /// Finds the git repository of a folder; `None` outside git. `secrets` are the names of environment
    /// variables that are hidden from all other programs.
    ///
    /// # Errors
    /// It cannot be read, the place's name is not valid in a ref, or there are several remotes and none is
    /// selected.
    pub fn open(
        folder: &Path,
        place: &str,
        held: RefLocation,
        secrets: impl IntoIterator<Item = String>,
    ) -> Result<Option<Self>, Error> {
        let Some(repository) = discovery::discover(folder)? else { return Ok(None) };
        let Some(program) = program::Git::of(&repository, secrets) else { return Ok(None) };
        place::check(place)?;
        let found = remote::remote(&repository, &program);
        let (remote, source) = match held {
            RefLocation::Here => (None, found.ok().flatten()),
            RefLocation::Shared => found.map(|remote| (remote.clone(), remote))?,
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
        // A text that looks like an option, or names a destination for the fetch, is refused; so is an empty
        // one, for which git would use its default.
        let could_be = format!("refs/heads/{revision}");
        if revision.starts_with(['-', '+']) || !Reference::is_valid_name(&could_be) {
            return Err(unknown());
        }
        self.program.fetch(remote, &[revision], repository.is_shallow()).map_err(|_| unknown())?;
        found(&repository).or_else(|| fetched(&repository)).ok_or_else(unknown)
    }

    /// Whether a commit named by a record or a ledger is here, or can be fetched. Whoever can push may name
    /// any number of commits, so only a limited number of missing ones is requested.
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

    /// Whether a commit comes before another in history; `None` where that is not known. Commits that a
    /// shallow clone lacks are fetched.
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
                // In a shallow clone commits in between may be missing.
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
            if self.program.deepen(remote, step, &[commit, other]).is_err() {
                return Ok(None);
            }
        }
    }

    /// The place's name.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The portvakt.yaml of a folder of the work tree, by its path from the top; `None` where there is none.
    pub fn settings_here(&self, folder: &str) -> Option<String> {
        let store = self.store().ok()?;
        let file = Path::new(folder).join(SETTINGS_FILE);
        let file = file.to_str()?;
        declare::source(store.repository.workdir()?, file).or_else(|| index::text(&store, file))
    }

    /// The folders of the work tree that have a portvakt.yaml known to git, by their paths from the top.
    pub fn folders(&self) -> Vec<String> {
        checkout::folders(&self.folder)
    }

    /// Whether the refs are on a remote, where others see them.
    pub fn is_shared(&self) -> bool {
        self.remote.is_some()
    }

    fn repository(&self) -> Result<Repository, Error> {
        discovery::discover(&self.folder)?.ok_or_else(|| Error::Gone(self.folder.clone()))
    }

    /// The repository with the means to read and fetch its objects.
    fn store(&self) -> Result<objects::Store, Error> {
        Ok(objects::Store::new(self.repository()?, self.source.clone(), self.program.clone()))
    }
}

/// The commit that was last fetched.
fn fetched(repository: &Repository) -> Option<String> {
    let head = repository.find_reference("FETCH_HEAD").ok()?;
    Some(head.peel_to_commit().ok()?.id().to_string())
}
