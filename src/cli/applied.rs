//! What was applied before, as far as git tells: here, and wherever else the same API was applied to.

use jiff::civil::Date;

use crate::declare::{self, Diagnostic, Repository};
use crate::digdir::Target;
use crate::domain::{Applied, Desired, Guards, Past, Protected};
use crate::history::{self, Branch, History, Placement, Recorded, Records, Refs};
use crate::render::report;

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
    /// All that a plan must know of it.
    pub(super) past: Past,
}

impl Known {
    /// Of a past that is not known.
    pub(super) fn unknown(why: String) -> Self {
        let limits = Some(Guards::default());
        Self { applied: None, past: Past { limits, unknown: Some(why), ..Past::default() } }
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
        let Records { applied, tried, mut unknown } = self.history.records(refs);
        let mut unsure = |why: String| {
            unknown.get_or_insert(why);
        };
        let mut read = |recorded: &Recorded| match self.here(recorded) {
            Ok(applied) => Some(applied),
            Err(why) => {
                unsure(why);
                None
            }
        };
        let (applied, retired) = match applied {
            Some(recorded) if recorded.retired => (None, true),
            applied => (applied, false),
        };
        let applied = applied.as_ref().and_then(&mut read);
        let tried: Vec<_> = tried.iter().filter_map(&mut read).collect();
        if refs.applied().is_none()
            && refs.tried().is_empty()
            && let Err(why) = self.nothing_in_ledger(refs)
        {
            unsure(why);
        }
        if retired {
            unsure("its past was moved to an environment of another name".to_owned());
        }
        let mut elsewhere = Vec::new();
        for (name, records) in self.history.other_records(refs) {
            let (applied, why) = self.elsewhere(records);
            elsewhere.extend(applied);
            if let Some(why) = why {
                unsure(format!("of environment {name}: {why}"));
            }
        }
        // An environment of a new name begins with the limits of the others.
        let defaults = unknown.is_some().then(Guards::default);
        let limiting = applied.as_ref().map_or(elsewhere.as_slice(), std::slice::from_ref);
        let limits = limiting.iter().map(|applied| applied.desired.guards.clone()).chain(defaults);
        let limits = limits.reduce(|limits, guards| limits.stricter(&guards));
        let protecting = applied.iter().chain(&tried).chain(&elsewhere);
        let protected = protecting.map(Protected::at).collect();
        let all = applied.clone().into_iter().chain(tried).reduce(Applied::and);
        Known { applied, past: Past { applied: all, protected, limits, unknown } }
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

    /// What was declared at the commits that are recorded of another place, if they were applied to the
    /// same API for the same organisation; and why that is not known, or not all of it.
    fn elsewhere(&self, records: Records) -> (Vec<Applied>, Option<String>) {
        let Records { applied, tried, mut unknown } = records;
        let is_same = |placement: &Placement| {
            placement.api == self.placement.api
                && placement.organization == self.placement.organization
        };
        let all = applied.into_iter().chain(tried);
        let same = all.filter(|recorded| is_same(&recorded.placement) && !recorded.retired);
        let mut read = Vec::new();
        for recorded in same {
            match self.read(&recorded) {
                Ok(applied) => read.push(applied),
                Err(why) => {
                    unknown.get_or_insert(why);
                }
            }
        }
        (read, unknown)
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

    /// Sees that nothing was applied yet: where the ledger says otherwise, somebody has deleted the refs
    /// that say what.
    fn nothing_in_ledger(&self, refs: &Refs) -> Result<(), String> {
        if !refs.has_ledger() {
            return Ok(());
        }
        let lines = self.history.ledger().map_err(|error| error.to_string())?;
        let reports = lines.iter().filter_map(|line| report::read(&line.text).ok());
        let is_of_commit = |report: &report::ReportDocument| !report.dirty;
        match reports.filter(is_of_commit).find_map(|report| report.commit) {
            None => Ok(()),
            Some(commit) => Err(format!(
                "the ledger says that commit {commit} was applied, and the refs that say which one counts \
                 are missing"
            )),
        }
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
