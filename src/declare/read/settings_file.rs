//! portvakt.yaml, as it is written. Its JSON Schema comes from here.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::attributes::{ClientLayer, ScopeLayer};
use super::environment::Environment;
use crate::declare::own::file::{NamingItem, PolicyFile, TeamFile};
use crate::declare::yaml::optional::{
    Checked, Items, Members, Needed, Optional, Raw, ReadableTexts, Spanned, TextList,
};
use crate::declare::yaml::table::table;

table! {
    /// Settings of the whole repository.
    pub(crate) struct SettingsFile<'d> {
        /// Whose scopes and clients they are.
        pub(crate) organization: Needed<OrganizationFile>,
        /// What this folder is called beside others of the same git repository: its refs, its ledger and its
        /// comments have that name. Default: none at the top of the git repository, else the folder's path
        /// with `.` for `/`.
        #[schemars(regex(pattern = r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"))]
        pub(crate) project: Optional<Spanned<String>>,
        /// The prefixes that DigDir has given the organisation, without a colon.
        #[schemars(length(min = 1))]
        pub(crate) prefixes: Needed<ReadableTexts>,
        /// Where the declarations are applied, by name.
        #[schemars(with = "Option<BTreeMap<String, Environment>>")]
        pub(crate) environments: Needed<Members<'d, Environment>>,
        /// What declarations have that do not say otherwise.
        pub(crate) defaults: Optional<Defaults<'d>>,
        /// What names and other texts must look like.
        pub(crate) naming: Option<Items<'d, NamingItem>>,
        /// What must hold of scopes and accesses.
        pub(crate) policies: Option<Items<'d, PolicyFile>>,
        /// Who may declare which scopes and clients, and where, by the team's name.
        pub(crate) teams: Option<Members<'d, TeamFile>>,
        /// The branch of the remote whose commits may be applied. It counts as it is written on the
        /// remote's default branch. Default: that branch.
        pub(crate) apply_from: Optional<Spanned<String>>,
        /// What an apply refuses: limits, which `--override-guards` lifts, and protection, which nothing lifts.
        pub(crate) guards: Optional<GuardsFile>,
        /// What is reported of accesses.
        pub(crate) access_policy: Optional<AccessPolicyFile>,
        /// Reports about keys of clients.
        pub(crate) keys_policy: Optional<KeysPolicyFile>,
        /// What manifests of NAIS among the declarations do not say themselves.
        pub(crate) nais: Optional<NaisFile<'d>>,
        /// Globs; only files that match one are read. A dot-folder is read only if a glob names it, or if it is
        /// `.nais` and `nais` is there. Default: all.
        pub(crate) include: Optional<TextList>,
        /// Globs; files that match one are not read. Default: none.
        pub(crate) exclude: Optional<TextList>,
    }
}

table! {
    @like "{ orgno: {}, name: … }"
    /// An organisation.
    pub(crate) struct OrganizationFile {
        /// The organisation number: nine digits in quotes.
        #[schemars(regex(pattern = r"^[0-9]{9}$"))]
        pub(crate) orgno: Needed<Spanned<String>>,
        /// What the organisation is called.
        pub(crate) name: Optional<String>,
    }
}

table! {
    /// What declarations have that do not say otherwise.
    #[derive(Default)]
    pub(crate) struct Defaults<'d> {
        /// The attributes of scopes.
        pub(crate) scope: Optional<Checked<'d, ScopeLayer>>,
        /// The attributes of clients.
        pub(crate) client: Optional<Checked<'d, ClientLayer>>,
    }
}

table! {
    /// What manifests of NAIS among the declarations do not say themselves.
    #[derive(Default)]
    pub(crate) struct NaisFile<'d> {
        /// The cluster of a manifest that names none: one for all environments, or one for each, by the
        /// environment's name. With one for each, a manifest counts in the environments of its cluster
        /// alone.
        pub(crate) cluster: Optional<Raw<'d, ClusterFile<'d>>>,
        /// The namespace of a manifest that names none.
        pub(crate) namespace: Optional<Spanned<String>>,
        /// Globs of the manifests that count in an environment, by the environment's name. A manifest counts
        /// in each environment that has a glob for it. Default: a manifest that no glob names counts in all.
        pub(crate) manifests: Optional<Members<'d, TextList>>,
        /// Files with the values of templates, by the environment's name: paths of YAML or JSON files, or
        /// globs of YAML files, of which the nearest to a template counts. A later one wins.
        pub(crate) vars: Optional<Members<'d, TextList>>,
        /// The prefix of the scopes that manifests expose. Default: the only one of `prefixes`.
        pub(crate) prefix: Optional<Spanned<String>>,
    }
}

/// A cluster for all environments, or one for each.
#[derive(Debug, Clone, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ClusterFile<'d> {
    /// One for all.
    All(String),
    /// One for each, by the environment's name.
    Each(Members<'d, String>),
}

table! {
    /// What is reported of accesses.
    #[derive(Default)]
    pub(crate) struct AccessPolicyFile {
        /// How long before its end a plan reports an access: days, weeks or hours, as in `30d`, `4w` and
        /// `12h`. Default: 14d.
        #[schemars(regex(pattern = r"^[0-9]+[dwh]$"))]
        pub(crate) warn_before: Optional<Spanned<String>>,
    }
}

table! {
    /// Reports about keys of clients.
    #[derive(Default)]
    pub(crate) struct KeysPolicyFile {
        /// How long before it expires a plan reports a key: days, weeks or hours, as in `30d`, `4w` and
        /// `12h`. Default: 30d.
        #[schemars(regex(pattern = r"^[0-9]+[dwh]$"))]
        pub(crate) warn_before: Optional<Spanned<String>>,
    }
}

table! {
    @like "{ max_revocations: … }"
    /// Limits that stop an apply, and what no plan may deactivate.
    #[derive(Default)]
    pub(crate) struct GuardsFile {
        /// How many scopes and clients one apply may deactivate. Default: 3.
        pub(crate) max_deactivations: Optional<u64>,
        /// How many accesses one apply may revoke. Default: 25.
        pub(crate) max_revocations: Optional<u64>,
        /// How many accesses one apply may grant, today and on later days; those to a scope that it creates do not
        /// count.
        /// Default: 50.
        pub(crate) max_grants: Optional<u64>,
        /// How much of what is live one apply may change, in percent. Default: no limit.
        #[schemars(range(max = 100))]
        pub(crate) max_changed_percent: Optional<Spanned<u64>>,
        /// Globs of names of scopes and clients; what matches is never deactivated. `*` matches `:` and `/` too.
        /// Default: none.
        pub(crate) protect: Optional<TextList>,
    }
}
