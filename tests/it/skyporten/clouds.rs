//! The clouds' decisions about a token, as their references describe them: each evaluates the rendered resources.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use cel::{Context, Env};
use serde_json::Value;
use tempfile::TempDir;

/// The resources of one type.
fn of_type<'r>(
    resources: &'r BTreeMap<String, Value>,
    kind: &str,
) -> impl Iterator<Item = &'r Value> {
    let prefix = format!("{kind}.");
    resources.iter().filter(move |(name, _)| name.starts_with(&prefix)).map(|(_, body)| body)
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect()
}

/// Azure: issuer, subject and audience are equal to those of a credential.
pub(crate) fn azure(resources: &BTreeMap<String, Value>, claims: &Value) -> bool {
    of_type(resources, "azurerm_federated_identity_credential").any(|credential| {
        credential["issuer"] == claims["iss"]
            && credential["subject"] == claims["sub"]
            && texts(&credential["audience"]) == [claims["aud"].as_str().unwrap()]
    })
}

/// AWS: the account has an OIDC provider of the issuer with the audience, and the trust policy of a role allows
/// the action under conditions that hold. A key of a condition is the issuer without its scheme, and a claim.
pub(crate) fn aws(resources: &BTreeMap<String, Value>, claims: &Value) -> bool {
    let issuer = claims["iss"].as_str().unwrap();
    let audience = claims["aud"].as_str().unwrap();
    let name = issuer.split_once("://").unwrap().1;
    let is_known = of_type(resources, "aws_iam_openid_connect_provider").any(|provider| {
        provider["url"] == issuer && texts(&provider["client_id_list"]).contains(&audience)
    });
    let arn = format!("arn:aws:iam::123456789012:oidc-provider/{name}");
    let concerns = |statement: &Value| {
        let principal = &statement["principals"][0];
        assert_eq!(principal["type"], "Federated");
        assert_eq!(texts(&statement["actions"]), ["sts:AssumeRoleWithWebIdentity"]);
        texts(&principal["identifiers"]).contains(&&*arn)
    };
    let holds = |condition: &Value| {
        assert_eq!(condition["test"], "StringEquals");
        let claim = condition["variable"].as_str().unwrap().strip_prefix(&format!("{name}:"));
        claim.is_some_and(|claim| {
            texts(&condition["values"]).contains(&claims[claim].as_str().unwrap())
        })
    };
    let allows = |policy: &Value| {
        let statements = policy["statement"].as_array().unwrap();
        let counting = statements.iter().filter(|statement| {
            let conditions = statement["condition"].as_array();
            concerns(statement) && conditions.is_none_or(|all| all.iter().all(holds))
        });
        let effects: Vec<_> = counting.map(|it| it["effect"].as_str().unwrap()).collect();
        effects.contains(&"Allow") && !effects.contains(&"Deny")
    };
    is_known && of_type(resources, "data.aws_iam_policy_document").any(allows)
}

/// Google Cloud: a provider of the issuer takes the audience, its mapping in CEL gives the attributes of a
/// principal, and that principal is the member of a binding.
pub(crate) fn gcp(resources: &BTreeMap<String, Value>, claims: &Value) -> bool {
    let audience = claims["aud"].as_str().unwrap();
    of_type(resources, "google_iam_workload_identity_pool_provider").any(|provider| {
        let oidc = &provider["oidc"];
        if oidc["issuer_uri"] != claims["iss"]
            || !texts(&oidc["allowed_audiences"]).contains(&audience)
        {
            return false;
        }
        let principals: Vec<_> = mapped(&provider["attribute_mapping"], claims)
            .into_iter()
            .map(|(attribute, value)| {
                let pool = "projects/123456789012/locations/global/workloadIdentityPools/skyporten";
                match attribute.strip_prefix("google.") {
                    Some(_) => {
                        assert!(value.len() <= 127, "{value}");
                        format!("principal://iam.googleapis.com/{pool}/subject/{value}")
                    }
                    None => format!("principalSet://iam.googleapis.com/{pool}/{attribute}/{value}"),
                }
            })
            .collect();
        let bindings = of_type(resources, "google_service_account_iam_member")
            .chain(of_type(resources, "google_storage_bucket_iam_member"));
        let members: Vec<_> = bindings.map(|it| it["member"].as_str().unwrap()).collect();
        principals.iter().any(|principal| members.contains(&&**principal))
    })
}

/// The attributes of a token by a mapping of CEL expressions.
fn mapped(mapping: &Value, claims: &Value) -> BTreeMap<String, String> {
    let environment = Arc::new(Env::stdlib());
    let mut context = Context::with_env(Arc::clone(&environment));
    context.add_variable_from_value("assertion", cel::to_value(claims).unwrap());
    let mapping = mapping.as_object().unwrap().iter();
    let evaluated = mapping.map(|(attribute, expression)| {
        let program = environment.compile(expression.as_str().unwrap()).unwrap();
        match program.execute(&context).unwrap() {
            cel::Value::String(text) => (attribute.clone(), text.to_string()),
            other => panic!("{attribute}: {other:?}"),
        }
    });
    evaluated.collect()
}

/// Databricks: issuer, the claim that is the subject, and one of the audiences of a policy.
pub(crate) fn databricks(policies: &[Value], claims: &Value) -> bool {
    policies.iter().map(|it| &it["oidc_policy"]).any(|policy| {
        policy["issuer"] == claims["iss"]
            && policy["subject"] == claims[policy["subject_claim"].as_str().unwrap()]
            && texts(&policy["audiences"]).contains(&claims["aud"].as_str().unwrap())
    })
}

/// The words of the commands of a script, as a shell gives them to the programs.
pub(crate) fn commands(script: &str) -> Vec<Vec<String>> {
    let folder = TempDir::new().unwrap();
    let record = "printf '%s\\0' \"$(basename \"$0\")\" \"$@\"; printf '\\n\\0'";
    for program in ["az", "aws", "gcloud", "databricks"] {
        let path = folder.path().join(program);
        std::fs::write(&path, format!("#!/bin/sh\n{record}\n")).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
    }
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let ran = Command::new("bash").args(["-euc", script]).env("PATH", path).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let words = String::from_utf8(ran.stdout).unwrap();
    let lines = words.split_terminator("\n\0");
    lines.map(|line| line.split_terminator('\0').map(str::to_owned).collect()).collect()
}
