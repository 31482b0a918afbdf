//! State of an environment in git: earlier applies, and the commit with which a plan is compared.

use std::collections::BTreeSet;

use super::applied::AppliedElsewhere;
use super::applied::{self, At, KnownPast, LastApply, Reading};
use super::checkout;
use super::failure::Failure;
use super::options::RunOptions;
use crate::declare::{self, Repository};
use crate::history::{Branch, Commit, History, Lost, Placement, RefLocation, Refs};
use domain::{self, Applied, Desired};
use plan::{Code, Notice, PAST_REMEDY};

/// State of an environment in git.
#[derive(Default)]
pub(crate) struct GitPast {
    /// The commit whose declarations are read.
    pub(crate) commit: Option<Commit>,
    /// The place of the declarations, and their target.
    pub(crate) placement: Option<Placement>,
    /// The declarations at the commit last applied in full.
    pub(crate) applied: Option<Applied>,
    /// The apply of it.
    pub(crate) last: Option<LastApply>,
    /// The declarations at later commits that were applied in part.
    pub(crate) tried: Vec<Applied>,
    /// The part of it that a plan needs.
    pub(crate) known: domain::Past,
    /// The reason why earlier applies are not known; `None` where they are.
    pub(crate) unknown: Option<String>,
    /// The data that a record written now would lose.
    pub(crate) lost: Option<Lost>,
    /// The refs of the baseline; `None` where they cannot be read.
    pub(crate) refs: Option<Refs>,
    /// The reason why nothing may be applied here: another folder has the same name.
    pub(crate) clash: Option<String>,
    /// Whether there are later commits that were applied in part.
    pub(crate) is_unfinished: bool,
    /// The declarations with which origins are compared.
    pub(crate) base: Option<Applied>,
    /// The reason why the commit may not be applied, if so: it is not on the branch for that, or may have
    /// been overtaken.
    pub(crate) refusal: Option<String>,
    /// The applies of other places; `None` where they are not known.
    pub(crate) elsewhere: Option<AppliedElsewhere>,
    /// Notices about unknown parts, and others.
    pub(crate) notices: Vec<Notice>,
}

/// The git repository of the declarations as an environment sees it; `None` outside git. The state of an
/// embedded sandbox is in this folder alone, and so are its refs.
pub(crate) fn open(repository: &Repository, environment: &str) -> Result<Option<History>, Failure> {
    let target = repository.environment(environment).map(|environment| &*environment.target);
    let held = match target {
        Some(declare::EnvironmentTarget::Sandbox) => RefLocation::Here,
        Some(
            declare::EnvironmentTarget::Test
            | declare::EnvironmentTarget::Prod
            | declare::EnvironmentTarget::Custom(_),
        )
        | None => RefLocation::Shared,
    };
    let secrets = checkout::secrets(repository.root());
    let place = applied::place(repository, environment);
    Ok(History::open(repository.root(), &place, held, secrets)?)
}

/// The git repository of the declarations as the requested environment sees it, and that environment's name.
/// The declarations need not be valid. `without` names what is missing outside git.
pub(crate) fn open_only(options: &RunOptions, without: &str) -> Result<(String, History), Failure> {
    let repository = checkout::open(options)?;
    let environment =
        repository.environment_name(options.environment.as_deref()).map_err(Failure::usage)?;
    let history = open(&repository, environment)?
        .ok_or_else(|| Failure::Failed(format!("this is not a git repository: {without}")))?;
    Ok((environment.to_owned(), history))
}

impl GitPast {
    /// Reads the state; `commit` is the one whose declarations are read, `now` the declarations.
    ///
    /// # Errors
    /// `base` is not a commit.
    pub(crate) fn look(
        history: Option<&History>,
        repository: &Repository,
        commit: Option<Commit>,
        now: &Desired,
        base: Option<&str>,
    ) -> Result<Self, Failure> {
        let mut past = Self { commit, ..Self::default() };
        if past.commit.is_none() && history.is_some_and(History::is_shared) {
            let why = "there is no commit that is checked out";
            past.refusal = Some(why.to_owned());
            past.take(KnownPast::unknown(why.to_owned()));
            return Ok(past);
        }
        let (Some(history), Some(commit)) = (history, past.commit.clone()) else {
            let why = match history {
                Some(_) => "there is no commit yet",
                None => "this is not a git repository",
            };
            past.unknown = Some(why.to_owned());
            past.report_unknown(why);
            return Ok(past);
        };
        let placement = applied::placement(repository, now).map_err(Failure::Failed)?;
        let base = base.map(|base| history.commit(base)).transpose();
        let base = base.map_err(Failure::usage)?;
        let (last, of_former) = past.look_at_refs(history, repository, now, &placement, &commit);
        past.base = match base {
            None => past.applied.clone(),
            Some(id) if id == commit.commit && !commit.dirty => {
                Some(Applied { commit: id.into(), desired: now.clone() })
            }
            Some(id) => {
                let Placement { folder, environment, .. } = &placement;
                let at = At { history, here: repository, commit: &id, folder };
                match at.declared(environment) {
                    Ok((_, desired)) => Some(Applied { commit: id.into(), desired }),
                    Err(why) => {
                        let message = format!("{why}: what is drift is not shown");
                        past.report(Code::HistoryUnknown, "base", &message);
                        None
                    }
                }
            }
        };
        past.placement = Some(placement);
        if let Some(last) = last {
            past.compare(history, &last, &commit.commit);
        }
        for last in of_former {
            past.is_not_overtaken(history, &last, &commit.commit);
        }
        if !commit.dirty {
            past.compare_with_others(history, repository, now, &commit.commit);
        }
        Ok(past)
    }

    /// Reads earlier applies from the refs. Returns the last applied commit, and those that former names of
    /// the environment have applied.
    fn look_at_refs(
        &mut self,
        history: &History,
        repository: &Repository,
        now: &Desired,
        placement: &Placement,
        commit: &Commit,
    ) -> (Option<String>, Vec<String>) {
        let refs = match history.refs() {
            Ok(refs) => refs,
            Err(error) => {
                self.refusal = Some(no_branch(&error.to_string()));
                self.take(KnownPast::unknown(error.to_string()));
                return (None, Vec::new());
            }
        };
        let branch = applied::apply_from(history, &refs, &placement.folder);
        let known = match &branch {
            Ok(branch) => {
                self.refusal = branch.as_ref().and_then(|branch| match commit.dirty {
                    true => Some(format!(
                        "files differ from commit {}, so what would be applied is not on the remote's \
                         branch {}, which commits are applied from: commit it, and merge it",
                        commit.commit, branch.name
                    )),
                    false => off_branch(history, branch, &commit.commit),
                });
                let branch = branch.as_ref();
                Reading { history, repository, now, placement, branch }.known(&refs)
            }
            Err(why) => {
                self.refusal = Some(no_branch(why));
                let reading = Reading { history, repository, now, placement, branch: None };
                reading.known(&refs).made_unknown(why.clone())
            }
        };
        let (last, of_former) = (refs.applied(), self.take(known));
        self.refs = Some(refs);
        (last, of_former)
    }

    fn take(&mut self, known: KnownPast) -> Vec<String> {
        let KnownPast {
            applied,
            last,
            tried,
            is_unfinished,
            lost,
            clash,
            of_former,
            elsewhere,
            past,
            ..
        } = known;
        (self.last, self.tried) = (last, tried);
        self.elsewhere = Some(elsewhere);
        (self.lost, self.clash) = (lost, clash);
        if let Some(why) = &past.unknown {
            self.unknown = Some(why.clone());
            self.report_unknown(&format!("what was applied before is not known: {why}"));
        }
        (self.applied, self.known, self.is_unfinished) = (applied, past, is_unfinished);
        of_former
    }

    /// Compares the commit that was applied last with the one that is read.
    fn compare(&mut self, history: &History, last: &str, commit: &str) {
        if self.is_not_overtaken(history, last, commit) && last != commit {
            match history.is_before(last, commit) {
                Ok(Some(true)) => {}
                // A baseline that does not count is reported by that alone.
                Ok(Some(false)) if self.unknown.is_some() => {}
                Ok(Some(false)) => self.diverged(last, commit),
                Ok(None) => self.order_unknown(last, commit, "the clone is shallow"),
                Err(error) => self.order_unknown(last, commit, &error.to_string()),
            }
        }
    }

    /// Compares with applies of other places at later commits, at which this one or some of its entities were
    /// no longer declared: they may have deactivated those since.
    fn compare_with_others(
        &mut self,
        history: &History,
        repository: &Repository,
        now: &Desired,
        commit: &str,
    ) {
        let others = self.elsewhere.iter().flat_map(|others| others.values().flatten());
        let is_newer = |last: &&str| matches!(history.is_before(commit, last), Ok(Some(true)));
        let newer: BTreeSet<&str> = others.map(|it| &*it.commit).filter(is_newer).collect();
        let place = history.place();
        let folder = applied::folder(repository);
        let is_gone = |last: &&str| {
            let at = At { history, here: repository, commit: last, folder: &folder };
            !applied::is_declared_at(history, last, &folder, place)
                || at.applied(&now.environment).is_ok_and(|(_, then)| declares_more(now, &then))
        };
        let gone = newer.into_iter().find(is_gone).map(str::to_owned);
        if let (Some(last), None) = (gone, self.is_behind()) {
            self.behind(&last, commit);
        }
    }

    /// Whether the commit that is read was not overtaken by an applied one; adds related notices.
    fn is_not_overtaken(&mut self, history: &History, last: &str, commit: &str) -> bool {
        match history.is_before(commit, last) {
            Ok(Some(true)) => self.behind(last, commit),
            Ok(Some(false)) => return true,
            Ok(None) => self.order_unknown(last, commit, "the clone is shallow"),
            Err(error) => self.order_unknown(last, commit, &error.to_string()),
        }
        false
    }

    fn behind(&mut self, applied: &str, commit: &str) {
        let message = format!(
            "{applied} was applied before and is newer than what is read here, {commit}: this plan \
             would undo what came between, so apply refuses it. Bring this branch up to date{}",
            match self.unknown {
                Some(_) =>
                    ", or where that is on no branch, name what counts with `portvakt baseline set COMMIT`",
                None => "",
            }
        );
        self.report(Code::Behind, "applied", &message);
    }

    fn diverged(&mut self, applied: &str, commit: &str) {
        let message = format!(
            "{applied}, which was applied last, is not in the history of what is read here, {commit}: \
             what was applied there and is not declared here would be undone"
        );
        self.report(Code::Diverged, "applied", &message);
    }

    fn order_unknown(&mut self, applied: &str, commit: &str, why: &str) {
        let message = format!(
            "{why}: whether {applied}, which was applied before, is newer than what is read here, \
             {commit}, is not known"
        );
        self.refusal.get_or_insert(message.clone());
        self.report(Code::HistoryUnknown, "applied", &message);
    }

    fn report_unknown(&mut self, why: &str) {
        let remedy = match self.commit {
            Some(_) => format!(". {PAST_REMEDY}"),
            None => String::new(),
        };
        let message = format!(
            "{why}: what is not declared any more is left alone, and what is drift is not \
             shown{remedy}"
        );
        self.report(Code::HistoryUnknown, "git", &message);
    }

    fn report(&mut self, code: Code, target: &str, message: &str) {
        let message = message.replace('\n', "; ");
        self.notices.push(Notice { code, target: target.to_owned(), message });
    }

    /// The notice that the last applied commit is newer than the one that is read, if it is.
    pub(crate) fn is_behind(&self) -> Option<&Notice> {
        self.notices.iter().find(|notice| notice.code == Code::Behind)
    }
}

/// Whether some scope or client is declared that was not then.
fn declares_more(now: &Desired, then: &Desired) -> bool {
    now.entities().any(|entity| !then.declares(&entity))
}

/// The reason why no commit may be applied where the branch is not known.
fn no_branch(why: &str) -> String {
    format!("it is not known which branch may be applied: {why}")
}

/// The reason why a commit may not be applied; `None` where it is on the branch for that.
pub(crate) fn off_branch(history: &History, branch: &Branch, commit: &str) -> Option<String> {
    let name = &branch.name;
    match history.is_on(branch, commit) {
        Ok(Some(true)) => None,
        Ok(Some(false)) => Some(format!(
            "commit {commit} is not on the remote's branch {name}, which commits are applied from: merge \
             it, or push it there, and apply it then"
        )),
        Ok(None) => Some(format!(
            "the clone is too shallow to see whether commit {commit} is on the remote's branch {name}"
        )),
        Err(error) => Some(error.to_string()),
    }
}
