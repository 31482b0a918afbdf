//! Who can reach what, as a document.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{FORMAT_VERSION, SourceDocument};
use domain::{
    AccessState, ConsumedScope, Desired, DesiredAccess, DesiredClient, DesiredScope, Live,
    LiveClient, LiveScope, Orgno, SCOPE, ScopeName, Source,
};

/// Who can reach what: each scope, each organisation's access to it, and what the own clients consume.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "portvakt access")]
pub struct AccessDocument {
    /// The version of this format.
    pub format_version: u8,
    /// The organisation number of the owner.
    #[schemars(with = "String")]
    pub organization: Orgno,
    /// Its name, if the repository has one.
    pub organization_name: Option<String>,
    /// When the live state was read, or the declarations were, if they are all that is shown (RFC 3339).
    #[schemars(with = "String")]
    pub created: Timestamp,
    /// Where the states are from.
    pub source: AccessSource,
    /// The environments, by their names in `portvakt.yaml`.
    pub environments: Vec<String>,
    /// The scopes, by environment and name.
    pub scopes: Vec<ReachableScope>,
    /// The accesses, by environment, scope and consumer.
    pub accesses: Vec<Access>,
    /// The organisation's own clients, by environment and name.
    pub clients: Vec<ConsumingClient>,
}

/// Where the states of a document on access are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccessSource {
    /// DigDir, at that time.
    Live,
    /// A snapshot of that time.
    Snapshot,
    /// The declarations alone.
    Declared,
}

#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of its fields say it")]
pub struct ReachableScope {
    pub environment: String,
    pub scope: String,
    pub description: String,
    /// The team in whose folder it is declared.
    pub team: Option<String>,
    pub state: EntityState,
    /// Who has access without a grant.
    pub open: Option<OpenTo>,
    /// Where it is declared; `null` if it is not.
    pub source: Option<SourceDocument>,
}

/// State of a scope or a client, declared and live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntityState {
    /// It is live.
    Active,
    /// It is deactivated, or declared so.
    Inactive,
    /// It is declared and does not exist yet.
    Missing,
    /// It is declared, and whether it is live was not read.
    Declared,
}

/// Organisations that have access without a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OpenTo {
    /// All (`accessible_for_all`).
    All,
    /// Holders of an EU-listed seal (`supports_european_businesses`).
    EuropeanBusinesses,
}

/// An organisation's access to a scope.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of its fields say it")]
pub struct Access {
    pub environment: String,
    pub scope: String,
    pub consumer: String,
    pub consumer_name: Option<String>,
    pub state: GrantState,
    /// The group by which it is declared.
    pub group: Option<String>,
    /// The last day with access, in Norway.
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
    pub reason: Option<String>,
    /// Where it is declared; `null` if it is not.
    pub source: Option<SourceDocument>,
}

/// State of an access, declared and live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    /// Declared and live: the organisation has access.
    Granted,
    /// Live and not declared: the organisation has access.
    Undeclared,
    /// Kept by DigDir on an inactive scope: the organisation has access again when the scope is reactivated.
    Kept,
    /// Declared and not live: the organisation has no access yet.
    Missing,
    /// Not declared, and requested by the organisation.
    Requested,
    /// Declared, and whether it is live was not read.
    Declared,
}

impl EntityState {
    /// The state in words.
    pub fn description(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Missing => "does not exist yet",
            Self::Declared => "declared",
        }
    }
}

impl OpenTo {
    /// The organisations, in words.
    pub fn description(self) -> &'static str {
        match self {
            Self::All => "open to all organisations",
            Self::EuropeanBusinesses => "open to European businesses",
        }
    }
}

impl ConsumedBy {
    /// The reason, in words.
    pub fn description(self) -> &'static str {
        match self {
            Self::Own => "own scope",
            Self::Granted => "granted",
            Self::Open => "open to all",
            Self::Nothing => "not granted: tokens with it are refused",
            Self::Unknown => "not known",
        }
    }
}

impl GrantState {
    /// Every state, the one that gives access first.
    pub const ALL: [Self; 6] = [
        Self::Granted,
        Self::Undeclared,
        Self::Kept,
        Self::Missing,
        Self::Requested,
        Self::Declared,
    ];

    /// The word for it in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Undeclared => "undeclared",
            Self::Kept => "kept",
            Self::Missing => "missing",
            Self::Requested => "requested",
            Self::Declared => "declared",
        }
    }

    /// Whether the organisation has access now, as far as is known.
    pub fn gives_access(self) -> bool {
        match self {
            Self::Granted | Self::Undeclared | Self::Declared => true,
            Self::Kept | Self::Missing | Self::Requested => false,
        }
    }

    /// The state in words.
    pub fn description(self) -> &'static str {
        match self {
            Self::Granted => "has access",
            Self::Undeclared => "has access, declared nowhere",
            Self::Kept => "has access again when the scope is reactivated",
            Self::Missing => "declared, has no access yet",
            Self::Requested => "requests access",
            Self::Declared => "declared",
        }
    }
}

/// A client of the organisation.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of its fields say it")]
pub struct ConsumingClient {
    pub environment: String,
    pub client: String,
    /// The id that DigDir assigned to it; `null` where that is not known.
    pub client_id: Option<String>,
    pub team: Option<String>,
    pub state: EntityState,
    /// The scopes that it may request, or is declared to.
    pub scopes: Vec<ConsumedAccess>,
    /// Its keys, by expiry.
    pub keys: Vec<ClientKeyDocument>,
    /// Where it is declared; `null` if it is not.
    pub source: Option<SourceDocument>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of its fields say it")]
pub struct ConsumedAccess {
    pub scope: String,
    pub by: ConsumedBy,
}

/// Reason why a client of the organisation can use a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsumedBy {
    /// The scope is the organisation's own.
    Own,
    /// Its owner has granted access.
    Granted,
    /// It is open to all.
    Open,
    /// Nobody has granted access: tokens with it are refused.
    Nothing,
    /// It was not read.
    Unknown,
}

#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of its fields say it")]
pub struct ClientKeyDocument {
    pub kid: String,
    /// When it was registered (RFC 3339); `null` where that is not known.
    #[schemars(with = "Option<String>")]
    pub created: Option<Timestamp>,
    /// When it expires (RFC 3339); `null` where that is not known.
    #[schemars(with = "Option<String>")]
    pub expires: Option<Timestamp>,
}

/// One environment: its declarations, and its live state if that was read.
pub struct AccessSide<'a> {
    /// The declarations.
    pub desired: &'a Desired,
    /// The live state.
    pub live: Option<&'a Live>,
    /// The team in whose folder a file is.
    pub team: &'a dyn Fn(&str) -> Option<String>,
}

impl AccessDocument {
    /// The accesses of these environments, which are of one organisation.
    pub fn new(
        organization: (Orgno, Option<String>),
        created: Timestamp,
        source: AccessSource,
        sides: &[AccessSide<'_>],
    ) -> Self {
        let (organization, organization_name) = organization;
        let mut document = Self {
            format_version: FORMAT_VERSION,
            organization,
            organization_name,
            created,
            source,
            environments: sides.iter().map(|side| side.desired.environment.clone()).collect(),
            scopes: Vec::new(),
            accesses: Vec::new(),
            clients: Vec::new(),
        };
        for side in sides {
            let declared = side.desired.scopes.keys();
            let live = side.live.into_iter().flat_map(|live| live.scopes.keys());
            for name in declared.chain(live).collect::<BTreeSet<_>>() {
                document.scopes.push(side.scope(name));
                document.accesses.extend(side.accesses(name));
            }
            document.clients.extend(side.clients());
        }
        document
    }
}

impl AccessDocument {
    /// Keeps the scopes, consumers and clients of which the names are wanted.
    pub fn retain(
        &mut self,
        scope: impl Fn(&str) -> bool,
        consumer: impl Fn(&str) -> bool,
        client: impl Fn(&str) -> bool,
    ) {
        self.scopes.retain(|it| scope(&it.scope));
        self.accesses.retain(|it| scope(&it.scope) && consumer(&it.consumer));
        self.clients.retain(|it| client(&it.client));
    }

    /// Keeps the scopes that somebody reaches of those that are left.
    pub fn retain_reached(&mut self) {
        let reached = self.reached();
        self.scopes.retain(|it| reached.contains(&(it.environment.clone(), it.scope.clone())));
    }

    /// Keeps the scopes that nobody reaches, and the clients that consume nothing.
    pub fn retain_unused(&mut self) {
        let reached = self.reached();
        let is_reached = |it: &ReachableScope| {
            it.open.is_some() || reached.contains(&(it.environment.clone(), it.scope.clone()))
        };
        self.scopes.retain(|it| it.state != EntityState::Inactive && !is_reached(it));
        self.clients.retain(|it| it.state != EntityState::Inactive && it.scopes.is_empty());
        self.accesses.clear();
    }

    fn reached(&self) -> BTreeSet<(String, String)> {
        let name = |it: &Access| (it.environment.clone(), it.scope.clone());
        self.accesses.iter().map(name).collect()
    }
}

impl AccessSide<'_> {
    fn team(&self, source: Option<&Source>) -> Option<String> {
        (self.team)(&source?.file)
    }

    fn both(&self, name: &ScopeName) -> (Option<&DesiredScope>, Option<&LiveScope>) {
        (self.desired.scopes.get(name), self.live.and_then(|live| live.scopes.get(name)))
    }

    fn state(&self, declared: Option<bool>, live: Option<bool>) -> EntityState {
        match (self.live, live, declared) {
            (_, Some(true), _) => EntityState::Active,
            (_, Some(false), _) | (_, None, Some(false)) => EntityState::Inactive,
            (Some(_), None, _) => EntityState::Missing,
            (None, None, _) => EntityState::Declared,
        }
    }

    fn scope(&self, name: &ScopeName) -> ReachableScope {
        let (declared, live) = self.both(name);
        let field = |attribute: &domain::Attribute, of: fn(&DesiredScope) -> bool| match live {
            Some(live) => attribute.of(&live.representation) == Some(&Value::Bool(true)),
            None => declared.is_some_and(of),
        };
        let to_all = field(&SCOPE.accessible_for_all, |scope| scope.attributes.accessible_for_all);
        let to_businesses = field(&SCOPE.supports_european_businesses, |scope| {
            scope.attributes.supports_european_businesses
        });
        let open = match (to_all, to_businesses) {
            (true, _) => Some(OpenTo::All),
            (false, true) => Some(OpenTo::EuropeanBusinesses),
            (false, false) => None,
        };
        let source = declared.map(|scope| &scope.source);
        let description = live.map(LiveScope::description);
        let description = description.or(declared.map(|scope| &*scope.attributes.description));
        ReachableScope {
            environment: self.desired.environment.clone(),
            scope: name.to_string(),
            description: description.unwrap_or_default().to_owned(),
            team: self.team(source),
            state: self.state(declared.map(|scope| scope.active), live.map(|scope| scope.active)),
            open,
            source: source.map(SourceDocument::new),
        }
    }

    fn accesses(&self, name: &ScopeName) -> Vec<Access> {
        let (declared, live) = self.both(name);
        let nobody = BTreeMap::new();
        let declared = declared.map_or(&nobody, |scope| &scope.consumers);
        let is_active = live.is_none_or(|scope| scope.active);
        let nobody = BTreeMap::new();
        let live = live.and_then(|scope| scope.accesses.as_ref()).unwrap_or(&nobody);
        let consumers: BTreeSet<&Orgno> = declared.keys().chain(live.keys()).collect();
        let of = |consumer: &Orgno| {
            let (wanted, there) = (declared.get(consumer), live.get(consumer));
            let is_approved = there.is_some_and(|access| access.state == AccessState::Approved);
            let is_requested = there.is_some_and(|access| access.state == AccessState::Requested);
            let state = match (self.live, wanted, is_approved) {
                (None, ..) => GrantState::Declared,
                (_, _, true) if !is_active => GrantState::Kept,
                (_, Some(_), true) => GrantState::Granted,
                (_, None, true) => GrantState::Undeclared,
                (_, Some(_), false) => GrantState::Missing,
                (_, None, false) if is_requested => GrantState::Requested,
                (_, None, false) => return None,
            };
            let name_here = self.desired.names.get(consumer).cloned();
            Some(Access {
                environment: self.desired.environment.clone(),
                scope: name.to_string(),
                consumer: consumer.to_string(),
                consumer_name: name_here.or_else(|| there?.name.clone()),
                state,
                group: wanted.and_then(|access| access.group.as_deref().map(str::to_owned)),
                until: wanted.and_then(|access| access.until),
                reason: wanted.and_then(|access: &DesiredAccess| access.reason.clone()),
                source: wanted.map(|access| SourceDocument::new(&access.source)),
            })
        };
        consumers.into_iter().filter_map(of).collect()
    }

    fn clients(&self) -> Vec<ConsumingClient> {
        let mut seen = BTreeSet::new();
        let mut clients = Vec::new();
        for (name, declared) in &self.desired.clients {
            let live = self.live.and_then(|live| crate::live_client(declared, live).ok().flatten());
            seen.extend(live.map(|(id, _)| id));
            clients.push(self.client(name.as_str(), Some(declared), live));
        }
        let live = self.live.into_iter().flat_map(|live| &live.clients);
        for (id, client) in live.filter(|(id, _)| !seen.contains(id)) {
            clients.push(self.client(&client.name, None, Some((id, client))));
        }
        clients.sort_by(|a, b| (&a.client, &a.client_id).cmp(&(&b.client, &b.client_id)));
        clients
    }

    fn client(
        &self,
        name: &str,
        declared: Option<&DesiredClient>,
        live: Option<(&domain::ClientId, &LiveClient)>,
    ) -> ConsumingClient {
        let source = declared.map(|client| &client.source);
        let mut consumed: BTreeSet<String> = match live {
            Some((_, client)) => client.scopes().map(str::to_owned).collect(),
            None => BTreeSet::new(),
        };
        let wanted = declared.into_iter().flat_map(|client| &client.attributes.scopes);
        consumed.extend(wanted.map(ToString::to_string));
        let keys = live.and_then(|(_, client)| client.keys.as_deref()).unwrap_or_default();
        let keys = keys.iter().map(|key| ClientKeyDocument {
            kid: key.kid.clone(),
            created: key.created,
            expires: key.ends,
        });
        let mut keys: Vec<_> = keys.collect();
        keys.sort_by(|a, b| (a.expires, &a.kid).cmp(&(b.expires, &b.kid)));
        let consumed = consumed.into_iter();
        ConsumingClient {
            environment: self.desired.environment.clone(),
            client: name.to_owned(),
            client_id: live.map(|(id, _)| id.to_string()),
            team: self.team(source),
            state: self
                .state(declared.map(|client| client.active), live.map(|(_, client)| client.active)),
            scopes: consumed
                .map(|scope| ConsumedAccess { by: self.consumed_by(&scope), scope })
                .collect(),
            keys,
            source: source.map(SourceDocument::new),
        }
    }

    fn consumed_by(&self, scope: &str) -> ConsumedBy {
        let name = scope.parse::<ConsumedScope>().ok().and_then(|scope| scope.name());
        let Some(name) = name else { return ConsumedBy::Unknown };
        let Some(live) = self.live else {
            return match self.desired.scopes.contains_key(&name) {
                true => ConsumedBy::Own,
                false => ConsumedBy::Unknown,
            };
        };
        let is_own = self.desired.scopes.contains_key(&name)
            || live.scopes.contains_key(&name)
            || live.prefixes.contains(name.prefix());
        match live.foreign.get(&name) {
            _ if is_own => ConsumedBy::Own,
            Some(foreign) if foreign.open => ConsumedBy::Open,
            Some(foreign) if foreign.access == Some(AccessState::Approved) => ConsumedBy::Granted,
            Some(_) => ConsumedBy::Nothing,
            None => ConsumedBy::Unknown,
        }
    }
}
