//! `portvakt keys renew`: registers the same keys again, which gives them another year.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::list::time;
use crate::apply::Patience;
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::{interrupt, log};
use crate::run::client;
use crate::run::keys::{Renewal, Renewed};
use domain::text::printable;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The client, by the name that it is declared by
    name: String,
    /// Renew if a key expires within a time, such as 30d, 4w or 12h, or has expired [default:
    /// keys_policy.warn_before in portvakt.yaml]
    #[arg(long, value_name = "TIME", value_parser = time)]
    within: Option<SignedDuration>,
    /// Seconds to wait in all until DigDir shows that the keys were renewed
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    patience: u32,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let interrupt = interrupt::listen()?;
    let opened = global.open()?;
    let (name, declared) = client::declared(&opened, &args.name)?;
    let within = args.within.unwrap_or(opened.desired.warn_before);
    let options = global.options();
    let prepared = Renewal::prepare(&opened, &options, name, declared, within);
    // An apply that removes a key must not have it registered again.
    let history = opened.history()?;
    let (lock_guard, renewal) =
        interrupt::under_lock(&interrupt, history.as_ref(), &opened.actor(), prepared).await?;
    let patience = Patience::new(Duration::from_secs(args.patience.into()), interrupt);
    let renewed = renewal.carry_out(lock_guard.as_ref(), &patience).await;
    if let Some(lock_guard) = lock_guard {
        lock_guard.release().await;
    }
    report(global, &printable(name.as_str()), &renewed?);
    Ok(Exit::Done)
}

fn report(global: &Global, name: &str, renewed: &Renewed) {
    let Renewed { keys, first } = renewed;
    for (kid, expires) in keys {
        let day = expires.map_or("an unknown day".to_owned(), day);
        let kid = printable(kid);
        log::report(
            global,
            &format!("renewed the key {kid} of the client '{name}': it expires on {day}"),
        );
    }
    if keys.is_empty() {
        let why = match first {
            Some(first) => {
                format!("the first key of the client '{name}' expires on {}", day(*first))
            }
            None => format!("the client '{name}' has no key of which it is known when it expires"),
        };
        log::report(global, &format!("there is nothing to renew: {why}"));
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%F").to_string()
}
