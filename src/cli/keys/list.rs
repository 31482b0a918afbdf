//! `portvakt keys list`.

use jiff::{SignedDuration, Timestamp};

use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::output::TextOrJson;
use crate::cli::sink::print;
use crate::declare::parse_duration;
use crate::render::keys::text;
use crate::run::client;
use domain::{ClientId, ClientName, DesiredClient, Live, LiveKey, OwnClient};
use plan::document::{FORMAT_VERSION, KeyDocument, KeyState, KeysDocument};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The client, by the name that it is declared by [default: all]
    name: Option<String>,
    /// The form of the list; `portvakt schema keys` describes it as json
    #[arg(long, default_value = "text")]
    format: TextOrJson,
    /// Only keys that end within a time, such as 30d, 4w or 12h, or have ended
    #[arg(long, value_name = "TIME", value_parser = time)]
    expiring: Option<SignedDuration>,
    /// Exit with 2 if a listed key ends within the time of --expiring, or else of
    /// keys_policy.warn_before in portvakt.yaml
    #[arg(long)]
    detailed_exitcode: bool,
}

pub(super) fn time(text: &str) -> Result<SignedDuration, &'static str> {
    parse_duration(text).ok_or("write days, weeks or hours, such as 30d, 4w or 12h")
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let opened = global.open()?;
    let asked = args.name.as_deref().map(|name| client::declared(&opened, name)).transpose()?;
    let remote = opened.connect(&global.options()).await?;
    let live = client::read(&opened, &remote.reader().await?).await?;
    remote.close().await?;
    let now = Timestamp::now();
    let chosen = opened.desired.clients.iter();
    let chosen = chosen.filter(|(name, _)| asked.is_none_or(|(asked, _)| asked == *name));
    let mut listed = Vec::new();
    for (name, declared) in chosen {
        listed.extend(of_client(name, declared, &live, now)?);
    }
    let soon = args.expiring.unwrap_or(opened.desired.warn_before);
    if asked.is_none() {
        let mut own = own(&live, &listed, now);
        own.retain(|key| ends_within(key, now, soon));
        listed.extend(own);
    }
    if let Some(within) = args.expiring {
        listed.retain(|key| ends_within(key, now, within));
    }
    let ends = listed.iter().any(|key| ends_within(key, now, soon));
    let environment = opened.desired.environment.clone();
    let listed = KeysDocument { format_version: FORMAT_VERSION, environment, keys: listed };
    let is_part = args.expiring.is_some();
    print(global.color, &args.format.of(&listed, |listed| text(listed, is_part)))?;
    Ok(if args.detailed_exitcode && ends { Exit::Pending } else { Exit::Done })
}

fn ends_within(key: &KeyDocument, now: Timestamp, within: SignedDuration) -> bool {
    key.expires.is_some_and(|ends| ends.duration_since(now) <= within)
}

fn days_until(ends: Timestamp, now: Timestamp) -> i64 {
    ends.duration_since(now).as_hours().div_euclid(24)
}

/// The key and the certificate that this program itself works with, as far as their ends are known; a key
/// that is listed already is left out.
fn own(live: &Live, listed: &[KeyDocument], now: Timestamp) -> Vec<KeyDocument> {
    let Some(own) = &live.own_client else { return Vec::new() };
    let OwnClient { id, kid, key_expires, certificate_expires } = own;
    let name = live.clients.get(id).map_or("portvakt", |client| client.name.as_str());
    let kid = kid.as_deref().unwrap_or("certificate");
    let row = |state, expires: Timestamp| KeyDocument {
        client: name.to_owned(),
        client_id: Some(id.to_string()),
        kid: kid.to_owned(),
        thumbprint: None,
        state,
        created: None,
        expires: Some(expires),
        expires_in_days: Some(days_until(expires, now)),
    };
    let is_listed = listed.iter().any(|key| key.client_id.as_deref() == Some(id.as_str()));
    let key = key_expires.filter(|_| !is_listed).map(|at| row(KeyState::Own, at));
    let certificate = certificate_expires.map(|at| row(KeyState::OwnCertificate, at));
    key.into_iter().chain(certificate).collect()
}

/// The keys of a client: those that are live, and those that are declared and not live yet.
fn of_client(
    name: &ClientName,
    declared: &DesiredClient,
    live: &Live,
    now: Timestamp,
) -> Result<Vec<KeyDocument>, Failure> {
    let found = client::found(name, declared, live)?;
    let keys: &[LiveKey] = found.and_then(|(_, client)| client.keys.as_deref()).unwrap_or_default();
    let id = found.map(|(id, _)| id);
    let is_declared = |key: &LiveKey| {
        declared.keys.as_ref().is_none_or(|wanted| wanted.iter().any(|other| key.is(other)))
    };
    let listed = |key: &LiveKey| KeyDocument {
        client: name.to_string(),
        client_id: id.map(ClientId::to_string),
        kid: key.kid.clone(),
        thumbprint: key.thumbprint.clone(),
        state: if is_declared(key) { KeyState::Live } else { KeyState::Undeclared },
        created: key.created,
        expires: key.ends,
        expires_in_days: key.ends.map(|ends| days_until(ends, now)),
    };
    let missing = declared.keys.iter().flatten();
    let missing = missing.filter(|key| !keys.iter().any(|live| live.is(key)));
    let missing = missing.map(|key| KeyDocument {
        client: name.to_string(),
        client_id: id.map(ClientId::to_string),
        kid: key.kid.to_string(),
        thumbprint: Some(key.thumbprint()),
        state: KeyState::Missing,
        created: None,
        expires: None,
        expires_in_days: None,
    });
    let mut all: Vec<KeyDocument> = keys.iter().map(listed).chain(missing).collect();
    all.sort_by(|a, b| (a.expires, &a.kid).cmp(&(b.expires, &b.kid)));
    Ok(all)
}
