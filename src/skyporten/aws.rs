//! AWS: an OIDC provider for each account, and roles with a trust policy
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html>).

use std::collections::{BTreeMap, BTreeSet};

use super::terraform::{TerraformResource, label, text, texts};
use super::{CloudShare, TrustPart, TrustedShare, Value, json, spread, subject, words};
use domain::Orgno;
use domain::text::json::line;

/// The label of the provider.
const PROVIDER: &str = "skyporten";

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// The roles that consumers assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AwsRoles {
    pub(crate) account: String,
    /// The names of the roles, at least one.
    pub(crate) roles: Vec<String>,
}

/// The trust policy of a role.
pub(super) struct RolePolicy {
    /// The ARN of the OIDC provider.
    provider: String,
    /// The issuer as keys of conditions begin with it.
    issuer: String,
    audience: String,
    subjects: Vec<String>,
}

/// The issuer as AWS names it: without `https://`.
fn name(issuer: &str) -> &str {
    issuer.split_once("://").map_or(issuer, |(_, rest)| rest)
}

/// The ARN of an account's OIDC provider.
fn provider_arn(account: &str, issuer: &str) -> String {
    format!("arn:aws:iam::{account}:oidc-provider/{}", name(issuer))
}

impl RolePolicy {
    pub(super) fn new(
        account: &str,
        issuer: &str,
        share: &CloudShare,
        consumers: impl IntoIterator<Item = Orgno>,
    ) -> Self {
        Self {
            provider: provider_arn(account, issuer),
            issuer: name(issuer).to_owned(),
            audience: share.audience.clone(),
            subjects: consumers.into_iter().map(|it| subject(it, &share.scope)).collect(),
        }
    }

    /// A condition with no value would be refused, so that a role without consumers denies what it cannot allow.
    fn effect(&self) -> &'static str {
        if self.subjects.is_empty() { "Deny" } else { "Allow" }
    }

    /// The keys of conditions, each with the values of which a token must have one.
    fn conditions(&self) -> Vec<(String, Vec<String>)> {
        if self.subjects.is_empty() {
            return Vec::new();
        }
        vec![
            (format!("{}:aud", self.issuer), vec![self.audience.clone()]),
            (format!("{}:sub", self.issuer), self.subjects.clone()),
        ]
    }

    /// The policy as AWS takes it.
    pub(super) fn document(&self) -> String {
        let mut statement = json!({
            "Effect": self.effect(),
            "Principal": { "Federated": self.provider },
            "Action": ACTION,
        });
        let conditions: BTreeMap<_, _> = self.conditions().into_iter().collect();
        if !conditions.is_empty() {
            statement["Condition"] = json!({ "StringEquals": conditions });
        }
        line(&json!({ "Version": "2012-10-17", "Statement": [statement] }))
    }

    /// The policy as a data source of Terraform, in which each subject has a line of its own.
    fn terraform(&self) -> Value {
        let condition = |(key, values): &(String, Vec<String>)| json!({ "test": "StringEquals", "variable": text(key), "values": texts(values) });
        let mut statement = json!({
            "effect": self.effect(),
            "actions": [ACTION],
            "principals": [{ "type": "Federated", "identifiers": [text(&self.provider)] }],
        });
        let conditions: Vec<_> = self.conditions().iter().map(condition).collect();
        if !conditions.is_empty() {
            statement["condition"] = Value::Array(conditions);
        }
        json!({ "statement": [statement] })
    }
}

impl AwsRoles {
    /// The role that a consumer assumes.
    pub(super) fn of(&self, consumer: Orgno) -> Option<&String> {
        spread::assigned(&self.roles, consumer)
    }

    /// The roles with their policies.
    pub(super) fn roles(
        &self,
        issuer: &str,
        share: &CloudShare,
        consumers: &BTreeMap<Orgno, Option<String>>,
    ) -> TrustPart {
        let mut part = TrustPart::default();
        for role in &self.roles {
            let own = consumers.keys().copied().filter(|orgno| self.of(*orgno) == Some(role));
            let policy = RolePolicy::new(&self.account, issuer, share, own);
            let kind = "aws_iam_policy_document";
            part.resources.push(TerraformResource::data(kind, role, policy.terraform()));
            let body = json!({
                "name": text(role),
                "assume_role_policy": format!("${{data.{kind}.{}.json}}", label(role)),
                "depends_on": [format!("aws_iam_openid_connect_provider.{PROVIDER}")],
            });
            part.resources.push(TerraformResource::new("aws_iam_role", role, body));
            let document = policy.document();
            // A name can begin with `-`, and would be read as an option.
            let named = format!("--role-name={role}");
            for (command, option) in [
                ("create-role", "--assume-role-policy-document"),
                ("update-assume-role-policy", "--policy-document"),
            ] {
                let command = ["aws", "iam", command, &named, option, &document];
                part.commands.push(words(&command));
            }
        }
        part
    }
}

/// The OIDC provider of an account, with the audiences of all its shares.
pub(super) fn provider(issuer: &str, shares: &[&TrustedShare]) -> TrustPart {
    let audiences: BTreeSet<String> = shares.iter().map(|it| it.share.audience.clone()).collect();
    let mut accounts = shares.iter().filter_map(|it| Some(&it.share.clouds.aws.as_ref()?.account));
    let body = json!({ "url": text(issuer), "client_id_list": texts(&audiences) });
    let create = ["aws", "iam", "create-open-id-connect-provider", "--url", issuer];
    let mut command = words(&[&create[..], &["--client-id-list"]].concat());
    command.extend(audiences.iter().cloned());
    let arn = accounts.next().map(|account| provider_arn(account, issuer)).unwrap_or_default();
    let add = ["aws", "iam", "add-client-id-to-open-id-connect-provider"];
    let added = audiences.iter().map(|audience| {
        let options = ["--open-id-connect-provider-arn", &arn, "--client-id", audience];
        words(&[&add[..], &options].concat())
    });
    TrustPart {
        resources: vec![TerraformResource::new("aws_iam_openid_connect_provider", PROVIDER, body)],
        commands: [command].into_iter().chain(added).collect(),
    }
}
