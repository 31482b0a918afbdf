//! Databricks: federation policies of a recipient of Delta Sharing
//! (<https://docs.databricks.com/api/workspace/recipientfederationpolicies>).
//!
//! Terraform's provider had a resource for them until 1.94 that named no recipient
//! (<https://github.com/databricks/terraform-provider-databricks/issues/4920>), and has none since: there are
//! commands alone.

use std::collections::BTreeMap;

use super::{CloudShare, TrustPart, consumer_label, json, subject, words};
use domain::Orgno;
use domain::text::json::line;

/// The recipient to which shares are granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeltaRecipient {
    /// The host of a workspace of its metastore.
    pub(crate) workspace: String,
    /// Its name.
    pub(crate) recipient: String,
}

impl DeltaRecipient {
    /// A policy for each consumer.
    pub(super) fn policies(
        &self,
        issuer: &str,
        share: &CloudShare,
        consumers: &BTreeMap<Orgno, Option<String>>,
    ) -> TrustPart {
        let host = format!("DATABRICKS_HOST=https://{}", self.workspace);
        let command = |consumer: &Orgno| {
            let policy = line(&json!({
                "name": consumer_label(share, *consumer),
                "oidc_policy": {
                    "issuer": issuer,
                    "subject_claim": "sub",
                    "subject": subject(*consumer, &share.scope),
                    "audiences": [share.audience],
                },
            }));
            let create = ["recipient-federation-policies", "create", &self.recipient];
            words(&[&[host.as_str(), "databricks"][..], &create, &["--json", &policy]].concat())
        };
        TrustPart { resources: Vec::new(), commands: consumers.keys().map(command).collect() }
    }
}
