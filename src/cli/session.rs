//! What plan and apply have in common: the declarations, what git knows, what is live, and the plan of
//! all that.

use jiff::Timestamp;

use super::applied::{self, At, valid_at};
use super::checkout::{self, environment, root};
use super::clock::{now, today};
use super::elsewhere::{self, Neighbours, Where};
use super::exit::{Failure, tell_diagnostics};
use super::global::Global;
use super::past::{self, Past, git_failed};
use super::progress::Progress;
use super::remote::{Remote, call_failed};
use crate::declare::{self, Invalid, Repository};
use crate::history::{self, Commit, History, Placement};
use crate::render::Context;
use crate::render::document::PlanDocument;
use digdir::{Needs, Reader};
use domain::{self, Applied, Desired, Live};
use plan::{Code, Notice, PAST_WAY_OUT, Plan, plan};

/// A repository and what it declares for the chosen environment.
pub(super) struct Session {
    pub(super) repository: Repository,
    pub(super) desired: Desired,
    /// What git knows, once it was looked at.
    pub(super) past: Past,
    /// The older commit whose declarations are read, for a rollback.
    pub(super) rollback: Option<String>,
}

impl Session {
    /// Reads and checks the declarations.
    pub(super) fn open(global: &Global) -> Result<Self, Failure> {
        Self::open_in(global, environment(global))
    }

    /// The same, for the environment of that name.
    pub(super) fn open_in(global: &Global, environment: Option<&str>) -> Result<Self, Failure> {
        let root = root(global)?;
        let invalid = |found| Failure::Invalid(root.clone(), found);
        let index = checkout::git_index(&root).map_err(|error| git_failed(&error))?;
        let repository = declare::load_tracked(&root, index).map_err(invalid)?;
        let environment = repository
            .environment_name(environment)
            .map_err(|error| Failure::Usage(error.to_string()))?
            .to_owned();
        let (desired, found) = match repository.desired(&environment, today()) {
            Ok(desired) => desired,
            Err(Invalid::Environment(error)) => return Err(Failure::Usage(error.to_string())),
            Err(Invalid::Declarations(found)) => return Err(invalid(found)),
        };
        if !global.quiet {
            tell_diagnostics(global.log_format, &root, &found);
        }
        Ok(Self { repository, desired, past: Past::default(), rollback: None })
    }

    /// The git repository; `None` outside git.
    pub(super) fn history(&self) -> Result<Option<History>, Failure> {
        past::open(&self.repository, &self.desired.environment)
    }

    /// Takes the declarations of an older commit. Guards and what protects stay those of today.
    pub(super) fn roll_back(&mut self, history: &History, revision: &str) -> Result<(), Failure> {
        let commit = history.commit(revision).map_err(|error| Failure::Usage(error.to_string()))?;
        self.check_older(history, &commit)?;
        let placement = applied::placement(&self.repository, &self.desired);
        let Placement { environment, folder, .. } = placement.map_err(Failure::Failed)?;
        let at = At { commit: &commit, folder: &folder, environment: &environment };
        let older = valid_at(history, &self.repository, &at, today());
        let older = older.map_err(|why| {
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

    /// What nobody has merged is not rolled back to: the commit must come before the one that is checked
    /// out, or be the applied one.
    fn check_older(&self, history: &History, commit: &str) -> Result<(), Failure> {
        let here = self.commit()?.map(|here| here.commit).unwrap_or_default();
        let is_older = here == commit
            || history.is_before(commit, &here).map_err(|error| git_failed(&error))? == Some(true)
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
    pub(super) fn commit(&self) -> Result<Option<Commit>, Failure> {
        match &self.rollback {
            Some(commit) => Ok(Some(Commit { commit: commit.clone(), dirty: false })),
            None => history::checked_out(&self.repository).map_err(|error| git_failed(&error)),
        }
    }

    /// Looks at what git knows; `base` is what origins are told by, else what was applied last.
    pub(super) fn look_back(
        &mut self,
        history: Option<&History>,
        base: Option<&str>,
    ) -> Result<(), Failure> {
        let commit = self.commit()?;
        self.past = Past::look(history, &self.repository, commit, &self.desired, base)?;
        self.look_elsewhere(history);
        if self.rollback.is_some() {
            // That is what it is for.
            self.past.notices.retain(|notice| notice.code != Code::Behind);
        }
        Ok(())
    }

    /// Looks at what other places declare at the commit that is read, for a rollback also at the one that is
    /// checked out. What is not committed here is compared with what is not committed there.
    fn look_elsewhere(&mut self, history: Option<&History>) {
        let checked_out = match self.rollback {
            Some(_) => history::checked_out(&self.repository).ok().flatten(),
            None => None,
        };
        let commits = [&self.past.commit, &checked_out];
        let commits: Vec<_> = commits.into_iter().flatten().filter(|it| !it.dirty).collect();
        let commits: Vec<_> = commits.iter().map(|it| it.commit.as_str()).collect();
        let is_rollback = self.rollback.is_some();
        let at = history.filter(|_| !commits.is_empty());
        let at = at.map(|history| Where { history, commits: &commits, is_rollback });
        let applied = self.past.elsewhere.as_ref();
        let Neighbours { beside, unread } =
            elsewhere::look(&self.repository, &self.desired, at, applied);
        (self.past.known.beside, self.past.known.unread) = (beside, unread);
    }

    /// Takes what was applied last for what is declared: what is to be done then is drift.
    pub(super) fn take_applied(&mut self, history: Option<&History>) -> Result<(), Failure> {
        let history = history.ok_or_else(|| {
            Failure::Failed("this is no git repository: it cannot be told what was applied".into())
        })?;
        let commit = self.commit()?;
        let past = Past::look(Some(history), &self.repository, commit, &self.desired, None)?;
        let environment = &self.desired.environment;
        let applied = match (past.applied, &past.known.unknown) {
            (Some(applied), None) => applied,
            (_, Some(why)) => {
                return Err(Failure::Failed(format!(
                    "what was applied before is not known: {why}\n{PAST_WAY_OUT}"
                )));
            }
            (None, None) => {
                return Err(Failure::Failed(format!(
                    "nothing has been applied to {environment} yet, so nothing can have drifted: run \
                     apply first"
                )));
            }
        };
        let commit = applied.commit.to_string();
        self.desired = applied.desired.clone();
        self.past = Past {
            commit: Some(Commit { commit, dirty: false }),
            placement: past.placement,
            refs: past.refs,
            elsewhere: past.elsewhere,
            base: Some(applied.clone()),
            known: domain::Past { applied: Some(applied.clone()), ..past.known },
            applied: Some(applied),
            ..Past::default()
        };
        self.look_elsewhere(Some(history));
        if past.is_unfinished {
            let message =
                "an apply since then did not end in full: what it did is shown as drift until one does"
                    .to_owned();
            let target = "tried".to_owned();
            self.past.notices.push(Notice { code: Code::HistoryUnknown, target, message });
        }
        Ok(())
    }

    /// The plan with what is to be said beside it.
    pub(super) fn document(&self, plan: &Plan) -> PlanDocument {
        let commit =
            |applied: &Option<Applied>| applied.as_ref().map(|applied| applied.commit.to_string());
        let context = Context {
            project: applied::project(&self.repository),
            organization_name: self.repository.settings().organization_name.clone(),
            repository: self.past.commit.clone(),
            folder: applied::folder(&self.repository),
            applied: commit(&self.past.applied),
            unknown: self.past.unknown.clone(),
            base: commit(&self.past.base),
            rollback: self.rollback.is_some(),
            created: now(),
        };
        PlanDocument::new(plan, &context)
    }

    /// Reads what is live by credentials that can only read, and compares.
    pub(super) async fn planned(&self, global: &Global) -> Result<PlanDocument, Failure> {
        let remote = Remote::open(global, self).await?;
        let plan = self.plan(global, &remote.reader().await?).await?;
        remote.close().await?;
        Ok(self.document(&plan))
    }

    /// Reads what is live and compares.
    pub(super) async fn plan(&self, global: &Global, reader: &Reader) -> Result<Plan, Failure> {
        Ok(self.compare(&live(global, reader, &self.needs()).await?))
    }

    /// Compares with what is live, or was.
    pub(super) fn compare(&self, live: &Live) -> Plan {
        let now = Timestamp::now();
        let Past { known, applied, base, notices, .. } = &self.past;
        let mut planned = plan(&self.desired, known, live, now);
        if let Some(base) = base {
            let known = domain::Past { applied: applied.clone(), ..known.clone() };
            planned.tell_origins(&plan(&base.desired, &known, live, now));
        }
        planned.add_notices(notices.iter().cloned());
        planned
    }

    /// What a plan must know.
    pub(super) fn needs(&self) -> Needs {
        let before = [&self.past.known.applied, &self.past.base].into_iter().flatten();
        let before = before.map(|applied| Needs::of(&applied.desired));
        before.fold(Needs::of(&self.desired), Needs::and)
    }
}

/// Reads what is live, and tells how far it has come.
pub(super) async fn live(global: &Global, reader: &Reader, needs: &Needs) -> Result<Live, Failure> {
    let progress = Progress::start(global, "reading accesses");
    let live = reader.live(needs, &|read| progress.tell(read.done, read.total)).await;
    drop(progress);
    live.map_err(call_failed)
}
