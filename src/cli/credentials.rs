//! `portvakt credentials`: the settings of a running application, in the form of NAIS or of a cloud's SDK.

mod cloud;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::encryption::{Recipient, RecipientParser, encrypted};
use super::exit::{Exit, Failure};
use super::global::Global;
use super::log;
use super::sink::{print_exact, print_secret};
use crate::run::client::{self, RegisteredKey};
use crate::run::files::{self, WrittenFiles, all_or_none};
use crate::run::keys::slug;
use cloud::CloudArgs;
use domain::text::json::pretty;

pub(super) const ABOUT: &str = "\
Write the settings of a client's application, including its private key, or what a cloud's SDK needs

With NAME and --key it writes the settings of a client under the names that NAIS uses; the client is read from \
the API. With --cloud it writes what the SDK of a cloud needs around the file of a token of Skyporten, from the \
ids that the provider of the data has given you: offline, without a repository, and without a secret.";

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("subject").required(true).args(["name", "cloud"])))]
pub(super) struct Args {
    /// The client, by the name that it is declared by
    #[arg(requires = "key")]
    name: Option<String>,
    /// The client's private key, PEM or JWK
    #[arg(long, value_name = "FILE", requires = "name")]
    key: Option<PathBuf>,
    /// The form of what is written
    #[arg(long, default_value = "dotenv")]
    format: CredentialsFormat,
    /// A file (for dir: a folder) that is not there yet, for nobody else to read [default: stdout]
    #[arg(long, value_name = "PATH", required_if_eq("format", "dir"))]
    out: Option<PathBuf>,
    /// Encrypt to this recipient of age (age1…), in a build with the feature age; may be repeated
    #[arg(long = "encrypt-to", value_name = "RECIPIENT", value_parser = RecipientParser)]
    recipients: Vec<Recipient>,
    #[command(flatten)]
    cloud: CloudArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CredentialsFormat {
    /// NAME='value' lines, for a shell and for what reads .env files
    Dotenv,
    /// A file for each name, in a folder
    Dir,
    /// An object
    Json,
    /// A Secret of Kubernetes
    K8sSecret,
}

/// A variable and its value.
type EnvironmentVariable = (&'static str, SecretString);

/// The client whose settings are written.
struct NamedClient<'a> {
    name: &'a str,
    key: &'a Path,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    if let Some(text) = args.cloud.text()? {
        return write_for_cloud(global, args, &text);
    }
    let (Some(name), Some(key)) = (&args.name, &args.key) else {
        return Err(Failure::usage("name a client and its --key, or a --cloud"));
    };
    let application = NamedClient { name, key };
    write(global, args, &application).await
}

fn write_for_cloud(global: &Global, args: &Args, text: &str) -> Result<Exit, Failure> {
    let Some(out) = &args.out else {
        print_exact(text)?;
        return Ok(Exit::Done);
    };
    files::create(out, text)?;
    log::wrote(global, out);
    Ok(Exit::Done)
}

async fn write(
    global: &Global,
    args: &Args,
    application: &NamedClient<'_>,
) -> Result<Exit, Failure> {
    let variables = variables(global, application).await?;
    let text = match args.format {
        CredentialsFormat::Dir => {
            let out = args.out.as_deref().unwrap_or(Path::new("."));
            all_or_none(|written| write_folder(out, &variables, &args.recipients, written))?;
            return Ok(report(global, args, out));
        }
        CredentialsFormat::Dotenv => dotenv(&variables),
        CredentialsFormat::Json => json(&variables),
        CredentialsFormat::K8sSecret => k8s_secret(application.name, &variables),
    };
    let text = encrypted(text, &args.recipients)?;
    match &args.out {
        Some(out) => {
            files::create_private(out, text.expose_secret())?;
            Ok(report(global, args, out))
        }
        None => {
            print_secret(text.expose_secret())?;
            Ok(Exit::Done)
        }
    }
}

/// Reports the written files, and warns if they could be committed unencrypted.
fn report(global: &Global, args: &Args, out: &Path) -> Exit {
    log::wrote(global, out);
    if args.recipients.is_empty() {
        log::warn_of_git(global, out);
    }
    Exit::Done
}

/// The values, from the live state and from the issuer's metadata (RFC 8414).
async fn variables(
    global: &Global,
    application: &NamedClient<'_>,
) -> Result<[EnvironmentVariable; 7], Failure> {
    let opened = global.open()?;
    let (name, declared) = client::declared(&opened, application.name)?;
    client::signs_grants(name, declared)?;
    let remote = opened.connect(&global.options()).await?;
    let live = client::read(&opened, &remote.reader().await?).await?;
    let issuer = remote.issuer().await?;
    if remote.is_embedded() {
        log::report(
            global,
            "warning: these addresses are of the sandbox inside this process, and end with it; \
             run `portvakt sandbox` and name its address as the environment's target for one that \
             stays",
        );
    }
    remote.close().await?;
    let (id, live) = client::live(name, declared, &live)?;
    let RegisteredKey { key, kid, alg, registered: _ } =
        client::registered_key(application.key, name, live)?;
    let jwk = key.private_jwk(&kid, alg).map_err(Failure::failed)?;
    let endpoints = issuer.endpoints();
    let jwks_uri = endpoints.jwks.as_ref().ok_or_else(|| {
        let why = "the issuer's metadata has no jwks_uri on the issuer's own host";
        Failure::Failed(format!("{}: {why}", endpoints.well_known))
    })?;
    let public = |text: &str| SecretString::from(text);
    Ok([
        ("MASKINPORTEN_CLIENT_ID", public(id.as_str())),
        ("MASKINPORTEN_CLIENT_JWK", jwk),
        ("MASKINPORTEN_SCOPES", live.scopes().collect::<Vec<_>>().join(" ").into()),
        ("MASKINPORTEN_WELL_KNOWN_URL", public(endpoints.well_known.as_str())),
        ("MASKINPORTEN_ISSUER", public(issuer.issuer())),
        ("MASKINPORTEN_TOKEN_ENDPOINT", public(endpoints.token.as_str())),
        ("MASKINPORTEN_JWKS_URI", public(jwks_uri.as_str())),
    ])
}

/// In single quotes no character but the quote itself has a meaning, and no value has one: ids, base64url,
/// addresses, and scopes, in which a quote is written so that a shell understands it.
fn dotenv(variables: &[EnvironmentVariable]) -> SecretString {
    let quoted =
        |value: &SecretString| Zeroizing::new(value.expose_secret().replace('\'', r"'\''"));
    let lines: Vec<_> = variables.iter().map(|(name, value)| (*name, quoted(value))).collect();
    let length = lines.iter().map(|(name, value)| name.len() + value.len() + "=''\n".len());
    // Allocated at its final size: a text that grows leaves copies in memory.
    let mut text = String::with_capacity(length.sum());
    for (name, value) in &lines {
        for part in [name, "='", value.as_str(), "'\n"] {
            text.push_str(part);
        }
    }
    text.into()
}

fn object(variables: &[EnvironmentVariable]) -> serde_json::Map<String, serde_json::Value> {
    let entry =
        |(name, value): &EnvironmentVariable| ((*name).to_owned(), value.expose_secret().into());
    variables.iter().map(entry).collect()
}

fn json(variables: &[EnvironmentVariable]) -> SecretString {
    pretty(&object(variables)).into()
}

/// A v1 `Secret`; its name is the client's, converted to a DNS label (RFC 1123).
fn k8s_secret(name: &str, variables: &[EnvironmentVariable]) -> SecretString {
    let slug = slug(name);
    let name = match slug.trim_end_matches('-') {
        // Older readers of YAML read these as true or false.
        word @ ("y" | "n" | "on" | "off" | "yes" | "no") => format!("client-{word}"),
        name => name.to_owned(),
    };
    let secret = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name },
        "type": "Opaque",
        "stringData": object(variables),
    });
    // Serialising plain data with string keys does not fail.
    serde_yaml::to_string(&secret).unwrap_or_default().into()
}

fn write_folder(
    out: &Path,
    variables: &[EnvironmentVariable],
    recipients: &[Recipient],
    written: &mut WrittenFiles,
) -> Result<(), Failure> {
    written.create_private_folder(out)?;
    for (name, value) in variables {
        let text = encrypted(value.clone(), recipients)?;
        let file = if recipients.is_empty() { (*name).to_owned() } else { format!("{name}.age") };
        written.create_private(&out.join(file), text.expose_secret())?;
    }
    Ok(())
}
