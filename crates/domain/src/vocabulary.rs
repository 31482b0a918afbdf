//! Aliases and groups: the names by which entries of consumers name organisations.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Orgno, Source};

/// The aliases and groups of one environment, with their lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// The aliases.
    pub aliases: BTreeMap<Arc<str>, AliasLine>,
    /// The groups.
    pub groups: BTreeMap<Arc<str>, GroupLines>,
}

/// An alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasLine {
    /// The organisation.
    pub orgno: Orgno,
    /// Where it is declared.
    pub source: Source,
}

/// The members of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupLines {
    /// Its members as they are written, each with its line.
    pub written: BTreeMap<Arc<str>, Source>,
    /// The member that stands for an organisation.
    pub members: BTreeMap<Orgno, Arc<str>>,
}

/// A name by which an entry of a scope names its consumers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryName {
    /// An alias.
    Alias(Arc<str>),
    /// A group.
    Group(Arc<str>),
}

impl Vocabulary {
    /// The member of a group that stands for an organisation, and its line.
    pub fn member(&self, group: &str, orgno: Orgno) -> Option<(&Arc<str>, &Source)> {
        let group = self.groups.get(group)?;
        let written = group.members.get(&orgno)?;
        Some((written, group.written.get(written)?))
    }

    /// Whether a group has a member that is written like this, whatever it stands for.
    pub fn has_member(&self, group: &str, written: &str) -> bool {
        self.groups.get(group).is_some_and(|group| group.written.contains_key(written))
    }

    /// The first of these names that is an alias of an organisation, and its line.
    pub fn alias<'n>(
        &self,
        names: impl IntoIterator<Item = &'n EntryName>,
        orgno: Orgno,
    ) -> Option<(&'n EntryName, &Source)> {
        names.into_iter().find_map(|name| match name {
            EntryName::Alias(alias) => {
                let line = self.aliases.get(alias).filter(|line| line.orgno == orgno)?;
                Some((name, &line.source))
            }
            EntryName::Group(_) => None,
        })
    }
}
