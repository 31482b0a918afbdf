//! `portvakt token`.

use std::path::PathBuf;

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use url::Url;

use super::exit::{Exit, Failure};
use super::global::Global;
use super::sink::{print, print_secret};
use super::{interrupt, log};
use crate::advice::TokenClient;
use crate::run::client::{self, RegisteredKey};
use digdir::{Content, Credentials, Issued, Wanted};
use domain::text::json::pretty;
use domain::{ConsumedScope, LiveClient, Orgno};

/// The command's arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The client, by the name that it is declared by
    #[arg(long, value_name = "NAME")]
    client: String,
    /// The private key that the client signs with, PEM or JWK
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A scope that the token is to carry; may be repeated [default: all of the client's]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<ConsumedScope>,
    /// The audience of the token; may be repeated
    #[arg(long, value_name = "RESOURCE", value_parser = resource)]
    resource: Vec<String>,
    /// The consumer that has delegated the scope to the client's organisation
    #[arg(long, value_name = "ORGNO")]
    consumer_org: Option<Orgno>,
    /// Show the header beside the claims
    #[arg(long)]
    decode: bool,
    /// Print the token itself, and nothing else
    #[arg(long, conflicts_with = "decode")]
    print: bool,
}

/// An absolute URI without a fragment (RFC 8707 section 2).
fn resource(text: &str) -> Result<String, &'static str> {
    match Url::parse(text) {
        Ok(uri) if uri.fragment().is_none() => Ok(text.to_owned()),
        Ok(_) | Err(_) => {
            Err("write an absolute URI without a fragment, such as https://api.etat.example")
        }
    }
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    interrupt::unless(interrupt::listen()?, get(global, args)).await
}

async fn get(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let opened = global.open()?;
    let (name, declared) = client::declared(&opened, &args.client)?;
    let remote = opened.connect(&global.options()).await?;
    let live = client::read(&opened, &remote.reader().await?).await?;
    let (id, live) = client::live(name, declared, &live)?;
    client::signs_grants(name, declared)?;
    let RegisteredKey { key, kid, alg, registered } =
        client::registered_key(&args.key, name, live)?;
    let credentials = Credentials::from_application_key(id, &key, &kid, alg);
    let wanted = Wanted {
        scopes: scopes(args, live)?,
        resource: args.resource.clone(),
        consumer_org: args.consumer_org,
    };
    let issuer = remote.issuer().await?;
    let application = TokenClient {
        name: name.to_string(),
        scopes: live.scopes().map(str::to_owned).collect(),
        kid: kid.to_string(),
        registered,
        organization: opened.desired.organization,
        own_prefixes: opened.repository.settings().prefixes.clone(),
    };
    let issued = issuer.token(&credentials, &wanted).await;
    let issued = issued.map_err(|error| Failure::Failed(application.advised(&error, &wanted)));
    remote.close().await?;
    show(global, args, &issued?)?;
    Ok(Exit::Done)
}

fn scopes(args: &Args, live: &LiveClient) -> Result<Vec<String>, Failure> {
    if !args.scopes.is_empty() {
        return Ok(args.scopes.iter().map(ToString::to_string).collect());
    }
    let scopes: Vec<String> = live.scopes().map(str::to_owned).collect();
    match scopes.is_empty() {
        true => {
            let why = "the client has no scope, so there is nothing that a token could be for: \
                       declare one under `scopes` and apply";
            Err(Failure::Failed(why.to_owned()))
        }
        false => Ok(scopes),
    }
}

fn show(global: &Global, args: &Args, issued: &Issued) -> Result<(), Failure> {
    let Issued { token, expires_in, content } = issued;
    if args.print {
        return print_secret(&format!("{}\n", token.expose_secret()));
    }
    let Some(Content { header, claims }) = content else {
        log::report(
            global,
            &format!(
                "the token is a reference that says nothing by itself (token_type OPAQUE); it lives \
                 {expires_in} s. --print prints it"
            ),
        );
        return Ok(());
    };
    let shown: Value = match args.decode {
        true => json!({ "header": header, "claims": claims }),
        false => claims.clone(),
    };
    print(global.color, &pretty(&shown))
}
