//! Resources of a cloud that one environment, or one share of an environment, must have alone.

use super::{CloudShare, Clouds, GcpAccess, GcpResource, TrustingCloud};

/// A resource of a cloud that cannot be in two hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExclusiveResource {
    /// The cloud.
    pub(crate) cloud: TrustingCloud,
    /// Equal for equal resources.
    pub(crate) key: String,
    /// The resource in words.
    pub(crate) description: String,
}

impl ExclusiveResource {
    fn new(cloud: TrustingCloud, key: &str, description: String) -> Self {
        Self { cloud, key: format!("{} {}", cloud.prefix(), key.to_lowercase()), description }
    }
}

impl CloudShare {
    /// The resources that no other environment can have, as its issuer differs.
    pub(crate) fn exclusive_in_environment(&self) -> Vec<ExclusiveResource> {
        let Self { name, scope: _, audience: _, clouds, source: _ } = self;
        let Clouds { azure, gcp, aws: _, databricks } = clouds;
        let mut things = roles(self);
        if let Some(azure) = azure {
            things.extend(azure.identities.iter().map(|identity| {
                let description =
                    format!("the credentials `{name}-…` of the identity `{identity}`");
                ExclusiveResource::new(
                    TrustingCloud::Azure,
                    &format!("{} {name}", azure.id(identity)),
                    description,
                )
            }));
        }
        if let Some(GcpAccess { project_number, pool, provider, resource: _ }) = gcp {
            let description = format!("the provider `{provider}` of the pool `{pool}`");
            things.push(ExclusiveResource::new(
                TrustingCloud::Gcp,
                &format!("{project_number} {pool} {provider}"),
                description,
            ));
        }
        if let Some(it) = databricks {
            let description =
                format!("the policies `{name}-…` of the recipient `{}`", it.recipient);
            let key = format!("{} {} {name}", it.workspace, it.recipient);
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
