//! `portvakt baseline`: which commit counts as applied.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::applied::{self, At, Known, Reading, described};
use super::exit::{Exit, Failure};
use super::global::Global;
use super::hold::Hold;
use super::past::{self, git_failed};
use super::session::Session;
use super::sink::print;
use super::{ask, elsewhere};
use crate::history::{self, Actor, Baseline, Branch, History, Placement, Recorded, Refs};
use domain::text::printable;
use domain::{Applied, Desired, Former, Protection};

/// The command's arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Set the commit that counts as applied, after showing what that makes removable and what is
    /// forgotten
    Set(Set),
}

#[derive(Debug, clap::Args)]
struct Set {
    /// The commit, or a branch or tag that leads to it
    revision: String,
    /// The folder of portvakt.yaml at that commit, from the top of the git repository. Default: where
    /// it is recorded to have been applied from, else where it is now
    #[arg(long, value_name = "DIR")]
    folder: Option<String>,
    /// What the environment was called at that commit; that name counts for nothing from then on
    #[arg(long, value_name = "NAME")]
    from_environment: Option<String>,
    /// What the project was called: `project` in its portvakt.yaml, or the folder's path with `.` for
    /// `/`, or `.` for the top of the git repository; that name counts for nothing from then on
    #[arg(long, value_name = "NAME")]
    from_project: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let session = Session::open(global)?;
    let history = session.history()?.ok_or_else(|| {
        Failure::Failed("this is no git repository: nothing is recorded of what was applied".into())
    })?;
    let place = Place::open(&session, &history)?;
    match &args.command {
        None => print(global.color, &place.shown())?,
        Some(Command::Set(set)) => place.set(global, set).await?,
    }
    Ok(Exit::Done)
}

/// What a place was called before.
struct FormerName {
    name: String,
    environment: String,
    /// Where it was applied from.
    folder: String,
}

/// An environment, and what git holds of it.
struct Place<'a> {
    session: &'a Session,
    history: &'a History,
    placement: Placement,
    refs: Refs,
    branch: Option<Branch>,
}

impl<'a> Place<'a> {
    fn open(session: &'a Session, history: &'a History) -> Result<Self, Failure> {
        let repository = &session.repository;
        let placement =
            applied::placement(repository, &session.desired).map_err(Failure::Failed)?;
        let refs = history.refs().map_err(|error| git_failed(&error))?;
        let branch = applied::apply_from(history, &refs, &placement.folder);
        let branch = branch.map_err(Failure::Failed)?;
        Ok(Self { session, history, placement, refs, branch })
    }

    fn reading(&self) -> Reading<'_> {
        Reading {
            history: self.history,
            repository: &self.session.repository,
            now: &self.session.desired,
            placement: &self.placement,
            branch: self.branch.as_ref(),
        }
    }

    fn known(&self) -> Known {
        self.reading().known(&self.refs)
    }

    fn shown(&self) -> String {
        let environment = printable(&self.placement.environment);
        let known = self.known();
        let baseline = self.history.baseline(&self.refs).ok().flatten().unwrap_or_default();
        let mut out = match (&known.past.unknown, &known.applied) {
            (Some(why), _) => format!(
                "What was applied to {environment} is not known: {}\n\
                 `portvakt baseline set COMMIT` names the commit that counts as applied.\n",
                printable(why)
            ),
            (None, Some(applied)) => {
                format!("Applied to {environment}: commit {}\n", applied.commit)
            }
            (None, None) => format!("Nothing has been applied to {environment} yet.\n"),
        };
        let mut line = |what: &str, value: &str| {
            // Writing into a String does not fail.
            let _ = writeln!(out, "  {what:<9}{}", printable(value));
        };
        let tried = baseline.tried.iter().map(|recorded| ("in part", recorded));
        for (what, recorded) in baseline.applied.iter().map(|it| ("in full", it)).chain(tried) {
            let Recorded { commit, placement, actor, at } = recorded;
            line(what, &format!("{commit}, {at:.0}, by {} at {}", actor.who, actor.place));
            line("", &described(placement));
        }
        if let Some(Branch { name, tip }) = &self.branch {
            line("branch", &format!("{name}, at {tip}"));
        }
        line("here", &described(&self.placement));
        for Former { place, take_over, applied: _ } in &known.past.former {
            line("former", &format!("{place}, is declared no longer: `{take_over}`"));
        }
        out
    }

    async fn set(&self, global: &Global, args: &Set) -> Result<(), Failure> {
        let commit = self.history.commit(&args.revision);
        let commit = commit.map_err(|error| Failure::Usage(error.to_string()))?;
        self.check_branch(&commit)?;
        if let Some(why) = self.known().clash {
            return Err(Failure::Refused(format!("nothing was changed: {}", printable(&why))));
        }
        let former = self.former(args)?;
        let (placement, then) = self.declared_then(&commit, args, former.as_ref())?;
        let former = former.as_ref().map(|former| former.name.as_str());
        print(global.color, &self.consequences(&then, former))?;
        if !args.yes {
            ask::yes(
                "Let this commit count as applied? Only 'yes' is accepted: ",
                "nobody is there to say so: --yes sets it without a question",
            )
            .await?;
        }
        let actor = Actor::here(&|name| std::env::var(name).ok(), self.session.repository.root());
        let recorded = Recorded {
            commit: commit.clone(),
            placement,
            actor: actor.clone(),
            at: self.at(former)?,
        };
        let hold = Hold::take(self.history, &actor).await?;
        hold.set_baseline(&recorded, former, &self.refs).await?;
        print(
            global.color,
            &format!("Applied to {}: commit {commit}\n", self.placement.environment),
        )
    }

    /// When it is set: not before what the ledgers tell of, as a clock may have been ahead.
    fn at(&self, former: Option<&str>) -> Result<Timestamp, Failure> {
        let places = [Some(self.history.place()), former].into_iter().flatten();
        let mut at = Timestamp::now();
        for place in places {
            let newest = self.reading().newest(&self.refs, place);
            at = at.max(newest.map_err(Failure::Failed)?.unwrap_or(at));
        }
        Ok(at)
    }

    /// The place by its former name, if one is named. A name that is in use still keeps its own past.
    fn former(&self, args: &Set) -> Result<Option<FormerName>, Failure> {
        let own = &self.placement.environment;
        let environment = args.from_environment.clone().unwrap_or_else(|| own.clone());
        let name = match args.from_project.as_deref() {
            Some(applied::TOP) => history::place_name(None, &environment),
            Some(project) => history::place_name(Some(project), &environment),
            None => applied::place(&self.session.repository, &environment),
        };
        if name == self.history.place() {
            return Ok(None);
        }
        let others = self.history.other_baselines(&self.refs);
        let Some((_, found)) = others.into_iter().find(|(other, _)| *other == name) else {
            return Err(Failure::Usage(format!(
                "nothing is recorded of {name}, so it is not what this one was called before"
            )));
        };
        let found = found.ok().flatten();
        let api = &self.placement.api;
        let all = || found.iter().flat_map(Baseline::commits);
        let is_other = all().next().is_some() && all().all(|it| it.placement.api != *api);
        if let Some(other) = all().next().filter(|_| is_other) {
            return Err(Failure::Refused(format!(
                "{name} was applied to another API ({}), so it is not what this one was called before: \
                 nothing was changed",
                printable(&described(&other.placement))
            )));
        }
        let last = found.as_ref().and_then(|found| found.commits().last().cloned());
        let here = Placement { environment: environment.clone(), ..self.placement.clone() };
        let placement = last.map_or(here, |last| last.placement);
        match self.reading().is_in_use(&name, &placement) {
            true => Err(Failure::Usage(format!(
                "a portvakt.yaml still has environment {environment} of {name} for the same API, so that is \
                 not what this one was called before"
            ))),
            false => Ok(Some(FormerName { name, environment, folder: placement.folder })),
        }
    }

    fn check_branch(&self, commit: &str) -> Result<(), Failure> {
        let Some(branch) = &self.branch else { return Ok(()) };
        match past::off_branch(self.history, branch, commit) {
            None => Ok(()),
            Some(why) => Err(Failure::Refused(format!("{why}: nothing was changed"))),
        }
    }

    /// What was declared at the commit, for the same API and organisation: under the former name, where
    /// the place had that one then.
    fn declared_then(
        &self,
        commit: &str,
        args: &Set,
        former: Option<&FormerName>,
    ) -> Result<(Placement, Applied), Failure> {
        let repository = &self.session.repository;
        let is_recorded = self.is_recorded(commit);
        let read = |environment: &str, folder: &str| {
            let folder = args.folder.as_deref().map_or(folder, |folder| folder.trim_matches('/'));
            let at = At { commit, folder, environment };
            let read = match is_recorded {
                true => applied::applied_at(self.history, repository, &at),
                false => applied::read_at(self.history, repository, &at),
            };
            read.map(|(there, desired)| (folder.to_owned(), there, desired))
        };
        let own = || {
            let known = self.history.baseline(&self.refs).ok().flatten().unwrap_or_default();
            let recorded = known.commits().find(|it| it.commit == commit);
            let then = recorded
                .map(|Recorded { placement, .. }| read(&placement.environment, &placement.folder));
            let here = || read(&self.placement.environment, &self.placement.folder);
            then.and_then(Result::ok).map_or_else(here, Ok)
        };
        let read = match former.map(|former| read(&former.environment, &former.folder)) {
            Some(Ok(found)) => Ok(found),
            // The commit may be one at which it had its name of now already.
            Some(Err(why)) => own().map_err(|_| why),
            None => own(),
        };
        let (folder, there, desired) = read.map_err(Failure::Failed)?;
        let then = applied::placement(&there, &desired).map_err(Failure::Failed)?;
        let then = Placement { folder, ..then };
        let Placement { api, organization, .. } = &self.placement;
        match then.api == *api && then.organization == *organization {
            true => Ok((then, Applied { commit: commit.into(), desired })),
            false => Err(Failure::Refused(format!(
                "commit {commit} is for another API or organisation ({}), so nothing of it was applied \
                 here: nothing was changed",
                printable(&described(&then))
            ))),
        }
    }

    /// Whether a record says that a commit was applied, here or at another place.
    fn is_recorded(&self, commit: &str) -> bool {
        let own = self.history.baseline(&self.refs).ok().flatten();
        let others = self.history.other_baselines(&self.refs).into_iter();
        let mut all = own.into_iter().chain(others.filter_map(|(_, other)| other.ok().flatten()));
        all.any(|baseline| baseline.commits().any(|recorded| recorded.commit == commit))
    }

    /// What protects once another commit counts here: that, and what other environments have applied.
    fn protecting(&self, then: &Applied, former: Option<&str>, known: &Known) -> Vec<Protection> {
        let stays = known.past.protected.iter().filter(|protected| {
            protected.elsewhere.as_ref().is_some_and(|it| Some(it.name.as_str()) != former)
        });
        let stays = stays.map(|protected| protected.protection.clone());
        stays.chain([Protection::of(&then.desired)]).collect()
    }

    /// What changes by it, for whoever is asked.
    fn consequences(&self, then: &Applied, former: Option<&str>) -> String {
        let now = &self.session.desired;
        let before = self.known();
        let mut out = format!(
            "What counts as applied to {} from then on: commit {}\n",
            self.placement.environment, then.commit
        );
        let mut list = |what: &str, names: BTreeSet<String>| {
            if names.is_empty() {
                return;
            }
            let _ = writeln!(out, "  {what}: {}", names.len());
            for name in names {
                let _ = writeln!(out, "    {}", printable(&name));
            }
        };
        let beside = elsewhere::look(&self.session.repository, now, None, None).beside;
        let beside = beside.iter().map(|beside| names(&beside.desired));
        let declared_now = beside.fold(names(now), |all, names| &all | &names);
        let is_here = |place: &str| place == self.history.place();
        let own = self.history.baseline(&self.refs).ok().flatten().unwrap_or_default();
        let is_kept = |applied: &Applied| {
            former.is_some() && own.commits().any(|it| *it.commit == *applied.commit)
        };
        let ours = before
            .traces
            .iter()
            .filter(|(place, _)| is_here(place) || Some(place.as_str()) == former);
        let (kept, gone): (Vec<_>, Vec<_>) =
            ours.partition(|(place, applied)| is_here(place) && is_kept(applied));
        let of = |all: Vec<&(String, Applied)>| -> BTreeSet<String> {
            all.into_iter().flat_map(|(_, applied)| names(&applied.desired)).collect()
        };
        let then_names = &names(&then.desired) | &of(kept);
        let removable = then_names.difference(&declared_now).cloned().collect();
        list("the next apply closes, as they are declared no longer", removable);
        let known = of(gone);
        let gone = known.difference(&then_names).filter(|name| !declared_now.contains(*name));
        list(
            "stays open if it is now, and is nobody's, as it was applied and is not declared there",
            gone.cloned().collect(),
        );
        list(
            "is protected no longer",
            lost_protection(&before, &self.protecting(then, former, &before)),
        );
        if let Some(why) = &before.past.unknown {
            let _ = writeln!(
                out,
                "  what counted before is not known, so more may be forgotten than this: {}",
                printable(why)
            );
        }
        if let Some(former) = former {
            let _ = writeln!(out, "  {} counts for nothing any more", printable(former));
        }
        out
    }
}

/// What is declared at a commit that counts and protected by one, and by none of those that count after
/// it.
fn lost_protection(known: &Known, after: &[Protection]) -> BTreeSet<String> {
    let before = known.past.protected.iter().map(|protected| &protected.protection);
    let lost = |by: &dyn Fn(&Protection) -> bool| before.clone().any(by) && !after.iter().any(by);
    let mut names = BTreeSet::new();
    for Applied { commit: _, desired } in &known.all {
        let scopes = desired.scopes.keys();
        let scopes = scopes.filter(|name| lost(&|by| by.of_scope(name).is_some()));
        names.extend(scopes.map(|name| format!("scope {name}")));
        let clients = desired.clients.keys();
        let clients = clients.filter(|name| lost(&|by| by.of_client([name.as_str(); 2]).is_some()));
        names.extend(clients.map(|name| format!("client {name}")));
    }
    names
}

/// What is declared, by name.
fn names(desired: &Desired) -> BTreeSet<String> {
    let scopes = desired.scopes.keys().map(|name| format!("scope {name}"));
    scopes.chain(desired.clients.keys().map(|name| format!("client {name}"))).collect()
}
