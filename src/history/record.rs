//! What is recorded of a commit that is applied: where its declarations are, to which API they were
//! applied, and for whom.
//!
//! A record is a commit without files whose message is JSON and whose only parent is the commit that it
//! is about, so that nothing of it is swept away. It is signed where git is set to sign, and it counts
//! only as signed where git is set to verify.

use git2::{Oid, Repository};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::lock::signature;
use super::refs::{self, PlaceRefs, Refs, Update};
use super::{Actor, History, objects, oid};
use crate::domain::Orgno;

/// The version of the format.
const VERSION: u8 = 1;

/// Where the declarations of an environment are, and what they are applied to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The environment's name in portvakt.yaml.
    pub environment: String,
    /// The folder of portvakt.yaml, from the top of the git repository, with `/` between its parts;
    /// empty at the top.
    pub folder: String,
    /// The API, in the one spelling by which it is compared.
    pub api: String,
    /// Maskinporten's issuer.
    pub maskinporten: String,
    /// The organisation that owns the scopes.
    pub organization: Orgno,
}

/// What is recorded of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    format_version: u8,
    /// The environment under whose refs it is: one that was written for another does not count.
    written_for: String,
    /// The commit, 40 hex digits.
    pub commit: String,
    /// Where its declarations are, and what they were applied to.
    #[serde(flatten)]
    pub placement: Placement,
    /// Who recorded it, and where.
    #[serde(flatten)]
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// Whether the environment has another name since: then it counts for nothing any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
}

impl Recorded {
    /// A record of a commit that is about to be applied, or that counts as applied.
    pub fn new(commit: &str, placement: Placement, actor: &Actor, at: Timestamp) -> Self {
        Self {
            format_version: VERSION,
            written_for: placement.environment.clone(),
            commit: commit.to_owned(),
            placement,
            actor: actor.clone(),
            at,
            retired: false,
        }
    }
}

/// The records of a place, as far as they can be read.
#[derive(Debug, Default)]
pub struct Records {
    /// Of the commit that was last applied in full; `None` where nothing was.
    pub applied: Option<Recorded>,
    /// Of the commits whose apply began since and did not end in full.
    pub tried: Vec<Recorded>,
    /// Why the past of the place is not known, or not all of it.
    pub unknown: Option<String>,
}

impl History {
    /// What is recorded of this place.
    pub fn records(&self, refs: &Refs) -> Records {
        self.records_of(&self.environment, &refs.own)
    }

    /// What is recorded of the other places in the repository, by their names, and of those of which
    /// there is a ledger alone.
    pub fn other_records(&self, refs: &Refs) -> Vec<(String, Records)> {
        let others = refs.others.iter();
        others.map(|(name, place)| (name.clone(), self.records_of(name, place))).collect()
    }

    fn records_of(&self, name: &str, place: &PlaceRefs) -> Records {
        let PlaceRefs { applied, record, tried, lock: _, ledger: _ } = place;
        let mut records = Records::default();
        let mut unknown = |why: String| {
            records.unknown.get_or_insert(why);
        };
        match (applied, record) {
            (None, None) => {}
            (Some(commit), Some(record)) => match self.recorded(name, *record, *commit) {
                Ok(recorded) => records.applied = Some(recorded),
                Err(why) => unknown(format!("{} {why}", refs::record(name))),
            },
            (Some(_), None) => unknown(format!(
                "{} is missing, so nothing says to which API {} was applied",
                refs::record(name),
                refs::applied(name),
            )),
            (None, Some(_)) => unknown(format!("{} is missing", refs::applied(name))),
        }
        for (commit, record) in tried {
            match self.recorded(name, *record, *commit) {
                Ok(recorded) => records.tried.push(recorded),
                Err(why) => unknown(format!("{} {why}", refs::tried(name, *commit))),
            }
        }
        records.tried.sort_by_key(|recorded| recorded.at);
        records
    }

    /// Reads a record of a commit. The error says what is wrong with it, behind its name.
    fn recorded(&self, place: &str, record: Oid, commit: Oid) -> Result<Recorded, String> {
        let repository = self.repository().map_err(|error| format!("cannot be read: {error}"))?;
        if !objects::is_small(&repository, record, objects::LARGEST_COMMIT) {
            return Err("is too large for a record".to_owned());
        }
        let found = repository
            .find_commit(record)
            .map_err(|error| format!("cannot be read: {}", error.message()))?;
        let message = found.message().map_err(|_| "is no record of portvakt".to_owned())?;
        let recorded: Recorded = serde_json::from_str(message)
            .ok()
            .filter(|recorded: &Recorded| recorded.format_version == VERSION)
            .ok_or("is no record that this version of portvakt can read")?;
        if recorded.commit != commit.to_string() {
            return Err("is about another commit".to_owned());
        }
        if recorded.written_for != place {
            return Err("was written for another environment".to_owned());
        }
        match self.is_trusted(record) {
            Ok(true) => Ok(recorded),
            Ok(false) => Err("is not signed by anybody in gpg.ssh.allowedSignersFile".to_owned()),
            Err(error) => Err(format!("cannot be verified: {error}")),
        }
    }

    /// What makes a commit count as applied. Its record is no older than those that it takes the place
    /// of, whatever the clocks say: a line of the ledger that is newer than it is about a later apply.
    pub(super) fn applied_updates(
        &self,
        recorded: &Recorded,
        now: &Refs,
    ) -> Result<[Update; 2], Error> {
        let commit = oid(&recorded.commit)?;
        let Records { applied, tried, unknown: _ } = self.records(now);
        let before = applied.iter().chain(&tried).map(|recorded| recorded.at);
        let at = before.fold(recorded.at, Timestamp::max);
        let recorded = Recorded { written_for: self.environment.clone(), at, ..recorded.clone() };
        let record = self.write_record(&self.repository()?, &recorded)?;
        let PlaceRefs { applied, record: before, tried: _, lock: _, ledger: _ } = now.own;
        Ok([
            Update { name: refs::applied(&self.environment), old: applied, new: Some(commit) },
            Update { name: refs::record(&self.environment), old: before, new: Some(record) },
        ])
    }

    /// What makes another environment's records count for nothing any more.
    pub(super) fn retired(
        &self,
        environment: &str,
        recorded: &Recorded,
        now: &Refs,
    ) -> Result<Vec<Update>, Error> {
        let Some(place) = now.others.get(environment) else { return Ok(Vec::new()) };
        let retired =
            Recorded { written_for: environment.to_owned(), retired: true, ..recorded.clone() };
        let record = self.write_record(&self.repository()?, &retired)?;
        let commit = oid(&recorded.commit)?;
        let applied =
            Update { name: refs::applied(environment), old: place.applied, new: Some(commit) };
        let record =
            Update { name: refs::record(environment), old: place.record, new: Some(record) };
        let tried = place.tried.iter().map(|(commit, record)| Update {
            name: refs::tried(environment, *commit),
            old: Some(*record),
            new: None,
        });
        Ok([applied, record].into_iter().chain(tried).collect())
    }

    /// Makes a record.
    pub(super) fn write_record(
        &self,
        repository: &Repository,
        recorded: &Recorded,
    ) -> Result<Oid, Error> {
        // Plain data is serialised into memory without fail.
        let message = serde_json::to_string(recorded).unwrap_or_default();
        let about = oid(&recorded.commit)?;
        let write = || {
            let tree = repository.find_tree(repository.treebuilder(None)?.write()?)?;
            let about = repository.find_commit(about)?;
            let signature = signature(repository)?;
            repository.commit(None, &signature, &signature, &message, &tree, &[&about])
        };
        let made = write().map_err(|error| Error::write("a record", &error))?;
        self.signed(repository, made)
    }
}
