//! Declarations of two places, and their changes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::git::remote::Clone as Checkout;
use crate::world::{DIGDIR, KART, Ran, SKATT};

/// The scopes, followed by the client.
pub(super) const NAMES: [&str; 5] = ["etat:a", "etat:b", "etat:c", "etat:d", "app"];
pub(super) const CLIENT: usize = 4;
pub(super) const CONSUMERS: [&str; 3] = [SKATT, KART, DIGDIR];
pub(super) const FOLDERS: [&str; 4] = ["x", "y", "teams/x", ""];
pub(super) const ENVIRONMENTS: [&str; 2] = ["test", "dev"];

/// A place's declaration of a scope or of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declaration {
    /// `to` has one bit for each consumer, or is the scope that the client consumes.
    Declared {
        active: bool,
        to: u8,
    },
    Removed(&'static str),
}

/// A folder and its one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) folder: &'static str,
    pub(super) environment: &'static str,
    pub(super) says: BTreeMap<usize, Declaration>,
}

/// The two places, as committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Model(pub(super) [Option<Place>; 2]);

/// A change of declarations, by the numbers of places.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    /// A place declares a name.
    Say(usize, usize, Declaration),
    TakeOut(usize, usize),
    /// The other place declares it instead.
    HandOver(usize, usize),
    /// The other place declares the same.
    Share(usize, usize),
    Move(usize, &'static str),
    Rename(usize, &'static str),
    Add(usize),
    Drop(usize),
}

impl Model {
    /// Two places with two scopes each.
    pub(super) fn begin() -> Self {
        let mut model = Self::default();
        let said = Declaration::Declared { active: true, to: 1 };
        for place in 0..2 {
            model.change(Change::Add(place));
            model.change(Change::Say(place, place, said));
            model.change(Change::Say(place, place + 2, said));
        }
        model.change(Change::Say(0, CLIENT, Declaration::Declared { active: true, to: 0 }));
        model
    }

    /// Makes a change, if it is possible.
    pub(super) fn change(&mut self, change: Change) {
        let is_free = |model: &Self, folder: &str| model.places().all(|it| it.folder != folder);
        match change {
            Change::Say(place, name, said) => {
                let Some(place) = &mut self.0[place] else { return };
                place.says.insert(name, said);
            }
            Change::TakeOut(place, name) => {
                let Some(place) = &mut self.0[place] else { return };
                place.says.remove(&name);
            }
            Change::HandOver(place, name) | Change::Share(place, name) => {
                let [Some(_), Some(_)] = self.0 else { return };
                let said = self.0[place].as_ref().and_then(|it| it.says.get(&name)).copied();
                let Some(said @ Declaration::Declared { .. }) = said else { return };
                if matches!(change, Change::HandOver(..)) {
                    self.change(Change::TakeOut(place, name));
                }
                self.change(Change::Say(1 - place, name, said));
            }
            Change::Move(place, folder) => {
                if is_free(self, folder)
                    && let Some(place) = &mut self.0[place]
                {
                    place.folder = folder;
                }
            }
            Change::Rename(place, environment) => {
                let Some(place) = &mut self.0[place] else { return };
                place.environment = environment;
            }
            Change::Add(place) => {
                let folder = FOLDERS[place..].iter().find(|folder| is_free(self, folder));
                let (None, Some(folder)) = (&self.0[place], folder) else { return };
                let environment = ENVIRONMENTS[0];
                self.0[place] = Some(Place { folder, environment, says: BTreeMap::new() });
            }
            Change::Drop(place) => {
                if self.0[1 - place].is_some() {
                    self.0[place] = None;
                }
            }
        }
    }

    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.0.iter().flatten()
    }

    /// Whether the places are at the locations of another model, under the same names.
    pub(super) fn is_where(&self, other: &Self) -> bool {
        let names = |model: &Self| {
            model.0.each_ref().map(|it| it.as_ref().map(|it| (it.folder, it.environment)))
        };
        names(self) == names(other)
    }

    /// The declarations of a name by all places.
    pub(super) fn said(&self, name: usize) -> Vec<Declaration> {
        self.places().filter_map(|place| place.says.get(&name)).copied().collect()
    }

    /// Those among them that declare it.
    pub(super) fn declared(&self, name: usize) -> Vec<Declaration> {
        let said = self.said(name).into_iter();
        said.filter(|said| matches!(said, Declaration::Declared { .. })).collect()
    }
}

impl Place {
    pub(super) fn yaml(&self) -> String {
        let mut parts = BTreeMap::<_, String>::new();
        for (name, said) in &self.says {
            let (name, is_client) = (NAMES[*name], *name == CLIENT);
            let (part, line) = match said {
                Declaration::Declared { active, to } if is_client => {
                    let scopes = NAMES[..CLIENT].get(usize::from(*to)).copied().unwrap_or_default();
                    ("clients", format!("name: {name}, active: {active}, scopes: [\"{scopes}\"]"))
                }
                Declaration::Declared { active, to } => {
                    let to = consumers(*to).join("\", \"");
                    let line = format!("name: {name}, description: Les, active: {active}");
                    ("scopes", format!("{line}, consumers: [\"{to}\"]"))
                }
                Declaration::Removed(action) => {
                    let kind = if is_client { "client" } else { "scope" };
                    ("removed", format!("{kind}: \"{name}\", action: {action}, reason: ferdig"))
                }
            };
            let line = line.replace("[\"\"]", "[]");
            // Writing into a String does not fail.
            let _ = writeln!(parts.entry(part).or_default(), "  - {{ {line} }}");
        }
        parts.into_iter().map(|(part, lines)| format!("{part}:\n{lines}")).collect()
    }

    /// A command in this place, from the top of the clone.
    pub(super) fn run(&self, clone: &Checkout<'_>, arguments: &[&str]) -> Ran {
        clone.run(&self.arguments(arguments))
    }

    pub(super) fn arguments<'a>(&self, arguments: &[&'a str]) -> Vec<&'a str> {
        let folder = if self.folder.is_empty() { "." } else { self.folder };
        [&["-C", folder, "-e", self.environment], arguments].concat()
    }
}

/// The consumers by bits, in order.
pub(super) fn consumers(to: u8) -> Vec<&'static str> {
    let mut all: Vec<_> =
        (0..3).filter(|bit| to >> bit & 1 == 1).map(|bit| CONSUMERS[bit]).collect();
    all.sort_unstable();
    all
}
