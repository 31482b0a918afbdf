//! Hand-over of scopes and clients to an application at NAIS, one step at a time.

pub(super) mod edits;

use super::clock::today;
use super::failure::Failure;
use super::ready::Ready;
use crate::declare::{KeysRef, Repository};
use crate::nais::{self, Group, MigrationState, Step, Weight};
use domain::nais::Application;
use domain::text::{listed, printable};
use domain::{Entity, Live};
use plan::{Action, Origin, Verb};

/// The state of all declared or released entities, the scopes first.
pub(crate) fn migration_states(
    ready: &Ready,
    live: &Live,
    application: Option<&Application>,
) -> Vec<MigrationState> {
    let before = ready.past.known.before();
    let prefix = ready.opened.repository.prefix_at_nais();
    nais::migration_states(&ready.opened.desired, before, live, application, (prefix, today()))
}

/// Hand-over of named entities to their application.
pub(crate) struct Handover<'a> {
    /// The declarations.
    pub(crate) ready: &'a Ready,
    /// The live state.
    pub(crate) live: &'a Live,
    /// The application.
    pub(crate) application: &'a Application,
    /// Receives a message about each result, and the next step.
    pub(crate) notify: &'a dyn Fn(&str),
}

impl Handover<'_> {
    /// The next step of each, or with `release` the last. Returns the manifest, if that is next.
    ///
    /// # Errors
    /// It cannot be done; nothing was changed.
    pub(crate) fn next(
        &self,
        migration_states: Vec<MigrationState>,
        release: bool,
    ) -> Result<Option<String>, Failure> {
        let clients: Vec<_> = migration_states.iter().filter(|it| is_client(it)).collect();
        if clients.len() > 1 {
            return Err(Failure::usage("an application has one client at NAIS: name one of them"));
        }
        let (done, open): (Vec<_>, Vec<_>) =
            migration_states.into_iter().partition(|it| it.is_released);
        for migration_state in &done {
            self.report(migration_state, migration_state.next());
        }
        if open.is_empty() {
            return Ok(None);
        }
        match release {
            true => self.release(&open),
            false => self.step(&open),
        }
    }

    /// Steps 1 to 3, the next one of each.
    fn step(&self, migration_states: &[MigrationState]) -> Result<Option<String>, Failure> {
        self.refuse(migration_states)?;
        for migration_state in migration_states {
            self.warn(migration_state);
        }
        let of = |step: Step| migration_states.iter().filter(move |it| it.step == step);
        let describe: Vec<&MigrationState> = of(Step::Describe).collect();
        if !describe.is_empty() {
            self.describe(&describe)?;
        }
        for migration_state in of(Step::Apply) {
            self.report(
                migration_state,
                "step 2: its declaration names the application, and what is live does not yet",
            );
        }
        if !describe.is_empty() || of(Step::Apply).next().is_some() {
            for migration_state in of(Step::Deploy).chain(of(Step::Release)) {
                self.report(migration_state, "step 3: it waits for the others");
            }
            let next = "next (step 2): commit, merge and apply; then run this again";
            (self.notify)(next);
            return Ok(None);
        }
        self.manifest(migration_states)
    }

    /// Step 1.
    fn describe(&self, migration_states: &[&MigrationState]) -> Result<(), Failure> {
        let after = edits::carry_out(
            self,
            migration_states,
            |repository, environment, migration_state| {
                let description = self.application.describing(&migration_state.entity);
                let client_id = migration_state.client_id.as_ref();
                repository.described(environment, &migration_state.entity, &description, client_id)
            },
        )?;
        for migration_state in migration_states {
            self.report(migration_state, "step 1: its declaration names the application now");
            self.report_keys(migration_state, &after);
        }
        Ok(())
    }

    /// Reports key files that a client no longer has, and that are left in place.
    fn report_keys(&self, migration_state: &MigrationState, after: &Repository) {
        let Entity::Client(name) = &migration_state.entity else { return };
        let refs =
            self.ready.opened.repository.key_refs(&self.ready.opened.desired.environment, name);
        if refs.is_empty() {
            return;
        }
        let why = "its keys are as they are live from now on: NAIS registers the application's own, and \
                   `jwks` would put the old ones back";
        self.report(migration_state, why);
        for named in &refs {
            if let KeysRef::File { path, .. } = named
                && after.key_file_users(path).is_empty()
            {
                let path = printable(path);
                let why = format!("{path} is left where it is: no declaration names it any more");
                (self.notify)(&why);
            }
        }
    }

    /// Step 3.
    fn manifest(&self, migration_states: &[MigrationState]) -> Result<Option<String>, Failure> {
        let desired = &self.ready.opened.desired;
        let named = |entity: &Entity| migration_states.iter().any(|it| it.entity == *entity);
        let group = Group::chosen(self.application.clone(), desired, &named);
        let manifest = group.manifest(desired, today());
        for migration_state in migration_states.iter().filter(|it| it.step == Step::Release) {
            self.report(migration_state, "step 4: NAIS has taken it over");
        }
        (self.notify)(
            "next (step 3): put this into the application's manifest and deploy it; do not apply until \
             after step 4, as an apply would set back what NAIS sets. Then (step 4) run this again with \
             --release",
        );
        Ok(Some(manifest))
    }

    /// Step 4.
    fn release(&self, migration_states: &[MigrationState]) -> Result<Option<String>, Failure> {
        self.refuse(migration_states)?;
        self.refuse_unapplied(migration_states)?;
        let early: Vec<_> = migration_states.iter().filter(|it| !it.names_application).collect();
        if !early.is_empty() {
            let early = early.iter().map(|it| printable(&it.entity.to_string()).into_owned());
            return Err(Failure::Refused(format!(
                "not yet applied: the live description of {} does not name the application {}, so NAIS \
                 would not find it. Nothing was changed\nRun this without --release for the next step",
                listed(early),
                self.application
            )));
        }
        let reason = format!("handed over to NAIS ({})", self.application);
        let clients = &self.ready.opened.desired.clients;
        let is_pinned = |entity: &Entity| match entity {
            Entity::Client(name) => {
                clients.get(name).is_some_and(|it| it.identity.pinned().is_some())
            }
            Entity::Scope(_) => false,
        };
        let all: Vec<&MigrationState> = migration_states.iter().collect();
        edits::carry_out(self, &all, |repository, environment, migration_state| {
            let MigrationState { entity, client_id, .. } = migration_state;
            // A renamed client would not be found by its name alone.
            let is_needed = migration_state.is_renamed || is_pinned(entity);
            let client_id = client_id.as_ref().filter(|_| is_needed);
            repository.released(environment, entity, &reason, client_id)
        })?;
        for migration_state in migration_states {
            self.report(migration_state, "step 4: its declaration has made way for its release");
            if migration_state.step != Step::Release && !is_client(migration_state) {
                let why = "note: NAIS has not taken it over yet, as far as its description shows; until \
                           the application is deployed, nobody looks after it";
                self.report(migration_state, why);
            }
        }
        (self.notify)("next: commit, merge and apply; nothing is sent for it");
        Ok(None)
    }

    /// Refuses entities that cannot be handed over.
    fn refuse(&self, migration_states: &[MigrationState]) -> Result<(), Failure> {
        let lines =
            migration_states.iter().flat_map(|MigrationState { entity, problems, .. }| {
                let refused = problems.iter().filter(|it| it.weight == Weight::Refused);
                refused.map(move |it| printable(&format!("{entity}: {}", it.message)).into_owned())
            });
        let lines: Vec<_> = lines.collect();
        match lines.is_empty() {
            true => Ok(()),
            false => Err(Failure::Refused(format!(
                "this cannot be handed over to NAIS as it is. Nothing was changed\n{}",
                lines.join("\n")
            ))),
        }
    }

    /// Refuses if a requested change is not applied yet: the release would drop it.
    fn refuse_unapplied(&self, migration_states: &[MigrationState]) -> Result<(), Failure> {
        // A difference made by NAIS after the take-over is drift, and at most an update.
        let is_left = |action: &&Action| {
            let is_named = migration_states.iter().any(|it| it.entity == action.target().entity());
            let matters = match action.verb() {
                Verb::Update | Verb::Release => false,
                Verb::Revoke | Verb::Reactivate | Verb::Create | Verb::Grant | Verb::Keys => true,
                Verb::Deactivate => true,
            };
            // A grant that failed is reported as drift too.
            let is_ours = action.origin != Some(Origin::Drift) || action.verb() == Verb::Grant;
            is_named && matters && is_ours
        };
        let plan = self.ready.compare(self.live);
        let left = plan.actions.iter().filter(is_left).map(|action| action.id().to_string());
        let left: Vec<_> = left.map(|id| printable(&id).into_owned()).collect();
        match left.is_empty() {
            true => Ok(()),
            false => Err(Failure::Refused(format!(
                "not yet applied: {}. The release would give that up. Nothing was changed\nApply what is \
                 declared first",
                left.join("; ")
            ))),
        }
    }

    fn warn(&self, migration_state: &MigrationState) {
        for problem in migration_state.problems.iter().filter(|it| it.weight == Weight::Default) {
            self.report(migration_state, &format!("note: {}", problem.message));
        }
    }

    fn report(&self, migration_state: &MigrationState, what: &str) {
        let line = format!("{}: {what}", migration_state.entity);
        (self.notify)(&printable(&line));
    }
}

fn is_client(migration_state: &MigrationState) -> bool {
    matches!(migration_state.entity, Entity::Client(_))
}
