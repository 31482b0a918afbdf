//! The checks on a JWT grant (RFC 7523, and DigDir's documentation of Maskinporten).

use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::Deserialize;
use serde_json::Value;

use super::ClientRecord;
use super::certificate::leaf;
use super::granted::{self, AskedScopes, Granted};
use super::shared::Shared;
use super::system_user;
use super::token::Denial;
use domain::Orgno;

/// How far a grant's `iat` may be from the clock, in seconds.
const CLOCK_SKEW: f64 = 10.0;
/// How long a grant may live, in seconds.
const LIFETIME: f64 = 120.0;

/// What a good grant leads to.
#[derive(Debug)]
pub(super) struct GrantRequest {
    pub(super) client_id: String,
    /// The method by which the client has authenticated itself (D).
    pub(super) client_amr: &'static str,
    /// The person whom the token is about.
    pub(super) pid: Option<String>,
    /// The users of systems as whom the client acts.
    pub(super) details: Option<Value>,
    pub(super) granted: Granted,
}

#[derive(Deserialize)]
struct GrantClaims {
    aud: Audience,
    iss: String,
    /// RFC 7519 section 2 allows fractions of seconds.
    iat: f64,
    exp: f64,
    /// C: real clients leave it out.
    jti: Option<String>,
    scope: Option<String>,
    resource: Option<Value>,
    consumer_org: Option<String>,
    pid: Option<String>,
    authorization_details: Option<Value>,
}

/// RFC 7519 section 4.1.3: one audience or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Checks a grant for an issuer and uses it up.
pub(super) fn check(
    shared: &Shared,
    issuer: &str,
    assertion: &str,
) -> Result<GrantRequest, Denial> {
    let header = jsonwebtoken::decode_header(assertion)
        .map_err(|error| Denial::grant(format!("MP-011 the assertion is no JWT: {error}")))?;
    let claims: GrantClaims = jsonwebtoken::dangerous::insecure_decode_claims(assertion)
        .map_err(|error| Denial::grant(format!("MP-011 the assertion's claims: {error}")))?;
    let switches = shared.switches();
    let known = KnownClient::new(switches.sync_delay);
    let client = shared
        .read(|state| state.clients.get(&claims.iss).cloned())
        .filter(|client| known.has(client.created))
        .ok_or_else(|| {
            Denial::client(format!("MP-100 Unknown client: there is no client {:?}", claims.iss))
        })?;
    if !client.active {
        let iss = &claims.iss;
        return Err(Denial::client(format!("MP-100 Unknown client: {iss:?} is inactive")));
    }
    let (key, client_amr) = key(&header, &client, &known)?;
    check_signature(assertion, header.alg, &key)?;
    check_claims(&claims, issuer)?;
    if claims.jti.as_ref().is_some_and(|jti| !shared.tokens.first_use(&claims.iss, jti)) {
        return Err(Denial::grant("MP-012 the grant has been used before"));
    }
    let asked = AskedScopes {
        scopes: claims.scope.as_deref().unwrap_or_default(),
        resource: claims.resource.as_ref(),
        consumer: claims.consumer_org.as_deref(),
    };
    let granted =
        shared.read(|state| granted::decide(state, &client, &asked, switches.token_lifetime))?;
    let details = claims.authorization_details.as_ref();
    let details = details
        .map(|asked| shared.read(|state| system_user::details(state, &claims.iss, asked)))
        .transpose()?;
    let GrantClaims { iss: client_id, pid, .. } = claims;
    Ok(GrantRequest { client_id, client_amr, pid, details, granted })
}

/// What has reached the authorisation server. D: changes take about two minutes. What is new is
/// late here, if that is switched on; what is taken away is gone at once.
struct KnownClient {
    until: Option<Timestamp>,
}

impl KnownClient {
    fn new(delay: u64) -> Self {
        let delay = Duration::from_secs(delay);
        Self { until: Timestamp::now().saturating_sub(delay).ok() }
    }

    fn has(&self, since: Timestamp) -> bool {
        self.until.is_none_or(|until| since <= until)
    }
}

/// The key that the header names, a registered one or, for a client without any, the certificate's; and
/// what the token calls that (D: `client_amr`).
fn key(
    header: &Header,
    client: &ClientRecord,
    known: &KnownClient,
) -> Result<(DecodingKey, &'static str), Denial> {
    match (&header.kid, &header.x5c) {
        (Some(kid), None) => Ok((registered(kid, client, known)?, "private_key_jwt")),
        (None, Some(_)) if !client.keys.is_empty() => Err(Denial::grant(
            "MP-120 the client has registered keys: the header must have kid, not x5c",
        )),
        (None, Some(x5c)) => Ok((certified(x5c, client.orgno)?, "virksomhetssertifikat")),
        (Some(_), Some(_)) | (None, None) => {
            Err(Denial::grant("MP-011 the header must have either kid or x5c"))
        }
    }
}

fn registered(
    kid: &str,
    client: &ClientRecord,
    known: &KnownClient,
) -> Result<DecodingKey, Denial> {
    let record = client.keys.get(kid).filter(|record| known.has(record.created));
    let record = record.ok_or_else(|| {
        Denial::grant(format!("MP-120 Unknown key identifier (kid) for client: {kid:?}"))
    })?;
    if record.exp <= Timestamp::now().as_second() {
        return Err(Denial::grant(format!("MP-121 the key {kid:?} has expired")));
    }
    DecodingKey::from_jwk(&record.public)
        .map_err(|error| Denial::grant(format!("MP-124 the registered key: {error}")))
}

fn certified(x5c: &[String], orgno: Orgno) -> Result<DecodingKey, Denial> {
    let leaf = leaf(x5c).map_err(|problem| Denial::grant(format!("MP-123 x5c: {problem}")))?;
    if leaf.orgno == Some(orgno) {
        return Ok(leaf.key());
    }
    let theirs = leaf.orgno.map_or("none".to_owned(), |orgno| orgno.to_string());
    Err(Denial::grant(format!(
        "MP-122 the certificate's organization number is {theirs}, the client's {orgno}"
    )))
}

/// Signature alone: the claims have rules of their own here.
fn check_signature(assertion: &str, alg: Algorithm, key: &DecodingKey) -> Result<(), Denial> {
    let allowed = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512];
    if !allowed.contains(&alg) {
        return Err(Denial::grant(format!(
            "MP-011 alg must be RS256, RS384 or RS512, not {alg:?}"
        )));
    }
    let mut validation = Validation::new(alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Value>(assertion, key, &validation)
        .map(drop)
        .map_err(|_| Denial::grant("MP-124 Invalid JWT signature"))
}

fn check_claims(claims: &GrantClaims, issuer: &str) -> Result<(), Denial> {
    let aud = match &claims.aud {
        Audience::One(aud) => aud == issuer,
        Audience::Several(auds) => matches!(&auds[..], [aud] if aud == issuer),
    };
    if !aud {
        return Err(Denial::grant(format!("MP-110 Invalid JWT claim aud: it must be {issuer}")));
    }
    let now = Timestamp::now().as_duration().as_secs_f64();
    if claims.iat > now + CLOCK_SKEW {
        return Err(Denial::grant("MP-130 issue time is after now"));
    }
    if claims.iat < now - CLOCK_SKEW {
        return Err(Denial::grant("MP-130 issue time is too long ago"));
    }
    let lifetime = claims.exp - claims.iat;
    if lifetime <= 0.0 || lifetime > LIFETIME || claims.exp <= now {
        return Err(Denial::grant(format!(
            "MP-130 exp must be to come and at most {LIFETIME} seconds after iat"
        )));
    }
    let is_pid = |pid: &String| pid.len() == 11 && pid.bytes().all(|byte| byte.is_ascii_digit());
    if !claims.pid.as_ref().is_none_or(is_pid) {
        return Err(Denial::grant("MP-011 pid must be 11 digits"));
    }
    Ok(())
}
