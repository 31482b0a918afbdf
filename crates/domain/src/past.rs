//! What was applied before: how a removal is distinguished from what was never ours, and what
//! protects although it is declared no longer.

use std::collections::BTreeSet;

use globset::GlobSet;

use super::{ClientName, CommitId, Desired, Guards, Removal, RemovalAction, ScopeName};

/// What was applied before, as far as a plan must know it.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// What was declared at the commit that was last applied in full, and at those whose apply ended
    /// in part since, as far as that is known; `None` where nothing was applied.
    pub applied: Option<Applied>,
    /// What was protected at each commit that was applied to the same API for the same organisation,
    /// whatever its environment or folder is called.
    pub protected: Vec<Protected>,
    /// The limits that count until others have been applied: those at the applied commit, at what
    /// protects beside it, of other places where this one begins, and the defaults where not all is known.
    pub limits: Option<Guards>,
    /// Why it is not known what was applied before, or not all of it; `None` where it is known.
    pub unknown: Option<String>,
    /// Whether git records what is applied: without that nobody knows what is declared for the first
    /// time.
    pub is_recorded: bool,
    /// What other places of the git repository declare now for the same API and organisation.
    pub beside: Vec<Beside>,
    /// How a command is told of the folder, such as `-C folder `; empty where it needs no telling.
    pub directory: String,
    /// What cannot be read of that, and why; `None` where all of it can.
    pub unread: Option<String>,
    /// The places that are declared no longer, and whose past nobody has taken over.
    pub former: Vec<Former>,
}

/// A place that is declared no longer.
#[derive(Debug, Clone)]
pub struct Former {
    /// The place, as a reader recognises it.
    pub place: String,
    /// What was declared at the commits that were applied there.
    pub applied: Vec<Applied>,
    /// The command by which this place takes over what was applied there.
    pub take_over: String,
}

/// What another place declares now.
#[derive(Debug, Clone)]
pub struct Beside {
    /// The place, as a reader recognises it.
    pub place: String,
    /// Whether something was applied there, as far as is known.
    pub is_applied: bool,
    /// What is protected there by what was applied last, as far as is known.
    pub protected: Option<Protection>,
    /// What its declarations hold.
    pub desired: Desired,
}

impl Past {
    /// Whether a scope is declared for the first time, as far as is known; `false` where nothing is
    /// recorded.
    pub fn is_first(&self, scope: &ScopeName) -> bool {
        let before = self.applied.as_ref().map(|applied| &applied.desired);
        self.is_recorded && !before.is_some_and(|before| before.scopes.contains_key(scope))
    }

    /// A past in which one commit was applied, and nothing else is there to know.
    pub fn of(applied: Applied) -> Self {
        Self {
            protected: vec![Protected::at(None, &applied)],
            limits: Some(applied.desired.guards.clone()),
            applied: Some(applied),
            unknown: None,
            is_recorded: true,
            beside: Vec::new(),
            directory: String::new(),
            unread: None,
            former: Vec::new(),
        }
    }
}

/// What was declared at a commit that was applied.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The commit.
    pub commit: CommitId,
    /// What its declarations hold.
    pub desired: Desired,
}

impl Applied {
    /// With the scopes, consumers and clients that were declared at a later commit alone, and without those that
    /// it released: what was protected before was not.
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
            if protection.of_client([name.as_str(), name.as_str()]).is_none() {
                self.desired.clients.remove(name);
            }
        }
        self
    }
}

/// What was protected at a commit that was applied.
#[derive(Debug, Clone)]
pub struct Protected {
    /// Where it counts as applied, if that is not here.
    pub elsewhere: Option<Elsewhere>,
    /// The commit.
    pub commit: CommitId,
    /// What its declarations protect.
    pub protection: Protection,
}

/// Another place that applies to the same API for the same organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// What it is called.
    pub name: String,
    /// The command that lets it count for nothing where it is a former name of this one; `None` where it
    /// is still declared.
    pub way_out: Option<String>,
}

impl Protected {
    /// What the declarations of a commit protect that counts as applied, here or elsewhere.
    pub fn at(elsewhere: Option<Elsewhere>, Applied { commit, desired }: &Applied) -> Self {
        Self { elsewhere, commit: commit.clone(), protection: Protection::of(desired) }
    }
}

/// What no plan may deactivate, by some declarations.
#[derive(Debug, Clone)]
pub struct Protection {
    scopes: BTreeSet<ScopeName>,
    clients: BTreeSet<ClientName>,
    globs: GlobSet,
}

/// What protects something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtectedBy {
    /// Its own declaration, by `prevent_deactivation`.
    Declaration,
    /// `guards.protect`.
    Guard,
}

impl Protection {
    /// What declarations protect.
    pub fn of(desired: &Desired) -> Self {
        let scopes = desired.scopes.iter().filter(|(_, scope)| scope.prevent_deactivation);
        let clients = desired.clients.iter().filter(|(_, client)| client.prevent_deactivation);
        Self {
            scopes: scopes.map(|(name, _)| name.clone()).collect(),
            clients: clients.map(|(name, _)| name.clone()).collect(),
            globs: desired.guards.protect.clone(),
        }
    }

    /// What protects a scope, if anything.
    pub fn of_scope(&self, name: &ScopeName) -> Option<ProtectedBy> {
        self.by(self.scopes.contains(name), [name.as_str()])
    }

    /// What protects a client that has one of these names, if anything.
    pub fn of_client(&self, names: [&str; 2]) -> Option<ProtectedBy> {
        let is_declared = self.clients.iter().any(|client| names.contains(&client.as_str()));
        self.by(is_declared, names)
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
