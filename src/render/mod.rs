//! Plans and reports as text and JSON.

pub mod json;
mod report;
mod text;

use jiff::Timestamp;

pub use report::report;
pub(crate) use text::BAD;
pub use text::plan;

use crate::history::Commit;

/// What a shown plan says beside itself.
#[derive(Debug, Clone)]
pub struct Context {
    /// The owner's name, if the repository tells it.
    pub organization_name: Option<String>,
    /// The commit whose declarations were read; `None` outside git.
    pub repository: Option<Commit>,
    /// When the plan was made.
    pub created: Timestamp,
}
