//! Changes since a plan was saved.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{ActionDocument, ChangeDocument, ConsumerDocument};
use super::plan::PlanDocument;
use super::scheduled::ScheduledDocument;
use domain::text::json::value;
use domain::text::listed;

/// Differences between the current plan and a saved one, one sentence each; empty where both do the same.
/// Names, places, reasons and times are ignored.
pub fn moved(saved: &PlanDocument, now: &PlanDocument) -> Vec<String> {
    let by_id = |plan: &'_ PlanDocument| -> BTreeMap<String, ActionDocument> {
        plan.actions.iter().map(|action| (action.id.clone(), action.clone())).collect()
    };
    let (before, after) = (by_id(saved), by_id(now));
    let mut lines = Vec::new();
    for (id, old) in &before {
        match after.get(id) {
            None => lines.push(match now.blocked.iter().find(|blocked| blocked.is_of(id)) {
                Some(blocked) => format!("{id}: is blocked by now ({})", blocked.code),
                None => format!("{id}: is not needed any more"),
            }),
            Some(new) => {
                lines.extend(differences(old, new).into_iter().map(|what| format!("{id}: {what}")));
            }
        }
    }
    let new = after.keys().filter(|id| !before.contains_key(*id));
    lines.extend(new.map(|id| format!("{id}: is needed by now and not in the plan")));
    let later = |plan: &PlanDocument| -> BTreeSet<String> {
        let sentence = |it: &ScheduledDocument| {
            format!("{} {}: the access {} {}", it.scope, it.consumer, it.effect.words(), it.day)
        };
        plan.scheduled.iter().map(sentence).collect()
    };
    let (before, after) = (later(saved), later(now));
    lines.extend(before.difference(&after).map(|it| format!("{it}: this is not so any more")));
    lines.extend(after.difference(&before).map(|it| format!("{it}: this is not in the plan")));
    if lines.is_empty() && saved.digest != now.digest {
        lines.push("a key that counts again is another one under the same id".to_owned());
    }
    lines
}

/// Differences between two actions with the same id.
fn differences(old: &ActionDocument, new: &ActionDocument) -> Vec<String> {
    let mut lines = Vec::new();
    if old.client_id != new.client_id {
        let id = |action: &ActionDocument| action.client_id.clone().unwrap_or("none".to_owned());
        lines.push(format!("is about client {}, not {}", id(new), id(old)));
    }
    if old.changes != new.changes {
        lines.push(format!(
            "would change {}; planned was {}",
            all(&new.changes),
            all(&old.changes)
        ));
    }
    for (what, old, new) in [
        ("has access again by it", numbers(&old.regains), numbers(&new.regains)),
        ("loses access by it", numbers(&old.loses), numbers(&new.loses)),
        ("counts again by it", old.regains_keys.clone(), new.regains_keys.clone()),
    ] {
        let come = new.iter().filter(|one| !old.contains(one));
        lines.extend(come.map(|one| format!("{one} {what} as well")));
        let gone = old.iter().filter(|one| !new.contains(one));
        lines.extend(gone.map(|one| format!("not {one} {what}")));
    }
    lines
}

fn numbers(consumers: &[ConsumerDocument]) -> Vec<String> {
    consumers.iter().map(|consumer| consumer.consumer.clone()).collect()
}

fn all(changes: &[ChangeDocument]) -> String {
    let shown = changes.iter().map(|ChangeDocument { field, before, after }| {
        format!("{field} from {} to {}", value(before), value(after))
    });
    if changes.is_empty() { "nothing".to_owned() } else { listed(shown) }
}
