//! The client that people log in to, as an `IDPortenClient` or an `AnsattportenClient` makes it.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::client::{Places, bare, client_name, consumed_scope, declare};
use super::fields::{
    check_address, check_bounds, flag, number, one_of, refuse_nothing, require_text, text, texts,
    warn_unknown,
};
use super::owner::Owners;
use crate::declare::read::declared::Declared;
use crate::declare::yaml::document::Findings;
use domain::nais::Application;
use domain::{
    CLIENT, ClientAttributes, ConsumedScope, GrantType, IntegrationType, KRR_SCOPES, LOGIN_SCOPES,
};
use yaml::{Node, Span};

/// The keys of its `spec`. `clientURI` is known to nobody but digdirator: DigDir's description of a
/// client has no such field.
const KEYS: [&str; 12] = [
    "accessTokenLifetime",
    "clientName",
    "clientURI",
    "frontchannelLogoutURI",
    "integrationType",
    "postLogoutRedirectURIs",
    "redirectURI",
    "redirectURIs",
    "scopes",
    "secretName",
    "sessionLifetime",
    "ssoDisabled",
];

const KINDS: [(&str, IntegrationType); 3] = [
    ("idporten", IntegrationType::Idporten),
    ("krr", IntegrationType::Krr),
    ("api_klient", IntegrationType::ApiKlient),
];

const ANSATTPORTEN: (&str, IntegrationType) = ("ansattporten", IntegrationType::Ansattporten);

/// The bounds of an access token's life, in seconds.
const ACCESS_TOKEN_LIFETIME: RangeInclusive<u64> = 1..=3600;
/// The bounds of a session's life, in seconds.
const SESSION_LIFETIME: RangeInclusive<u64> = 3600..=28800;

/// Reads the client. An application can have one of Maskinporten as well, so in the repository this one
/// is called by its kind too: `<cluster>:<namespace>:<name>:<integration type>`.
pub(super) fn client(
    at: &Node<'_>,
    is_ansattporten: bool,
    owners: &Owners,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    warn_unknown(at, &KEYS, findings);
    require_text(at, "secretName", findings);
    let name = client_name(at, findings);
    let word = text(at, "integrationType", findings);
    let kind = match word {
        Some(word) if is_ansattporten => one_of(word, &[ANSATTPORTEN], findings),
        Some(word) => one_of(word, &KINDS, findings),
        None if is_ansattporten => Some(IntegrationType::Ansattporten),
        None => Some(IntegrationType::Idporten),
    };
    let mut places = Places::new();
    let scopes = scopes(at, &mut places, findings);
    let login = login(at, &mut places, findings);
    let Some(kind) = kind else { return };
    places.extend(word.map(|(_, span)| (CLIENT.integration_type.name, span)));
    let scopes = if scopes.is_empty() { usual_scopes(kind) } else { scopes };
    let attributes = match kind.has_login() {
        true => ClientAttributes { integration_type: kind, scopes, ..login },
        // Nobody logs in to it, and DigDir knows no other grant for it (its table of combinations).
        false => ClientAttributes {
            scopes,
            access_token_lifetime: login.access_token_lifetime,
            ..bare(kind, [GrantType::JwtBearer])
        },
    };
    let identity = |application: &Application| format!("{application}:{}", kind.as_str());
    declare(owners, identity, name, &attributes, places, declared, findings);
}

fn scopes(at: &Node<'_>, places: &mut Places, findings: &mut Findings) -> BTreeSet<ConsumedScope> {
    let help = "name them, or remove the key if the usual ones are meant";
    refuse_nothing(at, "scopes", "take every scope but the usual ones", help, findings);
    let Some((list, span)) = texts(at, "scopes", findings) else {
        return BTreeSet::new();
    };
    places.push((CLIENT.scopes.name, span));
    list.into_iter().filter_map(|scope| consumed_scope(scope, findings)).collect()
}

/// The scopes where the manifest names none.
fn usual_scopes(kind: IntegrationType) -> BTreeSet<ConsumedScope> {
    let scopes: &[&str] = match kind {
        IntegrationType::Krr => &KRR_SCOPES,
        IntegrationType::Idporten | IntegrationType::ApiKlient | IntegrationType::Ansattporten => {
            &LOGIN_SCOPES[..2]
        }
        IntegrationType::Eformidling
        | IntegrationType::IdportenSaml2
        | IntegrationType::Maskinporten => &[],
    };
    scopes.iter().filter_map(|scope| scope.parse().ok()).collect()
}

/// What else the manifest gives of a client with a login. What is left out, digdirator unsets, but for what its
/// operator has configured.
fn login(at: &Node<'_>, places: &mut Places, findings: &mut Findings) -> ClientAttributes {
    let access_token_lifetime = number(at, "accessTokenLifetime", findings);
    check_bounds(access_token_lifetime, ACCESS_TOKEN_LIFETIME, findings);
    let session_lifetime = number(at, "sessionLifetime", findings);
    check_bounds(session_lifetime, SESSION_LIFETIME, findings);
    let one = text(at, "redirectURI", findings);
    let help = "write the addresses, or remove the key";
    refuse_nothing(at, "redirectURIs", "take the addresses of logins", help, findings);
    let several = texts(at, "redirectURIs", findings);
    let after_logout = texts(at, "postLogoutRedirectURIs", findings);
    let logout = text(at, "frontchannelLogoutURI", findings);
    let sso_disabled = flag(at, "ssoDisabled", findings);
    for address in [one, logout].into_iter().flatten() {
        check_address(address, findings);
    }
    for address in several.iter().chain(&after_logout).flat_map(|(texts, _)| texts) {
        check_address(*address, findings);
    }
    let (access_token_lifetime, token_span) = access_token_lifetime.unzip();
    let (session_lifetime, session_span) = session_lifetime.unzip();
    let (one, one_span) = one.unzip();
    let (several, several_span) = several.unzip();
    let (after_logout, after_span) = after_logout.unzip();
    let (logout, logout_span) = logout.unzip();
    let (sso_disabled, sso_span) = sso_disabled.unzip();
    let spans = [
        (&CLIENT.access_token_lifetime, token_span),
        (&CLIENT.authorization_lifetime, session_span),
        (&CLIENT.refresh_token_lifetime, session_span),
        (&CLIENT.redirect_uris, several_span.or(one_span)),
        (&CLIENT.post_logout_redirect_uris, after_span),
        (&CLIENT.frontchannel_logout_uri, logout_span),
        (&CLIENT.sso_disabled, sso_span),
    ];
    places.extend(spans.iter().filter_map(|(attribute, span)| Some((attribute.name, (*span)?))));
    let set = |texts: Vec<(&str, Span)>| -> BTreeSet<String> {
        texts.into_iter().map(|(text, _)| text.to_owned()).collect()
    };
    let mut redirect_uris = several.map(set).unwrap_or_default();
    redirect_uris.extend(one.map(str::to_owned));
    redirect_uris.remove("");
    ClientAttributes {
        access_token_lifetime,
        refresh_token_lifetime: session_lifetime,
        authorization_lifetime: session_lifetime,
        redirect_uris: Some(redirect_uris),
        post_logout_redirect_uris: after_logout.map(set).filter(|uris| !uris.is_empty()),
        frontchannel_logout_session_required: Some(true),
        frontchannel_logout_uri: Some(logout.unwrap_or_default().to_owned()),
        sso_disabled: Some(sso_disabled.unwrap_or_default()),
        ..bare(IntegrationType::Idporten, [GrantType::AuthorizationCode, GrantType::RefreshToken])
    }
}
