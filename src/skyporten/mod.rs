//! Trust of cloud resources in Skyporten's tokens, made from the declarations of scopes and of the resources that
//! their consumers reach. Pure: text from values.
//!
//! Facts: DigDir's guides to Skyporten (<https://docs.digdir.no/docs/Maskinporten/maskinporten_skyporten>) and each
//! cloud's reference, named in its file. A cloud decides by the organisation and the scope, which Skyporten puts
//! into the claims `sub`, `consumer` and `scope`; by `aud`; and by the issuer. It never decides by `client_id`.

mod aws;
mod azure;
mod databricks;
mod exclusive;
mod forms;
mod gcp;
mod limits;
mod spread;
mod terraform;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use domain::text::json::pretty;
use domain::text::{is_rendered_from, printable, rendered_from, shell};
use domain::{Orgno, ScopeName, Source};

pub(crate) use aws::AwsRoles;
pub(crate) use azure::AzureIdentities;
pub(crate) use databricks::DeltaRecipient;
pub(crate) use exclusive::ExclusiveResource;
pub(crate) use forms::{NameForm, is_plain_scope, is_uri};
pub(crate) use gcp::{GcpAccess, GcpResource};
pub(crate) use limits::{Exceeded, exceeded};
pub(crate) use spread::MOST_NAMES;
use terraform::TerraformResource;

/// A cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TrustingCloud {
    /// Federated credentials of managed identities.
    Azure,
    /// A provider of a workload identity pool, and bindings.
    Gcp,
    /// An OIDC provider, and the trust policies of roles.
    Aws,
    /// Federation policies of a recipient of Delta Sharing, as commands only.
    Databricks,
}

/// The form in which trust is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrustForm {
    /// Terraform's JSON syntax, in files `.tf.json`.
    Terraform,
    /// Lines of `az`, `gcloud`, `aws` and `databricks`, in files `.sh`.
    Cli,
}

/// The resources in each cloud, as they are declared for one environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Clouds {
    pub(crate) azure: Option<AzureIdentities>,
    pub(crate) gcp: Option<GcpAccess>,
    pub(crate) aws: Option<AwsRoles>,
    pub(crate) databricks: Option<DeltaRecipient>,
}

/// Cloud resources that the consumers of a scope reach, in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CloudShare {
    /// Its name, which is unique in the environment.
    pub(crate) name: String,
    /// The scope that its consumers have.
    pub(crate) scope: ScopeName,
    /// The audience that tokens must have.
    pub(crate) audience: String,
    pub(crate) clouds: Clouds,
    /// Where it is declared.
    pub(crate) source: Source,
}

/// A share with the organisations that reach it, and their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrustedShare {
    pub(crate) share: CloudShare,
    pub(crate) consumers: BTreeMap<Orgno, Option<String>>,
}

/// All shares of an environment: the parts of a cloud that several of them use are made from all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CloudTrust {
    /// The organisation whose declarations these are.
    pub(crate) organization: Orgno,
    /// Their place, in one environment: its name, with the project if there is one.
    pub(crate) place: String,
    /// Skyporten's issuer, without a slash at the end.
    pub(crate) issuer: String,
    /// The shares, in the order of their names.
    pub(crate) shares: Vec<TrustedShare>,
}

/// A rendered file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrustFile {
    /// The folder: the cloud and the account, as a provider of Terraform is configured for one.
    pub(crate) folder: String,
    /// The name, without the folder.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The content of a file before it has a form.
#[derive(Debug, Default)]
struct TrustPart {
    resources: Vec<TerraformResource>,
    commands: Vec<Vec<String>>,
}

/// The claim `sub` of a token for an organisation and a scope.
fn subject(consumer: Orgno, scope: &ScopeName) -> String {
    format!("{};{scope}", consumer.claim_id())
}

/// The name of whatever belongs to one consumer of a share.
fn consumer_label(share: &CloudShare, consumer: Orgno) -> String {
    format!("{}-{consumer}", share.name)
}

impl TrustForm {
    /// The end of the names of files.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Terraform => "tf.json",
            Self::Cli => "sh",
        }
    }
}

impl TrustingCloud {
    /// All of them, in the order in which they are rendered.
    pub(crate) const ALL: [Self; 4] = [Self::Aws, Self::Azure, Self::Databricks, Self::Gcp];

    /// The beginning of the names of its folders.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Azure => "azure-",
            Self::Gcp => "gcp-",
            Self::Aws => "aws-",
            Self::Databricks => "databricks-",
        }
    }

    /// The account of a share in this cloud.
    fn account(self, clouds: &Clouds) -> Option<&str> {
        let Clouds { azure, gcp, aws, databricks } = clouds;
        match self {
            Self::Azure => azure.as_ref().map(|it| it.subscription.as_str()),
            Self::Gcp => gcp.as_ref().map(|it| it.project_number.as_str()),
            Self::Aws => aws.as_ref().map(|it| it.account.as_str()),
            Self::Databricks => databricks.as_ref().map(|it| it.workspace.as_str()),
        }
    }
}

impl CloudTrust {
    /// The first line of every file. Of two repositories or folders that render into one folder, neither may take the
    /// files of the other for its own.
    fn marker(&self) -> String {
        rendered_from(&self.declarations())
    }

    fn declarations(&self) -> String {
        format!("{} (organisation {})", self.place, self.organization)
    }

    /// Whether a file is rendered from the declarations of the same organisation, project and environment.
    pub(crate) fn has_rendered(&self, text: &str) -> bool {
        is_rendered_from(text, &self.declarations())
    }

    /// The files of the chosen shares, and of what they share with others, in the order in which commands are to be
    /// run. Databricks' provider for Terraform has no resource that belongs to a recipient, so that there is no file
    /// for it in that form.
    pub(crate) fn render(
        &self,
        form: TrustForm,
        clouds: &[TrustingCloud],
        is_chosen: impl Fn(&CloudShare) -> bool,
    ) -> Vec<TrustFile> {
        let mut files = Vec::new();
        for cloud in TrustingCloud::ALL.into_iter().filter(|cloud| clouds.contains(cloud)) {
            if cloud == TrustingCloud::Databricks && form == TrustForm::Terraform {
                continue;
            }
            let mut accounts: BTreeMap<&str, Vec<&TrustedShare>> = BTreeMap::new();
            for trusted in &self.shares {
                if let Some(account) = cloud.account(&trusted.share.clouds) {
                    accounts.entry(account).or_default().push(trusted);
                }
            }
            for (account, shares) in accounts {
                let chosen: Vec<_> = shares.iter().filter(|it| is_chosen(&it.share)).collect();
                if chosen.is_empty() {
                    continue;
                }
                let folder = format!("{}{account}", cloud.prefix());
                if let Some((part, origin)) = self.common(cloud, &shares) {
                    files.push(self.file(form, &folder, None, origin, part));
                }
                for TrustedShare { share, consumers } in chosen {
                    let part = self.part(cloud, share, consumers);
                    let origin = share.origin(consumers.is_empty());
                    files.push(self.file(form, &folder, Some(&share.name), origin, part));
                }
            }
        }
        files
    }

    /// What the shares of an account use together, and the line that says so.
    fn common(
        &self,
        cloud: TrustingCloud,
        shares: &[&TrustedShare],
    ) -> Option<(TrustPart, String)> {
        let part = match cloud {
            TrustingCloud::Gcp => gcp::providers(&self.issuer, shares),
            TrustingCloud::Aws => aws::provider(&self.issuer, shares),
            TrustingCloud::Azure | TrustingCloud::Databricks => return None,
        };
        let names =
            shares.iter().map(|it| printable(&it.share.name)).collect::<Vec<_>>().join(", ");
        Some((part, format!("Skyporten as an issuer of tokens, for {names}")))
    }

    fn part(
        &self,
        cloud: TrustingCloud,
        share: &CloudShare,
        consumers: &BTreeMap<Orgno, Option<String>>,
    ) -> TrustPart {
        let Clouds { azure, gcp, aws, databricks } = &share.clouds;
        let part = match cloud {
            TrustingCloud::Azure => {
                azure.as_ref().map(|it| it.credentials(&self.issuer, share, consumers))
            }
            TrustingCloud::Gcp => gcp.as_ref().map(|it| it.bindings(share, consumers)),
            TrustingCloud::Aws => aws.as_ref().map(|it| it.roles(&self.issuer, share, consumers)),
            TrustingCloud::Databricks => {
                databricks.as_ref().map(|it| it.policies(&self.issuer, share, consumers))
            }
        };
        part.unwrap_or_default()
    }

    fn file(
        &self,
        form: TrustForm,
        folder: &str,
        share: Option<&str>,
        origin: String,
        part: TrustPart,
    ) -> TrustFile {
        let lines = [self.marker(), origin];
        // No share can have a name that begins with `_`.
        let name = format!("{}.{}", share.unwrap_or("_issuer"), form.extension());
        let TrustPart { resources, commands } = part;
        let text = match form {
            TrustForm::Terraform => terraform::document(&lines, resources),
            TrustForm::Cli => script(&lines, &commands),
        };
        TrustFile { folder: folder.to_owned(), name, text }
    }
}

impl CloudShare {
    /// The line that says where it comes from. It does not count the consumers, so that one that comes or goes
    /// changes no other line.
    fn origin(&self, is_empty: bool) -> String {
        let who = if is_empty { "nobody is declared" } else { "the declared consumers" };
        let text = format!("{}: {} ({}), {who}", self.name, self.scope, self.source.file);
        printable(&text).into_owned()
    }
}

/// The comment about a consumer.
fn comment(consumer: Orgno, name: Option<&str>) -> String {
    printable(&consumer.with_name(name)).into_owned()
}

/// The words of a command line.
fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Command lines with comments at their top.
fn script(comments: &[String], commands: &[Vec<String>]) -> String {
    let comments = comments.iter().map(|line| format!("# {line}\n"));
    let lines = commands.iter().map(|words| shell::line(words) + "\n");
    comments.chain(lines).collect()
}
