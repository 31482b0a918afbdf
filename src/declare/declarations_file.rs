//! The documents of declaration files, as they are written. Their JSON Schema comes from here.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::attributes::with_attributes;
use super::given::{Entries, Given, Items};
use crate::domain::RemovalAction;

/// A document with declarations. Where a thing stands in which file does not matter.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "tells the keys; what they hold is read item by item")]
pub(super) struct Declarations {
    /// Who the organisation numbers are: an alias for each.
    #[serde(default)]
    consumers: Entries<Consumer>,
    /// Names for several organisations together: a list of aliases or quoted organisation numbers.
    #[serde(default)]
    groups: Entries<Vec<String>>,
    /// The scopes to hold, and who has access to them.
    #[serde(default)]
    scopes: Items<Scope>,
    /// Scopes that are no longer held, and what is to become of them.
    #[serde(default)]
    removed: Items<Removed>,
}

/// The keys of a document with declarations.
pub(super) const DOCUMENT_KEYS: [&str; 4] = ["consumers", "groups", "scopes", "removed"];

/// An organisation under the alias that the repository gives it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Consumer {
    /// The organisation number: nine digits in quotes.
    #[schemars(regex(pattern = r"^[0-9]{9}$"))]
    #[expect(dead_code, reason = "read from the mapping itself, with its place")]
    orgno: String,
    /// What a plan calls the organisation. Default: the alias.
    #[serde(default)]
    pub(super) name: Given<String>,
    /// The environments in which the alias counts. Default: all.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(super) environments: Given<Vec<String>>,
}

with_attributes! {
    /// A scope and who has access to it. Attributes carry DigDir's own names; one that is left out
    /// has the repository's default (`defaults.scope` in portvakt.yaml), else the tool's.
    Scope {
        /// The whole name, `prefix:subscope`. It is the scope's identity and can never change.
        #[schemars(regex(pattern = r"^[^:\s]+:\S+$"))]
        #[expect(dead_code, reason = "read from the mapping itself, with its place")]
        name: String,
        /// One line that tells what the scope gives access to.
        #[schemars(length(min = 1))]
        description: String,
        /// Who has access. Left out: nobody.
        #[serde(default)]
        #[expect(dead_code, reason = "read one by one, from the mapping itself")]
        consumers: Items<ConsumerEntry>,
        /// The environments that hold the scope. Default: all.
        #[serde(default)]
        #[schemars(length(min = 1))]
        environments: Given<Vec<String>>,
        /// What is different in an environment, by its name.
        #[serde(default)]
        #[expect(dead_code, reason = "read one by one, from the mapping itself")]
        per_environment: Entries<ScopeInEnvironment>,
        /// `false` keeps the scope declared but deactivated; its accesses are kept. Default: true.
        #[serde(default)]
        active: Given<bool>,
        /// Whether a plan may never deactivate the scope. Default: false.
        #[serde(default)]
        prevent_deactivation: Given<bool>,
    }
}

with_attributes! {
    /// What a scope is in one environment; what is left out is as in the others.
    ScopeInEnvironment {
        /// One line that tells what the scope gives access to.
        #[serde(default)]
        #[schemars(length(min = 1))]
        description: Given<String>,
        /// `false` keeps the scope declared but deactivated here.
        #[serde(default)]
        active: Given<bool>,
    }
}

/// Who has access: an alias, a quoted organisation number, a group, or one of the first two with
/// more to say about it.
#[derive(Debug, Clone, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the shape of an entry; which one it is shows before it is read")]
pub(super) enum ConsumerEntry {
    /// An alias, or an organisation number in quotes.
    Name(String),
    /// Everybody in a group.
    Group(GroupEntry),
    /// One organisation, with more to say about it.
    Consumer(DetailedEntry),
}

/// Everybody in a group.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupEntry {
    /// The group's name.
    #[expect(dead_code, reason = "read from the mapping itself, with its place")]
    group: String,
}

/// One organisation, with more to say about its access.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DetailedEntry {
    /// An alias, or an organisation number in quotes.
    #[expect(dead_code, reason = "read from the mapping itself, with its place")]
    consumer: String,
    /// The last day with access, in Norway: YYYY-MM-DD. Default: no end.
    #[serde(default)]
    #[schemars(with = "Given<String>", regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    #[expect(dead_code, reason = "read from the mapping itself, with its place")]
    until: Given<IgnoredAny>,
    /// The environments in which the entry counts. Default: all.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(super) environments: Given<Vec<String>>,
    /// Why the access is given, such as a case number.
    #[serde(default)]
    pub(super) reason: Given<String>,
}

/// A scope that is no longer held.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Removed {
    /// The scope's whole name.
    #[schemars(regex(pattern = r"^[^:\s]+:\S+$"))]
    #[expect(dead_code, reason = "read from the mapping itself, with its place")]
    scope: String,
    /// What is to become of it.
    pub(super) action: RemovalAction,
    /// Why.
    #[serde(default)]
    pub(super) reason: Given<String>,
}
