//! Plans, reports and diagnostics in the forms in which they are shown.

pub mod diagnostics;
mod diff;
pub mod document;
mod explanation;
mod flaw;
pub mod history;
pub mod json;
pub mod keys;
pub mod markdown;
pub mod migration;
pub mod report;
mod sections;
mod stale;
mod text;
pub mod unmanaged;

use jiff::Timestamp;

pub use diff::diff;
use explanation::article;
pub use explanation::{codes, explanation, page, plan_explanation};
pub use report::report;
pub use stale::moved;
pub(crate) use text::BAD;
pub use text::plan;

use crate::history::Commit;

/// What a shown plan says beside itself.
#[derive(Debug, Clone)]
pub struct Context {
    /// What the folder of the declarations is called beside others, if anything.
    pub project: Option<String>,
    /// The owner's name, if the repository tells it.
    pub organization_name: Option<String>,
    /// The commit whose declarations were read; `None` outside git.
    pub repository: Option<Commit>,
    /// The folder of portvakt.yaml from the top of the git repository; empty at the top.
    pub folder: String,
    /// The commit that was last applied in full; `None` where nothing was, or where that is not known.
    pub applied: Option<String>,
    /// Why it is not known what was applied before; `None` where it is.
    pub unknown: Option<String>,
    /// The commit that origins are told by.
    pub base: Option<String>,
    /// Whether the declarations are those of an older commit, to undo what came after it.
    pub rollback: bool,
    /// When the plan was made.
    pub created: Timestamp,
}
