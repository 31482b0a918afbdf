//! Record of a place: the commit that counts as applied, those whose apply began later, and for each of them
//! the folder of its declarations, the API and the organisation.
//!
//! It is a commit without files whose message is JSON and whose parents are the recorded commits, so that
//! they are not garbage-collected. It is signed where git is configured to sign, and accepted only with a
//! signature where git is configured to verify. Each change is a new such commit that replaces it.

use std::collections::BTreeSet;

use git2::{Oid, Repository};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::baseline::{Baseline, LossReason, Lost, Recorded};
use super::dates::DatesDone;
use super::error::Error;
use super::oid::{oid, parsed};
use super::program::Update;
use super::refs::{self, PlaceRefs, Refs};
use super::{ApplyEnd, Conclusion, History, objects};
use domain::text::json;

/// The version of the format.
const VERSION: u8 = 1;

/// Tolerated clock skew of other machines. Maskinporten refuses tokens to a machine whose clock is further
/// off, as its grants are valid for two minutes.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// Whether a time is in the future, so that no apply can have written it.
pub fn is_to_come(time: Timestamp) -> bool {
    time > Timestamp::now() + SKEW
}

/// Message of a record's commit.
#[derive(Serialize, Deserialize)]
struct RecordMessage {
    format_version: u8,
    /// The place under whose refs it is: a record that was written for another place is not accepted.
    written_for: String,
    #[serde(flatten)]
    baseline: Baseline,
}

impl History {
    /// The baseline of this place; `None` where nothing is recorded. The error is the reason why it is not
    /// known.
    pub fn baseline(&self, refs: &Refs) -> Result<Option<Baseline>, String> {
        self.baseline_of(&self.place, &refs.own)
    }

    /// The baselines of the other places in the repository, by name, including places that have only a
    /// ledger.
    pub fn other_baselines(&self, refs: &Refs) -> Vec<(String, Result<Option<Baseline>, String>)> {
        let others = refs.others.iter();
        others.map(|(name, place)| (name.clone(), self.baseline_of(name, place))).collect()
    }

    /// The former names of this place: the places whose past was moved to it, one after the other.
    pub fn former_names(&self, refs: &Refs) -> Vec<String> {
        let mut others = self.other_baselines(refs);
        let mut names = vec![self.place.clone()];
        let mut next = 0;
        while let Some(to) = names.get(next).cloned() {
            let moved = others.extract_if(.., |(_, baseline)| {
                matches!(baseline, Ok(Some(baseline)) if baseline.moved_to.as_ref() == Some(&to))
            });
            names.extend(moved.map(|(name, _)| name));
            next += 1;
        }
        names.split_off(1)
    }

    fn baseline_of(&self, name: &str, place: &PlaceRefs) -> Result<Option<Baseline>, String> {
        let (applied, record) = (refs::applied(name), refs::record(name));
        let of = match (place.applied, place.record) {
            (None, None) => return Ok(None),
            (_, Some(of)) => of,
            (Some(_), None) => {
                return Err(format!(
                    "{record} is missing, so nothing says to which API {applied} was applied"
                ));
            }
        };
        let baseline = self.read(name, of).map_err(|why| format!("{record} {why}"))?;
        Ok(Some(baseline.beside(name, place.applied.map(|oid| oid.to_string()))))
    }

    /// Reads a record. The error describes the problem, to be put after the record's name.
    fn read(&self, place: &str, record: Oid) -> Result<Baseline, String> {
        let repository = self.repository().map_err(|error| format!("cannot be read: {error}"))?;
        if !objects::is_small(&repository, record, objects::LARGEST_COMMIT) {
            return Err("is too large for a record".to_owned());
        }
        let found = repository
            .find_commit(record)
            .map_err(|error| format!("cannot be read: {}", error.message()))?;
        let message = found.message().map_err(|_| "is not a record of portvakt".to_owned())?;
        let RecordMessage { format_version: _, written_for, baseline } =
            serde_json::from_str(message)
                .ok()
                .filter(|message: &RecordMessage| message.format_version == VERSION)
                .ok_or("is not a record that this version of portvakt can read")?;
        if written_for != place {
            return Err("was written for another environment".to_owned());
        }
        if let Some(why) = baseline.misstated(repository.object_format()) {
            return Err(why.to_owned());
        }
        if is_to_come(baseline.at) {
            return Err(format!("is of a time that is yet to come, {:.0}", baseline.at));
        }
        match self.is_trusted(record) {
            Ok(true) => Ok(baseline),
            Ok(false) => Err("is not signed by anybody in gpg.ssh.allowedSignersFile".to_owned()),
            Err(error) => Err(format!("cannot be verified: {error}")),
        }
    }

    /// The updates that record the start of a commit's apply. Unreadable or lost parts are carried over.
    pub(super) fn begun(
        &self,
        recorded: &Recorded,
        lost: Option<&Lost>,
        dates: Option<&DatesDone>,
        now: &Refs,
    ) -> Result<Vec<Update>, Error> {
        let before = match self.baseline(now) {
            Ok(before) => before.unwrap_or_default(),
            Err(why) => Baseline { lost: Some(LossReason::Unreadable(why)), ..Baseline::default() },
        };
        let begun = before.begun(recorded, lost, dates).bounded()?;
        self.recording(&self.place, begun, recorded.at, now)
    }

    /// The updates that record the end of a commit's apply.
    pub(super) fn concluded(
        &self,
        recorded: &Recorded,
        end: ApplyEnd<'_>,
        now: &Refs,
    ) -> Result<Vec<Update>, Error> {
        let is_partial = matches!(end.conclusion, Conclusion::InPart | Conclusion::Dirty);
        match (self.baseline(now), end.conclusion) {
            (_, Conclusion::Ledger) => Ok(Vec::new()),
            (Ok(before), _) => {
                let before = before.unwrap_or_default();
                let after = before.clone().concluded(recorded, end);
                match is_partial && after == before {
                    true => Ok(Vec::new()),
                    false => self.recording(&self.place, after, recorded.at, now),
                }
            }
            (Err(_), _) if is_partial => Ok(Vec::new()),
            (Err(why), _) => Err(Error::Read { what: refs::record(&self.place), why }),
        }
    }

    /// The updates that make a commit the only applied one.
    pub(super) fn set(&self, recorded: &Recorded, now: &Refs) -> Result<Vec<Update>, Error> {
        let before = self.baseline(now).ok().flatten().unwrap_or_default();
        self.recording(&self.place, before.only(recorded), recorded.at, now)
    }

    /// The updates that make a commit applied in addition to those of this place and of its former name.
    pub(super) fn taken_over(
        &self,
        recorded: &Recorded,
        former: &str,
        now: &Refs,
    ) -> Result<Vec<Update>, Error> {
        let own = self.baseline(now).ok().flatten().unwrap_or_default();
        let theirs = now.others.get(former).map(|place| self.baseline_of(former, place));
        let theirs = theirs.and_then(|theirs| theirs.ok().flatten()).unwrap_or_default();
        let baseline = own.and(recorded, &theirs).bounded()?;
        self.recording(&self.place, baseline, recorded.at, now)
    }

    /// The updates that retire the records of another place.
    pub(super) fn retired(
        &self,
        place: &str,
        at: Timestamp,
        now: &Refs,
    ) -> Result<Vec<Update>, Error> {
        let moved_to = Some(self.place.clone());
        self.recording(place, Baseline { moved_to, ..Baseline::default() }, at, now)
    }

    fn recording(
        &self,
        name: &str,
        baseline: Baseline,
        at: Timestamp,
        now: &Refs,
    ) -> Result<Vec<Update>, Error> {
        let place = now.place(&self.place, name).cloned().unwrap_or_default();
        let before = self.baseline_of(name, &place).ok().flatten().map(|before| before.at);
        let at = before.into_iter().fold(at, Timestamp::max);
        let baseline = Baseline { at, ..baseline };
        let record = self.write_record(&self.repository()?, name, &baseline)?;
        let record = Update { name: refs::record(name), old: place.record, new: Some(record) };
        // A loss is ended only by setting a baseline.
        let known = baseline.applied.as_ref().filter(|_| baseline.lost.is_none());
        let Some(applied) = known else { return Ok(vec![record]) };
        let applied = oid(&self.repository()?, &applied.commit)?;
        let applied = Update { name: refs::applied(name), old: place.applied, new: Some(applied) };
        Ok(vec![applied, record])
    }

    /// Writes a record.
    fn write_record(
        &self,
        repository: &Repository,
        place: &str,
        baseline: &Baseline,
    ) -> Result<Oid, Error> {
        let message = json::line(&RecordMessage {
            format_version: VERSION,
            written_for: place.to_owned(),
            baseline: baseline.clone(),
        });
        let about: BTreeSet<_> = baseline.named().map(|recorded| &*recorded.commit).collect();
        // A commit that is missing cannot be kept.
        let here = |commit: &str| {
            repository.find_commit(parsed(repository.object_format(), commit).ok()?).ok()
        };
        let about: Vec<_> = about.into_iter().filter_map(here).collect();
        let parents: Vec<_> = about.iter().collect();
        let signed = self.empty_commit(repository, "a record", &message, &parents)?;
        match self.is_trusted(signed)? {
            true => Ok(signed),
            false => Err(Error::NotAllowed),
        }
    }
}
