//! The YAML: reading, diagnostics, resolving to what one environment should hold.
//!
//! The way of a file, a folder a stage: [`files`] finds it, on disk or in git's index; [`yaml`] reports
//! what is no YAML in its text, and reads the rest into types with places; [`read`] checks what can be checked by itself —
//! manifests of NAIS too —; [`rules`] checks that against the other files and for each environment, beside the
//! repository's [`own`] rules; [`resolve`] makes a [`domain::Desired`]. [`fix`] mends what is safe to mend, and
//! changes what a command is asked to change. Each kind of finding stands in the table of [`diagnostic::rule`].

mod diagnostic;
mod files;
mod fix;
mod known;
mod own;
mod proposed;
mod read;
mod repository;
mod resolve;
mod rules;
pub mod schema;
#[cfg(test)]
mod tests;
mod yaml;

pub use diagnostic::rule::{BASE, Example, Rule, Severity};
pub use diagnostic::suggest::did_you_mean;
pub use diagnostic::{Diagnostic, Fix, Related, joined};
pub use files::index::{Index, ReadSparse, SETTINGS_FILE, Tracked};
pub use files::{
    LARGEST as LARGEST_FILE, MOST_BYTES, MOST_DEEP, MOST_FILES, NoRepository, find_root, is_text,
    is_yaml, source,
};
pub use fix::edit::{
    BlockEntry, CannotEdit, ConsumerEntry, Edited, NamedConsumer, ScopeDeclaration,
};
pub use fix::{FixedFile, apply_fixes};
pub use known::{DeclaredCounts, Files, is_alias, read_files};
pub use proposed::{ProposedNais, proposed_nais};
pub use read::credentials::not_an_id;
pub use read::environment::{
    Certificate, CustomEndpoints, DeclaredCredentials, Environment, EnvironmentTarget,
};
pub use read::environments::is_environment_name;
pub use read::keys::KeysRef;
pub use read::public_keys::public_keys;
pub use read::settings::{
    Settings, dot_folders, is_project_name, is_right, outline, parse_duration,
};
pub use read::source::{SecretSource, TextSource};
pub use read::variables::variables;
pub use repository::load::{load, load_tracked, read};
pub use repository::{EnvironmentError, FileRole, Invalid, Repository};
pub use yaml::optional::Spanned;
