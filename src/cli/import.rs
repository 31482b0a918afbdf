//! `portvakt import`.

use std::collections::BTreeMap;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use globset::GlobMatcher;

use super::adoption::{counts, folder, without_values};
use super::arguments::glob;
use super::exit::{Exit, Failure};
use super::global::Global;
use super::sink::print;
use super::{interrupt, log};
use crate::adopt::{AdoptedThing, Counts, Layout, LeftOut, Proved, Side};
use crate::declare::{Edited, SETTINGS_FILE};
use crate::run::adoption::{Imported, NamedManifests, name_manifests, overlaid, write};
use crate::run::import::ImportSelection;
use crate::run::{Opened, Ready, RunOptions, checkout};
use domain::Live;
use domain::text::{counted, printable};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only scopes of that name, and no clients unless --client is given; may be repeated
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    scope: Vec<GlobMatcher>,
    /// Only clients of that name, and no scopes unless --scope is given; may be repeated
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    client: Vec<GlobMatcher>,
    /// Into which files [default: by-team if portvakt.yaml has teams, else by-product]
    #[arg(long, value_name = "LAYOUT")]
    layout: Option<Layout>,
    /// The folder for the files, from the repository's root; with by-team only for what no team has
    #[arg(long, value_name = "DIR")]
    into: Option<String>,
    /// Add to existing files and keep all their content; with --scope, add to declared scopes the accesses
    /// that they lack
    #[arg(long)]
    merge: bool,
    /// Read every environment that is not an embedded sandbox, and write each scope and client once, with
    /// what differs between them
    #[arg(long)]
    environment_overlay: bool,
}

impl ValueEnum for Layout {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Single, Self::ByPrefix, Self::ByProduct, Self::ByTeam]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Single => ("single", "All in maskinporten.yaml"),
            Self::ByPrefix => ("by-prefix", "A file for each prefix, and clients.yaml"),
            Self::ByProduct => {
                ("by-product", "A file for each product, with the clients of that namespace")
            }
            Self::ByTeam => ("by-team", "scopes.yaml and clients.yaml in each team's folder"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

pub(super) const ABOUT: &str = "\
Write live scopes and clients that are not declared as YAML

Active scopes with their accesses, and active clients, are written as a person would have declared \
them: only what differs from the defaults, aliases for organisations that occur more than once, groups \
for sets of them that recur, keys as files. A plan right after it is empty, but for NAIS manifests that count from \
then on: what cannot be declared so that it stays as it is live is left out, and shown with the reason. Existing files are not \
changed; with --merge the declarations are added to them.

If the folder has NAIS manifests for which portvakt.yaml says nothing, `nais` is added to it: which of them \
count in which environment, and which files have the values of templates. The next plan can then create what \
those manifests declare, and grant access to it. Where it has something else already, what to add is shown \
instead.

With --scope and --merge, a scope that is declared and active gets the accesses that its declaration \
lacks, in the file that declares it. Its attributes, and what was removed from the declarations since the \
last apply, are left as they are.";

/// The live state of one environment.
struct ReadEnvironment {
    ready: Ready,
    live: Live,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let wanted = ImportSelection { scopes: args.scope.clone(), clients: args.client.clone() };
    let into = folder(args.into.as_deref().unwrap_or_default())?;
    let interrupt = interrupt::listen()?;
    let root = checkout::root(&global.options())?;
    let named = name_manifests(&root)?;
    if let Some(Err(why)) = named.as_ref().map(|named| &named.edited) {
        log::report(global, &why.to_string());
    }
    let settings = named.as_ref().and_then(|named| named.edited.as_ref().ok());
    let read = read(global, args, &wanted, settings);
    let read = interrupt::unless(interrupt.clone(), read).await?;
    let made = made(args, &wanted, &into, &read)?;
    if *interrupt.borrow() {
        return Err(Failure::Interrupted);
    }
    for left_out in &made.left_out {
        log::report(global, &format!("left out: {left_out}"));
    }
    if made.files.is_empty() && !wanted.is_everything() {
        log::report(global, &nothing(&made));
        return Ok(Exit::Done);
    }
    write(&root, &made, settings)?;
    if let Some(named) = &named {
        report_manifests(global, named)?;
    }
    match made.files.is_empty() {
        true => log::report(global, &nothing(&made)),
        false => print(global.color, &message(&made, &read))?,
    }
    if !made.files.is_empty() || settings.is_some() {
        log::report(global, &next(&made, &read, settings.is_some()));
    }
    Ok(Exit::Done)
}

/// Reports which manifests are declarations now.
fn report_manifests(global: &Global, named: &NamedManifests) -> Result<(), Failure> {
    let NamedManifests { proposed, edited } = named;
    if edited.is_ok() {
        let files = counted(proposed.manifest_files() as u64, "file", "s");
        let message = format!(
            "{SETTINGS_FILE}: added `nais`, by which {files} with NAIS manifests are declarations: see that the \
             clusters are right\n"
        );
        print(global.color, &message)?;
    }
    if let Some(step) = without_values(proposed) {
        log::report(global, &step);
    }
    Ok(())
}

/// The scope that is required to read clients (Maskinporten's own).
const CLIENTS: &str = "idporten:dcr.read";

/// Reads each requested environment, first the one with which the others are compared.
async fn read(
    global: &Global,
    args: &Args,
    wanted: &ImportSelection,
    settings: Option<&Edited>,
) -> Result<Vec<ReadEnvironment>, Failure> {
    let options = global.options();
    if !args.environment_overlay {
        return Ok(vec![read_one(global, wanted, global.open_edited(&options, settings)?).await?]);
    }
    if options.environment.is_some() {
        return Err(Failure::usage(
            "--environment-overlay reads every environment: leave -e and PORTVAKT_ENV out",
        ));
    }
    let mut read = Vec::new();
    for name in overlaid(&checkout::open(&options)?) {
        let options = RunOptions { environment: Some(name), ..options.clone() };
        read.push(read_one(global, wanted, global.open_edited(&options, settings)?).await?);
    }
    Ok(read)
}

async fn read_one(
    global: &Global,
    wanted: &ImportSelection,
    opened: Opened,
) -> Result<ReadEnvironment, Failure> {
    let ready = opened.ready()?;
    if ready.past.known.unknown.is_some() {
        log::report(
            global,
            "note: it is not known what was applied last: what was removed from the declarations since \
             then is imported again",
        );
    }
    let live = wanted.read(&global.options(), &ready, &global.reading().of_calls()).await;
    let live = live.map_err(|failure| match failure {
        Failure::Call(error) if wanted.is_everything() && error.refuses(CLIENTS) => {
            Failure::Call(error)
                .and("Without that right, scopes alone can be imported: --scope '*'")
        }
        failure => failure,
    })?;
    Ok(ReadEnvironment { ready, live })
}

fn made(
    args: &Args,
    wanted: &ImportSelection,
    into: &str,
    read: &[ReadEnvironment],
) -> Result<Proved, Failure> {
    let Some(first) = read.first() else { return Ok(Proved::default()) };
    let repository = &first.ready.opened.repository;
    let completes = args.merge && !args.scope.is_empty();
    let sides: Vec<_> = read
        .iter()
        .map(|read| Side {
            environment: &read.ready.opened.desired.environment,
            live: &read.live,
            before: read.ready.past.known.before(),
            declared: completes.then_some(&read.ready.opened.desired),
            beside: &read.ready.past.known.beside,
        })
        .collect();
    let chosen = |thing: AdoptedThing<'_>| match thing {
        AdoptedThing::Scope(name) => wanted.is_scope(name),
        AdoptedThing::Client(_, client) => wanted.is_client(client),
    };
    let labels = &repository.labels();
    Imported { repository, sides: &sides, chosen: &chosen, labels }.made(
        args.layout,
        into,
        args.merge,
    )
}

fn nothing(made: &Proved) -> String {
    let declared = match made.declared {
        0 => String::new(),
        1 => ": one that matches is declared or named by `removed` already".to_owned(),
        many => format!(": {many} that match are declared or named by `removed` already"),
    };
    format!("nothing to import{declared}")
}

fn message(made: &Proved, read: &[ReadEnvironment]) -> String {
    let mut message = String::new();
    let mut key_files: BTreeMap<&str, Counts> = BTreeMap::new();
    for file in &made.files {
        match file.path.rsplit_once('/') {
            // There can be hundreds of these.
            Some((folder, _)) if file.counts.key_files > 0 => {
                *key_files.entry(folder).or_default() += file.counts;
            }
            _ => {
                let added = if file.is_new { "" } else { "added " };
                let counts = counts(file.counts);
                message.push_str(&format!("{}: {added}{counts}\n", printable(&file.path)));
            }
        }
    }
    for (folder, of) in key_files {
        message.push_str(&format!("{}/: {}\n", printable(folder), counts(of)));
    }
    let environments: Vec<_> =
        read.iter().map(|read| read.ready.opened.desired.environment.as_str()).collect();
    message.push_str(&format!(
        "Imported from {}: {}\n",
        environments.join(", "),
        counts(made.counts)
    ));
    message
}

fn next(made: &Proved, read: &[ReadEnvironment], names_manifests: bool) -> String {
    let plans: Vec<_> = read
        .iter()
        .map(|read| format!("`portvakt plan -e {}`", read.ready.opened.desired.environment))
        .collect();
    let left_out = match made.left_out.len() {
        0 => String::new(),
        1 => "One thing was left out, see above. ".to_owned(),
        many => format!("{many} things were left out, see above. "),
    };
    if names_manifests {
        return format!(
            "{left_out}Next: look through the files and {}, which can create what the manifests declare and grant \
             access to it, and commit them",
            plans.join(" and ")
        );
    }
    let plans = match (made.left_out.iter().any(LeftOut::is_planned), plans.as_slice()) {
        (true, [one]) => format!("{one} changes nothing but what was left out"),
        (true, all) => format!("{} change nothing but what was left out", all.join(" and ")),
        (false, [one]) => format!("{one} is empty"),
        (false, all) => format!("{} are empty", all.join(" and ")),
    };
    format!("{left_out}Next: look through the files, see that {plans}, and commit them")
}
