//! What the files declare, each thing checked by itself but not yet against the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::attributes::Layer;
use super::client_attributes::ClientLayer;
use super::diagnostic::{Diagnostic, Place};
use super::document::Located;
use super::environments::EnvironmentSet;
use super::keys::Keys;
use super::silences::Silence;
use super::span::Span;
use domain::nais::Application;
use domain::{
    ClientAttributes, ClientId, ClientName, ConsumedScope, IntegrationType, OnBehalfOf,
    OnBehalfOfId, Orgno, RemovalAction, ScopeName,
};

/// What one file declares, and in the end what all of them do.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) aliases: Vec<Alias>,
    pub(super) groups: Vec<Group>,
    pub(super) scopes: Vec<Scope>,
    pub(super) strays: Vec<Stray>,
    pub(super) removed: Vec<Removed>,
    pub(super) clients: Vec<Client>,
    pub(super) removed_clients: Vec<RemovedClient>,
    pub(super) silences: Vec<Silence>,
    /// Names of aliases and groups that are declared with errors: using them is no second error.
    pub(super) broken: Vec<String>,
    /// Whether some file could not be read at all, so that a name may be declared there.
    pub(super) incomplete: bool,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Declared {
    pub(super) fn append(&mut self, other: Self) {
        let Self {
            aliases,
            groups,
            scopes,
            strays,
            removed,
            clients,
            removed_clients,
            silences,
            broken,
            incomplete,
            diagnostics,
        } = other;
        self.aliases.extend(aliases);
        self.groups.extend(groups);
        self.scopes.extend(scopes);
        self.strays.extend(strays);
        self.removed.extend(removed);
        self.clients.extend(clients);
        self.removed_clients.extend(removed_clients);
        self.silences.extend(silences);
        self.broken.extend(broken);
        self.incomplete |= incomplete;
        self.diagnostics.extend(diagnostics);
    }
}

/// An organisation and the name that the repository gives it.
#[derive(Debug)]
pub(super) struct Alias {
    pub(super) alias: String,
    pub(super) orgno: Orgno,
    pub(super) name: Option<String>,
    pub(super) environments: EnvironmentSet,
    /// Where the alias itself stands.
    pub(super) place: Place,
    pub(super) spans: Spans,
}

impl Alias {
    /// Where the value of a key stands, or else the alias.
    pub(super) fn at(&self, key: &str) -> Place {
        self.spans.of(key).map_or_else(|| self.place.clone(), |span| self.place.with(span))
    }
}

/// Several organisations under one name.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) members: Vec<(Who, Span)>,
    pub(super) place: Place,
}

impl Group {
    /// A place in the group's file.
    pub(super) fn at(&self, span: Span) -> Place {
        self.place.with(span)
    }
}

/// Whom an entry or a group's member names.
#[derive(Debug, Clone)]
pub(super) enum Who {
    Orgno(Orgno),
    Alias(Box<str>),
    Group(Box<str>),
}

/// A scope.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) name: ScopeName,
    /// Where the values of its attributes stand.
    pub(super) spans: Spans,
    pub(super) description: String,
    pub(super) attributes: Layer,
    pub(super) active: bool,
    pub(super) prevent_deactivation: bool,
    pub(super) environments: EnvironmentSet,
    pub(super) overrides: Vec<Override>,
    /// Shared by the scopes that one manifest makes.
    pub(super) consumers: Arc<[Consumer]>,
    /// Where the name stands.
    pub(super) place: Place,
    /// Whether a manifest of NAIS declares it: then all attributes are as digdirator sets them.
    pub(super) in_manifest: bool,
}

impl Scope {
    /// A place in the scope's file.
    pub(super) fn at(&self, span: Span) -> Place {
        self.place.with(span)
    }

    /// Where the value of an attribute stands that holds in an environment, if the scope gives it.
    pub(super) fn given(&self, environment: EnvironmentSet, attribute: &str) -> Option<Place> {
        let in_override = self.override_in(environment).and_then(|o| o.spans.of(attribute));
        Some(self.at(in_override.or_else(|| self.spans.of(attribute))?))
    }

    pub(super) fn override_in(&self, environment: EnvironmentSet) -> Option<&Override> {
        self.overrides.iter().find(|o| o.environment == environment)
    }
}

/// Where the values of some keys stand.
#[derive(Debug, Clone, Default)]
pub(super) struct Spans(Arc<[(Box<str>, Span)]>);

impl Spans {
    /// Of the keys that have one plain value; what has more has its places elsewhere.
    pub(super) fn new(at: Located<'_>) -> Self {
        let plain = at.entries().filter(|(_, at)| !at.value.is_mapping());
        Self(plain.map(|(key, at)| (key.into(), at.span())).collect())
    }

    /// Of keys that stand elsewhere under other names.
    pub(super) fn of_keys(keys: impl IntoIterator<Item = (&'static str, Span)>) -> Self {
        Self(keys.into_iter().map(|(key, span)| (key.into(), span)).collect())
    }

    pub(super) fn of(&self, wanted: &str) -> Option<Span> {
        self.0.iter().find(|(key, _)| &**key == wanted).map(|(_, span)| *span)
    }
}

/// What a scope is in one environment.
#[derive(Debug)]
pub(super) struct Override {
    pub(super) environment: EnvironmentSet,
    pub(super) description: Option<String>,
    pub(super) active: Option<bool>,
    pub(super) attributes: Layer,
    pub(super) span: Span,
    pub(super) spans: Spans,
}

/// An entry of a scope's consumers; it stands in the scope's file.
#[derive(Debug, Clone)]
pub(super) struct Consumer {
    pub(super) who: Who,
    pub(super) who_span: Span,
    pub(super) until: Option<Until>,
    pub(super) environments: EnvironmentSet,
    pub(super) reason: Option<Box<str>>,
    pub(super) span: Span,
}

/// The consumers of a scope that could not be read: whom they name is checked all the same.
#[derive(Debug)]
pub(super) struct Stray {
    pub(super) consumers: Arc<[Consumer]>,
    pub(super) place: Place,
}

/// The last day with access, in Norway.
#[derive(Debug, Clone, Copy)]
pub(super) struct Until {
    pub(super) date: Date,
    pub(super) span: Span,
}

/// A scope that is no longer held.
#[derive(Debug)]
pub(super) struct Removed {
    pub(super) scope: ScopeName,
    pub(super) action: RemovalAction,
    pub(super) reason: Option<String>,
    pub(super) environments: EnvironmentSet,
    /// Where the scope's name stands.
    pub(super) place: Place,
}

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) name: ClientName,
    /// What it was called before, and where that stands.
    pub(super) previous_name: Option<(ClientName, Span)>,
    pub(super) integration_type: IntegrationType,
    pub(super) part: ClientPart,
    pub(super) overrides: Vec<ClientOverride>,
    pub(super) environments: EnvironmentSet,
    pub(super) prevent_deactivation: bool,
    /// Where the name stands.
    pub(super) place: Place,
    /// Where its key, `name`, stands.
    pub(super) name_key: Span,
    /// What it is, if a manifest of NAIS declares it. Then the rest only tells where things stand.
    pub(super) manifest: Option<Box<ManifestClient>>,
}

/// What a client is that a manifest of NAIS declares: neither defaults nor environments change it.
#[derive(Debug)]
pub(super) struct ManifestClient {
    pub(super) application: Application,
    /// What it is to be called, if the manifest says so.
    pub(super) client_name: Option<ClientName>,
    pub(super) attributes: ClientAttributes,
}

/// What a client is, as far as it can differ between environments.
#[derive(Debug, Default)]
pub(super) struct ClientPart {
    pub(super) id: Option<ClientId>,
    pub(super) description: Option<String>,
    pub(super) scopes: Option<Vec<ConsumedScope>>,
    pub(super) attributes: ClientLayer,
    pub(super) keys: Option<Keys>,
    pub(super) on_behalf_of: Option<BTreeMap<OnBehalfOfId, OnBehalfOf>>,
    pub(super) active: Option<bool>,
    /// Where the values of its keys stand.
    pub(super) spans: Spans,
}

/// What a client is in one environment.
#[derive(Debug)]
pub(super) struct ClientOverride {
    pub(super) environment: EnvironmentSet,
    pub(super) part: ClientPart,
    pub(super) span: Span,
}

impl Client {
    /// What is said of the client in an environment, what decides first.
    pub(super) fn parts(&self, environment: EnvironmentSet) -> impl Iterator<Item = &ClientPart> {
        let own = self.overrides.iter().filter(move |o| o.environment == environment);
        own.map(|o| &o.part).chain([&self.part])
    }

    /// What an environment's client has of something, from what decides first.
    pub(super) fn first<'c, T>(
        &'c self,
        environment: EnvironmentSet,
        pick: impl Fn(&'c ClientPart) -> Option<T>,
    ) -> Option<T> {
        self.parts(environment).find_map(pick)
    }
}

/// A client that is no longer held.
#[derive(Debug)]
pub(super) struct RemovedClient {
    pub(super) name: ClientName,
    pub(super) id: Option<ClientId>,
    pub(super) action: RemovalAction,
    pub(super) reason: Option<String>,
    pub(super) environments: EnvironmentSet,
    /// Where the client's name stands.
    pub(super) place: Place,
}
