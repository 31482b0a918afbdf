//! What the SDK of a cloud needs around the file of a token of Skyporten (`credentials --cloud`).
//!
//! All of it comes from the provider of the data, and none of it is secret: only the token in the file is.

use clap::ValueEnum;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{EnvironmentVariable, dotenv};
use crate::cli::exit::Failure;
use crate::skyporten::NameForm;
use domain::text::json::pretty;

/// The arguments for a cloud.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "For a cloud that trusts Skyporten")]
pub(super) struct CloudArgs {
    /// Write what the SDK of this cloud needs around the file of a token of Skyporten
    #[arg(
        long,
        value_name = "CLOUD",
        requires = "token_file",
        conflicts_with_all = ["key", "format", "recipients"]
    )]
    cloud: Option<CloudSdk>,
    /// The file that `token --skyporten --out` writes, as the application finds it
    #[arg(long, value_name = "FILE", requires = "cloud", value_parser = token_file)]
    token_file: Option<String>,
    /// The client id of the provider's managed identity or application
    #[arg(long, value_name = "GUID", requires = "cloud", value_parser = guid)]
    azure_client_id: Option<String>,
    /// The provider's tenant
    #[arg(long, value_name = "GUID", requires = "cloud", value_parser = guid)]
    azure_tenant: Option<String>,
    /// The number of the provider's project
    #[arg(long, value_name = "NUMBER", requires = "cloud", value_parser = project_number)]
    gcp_project_number: Option<String>,
    /// The provider's workload identity pool
    #[arg(long, value_name = "ID", requires = "cloud", value_parser = pool)]
    gcp_pool: Option<String>,
    /// The provider in that pool
    #[arg(long, value_name = "ID", requires = "cloud", value_parser = pool)]
    gcp_provider: Option<String>,
    /// The service account to act as, if the provider has given access to one
    #[arg(long, value_name = "EMAIL", requires = "cloud", value_parser = service_account)]
    gcp_service_account: Option<String>,
    /// The provider's role
    #[arg(long, value_name = "ARN", requires = "cloud", value_parser = role)]
    aws_role: Option<String>,
    /// The name of the session, which the provider's log shows [default: skyporten]
    #[arg(long, value_name = "NAME", requires = "cloud", value_parser = session_name)]
    aws_session_name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CloudSdk {
    /// Variables for Azure's SDKs and tools
    Azure,
    /// A credential file (`external_account`) for Google's SDKs and tools
    Gcp,
    /// Variables for AWS's SDKs and tools
    Aws,
}

impl CloudArgs {
    /// The file that the SDK reads, or its variables; `None` where the credentials of a client are asked for.
    ///
    /// # Errors
    /// An argument is missing, or is one of another cloud.
    pub(super) fn text(&self) -> Result<Option<String>, Failure> {
        let Some(cloud) = self.cloud else { return Ok(None) };
        let arguments = self.arguments();
        let foreign = arguments.iter().find(|(of, _, value)| *of != cloud && value.is_some());
        if let Some((_, flag, _)) = foreign {
            let why = format!("{flag} is of another cloud than --cloud {}", cloud.name());
            return Err(Failure::Usage(why));
        }
        let value = |wanted: &str| {
            let found = arguments.iter().find(|(_, flag, _)| *flag == wanted);
            found.and_then(|(_, _, value)| *value)
        };
        let required = |flag: &str| {
            value(flag).ok_or_else(|| {
                Failure::Usage(format!(
                    "--cloud {} needs {flag}: the provider of the data has it",
                    cloud.name()
                ))
            })
        };
        let token_file = self.token_file.as_deref().unwrap_or_default();
        Ok(Some(match cloud {
            CloudSdk::Azure => variables([
                ("AZURE_CLIENT_ID", required("--azure-client-id")?),
                ("AZURE_TENANT_ID", required("--azure-tenant")?),
                ("AZURE_FEDERATED_TOKEN_FILE", token_file),
            ]),
            CloudSdk::Gcp => {
                let (number, pool) = (required("--gcp-project-number")?, required("--gcp-pool")?);
                let provider = required("--gcp-provider")?;
                let mut account = json!({
                    "universe_domain": "googleapis.com",
                    "type": "external_account",
                    "audience": format!(
                        "//iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/{pool}/\
                         providers/{provider}"
                    ),
                    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                    "token_url": "https://sts.googleapis.com/v1/token",
                    "credential_source": { "file": token_file, "format": { "type": "text" } },
                });
                if let Some(email) = value("--gcp-service-account") {
                    account["service_account_impersonation_url"] = format!(
                        "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{email}:\
                         generateAccessToken"
                    )
                    .into();
                }
                pretty(&account)
            }
            CloudSdk::Aws => variables([
                ("AWS_ROLE_ARN", required("--aws-role")?),
                ("AWS_WEB_IDENTITY_TOKEN_FILE", token_file),
                ("AWS_ROLE_SESSION_NAME", value("--aws-session-name").unwrap_or("skyporten")),
            ]),
        }))
    }

    /// The arguments that belong to one cloud.
    fn arguments(&self) -> [(CloudSdk, &'static str, Option<&str>); 8] {
        let Self {
            cloud: _,
            token_file: _,
            azure_client_id,
            azure_tenant,
            gcp_project_number,
            gcp_pool,
            gcp_provider,
            gcp_service_account,
            aws_role,
            aws_session_name,
        } = self;
        [
            (CloudSdk::Azure, "--azure-client-id", azure_client_id.as_deref()),
            (CloudSdk::Azure, "--azure-tenant", azure_tenant.as_deref()),
            (CloudSdk::Gcp, "--gcp-project-number", gcp_project_number.as_deref()),
            (CloudSdk::Gcp, "--gcp-pool", gcp_pool.as_deref()),
            (CloudSdk::Gcp, "--gcp-provider", gcp_provider.as_deref()),
            (CloudSdk::Gcp, "--gcp-service-account", gcp_service_account.as_deref()),
            (CloudSdk::Aws, "--aws-role", aws_role.as_deref()),
            (CloudSdk::Aws, "--aws-session-name", aws_session_name.as_deref()),
        ]
    }
}

impl CloudSdk {
    fn name(self) -> &'static str {
        match self {
            Self::Azure => "azure",
            Self::Gcp => "gcp",
            Self::Aws => "aws",
        }
    }
}

fn variables(entries: [(&'static str, &str); 3]) -> String {
    let entries: [EnvironmentVariable; 3] = entries.map(|(name, value)| (name, value.into()));
    dotenv(&entries).expose_secret().to_owned()
}

fn checked(text: &str, is_right: bool, why: &'static str) -> Result<String, &'static str> {
    if is_right { Ok(text.to_owned()) } else { Err(why) }
}

fn token_file(text: &str) -> Result<String, &'static str> {
    let is_absolute = text.starts_with('/') || std::path::Path::new(text).is_absolute();
    let is_right = is_absolute && text.len() <= 4096 && !text.contains(char::is_control);
    checked(text, is_right, "write the absolute path that the application reads the token at")
}

fn guid(text: &str) -> Result<String, &'static str> {
    let why = "write a GUID such as 11111111-2222-3333-4444-555555555555";
    checked(text, NameForm::Guid.matches(text), why).map(|id| id.to_ascii_lowercase())
}

fn project_number(text: &str) -> Result<String, &'static str> {
    let is_right = NameForm::ProjectNumber.matches(text);
    checked(text, is_right, "write the project's number, such as 123456789012, and not its id")
}

/// The id of a pool or of a provider in one (Google's documentation of workload identity federation).
fn pool(text: &str) -> Result<String, &'static str> {
    let is_right = NameForm::Pool.matches(text);
    checked(text, is_right, "an id has 4 to 32 of a-z, 0-9 and -, and does not begin with gcp-")
}

/// The address of a service account. A provider that does not use portvakt may share one that Google made, such as
/// `1-compute@developer.gserviceaccount.com`, which no entry of `skyporten` can name.
fn service_account(text: &str) -> Result<String, &'static str> {
    let is_usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    let is_account = text.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty()
            && domain.ends_with(".gserviceaccount.com")
            && [name, domain].iter().all(|part| part.chars().all(is_usual))
    });
    let is_right = is_account && text.len() <= 254;
    checked(text, is_right, "write it as NAME@PROJECT.iam.gserviceaccount.com")
}

/// The ARN of a role (AWS's documentation of IAM identifiers).
fn role(text: &str) -> Result<String, &'static str> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let is_role = match parts[..] {
        ["arn", partition, "iam", "", account, resource] => {
            (partition == "aws" || partition.starts_with("aws-"))
                && partition.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && resource.strip_prefix("role/").is_some_and(|name| {
                    (1..=576).contains(&name.len()) && name.chars().all(is_of_names)
                })
        }
        _ => false,
    };
    checked(
        text,
        is_role,
        "write the ARN of a role, such as arn:aws:iam::123456789012:role/lager-les",
    )
}

/// The name of a session (AWS's documentation of `AssumeRoleWithWebIdentity`).
fn session_name(text: &str) -> Result<String, &'static str> {
    let is_right =
        (2..=64).contains(&text.len()) && text.chars().all(|c| is_of_names(c) && c != '/');
    checked(text, is_right, "a name of a session has 2 to 64 letters, digits and _+=,.@-")
}

fn is_of_names(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_checked_for_its_form() {
        type Parser = fn(&str) -> Result<String, &'static str>;
        let cases: [(Parser, &[&str], &[&str]); 7] = [
            (token_file, &["/run/sky/token", "/a b"], &["token", "", "./x", "/a\nb"]),
            (
                guid,
                &["11111111-2222-3333-4444-55555555555F"],
                &["", "11111111222233334444555555555555", "1111111g-2222-3333-4444-555555555555"],
            ),
            (project_number, &["123456789012"], &["", "etaten-data", "1 2", "0123"]),
            (pool, &["skyporten", "a-1b"], &["abc", "gcp-pool", "Skyporten", "a/../b"]),
            (
                service_account,
                &["lager@etat.iam.gserviceaccount.com", "1-compute@developer.gserviceaccount.com"],
                &["lager@etat.example", "@x.gserviceaccount.com", "a/b@x.iam.gserviceaccount.com"],
            ),
            (
                role,
                &["arn:aws:iam::123456789012:role/lager", "arn:aws-cn:iam::123456789012:role/a/b"],
                &[
                    "lager",
                    "arn:aws:iam::1234:role/lager",
                    "arn:aws:iam::123456789012:user/lager",
                    "arn:aws:iam::123456789012:role/",
                    "arn:gcp:iam::123456789012:role/lager",
                    "arn:aws:iam::123456789012:role/a'b",
                ],
            ),
            (session_name, &["etaten", "a@b"], &["a", "a/b", "a b"]),
        ];
        for (parser, right, wrong) in cases {
            for text in right {
                assert!(parser(text).is_ok_and(|read| read.eq_ignore_ascii_case(text)), "{text}");
            }
            for text in wrong {
                parser(text).unwrap_err();
            }
        }
    }
}
