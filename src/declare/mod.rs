//! The YAML: reading, diagnostics, resolving to what one environment should hold.
//!
//! The way of a file: [`files`] finds it, [`document`] makes values that know their [`places`] of
//! its text, [`item`] reads each into the types of [`declarations_file`] and [`settings_file`],
//! [`reading`] checks what can be checked by itself into [`declared`], [`check`] checks that against
//! the other files, and [`resolve`] makes a [`crate::domain::Desired`] of it for one environment.

mod attributes;
mod check;
mod consumers;
mod declarations_file;
mod declared;
mod diagnostic;
mod document;
mod environment;
mod environments;
mod files;
mod given;
mod item;
mod places;
mod quotes;
mod reading;
mod repository;
mod resolve;
mod rules;
pub mod schema;
mod scopes;
mod settings;
mod settings_file;
mod source;
mod suggest;
#[cfg(test)]
mod tests;

pub use diagnostic::{Diagnostic, Related, Severity};
pub use environment::{Certificate, Credentials, Endpoints, Environment, Target};
pub use files::{NoRepository, find_root};
pub use repository::{EnvironmentError, Repository, load};
pub use rules::Rule;
pub use settings::{SETTINGS_FILE, Settings};
pub use source::{SecretSource, TextSource};
