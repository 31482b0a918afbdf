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
use super::token::Denial;

/// How far a grant's `iat` may be from the clock, in seconds.
const CLOCK_SKEW: i64 = 10;
/// How long a grant may live, in seconds.
const LIFETIME: i64 = 120;

/// What a good grant leads to.
#[derive(Debug)]
pub(super) struct GrantRequest {
    pub(super) client_id: String,
    pub(super) granted: Granted,
}

#[derive(Deserialize)]
struct GrantClaims {
    aud: Audience,
    iss: String,
    iat: i64,
    exp: i64,
    jti: String,
    scope: Option<String>,
    resource: Option<Value>,
    consumer_org: Option<String>,
}

/// RFC 7519 section 4.1.3: one audience or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Checks a grant and uses it up.
pub(super) fn check(shared: &Shared, assertion: &str) -> Result<GrantRequest, Denial> {
    let header = jsonwebtoken::decode_header(assertion)
        .map_err(|error| Denial::grant(format!("the assertion is no JWT: {error}")))?;
    let claims: GrantClaims = jsonwebtoken::dangerous::insecure_decode_claims(assertion)
        .map_err(|error| Denial::grant(format!("the assertion's claims: {error}")))?;
    let switches = shared.switches();
    let known = KnownClient::new(switches.sync_delay);
    let client = shared
        .read(|state| state.clients.get(&claims.iss).cloned())
        .filter(|client| known.has(client.created))
        .ok_or_else(|| Denial::client(format!("there is no client {:?}", claims.iss)))?;
    if !client.active {
        return Err(Denial::client(format!("the client {:?} is inactive", claims.iss)));
    }
    let key = key(&header, &client, &known)?;
    check_signature(assertion, header.alg, &key)?;
    check_claims(&claims, &shared.issuer)?;
    if !shared.tokens.first_use(&claims.iss, &claims.jti) {
        return Err(Denial::grant("MP-012 the grant has been used before"));
    }
    let asked = AskedScopes {
        scopes: claims.scope.as_deref().unwrap_or_default(),
        resource: claims.resource.as_ref(),
        consumer: claims.consumer_org.as_deref(),
    };
    let granted =
        shared.read(|state| granted::decide(state, &client, &asked, switches.token_lifetime))?;
    Ok(GrantRequest { client_id: claims.iss, granted })
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

/// The key that the header names: a registered one or, for a client without any, the
/// certificate's.
fn key(header: &Header, client: &ClientRecord, known: &KnownClient) -> Result<DecodingKey, Denial> {
    match (&header.kid, &header.x5c) {
        (Some(kid), None) => {
            let record = client
                .keys
                .get(kid)
                .filter(|record| known.has(record.created))
                .ok_or_else(|| Denial::grant(format!("MP-124 no key {kid:?} is registered")))?;
            // ? Which code an expired key gives.
            if record.exp <= Timestamp::now().as_second() {
                return Err(Denial::grant(format!("MP-124 the key {kid:?} has expired")));
            }
            DecodingKey::from_jwk(&record.public)
                .map_err(|error| Denial::grant(format!("MP-124 the registered key: {error}")))
        }
        (None, Some(_)) if !client.keys.is_empty() => {
            Err(Denial::grant("the client has registered keys: the header must have kid, not x5c"))
        }
        (None, Some(x5c)) => {
            let leaf =
                leaf(x5c).map_err(|problem| Denial::grant(format!("MP-123 x5c: {problem}")))?;
            if leaf.orgno == Some(client.orgno) {
                return Ok(leaf.key());
            }
            let theirs = leaf.orgno.map_or("none".to_owned(), |orgno| orgno.to_string());
            Err(Denial::grant(format!(
                "MP-122 the certificate's organization number is {theirs}, the client's {}",
                client.orgno
            )))
        }
        (Some(_), Some(_)) | (None, None) => {
            Err(Denial::grant("the header must have either kid or x5c"))
        }
    }
}

/// Signature alone: the claims have rules of their own here.
fn check_signature(assertion: &str, alg: Algorithm, key: &DecodingKey) -> Result<(), Denial> {
    let allowed = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512];
    if !allowed.contains(&alg) {
        return Err(Denial::grant(format!("alg must be RS256, RS384 or RS512, not {alg:?}")));
    }
    let mut validation = Validation::new(alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Value>(assertion, key, &validation)
        .map(drop)
        .map_err(|_| Denial::grant("MP-124 the signature is wrong"))
}

fn check_claims(claims: &GrantClaims, issuer: &str) -> Result<(), Denial> {
    let aud = match &claims.aud {
        Audience::One(aud) => aud == issuer,
        Audience::Several(auds) => matches!(&auds[..], [aud] if aud == issuer),
    };
    if !aud {
        return Err(Denial::grant(format!("aud must be {issuer}")));
    }
    let now = Timestamp::now().as_second();
    if claims.iat > now.saturating_add(CLOCK_SKEW) {
        return Err(Denial::grant("issue time is after now"));
    }
    if claims.iat < now - CLOCK_SKEW {
        return Err(Denial::grant("issue time is too long ago"));
    }
    let lifetime = claims.exp.saturating_sub(claims.iat);
    if !(1..=LIFETIME).contains(&lifetime) || claims.exp <= now {
        return Err(Denial::grant(format!(
            "exp must be to come and at most {LIFETIME} seconds after iat"
        )));
    }
    if claims.jti.is_empty() {
        return Err(Denial::grant("jti is required"));
    }
    Ok(())
}
