//! What a cloud has once, so that two shares or two environments cannot both have it.

use super::{CloudShare, Clouds, GcpAccess, GcpResource, TrustingCloud};

/// A thing at a cloud: the key is equal for equal things, the text names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExclusiveThing {
    /// The cloud.
    pub(crate) cloud: TrustingCloud,
    /// Equal for equal things.
    pub(crate) key: String,
    /// The thing in words.
    pub(crate) what: String,
}

impl ExclusiveThing {
    fn new(cloud: TrustingCloud, key: &str, what: String) -> Self {
        Self { cloud, key: format!("{} {}", cloud.prefix(), key.to_lowercase()), what }
    }
}

impl CloudShare {
    /// What no other environment can have: there the issuer is another.
    pub(crate) fn of_its_environment(&self) -> Vec<ExclusiveThing> {
        let Self { name, scope: _, audience: _, clouds, source: _ } = self;
        let Clouds { azure, gcp, aws: _, databricks } = clouds;
        let mut things = roles(self);
        if let Some(azure) = azure {
            things.extend(azure.identities.iter().map(|identity| {
                let what = format!("the credentials `{name}-…` of the identity `{identity}`");
                ExclusiveThing::new(
                    TrustingCloud::Azure,
                    &format!("{} {name}", azure.id(identity)),
                    what,
                )
            }));
        }
        if let Some(GcpAccess { project_number, pool, provider, resource: _ }) = gcp {
            let what = format!("the provider `{provider}` of the pool `{pool}`");
            things.push(ExclusiveThing::new(
                TrustingCloud::Gcp,
                &format!("{project_number} {pool} {provider}"),
                what,
            ));
        }
        if let Some(it) = databricks {
            let what = format!("the policies `{name}-…` of the recipient `{}`", it.recipient);
            let key = format!("{} {} {name}", it.workspace, it.recipient);
            things.push(ExclusiveThing::new(TrustingCloud::Databricks, &key, what));
        }
        things
    }

    /// What no other share of the environment can have: a role, and the access of a scope to one resource.
    pub(crate) fn of_its_own(&self) -> Vec<ExclusiveThing> {
        let Self { name: _, scope, audience: _, clouds, source: _ } = self;
        let Clouds { azure, gcp, aws: _, databricks } = clouds;
        let mut things = roles(self);
        if let Some(azure) = azure {
            things.extend(azure.identities.iter().map(|identity| {
                let what = format!("the identity `{identity}` with the same scope");
                ExclusiveThing::new(
                    TrustingCloud::Azure,
                    &format!("{} {scope}", azure.id(identity)),
                    what,
                )
            }));
        }
        if let Some(GcpAccess { project_number, pool, provider: _, resource }) = gcp {
            let (thing, what) = match resource {
                GcpResource::ServiceAccount(account) => {
                    (account.clone(), format!("the service account `{account}`"))
                }
                GcpResource::Bucket { name, role } => {
                    (format!("{name} {role}"), format!("the role `{role}` on the bucket `{name}`"))
                }
            };
            let key = format!("{project_number} {pool} {thing} {scope}");
            things.push(ExclusiveThing::new(
                TrustingCloud::Gcp,
                &key,
                format!("{what} with the same scope"),
            ));
        }
        if let Some(it) = databricks {
            let what = format!("the recipient `{}` with the same scope", it.recipient);
            let key = format!("{} {} {scope}", it.workspace, it.recipient);
            things.push(ExclusiveThing::new(TrustingCloud::Databricks, &key, what));
        }
        things
    }
}

fn roles(share: &CloudShare) -> Vec<ExclusiveThing> {
    let each = share.clouds.aws.iter().flat_map(|aws| {
        aws.roles.iter().map(|role| {
            let what = format!("the role `{role}` of the account {}", aws.account);
            ExclusiveThing::new(TrustingCloud::Aws, &format!("{} {role}", aws.account), what)
        })
    });
    each.collect()
}
