//! Last change of the lines that request a plan's actions.

use crate::history::{Blames, History};
use plan::document::{BlameDocument, PlanDocument};

/// Adds to each action the last change of the line that requests it, where git knows it.
pub(crate) fn blame(plan: &mut PlanDocument, history: Option<&History>) {
    let (Some(history), Some(repository)) = (history, plan.repository.clone()) else { return };
    let mut blames = Blames::new(history);
    for source in plan.actions.iter_mut().filter_map(|action| action.source.as_mut()) {
        // Uncommitted changes have other line numbers.
        let here = (!repository.dirty).then(|| repository.commit.clone());
        let Some(commit) = source.at.clone().or(here) else { continue };
        let blame = blames.of(&commit, &source.file, source.line);
        source.blame =
            blame.map(|blame| BlameDocument { commit: blame.commit, author: blame.author });
    }
}
