//! Live state as the declarations that a person would have written: only differences from the defaults, with
//! aliases and groups where they help, sorted.
//!
//! The input is values, the output is texts of files; nothing is read or written here. [`found`] selects the
//! entities to declare, [`consumers`] finds aliases and groups, [`scope`] and [`client`] write each entity as
//! [`yaml`], [`layout`] chooses the file, and [`draft`] makes the texts. [`proof`] trusts none of it: it
//! reads the texts again and leaves out whatever a plan would still change.

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
pub use proof::{ProofError, Proved, proved};
pub use rendered::{Rendered, rendered};
pub use schema::schema;
pub use written::{File, declarations};

use crate::declare::{Environment, EnvironmentTarget, Repository};
use domain::{
    Beside, ClientId, ClientName, Desired, IntegrationType, Live, LiveClient, Orgno, ScopeName,
};
use found::OnSides;
use yaml::{Yaml, YamlEntries};

/// Live state of one environment.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The environment's name in portvakt.yaml.
    pub environment: &'a str,
    /// The live state.
    pub live: &'a Live,
    /// The declarations at the last apply; `None` where they are not known.
    pub before: Option<&'a Desired>,
    /// The current declarations, if accesses that their scopes lack are to be added.
    pub declared: Option<&'a Desired>,
    /// The declarations of other places in the git repository for the same API.
    pub beside: &'a [Beside],
}

/// A candidate for a declaration.
#[derive(Debug, Clone, Copy)]
pub enum AdoptedThing<'a> {
    /// A scope.
    Scope(&'a ScopeName),
    /// A client.
    Client(&'a ClientId, &'a LiveClient),
}

/// Input and options of an import.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The target repository: its defaults, aliases, groups and teams apply, and its declarations are left
    /// alone.
    pub repository: &'a Repository,
    /// The live states; the first environment is the one with which the others are compared.
    pub sides: &'a [Side<'a>],
    /// Selects the scopes and clients to declare, of those that are active and not declared.
    pub chosen: &'a dyn Fn(AdoptedThing<'_>) -> bool,
    /// The layout of the files.
    pub layout: Layout,
    /// The folder of these files, as a path in the repository; empty for its root.
    pub into: &'a str,
    /// Whether a path of the repository is in use: files with keys get other names.
    pub taken: &'a dyn Fn(&str) -> bool,
    /// Location of the JSON Schema of declarations for the first line of a file, which editors read: a path
    /// in the repository, or a URL.
    pub schema: &'a str,
    /// Names of organisations for readers, as manifests have them: each that is used gets an alias.
    pub labels: &'a BTreeMap<Orgno, String>,
    /// Whether existing files are extended; otherwise each file is new.
    pub merge: bool,
    /// Whether declarations are only converted to another form, and nothing is live: inactive scopes are
    /// declared too, as inactive, and ids are not from DigDir.
    pub rendered: bool,
}

static NO_LABELS: BTreeMap<Orgno, String> = BTreeMap::new();

impl<'a> Input<'a> {
    /// Everything that is live and not declared, in one new file at the root of the repository.
    pub fn new(repository: &'a Repository, sides: &'a [Side<'a>]) -> Self {
        Self {
            repository,
            sides,
            chosen: &|_| true,
            layout: Layout::Single,
            into: "",
            taken: &|_| false,
            schema: schema::USUAL,
            labels: &NO_LABELS,
            merge: false,
            rendered: false,
        }
    }

    /// The entry `environments` of an entity in these sides; `None` where it is in every environment that is
    /// not an embedded sandbox. An entity that is also declared elsewhere always gets one.
    fn environments<T>(&self, on: &OnSides<T>, is_elsewhere: bool) -> Option<(String, Yaml)> {
        let names: BTreeSet<&str> = on.keys().filter_map(|side| self.name(*side)).collect();
        let is_everywhere =
            self.relevant().all(|name| names.contains(name)) && on.len() == self.sides.len();
        (is_elsewhere || !is_everywhere).then(|| {
            let names = names.into_iter().map(Yaml::text).collect();
            ("environments".to_owned(), Yaml::List(names))
        })
    }

    /// The entry `per_environment`, with the entries of some sides; `None` where there are none.
    fn per_environment(
        &self,
        own: impl Iterator<Item = (usize, YamlEntries)>,
    ) -> Option<(String, Yaml)> {
        let own: YamlEntries = own
            .filter(|(_, entries)| !entries.is_empty())
            .filter_map(|(side, entries)| Some((self.name(side)?.to_owned(), Yaml::Map(entries))))
            .collect();
        (!own.is_empty()).then(|| ("per_environment".to_owned(), Yaml::Block(own)))
    }

    /// The environments that are not embedded sandboxes, or all where all are.
    fn relevant(&self) -> impl Iterator<Item = &'a str> {
        let declared = &self.repository.settings().environments;
        let is_embedded = |it: &Environment| matches!(*it.target, EnvironmentTarget::Sandbox);
        let all_embedded = declared.values().all(is_embedded);
        let relevant = declared.iter().filter(move |(_, it)| all_embedded || !is_embedded(it));
        relevant.map(|(name, _)| name.as_str())
    }

    fn name(&self, side: usize) -> Option<&'a str> {
        self.sides.get(side).map(|side| side.environment)
    }
}

/// An entity that has lines of its own in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum AdoptedEntity {
    Alias(Orgno),
    Group(BTreeSet<Orgno>),
    Scope(ScopeName),
    Client(ClientName, IntegrationType),
    /// An access that is added to a declared scope.
    Access(ScopeName, Orgno),
    /// All of those accesses.
    Accesses(ScopeName),
}

/// Results of reading the declarations again.
#[derive(Debug, Default)]
struct Lessons {
    /// The repository's own rules that an entity breaks, and that can be silenced for it.
    silences: BTreeMap<AdoptedEntity, BTreeSet<String>>,
    /// Entities that cannot be declared.
    refused: BTreeSet<AdoptedEntity>,
    /// Entities that set the repository's defaults explicitly: a broken rule is then found at the entity,
    /// where it can be silenced.
    explicit: BTreeSet<AdoptedEntity>,
    /// Whether all entities do, as it is not known yet which must.
    all_explicit: bool,
}

impl Lessons {
    fn is_explicit(&self, entity: &AdoptedEntity) -> bool {
        self.all_explicit || self.explicit.contains(entity)
    }
}
