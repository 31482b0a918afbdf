//! State of earlier applies: it distinguishes a removal from an entity that was never managed here, and holds
//! the protection of entities that are no longer declared.

use std::collections::BTreeSet;

use globset::GlobSet;

use super::{ClientName, CommitId, Desired, Entity, Guards, Removal, RemovalAction, ScopeName};

/// State of earlier applies, as far as a plan needs it.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// Declarations at the commit that was last applied in full, and at later ones that were applied in part,
    /// as far as known; `None` where nothing was applied.
    pub applied: Option<Applied>,
    /// Protection at each commit that was applied to the same API for the same organisation, whatever the
    /// name of its environment or folder.
    pub protected: Vec<Protected>,
    /// Limits in force until others have been applied: those at the applied commit, at commits that protect
    /// beside it, and in other places if this one is new; the defaults where not all is known.
    pub limits: Option<Guards>,
    /// Reason why earlier applies are not known, or not all of them; `None` where they are.
    pub unknown: Option<String>,
    /// Whether git records applies: without that it is not known which declarations are new.
    pub is_recorded: bool,
    /// Whether it is known that nothing was applied so far: the next apply is the first.
    pub is_first_apply: bool,
    /// Current declarations of other places in the git repository for the same API and organisation.
    pub beside: Vec<Beside>,
    /// Option that selects the folder in a suggested command, such as `-C folder `; empty where none is
    /// needed.
    pub directory: String,
    /// Places among those that cannot be read, and the reason; `None` where all can.
    pub unread: Option<String>,
    /// Places that are no longer declared, and whose past no other place has taken over.
    pub former: Vec<Former>,
}

/// A place that is no longer declared.
#[derive(Debug, Clone)]
pub struct Former {
    /// The place, as shown to the user.
    pub place: String,
    /// Declarations at the commits that were applied there.
    pub applied: Vec<Applied>,
    /// The command by which this place takes over that past.
    pub take_over: String,
}

/// Current declarations of another place.
#[derive(Debug, Clone)]
pub struct Beside {
    /// The place, as shown to the user.
    pub place: String,
    /// Whether an apply is recorded there, as far as known.
    pub is_applied: bool,
    /// Declarations of the last apply there, as far as known.
    pub applied: Option<Desired>,
    /// Its declarations.
    pub desired: Desired,
}

impl Past {
    /// Whether a scope is declared for the first time, as far as known; `false` where applies are not
    /// recorded.
    pub fn is_first(&self, scope: &ScopeName) -> bool {
        self.is_recorded && self.before().is_none_or(|before| !before.scopes.contains_key(scope))
    }

    /// The declarations that were applied; `None` where nothing was, or where that is not known.
    pub fn before(&self) -> Option<&Desired> {
        self.applied.as_ref().map(|applied| &applied.desired)
    }

    /// The declarations that other places have applied.
    pub fn applied_beside(&self) -> impl Iterator<Item = &Desired> {
        self.beside.iter().filter_map(|other| other.applied.as_ref())
    }

    /// A past with a single applied commit.
    pub fn of(applied: Applied) -> Self {
        Self {
            protected: vec![Protected::at(None, &applied)],
            limits: Some(applied.desired.guards.clone()),
            applied: Some(applied),
            is_recorded: true,
            ..Self::default()
        }
    }
}

/// Declarations at a commit that was applied.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The commit.
    pub commit: CommitId,
    /// Its declarations.
    pub desired: Desired,
}

impl Applied {
    /// Adds the scopes, consumers and clients that were declared only at a later commit, and drops those that
    /// it released. Protection is not extended.
    #[must_use]
    pub fn and(mut self, Self { commit, desired }: Self) -> Self {
        let protection = Protection::of(&self.desired);
        let is_release = |removal: &Removal| removal.action == RemovalAction::Release;
        for (name, mut scope) in desired.scopes {
            scope.source.at = Some(commit.clone());
            let consumers = scope.consumers.clone();
            let declared = self.desired.scopes.entry(name).or_insert(scope);
            for (consumer, access) in consumers {
                declared.consumers.entry(consumer).or_insert(access);
            }
        }
        for (name, mut client) in desired.clients {
            client.source.at = Some(commit.clone());
            self.desired.clients.entry(name).or_insert(client);
        }
        for (name, _) in desired.removed.iter().filter(|(_, removal)| is_release(removal)) {
            if protection.of_scope(name).is_none() {
                self.desired.scopes.remove(name);
            }
        }
        for (name, _) in desired.removed_clients.iter().filter(|(_, it)| is_release(&it.removal)) {
            if protection.of_client([name.as_str(); 2]).is_none() {
                self.desired.clients.remove(name);
            }
        }
        self
    }
}

/// Protection at a commit that was applied.
#[derive(Debug, Clone)]
pub struct Protected {
    /// The place where it counts as applied, if that is not this one.
    pub elsewhere: Option<Elsewhere>,
    /// The commit.
    pub commit: CommitId,
    /// Protection by its declarations.
    pub protection: Protection,
}

/// Another place that applies to the same API for the same organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// Its name.
    pub name: String,
    /// The command that makes it count no longer, for the case that it is a former name of this place; `None`
    /// where it is still declared.
    pub remedy: Option<String>,
}

impl Protected {
    /// Protection by the declarations of a commit that counts as applied, here or elsewhere.
    pub fn at(elsewhere: Option<Elsewhere>, Applied { commit, desired }: &Applied) -> Self {
        Self { elsewhere, commit: commit.clone(), protection: Protection::of(desired) }
    }
}

/// Entities that no plan may deactivate, by some declarations.
#[derive(Debug, Clone)]
pub struct Protection {
    scopes: BTreeSet<ScopeName>,
    clients: BTreeSet<ClientName>,
    globs: GlobSet,
}

/// Source of a protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtectedBy {
    /// Its own declaration, by `prevent_deactivation`.
    Declaration,
    /// `guards.protect`.
    Guard,
}

impl Protection {
    /// Protection by these declarations.
    pub fn of(desired: &Desired) -> Self {
        let scopes = desired.scopes.iter().filter(|(_, scope)| scope.prevent_deactivation);
        let clients = desired.clients.iter().filter(|(_, client)| client.prevent_deactivation);
        Self {
            scopes: scopes.map(|(name, _)| name.clone()).collect(),
            clients: clients.map(|(name, _)| name.clone()).collect(),
            globs: desired.guards.protect.clone(),
        }
    }

    /// Source of a scope's protection, if any.
    pub fn of_scope(&self, name: &ScopeName) -> Option<ProtectedBy> {
        self.by(self.scopes.contains(name), [name.as_str()])
    }

    /// Source of the protection of a client with one of these names, if any.
    pub fn of_client(&self, names: [&str; 2]) -> Option<ProtectedBy> {
        let is_declared = self.clients.iter().any(|client| names.contains(&client.as_str()));
        self.by(is_declared, names)
    }

    /// Source of the protection of a scope, or of a client by its declared name, if any.
    pub fn of_entity(&self, entity: &Entity) -> Option<ProtectedBy> {
        match entity {
            Entity::Scope(name) => self.of_scope(name),
            Entity::Client(name) => self.of_client([name.as_str(); 2]),
        }
    }

    fn by<const N: usize>(&self, is_declared: bool, names: [&str; N]) -> Option<ProtectedBy> {
        if is_declared {
            Some(ProtectedBy::Declaration)
        } else if names.iter().any(|name| self.globs.is_match(name)) {
            Some(ProtectedBy::Guard)
        } else {
            None
        }
    }
}
