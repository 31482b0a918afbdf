//! Who can reach what, as a document.

mod side;

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::SourceDocument;
use domain::Orgno;

pub use side::AccessSide;

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
    /// Both.
    AllAndEuropeanBusinesses,
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
    /// The first day with access, in Norway.
    #[schemars(with = "Option<String>")]
    pub from: Option<Date>,
    /// The last day with access, in Norway.
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
    pub reason: Option<String>,
    /// The reason why the organisation is blocked; `null` if it is not.
    pub blocked: Option<String>,
    /// Where it is declared; `null` if it is not.
    pub source: Option<SourceDocument>,
}

domain::words! {
    /// State of an access, declared and live.
    pub enum GrantState {
        /// Declared and live: the organisation has access.
        Granted = "granted",
        /// Live and not declared: the organisation has access.
        Undeclared = "undeclared",
        /// On an inactive scope, kept by DigDir or declared: the organisation has access once the scope is active.
        Kept = "kept",
        /// Declared and not live: the organisation has no access yet.
        Missing = "missing",
        /// Not declared, and requested by the organisation.
        Requested = "requested",
        /// Declared, and whether it is live was not read.
        Declared = "declared",
        /// Declared for other days, or blocked: the organisation has no access today.
        NotNow = "not_now",
        /// Declared for other days, or blocked, and live: the organisation still has access.
        Overdue = "overdue",
    }
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
    /// By `accessible_for_all` and `supports_european_businesses`; `None` for a scope that is open to none.
    pub fn of(to_all: bool, to_european_businesses: bool) -> Option<Self> {
        match (to_all, to_european_businesses) {
            (true, true) => Some(Self::AllAndEuropeanBusinesses),
            (true, false) => Some(Self::All),
            (false, true) => Some(Self::EuropeanBusinesses),
            (false, false) => None,
        }
    }

    /// `open to` and the organisations.
    pub fn description(self) -> String {
        format!("open to {}", self.whom())
    }

    /// The organisations.
    pub fn whom(self) -> &'static str {
        match self {
            Self::All => "all organisations",
            Self::EuropeanBusinesses => "European businesses",
            Self::AllAndEuropeanBusinesses => "all organisations and European businesses",
        }
    }

    /// Whether Norwegian organisations are among them.
    pub fn has_all(self) -> bool {
        match self {
            Self::All | Self::AllAndEuropeanBusinesses => true,
            Self::EuropeanBusinesses => false,
        }
    }
}

impl ReachableScope {
    /// Who has access without a grant now, as far as is known: an inactive scope gives access to nobody.
    pub fn open_now(&self) -> Option<OpenTo> {
        match self.state {
            EntityState::Active | EntityState::Declared => self.open,
            EntityState::Inactive | EntityState::Missing => None,
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
    /// Whether the organisation has access now, as far as is known.
    pub fn gives_access(self) -> bool {
        match self {
            Self::Granted | Self::Undeclared | Self::Declared | Self::Overdue => true,
            Self::Kept | Self::Missing | Self::Requested | Self::NotNow => false,
        }
    }

    /// The state in words.
    pub fn description(self) -> &'static str {
        match self {
            Self::Granted => "has access",
            Self::Undeclared => "has access, declared nowhere",
            Self::Kept => "has access once the scope is active",
            Self::Missing => "declared, has no access yet",
            Self::Requested => "requests access",
            Self::Declared => "declared",
            Self::NotNow => "has no access today",
            Self::Overdue => "has access, and is to have none today",
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

    /// Keeps the scopes that somebody reaches of those that are left, and those that all organisations reach.
    pub fn retain_reached(&mut self) {
        let reached = self.reached();
        self.scopes.retain(|it| {
            it.open_now().is_some_and(OpenTo::has_all)
                || reached.contains(&(it.environment.clone(), it.scope.clone()))
        });
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
