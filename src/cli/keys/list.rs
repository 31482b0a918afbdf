//! `portvakt keys list`.

use jiff::{SignedDuration, Timestamp};

use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::interrupt;
use crate::cli::output::TextOrJson;
use crate::cli::sink::print;
use crate::declare::parse_duration;
use crate::render::keys::{self, KeyState, ListedKey};
use crate::run::client;
use domain::{ClientId, ClientName, DesiredClient, Live, LiveKey};

/// The command's arguments.
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

fn time(text: &str) -> Result<SignedDuration, &'static str> {
    parse_duration(text).ok_or("write days, weeks or hours, such as 30d, 4w or 12h")
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    interrupt::unless(interrupt::listen()?, show(global, args)).await
}

async fn show(global: &Global, args: &Args) -> Result<Exit, Failure> {
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
    if let Some(within) = args.expiring {
        listed.retain(|key| ends_within(key, now, within));
    }
    let shown = match args.format {
        TextOrJson::Text => {
            keys::text(&opened.desired.environment, &listed, args.expiring.is_some())
        }
        TextOrJson::Json => keys::json(&opened.desired.environment, &listed),
    };
    print(global.color, &shown)?;
    let within = args.expiring.unwrap_or(opened.desired.warn_before);
    let ends = listed.iter().any(|key| ends_within(key, now, within));
    Ok(if args.detailed_exitcode && ends { Exit::Pending } else { Exit::Done })
}

fn ends_within(key: &ListedKey, now: Timestamp, within: SignedDuration) -> bool {
    key.ends.is_some_and(|ends| ends.duration_since(now) <= within)
}

/// The keys of a client: those that are live, and those that are declared and not live yet.
fn of_client(
    name: &ClientName,
    declared: &DesiredClient,
    live: &Live,
    now: Timestamp,
) -> Result<Vec<ListedKey>, Failure> {
    let found = client::found(name, declared, live)?;
    let keys: &[LiveKey] = found.and_then(|(_, client)| client.keys.as_deref()).unwrap_or_default();
    let id = found.map(|(id, _)| id);
    let is_declared = |key: &LiveKey| {
        declared.keys.as_ref().is_none_or(|wanted| wanted.iter().any(|other| key.is(other)))
    };
    let listed = |key: &LiveKey| ListedKey {
        client: name.to_string(),
        client_id: id.map(ClientId::to_string),
        kid: key.kid.clone(),
        thumbprint: key.thumbprint.clone(),
        state: if is_declared(key) { KeyState::Live } else { KeyState::Undeclared },
        created: key.created,
        ends: key.ends,
        days: key.ends.map(|ends| ends.duration_since(now).as_hours().div_euclid(24)),
    };
    let missing = declared.keys.iter().flatten();
    let missing = missing.filter(|key| !keys.iter().any(|live| live.is(key)));
    let missing = missing.map(|key| ListedKey {
        client: name.to_string(),
        client_id: id.map(ClientId::to_string),
        kid: key.kid.to_string(),
        thumbprint: Some(key.thumbprint()),
        state: KeyState::Missing,
        created: None,
        ends: None,
        days: None,
    });
    let mut all: Vec<ListedKey> = keys.iter().map(listed).chain(missing).collect();
    all.sort_by(|a, b| (a.ends, &a.kid).cmp(&(b.ends, &b.kid)));
    Ok(all)
}
