//! What a client (an integration) is made of, attribute by attribute, under DigDir's own names.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::difference::Field;
use super::plain::{is_id, kept, plain_text};
use super::{IntegrationType, Orgno, ScopeName, scope_name};
use crate::text::is_invisible;

/// The longest name of a client, in characters.
const LONGEST_NAME: usize = 255;

/// The name of a client (`client_name`). DigDir does not make it unique; in a repository it is the
/// client's identity. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientName(Arc<str>);

/// Why a text cannot name a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientNameError {
    /// Nothing, or nothing but white space.
    #[error("it is empty")]
    Empty,
    /// What cannot be seen, or steers.
    #[error("it holds {0:?}")]
    Character(char),
    /// More characters than a name may have.
    #[error("it has more than {LONGEST_NAME} characters")]
    TooLong,
}

impl ClientName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientName {
    type Err = ClientNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = &*kept(text);
        if text.is_empty() {
            return Err(ClientNameError::Empty);
        }
        if let Some(odd) = text
            .chars()
            .find(|c| c.is_control() || is_invisible(*c) || (c.is_whitespace() && *c != ' '))
        {
            return Err(ClientNameError::Character(odd));
        }
        if text.chars().nth(LONGEST_NAME).is_some() {
            return Err(ClientNameError::TooLong);
        }
        Ok(Self(text.into()))
    }
}

/// The id that DigDir has given a client, mostly a UUID: 1 to 128 letters, digits and `._-`, and more
/// than dots, so that one is safe in a URL's path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(Arc<str>);

/// A text is no client id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a client id has 1 to 128 characters, each a letter a to z, a digit or one of `._-`; DigDir's are \
     UUIDs"
)]
pub struct ClientIdError;

impl ClientId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientId {
    type Err = ClientIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_id(text) { Ok(Self(text.into())) } else { Err(ClientIdError) }
    }
}

/// A scope that a client may ask for: anybody's, or one of the words of OpenID Connect that have
/// no prefix, such as `openid`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsumedScope(Arc<str>);

/// A text is no scope that a client can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsumedScopeError {
    /// Nothing.
    #[error("it is empty")]
    Empty,
    /// What cannot stand in the space-separated `scope` of a token request.
    #[error("it cannot hold {0:?}")]
    Character(char),
}

impl ConsumedScope {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of a scope that somebody owns; `None` for a word without a prefix.
    pub fn name(&self) -> Option<ScopeName> {
        self.0.parse().ok()
    }
}

impl FromStr for ConsumedScope {
    type Err = ConsumedScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = &*kept(text);
        match text.chars().find(|c| scope_name::is_forbidden(*c)) {
            Some(character) => Err(ConsumedScopeError::Character(character)),
            None if text.is_empty() => Err(ConsumedScopeError::Empty),
            None => Ok(Self(text.into())),
        }
    }
}

plain_text! { ClientName ClientId ConsumedScope }

/// Where a client runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// On a server.
    Web,
    /// In a browser.
    Browser,
    /// On a person's device.
    Native,
}

/// How a client proves itself where tokens are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// A secret in the body.
    ClientSecretPost,
    /// A secret in a header.
    ClientSecretBasic,
    /// A signature by one of its keys.
    PrivateKeyJwt,
    /// Not at all.
    None,
}

/// For what a client gets tokens.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// A code that a login gave.
    AuthorizationCode,
    /// A login alone.
    Implicit,
    /// A token that renews another.
    RefreshToken,
    /// A JWT that the client has signed (RFC 7523): all that Maskinporten knows.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    JwtBearer,
}

/// How often a refresh token counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "DigDir's own words")]
pub enum RefreshTokenUsage {
    Reuse,
    Onetime,
}

/// How a login proves that it was the client that began it (RFC 7636).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CodeChallengeMethod {
    /// It does not.
    #[serde(rename = "none")]
    None,
    /// By a hash.
    S256,
}

/// Every attribute that DigDir's description of a client lets its owner set (OpenAPI 2025-09,
/// schema `AddClientRequest`), but for `client_id` and `active`, and for `client_name`, which is
/// part of what a client is told by. `None` leaves an attribute as it is live.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "DigDir's own names; `declare` tells what each is")]
pub struct ClientAttributes {
    pub integration_type: IntegrationType,
    pub description: String,
    pub scopes: BTreeSet<ConsumedScope>,
    pub client_orgno: Option<Orgno>,
    pub supplier_orgno: Option<Orgno>,
    pub application_type: Option<ApplicationType>,
    pub token_endpoint_auth_method: Option<AuthMethod>,
    pub grant_types: Option<BTreeSet<GrantType>>,
    pub access_token_lifetime: Option<u64>,
    pub refresh_token_lifetime: Option<u64>,
    pub authorization_lifetime: Option<u64>,
    pub refresh_token_usage: Option<RefreshTokenUsage>,
    /// An empty text unsets it.
    pub logo_uri: Option<String>,
    pub redirect_uris: Option<BTreeSet<String>>,
    pub post_logout_redirect_uris: Option<BTreeSet<String>>,
    pub frontchannel_logout_session_required: Option<bool>,
    /// An empty text unsets it.
    pub frontchannel_logout_uri: Option<String>,
    pub sso_disabled: Option<bool>,
    pub code_challenge_method: Option<CodeChallengeMethod>,
}

/// The scopes that every client of `krr` has, and no others (DigDir's documentation).
pub const KRR_SCOPES: [&str; 2] =
    ["krr:global/kontaktinformasjon.read", "krr:global/digitalpost.read"];

/// The scopes that a client of `idporten` can have, the first two by itself.
pub const LOGIN_SCOPES: [&str; 4] = ["openid", "profile", "eidas", "no_pid"];

impl IntegrationType {
    /// Every kind, as their names sort.
    pub const ALL: [Self; 7] = [
        Self::Ansattporten,
        Self::ApiKlient,
        Self::Eformidling,
        Self::Idporten,
        Self::IdportenSaml2,
        Self::Krr,
        Self::Maskinporten,
    ];

    /// DigDir's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ansattporten => "ansattporten",
            Self::ApiKlient => "api_klient",
            Self::Eformidling => "eformidling",
            Self::Idporten => "idporten",
            Self::IdportenSaml2 => "idporten_saml2",
            Self::Krr => "krr",
            Self::Maskinporten => "maskinporten",
        }
    }

    /// Whether a person logs in to its clients.
    pub fn has_login(self) -> bool {
        matches!(self, Self::Ansattporten | Self::ApiKlient | Self::Idporten)
    }

    /// Whether its clients have that scope without being given access to it.
    pub fn brings(self, scope: &str) -> bool {
        match self {
            Self::Krr => KRR_SCOPES.contains(&scope),
            Self::Ansattporten | Self::ApiKlient | Self::Idporten => LOGIN_SCOPES.contains(&scope),
            Self::Eformidling | Self::IdportenSaml2 | Self::Maskinporten => false,
        }
    }

    /// Whether its clients sign grants for Maskinporten.
    pub fn is_machine(self) -> bool {
        matches!(self, Self::Krr | Self::Maskinporten)
    }
}

impl ClientAttributes {
    /// What a client of that type is if nothing is said: DigDir's defaults (OpenAPI 2025-09, and its
    /// table of legal combinations), and where DigDir tells none, as it is live. What has no meaning
    /// for the type is left as it is live too.
    ///
    /// `application_type` decides how a client with a login proves itself: one in a browser or on a
    /// device does not.
    pub fn defaults(
        integration_type: IntegrationType,
        application_type: Option<ApplicationType>,
    ) -> Self {
        let (login, machine) = (integration_type.has_login(), integration_type.is_machine());
        let application_type =
            application_type.or((login || machine).then_some(ApplicationType::Web));
        let grant_types: Option<BTreeSet<GrantType>> = match (machine, login) {
            (true, _) => Some([GrantType::JwtBearer].into()),
            (_, true) => Some([GrantType::AuthorizationCode, GrantType::RefreshToken].into()),
            (false, false) => None,
        };
        let method = match application_type {
            Some(ApplicationType::Browser | ApplicationType::Native) if login => AuthMethod::None,
            _ => AuthMethod::PrivateKeyJwt,
        };
        let scopes: &[&str] = match integration_type {
            IntegrationType::Krr => &KRR_SCOPES,
            IntegrationType::Idporten | IntegrationType::Ansattporten => &LOGIN_SCOPES[..2],
            IntegrationType::ApiKlient
            | IntegrationType::Eformidling
            | IntegrationType::IdportenSaml2
            | IntegrationType::Maskinporten => &[],
        };
        let of_login = |seconds| login.then_some(seconds);
        Self {
            integration_type,
            description: String::new(),
            scopes: scopes.iter().map(|scope| ConsumedScope((*scope).into())).collect(),
            client_orgno: None,
            supplier_orgno: None,
            application_type,
            token_endpoint_auth_method: (login || machine).then_some(method),
            grant_types,
            access_token_lifetime: (login || machine).then_some(120),
            refresh_token_lifetime: of_login(600),
            authorization_lifetime: of_login(7200),
            refresh_token_usage: None,
            logo_uri: login.then(String::new),
            redirect_uris: login.then(BTreeSet::new),
            post_logout_redirect_uris: login.then(BTreeSet::new),
            frontchannel_logout_session_required: login.then_some(false),
            frontchannel_logout_uri: login.then(String::new),
            sso_disabled: match integration_type {
                IntegrationType::Ansattporten => Some(true),
                IntegrationType::Idporten => Some(false),
                IntegrationType::ApiKlient
                | IntegrationType::Eformidling
                | IntegrationType::IdportenSaml2
                | IntegrationType::Krr
                | IntegrationType::Maskinporten => None,
            },
            code_challenge_method: login.then_some(CodeChallengeMethod::S256),
        }
    }

    /// Each attribute that is not left as it is live, under DigDir's name. The one place that knows
    /// the names: comparison, payload and display all read it.
    pub fn wanted(&self) -> impl Iterator<Item = Field> {
        let defaults = Self::defaults(self.integration_type, None).values();
        let said = self.values().into_iter().zip(defaults);
        said.filter_map(|((name, wanted), (_, default))| {
            // What a client is cannot be left out.
            let is_identity = name == "integration_type";
            let default = default.filter(|_| !is_identity).unwrap_or(Value::Null);
            Some(Field { name, wanted: wanted?, default })
        })
    }

    fn values(&self) -> [(&'static str, Option<Value>); 19] {
        let Self {
            integration_type,
            description,
            scopes,
            client_orgno,
            supplier_orgno,
            application_type,
            token_endpoint_auth_method,
            grant_types,
            access_token_lifetime,
            refresh_token_lifetime,
            authorization_lifetime,
            refresh_token_usage,
            logo_uri,
            redirect_uris,
            post_logout_redirect_uris,
            frontchannel_logout_session_required,
            frontchannel_logout_uri,
            sso_disabled,
            code_challenge_method,
        } = self;
        [
            ("integration_type", Some(json!(integration_type))),
            ("description", text(Some(description))),
            ("scopes", Some(json!(scopes))),
            ("client_orgno", client_orgno.map(|orgno| json!(orgno))),
            ("supplier_orgno", supplier_orgno.map(|orgno| json!(orgno))),
            ("application_type", application_type.map(|value| json!(value))),
            ("token_endpoint_auth_method", token_endpoint_auth_method.map(|value| json!(value))),
            ("grant_types", grant_types.as_ref().map(|value| json!(value))),
            ("access_token_lifetime", access_token_lifetime.map(Value::from)),
            ("refresh_token_lifetime", refresh_token_lifetime.map(Value::from)),
            ("authorization_lifetime", authorization_lifetime.map(Value::from)),
            ("refresh_token_usage", refresh_token_usage.map(|value| json!(value))),
            ("logo_uri", text(logo_uri.as_ref())),
            ("redirect_uris", redirect_uris.as_ref().map(|value| json!(value))),
            (
                "post_logout_redirect_uris",
                post_logout_redirect_uris.as_ref().map(|value| json!(value)),
            ),
            (
                "frontchannel_logout_session_required",
                frontchannel_logout_session_required.map(Value::from),
            ),
            ("frontchannel_logout_uri", text(frontchannel_logout_uri.as_ref())),
            ("sso_disabled", sso_disabled.map(Value::from)),
            ("code_challenge_method", code_challenge_method.map(|value| json!(value))),
        ]
    }
}

/// A text as JSON; DigDir does not tell an empty one from none.
fn text(value: Option<&String>) -> Option<Value> {
    let value = value?;
    Some(if value.is_empty() { Value::Null } else { value.as_str().into() })
}
