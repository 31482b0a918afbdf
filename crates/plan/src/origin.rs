//! Cause of each action: a change of the declarations or of the live state.

use std::collections::HashMap;

use super::{Origin, Plan};

impl Plan {
    /// Sets the origin of each action, given the plan for the declarations before: an action that is in both
    /// is drift.
    pub fn set_origins(&mut self, before: &Self) {
        let before: HashMap<_, _> =
            before.actions.iter().map(|action| (action.id(), action)).collect();
        for action in &mut self.actions {
            let same = before.get(&action.id());
            let is_drift = same.is_some_and(|before| before.is_same_work(action));
            action.origin = Some(if is_drift { Origin::Drift } else { Origin::Change });
        }
    }
}
