//! Writes of an apply into git, and their times: a first line in the ledger before it changes anything, a
//! last one at the end, and with each the commits that count as applied; the lock is released with the last.

use std::collections::{BTreeMap, BTreeSet};

use domain::Entity;
use jiff::Timestamp;

use super::History;
use super::baseline::{Lost, Recorded};
use super::dates::DatesDone;
use super::error::Error;
use super::ledger::LedgerEntry;
use super::lock::Lock;
use super::program::Update;
use super::refs::{self, Refs};

/// Number of attempts to write, as long as others write too.
const TRIES: usize = 5;

/// End of an apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// In full: its commit is the applied one from now on.
    InFull,
    /// In full, with an older commit than the one that was applied before: the protection and limits of that
    /// remain in force.
    RolledBack,
    /// Of what dates in the applied declarations ask for, in full or in part. The commits that count stay the same.
    Due,
    /// In part, but nothing is left that is no longer declared.
    Closed,
    /// In part.
    InPart,
    /// With uncommitted changes, so that no commit counts for it.
    Dirty,
    /// Nothing was applied: the ledger alone records what was done.
    Ledger,
}

/// What is known when an apply begins.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApplyStart<'a> {
    /// The lost parts of the past, which stay lost until a baseline is set.
    pub lost: Option<&'a Lost>,
    /// What dates ask for is done from now on, but for this: what the apply does itself.
    pub dates: Option<&'a DatesDone>,
}

/// The entities that may still become visible, by the commits that declare them.
pub type Awaited = BTreeMap<String, BTreeSet<Entity>>;

/// What is known when an apply ends.
#[derive(Debug, Clone, Copy)]
pub struct ApplyEnd<'a> {
    /// How it ended.
    pub conclusion: Conclusion,
    /// Entities of earlier commits that their applies may have activated, that are to be deactivated, and that can still
    /// become visible: for those, their commits remain in force.
    pub awaited: &'a Awaited,
    /// What is done of what dates ask for.
    pub dates: &'a DatesDone,
}

impl<'a> ApplyEnd<'a> {
    /// An end after which nothing is awaited.
    pub const fn of(conclusion: Conclusion, dates: &'a DatesDone) -> Self {
        const NOTHING: &Awaited = &Awaited::new();
        Self { conclusion, awaited: NOTHING, dates }
    }
}

impl Lock {
    /// Writes the first line of an apply into the ledger. From now on its commit counts as tried, with the
    /// data in `recorded` and what is known at the `start`; but not where no commit is applied (`dirty`). Returns the refs
    /// after that.
    ///
    /// # Errors
    /// It cannot be written, the lock has been lost, or the baseline differs from the one in the plan
    /// (`shown`); then nothing is written.
    pub fn begin(
        &self,
        entry: LedgerEntry<'_>,
        recorded: &Recorded,
        ApplyStart { lost, dates }: ApplyStart<'_>,
        dirty: bool,
        shown: Option<&Refs>,
    ) -> Result<Refs, Error> {
        let history = &self.history;
        history.write(entry, &|now| {
            // It may have been broken while the question waited for an answer.
            self.check_held(now)?;
            still_counts(now, shown)?;
            match dirty {
                true => Ok(Vec::new()),
                false => history.begun(recorded, lost, dates, now),
            }
        })
    }

    /// Writes the last line of an apply into the ledger, moves the applied commit with the data in `recorded`
    /// if it was applied in full, and releases the lock: all or nothing. What dates
    /// ask for is done as in `dates`.
    ///
    /// # Errors
    /// [`Error::Broken`] where somebody has broken the lock: the result is still written, and the commit
    /// counts as tried. [`Error::Shown`] where the baseline differs from the one in the plan or at the start:
    /// only the result is written. With any other error nothing is written.
    pub fn conclude(
        &self,
        entry: LedgerEntry<'_>,
        recorded: &Recorded,
        end: ApplyEnd<'_>,
        shown: Option<&Refs>,
    ) -> Result<(), Error> {
        let history = &self.history;
        // A line of an apply that did nothing would belong to a commit without a record.
        let report = |more: &dyn Fn(&Refs) -> Result<Vec<Update>, Error>| match entry.before {
            Some(_) => history.write(entry, more).map(drop),
            None => Ok(()),
        };
        let concluded = history.write(entry, &|now| {
            // The current holder of the lock may have changed the baseline.
            self.check_held(now)?;
            still_counts(now, shown)?;
            let mut updates = history.concluded(recorded, end, now)?;
            updates.push(self.release_update()?);
            Ok(updates)
        });
        match concluded {
            Err(Error::Moved(name)) if name == refs::lock(&history.place) => {
                // The current holder may not have seen all changes, and would forget them.
                report(&|now| match (end.conclusion, now.own.record) {
                    // A record of this apply alone would hide the content of the ledger.
                    (Conclusion::Dirty | Conclusion::Ledger, _) | (_, None) => Ok(Vec::new()),
                    (_, Some(_)) => {
                        let at = Timestamp::now();
                        history.begun(&Recorded { at, ..recorded.clone() }, None, None, now)
                    }
                })?;
                Err(Error::Broken)
            }
            Err(Error::Shown) => {
                report(&|_| Ok(Vec::new()))?;
                Err(Error::Shown)
            }
            written => written.map(drop),
        }
    }

    /// Checks that nobody has broken the lock. It may have been renewed since the refs were read.
    fn check_held(&self, now: &Refs) -> Result<(), Error> {
        let is_ours = |lock| lock == Some(self.oid());
        match is_ours(now.own.lock) || is_ours(self.history.lock_ref()?) {
            true => Ok(()),
            false => Err(Error::Moved(refs::lock(&self.history.place))),
        }
    }

    /// Sets a commit as applied with nothing tried since, and releases the lock: all or nothing. If the
    /// place's `former` name is given, the record of that name is retired, and the commits that were applied
    /// under either name count.
    ///
    /// # Errors
    /// The refs cannot be read or written, or the baseline differs from the one that was `shown`; then
    /// nothing is changed.
    pub fn set_baseline(
        &self,
        recorded: &Recorded,
        former: Option<&str>,
        shown: &Refs,
    ) -> Result<(), Error> {
        let history = &self.history;
        let now = history.refs()?;
        if !now.agree(shown, former) {
            return Err(Error::Shown);
        }
        let mut updates = match former {
            None => history.set(recorded, &now)?,
            Some(former) => {
                history.check_free(former, &now)?;
                history.clear(former)?;
                let mut updates = history.taken_over(recorded, former, &now)?;
                updates.extend(history.retired(former, recorded.at, &now)?);
                updates
            }
        };
        updates.push(self.release_update()?);
        history.update(&updates)
    }
}

impl History {
    /// Writes a line into the ledger, and related updates: all or nothing. Returns the refs after that.
    fn write(
        &self,
        entry: LedgerEntry<'_>,
        more: &dyn Fn(&Refs) -> Result<Vec<Update>, Error>,
    ) -> Result<Refs, Error> {
        let ledger = refs::ledger(&self.place);
        let mut tried = 1;
        loop {
            let now = self.refs()?;
            let repository = self.repository()?;
            let mut updates = vec![self.entered(&repository, now.own.ledger, entry)?];
            updates.extend(more(&now)?);
            match self.update(&updates) {
                // Somebody else may write notes too.
                Err(Error::Moved(name)) if name == ledger && tried < TRIES => tried += 1,
                written => return written.map(|()| now.after(&self.place, &updates)),
            }
        }
    }
}

/// Checks that the baseline is still the one that was `shown`, on which a plan is based.
fn still_counts(now: &Refs, shown: Option<&Refs>) -> Result<(), Error> {
    match shown.is_none_or(|shown| now.agree(shown, None)) {
        true => Ok(()),
        false => Err(Error::Shown),
    }
}

#[cfg(test)]
mod tests {
    use git2::{Repository, Signature};
    use tempfile::TempDir;

    use super::*;
    use crate::history::{Actor, Baseline, Placement, RefLocation, Watch};

    /// A repository without a remote, and its only commit as recorded.
    fn history() -> (TempDir, History, Recorded) {
        let folder = TempDir::new().unwrap();
        let repository = Repository::init(folder.path()).unwrap();
        let tree = repository.treebuilder(None).unwrap().write().unwrap();
        let tree = repository.find_tree(tree).unwrap();
        let by = Signature::now("Kari", "kari@etaten.example").unwrap();
        let commit = repository.commit(Some("HEAD"), &by, &by, "Begin", &tree, &[]).unwrap();
        let history = History::open(folder.path(), "test", RefLocation::Here, []).unwrap().unwrap();
        let placement = Placement {
            environment: "test".to_owned(),
            folder: String::new(),
            api: "sandbox".to_owned(),
            maskinporten: "sandbox".to_owned(),
            organization: "889640782".parse().unwrap(),
        };
        let at = Timestamp::now();
        let recorded = Recorded::new(commit.to_string(), placement, actor(), at);
        (folder, history, recorded)
    }

    fn actor() -> Actor {
        Actor { who: "kari".to_owned(), place: "her".to_owned() }
    }

    fn dates(recorded: &Recorded) -> DatesDone {
        DatesDone::all_until(recorded.at)
    }

    fn lock(history: &History) -> Lock {
        history.lock(&actor(), Timestamp::now(), &mut Watch::default()).unwrap().unwrap()
    }

    fn unlock(history: &History) {
        history.unlock(&history.holder().unwrap().0).unwrap();
    }

    fn counting(history: &History) -> Baseline {
        history.baseline(&history.refs().unwrap()).unwrap().unwrap_or_default()
    }

    /// Deletes the refs of the baseline.
    fn forget(history: &History) {
        let Refs { own, .. } = history.refs().unwrap();
        let gone = [(refs::applied("test"), own.applied), (refs::record("test"), own.record)];
        history.update(&gone.map(|(name, old)| Update { name, old, new: None })).unwrap();
    }

    const BEGUN: &str = "begun";

    fn entry<'a>(
        recorded: &'a Recorded,
        before: Option<&'a str>,
        line: &'a str,
    ) -> LedgerEntry<'a> {
        LedgerEntry { commit: &recorded.commit, before, line }
    }

    #[test]
    fn an_apply_that_did_nothing_and_lost_its_lock_leaves_no_line() {
        let (_folder, history, recorded) = history();
        let (lock, shown) = (lock(&history), history.refs().unwrap());
        unlock(&history);
        let nothing = entry(&recorded, None, "done");
        let ended = lock.conclude(
            nothing,
            &recorded,
            ApplyEnd::of(Conclusion::InFull, &dates(&recorded)),
            Some(&shown),
        );
        assert!(matches!(ended, Err(Error::Broken)), "{ended:?}");
        assert_eq!(history.ledger().unwrap(), []);
    }

    #[test]
    fn what_is_done_after_the_lock_was_broken_counts_as_tried() {
        let (_folder, history, recorded) = history();
        let begin = |lock: &Lock| {
            let shown = history.refs().unwrap();
            lock.begin(
                entry(&recorded, None, BEGUN),
                &recorded,
                ApplyStart::default(),
                false,
                Some(&shown),
            )
            .unwrap()
        };
        let conclude = |lock: &Lock, shown: &Refs| {
            let entry = entry(&recorded, Some(BEGUN), "ended");
            lock.conclude(
                entry,
                &recorded,
                ApplyEnd::of(Conclusion::InFull, &dates(&recorded)),
                Some(shown),
            )
        };
        let first = lock(&history);
        let shown = begin(&first);
        unlock(&history);
        // The next holder knows the commit, but not what is done until this apply ends.
        let second = lock(&history);
        let other = Recorded { actor: actor(), at: Timestamp::now(), ..recorded.clone() };
        let seen = history.refs().unwrap();
        assert!(matches!(conclude(&first, &shown), Err(Error::Broken)));
        let nothing = entry(&other, None, "ended");
        let ended = second.conclude(
            nothing,
            &other,
            ApplyEnd::of(Conclusion::InFull, &dates(&recorded)),
            Some(&seen),
        );
        assert!(matches!(ended, Err(Error::Shown)), "{ended:?}");
        let baseline = counting(&history);
        assert_eq!((baseline.applied, baseline.tried.len()), (None, 1));
    }

    /// Another commit, as recorded.
    fn another(folder: &TempDir, recorded: &Recorded) -> Recorded {
        let repository = Repository::open(folder.path()).unwrap();
        let head = repository.head().unwrap().peel_to_commit().unwrap();
        let (by, tree) = (head.author(), head.tree().unwrap());
        let commit = repository.commit(Some("HEAD"), &by, &by, "Go on", &tree, &[&head]).unwrap();
        Recorded { commit: commit.to_string(), ..recorded.clone() }
    }

    #[test]
    fn what_is_done_after_another_began_counts_as_tried() {
        for first_ends_first in [true, false] {
            let (folder, history, recorded) = history();
            let other = another(&folder, &recorded);
            let first = lock(&history);
            let begun = entry(&recorded, None, BEGUN);
            let shown = first.begin(begun, &recorded, ApplyStart::default(), false, None).unwrap();
            unlock(&history);
            let second = lock(&history);
            let seen = second
                .begin(entry(&other, None, BEGUN), &other, ApplyStart::default(), false, None)
                .unwrap();
            let end_first = || {
                let last = entry(&recorded, Some(BEGUN), "ended");
                let ended = first.conclude(
                    last,
                    &recorded,
                    ApplyEnd::of(Conclusion::InFull, &dates(&recorded)),
                    Some(&shown),
                );
                assert!(matches!(ended, Err(Error::Broken)), "{ended:?}");
            };
            let end_second = || {
                let last = entry(&other, Some(BEGUN), "ended");
                second.conclude(
                    last,
                    &other,
                    ApplyEnd::of(Conclusion::InFull, &dates(&recorded)),
                    Some(&seen),
                )
            };
            match first_ends_first {
                true => {
                    end_first();
                    assert!(matches!(end_second(), Err(Error::Shown)));
                }
                false => {
                    end_second().unwrap();
                    end_first();
                }
            }
            let tried = counting(&history).tried;
            assert!(tried.iter().any(|it| it.commit == recorded.commit), "{first_ends_first}");
        }
    }

    #[test]
    fn a_plan_is_not_carried_out_once_other_refs_count() {
        let (_folder, history, recorded) = history();
        let first = lock(&history);
        let shown = history.refs().unwrap();
        let nothing = entry(&recorded, None, "ended");
        first
            .conclude(
                nothing,
                &recorded,
                ApplyEnd::of(Conclusion::InFull, &dates(&recorded)),
                Some(&shown),
            )
            .unwrap();
        // Before the start.
        let second = lock(&history);
        let shown = history.refs().unwrap();
        forget(&history);
        let begun = entry(&recorded, None, BEGUN);
        let ended = second.begin(begun, &recorded, ApplyStart::default(), false, Some(&shown));
        assert!(matches!(ended, Err(Error::Shown)), "{ended:?}");
        assert!(history.refs().unwrap().own.record.is_none());
        // And before the end: a record of this apply alone would hide the content of the ledger.
        let now = second.begin(begun, &recorded, ApplyStart::default(), false, None).unwrap();
        forget(&history);
        let last = entry(&recorded, Some(BEGUN), "ended again");
        let ended = second.conclude(
            last,
            &recorded,
            ApplyEnd::of(Conclusion::Closed, &dates(&recorded)),
            Some(&now),
        );
        assert!(matches!(ended, Err(Error::Shown)), "{ended:?}");
        assert!(history.refs().unwrap().own.record.is_none());
        assert!(history.ledger().unwrap().iter().any(|line| line.text == "ended again"));
    }
}
