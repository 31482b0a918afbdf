//! Last change of the lines that request a plan's actions.

use crate::history::{Blame, Blames, History, LineFate};
use plan::document::{BlameDocument, PlanDocument};

/// Adds to each action the last change of the line that requests it, where git knows it; for a line that is no
/// longer declared, the change that removed it.
pub(crate) fn blame(plan: &mut PlanDocument, history: Option<&History>) {
    let (Some(history), Some(repository)) = (history, plan.repository.clone()) else { return };
    let mut blames = Blames::new(history);
    for source in plan.actions.iter_mut().filter_map(|action| action.source.as_mut()) {
        // Uncommitted changes have other line numbers.
        let here = (!repository.dirty).then(|| repository.commit.clone());
        let (file, line) = (&source.file, source.line);
        let (blame, removed) = match &source.at {
            Some(at) => match blames.removal(at, &repository.commit, file, line) {
                LineFate::Removed(blame) => (Some(blame), true),
                LineFate::Kept if repository.dirty => (None, false),
                LineFate::Kept | LineFate::Unknown => (blames.of(at, file, line), false),
            },
            None => (here.and_then(|commit| blames.of(&commit, file, line)), false),
        };
        let document = |Blame { commit, author }| BlameDocument { commit, author, removed };
        source.blame = blame.map(document);
    }
}
