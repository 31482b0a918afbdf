//! A plan that may be shown, and why it is not carried out although it could be.

use super::approved::Approved;
use super::blame::blame;
use super::checks;
use super::failure::Failure;
use super::options::RunOptions;
use super::ready::Ready;
use super::recent::{self, LeftOpen};
use super::remote::Remote;
use crate::apply::{Patience, Recent};
use digdir::{ReadProgress, Writer};
use plan::Plan;
use plan::document::PlanDocument;

/// A plan, made with what can carry it out. Nothing is changed by it.
pub(crate) struct Planned {
    pub(super) ready: Ready,
    pub(super) remote: Remote,
    pub(super) writer: Writer,
    pub(super) plan: Plan,
    /// The plan with what is said beside it.
    pub(crate) document: PlanDocument,
    /// What was written shortly before.
    pub(super) recent: Recent,
    /// What an apply shortly before has opened and cannot be closed yet.
    pub(super) left: LeftOpen,
    /// Whether it is not known what was applied before; an overridden guard does not change that.
    pub(super) is_unknown: bool,
    /// Why what would have stopped it did not, if something was lifted.
    pub(super) lifted: Option<String>,
}

/// What a plan must be to be carried out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// The plan that was saved: this one must be the same.
    pub(crate) saved: Option<&'a PlanDocument>,
    /// The digest that it must have.
    pub(crate) digest: Option<&'a str>,
    /// Why it is carried out although a guard speaks against it.
    pub(crate) overridden: Option<&'a str>,
}

impl Planned {
    /// Makes the plan by credentials that can write. What an apply shortly before has opened is waited for.
    ///
    /// # Errors
    /// The other side or the ledger cannot be read.
    pub(crate) async fn make(
        mut ready: Ready,
        options: &RunOptions,
        overridden: Option<&str>,
        patience: &Patience,
        progress: &(dyn Fn(ReadProgress) + Sync),
    ) -> Result<Self, Failure> {
        let remote = ready.connect(options).await?;
        let writer = remote.writer().await?;
        let known = &mut ready.past.known;
        let (is_unknown, is_unread) = match overridden {
            // A limit that is not known is no less lifted.
            Some(_) => (known.unknown.take().is_some(), known.unread.take().is_some()),
            None => (known.unknown.is_some(), known.unread.is_some()),
        };
        let recent = match (&ready.history, &ready.past.placement) {
            (Some(history), Some(placement)) => recent::writes(history, placement)?,
            (Some(_) | None, _) => Recent::default(),
        };
        let (plan, left) = recent::plan(&ready, &writer, &recent, patience, progress).await?;
        let document = ready.document(&plan);
        let is_stopped = is_unknown
            || is_unread
            || ready.past.refusal.is_some()
            || !plan.exceeded_limits.is_empty();
        let lifted = overridden.filter(|_| is_stopped).map(str::to_owned);
        Ok(Self { ready, remote, writer, plan, document, recent, left, is_unknown, lifted })
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.plan.actions.is_empty()
    }

    /// Sees that it may be carried out.
    ///
    /// # Errors
    /// Why it may not.
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

    /// Tells of each action who last touched the line that asks for it.
    pub(crate) fn blame(&mut self) {
        blame(&mut self.document, self.ready.history.as_ref());
    }

    /// It is carried out as it is.
    pub(crate) fn approve(self) -> Approved {
        Approved(self)
    }

    /// The same where somebody has said so who had time to read it: what is live must not have changed since.
    ///
    /// # Errors
    /// It has, or cannot be read.
    pub(crate) async fn confirm(
        mut self,
        progress: &(dyn Fn(ReadProgress) + Sync),
    ) -> Result<Approved, Failure> {
        let again = self.ready.plan(self.writer.reader(), progress).await?;
        if again.digest() != self.plan.digest() {
            let why =
                "what is live has changed since the plan was shown: run apply again and look anew";
            return Err(Failure::Refused(why.to_owned()));
        }
        self.plan = again;
        Ok(self.approve())
    }
}
