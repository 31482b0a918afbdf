//! `portvakt snapshot`.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};
use super::global::Global;
use super::log;
use crate::run::clock::now;
use crate::run::{Opened, files};
use digdir::{MOST_BYTES, Needs, Snapshot, SnapshotError};
use domain::text::counted;
use domain::{Desired, Live};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file; one that is there is replaced at once
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// The command's long help, which also describes the content of the file.
pub(super) const ABOUT: &str = "\
Write the live state to a file, so that a pull request from a fork is planned without secrets

A job of the main branch writes the file, and `portvakt plan --snapshot FILE` compares with it: a fork \
needs no credentials. It has all that the plan of any pull request must know: every scope with its \
accesses, managed or not, and the delegation sources. Clients with their public keys, and the scopes of \
others that they could consume, are in it if the repository declares a client or removes one in the \
environment: only then are they read at all, with a token for idporten:dcr.read.

Whoever reads the file, and with a public repository that is everybody, learns who has, had or asks for \
access to each scope, what private and inactive scopes and all clients are called and how they are set \
up, and which scopes others have given or refused the organisation; secrets and private keys are never \
in it.";

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    if args.out.as_os_str() == "-" {
        return Err(Failure::usage("a snapshot is written to a file only: name one with --out"));
    }
    let ready = global.open()?.ready()?;
    let reach = ready.needs().reach();
    let remote = ready.connect(&global.options()).await?;
    let created = now();
    let live = global.live(remote, &Needs::everything(reach)).await?;
    let what = message(&live);
    let Desired { environment, organization, .. } = ready.opened.desired;
    let snapshot = Snapshot { environment, organization, created, reach, live };
    files::put(&args.out, &snapshot.write())?;
    log::report(global, &format!("{}: {what}", files::shown(&args.out)));
    Ok(Exit::Done)
}

fn message(live: &Live) -> String {
    let count = |count: usize, thing| counted(count as u64, thing, "s");
    let (scopes, clients) = (live.scopes.len(), live.clients.len());
    format!("{} and {}", count(scopes, "scope"), count(clients, "client"))
}

/// The state that a plan needs, as it was when a snapshot was made.
pub(super) fn live(file: &Path, opened: &Opened, needs: &Needs) -> Result<Live, Failure> {
    let failed = |why: &str| {
        Failure::Failed(format!("the snapshot {} cannot be used: {why}", files::shown(file)))
    };
    let text = read(file).map_err(|error| failed(&error.to_string()))?;
    let Desired { environment, organization, .. } = &opened.desired;
    let unfit = |error: SnapshotError| failed(&explained(&error));
    let text = text.ok_or_else(|| unfit(SnapshotError::TooLarge))?;
    let snapshot = Snapshot::read(&text, environment, *organization);
    snapshot.and_then(|snapshot| snapshot.live(needs)).map_err(unfit)
}

/// The reason why a snapshot cannot be used, and what to do.
fn explained(error: &SnapshotError) -> String {
    match error {
        SnapshotError::Broken(_) | SnapshotError::TooLarge | SnapshotError::Lacks(_) => {
            format!("{error}. Have it made anew by `portvakt snapshot --out FILE`")
        }
        SnapshotError::Version(_) => {
            format!("{error}: let the same version of portvakt write the snapshot and plan with it")
        }
        SnapshotError::Environment { found, wanted } => format!(
            "it is of the environment '{found}', and the plan is for '{wanted}': give the file of that \
             environment, or choose with --env"
        ),
        SnapshotError::Organization { found, wanted } => format!(
            "it is of the organisation {found}, and portvakt.yaml names {wanted}: give the file of this \
             repository"
        ),
        SnapshotError::Owner { scope, found, wanted } => format!(
            "{scope} in it belongs to the organisation {found}, and portvakt.yaml names {wanted}: give \
             the file of this repository"
        ),
        SnapshotError::NoClients => {
            "it has no clients, as the repository declared none when it was \
                                     made, and now some are declared: plan the first client from a \
                                     branch of the repository itself, without --snapshot"
                .to_owned()
        }
        SnapshotError::Unclear(why) => why.clone(),
    }
}

/// A file's text; `None` where it exceeds the size of any snapshot.
fn read(file: &Path) -> io::Result<Option<String>> {
    let mut text = String::new();
    let length = File::open(file)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    Ok((length as u64 <= MOST_BYTES).then_some(text))
}
