//! Blocked organisations that keep access all the same.

use super::{Code, Draft, Notice};

impl Draft<'_> {
    /// Reports the scopes from which an organisation is blocked in vain, as they are open without a grant.
    pub(super) fn report_blocks(&mut self) {
        let mut notices = Vec::new();
        for (name, scope) in &self.desired.scopes {
            if !scope.active || !scope.attributes.accessible_for_all {
                continue;
            }
            for block in self.desired.blocks.iter().filter(|block| block.concerns(name)) {
                let orgno = block.consumer;
                let who = self.desired.names.get(&orgno);
                let who = who.map_or_else(|| orgno.to_string(), |it| format!("{it} ({orgno})"));
                notices.push(Notice {
                    code: Code::BlockedInVain,
                    target: format!("{name} {orgno}"),
                    message: format!(
                        "{who} is blocked and keeps access, as the scope is open to all organisations: \
                         only without `accessible_for_all` can one of them be kept out"
                    ),
                });
            }
        }
        notices.dedup();
        self.notices.extend(notices);
    }
}
