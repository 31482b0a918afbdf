//! What was applied before, as far as git tells: here, and wherever else the same API was applied to.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::declare::{self, Diagnostic, Repository};
use crate::digdir::Target;
use crate::domain::{Applied, Desired, Guards, Past, Protected};
use crate::history::{self, Branch, History, Placement, Recorded, Records, Refs};
use crate::render::report::{self, Ending, ReportDocument};

/// What is recorded of the sandbox inside this process in place of an address.
const EMBEDDED: &str = "sandbox";

/// Where the declarations of an environment are, and what they are applied to.
///
/// # Errors
/// The environment's addresses cannot be used.
pub(super) fn placement(repository: &Repository, desired: &Desired) -> Result<Placement, String> {
    let environment = repository.environment(&desired.environment);
    let target = match environment.map(|environment| &environment.target) {
        Some(declare::Target::Test) => Some(Target::test()),
        Some(declare::Target::Prod) => Some(Target::prod()),
        Some(declare::Target::Custom(place)) => {
            let target = Target::custom(&place.api, &place.maskinporten);
            Some(target.map_err(|error| error.to_string())?)
        }
        Some(declare::Target::Sandbox) | None => None,
    };
    let folder = history::prefix(repository.root());
    Ok(Placement {
        environment: desired.environment.clone(),
        folder: folder.trim_end_matches('/').to_owned(),
        api: target.as_ref().map_or(EMBEDDED.to_owned(), |it| it.api_id().as_str().to_owned()),
        maskinporten: target.map_or(EMBEDDED.to_owned(), |target| target.issuer),
        organization: desired.organization,
    })
}

/// What was applied, as git tells it.
#[derive(Default)]
pub(super) struct Known {
    /// What was declared at the commit last applied in full.
    pub(super) applied: Option<Applied>,
    /// What was declared at each other commit that counts: those that were applied in part, and those
    /// that another environment has applied to the same API.
    pub(super) others: Vec<Applied>,
    /// The commits that were last applied to the same API by environments that are declared no longer, as
    /// after a rename.
    pub(super) of_former: Vec<String>,
    /// All that a plan must know of it.
    pub(super) past: Past,
}

impl Known {
    /// Of a past that is not known.
    pub(super) fn unknown(why: String) -> Self {
        let limits = Some(Guards::default());
        let past = Past { limits, unknown: Some(why), ..Past::default() };
        Self { past, ..Self::default() }
    }
}

/// What is read to find out what was applied.
pub(super) struct Reading<'a> {
    pub(super) history: &'a History,
    pub(super) repository: &'a Repository,
    pub(super) placement: &'a Placement,
    /// The branch whose commits may be applied; `None` without a remote.
    pub(super) branch: Option<&'a Branch>,
    pub(super) today: Date,
}

impl Reading<'_> {
    /// What was applied here before, and what was protected wherever the same API was applied to for the
    /// same organisation.
    pub(super) fn known(&self, refs: &Refs) -> Known {
        let own = &self.placement.environment;
        let records = self.history.records(refs);
        let mut unknown = records.unknown.clone();
        let mut unsure = |why: String| {
            unknown.get_or_insert(why);
        };
        let forgotten = self.forgotten(refs, own, &records);
        let Records { applied, tried, unknown: _ } = records;
        let retired = applied.as_ref().is_some_and(|recorded| recorded.retired);
        if retired {
            unsure("its past was moved to an environment of another name".to_owned());
        }
        let mut read = |recorded: &Recorded| self.here(recorded).map_err(&mut unsure).ok();
        let applied = applied.filter(|recorded| !recorded.retired).as_ref().and_then(&mut read);
        let tried: Vec<_> = tried.iter().filter_map(&mut read).collect();
        forgotten.into_iter().for_each(&mut unsure);
        let mut protected: Vec<_> =
            applied.iter().chain(&tried).map(|applied| Protected::at(own, applied)).collect();
        let (mut others, mut of_former) = (tried.clone(), Vec::new());
        for (name, records) in self.history.other_records(refs) {
            let is_declared = self.repository.environment(&name).is_some();
            let Elsewhere { last, read, unknown: why } = self.elsewhere(refs, &name, records);
            protected.extend(read.iter().map(|applied| Protected::at(&name, applied)));
            others.extend(read);
            of_former.extend(last.filter(|_| !is_declared));
            if let Some(why) = why {
                unsure(format!("of environment {name}: {why}; {}", way_out(&name, is_declared)));
            }
        }
        // An environment of a new name begins with the limits of the others.
        let defaults = unknown.is_some().then(Guards::default);
        let limiting = applied.as_ref().map_or(others.as_slice(), std::slice::from_ref);
        let limits = limiting.iter().map(|applied| applied.desired.guards.clone()).chain(defaults);
        let limits = limits.reduce(|limits, guards| limits.stricter(&guards));
        let all = applied.clone().into_iter().chain(tried).reduce(Applied::and);
        let past = Past { applied: all, protected, limits, unknown };
        Known { applied, others, of_former, past }
    }

    /// What was declared at a commit that is recorded as applied here. The error says why it does not
    /// count.
    fn here(&self, recorded: &Recorded) -> Result<Applied, String> {
        let Recorded { commit, placement, .. } = recorded;
        let Placement { environment: _, folder, api, maskinporten: _, organization } = placement;
        if *folder != self.placement.folder && self.history.has_settings(folder) {
            return Err(format!(
                "commit {commit} was applied from folder {folder}, which still has a portvakt.yaml: give \
                 the environments of the two folders different names"
            ));
        }
        if *api != self.placement.api {
            return Err(format!("commit {commit} was applied to another API, {api}"));
        }
        if *organization != self.placement.organization {
            return Err(format!(
                "commit {commit} was applied for another organisation, {organization}"
            ));
        }
        self.read(recorded)
    }

    /// What another environment applied to the same API for the same organisation.
    fn elsewhere(&self, refs: &Refs, name: &str, records: Records) -> Elsewhere {
        let is_same = |placement: &Placement| {
            placement.api == self.placement.api
                && placement.organization == self.placement.organization
        };
        let all = || records.applied.iter().chain(&records.tried);
        let retired = records.applied.as_ref().is_some_and(|recorded| recorded.retired);
        let could_be = all().next().is_none() || all().any(|it| is_same(&it.placement));
        let forgotten = match could_be && !retired {
            true => self.forgotten(refs, name, &records),
            false => None,
        };
        let mut unknown = records.unknown.clone().or(forgotten);
        let same = |recorded: &&Recorded| is_same(&recorded.placement) && !recorded.retired;
        let last = records.applied.as_ref().filter(same).map(|recorded| recorded.commit.clone());
        let mut read = Vec::new();
        for recorded in all().filter(same) {
            match self.read(recorded) {
                Ok(applied) => read.push(applied),
                Err(why) => {
                    unknown.get_or_insert(why);
                }
            }
        }
        Elsewhere { last, read, unknown }
    }

    fn read(&self, recorded: &Recorded) -> Result<Applied, String> {
        let Recorded { commit, placement, .. } = recorded;
        if let Some(branch) = self.branch {
            match self.history.is_on(branch, commit) {
                Ok(Some(true)) => {}
                Ok(Some(false)) => {
                    return Err(format!(
                        "commit {commit} counts as applied and is not on branch {}, which commits are \
                         applied from",
                        branch.name
                    ));
                }
                Ok(None) => {
                    return Err(format!(
                        "the clone is too shallow to tell whether commit {commit}, which counts as \
                         applied, is on branch {}",
                        branch.name
                    ));
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        let desired = declared_at(
            self.history,
            self.repository,
            &At { commit, folder: &placement.folder, environment: &placement.environment },
            self.today,
        )?;
        Ok(Applied { commit: commit.as_str().into(), desired })
    }

    /// Why the records of an environment are not all that there was, if its ledger says so: somebody has
    /// deleted them, or put older ones back.
    fn forgotten(&self, refs: &Refs, environment: &str, records: &Records) -> Option<String> {
        let Records { applied, tried, unknown: _ } = records;
        let lines = match self.history.written(refs, environment) {
            Ok(lines) => lines,
            Err(error) => return Some(error.to_string()),
        };
        let recorded: BTreeSet<&str> =
            applied.iter().chain(tried).map(|recorded| recorded.commit.as_str()).collect();
        let is_older = |started: &str| {
            let since = applied.as_ref().map(|recorded| recorded.at);
            started.parse::<Timestamp>().ok().zip(since).is_some_and(|(time, since)| time <= since)
        };
        let reports = lines.iter().filter_map(|line| report::read(line).ok());
        // What was tried may have been closed by a later apply, which leaves no record of it.
        let counts = |report: &ReportDocument| {
            !report.dirty
                && (report.outcome == Ending::Done || recorded.is_empty())
                && !is_older(&report.started)
        };
        let commits = reports.filter(counts).filter_map(|report| report.commit);
        let commit = commits.into_iter().find(|commit| !recorded.contains(commit.as_str()))?;
        Some(format!(
            "the ledger says that commit {commit} was applied, and the refs that say what counts know \
             nothing of it: they were deleted, or are older ones that were put back"
        ))
    }
}

/// What another environment applied to the same API for the same organisation.
struct Elsewhere {
    /// The commit that it last applied in full.
    last: Option<String>,
    /// What was declared at the commits that count.
    read: Vec<Applied>,
    /// Why that is not known, or not all of it.
    unknown: Option<String>,
}

/// How another environment is kept from making the past unknown.
fn way_out(environment: &str, is_declared: bool) -> String {
    match is_declared {
        true => format!("`portvakt -e {environment} baseline` shows more of it"),
        false => format!(
            "if {environment} is this environment's former name, `portvakt baseline set COMMIT \
             --from-environment {environment}` lets it count for nothing any more"
        ),
    }
}

/// A commit, and where in it declarations are.
pub(super) struct At<'a> {
    pub(super) commit: &'a str,
    /// The folder of portvakt.yaml, from the top of the git repository.
    pub(super) folder: &'a str,
    pub(super) environment: &'a str,
}

/// What is declared at a commit. The error says why that cannot be read.
pub(super) fn declared_at(
    history: &History,
    here: &Repository,
    at: &At<'_>,
    today: Date,
) -> Result<Desired, String> {
    read_at(history, here, at, today).map(|(_, desired)| desired)
}

/// The repository as it is at a commit, and what it declares.
pub(super) fn read_at(
    history: &History,
    here: &Repository,
    at: &At<'_>,
    today: Date,
) -> Result<(Repository, Desired), String> {
    let At { commit, folder, environment } = at;
    let history::Files { settings, yaml, rest } =
        history.files(commit, folder).map_err(|error| error.to_string())?;
    let wrong = |found: &[Diagnostic]| {
        let first = found.iter().find(|found| found.is_error());
        let first = first.map(|found| format!(" ({}: {})", found.code.code(), found.message));
        let first = first.unwrap_or_default();
        format!("the declarations at commit {commit} are not valid{first}")
    };
    let there = declare::read(here.root(), &settings, yaml, &|path| rest.file(path))
        .map_err(|found| wrong(&found))?;
    match there.desired(environment, today) {
        Ok((desired, _)) => Ok((there, desired)),
        Err(declare::Invalid::Environment(_)) => {
            Err(format!("commit {commit} has no environment `{environment}`"))
        }
        Err(declare::Invalid::Declarations(found)) => Err(wrong(&found)),
    }
}

/// The branch whose commits may be applied: the one that portvakt.yaml names on the remote's default
/// branch, else that. What a branch says of itself does not count. `None` without a remote.
///
/// # Errors
/// It cannot be told which one that is.
pub(super) fn apply_from(
    history: &History,
    refs: &Refs,
    folder: &str,
) -> Result<Option<Branch>, String> {
    if !history.is_shared() {
        return Ok(None);
    }
    let default = match refs.default_branch() {
        Some(default) => default.clone(),
        None => history.only_branch().map_err(|error| error.to_string())?.ok_or(
            "the remote's HEAD leads to no branch, and which of its branches is meant cannot be told: set \
             it with `git symbolic-ref HEAD refs/heads/main` there",
        )?,
    };
    let chosen = history.settings(&default, folder).map_err(|error| error.to_string())?;
    let chosen = chosen.and_then(|bytes| declare::apply_from(&bytes));
    match chosen {
        Some(name) if name != default.name => named(history, &name).map(Some),
        _ => Ok(Some(default)),
    }
}

fn named(history: &History, name: &str) -> Result<Branch, String> {
    let found = history.branch(name).map_err(|error| error.to_string())?;
    found.ok_or_else(|| {
        format!("`apply_from` in portvakt.yaml names branch {name}, which the remote does not have")
    })
}

/// The organisation and the API of what is recorded, as a reader recognises them.
pub(super) fn described(placement: &Placement) -> String {
    let Placement { environment, folder, api, maskinporten: _, organization } = placement;
    let folder = if folder.is_empty() { "." } else { folder };
    format!("environment {environment} in folder {folder}, to {api} for {organization}")
}
