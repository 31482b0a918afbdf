//! `portvakt migrate to-nais`.

use clap::ValueEnum;

use super::edits;
use crate::cli::entity::{InCluster, Named};
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::sink::print;
use crate::cli::sink::print_exact;
use crate::cli::{interrupt, log};
use crate::declare::{Handed, KeysRef, Release, Repository};
use crate::nais::{
    Manifest, Obstacle, Standing, Step, Weight, entity, of_released_client, of_released_scope,
    standing_of_client, standing_of_scope,
};
use crate::render::migration::{self, MigrationDocument};
use crate::run::Ready;
use crate::run::clock::today;
use domain::nais::{Application, Entity};
use domain::text::{json, printable};
use domain::{Live, RemovalAction};
use plan::{Action, Origin, Verb};

/// The command's long help.
pub(super) const ABOUT: &str = "\
Hand scopes and a client over to an application at NAIS, a step each time that it is run:

1. It edits the declaration: the description tells the application, as NAIS' migration guide asks, a \
client is pinned by its id, and its `jwks` is taken out, as NAIS registers keys of its own.
2. You commit, merge and apply.
3. It prints what goes into the application's manifest, and you deploy it.
4. With --release it replaces the declaration by an entry of `removed` that releases; you commit, merge \
and apply that.

What is live stays active all the way: nothing is written if the plan would take anything away.";

/// The command's arguments.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    application: InCluster,
    /// The last step: the declaration makes way for its release
    #[arg(long, conflicts_with = "check")]
    release: bool,
    /// Tell how far each has come and what is wrong, and change nothing [default: of all that tell an
    /// application]
    #[arg(long)]
    check: bool,
    /// The form of what --check tells
    #[arg(long, value_name = "FORMAT", default_value = "text", requires = "check")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs; `portvakt schema migration` describes it
    Json,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    interrupt::unless(interrupt::listen()?, go_on(global, args)).await
}

async fn go_on(global: &Global, args: &Args) -> Result<Exit, Failure> {
    if !args.check && (args.named.is_empty() || !args.application.is_named()) {
        let why = "name what is handed over, by --scope and --client, and the application, by --app, \
                   --cluster and --namespace; or look at how things stand, with --check";
        return Err(Failure::Usage(why.to_owned()));
    }
    let opened = global.open()?;
    let application = args.application.application(&opened)?;
    let named = args.named.find(&opened)?;
    let in_manifest =
        |entity: &Entity| opened.repository.in_manifest(&opened.desired.environment, entity);
    if let Some(entity) = named.iter().find(|entity| in_manifest(entity)) {
        return Err(Failure::Usage(format!("a manifest declares {entity} already")));
    }
    let ready = opened.ready()?;
    let remote = ready.connect(&global.options()).await?;
    let live = global.live(&remote.reader().await?, &ready.needs()).await?;
    remote.close().await?;
    let all = standings(&ready, &live, application.as_ref());
    match application {
        Some(application) if !args.check => {
            let chosen = all.into_iter().filter(|standing| named.contains(&standing.entity));
            let way = Way { global, ready: &ready, live: &live, application: &application };
            way.next(chosen.collect(), args.release)
        }
        _ => {
            let is_chosen = |standing: &Standing| match named.is_empty() {
                true => standing.application.is_some() || standing.is_released,
                false => named.contains(&standing.entity),
            };
            let chosen: Vec<Standing> = all.into_iter().filter(is_chosen).collect();
            let environment = &ready.opened.desired.environment;
            let shown = match args.format {
                Format::Text => migration::text(environment, &chosen),
                Format::Json => json::pretty(&MigrationDocument::new(environment, &chosen)),
            };
            print(global.color, &shown)?;
            Ok(Exit::Done)
        }
    }
}

/// How everything stands that is declared or released, the scopes first.
fn standings(ready: &Ready, live: &Live, application: Option<&Application>) -> Vec<Standing> {
    let desired = &ready.opened.desired;
    let before = ready.past.known.applied.as_ref().map(|applied| &applied.desired);
    let repository = &ready.opened.repository;
    let is_ours = |entity: Entity| !repository.in_manifest(&desired.environment, &entity);
    let scopes = desired.scopes.iter();
    let scopes = scopes.filter(|(name, _)| is_ours(Entity::Scope((*name).clone())));
    let prefix = repository.prefix_at_nais();
    let scopes = scopes
        .map(|(name, scope)| standing_of_scope(name, scope, live, application, (prefix, today())));
    let released = desired.removed.iter();
    let released = released.filter(|(_, removal)| removal.action == RemovalAction::Release);
    let released = released.map(|(name, _)| {
        let is_done = before.is_none_or(|before| !before.scopes.contains_key(name));
        of_released_scope(name, live, is_done)
    });
    let clients = desired.clients.iter();
    let clients = clients.filter(|(name, _)| is_ours(Entity::Client((*name).clone())));
    let clients = clients.map(|(name, client)| standing_of_client(name, client, live, application));
    let released_clients = desired.removed_clients.iter();
    let released_clients =
        released_clients.filter(|(_, gone)| gone.removal.action == RemovalAction::Release);
    let released_clients = released_clients.map(|(name, gone)| {
        let is_done = before.is_none_or(|before| !before.clients.contains_key(name));
        of_released_client(name, gone.id.as_ref(), live, is_done)
    });
    scopes.chain(released).chain(clients).chain(released_clients).collect()
}

/// The way of what is named to its application.
struct Way<'a> {
    global: &'a Global,
    ready: &'a Ready,
    live: &'a Live,
    application: &'a Application,
}

impl Way<'_> {
    fn next(&self, standings: Vec<Standing>, release: bool) -> Result<Exit, Failure> {
        let clients: Vec<_> = standings.iter().filter(|standing| is_client(standing)).collect();
        if clients.len() > 1 {
            let why = "an application has one client at NAIS: name one of them";
            return Err(Failure::Usage(why.to_owned()));
        }
        let (done, open): (Vec<_>, Vec<_>) =
            standings.into_iter().partition(|standing| standing.is_released);
        for standing in &done {
            self.tell(standing, migration::next(standing));
        }
        if open.is_empty() {
            return Ok(Exit::Done);
        }
        match release {
            true => self.release(&open),
            false => self.step(&open),
        }
    }

    /// Steps 1 to 3, of each the next.
    fn step(&self, standings: &[Standing]) -> Result<Exit, Failure> {
        self.refuse(standings)?;
        for standing in standings {
            self.warn(standing);
        }
        let of = |step: Step| standings.iter().filter(move |standing| standing.step == step);
        let describe: Vec<&Standing> = of(Step::Describe).collect();
        if !describe.is_empty() {
            self.describe(&describe)?;
        }
        for standing in of(Step::Apply) {
            self.tell(
                standing,
                "step 2: its declaration tells the application, and DigDir not yet",
            );
        }
        if !describe.is_empty() || of(Step::Apply).next().is_some() {
            for standing in of(Step::Deploy).chain(of(Step::Release)) {
                self.tell(standing, "step 3: it waits for the others");
            }
            let next = "next (step 2): commit, merge and apply; then run this again";
            log::told(self.global, next);
            return Ok(Exit::Done);
        }
        self.manifest(standings)
    }

    /// Step 1.
    fn describe(&self, standings: &[&Standing]) -> Result<(), Failure> {
        let environment = &self.ready.opened.desired.environment;
        let after = edits::edited(self.ready, standings.iter(), |repository, standing| {
            let (description, client_id) = match &standing.entity {
                Entity::Scope(name) => (self.application.handed_over(name.subscope()), None),
                Entity::Client(_) => (self.application.to_string(), standing.client_id.as_ref()),
            };
            let handed = Handed { description: &description, client_id };
            repository.described(environment, &standing.entity, &handed)
        })?;
        let named: Vec<Entity> = standings.iter().map(|it| it.entity.clone()).collect();
        edits::check(self.ready, &after, self.live, &named)?;
        edits::write(self.global, &after)?;
        for standing in standings {
            self.tell(standing, "step 1: its declaration tells the application now");
            self.tell_keys(standing, &after);
        }
        Ok(())
    }

    /// Tells of files with keys that a client has no more, and that stay where they are.
    fn tell_keys(&self, standing: &Standing, after: &Repository) {
        let Entity::Client(name) = &standing.entity else { return };
        let refs =
            self.ready.opened.repository.key_refs(&self.ready.opened.desired.environment, name);
        if refs.is_empty() {
            return;
        }
        let why = "its keys are as they are live from now on: NAIS registers the application's own, and \
                   `jwks` would put the old ones back";
        self.tell(standing, why);
        for named in &refs {
            if let KeysRef::File { path, .. } = named
                && after.key_file_users(path).is_empty()
            {
                let path = printable(path);
                let why = format!("{path} is left where it is: no declaration names it any more");
                log::told(self.global, &why);
            }
        }
    }

    /// Step 3.
    fn manifest(&self, standings: &[Standing]) -> Result<Exit, Failure> {
        let desired = &self.ready.opened.desired;
        let named = |entity: Entity| standings.iter().any(|it| it.entity == entity);
        let scopes = desired.scopes.iter();
        let mut clients = desired.clients.iter();
        let manifest = Manifest {
            application: self.application,
            client: clients
                .find(|(name, _)| named(Entity::Client((*name).clone())))
                .map(|(_, client)| client),
            scopes: scopes.filter(|(name, _)| named(Entity::Scope((*name).clone()))).collect(),
            names: &desired.names,
            today: today(),
        };
        print_exact(&manifest.yaml())?;
        for standing in standings.iter().filter(|it| it.step == Step::Release) {
            self.tell(standing, "step 4: NAIS has taken it over");
        }
        log::told(
            self.global,
            "next (step 3): put this into the application's manifest and deploy it; do not apply until \
             after step 4, as an apply would set back what NAIS sets. Then (step 4) run this again with \
             --release",
        );
        Ok(Exit::Done)
    }

    /// Step 4.
    fn release(&self, standings: &[Standing]) -> Result<Exit, Failure> {
        self.refuse(standings)?;
        self.refuse_unapplied(standings)?;
        let early: Vec<_> = standings.iter().filter(|standing| !standing.is_told).collect();
        if !early.is_empty() {
            let early = early.iter().map(|it| printable(&it.entity.to_string()).into_owned());
            return Err(Failure::Refused(format!(
                "not yet applied: the live description of {} does not tell the application {}, so NAIS \
                 would not find it. Nothing was changed\nRun this without --release for the next step",
                early.collect::<Vec<_>>().join(", "),
                self.application
            )));
        }
        let environment = &self.ready.opened.desired.environment;
        let reason = format!("handed over to NAIS ({})", self.application);
        let after = edits::edited(self.ready, standings, |repository, standing| {
            // By its name alone, one that has another one would not be found.
            let is_pinned = match &standing.entity {
                Entity::Client(name) => self
                    .ready
                    .opened
                    .desired
                    .clients
                    .get(name)
                    .is_some_and(|it| it.identity.pinned().is_some()),
                Entity::Scope(_) => false,
            };
            let client_id = standing.client_id.as_ref();
            let client_id = client_id.filter(|_| is_pinned || standing.is_renamed);
            let release = Release { reason: &reason, client_id };
            repository.released(environment, &standing.entity, &release)
        })?;
        let named: Vec<Entity> = standings.iter().map(|it| it.entity.clone()).collect();
        edits::check(self.ready, &after, self.live, &named)?;
        edits::write(self.global, &after)?;
        for standing in standings {
            self.tell(standing, "step 4: its declaration has made way for its release");
            if standing.step != Step::Release && !is_client(standing) {
                let why = "note: NAIS has not taken it over yet, as far as its description tells; until \
                           the application is deployed, nobody looks after it";
                self.tell(standing, why);
            }
        }
        log::told(self.global, "next: commit, merge and apply; nothing is sent for it");
        Ok(Exit::Done)
    }

    /// Refuses if something cannot be carried.
    fn refuse(&self, standings: &[Standing]) -> Result<(), Failure> {
        let mut lines = Vec::new();
        for standing in standings {
            let weighs = |problem: &&Obstacle| problem.weight == Weight::Refused;
            lines.extend(standing.problems.iter().filter(weighs).map(|problem| {
                let line = format!("{}: {}", standing.entity, problem.message);
                printable(&line).into_owned()
            }));
        }
        match lines.is_empty() {
            true => Ok(()),
            false => Err(Failure::Refused(format!(
                "this cannot be handed over to NAIS as it is. Nothing was changed\n{}",
                lines.join("\n")
            ))),
        }
    }

    /// Refuses if something was asked for and is not applied yet: the release would let go of it.
    fn refuse_unapplied(&self, standings: &[Standing]) -> Result<(), Failure> {
        // What differs because NAIS has taken it over is drift, and an update at most.
        let is_left = |action: &&Action| {
            let is_named = standings.iter().any(|it| it.entity == entity(&action.target()));
            let matters = match action.verb() {
                Verb::Update | Verb::Release => false,
                Verb::Revoke | Verb::Reactivate | Verb::Create | Verb::Grant | Verb::Keys => true,
                Verb::Deactivate => true,
            };
            // A grant that failed is told as drift too.
            let is_ours = action.origin != Some(Origin::Drift) || action.verb() == Verb::Grant;
            is_named && matters && is_ours
        };
        let plan = self.ready.compare(self.live);
        let left = plan.actions.iter().filter(is_left).map(|action| action.id().to_string());
        let left: Vec<_> = left.map(|id| printable(&id).into_owned()).collect();
        match left.is_empty() {
            true => Ok(()),
            false => Err(Failure::Refused(format!(
                "not yet applied: {}. The release would let go of that. Nothing was changed\nApply what is \
                 declared first",
                left.join("; ")
            ))),
        }
    }

    fn warn(&self, standing: &Standing) {
        for problem in standing.problems.iter().filter(|it| it.weight == Weight::Default) {
            self.tell(standing, &format!("note: {}", problem.message));
        }
    }

    fn tell(&self, standing: &Standing, what: &str) {
        let line = format!("{}: {what}", standing.entity);
        log::told(self.global, &printable(&line));
    }
}

fn is_client(standing: &Standing) -> bool {
    matches!(standing.entity, Entity::Client(_))
}
