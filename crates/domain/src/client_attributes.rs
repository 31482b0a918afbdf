//! Attributes of a client (an integration), under DigDir's own names.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::IntegrationType;
use super::attribute::AtNais::{Carried, Refused, Replaced};
use super::attribute::Direction::{
    Binds, Demands, HandsOver, LetsIn, Members, Reaches, Seconds, Steps,
};
use super::attribute::{attributes, json, opens, words};
use super::difference::Field;

words! {
    /// Environment in which a client runs.
    pub enum ApplicationType {
        /// On a server.
        Web = "web",
        /// In a browser.
        Browser = "browser",
        /// On a person's device.
        Native = "native",
    }

    /// Method by which a client authenticates at the token endpoint.
    pub enum AuthMethod {
        /// A secret in the body.
        ClientSecretPost = "client_secret_post",
        /// A secret in a header.
        ClientSecretBasic = "client_secret_basic",
        /// A signature by one of its keys.
        PrivateKeyJwt = "private_key_jwt",
        /// No authentication.
        None = "none",
    }

    /// Grant by which a client gets tokens.
    pub enum GrantType {
        /// A code from a login.
        AuthorizationCode = "authorization_code",
        /// A login alone.
        Implicit = "implicit",
        /// A token that renews another.
        RefreshToken = "refresh_token",
        /// A JWT that the client has signed (RFC 7523), the only grant of Maskinporten.
        JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer",
    }

    /// How often a refresh token can be used.
    #[expect(missing_docs, reason = "DigDir's own words")]
    pub enum RefreshTokenUsage {
        Reuse = "REUSE",
        Onetime = "ONETIME",
    }

    /// Proof that the client that completes a login is the one that began it (RFC 7636).
    pub enum CodeChallengeMethod {
        /// No proof.
        None = "none",
        /// By a hash.
        S256 = "S256",
    }
}

/// The attributes of a client, one entry each, as [`scope_attributes`](crate::scope_attributes) has those of
/// a scope. The last part is the default by integration type; `None` leaves the attribute as it is live.
#[macro_export]
macro_rules! client_attributes {
    ($callback:ident { $($given:tt)* }) => { $callback! {
        { $($given)* }
        own {
            /// What it is a client of; it can never change. Default: maskinporten.
            integration_type: $crate::IntegrationType { None, Carried }

            /// One line that describes what the client does. Default: none.
            description: String {
                opens(HandsOver, "an application at NAIS takes it over"), Carried
            }

            /// The scopes that it may ask for, anybody's. Default: the fixed ones of krr, `openid` and
            /// `profile` for idporten and ansattporten, else none.
            scopes: std::collections::BTreeSet<$crate::ConsumedScope> {
                opens(Reaches, "consumes more scopes"), Carried
            }
        }
        layered {
            /// The organisation that the client acts for, if it is another's: nine digits in
            /// quotes. Default: as it is live; DigDir puts the organisation itself.
            #[schemars(regex(pattern = r"^[0-9]{9}$"))]
            client_orgno: $crate::Orgno {
                opens(LetsIn, "acts for this organisation"), Refused(ANOTHERS), |_| None
            }

            /// The supplier that runs the client for another organisation: nine digits in quotes.
            /// Default: as it is live.
            #[schemars(regex(pattern = r"^[0-9]{9}$"))]
            supplier_orgno: $crate::Orgno {
                opens(LetsIn, "this organisation runs it"), Refused(ANOTHERS), |_| None
            }

            /// Where the client runs: web, browser or native. Default: web.
            application_type: $crate::ApplicationType {
                opens(
                    Steps(&[&["web"], &["browser", "native"]], 0),
                    "runs where nothing can be kept secret",
                ),
                Refused(OTHER_KIND), |usual| usual.application_type
            }

            /// How the client proves itself. A secret (`client_secret_basic`,
            /// `client_secret_post`) is made by DigDir and not kept by portvakt. Default:
            /// private_key_jwt, and none where a client with a login runs in a browser or natively.
            token_endpoint_auth_method: $crate::AuthMethod {
                opens(Steps(METHODS, 0), "proves itself by less"),
                Refused(OTHER_KIND), |usual| usual.method()
            }

            /// For what the client gets tokens. Default: the JWT grant for maskinporten and krr,
            /// authorization_code and refresh_token for types with a login.
            grant_types: std::collections::BTreeSet<$crate::GrantType> {
                opens(Members(Some(USUAL_GRANTS)), "gets tokens in more ways"),
                Refused(OTHER_KIND), |usual| usual.grants()
            }

            /// How long an access token lives, in seconds. Default: 120.
            access_token_lifetime: u64 {
                opens(Seconds(120), "tokens live longer"),
                Replaced(LIFETIMES), |usual| usual.with_tokens(120)
            }

            /// How long a refresh token lives, in seconds. Default: 600 for types with a login, else
            /// as it is live.
            refresh_token_lifetime: u64 {
                opens(Seconds(600), "refresh tokens live longer"),
                Replaced(LIFETIMES), |usual| usual.with_login(600)
            }

            /// How long a login counts, in seconds. Default: 7200 for types with a login, else as
            /// it is live.
            authorization_lifetime: u64 {
                opens(Seconds(7200), "logins count longer"),
                Replaced(LIFETIMES), |usual| usual.with_login(7200)
            }

            /// Whether a refresh token counts once (ONETIME) or again and again (REUSE). Default: as it is
            /// live; DigDir documents no default.
            refresh_token_usage: $crate::RefreshTokenUsage {
                opens(Steps(&[&["ONETIME"], &["REUSE"]], 0), "refresh tokens count again and again"),
                Replaced(LIFETIMES), |_| None
            }

            /// The address of a picture that a login shows. Default: none for types with a login,
            /// else as it is live; an empty text means none.
            logo_uri: String { None, Replaced(LOGINS), |usual| usual.with_login(String::new()) }

            /// Where a login may lead back to. Default: nowhere for types with a login, else as it
            /// is live.
            redirect_uris: std::collections::BTreeSet<String> {
                opens(Members(None), "logins lead to more addresses"),
                Replaced(LOGINS), |usual| usual.with_login(BTreeSet::new())
            }

            /// Where a logout may lead to. Default: nowhere for types with a login, else as it is
            /// live.
            post_logout_redirect_uris: std::collections::BTreeSet<String> {
                opens(Members(None), "logouts lead to more addresses"),
                Replaced(LOGINS), |usual| usual.with_login(BTreeSet::new())
            }

            /// Whether a logout elsewhere names the session that ends. Default: false for types with a login,
            /// else as it is live.
            frontchannel_logout_session_required: bool {
                opens(Demands(false), "a logout elsewhere does not say which session ends"),
                Replaced(LOGINS), |usual| usual.with_login(false)
            }

            /// What is called at a logout elsewhere. Default: nothing for types with a login, else as
            /// it is live; an empty text means nothing.
            frontchannel_logout_uri: String {
                opens(Binds, "a logout elsewhere does not reach the same address"),
                Replaced(LOGINS), |usual| usual.with_login(String::new())
            }

            /// Whether a login elsewhere does not count here. Default: false for idporten, true for
            /// ansattporten, else as it is live.
            sso_disabled: bool {
                opens(Demands(true), "a login elsewhere counts here"),
                Replaced(LOGINS), |usual| usual.sso_disabled()
            }

            /// How a login proves that it was this client that began it (PKCE): S256 or none.
            /// Default: S256 for types with a login, else as it is live.
            code_challenge_method: $crate::CodeChallengeMethod {
                opens(Steps(&[&["S256"], &["none"]], 0), "a stolen code of a login can be used"),
                Replaced(LOGINS), |usual| usual.with_login(CodeChallengeMethod::S256)
            }
        }
    } };
}

const METHODS: &[&[&str]] =
    &[&["private_key_jwt"], &["client_secret_basic", "client_secret_post"], &["none"]];
const USUAL_GRANTS: &[&str] =
    &["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"];

const ANOTHERS: &str = "`client_orgno` and `supplier_orgno` cannot be in a manifest: a client for \
                        another organisation stays here";
const OTHER_KIND: &str = "NAIS makes clients on a server that sign by a key (web, private_key_jwt, \
                          jwt-bearer), and this one is declared otherwise: it stays here";
const LIFETIMES: &str = "NAIS sets its own lifetimes of tokens";
const LOGINS: &str = "what is declared about logins means nothing for a client of maskinporten, and \
                      NAIS sets none of it";

/// An attribute that is not set is left as it is live.
type Layered<T> = Option<T>;

fn said(value: &Option<impl Serialize>) -> Option<Value> {
    value.as_ref().map(json)
}

client_attributes! { attributes {
    /// All attributes that DigDir's description of a client lets its owner set (OpenAPI 2025-09, schema
    /// `AddClientRequest`), except `client_id`, `active` and `client_name`, which is part of a client's
    /// identity. `None` leaves an attribute as it is live; an empty text unsets it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    ClientAttributes
    /// Description of each attribute of a client.
    ClientTable: CLIENT
} }

/// The scopes of every client of `krr`, which can have no others (DigDir's documentation).
pub const KRR_SCOPES: [&str; 2] =
    ["krr:global/kontaktinformasjon.read", "krr:global/digitalpost.read"];

/// The scopes that a client of `idporten` can have, the first two by default.
pub const LOGIN_SCOPES: [&str; 4] = ["openid", "profile", "eidas", "no_pid"];

impl IntegrationType {
    /// Whether a person logs in to clients of this type.
    pub fn has_login(self) -> bool {
        matches!(self, Self::Ansattporten | Self::ApiKlient | Self::Idporten)
    }

    /// Whether clients of this type have that scope without a granted access.
    pub fn brings(self, scope: &str) -> bool {
        match self {
            Self::Krr => KRR_SCOPES.contains(&scope),
            Self::Ansattporten | Self::ApiKlient | Self::Idporten => LOGIN_SCOPES.contains(&scope),
            Self::Eformidling | Self::IdportenSaml2 | Self::Maskinporten => false,
        }
    }

    /// Whether clients of this type sign grants for Maskinporten.
    pub fn is_machine(self) -> bool {
        matches!(self, Self::Krr | Self::Maskinporten)
    }
}

/// Inputs of a client's defaults.
struct Usual {
    kind: IntegrationType,
    application_type: Option<ApplicationType>,
}

impl Usual {
    fn new(kind: IntegrationType, application_type: Option<ApplicationType>) -> Self {
        let mut usual = Self { kind, application_type };
        usual.application_type = application_type.or(usual.with_tokens(ApplicationType::Web));
        usual
    }

    fn with_login<T>(&self, value: T) -> Option<T> {
        self.kind.has_login().then_some(value)
    }

    fn with_tokens<T>(&self, value: T) -> Option<T> {
        (self.kind.has_login() || self.kind.is_machine()).then_some(value)
    }

    /// A client in a browser or on a device does not authenticate.
    fn method(&self) -> Option<AuthMethod> {
        self.with_tokens(match self.application_type {
            Some(ApplicationType::Browser | ApplicationType::Native) if self.kind.has_login() => {
                AuthMethod::None
            }
            _ => AuthMethod::PrivateKeyJwt,
        })
    }

    fn grants(&self) -> Option<BTreeSet<GrantType>> {
        if self.kind.is_machine() {
            return Some([GrantType::JwtBearer].into());
        }
        self.with_login([GrantType::AuthorizationCode, GrantType::RefreshToken].into())
    }

    fn sso_disabled(&self) -> Option<bool> {
        match self.kind {
            IntegrationType::Ansattporten => Some(true),
            IntegrationType::Idporten => Some(false),
            IntegrationType::ApiKlient
            | IntegrationType::Eformidling
            | IntegrationType::IdportenSaml2
            | IntegrationType::Krr
            | IntegrationType::Maskinporten => None,
        }
    }

    fn scopes(&self) -> &'static [&'static str] {
        match self.kind {
            IntegrationType::Krr => &KRR_SCOPES,
            IntegrationType::Idporten | IntegrationType::Ansattporten => &LOGIN_SCOPES[..2],
            IntegrationType::ApiKlient
            | IntegrationType::Eformidling
            | IntegrationType::IdportenSaml2
            | IntegrationType::Maskinporten => &[],
        }
    }
}

macro_rules! defaults {
    (
        {}
        own { $($own:tt)* }
        layered { $($(#[$($meta:tt)*])+ $name:ident: $type:ty {
            $widening:expr, $nais:expr, $usual:expr
        })* }
    ) => {
        impl ClientAttributes {
            /// A client of that type with everything else left as it is live.
            pub fn as_live(integration_type: IntegrationType) -> Self {
                Self {
                    integration_type,
                    description: String::new(),
                    scopes: BTreeSet::new(),
                    $($name: None,)*
                }
            }

            /// Defaults of a client of that type: DigDir's own (OpenAPI 2025-09, and its table of legal
            /// combinations), and as it is live where DigDir documents none. Attributes without meaning for
            /// the type are left as they are live too.
            ///
            /// `application_type` decides how a client with a login authenticates.
            pub fn defaults(
                integration_type: IntegrationType,
                application_type: Option<ApplicationType>,
            ) -> Self {
                fn of<T>(usual: &Usual, pick: impl Fn(&Usual) -> Option<T>) -> Option<T> {
                    pick(usual)
                }
                let usual = Usual::new(integration_type, application_type);
                let scopes = usual.scopes().iter().filter_map(|scope| scope.parse().ok());
                Self {
                    integration_type,
                    description: String::new(),
                    scopes: scopes.collect(),
                    $($name: of(&usual, $usual),)*
                }
            }
        }
    };
}
client_attributes! { defaults {} }

impl ClientAttributes {
    /// Each attribute that is not left as it is live, under DigDir's name.
    pub fn wanted(&self) -> impl Iterator<Item = Field> {
        let defaults = Self::defaults(self.integration_type, None).values();
        let said = self.values().into_iter().zip(defaults);
        said.filter_map(|((attribute, wanted), (_, default))| {
            // The integration type cannot be left out.
            let is_identity = attribute.name == CLIENT.integration_type.name;
            let default = default.filter(|_| !is_identity).unwrap_or_default();
            Some(Field { name: attribute.name, wanted: wanted?, default })
        })
    }
}
