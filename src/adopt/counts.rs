//! Number of declared entities.

/// Number of declared entities. One that several environments have counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Scopes.
    pub scopes: usize,
    /// Accesses to them.
    pub accesses: usize,
    /// Clients.
    pub clients: usize,
    /// Aliases.
    pub aliases: usize,
    /// Groups.
    pub groups: usize,
    /// Files with keys.
    pub key_files: usize,
    /// Declared scopes that get more accesses.
    pub completed: usize,
    /// Those accesses.
    pub added: usize,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self { scopes, accesses, clients, aliases, groups, key_files, completed, added } =
            other;
        self.scopes += scopes;
        self.accesses += accesses;
        self.clients += clients;
        self.aliases += aliases;
        self.groups += groups;
        self.key_files += key_files;
        self.completed += completed;
        self.added += added;
    }
}
