//! What git knows of an environment: what was applied before, and what a plan is compared with.

use jiff::civil::Date;

use super::exit::Failure;
use super::{Global, session};
use crate::declare::{self, Diagnostic, Invalid, Repository};
use crate::domain::{Applied, Desired};
use crate::history::{self, Commit, Held, History};
use crate::plan::{Code, Notice};

/// What git knows.
#[derive(Default)]
pub(super) struct Past {
    /// The commit whose declarations are read.
    pub(super) commit: Option<Commit>,
    /// What was declared at the commit last applied in full.
    pub(super) applied: Option<Applied>,
    /// That, and what was declared at commits that were applied in part since: what is not declared
    /// any more is told by it.
    pub(super) before: Option<Applied>,
    /// Whether there are such commits.
    pub(super) is_unfinished: bool,
    /// What origins are told by.
    pub(super) base: Option<Applied>,
    /// Whether something was applied before and cannot be read.
    pub(super) is_unreadable: bool,
    /// What is not known, and what else there is to say.
    pub(super) notices: Vec<Notice>,
}

/// The git repository of the declarations as an environment sees it; `None` outside git. What an
/// embedded sandbox holds is in this folder alone, and so are its refs.
pub(super) fn open(repository: &Repository, environment: &str) -> Result<Option<History>, Failure> {
    let target = repository.environment(environment).map(|environment| &environment.target);
    let held = match target {
        Some(declare::Target::Sandbox) => Held::Here,
        Some(declare::Target::Test | declare::Target::Prod | declare::Target::Custom(_)) | None => {
            Held::Shared
        }
    };
    let secrets = repository.settings().variables.iter().cloned();
    History::open(repository.root(), environment, held, secrets).map_err(|error| git_failed(&error))
}

/// The git repository of the declarations as the environment that is asked for sees it, and that
/// environment's name. The declarations need not be right. `without` tells what there is not outside git.
pub(super) fn open_only(global: &Global, without: &str) -> Result<(String, History), Failure> {
    let root = session::root(global)?;
    let repository = declare::load(&root).map_err(|found| Failure::Invalid(root, found))?;
    let environment = repository
        .environment_name(session::environment(global))
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let history = open(&repository, environment)?
        .ok_or_else(|| Failure::Failed(format!("this is no git repository: {without}")))?;
    Ok((environment.to_owned(), history))
}

/// A failure of git.
pub(super) fn git_failed(error: &history::Error) -> Failure {
    Failure::Failed(error.to_string())
}

impl Past {
    /// Looks back: `commit` is the one whose declarations are read, `now` what they hold.
    ///
    /// # Errors
    /// `base` is no commit.
    pub(super) fn look(
        history: Option<&History>,
        repository: &Repository,
        commit: Option<Commit>,
        now: &Desired,
        base: Option<&str>,
        today: Date,
    ) -> Result<Self, Failure> {
        let mut past = Self { commit, ..Self::default() };
        let (Some(history), Some(commit)) = (history, past.commit.clone()) else {
            past.unknown(match history {
                Some(_) => "there is no commit yet",
                None => "this is no git repository",
            });
            return Ok(past);
        };
        let declared = |id: &str| match id == commit.commit && !commit.dirty {
            true => Ok(Applied { commit: id.into(), desired: now.clone() }),
            false => declared_at(history, repository, now, id, today)
                .map(|desired| Applied { commit: id.into(), desired }),
        };
        let base = base.map(|base| history.commit(base)).transpose();
        let base = base.map_err(|error| Failure::Usage(error.to_string()))?;
        let mut last = None;
        match history.refs() {
            Ok(refs) => {
                last = refs.applied();
                let mut known = |id: String| match declared(&id) {
                    Ok(applied) => Some(applied),
                    Err(why) => {
                        past.unknown(&why.told());
                        past.is_unreadable |= matches!(why, Unknown::Unreadable(_));
                        None
                    }
                };
                let tried = refs.tried();
                let is_unfinished = !tried.is_empty();
                let applied = refs.applied().and_then(&mut known);
                let all = applied.clone().into_iter().chain(tried.into_iter().filter_map(known));
                past.before = all.reduce(Applied::and);
                (past.applied, past.is_unfinished) = (applied, is_unfinished);
            }
            Err(error) => {
                past.unknown(&error.to_string());
                past.is_unreadable = true;
            }
        }
        past.base = match base.as_deref().map(declared) {
            Some(Ok(base)) => Some(base),
            Some(Err(why)) => {
                past.tell(
                    Code::HistoryUnknown,
                    "base",
                    &format!("{}: what is drift is not told", why.told()),
                );
                None
            }
            None => past.applied.clone(),
        };
        if let Some(last) = last {
            match history.is_before(&commit.commit, &last) {
                Ok(Some(true)) => past.behind(&last, &commit.commit),
                Ok(Some(false)) if last == commit.commit => {}
                Ok(Some(false)) => {
                    if history.is_before(&last, &commit.commit).unwrap_or(None) == Some(false) {
                        past.diverged(&last, &commit.commit);
                    }
                }
                Ok(None) => past.order_unknown(&last, &commit.commit, "the clone is shallow"),
                Err(error) => past.order_unknown(&last, &commit.commit, &error.to_string()),
            }
        }
        Ok(past)
    }

    fn behind(&mut self, applied: &str, commit: &str) {
        let message = format!(
            "{applied} was applied before and is newer than what is read here, {commit}: this plan \
             would undo what came between, so apply refuses it. Bring this branch up to date"
        );
        self.tell(Code::Behind, "applied", &message);
    }

    fn diverged(&mut self, applied: &str, commit: &str) {
        let message = format!(
            "{applied}, which was applied last, is not in the history of what is read here, {commit}: \
             what was applied there and is not declared here would be undone"
        );
        self.tell(Code::Diverged, "applied", &message);
    }

    fn order_unknown(&mut self, applied: &str, commit: &str, why: &str) {
        let message = format!(
            "{why}: whether {applied}, which was applied before, is newer than what is read here, \
             {commit}, is not told"
        );
        self.tell(Code::HistoryUnknown, "applied", &message);
    }

    fn unknown(&mut self, why: &str) {
        let message = format!(
            "{why}: what is not declared any more is left alone, and what is drift is not told"
        );
        self.tell(Code::HistoryUnknown, "git", &message);
    }

    fn tell(&mut self, code: Code, target: &str, message: &str) {
        let message = message.replace('\n', "; ");
        self.notices.push(Notice { code, target: target.to_owned(), message });
    }

    /// Whether what was applied last is newer than what is read.
    pub(super) fn is_behind(&self) -> Option<&Notice> {
        self.notices.iter().find(|notice| notice.code == Code::Behind)
    }
}

/// Why it does not count what is declared at a commit.
pub(super) enum Unknown {
    /// It cannot be read.
    Unreadable(String),
    /// It was applied somewhere else.
    Elsewhere(String),
}

impl Unknown {
    /// As a sentence.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Unreadable(why) | Self::Elsewhere(why) => why.clone(),
        }
    }
}

/// What is declared at a commit for the environment of `now`, if that is the same place there: what
/// was applied to another API, or for another organisation, says nothing of this one.
pub(super) fn declared_at(
    history: &History,
    here: &Repository,
    now: &Desired,
    commit: &str,
    today: Date,
) -> Result<Desired, Unknown> {
    let unreadable = |why: String| Unknown::Unreadable(why);
    let history::Files { settings, yaml, rest } =
        history.files(commit).map_err(|error| unreadable(error.to_string()))?;
    let wrong = |found: &[Diagnostic]| {
        let first = found.iter().find(|found| found.is_error());
        let first = first.map(|found| format!(" ({}: {})", found.code.code(), found.message));
        let first = first.unwrap_or_default();
        unreadable(format!("the declarations at commit {commit} are not valid{first}"))
    };
    let there = declare::read(here.root(), &settings, yaml, &|path| rest.file(path))
        .map_err(|found| wrong(&found))?;
    let name = &now.environment;
    let desired = match there.desired(name, today) {
        Ok((desired, _)) => desired,
        Err(Invalid::Environment(_)) => {
            return Err(unreadable(format!("commit {commit} has no environment `{name}`")));
        }
        Err(Invalid::Declarations(found)) => return Err(wrong(&found)),
    };
    let target = |of: &Repository| of.environment(name).map(|found| found.target.clone());
    match target(&there) == target(here) && desired.organization == now.organization {
        true => Ok(desired),
        false => Err(Unknown::Elsewhere(format!(
            "at commit {commit}, `{name}` was another API or another organisation"
        ))),
    }
}
