//! Whether the declarations have changed, or what is live.

use std::collections::HashMap;

use super::{Origin, Plan};

impl Plan {
    /// Tells where each action comes from, given the plan for the declarations before: what that
    /// needs too is drift.
    pub fn tell_origins(&mut self, before: &Self) {
        let before: HashMap<_, _> =
            before.actions.iter().map(|action| (action.id(), action)).collect();
        for action in &mut self.actions {
            let same = before.get(&action.id());
            let is_drift = same.is_some_and(|before| before.is_same_work(action));
            action.origin = Some(if is_drift { Origin::Drift } else { Origin::Change });
        }
    }
}
