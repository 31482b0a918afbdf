//! Order in which actions are shown to a reviewer: those that remove access of blocked organisations, those that
//! remove access granted outside this repository, others that remove access or open something, those that give access, the rest.

use std::collections::{HashMap, HashSet};

use domain::text::counted;
use plan::document::{ActionDocument, PlanDocument};
use plan::{Danger, Origin};

/// The heading of actions that a date asks for.
pub(super) const BY_DATE: &str = "By date";

/// The actions of a plan by their cause.
pub(super) struct ByOrigin<'a> {
    /// The declarations have changed, or the cause is not known.
    pub(super) own: Vec<&'a ActionDocument>,
    /// A date has passed.
    pub(super) dated: Vec<&'a ActionDocument>,
    /// They were pending before.
    pub(super) drift: Vec<&'a ActionDocument>,
}

impl<'a> ByOrigin<'a> {
    pub(super) fn of(plan: &'a PlanDocument) -> Self {
        let mut all = Self { own: Vec::new(), dated: Vec::new(), drift: Vec::new() };
        for action in &plan.actions {
            match action.origin {
                Some(Origin::Expired | Origin::Due) => all.dated.push(action),
                Some(Origin::Drift) => all.drift.push(action),
                Some(Origin::Change) | None => all.own.push(action),
            }
        }
        all
    }
}

/// A part of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// Access is removed because the organisation is blocked.
    Blocked,
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
    const ALL: [Self; 5] = [Self::Blocked, Self::TakeOver, Self::Delicate, Self::Gives, Self::Rest];

    fn of(action: &ActionDocument) -> Self {
        match action.danger {
            Some(_) if action.of_block => Self::Blocked,
            Some(_) if action.takes_over => Self::TakeOver,
            Some(Danger::Closes | Danger::Reopens | Danger::Opens) => Self::Delicate,
            Some(Danger::Keys | Danger::Reaches | Danger::Grants) => Self::Gives,
            None => Self::Rest,
        }
    }

    /// The heading of its actions.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Blocked => "Takes access away from blocked organisations",
            Self::TakeOver => {
                "Takes access away that others granted: declared here for the first time"
            }
            Self::Delicate => "Takes access away or opens up",
            Self::Gives => "Gives access",
            Self::Rest => "The rest",
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

/// The sections with their headings, which name `whose` they are; the only section, if it neither removes nor gives
/// access, has the heading `plain`.
pub(super) fn headed<'a>(
    whose: Option<&str>,
    plain: &str,
    actions: &[&'a ActionDocument],
) -> Vec<(String, Section, Vec<&'a ActionDocument>)> {
    let sections = sections(actions);
    let is_plain = matches!(sections.as_slice(), [(Section::Rest, _)]);
    let headed = sections.into_iter().map(|(section, actions)| {
        let heading = if is_plain { plain } else { section.heading() };
        let heading = match whose.filter(|whose| *whose != heading) {
            Some(whose) => format!("{whose}: {}", heading.to_lowercase()),
            None => heading.to_owned(),
        };
        (heading, section, actions)
    });
    headed.collect()
}

/// A member that was added to a group or removed from it, and what that does.
pub(super) struct GroupChange<'a> {
    pub(super) group: &'a str,
    /// One of its actions: they have the consumer, the operation and the line in common.
    pub(super) action: &'a ActionDocument,
    pub(super) scopes: usize,
    pub(super) teams: usize,
}

impl GroupChange<'_> {
    /// `12 scopes of 3 teams`.
    pub(super) fn reach(&self) -> String {
        let scopes = counted(self.scopes as u64, "scope", "s");
        match self.teams {
            0 => scopes,
            teams => format!("{scopes} of {}", counted(teams as u64, "team", "s")),
        }
    }
}

/// The changes of groups' members among these actions, in the order of the actions.
pub(super) fn group_changes<'a>(actions: &[&'a ActionDocument]) -> Vec<GroupChange<'a>> {
    let mut changes: Vec<GroupChange<'a>> = Vec::new();
    let mut indices = HashMap::new();
    let mut teams = HashSet::new();
    for action in actions {
        // With an entry, another line than that of the scope made the difference.
        let (Some(group), Some(_)) = (action.group.as_deref(), &action.entry) else { continue };
        let index =
            *indices.entry((group, &action.consumer, action.action)).or_insert(changes.len());
        if index == changes.len() {
            changes.push(GroupChange { group, action, scopes: 0, teams: 0 });
        }
        let Some(change) = changes.get_mut(index) else { continue };
        change.scopes += 1;
        let is_new = action.team.as_ref().is_some_and(|team| teams.insert((index, team)));
        change.teams += usize::from(is_new);
    }
    changes
}
