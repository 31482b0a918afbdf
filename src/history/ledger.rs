//! The ledger: applies, as notes on the commits from which they were made. A note holds one report per line,
//! whose content is not interpreted here.

use std::collections::BTreeSet;

use git2::{ErrorCode, ObjectType, Oid, Repository};
use uuid::Uuid;

use super::error::Error;
use super::oid::parsed;
use super::program::Update;
use super::refs::{self, Refs};
use super::signing::signature;
use super::{History, objects};

/// The largest note that is read, in bytes: all reports of one commit.
const LARGEST_NOTE: usize = 64 * 1024 * 1024;

/// Total size of a ledger that is read: twenty applies a day for ten years are 73,000 lines. Whoever can push
/// chooses its content, and the same note may be attached to many commits.
const MOST: LedgerBudget =
    LedgerBudget { entries: 500_000, lines: 500_000, bytes: 128 * 1024 * 1024 };

/// Remaining budget of reading.
struct LedgerBudget {
    entries: usize,
    lines: usize,
    bytes: usize,
}

impl LedgerBudget {
    /// Uses some of it. It is an error if that much is not left.
    fn spend(&mut self, entries: usize, lines: usize, bytes: usize) -> Result<(), git2::Error> {
        let left = |before: usize, spent: usize| {
            let why = "it is larger than any that is read: keep it under another name, such as \
                       `refs/notes/portvakt-old`, and delete it";
            before.checked_sub(spent).ok_or_else(|| git2::Error::from_str(why))
        };
        *self = Self {
            entries: left(self.entries, entries)?,
            lines: left(self.lines, lines)?,
            bytes: left(self.bytes, bytes)?,
        };
        Ok(())
    }
}

/// A line of the ledger to be written.
#[derive(Debug, Clone, Copy)]
pub struct LedgerEntry<'a> {
    /// Its commit.
    pub commit: &'a str,
    /// The line that it replaces, if any.
    pub before: Option<&'a str>,
    /// The line.
    pub line: &'a str,
}

impl History {
    /// All lines of the ledger, in no particular order, except those of notes that are too large.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn ledger(&self) -> Result<Vec<LedgerLine>, Error> {
        self.ledger_of(&self.refs()?, &self.place)
    }

    /// The lines of a place's ledger.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn ledger_of(&self, refs: &Refs, name: &str) -> Result<Vec<LedgerLine>, Error> {
        let Some(ledger) = self.ledger_ref(refs, name) else { return Ok(Vec::new()) };
        let notes = self.read_ledger(name, ledger)?;
        let signed = match self.verifies()? {
            true => Some(self.signed_lines(name, ledger)?),
            false => None,
        };
        let lines = notes.into_iter().map(|(commit, text)| LedgerLine {
            commit: commit.to_string(),
            is_signed: signed.as_ref().map(|signed| signed.contains(&(commit, text.clone()))),
            text,
        });
        Ok(lines.collect())
    }

    /// The texts of all lines of a place's ledger, whoever wrote them, except those of notes that are too
    /// large.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn written(&self, refs: &Refs, name: &str) -> Result<Vec<String>, Error> {
        let Some(ledger) = self.ledger_ref(refs, name) else { return Ok(Vec::new()) };
        let notes = self.read_ledger(name, ledger)?;
        Ok(notes.into_iter().map(|(_, text)| text).collect())
    }

    fn ledger_ref(&self, refs: &Refs, name: &str) -> Option<Oid> {
        refs.place(&self.place, name)?.ledger
    }

    /// The lines of a place's ledger, each with its commit.
    fn read_ledger(&self, name: &str, ledger: Oid) -> Result<Vec<(Oid, String)>, Error> {
        let repository = self.repository()?;
        self.fetch_missing(&repository, &refs::ledger(name), ledger)?;
        self.check_ledger(&repository, name, ledger)?;
        notes(&repository, ledger).map_err(|error| Error::read("the ledger", &error))
    }

    /// The lines that were added to the ledger by a commit with a signature of an allowed signer. A signature
    /// vouches for the lines that its commit adds, and for none that were there before.
    fn signed_lines(&self, name: &str, ledger: Oid) -> Result<BTreeSet<(Oid, String)>, Error> {
        if let (Some(remote), true) = (&self.remote, self.repository()?.is_shallow()) {
            self.program.deepen(remote, "--unshallow", &[&refs::ledger(name)])?;
        }
        let trusted = self.trusted(&[&ledger.to_string()])?;
        // A newly opened repository sees objects that were fetched since.
        let repository = self.repository()?;
        let read = || {
            let mut walk = repository.revwalk()?;
            walk.push(ledger)?;
            let mut signed = BTreeSet::new();
            for id in walk {
                let id = id?;
                if !trusted.contains(&id) {
                    continue;
                }
                let mut before = BTreeSet::new();
                for parent in repository.find_commit(id)?.parent_ids() {
                    before.extend(notes(&repository, parent)?);
                }
                let lines = notes(&repository, id)?.into_iter();
                signed.extend(lines.filter(|line| !before.contains(line)));
            }
            Ok(signed)
        };
        read().map_err(|error: git2::Error| Error::read("the ledger", &error))
    }

    /// Checks that the target of a ledger's ref may be a ledger.
    fn check_ledger(&self, repository: &Repository, name: &str, ledger: Oid) -> Result<(), Error> {
        let found = repository.odb().and_then(|objects| objects.read_header(ledger));
        match found.map_err(|error| Error::read("the ledger", &error))? {
            (_, ObjectType::Commit) => Ok(()),
            (_, kind) => Err(Error::NoLedger {
                name: refs::ledger(name),
                kind: kind.to_string(),
                remote: self.remote.clone().unwrap_or_else(|| ".".to_owned()),
            }),
        }
    }

    pub(super) fn entered(
        &self,
        repository: &Repository,
        ledger: Option<Oid>,
        entry: LedgerEntry<'_>,
    ) -> Result<Update, Error> {
        if let Some(ledger) = ledger {
            self.check_ledger(repository, &self.place, ledger)?;
        }
        let new = with_scratch(repository, ledger, |scratch| {
            let about = parsed(repository.object_format(), entry.commit)?;
            let text = match note(repository, scratch, about)? {
                None => String::new(),
                Some(note) => {
                    let Some(note) = objects::blob(repository, note, LARGEST_NOTE)? else {
                        let ledger = refs::ledger(&self.place);
                        let why = format!(
                            "the note about {about} is too large to be added to: keep the ledger under \
                             another name, such as `refs/notes/portvakt-old`, and delete {ledger}"
                        );
                        return Err(git2::Error::from_str(&why));
                    };
                    String::from_utf8_lossy(&note).into_owned()
                }
            };
            let is_kept = |line: &&str| Some(*line) != entry.before && *line != entry.line;
            let kept = lines(&text).filter(is_kept);
            let all: Vec<_> = kept.chain([entry.line]).collect();
            let signature = signature(repository)?;
            let text = all.join("\n") + "\n";
            repository.note(&signature, &signature, Some(scratch), about, &text, true)?;
            repository.refname_to_id(scratch)
        });
        let new = new.map_err(|error| Error::write("the ledger", &error))?;
        let new = self.signed(repository, new)?;
        Ok(Update { name: refs::ledger(&self.place), old: ledger, new: Some(new) })
    }
}

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerLine {
    /// Its commit, in hex digits.
    pub commit: String,
    /// Its text.
    pub text: String,
    /// Whether it was signed by one of the allowed signers; `None` where git is not configured to verify.
    pub is_signed: Option<bool>,
}

/// The lines of a note. Only one line break is removed from each: bytes appended to a line stay part of it.
fn lines(note: &str) -> impl Iterator<Item = &str> + Clone {
    note.split('\n').filter(|line| !line.is_empty())
}

/// The lines of all notes at a commit of the notes, each with the commit that it belongs to.
fn notes(repository: &Repository, at: Oid) -> Result<Vec<(Oid, String)>, git2::Error> {
    with_scratch(repository, Some(at), |scratch| {
        let (mut lines, mut left) = (Vec::new(), MOST);
        for note in repository.notes(Some(scratch))? {
            let (blob, commit) = note?;
            left.spend(1, 0, 0)?;
            let Some(note) = objects::blob(repository, blob, LARGEST_NOTE)? else {
                tracing::warn!("the ledger's note about {commit} is left out: it is too large");
                continue;
            };
            let text = String::from_utf8_lossy(&note);
            let found = self::lines(&text);
            left.spend(0, found.clone().count(), note.len())?;
            lines.extend(found.map(|line| (commit, line.to_owned())));
        }
        Ok(lines)
    })
}

/// The note on a commit, without its content.
fn note(repository: &Repository, notes: &str, about: Oid) -> Result<Option<Oid>, git2::Error> {
    let all = match repository.notes(Some(notes)) {
        Ok(all) => all,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut left = MOST;
    for note in all {
        let (note, commit) = note?;
        left.spend(1, 0, 0)?;
        if commit == about {
            return Ok(Some(note));
        }
    }
    Ok(None)
}

/// Works with notes under a temporary name: the ledger itself changes only when the remote's does.
fn with_scratch<T>(
    repository: &Repository,
    ledger: Option<Oid>,
    work: impl FnOnce(&str) -> Result<T, git2::Error>,
) -> Result<T, git2::Error> {
    let scratch = format!("refs/notes/portvakt-scratch/{}", Uuid::new_v4());
    if let Some(ledger) = ledger {
        repository.reference(&scratch, ledger, true, "portvakt")?;
    }
    let done = work(&scratch);
    if let Ok(mut scratch) = repository.find_reference(&scratch) {
        // A temporary ref that is left behind does no harm.
        let _ = scratch.delete();
    }
    done
}
