//! `portvakt render nais`.

use crate::cli::entity::{InCluster, Named};
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::log;
use crate::cli::sink::print_exact;
use crate::nais::{Group, Manifest, Obstacle, Weight, by_descriptions, of_client, of_scope};
use crate::run::Opened;
use crate::run::clock::today;
use domain::Entity;
use domain::text::printable;

/// The command's arguments.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    application: InCluster,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let opened = global.open()?;
    let groups = groups(&opened, args)?;
    let mut refused = Vec::new();
    let mut told = Vec::new();
    for group in &groups {
        for (entity, obstacle) in obstacles(&opened, group) {
            let line = printable(&format!("{entity}: {}", obstacle.message)).into_owned();
            match obstacle.weight {
                Weight::Refused => refused.push(line),
                Weight::Pending | Weight::Default => told.push(line),
            }
        }
    }
    if !refused.is_empty() {
        return Err(Failure::Refused(format!(
            "no manifest can carry this, so none is printed\n{}",
            refused.join("\n")
        )));
    }
    for line in told {
        log::told(global, &format!("note: {line}"));
    }
    let manifests = groups.iter().map(|group| {
        if group.is_joined {
            log::told(
                global,
                &format!(
                    "note: {} is recognised by descriptions that have lost their dashes: if its names have \
                     some, tell them by --cluster, --namespace and --app",
                    group.application
                ),
            );
        }
        let manifest = Manifest {
            application: &group.application,
            client: group.clients.first().map(|(_, client)| *client),
            scopes: group.scopes.clone(),
            names: &opened.desired.names,
            today: today(),
        };
        manifest.yaml()
    });
    print_exact(&manifests.collect::<Vec<_>>().join("---\n"))?;
    Ok(Exit::Done)
}

/// The applications and what is to be rendered of each.
fn groups<'s>(opened: &'s Opened, args: &Args) -> Result<Vec<Group<'s>>, Failure> {
    let desired = &opened.desired;
    let named = args.named.find(opened)?;
    let is_named = |entity: &Entity| named.is_empty() || named.contains(entity);
    let is_named = |entity: &Entity| is_named(entity) && !desired.in_manifest(entity);
    if let Some(gone) = named.iter().find(|entity| !desired.declares(entity)) {
        return Err(Failure::Usage(format!("{gone} is released, and not declared any more")));
    }
    let application = args.application.application(opened)?;
    let groups = match application {
        // Whatever their descriptions tell.
        Some(application) if !named.is_empty() => {
            let clients = desired.clients.iter();
            let scopes = desired.scopes.iter();
            vec![Group {
                clients: clients
                    .filter(|(name, _)| is_named(&Entity::Client((*name).clone())))
                    .collect(),
                scopes: scopes
                    .filter(|(name, _)| is_named(&Entity::Scope((*name).clone())))
                    .collect(),
                ..Group::new(application)
            }]
        }
        Some(application) => {
            let mut groups = by_descriptions(desired, &is_named);
            groups.retain(|group| group.application.joined() == application.joined());
            for group in &mut groups {
                (group.application, group.is_joined) = (application.clone(), false);
            }
            groups
        }
        None => {
            let groups = by_descriptions(desired, &is_named);
            let found = groups.iter().flat_map(|group| {
                let clients = group.clients.iter().map(|(name, _)| Entity::Client((*name).clone()));
                clients.chain(group.scopes.iter().map(|(name, _)| Entity::Scope((*name).clone())))
            });
            let found: Vec<Entity> = found.collect();
            if let Some(other) = named.iter().find(|entity| !found.contains(entity)) {
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

fn obstacles(opened: &Opened, group: &Group<'_>) -> Vec<(Entity, Obstacle)> {
    let mut found = Vec::new();
    for (name, client) in &group.clients {
        let entity = Entity::Client((*name).clone());
        found.extend(of_client(client).into_iter().map(|obstacle| (entity.clone(), obstacle)));
        if group.clients.len() > 1 {
            let message =
                format!("{} can have one client at NAIS, and has several", group.application);
            found.push((entity, Obstacle { weight: Weight::Refused, message }));
        }
    }
    for (name, scope) in &group.scopes {
        let entity = Entity::Scope((*name).clone());
        let of_scope = of_scope(name, scope, opened.repository.prefix_at_nais(), today());
        found.extend(of_scope.into_iter().map(|obstacle| (entity.clone(), obstacle)));
    }
    found
}
