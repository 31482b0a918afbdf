//! What an apply writes into git, and when: a first line into the ledger before it changes anything, a
//! last one after it, and with each what counts as applied; the lock is given back with the last.

use super::History;
use super::error::Error;
use super::ledger::Entry;
use super::lock::Lock;
use super::record::{Lost, Recorded};
use super::refs::{self, Refs, Update};

/// How often it is tried to write, as long as somebody else writes too.
const TRIES: usize = 5;

/// How an apply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// In full: its commit is the applied one from now on.
    InFull,
    /// The same, and it is an older commit than the one that was applied before: what that protects and
    /// limits counts on.
    RolledBack,
    /// Some of it was not done, but nothing is left that is declared no longer.
    Closed,
    /// Some of it was not done, or it was of no commit.
    InPart,
}

impl Lock {
    /// Writes the first line of an apply into the ledger. What is declared at its commit counts as
    /// tried from now on, by what is `recorded` of it, unless it is applied as no commit has it
    /// (`dirty`). What is `lost` of the past stays so until a baseline is set.
    ///
    /// # Errors
    /// It cannot be written, or the lock is not ours any more; nothing is, then.
    pub fn begin(
        &self,
        entry: Entry<'_>,
        recorded: &Recorded,
        lost: Option<&Lost>,
        dirty: bool,
    ) -> Result<(), Error> {
        let history = self.history();
        history.write(entry, &|now| {
            // It may have been broken while somebody was asked. It may have been renewed, too.
            let is_ours = |lock| lock == Some(self.oid());
            if !is_ours(now.own.lock) && !is_ours(history.lock_ref()?) {
                return Err(Error::Moved(refs::lock(&history.place)));
            }
            match dirty {
                true => Ok(Vec::new()),
                false => history.begun(recorded, lost, now),
            }
        })
    }

    /// Writes the last line of an apply into the ledger, moves the applied commit with what is
    /// `recorded` of it if it was applied in full, and gives the lock back: all or nothing.
    ///
    /// # Errors
    /// [`Error::Broken`] where somebody has taken the lock away: what was done is told, and no more.
    /// Any other is that something cannot be written; nothing is, then.
    pub fn conclude(
        &self,
        entry: Entry<'_>,
        recorded: &Recorded,
        conclusion: Conclusion,
    ) -> Result<(), Error> {
        let history = self.history();
        let concluded = history.write(entry, &|now| {
            let mut updates = history.concluded(recorded, conclusion, now)?;
            updates.push(self.given_back()?);
            Ok(updates)
        });
        match concluded {
            Err(Error::Moved(name)) if name == refs::lock(&history.place) => {
                history.write(entry, &|_| Ok(Vec::new()))?;
                Err(Error::Broken)
            }
            written => written,
        }
    }

    /// Lets a commit count as applied with nothing tried since, and gives the lock back: all or
    /// nothing. What is recorded of the place's `former` name counts for nothing from then on.
    ///
    /// # Errors
    /// The refs cannot be read or written, or what counts as applied is not what it was when it was
    /// `shown`; nothing is changed, then.
    pub fn set_baseline(
        &self,
        recorded: &Recorded,
        former: Option<&str>,
        shown: &Refs,
    ) -> Result<(), Error> {
        let history = self.history();
        let now = history.refs()?;
        if !now.agree(shown, former) {
            return Err(Error::Shown);
        }
        let mut updates = history.set(recorded, &now)?;
        if let Some(former) = former {
            history.clear(former)?;
            updates.extend(history.retired(former, recorded.at, &now)?);
        }
        updates.push(self.given_back()?);
        history.update(&updates)
    }
}

impl History {
    /// Writes a line into the ledger, and what goes with it: all or nothing.
    fn write(
        &self,
        entry: Entry<'_>,
        more: &dyn Fn(&Refs) -> Result<Vec<Update>, Error>,
    ) -> Result<(), Error> {
        let ledger = refs::ledger(&self.place);
        for tried in 1.. {
            let now = self.refs()?;
            let repository = self.repository()?;
            let mut updates = vec![self.entered(&repository, now.own.ledger, entry)?];
            updates.extend(more(&now)?);
            match self.update(&updates) {
                // Somebody may write notes of his own.
                Err(Error::Moved(name)) if name == ledger && tried < TRIES => {}
                written => return written,
            }
        }
        Ok(())
    }
}
