//! The YAML: reading, diagnostics, resolving to what one environment should hold.
//!
//! The way of a file: [`files`] finds it, in the folder or in git's [`index`]; [`document`] makes values
//! that know their [`places`] of
//! its text, [`item`] reads each into the types of [`declarations_file`] and [`settings_file`],
//! [`reading`] checks what can be checked by itself into [`declared`] — manifests of NAIS in
//! [`manifest`] —, and [`check`] checks that
//! against the other files. For one environment ([`here`]), [`advice`] tells what is hardly meant or
//! breaks the repository's [`own`] rules, and [`resolve`] makes a [`domain::Desired`].
//! [`silences`] may keep a rule from speaking, [`fix`] mends what is safe to mend, and [`edit`] changes
//! what a command is asked to change. Each kind of
//! finding stands in the table of [`rules`].

mod advice;
mod append;
mod attributes;
mod check;
mod client_attributes;
mod clients;
mod consumers;
mod declarations_file;
mod declared;
mod diagnostic;
mod document;
mod edit;
mod environment;
mod environments;
mod files;
mod fix;
mod given;
mod globs;
mod here;
mod index;
mod instead;
mod item;
mod key_files;
mod keys;
mod known;
mod lines;
mod manifest;
mod nais;
mod own;
mod places;
mod public_keys;
mod quotes;
mod reading;
mod repository;
mod resolve;
mod rules;
pub mod schema;
mod scopes;
mod settings;
mod settings_file;
mod silences;
mod source;
mod span;
mod suggest;
mod syntax;
mod table;
mod targets;
#[cfg(test)]
mod tests;
mod texts;

pub use append::{CannotAppend, Opening, openings};
pub use diagnostic::{Diagnostic, Fix, Related};
pub use edit::{CannotEdit, ConsumerEntry, Edited, Handed, Release, ScopeDeclaration};
pub use environment::{Certificate, Credentials, Endpoints, Environment, Target};
pub use environments::is_environment_name;
pub use files::{
    LARGEST as LARGEST_FILE, MOST_DEEP, NoRepository, find_root, is_text, is_yaml, source,
};
pub use fix::{Mended, mend};
pub use index::{Index, ReadSparse, SETTINGS_FILE, Tracked};
pub use keys::KeysRef;
pub use known::{Files, is_alias, read_files};
pub use public_keys::public_keys;
pub use repository::{
    EnvironmentError, FileRole, Invalid, ManifestsApart, Repository, load, load_tracked, read,
};
pub use rules::{BASE, Example, Rule, Severity};
pub use settings::{Outline, Settings, is_project_name, not_an_id, outline, parse_duration};
pub use source::{SecretSource, TextSource};
pub use suggest::did_you_mean;
