//! Terraform reads what is rendered for it. Its providers cannot be fetched here, so that the names of arguments are
//! compared with the providers' documentation.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::provider::{rendered, resources, world};
use crate::programs::left_out;

/// The arguments that each resource has in the documentation of its provider: hashicorp/azurerm, hashicorp/google
/// and hashicorp/aws, under `docs/resources` and `docs/data-sources`. The required ones come first, up to `|`.
const ARGUMENTS: [(&str, &str); 8] = [
    (
        "azurerm_federated_identity_credential",
        "name resource_group_name parent_id issuer subject audience |",
    ),
    (
        "google_iam_workload_identity_pool",
        "workload_identity_pool_id | project display_name description disabled",
    ),
    (
        "google_iam_workload_identity_pool_provider",
        "workload_identity_pool_id workload_identity_pool_provider_id | project display_name description disabled \
         attribute_mapping attribute_condition oidc",
    ),
    ("google_service_account_iam_member", "service_account_id role member | condition"),
    ("google_storage_bucket_iam_member", "bucket role member | condition"),
    ("aws_iam_openid_connect_provider", "url client_id_list | thumbprint_list tags"),
    (
        "aws_iam_role",
        "assume_role_policy | name name_prefix description path max_session_duration permissions_boundary tags",
    ),
    (
        "data.aws_iam_policy_document",
        "| policy_id source_policy_documents override_policy_documents statement version",
    ),
];

#[test]
fn resources_have_the_arguments_of_their_documentation() {
    let world = world();
    let mut seen = 0;
    for (name, body) in resources(&rendered(&world, &[])) {
        let (kind, _) = name.rsplit_once('.').unwrap();
        let (_, arguments) = ARGUMENTS.iter().find(|(known, _)| *known == kind).unwrap();
        let (required, optional) = arguments.split_once('|').unwrap();
        let has = |list: &str, key: &str| list.split_whitespace().any(|it| it == key);
        let keys: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        for key in keys.iter().filter(|key| !["//", "depends_on"].contains(*key)) {
            assert!(has(required, key) || has(optional, key), "{name} has no {key}");
        }
        for key in required.split_whitespace() {
            assert!(keys.contains(&key), "{name} needs {key}");
        }
        seen += 1;
    }
    assert!(seen >= 7, "{seen}");
}

fn has_terraform(check: &str) -> bool {
    let is_there = Command::new("terraform").arg("version").output().is_ok();
    if !is_there {
        left_out(check, "there is no terraform on the PATH");
    }
    is_there
}

fn terraform(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::new("terraform");
    command
        .args(args)
        .current_dir(folder)
        .env("CHECKPOINT_DISABLE", "1")
        .env("TF_IN_AUTOMATION", "1");
    let ran = command.output().unwrap();
    let (out, err) =
        (String::from_utf8(ran.stdout).unwrap(), String::from_utf8_lossy(&ran.stderr).into_owned());
    assert!(ran.status.success(), "terraform {args:?}: {out}{err}");
    out
}

/// `terraform providers` loads a folder, with every resource and its references to others as far as that needs no
/// provider.
#[test]
fn terraform_loads_each_folder() {
    if !has_terraform("folders for Terraform") {
        return;
    }
    let world = world();
    rendered(&world, &[]);
    for (account, provider) in [
        ("aws-123456789012", "hashicorp/aws"),
        ("azure-00000000-0000-0000-0000-000000000000", "hashicorp/azurerm"),
        ("gcp-123456789012", "hashicorp/google"),
    ] {
        let folder = world.folder().join("clouds").join(account);
        let shown = terraform(&folder, &["providers", "-no-color"]);
        assert!(shown.contains(provider), "{shown}");
    }
}

/// The values of a resource, as Terraform evaluates them, with the references between resources left out.
fn evaluated(resources: &BTreeMap<String, Value>) -> Value {
    let folder = TempDir::new().unwrap();
    let labels: Map<String, Value> = resources
        .iter()
        .map(|(name, body)| (name.replace('.', "-"), json!({ "input": body })))
        .collect();
    let document = json!({ "resource": { "terraform_data": labels } });
    std::fs::write(folder.path().join("main.tf.json"), document.to_string()).unwrap();
    terraform(folder.path(), &["init", "-no-color", "-input=false"]);
    terraform(folder.path(), &["plan", "-no-color", "-input=false", "-out=plan"]);
    let shown = terraform(folder.path(), &["show", "-json", "plan"]);
    serde_json::from_str(&shown).unwrap()
}

/// A built-in resource takes the texts in the place of the providers' own.
#[test]
fn terraform_reads_texts_as_they_are_meant() {
    if !has_terraform("texts for Terraform") {
        return;
    }
    let world = world();
    let mut all = resources(&rendered(&world, &[]));
    for body in all.values_mut() {
        body.as_object_mut().unwrap().retain(|key, value| {
            key != "//" && !value.as_str().is_some_and(|text| text.starts_with("${"))
        });
    }
    let plan = evaluated(&all);
    let planned = plan["planned_values"]["root_module"]["resources"].as_array().unwrap();
    assert_eq!(planned.len(), all.len());
    for resource in planned {
        let label = resource["name"].as_str().unwrap();
        let (_, body) = all.iter().find(|(name, _)| name.replace('.', "-") == label).unwrap();
        assert_eq!(&resource["values"]["input"], body, "{label}");
    }
}
