//! `portvakt token`.

use std::path::PathBuf;

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use url::Url;

use super::exit::{Exit, Failure};
use super::global::Global;
use super::log;
use super::sink::{print, print_secret};
use crate::advice::TokenClient;
use crate::run::client::{self, RegisteredKey};
use crate::run::files::shown;
use crate::run::token_file::TokenFile;
use crate::run::{Opened, Remote};
use crate::skyporten::is_uri;
use digdir::{Content, Credentials, Issued, Wanted};
use domain::text::json::pretty;
use domain::{ClientId, ConsumedScope, Kid, LiveClient, Orgno};

pub(super) const ABOUT: &str = "\
Get an access token as a client would

By its declared name, the client is read from the API by the environment's own credentials, so that what is \
wrong with it or its key is explained. By --client-id nothing but the key is needed: that is for a job that \
renews the token of an application, which should have no access to the self-service API.";

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("application").required(true).args(["client", "client_id"])))]
pub(super) struct Args {
    /// The client, by the name that it is declared by
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// The client, by its id: nothing is read from the API, and the key must be a JWK with its kid
    #[arg(long, value_name = "ID", requires = "scopes")]
    client_id: Option<ClientId>,
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
    /// Get it from Skyporten, for a cloud that trusts that: with one --scope and one --resource
    #[arg(long)]
    skyporten: bool,
    /// Show the header beside the claims
    #[arg(long)]
    decode: bool,
    /// Print the token itself, and nothing else
    #[arg(long, conflicts_with = "decode")]
    print: bool,
    /// Write the token itself to a file that only you can read; an older token there is replaced at once, so
    /// that a program may read it at any time
    #[arg(long, value_name = "FILE", conflicts_with_all = ["decode", "print"])]
    out: Option<PathBuf>,
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

/// The client that gets the token.
struct TokenRequester {
    credentials: Credentials,
    scopes: Vec<String>,
    advice: TokenClient,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    if args.skyporten {
        check_for_skyporten(args)?;
    }
    let file = args.out.as_deref().map(TokenFile::at).transpose()?;
    let opened = global.open()?;
    let (remote, application) = match (&args.client_id, &args.client) {
        (Some(id), _) => named_by_id(global, args, &opened, id).await?,
        (None, name) => {
            declared(global, args, &opened, name.as_deref().unwrap_or_default()).await?
        }
    };
    let TokenRequester { credentials, scopes, advice } = application;
    let wanted =
        Wanted { scopes, resource: args.resource.clone(), consumer_org: args.consumer_org };
    let issuer = match args.skyporten {
        true => remote.skyporten().await?,
        false => remote.issuer().await?,
    };
    let issued = issuer.token(&credentials, &wanted).await;
    let issued = issued.map_err(|error| Failure::Failed(advice.advised(&error, &wanted)));
    remote.close().await?;
    match &file {
        Some(file) => write(global, file, &issued?)?,
        None => show(global, args, &issued?)?,
    }
    Ok(Exit::Done)
}

/// Returns an error unless the token has one scope and one audience.
fn check_for_skyporten(args: &Args) -> Result<(), Failure> {
    let usage = |why: &str| Err(Failure::usage(why));
    if args.scopes.len() != 1 {
        return usage(
            "a token of Skyporten has one scope, as its subject (`sub`) is the organisation with that scope: \
             name it by --scope once, and get a token for each",
        );
    }
    match &args.resource[..] {
        [audience] if is_uri(audience) => Ok(()),
        [_] => usage(
            "no entry of `skyporten` can have such an audience: write an absolute URI without white space, commas and \
             a fragment by --resource, such as https://skyporten.etat.example",
        ),
        [] => usage(
            "a token of Skyporten needs an audience, which the cloud compares with its own: name the one that \
             the provider of the data has given you by --resource",
        ),
        _ => usage(
            "a token of Skyporten has one audience, as Azure takes no other: name it by --resource once",
        ),
    }
}

/// A client that is declared, as it is live.
async fn declared(
    global: &Global,
    args: &Args,
    opened: &Opened,
    name: &str,
) -> Result<(Remote, TokenRequester), Failure> {
    let (name, declared) = client::declared(opened, name)?;
    let remote = opened.connect(&global.options()).await?;
    let live = client::read(opened, &remote.reader().await?).await?;
    let (id, live) = client::live(name, declared, &live)?;
    client::signs_grants(name, declared)?;
    let RegisteredKey { key, kid, alg, registered } =
        client::registered_key(&args.key, name, live)?;
    let application = TokenRequester {
        credentials: Credentials::from_application_key(id, &key, &kid, alg),
        scopes: scopes(args, live)?,
        advice: TokenClient {
            scopes: Some(live.scopes().map(str::to_owned).collect()),
            registered,
            ..unread(opened, name, &kid)
        },
    };
    Ok((remote, application))
}

/// A client of which nothing but its id and its key is known.
async fn named_by_id(
    global: &Global,
    args: &Args,
    opened: &Opened,
    id: &ClientId,
) -> Result<(Remote, TokenRequester), Failure> {
    let (credentials, kid) = client::credentials(id, &args.key)?;
    let remote = Remote::open_as(&global.options(), opened, credentials.clone()).await?;
    let application = TokenRequester {
        credentials,
        scopes: args.scopes.iter().map(ToString::to_string).collect(),
        advice: unread(opened, id, &kid),
    };
    Ok((remote, application))
}

/// What is known of a client without reading it.
fn unread(opened: &Opened, name: impl ToString, kid: &Kid) -> TokenClient {
    TokenClient {
        name: name.to_string(),
        scopes: None,
        kid: kid.to_string(),
        registered: None,
        organization: opened.desired.organization,
        own_prefixes: opened.repository.settings().prefixes.clone(),
    }
}

fn scopes(args: &Args, live: &LiveClient) -> Result<Vec<String>, Failure> {
    if !args.scopes.is_empty() {
        return Ok(args.scopes.iter().map(ToString::to_string).collect());
    }
    let scopes: Vec<String> = live.scopes().map(str::to_owned).collect();
    match scopes.is_empty() {
        true => Err(Failure::failed(
            "the client has no scope, so there is nothing that a token could be for: \
                       declare one under `scopes` and apply",
        )),
        false => Ok(scopes),
    }
}

/// Writes the token to its file. A reference is none that the file could be recognised by when it is renewed.
fn write(global: &Global, file: &TokenFile<'_>, issued: &Issued) -> Result<(), Failure> {
    let Issued { token, expires_in, content } = issued;
    if content.is_none() {
        return Err(Failure::failed(
            "the token is a reference that says nothing by itself (token_type OPAQUE), and is not written \
                   to a file: --print prints it",
        ));
    }
    file.write(token)?;
    let path = file.path();
    let message = format!("wrote {}: a token that lives {expires_in} s", shown(path));
    log::report(global, &message);
    log::warn_of_git(global, path);
    Ok(())
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
