//! Live state as the declarations that a person would have written: only what differs from the
//! defaults, aliases and groups where they help, sorted.
//!
//! Values go in, the texts of files come out; nothing is read or written here. [`found`] tells what
//! there is to declare, [`consumers`] finds aliases and groups, [`scope`] and [`client`] say each
//! entity in [`yaml`], [`layout`] decides in which file, and [`draft`] makes the texts. [`proof`]
//! trusts none of it: it reads the texts again and leaves out what a plan would still change.

mod attributes;
mod client;
mod completed;
mod consumers;
mod counts;
mod draft;
mod found;
mod groups;
mod key_files;
mod layout;
mod left_out;
mod merge;
mod proof;
mod rendered;
mod schema;
mod scope;
mod slug;
mod written;

use std::collections::{BTreeMap, BTreeSet};

pub use counts::Counts;
pub use layout::Layout;
pub use left_out::{LeftOut, Reason, Subject};
pub use proof::{Proved, Unproved, proved};
pub use rendered::{Rendered, rendered};
pub use schema::schema;
pub use written::{File, declarations};

use crate::declare::{Environment, Repository, Target};
use domain::{
    Beside, ClientId, ClientName, Desired, IntegrationType, Live, LiveClient, Orgno, ScopeName,
};

/// What is live in one environment.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The environment's name in portvakt.yaml.
    pub environment: &'a str,
    /// What is live there.
    pub live: &'a Live,
    /// What was declared there when it was last applied; `None` where that is not known.
    pub before: Option<&'a Desired>,
    /// What is declared there, if the accesses that its scopes lack are to be added to it.
    pub declared: Option<&'a Desired>,
    /// What other places of the git repository declare for the same API.
    pub beside: &'a [Beside],
}

/// What there is to choose from.
#[derive(Debug, Clone, Copy)]
pub enum AdoptedThing<'a> {
    /// A scope.
    Scope(&'a ScopeName),
    /// A client.
    Client(&'a ClientId, &'a LiveClient),
}

/// From what declarations are made, and how.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The repository that they are for: its defaults, aliases, groups and teams count, and what it
    /// declares already is left alone.
    pub repository: &'a Repository,
    /// What is live, the environment whose values the others are told as differing from first.
    pub sides: &'a [Side<'a>],
    /// Which scopes and clients are to be declared, of those that are active and not declared.
    pub chosen: &'a dyn Fn(AdoptedThing<'_>) -> bool,
    /// Into which files.
    pub layout: Layout,
    /// The folder of these files, as a path in the repository; empty for its root.
    pub into: &'a str,
    /// Whether a path of the repository is in use: files with keys get other names.
    pub taken: &'a dyn Fn(&str) -> bool,
    /// Where the JSON Schema of declarations is, as the first line of a file tells an editor: a path
    /// in the repository, or a URL.
    pub schema: &'a str,
    /// Whether files that are there get more; else each file is a new one.
    pub merge: bool,
    /// Whether it is only another form of declarations, and nothing is live: inactive scopes are declared
    /// too, as such, and ids are none of DigDir's.
    pub rendered: bool,
}

impl<'a> Input<'a> {
    /// Everything that is live and not declared, in one new file at the repository's root.
    pub fn new(repository: &'a Repository, sides: &'a [Side<'a>]) -> Self {
        Self {
            repository,
            sides,
            chosen: &|_| true,
            layout: Layout::Single,
            into: "",
            taken: &|_| false,
            schema: schema::USUAL,
            merge: false,
            rendered: false,
        }
    }
}

impl<'a> Input<'a> {
    /// What `environments` must say of something that is in these sides; `None` for nothing, as it is
    /// in every environment that is no embedded sandbox. What is declared elsewhere says it always.
    fn environments(&self, on: &BTreeSet<usize>, is_elsewhere: bool) -> Option<Vec<String>> {
        let names: BTreeSet<&str> = on.iter().filter_map(|side| self.name(*side)).collect();
        let is_everywhere =
            self.relevant().all(|name| names.contains(name)) && on.len() == self.sides.len();
        let listed = || names.iter().map(|name| (*name).to_owned()).collect();
        (is_elsewhere || !is_everywhere).then(listed)
    }

    /// The environments that are no embedded sandboxes, or all where all are.
    fn relevant(&self) -> impl Iterator<Item = &'a str> {
        let declared = &self.repository.settings().environments;
        let is_embedded = |it: &Environment| matches!(it.target, Target::Sandbox);
        let all_embedded = declared.values().all(is_embedded);
        let relevant = declared.iter().filter(move |(_, it)| all_embedded || !is_embedded(it));
        relevant.map(|(name, _)| name.as_str())
    }

    fn name(&self, side: usize) -> Option<&'a str> {
        self.sides.get(side).map(|side| side.environment)
    }
}

/// What stands by itself in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum AdoptedEntity {
    Alias(Orgno),
    Group(BTreeSet<Orgno>),
    Scope(ScopeName),
    Client(ClientName, IntegrationType),
    /// An access that is added to a scope that is declared.
    Access(ScopeName, Orgno),
    /// All of these.
    Accesses(ScopeName),
}

/// What reading the declarations again has taught.
#[derive(Debug, Default)]
struct Lessons {
    /// The repository's own rules that an entity breaks, and that can be silenced for it.
    silences: BTreeMap<AdoptedEntity, BTreeSet<String>>,
    /// Entities that cannot be declared.
    refused: BTreeSet<AdoptedEntity>,
    /// Entities that say themselves what the repository's defaults give them: what is wrong with that
    /// is then found at the entity, where it can be silenced.
    explicit: BTreeSet<AdoptedEntity>,
    /// Whether all do, as it is not known yet which must.
    all_explicit: bool,
}

impl Lessons {
    fn is_explicit(&self, entity: &AdoptedEntity) -> bool {
        self.all_explicit || self.explicit.contains(entity)
    }
}
