//! Edits of a hand-over: made in memory, compared with the live state, and then written.

use jiff::Timestamp;

use super::Handover;
use crate::declare::{CannotEdit, Edited, Invalid, Repository};
use crate::nais::{MigrationState, changed_entities, harm};
use crate::run::clock::today;
use crate::run::edits::{refused, write};
use crate::run::{Failure, Ready};
use domain::text::printable;
use domain::{Desired, Entity, Live};
use plan::plan;

/// Edits the declarations of several entities in turn, and writes them if that does no harm.
pub(super) fn carry_out(
    handover: &Handover<'_>,
    migration_states: &[&MigrationState],
    edit: impl Fn(&Repository, &str, &MigrationState) -> Result<Edited, CannotEdit>,
) -> Result<Repository, Failure> {
    let opened = &handover.ready.opened;
    let mut after: Option<Repository> = None;
    for migration_state in migration_states {
        let before = after.as_ref().unwrap_or(&opened.repository);
        let edited = edit(before, &opened.desired.environment, migration_state);
        let edited =
            edited.map_err(|error| Failure::Refused(format!("{error}\nNothing was changed")))?;
        after = Some(before.with(&edited).map_err(|found| refused(&found))?);
    }
    let after = after.ok_or_else(|| Failure::failed("there is nothing to edit"))?;
    let named: Vec<Entity> = migration_states.iter().map(|it| it.entity.clone()).collect();
    check(handover.ready, &after, handover.live, &named)?;
    write(handover.notify, &after)?;
    Ok(after)
}

/// Checks that the edited declarations are unchanged for all other entities, in every environment; and that
/// their plan removes nothing from the named entities, and is otherwise the same.
fn check(ready: &Ready, after: &Repository, live: &Live, named: &[Entity]) -> Result<(), Failure> {
    let here = ready.opened.desired.environment.as_str();
    for environment in ready.opened.repository.environments() {
        let Ok((before, _)) = ready.opened.repository.desired(environment, today()) else {
            // It was invalid before.
            continue;
        };
        let then = desired(after, environment)?;
        let own = if environment == here { named } else { &[] };
        if let Some(other) = changed_entities(&before, &then, own).first() {
            return Err(Failure::Refused(format!(
                "the edit would change what is declared of {other} in {environment}. Nothing was changed"
            )));
        }
    }
    let (then, now) = (desired(after, here)?, Timestamp::now());
    let before = &ready.past.known;
    let plans = (plan(&ready.opened.desired, before, live, now), plan(&then, before, live, now));
    let harm = harm(&plans.0, &plans.1, named);
    if harm.is_empty() {
        return Ok(());
    }
    let harm: Vec<_> = harm.iter().map(|id| printable(&id.to_string()).into_owned()).collect();
    Err(Failure::Refused(format!(
        "with the edit, the next apply would do what a handover must not do: {}. Nothing was changed\n\
         Apply first what is declared now",
        harm.join("; ")
    )))
}

fn desired(repository: &Repository, environment: &str) -> Result<Desired, Failure> {
    match repository.desired(environment, today()) {
        Ok((desired, _)) => Ok(desired),
        Err(Invalid::Environment(error)) => Err(Failure::usage(error)),
        Err(Invalid::Declarations(found)) => Err(refused(&found)),
    }
}
