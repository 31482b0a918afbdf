//! `portvakt migrate to-nais`.

use crate::cli::entity::{InCluster, NamedEntities};
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::log;
use crate::cli::output::TextOrJson;
use crate::cli::sink::{print, print_exact};
use crate::nais::MigrationState;
use crate::render::migration::{self, MigrationDocument};
use crate::run::handover::{Handover, migration_states};

pub(super) const ABOUT: &str = "\
Hand scopes and a client over to an application at NAIS, a step each time that it is run:

1. It edits the declaration: the description names the application, as NAIS' migration guide asks, a \
client is pinned by its id, and its `jwks` is removed, as NAIS registers keys of its own.
2. You commit, merge and apply.
3. It prints the section for the application's manifest, and you deploy it.
4. With --release it replaces the declaration with an entry of `removed` that releases it; you commit, \
merge and apply that.

Live scopes and clients stay active throughout: nothing is written if the plan would remove anything.";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    named: NamedEntities,
    #[command(flatten)]
    application: InCluster,
    /// The last step: replace the declaration with its release
    #[arg(long, conflicts_with = "check")]
    release: bool,
    /// Show the progress and the problems of each, and change nothing [default: of all that name an
    /// application]
    #[arg(long)]
    check: bool,
    /// The form of what --check shows; `portvakt schema migration` describes it as json
    #[arg(long, value_name = "FORMAT", default_value = "text", requires = "check")]
    format: TextOrJson,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    if !args.check && (args.named.is_empty() || !args.application.is_named()) {
        return Err(Failure::usage(
            "name what is handed over, by --scope and --client, and the application, by --app, \
                   --cluster and --namespace; or show the progress with --check",
        ));
    }
    let opened = global.open()?;
    let application = args.application.application(&opened)?;
    let named = args.named.find(&opened)?;
    let ready = opened.ready()?;
    let remote = ready.connect(&global.options()).await?;
    let live = global.live(remote, &ready.needs()).await?;
    let all = migration_states(&ready, &live, application.as_ref());
    match application {
        Some(application) if !args.check => {
            let chosen =
                all.into_iter().filter(|migration_state| named.contains(&migration_state.entity));
            let notify = |line: &str| log::report(global, line);
            let handover =
                Handover { ready: &ready, live: &live, application: &application, notify: &notify };
            if let Some(manifest) = handover.next(chosen.collect(), args.release)? {
                print_exact(&manifest)?;
            }
            Ok(Exit::Done)
        }
        _ => {
            let is_chosen = |migration_state: &MigrationState| match named.is_empty() {
                true => migration_state.application.is_some() || migration_state.is_released,
                false => named.contains(&migration_state.entity),
            };
            let chosen: Vec<MigrationState> = all.into_iter().filter(is_chosen).collect();
            let environment = &ready.opened.desired.environment;
            let document = MigrationDocument::new(environment, &chosen);
            let shown = args.format.of(&document, |_| migration::text(environment, &chosen));
            print(global.color, &shown)?;
            Ok(Exit::Done)
        }
    }
}
