//! The declarations of an environment, read and checked.

use super::applied::{self, At};
use super::checkout;
use super::clock::today;
use super::failure::Failure;
use super::options::RunOptions;
use super::past::{self, GitPast};
use super::profile;
use super::ready::Ready;
use super::remote::Remote;
use crate::declare::{Diagnostic, Edited, Repository};
use crate::history::{self, Actor, Commit, History, Placement};
use digdir::Needs;
use domain::{Behaviour, Desired};

/// A repository and its declarations for an environment.
pub(crate) struct Opened {
    /// The repository.
    pub(crate) repository: Repository,
    /// Its declarations.
    pub(crate) desired: Desired,
    /// Its findings that are not errors.
    pub(crate) found: Vec<Diagnostic>,
    /// The older commit whose declarations are read, for a rollback.
    rollback: Option<String>,
}

/// The names of the environments of a repository, in order.
///
/// # Errors
/// There is no repository, or its portvakt.yaml is wrong.
pub(crate) fn environment_names(options: &RunOptions) -> Result<Vec<String>, Failure> {
    let repository = checkout::open(options)?;
    Ok(repository.environments().map(str::to_owned).collect())
}

impl Opened {
    /// Reads and checks the declarations.
    ///
    /// # Errors
    /// There is no repository or no such environment, or the declarations are wrong.
    pub(crate) fn open(options: &RunOptions) -> Result<Self, Failure> {
        Self::open_edited(options, None)
    }

    /// The same with an edit that is not written.
    pub(crate) fn open_edited(
        options: &RunOptions,
        edited: Option<&Edited>,
    ) -> Result<Self, Failure> {
        let mut repository = checkout::open_tracked(options)?;
        let root = repository.root().to_owned();
        if let Some(edited) = edited {
            let edited = repository.with(edited);
            repository = edited.map_err(|found| Failure::Invalid(root.clone(), found))?;
        }
        let environment = repository
            .environment_name(options.environment.as_deref())
            .map_err(Failure::usage)?
            .to_owned();
        let desired = repository.desired(&environment, today());
        let (desired, found) = desired.map_err(|why| Failure::invalid(&root, why))?;
        Ok(Self { repository, desired, found, rollback: None })
    }

    /// The git repository; `None` outside git.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn history(&self) -> Result<Option<History>, Failure> {
        past::open(&self.repository, &self.desired.environment)
    }

    /// The person or job that runs the program.
    pub(crate) fn actor(&self) -> Actor {
        Actor::here(&|name| std::env::var(name).ok(), self.repository.root())
    }

    /// Switches to the declarations of an older commit. Guards and protection stay the current ones.
    ///
    /// # Errors
    /// The commit cannot be read, its declarations are invalid today, or it was not merged.
    pub(crate) fn roll_back(&mut self, history: &History, revision: &str) -> Result<(), Failure> {
        let commit = history.commit(revision).map_err(Failure::usage)?;
        self.check_older(history, &commit)?;
        let placement = applied::placement(&self.repository, &self.desired);
        let Placement { environment, folder, .. } = placement.map_err(Failure::Failed)?;
        let at = At { history, here: &self.repository, commit: &commit, folder: &folder };
        let older = at.valid(&environment, today()).map_err(|why| {
            Failure::Failed(format!(
                "{why}\nA rollback reads what was declared where it is declared now, under the name that the \
                 environment has now. Where either was another then, undo the change with `git revert`, and \
                 apply that"
            ))
        })?;
        self.desired = older.protected_as(&self.desired);
        self.rollback = Some(commit);
        Ok(())
    }

    /// Refuses to roll back to a commit that was not merged: it must come before the one that is checked out,
    /// or be the applied one.
    fn check_older(&self, history: &History, commit: &str) -> Result<(), Failure> {
        let here = self.commit()?.map(|here| here.commit).unwrap_or_default();
        let is_older = here == commit
            || history.is_before(commit, &here)? == Some(true)
            || history.refs().is_ok_and(|refs| refs.applied().as_deref() == Some(commit));
        match is_older {
            true => Ok(()),
            false => Err(Failure::Refused(format!(
                "{commit} is no older commit of what is checked out, {here}: a rollback goes back to what \
                 was merged before. Nothing was changed"
            ))),
        }
    }

    /// The commit whose declarations are read; `None` outside git.
    ///
    /// # Errors
    /// Git cannot be read.
    pub(crate) fn commit(&self) -> Result<Option<Commit>, Failure> {
        match &self.rollback {
            Some(commit) => Ok(Some(Commit { commit: commit.clone(), dirty: false })),
            None => Ok(history::checked_out(&self.repository)?),
        }
    }

    /// Whether the declarations are those of an older commit.
    pub(super) fn is_rollback(&self) -> bool {
        self.rollback.is_some()
    }

    /// Reads the state in git; `base` is the commit with which origins are compared, else the last applied
    /// one.
    ///
    /// # Errors
    /// `base` is not a commit, or git cannot be read.
    pub(crate) fn look_back(
        self,
        history: Option<History>,
        base: Option<&str>,
    ) -> Result<Ready, Failure> {
        let commit = self.commit()?;
        let past = GitPast::look(history.as_ref(), &self.repository, commit, &self.desired, base)?;
        Ok(Ready::new(self, history, past))
    }

    /// The same in its own git repository.
    ///
    /// # Errors
    /// As for [`Self::history`].
    pub(crate) fn ready(self) -> Result<Ready, Failure> {
        let history = self.history()?;
        self.look_back(history, None)
    }

    /// How the API of the environment is known to behave: by its profile, if it names one.
    ///
    /// # Errors
    /// The profile cannot be read, or is of another API.
    pub(crate) fn behaviour(&self) -> Result<Behaviour, Failure> {
        let environment = self.repository.environment(&self.desired.environment);
        let Some(file) = environment.and_then(|it| it.profile.as_deref()) else {
            return Ok(Behaviour::default());
        };
        let api = environment.and_then(|it| it.target.addresses().ok().flatten());
        let api = api.map(|target| target.api_id());
        profile::read_within(self.repository.root(), file, api.as_ref())
    }

    /// The live state that the declarations need.
    pub(crate) fn needs(&self) -> Needs {
        Needs::of(&self.desired)
    }

    /// Connects to the API, as far as the declarations need it.
    ///
    /// # Errors
    /// As for [`Remote::open`].
    pub(crate) async fn connect(&self, options: &RunOptions) -> Result<Remote, Failure> {
        Remote::open(options, self, self.needs().reach()).await
    }
}
