//! Progress of hand-overs to NAIS, as text and as a document.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::text::{BAD, CAREFUL, GOOD, HEADING, QUIET};
use crate::nais::{MigrationState, Step, Weight};
use domain::Entity;
use domain::text::printable;
use plan::document::FORMAT_VERSION;

/// Scopes and clients that are being handed over to NAIS.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "portvakt migration")]
pub struct MigrationDocument<'a> {
    /// The version of this format.
    format_version: u8,
    /// The environment's name in `portvakt.yaml`.
    environment: &'a str,
    /// The entities, the scopes first.
    entities: Vec<EntityDocument<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct EntityDocument<'a> {
    kind: KindDocument,
    /// The scope's or the client's name.
    name: &'a str,
    /// `<cluster>:<namespace>:<name>`, as far as it is known; in a scope's description the dashes are
    /// missing.
    application: Option<String>,
    /// The live client; `null` for a scope, and where there is none.
    client_id: Option<&'a str>,
    /// The next step.
    step: Step,
    /// Its number, 1 to 4; `null` where nothing is left to do.
    number: Option<u8>,
    /// The next step, as a sentence.
    next: String,
    problems: Vec<ProblemDocument<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum KindDocument {
    Scope,
    Client,
}

#[derive(Serialize, JsonSchema)]
struct ProblemDocument<'a> {
    severity: Weight,
    message: &'a str,
}

impl<'a> MigrationDocument<'a> {
    /// The states as a document.
    pub fn new(environment: &'a str, migration_states: &'a [MigrationState]) -> Self {
        let entities = migration_states.iter().map(|migration_state| {
            let problems = migration_state.problems.iter();
            let problems =
                problems.map(|it| ProblemDocument { severity: it.weight, message: &it.message });
            EntityDocument {
                kind: match migration_state.entity {
                    Entity::Scope(_) => KindDocument::Scope,
                    Entity::Client(_) => KindDocument::Client,
                },
                name: migration_state.entity.name(),
                application: migration_state.application.as_ref().map(ToString::to_string),
                client_id: migration_state.client_id.as_ref().map(|id| id.as_str()),
                step: migration_state.step,
                number: migration_state.step.number(),
                next: migration_state.next().to_owned(),
                problems: problems.collect(),
            }
        });
        Self { format_version: FORMAT_VERSION, environment, entities: entities.collect() }
    }
}

/// The states as text with ANSI colours, a paragraph for each.
pub fn text(environment: &str, migration_states: &[MigrationState]) -> String {
    let mut out = String::new();
    // Writing into a String does not fail.
    let _ = writeln!(out, "{HEADING}On the way to NAIS in {}{HEADING:#}", printable(environment));
    if migration_states.is_empty() {
        let _ = writeln!(out, "Nothing is: no description names an application.");
    }
    for migration_state in migration_states {
        let (kind, name) =
            (migration_state.entity.kind(), printable(migration_state.entity.name()));
        let application = match &migration_state.application {
            Some(application) => application.to_string(),
            None => "no application".to_owned(),
        };
        let _ = writeln!(out, "\n{kind} {name}  {QUIET}{application}{QUIET:#}");
        let next = migration_state.next();
        let _ = match migration_state.step.number() {
            Some(number) => writeln!(out, "  step {number} of 4: {next}"),
            None => writeln!(out, "  {GOOD}done{GOOD:#}: {next}"),
        };
        for problem in &migration_state.problems {
            let message = printable(&problem.message);
            let _ = match problem.weight {
                Weight::Refused => writeln!(out, "  {BAD}not possible{BAD:#}: {message}"),
                Weight::Pending => writeln!(out, "  {CAREFUL}not yet{CAREFUL:#}: {message}"),
                Weight::Default => writeln!(out, "  {CAREFUL}note{CAREFUL:#}: {message}"),
            };
        }
    }
    out
}
