//! Entries of `skyporten`, as they are written. Their JSON Schema comes from here.

use schemars::JsonSchema;

use crate::declare::yaml::optional::{
    Members, Needed, Optional, ReadableTexts, Restriction, Spanned, TextList,
};
use crate::declare::yaml::table::{Read, TableReader, table};
use yaml::{Node, Span};

table! {
    @like "{ name: {}, scope: …, audience: …, azure: … }"
    /// Cloud resources that the consumers of a scope reach with tokens of Skyporten. `portvakt render skyporten`
    /// prints what the clouds need for that; no plan changes anything there. At least one cloud is named.
    #[schemars(rename = "CloudShare")]
    pub(crate) struct ShareItem<'d> {
        /// Its name, of which the names of credentials and resources are made.
        #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9_-]{2,109}$"))]
        pub(crate) name: Needed<Spanned<String>>,
        /// The scope whose consumers reach the resources. It is declared in this repository.
        #[schemars(regex(pattern = r"^[^:\s]+:\S+$"))]
        pub(crate) scope: Needed<Spanned<String>>,
        /// The audience that tokens must have, an absolute URI: the `resource` of the consumer's grant.
        #[schemars(length(min = 3, max = 600))]
        pub(crate) audience: Needed<Spanned<String>>,
        /// The environments in which it counts. Default: all.
        #[schemars(length(min = 1))]
        pub(crate) environments: Restriction<ReadableTexts>,
        /// Managed identities on Azure that the consumers become.
        pub(crate) azure: Optional<AzureEntry>,
        /// A service account or a bucket on Google Cloud that the consumers have access to.
        pub(crate) gcp: Optional<GcpEntry>,
        /// Roles on AWS that the consumers assume.
        pub(crate) aws: Optional<AwsEntry>,
        /// A recipient of Delta Sharing on Databricks that the consumers are.
        pub(crate) databricks: Optional<DatabricksEntry>,
        /// What is different in an environment, by its name.
        pub(crate) per_environment: Option<Members<'d, ShareInEnvironment>>,
    }
}

table! {
    @like "{ azure: … }"
    /// What cloud resources are in one environment; what is left out is as in the others. A cloud is replaced as a
    /// whole.
    #[schemars(rename = "CloudShareInEnvironment")]
    pub(crate) struct ShareInEnvironment {
        /// The audience that tokens must have here.
        #[schemars(length(min = 3, max = 600))]
        pub(crate) audience: Optional<Spanned<String>>,
        /// Managed identities on Azure here.
        pub(crate) azure: Optional<AzureEntry>,
        /// A service account or a bucket on Google Cloud here.
        pub(crate) gcp: Optional<GcpEntry>,
        /// Roles on AWS here.
        pub(crate) aws: Optional<AwsEntry>,
        /// A recipient of Delta Sharing on Databricks here.
        pub(crate) databricks: Optional<DatabricksEntry>,
    }
}

table! {
    @like "{ identity: {}, resource_group: …, subscription: … }"
    /// User-assigned managed identities on Azure. Each consumer gets a federated credential on one of them.
    #[schemars(rename = "AzureIdentities")]
    pub(crate) struct AzureEntry {
        /// The name of the identity, or a list of names. An identity has 20 credentials at most, and each consumer
        /// belongs to one of the list, whoever else there is. Which one depends on the names: another list moves some.
        pub(crate) identity: Needed<NameOrNames>,
        /// The resource group of the identities.
        pub(crate) resource_group: Needed<Spanned<String>>,
        /// The id of the subscription.
        pub(crate) subscription: Needed<Spanned<String>>,
    }
}

table! {
    @like "{ project_number: …, pool: {}, provider: …, service_account: … }"
    /// A resource on Google Cloud, and the workload identity pool through which consumers reach it. Either
    /// `service_account` or `bucket` is named.
    #[schemars(rename = "GcpAccess")]
    pub(crate) struct GcpEntry {
        /// The number, in quotes, of the project that has the pool.
        #[schemars(regex(pattern = r"^[1-9][0-9]*$"))]
        pub(crate) project_number: Needed<Spanned<String>>,
        /// The workload identity pool. It does not keep the audiences of entries with the same scope apart.
        pub(crate) pool: Needed<Spanned<String>>,
        /// The pool's provider for Skyporten. Several entries can name the same one: it has the audiences of all.
        pub(crate) provider: Needed<Spanned<String>>,
        /// The service account that consumers impersonate.
        pub(crate) service_account: Optional<Spanned<String>>,
        /// The bucket that consumers have a role on.
        pub(crate) bucket: Optional<Spanned<String>>,
        /// The role on the bucket. Default: roles/storage.objectViewer.
        pub(crate) role: Optional<Spanned<String>>,
    }
}

table! {
    @like "{ account: …, role: {} }"
    /// Roles on AWS. Each consumer may assume one of them.
    #[schemars(rename = "AwsRoles")]
    pub(crate) struct AwsEntry {
        /// The twelve digits of the account, in quotes.
        #[schemars(regex(pattern = r"^[0-9]{12}$"))]
        pub(crate) account: Needed<Spanned<String>>,
        /// The name of the role, or a list of names. A trust policy has 2048 characters at most, which is some 35
        /// consumers, and each consumer belongs to one of the list as for `identity`.
        pub(crate) role: Needed<NameOrNames>,
    }
}

table! {
    @like "{ workspace: …, recipient: {} }"
    /// A recipient of Delta Sharing on Databricks, with the authentication type OIDC_FEDERATION.
    #[schemars(rename = "DeltaRecipient")]
    pub(crate) struct DatabricksEntry {
        /// The host of a workspace of the recipient's metastore.
        pub(crate) workspace: Needed<Spanned<String>>,
        /// The recipient. Each consumer gets a federation policy on it.
        pub(crate) recipient: Needed<Spanned<String>>,
    }
}

/// A name, or a list of names.
#[derive(Debug, Clone, JsonSchema)]
#[serde(untagged)]
pub(crate) enum NameOrNames {
    /// A name.
    One(Spanned<String>),
    /// Several names.
    Several(TextList),
}

impl Read<'_> for NameOrNames {
    fn read(at: &Node<'_>, key: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        match at.value.is_sequence() {
            true => Read::read(at, key, reader).map(Self::Several),
            false => Read::read(at, key, reader).map(Self::One),
        }
    }
}
