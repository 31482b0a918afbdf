//! Desired state of one environment, as the repository declares it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use globset::GlobSet;
use jiff::SignedDuration;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ClientAttributes, ClientId, ClientIdentity, ClientName, Days, Entity, EntryName, OnBehalfOf,
    OnBehalfOfId, Orgno, PublicKey, ScopeAttributes, ScopeName, Vocabulary,
};

/// The declarations of one environment, checked and resolved.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The environment's name in `portvakt.yaml`.
    pub environment: String,
    /// The organisation that owns the scopes.
    pub organization: Orgno,
    /// The declared scopes.
    pub scopes: BTreeMap<ScopeName, DesiredScope>,
    /// Scopes that are no longer declared here, and the action for each.
    pub removed: BTreeMap<ScopeName, Removal>,
    /// The declared clients.
    pub clients: BTreeMap<ClientName, DesiredClient>,
    /// Clients that are no longer declared here, and the action for each.
    pub removed_clients: BTreeMap<ClientName, ClientRemoval>,
    /// How long before its expiry a key is reported.
    pub warn_before: SignedDuration,
    /// How long before its end an access is reported.
    pub warn_of_access: SignedDuration,
    /// Organisations without access, whatever else is declared.
    pub blocks: Vec<ConsumerBlock>,
    /// Names of organisations, as the repository declares them.
    pub names: BTreeMap<Orgno, String>,
    /// Names that manifests give organisations: they count where neither the repository nor DigDir has one.
    pub labels: BTreeMap<Orgno, String>,
    /// The aliases and groups by which entries name them.
    pub vocabulary: Vocabulary,
    /// Limits that an apply exceeds only with an explicit override.
    pub guards: Guards,
}

impl Desired {
    /// The name of an organisation: the repository's, else the live one, else the label of a manifest.
    pub fn name_of<'n>(&'n self, orgno: Orgno, live: Option<&'n String>) -> Option<&'n String> {
        self.names.get(&orgno).or(live).or_else(|| self.labels.get(&orgno))
    }

    /// The declared scopes and clients.
    pub fn entities(&self) -> impl Iterator<Item = Entity> {
        let clients = self.clients.keys().cloned().map(Entity::Client);
        self.scopes.keys().cloned().map(Entity::Scope).chain(clients)
    }

    /// Whether a scope or a client is declared.
    pub fn declares(&self, entity: &Entity) -> bool {
        match entity {
            Entity::Scope(name) => self.scopes.contains_key(name),
            Entity::Client(name) => self.clients.contains_key(name),
        }
    }

    /// Whether a NAIS manifest declares it.
    pub fn in_manifest(&self, entity: &Entity) -> bool {
        match entity {
            Entity::Scope(name) => self.scopes.get(name).is_some_and(|scope| scope.in_manifest),
            Entity::Client(name) => {
                self.clients.get(name).is_some_and(|client| client.identity.is_owned())
            }
        }
    }

    /// Its entry in `removed`.
    pub fn removal(&self, entity: &Entity) -> Option<&Removal> {
        match entity {
            Entity::Scope(name) => self.removed.get(name),
            Entity::Client(name) => self.removed_clients.get(name).map(|gone| &gone.removal),
        }
    }

    /// Whether `removed` releases it: it stays live, managed by others.
    pub fn releases(&self, entity: &Entity) -> bool {
        self.removal(entity).is_some_and(|removal| removal.action == RemovalAction::Release)
    }

    /// The block that keeps an organisation from having access to a scope, if there is one.
    pub fn block(&self, scope: &ScopeName, consumer: Orgno) -> Option<&ConsumerBlock> {
        self.blocks.iter().find(|block| block.consumer == consumer && block.concerns(scope))
    }

    /// The declared access of an organisation to a scope, blocked or not.
    pub fn access(&self, scope: &ScopeName, consumer: Orgno) -> Option<&DesiredAccess> {
        self.scopes.get(scope)?.consumers.get(&consumer)
    }

    /// The entry that gives an organisation access to a scope on a day.
    pub fn entry(&self, scope: &ScopeName, consumer: Orgno, day: Date) -> Option<&DesiredEntry> {
        let entry = self.access(scope, consumer)?.on(day);
        entry.filter(|_| self.block(scope, consumer).is_none())
    }

    /// The organisations that have access to a scope by the declarations on a day, with their names.
    pub fn consumers_on(&self, scope: &ScopeName, day: Date) -> BTreeMap<Orgno, Option<String>> {
        let declared = self.scopes.get(scope).into_iter().flat_map(|it| it.consumers.keys());
        let counting = declared.filter(|orgno| self.entry(scope, **orgno, day).is_some());
        counting.map(|orgno| (*orgno, self.name_of(*orgno, None).cloned())).collect()
    }

    /// Adds the guards of other declarations, blocks whom they block too, and protects what they protect.
    #[must_use]
    pub fn protected_as(mut self, other: &Self) -> Self {
        self.guards = other.guards.clone();
        self.blocks.splice(..0, other.blocks.iter().cloned());
        for (name, scope) in &mut self.scopes {
            let of_other = other.scopes.get(name).is_some_and(|it| it.prevent_deactivation);
            scope.prevent_deactivation |= of_other;
        }
        for (name, client) in &mut self.clients {
            let of_other = other.clients.get(name).is_some_and(|it| it.prevent_deactivation);
            client.prevent_deactivation |= of_other;
        }
        self
    }
}

/// Place of a declaration in the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The file, relative to the repository, with `/` between its parts.
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: usize,
    /// The commit that has it there; `None` for the current declarations.
    pub at: Option<CommitId>,
}

impl Source {
    /// The same place as it was at a commit, unless it is one of another commit already.
    #[must_use]
    pub fn as_of(&self, commit: &CommitId) -> Self {
        Self { at: self.at.clone().or(Some(commit.clone())), ..self.clone() }
    }
}

/// The id of a commit, in hex digits.
pub type CommitId = Arc<str>;

/// A declared scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredScope {
    /// Its declared attributes; `delegation_source` may still be a name instead of an issuer.
    pub attributes: ScopeAttributes,
    /// `false` keeps it declared but deactivated.
    pub active: bool,
    /// Whether a plan must never deactivate it.
    pub prevent_deactivation: bool,
    /// Whether a NAIS manifest declares it: then removing the manifest removes the declaration.
    pub in_manifest: bool,
    /// The organisations that should have access.
    pub consumers: BTreeMap<Orgno, DesiredAccess>,
    /// The aliases and groups that its entries name.
    pub names: BTreeSet<EntryName>,
    /// Where it is declared.
    pub source: Source,
}

impl DesiredScope {
    /// Whether grants decide who has access: nobody has access to an inactive scope, and everybody to an open one.
    pub fn is_granted(&self) -> bool {
        self.active && !self.attributes.accessible_for_all
    }
}

/// A declared access: the entries of a scope that name the organisation, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredAccess {
    first: DesiredEntry,
    others: Vec<DesiredEntry>,
}

/// An entry that gives an organisation access on some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredEntry {
    /// The days on which it counts.
    pub days: Days,
    /// The declared reason for it.
    pub reason: Option<String>,
    /// The group by which it is declared.
    pub group: Option<Arc<str>>,
    /// Where it is declared.
    pub source: Source,
}

impl From<DesiredEntry> for DesiredAccess {
    fn from(first: DesiredEntry) -> Self {
        Self { first, others: Vec::new() }
    }
}

impl DesiredAccess {
    /// Adds an entry that is written after the others.
    pub fn add(&mut self, entry: DesiredEntry) {
        self.others.push(entry);
    }

    /// The entries, in the order in which they are written.
    pub fn entries(&self) -> impl Iterator<Item = &DesiredEntry> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The same, to be changed.
    pub fn entries_mut(&mut self) -> impl Iterator<Item = &mut DesiredEntry> {
        std::iter::once(&mut self.first).chain(&mut self.others)
    }

    /// The entry that gives access on a day: the one that lasts longest.
    pub fn on(&self, day: Date) -> Option<&DesiredEntry> {
        let counts = |entry: &&DesiredEntry| entry.days.contains(day);
        // A fast path: most accesses have one entry, and a plan looks at each of them several times.
        match self.others.is_empty() {
            true => Some(&self.first).filter(counts),
            false => longest(self.entries().filter(counts)),
        }
    }

    /// The first entry that begins after a day.
    pub fn next_after(&self, day: Date) -> Option<&DesiredEntry> {
        let later = self
            .entries()
            .filter(|entry| entry.days.is_later_than(day) && !entry.days.is_reversed());
        later.min_by_key(|entry| entry.days.from)
    }

    /// The entry by which an organisation has access on a day, or last had it before: the one that gives it, else
    /// the last one to end; where all begin later, the next one.
    pub fn last_given(&self, day: Date) -> &DesiredEntry {
        let is_over = |days: Days| days.is_over(day) && !days.is_reversed();
        let over = || longest(self.entries().filter(|entry| is_over(entry.days)));
        self.on(day).or_else(over).unwrap_or_else(|| self.described(day))
    }

    /// The entry that describes the access on a day: the one that gives it, else the next one to begin, else
    /// the last one to end.
    pub fn described(&self, day: Date) -> &DesiredEntry {
        let last = || longest(self.entries());
        self.on(day).or_else(|| self.next_after(day)).or_else(last).unwrap_or(&self.first)
    }

    /// The first of the days with access that a day belongs to, however many entries they are declared by;
    /// `None` for no beginning, and for no access on that day.
    pub fn first_day(&self, day: Date) -> Option<Date> {
        let mut begin = self.on(day)?.days.from?;
        loop {
            let Ok(before) = begin.yesterday() else { return None };
            match self.on(before) {
                Some(entry) => begin = entry.days.from?,
                None => return Some(begin),
            }
        }
    }

    /// The last of the days with access that a day belongs to, however many entries they are declared by;
    /// `None` for no end, and for no access on that day.
    pub fn last_day(&self, day: Date) -> Option<Date> {
        let mut end = self.on(day)?.days.until?;
        loop {
            // The entries that have access on the day after count too.
            let Ok(next) = end.tomorrow() else { return None };
            match self.on(next) {
                Some(entry) => end = entry.days.until?,
                None => return Some(end),
            }
        }
    }
}

/// The entry that lasts longest, the first of several that last equally long.
fn longest<'e>(entries: impl Iterator<Item = &'e DesiredEntry>) -> Option<&'e DesiredEntry> {
    entries.reduce(|best, entry| match entry.days.last_longer_than(best.days) {
        true => entry,
        false => best,
    })
}

/// An organisation that has no access, whatever else is declared.
#[derive(Debug, Clone)]
pub struct ConsumerBlock {
    /// The organisation.
    pub consumer: Orgno,
    /// The names of the scopes that it concerns; `None` for all.
    pub scopes: Option<GlobSet>,
    /// The declared reason.
    pub reason: String,
    /// Where it is declared.
    pub source: Source,
}

impl ConsumerBlock {
    /// Whether it concerns a scope.
    pub fn concerns(&self, scope: &ScopeName) -> bool {
        self.scopes.as_ref().is_none_or(|globs| globs.is_match(scope.as_str()))
    }
}

/// A declared client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredClient {
    /// Its identity among the live clients.
    pub identity: ClientIdentity,
    /// Its declared attributes.
    pub attributes: ClientAttributes,
    /// Its keys; `None` leaves them as they are live.
    pub keys: Option<Vec<PublicKey>>,
    /// The organisations on whose behalf it acts; `None` leaves them as they are live.
    pub on_behalf_of: Option<BTreeMap<OnBehalfOfId, OnBehalfOf>>,
    /// `false` keeps it declared but deactivated.
    pub active: bool,
    /// Whether a plan must never deactivate it.
    pub prevent_deactivation: bool,
    /// Where it is declared.
    pub source: Source,
    /// Where its keys are declared; the place of the client if none are.
    pub keys_source: Source,
}

/// Entry of a client in `removed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRemoval {
    /// The id of the live client, if the declaration pins one.
    pub id: Option<ClientId>,
    /// The removal.
    pub removal: Removal,
}

/// Entry of a scope or a client in `removed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The action.
    pub action: RemovalAction,
    /// The declared reason.
    pub reason: Option<String>,
    /// Where it is declared.
    pub source: Source,
}

/// Action for a scope or a client that is no longer declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RemovalAction {
    /// Deactivate it; the accesses of a scope are revoked first.
    Deactivate,
    /// Leave it as it is, managed by others.
    Release,
}

/// Limits that stop an apply, and the names that no plan may deactivate.
#[derive(Debug, Clone)]
pub struct Guards {
    /// Largest number of scopes and clients that one apply may deactivate.
    pub max_deactivations: u64,
    /// Largest number of accesses that one apply may revoke.
    pub max_revocations: u64,
    /// Largest number of accesses to existing scopes that one plan may grant, today and on later days.
    pub max_grants: u64,
    /// Largest share of the live entities that one apply may change, in percent; `None` for no limit.
    pub max_changed_percent: Option<u8>,
    /// Names of scopes and clients that are never deactivated.
    pub protect: GlobSet,
}

impl Guards {
    /// The stricter of each limit, and the protected names of both.
    #[must_use]
    pub fn stricter(&self, other: &Self) -> Self {
        let Self { max_deactivations, max_revocations, max_grants, max_changed_percent, protect } =
            other;
        let percent = [self.max_changed_percent, *max_changed_percent];
        Self {
            max_deactivations: self.max_deactivations.min(*max_deactivations),
            max_revocations: self.max_revocations.min(*max_revocations),
            max_grants: self.max_grants.min(*max_grants),
            max_changed_percent: percent.into_iter().flatten().min(),
            protect: protect.clone(),
        }
    }
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            max_deactivations: 3,
            max_revocations: 25,
            max_grants: 50,
            max_changed_percent: None,
            protect: GlobSet::empty(),
        }
    }
}
