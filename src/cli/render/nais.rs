//! `portvakt render nais`.

use crate::cli::entity::{InCluster, NamedEntities};
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::log;
use crate::cli::sink::print_exact;
use crate::nais::{Group, Weight, by_descriptions};
use crate::run::Opened;
use crate::run::clock::today;
use domain::Entity;
use domain::text::printable;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    named: NamedEntities,
    #[command(flatten)]
    application: InCluster,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let opened = global.open()?;
    let groups = groups(&opened, args)?;
    let mut refused = Vec::new();
    let mut notes = Vec::new();
    for group in &groups {
        for (entity, obstacle) in group.obstacles(opened.repository.prefix_at_nais(), today()) {
            let line = printable(&format!("{entity}: {}", obstacle.message)).into_owned();
            match obstacle.weight {
                Weight::Refused => refused.push(line),
                Weight::Pending | Weight::Default => notes.push(line),
            }
        }
    }
    if !refused.is_empty() {
        return Err(Failure::Refused(format!(
            "no manifest can carry this, so none is printed\n{}",
            refused.join("\n")
        )));
    }
    for line in notes {
        log::report(global, &format!("note: {line}"));
    }
    let manifests = groups.iter().map(|group| {
        if group.is_joined {
            log::report(
                global,
                &format!(
                    "note: {} is recognised by descriptions that have lost their dashes: if its names have \
                     some, name them with --cluster, --namespace and --app",
                    group.application
                ),
            );
        }
        group.manifest(&opened.desired, today())
    });
    print_exact(&manifests.collect::<Vec<_>>().join("---\n"))?;
    Ok(Exit::Done)
}

/// The applications, and the entities to render for each.
fn groups<'s>(opened: &'s Opened, args: &Args) -> Result<Vec<Group<'s>>, Failure> {
    let desired = &opened.desired;
    let named = args.named.find(opened)?;
    if let Some(gone) = named.iter().find(|entity| !desired.declares(entity)) {
        return Err(Failure::Usage(format!("{gone} is released, and not declared any more")));
    }
    let is_chosen = |entity: &Entity| match named.is_empty() {
        true => !desired.in_manifest(entity),
        false => named.contains(entity),
    };
    let application = args.application.application(opened)?;
    let groups = match application {
        // Regardless of their descriptions.
        Some(application) if !named.is_empty() => {
            vec![Group::chosen(application, desired, &is_chosen)]
        }
        Some(application) => {
            let mut groups = by_descriptions(desired, &is_chosen);
            groups.retain(|group| group.application.joined() == application.joined());
            for group in &mut groups {
                (group.application, group.is_joined) = (application.clone(), false);
            }
            groups
        }
        None => {
            let groups = by_descriptions(desired, &is_chosen);
            let is_found = |entity: &&Entity| groups.iter().any(|group| group.has(entity));
            if let Some(other) = named.iter().find(|entity| !is_found(entity)) {
                return Err(Failure::Usage(format!(
                    "the description of {other} names no application: name it by --cluster, \
                     --namespace and --app"
                )));
            }
            groups
        }
    };
    match groups.is_empty() {
        true => Err(Failure::Usage(format!(
            "no description in {} names such an application: name what is to be rendered by --scope and \
             --client, and the application by --cluster, --namespace and --app",
            desired.environment
        ))),
        false => Ok(groups),
    }
}
