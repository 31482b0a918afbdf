//! The YAML: reading, diagnostics, resolving to the desired state of one environment.
//!
//! Each stage of a file has a folder: [`files`] finds the file, on disk or in git's index; [`yaml`] reports broken
//! YAML, and reads the rest into types with places; [`read`] checks each item by itself, manifests of NAIS too;
//! [`rules`] checks the items against each other and for each environment, together with the repository's [`own`]
//! rules; [`resolve`] makes a [`domain::Desired`]. [`fix`] fixes what is safe to fix, and makes the edits of
//! commands. The table in [`diagnostic::rule`] has every kind of finding.

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
    Settings, dot_folders, is_project_name, is_right, parse_duration, readable_settings,
};
pub use read::source::{SecretSource, TextSource};
pub use read::variables::variables;
pub use repository::load::{load, load_tracked, read};
pub use repository::{EnvironmentError, FileRole, Invalid, Repository};
pub use yaml::optional::Spanned;
