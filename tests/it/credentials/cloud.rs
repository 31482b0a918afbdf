//! `portvakt credentials --cloud`: it reads nothing, and needs no repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Ran, program};

const TOKEN: [&str; 2] = ["--token-file", "/run/sky/it's a token"];
const AZURE: [&str; 6] = [
    "--cloud",
    "azure",
    "--azure-client-id",
    "11111111-2222-3333-4444-555555555555",
    "--azure-tenant",
    "66666666-7777-8888-9999-000000000000",
];
const GCP: [&str; 8] = [
    "--cloud",
    "gcp",
    "--gcp-project-number",
    "123456789012",
    "--gcp-pool",
    "skyporten",
    "--gcp-provider",
    "maskinporten",
];
const AWS: [&str; 4] = ["--cloud", "aws", "--aws-role", "arn:aws:iam::123456789012:role/lager-les"];

fn ran(folder: &Path, args: &[&str]) -> Ran {
    Ran::of(program().current_dir(folder).arg("credentials").args(args))
}

fn printed(args: &[&str]) -> String {
    let folder = TempDir::new().unwrap();
    let ran = ran(folder.path(), &[&TOKEN, args].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stderr);
    ran.stdout
}

/// The variables of a shell that has sourced the text.
fn sourced(text: &str) -> BTreeMap<String, String> {
    let script = "set -eu; set -a; eval \"$1\"; exec env -0";
    let shell = Command::new("bash").args(["-c", script, "bash", text]).env_clear().output();
    let text = String::from_utf8(shell.unwrap().stdout).unwrap();
    let entries = text.split('\0').filter_map(|entry| entry.split_once('='));
    let entries =
        entries.filter(|(name, _)| name.starts_with("AZURE_") || name.starts_with("AWS_"));
    entries.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn azure_and_aws_read_variables() {
    let expected = |entries: [(&str, &str); 3]| {
        entries.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    };
    let azure: BTreeMap<_, _> = expected([
        ("AZURE_CLIENT_ID", AZURE[3]),
        ("AZURE_TENANT_ID", AZURE[5]),
        ("AZURE_FEDERATED_TOKEN_FILE", TOKEN[1]),
    ]);
    assert_eq!(sourced(&printed(&AZURE)), azure);
    let aws = |session| {
        expected([
            ("AWS_ROLE_ARN", AWS[3]),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", TOKEN[1]),
            ("AWS_ROLE_SESSION_NAME", session),
        ])
    };
    assert_eq!(sourced(&printed(&AWS)), aws("skyporten"));
    let named = [&AWS[..], &["--aws-session-name", "etaten"]].concat();
    assert_eq!(sourced(&printed(&named)), aws("etaten"));
}

#[test]
fn google_reads_a_file() {
    let read = |args: &[&str]| serde_json::from_str::<Value>(&printed(args)).unwrap();
    let plain = read(&GCP);
    assert_eq!(
        plain,
        json!({
            "universe_domain": "googleapis.com",
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/123456789012/locations/global/\
                         workloadIdentityPools/skyporten/providers/maskinporten",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": { "file": TOKEN[1], "format": { "type": "text" } },
        })
    );
    let account = ["--gcp-service-account", "lager@etat.iam.gserviceaccount.com"];
    let impersonating = read(&[&GCP[..], &account].concat());
    assert_eq!(
        impersonating["service_account_impersonation_url"],
        "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/\
         lager@etat.iam.gserviceaccount.com:generateAccessToken"
    );
}

#[test]
fn a_file_is_written_once() {
    let folder = TempDir::new().unwrap();
    let args = [&GCP[..], &TOKEN, &["--out", "gcp.json"]].concat();
    let written = ran(folder.path(), &args);
    assert_eq!((written.code, written.stdout.as_str()), (0, ""), "{}", written.stderr);
    assert_eq!(written.stderr, "wrote gcp.json\n");
    assert_eq!(fs::read_to_string(folder.path().join("gcp.json")).unwrap(), printed(&GCP));
    let again = ran(folder.path(), &args);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("never overwritten"), "{}", again.stderr);
}

#[test]
fn what_is_missing_wrong_or_of_another_cloud_is_wrong_usage() {
    let folder = TempDir::new().unwrap();
    let is_refused = |args: &[&str], message: &str| {
        let ran = ran(folder.path(), args);
        assert_eq!((ran.code, ran.stdout.as_str()), (64, ""), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
    };
    let with = |args: &[&'static str]| [args, &TOKEN].concat();
    is_refused(&AZURE, "--token-file");
    is_refused(&TOKEN, "--cloud");
    is_refused(&with(&AZURE[..4]), "--cloud azure needs --azure-tenant");
    is_refused(&with(&GCP[..6]), "--cloud gcp needs --gcp-provider");
    is_refused(&with(&AWS[..2]), "--cloud aws needs --aws-role");
    let mixed = [&AZURE[..], &AWS[2..]].concat();
    is_refused(&with(&mixed), "--aws-role is of another cloud than --cloud azure");
    is_refused(&with(&[&AWS[..2], &["--aws-role", "lager-les"]].concat()), "the ARN of a role");
    is_refused(&[&AWS[..], &["--token-file", "token"]].concat(), "absolute path");
    is_refused(&with(&["--cloud", "gcp", "--gcp-project-number", "etaten"]), "not its id");
    for of_a_client in [&["klient"][..], &["--key", "k"], &["--format", "json"]] {
        is_refused(&with(&[&AWS[..], of_a_client].concat()), "cannot be used with");
    }
    is_refused(&["klient"], "--key");
    is_refused(&[], "NAME|--cloud");
}
