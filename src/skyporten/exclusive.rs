//! Resources of a cloud that one environment, or one share of an environment, must have alone.

use super::{
    AwsRoles, AzureIdentities, CloudShare, Clouds, DeltaRecipient, GcpAccess, GcpResource,
    TrustingCloud,
};
use domain::ScopeName;

/// A resource of a cloud that cannot be in two hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExclusiveResource {
    pub(crate) cloud: TrustingCloud,
    /// Whether it is a pool of identities, and not one of those that use it.
    pub(crate) is_pool: bool,
    /// Equal for equal resources.
    pub(crate) key: String,
    /// The resource in words.
    pub(crate) description: String,
}

impl ExclusiveResource {
    fn new(cloud: TrustingCloud, key: &str, description: String) -> Self {
        let key = format!("{} {}", cloud.prefix(), key.to_lowercase());
        Self { cloud, is_pool: false, key, description }
    }

    /// The access of a scope to it.
    fn with_scope(self, scope: &ScopeName) -> Self {
        let Self { cloud, is_pool, key, description } = self;
        Self {
            cloud,
            is_pool,
            key: format!("{key} {}", scope.as_str().to_lowercase()),
            description: format!("{description} with the same scope"),
        }
    }
}

impl CloudShare {
    /// The resources that no other environment can have, as its issuer differs: whoever is trusted there reaches what
    /// consumers of this environment reach. At Google Cloud that is the whole pool, as a principal of it names no
    /// provider, and so no issuer; elsewhere, all that an identity or a recipient trusts.
    pub(crate) fn exclusive_in_environment(&self) -> Vec<ExclusiveResource> {
        let Clouds { azure, gcp, aws, databricks } = &self.clouds;
        let each = [
            aws.as_ref().map(roles),
            azure.as_ref().map(identities),
            gcp.as_ref().map(pool),
            databricks.as_ref().map(recipient),
        ];
        each.into_iter().flatten().flatten().collect()
    }

    /// The resources that no other share of the environment can have: a role, and the access of a scope to one resource.
    pub(crate) fn exclusive_in_cloud(&self) -> Vec<ExclusiveResource> {
        let Clouds { azure, gcp, aws, databricks } = &self.clouds;
        let by_scope = [
            azure.as_ref().map(identities),
            gcp.as_ref().map(resource),
            databricks.as_ref().map(recipient),
        ];
        let by_scope = by_scope.into_iter().flatten().flatten();
        let by_scope = by_scope.map(|it| it.with_scope(&self.scope));
        aws.as_ref().map(roles).into_iter().flatten().chain(by_scope).collect()
    }
}

fn roles(aws: &AwsRoles) -> Vec<ExclusiveResource> {
    let each = aws.roles.iter().map(|role| {
        let description = format!("the role `{role}` of the account {}", aws.account);
        let key = format!("{} {role}", aws.account);
        ExclusiveResource::new(TrustingCloud::Aws, &key, description)
    });
    each.collect()
}

fn identities(azure: &AzureIdentities) -> Vec<ExclusiveResource> {
    let each = azure.identities.iter().map(|identity| {
        let description = format!("the identity `{identity}`");
        ExclusiveResource::new(TrustingCloud::Azure, &azure.id(identity), description)
    });
    each.collect()
}

/// The pool, and the service account. A bucket is no identity: it may be granted to the pools of two environments.
fn pool(gcp: &GcpAccess) -> Vec<ExclusiveResource> {
    let GcpAccess { project_number, pool, provider: _, resource } = gcp;
    let description = format!("the pool `{pool}` of the project {project_number}");
    let key = format!("{project_number} {pool}");
    let pool = ExclusiveResource::new(TrustingCloud::Gcp, &key, description);
    let mut all = vec![ExclusiveResource { is_pool: true, ..pool }];
    if let GcpResource::ServiceAccount(account) = resource {
        let description = format!("the service account `{account}`");
        all.push(ExclusiveResource::new(TrustingCloud::Gcp, account, description));
    }
    all
}

/// What the principals of a pool have.
fn resource(gcp: &GcpAccess) -> Vec<ExclusiveResource> {
    let GcpAccess { project_number, pool, provider: _, resource } = gcp;
    let (thing, description) = match resource {
        GcpResource::ServiceAccount(account) => {
            (account.clone(), format!("the service account `{account}`"))
        }
        GcpResource::Bucket { name, role } => {
            (format!("{name} {role}"), format!("the role `{role}` on the bucket `{name}`"))
        }
    };
    let key = format!("{project_number} {pool} {thing}");
    vec![ExclusiveResource::new(TrustingCloud::Gcp, &key, description)]
}

fn recipient(databricks: &DeltaRecipient) -> Vec<ExclusiveResource> {
    let DeltaRecipient { workspace, recipient } = databricks;
    let key = format!("{workspace} {recipient}");
    let description = format!("the recipient `{recipient}`");
    vec![ExclusiveResource::new(TrustingCloud::Databricks, &key, description)]
}
