//! One environment of a repository: the declarations that count in it, and the meaning of names there.

use std::collections::HashMap;

use crate::declare::diagnostic::Place;
use crate::declare::files::index::in_settings;
use crate::declare::read::declared::{
    Alias, Declared, DeclaredAccess, DeclaredBlock, DeclaredClient, Scope, Who,
};
use crate::declare::read::environment::EnvironmentTarget;
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::settings::Settings;
use domain::Orgno;

/// The declarations as one environment sees them.
pub(crate) struct Here<'r> {
    pub(crate) name: &'r str,
    pub(crate) set: EnvironmentSet,
    pub(crate) settings: &'r Settings,
    pub(crate) declared: &'r Declared,
    aliases: HashMap<&'r str, Orgno>,
    groups: HashMap<&'r str, Vec<Orgno>>,
}

impl<'r> Here<'r> {
    /// `set` is the set of the environment with this name only.
    pub(crate) fn new(
        name: &'r str,
        set: EnvironmentSet,
        settings: &'r Settings,
        declared: &'r Declared,
    ) -> Self {
        let aliases = declared.aliases.iter();
        let aliases: HashMap<_, _> = aliases
            .filter(|alias| alias.environments.overlaps(set))
            .map(|alias| (alias.alias.as_str(), alias.orgno))
            .collect();
        let groups = declared.groups.iter().map(|group| {
            let members = group.members.iter().filter_map(|(who, _)| match who {
                Who::Orgno(orgno) => Some(*orgno),
                Who::Alias(alias) => aliases.get(&**alias).copied(),
                // A group's member is never read as a group.
                Who::Group(_) => None,
            });
            (group.name.as_str(), members.collect())
        });
        let groups = groups.collect();
        Self { name, set, settings, declared, aliases, groups }
    }

    pub(crate) fn target(&self) -> Option<&'r EnvironmentTarget> {
        Some(&self.settings.environments.get(self.name)?.target)
    }

    pub(crate) fn scopes(&self) -> impl Iterator<Item = &'r Scope> {
        let here = self.set;
        self.declared.scopes.iter().filter(move |scope| scope.environments.overlaps(here))
    }

    pub(crate) fn clients(&self) -> impl Iterator<Item = &'r DeclaredClient> {
        let here = self.set;
        self.declared.clients.iter().filter(move |client| client.environments.overlaps(here))
    }

    /// The place of the effective value of a client's attribute: in the client, in the defaults, or else the
    /// client's name. For a manifest, defaults do not count.
    pub(crate) fn deciding_of_client(&self, client: &DeclaredClient, attribute: &str) -> Place {
        let own = client.first(self.set, |part| part.spans.of(attribute));
        let default = || {
            let spans = Some(&self.settings.client_default_spans);
            spans.filter(|_| client.manifest.is_none())?.of(attribute).map(in_settings)
        };
        let given = own.map(|span| client.place.with(span)).or_else(default);
        given.unwrap_or_else(|| client.place.clone())
    }

    pub(crate) fn aliases(&self) -> impl Iterator<Item = &'r Alias> {
        let here = self.set;
        self.declared.aliases.iter().filter(move |alias| alias.environments.overlaps(here))
    }

    pub(crate) fn entries<'s>(&self, scope: &'s Scope) -> impl Iterator<Item = &'s DeclaredAccess> {
        let here = self.set;
        scope.consumers.iter().filter(move |entry| entry.environments.overlaps(here))
    }

    /// The place of the effective value of a scope's attribute: in the scope, in the defaults, or else the
    /// scope's name.
    pub(crate) fn deciding(&self, scope: &Scope, attribute: &str) -> Place {
        self.given(scope, attribute).unwrap_or_else(|| scope.place.clone())
    }

    /// The place of the effective value of a scope's attribute in the scope or in the defaults; `None` if the
    /// repository gives none.
    pub(crate) fn given(&self, scope: &Scope, attribute: &str) -> Option<Place> {
        let default = || {
            let spans = Some(&self.settings.scope_default_spans);
            spans.filter(|_| !scope.in_manifest)?.of(attribute).map(in_settings)
        };
        scope.place_of(self.set, attribute).or_else(default)
    }

    /// The organisations that an entry of `blocked` means: those that the alias names here, and if it does not
    /// count here, those that it names elsewhere.
    pub(crate) fn blocked(&self, who: &Who) -> Vec<Orgno> {
        match (self.named(who), who) {
            ([], Who::Alias(name)) => {
                let aliases = self.declared.aliases.iter();
                aliases.filter(|it| *it.alias == **name).map(|it| it.orgno).collect()
            }
            (named, _) => named.to_vec(),
        }
    }

    /// The entries of `blocked` that count here, each with the organisations that it means.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (&'r DeclaredBlock, Vec<Orgno>)> {
        let blocks = self.declared.blocks.iter();
        let here = blocks.filter(|block| block.environments.overlaps(self.set));
        here.map(|block| (block, self.blocked(&block.who)))
    }

    /// The organisations that a name means; empty for an alias that does not count in the environment.
    pub(crate) fn named<'a>(&'a self, who: &'a Who) -> &'a [Orgno] {
        match who {
            Who::Orgno(orgno) => std::slice::from_ref(orgno),
            Who::Alias(alias) => self.aliases.get(&**alias).map_or(&[], std::slice::from_ref),
            Who::Group(group) => self.groups.get(&**group).map_or(&[], Vec::as_slice),
        }
    }
}
