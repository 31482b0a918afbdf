//! `portvakt baseline`: which commit counts as applied.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::applied::{self, At, Known, Reading, described};
use super::exit::{Exit, Failure};
use super::hold::Hold;
use super::past::{self, git_failed};
use super::session::{self, Session};
use super::{Global, ask, print};
use crate::domain::{Applied, Desired, Protection};
use crate::history::{Actor, Branch, History, Placement, Recorded, Refs};
use crate::text::printable;

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
    /// What the environment was called at that commit; that name counts for nothing from then on
    #[arg(long, value_name = "NAME")]
    from_environment: Option<String>,
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

    fn known(&self) -> Known {
        Reading {
            history: self.history,
            repository: &self.session.repository,
            placement: &self.placement,
            branch: self.branch.as_ref(),
            today: session::today(),
        }
        .known(&self.refs)
    }

    fn shown(&self) -> String {
        let environment = printable(&self.placement.environment);
        let known = self.known();
        let records = self.history.records(&self.refs);
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
        let tried = records.tried.iter().map(|recorded| ("in part", recorded));
        for (what, recorded) in records.applied.iter().map(|it| ("in full", it)).chain(tried) {
            let Recorded { commit, placement, actor, at, retired, .. } = recorded;
            let retired = if *retired { ", retired" } else { "" };
            line(what, &format!("{commit}, {at:.0}, by {} at {}{retired}", actor.who, actor.place));
            line("", &described(placement));
        }
        if let Some(Branch { name, tip }) = &self.branch {
            line("branch", &format!("{name}, at {tip}"));
        }
        line("here", &described(&self.placement));
        out
    }

    async fn set(&self, global: &Global, args: &Set) -> Result<(), Failure> {
        let Set { revision, from_environment, yes } = args;
        let commit = self.history.commit(revision);
        let commit = commit.map_err(|error| Failure::Usage(error.to_string()))?;
        self.check_branch(&commit)?;
        let former = from_environment.as_deref();
        let former = former.filter(|name| *name != self.placement.environment);
        self.check_former(former)?;
        let (placement, then) = self.declared_then(&commit, former)?;
        print(global.color, &self.consequences(&then, former))?;
        if !yes {
            ask::yes(
                "Let this commit count as applied? Only 'yes' is accepted: ",
                "nobody is there to say so: --yes sets it without a question",
            )
            .await?;
        }
        let actor = Actor::here(&|name| std::env::var(name).ok(), self.session.repository.root());
        let recorded = Recorded::new(&commit, placement, &actor, Timestamp::now());
        let hold = Hold::take(self.history, &actor).await?;
        hold.set_baseline(&recorded, former, &self.refs).await?;
        print(
            global.color,
            &format!("Applied to {}: commit {commit}\n", self.placement.environment),
        )
    }

    fn check_branch(&self, commit: &str) -> Result<(), Failure> {
        let Some(branch) = &self.branch else { return Ok(()) };
        match past::off_branch(self.history, branch, commit) {
            None => Ok(()),
            Some(why) => Err(Failure::Refused(format!("{why}: nothing was changed"))),
        }
    }

    /// A name that is in use still keeps its own past.
    fn check_former(&self, former: Option<&str>) -> Result<(), Failure> {
        match former.filter(|name| self.session.repository.environment(name).is_some()) {
            None => Ok(()),
            Some(name) => Err(Failure::Usage(format!(
                "portvakt.yaml still has an environment {name}, so it is not this one's former name"
            ))),
        }
    }

    /// What was declared at the commit, for the same API and organisation: under the former name, where
    /// the environment had that one then.
    fn declared_then(
        &self,
        commit: &str,
        former: Option<&str>,
    ) -> Result<(Placement, Applied), Failure> {
        let repository = &self.session.repository;
        let own = self.placement.environment.as_str();
        let read = |environment: &str| {
            let at = At { commit, folder: &self.placement.folder, environment };
            applied::read_at(self.history, repository, &at, session::today())
        };
        let read = match former.map(read) {
            Some(Ok(found)) => Ok(found),
            // What was never its name is let go of like a former one.
            Some(Err(why)) => read(own).map_err(|_| why),
            None => read(own),
        };
        let (there, desired) = read.map_err(Failure::Failed)?;
        let then = applied::placement(&there, &desired).map_err(Failure::Failed)?;
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

    /// What protects once another commit counts here: that, and what other environments have applied.
    fn protecting(&self, then: &Applied, former: Option<&str>, known: &Known) -> Vec<Protection> {
        let replaced = [Some(self.placement.environment.as_str()), former];
        let stays = known.past.protected.iter();
        let stays = stays.filter(|it| !replaced.contains(&Some(it.environment.as_str())));
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
        let declared_now = names(now);
        let then_names = names(&then.desired);
        let removable = then_names.difference(&declared_now).cloned().collect();
        list("the next apply closes, as they are declared no longer", removable);
        let known = before.past.applied.as_ref().map(|applied| names(&applied.desired));
        let known = known.unwrap_or_default();
        let gone = known.difference(&then_names).filter(|name| !declared_now.contains(*name));
        list(
            "stays open and is nobody's, as it was applied and is not declared there",
            gone.cloned().collect(),
        );
        list(
            "is protected no longer",
            lost_protection(&before, &self.protecting(then, former, &before)),
        );
        if let Some(why) = &before.past.unknown {
            let _ = writeln!(out, "  what counted before is not known: {}", printable(why));
        }
        if let Some(former) = former {
            let _ =
                writeln!(out, "  environment {} counts for nothing any more", printable(former));
        }
        out
    }
}

/// What is declared at a commit that counts and protected by one, and by none of those that count after
/// it.
fn lost_protection(known: &Known, after: &[Protection]) -> BTreeSet<String> {
    let before = known.past.protected.iter().map(|protected| &protected.protection);
    let lost = |by: &dyn Fn(&Protection) -> bool| before.clone().any(by) && !after.iter().any(by);
    let counting = known.past.applied.iter().chain(&known.others);
    let mut names = BTreeSet::new();
    for Applied { commit: _, desired } in counting {
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
