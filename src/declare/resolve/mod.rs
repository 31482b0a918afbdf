//! Desired state of an environment.

pub(crate) mod here;
pub(crate) mod shares;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use self::here::Here;
use crate::declare::diagnostic::Place;
use crate::declare::read::attributes::{ClientLayer, ScopeLayer};
use crate::declare::read::declared::{DeclaredAccess, DeclaredClient, Scope, Who};
use crate::declare::read::environments::EnvironmentSet;
use domain::{
    AliasLine, ClientAttributes, ClientIdentity, ClientRemoval, ConsumerBlock, Desired,
    DesiredAccess, DesiredClient, DesiredEntry, DesiredScope, EntryName, GroupLines, Orgno,
    Removal, RemovalAction, ScopeAttributes, Source, Vocabulary,
};

/// Resolves declarations for one environment.
pub(super) fn desired(here: &Here<'_>, organization: Orgno) -> Desired {
    let scopes = here.scopes().map(|scope| (scope.name.clone(), resolve_scope(scope, here)));
    let counts = |environments: EnvironmentSet| environments.overlaps(here.set);
    let removed = here.declared.removed.iter().filter(|it| counts(it.environments));
    let removed =
        removed.map(|it| (it.scope.clone(), removal(it.action, it.reason.as_ref(), &it.place)));
    let clients = here.clients().map(|client| (client.name.clone(), resolve_client(client, here)));
    let removed_clients = here.declared.removed_clients.iter();
    let removed_clients = removed_clients.filter(|it| counts(it.environments)).map(|it| {
        let removal = removal(it.action, it.reason.as_ref(), &it.place);
        (it.name.clone(), ClientRemoval { id: it.id.clone(), removal })
    });
    Desired {
        environment: here.name.to_owned(),
        organization,
        scopes: scopes.collect(),
        removed: removed.collect(),
        clients: clients.collect(),
        removed_clients: removed_clients.collect(),
        warn_before: here.settings.warn_before,
        warn_of_access: here.settings.warn_of_access,
        blocks: blocks(here),
        names: names(here, organization),
        labels: labels(here),
        vocabulary: vocabulary(here),
        guards: here.settings.guards.clone(),
    }
}

fn blocks(here: &Here<'_>) -> Vec<ConsumerBlock> {
    let each = here.blocks().flat_map(|(block, consumers)| {
        consumers.into_iter().map(move |consumer| ConsumerBlock {
            consumer,
            scopes: block.scopes.as_ref().map(|globs| globs.set.clone()),
            reason: block.reason.clone(),
            source: source(&block.place),
        })
    });
    each.collect()
}

fn removal(action: RemovalAction, reason: Option<&String>, place: &Place) -> Removal {
    Removal { action, reason: reason.cloned(), source: source(place) }
}

fn resolve_scope(scope: &Scope, here: &Here<'_>) -> DesiredScope {
    let override_ = scope.override_in(here.set);
    let mut consumers = BTreeMap::new();
    for entry in here.entries(scope) {
        for orgno in here.named(&entry.who) {
            add(&mut consumers, *orgno, entry, &scope.place.file);
        }
    }
    DesiredScope {
        attributes: attributes(scope, here),
        active: override_.and_then(|o| o.active).unwrap_or(scope.active),
        prevent_deactivation: scope.prevent_deactivation,
        in_manifest: scope.in_manifest,
        consumers,
        names: here.entries(scope).filter_map(|entry| entry_name(&entry.who)).collect(),
        source: source(&scope.place),
    }
}

/// The name by which an entry names consumers, if it has one.
fn entry_name(who: &Who) -> Option<EntryName> {
    match who {
        Who::Alias(alias) => Some(EntryName::Alias(Arc::from(&**alias))),
        Who::Group(group) => Some(EntryName::Group(Arc::from(&**group))),
        Who::Orgno(_) => None,
    }
}

fn resolve_client(client: &DeclaredClient, here: &Here<'_>) -> DesiredClient {
    let keys = client.first(here.set, |part| part.keys.as_ref());
    DesiredClient {
        identity: match &client.manifest {
            Some(manifest) => ClientIdentity::OwnedBy {
                application: manifest.application.clone(),
                client_name: manifest.client_name.clone(),
            },
            None => ClientIdentity::Named {
                name: client.name.clone(),
                id: client.first(here.set, |part| part.id.clone()),
                previous_name: client.previous_name.as_ref().map(|(name, _)| name.clone()),
            },
        },
        attributes: client_attributes(client, here),
        keys: keys.map(|keys| keys.keys.clone()),
        on_behalf_of: client.first(here.set, |part| part.on_behalf_of.clone()),
        active: client.first(here.set, |part| part.active).unwrap_or(true),
        prevent_deactivation: client.prevent_deactivation,
        source: source(&client.place),
        keys_source: source(&client.place.or_at(keys.map(|keys| keys.span))),
    }
}

/// A client's attributes in an environment.
pub(super) fn client_attributes(client: &DeclaredClient, here: &Here<'_>) -> ClientAttributes {
    if let Some(manifest) = &client.manifest {
        return manifest.attributes.clone();
    }
    let layers: Vec<&ClientLayer> = client
        .parts(here.set)
        .map(|part| &part.attributes)
        .chain([&here.settings.client_defaults])
        .collect();
    let description = client.first(here.set, |part| part.description.as_deref());
    let scopes = client.first(here.set, |part| part.scopes.clone());
    ClientLayer::resolve(client.integration_type, description, scopes, &layers)
}

/// A scope's attributes in an environment.
pub(super) fn attributes(scope: &Scope, here: &Here<'_>) -> ScopeAttributes {
    let override_ = scope.override_in(here.set);
    // The repository's defaults do not apply to digdirator's scopes.
    let defaults = (!scope.in_manifest).then_some(&here.settings.scope_defaults);
    let own = override_.map(|o| &o.attributes);
    let layers: Vec<_> = own.into_iter().chain([&scope.attributes]).chain(defaults).collect();
    let description = override_.and_then(|o| o.description.as_deref());
    ScopeLayer::resolve(description.unwrap_or(&scope.description), &layers)
}

fn add(
    consumers: &mut BTreeMap<Orgno, DesiredAccess>,
    orgno: Orgno,
    declared: &DeclaredAccess,
    file: &Arc<str>,
) {
    let line = declared.span.start.line as usize;
    let entry = DesiredEntry {
        days: declared.days(),
        reason: declared.reason.as_deref().map(str::to_owned),
        group: declared.who.group().map(Arc::from),
        source: Source { file: Arc::clone(file), line, at: None },
    };
    match consumers.entry(orgno) {
        Entry::Vacant(vacant) => drop(vacant.insert(entry.into())),
        Entry::Occupied(occupied) => occupied.into_mut().add(entry),
    }
}

fn source(place: &Place) -> Source {
    Source { file: Arc::clone(&place.file), line: place.line(), at: None }
}

/// Names of organisations: those that count in the environment first, then those of other environments, so
/// that an access that is live but not declared has a name too.
fn names(here: &Here<'_>, organization: Orgno) -> BTreeMap<Orgno, String> {
    let mut names = BTreeMap::new();
    if let Some(name) = &here.settings.organization_name {
        names.insert(organization, name.clone());
    }
    for counts in [true, false] {
        for alias in &here.declared.aliases {
            if alias.environments.overlaps(here.set) == counts {
                let name = alias.name.as_ref().unwrap_or(&alias.alias);
                names.entry(alias.orgno).or_insert_with(|| name.clone());
            }
        }
    }
    names
}

/// The first label that a manifest of the environment gives each organisation, or else one of another.
fn labels(here: &Here<'_>) -> BTreeMap<Orgno, String> {
    let labels = || here.declared.labels.iter().rev();
    let of_here = labels().filter(|label| label.environments.overlaps(here.set));
    labels().chain(of_here).map(|label| (label.orgno, label.name.clone())).collect()
}

/// The aliases and groups that count in the environment.
fn vocabulary(here: &Here<'_>) -> Vocabulary {
    let aliases = here.aliases().map(|alias| {
        let line = AliasLine { orgno: alias.orgno, source: source(&alias.place) };
        (Arc::from(alias.alias.as_str()), line)
    });
    let groups = here.declared.groups.iter().map(|group| {
        let mut lines = GroupLines::default();
        for (who, span) in &group.members {
            let written: Arc<str> = Arc::from(who.as_str());
            for orgno in here.named(who) {
                lines.members.entry(*orgno).or_insert_with(|| Arc::clone(&written));
            }
            lines.written.entry(written).or_insert_with(|| source(&group.at(*span)));
        }
        (Arc::from(group.name.as_str()), lines)
    });
    Vocabulary { aliases: aliases.collect(), groups: groups.collect() }
}
