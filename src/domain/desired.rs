//! What one environment should hold, as the repository declares it.

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::GlobSet;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Orgno, ScopeAttributes, ScopeName};

/// The declarations of one environment, checked and resolved.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The environment's name in `portvakt.yaml`.
    pub environment: String,
    /// The organisation that owns the scopes.
    pub organization: Orgno,
    /// The scopes to hold.
    pub scopes: BTreeMap<ScopeName, DesiredScope>,
    /// Scopes that are no longer to be held, and what is to become of them.
    pub removed: BTreeMap<ScopeName, Removal>,
    /// What the repository calls the organisations that it knows.
    pub names: BTreeMap<Orgno, String>,
    /// What an apply must not do without being told twice.
    pub guards: Guards,
}

/// Where in the repository something is declared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Source {
    /// The file, relative to the repository, with `/` between its parts.
    pub file: Arc<str>,
    /// The line, the first being 1.
    pub line: usize,
}

/// A declared scope.
#[derive(Debug, Clone)]
pub struct DesiredScope {
    /// What it should be; `delegation_source` may still be a name instead of an issuer.
    pub attributes: ScopeAttributes,
    /// `false` keeps it declared but deactivated.
    pub active: bool,
    /// Whether a plan may never deactivate it.
    pub prevent_deactivation: bool,
    /// Who should have access.
    pub consumers: BTreeMap<Orgno, DesiredAccess>,
    /// Where it is declared.
    pub source: Source,
}

/// A declared access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredAccess {
    /// The last day with access, in Norway; `None` for no end.
    pub until: Option<Date>,
    /// Why it was given, as the declaration tells.
    pub reason: Option<String>,
    /// Where it is declared.
    pub source: Source,
}

/// What `removed` says of a scope.
#[derive(Debug, Clone)]
pub struct Removal {
    /// What is to become of it.
    pub action: RemovalAction,
    /// Why, as the declaration tells.
    pub reason: Option<String>,
    /// Where it is declared.
    pub source: Source,
}

/// What can become of a scope that is no longer declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RemovalAction {
    /// Its accesses are revoked and it is deactivated.
    Deactivate,
    /// It stays as it is, in other hands.
    Release,
}

/// Limits that stop an apply, and scopes that no plan may deactivate.
#[derive(Debug, Clone)]
pub struct Guards {
    /// How many scopes one apply may deactivate.
    pub max_deactivations: u64,
    /// How many accesses one apply may revoke.
    pub max_revocations: u64,
    /// How much of what is live one apply may change, in percent; `None` for any.
    pub max_changed_percent: Option<u8>,
    /// Scopes that are never deactivated.
    pub protect: GlobSet,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            max_deactivations: 3,
            max_revocations: 25,
            max_changed_percent: None,
            protect: GlobSet::empty(),
        }
    }
}
