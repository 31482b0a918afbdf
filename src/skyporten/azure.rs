//! Azure: federated credentials of user-assigned managed identities
//! (<https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations>).
//!
//! Azure refuses writes under one identity side by side. The provider for Terraform has a lock for that since 3.40
//! (<https://github.com/hashicorp/terraform-provider-azurerm/pull/20003>), so that the resources need no order among
//! each other: in a chain, a consumer that goes would change the next one.

use std::collections::BTreeMap;

use super::terraform::{TerraformResource, text};
use super::{CloudShare, TrustPart, comment, consumer_label, json, spread, subject, words};
use domain::Orgno;

/// The identities that consumers become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AzureIdentities {
    /// The names of the identities, at least one.
    pub(crate) identities: Vec<String>,
    pub(crate) resource_group: String,
    pub(crate) subscription: String,
}

impl AzureIdentities {
    /// The identity that a consumer becomes.
    pub(super) fn of(&self, consumer: Orgno) -> Option<&String> {
        spread::assigned(&self.identities, consumer)
    }

    /// The id of an identity in Azure.
    pub(super) fn id(&self, identity: &str) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{identity}",
            self.subscription, self.resource_group
        )
    }

    /// A credential for each consumer.
    pub(super) fn credentials(
        &self,
        issuer: &str,
        share: &CloudShare,
        consumers: &BTreeMap<Orgno, Option<String>>,
    ) -> TrustPart {
        let mut part = TrustPart::default();
        for (consumer, name) in consumers {
            let Some(identity) = self.of(*consumer) else { continue };
            let credential = consumer_label(share, *consumer);
            let subject = subject(*consumer, &share.scope);
            let body = json!({
                "//": comment(*consumer, name.as_deref()),
                "name": text(&credential),
                "resource_group_name": text(&self.resource_group),
                "parent_id": text(&self.id(identity)),
                "issuer": text(issuer),
                "subject": text(&subject),
                "audience": [text(&share.audience)],
            });
            let kind = "azurerm_federated_identity_credential";
            part.resources.push(TerraformResource::new(kind, &credential, body));
            let options = [
                ("--name", credential.as_str()),
                ("--identity-name", identity),
                ("--subscription", &self.subscription),
                ("--issuer", issuer),
                ("--subject", &subject),
                ("--audiences", &share.audience),
            ];
            let options: Vec<_> =
                options.iter().flat_map(|(option, value)| [*option, *value]).collect();
            // A name can begin with `-`, and would be read as an option.
            let group = format!("--resource-group={}", self.resource_group);
            let create = ["az", "identity", "federated-credential", "create", &group];
            part.commands.push(words(&[&create[..], &options].concat()));
        }
        part
    }
}
