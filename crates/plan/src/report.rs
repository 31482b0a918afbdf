//! Result of an apply, as a value.

use std::collections::HashMap;

use super::ActionId;
use domain::{ClientId, ClientName};

/// Result of an apply.
#[derive(Debug, Default)]
pub struct Report {
    /// The result of each action, in the plan's order.
    pub outcomes: Vec<Outcome>,
    /// The ids of the clients that were created.
    pub made: HashMap<ClientName, ClientId>,
    /// The reason why the changes could not be read back, if so.
    pub unverified: Option<String>,
}

/// Result of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done, and confirmed when it was read back.
    Done,
    /// Confirmed by DigDir, which within the waiting time still showed the state before; the text describes
    /// the difference.
    NotVisible(String),
    /// DigDir refused it, or the answer was lost, or it was not there when it was read back.
    Failed(String),
    /// The answer was lost, and no effect was visible: it failed, or is not visible yet.
    Unclear(String),
    /// Not tried because this one failed.
    Skipped(ActionId),
    /// Not tried because of a signal.
    NotStarted,
}
