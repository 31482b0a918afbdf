//! `portvakt migrate from-nais`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize as _;
use serde_yaml::Value;

use crate::adopt::{AdoptedThing, Proved, Side};
use crate::cli::adoption::{counts, folder};
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::log;
use crate::cli::sink::print;
use crate::run::adoption::{Imported, write};
use crate::run::clock::today;
use crate::run::read::{MAX_FILE, read_file};
use crate::run::{Opened, Remote, files};
use digdir::Needs;
use domain::text::printable;
use domain::{ClientId, Desired, Live, Orgno, Past};
use plan::{live_client, plan};

pub(super) const ABOUT: &str = "\
Take scopes and clients over from an application at NAIS

The scopes and clients of the manifest are written as YAML, as they are live: a plan right after it is \
empty. Commit, merge and apply that, which changes nothing. Then tell NAIS to keep the client, as some \
versions delete it with its resource:

    kubectl annotate maskinportenclient NAME digdir.nais.io/preserve=true digdir.nais.io/delete-

(or idportenclient), and only then remove the Maskinporten section from the manifest and deploy it; the \
scopes that it exposes stay `enabled: true` until then. Run `portvakt plan` after that: if NAIS has \
deactivated something nevertheless, the plan shows it, and the next apply reactivates it.";

/// The annotation that deletes the client together with the resource.
const DELETES: &str = "digdir.nais.io/delete";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The manifest, a file outside the declarations
    manifest: PathBuf,
    /// The folder for the declarations, from the repository's root
    #[arg(long, value_name = "DIR")]
    into: Option<String>,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let into = folder(args.into.as_deref().unwrap_or_default())?;
    let opened = global.open()?;
    let shown = files::shown(&args.manifest);
    let (named, labels) = named(&opened, &args.manifest, &shown)?;
    let needs = Needs::of(&named);
    let remote = Remote::open(&global.options(), &opened, needs.reach()).await?;
    let live = global.live(remote, &needs).await?;

    let clients = clients(&named, &live, &shown)?;
    let found = ManifestNames { named: &named, labels: &labels, clients: &clients, live: &live };
    let made = made(&opened, &found, &into)?;
    for left_out in &made.left_out {
        log::report(global, &format!("left out: {left_out}"));
    }
    // Differences between the manifest and the live state are no longer wanted.
    for action in &plan(&named, &Past::default(), &live, Timestamp::now()).actions {
        let action = action.id().to_string();
        let line = format!("note: {shown} asks for what is not live: {action}");
        log::report(global, &printable(&line));
    }
    if made.files.is_empty() {
        let why = match made.declared {
            0 => "nothing that it names is live",
            _ => "what it names and is live is declared or named by `removed` already",
        };
        log::report(global, &format!("nothing is written: {why}"));
        return Ok(Exit::Done);
    }
    write(opened.repository.root(), &made, None)?;
    let files = made.files.iter().map(|file| format!("{}\n", printable(&file.path)));
    let environment = &opened.desired.environment;
    let sum = format!("Taken over in {environment}: {}\n", counts(made.counts));
    print(global.color, &(files.collect::<String>() + &sum))?;
    let left_out = match made.left_out.is_empty() {
        true => "",
        false => " What was left out, see above, has to stay in it.",
    };
    log::report(
        global,
        &format!(
            "next: see that `portvakt plan -e {environment}` is empty; commit, merge and apply, which \
             changes nothing. Then have NAIS keep the client (`kubectl annotate maskinportenclient NAME \
             digdir.nais.io/preserve=true digdir.nais.io/delete-`: some versions close it with its \
             resource), and only then take the scopes and the client out of {shown} and deploy it.{left_out} \
             Until then NAIS holds them too"
        ),
    );
    Ok(Exit::Done)
}

/// The scopes and clients that a manifest names, and its names of organisations.
fn named(
    opened: &Opened,
    path: &Path,
    shown: &str,
) -> Result<(Desired, BTreeMap<Orgno, String>), Failure> {
    let root = opened.repository.root();
    if let (Ok(real), Ok(root)) = (path.canonicalize(), root.canonicalize())
        && let Ok(inside) = real.strip_prefix(&root)
        && opened.repository.reads(&inside.to_string_lossy())
    {
        return Err(Failure::Refused(format!(
            "{shown} lies among the declarations: it is one already, and `portvakt render yaml` writes it \
             in the other form. Nothing was written"
        )));
    }
    let bytes =
        read_file(path, MAX_FILE).map_err(|why| Failure::Usage(format!("{shown} {why}")))?;
    if deletes(&bytes) {
        return Err(Failure::Refused(format!(
            "{shown} has the annotation {DELETES}, so that what takes the client out of the \
             manifest deactivates it at DigDir. Take the annotation out and deploy that first. Nothing was \
             written"
        )));
    }
    let apart = opened.repository.apart(shown, &bytes);
    let desired = apart.desired(&opened.desired.environment, today());
    let (desired, _) = desired.map_err(|why| Failure::invalid(root, why))?;
    match desired.scopes.is_empty() && desired.clients.is_empty() {
        true => Err(Failure::Usage(format!(
            "{shown} is not a manifest that exposes or consumes a scope in {}",
            opened.desired.environment
        ))),
        false => Ok((desired, apart.labels())),
    }
}

/// Whether a manifest deletes its client when it is deleted.
fn deletes(manifest: &[u8]) -> bool {
    let documents = serde_yaml::Deserializer::from_slice(manifest).map(Value::deserialize);
    // Invalid YAML would never end.
    documents.map_while(Result::ok).any(|document| {
        let annotations = document.get("metadata").and_then(|it| it.get("annotations"));
        // digdirator checks whether the annotation is present, not its value.
        annotations.is_some_and(|it| it.get(DELETES).is_some())
    })
}

/// The live clients of the manifest.
fn clients(named: &Desired, live: &Live, shown: &str) -> Result<BTreeSet<ClientId>, Failure> {
    let mut found = BTreeSet::new();
    for (name, client) in &named.clients {
        match live_client(client, live) {
            Ok(Some((id, _))) => drop(found.insert(id.clone())),
            Ok(None) => {}
            Err(_) => {
                return Err(Failure::Refused(format!(
                    "several live clients have the description of {}, whose manifest {shown} is: which \
                     of them the application uses is not clear. Nothing was written",
                    printable(name.as_str())
                )));
            }
        }
    }
    Ok(found)
}

/// The names in a manifest, and those of them that are live.
struct ManifestNames<'a> {
    named: &'a Desired,
    labels: &'a BTreeMap<Orgno, String>,
    clients: &'a BTreeSet<ClientId>,
    live: &'a Live,
}

fn made(opened: &Opened, found: &ManifestNames<'_>, into: &str) -> Result<Proved, Failure> {
    let ManifestNames { named, labels, clients, live } = *found;
    let repository = &opened.repository;
    let chosen = |thing: AdoptedThing<'_>| match thing {
        AdoptedThing::Scope(name) => named.scopes.contains_key(name),
        AdoptedThing::Client(id, _) => clients.contains(id),
    };
    let environment = &opened.desired.environment;
    let side = Side { environment, live, before: None, declared: None, beside: &[] };
    let imported = Imported { repository, sides: &[side], chosen: &chosen, labels };
    imported.made(None, into, false)
}
