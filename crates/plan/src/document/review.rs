//! The pull request by which people saw a plan.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The pull request that was merged with a plan, as its host named it (`portvakt reviewed --out`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewDocument {
    /// Its number.
    pub number: u64,
    /// Its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its author, as the host names people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Those whose approvals were valid when it was looked at, without those that its host dates after it was
    /// merged or put into a merge queue. An approval whose time the host does not report is included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
}
