//! `portvakt keys rotate --retire`: takes out the keys that a newer one has followed.

use std::path::Path;

use super::warn_of_others;
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::log;
use crate::run::client;
use crate::run::keys::{Retired, retire};

pub(super) async fn run(global: &Global, name: &str) -> Result<Exit, Failure> {
    let opened = global.open()?;
    let (name, declared) = client::declared(&opened, name)?;
    let remote = opened.connect(&global.options()).await?;
    let live = client::read(&opened, &remote.reader().await?).await?;
    remote.close().await?;
    let (_, live) = client::live(name, declared, &live)?;
    let Retired { kids, stays, files, others, known } = retire(&opened, name, declared, live)?;
    let Some(kids) = kids else {
        let why = format!("there is nothing to remove: no key is older than {stays}");
        log::report(global, &why);
        return Ok(Exit::Done);
    };
    for path in &files {
        log::wrote(global, Path::new(path));
    }
    let what =
        "one there too. Apply it there only once the key that stays is live and in use there";
    warn_of_others(global, &others, what);
    log::report(global, &format!("took out {kids}; {stays} stays"));
    match known {
        Some(known) => log::report(
            global,
            &format!(
                "{stays} is new: do not apply before {}, as DigDir takes about two minutes to pass it on",
                known.strftime("%H:%M:%S UTC")
            ),
        ),
        None => log::report(global, "next: commit and apply"),
    }
    Ok(Exit::Done)
}
