//! The documents of declaration files, as they are written. Their JSON Schema comes from here.

use schemars::JsonSchema;

use super::attributes::with_attributes;
use super::skyporten_file::ShareItem;
use crate::declare::yaml::optional::{
    Items, Members, Needed, Optional, Raw, ReadableTexts, Restriction, Spanned, TextList,
};
use crate::declare::yaml::table::{table, words};
use domain::{IntegrationType, RemovalAction, Representation};

table! {
    /// A document with declarations. Where a thing stands in which file does not matter.
    pub(crate) struct Declarations<'d> {
        /// Who the organisation numbers are: an alias for each.
        pub(crate) consumers: Option<Members<'d, AliasEntry>>,
        /// Names for several organisations together: a list of aliases or quoted organisation numbers.
        pub(crate) groups: Option<Members<'d, Vec<String>>>,
        /// Organisations that have no access, whatever else is declared.
        pub(crate) blocked: Option<Items<'d, BlockedItem>>,
        /// The scopes to hold, and who has access to them.
        pub(crate) scopes: Option<Items<'d, Scope<'d>>>,
        /// The clients (integrations) to hold: which scopes they consume, and their keys.
        pub(crate) clients: Option<Items<'d, Client<'d>>>,
        /// Scopes and clients that are no longer held, and what is to become of them.
        pub(crate) removed: Option<Items<'d, RemovedItem>>,
        /// Cloud resources that the consumers of a scope reach with tokens of Skyporten.
        pub(crate) skyporten: Option<Items<'d, ShareItem<'d>>>,
    }
}

table! {
    @like "{ orgno: {} }"
    /// An organisation under the alias that the repository gives it.
    #[schemars(rename = "Consumer")]
    pub(crate) struct AliasEntry {
        /// The organisation number: nine digits in quotes.
        #[schemars(regex(pattern = r"^[0-9]{9}$"))]
        pub(crate) orgno: Needed<Spanned<String>>,
        /// What a plan calls the organisation. Default: the alias.
        pub(crate) name: Optional<String>,
        /// The environments in which the alias counts. Default: all.
        #[schemars(length(min = 1))]
        pub(crate) environments: Restriction<ReadableTexts>,
    }
}

domain::scope_attributes! { with_attributes {
    @like "{ name: {}, description: … }"
    /// A scope and who has access to it. Attributes carry DigDir's own names; one that is left out
    /// has the repository's default (`defaults.scope` in portvakt.yaml), else the tool's.
    Scope<'d>: ScopeLayer {
        /// The whole name, `prefix:subscope`. It is the scope's identity and can never change.
        #[schemars(regex(pattern = r"^[^:\s]+:\S+$"))]
        name: Needed<Spanned<String>>,
        /// One line that tells what the scope gives access to.
        #[schemars(length(min = 1))]
        description: Needed<Spanned<String>>,
        /// Who has access. Left out: nobody.
        consumers: Option<Items<'d, ConsumerItem<'d>>>,
        /// The environments that hold the scope. Default: all.
        #[schemars(length(min = 1))]
        environments: Restriction<ReadableTexts>,
        /// What is different in an environment, by its name.
        per_environment: Option<Members<'d, ScopeInEnvironment>>,
        /// `false` keeps the scope declared but deactivated; its accesses are kept. Default: true.
        active: Optional<bool>,
        /// Whether a plan may never deactivate the scope. Default: false.
        prevent_deactivation: Optional<bool>,
    }
} }

domain::scope_attributes! { with_attributes {
    @like "{ at_max_age: … }"
    /// What a scope is in one environment; what is left out is as in the others.
    ScopeInEnvironment: ScopeLayer {
        /// One line that tells what the scope gives access to.
        #[schemars(length(min = 1))]
        description: Optional<Spanned<String>>,
        /// `false` keeps the scope declared but deactivated here.
        active: Optional<bool>,
    }
} }

/// Who has access: an alias, a quoted organisation number, a group, or one of the first two with
/// more to say about it.
#[derive(Debug, Clone, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "ConsumerEntry")]
pub(crate) enum ConsumerItem<'d> {
    /// An alias, or an organisation number in quotes.
    Name(String),
    /// Everybody in a group.
    Group(GroupEntry<'d>),
    /// One organisation, with more to say about it.
    Consumer(DetailedEntry<'d>),
}

table! {
    /// Everybody in a group.
    pub(crate) struct GroupEntry<'d> {
        /// The group's name.
        pub(crate) group: Needed<Spanned<String>>,
        /// The first day with access, in Norway: YYYY-MM-DD. Default: no beginning.
        #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
        pub(crate) from: Optional<Raw<'d, String>>,
        /// The last day with access, in Norway: YYYY-MM-DD. Default: no end.
        #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
        pub(crate) until: Optional<Raw<'d, String>>,
        /// The environments in which the entry counts. Default: all.
        #[schemars(length(min = 1))]
        pub(crate) environments: Restriction<ReadableTexts>,
        /// Why the access is given, such as a case number.
        pub(crate) reason: Optional<String>,
    }
}

table! {
    /// One organisation, with more to say about its access.
    pub(crate) struct DetailedEntry<'d> {
        /// An alias, or an organisation number in quotes.
        pub(crate) consumer: Needed<Spanned<String>>,
        /// The first day with access, in Norway: YYYY-MM-DD. Default: no beginning.
        #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
        pub(crate) from: Optional<Raw<'d, String>>,
        /// The last day with access, in Norway: YYYY-MM-DD. Default: no end.
        #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
        pub(crate) until: Optional<Raw<'d, String>>,
        /// The environments in which the entry counts. Default: all.
        #[schemars(length(min = 1))]
        pub(crate) environments: Restriction<ReadableTexts>,
        /// Why the access is given, such as a case number.
        pub(crate) reason: Optional<String>,
    }
}

domain::client_attributes! { with_attributes {
    /// A client and the scopes that it consumes. Attributes carry DigDir's own names; one that is
    /// left out has the repository's default (`defaults.client` in portvakt.yaml), else the tool's.
    Client<'d>: ClientLayer {
        /// Its name (`client_name`), which is its identity in this repository.
        #[schemars(length(min = 1, max = 255))]
        name: Needed<Spanned<String>>,
        /// The id of the live client that it is. Default: the one of its name and
        /// integration_type, or a new one.
        #[schemars(regex(pattern = r"^[A-Za-z0-9._-]+$"))]
        client_id: Optional<Spanned<String>>,
        /// What it was called before, if it is to be renamed.
        #[schemars(length(min = 1, max = 255))]
        previous_name: Optional<Spanned<String>>,
        /// What it is a client of; it can never change. Default: maskinporten.
        integration_type: Optional<IntegrationType>,
        /// One line that tells what the client does. Default: none.
        description: Optional<Spanned<String>>,
        /// The scopes that it may ask for, anybody's. Default: the fixed ones of krr, `openid` and
        /// `profile` for idporten and ansattporten, else none.
        scopes: Optional<ReadableTexts>,
        /// Its public keys: a file, a JWK, a JWKS or a PEM text, or a list of these; an empty list
        /// means no key. Default: as they are live.
        jwks: Optional<Raw<'d, Jwks<'d>>>,
        /// On whose behalf it acts; an empty list means nobody. Default: as it is live.
        onbehalfof: Optional<Items<'d, OnBehalfOfEntry>>,
        /// The environments that hold the client. Default: all.
        #[schemars(length(min = 1))]
        environments: Restriction<ReadableTexts>,
        /// What is different in an environment, by its name.
        per_environment: Option<Members<'d, ClientInEnvironment<'d>>>,
        /// `false` keeps the client declared but deactivated. Default: true.
        active: Optional<bool>,
        /// Whether a plan may never deactivate the client. Default: false.
        prevent_deactivation: Optional<bool>,
    }
} }

domain::client_attributes! { with_attributes {
    /// What a client is in one environment; what is left out is as in the others.
    ClientInEnvironment<'d>: ClientLayer {
        /// The id of the live client that it is here.
        #[schemars(regex(pattern = r"^[A-Za-z0-9._-]+$"))]
        client_id: Optional<Spanned<String>>,
        /// One line that tells what the client does.
        description: Optional<Spanned<String>>,
        /// The scopes that it may ask for here.
        scopes: Optional<ReadableTexts>,
        /// Its public keys here.
        jwks: Optional<Raw<'d, Jwks<'d>>>,
        /// On whose behalf it acts here.
        onbehalfof: Optional<Items<'d, OnBehalfOfEntry>>,
        /// `false` keeps the client declared but deactivated here.
        active: Optional<bool>,
    }
} }

/// Public keys: one source of them, or several.
#[derive(Debug, Clone, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Jwks<'d> {
    /// One source.
    One(KeySource<'d>),
    /// Several.
    Several(Items<'d, KeySource<'d>>),
}

/// Where public keys are.
#[derive(Debug, Clone, JsonSchema)]
#[serde(untagged)]
pub(crate) enum KeySource<'d> {
    /// The path of a file from the folder of this one (JWK, JWKS, PEM or certificate), or a PEM
    /// text itself.
    Text(String),
    /// A JWK or a JWKS; never with a private member.
    Inline(Raw<'d, Representation>),
}

table! {
    /// Somebody on whose behalf a client acts.
    pub(crate) struct OnBehalfOfEntry {
        /// Its id, chosen freely: what a login request names.
        #[schemars(length(min = 1, max = 255))]
        pub(crate) onbehalfof: Needed<Spanned<String>>,
        /// What a login shows.
        pub(crate) name: Optional<String>,
        /// The organisation number: nine digits in quotes.
        #[schemars(regex(pattern = r"^[0-9]{9}$"))]
        pub(crate) orgno: Optional<Spanned<String>>,
        /// What the organisation is called.
        pub(crate) organization_name: Optional<String>,
        /// One line about it.
        pub(crate) description: Optional<String>,
        /// Its address on the web.
        pub(crate) uri: Optional<String>,
        /// The address of its picture.
        pub(crate) logo_uri: Optional<String>,
    }
}

table! {
    @like "{ consumer: {}, reason: … }"
    /// An organisation that has no access, whatever else is declared.
    #[schemars(rename = "BlockedConsumer")]
    pub(crate) struct BlockedItem {
        /// An alias, or an organisation number in quotes.
        pub(crate) consumer: Needed<Spanned<String>>,
        /// The environments in which it is blocked. Default: all.
        #[schemars(length(min = 1))]
        pub(crate) environments: Restriction<ReadableTexts>,
        /// Globs of scope names: it is blocked from those. `*` matches `:` and `/` too. Default: all scopes.
        pub(crate) scopes: Optional<TextList>,
        /// Why, such as a case number.
        pub(crate) reason: Needed<String>,
    }
}

/// A scope or a client that is no longer held.
#[derive(Debug, Clone, JsonSchema)]
#[serde(untagged)]
pub(crate) enum RemovedItem {
    /// A scope.
    Scope(RemovedScopeItem),
    /// A client.
    Client(RemovedClientItem),
}

table! {
    /// A client that is no longer held.
    #[schemars(rename = "RemovedClient")]
    pub(crate) struct RemovedClientItem {
        /// The client's name.
        #[schemars(length(min = 1, max = 255))]
        pub(crate) client: Needed<Spanned<String>>,
        /// The id of the live client that it is. Default: the one of its name.
        #[schemars(regex(pattern = r"^[A-Za-z0-9._-]+$"))]
        pub(crate) client_id: Optional<Spanned<String>>,
        /// What is to become of it.
        pub(crate) action: Needed<RemovalAction>,
        /// Why.
        pub(crate) reason: Optional<String>,
        /// The environments in which it is removed. Default: all.
        #[schemars(length(min = 1))]
        pub(crate) environments: Restriction<ReadableTexts>,
    }
}

table! {
    @like "{ scope: {}, action: deactivate }"
    /// A scope that is no longer held.
    #[schemars(rename = "Removed")]
    pub(crate) struct RemovedScopeItem {
        /// The scope's whole name.
        #[schemars(regex(pattern = r"^[^:\s]+:\S+$"))]
        pub(crate) scope: Needed<Spanned<String>>,
        /// What is to become of it.
        pub(crate) action: Needed<RemovalAction>,
        /// Why.
        pub(crate) reason: Optional<String>,
        /// The environments in which it is removed. Default: all.
        #[schemars(length(min = 1))]
        pub(crate) environments: Restriction<ReadableTexts>,
    }
}

words!(RemovalAction);
