//! What became of a plan, as a value.

use std::collections::HashMap;

use super::ActionId;
use domain::{ClientId, ClientName};

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Report {
    /// What became of each action, in the plan's order.
    pub outcomes: Vec<Outcome>,
    /// The ids of the clients that were made.
    pub made: HashMap<ClientName, ClientId>,
    /// Why what was done could not be read again, if it could not.
    pub unverified: Option<String>,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, and was seen to be when read again.
    Done,
    /// DigDir said that it is done, and shows in the time that there was only what was there before; how
    /// that differs.
    NotVisible(String),
    /// DigDir refused it, or the answer never came, or it is not so when read again.
    Failed(String),
    /// The answer never came, and nothing of it was to be seen: it failed, or is yet to be seen.
    Unclear(String),
    /// It was not tried because this one failed.
    Skipped(ActionId),
    /// It was not tried because a signal came first.
    NotStarted,
}
