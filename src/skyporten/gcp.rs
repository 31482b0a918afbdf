//! Google Cloud: a provider of a workload identity pool, and a binding for each consumer
//! (<https://cloud.google.com/iam/docs/workload-identity-federation>). The mapping of attributes is the one that
//! DigDir's guide to Skyporten has.

use std::collections::{BTreeMap, BTreeSet};

use super::terraform::{TerraformResource, label, text, texts};
use super::{CloudShare, TrustPart, TrustedShare, comment, consumer_label, json, words};
use domain::{Orgno, ScopeName};

/// Attributes of a principal, and the CEL expressions that make them of a token's claims.
pub(super) const MAPPING: [(&str, &str); 3] = [
    ("attribute.clientaccess", r#""client::" + assertion.consumer.ID + "::" + assertion.scope"#),
    ("attribute.maskinportenscope", "assertion.scope"),
    ("google.subject", "assertion.consumer.ID"),
];

/// A resource, and the provider through which consumers reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GcpAccess {
    /// The number of the project of the pool.
    pub(crate) project_number: String,
    pub(crate) pool: String,
    pub(crate) provider: String,
    pub(crate) resource: GcpResource,
}

/// A resource of Google Cloud on which consumers have a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GcpResource {
    /// A service account that they impersonate, by its address.
    ServiceAccount(String),
    /// A bucket, and the role on it.
    Bucket { name: String, role: String },
}

/// The role by which a service account is impersonated.
const IMPERSONATION: &str = "roles/iam.workloadIdentityUser";

/// The attribute of a consumer's tokens.
pub(super) fn client_access(consumer: Orgno, scope: &ScopeName) -> String {
    format!("client::{}::{scope}", consumer.claim_id())
}

impl GcpAccess {
    /// The name of the provider's resource. The id of a pool has no `_`.
    fn provider_name(&self) -> String {
        format!("{}_{}", self.pool, self.provider)
    }

    fn member(&self, consumer: Orgno, scope: &ScopeName) -> String {
        format!(
            "principalSet://iam.googleapis.com/projects/{}/locations/global/workloadIdentityPools/{}/{}/{}",
            self.project_number,
            self.pool,
            "attribute.clientaccess",
            client_access(consumer, scope)
        )
    }

    /// A binding for each consumer.
    pub(super) fn bindings(
        &self,
        share: &CloudShare,
        consumers: &BTreeMap<Orgno, Option<String>>,
    ) -> TrustPart {
        let mut part = TrustPart::default();
        for (consumer, name) in consumers {
            let member = self.member(*consumer, &share.scope);
            let provider = label(&self.provider_name());
            let mut body = json!({
                "//": comment(*consumer, name.as_deref()),
                "member": text(&member),
                "depends_on": [format!("google_iam_workload_identity_pool_provider.{provider}")],
            });
            let member = format!("--member={member}");
            let (kind, command) = match &self.resource {
                GcpResource::ServiceAccount(account) => {
                    let project = account.split_once('@').map_or("", |(_, host)| host);
                    let project = project.split_once('.').map_or(project, |(project, _)| project);
                    let id = format!("projects/{project}/serviceAccounts/{account}");
                    body["service_account_id"] = text(&id);
                    body["role"] = text(IMPERSONATION);
                    let role = format!("--role={IMPERSONATION}");
                    let project = format!("--project={project}");
                    let bind = ["service-accounts", "add-iam-policy-binding", account];
                    let options = [project.as_str(), &role, &member];
                    let command = [&["gcloud", "iam"][..], &bind, &options].concat();
                    ("google_service_account_iam_member", words(&command))
                }
                GcpResource::Bucket { name, role } => {
                    body["bucket"] = text(name);
                    body["role"] = text(role);
                    let bucket = format!("gs://{name}");
                    let role = format!("--role={role}");
                    let bind = ["buckets", "add-iam-policy-binding", &bucket, &role, &member];
                    let command = [&["gcloud", "storage"][..], &bind].concat();
                    ("google_storage_bucket_iam_member", words(&command))
                }
            };
            let name = consumer_label(share, *consumer);
            part.resources.push(TerraformResource::new(kind, &name, body));
            part.commands.push(command);
        }
        part
    }
}

/// The pools of a project and their providers, each with the audiences of all its shares.
pub(super) fn providers(issuer: &str, shares: &[&TrustedShare]) -> TrustPart {
    let mut pools: BTreeMap<&str, BTreeMap<&str, (&GcpAccess, BTreeSet<String>)>> = BTreeMap::new();
    for trusted in shares {
        let Some(gcp) = &trusted.share.clouds.gcp else { continue };
        let providers = pools.entry(&gcp.pool).or_default();
        let (_, audiences) = providers.entry(&gcp.provider).or_insert((gcp, BTreeSet::new()));
        audiences.insert(trusted.share.audience.clone());
    }
    let mut part = TrustPart::default();
    for (pool, providers) in pools {
        for (index, (gcp, audiences)) in providers.values().enumerate() {
            let project = format!("--project={}", gcp.project_number);
            if index == 0 {
                let body = json!({ "project": text(&gcp.project_number), "workload_identity_pool_id": text(pool) });
                let kind = "google_iam_workload_identity_pool";
                part.resources.push(TerraformResource::new(kind, pool, body));
                let iam = ["gcloud", "iam", "workload-identity-pools"];
                let create = ["create", pool, &project, "--location=global"];
                part.commands.push(words(&[&iam[..], &create].concat()));
            }
            part.resources.push(provider(gcp, issuer, audiences));
            let audiences = audiences.iter().cloned().collect::<Vec<_>>().join(",");
            let mapping = MAPPING.map(|(attribute, claim)| format!("{attribute}={claim}"));
            let pool = format!("--workload-identity-pool={pool}");
            let allowed = format!("--allowed-audiences={audiences}");
            let issuer = format!("--issuer-uri={issuer}");
            let mapping = format!("--attribute-mapping={}", mapping.join(","));
            // The second changes one that is there.
            for (command, more) in
                [("create-oidc", &[&*issuer, &*mapping][..]), ("update-oidc", &[])]
            {
                let of = ["gcloud", "iam", "workload-identity-pools", "providers", command];
                let options = [&gcp.provider, &project, "--location=global", &pool, &allowed];
                part.commands.push(words(&[&of[..], &options, more].concat()));
            }
        }
    }
    part
}

fn provider(gcp: &GcpAccess, issuer: &str, audiences: &BTreeSet<String>) -> TerraformResource {
    let mapping: BTreeMap<_, _> = MAPPING.into_iter().collect();
    let pool = label(&gcp.pool);
    let body = json!({
        "project": text(&gcp.project_number),
        "workload_identity_pool_id":
            format!("${{google_iam_workload_identity_pool.{pool}.workload_identity_pool_id}}"),
        "workload_identity_pool_provider_id": text(&gcp.provider),
        "attribute_mapping": mapping,
        "oidc": { "issuer_uri": text(issuer), "allowed_audiences": texts(audiences) },
    });
    let name = gcp.provider_name();
    TerraformResource::new("google_iam_workload_identity_pool_provider", &name, body)
}
