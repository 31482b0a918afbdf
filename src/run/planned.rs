//! A plan that may be shown, and the checks that keep it from being carried out.

use super::approved::Approved;
use super::blame::blame;
use super::checks;
use super::failure::Failure;
use super::options::RunOptions;
use super::ready::Ready;
use super::recent::{self, LeftOpen};
use super::remote::Remote;
use crate::apply::{Patience, Recent};
use digdir::{ReadProgress, Reader, Writer};
use plan::Plan;
use plan::document::PlanDocument;

/// A plan, with the means to carry it out. Making it changes nothing.
pub(crate) struct Planned {
    pub(super) ready: Ready,
    pub(super) remote: Remote,
    pub(super) access: ApplyAccess,
    pub(super) plan: Plan,
    /// The plan with notices.
    pub(crate) document: PlanDocument,
    /// Recent writes.
    pub(super) recent: Recent,
    /// Entities that a recent apply has activated and that cannot be deactivated yet.
    pub(super) left: LeftOpen,
    /// Whether earlier applies are not known; an overridden guard does not change that.
    pub(super) is_unknown: bool,
    /// The reason given for lifting what would have stopped it, if something was lifted.
    pub(super) lifted: Option<String>,
}

/// Access of an apply to the API.
pub(super) enum ApplyAccess {
    Read(Reader),
    Write(Writer),
}

impl ApplyAccess {
    fn reader(&self) -> &Reader {
        match self {
            Self::Read(reader) => reader,
            Self::Write(writer) => writer.reader(),
        }
    }
}

/// Whether somebody can approve a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Approval {
    /// It is approved already, or a person is asked.
    Possible,
    /// Only a plan without changes can be carried out: credentials that can read are enough.
    Impossible,
}

/// Conditions for carrying a plan out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// The saved plan, which must be the same.
    pub(crate) saved: Option<&'a PlanDocument>,
    /// The required digest.
    pub(crate) digest: Option<&'a str>,
    /// The reason for overriding guards.
    pub(crate) overridden: Option<&'a str>,
}

impl Planned {
    /// Makes the plan with credentials that can write, unless nobody can approve a change. Entities that a
    /// recent apply has activated are awaited.
    ///
    /// # Errors
    /// The API or the ledger cannot be read.
    pub(crate) async fn make(
        mut ready: Ready,
        options: &RunOptions,
        overridden: Option<&str>,
        approval: Approval,
        patience: &Patience,
        progress: &(dyn Fn(ReadProgress) + Sync),
    ) -> Result<Self, Failure> {
        let remote = ready.connect(options).await?;
        let access = match approval {
            Approval::Possible => ApplyAccess::Write(remote.writer().await?),
            Approval::Impossible => ApplyAccess::Read(remote.reader().await?),
        };
        let known = &mut ready.past.known;
        let (is_unknown, is_unread) = match overridden {
            // An override lifts an unknown limit as well.
            Some(_) => (known.unknown.take().is_some(), known.unread.take().is_some()),
            None => (known.unknown.is_some(), known.unread.is_some()),
        };
        let recent = match (&ready.history, &ready.past.placement) {
            (Some(history), Some(placement)) => recent::writes(history, placement)?,
            (Some(_) | None, _) => Recent::default(),
        };
        let (plan, left) =
            recent::plan(&ready, access.reader(), &recent, patience, progress).await?;
        let document = ready.document(&plan);
        let is_stopped = is_unknown
            || is_unread
            || ready.past.refusal.is_some()
            || !plan.exceeded_limits.is_empty();
        let lifted = overridden.filter(|_| is_stopped).map(str::to_owned);
        Ok(Self { ready, remote, access, plan, document, recent, left, is_unknown, lifted })
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.plan.is_empty()
    }

    /// Checks that it may be carried out.
    ///
    /// # Errors
    /// The reason why it may not.
    pub(crate) fn check(&self, terms: Terms<'_>) -> Result<(), Failure> {
        let Terms { saved, digest, overridden } = terms;
        let past = &self.ready.past;
        checks::name(past)?;
        checks::order(past)?;
        checks::branch(past.refusal.as_deref(), overridden)?;
        checks::saved(saved, &self.document)?;
        checks::expected(digest, &self.document)?;
        match self.is_empty() {
            true => Ok(()),
            false => checks::limits(&self.plan, overridden),
        }
    }

    /// Adds to each action the last change of the line that requests it.
    pub(crate) fn blame(&mut self) {
        blame(&mut self.document, self.ready.history.as_ref());
    }

    /// Approves it as it is.
    ///
    /// # Errors
    /// There is something to do, and it was made for nobody who could approve that.
    pub(crate) fn approve(self) -> Result<Approved, Failure> {
        match self.access {
            ApplyAccess::Read(_) if !self.is_empty() => {
                Err(Failure::Refused("nobody can approve the plan: nothing was changed".to_owned()))
            }
            ApplyAccess::Read(_) | ApplyAccess::Write(_) => Ok(Approved(self)),
        }
    }

    /// The same after somebody has had time to read it and confirmed it: the live state must not have changed
    /// since.
    ///
    /// # Errors
    /// It has changed, or cannot be read.
    pub(crate) async fn confirm(
        mut self,
        progress: &(dyn Fn(ReadProgress) + Sync),
    ) -> Result<Approved, Failure> {
        let again = self.ready.plan(self.access.reader(), progress).await?;
        if again.digest() != self.plan.digest() {
            let why =
                "what is live has changed since the plan was shown: run apply again and look anew";
            return Err(Failure::Refused(why.to_owned()));
        }
        self.plan = again;
        self.approve()
    }
}
