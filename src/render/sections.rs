//! Order in which actions are shown to a reviewer: those that remove access granted outside this repository,
//! others that remove access or open something, those that give access, the rest.

use plan::Danger;
use plan::document::ActionDocument;

/// A part of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// Access is removed that was granted outside this repository, before the scope was declared here for the
    /// first time.
    TakeOver,
    /// Access is removed, or something is opened.
    Delicate,
    /// Somebody gets access.
    Gives,
    /// Neither.
    Rest,
}

impl Section {
    const ALL: [Self; 4] = [Self::TakeOver, Self::Delicate, Self::Gives, Self::Rest];

    fn of(action: &ActionDocument) -> Self {
        match action.danger {
            Some(_) if action.takes_over => Self::TakeOver,
            Some(Danger::Closes | Danger::Reopens | Danger::Opens) => Self::Delicate,
            Some(Danger::Keys | Danger::Reaches | Danger::Grants) => Self::Gives,
            None => Self::Rest,
        }
    }
}

/// The sections that are not empty, in order.
pub(super) fn sections<'a>(
    actions: &[&'a ActionDocument],
) -> Vec<(Section, Vec<&'a ActionDocument>)> {
    let of = |section: Section| {
        let own = actions.iter().copied().filter(|action| Section::of(action) == section);
        (section, own.collect::<Vec<_>>())
    };
    Section::ALL.into_iter().map(of).filter(|(_, own)| !own.is_empty()).collect()
}
