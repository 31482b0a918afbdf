//! What the files declare, each thing checked by itself but not yet against the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::attributes::{ClientLayer, ScopeLayer};
use super::environments::EnvironmentSet;
use super::globs::NameGlobs;
use super::keys::Keys;
use super::manifest::ManifestKind;
use super::overrides::{Override, parts_in};
use super::shares::DeclaredShare;
use super::silences::Silence;
use crate::declare::diagnostic::{Diagnostic, Place};
use domain::nais::Application;
use domain::{
    ClientAttributes, ClientId, ClientName, ConsumedScope, Days, Entity, IntegrationType,
    OnBehalfOf, OnBehalfOfId, Orgno, RemovalAction, ScopeName,
};
use yaml::Node;
use yaml::Span;

/// What one file declares, and in the end what all of them do.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    pub(crate) aliases: Vec<Alias>,
    pub(crate) groups: Vec<DeclaredGroup>,
    pub(crate) blocks: Vec<DeclaredBlock>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) strays: Vec<Stray>,
    pub(crate) removed: Vec<RemovedScope>,
    pub(crate) clients: Vec<DeclaredClient>,
    pub(crate) removed_clients: Vec<RemovedClient>,
    pub(crate) shares: Vec<DeclaredShare>,
    pub(crate) silences: Vec<Silence>,
    /// The manifests that declare something.
    pub(crate) resources: Vec<ManifestResource>,
    /// Labels that manifests give organisations.
    pub(crate) labels: Vec<Label>,
    /// Names of aliases and groups that are declared with errors: using them is no second error.
    pub(crate) broken: Vec<String>,
    /// Whether some file could not be read at all, so that a name may be declared there.
    pub(crate) incomplete: bool,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Declared {
    pub(crate) fn append(&mut self, other: Self) {
        let Self {
            aliases,
            groups,
            blocks,
            scopes,
            strays,
            removed,
            clients,
            removed_clients,
            shares,
            silences,
            resources,
            labels,
            broken,
            incomplete,
            diagnostics,
        } = other;
        self.aliases.extend(aliases);
        self.groups.extend(groups);
        self.blocks.extend(blocks);
        self.scopes.extend(scopes);
        self.strays.extend(strays);
        self.removed.extend(removed);
        self.clients.extend(clients);
        self.removed_clients.extend(removed_clients);
        self.shares.extend(shares);
        self.silences.extend(silences);
        self.resources.extend(resources);
        self.labels.extend(labels);
        self.broken.extend(broken);
        self.incomplete |= incomplete;
        self.diagnostics.extend(diagnostics);
    }
}

/// A scope or a client, declared or removed, as far as both are alike.
pub(crate) struct Placed<'d> {
    pub(crate) entity: Entity,
    pub(crate) environments: EnvironmentSet,
    /// The place of the name.
    pub(crate) place: &'d Place,
    /// Whether a manifest of NAIS declares it.
    pub(crate) in_manifest: bool,
}

impl Declared {
    /// The scopes and clients that are declared.
    pub(crate) fn entities(&self) -> impl Iterator<Item = Placed<'_>> {
        let scopes = self.scopes.iter().map(|it| Placed {
            entity: Entity::Scope(it.name.clone()),
            environments: it.environments,
            place: &it.place,
            in_manifest: it.in_manifest,
        });
        let clients = self.clients.iter().map(|it| Placed {
            entity: Entity::Client(it.name.clone()),
            environments: it.environments,
            place: &it.place,
            in_manifest: it.manifest.is_some(),
        });
        scopes.chain(clients)
    }

    /// The scopes and clients that are removed.
    pub(crate) fn removals(&self) -> impl Iterator<Item = Placed<'_>> {
        let scopes = self.removed.iter().map(|it| Placed {
            entity: Entity::Scope(it.scope.clone()),
            environments: it.environments,
            place: &it.place,
            in_manifest: false,
        });
        let clients = self.removed_clients.iter().map(|it| Placed {
            entity: Entity::Client(it.name.clone()),
            environments: it.environments,
            place: &it.place,
            in_manifest: false,
        });
        scopes.chain(clients)
    }
}

/// A manifest that declares something, as one application of it.
#[derive(Debug)]
pub(crate) struct ManifestResource {
    pub(crate) kind: ManifestKind,
    pub(crate) application: Application,
    pub(crate) environments: EnvironmentSet,
    /// The place of the name.
    pub(crate) place: Place,
}

/// The name that a manifest gives an organisation: for readers alone.
#[derive(Debug)]
pub(crate) struct Label {
    pub(crate) orgno: Orgno,
    pub(crate) name: String,
    /// Where the manifest counts.
    pub(crate) environments: EnvironmentSet,
    pub(crate) place: Place,
}

/// An organisation and the name that the repository gives it.
#[derive(Debug)]
pub(crate) struct Alias {
    pub(crate) alias: String,
    pub(crate) orgno: Orgno,
    pub(crate) name: Option<String>,
    pub(crate) environments: EnvironmentSet,
    /// Where the alias itself stands.
    pub(crate) place: Place,
    pub(crate) spans: Spans,
}

impl Alias {
    /// Where the value of a key stands, or else the alias.
    pub(crate) fn at(&self, key: &str) -> Place {
        self.place.or_at(self.spans.of(key))
    }
}

/// Several organisations under one name.
#[derive(Debug)]
pub(crate) struct DeclaredGroup {
    pub(crate) name: String,
    pub(crate) members: Vec<(Who, Span)>,
    pub(crate) place: Place,
}

impl DeclaredGroup {
    /// A place in the group's file.
    pub(crate) fn at(&self, span: Span) -> Place {
        self.place.with(span)
    }
}

/// Whom an entry or a group's member names.
#[derive(Debug, Clone)]
pub(crate) enum Who {
    Orgno(Orgno),
    Alias(Box<str>),
    Group(Box<str>),
}

impl Who {
    /// The number or the name, as it is written.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Orgno(orgno) => orgno.as_str(),
            Self::Alias(name) | Self::Group(name) => name,
        }
    }

    /// The name of the alias, if it is one.
    pub(crate) fn alias(&self) -> Option<&str> {
        match self {
            Self::Alias(name) => Some(name),
            Self::Orgno(_) | Self::Group(_) => None,
        }
    }

    /// The name of the group, if it is one.
    pub(crate) fn group(&self) -> Option<&str> {
        match self {
            Self::Group(name) => Some(name),
            Self::Orgno(_) | Self::Alias(_) => None,
        }
    }
}

/// A scope.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) name: ScopeName,
    /// Where the values of its attributes stand.
    pub(crate) spans: Spans,
    pub(crate) description: String,
    pub(crate) attributes: ScopeLayer,
    pub(crate) active: bool,
    pub(crate) prevent_deactivation: bool,
    pub(crate) environments: EnvironmentSet,
    pub(crate) overrides: Vec<Override<ScopePart>>,
    /// Shared by the scopes that one manifest makes.
    pub(crate) consumers: Arc<[DeclaredAccess]>,
    /// The place of the name.
    pub(crate) place: Place,
    /// Whether a manifest of NAIS declares it: then no default of the repository counts.
    pub(crate) in_manifest: bool,
}

impl Scope {
    /// A place in the scope's file.
    pub(crate) fn at(&self, span: Span) -> Place {
        self.place.with(span)
    }

    /// Where the value of an attribute stands that holds in an environment, if the scope gives it.
    pub(crate) fn place_of(&self, environment: EnvironmentSet, attribute: &str) -> Option<Place> {
        let in_override = self.override_in(environment).and_then(|o| o.spans.of(attribute));
        Some(self.at(in_override.or_else(|| self.spans.of(attribute))?))
    }

    pub(crate) fn override_in(&self, environment: EnvironmentSet) -> Option<&ScopePart> {
        parts_in(&self.overrides, environment).next()
    }
}

/// Where the values of some keys stand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spans(Arc<[(Box<str>, Span)]>);

impl Spans {
    /// Of the keys that have one plain value; what has more has its places elsewhere.
    pub(crate) fn new(at: &Node<'_>) -> Self {
        let plain = at.entries().filter(|(_, at)| !at.value.is_mapping());
        Self(plain.map(|(key, at)| (key.into(), at.span())).collect())
    }

    /// Of keys that stand elsewhere under other names.
    pub(crate) fn of_keys(keys: impl IntoIterator<Item = (&'static str, Span)>) -> Self {
        Self(keys.into_iter().map(|(key, span)| (key.into(), span)).collect())
    }

    pub(crate) fn of(&self, wanted: &str) -> Option<Span> {
        self.0.iter().find(|(key, _)| &**key == wanted).map(|(_, span)| *span)
    }
}

/// What a scope is in one environment.
#[derive(Debug)]
pub(crate) struct ScopePart {
    pub(crate) description: Option<String>,
    pub(crate) active: Option<bool>,
    pub(crate) attributes: ScopeLayer,
    /// Where the values of its keys stand.
    pub(crate) spans: Spans,
}

/// An entry of a scope's consumers; it stands in the scope's file.
#[derive(Debug, Clone)]
pub(crate) struct DeclaredAccess {
    pub(crate) who: Who,
    pub(crate) who_span: Span,
    pub(crate) from: Option<Day>,
    pub(crate) until: Option<Day>,
    pub(crate) environments: EnvironmentSet,
    pub(crate) reason: Option<Box<str>>,
    pub(crate) span: Span,
}

impl DeclaredAccess {
    /// An entry that only names somebody.
    pub(crate) fn plain(who: Who, who_span: Span, span: Span) -> Self {
        Self {
            who,
            who_span,
            from: None,
            until: None,
            environments: EnvironmentSet::ALL,
            reason: None,
            span,
        }
    }

    /// The days on which it counts.
    pub(crate) fn days(&self) -> Days {
        Days { from: self.from.map(|day| day.date), until: self.until.map(|day| day.date) }
    }
}

/// An entry of `blocked`.
#[derive(Debug)]
pub(crate) struct DeclaredBlock {
    /// An alias or a number.
    pub(crate) who: Who,
    /// The names of the scopes that it concerns; `None` for all.
    pub(crate) scopes: Option<NameGlobs>,
    pub(crate) environments: EnvironmentSet,
    pub(crate) reason: String,
    /// Where the organisation is named.
    pub(crate) place: Place,
}

impl DeclaredBlock {
    /// Whether it concerns a scope, in an environment in which both count.
    pub(crate) fn concerns(&self, scope: &ScopeName) -> bool {
        self.scopes.as_ref().is_none_or(|globs| globs.set.is_match(scope.as_str()))
    }
}

/// The consumers of a scope that could not be read: whom they name is checked all the same.
#[derive(Debug)]
pub(crate) struct Stray {
    pub(crate) consumers: Arc<[DeclaredAccess]>,
    pub(crate) place: Place,
}

/// The first or the last day with access, in Norway, and its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day {
    pub(crate) date: Date,
    pub(crate) span: Span,
}

/// A scope that is no longer held.
#[derive(Debug)]
pub(crate) struct RemovedScope {
    pub(crate) scope: ScopeName,
    pub(crate) action: RemovalAction,
    pub(crate) reason: Option<String>,
    pub(crate) environments: EnvironmentSet,
    /// Where the scope's name stands.
    pub(crate) place: Place,
}

/// A client.
#[derive(Debug)]
pub(crate) struct DeclaredClient {
    pub(crate) name: ClientName,
    /// What it was called before, and where that stands.
    pub(crate) previous_name: Option<(ClientName, Span)>,
    pub(crate) integration_type: IntegrationType,
    pub(crate) part: ClientPart,
    pub(crate) overrides: Vec<Override<ClientPart>>,
    pub(crate) environments: EnvironmentSet,
    pub(crate) prevent_deactivation: bool,
    /// The place of the name.
    pub(crate) place: Place,
    /// What it is, if a manifest of NAIS declares it. Then the rest only tells where things stand.
    pub(crate) manifest: Option<Box<ManifestClient>>,
}

/// What a client is that a manifest of NAIS declares: neither defaults nor environments change it.
#[derive(Debug)]
pub(crate) struct ManifestClient {
    pub(crate) application: Application,
    /// What it is to be called, if the manifest says so.
    pub(crate) client_name: Option<ClientName>,
    pub(crate) attributes: ClientAttributes,
}

/// What a client is, as far as it can differ between environments.
#[derive(Debug, Default)]
pub(crate) struct ClientPart {
    pub(crate) id: Option<ClientId>,
    pub(crate) description: Option<String>,
    pub(crate) scopes: Option<Vec<ConsumedScope>>,
    pub(crate) attributes: ClientLayer,
    pub(crate) keys: Option<Keys>,
    pub(crate) on_behalf_of: Option<BTreeMap<OnBehalfOfId, OnBehalfOf>>,
    pub(crate) active: Option<bool>,
    /// Where the values of its keys stand.
    pub(crate) spans: Spans,
}

impl DeclaredClient {
    /// What is said of the client in an environment, what decides first.
    pub(crate) fn parts(&self, environment: EnvironmentSet) -> impl Iterator<Item = &ClientPart> {
        parts_in(&self.overrides, environment).chain([&self.part])
    }

    /// What an environment's client has of something, from what decides first.
    pub(crate) fn first<'c, T>(
        &'c self,
        environment: EnvironmentSet,
        pick: impl Fn(&'c ClientPart) -> Option<T>,
    ) -> Option<T> {
        self.parts(environment).find_map(pick)
    }
}

/// A client that is no longer held.
#[derive(Debug)]
pub(crate) struct RemovedClient {
    pub(crate) name: ClientName,
    pub(crate) id: Option<ClientId>,
    pub(crate) action: RemovalAction,
    pub(crate) reason: Option<String>,
    pub(crate) environments: EnvironmentSet,
    /// Where the client's name stands.
    pub(crate) place: Place,
}
