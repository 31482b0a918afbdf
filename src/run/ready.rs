//! The declarations of an environment, with its state in git.

use jiff::Timestamp;
use jiff::civil::Date;

use super::applied;
use super::clock::now;
use super::elsewhere::{self, FolderSource, Neighbours};
use super::failure::Failure;
use super::opened::Opened;
use super::options::RunOptions;
use super::past::GitPast;
use super::remote::Remote;
use crate::history::{self, Commit, History};
use digdir::{Needs, ReadProgress, Reader};
use domain::{Applied, Desired, Live, Undone, norwegian_date};
use plan::document::{AppliedDocument, CommitDocument, PlanDocument, RepositoryDocument};
use plan::{Code, DatesPassed, Kind, Notice, PAST_REMEDY, Plan, plan};

/// The declarations, and earlier applies.
pub(crate) struct Ready {
    /// The declarations.
    pub(crate) opened: Opened,
    /// The git repository; `None` outside git.
    pub(crate) history: Option<History>,
    /// The state in git.
    pub(crate) past: GitPast,
    /// The part of the plan that is asked for.
    pub(super) part: PlanPart,
}

/// The part of a plan that is asked for.
pub(super) enum PlanPart {
    /// All of it.
    All,
    /// Only what dates in the applied declarations ask for, unless the current ones (`current`) say otherwise.
    Due {
        /// The declarations that are checked out.
        current: Box<Desired>,
    },
}

impl Ready {
    pub(super) fn new(opened: Opened, history: Option<History>, past: GitPast) -> Self {
        let mut ready = Self { opened, history, past, part: PlanPart::All };
        ready.look_elsewhere();
        if ready.opened.is_rollback() {
            // An older commit is the purpose of a rollback.
            ready.past.notices.retain(|notice| notice.code != Code::Behind);
        }
        ready
    }

    /// With the last applied declarations as the current ones, for the changes that dates in them ask for.
    ///
    /// # Errors
    /// The last apply is not known, or there is none.
    pub(crate) fn of_due(opened: Opened) -> Result<Self, Failure> {
        let current = Box::new(opened.desired.clone());
        let refused = |failure| match failure {
            Failure::Failed(why) => Failure::Refused(format!("nothing was changed: {why}")),
            other => other,
        };
        let (mut ready, checked_out) =
            Self::applied(opened, PlanPart::Due { current }).map_err(refused)?;
        // The declarations that are checked out have a say in it too.
        let GitPast { notices, refusal, clash, .. } = checked_out;
        let behind = notices.into_iter().filter(|notice| notice.code == Code::Behind);
        ready.past.notices.extend(behind);
        (ready.past.refusal, ready.past.clash) = (refusal, clash);
        if let Some(last) = &ready.past.last {
            ready.past.placement = Some(last.recorded.placement.clone());
        }
        Ok(ready)
    }

    /// With the last applied declarations as the current ones: the resulting actions are drift.
    ///
    /// # Errors
    /// As of [`Self::of_due`].
    pub(crate) fn of_applied(opened: Opened) -> Result<Self, Failure> {
        Self::applied(opened, PlanPart::All).map(|(ready, _)| ready)
    }

    /// The last applied declarations as the current ones, and the rest of what is known of the past.
    fn applied(mut opened: Opened, part: PlanPart) -> Result<(Self, GitPast), Failure> {
        let history = opened.history()?.ok_or_else(|| {
            Failure::Failed(
                "this is not a git repository: what was applied cannot be found out".into(),
            )
        })?;
        let commit = opened.commit()?;
        let mut past =
            GitPast::look(Some(&history), &opened.repository, commit, &opened.desired, None)?;
        let environment = &opened.desired.environment;
        let applied = match (past.applied.take(), &past.known.unknown) {
            (Some(applied), None) => applied,
            (_, Some(why)) => {
                return Err(Failure::Failed(format!(
                    "what was applied before is not known: {why}\n{PAST_REMEDY}"
                )));
            }
            (None, None) => {
                return Err(Failure::Failed(format!(
                    "nothing has been applied to {environment} yet, so there is nothing to compare with: \
                     run apply first"
                )));
            }
        };
        opened.desired = applied.desired.clone();
        let is_unfinished = past.is_unfinished;
        let of_applied = GitPast {
            commit: Some(Commit { commit: applied.commit.to_string(), dirty: false }),
            placement: past.placement.take(),
            refs: past.refs.take(),
            elsewhere: past.elsewhere.take(),
            last: past.last.take(),
            base: Some(applied.clone()),
            known: domain::Past {
                applied: Some(applied.clone()),
                ..std::mem::take(&mut past.known)
            },
            applied: Some(applied),
            ..GitPast::default()
        };
        let mut ready = Self { opened, history: Some(history), past: of_applied, part };
        ready.look_elsewhere();
        if is_unfinished {
            let message =
                "an apply since then did not end in full: what it did is shown as drift until one does"
                    .to_owned();
            let target = "tried".to_owned();
            ready.past.notices.push(Notice { code: Code::HistoryUnknown, target, message });
        }
        Ok((ready, past))
    }

    /// Reads the declarations of other places at the same commit, for a rollback and for what is due also at the one
    /// that is checked out. Uncommitted declarations here are compared with uncommitted ones there.
    fn look_elsewhere(&mut self) {
        let Self { opened, history, past, part } = self;
        let is_rollback = opened.is_rollback();
        let checked_out = match (is_rollback, part) {
            (true, _) | (_, PlanPart::Due { .. }) => {
                history::checked_out(&opened.repository).ok().flatten()
            }
            (false, PlanPart::All) => None,
        };
        let commits = [&past.commit, &checked_out];
        let commits: Vec<_> = commits.into_iter().flatten().filter(|it| !it.dirty).collect();
        let commits: Vec<_> = commits.iter().map(|it| it.commit.as_str()).collect();
        let at = history.as_ref().filter(|_| !commits.is_empty());
        let at = at.map(|history| FolderSource { history, commits: &commits, is_rollback });
        let applied = past.elsewhere.as_ref();
        let Neighbours { beside, unread } =
            elsewhere::look(&opened.repository, &opened.desired, at, applied);
        (past.known.beside, past.known.unread) = (beside, unread);
    }

    /// The plan with notices.
    pub(crate) fn document(&self, plan: &Plan) -> PlanDocument {
        let Self { opened: Opened { repository, .. }, past, .. } = self;
        let commit =
            |applied: &Option<Applied>| applied.as_ref().map(|applied| applied.commit.to_string());
        let unknown = past.unknown.as_ref().or(plan.forgotten.as_ref());
        let mut document = PlanDocument::new(plan, now());
        self.add_teams(&mut document);
        PlanDocument {
            project: applied::project(repository),
            organization_name: repository.settings().organization_name.clone(),
            repository: past.commit.clone().map(|Commit { commit, dirty }| RepositoryDocument {
                commit,
                dirty,
                folder: applied::folder(repository),
            }),
            applied: AppliedDocument::new(commit(&past.applied), unknown.cloned()),
            base: commit(&past.base).map(|commit| CommitDocument { commit }),
            rollback: self.opened.is_rollback(),
            ..document
        }
    }

    /// Adds to each action on an access the team in whose folder the scope is declared, or was.
    fn add_teams(&self, document: &mut PlanDocument) {
        let Self { opened: Opened { repository, desired, .. }, past, .. } = self;
        let team = |sides: &[&Desired], scope: &str| {
            let name = scope.parse().ok()?;
            let scope = sides.iter().find_map(|side| side.scopes.get(&name))?;
            repository.team(&scope.source.file).map(str::to_owned)
        };
        let before = past.applied.as_ref().map(|applied| &applied.desired);
        let sides: Vec<_> = [desired].into_iter().chain(before).collect();
        for action in document.actions.iter_mut().filter(|action| action.kind == Kind::Access) {
            action.team = action.scope.as_deref().and_then(|scope| team(&sides, scope));
        }
        for change in &mut document.scheduled {
            change.team = team(&[desired], &change.scope);
        }
    }

    /// Reads the live state with credentials that can only read, and compares; reports progress.
    ///
    /// # Errors
    /// The API cannot be reached or read.
    pub(crate) async fn planned(
        &self,
        options: &RunOptions,
        progress: &(dyn Fn(ReadProgress) + Sync),
    ) -> Result<PlanDocument, Failure> {
        let remote = self.connect(options).await?;
        let plan = self.plan(&remote.reader().await?, progress).await?;
        remote.close().await?;
        Ok(self.document(&plan))
    }

    /// Reads the live state and compares.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) async fn plan(
        &self,
        reader: &Reader,
        progress: &(dyn Fn(ReadProgress) + Sync),
    ) -> Result<Plan, Failure> {
        Ok(self.compare(&reader.live(&self.needs(), progress).await?))
    }

    /// Compares with a live state, or a snapshot.
    pub(crate) fn compare(&self, live: &Live) -> Plan {
        let now = Timestamp::now();
        let today = norwegian_date(now);
        let GitPast { known, applied, last, base, notices, .. } = &self.past;
        let mut planned = plan(&self.opened.desired, known, live, now);
        if let Some(base) = base {
            let since = last.as_ref().map_or(Date::MIN, |last| norwegian_date(last.dates.at));
            let nothing = Undone::default();
            let undone = last.as_ref().map_or(&nothing, |last| &last.dates.undone);
            let dates = DatesPassed { desired: &base.desired, since, undone, today };
            let of_before = domain::Past { applied: applied.clone(), ..known.clone() };
            planned.set_origins(&plan(&base.desired, &of_before, live, now), dates);
            if let PlanPart::Due { current } = &self.part {
                planned = planned.only_due(dates, current, known, live);
            }
        }
        planned.add_notices(notices.iter().cloned());
        planned
    }

    /// Whether a first or last day of an access has passed since the dates were looked at for the last time, or
    /// less is undone by now.
    pub(crate) fn dates_have_passed(&self, plan: &Plan) -> bool {
        let last = self.past.last.as_ref().map(|last| &last.dates);
        let since = last.map(|dates| norwegian_date(dates.at));
        let (since, today) = (since.unwrap_or(Date::MIN), norwegian_date(plan.now));
        if last.is_some_and(|last| !last.undone.begun.is_empty() || last.undone.left != plan.due) {
            return true;
        }
        let scopes = self.opened.desired.scopes.values();
        let accesses = scopes.flat_map(|scope| scope.consumers.values());
        let mut days = accesses.flat_map(|access| access.entries()).map(|entry| entry.days);
        days.any(|days| {
            days.from.is_some_and(|from| since < from && from <= today)
                || days.until.is_some_and(|until| since <= until && until < today)
        })
    }

    /// The live state that a plan needs.
    pub(crate) fn needs(&self) -> Needs {
        let before = [&self.past.known.applied, &self.past.base].into_iter().flatten();
        let before = before.map(|applied| Needs::of(&applied.desired));
        before.fold(self.opened.needs(), Needs::and)
    }

    /// Connects to the API, as far as a plan needs it.
    ///
    /// # Errors
    /// As for [`Remote::open`].
    pub(crate) async fn connect(&self, options: &RunOptions) -> Result<Remote, Failure> {
        Remote::open(options, &self.opened, self.needs().reach()).await
    }
}
