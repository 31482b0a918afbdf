//! Plans, reports and diagnostics in all output formats.

pub mod access;
mod approval;
pub mod diagnostics;
mod diff;
mod explanation;
pub mod history;
pub mod keys;
pub mod markdown;
pub mod migration;
mod notices;
pub mod probe;
mod report;
pub mod requests;
mod sections;
mod text;
pub mod unmanaged;

pub use approval::approval;
pub use diff::{diff, diff_of_rendered};
use explanation::article;
pub use explanation::{codes, explanation, page, plan_explanation};
pub use notices::Notices;
pub use report::{accepted, report};
pub use text::plan;
pub(crate) use text::{BAD, CAREFUL, QUIET};
