//! Grants and revocations: the second table of the design's section 3.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::named::Cause;
use super::{AccessWork, Action, ActionId, Code, Consumer, Draft, RevocationCause, Verb, Work};
use domain::{
    AccessState, Applied, ConsumerBlock, Days, DesiredScope, Live, LiveAccess, LiveScope, Orgno,
    Removal, ScopeName, Source,
};

/// Reason for the revocation of an access that nobody removed from the declarations.
const FIRST_DECLARED: &str = "the scope is declared here for the first time, without this consumer";

impl Draft<'_> {
    /// Grants access to the declared consumers that lack it.
    pub(super) fn grants(
        &mut self,
        scope: &ScopeName,
        declared: &DesiredScope,
        live: Option<&LiveScope>,
        after: &[ActionId],
    ) {
        for (orgno, access) in &declared.consumers {
            let record = live.and_then(|live| live.access(*orgno));
            let before = record.map(|record| record.state.clone());
            if before == Some(AccessState::Approved) {
                continue;
            }
            let is_blocked = self.desired.block(scope, *orgno).is_some();
            let Some(entry) = access.on(self.today).filter(|_| !is_blocked) else { continue };
            let consumer = self.consumer(*orgno, record);
            let Cause { group, line } = self.cause_of_grant(scope, declared, *orgno);
            let lifted = self.lifted_block(scope, &consumer);
            let (line, reason) = match lifted {
                Some((line, reason)) => (Some(line), Some(reason)),
                None => (line, entry.reason.clone()),
            };
            let work = Work::Access(scope.clone(), consumer, AccessWork::Grant { before });
            self.push_access(work, Cause { group, line }, &entry.source, reason, after.to_vec());
        }
    }

    /// Plans the change of an access that is declared at `declared`, or whose scope is. Returns the action's id.
    fn push_access(
        &mut self,
        work: Work,
        Cause { group, line }: Cause,
        declared: &Source,
        reason: Option<String>,
        after: Vec<ActionId>,
    ) -> ActionId {
        let (source, entry) = match line {
            Some(line) => (line, Some(declared.clone())),
            None => (declared.clone(), None),
        };
        let action = Action { entry, group, ..Action::new(work, &source, reason, after) };
        let id = action.id();
        self.actions.push(action);
        id
    }

    /// The line of the block that kept a consumer from having access by the applied declarations, and what its end
    /// is called; the scope's own declaration says the rest.
    pub(super) fn lifted_block(
        &self,
        scope: &ScopeName,
        consumer: &Consumer,
    ) -> Option<(Source, String)> {
        let Applied { commit, desired } = self.past.applied.as_ref()?;
        let ConsumerBlock { source, reason, .. } = desired.block(scope, consumer.orgno)?;
        let who = consumer.name.as_deref().unwrap_or(consumer.orgno.as_str());
        Some((source.as_of(commit), format!("block of {who} lifted ({reason})")))
    }

    /// Revokes the access of consumers that are not declared, or no longer, and reports those that request
    /// access. Nobody has access to an inactive scope, so its protection does not prevent the
    /// revocation. Returns the ids of the revocations.
    pub(super) fn revokes(
        &mut self,
        scope: &ScopeName,
        declared: &DesiredScope,
        live: &LiveScope,
        is_inactive: bool,
    ) -> Vec<ActionId> {
        let mut ids = Vec::new();
        let is_emptied = self.is_emptied(scope, declared, live);
        for (orgno, record) in live.accesses.iter().flatten() {
            if self.is_entitled(scope, declared, *orgno) {
                continue;
            }
            let is_blocked = self.desired.block(scope, *orgno).is_some();
            // A block says itself whose access is revoked, whatever was applied before.
            let is_emptied = is_emptied && !is_blocked;
            match &record.state {
                AccessState::Approved
                    if !is_inactive
                        && let Some((code, message)) =
                            self.keeps_access(scope, *orgno, is_emptied) =>
                {
                    self.block(ActionId::access(Verb::Revoke, scope, *orgno), code, message);
                }
                AccessState::Approved => {
                    ids.push(self.revoke(scope, declared, (*orgno, record), is_inactive));
                }
                AccessState::Requested if is_blocked => {}
                AccessState::Requested => self.report_request(scope, *orgno, record),
                AccessState::Other(state) => self.report_unknown(scope, *orgno, state),
                AccessState::Denied => {}
            }
        }
        ids
    }

    /// Revokes the access of a consumer that is blocked, or that a declared scope does not name today.
    fn revoke(
        &mut self,
        scope: &ScopeName,
        declared: &DesiredScope,
        (orgno, record): (Orgno, &LiveAccess),
        is_inactive: bool,
    ) -> ActionId {
        let access = declared.consumers.get(&orgno);
        let access = access.filter(|_| !self.is_dropped(scope, declared, orgno));
        let entry = access.map(|access| access.last_given(self.today));
        let named = || self.cause_of_revocation(scope, declared, orgno);
        let (cause, named, source, reason) = match (self.desired.block(scope, orgno), entry) {
            (Some(block), _) => {
                let reason = Some(format!("blocked: {}", block.reason));
                (RevocationCause::Block, Cause::default(), &block.source, reason)
            }
            // An entry that does not count today is a declared one.
            (None, Some(entry)) => {
                let reason = not_today(entry.days, self.today);
                (RevocationCause::Declarations, named(), &entry.source, reason)
            }
            (None, None) => {
                let first = self.past.is_first(scope);
                let reason = first.then(|| FIRST_DECLARED.to_owned());
                (self.cause(scope), named(), &declared.source, reason)
            }
        };
        let consumer = self.consumer(orgno, Some(record));
        let how = AccessWork::Revoke { is_inactive, cause };
        let work = Work::Access(scope.clone(), consumer, how);
        self.push_access(work, named, source, reason, Vec::new())
    }

    /// Revokes all accesses. Returns the ids of the revocations.
    pub(super) fn revoke_all(
        &mut self,
        scope: &ScopeName,
        live: &LiveScope,
        removal: &Removal,
    ) -> Vec<ActionId> {
        let revoke = |(orgno, record): (Orgno, &LiveAccess)| {
            let how = AccessWork::Revoke { is_inactive: false, cause: self.cause(scope) };
            let work = Work::Access(scope.clone(), self.consumer(orgno, Some(record)), how);
            self.push(work, &removal.source, removal.reason.clone(), Vec::new())
        };
        live.in_state(AccessState::Approved).map(revoke).collect()
    }

    /// The declared consumers whose access DigDir kept while the scope was inactive.
    pub(super) fn regains(
        &self,
        scope: &ScopeName,
        declared: &DesiredScope,
        live: &LiveScope,
    ) -> Vec<Consumer> {
        let mut kept = self.approved(live);
        kept.retain(|consumer| self.is_entitled(scope, declared, consumer.orgno));
        kept
    }

    /// Cause of the revocation of an access that is not declared: it may have been granted before the scope
    /// was declared here.
    fn cause(&self, scope: &ScopeName) -> RevocationCause {
        match self.live.active_scope(scope).is_some() && self.past.is_first(scope) {
            true => RevocationCause::TakeOver,
            false => RevocationCause::Declarations,
        }
    }

    fn report_request(&mut self, scope: &ScopeName, orgno: Orgno, record: &LiveAccess) {
        let who = self.consumer(orgno, Some(record));
        let message =
            format!("{who} asks for access; declare it among the scope's consumers to approve");
        self.report(Code::AccessRequested, format!("{scope} {orgno}"), message);
    }

    fn report_unknown(&mut self, scope: &ScopeName, orgno: Orgno, state: &str) {
        let message = format!(
            "the access is in the state {state}, which DigDir does not document; left alone"
        );
        self.report(Code::Oddity, format!("{scope} {orgno}"), message);
    }

    /// Whether it is not known who has access: then a scope must not be reactivated, as that could give
    /// access to somebody whom the plan does not name.
    pub(super) fn is_unclear(
        &mut self,
        verb: Verb,
        scope: &ScopeName,
        declared: &DesiredScope,
        live: &LiveScope,
    ) -> bool {
        let is_strange = |(orgno, record): (&Orgno, &LiveAccess)| {
            matches!(record.state, AccessState::Other(_)) && !declared.consumers.contains_key(orgno)
        };
        let is_strange = live.accesses.iter().flatten().any(is_strange);
        let is_unclear = live.accesses.is_none() || live.unclear || is_strange;
        if is_unclear {
            let message = "DigDir lists accesses to it that cannot be understood (PV403), and they \
                           could come back to life with it: have them cleared up at DigDir first";
            self.block(ActionId::scope(verb, scope), Code::UnclearAccesses, message);
        }
        is_unclear
    }

    /// The declared consumers that have access today.
    pub(super) fn entitled(&self, scope: &ScopeName, declared: &DesiredScope) -> BTreeSet<Orgno> {
        let consumers = declared.consumers.keys().copied();
        consumers.filter(|orgno| self.is_entitled(scope, declared, *orgno)).collect()
    }

    /// Whether a consumer has access today by the declarations.
    pub(super) fn is_entitled(
        &self,
        scope: &ScopeName,
        declared: &DesiredScope,
        orgno: Orgno,
    ) -> bool {
        self.is_in_force(declared, orgno) && self.desired.block(scope, orgno).is_none()
    }

    /// Whether a consumer has an entry that counts today, blocked or not.
    pub(super) fn is_in_force(&self, declared: &DesiredScope, orgno: Orgno) -> bool {
        declared.consumers.get(&orgno).is_some_and(|access| access.on(self.today).is_some())
    }

    /// Everybody who has access.
    pub(super) fn approved(&self, live: &LiveScope) -> Vec<Consumer> {
        let approved = live.in_state(AccessState::Approved);
        approved.map(|(orgno, record)| self.consumer(orgno, Some(record))).collect()
    }

    pub(super) fn consumer(&self, orgno: Orgno, record: Option<&LiveAccess>) -> Consumer {
        let there = record.and_then(|record| record.name.as_ref());
        let names = || self.names_there.get_or_init(|| names_there(self.live));
        let there = there.or_else(|| names().get(&orgno).copied());
        Consumer { orgno, name: self.desired.name_of(orgno, there).cloned() }
    }
}

/// The names that DigDir gives organisations with an access to any scope.
fn names_there(live: &Live) -> BTreeMap<Orgno, &String> {
    let accesses = live.scopes.values().flat_map(|scope| &scope.accesses).flatten();
    accesses.filter_map(|(orgno, access)| Some((*orgno, access.name.as_ref()?))).collect()
}

/// The reason why an entry gives no access today.
fn not_today(days: Days, today: Date) -> Option<String> {
    match (days.from, days.until) {
        (Some(from), _) if days.is_later_than(today) => {
            Some(format!("not yet: the first day is {from}"))
        }
        (_, Some(until)) => Some(format!("expired: the last day was {until}")),
        (_, None) => None,
    }
}
