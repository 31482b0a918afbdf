//! The attributes of a client as YAML gives them, and the layers that they come from.

use crate::declare::yaml::given::Given;
use crate::declare::yaml::table::words;
use domain::{
    ApplicationType, AuthMethod, ClientAttributes, CodeChallengeMethod, ConsumedScope, GrantType,
    IntegrationType, Orgno, RefreshTokenUsage, kept,
};

/// Defines a type that has, beside its own keys, every attribute of a client that can have a
/// default. (serde's `flatten` would lose both the places of errors and the unknown keys.)
macro_rules! with_client_attributes {
    ($(@like $like:literal)? $(#[$meta:meta])* $name:ident { $($(#[$own_meta:meta])* $own:ident: $type:ty,)* }) => {
        $crate::declare::yaml::table::table! {
            $(@like $like)?
            $(#[$meta])*
            pub(crate) struct $name {
                $($(#[$own_meta])* pub(crate) $own: $type,)*
                /// The organisation that the client acts for, if it is another's: nine digits in
                /// quotes. Default: as it is live; DigDir puts the organisation itself.
                #[serde(default)]
                #[schemars(regex(pattern = r"^[0-9]{9}$"))]
                pub(crate) client_orgno: $crate::declare::yaml::given::Given<String>,
                /// The supplier that runs the client for another organisation: nine digits in quotes.
                /// Default: as it is live.
                #[serde(default)]
                #[schemars(regex(pattern = r"^[0-9]{9}$"))]
                pub(crate) supplier_orgno: $crate::declare::yaml::given::Given<String>,
                /// Where the client runs: web, browser or native. Default: web.
                #[serde(default)]
                pub(crate) application_type:
                    $crate::declare::yaml::given::Given<domain::ApplicationType>,
                /// How the client proves itself. A secret (`client_secret_basic`,
                /// `client_secret_post`) is made by DigDir and not kept by portvakt. Default:
                /// private_key_jwt, and none where a client with a login runs in a browser or natively.
                #[serde(default)]
                pub(crate) token_endpoint_auth_method:
                    $crate::declare::yaml::given::Given<domain::AuthMethod>,
                /// For what the client gets tokens. Default: the JWT grant for maskinporten and krr,
                /// authorization_code and refresh_token for types with a login.
                #[serde(default)]
                pub(crate) grant_types:
                    $crate::declare::yaml::given::Given<Vec<domain::GrantType>>,
                /// How long an access token lives, in seconds. Default: 120.
                #[serde(default)]
                pub(crate) access_token_lifetime: $crate::declare::yaml::given::Given<u64>,
                /// How long a refresh token lives, in seconds. Default: 600 for types with a login, else
                /// as it is live.
                #[serde(default)]
                pub(crate) refresh_token_lifetime: $crate::declare::yaml::given::Given<u64>,
                /// How long a login counts, in seconds. Default: 7200 for types with a login, else as
                /// it is live.
                #[serde(default)]
                pub(crate) authorization_lifetime: $crate::declare::yaml::given::Given<u64>,
                /// Whether a refresh token counts once (ONETIME) or again and again (REUSE). Default: as
                /// it is live; DigDir tells no default.
                #[serde(default)]
                pub(crate) refresh_token_usage:
                    $crate::declare::yaml::given::Given<domain::RefreshTokenUsage>,
                /// The address of a picture that a login shows. Default: none for types with a login,
                /// else as it is live; an empty text means none.
                #[serde(default)]
                pub(crate) logo_uri: $crate::declare::yaml::given::Given<String>,
                /// Where a login may lead back to. Default: nowhere for types with a login, else as it
                /// is live.
                #[serde(default)]
                pub(crate) redirect_uris: $crate::declare::yaml::given::Given<Vec<String>>,
                /// Where a logout may lead to. Default: nowhere for types with a login, else as it is
                /// live.
                #[serde(default)]
                pub(crate) post_logout_redirect_uris: $crate::declare::yaml::given::Given<Vec<String>>,
                /// Whether a logout elsewhere tells which session ends. Default: false for types with a
                /// login, else as it is live.
                #[serde(default)]
                pub(crate) frontchannel_logout_session_required: $crate::declare::yaml::given::Given<bool>,
                /// What is called at a logout elsewhere. Default: nothing for types with a login, else as
                /// it is live; an empty text means nothing.
                #[serde(default)]
                pub(crate) frontchannel_logout_uri: $crate::declare::yaml::given::Given<String>,
                /// Whether a login elsewhere does not count here. Default: false for idporten, true for
                /// ansattporten, else as it is live.
                #[serde(default)]
                pub(crate) sso_disabled: $crate::declare::yaml::given::Given<bool>,
                /// How a login proves that it was this client that began it (PKCE): S256 or none.
                /// Default: S256 for types with a login, else as it is live.
                #[serde(default)]
                pub(crate) code_challenge_method:
                    $crate::declare::yaml::given::Given<domain::CodeChallengeMethod>,
            }
        }

        impl From<&$name> for $crate::declare::read::client_attributes::ClientLayer {
            fn from(given: &$name) -> Self {
                Self {
                    client_orgno: given.client_orgno.clone(),
                    supplier_orgno: given.supplier_orgno.clone(),
                    application_type: given.application_type.clone(),
                    token_endpoint_auth_method: given.token_endpoint_auth_method.clone(),
                    grant_types: given.grant_types.clone(),
                    access_token_lifetime: given.access_token_lifetime.clone(),
                    refresh_token_lifetime: given.refresh_token_lifetime.clone(),
                    authorization_lifetime: given.authorization_lifetime.clone(),
                    refresh_token_usage: given.refresh_token_usage.clone(),
                    logo_uri: given.logo_uri.clone(),
                    redirect_uris: given.redirect_uris.clone(),
                    post_logout_redirect_uris: given.post_logout_redirect_uris.clone(),
                    frontchannel_logout_session_required:
                        given.frontchannel_logout_session_required.clone(),
                    frontchannel_logout_uri: given.frontchannel_logout_uri.clone(),
                    sso_disabled: given.sso_disabled.clone(),
                    code_challenge_method: given.code_challenge_method.clone(),
                }
            }
        }
    };
}
pub(crate) use with_client_attributes;

words!(ApplicationType, AuthMethod, GrantType, RefreshTokenUsage, CodeChallengeMethod);

with_client_attributes! {
    /// What every client has that does not say otherwise.
    #[derive(Default)]
    #[schemars(rename = "ClientDefaults")]
    ClientLayer {}
}

/// What a client is in an environment: the first layer that gives an attribute decides, and where
/// none does, the tool's default.
pub(crate) fn resolve(
    kind: IntegrationType,
    description: Option<&str>,
    scopes: Option<Vec<ConsumedScope>>,
    layers: &[&ClientLayer],
) -> ClientAttributes {
    fn first<T: Clone>(
        layers: &[&ClientLayer],
        pick: impl Fn(&ClientLayer) -> &Given<T>,
    ) -> Option<T> {
        layers.iter().find_map(|layer| pick(layer).0.clone())
    }
    let orgno = |pick: fn(&ClientLayer) -> &Given<String>| -> Option<Orgno> {
        first(layers, pick).and_then(|text| text.parse().ok())
    };
    let set = |pick: fn(&ClientLayer) -> &Given<Vec<String>>| {
        let texts = first(layers, pick)?;
        Some(texts.iter().map(|text| kept(text).into_owned()).collect())
    };
    let text =
        |pick: fn(&ClientLayer) -> &Given<String>| Some(kept(&first(layers, pick)?).into_owned());
    let application_type = first(layers, |l| &l.application_type);
    let usual = ClientAttributes::defaults(kind, application_type);
    let grants = first(layers, |l| &l.grant_types).map(|grants| grants.into_iter().collect());
    ClientAttributes {
        integration_type: kind,
        description: description.map_or(usual.description, |text| kept(text).into_owned()),
        scopes: scopes.map_or(usual.scopes, |scopes| scopes.into_iter().collect()),
        client_orgno: orgno(|l| &l.client_orgno).or(usual.client_orgno),
        supplier_orgno: orgno(|l| &l.supplier_orgno).or(usual.supplier_orgno),
        application_type: usual.application_type,
        token_endpoint_auth_method: first(layers, |l| &l.token_endpoint_auth_method)
            .or(usual.token_endpoint_auth_method),
        grant_types: grants.or(usual.grant_types),
        access_token_lifetime: first(layers, |l| &l.access_token_lifetime)
            .or(usual.access_token_lifetime),
        refresh_token_lifetime: first(layers, |l| &l.refresh_token_lifetime)
            .or(usual.refresh_token_lifetime),
        authorization_lifetime: first(layers, |l| &l.authorization_lifetime)
            .or(usual.authorization_lifetime),
        refresh_token_usage: first(layers, |l| &l.refresh_token_usage)
            .or(usual.refresh_token_usage),
        logo_uri: text(|l| &l.logo_uri).or(usual.logo_uri),
        redirect_uris: set(|l| &l.redirect_uris).or(usual.redirect_uris),
        post_logout_redirect_uris: set(|l| &l.post_logout_redirect_uris)
            .or(usual.post_logout_redirect_uris),
        frontchannel_logout_session_required: first(layers, |l| {
            &l.frontchannel_logout_session_required
        })
        .or(usual.frontchannel_logout_session_required),
        frontchannel_logout_uri: text(|l| &l.frontchannel_logout_uri)
            .or(usual.frontchannel_logout_uri),
        sso_disabled: first(layers, |l| &l.sso_disabled).or(usual.sso_disabled),
        code_challenge_method: first(layers, |l| &l.code_challenge_method)
            .or(usual.code_challenge_method),
    }
}
