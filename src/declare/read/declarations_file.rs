//! The documents of declaration files, as they are written. Their JSON Schema comes from here.

use schemars::JsonSchema;
use serde::de::IgnoredAny;

use super::attributes::with_attributes;
use crate::declare::yaml::given::{Entries, Given, Items, Needed, Spanned};
use crate::declare::yaml::table::{table, words};
use domain::{IntegrationType, RemovalAction};

table! {
    /// A document with declarations. Where a thing stands in which file does not matter.
    #[expect(dead_code, reason = "tells the keys; what they hold is read item by item")]
    pub(crate) struct Declarations {
        /// Who the organisation numbers are: an alias for each.
        consumers: Entries<Consumer>,
        /// Names for several organisations together: a list of aliases or quoted organisation numbers.
        groups: Entries<Vec<String>>,
        /// The scopes to hold, and who has access to them.
        scopes: Items<Scope>,
        /// The clients (integrations) to hold: which scopes they consume, and their keys.
        clients: Items<Client>,
        /// Scopes and clients that are no longer held, and what is to become of them.
        removed: Items<RemovedItem>,
    }
}

/// The keys of a document with declarations.
pub(crate) const DOCUMENT_KEYS: [&str; 5] = ["consumers", "groups", "scopes", "clients", "removed"];

table! {
    @like "{ orgno: \"{}\" }"
    /// An organisation under the alias that the repository gives it.
    pub(crate) struct Consumer {
        /// The organisation number: nine digits in quotes.
        #[schemars(regex(pattern = r"^[0-9]{9}$"))]
        pub(crate) orgno: Needed<Spanned<String>>,
        /// What a plan calls the organisation. Default: the alias.
        pub(crate) name: Given<String>,
        /// The environments in which the alias counts. Default: all.
        #[schemars(length(min = 1))]
        pub(crate) environments: Given<Vec<String>>,
    }
}

domain::scope_attributes! { with_attributes {
    @like "{ name: {}, description: … }"
    /// A scope and who has access to it. Attributes carry DigDir's own names; one that is left out
    /// has the repository's default (`defaults.scope` in portvakt.yaml), else the tool's.
    Scope: ScopeLayer {
        /// The whole name, `prefix:subscope`. It is the scope's identity and can never change.
        #[schemars(regex(pattern = r"^[^:\s]+:\S+$"))]
        name: Needed<Spanned<String>>,
        /// One line that tells what the scope gives access to.
        #[schemars(length(min = 1))]
        description: String,
        /// Who has access. Left out: nobody.
        #[expect(dead_code, reason = "read one by one, from the mapping itself")]
        consumers: Items<ConsumerEntry>,
        /// The environments that hold the scope. Default: all.
        #[schemars(length(min = 1))]
        environments: Given<Vec<String>>,
        /// What is different in an environment, by its name.
        #[expect(dead_code, reason = "read one by one, from the mapping itself")]
        per_environment: Entries<ScopeInEnvironment>,
        /// `false` keeps the scope declared but deactivated; its accesses are kept. Default: true.
        active: Given<bool>,
        /// Whether a plan may never deactivate the scope. Default: false.
        prevent_deactivation: Given<bool>,
    }
} }

domain::scope_attributes! { with_attributes {
    @like "{ at_max_age: … }"
    /// What a scope is in one environment; what is left out is as in the others.
    ScopeInEnvironment: ScopeLayer {
        /// One line that tells what the scope gives access to.
        #[schemars(length(min = 1))]
        description: Given<String>,
        /// `false` keeps the scope declared but deactivated here.
        active: Given<bool>,
    }
} }

/// Who has access: an alias, a quoted organisation number, a group, or one of the first two with
/// more to say about it.
#[derive(Debug, Clone, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the shape of an entry; which one it is shows before it is read")]
pub(crate) enum ConsumerEntry {
    /// An alias, or an organisation number in quotes.
    Name(String),
    /// Everybody in a group.
    Group(GroupEntry),
    /// One organisation, with more to say about it.
    Consumer(DetailedEntry),
}

table! {
    /// Everybody in a group.
    pub(crate) struct GroupEntry {
        /// The group's name.
        pub(crate) group: Needed<Spanned<String>>,
    }
}

table! {
    /// One organisation, with more to say about its access.
    pub(crate) struct DetailedEntry {
        /// An alias, or an organisation number in quotes.
        pub(crate) consumer: Needed<Spanned<String>>,
        /// The last day with access, in Norway: YYYY-MM-DD. Default: no end.
        #[schemars(with = "Given<String>", regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
        #[expect(dead_code, reason = "read from the mapping itself, with its place")]
        until: Given<IgnoredAny>,
        /// The environments in which the entry counts. Default: all.
        #[schemars(length(min = 1))]
        pub(crate) environments: Given<Vec<String>>,
        /// Why the access is given, such as a case number.
        pub(crate) reason: Given<String>,
    }
}

domain::client_attributes! { with_attributes {
    /// A client and the scopes that it consumes. Attributes carry DigDir's own names; one that is
    /// left out has the repository's default (`defaults.client` in portvakt.yaml), else the tool's.
    Client: ClientLayer {
        /// Its name (`client_name`), which is its identity in this repository.
        #[schemars(length(min = 1, max = 255))]
        name: Needed<Spanned<String>>,
        /// The id of the live client that it is. Default: the one of its name and
        /// integration_type, or a new one.
        #[schemars(regex(pattern = r"^[A-Za-z0-9._-]+$"))]
        client_id: Given<Spanned<String>>,
        /// What it was called before, if it is to be renamed.
        #[schemars(length(min = 1, max = 255))]
        previous_name: Given<Spanned<String>>,
        /// What it is a client of; it can never change. Default: maskinporten.
        integration_type: Given<IntegrationType>,
        /// One line that tells what the client does. Default: none.
        description: Given<String>,
        /// The scopes that it may ask for, anybody's. Default: the fixed ones of krr, `openid` and
        /// `profile` for idporten and ansattporten, else none.
        #[expect(dead_code, reason = "read one by one, from the mapping itself")]
        scopes: Given<Vec<String>>,
        /// Its public keys: a file, a JWK, a JWKS or a PEM text, or a list of these; an empty list
        /// means no key. Default: as they are live.
        #[schemars(with = "Given<Jwks>")]
        #[expect(dead_code, reason = "read from the mapping itself, with its place")]
        jwks: Given<IgnoredAny>,
        /// On whose behalf it acts; an empty list means nobody. Default: as it is live.
        #[schemars(with = "Given<Vec<OnBehalfOfEntry>>")]
        #[expect(dead_code, reason = "read one by one, from the mapping itself")]
        onbehalfof: Given<IgnoredAny>,
        /// The environments that hold the client. Default: all.
        #[schemars(length(min = 1))]
        environments: Given<Vec<String>>,
        /// What is different in an environment, by its name.
        #[expect(dead_code, reason = "read one by one, from the mapping itself")]
        per_environment: Entries<ClientInEnvironment>,
        /// `false` keeps the client declared but deactivated. Default: true.
        active: Given<bool>,
        /// Whether a plan may never deactivate the client. Default: false.
        prevent_deactivation: Given<bool>,
    }
} }

domain::client_attributes! { with_attributes {
    /// What a client is in one environment; what is left out is as in the others.
    ClientInEnvironment: ClientLayer {
        /// The id of the live client that it is here.
        #[schemars(regex(pattern = r"^[A-Za-z0-9._-]+$"))]
        client_id: Given<Spanned<String>>,
        /// One line that tells what the client does.
        description: Given<String>,
        /// The scopes that it may ask for here.
        #[expect(dead_code, reason = "read one by one, from the mapping itself")]
        scopes: Given<Vec<String>>,
        /// Its public keys here.
        #[schemars(with = "Given<Jwks>")]
        #[expect(dead_code, reason = "read from the mapping itself, with its place")]
        jwks: Given<IgnoredAny>,
        /// On whose behalf it acts here.
        #[schemars(with = "Given<Vec<OnBehalfOfEntry>>")]
        #[expect(dead_code, reason = "read one by one, from the mapping itself")]
        onbehalfof: Given<IgnoredAny>,
        /// `false` keeps the client declared but deactivated here.
        active: Given<bool>,
    }
} }

/// Public keys: one source of them, or several.
#[derive(Debug, Clone, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the shape of what stands there; it is read by its kind")]
pub(crate) enum Jwks {
    /// One source.
    One(KeySource),
    /// Several.
    Several(Vec<KeySource>),
}

/// Where public keys are.
#[derive(Debug, Clone, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the shape of what stands there; it is read by its kind")]
pub(crate) enum KeySource {
    /// The path of a file from the folder of this one (JWK, JWKS, PEM or certificate), or a PEM
    /// text itself.
    Text(String),
    /// A JWK or a JWKS; never with a private member.
    Inline(serde_json::Map<String, serde_json::Value>),
}

table! {
    /// Somebody on whose behalf a client acts.
    pub(crate) struct OnBehalfOfEntry {
        /// Its id, chosen freely: what a login request names.
        #[schemars(length(min = 1, max = 255))]
        pub(crate) onbehalfof: Needed<Spanned<String>>,
        /// What a login shows.
        pub(crate) name: Given<String>,
        /// The organisation number: nine digits in quotes.
        #[schemars(regex(pattern = r"^[0-9]{9}$"))]
        pub(crate) orgno: Given<Spanned<String>>,
        /// What the organisation is called.
        pub(crate) organization_name: Given<String>,
        /// One line about it.
        pub(crate) description: Given<String>,
        /// Its address on the web.
        pub(crate) uri: Given<String>,
        /// The address of its picture.
        pub(crate) logo_uri: Given<String>,
    }
}

/// A scope or a client that is no longer held.
#[derive(Debug, Clone, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the shape of an entry; which one it is shows before it is read")]
pub(crate) enum RemovedItem {
    /// A scope.
    Scope(Removed),
    /// A client.
    Client(RemovedClient),
}

table! {
    /// A client that is no longer held.
    pub(crate) struct RemovedClient {
        /// The client's name.
        #[schemars(length(min = 1, max = 255))]
        pub(crate) client: Needed<Spanned<String>>,
        /// The id of the live client that it is. Default: the one of its name.
        #[schemars(regex(pattern = r"^[A-Za-z0-9._-]+$"))]
        pub(crate) client_id: Given<Spanned<String>>,
        /// What is to become of it.
        pub(crate) action: Needed<RemovalAction>,
        /// Why.
        pub(crate) reason: Given<String>,
        /// The environments in which it is removed. Default: all.
        #[schemars(length(min = 1))]
        pub(crate) environments: Given<Vec<String>>,
    }
}

table! {
    @like "{ scope: {}, action: deactivate }"
    /// A scope that is no longer held.
    pub(crate) struct Removed {
        /// The scope's whole name.
        #[schemars(regex(pattern = r"^[^:\s]+:\S+$"))]
        pub(crate) scope: Needed<Spanned<String>>,
        /// What is to become of it.
        pub(crate) action: Needed<RemovalAction>,
        /// Why.
        pub(crate) reason: Given<String>,
        /// The environments in which it is removed. Default: all.
        #[schemars(length(min = 1))]
        pub(crate) environments: Given<Vec<String>>,
    }
}

words!(RemovalAction);
