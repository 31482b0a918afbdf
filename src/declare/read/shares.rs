//! Shares of cloud resources, as they are declared.

use super::environments::EnvironmentSet;
use super::overrides::{Override, parts_in};
use crate::declare::diagnostic::Place;
use crate::declare::yaml::optional::Spanned;
use crate::skyporten::{
    AwsRoles, AzureIdentities, Clouds, DeltaRecipient, ExclusiveResource, GcpAccess, TrustingCloud,
};
use domain::ScopeName;
use yaml::Span;

/// Cloud resources that the consumers of a scope reach.
#[derive(Debug)]
pub(crate) struct DeclaredShare {
    pub(crate) name: String,
    pub(crate) scope: Spanned<ScopeName>,
    pub(crate) part: SharePart,
    pub(crate) overrides: Vec<Override<SharePart>>,
    pub(crate) environments: EnvironmentSet,
    /// The place of the name.
    pub(crate) place: Place,
}

/// What a share is, as far as it can differ between environments.
#[derive(Debug, Default)]
pub(crate) struct SharePart {
    pub(crate) audience: Option<Spanned<String>>,
    /// With the place of the identities.
    pub(crate) azure: Option<Spanned<AzureIdentities>>,
    /// With the place of the resource.
    pub(crate) gcp: Option<Spanned<GcpAccess>>,
    /// The place of the pool of `gcp`.
    pub(crate) gcp_pool: Option<Span>,
    /// With the place of the roles.
    pub(crate) aws: Option<Spanned<AwsRoles>>,
    /// With the place of the recipient.
    pub(crate) databricks: Option<Spanned<DeltaRecipient>>,
}

impl SharePart {
    /// Whether no cloud is named.
    pub(crate) fn is_nowhere(&self) -> bool {
        let Self { audience: _, azure, gcp, gcp_pool: _, aws, databricks } = self;
        azure.is_none() && gcp.is_none() && aws.is_none() && databricks.is_none()
    }
}

impl DeclaredShare {
    /// What an environment's share has of something, from what decides first.
    pub(crate) fn first<'s, T>(
        &'s self,
        environment: EnvironmentSet,
        pick: impl Fn(&'s SharePart) -> Option<T>,
    ) -> Option<T> {
        parts_in(&self.overrides, environment).chain([&self.part]).find_map(pick)
    }

    /// The place at which a cloud is declared for an environment, or else that of the name.
    pub(crate) fn at(&self, environment: EnvironmentSet, cloud: TrustingCloud) -> Place {
        let span = self.first(environment, |part| match cloud {
            TrustingCloud::Azure => part.azure.as_ref().map(|it| it.span),
            TrustingCloud::Gcp => part.gcp.as_ref().map(|it| it.span),
            TrustingCloud::Aws => part.aws.as_ref().map(|it| it.span),
            TrustingCloud::Databricks => part.databricks.as_ref().map(|it| it.span),
        });
        self.place.or_at(span)
    }

    /// The place at which a resource is declared for an environment.
    pub(crate) fn place_of(
        &self,
        environment: EnvironmentSet,
        resource: &ExclusiveResource,
    ) -> Place {
        let pool = self.first(environment, |part| part.gcp_pool).filter(|_| resource.is_pool);
        pool.map_or_else(|| self.at(environment, resource.cloud), |span| self.place.with(span))
    }

    /// The resources in an environment.
    pub(crate) fn clouds(&self, environment: EnvironmentSet) -> Clouds {
        Clouds {
            azure: self.first(environment, |part| Some(part.azure.as_ref()?.value.clone())),
            gcp: self.first(environment, |part| Some(part.gcp.as_ref()?.value.clone())),
            aws: self.first(environment, |part| Some(part.aws.as_ref()?.value.clone())),
            databricks: self
                .first(environment, |part| Some(part.databricks.as_ref()?.value.clone())),
        }
    }
}
