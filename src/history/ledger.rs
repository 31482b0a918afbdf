//! The ledger: what was applied, as notes on the commits that it was applied from. A note holds a
//! report a line; what a report says is not for here to know.

use git2::{ErrorCode, Oid, Repository};
use uuid::Uuid;

use super::error::Error;
use super::lock::{Lock, signature};
use super::refs::{self, Update};
use super::{History, oid};

/// How often it is tried to write, as long as somebody else writes too.
const TRIES: usize = 5;

/// A line of the ledger to be written.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The commit that it is about.
    pub commit: &'a str,
    /// The line that it takes the place of, if one.
    pub before: Option<&'a str>,
    /// The line.
    pub line: &'a str,
}

impl History {
    /// All lines of the ledger, each with the commit that it is about; in no certain order.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn ledger(&self) -> Result<Vec<(String, String)>, Error> {
        let refs = self.refs()?;
        let repository = self.repository()?;
        let name = refs::ledger(&self.environment);
        if refs.ledger.is_none() {
            return Ok(Vec::new());
        }
        let unreadable = |error: git2::Error| Error::read("the ledger", &error);
        let mut lines = Vec::new();
        for note in repository.notes(Some(&name)).map_err(unreadable)? {
            let (blob, commit) = note.map_err(unreadable)?;
            let blob = repository.find_blob(blob).map_err(unreadable)?;
            let text = String::from_utf8_lossy(blob.content()).into_owned();
            lines.extend(text.lines().map(|line| (commit.to_string(), line.to_owned())));
        }
        Ok(lines)
    }

    fn record(
        &self,
        repository: &Repository,
        ledger: Option<Oid>,
        record: Record<'_>,
    ) -> Result<Update, Error> {
        // Written beside the ledger itself, which moves only when the remote's does.
        let scratch = format!("refs/notes/portvakt-scratch/{}", Uuid::new_v4());
        let write = || {
            if let Some(ledger) = ledger {
                repository.reference(&scratch, ledger, true, "portvakt")?;
            }
            let about = Oid::from_str(record.commit)?;
            let text = match repository.find_note(Some(&scratch), about) {
                Ok(note) => String::from_utf8_lossy(note.message_bytes()).into_owned(),
                Err(error) if error.code() == ErrorCode::NotFound => String::new(),
                Err(error) => return Err(error),
            };
            let kept = text.lines().filter(|line| Some(*line) != record.before);
            let lines: Vec<_> = kept.chain([record.line]).collect();
            let signature = signature(repository)?;
            let text = lines.join("\n") + "\n";
            repository.note(&signature, &signature, Some(&scratch), about, &text, true)?;
            repository.refname_to_id(&scratch)
        };
        let new = write();
        if let Ok(mut scratch) = repository.find_reference(&scratch) {
            // One that stays is in nobody's way.
            let _ = scratch.delete();
        }
        let new = new.map_err(|error| Error::write("the ledger", &error))?;
        Ok(Update { name: refs::ledger(&self.environment), old: ledger, new: Some(new) })
    }
}

impl Lock {
    /// Writes a line into the ledger.
    ///
    /// # Errors
    /// It cannot be written; nothing is, then.
    pub fn log(&self, record: Record<'_>) -> Result<(), Error> {
        self.write(record, &|_| Ok(Vec::new()))
    }

    /// Writes the last line of an apply into the ledger, moves the applied commit if one is given, and
    /// gives the lock back: all or nothing.
    ///
    /// # Errors
    /// Something of it cannot be written; nothing is, then.
    pub fn conclude(&self, record: Record<'_>, applied: Option<&str>) -> Result<(), Error> {
        let name = refs::applied(&self.history().environment);
        self.write(record, &|old| {
            let mut updates = Vec::new();
            let new = applied.map(oid).transpose()?;
            if new.is_some() && new != old {
                updates.push(Update { name: name.clone(), old, new });
            }
            updates.push(self.given_back());
            Ok(updates)
        })
    }

    fn write(
        &self,
        record: Record<'_>,
        more: &dyn Fn(Option<Oid>) -> Result<Vec<Update>, Error>,
    ) -> Result<(), Error> {
        let history = self.history();
        let ledger = refs::ledger(&history.environment);
        for tried in 1.. {
            let now = history.refs()?;
            let repository = history.repository()?;
            let mut updates = vec![history.record(&repository, now.ledger, record)?];
            updates.extend(more(now.applied)?);
            match history.update(&updates) {
                // Somebody may write notes of his own.
                Err(Error::Moved(name)) if name == ledger && tried < TRIES => {}
                written => return written,
            }
        }
        Ok(())
    }
}
