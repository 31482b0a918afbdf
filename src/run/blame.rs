//! Who last touched the lines that a plan's actions come from.

use crate::history::{Blames, History};
use plan::document::{BlameDocument, PlanDocument};

/// Tells of each action who last touched the line that asks for it, where git knows.
pub(crate) fn blame(plan: &mut PlanDocument, history: Option<&History>) {
    let (Some(history), Some(repository)) = (history, plan.repository.clone()) else { return };
    let mut blames = Blames::new(history);
    for source in plan.actions.iter_mut().filter_map(|action| action.source.as_mut()) {
        // What is not committed has other lines.
        let here = (!repository.dirty).then(|| repository.commit.clone());
        let Some(commit) = source.at.clone().or(here) else { continue };
        let blame = blames.of(&commit, &source.file, source.line);
        source.blame =
            blame.map(|blame| BlameDocument { commit: blame.commit, author: blame.author });
    }
}
