//! What was applied before, as far as git tells: here, and wherever else the same API was applied to.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::declare::{self, Diagnostic, Repository};
use crate::digdir::Target;
use crate::domain::{self, Applied, Desired, Guards, Past, Protected};
use crate::history::{self, Actor, Baseline, Branch, History, Lost, Placement, Recorded, Refs};
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

/// What the place is called that holds what is applied to an environment.
pub(super) fn place(repository: &Repository, environment: &str) -> String {
    history::place_name(project(repository).as_deref(), environment)
}

/// What the folder of the declarations is called beside others; `None` for the top of a git repository.
pub(super) fn project(repository: &Repository) -> Option<String> {
    let named = repository.settings().project.as_deref();
    history::project(named, &history::prefix(repository.root()))
}

/// What was applied, as git tells it.
#[derive(Default)]
pub(super) struct Known {
    /// What was declared at the commit last applied in full.
    pub(super) applied: Option<Applied>,
    /// What was declared at each other commit that counts: those that were applied in part, and those
    /// that another place has applied to the same API.
    pub(super) others: Vec<Applied>,
    /// Whether there are commits whose apply did not end in full.
    pub(super) is_unfinished: bool,
    /// What would be forgotten by a record that is written now.
    pub(super) lost: Option<Lost>,
    /// Why nothing may be applied or recorded here: another folder has the same name.
    pub(super) clash: Option<String>,
    /// The commits that were last applied to the same API by places that are declared no longer, as after
    /// a rename.
    pub(super) of_former: Vec<String>,
    /// All that a plan must know of it.
    pub(super) past: Past,
}

impl Known {
    /// With a past that is not known, though some of it can be read.
    pub(super) fn made_unknown(mut self, why: String) -> Self {
        let limits = self.past.limits.take();
        self.past.limits =
            limits.into_iter().chain([Guards::default()]).reduce(|a, b| a.stricter(&b));
        self.past.unknown = Some(why);
        self
    }

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
        let baseline = self.history.baseline(refs);
        let is_new = matches!(baseline, Ok(None));
        let missing = self.missing(refs, self.history.place(), &baseline);
        let mut lost = missing.map(|Missing { why, commit }| Lost {
            why,
            protecting: commit
                .filter(|commit| self.history.commit(commit).is_ok())
                .map(|commit| self.recorded(commit)),
        });
        let mut unknown = lost.as_ref().map(|lost| lost.why.clone());
        let mut unsure = |why: String| {
            unknown.get_or_insert(why);
        };
        let Baseline { mut applied, tried, mut protecting, lost: is_lost, retired, at: _ } =
            baseline.ok().flatten().unwrap_or_default();
        if is_lost.is_some() {
            protecting.extend(applied.take());
        }
        if retired {
            unsure("its past was moved to a place of another name".to_owned());
        }
        let is_unfinished = !tried.is_empty();
        let mut counting = applied.iter().chain(&tried);
        let clash =
            counting.find(|it| self.is_of_another(it)).map(|it| clash(&it.placement.folder));
        // What does not count as applied protects all the same, as far as it can be read.
        let forgotten = lost.iter().filter_map(|lost| lost.protecting.as_ref());
        let fetched = |recorded: &Recorded| {
            self.is_same(&recorded.placement).then(|| self.fetched(recorded)).flatten()
        };
        let protecting: Vec<_> = protecting.iter().chain(forgotten).filter_map(fetched).collect();
        let counting = applied.iter().chain(&tried).filter_map(fetched);
        let mut protected: Vec<_> = counting
            .chain(protecting.iter().cloned())
            .map(|applied| Protected::at(None, &applied))
            .collect();
        let mut read = |recorded: &Recorded| self.here(recorded).map_err(&mut unsure).ok();
        let applied = applied.as_ref().and_then(&mut read);
        let tried: Vec<_> = tried.iter().filter_map(&mut read).collect();
        let own = applied.as_ref().map(|applied| applied.commit.clone());
        let mut others: Vec<_> = tried.iter().chain(&protecting).cloned().collect();
        let mut of_former = Vec::new();
        for (name, baseline) in self.history.other_baselines(refs) {
            let Elsewhere { former, read, unknown: why } = self.elsewhere(refs, &name, baseline);
            protected.extend(read.iter().map(|applied| {
                let way_out = former.as_ref().map(|former| {
                    let commit = own.as_deref().unwrap_or(&former.commit);
                    self.take_over(&name, commit)
                });
                let elsewhere = domain::Elsewhere { name: name.clone(), way_out };
                Protected::at(Some(elsewhere), applied)
            }));
            others.extend(read);
            if let Some(why) = why {
                unsure(format!("of {name}: {why}; {}", self.way_out(&name)));
            }
            let Some(Recorded { commit, placement, .. }) = former else { continue };
            if is_new {
                let why = format!(
                    "{} was applied to the same API, and is declared no longer: if that is what this \
                     one was called before, `{}` takes over what was applied there",
                    described(&placement),
                    self.take_over(&name, &commit)
                );
                unsure(why.clone());
                lost.get_or_insert(Lost { why, protecting: None });
            }
            of_former.push(commit);
        }
        // A place of a new name begins with the limits of the others.
        let defaults = unknown.is_some().then(Guards::default);
        let limiting = applied.as_ref().map_or(others.as_slice(), std::slice::from_ref);
        let limiting = limiting.iter().chain(&protecting);
        let limits = limiting.map(|applied| applied.desired.guards.clone()).chain(defaults);
        let limits = limits.reduce(|limits, guards| limits.stricter(&guards));
        let all = applied.clone().into_iter().chain(tried).reduce(Applied::and);
        let past = Past { applied: all, protected, limits, unknown, is_recorded: true };
        Known { applied, others, is_unfinished, lost, clash, of_former, past }
    }

    /// What was declared at a commit that is recorded as applied here. The error says why it does not
    /// count.
    fn here(&self, recorded: &Recorded) -> Result<Applied, String> {
        let Recorded { commit, placement, .. } = recorded;
        let Placement { environment: _, folder, api, maskinporten: _, organization } = placement;
        if self.is_of_another(recorded) {
            return Err(clash(folder));
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

    /// What another place applied to the same API for the same organisation.
    fn elsewhere(
        &self,
        refs: &Refs,
        name: &str,
        baseline: Result<Option<Baseline>, String>,
    ) -> Elsewhere {
        let found = baseline.as_ref().ok().and_then(Option::as_ref);
        let all = || found.into_iter().flat_map(Baseline::commits);
        let is_same = |recorded: &&Recorded| self.is_same(&recorded.placement);
        let could_be = all().next().is_none() || all().any(|it| is_same(&it));
        let missing = could_be.then(|| self.missing(refs, name, &baseline)).flatten();
        let forgotten = missing.as_ref().and_then(|missing| missing.commit.clone());
        let mut unknown = missing.map(|missing| missing.why);
        let is_declared = |recorded: &Recorded| self.declares(name, &recorded.placement);
        // An organisation that nobody can check must not hide what was applied for another.
        let of_other = |recorded: &&Recorded| {
            recorded.placement.api == self.placement.api
                && !is_same(recorded)
                && !is_declared(recorded)
        };
        if let Some(Recorded { commit, placement, .. }) = all().find(of_other) {
            unknown.get_or_insert(format!(
                "commit {commit} was applied to this API for another organisation, {}",
                placement.organization
            ));
        }
        let environment = name.rsplit('/').next().unwrap_or(name).to_owned();
        let forgotten = forgotten.map(|commit| {
            let placement = Placement { environment, ..self.placement.clone() };
            Recorded { placement, ..self.recorded(commit) }
        });
        let protecting = found.into_iter().flat_map(|found| &found.protecting).filter(is_same);
        let mut read: Vec<_> =
            protecting.chain(&forgotten).filter_map(|recorded| self.fetched(recorded)).collect();
        for recorded in all().filter(is_same) {
            match self.read(recorded) {
                Ok(applied) => read.push(applied),
                Err(why) => {
                    unknown.get_or_insert(why);
                }
            }
        }
        let in_full = found.and_then(|found| found.applied.as_ref()).filter(is_same);
        let last = in_full.or_else(|| all().filter(is_same).last());
        let former = last.filter(|last| !is_declared(last)).cloned();
        Elsewhere { former, read, unknown }
    }

    /// Whether something was applied to the same API for the same organisation.
    pub(super) fn is_same(&self, placement: &Placement) -> bool {
        placement.api == self.placement.api && placement.organization == self.placement.organization
    }

    /// Whether a place of that name is still declared where it was.
    pub(super) fn declares(
        &self,
        name: &str,
        Placement { environment, folder, .. }: &Placement,
    ) -> bool {
        let settings = self.history.settings_here(folder);
        let found = settings.and_then(|text| declare::project_and_environments(text.as_bytes()));
        found.is_some_and(|(named, environments)| {
            let project = history::project(named.as_deref(), folder);
            environments.contains(environment)
                && history::place_name(project.as_deref(), environment) == name
        })
    }

    /// How another place is kept from making the past of this one unknown.
    fn way_out(&self, name: &str) -> String {
        let environment = name.rsplit('/').next().unwrap_or(name);
        format!(
            "`portvakt -e {environment} baseline` in its folder shows more of it, and if it is declared \
             nowhere any more, `{}` lets it count for nothing",
            self.take_over(name, "COMMIT")
        )
    }

    /// The command that takes over what was applied at a place that this one was called before.
    fn take_over(&self, name: &str, commit: &str) -> String {
        let own = &self.placement.environment;
        let options = former_options(self.history.place(), name);
        format!("portvakt -e {own} baseline set {commit} {options}")
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
        self.declared(commit, placement)
    }

    /// What was declared at a commit, which is fetched if it is not here; `None` where that cannot be
    /// read.
    fn fetched(&self, Recorded { commit, placement, .. }: &Recorded) -> Option<Applied> {
        self.history.commit(commit).ok()?;
        self.declared(commit, placement).ok()
    }

    /// A commit that the ledger names, as it would have been recorded here.
    fn recorded(&self, commit: String) -> Recorded {
        let actor = Actor { who: "the ledger".to_owned(), place: self.history.place().to_owned() };
        Recorded { commit, placement: self.placement.clone(), actor, at: Timestamp::now() }
    }

    /// Whether another folder applied a commit under the name of this one, and still has that name.
    fn is_of_another(&self, Recorded { placement, .. }: &Recorded) -> bool {
        placement.folder != self.placement.folder && self.declares(self.history.place(), placement)
    }

    /// What was declared at a commit where it was applied from. The error says why that cannot be read.
    fn declared(&self, commit: &str, placement: &Placement) -> Result<Applied, String> {
        let Placement { environment, folder, .. } = placement;
        let at = At { commit, folder, environment };
        let desired = declared_at(self.history, self.repository, &at, self.today)?;
        Ok(Applied { commit: commit.into(), desired })
    }

    /// When the last apply began that the ledger of a place tells of.
    pub(super) fn newest(&self, refs: &Refs, place: &str) -> Result<Option<Timestamp>, String> {
        let lines = self.history.written(refs, place).map_err(|error| error.to_string())?;
        Ok(clean(&lines).map(|(started, _)| started).max())
    }

    /// Why what is recorded of a place is not all that there was: it cannot be read, or its ledger tells of
    /// more, as somebody has deleted refs or put older ones back.
    fn missing(
        &self,
        refs: &Refs,
        place: &str,
        baseline: &Result<Option<Baseline>, String>,
    ) -> Option<Missing> {
        let only = |why: &String| Some(Missing { why: why.clone(), commit: None });
        let known = baseline.as_ref().ok().and_then(Option::as_ref);
        let lines = match self.history.written(refs, place) {
            Ok(lines) => lines,
            Err(error) => return only(&error.to_string()),
        };
        let recorded: BTreeSet<&str> =
            known.into_iter().flat_map(Baseline::commits).map(|it| &*it.commit).collect();
        let since = known.map(|baseline| baseline.at);
        let later = clean(&lines).filter(|(started, _)| since.is_none_or(|since| *started > since));
        let commit = later.max().map(|(_, commit)| commit);
        let commit = commit.filter(|commit| !recorded.contains(commit.as_str()));
        match (baseline, known.and_then(|known| known.lost.as_ref()), &commit) {
            (Err(why), _, _) | (Ok(_), Some(why), _) => Some(Missing { why: why.clone(), commit }),
            (Ok(_), None, Some(found)) => {
                let why = format!(
                    "the ledger says that commit {found} was applied, and the refs that say what counts \
                     do not: they were deleted, or are older ones that were put back"
                );
                Some(Missing { why, commit })
            }
            (Ok(_), None, None) => None,
        }
    }
}

/// When each apply of a commit began that a ledger tells of, and of which commit. What is of a day that is
/// yet to come was written by no apply.
fn clean(lines: &[String]) -> impl Iterator<Item = (Timestamp, String)> {
    let tomorrow = Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let reports = lines.iter().filter_map(|line| report::read(line).ok());
    let reports = reports.filter(|report| !report.dirty);
    let begun = reports.filter_map(|report| Some((report.started.parse().ok()?, report.commit?)));
    begun.filter(move |(started, _)| *started < tomorrow)
}

/// Why a place is not this folder's.
fn clash(folder: &str) -> String {
    format!(
        "folder {} has the same name as this one, so that what was applied from there would be taken for \
         what was applied here: say in one of the two what it is called, with `project: NAME` in its \
         portvakt.yaml",
        shown_folder(folder)
    )
}

/// What is not recorded of a place.
struct Missing {
    why: String,
    /// The last commit that was applied by the ledger, where the records lack that.
    commit: Option<String>,
}

/// What another place applied to the same API for the same organisation.
struct Elsewhere {
    /// What it applied last, if it is declared no longer.
    former: Option<Recorded>,
    /// What was declared at the commits that count.
    read: Vec<Applied>,
    /// Why that is not known, or not all of it.
    unknown: Option<String>,
}

/// How `baseline set` is told of the former name of a place.
fn former_options(own: &str, former: &str) -> String {
    let parts = |name: &str| match name.rsplit_once('/') {
        Some((project, environment)) => {
            (project.trim_start_matches('@').to_owned(), environment.to_owned())
        }
        None => (TOP.to_owned(), name.to_owned()),
    };
    let ((own_project, own_environment), (project, environment)) = (parts(own), parts(former));
    let mut options = Vec::new();
    if environment != own_environment {
        options.push(format!("--from-environment {environment}"));
    }
    if project != own_project {
        options.push(format!("--from-project {project}"));
    }
    options.join(" ")
}

/// What `--from-project` calls a folder without a project: the top of the git repository.
pub(super) const TOP: &str = ".";

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
    let folder = shown_folder(folder);
    format!("environment {environment} in folder {folder}, to {api} for {organization}")
}

/// A folder's path from the top of the git repository, as a reader recognises it.
pub(super) fn shown_folder(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}
