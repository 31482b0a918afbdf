//! Resources of a cloud that one environment, or one share of an environment, must have alone.

use super::{CloudShare, Clouds, GcpAccess, GcpResource, TrustingCloud};

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
}

impl CloudShare {
    /// The resources that no other environment can have, as its issuer differs: whoever is trusted there reaches what
    /// consumers of this environment reach. At Google Cloud that is the whole pool, as a principal of it names no
    /// provider, and so no issuer; elsewhere, all that an identity or a recipient trusts.
    pub(crate) fn exclusive_in_environment(&self) -> Vec<ExclusiveResource> {
        let Self { name: _, scope: _, audience: _, clouds, source: _ } = self;
        let Clouds { azure, gcp, aws: _, databricks } = clouds;
        let mut things = roles(self);
        if let Some(azure) = azure {
            things.extend(azure.identities.iter().map(|identity| {
                let description = format!("the identity `{identity}`");
                ExclusiveResource::new(TrustingCloud::Azure, &azure.id(identity), description)
            }));
        }
        if let Some(GcpAccess { project_number, pool, provider: _, resource }) = gcp {
            let description = format!("the pool `{pool}` of the project {project_number}");
            let key = format!("{project_number} {pool}");
            let pool = ExclusiveResource::new(TrustingCloud::Gcp, &key, description);
            things.push(ExclusiveResource { is_pool: true, ..pool });
            // A bucket is no identity: it may be granted to the pools of two environments.
            if let GcpResource::ServiceAccount(account) = resource {
                let description = format!("the service account `{account}`");
                things.push(ExclusiveResource::new(TrustingCloud::Gcp, account, description));
            }
        }
        if let Some(it) = databricks {
            let description = format!("the recipient `{}`", it.recipient);
            let key = format!("{} {}", it.workspace, it.recipient);
            things.push(ExclusiveResource::new(TrustingCloud::Databricks, &key, description));
        }
        things
    }

    /// The resources that no other share of the environment can have: a role, and the access of a scope to one resource.
    pub(crate) fn exclusive_in_cloud(&self) -> Vec<ExclusiveResource> {
        let Self { name: _, scope, audience: _, clouds, source: _ } = self;
        let Clouds { azure, gcp, aws: _, databricks } = clouds;
        let mut things = roles(self);
        if let Some(azure) = azure {
            things.extend(azure.identities.iter().map(|identity| {
                let description = format!("the identity `{identity}` with the same scope");
                ExclusiveResource::new(
                    TrustingCloud::Azure,
                    &format!("{} {scope}", azure.id(identity)),
                    description,
                )
            }));
        }
        if let Some(GcpAccess { project_number, pool, provider: _, resource }) = gcp {
            let (thing, description) = match resource {
                GcpResource::ServiceAccount(account) => {
                    (account.clone(), format!("the service account `{account}`"))
                }
                GcpResource::Bucket { name, role } => {
                    (format!("{name} {role}"), format!("the role `{role}` on the bucket `{name}`"))
                }
            };
            let key = format!("{project_number} {pool} {thing} {scope}");
            things.push(ExclusiveResource::new(
                TrustingCloud::Gcp,
                &key,
                format!("{description} with the same scope"),
            ));
        }
        if let Some(it) = databricks {
            let description = format!("the recipient `{}` with the same scope", it.recipient);
            let key = format!("{} {} {scope}", it.workspace, it.recipient);
            things.push(ExclusiveResource::new(TrustingCloud::Databricks, &key, description));
        }
        things
    }
}

fn roles(share: &CloudShare) -> Vec<ExclusiveResource> {
    let each = share.clouds.aws.iter().flat_map(|aws| {
        aws.roles.iter().map(|role| {
            let description = format!("the role `{role}` of the account {}", aws.account);
            ExclusiveResource::new(
                TrustingCloud::Aws,
                &format!("{} {role}", aws.account),
                description,
            )
        })
    });
    each.collect()
}
