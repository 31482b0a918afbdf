//! Blocked organisations that keep access all the same.

use std::collections::BTreeSet;

use super::{Code, Draft, Notice};
use domain::{AccessState, LiveAccess, Orgno, RemovalAction, ScopeName};

impl Draft<'_> {
    /// Reports the scopes from which an organisation is blocked in vain, as they are open without a grant, or
    /// not declared.
    pub(super) fn report_blocks(&mut self) {
        let mut notices = Vec::new();
        for (name, scope) in &self.desired.scopes {
            if scope.active && scope.attributes.accessible_for_all {
                let blocks = self.desired.blocks.iter().filter(|block| block.concerns(name));
                let blocked: BTreeSet<Orgno> = blocks.map(|block| block.consumer).collect();
                let why = "the scope is open to all organisations: only without `accessible_for_all` can one \
                           of them be kept out";
                let each = blocked.into_iter();
                notices.extend(each.map(|orgno| self.blocked_in_vain(name, orgno, None, why)));
            }
        }
        let removed = self.desired.removed.iter();
        let released = removed.filter(|(_, removal)| removal.action == RemovalAction::Release);
        for name in self.unmanaged.scopes.iter().chain(released.map(|(name, _)| name)) {
            let Some(live) = self.live.active_scope(name) else { continue };
            let approved = live.in_state(AccessState::Approved);
            let blocked = approved.filter(|(orgno, _)| self.desired.block(name, *orgno).is_some());
            let why = "the scope is not declared: once it is, the block revokes the access";
            notices.extend(
                blocked.map(|(orgno, record)| self.blocked_in_vain(name, orgno, Some(record), why)),
            );
        }
        self.notices.extend(notices);
    }

    fn blocked_in_vain(
        &self,
        scope: &ScopeName,
        orgno: Orgno,
        record: Option<&LiveAccess>,
        why: &str,
    ) -> Notice {
        let who = self.consumer(orgno, record);
        Notice {
            code: Code::BlockedInVain,
            target: format!("{scope} {orgno}"),
            message: format!("{who} is blocked and keeps access, as {why}"),
        }
    }
}
