//! The repository's own rules and its teams, as they are written. Their JSON Schema is derived from here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::declare::diagnostic::rule::Severity;
use crate::declare::yaml::optional::{
    Keyed, Needed, Optional, ReadableTexts, Restriction, Spanned, TextList,
};
use crate::declare::yaml::table::{Read, TableReader, table, words};
use yaml::Node;
use yaml::Span;

/// An entry of `naming`: one of the repository's own rules, or one that comes with portvakt.
#[derive(Debug, Clone, JsonSchema)]
#[serde(untagged)]
pub(crate) enum NamingItem {
    /// A rule of the repository's own.
    Rule(NamingRuleFile),
    /// A rule that comes with portvakt.
    Preset(PresetFile),
}

table! {
    /// What a text must look like.
    pub(crate) struct NamingRuleFile {
        /// The rule's name, which also silences it: letters a to z, digits and `-`.
        #[schemars(regex(pattern = r"^[a-z0-9-]+$"))]
        pub(crate) rule: Needed<Spanned<String>>,
        /// What has the text: a scope, an alias of the `consumers` section, or a client.
        pub(crate) applies_to: NamingSubject,
        /// Which text of it. Default: name (of a consumer the display name, or else the alias).
        #[schemars(with = "NamingField")]
        pub(crate) field: Optional<Spanned<String>>,
        /// A regular expression that the text must match. Write `^` and `$` where it must match as a
        /// whole; `(?<name>…)` names a group.
        #[schemars(length(min = 1, max = 1000))]
        pub(crate) pattern: Needed<Spanned<String>>,
        /// What a named group of the pattern may be, by the group's name.
        pub(crate) values: Optional<BTreeMap<String, Keyed<Values>>>,
        /// What is said of a text that breaks the rule.
        #[schemars(length(min = 1))]
        pub(crate) message: Needed<Spanned<String>>,
        /// How bad it is to break the rule. Default: error.
        pub(crate) severity: Optional<Severity>,
        /// The environments in which the rule counts. Default: all.
        #[schemars(length(min = 1))]
        pub(crate) environments: Restriction<ReadableTexts>,
        /// The teams in whose files the rule counts. Default: all files, those of no team too.
        #[schemars(length(min = 1))]
        pub(crate) teams: Optional<TextList>,
    }
}

/// Allowed values of a named group of a pattern.
#[derive(Debug, Clone, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct Values(#[schemars(length(min = 1))] pub(crate) Vec<String>);

impl Read<'_> for Values {
    fn read(at: &Node<'_>, key: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        Read::read(at, key, reader).map(Self)
    }
}

/// Subject of a naming rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NamingSubject {
    /// Each scope.
    Scope,
    /// Each alias of the `consumers` section.
    Consumer,
    /// Each client.
    Client,
}

/// Text that a naming rule checks.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Field")]
pub(crate) enum NamingField {
    Scope(ScopeField),
    Consumer(ConsumerField),
    Client(ClientField),
}

/// A text of a scope. `prefix` is the part before the name's first colon, `subscope` the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScopeField {
    Name,
    Prefix,
    Subscope,
    Description,
    LongDescription,
    DelegationSource,
    EnforcedAudForAccessToken,
    Visibility,
    TokenType,
}

/// A text of a consumer. `name` is the display name, or the alias where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConsumerField {
    Name,
    Alias,
    Orgno,
}

/// A text of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientField {
    Name,
    Description,
    IntegrationType,
}

table! {
    /// A rule that comes with portvakt. Its name is that of its preset.
    pub(crate) struct PresetFile {
        /// The preset.
        pub(crate) preset: Preset,
        /// The severity of breaking the rule. Default: error.
        pub(crate) severity: Optional<Severity>,
        /// The environments in which the rule counts. Default: all.
        #[schemars(length(min = 1))]
        pub(crate) environments: Restriction<ReadableTexts>,
        /// The teams in whose files the rule counts. Default: all files, those of no team too.
        #[schemars(length(min = 1))]
        pub(crate) teams: Optional<TextList>,
    }
}

/// A rule that comes with portvakt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Preset {
    /// A scope's name is valid at NAIS: a product, `:` or `/`, and a name.
    Nais,
    /// A scope's description names the NAIS application that it belongs to.
    DescriptionNais,
    /// The consumers of a scope are listed in order.
    SortedConsumers,
}

table! {
    /// A condition that must be true.
    pub(crate) struct PolicyFile {
        /// The policy's name, which also silences it: letters a to z, digits and `-`.
        #[schemars(regex(pattern = r"^[a-z0-9-]+$"))]
        pub(crate) rule: Needed<Spanned<String>>,
        /// What the condition is about.
        pub(crate) applies_to: PolicySubject,
        /// The condition, an expression in CEL (https://cel.dev) that must be true.
        #[schemars(length(min = 1, max = 2000))]
        pub(crate) expression: Needed<Spanned<String>>,
        /// The message where the condition is not true.
        #[schemars(length(min = 1))]
        pub(crate) message: Needed<Spanned<String>>,
        /// How bad it is to break the policy. Default: error.
        pub(crate) severity: Optional<Severity>,
        /// The environments in which the policy counts. Default: all.
        #[schemars(length(min = 1))]
        pub(crate) environments: Restriction<ReadableTexts>,
        /// The teams in whose files the policy counts. Default: all files, those of no team too.
        #[schemars(length(min = 1))]
        pub(crate) teams: Optional<TextList>,
    }
}

/// Subject of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PolicySubject {
    /// Each scope.
    Scope,
    /// Each access of a consumer to a scope.
    Access,
}

table! {
    /// Team that may declare certain scopes and clients, and its folder.
    pub(crate) struct TeamFile {
        /// The folder that holds the team's files, from the root of the repository.
        #[schemars(length(min = 1))]
        pub(crate) path: Needed<Spanned<String>>,
        /// Globs of scope names: the team's scopes. They may be declared only in its folder, and nothing else
        /// may be declared there. `*` matches `:` and `/` too.
        pub(crate) scopes: Needed<TextList>,
        /// Globs of names of clients, in the same way. Default: none.
        pub(crate) clients: Optional<TextList>,
    }
}

words!(Severity, NamingSubject, ScopeField, ConsumerField, ClientField, Preset, PolicySubject);
